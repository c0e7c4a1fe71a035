//! What all decoder-only families share: prompts of different lengths in one batch.
//!
//! Rows stand one after another without padding, each token with its position in its own row, so
//! that a batch costs what its tokens cost and equals its rows one by one. The tokens that all
//! prompts of a batch begin with are read once, and the row that holds them is repeated.

use std::any::Any;

use candle_core::Tensor;

use crate::decode::Batch;
use crate::decode::{Cache, Model, Scores, State, TokenId};
use crate::error::Result;
use crate::kernels::KeyValues;

/// Most tokens that are read at once: bounds the memory that activations take.
const CHUNK: usize = 512;

/// Keys and values of one row, a layer each.
pub(crate) type RowCache = Vec<KeyValues>;

/// Consecutive tokens of one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The row they belong to.
    pub(crate) row: usize,
    /// The position of the first in its row.
    pub(crate) position: usize,
    /// How many.
    pub(crate) count: usize,
}

/// The network of a decoder-only family.
pub(crate) trait Decoder: Send + Sync {
    /// How many layers keep keys and values.
    fn layers(&self) -> usize;
    /// Runs tokens, laid out as `spans` say, and appends their keys and values to the rows' caches;
    /// hidden states `(tokens, width)` out.
    fn forward(
        &self,
        tokens: &[TokenId],
        spans: &[Span],
        caches: &mut [RowCache],
    ) -> Result<Tensor>;
    /// Hidden states `(tokens, width)` to logits `(tokens, vocabulary)`.
    fn logits(&self, hidden: &Tensor) -> Result<Tensor>;
}

/// A [`Decoder`] as a [`Model`].
pub(crate) struct DecoderOnly<D>(pub(crate) D);

struct Caches {
    rows: Vec<RowCache>,
    lengths: Vec<usize>,
}

impl Cache for Caches {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        self.rows = rows.iter().map(|&row| self.rows[row].clone()).collect();
        self.lengths = rows.iter().map(|&row| self.lengths[row]).collect();
        Ok(())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl<D: Decoder> DecoderOnly<D> {
    /// Reads tokens `from..to(row)` of every row.
    fn read(
        &self,
        batch: &Batch,
        from: usize,
        caches: &mut Caches,
        rows: std::ops::Range<usize>,
    ) -> Result<()> {
        let mut tokens: Vec<TokenId> = Vec::with_capacity(CHUNK);
        let mut spans: Vec<Span> = Vec::new();
        for row in rows {
            let prompt = batch.row(row);
            let mut position = from;
            while position < prompt.len() - 1 {
                let count = (prompt.len() - 1 - position).min(CHUNK - tokens.len());
                tokens.extend(&prompt[position..position + count]);
                spans.push(Span {
                    row,
                    position,
                    count,
                });
                position += count;
                if tokens.len() == CHUNK {
                    self.0.forward(&tokens, &spans, &mut caches.rows)?;
                    tokens.clear();
                    spans.clear();
                }
            }
            caches.lengths[row] = prompt.len() - 1;
        }
        if !tokens.is_empty() {
            self.0.forward(&tokens, &spans, &mut caches.rows)?;
        }
        Ok(())
    }
}

impl<D: Decoder> Model for DecoderOnly<D> {
    fn start(&self, batch: &Batch) -> Result<State> {
        let rows = batch.rows();
        let shared = if rows > 1 { shared_prefix(batch) } else { 0 };
        let mut caches = Caches {
            rows: vec![vec![KeyValues::default(); self.0.layers()]],
            lengths: vec![0],
        };
        if shared > 0 {
            let prefix = Batch::new(&[&batch.row(0)[..shared + 1]]);
            self.read(&prefix, 0, &mut caches, 0..1)?;
        }
        caches.keep(&vec![0; rows])?;
        self.read(batch, shared, &mut caches, 0..rows)?;
        let first = (0..rows)
            .map(|row| batch.row(row)[batch.lengths[row] - 1])
            .collect();
        Ok(State {
            first,
            cache: Box::new(caches),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let caches: &mut Caches = state.cache();
        let spans: Vec<Span> = caches
            .lengths
            .iter()
            .enumerate()
            .map(|(row, &position)| Span {
                row,
                position,
                count: 1,
            })
            .collect();
        let hidden = self.0.forward(last, &spans, &mut caches.rows)?;
        caches.lengths.iter_mut().for_each(|length| *length += 1);
        Ok(Scores {
            logits: self.0.logits(&hidden)?,
            shortlist: None,
        })
    }
}

/// How many tokens all rows begin with, the last token of each aside.
pub(in crate::networks) fn shared_prefix(batch: &Batch) -> usize {
    let first = batch.row(0);
    let most = batch
        .lengths
        .iter()
        .min()
        .map_or(0, |shortest| shortest - 1);
    (0..most)
        .take_while(|&i| (1..batch.rows()).all(|row| batch.row(row)[i] == first[i]))
        .count()
}
