//! Changes to inputs: of any bytes, and of what JSON, archives and model files are made of.

use std::io::{Cursor, Read as _, Write as _};

use serde_json::Value;

use crate::random::Random;

/// The largest input.
const MOST_BYTES: usize = 32_000;

/// Numbers that programs trip over.
const NUMBERS: &[u64] = &[
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
    0x0000_0100_0000_0000,
];

/// Texts that mean something somewhere, or are long in another form.
const TEXTS: &[&str] = &[
    "\u{0}",
    "\u{1b}[2J",
    "\u{feff}",
    "\u{202e}",
    "\u{200f}",
    "\u{301}",
    "\u{fdfa}",
    "İ",
    "ß",
    "ﷺ",
    "٣",
    "½",
    "\u{2028}",
    "😀\u{200d}😀",
    "\r",
    "\r\n",
    "\t",
    "\u{a0}",
    "«",
    "»",
    "„",
    "“",
    "\"",
    "'",
    "’",
    "(",
    ")",
    "[",
    "]",
    "...",
    "…",
    "—",
    "1.5",
    "10⁶",
    "-0",
    "1e999",
    "99999999999999999999",
    "т. е.",
    "и т. д.",
    "الخ.",
    "Mr. ",
    "U.S. ",
    "http://a.b/?c=d&e",
    "{name}",
    "%1$s",
    "<0>",
    "@x",
    "#x",
    "5:1-2",
    "21-го",
    "двадцать один миллион",
    "مئة وعشرون ألفا",
    "two hundred and five",
    "Ignore all previous instructions.",
    "<|im_start|>",
    "System:",
    "\u{f8e0}0\u{f8e1}",
];

/// Changes an input a few times. `other` is what it is mixed with, `tokens` what its format is made of.
pub(crate) fn bytes(
    random: &mut Random,
    mut input: Vec<u8>,
    other: &[u8],
    tokens: &[&str],
) -> Vec<u8> {
    let is_text = std::str::from_utf8(&input).is_ok() && !random.one_in(5);
    let changes = 1 + random.skewed(5);
    for _ in 0..changes {
        let range = fitted(&input, random.range(input.len()), is_text);
        let at = range.start;
        match random.below(13) {
            0 if !is_text && !input.is_empty() => {
                let at = random.below(input.len());
                input[at] ^= 1 << random.below(8);
            }
            1 if !is_text && !input.is_empty() => {
                let at = random.below(input.len());
                input[at] = random.next() as u8;
            }
            2 if !is_text => {
                let number = random.pick(NUMBERS).to_le_bytes();
                let width = 1usize << random.below(4);
                let end = (at + width).min(input.len());
                input.splice(at..end, number[..width].iter().copied());
            }
            3 => drop(input.drain(range)),
            4 => input.truncate(at),
            5 => {
                let copy = input[range.clone()].to_vec();
                let times = 1 + random.skewed(12);
                let times = times.min(MOST_BYTES / copy.len().max(1));
                input.splice(at..at, copy.repeat(times));
            }
            6 => {
                let from = fitted(other, random.range(other.len()), is_text);
                input.splice(range, other[from].iter().copied());
            }
            7 => {
                let from = fitted(other, random.range(other.len()), is_text);
                input.truncate(at);
                input.extend_from_slice(&other[from.start..]);
            }
            8 => {
                let copy = input[range].to_vec();
                let to = fitted(&input, random.range(input.len()), is_text).start;
                input.splice(to..to, copy);
            }
            9 => insert(&mut input, at, *random.pick(TEXTS), 1 + random.below(3)),
            10 => {
                let times = 1 + random.skewed(11);
                insert(&mut input, at, *random.pick(TEXTS), times);
            }
            11 if !tokens.is_empty() => {
                let times = 1 + random.skewed(11);
                insert(&mut input, at, *random.pick(tokens), times);
            }
            _ if !tokens.is_empty() => insert(&mut input, at, *random.pick(tokens), 1),
            _ => {}
        }
        input.truncate(MOST_BYTES);
    }
    input
}

fn insert(input: &mut Vec<u8>, at: usize, text: &str, times: usize) {
    let times = times.min(MOST_BYTES / text.len().max(1));
    input.splice(at..at, text.repeat(times).into_bytes());
}

/// A range that cuts no character of a text.
fn fitted(
    input: &[u8],
    mut range: std::ops::Range<usize>,
    is_text: bool,
) -> std::ops::Range<usize> {
    let cuts = |at: usize| is_text && input.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    while cuts(range.start) {
        range.start -= 1;
    }
    while cuts(range.end) {
        range.end += 1;
    }
    range
}

/// Changes one place of a value, or a few.
pub(crate) fn json(random: &mut Random, input: &[u8], tokens: &[&str]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(input) else {
        return bytes(random, input.to_vec(), input, tokens);
    };
    for _ in 0..1 + random.below(3) {
        let count = count(&value);
        // What stands high decides more.
        let depth = random.below(8);
        let mut at = random.below(count >> depth) + 1;
        change(&mut value, &mut at, random, tokens);
    }
    serde_json::to_vec(&value).unwrap_or_default()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the `at`-th value, counted from 1.
fn change(value: &mut Value, at: &mut usize, random: &mut Random, tokens: &[&str]) {
    *at = at.saturating_sub(1);
    if *at > 0 {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| {
                if *at > 0 {
                    change(item, at, random, tokens)
                }
            }),
            Value::Object(fields) => fields.values_mut().for_each(|item| {
                if *at > 0 {
                    change(item, at, random, tokens)
                }
            }),
            _ => {}
        }
        return;
    }
    let old = value.take();
    *value = match (random.below(10), old) {
        (0, _) => Value::Null,
        (1, _) => Value::from(*random.pick(NUMBERS)),
        (2, _) => Value::from(*random.pick(&[-1.0, 0.0, 1e-300, 1e300, 0.5])),
        (3, _) => Value::from(*random.pick(TEXTS)),
        (4, _) if !tokens.is_empty() => Value::from(*random.pick(tokens)),
        (5, _) if !tokens.is_empty() => {
            let parsed = tokens
                .iter()
                .filter_map(|token| serde_json::from_str(token).ok());
            let parsed: Vec<Value> = parsed.collect();
            if parsed.is_empty() {
                Value::Null
            } else {
                random.pick(&parsed).clone()
            }
        }
        (6, Value::Array(items)) if !items.is_empty() => {
            let times = 1 + random.skewed(8);
            Value::Array(
                (0..items.len() * times)
                    .map(|n| items[n % items.len()].clone())
                    .collect(),
            )
        }
        (7, mut old) => {
            for _ in 0..1 + random.skewed(8) {
                old = if random.one_in(2) {
                    Value::Array(vec![old])
                } else {
                    serde_json::json!({"type": "Sequence", "normalizers": [old.clone()], "pretokenizers": [old]})
                };
                // Twice in each is twice as large each time.
                if count(&old) > 2000 {
                    break;
                }
            }
            old
        }
        (8, Value::Object(mut fields)) => {
            let key = fields.keys().nth(random.below(fields.len())).cloned();
            if let Some(key) = key {
                fields.remove(&key);
            }
            Value::Object(fields)
        }
        (_, Value::String(text)) => {
            let changed = bytes(random, text.clone().into_bytes(), text.as_bytes(), tokens);
            Value::from(String::from_utf8_lossy(&changed).into_owned())
        }
        (_, Value::Number(number)) => {
            Value::from(number.as_u64().unwrap_or(1).wrapping_mul(random.next() % 5))
        }
        (_, Value::Bool(is)) => Value::from(!is),
        (_, old) => old,
    };
}

/// An archive of these parts.
pub(crate) fn archive(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        let options = zip::write::SimpleFileOptions::default();
        let options = options.compression_method(zip::CompressionMethod::Stored);
        if out.start_file(name.as_str(), options).is_ok() {
            let _ = out.write_all(content);
        }
    }
    out.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// The parts of an archive.
fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return Vec::new();
    };
    let read = |at| {
        let mut file = archive.by_index(at).ok()?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        Some((file.name().ok()?.into_owned(), content))
    };
    (0..archive_len(bytes)).filter_map(read).collect()
}

fn archive_len(bytes: &[u8]) -> usize {
    zip::ZipArchive::new(Cursor::new(bytes)).map_or(0, |archive| archive.len())
}

/// Changes a part of an archive, or the archive.
pub(crate) fn zipped(random: &mut Random, input: &[u8], tokens: &[&str]) -> Vec<u8> {
    let mut parts = parts(input);
    if parts.is_empty() || random.one_in(6) {
        return bytes(random, input.to_vec(), input, &[]);
    }
    let at = random.below(parts.len());
    let content = std::mem::take(&mut parts[at].1);
    let other = random.pick(&parts).1.clone();
    parts[at].1 = bytes(random, content, &other, tokens);
    if random.one_in(8) {
        let (from, to) = (random.below(parts.len()), random.below(parts.len()));
        parts[to].1 = parts[from].1.clone();
    }
    archive(&parts)
}

/// Changes a file that begins with the length of a JSON header, as safetensors do.
pub(crate) fn safetensors(random: &mut Random, input: &[u8]) -> Vec<u8> {
    let length = input
        .first_chunk()
        .map_or(0, |length| u64::from_le_bytes(*length) as usize);
    match input.get(8..8 + length) {
        Some(header) if !random.one_in(4) => {
            let header = json(
                random,
                header,
                &["\"F32\"", "\"F8_E4M3\"", "[0,4]", "[4294967296,4294967296]"],
            );
            [
                &(header.len() as u64).to_le_bytes()[..],
                &header,
                &input[8 + length..],
            ]
            .concat()
        }
        _ => bytes(random, input.to_vec(), input, &[]),
    }
}

/// Changes the chat template of a GGUF file, a number or a name of its header, or any bytes.
pub(crate) fn gguf(
    random: &mut Random,
    input: &[u8],
    templates: &[&str],
    tokens: &[&str],
) -> Vec<u8> {
    let key = b"tokenizer.chat_template\x08\0\0\0";
    let place = input.windows(key.len()).position(|window| window == key);
    let start = place.map_or(input.len(), |place| place + key.len() + 8);
    match input
        .get(start.saturating_sub(8)..start)
        .and_then(|length| length.try_into().ok())
    {
        Some(length) if random.one_in(2) => {
            let length = u64::from_le_bytes(length) as usize;
            let old = input.get(start..start + length).unwrap_or_default();
            let old = if random.one_in(2) {
                old
            } else {
                random.pick(templates).as_bytes()
            };
            let other = random.pick(templates).as_bytes();
            let mut template = bytes(random, old.to_vec(), other, tokens);
            // The data that follows stays aligned.
            while (template.len() + 32 - length % 32) % 32 != 0 {
                template.push(b' ');
            }
            let end = start + length;
            let new = (template.len() as u64).to_le_bytes();
            [
                &input[..start - 8],
                &new,
                &template,
                input.get(end..).unwrap_or_default(),
            ]
            .concat()
        }
        _ => {
            let mut changed = input.to_vec();
            for _ in 0..1 + random.below(4) {
                let at = random.below(changed.len());
                match random.below(4) {
                    0 => changed[at] = random.next() as u8,
                    1 => {
                        let number = random.pick(NUMBERS).to_le_bytes();
                        let width = (1usize << random.below(4)).min(changed.len() - at);
                        changed[at..at + width].copy_from_slice(&number[..width]);
                    }
                    2 => {
                        // The length before a name, which is where the zeros are.
                        let zero = changed[at..].windows(7).position(|window| window == [0; 7]);
                        if let Some(zero) = zero.filter(|zero| at + zero > 0) {
                            let number = random.pick(NUMBERS).to_le_bytes();
                            changed[at + zero - 1..at + zero + 7].copy_from_slice(&number);
                        }
                    }
                    _ if random.one_in(8) => changed.truncate(at),
                    _ => {
                        let from = random.below(changed.len());
                        let length = random.below(64).min(changed.len() - at.max(from));
                        changed.copy_within(from..from + length, at);
                    }
                }
            }
            changed
        }
    }
}

/// Changes a shortlist and sets its checksum right.
pub(crate) fn shortlist(random: &mut Random, input: &[u8]) -> Vec<u8> {
    let mut changed = bytes(random, input.to_vec(), input, &[]);
    if changed.len() >= 24 && !random.one_in(8) {
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let sum = changed[16..]
            .chunks_exact(8)
            .map(number)
            .fold(0u64, |sum, number| {
                let shifted = (sum << 6).wrapping_add(sum >> 2);
                sum ^ number.wrapping_add(0x9e37_79b9).wrapping_add(shifted)
            });
        changed[..8].copy_from_slice(&input[..8]);
        changed[8..16].copy_from_slice(&sum.to_le_bytes());
    }
    changed
}
