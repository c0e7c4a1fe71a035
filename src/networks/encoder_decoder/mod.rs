//! The network that Marian, M2M100 and T5 have in common; what tells them apart is in their files.
//!
//! Activations are plain float32 rows without padding: the rows of a batch stand one after
//! another, and only attention knows where one ends, so that a row's result never depends on the
//! rows beside it. Keys and values of a source are computed once; those of the target are kept one
//! block a step, and a table says which line of a block belongs to which row, so that reordering
//! rows moves a few numbers instead of the cache.

pub(crate) mod directory;
mod initialized;
pub(crate) mod loader;
mod m2m100;
mod marian;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod parity;
pub(crate) mod settings;
mod t5;
pub(crate) mod tensors;
mod vocabulary;

use std::any::Any;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use self::loader::{Linear, Matrix};
use crate::decode::{Batch, Cache, Model, Ranked, Scores, State, TokenId};
use crate::error::{Error, Result};
use crate::kernels::{
    self, DistanceBias, Function, History, Int8Activations, Norm, Shape, SourceKeyValues, Sums,
    TiledLogits,
};

/// Token embeddings with what is added and multiplied.
pub(crate) struct Embedding {
    /// One output a token; shared with the head in most checkpoints.
    pub(crate) matrix: Arc<Matrix>,
    /// Multiplies the embedding.
    pub(crate) scale: f32,
    /// Added after that.
    pub(crate) positions: Positions,
}

/// What is added to an embedding by its position.
pub(crate) enum Positions {
    /// Nothing: positions are in the attention.
    None,
    /// `(positions, width)`, the line of the first token first.
    Table(Vec<f32>),
}

/// Whether a norm comes before a block or after the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// `x + block(norm(x))`.
    Before,
    /// `norm(x + block(x))`.
    After,
}

/// Attention of tokens over their own row.
pub(crate) struct SelfAttention {
    /// Queries, keys and values.
    pub(crate) qkv: Linear,
    /// From all heads back to the width of the network.
    pub(crate) out: Linear,
    /// Before or after, see [`Placement`].
    pub(crate) norm: Norm,
}

/// Attention of target tokens over the source.
pub(crate) struct CrossAttention {
    /// Queries, from the target.
    pub(crate) q: Linear,
    /// Keys and values, from the source.
    pub(crate) kv: Linear,
    /// From all heads back to the width of the network.
    pub(crate) out: Linear,
    /// Before or after, see [`Placement`].
    pub(crate) norm: Norm,
}

/// Two layers with a function between them.
pub(crate) struct FeedForward {
    /// Into the wide layer; with a gate, both halves of it.
    pub(crate) first: Linear,
    /// Back.
    pub(crate) second: Linear,
    /// The function between.
    pub(crate) function: Function,
    /// Whether the second half of `first` multiplies the function of the first.
    pub(crate) gated: bool,
    /// Before or after, see [`Placement`].
    pub(crate) norm: Norm,
}

/// A layer of the encoder.
pub(crate) struct EncoderLayer {
    /// Over the source.
    pub(crate) attention: SelfAttention,
    /// Token by token.
    pub(crate) feed_forward: FeedForward,
}

/// A layer of the decoder.
pub(crate) struct DecoderLayer {
    /// Over the target so far.
    pub(crate) attention: SelfAttention,
    /// Over the source.
    pub(crate) cross: CrossAttention,
    /// Token by token.
    pub(crate) feed_forward: FeedForward,
}

/// One side of the network.
pub(crate) struct Side<L> {
    /// What it reads.
    pub(crate) embedding: Embedding,
    /// First to last.
    pub(crate) layers: Vec<L>,
    /// After the last layer.
    pub(crate) norm: Option<Norm>,
    /// Heads of all attention in it.
    pub(crate) shape: Shape,
    /// Added to the scores of attention over the own row.
    pub(crate) bias: Option<DistanceBias>,
}

/// A loaded encoder–decoder.
pub(crate) struct EncoderDecoder {
    /// Reads the source.
    pub(crate) encoder: Side<EncoderLayer>,
    /// Writes the target.
    pub(crate) decoder: Side<DecoderLayer>,
    /// From the decoder's states to scores.
    pub(crate) head: Linear,
    /// Multiplies the states before the head.
    pub(crate) head_scale: f32,
    /// Where norms are.
    pub(crate) placement: Placement,
    /// Features of a token.
    pub(crate) width: usize,
    /// What the decoder reads first.
    pub(crate) start: TokenId,
    /// Most source tokens and most target tokens, where positions end.
    pub(crate) limit: Option<usize>,
}

/// What one source comes to for the decoder: keys and values of each layer.
struct Source {
    layers: Vec<SourceKeyValues>,
}

/// The state of decoding.
struct DecoderCache {
    /// One a live row; rows that came of one source share it.
    sources: Vec<Arc<Source>>,
    /// For each layer and position the keys and values of that step: see [`History`].
    blocks: Vec<Vec<Vec<f32>>>,
    /// For each live row and position its line in the block of that position.
    places: Vec<u32>,
    positions: usize,
    scratch: Int8Activations,
}

/// Steps between looks at what no live row needs any more.
const COMPACT_EVERY: usize = 16;

impl Cache for DecoderCache {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        self.sources = rows
            .iter()
            .map(|&row| Arc::clone(&self.sources[row]))
            .collect();
        let positions = self.positions;
        self.places = rows
            .iter()
            .flat_map(|&row| &self.places[row * positions..(row + 1) * positions])
            .copied()
            .collect();
        Ok(())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl DecoderCache {
    fn rows(&self) -> usize {
        self.sources.len()
    }

    /// Makes the table one position longer: the new block has the live rows in order.
    fn extend_places(&mut self) {
        let (rows, positions) = (self.rows(), self.positions);
        let mut places = Vec::with_capacity(rows * (positions + 1));
        for row in 0..rows {
            places.extend_from_slice(&self.places[row * positions..(row + 1) * positions]);
            places.push(row as u32);
        }
        self.places = places;
        self.positions += 1;
    }

    /// Drops lines of blocks that belong to no live row, where they are most of a block.
    fn compact(&mut self, line: usize) {
        let positions = self.positions;
        for position in 0..positions {
            let Some(block) = self.blocks.first().and_then(|blocks| blocks.get(position)) else {
                continue;
            };
            let lines = block.len() / line;
            let mut new_places = vec![u32::MAX; lines];
            let mut kept = Vec::new();
            for row in 0..self.rows() {
                let place = self.places[row * positions + position] as usize;
                if new_places[place] == u32::MAX {
                    new_places[place] = kept.len() as u32;
                    kept.push(place);
                }
            }
            if kept.len() * 2 > lines {
                continue;
            }
            for blocks in &mut self.blocks {
                let block = &mut blocks[position];
                *block = kept
                    .iter()
                    .flat_map(|&place| &block[place * line..(place + 1) * line])
                    .copied()
                    .collect();
            }
            for row in 0..self.rows() {
                let place = &mut self.places[row * positions + position];
                *place = new_places[*place as usize];
            }
        }
    }
}

impl Embedding {
    /// The embeddings of tokens, each with its position.
    fn embed(
        &self,
        tokens: impl Iterator<Item = (TokenId, usize)>,
        width: usize,
    ) -> Result<Vec<f32>> {
        let count = tokens.size_hint().0;
        let mut xs = Vec::with_capacity(count * width);
        for (token, position) in tokens {
            let start = xs.len();
            xs.resize(start + width, 0.0);
            let line = &mut xs[start..];
            if token as usize >= self.matrix.outputs() {
                return Err(Error::Tokenizer(format!(
                    "token {token} is outside of the model's vocabulary of {}",
                    self.matrix.outputs()
                )));
            }
            self.matrix.row(token as usize, line)?;
            if self.scale != 1.0 {
                line.iter_mut().for_each(|x| *x *= self.scale);
            }
            if let Positions::Table(table) = &self.positions {
                let Some(added) = table.get(position * width..(position + 1) * width) else {
                    return Err(candle_core::Error::msg(format!(
                        "position {position} is beyond the {} that the model has",
                        table.len() / width
                    ))
                    .into());
                };
                line.iter_mut()
                    .zip(added)
                    .for_each(|(x, added)| *x += added);
            }
        }
        Ok(xs)
    }
}

impl FeedForward {
    fn forward(&self, xs: &[f32], scratch: &mut Int8Activations) -> Result<Vec<f32>> {
        let mut wide = self.first.forward(xs, scratch)?;
        let outputs = self.first.matrix.outputs();
        if self.gated {
            let mut product = vec![0.0; wide.len() / 2];
            kernels::gate(self.function, &wide, outputs / 2, &mut product);
            wide = product;
        } else {
            kernels::apply_function(self.function, &mut wide, outputs);
        }
        self.second.forward(&wide, scratch)
    }
}

impl EncoderDecoder {
    /// One block with its norm and the sum with what went in.
    fn block(
        &self,
        xs: &mut [f32],
        norm: &Norm,
        block: impl FnOnce(&[f32]) -> Result<Vec<f32>>,
    ) -> Result<()> {
        match self.placement {
            Placement::After => {
                let more = block(xs)?;
                norm.add_apply(xs, &more);
            }
            Placement::Before => {
                let mut normed = vec![0.0; xs.len()];
                norm.apply(xs, &mut normed);
                let more = block(&normed)?;
                xs.iter_mut().zip(more).for_each(|(x, more)| *x += more);
            }
        }
        Ok(())
    }

    /// The states of all source tokens, `(tokens, width)`, rows one after another.
    pub(crate) fn encode(&self, batch: &Batch) -> Result<Vec<f32>> {
        let side = &self.encoder;
        let mut scratch = Int8Activations::default();
        let tokens: Vec<_> = (0..batch.rows())
            .flat_map(|row| batch.row(row).iter().copied().zip(0..))
            .collect();
        let mut xs = side.embedding.embed(tokens.iter().copied(), self.width)?;
        for layer in &side.layers {
            self.block(&mut xs, &layer.attention.norm, |xs| {
                let qkv = layer.attention.qkv.forward(xs, &mut scratch)?;
                let mut out = vec![0.0; qkv.len() / 3];
                kernels::within_rows(
                    side.shape,
                    &qkv,
                    &batch.lengths,
                    side.bias.as_ref(),
                    &mut out,
                );
                layer.attention.out.forward(&out, &mut scratch)
            })?;
            self.block(&mut xs, &layer.feed_forward.norm, |xs| {
                layer.feed_forward.forward(xs, &mut scratch)
            })?;
        }
        if let Some(norm) = &side.norm {
            let copy = xs.clone();
            norm.apply(&copy, &mut xs);
        }
        Ok(xs)
    }
}

impl EncoderDecoder {
    /// The decoder's states after one more token of each row, ready for the head: `(rows, width)`.
    fn decode(&self, cache: &mut DecoderCache, last: &[TokenId]) -> Result<Vec<f32>> {
        let side = &self.decoder;
        let (shape, inner) = (side.shape, side.shape.inner());
        let rows = last.len();
        debug_assert_eq!(rows, cache.rows(), "one token a live row");
        if cache.positions % COMPACT_EVERY == COMPACT_EVERY - 1 {
            cache.compact(2 * inner);
        }
        let position = cache.positions;
        let mut xs = side
            .embedding
            .embed(last.iter().map(|&token| (token, position)), self.width)?;
        cache.extend_places();
        let DecoderCache {
            sources,
            blocks,
            places,
            scratch,
            ..
        } = cache;
        for (number, (layer, blocks)) in side.layers.iter().zip(blocks).enumerate() {
            self.block(&mut xs, &layer.attention.norm, |xs| {
                let qkv = layer.attention.qkv.forward(xs, scratch)?;
                let mut out = vec![0.0; rows * inner];
                let history = History { blocks, places };
                kernels::over_history(shape, &qkv, history, side.bias.as_ref(), &mut out);
                layer.attention.out.forward(&out, scratch)
            })?;
            self.block(&mut xs, &layer.cross.norm, |xs| {
                let queries = layer.cross.q.forward(xs, scratch)?;
                let kv: Vec<_> = sources
                    .iter()
                    .map(|source| &source.layers[number])
                    .collect();
                let mut out = vec![0.0; rows * inner];
                kernels::over_sources(shape, &queries, &kv, &mut out);
                layer.cross.out.forward(&out, scratch)
            })?;
            self.block(&mut xs, &layer.feed_forward.norm, |xs| {
                layer.feed_forward.forward(xs, scratch)
            })?;
        }
        if let Some(norm) = &side.norm {
            let copy = xs.clone();
            norm.apply(&copy, &mut xs);
        }
        if self.head_scale != 1.0 {
            xs.iter_mut().for_each(|x| *x *= self.head_scale);
        }
        Ok(xs)
    }
}

impl Model for EncoderDecoder {
    fn start(&self, batch: &Batch) -> Result<State> {
        let states = self.encode(batch)?;
        let shape = self.decoder.shape;
        let mut scratch = Int8Activations::default();
        let mut sources: Vec<Source> = (0..batch.rows())
            .map(|_| Source {
                layers: Vec::with_capacity(self.decoder.layers.len()),
            })
            .collect();
        for layer in &self.decoder.layers {
            let kv = layer.cross.kv.forward(&states, &mut scratch)?;
            let mut first = 0;
            for (source, &length) in sources.iter_mut().zip(&batch.lengths) {
                let line = 2 * shape.inner();
                source.layers.push(SourceKeyValues::new(
                    shape,
                    &kv[first * line..(first + length) * line],
                ));
                first += length;
            }
        }
        let cache = DecoderCache {
            sources: sources.into_iter().map(Arc::new).collect(),
            blocks: self.decoder.layers.iter().map(|_| Vec::new()).collect(),
            places: Vec::new(),
            positions: 0,
            scratch,
        };
        Ok(State {
            first: vec![self.start; batch.rows()],
            cache: Box::new(cache),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let states = self.decode(state.cache(), last)?;
        let logits = self
            .head
            .forward(&states, &mut Int8Activations::default())?;
        let shape = (last.len(), self.head.matrix.outputs());
        let logits = Tensor::from_vec(logits, shape, &Device::Cpu)?;
        Ok(Scores {
            logits,
            shortlist: None,
        })
    }

    fn step_ranked<'a>(
        &'a self,
        state: &mut State,
        last: &[TokenId],
        sums: Sums,
    ) -> Result<Ranked<'a>> {
        let Matrix::Int8(matrix) = &*self.head.matrix else {
            return Ok(Ranked::Kept(self.step(state, last)?));
        };
        let states = self.decode(state.cache(), last)?;
        let mut activations = Int8Activations::default();
        activations.quantize(&states, self.width);
        let bias = self.head.bias.as_deref();
        Ok(Ranked::Tiled(TiledLogits::new(
            matrix,
            activations,
            bias,
            sums,
        )))
    }
}
