//! SentencePiece in Rust: text to pieces and back, equal to Google's implementation.
//!
//! [`SentencePiece`] reads a published `.spm` or `.model` file (the protobuf of
//! `sentencepiece_model.proto`) with the unigram or the BPE algorithm, the precompiled
//! normalizer map, user-defined symbols and byte fallback. It adds no begin or end token:
//! that is for the model family to decide. The order of floating-point operations follows
//! the original, so that ties and near-ties fall the same way.

mod bpe;
mod normalizer;
mod proto;
mod trie;
mod unigram;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Error, Result};

use normalizer::Normalizer;
use normalizer::SPACE;
use proto::Piece;
pub(crate) use proto::PieceKind;

use proto::{Algorithm, NormalizerRules};
use trie::Trie;

/// A loaded SentencePiece model. Immutable, so any number of threads may share it.
#[derive(Debug)]
pub(crate) struct SentencePiece {
    vocabulary: Vocabulary,
    normalizer: Normalizer,
    /// Normal, user-defined and unused pieces, by which text is segmented.
    trie: Trie,
    algorithm: Algorithm,
    byte_fallback: bool,
    /// What an unknown token decodes to.
    unknown_surface: String,
    /// Ids that the file names for special purposes; absent where the file says −1.
    special: SpecialIds,
    bounds: unigram::Bounds,
}

/// The ids that a model file sets aside; `None` where the model has no such token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpecialIds {
    /// Text that no piece covers.
    pub(crate) unknown: u32,
    /// Begin of a sentence.
    pub(crate) begin: Option<u32>,
    /// End of a sentence.
    pub(crate) end: Option<u32>,
    /// Filler after the end of a row.
    pub(crate) padding: Option<u32>,
}

/// Pieces by id and ids by piece.
#[derive(Debug)]
struct Vocabulary {
    pieces: Vec<Piece>,
    ids: HashMap<String, u32>,
    /// The id of each byte, where the model falls back to bytes.
    bytes: Vec<u32>,
}

/// One piece of an encoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncodedPiece {
    /// The piece as text: that of the vocabulary, or for an unknown the text that was not known.
    pub(crate) text: String,
    /// Its id.
    pub(crate) id: u32,
}

/// Says what is wrong with the compiled map of a normalizer: damage, or replacements so long that
/// a text would grow without measure.
///
/// # Errors
/// What it is.
pub(crate) fn check_map(map: &[u8]) -> Result<(), String> {
    normalizer::check_map(map)
}

impl SentencePiece {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::CorruptModel`] if it is damaged or no
    /// SentencePiece model.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::from_bytes(&bytes, path)
    }

    /// Reads a model from the bytes of a file; `path` is for error messages alone.
    ///
    /// # Errors
    /// [`Error::CorruptModel`] if the bytes are damaged or no SentencePiece model.
    pub(crate) fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        Self::parse(bytes).map_err(|message| Error::CorruptModel {
            path: path.to_path_buf(),
            message: format!("it is not a SentencePiece model: {message}"),
        })
    }

    /// Builds a model from the pieces of a GGUF file: text, score and kind, in the order of ids.
    ///
    /// Text is cut as llama.cpp does: by byte pairs, with no normalization but that of spaces, and
    /// without a space in front. Of equal pieces the last counts. User-defined symbols are not
    /// found: who calls cuts text at those that count.
    ///
    /// # Errors
    /// Which piece cannot be used.
    pub(crate) fn from_pieces(
        pieces: impl Iterator<Item = (String, f32, PieceKind)>,
    ) -> Result<Self, String> {
        let pieces: Vec<Piece> = pieces
            .map(|(text, score, kind)| Piece { text, score, kind })
            .collect();
        let mut ids = HashMap::with_capacity(pieces.len());
        let mut unknown = None;
        let mut bytes = [None; 256];
        let mut entries = Vec::new();
        for (id, piece) in (0u32..).zip(&pieces) {
            if !piece.score.is_finite() {
                return Err(format!("the score of piece {id} is not a number"));
            }
            ids.insert(piece.text.clone(), id);
            match piece.kind {
                PieceKind::Normal => entries.push((piece.text.as_bytes(), id)),
                PieceKind::Unknown => unknown = unknown.or(Some(id)),
                PieceKind::Byte => {
                    if let Some(byte) = proto::byte_of(&piece.text) {
                        bytes[usize::from(byte)] = Some(id);
                    }
                }
                PieceKind::Control | PieceKind::UserDefined | PieceKind::Unused => {}
            }
        }
        let trie = Trie::new(entries);
        let bytes = bytes.into_iter().collect::<Option<Vec<u32>>>();
        if bytes.is_none() && unknown.is_none() {
            return Err("its vocabulary has neither all bytes nor an unknown token".to_owned());
        }
        let rules = NormalizerRules {
            charsmap: Vec::new(),
            add_dummy_prefix: false,
            remove_extra_whitespaces: false,
            escape_whitespaces: true,
            whitespace_is_suffix: false,
        };
        Ok(Self {
            byte_fallback: bytes.is_some(),
            vocabulary: Vocabulary {
                pieces,
                ids,
                bytes: bytes.unwrap_or_default(),
            },
            normalizer: Normalizer::new(rules, Trie::new(Vec::new()))?,
            trie,
            algorithm: Algorithm::Bpe,
            unknown_surface: String::new(),
            special: SpecialIds {
                // Not the id of a piece where bytes stand for all that is unknown.
                unknown: unknown.unwrap_or(u32::MAX),
                begin: None,
                end: None,
                padding: None,
            },
            bounds: unigram::Bounds::default(),
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let model = proto::read(bytes)?;
        let mut ids = HashMap::with_capacity(model.pieces.len());
        let mut unknown = None;
        let mut byte_ids = [None; 256];
        let mut entries = Vec::new();
        let mut user_defined = Vec::new();
        let mut bounds = unigram::Bounds::default();
        for (id, piece) in (0u32..).zip(&model.pieces) {
            if ids.insert(piece.text.clone(), id).is_some() {
                return Err(format!("piece `{}` occurs twice", piece.text));
            }
            match piece.kind {
                PieceKind::Normal => bounds.include(piece.score),
                PieceKind::Unknown if unknown.is_some() => {
                    return Err("it has two unknown pieces".to_owned());
                }
                PieceKind::Unknown => unknown = Some(id),
                PieceKind::UserDefined => user_defined.push((piece.text.as_bytes(), id)),
                PieceKind::Byte => {
                    let byte = proto::byte_of(&piece.text).ok_or_else(|| {
                        format!("byte piece `{}` is not of the form <0xNN>", piece.text)
                    })?;
                    byte_ids[usize::from(byte)] = Some(id);
                }
                PieceKind::Control | PieceKind::Unused => {}
            }
            if matches!(
                piece.kind,
                PieceKind::Normal | PieceKind::UserDefined | PieceKind::Unused
            ) {
                if piece.text.is_empty() {
                    return Err(format!("piece {id} is empty"));
                }
                entries.push((piece.text.as_bytes(), id));
            }
        }
        let unknown = unknown.ok_or("it has no unknown piece")?;
        let bytes = if model.byte_fallback {
            byte_ids
                .into_iter()
                .collect::<Option<Vec<u32>>>()
                .ok_or("it falls back to bytes and lacks a byte piece")?
        } else {
            Vec::new()
        };
        let trie = Trie::new(entries);
        let normalizer = Normalizer::new(model.normalizer, Trie::new(user_defined))?;
        // As in the original, the names decide and not the numbers that the file gives as well.
        let control = |name: &str| {
            let id = *ids.get(name)?;
            (model.pieces[id as usize].kind == PieceKind::Control).then_some(id)
        };
        let special = SpecialIds {
            unknown,
            begin: control(&model.begin_piece),
            end: control(&model.end_piece),
            padding: control(&model.padding_piece),
        };
        Ok(Self {
            vocabulary: Vocabulary {
                pieces: model.pieces,
                ids,
                bytes,
            },
            normalizer,
            trie,
            algorithm: model.algorithm,
            byte_fallback: model.byte_fallback,
            unknown_surface: model.unknown_surface,
            special,
            bounds,
        })
    }

    /// How many pieces there are; ids are below it.
    pub(crate) fn len(&self) -> usize {
        self.vocabulary.pieces.len()
    }

    /// The ids set aside for special purposes.
    pub(crate) fn special(&self) -> SpecialIds {
        self.special
    }

    /// The piece of an id; `None` for an id outside the vocabulary.
    pub(crate) fn piece(&self, id: u32) -> Option<&str> {
        self.vocabulary
            .pieces
            .get(id as usize)
            .map(|piece| piece.text.as_str())
    }

    /// Whether an id is that of a piece which tells a model what to do: `<2ru>`, `<extra_id_0>`.
    pub(crate) fn is_marker(&self, id: u32) -> bool {
        self.vocabulary
            .pieces
            .get(id as usize)
            .is_some_and(|piece| {
                let text = piece.text.trim_start_matches('\u{2581}');
                let named = piece.kind == PieceKind::UserDefined
                    || text.starts_with("<2")
                    || text.starts_with("<extra_id_");
                named && text.len() > 2 && text.starts_with('<') && text.ends_with('>')
            })
    }

    /// The id of a piece, that of the unknown piece not among them.
    pub(crate) fn id(&self, piece: &str) -> Option<u32> {
        self.vocabulary.ids.get(piece).copied()
    }

    /// Text to ids. Empty or blank text has none; nothing is added before or after.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.segment(text, |_, id| ids.push(id));
        ids
    }

    /// Text to pieces with their ids, for vocabularies that number pieces differently.
    pub(crate) fn encode_pieces(&self, text: &str) -> Vec<EncodedPiece> {
        let mut pieces = Vec::new();
        self.segment(text, |text, id| {
            pieces.push(EncodedPiece {
                text: text.to_owned(),
                id,
            })
        });
        pieces
    }

    /// Ids to text. Control tokens are left out, as are ids outside the vocabulary; a token of
    /// unknown text becomes the surface that the model names for it (usually ` ⁇ `).
    pub(crate) fn decode(&self, ids: &[u32]) -> String {
        let mut decoder = Decoder {
            model: self,
            text: String::new(),
            bytes: Vec::new(),
            skipped_space: false,
        };
        for &id in ids {
            if let Some(piece) = self.vocabulary.pieces.get(id as usize) {
                decoder.push(&piece.text, piece.kind, id);
            }
        }
        decoder.finish()
    }

    /// Pieces to text, as [`SentencePiece::decode`], for vocabularies that number pieces
    /// differently. A piece that the model does not know stands for itself.
    pub(crate) fn decode_pieces<S: AsRef<str>>(&self, pieces: &[S]) -> String {
        let mut decoder = Decoder {
            model: self,
            text: String::new(),
            bytes: Vec::new(),
            skipped_space: false,
        };
        for piece in pieces {
            let piece = piece.as_ref();
            match self.id(piece) {
                Some(id) => decoder.push(piece, self.vocabulary.pieces[id as usize].kind, id),
                None => decoder.push(piece, PieceKind::Normal, self.special.unknown),
            }
        }
        decoder.finish()
    }

    /// Calls `emit` for each piece in order: with bytes for unknown text where the model falls
    /// back to bytes, and else with neighbouring unknowns as one.
    fn segment(&self, text: &str, mut emit: impl FnMut(&str, u32)) {
        let normalized = self.normalizer.normalize(text);
        let spans = match self.algorithm {
            Algorithm::Unigram => unigram::segment(&normalized, self),
            Algorithm::Bpe => bpe::segment(&normalized, self),
        };
        let mut spans = spans.into_iter().peekable();
        while let Some(mut span) = spans.next() {
            if span.id != self.special.unknown {
                emit(&normalized[span.start..span.end], span.id);
                continue;
            }
            if self.byte_fallback {
                for byte in normalized[span.start..span.end].bytes() {
                    let id = self.vocabulary.bytes[usize::from(byte)];
                    emit(&self.vocabulary.pieces[id as usize].text, id);
                }
                continue;
            }
            while let Some(next) = spans.next_if(|next| next.id == self.special.unknown) {
                span.end = next.end;
            }
            emit(&normalized[span.start..span.end], span.id);
        }
    }
}

/// A run of normalized text and the piece that it is; byte offsets.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    id: u32,
}

/// Puts the text of pieces together.
struct Decoder<'a> {
    model: &'a SentencePiece,
    text: String,
    /// Byte pieces not yet turned into characters.
    bytes: Vec<u8>,
    /// Whether the space that the normalizer puts before a text has been taken away again.
    skipped_space: bool,
}

impl Decoder<'_> {
    fn push(&mut self, piece: &str, kind: PieceKind, id: u32) {
        if kind == PieceKind::Byte
            && let Some(byte) = proto::byte_of(piece)
        {
            self.bytes.push(byte);
            return;
        }
        self.flush();
        match kind {
            PieceKind::Control => {}
            PieceKind::Unknown if self.model.piece(id) == Some(piece) => {
                self.text.push_str(&self.model.unknown_surface);
            }
            PieceKind::Unknown => self.text.push_str(piece),
            _ => {
                let mut piece = piece;
                let rules = self.model.normalizer.rules();
                let at_start = self.text.is_empty() && !self.skipped_space;
                if at_start
                    && (rules.add_dummy_prefix || rules.remove_extra_whitespaces)
                    && let Some(rest) = piece.strip_prefix(SPACE)
                {
                    piece = rest;
                    // Where extra space is taken out, every space before the text is extra.
                    self.skipped_space = !rules.remove_extra_whitespaces;
                }
                self.text.extend(
                    piece
                        .split(SPACE)
                        .enumerate()
                        .flat_map(|(n, part)| [if n == 0 { "" } else { " " }, part]),
                );
            }
        }
    }

    /// Turns waiting bytes into characters; a byte that belongs to none becomes U+FFFD.
    fn flush(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        for chunk in bytes.utf8_chunks() {
            self.text.push_str(chunk.valid());
            self.text
                .extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
    }

    fn finish(mut self) -> String {
        self.flush();
        self.text
    }
}
