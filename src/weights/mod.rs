//! The tensors of a checkpoint, by name, read on demand from the files as published.
//!
//! Finds out which files of a directory hold weights and where in them each tensor lies; parsing
//! the containers is left to [`safetensors`] and [`torch`], what the tensors mean to the families.
//! A file is only believed after its offsets, shapes and sizes were checked against its length, so
//! that a damaged or hostile file is an error and never a panic or a huge allocation.

mod pickle;
mod safetensors;
mod torch;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use half::{bf16, f16};

use crate::error::{Error, Result};

/// How the numbers of a stored tensor are written; all are little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// IEEE double precision.
    F64,
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a single.
    BF16,
    /// Signed bytes: quantized weights in prepared files.
    I8,
    /// Anything else: a tensor that no model asks for.
    Other(usize),
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::I8 => 1,
            Self::Other(bytes) => bytes,
        }
    }
}

/// Where one tensor lies.
#[derive(Debug, Clone)]
struct Entry {
    file: usize,
    kind: Kind,
    shape: Vec<usize>,
    /// Elements to advance for one step along each dimension.
    strides: Vec<usize>,
    /// Byte offset of the first element in the file.
    offset: u64,
}

impl Entry {
    fn row_major(shape: &[usize]) -> Vec<usize> {
        let mut strides = vec![1usize; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
        }
        strides
    }

    fn is_contiguous(&self) -> bool {
        let expected = Self::row_major(&self.shape);
        self.shape
            .iter()
            .zip(&self.strides)
            .zip(&expected)
            .all(|((&size, a), b)| size <= 1 || a == b)
    }

    /// Elements from the first to the last that the tensor touches; `None` if that overflows.
    fn span(&self) -> Option<u64> {
        let mut last = 0u64;
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            if size == 0 {
                return Some(0);
            }
            last = last.checked_add((size as u64 - 1).checked_mul(stride as u64)?)?;
        }
        last.checked_add(1)
    }
}

/// The tensors of one checkpoint.
#[derive(Debug)]
pub(crate) struct Weights {
    files: Vec<PathBuf>,
    entries: HashMap<String, Entry>,
    /// `__metadata__` of safetensors files.
    notes: HashMap<String, String>,
}

/// Bytes read at a time, so that quantizing a large matrix does not need it in memory whole.
const CHUNK: usize = 4 << 20;

impl Weights {
    /// Opens the weights of a directory in Hugging Face layout: `model.safetensors` or
    /// `pytorch_model.bin`, in one file or in shards named by an index.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        for name in ["model.safetensors", "pytorch_model.bin"] {
            let path = directory.join(name);
            if path.is_file() {
                return Self::open_files(vec![path]);
            }
            let index = directory.join(format!("{name}.index.json"));
            if index.is_file() {
                return Self::open_files(shards(&index)?);
            }
        }
        Err(Error::UnsupportedModel {
            path: directory.to_path_buf(),
            message: "there is no `model.safetensors` and no `pytorch_model.bin` in it".to_owned(),
        })
    }

    /// Opens these files, each by the container that it turns out to be.
    pub(crate) fn open_files(files: Vec<PathBuf>) -> Result<Self> {
        let mut entries = HashMap::new();
        let mut notes = HashMap::new();
        for (number, path) in files.iter().enumerate() {
            let mut file = File::open(path).map_err(Error::io("read", path))?;
            let length = file.metadata().map_err(Error::io("read", path))?.len();
            let corrupt = |message: String| Error::CorruptModel {
                path: path.clone(),
                message,
            };
            let mut magic = [0u8; 8];
            let got = read_up_to(&mut file, &mut magic).map_err(Error::io("read", path))?;
            file.seek(SeekFrom::Start(0))
                .map_err(Error::io("read", path))?;
            if got == 8 && &magic == b"version " {
                return Err(corrupt(
                    "it is a Git LFS pointer, not the file itself".to_owned(),
                ));
            }
            let found = if magic.starts_with(b"PK\x03\x04") {
                torch::read_zip(file, length).map_err(corrupt)?
            } else if magic[0] == 0x80 && magic[1] == 2 && magic[2] == 0x8a {
                torch::read_legacy(file, length).map_err(corrupt)?
            } else {
                safetensors::read(file, length, &mut notes).map_err(corrupt)?
            };
            for (name, mut entry) in found {
                entry.file = number;
                let end = entry
                    .span()
                    .and_then(|span| span.checked_mul(entry.kind.bytes() as u64))
                    .and_then(|bytes| entry.offset.checked_add(bytes));
                if end.is_none_or(|end| end > length) {
                    return Err(corrupt(format!("tensor `{name}` reaches beyond its end")));
                }
                entries.insert(name, entry);
            }
        }
        Ok(Self {
            files,
            entries,
            notes,
        })
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The sizes of a tensor along its dimensions.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// The first file, for messages.
    pub(crate) fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// The files that the tensors are in.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// A note that the writer of the file left in it.
    pub(crate) fn note(&self, key: &str) -> Option<&str> {
        self.notes.get(key).map(String::as_str)
    }

    /// Whether two names stand for the same place of the same file.
    pub(crate) fn is_same(&self, a: &str, b: &str) -> bool {
        match (self.entries.get(a), self.entries.get(b)) {
            (Some(a), Some(b)) => {
                a.file == b.file
                    && a.offset == b.offset
                    && a.shape == b.shape
                    && a.strides == b.strides
            }
            _ => false,
        }
    }

    fn corrupt(&self, message: String) -> Error {
        Error::CorruptModel {
            path: self.path().to_path_buf(),
            message,
        }
    }

    /// Fails unless there is a tensor of this name and shape.
    pub(crate) fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        self.entry(name, shape).map(|_| ())
    }

    /// Whether two tensors of the same shape hold the same numbers.
    pub(crate) fn holds_equal(&self, a: &str, b: &str) -> Result<bool> {
        let shape = self.shape(a).unwrap_or_default().to_vec();
        let first = self.floats(a, &shape)?;
        let (mut at, mut equal) = (0, true);
        self.each(b, &shape, |part| {
            equal = equal && first[at..at + part.len()] == *part;
            at += part.len();
        })?;
        Ok(equal)
    }

    fn entry(&self, name: &str, shape: &[usize]) -> Result<&Entry> {
        let entry = self
            .entries
            .get(name)
            .ok_or_else(|| self.corrupt(format!("it has no tensor `{name}`")))?;
        if entry.shape != shape {
            return Err(self.corrupt(format!(
                "tensor `{name}` has the shape {:?}, the configuration asks for {shape:?}",
                entry.shape
            )));
        }
        Ok(entry)
    }

    /// Reads a tensor of this shape as float32, row-major.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        // The entry was checked against the length of its file, which bounds what is allocated here.
        self.entry(name, shape)?;
        let mut values = Vec::with_capacity(shape.iter().product());
        self.each(name, shape, |part| values.extend_from_slice(part))?;
        Ok(values)
    }

    /// Reads a tensor of this shape in parts that are whole rows (of all but its first dimension),
    /// in order, as float32.
    pub(crate) fn each(
        &self,
        name: &str,
        shape: &[usize],
        mut take: impl FnMut(&[f32]),
    ) -> Result<()> {
        let entry = self.entry(name, shape)?;
        if !entry.is_contiguous() {
            let span = entry.span().unwrap_or(0) as usize;
            let mut flat = Vec::with_capacity(span);
            self.read(name, entry, span, span.max(1), |part| {
                flat.extend_from_slice(part)
            })?;
            take(&gather(&flat, shape, &entry.strides));
            return Ok(());
        }
        let total: usize = shape.iter().product();
        let row = shape.iter().skip(1).product::<usize>().max(1);
        let part = (CHUNK / entry.kind.bytes() / row).max(1) * row;
        self.read(name, entry, total, part, take)
    }

    fn read(
        &self,
        name: &str,
        entry: &Entry,
        total: usize,
        part: usize,
        mut take: impl FnMut(&[f32]),
    ) -> Result<()> {
        let path = &self.files[entry.file];
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        file.seek(SeekFrom::Start(entry.offset))
            .map_err(Error::io("read", path))?;
        let size = entry.kind.bytes();
        let mut bytes = vec![0u8; part.min(total) * size];
        let mut values = Vec::with_capacity(part.min(total));
        let mut done = 0;
        while done < total {
            let now = part.min(total - done);
            let bytes = &mut bytes[..now * size];
            file.read_exact(bytes).map_err(Error::io("read", path))?;
            values.clear();
            match entry.kind {
                Kind::F32 => values.extend(words(bytes).map(f32::from_le_bytes)),
                Kind::F16 => values.extend(words(bytes).map(|b| f16::from_le_bytes(b).to_f32())),
                Kind::BF16 => values.extend(words(bytes).map(|b| bf16::from_le_bytes(b).to_f32())),
                Kind::F64 => values.extend(words(bytes).map(|b| f64::from_le_bytes(b) as f32)),
                Kind::I8 | Kind::Other(_) => {
                    return Err(self.corrupt(format!(
                        "tensor `{name}` does not hold floating-point numbers"
                    )));
                }
            }
            take(&values);
            done += now;
        }
        Ok(())
    }

    /// Reads a tensor of signed bytes.
    pub(crate) fn bytes(&self, name: &str, shape: &[usize]) -> Result<Vec<i8>> {
        let entry = self.entry(name, shape)?;
        if entry.kind != Kind::I8 || !entry.is_contiguous() {
            return Err(self.corrupt(format!("tensor `{name}` does not hold signed bytes")));
        }
        let path = &self.files[entry.file];
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        file.seek(SeekFrom::Start(entry.offset))
            .map_err(Error::io("read", path))?;
        let mut values = vec![0i8; shape.iter().product()];
        file.read_exact(as_bytes_mut(&mut values))
            .map_err(Error::io("read", path))?;
        Ok(values)
    }
}

/// Tensors on their way into a safetensors file.
#[derive(Default)]
pub(crate) struct Tensors {
    tensors: Vec<safetensors::Stored>,
}

impl Tensors {
    /// Adds float32 values.
    pub(crate) fn floats(&mut self, name: String, shape: Vec<usize>, values: &[f32]) {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.tensors.push(safetensors::Stored {
            name,
            dtype: "F32",
            shape,
            bytes,
        });
    }

    /// Adds signed bytes.
    pub(crate) fn bytes(&mut self, name: String, shape: Vec<usize>, values: &[i8]) {
        let bytes = values.iter().map(|&value| value as u8).collect();
        self.tensors.push(safetensors::Stored {
            name,
            dtype: "I8",
            shape,
            bytes,
        });
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn write(&self, path: &Path, notes: &[(String, String)]) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let file = tempfile::NamedTempFile::new_in(folder).map_err(Error::io("create", folder))?;
        let mut writer = std::io::BufWriter::new(file.as_file());
        safetensors::write(&mut writer, notes, &self.tensors)
            .and_then(|()| std::io::Write::flush(&mut writer))
            .map_err(Error::io("write", path))?;
        drop(writer);
        file.persist(path)
            .map_err(|error| Error::io("write", path)(error.error))?;
        Ok(())
    }
}

/// Signed bytes as the bytes that they are.
fn as_bytes_mut(values: &mut [i8]) -> &mut [u8] {
    // SAFETY: both types have size and alignment 1, and every bit pattern is valid for both.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}

/// The groups of `N` bytes that stand one after another.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// The elements of a strided tensor in row-major order.
fn gather(flat: &[f32], shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let total: usize = shape.iter().product();
    let mut index = vec![0; shape.len()];
    let mut values = Vec::with_capacity(total);
    for _ in 0..total {
        let at: usize = index
            .iter()
            .zip(strides)
            .map(|(i, stride)| i * stride)
            .sum();
        values.push(flat[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    values
}

/// Reads until the buffer is full or the file ends.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// The shards that an index names, each once, beside the index.
fn shards(index: &Path) -> Result<Vec<PathBuf>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: HashMap<String, String>,
    }
    let text = std::fs::read(index).map_err(Error::io("read", index))?;
    let corrupt = |message: String| Error::CorruptModel {
        path: index.to_path_buf(),
        message,
    };
    let parsed: Index =
        serde_json::from_slice(&text).map_err(|error| corrupt(error.to_string()))?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Err(corrupt("it names no files".to_owned()));
    }
    let folder = index.parent().unwrap_or(Path::new(""));
    names
        .into_iter()
        .map(|name| {
            let plain = Path::new(&name)
                .file_name()
                .is_some_and(|file| file == name.as_str());
            if plain {
                Ok(folder.join(name))
            } else {
                Err(corrupt(format!(
                    "it names `{name}`, which is not a file beside it"
                )))
            }
        })
        .collect()
}
