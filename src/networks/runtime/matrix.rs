//! The pieces that families are built of: projections, norms, activations.
//!
//! Activations are candle tensors of `(tokens, features)` in float32, without padding: rows of a
//! batch stand one after another, and only attention knows where one ends. What a token comes to
//! never depends on which tokens stand beside it.

use candle_core::quantized::{QMatMul, QTensor};
use candle_core::{Device, Module, Tensor};

use crate::decode::with_values;
use crate::error::Result;
use crate::kernels::{self, Activations, PackedMatrix};

/// Several linear layers over the same input, computed as one.
pub(crate) struct Projection {
    weights: Weights,
    bias: Option<Vec<f32>>,
    outputs: usize,
}

enum Weights {
    /// In tiles, for newsml's own products.
    Packed(Vec<PackedMatrix>),
    /// Of a type that the tiles have no format for: candle's product.
    Candle(Vec<QMatMul>),
}

/// One linear layer on its way into a [`Projection`].
pub(crate) enum Linear {
    /// Tiled weights.
    Packed(PackedMatrix),
    /// Weights of another type, `(outputs, inputs)`.
    Candle(QTensor),
}

impl Linear {
    fn outputs(&self) -> usize {
        match self {
            Self::Packed(matrix) => matrix.outputs(),
            Self::Candle(tensor) => tensor.shape().dims()[0],
        }
    }
}

impl Projection {
    /// Joins layers side by side; `bias` has as many values as all outputs together.
    pub(crate) fn new(layers: Vec<Linear>, bias: Option<Vec<f32>>) -> Result<Self> {
        let outputs = layers.iter().map(Linear::outputs).sum();
        let weights = if layers
            .iter()
            .all(|layer| matches!(layer, Linear::Packed(_)))
        {
            Weights::Packed(
                layers
                    .into_iter()
                    .filter_map(|layer| match layer {
                        Linear::Packed(matrix) => Some(matrix),
                        Linear::Candle(_) => None,
                    })
                    .collect(),
            )
        } else {
            let layers = layers.into_iter().map(|layer| match layer {
                Linear::Candle(tensor) => Ok(QMatMul::from_qtensor(tensor)?),
                Linear::Packed(matrix) => Ok(QMatMul::Tensor(dequantize(&matrix)?)),
            });
            Weights::Candle(layers.collect::<Result<_>>()?)
        };
        Ok(Self {
            weights,
            bias,
            outputs,
        })
    }

    /// `(tokens, inputs)` in, `(tokens, outputs)` out.
    pub(crate) fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let (tokens, inputs) = xs.dims2()?;
        let out = match &self.weights {
            Weights::Packed(parts) => {
                let activations =
                    with_values(xs, |values| Activations::new(values, tokens, inputs))?;
                let mut out = vec![0.0; tokens * self.outputs];
                kernels::multiply(parts, &activations, &mut out);
                if let Some(bias) = &self.bias {
                    for row in out.chunks_exact_mut(bias.len()) {
                        row.iter_mut()
                            .zip(bias)
                            .for_each(|(out, bias)| *out += bias);
                    }
                }
                return Ok(Tensor::from_vec(out, (tokens, self.outputs), &Device::Cpu)?);
            }
            Weights::Candle(layers) => {
                let parts = layers
                    .iter()
                    .map(|layer| layer.forward(xs))
                    .collect::<candle_core::Result<Vec<_>>>()?;
                Tensor::cat(&parts, 1)?
            }
        };
        Ok(match &self.bias {
            Some(bias) => out.broadcast_add(&Tensor::new(bias.as_slice(), out.device())?)?,
            None => out,
        })
    }

    /// The weights of one output, for an embedding that shares its matrix with the output layer.
    pub(crate) fn row(&self, output: usize, out: &mut [f32]) -> Result<()> {
        match &self.weights {
            Weights::Packed(parts) => {
                if let Some(matrix) = parts.first() {
                    matrix.dequantize_row(output, out);
                }
                Ok(())
            }
            Weights::Candle(layers) => {
                let Some(layer) = layers.first() else {
                    return Ok(());
                };
                let values = match layer {
                    QMatMul::Tensor(weights) | QMatMul::TensorF16(weights) => {
                        weights.get(output)?.to_dtype(candle_core::DType::F32)?
                    }
                    QMatMul::QTensor(weights) => weights.dequantize(&Device::Cpu)?.get(output)?,
                };
                with_values(&values, |values| out.copy_from_slice(values))
            }
        }
    }
}

fn dequantize(matrix: &PackedMatrix) -> Result<Tensor> {
    let (outputs, inputs) = (matrix.outputs(), matrix.inputs());
    let mut weights = vec![0.0; outputs * inputs];
    for (output, row) in weights.chunks_exact_mut(inputs).enumerate() {
        matrix.dequantize_row(output, row);
    }
    Ok(Tensor::from_vec(weights, (outputs, inputs), &Device::Cpu)?)
}

/// Root-mean-square norm over the features of each token (Zhang and Sennrich, 2019).
pub(crate) struct RmsNorm {
    weight: Vec<f32>,
    epsilon: f32,
}

impl RmsNorm {
    pub(crate) fn new(weight: Vec<f32>, epsilon: f32) -> Self {
        Self { weight, epsilon }
    }

    /// `(tokens, features)` in and out.
    pub(crate) fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let shape = xs.dims2()?;
        let width = self.weight.len();
        let out = with_values(xs, |values| {
            let mut out = vec![0.0; values.len()];
            for (row, out) in values.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                let mut squares = [0f32; 16];
                for chunk in row.chunks(16) {
                    squares
                        .iter_mut()
                        .zip(chunk)
                        .for_each(|(sum, x)| *sum += x * x);
                }
                let mean = squares.iter().sum::<f32>() / width as f32;
                let scale = 1.0 / (mean + self.epsilon).sqrt();
                for ((out, x), weight) in out.iter_mut().zip(row).zip(&self.weight) {
                    *out = x * scale * weight;
                }
            }
            out
        })?;
        Ok(Tensor::from_vec(out, shape, &Device::Cpu)?)
    }
}

/// `silu(gate) × up` for `(tokens, 2 × width)` of gates followed by ups; `(tokens, width)` out.
pub(crate) fn swiglu(xs: &Tensor) -> Result<Tensor> {
    let (tokens, both) = xs.dims2()?;
    let width = both / 2;
    let out = with_values(xs, |values| {
        let mut out = vec![0.0; tokens * width];
        kernels::for_each_row(&mut out, width, |token, out| {
            let (gate, up) = values[token * both..(token + 1) * both].split_at(width);
            kernels::swiglu(gate, up, out);
        });
        out
    })?;
    Ok(Tensor::from_vec(out, (tokens, width), &Device::Cpu)?)
}
