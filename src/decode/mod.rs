//! Ids in, ids out: batches of rows, the seam to the networks, and searches over it.
//!
//! Knows scores and token ids, nothing of text or of what computes the scores. A row that is
//! finished leaves the batch, so the work shrinks with it; rows never influence each other.

pub(crate) mod batch;
pub(crate) mod beam;
mod constraints;
mod greedy;
mod network;
mod phrases;
mod reduced;
mod repetition;
mod watch;
mod work;

use std::sync::Arc;

pub(crate) use batch::{Batch, TokenId};
pub(crate) use beam::{EarlyStopping, MOST_BEAMS, Search, search};
pub(crate) use constraints::Constraints;
pub(crate) use greedy::greedy;
pub(crate) use network::{Cache, Model, Ranked, Room, Scores, State, scores, with_values};
pub(crate) use watch::Watch;
pub use watch::{Progress, ProgressObserver};
pub(crate) use work::{Row, Work};

/// When decoding of a batch stops, and what it may not say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    /// Most new tokens of each row.
    pub(crate) max_new: Vec<usize>,
    /// Tokens that end a hypothesis; they are not part of it.
    pub(crate) stop: Vec<TokenId>,
    /// A hypothesis ends as [`Finish::Repetition`] once its last tokens are this many copies of
    /// one stretch; 0 for never.
    pub(crate) max_repeats: usize,
    /// For each row, the tokens that are never chosen: true at their ids. Ids beyond the end may be,
    /// and rows beyond the end have none.
    pub(crate) banned: Vec<Option<Arc<[bool]>>>,
    /// For each row how much less likely the tokens of its prompt and of its hypothesis are made, as
    /// in transformers: scores above 0 are divided by it, others multiplied. Rows beyond the end
    /// have 1, which changes nothing.
    pub(crate) penalties: Vec<f32>,
}

/// Why a hypothesis ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The model said so.
    Stop,
    /// It has as many tokens as it may have, whether or not the last of them is an end that must
    /// come there.
    Length,
    /// It went round in a loop; what is repeated was taken off but for one copy.
    Repetition,
}

/// What decoding of one row came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hypothesis {
    /// The new tokens.
    pub(crate) tokens: Vec<TokenId>,
    /// Why there are no more.
    pub(crate) finish: Finish,
}

/// Progress within a batch, reported after each step.
pub(crate) struct Step {
    /// Rows not finished.
    pub(crate) live: usize,
    /// New tokens of all rows.
    pub(crate) tokens: usize,
}
