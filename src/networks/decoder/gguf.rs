//! GGUF files: metadata, and tensors in the forms that families are built of.
//!
//! A file is read from front to back in pieces of one tensor, so loading never holds a second copy
//! of the weights. What the file promises is checked against its length before anything is read.
//! The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

mod header;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};

use crate::error::{Error, Result};
use crate::kernels::{Format, PackedMatrix};
use crate::networks::runtime::matrix::{Matrix, Other};

/// An open GGUF file.
pub(crate) struct Gguf {
    path: PathBuf,
    file: File,
    content: Content,
    /// Bytes of the tensor read last; kept for the next.
    buffer: Vec<u8>,
    /// Names of the tensors that were read.
    read: HashSet<String>,
}

impl Gguf {
    /// Opens a file and reads its metadata.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptModel`] where the file is not GGUF, or ends before its last tensor does.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        let length = file.metadata().map_err(Error::io("read", path))?.len();
        let corrupt = |message: String| Error::CorruptModel {
            path: path.to_path_buf(),
            message,
        };
        let mut magic = [0; 4];
        if file.read_exact(&mut magic).is_err() || &magic != b"GGUF" {
            return Err(corrupt(
                "a GGUF file begins with `GGUF`, this one does not".to_owned(),
            ));
        }
        file.seek(SeekFrom::Start(0))
            .map_err(Error::io("read", path))?;
        let reader = BufReader::with_capacity(1 << 20, &file);
        header::check(reader, length).map_err(|message| {
            corrupt(format!("its header is damaged or cut short ({message})"))
        })?;
        file.seek(SeekFrom::Start(0))
            .map_err(Error::io("read", path))?;
        let mut reader = BufReader::with_capacity(1 << 20, &mut file);
        let content = Content::read(&mut reader).map_err(|error| {
            corrupt(format!(
                "its header is damaged or cut short ({})",
                first_line(&error)
            ))
        })?;
        for (name, info) in &content.tensor_infos {
            let size = info
                .shape
                .dims()
                .iter()
                .try_fold(1u64, |product, &dim| product.checked_mul(dim as u64))
                .map(|elements| {
                    elements / info.ggml_dtype.block_size() as u64
                        * info.ggml_dtype.type_size() as u64
                });
            let end = size.and_then(|size| {
                content
                    .tensor_data_offset
                    .checked_add(info.offset)?
                    .checked_add(size)
            });
            if end.is_none_or(|end| end > length) {
                return Err(corrupt(format!(
                    "the file is {length} bytes long and ends before tensor `{name}` does; it is probably truncated"
                )));
            }
        }
        Ok(Self {
            path: path.to_path_buf(),
            file,
            content,
            buffer: Vec::new(),
            read: HashSet::new(),
        })
    }

    /// Where the file lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The header.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// The `general.architecture` of the file.
    pub(crate) fn architecture(&self) -> Result<&str> {
        self.text("general.architecture")
    }

    /// A metadata string.
    pub(crate) fn text(&self, key: &str) -> Result<&str> {
        match self.content.metadata.get(key) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(self.corrupt(format!("metadata `{key}` is missing or no string"))),
        }
    }

    /// A metadata integer.
    pub(crate) fn integer(&self, key: &str) -> Result<usize> {
        let value = self
            .content
            .metadata
            .get(key)
            .and_then(|value| match value {
                Value::I32(value) => u64::try_from(*value).ok(),
                Value::I64(value) => u64::try_from(*value).ok(),
                value => value.to_u64().ok(),
            });
        value
            .and_then(|value| usize::try_from(value).ok())
            .ok_or_else(|| self.corrupt(format!("metadata `{key}` is missing or no number")))
    }

    /// A metadata float.
    pub(crate) fn float(&self, key: &str) -> Result<f32> {
        match self.content.metadata.get(key) {
            Some(Value::F32(value)) => Ok(*value),
            Some(Value::F64(value)) => Ok(*value as f32),
            _ => Err(self.corrupt(format!("metadata `{key}` is missing or no float"))),
        }
    }

    /// A tensor that nothing has read; the first by name.
    pub(crate) fn unread(&self) -> Option<&str> {
        let names = self.content.tensor_infos.keys().map(String::as_str);
        names.filter(|name| !self.read.contains(*name)).min()
    }

    /// Whether the file has a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// A matrix of `outputs × inputs` weights, in tiles where they have a format for its type.
    pub(crate) fn matrix(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Matrix> {
        let dtype = self.read(name, &[outputs, inputs])?;
        if Format::of(dtype).is_some() {
            let matrix = PackedMatrix::from_ggml(dtype, &self.buffer, outputs, inputs);
            return match matrix {
                Some(matrix) => Ok(Matrix::Tiled(matrix)),
                None => Err(self.corrupt(format!(
                    "tensor `{name}` has rows that its type does not allow"
                ))),
            };
        }
        let shape = [outputs, inputs];
        Ok(Matrix::Other(Other::new(self.tensor(
            dtype,
            &shape,
            &Device::Cpu,
        )?)?))
    }

    /// A tensor as floats.
    pub(crate) fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let dtype = self.read(name, shape)?;
        let tensor = self.tensor(dtype, shape, &Device::Cpu)?;
        let tensor = tensor.dequantize(&Device::Cpu)?;
        Ok(tensor.flatten_all()?.to_vec1()?)
    }

    /// A matrix of `outputs × inputs` weights as it is stored, on a device.
    pub(crate) fn quantized(
        &mut self,
        name: &str,
        outputs: usize,
        inputs: usize,
        device: &Device,
    ) -> Result<QTensor> {
        let dtype = self.read(name, &[outputs, inputs])?;
        self.tensor(dtype, &[outputs, inputs], device)
    }

    /// The tensor read last.
    fn tensor(&self, dtype: GgmlDType, shape: &[usize], device: &Device) -> Result<QTensor> {
        let storage = candle_core::quantized::QStorage::from_data(
            std::borrow::Cow::Borrowed(&self.buffer),
            device,
            dtype,
        )?;
        Ok(QTensor::new(storage, shape)?)
    }

    /// Reads the bytes of a tensor into the buffer, and returns their type.
    fn read(&mut self, name: &str, shape: &[usize]) -> Result<GgmlDType> {
        let Some(info) = self.content.tensor_infos.get(name) else {
            return Err(self.corrupt(format!("tensor `{name}` is missing")));
        };
        if info.shape.dims() != shape {
            return Err(self.corrupt(format!(
                "tensor `{name}` has shape {:?}, expected {shape:?}",
                info.shape.dims()
            )));
        }
        if shape.contains(&0) {
            return Err(self.corrupt(format!("tensor `{name}` holds nothing")));
        }
        let dtype = info.ggml_dtype;
        if !inputs_fit(shape, dtype) {
            return Err(self.corrupt(format!(
                "tensor `{name}` has rows that its type {dtype:?} does not allow"
            )));
        }
        let size = shape.iter().product::<usize>() / dtype.block_size() * dtype.type_size();
        let start = self.content.tensor_data_offset + info.offset;
        self.read.insert(name.to_owned());
        self.buffer.resize(size, 0);
        self.file
            .seek(SeekFrom::Start(start))
            .map_err(Error::io("read", &self.path))?;
        self.file
            .read_exact(&mut self.buffer)
            .map_err(Error::io("read", &self.path))?;
        Ok(dtype)
    }

    /// An [`Error::CorruptModel`] about this file.
    pub(crate) fn corrupt(&self, message: String) -> Error {
        Error::CorruptModel {
            path: self.path.clone(),
            message,
        }
    }

    /// An [`Error::UnsupportedModel`] about this file.
    pub(crate) fn unsupported(&self, message: String) -> Error {
        Error::UnsupportedModel {
            path: self.path.clone(),
            message,
        }
    }
}

/// Whether rows of a tensor are of whole blocks.
fn inputs_fit(shape: &[usize], dtype: GgmlDType) -> bool {
    shape
        .last()
        .is_some_and(|inputs| inputs.is_multiple_of(dtype.block_size()))
}

fn first_line(error: &candle_core::Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
