//! Marian, M2M100 and T5 as candle tensors, from the same description that the kernels run.
//!
//! Sources are padded to one length and masked. Keys and values of a source are held once, however
//! many rows decode it: rows of one source stand side by side and attend to it together.

use std::any::Any;

use candle_core::{DType, Tensor};

use super::loader;
use crate::decode::{Batch, Cache, Model, Room, Scores, State, TokenId};
use crate::error::Result;
use crate::kernels::{self, DistanceBias, Function, Shape};
use crate::networks::encoder_decoder::{self as described, Placement, Positions};
use crate::networks::runtime::check_tokens;
use crate::networks::runtime::tensors::{
    Form, KeyValues, Linear, Matrix, Norm, attend, join_heads, split_heads,
};

struct Embedding {
    matrix: Tensor,
    scale: f32,
    /// `(positions, width)`.
    positions: Option<Tensor>,
}

struct FeedForward {
    first: Linear,
    second: Linear,
    function: Function,
    gated: bool,
    norm: Norm,
}

struct SelfAttention {
    qkv: Linear,
    out: Linear,
    norm: Norm,
}

struct CrossAttention {
    q: Linear,
    kv: Linear,
    out: Linear,
    norm: Norm,
}

struct EncoderLayer {
    attention: SelfAttention,
    feed_forward: FeedForward,
}

struct DecoderLayer {
    attention: SelfAttention,
    cross: CrossAttention,
    feed_forward: FeedForward,
}

/// The values that are added to scores by distance, `(heads, 2 × limit + 1)`.
struct Distances {
    values: Tensor,
    limit: usize,
}

struct Side<L> {
    embedding: Embedding,
    layers: Vec<L>,
    norm: Option<Norm>,
    shape: Shape,
    bias: Option<Distances>,
}

/// A loaded encoder–decoder.
pub(crate) struct EncoderDecoder {
    encoder: Side<EncoderLayer>,
    decoder: Side<DecoderLayer>,
    head: Linear,
    head_scale: f32,
    /// Tokens that are scored.
    vocabulary: usize,
    placement: Placement,
    width: usize,
    start: TokenId,
    limit: Option<usize>,
    form: Form,
}

/// Makes tensors of the parts of a description.
struct Maker<'a>(&'a Form);

impl Maker<'_> {
    fn matrix(&self, matrix: &loader::Matrix) -> Result<Tensor> {
        let float = match matrix {
            loader::Matrix::Float(weights) => weights.clone(),
            loader::Matrix::Int8(_) => {
                let message = "weights of eight bits cannot be run as tensors";
                return Err(candle_core::Error::msg(message).into());
            }
        };
        Ok(float.to_device(&self.0.device)?.to_dtype(self.0.dtype)?)
    }

    fn linear(&self, linear: &loader::Linear) -> Result<Linear> {
        Ok(Linear {
            matrix: Matrix::Float(self.matrix(&linear.matrix)?),
            bias: linear
                .bias
                .as_ref()
                .map(|bias| self.0.vector(bias))
                .transpose()?,
        })
    }

    fn norm(&self, norm: &kernels::Norm) -> Result<Norm> {
        Norm::new(norm, self.0)
    }

    fn attention(&self, layer: &described::SelfAttention) -> Result<SelfAttention> {
        Ok(SelfAttention {
            qkv: self.linear(&layer.qkv)?,
            out: self.linear(&layer.out)?,
            norm: self.norm(&layer.norm)?,
        })
    }

    fn feed_forward(&self, layer: &described::FeedForward) -> Result<FeedForward> {
        Ok(FeedForward {
            first: self.linear(&layer.first)?,
            second: self.linear(&layer.second)?,
            function: layer.function,
            gated: layer.gated,
            norm: self.norm(&layer.norm)?,
        })
    }

    fn side<A, B>(
        &self,
        side: &described::Side<A>,
        width: usize,
        layer: impl Fn(&A) -> Result<B>,
    ) -> Result<Side<B>> {
        let positions = match &side.embedding.positions {
            Positions::None => None,
            Positions::Table(table) => {
                let shape = (table.len() / width, width);
                let table = Tensor::from_slice(table, shape, &self.0.device)?;
                Some(table.to_dtype(self.0.dtype)?)
            }
        };
        Ok(Side {
            embedding: Embedding {
                matrix: self.matrix(&side.embedding.matrix)?,
                scale: side.embedding.scale,
                positions,
            },
            layers: side.layers.iter().map(layer).collect::<Result<_>>()?,
            norm: side.norm.as_ref().map(|norm| self.norm(norm)).transpose()?,
            shape: side.shape,
            bias: side
                .bias
                .as_ref()
                .map(|bias| self.distances(bias, side.shape))
                .transpose()?,
        })
    }

    fn distances(&self, bias: &DistanceBias, shape: Shape) -> Result<Distances> {
        let line = 2 * bias.limit + 1;
        let values = Tensor::from_slice(&bias.values, (shape.heads, line), &self.0.device)?;
        Ok(Distances {
            values: values.to_dtype(self.0.dtype)?,
            limit: bias.limit,
        })
    }
}

impl Distances {
    /// For each query and each of `keys` tokens what is added, `(1, heads, queries, keys)`.
    fn of(&self, queries: std::ops::Range<usize>, keys: usize) -> Result<Tensor> {
        let limit = self.limit as i64;
        let indices: Vec<u32> = queries
            .clone()
            .flat_map(|query| {
                (0..keys).map(move |key| {
                    let distance = (key as i64 - query as i64).clamp(-limit, limit);
                    (distance + limit) as u32
                })
            })
            .collect();
        let indices = Tensor::from_vec(indices, queries.len() * keys, self.values.device())?;
        let heads = self.values.dim(0)?;
        Ok(self
            .values
            .index_select(&indices, 1)?
            .reshape((1, heads, queries.len(), keys))?)
    }
}

impl Embedding {
    /// Embeds tokens of `rows × tokens` that begin at a position; `(rows × tokens, width)` out.
    fn embed(&self, ids: &[TokenId], rows: usize, position: usize) -> Result<Tensor> {
        let (vocabulary, width) = self.matrix.dims2()?;
        check_tokens(ids, vocabulary)?;
        let tokens = ids.len() / rows;
        let ids = Tensor::from_slice(ids, ids.len(), self.matrix.device())?;
        let mut xs = self.matrix.index_select(&ids, 0)?;
        if self.scale != 1.0 {
            xs = xs.affine(f64::from(self.scale), 0.0)?;
        }
        if let Some(table) = &self.positions {
            let count = table.dim(0)?;
            if position + tokens > count {
                let message = format!(
                    "position {} is beyond the {count} that the model has",
                    position + tokens - 1
                );
                return Err(candle_core::Error::msg(message).into());
            }
            let added = table.narrow(0, position, tokens)?;
            xs = xs
                .reshape((rows, tokens, width))?
                .broadcast_add(&added)?
                .reshape((rows * tokens, width))?;
        }
        Ok(xs)
    }
}

impl FeedForward {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let wide = self.first.forward(xs)?;
        let apply = |xs: &Tensor| match self.function {
            Function::Relu => xs.relu(),
            Function::Silu => xs.silu(),
            Function::Gelu => xs.gelu_erf(),
            Function::GeluNew => xs.gelu(),
        };
        let wide = if self.gated {
            let half = wide.dim(1)? / 2;
            let gate = apply(&wide.narrow(1, 0, half)?.contiguous()?)?;
            gate.mul(&wide.narrow(1, half, half)?)?
        } else {
            apply(&wide)?
        };
        self.second.forward(&wide)
    }
}

impl EncoderDecoder {
    /// Makes the tensors of a network. Matrices that are where `form` wants them are shared with
    /// the description, not copied.
    pub(crate) fn new(network: &described::EncoderDecoder, form: Form) -> Result<Self> {
        let maker = Maker(&form);
        let encoder = maker.side(&network.encoder, network.width, |layer| {
            Ok(EncoderLayer {
                attention: maker.attention(&layer.attention)?,
                feed_forward: maker.feed_forward(&layer.feed_forward)?,
            })
        })?;
        let decoder = maker.side(&network.decoder, network.width, |layer| {
            Ok(DecoderLayer {
                attention: maker.attention(&layer.attention)?,
                cross: CrossAttention {
                    q: maker.linear(&layer.cross.q)?,
                    kv: maker.linear(&layer.cross.kv)?,
                    out: maker.linear(&layer.cross.out)?,
                    norm: maker.norm(&layer.cross.norm)?,
                },
                feed_forward: maker.feed_forward(&layer.feed_forward)?,
            })
        })?;
        let head = maker.linear(&network.head)?;
        form.device.synchronize()?;
        Ok(Self {
            encoder,
            decoder,
            vocabulary: head.outputs()?,
            head,
            head_scale: network.head_scale,
            placement: network.placement,
            width: network.width,
            start: network.start,
            limit: network.limit,
            form,
        })
    }

    /// Most source tokens and most target tokens, where positions end.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// One block with its norm and the sum with what went in.
    fn block(
        &self,
        xs: &Tensor,
        norm: &Norm,
        block: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        match self.placement {
            Placement::After => norm.forward(&(xs + block(xs)?)?),
            Placement::Before => Ok((xs + block(&norm.forward(xs)?)?)?),
        }
    }

    /// What hides the padding of a batch, `(rows, 1, 1, width)`; none where there is no padding.
    fn padding(&self, batch: &Batch) -> Result<Option<Tensor>> {
        if batch.lengths.iter().all(|&length| length == batch.width) {
            return Ok(None);
        }
        let hidden = self.form.masked();
        let values: Vec<f32> = batch
            .lengths
            .iter()
            .flat_map(|&length| {
                (0..batch.width).map(move |place| if place < length { 0.0 } else { hidden })
            })
            .collect();
        let shape = (batch.rows(), 1, 1, batch.width);
        let mask = Tensor::from_vec(values, shape, &self.form.device)?;
        Ok(Some(mask.to_dtype(self.form.dtype)?))
    }

    /// The states of a batch, `(rows × width of the batch, features)`.
    pub(crate) fn encode(&self, batch: &Batch) -> Result<Tensor> {
        let side = &self.encoder;
        let (rows, tokens) = (batch.rows(), batch.width);
        let mut xs = side.embedding.embed(&batch.ids, rows, 0)?;
        let mut added = self.padding(batch)?;
        if let Some(bias) = &side.bias {
            let bias = bias.of(0..tokens, tokens)?;
            added = Some(match added {
                Some(mask) => bias.broadcast_add(&mask)?,
                None => bias,
            });
        }
        let heads = side.shape.heads;
        for layer in &side.layers {
            xs = self.block(&xs, &layer.attention.norm, |xs| {
                let qkv = layer.attention.qkv.forward(xs)?;
                let part = |part| split_heads(&qkv, rows, heads, (part, 3));
                let queries = scaled(&part(0)?, side.shape)?;
                let out = attend(&queries, &part(1)?, &part(2)?, added.as_ref())?;
                layer.attention.out.forward(&join_heads(&out)?)
            })?;
            xs = self.block(&xs, &layer.feed_forward.norm, |xs| {
                layer.feed_forward.forward(xs)
            })?;
        }
        match &side.norm {
            Some(norm) => norm.forward(&xs),
            None => Ok(xs),
        }
    }

    /// Bytes of state that a token of source or target takes, and of activations.
    fn token_bytes(&self) -> usize {
        let inner = self.decoder.shape.inner();
        let state = 2 * inner * self.decoder.layers.len();
        // The widest of what one layer of the encoder holds at a time, scores aside.
        let activations = 16 * self.width;
        (2 * state + activations) * self.form.dtype.size_in_bytes()
    }
}

fn scaled(queries: &Tensor, shape: Shape) -> Result<Tensor> {
    if shape.scale == 1.0 {
        return Ok(queries.clone());
    }
    Ok(queries.affine(f64::from(shape.scale), 0.0)?)
}

/// The state of decoding.
struct DecoderCache {
    /// For each layer keys and values of the sources, `(sources, heads, tokens, width)`.
    cross: Vec<(Tensor, Tensor)>,
    /// What hides the padding of the sources, `(sources, 1, 1, tokens)`.
    padding: Option<Tensor>,
    sources: usize,
    /// The source of each row.
    source_of: Vec<usize>,
    /// For each layer keys and values of what was written.
    written: Vec<KeyValues>,
    positions: usize,
    form: Form,
}

impl DecoderCache {
    /// How many rows each source has, if all have as many and stand in order.
    fn rows_a_source(&self) -> Option<usize> {
        let each = self.source_of.len().checked_div(self.sources)?;
        let in_order = self
            .source_of
            .iter()
            .enumerate()
            .all(|(row, &source)| each > 0 && row / each == source);
        in_order.then_some(each)
    }

    /// Keeps these sources in this order.
    fn keep_sources(&mut self, sources: &[usize]) -> Result<()> {
        let rows = self.form.rows(sources)?;
        for (keys, values) in &mut self.cross {
            *keys = keys.index_select(&rows, 0)?;
            *values = values.index_select(&rows, 0)?;
        }
        if let Some(padding) = &mut self.padding {
            *padding = padding.index_select(&rows, 0)?;
        }
        self.sources = sources.len();
        Ok(())
    }
}

impl Cache for DecoderCache {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        if rows.is_empty() {
            // Nothing is asked of a state without rows.
            self.source_of.clear();
            return Ok(());
        }
        let in_place = rows.len() == self.source_of.len() && rows.iter().copied().eq(0..rows.len());
        self.source_of = rows.iter().map(|&row| self.source_of[row]).collect();
        // Sources that no row needs any more make room, and the rest are numbered anew.
        let mut wanted = self.source_of.clone();
        wanted.dedup();
        if wanted.len() < self.sources && wanted.is_sorted() {
            self.keep_sources(&wanted)?;
            let mut number = 0;
            let mut last = wanted.first().copied();
            for source in &mut self.source_of {
                if last != Some(*source) {
                    last = Some(*source);
                    number += 1;
                }
                *source = number;
            }
        }
        if !in_place {
            let rows = self.form.rows(rows)?;
            for layer in &mut self.written {
                layer.keep(&rows)?;
            }
        }
        Ok(())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Model for EncoderDecoder {
    fn start(&self, batch: &Batch) -> Result<State> {
        let states = self.encode(batch)?;
        let (rows, heads) = (batch.rows(), self.decoder.shape.heads);
        let cross = self.decoder.layers.iter().map(|layer| {
            let kv = layer.cross.kv.forward(&states)?;
            let part = |part| split_heads(&kv, rows, heads, (part, 2));
            Ok((part(0)?, part(1)?))
        });
        let cache = DecoderCache {
            cross: cross.collect::<Result<_>>()?,
            padding: self.padding(batch)?,
            sources: rows,
            source_of: (0..rows).collect(),
            written: self
                .decoder
                .layers
                .iter()
                .map(|_| KeyValues::new())
                .collect(),
            positions: 0,
            form: self.form.clone(),
        };
        Ok(State {
            first: vec![self.start; rows],
            cache: Box::new(cache),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let side = &self.decoder;
        let (rows, heads) = (last.len(), side.shape.heads);
        let cache: &mut DecoderCache = state.cache();
        debug_assert_eq!(rows, cache.source_of.len(), "one token a live row");
        if cache.rows_a_source().is_none() {
            // Rows of one source that do not stand together: from here on each has its own copy.
            let sources = std::mem::replace(&mut cache.source_of, (0..rows).collect());
            cache.keep_sources(&sources)?;
        }
        let each = cache.rows_a_source().unwrap_or(1);
        let (sources, position) = (cache.sources, cache.positions);
        let bias = side
            .bias
            .as_ref()
            .map(|bias| bias.of(position..position + 1, position + 1))
            .transpose()?;
        let mut xs = side.embedding.embed(last, rows, position)?;
        let DecoderCache {
            cross,
            padding,
            written,
            ..
        } = &mut *cache;
        for ((layer, written), (keys, values)) in side.layers.iter().zip(written).zip(cross) {
            xs = self.block(&xs, &layer.attention.norm, |xs| {
                let qkv = layer.attention.qkv.forward(xs)?;
                let part = |part| split_heads(&qkv, rows, heads, (part, 3));
                let (keys, values) = written.append(&part(1)?, &part(2)?, position)?;
                let queries = scaled(&part(0)?, side.shape)?;
                let out = attend(&queries, &keys, &values, bias.as_ref())?;
                layer.attention.out.forward(&join_heads(&out)?)
            })?;
            xs = self.block(&xs, &layer.cross.norm, |xs| {
                let queries = layer.cross.q.forward(xs)?;
                // The rows of a source as if they were tokens of it: (sources, heads, each, width).
                let queries = scaled(&split_heads(&queries, sources, heads, (0, 1))?, side.shape)?;
                debug_assert_eq!(queries.dim(2).ok(), Some(each), "rows of a source");
                let out = attend(&queries, keys, values, padding.as_ref())?;
                layer.cross.out.forward(&join_heads(&out)?)
            })?;
            xs = self.block(&xs, &layer.feed_forward.norm, |xs| {
                layer.feed_forward.forward(xs)
            })?;
        }
        cache.positions += 1;
        if let Some(norm) = &side.norm {
            xs = norm.forward(&xs)?;
        }
        if self.head_scale != 1.0 {
            xs = xs.affine(f64::from(self.head_scale), 0.0)?;
        }
        Ok(Scores {
            logits: self.head.forward(&xs)?.to_dtype(DType::F32)?,
            shortlist: None,
        })
    }

    fn reduces_scores(&self) -> bool {
        true
    }

    fn room(&self) -> Room {
        self.form.room(self.token_bytes(), self.vocabulary)
    }
}
