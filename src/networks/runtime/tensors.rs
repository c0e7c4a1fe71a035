//! Networks as candle tensors, for graphics cards: the pieces that all families there are built of.
//!
//! The families' files describe a network once; here is the second way to run it. Batches are
//! padded rectangles with masks, weights and states stay on the device, and so do scores, of which
//! decoding reads only what it needs. Sums in norms and softmax are float32 whatever the weights are.

use std::sync::Arc;

use candle_core::quantized::{QMatMul, QTensor};
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::ops;

use crate::decode::Room;
use crate::device;
use crate::error::Result;
use crate::kernels;

/// Where tensors lie and which type they have.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// Where.
    pub(crate) device: Device,
    /// Of activations, and of weights that are not quantized.
    pub(crate) dtype: DType,
}

impl Form {
    /// Float32 on the processor.
    pub(crate) fn cpu() -> Self {
        Self {
            device: Device::Cpu,
            dtype: DType::F32,
        }
    }

    pub(in crate::networks) fn vector(&self, values: &[f32]) -> Result<Tensor> {
        Ok(Tensor::from_slice(values, values.len(), &self.device)?.to_dtype(self.dtype)?)
    }

    /// What is added to a score so that its token has no share. Not −∞: in a row of which all
    /// tokens are masked, as those of padding are, it would give no number.
    pub(in crate::networks) fn masked(&self) -> f32 {
        // The sum of two must be a number still.
        if self.dtype == DType::F16 { -3e4 } else { -1e9 }
    }

    /// Row numbers as a tensor that selects rows.
    pub(in crate::networks) fn rows(&self, rows: &[usize]) -> Result<Tensor> {
        let rows: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
        Ok(Tensor::from_slice(&rows, rows.len(), &self.device)?)
    }

    /// How much a batch may hold on this device, if a token of it takes `bytes` in the state and in
    /// activations together, and scores are of `vocabulary` tokens.
    pub(in crate::networks) fn room(&self, bytes: usize, vocabulary: usize) -> Room {
        let free = device::memory(&self.device).map_or(2 * UNKNOWN_MEMORY, |(free, _)| free);
        room_in(free, bytes, vocabulary)
    }
}

/// How much a batch may hold in so much memory; see [`Form::room`].
fn room_in(free: usize, bytes: usize, vocabulary: usize) -> Room {
    // The scores of each hypothesis as they are computed, as float32, and as a copy to search in.
    let row = HYPOTHESES * vocabulary.max(1) * (2 + 4 + 4);
    Room {
        rows: (free / 4 / row).clamp(1, 512),
        // A share stays free: states are copied when rows leave, and memory falls into pieces.
        tokens: (free / 2 / bytes.max(1)).clamp(1024, 1 << 17),
    }
}

/// Hypotheses of a row that scores are reckoned for: what published checkpoints ask for.
const HYPOTHESES: usize = 4;

/// Bytes that batches may take where a device does not tell how much is free: little for a card.
const UNKNOWN_MEMORY: usize = 1 << 30;

/// A norm over the features of each token.
pub(crate) struct Norm {
    weight: Tensor,
    /// Without it the mean is not taken off either (RMS norm).
    bias: Option<Tensor>,
    epsilon: f32,
}

impl Norm {
    pub(in crate::networks) fn new(norm: &kernels::Norm, form: &Form) -> Result<Self> {
        Ok(Self {
            weight: form.vector(&norm.weight)?,
            bias: norm
                .bias
                .as_ref()
                .map(|bias| form.vector(bias))
                .transpose()?,
            epsilon: norm.epsilon,
        })
    }

    pub(in crate::networks) fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(match &self.bias {
            Some(bias) => ops::layer_norm(xs, &self.weight, bias, self.epsilon)?,
            None => ops::rms_norm(xs, &self.weight, self.epsilon)?,
        })
    }
}

/// A matrix of `(outputs, inputs)`.
#[derive(Clone)]
pub(in crate::networks) enum Matrix {
    Float(Tensor),
    /// Of blocks: what is stored as floats would be made floats anew, on the host, at each product.
    Quantized(Arc<QTensor>),
}

/// A linear layer.
pub(crate) struct Linear {
    pub(in crate::networks) matrix: Matrix,
    pub(in crate::networks) bias: Option<Tensor>,
}

impl Linear {
    /// Features that come out.
    pub(in crate::networks) fn outputs(&self) -> Result<usize> {
        Ok(match &self.matrix {
            Matrix::Float(weights) => weights.dim(0)?,
            Matrix::Quantized(weights) => weights.shape().dims2()?.0,
        })
    }

    /// `(tokens, inputs)` in, `(tokens, outputs)` out.
    pub(in crate::networks) fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let out = match &self.matrix {
            Matrix::Float(weights) => xs.matmul(&weights.t()?)?,
            Matrix::Quantized(weights) => QMatMul::from_arc(Arc::clone(weights))?.forward(xs)?,
        };
        Ok(match &self.bias {
            Some(bias) => out.broadcast_add(bias)?,
            None => out,
        })
    }
}

/// The keys or values of the rows of a batch, as far as they are read: `(rows, heads, tokens, width)`.
pub(in crate::networks) struct Growing {
    /// Room for more tokens than there are.
    buffer: Option<Tensor>,
}

impl Growing {
    /// Adds tokens after the first `length`, and returns all of them.
    pub(in crate::networks) fn append(&mut self, more: &Tensor, length: usize) -> Result<Tensor> {
        let (rows, heads, count, width) = more.dims4()?;
        let needed = length + count;
        let room = match &self.buffer {
            Some(buffer) => buffer.dim(2)?,
            None => 0,
        };
        if needed > room {
            // Twice as much as there is: a batch of any length is copied only a few times.
            let capacity = needed.max(2 * room).max(16);
            let grown = Tensor::zeros((rows, heads, capacity, width), more.dtype(), more.device())?;
            if let Some(buffer) = &self.buffer {
                grown.slice_set(buffer, 2, 0)?;
            }
            self.buffer = Some(grown);
        }
        let Some(buffer) = &self.buffer else {
            return Ok(more.clone());
        };
        buffer.slice_set(&more.contiguous()?, 2, length)?;
        Ok(buffer.narrow(2, 0, needed)?)
    }

    /// Keeps these rows in this order.
    pub(in crate::networks) fn keep(&mut self, rows: &Tensor) -> Result<()> {
        if let Some(buffer) = &self.buffer {
            self.buffer = Some(buffer.index_select(rows, 0)?);
        }
        Ok(())
    }
}

/// Keys and values of one layer.
pub(in crate::networks) struct KeyValues {
    keys: Growing,
    values: Growing,
}

impl KeyValues {
    pub(in crate::networks) fn new() -> Self {
        Self {
            keys: Growing { buffer: None },
            values: Growing { buffer: None },
        }
    }

    pub(in crate::networks) fn append(
        &mut self,
        keys: &Tensor,
        values: &Tensor,
        length: usize,
    ) -> Result<(Tensor, Tensor)> {
        Ok((
            self.keys.append(keys, length)?,
            self.values.append(values, length)?,
        ))
    }

    pub(in crate::networks) fn keep(&mut self, rows: &Tensor) -> Result<()> {
        self.keys.keep(rows)?;
        self.values.keep(rows)
    }
}

/// Attention: queries `(rows, heads, queries, width)`, already scaled, over keys and values
/// `(rows, heads, tokens, width)`; what `added` holds, one of which a dimension may be 1, is added
/// to the scores. `(rows, heads, queries, width)` out.
pub(in crate::networks) fn attend(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    added: Option<&Tensor>,
) -> Result<Tensor> {
    let scores = queries.matmul(&keys.t()?)?;
    let scores = match added {
        Some(added) => scores.broadcast_add(added)?,
        None => scores,
    };
    Ok(ops::softmax_last_dim(&scores)?.matmul(values)?)
}

/// One of `parts` that stand side by side in `(rows × tokens, parts × heads × width)`, as
/// `(rows, heads, tokens, width)`.
pub(in crate::networks) fn split_heads(
    xs: &Tensor,
    rows: usize,
    heads: usize,
    (part, parts): (usize, usize),
) -> Result<Tensor> {
    let (all, features) = xs.dims2()?;
    let shape = (rows, all / rows, parts, heads, features / parts / heads);
    let part = xs.reshape(shape)?.narrow(2, part, 1)?.squeeze(2)?;
    Ok(part.transpose(1, 2)?.contiguous()?)
}

/// `(rows, heads, tokens, width)` to `(rows × tokens, heads × width)`.
pub(in crate::networks) fn join_heads(xs: &Tensor) -> Result<Tensor> {
    let (rows, heads, tokens, width) = xs.dims4()?;
    let xs = if tokens == 1 {
        xs.clone()
    } else {
        xs.transpose(1, 2)?
    };
    Ok(xs.reshape((rows * tokens, heads * width))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_vocabularies_make_batches_of_fewer_rows() {
        let gib = 1 << 30;
        // An opus-mt has room for as many rows as there may be, an NLLB on a small card has not.
        assert_eq!(room_in(40 * gib, 100_000, 60_000).rows, 512);
        let small = room_in(4 * gib, 100_000, 256_206);
        let scores = small.rows * 4 * 256_206 * 10;
        assert!(scores <= gib && scores > gib / 2, "{small:?}");
        assert_eq!(small.tokens, 2 * gib / 100_000);
        assert_eq!(room_in(0, 100_000, 256_206).rows, 1);
    }
}
