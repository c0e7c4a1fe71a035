//! The pieces of a chat model: text to ids and back, equal to llama.cpp's.
//!
//! Control tokens are never made of text: only [`Pieces::parts`] finds them, and it is asked about a
//! model's own template alone.

use super::byte_level::{self, ByteLevel};
use super::markers::{Finder, Part};
use super::vocabulary::{ENDS, Fault, Vocabulary};
use crate::decode::TokenId;
use crate::sentencepiece::{PieceKind, SentencePiece};

enum Algorithm {
    ByteLevel(Box<ByteLevel>),
    Sentence(Box<SentencePiece>),
}

/// The pieces of a model.
pub(super) struct Pieces {
    algorithm: Algorithm,
    vocabulary: Vocabulary,
    /// Control tokens, and all that the makers of the model have defined.
    markers: Finder,
    /// What the makers have defined.
    defined: Finder,
    /// What they have defined of white space alone.
    spaces: Finder,
}

impl Pieces {
    pub(super) fn new(mut vocabulary: Vocabulary) -> Result<Self, Fault> {
        let sizes = [vocabulary.scores.len(), vocabulary.kinds.len()];
        let count = vocabulary.tokens.len();
        if count == 0 || sizes.iter().any(|&size| size != 0 && size != count) {
            return Err(Fault::Corrupt(format!(
                "its vocabulary has {count} tokens, {} scores and {} kinds",
                sizes[0], sizes[1]
            )));
        }
        for (what, id) in [("bos", vocabulary.begin), ("eos", vocabulary.end)] {
            if id.is_some_and(|id| id as usize >= count) {
                return Err(Fault::Corrupt(format!(
                    "`tokenizer.ggml.{what}_token_id` lies beyond the vocabulary"
                )));
            }
        }
        for (kind, token) in vocabulary.kinds.iter_mut().zip(&vocabulary.tokens) {
            if *kind == PieceKind::UserDefined && ENDS.contains(&token.as_str()) {
                *kind = PieceKind::Control;
            }
        }
        let algorithm = match vocabulary.model.as_str() {
            "gpt2" => Algorithm::ByteLevel(Box::new(ByteLevel::new(&vocabulary)?)),
            "llama" => Algorithm::Sentence(Box::new(sentence(&vocabulary)?)),
            other => {
                return Err(Fault::Unsupported(format!(
                    "its tokenizer, `tokenizer.ggml.model` = `{other}`, is not known; `gpt2` and \
                     `llama` are"
                )));
            }
        };
        let of = |wanted: fn(PieceKind, &str) -> bool| {
            Finder::new((0..).zip(&vocabulary.tokens).filter_map(|(id, token)| {
                let is_wanted = !token.is_empty() && wanted(vocabulary.kind(id), token);
                is_wanted.then_some((id, token.as_str()))
            }))
        };
        Ok(Self {
            markers: of(|kind, _| kind.is_control() || kind == PieceKind::UserDefined)?,
            defined: of(|kind, _| kind == PieceKind::UserDefined)?,
            spaces: of(|kind, token| kind == PieceKind::UserDefined && is_space(token))?,
            algorithm,
            vocabulary,
        })
    }

    /// How many tokens there are.
    pub(super) fn len(&self) -> usize {
        self.vocabulary.tokens.len()
    }

    /// The text of a token as the file writes it.
    pub(super) fn token(&self, id: TokenId) -> Option<&str> {
        let token = self.vocabulary.tokens.get(id as usize);
        token.map(String::as_str)
    }

    /// The control or defined token of a name.
    pub(super) fn marker(&self, name: &str) -> Option<TokenId> {
        self.markers.id(name)
    }

    pub(super) fn kind(&self, id: TokenId) -> PieceKind {
        self.vocabulary.kind(id)
    }

    /// The token that begins a text; `None` where the model is not used to one.
    pub(super) fn begins_with(&self) -> Option<TokenId> {
        let usual = match (&self.algorithm, self.vocabulary.pre.as_deref()) {
            (Algorithm::Sentence(_), _) => true,
            (_, pre) => matches!(pre, Some("llama-bpe" | "llama3" | "llama-v3")),
        };
        let begin = self.vocabulary.begin;
        begin.filter(|_| self.vocabulary.add_begin.unwrap_or(usual))
    }

    pub(super) fn begin(&self) -> Option<TokenId> {
        self.vocabulary.begin
    }

    pub(super) fn end(&self) -> Option<TokenId> {
        self.vocabulary.end
    }

    /// Text cut at all its markers.
    pub(super) fn parts<'a>(&self, text: &'a str) -> Vec<Part<'a>> {
        self.markers.parts(text)
    }

    /// Text as llama.cpp encodes it: what the makers have defined is found in it, control tokens
    /// are not.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<TokenId>, String> {
        let mut ids = Vec::new();
        self.encode_parts(&self.defined.parts(text), &mut ids)?;
        Ok(ids)
    }

    /// Text as text: no marker is found in it, whatever its kind. It stands at the beginning or
    /// behind a marker.
    pub(super) fn encode_plain(&self, text: &str, ids: &mut Vec<TokenId>) -> Result<(), String> {
        self.encode_parts(&self.spaces.parts(text), ids)
    }

    fn encode_parts(&self, parts: &[Part<'_>], ids: &mut Vec<TokenId>) -> Result<(), String> {
        for part in parts {
            match (part, &self.algorithm) {
                (Part::Token(id), _) => ids.push(*id),
                (Part::Text(text), Algorithm::ByteLevel(bytes)) => bytes.encode(text, ids)?,
                (Part::Text(text), Algorithm::Sentence(model)) => {
                    // Each part stands at the beginning or behind a token.
                    if self.vocabulary.add_space.unwrap_or(true) {
                        ids.extend(model.encode(&format!(" {text}")));
                    } else {
                        ids.extend(model.encode(text));
                    }
                }
            }
        }
        Ok(())
    }

    /// Ids to text; control tokens are left out, as are ids beyond the vocabulary.
    pub(super) fn decode(&self, ids: &[TokenId]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| self.bytes(id)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes that a token stands for in text.
    pub(super) fn bytes(&self, id: TokenId) -> Vec<u8> {
        let Some(token) = self.token(id) else {
            return Vec::new();
        };
        match (self.kind(id), &self.algorithm) {
            (PieceKind::Control | PieceKind::Unknown, _) => Vec::new(),
            (PieceKind::Byte, _) if byte_of(token).is_some() => {
                byte_of(token).into_iter().collect()
            }
            (PieceKind::UserDefined, Algorithm::ByteLevel(_)) => token.as_bytes().to_vec(),
            (_, Algorithm::ByteLevel(_)) => byte_level::bytes_of(token),
            (_, Algorithm::Sentence(_)) => token.replace('\u{2581}', " ").into_bytes(),
        }
    }
}

/// The byte that a piece such as `<0x0A>` stands for.
fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    u8::from_str_radix(digits, 16).ok()
}

/// Whether a token is white space alone.
fn is_space(token: &str) -> bool {
    token.chars().all(|c| c == '\u{2581}' || c.is_whitespace())
}

fn sentence(vocabulary: &Vocabulary) -> Result<SentencePiece, Fault> {
    if vocabulary.scores.is_empty() {
        return Err(Fault::Corrupt("its vocabulary has no scores".to_owned()));
    }
    let pieces = (0..).zip(&vocabulary.tokens).zip(&vocabulary.scores);
    let pieces = pieces.map(|((id, token), &score)| {
        let kind = match vocabulary.kind(id) {
            // Runs of spaces are merged like other pieces. What is marked as unused is no marker.
            PieceKind::UserDefined if is_space(token) => PieceKind::Normal,
            PieceKind::Unused => PieceKind::Normal,
            kind => kind,
        };
        (token.clone(), score, kind)
    });
    SentencePiece::from_pieces(pieces).map_err(Fault::Corrupt)
}

#[cfg(test)]
mod tests;
