//! Greedy decoding: the likeliest token at every step, one hypothesis a row.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::batch::{Batch, TokenId};
use super::network::{Model, Scores, with_values};
use super::repetition::Said;
use super::{Finish, Hypothesis, Limits, Step, reduced};
use crate::error::{Error, Result};

/// Decodes every row of a batch, always taking the likeliest token; the i-th hypothesis answers
/// the i-th row.
///
/// # Errors
///
/// [`Error::Cancelled`] where `progress` breaks; what the model returns.
pub(crate) fn greedy(
    model: &dyn Model,
    batch: &Batch,
    limits: &Limits,
    progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Vec<Hypothesis>> {
    let mut state = model.start(batch)?;
    let mut hypotheses = vec![
        Hypothesis {
            tokens: Vec::new(),
            finish: Finish::Length
        };
        batch.rows()
    ];
    let mut rows: Vec<usize> = (0..batch.rows()).collect();
    let mut last = state.first.clone();
    // Rows that may say nothing are finished before they begin.
    let begin: Vec<usize> = rows
        .iter()
        .copied()
        .filter(|&row| limits.max_new[row] > 0)
        .collect();
    if begin.len() < rows.len() {
        state.keep(&begin)?;
        last = begin.iter().map(|&row| last[row]).collect();
        rows = begin;
    }
    let mut tokens = 0;
    let mut bans = None;
    let mut said = Said::new(batch, &limits.penalties);
    while !rows.is_empty() {
        let scores = model.step(&mut state, &last)?;
        let chosen = if model.reduces_scores() {
            let logits = &scores.logits;
            if bans.is_none() {
                let found = reduced::Bans::new(&limits.banned, logits.dim(1)?, logits.device())?;
                bans = Some(found);
            }
            let bans = bans.as_ref().and_then(Option::as_ref);
            reduced::likeliest(logits, &rows, bans, said.as_ref())?
        } else {
            likeliest(&scores, &rows, &limits.banned, said.as_ref())?
        };
        let mut kept = Vec::with_capacity(rows.len());
        for (place, (&row, &token)) in rows.iter().zip(&chosen).enumerate() {
            let hypothesis = &mut hypotheses[row];
            if limits.stop.contains(&token) {
                hypothesis.finish = Finish::Stop;
                continue;
            }
            hypothesis.tokens.push(token);
            if let Some(said) = &mut said {
                said.say(row, token);
            }
            tokens += 1;
            if let Some(extra) = repeated(&hypothesis.tokens, limits.max_repeats) {
                hypothesis.tokens.truncate(hypothesis.tokens.len() - extra);
                hypothesis.finish = Finish::Repetition;
            } else if hypothesis.tokens.len() < limits.max_new[row] {
                kept.push(place);
            }
        }
        last = kept.iter().map(|&place| chosen[place]).collect();
        if kept.len() < rows.len() {
            rows = kept.iter().map(|&place| rows[place]).collect();
            if !rows.is_empty() {
                state.keep(&kept)?;
            }
        }
        if progress(Step {
            live: rows.len(),
            tokens,
        })
        .is_break()
        {
            return Err(Error::Cancelled);
        }
    }
    Ok(hypotheses)
}

/// The likeliest token of each row that is not banned for it; the lowest id among equals.
fn likeliest(
    scores: &Scores,
    rows: &[usize],
    banned: &[Option<Arc<[bool]>>],
    said: Option<&Said>,
) -> Result<Vec<TokenId>> {
    let (_, columns) = scores.logits.dims2()?;
    let mut penalized = Vec::new();
    with_values(&scores.logits, |values| {
        let lines = values.chunks_exact(columns).zip(rows).enumerate();
        lines
            .map(|(place, (logits, &row))| {
                let shortlist = scores.shortlist.as_ref().map(|lists| &*lists[place]);
                let mut logits = logits;
                if let Some(said) = said.and_then(|said| said.row(row)) {
                    penalized.clear();
                    penalized.extend_from_slice(logits);
                    said.apply(&mut penalized, shortlist);
                    logits = &penalized;
                }
                best_allowed(
                    logits,
                    shortlist,
                    banned.get(row).and_then(Option::as_deref),
                )
            })
            .collect()
    })
}

/// The token with the highest score that is not banned; token 0 where all are.
fn best_allowed(logits: &[f32], shortlist: Option<&[TokenId]>, banned: Option<&[bool]>) -> TokenId {
    let logits = &logits[..shortlist.map_or(logits.len(), |list| list.len().min(logits.len()))];
    let token = |column: usize| shortlist.map_or(column as TokenId, |list| list[column]);
    let allowed = |column: usize| {
        banned.is_none_or(|banned| !banned.get(token(column) as usize).copied().unwrap_or(false))
    };
    // Largest of each of 16 lanes first: a plain search through 150,000 floats takes longer.
    let mut lanes = [f32::NEG_INFINITY; 16];
    for chunk in logits.chunks(16) {
        lanes
            .iter_mut()
            .zip(chunk)
            .for_each(|(best, x)| *best = best.max(*x));
    }
    let largest = lanes.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let first = logits.iter().position(|&x| x == largest).unwrap_or(0);
    if allowed(first) {
        return token(first);
    }
    let mut best: Option<(usize, f32)> = None;
    for (column, &x) in logits.iter().enumerate() {
        if best.is_none_or(|(_, largest)| x > largest) && allowed(column) {
            best = Some((column, x));
        }
    }
    best.map_or(0, |(column, _)| token(column))
}

/// How many tokens at the end say again what stands before them, if the tokens end with `repeats`
/// copies of one stretch.
///
/// Stretches of one to 64 tokens count; those of fewer than four tokens only if the copies cover
/// at least 16 tokens, since digits and dashes repeat in honest text.
fn repeated(tokens: &[TokenId], repeats: usize) -> Option<usize> {
    if repeats < 2 {
        return None;
    }
    (1..=64.min(tokens.len() / repeats)).find_map(|period| {
        let copies = if period < 4 {
            repeats.max(16_usize.div_ceil(period))
        } else {
            repeats
        };
        let tail = &tokens[tokens.len().checked_sub(period * copies)?..];
        let again = tail.iter().skip(period).zip(tail).all(|(a, b)| a == b);
        again.then_some(period * (copies - 1))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::any::Any;

    use candle_core::{Device, Tensor};

    use super::*;
    use crate::decode::{Cache, State};

    /// A model that says what its script says: row i of a batch begins with the number of its
    /// script, and each step gives the script's next token the highest score.
    pub(crate) struct FakeModel {
        pub(crate) scripts: Vec<Vec<TokenId>>,
        pub(crate) vocabulary: usize,
    }

    struct FakeCache {
        /// (script, tokens said)
        rows: Vec<(usize, usize)>,
    }

    impl Cache for FakeCache {
        fn keep(&mut self, rows: &[usize]) -> Result<()> {
            self.rows = rows.iter().map(|&row| self.rows[row]).collect();
            Ok(())
        }
        fn as_any(&mut self) -> &mut dyn Any {
            self
        }
    }

    impl Model for FakeModel {
        fn start(&self, batch: &Batch) -> Result<State> {
            let rows = (0..batch.rows())
                .map(|row| (batch.row(row)[0] as usize, 0))
                .collect();
            Ok(State {
                first: vec![0; batch.rows()],
                cache: Box::new(FakeCache { rows }),
            })
        }

        fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
            let cache: &mut FakeCache = state.cache();
            assert_eq!(cache.rows.len(), last.len());
            let mut logits = vec![0.0f32; last.len() * self.vocabulary];
            for ((script, said), row) in cache
                .rows
                .iter_mut()
                .zip(logits.chunks_mut(self.vocabulary))
            {
                if *said > 0 {
                    // The token fed is the one that was chosen.
                    assert!(
                        last.iter()
                            .any(|&token| token == self.scripts[*script][*said - 1])
                    );
                }
                row[self.scripts[*script][*said] as usize] = 1.0;
                *said += 1;
            }
            let logits = Tensor::from_vec(logits, (last.len(), self.vocabulary), &Device::Cpu)?;
            Ok(Scores {
                logits,
                shortlist: None,
            })
        }
    }

    fn run(scripts: Vec<Vec<TokenId>>, limits: &Limits) -> Vec<Hypothesis> {
        let rows: Vec<Vec<TokenId>> = (0..scripts.len() as u32).map(|i| vec![i]).collect();
        let model = FakeModel {
            scripts,
            vocabulary: 50,
        };
        greedy(&model, &Batch::new(&rows), limits, &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap_or_default()
    }

    #[test]
    fn rows_end_by_stop_token_or_limit_and_keep_their_places() {
        let limits = Limits {
            max_new: vec![9, 2, 9, 0],
            stop: vec![2],
            ..Limits::default()
        };
        let found = run(
            vec![vec![5, 6, 7, 2], vec![8, 9, 10], vec![2], vec![3]],
            &limits,
        );
        let ends: Vec<_> = found
            .iter()
            .map(|h| (h.tokens.as_slice(), h.finish))
            .collect();
        assert_eq!(
            ends,
            [
                ([5, 6, 7].as_slice(), Finish::Stop),
                (&[8, 9], Finish::Length),
                (&[], Finish::Stop),
                (&[], Finish::Length)
            ]
        );
    }

    #[test]
    fn a_loop_is_cut_to_one_copy() {
        let mut script = vec![40, 41];
        script.extend([5, 6, 7, 8, 9].repeat(10));
        let limits = Limits {
            max_new: vec![50],
            stop: vec![2],
            max_repeats: 3,
            ..Limits::default()
        };
        let found = run(vec![script], &limits);
        assert_eq!(found[0].tokens, [40, 41, 5, 6, 7, 8, 9]);
        assert_eq!(found[0].finish, Finish::Repetition);
    }

    #[test]
    fn short_repetitions_are_honest() {
        assert_eq!(repeated(&[1, 7, 7, 7, 7], 3), None);
        assert_eq!(repeated(&[7; 16], 3), Some(15));
        assert_eq!(repeated(&[1, 2, 3, 4, 1, 2, 3, 4], 3), None);
    }

    #[test]
    fn banned_tokens_are_not_chosen() {
        let limits = Limits {
            max_new: vec![1],
            banned: vec![Some(Arc::from([true, false, false, false, false, true]))],
            ..Limits::default()
        };
        assert_eq!(run(vec![vec![5]], &limits)[0].tokens, [1]);
    }

    #[test]
    fn a_penalty_is_each_rows_own_and_counts_the_prompt() {
        let scores = Tensor::new(
            &[[0.0f32, 4.0, 3.0, -1.0], [0.0, 4.0, 3.0, -1.0]],
            &Device::Cpu,
        );
        let scores = |shortlist| Scores {
            logits: scores
                .as_ref()
                .ok()
                .cloned()
                .unwrap_or_else(|| unreachable!()),
            shortlist,
        };
        let batch = Batch::new(&[[1], [1]]);
        let said = Said::new(&batch, &[1.0, 2.0]);
        let chosen = |scores: &Scores, rows: &[usize]| {
            likeliest(scores, rows, &[], said.as_ref()).unwrap_or_default()
        };
        assert_eq!(chosen(&scores(None), &[0, 1]), [1, 2]);
        assert_eq!(chosen(&scores(None), &[1, 0]), [2, 1]);
        let lists: Vec<Arc<[TokenId]>> = vec![Arc::from([7, 8, 1, 9]), Arc::from([7, 8, 1, 9])];
        assert_eq!(chosen(&scores(Some(lists)), &[0, 1]), [8, 8]);
        let reduced = reduced::likeliest(&scores(None).logits, &[1, 0], None, said.as_ref());
        assert_eq!(reduced.unwrap_or_default(), [2, 1]);
    }

    #[test]
    fn a_caller_can_stop() {
        let model = FakeModel {
            scripts: vec![vec![5; 10]],
            vocabulary: 50,
        };
        let limits = Limits {
            max_new: vec![10],
            ..Limits::default()
        };
        let stopped = greedy(&model, &Batch::new(&[[0]]), &limits, &mut |p| {
            if p.tokens == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(matches!(stopped, Err(Error::Cancelled)));
    }
}
