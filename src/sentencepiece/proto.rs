//! Reads the protobuf of a SentencePiece model (`sentencepiece_model.proto`).
//!
//! Only the fields that encoding and decoding need are kept; the rest is stepped over. Lengths
//! are checked against the bytes that are there, so a damaged file gives a message and no panic.

/// How text is cut into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Unigram,
    Bpe,
}

/// What a piece is for; the numbers are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// An entry of a vocabulary.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: PieceKind,
}

impl PieceKind {
    /// The kind of a number, as SentencePiece and GGUF files write it.
    pub(crate) fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }

    /// Whether a piece of this kind is never text.
    pub(crate) fn is_control(self) -> bool {
        matches!(self, Self::Control | Self::Unknown)
    }
}

/// How text is normalized before it is cut.
#[derive(Debug)]
pub(super) struct NormalizerRules {
    /// The compiled map of character sequences; empty for none.
    pub(super) charsmap: Vec<u8>,
    pub(super) add_dummy_prefix: bool,
    pub(super) remove_extra_whitespaces: bool,
    pub(super) escape_whitespaces: bool,
    pub(super) whitespace_is_suffix: bool,
}

/// The parts of a model file that matter here.
#[derive(Debug)]
pub(super) struct ModelFile {
    pub(super) pieces: Vec<Piece>,
    pub(super) algorithm: Algorithm,
    pub(super) normalizer: NormalizerRules,
    pub(super) byte_fallback: bool,
    pub(super) unknown_surface: String,
    pub(super) begin_piece: String,
    pub(super) end_piece: String,
    pub(super) padding_piece: String,
}

/// The byte that a piece such as `<0x0A>` stands for.
pub(super) fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2)
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

/// Reads a model file.
pub(super) fn read(bytes: &[u8]) -> Result<ModelFile, String> {
    // Defaults are those of the schema.
    let mut model = ModelFile {
        pieces: Vec::new(),
        algorithm: Algorithm::Unigram,
        normalizer: NormalizerRules {
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
            whitespace_is_suffix: false,
        },
        byte_fallback: false,
        unknown_surface: " \u{2047} ".to_owned(),
        begin_piece: "<s>".to_owned(),
        end_piece: "</s>".to_owned(),
        padding_piece: "<pad>".to_owned(),
    };
    let mut message = Message::new(bytes);
    while let Some((field, value)) = message.next()? {
        match (field, value) {
            (1, Value::Bytes(bytes)) => model.pieces.push(read_piece(bytes)?),
            (2, Value::Bytes(bytes)) => read_trainer(bytes, &mut model)?,
            (3, Value::Bytes(bytes)) => read_normalizer(bytes, &mut model.normalizer)?,
            (5, Value::Bytes(bytes)) => refuse_denormalizer(bytes)?,
            _ => {}
        }
    }
    if model.pieces.is_empty() {
        return Err("it holds no pieces".to_owned());
    }
    Ok(model)
}

fn read_piece(bytes: &[u8]) -> Result<Piece, String> {
    let mut piece = Piece {
        text: String::new(),
        score: 0.0,
        kind: PieceKind::Normal,
    };
    let mut message = Message::new(bytes);
    while let Some((field, value)) = message.next()? {
        match (field, value) {
            (1, Value::Bytes(bytes)) => piece.text = text(bytes)?,
            (2, Value::Fixed32(bits)) => piece.score = f32::from_bits(bits),
            (3, Value::Varint(kind)) => {
                let known = i64::try_from(kind).ok().and_then(PieceKind::of);
                piece.kind = known.ok_or_else(|| format!("a piece has the unknown type {kind}"))?;
            }
            _ => {}
        }
    }
    if !piece.score.is_finite() {
        return Err(format!(
            "the score of piece `{}` is not a number",
            piece.text
        ));
    }
    Ok(piece)
}

fn read_trainer(bytes: &[u8], model: &mut ModelFile) -> Result<(), String> {
    let mut message = Message::new(bytes);
    while let Some((field, value)) = message.next()? {
        match (field, value) {
            (3, Value::Varint(kind)) => {
                model.algorithm = match kind {
                    1 => Algorithm::Unigram,
                    2 => Algorithm::Bpe,
                    3 => return Err("it cuts text into words, which is not supported".to_owned()),
                    4 => {
                        return Err(
                            "it cuts text into characters, which is not supported".to_owned()
                        );
                    }
                    other => return Err(format!("it has the unknown model type {other}")),
                }
            }
            (24, Value::Varint(flag)) => model.normalizer.whitespace_is_suffix = flag != 0,
            (35, Value::Varint(flag)) => model.byte_fallback = flag != 0,
            (44, Value::Bytes(bytes)) => model.unknown_surface = text(bytes)?,
            (46, Value::Bytes(bytes)) => model.begin_piece = text(bytes)?,
            (47, Value::Bytes(bytes)) => model.end_piece = text(bytes)?,
            (48, Value::Bytes(bytes)) => model.padding_piece = text(bytes)?,
            _ => {}
        }
    }
    Ok(())
}

fn read_normalizer(bytes: &[u8], rules: &mut NormalizerRules) -> Result<(), String> {
    let mut message = Message::new(bytes);
    while let Some((field, value)) = message.next()? {
        match (field, value) {
            (2, Value::Bytes(bytes)) => rules.charsmap = bytes.to_vec(),
            (3, Value::Varint(flag)) => rules.add_dummy_prefix = flag != 0,
            (4, Value::Varint(flag)) => rules.remove_extra_whitespaces = flag != 0,
            (5, Value::Varint(flag)) => rules.escape_whitespaces = flag != 0,
            _ => {}
        }
    }
    Ok(())
}

/// No published translation model has a map for its output; one that does would be decoded wrongly.
fn refuse_denormalizer(bytes: &[u8]) -> Result<(), String> {
    let mut rules = NormalizerRules {
        charsmap: Vec::new(),
        add_dummy_prefix: false,
        remove_extra_whitespaces: false,
        escape_whitespaces: false,
        whitespace_is_suffix: false,
    };
    read_normalizer(bytes, &mut rules)?;
    if rules.charsmap.is_empty() {
        Ok(())
    } else {
        Err("it has a denormalizer map, which is not supported".to_owned())
    }
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a text in it is not UTF-8".to_owned())
}

/// One value of a protobuf message.
enum Value<'a> {
    Varint(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    /// Eight bytes, which no field of interest has.
    Fixed64,
}

/// The fields of a protobuf message, one after the other.
struct Message<'a> {
    rest: &'a [u8],
}

impl<'a> Message<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next field number and value; `None` at the end.
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| truncated())?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                let bytes = self.take(4)?.first_chunk().ok_or_else(truncated)?;
                Value::Fixed32(u32::from_le_bytes(*bytes))
            }
            other => return Err(format!("its protobuf has the unknown wire type {other}")),
        };
        Ok(Some((key >> 3, value)))
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(truncated())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

fn truncated() -> String {
    "its protobuf ends too early".to_owned()
}
