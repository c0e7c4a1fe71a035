//! What a hypothesis may say next: rules over scores, as `transformers` has them.
//!
//! Rules name the few tokens whose score they change, so that a vocabulary of 60,000 is not
//! written to at every step. They come in the order of `transformers`' logits processors, since
//! the order matters where two touch one token.

use super::repetition::penalized;
use crate::decode::TokenId;

/// Rules on what is generated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Constraints {
    /// Tokens that were said are made this much less likely; 1 for no change.
    pub(crate) repetition_penalty: f32,
    /// No sequence of this many tokens comes twice; 0 for no limit.
    pub(crate) no_repeat_ngram: usize,
    /// Sequences that are never said; a single end token is left alone.
    pub(crate) bad_words: Vec<Vec<TokenId>>,
    /// The end may not come before this many tokens.
    pub(crate) min_new: usize,
    /// The first token.
    pub(crate) forced_first: Option<TokenId>,
    /// The token in the last place that the limit leaves.
    pub(crate) forced_last: Option<TokenId>,
}

impl Default for Constraints {
    fn default() -> Self {
        Self {
            repetition_penalty: 1.0,
            no_repeat_ngram: 0,
            bad_words: Vec::new(),
            min_new: 0,
            forced_first: None,
            forced_last: None,
        }
    }
}

/// How the scores of one row change.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// The only token that may come, with a score of 0.
    pub(crate) only: Option<TokenId>,
    /// Tokens in ascending order with their new scores.
    pub(crate) scores: Vec<(TokenId, f32)>,
}

/// Where a hypothesis stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// What was said, after the token that the decoder starts with.
    pub(crate) history: &'a [TokenId],
    /// Most tokens after the start.
    pub(crate) max_new: usize,
    /// Tokens that end a hypothesis.
    pub(crate) end: &'a [TokenId],
}

impl Constraints {
    /// What changes for a row whose scores are `score`, over a vocabulary of `vocabulary` tokens.
    pub(crate) fn changes(
        &self,
        place: Place<'_>,
        vocabulary: usize,
        score: impl Fn(TokenId) -> f32,
    ) -> Changes {
        let history = place.history;
        let said = history.len() - 1;
        if let Some(token) = self.forced_last
            && said + 1 == place.max_new
        {
            return Changes {
                only: Some(token),
                scores: Vec::new(),
            };
        }
        if let Some(token) = self.forced_first
            && said == 0
        {
            return Changes {
                only: Some(token),
                scores: Vec::new(),
            };
        }
        let mut scores: Vec<(TokenId, f32)> = Vec::new();
        if self.repetition_penalty != 1.0 {
            let penalize = |token| penalized(score(token), self.repetition_penalty);
            scores.extend(
                history
                    .iter()
                    .filter(|&&token| (token as usize) < vocabulary)
                    .map(|&token| (token, penalize(token))),
            );
        }
        let mut ban = |token: TokenId| {
            if (token as usize) < vocabulary {
                scores.push((token, f32::NEG_INFINITY));
            }
        };
        let size = self.no_repeat_ngram;
        if size > 0 && history.len() + 1 >= size {
            let last = &history[history.len() + 1 - size..];
            history
                .windows(size)
                .filter(|window| window[..size - 1] == *last)
                .for_each(|window| ban(window[size - 1]));
        }
        for word in &self.bad_words {
            let Some((&token, before)) = word.split_last() else {
                continue;
            };
            let is_end = before.is_empty() && place.end.contains(&token);
            if !is_end && history.ends_with(before) {
                ban(token);
            }
        }
        if said < self.min_new {
            place.end.iter().for_each(|&token| ban(token));
        }
        // Of several changes to one token the lowest is the one that all rules agree on.
        scores.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        scores.dedup_by_key(|change| change.0);
        Changes { only: None, scores }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(constraints: &Constraints, history: &[TokenId]) -> Changes {
        constraints.changes(
            Place {
                history,
                max_new: 6,
                end: &[2],
            },
            30,
            |token| token as f32 - 10.0,
        )
    }

    #[test]
    fn each_rule_names_the_tokens_it_changes() {
        const NO: f32 = f32::NEG_INFINITY;
        let none = Constraints::default();
        let ngram = Constraints {
            no_repeat_ngram: 2,
            ..none.clone()
        };
        let single = Constraints {
            no_repeat_ngram: 1,
            ..none.clone()
        };
        let penalty = Constraints {
            repetition_penalty: 2.0,
            ..none.clone()
        };
        let words = Constraints {
            bad_words: vec![vec![7], vec![8, 9], vec![2]],
            ..none.clone()
        };
        let least = Constraints {
            min_new: 2,
            ..none.clone()
        };
        let both = Constraints {
            repetition_penalty: 2.0,
            bad_words: vec![vec![4]],
            ..none.clone()
        };
        type Case<'a> = (&'a Constraints, &'a [TokenId], &'a [(TokenId, f32)]);
        let cases: &[Case<'_>] = &[
            (&none, &[0, 4], &[]),
            (&ngram, &[0, 4, 5, 4], &[(5, NO)]),
            (&ngram, &[0], &[]),
            (&single, &[0, 4], &[(0, NO), (4, NO)]),
            (
                &penalty,
                &[0, 20, 4, 20],
                &[(0, -20.0), (4, -12.0), (20, 5.0)],
            ),
            (&words, &[0, 8], &[(7, NO), (9, NO)]),
            (&words, &[0, 9], &[(7, NO)]),
            (&least, &[0, 5], &[(2, NO)]),
            (&least, &[0, 5, 6], &[]),
            (&both, &[0, 4], &[(0, -20.0), (4, NO)]),
        ];
        let failures: Vec<_> = cases
            .iter()
            .filter(|(constraints, history, expected)| {
                changes(constraints, history).scores != *expected
            })
            .map(|(constraints, history, _)| (constraints, history, changes(constraints, history)))
            .collect();
        assert!(failures.is_empty(), "{failures:#?}");
    }

    #[test]
    fn forced_tokens_leave_no_choice() {
        let constraints = Constraints {
            forced_first: Some(9),
            forced_last: Some(3),
            ..Constraints::default()
        };
        assert_eq!(changes(&constraints, &[0]).only, Some(9));
        assert_eq!(changes(&constraints, &[0, 9]).only, None);
        assert_eq!(changes(&constraints, &[0, 9, 1, 1, 1, 1]).only, Some(3));
    }
}
