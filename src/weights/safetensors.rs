//! The header of a safetensors file: JSON with the kind, shape and place of each tensor.
//!
//! Format: <https://huggingface.co/docs/safetensors>. Reads no tensor data.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use super::{Entry, Kind};

/// Longest header that is read, as in the reference implementation.
const HEADER_LIMIT: u64 = 100_000_000;

#[derive(serde::Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// A tensor on its way into a file.
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) dtype: &'static str,
    pub(super) shape: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// Reads where the tensors are, and the notes about them.
pub(super) fn read(
    mut file: File,
    length: u64,
    notes: &mut HashMap<String, String>,
) -> Result<Vec<(String, Entry)>, String> {
    let not = || "it is neither safetensors nor a PyTorch checkpoint".to_owned();
    let mut size = [0u8; 8];
    file.read_exact(&mut size).map_err(|_| not())?;
    let size = u64::from_le_bytes(size);
    if size > HEADER_LIMIT {
        return Err(not());
    }
    if size > length.saturating_sub(8) {
        return Err("its header is cut off".to_owned());
    }
    let mut header = vec![0u8; size as usize];
    file.read_exact(&mut header)
        .map_err(|error| error.to_string())?;
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&header)
        .map_err(|error| format!("its header is not valid: {error}"))?;
    let mut entries = Vec::with_capacity(header.len());
    for (name, value) in header {
        if name == "__metadata__" {
            if let Ok(found) = serde_json::from_value::<HashMap<String, String>>(value) {
                notes.extend(found);
            }
            continue;
        }
        let info: Info =
            serde_json::from_value(value).map_err(|error| format!("tensor `{name}`: {error}"))?;
        let kind = match info.dtype.as_str() {
            "F64" => Kind::F64,
            "F32" => Kind::F32,
            "F16" => Kind::F16,
            "BF16" => Kind::BF16,
            "I8" => Kind::I8,
            "I64" | "U64" => Kind::Other(8),
            "I32" | "U32" => Kind::Other(4),
            "I16" | "U16" => Kind::Other(2),
            _ => Kind::Other(1),
        };
        let (begin, end) = info.data_offsets;
        let elements = info
            .shape
            .iter()
            .try_fold(1u64, |a, &b| a.checked_mul(b as u64));
        let bytes = elements.and_then(|elements| elements.checked_mul(kind.bytes() as u64));
        let has_size = matches!(kind, Kind::Other(1)) || end.checked_sub(begin) == bytes;
        if !has_size || end < begin {
            return Err(format!(
                "tensor `{name}` has a size that its shape does not give"
            ));
        }
        let offset = begin
            .checked_add(8 + size)
            .ok_or_else(|| format!("tensor `{name}` has a wrong offset"))?;
        let strides = Entry::row_major(&info.shape);
        entries.push((
            name,
            Entry {
                file: 0,
                kind,
                shape: info.shape,
                strides,
                offset,
            },
        ));
    }
    Ok(entries)
}

/// Writes notes and tensors as a safetensors file.
pub(super) fn write(
    file: &mut impl std::io::Write,
    notes: &[(String, String)],
    tensors: &[Stored],
) -> std::io::Result<()> {
    let mut header = serde_json::Map::new();
    let notes: serde_json::Map<_, _> = notes
        .iter()
        .map(|(k, v)| (k.clone(), v.clone().into()))
        .collect();
    header.insert("__metadata__".to_owned(), notes.into());
    let mut offset = 0;
    for Stored {
        name,
        dtype,
        shape,
        bytes,
    } in tensors
    {
        let end = offset + bytes.len();
        header.insert(
            name.clone(),
            serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [offset, end]}),
        );
        offset = end;
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for tensor in tensors {
        file.write_all(&tensor.bytes)?;
    }
    Ok(())
}
