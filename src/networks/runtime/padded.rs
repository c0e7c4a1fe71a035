//! Padded rectangles of candle tensors, with the products of quantized weights computed on the device.
//!
//! Rows have as many columns as each other; what hides padding, tokens to come and tokens beyond a
//! window is added to the scores of attention.

use std::sync::Arc;

use candle_core::{DType, Tensor};
use candle_nn::rotary_emb::{rope, rope_i};

use super::tensors::{Form, KeyValues, Linear, Matrix, Norm, attend, join_heads, split_heads};
use super::{Attention, HeadNorm, PerReach, RotaryOrder, Runtime};
use crate::decode::TokenId;
use crate::error::Result;
use crate::kernels::{self, Function, Heads};
use crate::networks::decoder::gguf::Gguf;

/// The runtime.
pub(in crate::networks) struct Padded {
    pub(in crate::networks) form: Form,
    /// Whether weights of blocks stay as they are stored; others, and all where they do not, become
    /// floats of the form's type.
    pub(in crate::networks) quantized: bool,
}

/// What all layers of one pass share.
pub(in crate::networks) struct Pass<'a> {
    pub(in crate::networks) rows: usize,
    /// Columns before these tokens.
    pub(in crate::networks) length: usize,
    /// Of each layer.
    pub(in crate::networks) caches: &'a mut [KeyValues],
    pub(in crate::networks) views: PerReach<View>,
}

/// What one kind of layer needs to know of the tokens of a pass.
pub(in crate::networks) struct View {
    /// `(rows, tokens, width / 2)` of a head.
    pub(in crate::networks) cosines: Tensor,
    pub(in crate::networks) sines: Tensor,
    /// What is added to scores: `(rows or 1, 1, tokens or 1, columns)`.
    pub(in crate::networks) mask: Option<Tensor>,
}

impl Padded {
    /// Queries or keys, each head normalized and turned: `(rows, heads, tokens, width)`.
    fn turned(
        xs: &Tensor,
        view: &View,
        order: RotaryOrder,
        norm: Option<(HeadNorm, &Norm)>,
    ) -> Result<Tensor> {
        let normed = |xs: Tensor, place: HeadNorm| match norm {
            Some((found, norm)) if found == place => norm.forward(&xs),
            _ => Ok(xs),
        };
        let xs = normed(xs.clone(), HeadNorm::BeforeRotary)?;
        let xs = match order {
            RotaryOrder::Halves => rope(&xs, &view.cosines, &view.sines)?,
            RotaryOrder::Pairs => rope_i(&xs, &view.cosines, &view.sines)?,
        };
        normed(xs, HeadNorm::AfterRotary)
    }
}

impl Runtime for Padded {
    type Linear = Vec<Linear>;
    type Norm = Norm;
    type Rows = Tensor;
    type Sides = Vec<Tensor>;
    type Pass<'a> = Pass<'a>;

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

    fn embed(&self, matrix: &Vec<Linear>, tokens: &[TokenId], scale: f32) -> Result<Tensor> {
        let tokens = Tensor::from_slice(tokens, tokens.len(), &self.form.device)?;
        let xs = match &matrix[0].matrix {
            Matrix::Float(weights) => weights.index_select(&tokens, 0)?,
            Matrix::Quantized(weights) => weights.embedding(&tokens)?,
        };
        let xs = if scale == 1.0 {
            xs
        } else {
            xs.affine(f64::from(scale), 0.0)?
        };
        Ok(xs.to_dtype(self.form.dtype)?)
    }

    fn normed(&self, norm: &Norm, xs: &Tensor) -> Result<Tensor> {
        norm.forward(xs)
    }

    fn project(&self, linear: &Vec<Linear>, xs: &Tensor) -> Result<Vec<Tensor>> {
        linear.iter().map(|linear| linear.forward(xs)).collect()
    }

    fn single(&self, linear: &Vec<Linear>, xs: &Tensor) -> Result<Tensor> {
        linear[0].forward(xs)
    }

    fn attend(
        &self,
        attention: &Attention<'_, Norm>,
        sides: Vec<Tensor>,
        pass: &mut Pass<'_>,
        layer: usize,
    ) -> Result<Tensor> {
        let Heads {
            queries,
            keys,
            width,
        } = attention.heads;
        let rows = pass.rows;
        let tokens = sides[0].dim(0)? / rows;
        let view = pass.views.of(attention.window);
        let (query_norm, key_norm) = match &attention.norms {
            Some(norms) => (
                Some((norms.place, norms.query)),
                Some((norms.place, norms.key)),
            ),
            None => (None, None),
        };
        let part = |number: usize, heads: usize| split_heads(&sides[number], rows, heads, (0, 1));
        let query = Self::turned(&part(0, queries)?, view, attention.order, query_norm)?;
        let query = query.affine(f64::from(attention.scale), 0.0)?;
        let key = Self::turned(&part(1, keys)?, view, attention.order, key_norm)?;
        let (key, value) = pass.caches[layer].append(&key, &part(2, keys)?, pass.length)?;
        // The queries that share a key head as if they were more tokens of one head.
        let group = queries / keys;
        let query = query.reshape((rows, keys, group * tokens, width))?;
        // (rows, 1, tokens, columns), once for each query of the group
        let mask = match &view.mask {
            Some(mask) if tokens > 1 => {
                let (rows, _, tokens, columns) = mask.dims4()?;
                let shape = (rows, group, tokens, columns);
                Some(
                    mask.broadcast_as(shape)?
                        .reshape((rows, 1, group * tokens, columns))?,
                )
            }
            mask => mask.clone(),
        };
        let out = attend(&query, &key, &value, mask.as_ref())?;
        join_heads(&out.reshape((rows, queries, tokens, width))?)
    }

    fn gate(&self, function: Function, sides: Vec<Tensor>) -> Result<Tensor> {
        let gate = match function {
            Function::Relu => sides[0].relu()?,
            Function::Silu => sides[0].silu()?,
            Function::Gelu => sides[0].gelu_erf()?,
            Function::GeluNew => sides[0].gelu()?,
        };
        Ok((gate * &sides[1])?)
    }

    fn add(&self, xs: Tensor, more: Tensor) -> Result<Tensor> {
        Ok((xs + more)?)
    }

    fn scores(&self, linear: &Vec<Linear>, xs: &Tensor) -> Result<Tensor> {
        Ok(linear[0].forward(xs)?.to_dtype(DType::F32)?)
    }
}
