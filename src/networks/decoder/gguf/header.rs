//! Checks the header of a GGUF file before it is read into memory.
//!
//! Every length in it is compared with what is left of the file, so that reading allocates no more
//! than the file holds, and no sum of lengths overflows.

use std::io::{Error, Read};

/// The most members of all arrays together; the largest published vocabularies have a million.
const MEMBERS: u64 = 4_000_000;
/// The most arrays within arrays.
const DEPTH: usize = 3;
/// The most dimensions of a tensor.
const DIMENSIONS: u32 = 8;
/// The largest alignment of tensors, in bytes.
const ALIGNMENT: u64 = 1 << 20;

/// Checks a header; `length` is that of the file.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn check(reader: impl Read, length: u64) -> Result<(), String> {
    let mut header = Header {
        reader,
        left: length,
        has_short_lengths: false,
        members: 0,
    };
    header.check()
}

struct Header<R> {
    reader: R,
    /// Bytes of the file that have not been read.
    left: u64,
    /// Version 1 has lengths of four bytes.
    has_short_lengths: bool,
    members: u64,
}

impl<R: Read> Header<R> {
    fn check(&mut self) -> Result<(), String> {
        self.bytes::<4>()?;
        let version = self.u32()?;
        if !(1..=3).contains(&version) {
            return Err(format!("version {version} of the format is not known"));
        }
        self.has_short_lengths = version == 1;
        let tensors = self.count(8)?;
        let entries = self.count(8)?;
        for _ in 0..entries {
            let key = self.text()?;
            let kind = self.u32()?;
            if key == b"general.alignment" {
                self.alignment(kind)?;
            } else {
                self.value(kind, 0)?;
            }
        }
        for _ in 0..tensors {
            self.text()?;
            let dimensions = self.u32()?;
            if dimensions > DIMENSIONS {
                return Err(format!("a tensor has {dimensions} dimensions"));
            }
            for _ in 0..dimensions {
                self.length()?;
            }
            self.u32()?;
            self.bytes::<8>()?;
        }
        Ok(())
    }

    fn alignment(&mut self, kind: u32) -> Result<(), String> {
        let alignment = match kind {
            4 | 5 => u64::from(self.u32()?),
            10 | 11 => u64::from_le_bytes(self.bytes()?),
            _ => return Err("its alignment is no whole number".to_owned()),
        };
        if alignment.is_power_of_two() && alignment <= ALIGNMENT {
            Ok(())
        } else {
            Err(format!(
                "its tensors cannot be aligned to {alignment} bytes"
            ))
        }
    }

    /// Steps over a value.
    fn value(&mut self, kind: u32, depth: usize) -> Result<(), String> {
        match kind {
            8 => {
                self.text()?;
            }
            9 => {
                if depth == DEPTH {
                    return Err(format!("it has arrays deeper than {DEPTH}"));
                }
                let kind = self.u32()?;
                let count = self.count(size(kind).unwrap_or(4))?;
                self.members = self.members.saturating_add(count);
                if self.members > MEMBERS {
                    return Err(format!("its arrays have more than {MEMBERS} members"));
                }
                match size(kind) {
                    Some(size) => self.skip(count * size)?,
                    None => {
                        for _ in 0..count {
                            self.value(kind, depth + 1)?;
                        }
                    }
                }
            }
            kind => {
                let size = size(kind).ok_or_else(|| format!("it has values of type {kind}"))?;
                self.skip(size)?;
            }
        }
        Ok(())
    }

    /// A number of things of at least `size` bytes each.
    fn count(&mut self, size: u64) -> Result<u64, String> {
        let count = self.length()?;
        match count.checked_mul(size) {
            Some(bytes) if bytes <= self.left => Ok(count),
            _ => Err(format!(
                "it promises {count} things, more than the file holds"
            )),
        }
    }

    fn text(&mut self) -> Result<Vec<u8>, String> {
        let length = self.count(1)?;
        let mut text = Vec::new();
        let read = (&mut self.reader).take(length).read_to_end(&mut text);
        read.map_err(described)?;
        self.left -= text.len() as u64;
        if text.len() as u64 == length {
            Ok(text)
        } else {
            Err("it ends within a text".to_owned())
        }
    }

    fn length(&mut self) -> Result<u64, String> {
        if self.has_short_lengths {
            return Ok(u64::from(self.u32()?));
        }
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(described)?;
        self.left = self.left.saturating_sub(N as u64);
        Ok(bytes)
    }

    fn skip(&mut self, count: u64) -> Result<(), String> {
        let mut part = (&mut self.reader).take(count);
        let skipped = std::io::copy(&mut part, &mut std::io::sink()).map_err(described)?;
        self.left = self.left.saturating_sub(skipped);
        if skipped == count {
            Ok(())
        } else {
            Err("it ends within a value".to_owned())
        }
    }
}

fn described(error: Error) -> String {
    error.to_string()
}

/// The size of a value of a type; `None` for texts, arrays and types that are not known.
fn size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(tensors: u64, entries: u64, rest: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        bytes.extend(rest.concat());
        bytes
    }

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    #[test]
    fn lengths_that_the_file_does_not_have_are_refused() {
        let entry =
            |kind: u32, value: &[u8]| header(0, 1, &[&text("key"), &kind.to_le_bytes(), value]);
        let array =
            |kind: u32, count: u64| [&kind.to_le_bytes()[..], &count.to_le_bytes()].concat();
        let huge = u64::MAX;
        let alignment = |value: u32| {
            header(
                0,
                1,
                &[
                    &text("general.alignment"),
                    &4u32.to_le_bytes(),
                    &value.to_le_bytes(),
                ],
            )
        };
        let tensor =
            |dimensions: u32| header(1, 0, &[&text("name"), &dimensions.to_le_bytes(), &[0; 200]]);
        let nested = [array(9, 1), array(9, 1), array(9, 1), array(4, 0)].concat();
        let cases: Vec<(&str, Vec<u8>, bool)> = vec![
            ("nothing in it", header(0, 0, &[]), true),
            ("a number", entry(4, &[0; 4]), true),
            ("a text", entry(8, &text("value")), true),
            (
                "an array",
                entry(9, &[&array(4, 2)[..], &[0; 8]].concat()),
                true,
            ),
            ("alignment 32", alignment(32), true),
            ("a tensor", tensor(2), true),
            (
                "a text of 2 GB",
                entry(8, &[&(2u64 << 30).to_le_bytes()[..], b"x"].concat()),
                false,
            ),
            ("a text of all bytes", entry(8, &huge.to_le_bytes()), false),
            ("an array of all numbers", entry(9, &array(4, huge)), false),
            (
                "an array whose size overflows",
                entry(9, &array(12, huge / 8 + 2)),
                false,
            ),
            ("an array of texts", entry(9, &array(8, 1 << 40)), false),
            ("arrays in arrays", entry(9, &nested), false),
            ("a type that is not known", entry(77, &[0; 8]), false),
            (
                "members of a type that is not known",
                entry(9, &[&array(77, 1)[..], &[0; 9]].concat()),
                false,
            ),
            ("many entries", header(0, huge, &[]), false),
            ("many tensors", header(huge, 0, &[]), false),
            ("alignment 0", alignment(0), false),
            ("alignment 3", alignment(3), false),
            ("alignment 2^31", alignment(1 << 31), false),
            ("dimensions", tensor(4_000_000_000), false),
            ("another version", b"GGUF\x09\0\0\0".to_vec(), false),
            ("cut short", header(0, 1, &[])[..20].to_vec(), false),
        ];
        let mut failures = Vec::new();
        for (what, bytes, is_right) in cases {
            let found = check(bytes.as_slice(), bytes.len() as u64);
            if found.is_ok() != is_right {
                failures.push(format!("{what}: {found:?}"));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
