//! Makes tokens less likely that were said before, as transformers does for decoder-only models: the
//! tokens of the prompt count as well as those of the answer.

use super::batch::{Batch, TokenId};

/// The tokens that rows have said, each once.
pub(super) struct Said {
    rows: Vec<Option<Row>>,
}

/// A row with a penalty.
pub(super) struct Row {
    pub(super) penalty: f32,
    /// In ascending order.
    pub(super) tokens: Vec<TokenId>,
}

impl Said {
    /// What rows begin with; `None` where no row has a penalty.
    pub(super) fn new(batch: &Batch, penalties: &[f32]) -> Option<Self> {
        let row = |row: usize| {
            let penalty = penalties
                .get(row)
                .copied()
                .filter(|&penalty| penalty != 1.0)?;
            let mut tokens = batch.row(row).to_vec();
            tokens.sort_unstable();
            tokens.dedup();
            Some(Row { penalty, tokens })
        };
        let rows: Vec<_> = (0..batch.rows()).map(row).collect();
        rows.iter().any(Option::is_some).then_some(Self { rows })
    }

    /// The row, where it has a penalty.
    pub(super) fn row(&self, row: usize) -> Option<&Row> {
        self.rows.get(row)?.as_ref()
    }

    /// Notes what a row says.
    pub(super) fn say(&mut self, row: usize, token: TokenId) {
        if let Some(Some(row)) = self.rows.get_mut(row)
            && let Err(place) = row.tokens.binary_search(&token)
        {
            row.tokens.insert(place, token);
        }
    }
}

/// The score of a token that was said.
pub(super) fn penalized(score: f32, penalty: f32) -> f32 {
    if score < 0.0 {
        score * penalty
    } else {
        score / penalty
    }
}

impl Row {
    /// Applies the penalty to the scores of a row. Column j is token j, or the j-th of a shortlist.
    pub(super) fn apply(&self, scores: &mut [f32], shortlist: Option<&[TokenId]>) {
        let penalize = |score: &mut f32| *score = penalized(*score, self.penalty);
        match shortlist {
            None => {
                for &token in &self.tokens {
                    scores.get_mut(token as usize).map(penalize);
                }
            }
            Some(list) => {
                let columns = scores.iter_mut().zip(list);
                columns
                    .filter(|(_, token)| self.tokens.binary_search(token).is_ok())
                    .for_each(|(score, _)| penalize(score));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures are those of `RepetitionPenaltyLogitsProcessor(1.5)` for the ids `[[3, 1, 3]]`.
    #[test]
    fn what_was_said_is_divided_above_zero_and_multiplied_below() {
        let batch = Batch::new(&[[3, 1, 3], [0, 0, 0]]);
        let mut said = Said::new(&batch, &[1.5]);
        let row = said.as_ref().and_then(|said| said.row(0));
        let mut scores = [2.0, -2.0, 0.5, 3.0];
        if let Some(row) = row {
            row.apply(&mut scores, None);
        }
        assert_eq!(scores, [2.0, -3.0, 0.5, 2.0]);
        if let Some(said) = &mut said {
            for token in [2, 2, 9] {
                said.say(0, token);
            }
            said.say(1, 2);
        }
        let row = said.as_ref().and_then(|said| said.row(0));
        assert_eq!(row.map(|row| row.tokens.clone()), Some(vec![1, 2, 3, 9]));
        let mut scores = [2.0, -2.0, 0.0, 3.0];
        if let Some(row) = row {
            row.apply(&mut scores, None);
        }
        assert_eq!(scores, [2.0, -3.0, 0.0, 2.0]);
        assert!(said.is_some_and(|said| said.row(1).is_none()));
        assert!(Said::new(&batch, &[1.0, 1.0]).is_none());
        assert!(Said::new(&batch, &[]).is_none());
    }
}
