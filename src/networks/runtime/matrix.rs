//! Linear layers of a GGUF file on the processor.

use std::borrow::Cow;

use candle_core::quantized::{QMatMul, QStorage, QTensor};
use candle_core::{DType, Device, Module, Tensor};

use crate::decode::with_values;
use crate::error::Result;
use crate::kernels::{self, Activations, Grain, PackedMatrix};

/// Weights of `(outputs, inputs)`.
pub(crate) enum Matrix {
    /// In tiles, for newsml's own products.
    Tiled(PackedMatrix),
    /// Of a type that the tiles have no format for: candle's product.
    Other(Other),
}

/// Weights as candle multiplies them.
pub(crate) struct Other {
    product: QMatMul,
    outputs: usize,
    inputs: usize,
}

impl Other {
    /// Weights as they are stored, `(outputs, inputs)`.
    pub(crate) fn new(tensor: QTensor) -> Result<Self> {
        let (outputs, inputs) = tensor.shape().dims2()?;
        Ok(Self {
            product: QMatMul::from_qtensor(tensor)?,
            outputs,
            inputs,
        })
    }

    /// The weights of one output, read without the others.
    fn row(&self, output: usize, out: &mut [f32]) -> Result<()> {
        let values = match &self.product {
            QMatMul::Tensor(weights) | QMatMul::TensorF16(weights) => {
                weights.get(output)?.to_dtype(DType::F32)?
            }
            QMatMul::QTensor(weights) => {
                let kind = weights.dtype();
                let bytes = self.inputs / kind.block_size() * kind.type_size();
                let data = weights.data()?;
                let row = &data[output * bytes..(output + 1) * bytes];
                let row = QStorage::from_data(Cow::Borrowed(row), &Device::Cpu, kind)?;
                QTensor::new(row, self.inputs)?.dequantize(&Device::Cpu)?
            }
        };
        with_values(&values, |values| out.copy_from_slice(values))
    }
}

impl Matrix {
    fn outputs(&self) -> usize {
        match self {
            Self::Tiled(matrix) => matrix.outputs(),
            Self::Other(matrix) => matrix.outputs,
        }
    }
}

/// Several linear layers over the same input, computed as one.
pub(crate) struct Projection {
    parts: Parts,
    bias: Option<Vec<f32>>,
    inputs: usize,
    outputs: usize,
}

enum Parts {
    /// All of them take activations of one grain.
    Tiled(Vec<PackedMatrix>, Grain),
    Mixed(Vec<Matrix>),
}

impl Projection {
    /// Joins layers side by side; `bias` has as many values as all outputs together.
    pub(crate) fn new(layers: Vec<Matrix>, inputs: usize, bias: Option<Vec<f32>>) -> Self {
        let outputs = layers.iter().map(Matrix::outputs).sum();
        let grain = |layer: &Matrix| match layer {
            Matrix::Tiled(matrix) => Some(matrix.format().grain()),
            Matrix::Other(_) => None,
        };
        let first = layers.first().and_then(grain);
        let parts = match first.filter(|_| layers.iter().all(|layer| grain(layer) == first)) {
            Some(grain) => {
                let tiled = layers.into_iter().filter_map(|layer| match layer {
                    Matrix::Tiled(matrix) => Some(matrix),
                    Matrix::Other(_) => None,
                });
                Parts::Tiled(tiled.collect(), grain)
            }
            None => Parts::Mixed(layers),
        };
        Self {
            parts,
            bias,
            inputs,
            outputs,
        }
    }

    /// Features that go in.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Features that come out, of all layers together.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `(tokens, inputs)` in, `(tokens, outputs)` out.
    pub(crate) fn forward(&self, xs: &[f32]) -> Result<Vec<f32>> {
        let tokens = xs.len() / self.inputs;
        let mut out = match &self.parts {
            Parts::Tiled(parts, grain) => {
                let mut out = vec![0.0; tokens * self.outputs];
                let activations = Activations::new(xs, tokens, self.inputs, *grain);
                kernels::multiply(parts, &activations, &mut out);
                out
            }
            Parts::Mixed(parts) => self.mixed(parts, xs, tokens)?,
        };
        if let Some(bias) = &self.bias {
            for row in out.chunks_exact_mut(bias.len()) {
                row.iter_mut()
                    .zip(bias)
                    .for_each(|(out, bias)| *out += bias);
            }
        }
        Ok(out)
    }

    fn mixed(&self, parts: &[Matrix], xs: &[f32], tokens: usize) -> Result<Vec<f32>> {
        let mut out = vec![0.0; tokens * self.outputs];
        let mut first = 0;
        for part in parts {
            let width = part.outputs();
            let found = match part {
                Matrix::Tiled(matrix) => {
                    let mut found = vec![0.0; tokens * width];
                    let grain = matrix.format().grain();
                    let activations = Activations::new(xs, tokens, self.inputs, grain);
                    kernels::multiply(std::slice::from_ref(matrix), &activations, &mut found);
                    found
                }
                Matrix::Other(matrix) => {
                    let xs = Tensor::from_slice(xs, (tokens, self.inputs), &Device::Cpu)?;
                    with_values(&matrix.product.forward(&xs)?, <[f32]>::to_vec)?
                }
            };
            let lines = out.chunks_exact_mut(self.outputs);
            for (line, found) in lines.zip(found.chunks_exact(width)) {
                line[first..first + width].copy_from_slice(found);
            }
            first += width;
        }
        Ok(out)
    }

    /// The weights of one output of the first layer, for an embedding.
    pub(crate) fn row(&self, output: usize, out: &mut [f32]) -> Result<()> {
        let tiled = |matrix: &PackedMatrix, out: &mut [f32]| matrix.dequantize_row(output, out);
        match &self.parts {
            Parts::Tiled(parts, _) => parts.first().map_or(Ok(()), |matrix| {
                tiled(matrix, out);
                Ok(())
            }),
            Parts::Mixed(parts) => match parts.first() {
                Some(Matrix::Tiled(matrix)) => {
                    tiled(matrix, out);
                    Ok(())
                }
                Some(Matrix::Other(matrix)) => matrix.row(output, out),
                None => Ok(()),
            },
        }
    }
}
