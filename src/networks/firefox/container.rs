//! Marian's binary model format: named arrays of float32, int8 or text.
//!
//! A file is a version, a table of (name length, type, dimensions, bytes), the names, the shapes,
//! a gap for alignment and the data one after the other. Every length is checked against the bytes
//! that are there before anything is read. What the arrays mean is left to the network.

use std::collections::HashMap;
use std::ops::Range;

/// The version of the format that is read here.
const VERSION: u64 = 1;

/// More dimensions than any network has: what is beyond is damage.
const MAX_DIMENSIONS: usize = 8;

/// What an array holds; the numbers are those of Marian's `Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementType {
    Int8,
    Float32,
    /// Int8 with the quantization multiplier behind the last element.
    QuantizedInt8,
    Other(u64),
}

impl ElementType {
    fn from_number(number: u64) -> Self {
        match number {
            0x101 => Self::Int8,
            0x404 => Self::Float32,
            0x4101 => Self::QuantizedInt8,
            other => Self::Other(other),
        }
    }
}

#[derive(Debug)]
struct Item {
    element: ElementType,
    shape: Vec<usize>,
    data: Range<usize>,
}

/// An open model file.
#[derive(Debug)]
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    items: HashMap<String, Item>,
}

/// An int8 matrix as it lies in the file: for each column its inputs side by side.
#[derive(Debug)]
pub(super) struct QuantizedMatrix<'a> {
    /// First and second dimension.
    pub(super) shape: (usize, usize),
    pub(super) weights: &'a [i8],
    /// What a weight was multiplied by before it was rounded.
    pub(super) multiplier: f32,
}

/// Reads numbers and runs of bytes from the front.
struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let wanted = usize::try_from(length).ok();
        let (taken, rest) = wanted
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or_else(|| {
                format!(
                    "it ends too early: {length} bytes are expected at offset {}, of {}",
                    self.offset(),
                    self.total
                )
            })?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, String> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn offset(&self) -> usize {
        self.total - self.rest.len()
    }
}

impl<'a> Container<'a> {
    /// Reads the table of a model file.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let mut reader = Reader {
            rest: bytes,
            total: bytes.len(),
        };
        let version = reader.number()?;
        if version != VERSION {
            return Err(format!(
                "it is not a Marian binary model: {}",
                looks_like(bytes)
            ));
        }
        let count = reader.number()?;
        // Each entry of the table has 32 bytes.
        if count > bytes.len() as u64 / 32 {
            return Err(format!(
                "it ends too early: its table is to have {count} entries"
            ));
        }
        let headers = (0..count)
            .map(|_| {
                Ok([
                    reader.number()?,
                    reader.number()?,
                    reader.number()?,
                    reader.number()?,
                ])
            })
            .collect::<Result<Vec<[u64; 4]>, String>>()?;
        let mut names = Vec::with_capacity(headers.len());
        for [length, ..] in &headers {
            let name = reader.take(*length)?;
            let name = name.strip_suffix(b"\0").unwrap_or(name);
            names.push(
                String::from_utf8(name.to_vec())
                    .map_err(|_| "a name in its table is not UTF-8".to_owned())?,
            );
        }
        let mut shapes = Vec::with_capacity(headers.len());
        for ([_, _, dimensions, _], name) in headers.iter().zip(&names) {
            if *dimensions > MAX_DIMENSIONS as u64 {
                return Err(format!("`{name}` has {dimensions} dimensions"));
            }
            let numbers = reader.take(dimensions * 4)?.chunks_exact(4);
            let shape = numbers.map(|number| {
                let number = i32::from_le_bytes([number[0], number[1], number[2], number[3]]);
                usize::try_from(number).map_err(|_| format!("`{name}` has a dimension of {number}"))
            });
            shapes.push(shape.collect::<Result<Vec<usize>, String>>()?);
        }
        let gap = reader.number()?;
        reader.take(gap)?;
        let mut items = HashMap::with_capacity(headers.len());
        for (([_, element, _, length], name), shape) in headers.into_iter().zip(names).zip(shapes) {
            let start = reader.offset();
            reader
                .take(length)
                .map_err(|message| format!("{message} (`{name}`)"))?;
            let item = Item {
                element: ElementType::from_number(element),
                shape,
                data: start..reader.offset(),
            };
            items.insert(name, item);
        }
        Ok(Self { bytes, items })
    }

    /// Whether there is an array of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.items.contains_key(name)
    }

    fn item(&self, name: &str) -> Result<(&Item, &'a [u8]), String> {
        let item = self
            .items
            .get(name)
            .ok_or_else(|| format!("`{name}` is missing"))?;
        Ok((item, &self.bytes[item.data.clone()]))
    }

    /// A text, such as `special:model.yml`.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, String> {
        let (item, data) = self.item(name)?;
        if item.element != ElementType::Int8 {
            return Err(wrong_type(name, item, "text"));
        }
        let data = data.split(|&byte| byte == 0).next().unwrap_or_default();
        std::str::from_utf8(data).map_err(|_| format!("`{name}` is not UTF-8"))
    }

    /// An array of float32 with this many elements.
    pub(super) fn floats(&self, name: &str, count: usize) -> Result<Vec<f32>, String> {
        let (item, data) = self.item(name)?;
        if item.element != ElementType::Float32 {
            return Err(wrong_type(name, item, "float32"));
        }
        let elements = elements(name, item)?;
        if elements != count {
            return Err(format!(
                "`{name}` has {elements} elements, expected {count}"
            ));
        }
        let data = data
            .get(..count * 4)
            .ok_or_else(|| short(name, data.len(), count * 4))?;
        let values: Vec<f32> = data
            .chunks_exact(4)
            .map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]]))
            .collect();
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(format!("`{name}` holds a value that is not a number"))
        }
    }

    /// An int8 matrix.
    pub(super) fn matrix(&self, name: &str) -> Result<QuantizedMatrix<'a>, String> {
        let (item, data) = self.item(name)?;
        if item.element != ElementType::QuantizedInt8 {
            return Err(wrong_type(name, item, "int8 with a multiplier"));
        }
        let &[rows, columns] = item.shape.as_slice() else {
            return Err(format!(
                "`{name}` has {} dimensions, expected 2",
                item.shape.len()
            ));
        };
        let count = elements(name, item)?;
        let missing = || short(name, data.len(), count + 4);
        let (weights, rest) = data.split_at_checked(count).ok_or_else(missing)?;
        let multiplier = f32::from_le_bytes(*rest.first_chunk().ok_or_else(missing)?);
        if !(multiplier.is_finite() && multiplier > 0.0) {
            return Err(format!("the multiplier of `{name}` is {multiplier}"));
        }
        // The quantizer never makes −128, and the products rely on that.
        if weights.contains(&0x80) {
            return Err(format!(
                "`{name}` holds the weight −128, expected −127 to 127"
            ));
        }
        Ok(QuantizedMatrix {
            shape: (rows, columns),
            weights: signed(weights),
            multiplier,
        })
    }

    /// What activations are multiplied by before they are rounded for a product with `matrix`.
    pub(super) fn activation_multiplier(&self, matrix: &str) -> Result<f32, String> {
        let name = format!("{matrix}_QuantMultA");
        if !self.contains(&name) {
            return Err(format!(
                "`{name}` is missing: a model with stored activation multipliers is expected (`*.alphas.bin`)"
            ));
        }
        let (item, _) = self.item(&name)?;
        let value = match item.element {
            // That of the embeddings was quantized along with them.
            ElementType::QuantizedInt8 => {
                let matrix = self.matrix(&name)?;
                f32::from(*matrix.weights.first().unwrap_or(&0)) * (1.0 / matrix.multiplier)
            }
            _ => self.floats(&name, 1)?[0],
        };
        if value.is_finite() && value > 0.0 {
            Ok(value)
        } else {
            Err(format!("`{name}` is {value}"))
        }
    }
}

fn elements(name: &str, item: &Item) -> Result<usize, String> {
    let product = item
        .shape
        .iter()
        .try_fold(1usize, |product, &dimension| product.checked_mul(dimension));
    // Nothing as large as this could be in memory, so that the arithmetic on it is safe.
    product
        .filter(|&product| product < isize::MAX as usize / 8)
        .ok_or_else(|| format!("`{name}` has impossible dimensions {:?}", item.shape))
}

fn short(name: &str, found: usize, expected: usize) -> String {
    format!("`{name}` has {found} bytes, expected {expected}")
}

fn wrong_type(name: &str, item: &Item, expected: &str) -> String {
    format!(
        "`{name}` has elements of type {:?}, expected {expected}",
        item.element
    )
}

/// Bytes as the signed numbers that they are.
fn signed(bytes: &[u8]) -> &[i8] {
    // SAFETY: i8 has the size and alignment of u8, and every pattern of bits is valid.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

/// What a file that is no model seems to be, for an error message.
pub(super) fn looks_like(bytes: &[u8]) -> String {
    let kind = match bytes {
        [] => "it is empty",
        [b'P', b'K', 3 | 5, ..] => "it is a zip archive",
        [0x1f, 0x8b, ..] => "it is compressed with gzip twice",
        [b'G', b'G', b'U', b'F', ..] => "it is a GGUF file",
        [b'<', ..] => "it looks like a web page",
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' ', ..] => {
            "it is a Git LFS pointer, not the file itself"
        }
        _ => "it begins with other bytes than such a file",
    };
    kind.to_owned()
}

#[cfg(test)]
pub(super) mod build {
    //! Writes model files for tests.

    /// The arrays of a file to be written.
    #[derive(Default)]
    pub(crate) struct Writer {
        items: Vec<(String, u64, Vec<i32>, Vec<u8>)>,
    }

    impl Writer {
        pub(crate) fn floats(&mut self, name: &str, values: &[f32]) {
            let bytes = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            self.items
                .push((name.to_owned(), 0x404, vec![1, values.len() as i32], bytes));
        }

        pub(crate) fn text(&mut self, name: &str, text: &str) {
            self.items.push((
                name.to_owned(),
                0x101,
                vec![text.len() as i32 + 1],
                [text.as_bytes(), b"\0"].concat(),
            ));
        }

        pub(crate) fn matrix(
            &mut self,
            name: &str,
            shape: (usize, usize),
            weights: &[i8],
            multiplier: f32,
        ) {
            assert_eq!(weights.len(), shape.0 * shape.1);
            let mut bytes: Vec<u8> = weights.iter().map(|&weight| weight as u8).collect();
            bytes.extend(multiplier.to_le_bytes());
            bytes.resize(bytes.len().next_multiple_of(256), 0);
            self.items.push((
                name.to_owned(),
                0x4101,
                vec![shape.0 as i32, shape.1 as i32],
                bytes,
            ));
        }

        pub(crate) fn finish(&self) -> Vec<u8> {
            let mut bytes = Vec::new();
            bytes.extend(super::VERSION.to_le_bytes());
            bytes.extend((self.items.len() as u64).to_le_bytes());
            for (name, element, shape, data) in &self.items {
                for number in [
                    name.len() as u64 + 1,
                    *element,
                    shape.len() as u64,
                    data.len() as u64,
                ] {
                    bytes.extend(number.to_le_bytes());
                }
            }
            for (name, ..) in &self.items {
                bytes.extend(name.as_bytes());
                bytes.push(0);
            }
            for (_, _, shape, _) in &self.items {
                bytes.extend(shape.iter().flat_map(|dimension| dimension.to_le_bytes()));
            }
            let gap = 256 - (bytes.len() + 8) % 256;
            bytes.extend((gap as u64).to_le_bytes());
            bytes.resize(bytes.len() + gap, 0);
            for (_, _, _, data) in &self.items {
                bytes.extend(data);
            }
            bytes
        }
    }
}
