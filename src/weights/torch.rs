//! `pytorch_model.bin`, in the zip form and in the form from before PyTorch 1.6.
//!
//! Both are a pickled dictionary of tensors that refer to storages by a key. In the zip form each
//! storage is an uncompressed member; in the legacy form the storages follow the pickles, each
//! with its length before it. Source: `torch/serialization.py`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use super::pickle::{self, Value};
use super::{Entry, Kind};

/// What a tensor refers to.
struct Reference {
    name: String,
    storage: String,
    kind: Kind,
    offset: u64,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

pub(super) fn read_zip(file: File, length: u64) -> Result<Vec<(String, Entry)>, String> {
    let mut archive =
        zip::ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let name = archive
        .file_names()
        .filter_map(|name| name.ok().map(|name| name.into_owned()))
        .find(|name| name.ends_with("/data.pkl") || name == "data.pkl")
        .ok_or("it is a zip file without `data.pkl`")?;
    let folder = name.trim_end_matches("data.pkl").to_owned();
    let value = {
        let member = archive.by_name(&name).map_err(|error| error.to_string())?;
        // Never so by PyTorch; a few bytes could become any number.
        if member.compression() != zip::CompressionMethod::Stored {
            return Err("its `data.pkl` is compressed".to_owned());
        }
        pickle::read(&mut BufReader::new(member))?.value
    };
    let mut places: HashMap<String, (u64, u64)> = HashMap::new();
    let mut entries = Vec::new();
    for reference in references(&value)? {
        if !places.contains_key(&reference.storage) {
            let member = format!("{folder}data/{}", reference.storage);
            let found = archive
                .by_name(&member)
                .map_err(|error| format!("`{member}`: {error}"))?;
            if found.compression() != zip::CompressionMethod::Stored {
                return Err("its tensors are compressed".to_owned());
            }
            let start = found.data_start().ok_or("its tensors have no place")?;
            places.insert(reference.storage.clone(), (start, found.size()));
        }
        let (start, size) = places[&reference.storage];
        entries.push(place(reference, start, size, length)?);
    }
    Ok(entries)
}

pub(super) fn read_legacy(file: File, length: u64) -> Result<Vec<(String, Entry)>, String> {
    let mut input = BufReader::new(file);
    // A magic number, the protocol version and facts about the writing machine come first.
    for _ in 0..3 {
        pickle::read(&mut input)?;
    }
    let pickle = pickle::read(&mut input)?;
    let Value::List(keys) = pickle::read(&mut input)?.value else {
        return Err("it does not list its storages".to_owned());
    };
    let references = references(&pickle.value)?;
    // Bytes an element of every storage that is mentioned, by a tensor or not.
    let sizes: HashMap<String, usize> = pickle
        .outside
        .iter()
        .filter_map(|id| storage_of(id))
        .map(|(kind, key)| (key, kind.bytes()))
        .collect();
    let mut places = HashMap::new();
    let mut at = position(&mut input)?;
    for key in &keys {
        let key = key.text().ok_or("a storage has no name")?;
        input
            .seek(SeekFrom::Start(at))
            .map_err(|error| error.to_string())?;
        let mut count = [0u8; 8];
        input
            .read_exact(&mut count)
            .map_err(|_| "it is cut off".to_owned())?;
        let size = sizes
            .get(key)
            .ok_or_else(|| format!("storage `{key}` belongs to no tensor"))?;
        let bytes = u64::from_le_bytes(count)
            .checked_mul(*size as u64)
            .ok_or("a storage is too long")?;
        let start = at + 8;
        at = start
            .checked_add(bytes)
            .filter(|&end| end <= length)
            .ok_or("it is cut off")?;
        places.insert(key.to_owned(), (start, bytes));
    }
    references
        .into_iter()
        .map(|reference| {
            let &(start, size) = places
                .get(&reference.storage)
                .ok_or_else(|| format!("storage `{}` is not there", reference.storage))?;
            place(reference, start, size, length)
        })
        .collect()
}

fn position(input: &mut (impl BufRead + Seek)) -> Result<u64, String> {
    input.stream_position().map_err(|error| error.to_string())
}

/// Places a tensor in the file, if its storage holds all of it.
fn place(
    reference: Reference,
    start: u64,
    size: u64,
    length: u64,
) -> Result<(String, Entry), String> {
    let Reference {
        name,
        kind,
        offset,
        shape,
        strides,
        ..
    } = reference;
    let wrong = || format!("tensor `{name}` reaches beyond its storage");
    let begin = offset.checked_mul(kind.bytes() as u64).ok_or_else(wrong)?;
    let entry = Entry {
        file: 0,
        kind,
        shape,
        strides,
        offset: start.checked_add(begin).ok_or_else(wrong)?,
    };
    let bytes = entry
        .span()
        .and_then(|span| span.checked_mul(kind.bytes() as u64))
        .ok_or_else(wrong)?;
    // A stride of 0 makes a tensor of any size out of one number.
    let elements = entry
        .shape
        .iter()
        .try_fold(1u64, |a, &b| a.checked_mul(b as u64))
        .ok_or_else(wrong)?;
    if begin.checked_add(bytes).is_none_or(|end| end > size) || elements > length {
        return Err(wrong());
    }
    Ok((name, entry))
}

/// The tensors of a pickled state dictionary.
fn references(value: &Value) -> Result<Vec<Reference>, String> {
    let Value::Dict(items) = value else {
        return Err("it does not hold a dictionary of tensors".to_owned());
    };
    let mut found = Vec::new();
    for (key, value) in items.borrow().iter() {
        let (Some(name), Value::Call(_, call)) = (key.text(), value) else {
            continue;
        };
        if let Some(reference) = tensor(name, call)? {
            found.push(reference);
        }
    }
    if found.is_empty() {
        return Err("it holds no tensors".to_owned());
    }
    Ok(found)
}

fn tensor(name: &str, call: &(Value, Value)) -> Result<Option<Reference>, String> {
    let wrong = || format!("tensor `{name}` is not described as PyTorch does");
    let (Some(function), Some(arguments)) = (call.0.global(), call.1.tuple()) else {
        return Ok(None);
    };
    match function {
        "torch._utils._rebuild_parameter" => match arguments.first() {
            Some(Value::Call(_, inner)) => return tensor(name, inner),
            _ => return Err(wrong()),
        },
        "torch._utils._rebuild_tensor_v2" => {}
        _ => return Ok(None),
    }
    let [storage, offset, shape, strides, ..] = arguments else {
        return Err(wrong());
    };
    let Value::Persistent(_, id) = storage else {
        return Err(wrong());
    };
    let (kind, storage) = storage_of(id).ok_or_else(wrong)?;
    let sizes = |value: &Value| -> Option<Vec<usize>> {
        value
            .tuple()?
            .iter()
            .map(|item| item.int().and_then(|size| usize::try_from(size).ok()))
            .collect()
    };
    let shape = sizes(shape).ok_or_else(wrong)?;
    let strides = sizes(strides).ok_or_else(wrong)?;
    if shape.len() != strides.len() {
        return Err(wrong());
    }
    let offset = offset
        .int()
        .and_then(|offset| u64::try_from(offset).ok())
        .ok_or_else(wrong)?;
    Ok(Some(Reference {
        name: name.to_owned(),
        storage,
        kind,
        offset,
        shape,
        strides,
    }))
}

/// The kind of number and the key of a storage, from its persistent id
/// `("storage", class, key, location, elements, …)`.
fn storage_of(id: &Value) -> Option<(Kind, String)> {
    let [_, class, key, ..] = id.tuple()? else {
        return None;
    };
    let kind = match class.global()?.rsplit('.').next()? {
        "DoubleStorage" => Kind::F64,
        "FloatStorage" => Kind::F32,
        "HalfStorage" => Kind::F16,
        "BFloat16Storage" => Kind::BF16,
        "LongStorage" => Kind::Other(8),
        "IntStorage" => Kind::Other(4),
        "ShortStorage" => Kind::Other(2),
        "CharStorage" | "ByteStorage" | "BoolStorage" => Kind::Other(1),
        _ => return None,
    };
    Some((kind, key.text()?.to_owned()))
}
