//! Decoding with a network on newsml's own kernels: prompts of different lengths in one batch,
//! without padding.
//!
//! The tokens that all prompts of a batch begin with are read once, and the row that holds them is
//! repeated.

use std::any::Any;

use super::block::Network;
use crate::decode::{Batch, Cache, Model, Scores, State, TokenId};
use crate::error::Result;
use crate::kernels::KeyValues;
use crate::networks::runtime::spans::{Pass, RowCache, Span, Spans};

/// Most tokens that are read at once: bounds the memory that activations take.
const CHUNK: usize = 512;

/// What was read of each row.
struct Rows {
    caches: Vec<RowCache>,
    lengths: Vec<usize>,
}

impl Cache for Rows {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        self.caches = rows.iter().map(|&row| self.caches[row].clone()).collect();
        self.lengths = rows.iter().map(|&row| self.lengths[row]).collect();
        Ok(())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Network<Spans> {
    /// Runs tokens, laid out as `spans` say; hidden states `(tokens, width)` out.
    fn run(&self, tokens: &[TokenId], spans: &[Span], rows: &mut Rows) -> Result<Vec<f32>> {
        let mut pass = Pass::new(spans, &mut rows.caches, &self.plan.rotary());
        self.forward(tokens, &mut pass)
    }

    /// Reads the tokens of these rows from place `from` on, the last of each aside.
    fn read(
        &self,
        batch: &Batch,
        from: usize,
        state: &mut Rows,
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
                    self.run(&tokens, &spans, state)?;
                    tokens.clear();
                    spans.clear();
                }
            }
            state.lengths[row] = prompt.len() - 1;
        }
        if !tokens.is_empty() {
            self.run(&tokens, &spans, state)?;
        }
        Ok(())
    }
}

impl Model for Network<Spans> {
    fn start(&self, batch: &Batch) -> Result<State> {
        let rows = batch.rows();
        let shared = if rows > 1 { batch.shared_prefix() } else { 0 };
        let mut state = Rows {
            caches: vec![vec![KeyValues::default(); self.plan.layers]],
            lengths: vec![0],
        };
        if shared > 0 {
            let prefix = Batch::new(&[&batch.row(0)[..shared + 1]]);
            self.read(&prefix, 0, &mut state, 0..1)?;
        }
        state.keep(&vec![0; rows])?;
        self.read(batch, shared, &mut state, 0..rows)?;
        let last = |row: usize| batch.row(row)[batch.lengths[row] - 1];
        Ok(State {
            first: (0..rows).map(last).collect(),
            cache: Box::new(state),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let state: &mut Rows = state.cache();
        let lengths = state.lengths.iter().enumerate();
        let spans: Vec<Span> = lengths
            .map(|(row, &position)| Span {
                row,
                position,
                count: 1,
            })
            .collect();
        let hidden = self.run(last, &spans, state)?;
        state.lengths.iter_mut().for_each(|length| *length += 1);
        Ok(Scores {
            logits: self.scores(&hidden)?,
            shortlist: None,
        })
    }
}
