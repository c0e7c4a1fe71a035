//! The seam between decoding and networks: [`Model`], [`State`] and what passes between them.
//!
//! A network turns a padded [`Batch`] into a [`State`], and then each call of [`Model::step`] turns
//! one token a row into scores for the next. Everything that changes while decoding lives in the
//! state, so one loaded network serves any number of threads.

use std::any::Any;
use std::sync::Arc;

use candle_core::{CpuStorage, Storage, Tensor};

use super::batch::{Batch, TokenId};
use crate::error::Result;
use crate::kernels::{Sums, TiledLogits};

/// A loaded network. Immutable: everything that changes while decoding lives in [`State`].
pub(crate) trait Model: Send + Sync {
    /// Reads a padded batch once: the encoder pass, or the prefill of prompts.
    ///
    /// A decoder-only family leaves the last prompt token of each row unread: it is what the
    /// first [`Model::step`] is given. An encoder–decoder is given its decoder start token there.
    /// Both are in [`State::first`].
    fn start(&self, batch: &Batch) -> Result<State>;

    /// One token for each live row in, scores for the next token of each out.
    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores>;

    /// As [`Model::step`], for a search that wants only the best of the scores, which a family may
    /// find without keeping the others.
    fn step_ranked<'a>(
        &'a self,
        state: &mut State,
        last: &[TokenId],
        _sums: Sums,
    ) -> Result<Ranked<'a>> {
        Ok(Ranked::Kept(self.step(state, last)?))
    }

    /// Whether scores are on a device, to be reduced there to what decoding needs of them.
    fn reduces_scores(&self) -> bool {
        false
    }

    /// How much a batch may hold; may change with the memory that is free.
    fn room(&self) -> Room {
        Room::default()
    }
}

/// Scores of the next token, of which the best are asked for.
pub(crate) enum Ranked<'a> {
    /// All of them.
    Kept(Scores),
    /// Computed again where they are asked for.
    Tiled(TiledLogits<'a>),
}

/// How much a batch may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Most rows.
    pub(crate) rows: usize,
    /// Most tokens, padding and expected answers counted.
    pub(crate) tokens: usize,
}

impl Default for Room {
    /// What suits the processor, where a step takes as much longer as it does more.
    fn default() -> Self {
        Self {
            rows: 64,
            tokens: 8192,
        }
    }
}

/// Scores of the next token, unnormalized.
pub(crate) struct Scores {
    /// `(rows, columns)`, float32. Column j is token j, unless there is a shortlist.
    pub(crate) logits: Tensor,
    /// Where the output was restricted: for each row the tokens that its columns stand for. Rows
    /// with fewer tokens than columns have −∞ in the columns left over.
    pub(crate) shortlist: Option<Vec<Arc<[TokenId]>>>,
}

/// The part of a state that only its family understands: caches, masks, positions.
pub(crate) trait Cache: Any + Send {
    /// Keeps these rows in this order; a row may be named more than once, or not at all.
    fn keep(&mut self, rows: &[usize]) -> Result<()>;
    /// For the family to get at its own type.
    fn as_any(&mut self) -> &mut dyn Any;
}

/// What decoding of one batch has come to: one entry a live row.
pub(crate) struct State {
    /// The tokens to give to the first step, one a row.
    pub(crate) first: Vec<TokenId>,
    /// The family's own part.
    pub(crate) cache: Box<dyn Cache>,
}

impl State {
    /// Keeps these rows in this order: beam reordering, dropping finished rows and repeating a
    /// row are this one operation.
    pub(crate) fn keep(&mut self, rows: &[usize]) -> Result<()> {
        self.first = rows.iter().map(|&row| self.first[row]).collect();
        self.cache.keep(rows)
    }

    /// The family's own part as its type. A state only ever meets the family that made it.
    #[expect(
        clippy::expect_used,
        reason = "a state never leaves the family that made it"
    )]
    pub(crate) fn cache<C: Cache>(&mut self) -> &mut C {
        self.cache
            .as_any()
            .downcast_mut()
            .expect("a state of another family: this is a bug")
    }
}

/// The scores of every token after a row and after each token of `target` that follows it: a line of
/// scores for each, one more than `target` has tokens.
pub(crate) fn scores(
    model: &dyn Model,
    row: &[TokenId],
    target: &[TokenId],
) -> Result<Vec<Vec<f32>>> {
    let mut state = model.start(&Batch::new(&[row]))?;
    let mut last = state.first.clone();
    let mut all = Vec::with_capacity(target.len() + 1);
    for place in 0..=target.len() {
        let scores = model.step(&mut state, &last)?;
        all.push(scores.logits.flatten_all()?.to_vec1()?);
        last = target.get(place).copied().into_iter().collect();
    }
    Ok(all)
}

/// Calls `read` with the values of a contiguous float32 tensor on the CPU.
pub(crate) fn with_values<T>(xs: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = xs.storage_and_layout();
    let values = match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) => &values[start..end],
        _ => {
            return Err(
                candle_core::Error::msg("expected contiguous float32 values on the CPU").into(),
            );
        }
    };
    Ok(read(values))
}
