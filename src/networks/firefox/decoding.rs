//! Source tokens to target tokens: the best token at every step, and the seam to other searches.
//!
//! [`Firefox::greedy_all`] is the fast path: buffers stay from one step to the next, no tensor is
//! made, and only the best token of a row leaves the output layer. [`Model`] is the general one.
//! Both give a row what it would get alone, whatever the rows beside it.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Tensor};

use super::Firefox;
use super::network::{Decoding, Line, LineScores, SourceLine, Workspace};
use crate::decode::batch::{Batch, plan};
use crate::decode::{Cache, Model, Scores, State, TokenId};
use crate::error::Result;
use crate::kernels::float;

/// What the first step is given: the decoder begins with no token at all.
const NO_TOKEN: TokenId = TokenId::MAX;

/// What decoding made of one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// Target tokens without the end token.
    pub(crate) tokens: Vec<TokenId>,
    /// Whether the model ended the line itself; if not, the limit of its length did.
    pub(crate) finished: bool,
}

/// How lines are grouped and spread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// Source tokens that are worked on together.
    pub(crate) batch_tokens: usize,
    /// Threads that work on batches.
    pub(crate) threads: usize,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            batch_tokens: 1024,
            threads: 1,
        }
    }
}

impl Firefox {
    /// The best token at every step for any number of rows, in batches spread over threads: the
    /// i-th output answers the i-th row. Rows are as [`Firefox::encode`] makes them.
    pub(crate) fn greedy_all<R: AsRef<[TokenId]> + Sync>(
        &self,
        rows: &[R],
        spread: Spread,
    ) -> Vec<Output> {
        let lengths: Vec<usize> = rows.iter().map(|row| row.as_ref().len()).collect();
        // Every thread is to have work, also when there is little.
        let share = lengths
            .iter()
            .sum::<usize>()
            .div_ceil(spread.threads.max(1));
        let groups = plan(&lengths, spread.batch_tokens.min(share).max(1), usize::MAX);
        let next = AtomicUsize::new(0);
        let outputs: Mutex<Vec<Output>> = Mutex::new(vec![Output::default(); rows.len()]);
        let work = || {
            let mut workspace = Workspace::default();
            while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                let lines: Vec<&[TokenId]> = group.iter().map(|&row| rows[row].as_ref()).collect();
                let answers = self.greedy_lines(&lines, &mut workspace);
                let mut outputs = outputs.lock().unwrap_or_else(PoisonError::into_inner);
                for (&row, answer) in group.iter().zip(answers) {
                    outputs[row] = answer;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..spread.threads.min(groups.len()) {
                scope.spawn(work);
            }
            work();
        });
        outputs.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The best token at every step for one batch, on this thread.
    #[cfg(test)]
    pub(crate) fn greedy(&self, batch: &Batch) -> Vec<Output> {
        let lines: Vec<&[TokenId]> = (0..batch.rows()).map(|row| batch.row(row)).collect();
        self.greedy_lines(&lines, &mut Workspace::default())
    }

    fn greedy_lines(&self, lines: &[&[TokenId]], work: &mut Workspace) -> Vec<Output> {
        let mut outputs = vec![Output::default(); lines.len()];
        let encoded = self.encode_lines(lines, work);
        let candidates: Vec<Arc<[TokenId]>> = encoded
            .iter()
            .map(|line| Arc::clone(&line.candidates))
            .collect();
        let mut decoding = Decoding::new(encoded, &self.network.config);
        // Which output each live row writes, and what it wrote last.
        let mut live: Vec<usize> = (0..lines.len()).collect();
        let mut last: Vec<Option<TokenId>> = vec![None; lines.len()];
        while !live.is_empty() {
            let mut best = vec![self.target_end; live.len()];
            self.network
                .step(&mut decoding, &last, work, |row, scores| {
                    best[row] = self.best(&candidates[live[row]], scores);
                });
            let mut kept = Vec::with_capacity(live.len());
            for (row, &place) in live.iter().enumerate() {
                let output = &mut outputs[place];
                if best[row] == self.target_end {
                    output.finished = true;
                    continue;
                }
                output.tokens.push(best[row]);
                if output.tokens.len() < self.limit(lines[place].len()) {
                    kept.push(row);
                }
            }
            if kept.len() < live.len() {
                decoding.keep(&kept);
                live = kept.iter().map(|&row| live[row]).collect();
            }
            last = kept.iter().map(|&row| Some(best[row])).collect();
        }
        outputs
    }

    /// The most target tokens for so many source tokens, the end token among them.
    pub(crate) fn limit(&self, length: usize) -> usize {
        ((length as f32 * self.length_factor) as usize).max(1)
    }

    pub(super) fn encode_lines(
        &self,
        lines: &[&[TokenId]],
        work: &mut Workspace,
    ) -> Vec<Arc<SourceLine>> {
        let shared = Arc::ptr_eq(&self.source, &self.target);
        let first = self.network.first();
        let candidates = |line: &[TokenId]| {
            let mut candidates = match &self.shortlist {
                Some(shortlist) => shortlist.candidates(line, shared, first),
                None => Vec::new(),
            };
            // Every line must be able to end.
            if self.target_end as usize >= first
                && let Err(place) = candidates.binary_search(&self.target_end)
            {
                candidates.insert(place, self.target_end);
            }
            candidates
        };
        let lines: Vec<Line<'_>> = lines
            .iter()
            .map(|&line| (line, candidates(line).into()))
            .collect();
        self.network.encode(&lines, work)
    }

    /// The candidate with the best score; of equal ones the first.
    fn best(&self, candidates: &[TokenId], mut scores: LineScores<'_>) -> TokenId {
        self.forbid_unknown(candidates, &mut scores);
        let (mut place, mut own_place) = (0, 0);
        float::place_of_largest(scores.first, &mut place);
        float::place_of_largest(scores.own, &mut own_place);
        match scores.own.get(own_place) {
            Some(own) if *own > scores.first[place] => candidates[own_place],
            _ => place as TokenId,
        }
    }

    /// The unknown token is never an answer.
    fn forbid_unknown(&self, candidates: &[TokenId], scores: &mut LineScores<'_>) {
        let unknown = self.target.special().unknown;
        if let Some(score) = scores.first.get_mut(unknown as usize) {
            *score = f32::NEG_INFINITY;
        } else if let Ok(place) = candidates.binary_search(&unknown) {
            scores.own[place] = f32::NEG_INFINITY;
        }
    }
}

/// The state of a batch between steps.
struct FirefoxCache {
    decoding: Decoding,
    work: Workspace,
}

impl Cache for FirefoxCache {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        self.decoding.keep(rows);
        Ok(())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Model for Firefox {
    fn start(&self, batch: &Batch) -> Result<State> {
        let mut work = Workspace::default();
        let lines: Vec<&[TokenId]> = (0..batch.rows()).map(|row| batch.row(row)).collect();
        let decoding = Decoding::new(self.encode_lines(&lines, &mut work), &self.network.config);
        Ok(State {
            first: vec![NO_TOKEN; batch.rows()],
            cache: Box::new(FirefoxCache { decoding, work }),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let FirefoxCache { decoding, work } = state.cache();
        let last: Vec<Option<TokenId>> = last
            .iter()
            .map(|&token| (token != NO_TOKEN).then_some(token))
            .collect();
        let first = self.network.first();
        let candidates: Vec<Arc<[TokenId]>> = decoding
            .lines
            .iter()
            .map(|line| Arc::clone(&line.candidates))
            .collect();
        let columns = first + candidates.iter().map(|own| own.len()).max().unwrap_or(0);
        let mut logits = vec![f32::NEG_INFINITY; last.len() * columns];
        self.network.step(decoding, &last, work, |row, mut scores| {
            self.forbid_unknown(&candidates[row], &mut scores);
            let row = &mut logits[row * columns..(row + 1) * columns];
            row[..first].copy_from_slice(scores.first);
            row[first..first + scores.own.len()].copy_from_slice(scores.own);
        });
        let logits = Tensor::from_vec(logits, (last.len(), columns), &Device::Cpu)?;
        let all = |own: &Arc<[TokenId]>| (0..first as TokenId).chain(own.iter().copied()).collect();
        Ok(Scores {
            logits,
            shortlist: Some(candidates.iter().map(all).collect()),
        })
    }
}
