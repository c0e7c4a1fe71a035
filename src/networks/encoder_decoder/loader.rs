//! From a checkpoint to the pieces of an encoder–decoder: matrices in the precision asked for,
//! vectors as they are.
//!
//! Quantized matrices can be kept in a prepared file, so that a second start reads bytes instead
//! of quantizing again. A prepared file names the weights that it was made from and is made anew
//! when they changed; it is written under another name and renamed, so that no half of one is seen.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};

use super::initialized::looks_initialized;
use crate::error::{Error, Result};
use crate::kernels::{Int8Activations, Int8Matrix, multiply_int8};
use crate::networks::runtime::tensors::Form;
use crate::weights::{Tensors, Weights};

/// How weights and products are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Precision {
    /// Float32 throughout.
    F32,
    /// Matrices as signed bytes with one scale an output, activations quantized row by row.
    #[default]
    Q8,
}

/// A weight matrix of `outputs × inputs`.
pub(crate) enum Matrix {
    /// Floats; float32 on the processor where the kernels run them.
    Float(Tensor),
    /// Signed bytes.
    Int8(Int8Matrix),
}

impl Matrix {
    /// Copies the weights of one output.
    pub(crate) fn row(&self, output: usize, out: &mut [f32]) -> Result<()> {
        match self {
            Self::Float(weights) => {
                crate::decode::with_values(&weights.get(output)?, |row| out.copy_from_slice(row))
            }
            Self::Int8(matrix) => {
                matrix.row(output, out);
                Ok(())
            }
        }
    }

    /// How many outputs there are.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Float(weights) => weights.dims().first().copied().unwrap_or(0),
            Self::Int8(matrix) => matrix.outputs(),
        }
    }

    fn inputs(&self) -> usize {
        match self {
            Self::Float(weights) => weights.dims().last().copied().unwrap_or(0),
            Self::Int8(matrix) => matrix.inputs(),
        }
    }
}

/// One or more linear layers over the same input, as one product.
pub(crate) struct Linear {
    /// The weights, which an embedding may share.
    pub(crate) matrix: Arc<Matrix>,
    /// One an output.
    pub(crate) bias: Option<Vec<f32>>,
}

impl Linear {
    /// `(rows, inputs)` in, `(rows, outputs)` out; `scratch` is room for quantized activations.
    pub(crate) fn forward(&self, xs: &[f32], scratch: &mut Int8Activations) -> Result<Vec<f32>> {
        let (inputs, outputs) = (self.matrix.inputs(), self.matrix.outputs());
        let rows = xs.len() / inputs;
        match &*self.matrix {
            Matrix::Int8(matrix) => {
                scratch.quantize(xs, inputs);
                Ok(multiply_int8(matrix, scratch, self.bias.as_deref()))
            }
            Matrix::Float(weights) => {
                let out =
                    Tensor::from_slice(xs, (rows, inputs), &Device::Cpu)?.matmul(&weights.t()?)?;
                let mut out = crate::decode::with_values(&out, <[f32]>::to_vec)?;
                if let Some(bias) = &self.bias {
                    for row in out.chunks_exact_mut(outputs) {
                        row.iter_mut()
                            .zip(bias)
                            .for_each(|(out, bias)| *out += bias);
                    }
                }
                Ok(out)
            }
        }
    }
}

/// Reads the parts of one checkpoint.
pub(crate) struct Loader {
    weights: Weights,
    precision: Precision,
    /// Where float matrices go, and in which type.
    form: Form,
    /// Made by an earlier start, from the same weights.
    prepared: Option<Weights>,
    /// Where to keep what is quantized now, and what that is.
    recording: Option<(PathBuf, Mutex<Vec<Recorded>>)>,
    /// What a prepared file is made from.
    stamp: String,
}

enum Recorded {
    Matrix(String, Arc<Matrix>),
    Vector(String, Vec<f32>),
}

/// Changes whenever a prepared file would be read differently.
const PREPARED_VERSION: &str = "newsml int8 2";
/// Bytes at each end of a file that tell it from another of the same size and time.
const END_BYTES: u64 = 64 << 10;

impl Loader {
    /// Opens the weights of a directory. `prepared` is the file in which quantized weights are
    /// kept; it is used if it was made from these weights, else written by [`Self::finish`].
    pub(crate) fn open(
        directory: &Path,
        precision: Precision,
        prepared: Option<&Path>,
    ) -> Result<Self> {
        let mut loader = Self {
            precision,
            ..Self::open_on(directory, &Form::cpu())?
        };
        if let (Precision::Q8, Some(path)) = (precision, prepared) {
            let stamp = stamp(directory, loader.weights.files())?;
            // A prepared file that cannot be read is made again: nothing but time depends on it.
            let found = path
                .is_file()
                .then(|| Weights::open_files(vec![path.to_path_buf()]))
                .and_then(Result::ok);
            loader.prepared = found.filter(|found| found.note("made_from") == Some(stamp.as_str()));
            loader.stamp = stamp;
            if loader.prepared.is_none() {
                loader.recording = Some((path.to_path_buf(), Mutex::default()));
            }
        }
        Ok(loader)
    }

    /// Opens the weights of a directory whose matrices are floats on a device. A matrix goes there
    /// as soon as it is read, so that the whole of the weights is never held here.
    pub(crate) fn open_on(directory: &Path, form: &Form) -> Result<Self> {
        Ok(Self {
            weights: Weights::open(directory)?,
            precision: Precision::F32,
            form: form.clone(),
            prepared: None,
            recording: None,
            stamp: String::new(),
        })
    }

    /// Gives up a prepared file that turned out not to hold what it should, and says whether there
    /// was one.
    pub(crate) fn make_anew(&mut self, prepared: Option<&Path>) -> bool {
        let was_used = self.prepared.take().is_some();
        if let (true, Some(path)) = (was_used, prepared) {
            self.recording = Some((path.to_path_buf(), Mutex::default()));
        }
        was_used
    }

    /// Whether the checkpoint has a tensor of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.weights.contains(name)
    }

    /// The shape of a tensor of the checkpoint.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.shape(name)
    }

    /// The first file of the weights, for messages.
    pub(crate) fn path(&self) -> &Path {
        self.weights.path()
    }

    /// Reads a tensor as float32.
    pub(crate) fn vector(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        if let Some(prepared) = &self.prepared {
            return prepared.floats(name, &[shape.iter().product()]);
        }
        let values = self.weights.floats(name, shape)?;
        if let Some((_, recorded)) = &self.recording {
            let copy = Recorded::Vector(name.to_owned(), values.clone());
            recorded
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(copy);
        }
        Ok(values)
    }

    /// Reads matrices of `inputs` columns and stacks them: names and outputs of each.
    pub(crate) fn matrix(&self, parts: &[(String, usize)], inputs: usize) -> Result<Arc<Matrix>> {
        for (name, outputs) in parts {
            if *outputs == 0 || inputs == 0 {
                return Err(Error::CorruptModel {
                    path: self.path().to_path_buf(),
                    message: format!("tensor `{name}` would hold nothing by the configuration"),
                });
            }
            // A size from a configuration is not believed before a file has it.
            if self.prepared.is_none() {
                self.weights.check(name, &[*outputs, inputs])?;
            }
        }
        let outputs = parts
            .iter()
            .fold(0, |sum: usize, (_, outputs)| sum.saturating_add(*outputs));
        let key = parts
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join("+");
        if let Some(prepared) = &self.prepared {
            let quants = prepared.bytes(&quants_of(&key), &[outputs, inputs])?;
            let scales = prepared.floats(&format!("{key}.scale"), &[outputs])?;
            return Ok(Arc::new(Matrix::Int8(Int8Matrix::from_quantized(
                outputs, inputs, &quants, scales,
            ))));
        }
        let matrix = match self.precision {
            Precision::F32 => {
                let mut values = Vec::new();
                for (name, outputs) in parts {
                    values.extend(self.weights.floats(name, &[*outputs, inputs])?);
                }
                let matrix = Tensor::from_vec(values, (outputs, inputs), &self.form.device)?;
                Matrix::Float(matrix.to_dtype(self.form.dtype)?)
            }
            Precision::Q8 => {
                let mut matrix = Int8Matrix::with_capacity(outputs, inputs);
                for (name, outputs) in parts {
                    self.weights
                        .each(name, &[*outputs, inputs], |rows| matrix.push_rows(rows))?;
                }
                Matrix::Int8(matrix)
            }
        };
        let matrix = Arc::new(matrix);
        if let Some((_, recorded)) = &self.recording {
            let copy = Recorded::Matrix(key, Arc::clone(&matrix));
            recorded
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(copy);
        }
        Ok(matrix)
    }

    /// Linear layers side by side: `{prefix}{name}.weight` for each name, and its `.bias`.
    pub(crate) fn linear(
        &self,
        prefix: &str,
        names: &[&str],
        outputs: usize,
        inputs: usize,
        bias: Bias,
    ) -> Result<Linear> {
        let parts: Vec<_> = names
            .iter()
            .map(|name| (format!("{prefix}{name}.weight"), outputs))
            .collect();
        let matrix = self.matrix(&parts, inputs)?;
        let bias = match bias {
            Bias::None => None,
            Bias::All => {
                let mut values = Vec::with_capacity(outputs * names.len());
                for name in names {
                    values.extend(self.vector(&format!("{prefix}{name}.bias"), &[outputs])?);
                }
                Some(values)
            }
        };
        Ok(Linear { matrix, bias })
    }

    /// Whether a matrix of the checkpoint holds other numbers than one read before it.
    pub(crate) fn is_another(&self, name: &str, before: &str) -> Result<bool> {
        // Told once, when the prepared file was made: it has what was read.
        if let Some(prepared) = &self.prepared {
            return Ok(prepared.contains(&quants_of(name)));
        }
        match (self.weights.shape(name), self.weights.shape(before)) {
            (Some(shape), Some(other)) if shape == other => {}
            (found, _) => return Ok(found.is_some()),
        }
        Ok(!self.weights.is_same(name, before) && !self.weights.holds_equal(name, before)?)
    }

    /// Whether a matrix holds what networks are initialized with, at this standard deviation.
    pub(crate) fn is_untrained(&self, name: &str, deviation: f64) -> Result<bool> {
        if let Some(prepared) = &self.prepared {
            return Ok(!prepared.contains(&quants_of(name)));
        }
        let Some(&[lines, width]) = self.weights.shape(name) else {
            return Ok(false);
        };
        let mut squares = Vec::with_capacity(lines);
        self.weights.each(name, &[lines, width], |part| {
            let line = |line: &[f32]| line.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
            squares.extend(part.chunks_exact(width.max(1)).map(line));
        })?;
        Ok(looks_initialized(&squares, width, deviation))
    }

    /// Writes the prepared file, where one was asked for and is not there yet. Call it when all
    /// parts were read.
    pub(crate) fn finish(self) -> Result<()> {
        let Some((path, recorded)) = self.recording else {
            return Ok(());
        };
        let mut tensors = Tensors::default();
        for part in recorded
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            match part {
                Recorded::Vector(name, values) => tensors.floats(name, vec![values.len()], &values),
                Recorded::Matrix(key, matrix) => {
                    if let Matrix::Int8(matrix) = &*matrix {
                        let mut quants = vec![0i8; matrix.outputs() * matrix.inputs()];
                        for (output, out) in quants.chunks_exact_mut(matrix.inputs()).enumerate() {
                            matrix.quants(output, out);
                        }
                        tensors.bytes(
                            quants_of(&key),
                            vec![matrix.outputs(), matrix.inputs()],
                            &quants,
                        );
                        tensors.floats(
                            format!("{key}.scale"),
                            vec![matrix.outputs()],
                            matrix.scales(),
                        );
                    }
                }
            }
        }
        tensors.write(&path, &[("made_from".to_owned(), self.stamp)])
    }
}

/// What a prepared file is made from, as far as can be told without reading all of it: the
/// configuration, and of each file of weights its name, size, time, and the bytes at both ends.
fn stamp(directory: &Path, files: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    let config = directory.join("config.json");
    hash.update(std::fs::read(&config).map_err(Error::io("read", &config))?);
    for path in files {
        let facts = std::fs::metadata(path).map_err(Error::io("read", path))?;
        let time = facts
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let time = time.map_or(0, |time| time.as_nanos());
        hash.update(format!(" {name}:{}:{time} ", facts.len()));
        let ends = [0, facts.len().saturating_sub(END_BYTES)];
        hash.update(read_ends(path, ends).map_err(Error::io("read", path))?);
    }
    let hash = hash.finalize();
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{PREPARED_VERSION} {digits}"))
}

/// The bytes from each of these places on, [`END_BYTES`] at most.
fn read_ends(path: &Path, places: [u64; 2]) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    for place in places {
        file.seek(SeekFrom::Start(place))?;
        (&file).take(END_BYTES).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The name of the quantized values of a matrix in a prepared file.
fn quants_of(name: &str) -> String {
    format!("{name}.int8")
}

/// Whether linear layers have biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bias {
    /// None of them.
    None,
    /// All of them.
    All,
}
