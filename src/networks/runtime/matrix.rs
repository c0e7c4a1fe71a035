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

/// Several linear layers over the same input, computed as one where their types allow.
pub(crate) struct Projection {
    runs: Vec<Run>,
    bias: Option<Vec<f32>>,
    inputs: usize,
    outputs: usize,
}

/// Neighbouring layers that one product computes.
enum Run {
    /// In tiles that take activations of one grain.
    Tiled(Vec<PackedMatrix>, Grain),
    Other(Other),
}

impl Run {
    fn outputs(&self) -> usize {
        match self {
            Self::Tiled(parts, _) => parts.iter().map(PackedMatrix::outputs).sum(),
            Self::Other(matrix) => matrix.outputs,
        }
    }

    /// `(tokens, inputs)` in, `(tokens, outputs)` out.
    fn forward(&self, xs: &[f32], (tokens, inputs): (usize, usize)) -> Result<Vec<f32>> {
        match self {
            Self::Tiled(parts, grain) => {
                let mut out = vec![0.0; tokens * self.outputs()];
                let activations = Activations::new(xs, tokens, inputs, *grain);
                kernels::multiply(parts, &activations, &mut out);
                Ok(out)
            }
            Self::Other(matrix) => {
                let xs = Tensor::from_slice(xs, (tokens, inputs), &Device::Cpu)?;
                with_values(&matrix.product.forward(&xs)?, <[f32]>::to_vec)
            }
        }
    }
}

impl Projection {
    /// Joins layers side by side; `bias` has as many values as all outputs together.
    pub(crate) fn new(layers: Vec<Matrix>, inputs: usize, bias: Option<Vec<f32>>) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for layer in layers {
            match (layer, runs.last_mut()) {
                (Matrix::Tiled(matrix), Some(Run::Tiled(parts, grain)))
                    if matrix.format().grain() == *grain =>
                {
                    parts.push(matrix);
                }
                (Matrix::Tiled(matrix), _) => {
                    let grain = matrix.format().grain();
                    runs.push(Run::Tiled(vec![matrix], grain));
                }
                (Matrix::Other(matrix), _) => runs.push(Run::Other(matrix)),
            }
        }
        Self {
            outputs: runs.iter().map(Run::outputs).sum(),
            runs,
            bias,
            inputs,
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
        let shape = (xs.len() / self.inputs, self.inputs);
        let mut out = match self.runs.as_slice() {
            [only] => only.forward(xs, shape)?,
            runs => {
                let mut out = vec![0.0; shape.0 * self.outputs];
                let mut first = 0;
                for run in runs {
                    let width = run.outputs();
                    let found = run.forward(xs, shape)?;
                    let lines = out.chunks_exact_mut(self.outputs);
                    for (line, found) in lines.zip(found.chunks_exact(width)) {
                        line[first..first + width].copy_from_slice(found);
                    }
                    first += width;
                }
                out
            }
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

    /// The weights of one output of the first layer, for an embedding.
    pub(crate) fn row(&self, output: usize, out: &mut [f32]) -> Result<()> {
        match self.runs.first() {
            Some(Run::Tiled(parts, _)) => {
                if let Some(matrix) = parts.first() {
                    matrix.dequantize_row(output, out);
                }
                Ok(())
            }
            Some(Run::Other(matrix)) => matrix.row(output, out),
            None => Ok(()),
        }
    }
}
