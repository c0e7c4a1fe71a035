//! Qwen2 as candle tensors, with the products of quantized weights computed on the device.
//!
//! The tokens that all prompts begin with are read once. What follows them is padded on the left,
//! so that every row writes its next token in the same column; padding is masked, and the position
//! of a token is its place in its own row.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Tensor};
use candle_nn::rotary_emb::rope;

use super::tensors::{
    Form, KeyValues, Linear, Matrix, Norm, attend, check_tokens, join_heads, split_heads,
};
use crate::decode::Batch;
use crate::decode::{Cache, Model, Room, Scores, State, TokenId};
use crate::error::Result;
use crate::kernels::{self, Heads};
use crate::networks::decoder::gguf::Gguf;
use crate::networks::decoder::qwen::{Layer, Maker, Parts};
use crate::networks::runtime::spans::shared_prefix;

/// Most tokens that are read at once, all rows together: bounds the memory of activations.
const CHUNK: usize = 8192;
/// Most of one row, since scores grow with its square.
const LONGEST_CHUNK: usize = 512;
/// Positions that the table of rotary embeddings has at most.
const POSITIONS: usize = 1 << 17;

/// Makes pieces that are tensors.
struct Tensors {
    form: Form,
    /// Whether weights of blocks stay as they are stored; others, and all where they do not, become
    /// floats of the form's type.
    quantized: bool,
}

impl Maker for Tensors {
    type Linear = Vec<Linear>;
    type Norm = Norm;

    fn linear(
        &self,
        gguf: &mut Gguf,
        layers: &[(String, usize)],
        inputs: usize,
        bias: Option<Vec<f32>>,
    ) -> Result<Vec<Linear>> {
        let mut first = 0;
        layers
            .iter()
            .map(|(name, outputs)| {
                let weights = gguf.quantized(name, *outputs, inputs, &self.form.device)?;
                let matrix = if self.quantized && weights.dtype().block_size() > 1 {
                    Matrix::Quantized(Arc::new(weights))
                } else {
                    let weights = weights.dequantize(&self.form.device)?;
                    Matrix::Float(weights.to_dtype(self.form.dtype)?)
                };
                let bias = bias
                    .as_ref()
                    .map(|bias| self.form.vector(&bias[first..first + outputs]))
                    .transpose()?;
                first += outputs;
                Ok(Linear { matrix, bias })
            })
            .collect()
    }

    fn norm(&self, weight: Vec<f32>, epsilon: f32) -> Result<Norm> {
        let norm = kernels::Norm {
            weight,
            bias: None,
            epsilon,
        };
        Norm::new(&norm, &self.form)
    }
}

/// A loaded Qwen2 network.
pub(crate) struct Qwen {
    parts: Parts<Tensors>,
    /// `(positions, width / 2)` of a head.
    cosines: Tensor,
    sines: Tensor,
    form: Form,
}

/// What all layers need to know of the tokens in one pass.
struct Pass<'a> {
    heads: Heads,
    rows: usize,
    /// Columns before these tokens.
    length: usize,
    /// `(rows, tokens, width / 2)`.
    cosines: Tensor,
    sines: Tensor,
    /// What hides padding and tokens to come.
    mask: Option<&'a Tensor>,
}

impl Pass<'_> {
    fn attend(&self, layer: &Layer<Tensors>, xs: &Tensor, cache: &mut KeyValues) -> Result<Tensor> {
        let Heads {
            queries,
            keys,
            width,
        } = self.heads;
        let part = |number: usize, heads: usize| {
            let out = layer.query_key_value[number].forward(xs)?;
            split_heads(&out, self.rows, heads, (0, 1))
        };
        let tokens = xs.dim(0)? / self.rows;
        let query = rope(&part(0, queries)?, &self.cosines, &self.sines)?;
        let query = query.affine(1.0 / (width as f64).sqrt(), 0.0)?;
        let key = rope(&part(1, keys)?, &self.cosines, &self.sines)?;
        let (key, value) = cache.append(&key, &part(2, keys)?, self.length)?;
        // The queries that share a key head as if they were more tokens of one head.
        let group = queries / keys;
        let query = query.reshape((self.rows, keys, group * tokens, width))?;
        // (rows, 1, tokens, columns), once for each query of the group
        let mask = match self.mask {
            Some(mask) if tokens > 1 => {
                let (rows, _, tokens, columns) = mask.dims4()?;
                let shape = (rows, group, tokens, columns);
                Some(
                    mask.broadcast_as(shape)?
                        .reshape((rows, 1, group * tokens, columns))?,
                )
            }
            mask => mask.cloned(),
        };
        let out = attend(&query, &key, &value, mask.as_ref())?;
        let out = out.reshape((self.rows, queries, tokens, width))?;
        single(&layer.attention_output, &join_heads(&out)?)
    }
}

/// A layer that is one product.
fn single(layers: &[Linear], xs: &Tensor) -> Result<Tensor> {
    layers[0].forward(xs)
}

/// The state of decoding.
struct Columns {
    layers: Vec<KeyValues>,
    /// Columns that are filled.
    length: usize,
    /// Columns that all rows have in common.
    shared: usize,
    /// For each row, how many columns after the common ones are padding.
    padding: Vec<usize>,
    /// What hides the padding, `(rows, 1, 1, columns)`, for more columns than there are.
    mask: Option<Tensor>,
    form: Form,
}

impl Columns {
    /// The positions of tokens in these columns, row after row; padding counts as position 0.
    fn positions(&self, columns: &Range<usize>) -> Vec<u32> {
        self.padding
            .iter()
            .flat_map(|padding| {
                columns
                    .clone()
                    .map(move |column| column.saturating_sub(*padding) as u32)
            })
            .collect()
    }

    /// What hides the padding in the first `columns` columns.
    fn mask(&mut self, columns: usize) -> Result<Option<Tensor>> {
        if self.padding.iter().all(|&padding| padding == 0) {
            return Ok(None);
        }
        let known = match &self.mask {
            Some(mask) => mask.dim(3)?,
            None => 0,
        };
        if known < columns {
            let all = columns.max(2 * known).max(64);
            let hidden = self.form.masked();
            let values: Vec<f32> = self
                .padding
                .iter()
                .flat_map(|padding| {
                    let padded = self.shared..self.shared + padding;
                    (0..all).map(move |column| {
                        if padded.contains(&column) {
                            hidden
                        } else {
                            0.0
                        }
                    })
                })
                .collect();
            let shape = (self.padding.len(), 1, 1, all);
            let mask = Tensor::from_vec(values, shape, &self.form.device)?;
            self.mask = Some(mask.to_dtype(self.form.dtype)?);
        }
        Ok(self
            .mask
            .as_ref()
            .map(|mask| mask.narrow(3, 0, columns)?.contiguous())
            .transpose()?)
    }

    /// What hides the tokens to come from each of `count` tokens, `(1, 1, count, columns)`.
    fn causal(&self, count: usize) -> Result<Tensor> {
        let (hidden, length) = (self.form.masked(), self.length);
        let columns = length + count;
        let values: Vec<f32> = (0..count)
            .flat_map(|token| {
                (0..columns).map(move |column| if column > length + token { hidden } else { 0.0 })
            })
            .collect();
        let mask = Tensor::from_vec(values, (1, 1, count, columns), &self.form.device)?;
        Ok(mask.to_dtype(self.form.dtype)?)
    }
}

impl Cache for Columns {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        let in_place = rows.len() == self.padding.len() && rows.iter().copied().eq(0..rows.len());
        self.padding = rows.iter().map(|&row| self.padding[row]).collect();
        if rows.is_empty() || in_place {
            return Ok(());
        }
        self.mask = None;
        let rows = self.form.rows(rows)?;
        self.layers
            .iter_mut()
            .try_for_each(|layer| layer.keep(&rows))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Qwen {
    /// Loads the network of a file whose architecture is `qwen2`, with weights as they are stored
    /// or, where that is not wanted, as floats. `progress` is called with the number of layers
    /// loaded and the number of all.
    pub(crate) fn load(
        gguf: &mut Gguf,
        form: Form,
        quantized: bool,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let maker = Tensors { form, quantized };
        let parts = Parts::load(&maker, gguf, progress)?;
        let form = maker.form;
        let half = parts.config.heads.width / 2;
        let rates: Vec<f32> = (0..half)
            .map(|i| parts.config.rope_base.powf(i as f32 / half as f32))
            .collect();
        let positions = parts.config.context.clamp(1, POSITIONS);
        let angles: Vec<f32> = (0..positions)
            .flat_map(|position| rates.iter().map(move |rate| position as f32 / rate))
            .collect();
        let table = |of: fn(f32) -> f32| -> Result<Tensor> {
            let values: Vec<f32> = angles.iter().map(|&angle| of(angle)).collect();
            let table = Tensor::from_vec(values, (positions, half), &form.device)?;
            Ok(table.to_dtype(form.dtype)?)
        };
        let (cosines, sines) = (table(f32::cos)?, table(f32::sin)?);
        form.device.synchronize()?;
        Ok(Self {
            parts,
            cosines,
            sines,
            form,
        })
    }

    /// Most tokens that a prompt and its continuation may have together.
    pub(crate) fn context(&self) -> usize {
        self.parts.config.context.min(POSITIONS)
    }

    fn embed(&self, ids: &[TokenId]) -> Result<Tensor> {
        check_tokens(ids, self.parts.config.vocabulary)?;
        let layers = self.parts.embedding.as_ref().unwrap_or(&self.parts.output);
        let ids = Tensor::from_slice(ids, ids.len(), &self.form.device)?;
        let xs = match &layers[0].matrix {
            Matrix::Float(weights) => weights.index_select(&ids, 0)?,
            Matrix::Quantized(weights) => weights.embedding(&ids)?,
        };
        Ok(xs.to_dtype(self.form.dtype)?)
    }

    /// Runs tokens of `rows × tokens`, one column after another, and adds them to the state; hidden
    /// states `(rows × tokens, features)` out.
    fn forward(&self, ids: &[TokenId], state: &mut Columns) -> Result<Tensor> {
        let rows = state.padding.len();
        let tokens = ids.len() / rows;
        let columns = state.length..state.length + tokens;
        if columns.end > self.cosines.dim(0)? + state.padding.iter().copied().min().unwrap_or(0) {
            let message = format!("the model has {} positions", self.context());
            return Err(candle_core::Error::msg(message).into());
        }
        let mut xs = self.embed(ids)?;
        let positions = state.positions(&columns);
        let positions = Tensor::from_vec(positions, rows * tokens, &self.form.device)?;
        let half = self.cosines.dim(1)?;
        let table = |table: &Tensor| -> Result<Tensor> {
            Ok(table
                .index_select(&positions, 0)?
                .reshape((rows, tokens, half))?)
        };
        let padding = state.mask(columns.end)?;
        let mask = if tokens > 1 {
            let causal = state.causal(tokens)?;
            Some(match padding {
                Some(padding) => causal.broadcast_add(&padding)?,
                None => causal,
            })
        } else {
            padding
        };
        let pass = Pass {
            heads: self.parts.config.heads,
            rows,
            length: state.length,
            cosines: table(&self.cosines)?,
            sines: table(&self.sines)?,
            mask: mask.as_ref(),
        };
        for (layer, cache) in self.parts.layers.iter().zip(&mut state.layers) {
            let normed = layer.attention_norm.forward(&xs)?;
            xs = (xs + pass.attend(layer, &normed, cache)?)?;
            let normed = layer.feed_forward_norm.forward(&xs)?;
            let gate = layer.gate_up[0].forward(&normed)?.silu()?;
            let inner = (gate * layer.gate_up[1].forward(&normed)?)?;
            xs = (xs + single(&layer.down, &inner)?)?;
        }
        state.length = columns.end;
        Ok(xs)
    }
}

impl Model for Qwen {
    fn start(&self, batch: &Batch) -> Result<State> {
        let rows = batch.rows();
        let shared = if rows > 1 { shared_prefix(batch) } else { 0 };
        let mut state = Columns {
            layers: self.parts.layers.iter().map(|_| KeyValues::new()).collect(),
            length: 0,
            shared,
            padding: vec![0],
            mask: None,
            form: self.form.clone(),
        };
        for chunk in batch.row(0)[..shared].chunks(LONGEST_CHUNK) {
            self.forward(chunk, &mut state)?;
        }
        state.keep(&vec![0; rows])?;
        // The last token of each prompt is what the first step is given.
        let width = batch.width - 1 - shared;
        state.padding = batch
            .lengths
            .iter()
            .map(|length| batch.width - length)
            .collect();
        let chunk = (CHUNK / rows).clamp(1, LONGEST_CHUNK);
        for from in (0..width).step_by(chunk) {
            let to = (from + chunk).min(width);
            let mut ids = Vec::with_capacity(rows * (to - from));
            for (row, &padding) in state.padding.iter().enumerate() {
                let tail = &batch.row(row)[shared..];
                let token =
                    |column: usize| column.checked_sub(padding).map_or(0, |place| tail[place]);
                ids.extend((from..to).map(token));
            }
            self.forward(&ids, &mut state)?;
        }
        let last = |row: usize| batch.row(row)[batch.lengths[row] - 1];
        Ok(State {
            first: (0..rows).map(last).collect(),
            cache: Box::new(state),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let state: &mut Columns = state.cache();
        debug_assert_eq!(last.len(), state.padding.len(), "one token a live row");
        let hidden = self.parts.norm.forward(&self.forward(last, state)?)?;
        Ok(Scores {
            logits: single(&self.parts.output, &hidden)?.to_dtype(DType::F32)?,
            shortlist: None,
        })
    }

    fn reduces_scores(&self) -> bool {
        true
    }

    fn room(&self) -> Room {
        let config = &self.parts.config;
        let state = 2 * config.heads.keys * config.heads.width * config.layers;
        // What one layer holds of the tokens that are read at once is bounded by the chunk.
        let bytes = (2 * state + config.hidden) * self.form.dtype.size_in_bytes();
        self.form.room(bytes, config.vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn only_weights_of_blocks_stay_as_they_are_stored() -> Result<()> {
        for (variant, of_blocks) in [("f32", false), ("q8_0", true)] {
            let path = format!("tests/fixtures/qwen2-{variant}.gguf");
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
            let network = Qwen::load(&mut Gguf::open(&path)?, Form::cpu(), true, &mut |_, _| {})?;
            for layer in &network.parts.layers {
                let all = [
                    &layer.query_key_value,
                    &layer.attention_output,
                    &layer.gate_up,
                    &layer.down,
                ];
                for linear in all.into_iter().flatten() {
                    let is_quantized = matches!(linear.matrix, Matrix::Quantized(_));
                    assert_eq!(is_quantized, of_blocks, "{variant}");
                }
            }
        }
        Ok(())
    }
}
