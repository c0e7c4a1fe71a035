//! Tokenizers of encoder–decoder checkpoints: SentencePiece with the numbering of each family.
//!
//! A source row is what tells the model the language, the pieces of the text, the end. Text is
//! never read as a language or control token: those are given beside it, by name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::decode::TokenId;
use crate::error::{Error, Result};
use crate::registry::Family;
use crate::sentencepiece::SentencePiece;

use super::json;

/// The largest id of a token; vocabularies have up to some hundred thousand.
const LAST_ID: TokenId = 1 << 24;

/// Text to source rows, and target ids to text.
pub(crate) struct PieceTokenizer {
    directory: PathBuf,
    numbering: Numbering,
    /// Tokens outside of the pieces by name: languages, above all.
    named: HashMap<String, TokenId>,
    end: TokenId,
}

enum Numbering {
    /// A model a side, numbered by a list that both share (or one each).
    Listed {
        source: Box<SentencePiece>,
        target: Box<SentencePiece>,
        ids: HashMap<String, TokenId>,
        unknown: TokenId,
        /// The numbers of target pieces, where the list for them is another.
        target_ids: Option<HashMap<String, TokenId>>,
        target_unknown: TokenId,
        /// Target pieces by number.
        pieces: HashMap<TokenId, String>,
    },
    /// One model, whose numbers are moved up by `offset`; its unknown piece has a number of its own.
    Shifted {
        model: Box<SentencePiece>,
        offset: TokenId,
        unknown: TokenId,
    },
    /// `tokenizer.json`.
    Json(Box<tokenizers::Tokenizer>),
}

/// How a direction is told to the model, in ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Direction {
    /// Before the text.
    pub(crate) prefix: Vec<TokenId>,
    /// The first token of the target.
    pub(crate) forced_first: Option<TokenId>,
    /// What the decoder reads first, in place of the usual.
    pub(crate) start: Option<TokenId>,
}

impl PieceTokenizer {
    /// Loads the tokenizer of a directory: `source.spm`, `target.spm` and `vocab.json` (Marian),
    /// `sentencepiece.bpe.model` (M2M100 with `vocab.json`, NLLB without), `spiece.model` (T5), else
    /// `tokenizer.json`. `config` is `config.json`.
    pub(crate) fn load(directory: &Path, family: Family, config: &Value) -> Result<Self> {
        let end = config
            .get("eos_token_id")
            .and_then(Value::as_u64)
            .and_then(|id| TokenId::try_from(id).ok());
        let file = |name: &str| Some(directory.join(name)).filter(|path| path.is_file());
        let mut named = named_tokens(directory);
        let numbering = match (
            family,
            file("source.spm"),
            file("sentencepiece.bpe.model"),
            file("spiece.model"),
        ) {
            (Family::Marian, Some(source), _, _) => marian(directory, &source)?,
            (Family::M2m100, _, Some(model), _) => m2m100(directory, &model, &mut named)?,
            (Family::T5, _, _, Some(model)) => {
                let model = Box::new(SentencePiece::from_file(&model)?);
                let unknown = model.special().unknown;
                Numbering::Shifted {
                    model,
                    offset: 0,
                    unknown,
                }
            }
            _ => {
                let path = file("tokenizer.json").ok_or_else(|| Error::UnsupportedModel {
                    path: directory.to_path_buf(),
                    message: format!(
                        "there is no tokenizer in it (for `{family}` {})",
                        wanted(family)
                    ),
                })?;
                Numbering::Json(Box::new(json::read(&path)?))
            }
        };
        let mut tokenizer = Self {
            directory: directory.to_path_buf(),
            numbering,
            named,
            end: 0,
        };
        tokenizer.end = match end.or_else(|| tokenizer.token("</s>")) {
            Some(end) => end,
            None => {
                return Err(tokenizer
                    .unsupported("it has no `eos_token_id` and no token `</s>`".to_owned()));
            }
        };
        Ok(tokenizer)
    }

    fn unsupported(&self, message: String) -> Error {
        Error::UnsupportedModel {
            path: self.directory.clone(),
            message,
        }
    }

    /// The id of a token by its name.
    pub(crate) fn token(&self, name: &str) -> Option<TokenId> {
        if let Some(&id) = self.named.get(name) {
            return Some(id);
        }
        match &self.numbering {
            Numbering::Listed { ids, .. } => ids.get(name).copied(),
            Numbering::Shifted { model, offset, .. } => model.id(name).map(|id| id + offset),
            Numbering::Json(tokenizer) => tokenizer.token_to_id(name),
        }
    }

    /// The ids that tell the model a direction. `source` and `target` are the names of the tokens
    /// in the catalogue: for Marian and T5 `target` stands before the text, for M2M100 and NLLB
    /// `source` does and `target` comes first in the output; for a checkpoint with a
    /// `langid_map` `target` is a key of that, and what the decoder starts with.
    pub(crate) fn direction(
        &self,
        family: Family,
        config: &Value,
        source: Option<&str>,
        target: Option<&str>,
    ) -> Result<Direction> {
        let id = |name: &str| {
            self.token(name)
                .ok_or_else(|| self.unsupported(format!("its tokenizer has no token `{name}`")))
        };
        let map = config
            .get("task_specific_params")
            .and_then(|params| params.get("langid_map"))
            .or(config.get("langid_map"));
        let mut direction = Direction::default();
        match (family, target) {
            (Family::M2m100, target) => {
                direction.prefix = source.map(id).transpose()?.into_iter().collect();
                direction.forced_first = target.map(id).transpose()?;
            }
            (Family::T5, Some(target)) if map.is_some_and(Value::is_object) => {
                let entry = map.and_then(|map| map.get(target));
                let name = entry.and_then(|entry| entry.get(1).unwrap_or(entry).as_str());
                let name = name.ok_or_else(|| {
                    self.unsupported(format!("its `langid_map` has no entry `{target}`"))
                })?;
                direction.start = Some(id(name)?);
            }
            // A T5 vocabulary may hold the name of a language as a piece of text.
            (Family::T5, Some(target)) if !target.starts_with('<') => {
                return Err(
                    self.unsupported(format!("`{target}` is no token that names a language"))
                );
            }
            (_, Some(target)) => direction.prefix = vec![id(target)?],
            (_, None) => {}
        }
        Ok(direction)
    }

    /// The source row of a text.
    pub(crate) fn encode(&self, text: &str, direction: &Direction) -> Result<Vec<TokenId>> {
        let mut row = direction.prefix.clone();
        match &self.numbering {
            Numbering::Listed {
                source,
                ids,
                unknown,
                ..
            } => {
                let pieces = source.encode_pieces(text);
                row.extend(
                    pieces
                        .iter()
                        .map(|piece| ids.get(&piece.text).copied().unwrap_or(*unknown)),
                );
            }
            Numbering::Shifted {
                model,
                offset,
                unknown,
            } => {
                let none = model.special().unknown;
                let mut ids = model.encode(text);
                // In a text the names of markers are text like any other.
                if ids.iter().any(|&id| model.is_marker(id)) {
                    let apart = ['<', '\u{FF1C}', '\u{FE64}']
                        .iter()
                        .fold(text.to_owned(), |text, mark| text.replace(*mark, "< "));
                    ids = model.encode(&apart);
                    ids.retain(|&id| !model.is_marker(id));
                }
                row.extend(
                    ids.into_iter()
                        .map(|id| if id == none { *unknown } else { id + offset }),
                );
            }
            Numbering::Json(tokenizer) => {
                let encoding = tokenizer
                    .encode_fast(text, false)
                    .map_err(|error| Error::Tokenizer(error.to_string()))?;
                row.extend_from_slice(encoding.get_ids());
            }
        }
        row.push(self.end);
        Ok(row)
    }

    /// The ids that a target has where it says a phrase after a space, without the end; `None` for a
    /// phrase that the vocabulary cannot write.
    pub(crate) fn encode_phrase(&self, phrase: &str) -> Result<Option<Vec<TokenId>>> {
        if let Numbering::Listed {
            target,
            ids,
            target_ids,
            target_unknown,
            ..
        } = &self.numbering
        {
            let ids = target_ids.as_ref().unwrap_or(ids);
            let id = |piece: &str| ids.get(piece).copied().filter(|id| id != target_unknown);
            let pieces = target.encode_pieces(phrase);
            return Ok(pieces.iter().map(|piece| id(&piece.text)).collect());
        }
        let mut ids = self.encode(phrase, &Direction::default())?;
        ids.pop();
        let unknown = match &self.numbering {
            Numbering::Shifted { unknown, .. } => Some(*unknown),
            Numbering::Json(tokenizer) => tokenizer.token_to_id("<unk>"),
            Numbering::Listed { .. } => None,
        };
        Ok(Some(ids).filter(|ids| !ids.iter().any(|id| Some(*id) == unknown)))
    }

    /// The text of target ids; control and language tokens are left out.
    pub(crate) fn decode(&self, ids: &[TokenId]) -> Result<String> {
        let is_text =
            |id: &&TokenId| **id != self.end && !self.named.values().any(|named| named == *id);
        let ids: Vec<TokenId> = ids.iter().filter(is_text).copied().collect();
        Ok(match &self.numbering {
            Numbering::Listed {
                target,
                pieces,
                target_unknown,
                ..
            } => {
                let is_control = |piece: &str| {
                    piece == "<pad>" || (piece.starts_with(">>") && piece.ends_with("<<"))
                };
                let pieces: Vec<&str> = ids
                    .iter()
                    .filter(|id| *id != target_unknown)
                    .filter_map(|id| pieces.get(id).map(String::as_str))
                    .filter(|piece| !is_control(piece))
                    .collect();
                target.decode_pieces(&pieces)
            }
            Numbering::Shifted {
                model,
                offset,
                unknown,
            } => {
                let ids: Vec<u32> = ids
                    .into_iter()
                    .filter(|id| id != unknown)
                    .filter_map(|id| id.checked_sub(*offset))
                    .filter(|&id| (id as usize) < model.len())
                    .collect();
                model.decode(&ids)
            }
            Numbering::Json(tokenizer) => tokenizer
                .decode(&ids, true)
                .map_err(|error| Error::Tokenizer(error.to_string()))?,
        })
    }
}

fn wanted(family: Family) -> &'static str {
    match family {
        Family::Marian => "`source.spm`, `target.spm` and `vocab.json` are needed",
        Family::M2m100 => "`sentencepiece.bpe.model` or `tokenizer.json` is needed",
        _ => "`spiece.model` or `tokenizer.json` is needed",
    }
}

fn marian(directory: &Path, source: &Path) -> Result<Numbering> {
    let source = Box::new(SentencePiece::from_file(source)?);
    let target = Box::new(SentencePiece::from_file(&directory.join("target.spm"))?);
    let ids = vocabulary(&directory.join("vocab.json"))?;
    let separate = directory.join("target_vocab.json");
    let target_ids = separate
        .is_file()
        .then(|| vocabulary(&separate))
        .transpose()?;
    let unknown_of = |ids: &HashMap<String, TokenId>, name: &str| {
        let unknown = ids.get("<unk>").copied();
        unknown.ok_or_else(|| Error::CorruptModel {
            path: directory.join(name),
            message: "it has no `<unk>`".to_owned(),
        })
    };
    let unknown = unknown_of(&ids, "vocab.json")?;
    let target_unknown = match &target_ids {
        Some(ids) => unknown_of(ids, "target_vocab.json")?,
        None => unknown,
    };
    Ok(Numbering::Listed {
        source,
        target,
        pieces: by_number(target_ids.as_ref().unwrap_or(&ids)),
        ids,
        unknown,
        target_ids,
        target_unknown,
    })
}

fn m2m100(
    directory: &Path,
    path: &Path,
    named: &mut HashMap<String, TokenId>,
) -> Result<Numbering> {
    let model = Box::new(SentencePiece::from_file(path)?);
    let list = directory.join("vocab.json");
    if list.is_file() {
        let ids = vocabulary(&list)?;
        let first = ids.values().copied().max().map_or(0, |id| id + 1);
        number_languages(directory, first, named);
        let unknown = ids.get("<unk>").copied().unwrap_or(3);
        let target = Box::new(SentencePiece::from_file(path)?);
        return Ok(Numbering::Listed {
            source: model,
            target,
            pieces: by_number(&ids),
            ids,
            unknown,
            target_ids: None,
            target_unknown: unknown,
        });
    }
    // fairseq puts `<s> <pad> </s> <unk>` before the pieces, SentencePiece `<unk> <s> </s>`.
    for (name, id) in [("<s>", 0), ("<pad>", 1), ("</s>", 2), ("<unk>", 3)] {
        named.insert(name.to_owned(), id);
    }
    number_languages(directory, model.len() as TokenId + 1, named);
    Ok(Numbering::Shifted {
        model,
        offset: 1,
        unknown: 3,
    })
}

fn read_json(path: &Path) -> Result<Value> {
    let text = std::fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&text).map_err(|error| Error::CorruptModel {
        path: path.to_path_buf(),
        message: error.to_string(),
    })
}

/// Reads the ids of tokens.
fn vocabulary(path: &Path) -> Result<HashMap<String, TokenId>> {
    let corrupt = |message: String| Error::CorruptModel {
        path: path.to_path_buf(),
        message,
    };
    let ids: HashMap<String, TokenId> =
        serde_json::from_value(read_json(path)?).map_err(|error| corrupt(error.to_string()))?;
    match ids.values().find(|&&id| id > LAST_ID) {
        Some(id) => Err(corrupt(format!("it has a token of number {id}"))),
        None => Ok(ids),
    }
}

fn by_number(ids: &HashMap<String, TokenId>) -> HashMap<TokenId, String> {
    ids.iter().map(|(piece, &id)| (id, piece.clone())).collect()
}

/// Tokens that `tokenizer_config.json` lists with their numbers, language codes above all.
fn named_tokens(directory: &Path) -> HashMap<String, TokenId> {
    let Ok(config) = read_json(&directory.join("tokenizer_config.json")) else {
        return HashMap::new();
    };
    let Some(added) = config
        .get("added_tokens_decoder")
        .and_then(Value::as_object)
    else {
        return HashMap::new();
    };
    added
        .iter()
        .filter(|(_, token)| {
            token
                .get("special")
                .and_then(Value::as_bool)
                .unwrap_or(true)
        })
        .filter_map(|(id, token)| {
            Some((token.get("content")?.as_str()?.to_owned(), id.parse().ok()?))
        })
        .collect()
}

/// Numbers the languages from `first` on, in the order in which the tokenizer's files list them,
/// unless they have numbers already.
fn number_languages(directory: &Path, first: TokenId, named: &mut HashMap<String, TokenId>) {
    for file in ["special_tokens_map.json", "tokenizer_config.json"] {
        let Ok(map) = read_json(&directory.join(file)) else {
            continue;
        };
        let Some(tokens) = map
            .get("additional_special_tokens")
            .and_then(Value::as_array)
        else {
            continue;
        };
        let names = tokens
            .iter()
            .filter_map(|token| token.get("content").unwrap_or(token).as_str());
        for (id, name) in (first..).zip(names) {
            named.entry(name.to_owned()).or_insert(id);
        }
        return;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
