//! Tokenizers of encoder–decoder checkpoints: SentencePiece with the numbering of each family.
//!
//! A source row is what tells the model the language, the pieces of the text, the end. Text is
//! never read as a language or control token: those are given beside it, by name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::models::TokenId;
use crate::registry::Family;
use crate::sentencepiece::SentencePiece;

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
                let mut tokenizer = tokenizers::Tokenizer::from_file(&path).map_err(|error| {
                    Error::CorruptModel {
                        path,
                        message: error.to_string(),
                    }
                })?;
                tokenizer.set_encode_special_tokens(true);
                Numbering::Json(Box::new(tokenizer))
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

fn vocabulary(path: &Path) -> Result<HashMap<String, TokenId>> {
    serde_json::from_value(read_json(path)?).map_err(|error| Error::CorruptModel {
        path: path.to_path_buf(),
        message: error.to_string(),
    })
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
mod tests {
    use super::*;

    fn load(name: &str, family: Family) -> (PieceTokenizer, Value, Value) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/tokenizers")
            .join(name);
        let config = read_json(&folder.join("config.json")).unwrap();
        let expected = read_json(&folder.join("expected.json")).unwrap();
        (
            PieceTokenizer::load(&folder, family, &config).unwrap(),
            config,
            expected,
        )
    }

    fn ids(value: &Value) -> Vec<TokenId> {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn rows_are_numbered_as_by_transformers() {
        let mut failures = Vec::new();
        for (name, family, source, target) in [
            ("marian", Family::Marian, None, None),
            ("m2m100", Family::M2m100, Some("__ru__"), Some("__ar__")),
            ("nllb", Family::M2m100, Some("rus_Cyrl"), Some("arb_Arab")),
            ("t5", Family::T5, None, None),
        ] {
            let (tokenizer, config, expected) = load(name, family);
            let direction = tokenizer
                .direction(family, &config, source, target)
                .unwrap();
            for row in expected["rows"].as_array().unwrap() {
                let text = row["text"].as_str().unwrap();
                let found = tokenizer.encode(text, &direction).unwrap();
                if found != ids(&row["ids"]) {
                    failures.push(format!("{name} {text:?}: {found:?}, not {}", row["ids"]));
                }
                let target = row.get("target_ids").unwrap_or(&row["ids"]);
                let decoded = tokenizer.decode(&ids(target)).unwrap();
                // What no piece covers is left out of a target, as transformers does when asked to.
                let wanted = row["decoded"]
                    .as_str()
                    .unwrap()
                    .replace(" ⁇ ", "")
                    .replace('☃', "");
                if decoded.split_whitespace().ne(wanted.split_whitespace()) {
                    failures.push(format!("{name} {text:?}: {decoded:?}, not {wanted:?}"));
                }
            }
            if target.is_some() {
                assert_eq!(
                    direction.forced_first.map(Value::from),
                    Some(expected["arabic"].clone()),
                    "{name}"
                );
            }
        }
        assert!(failures.is_empty(), "{failures:#?}");
    }

    #[test]
    fn languages_are_told_as_each_family_wants() {
        let (marian, config, expected) = load("marian", Family::Marian);
        let direction = marian
            .direction(Family::Marian, &config, None, Some(">>rus<<"))
            .unwrap();
        assert_eq!(
            marian
                .encode("The ministers met on Monday.", &direction)
                .unwrap(),
            ids(&expected["prefixed"])
        );
        assert!(
            marian
                .direction(Family::Marian, &config, None, Some(">>xyz<<"))
                .is_err()
        );

        let (mut t5, mut config, expected) = load("t5", Family::T5);
        let start = t5
            .direction(Family::T5, &config, None, Some("russian"))
            .unwrap();
        assert_eq!(
            start.start.map(Value::from),
            Some(expected["crosssum"].clone())
        );
        assert!(
            t5.direction(Family::T5, &config, None, Some("klingon"))
                .is_err()
        );
        config = Value::Null;
        let prefix = t5
            .direction(Family::T5, &config, None, Some("<2ru>"))
            .unwrap();
        assert_eq!(
            prefix.prefix,
            ids(&Value::from(vec![expected["madlad"].clone()]))
        );
        t5.end = 7;
        assert_eq!(t5.encode("", &prefix).unwrap(), [prefix.prefix[0], 7]);
    }

    #[test]
    fn a_target_vocabulary_of_its_own_numbers_phrases_and_what_is_decoded() {
        let fixture =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizers/marian");
        let folder = tempfile::tempdir().unwrap();
        for name in ["source.spm", "target.spm", "vocab.json"] {
            std::fs::copy(fixture.join(name), folder.path().join(name)).unwrap();
        }
        // The same pieces, numbered from the end, but for the end token.
        let list = vocabulary(&fixture.join("vocab.json")).unwrap();
        let last = list.len() as TokenId;
        let renumber = |id: TokenId| if id == 0 { 0 } else { last - id };
        let others: HashMap<&String, TokenId> = list
            .iter()
            .map(|(piece, &id)| (piece, renumber(id)))
            .collect();
        let text = serde_json::to_string(&others).unwrap();
        let (shared, config, expected) = load("marian", Family::Marian);
        assert_eq!(config["eos_token_id"], 0);
        std::fs::write(folder.path().join("target_vocab.json"), text).unwrap();
        let separate = PieceTokenizer::load(folder.path(), Family::Marian, &config).unwrap();

        let mut phrases = 0;
        for row in expected["rows"].as_array().unwrap() {
            let text = row["text"].as_str().unwrap();
            let none = Direction::default();
            let source = shared.encode(text, &none).unwrap();
            assert_eq!(separate.encode(text, &none).unwrap(), source);
            let target = ids(&row["target_ids"]);
            let renumbered: Vec<TokenId> = target.iter().copied().map(renumber).collect();
            assert_eq!(
                separate.decode(&renumbered).unwrap(),
                shared.decode(&target).unwrap()
            );
            let of_shared = shared.encode_phrase(text).unwrap();
            let of_separate = separate.encode_phrase(text).unwrap();
            phrases += usize::from(of_shared.is_some());
            let of_shared: Option<Vec<TokenId>> =
                of_shared.map(|phrase| phrase.into_iter().map(renumber).collect());
            assert_eq!(of_separate, of_shared, "{text}");
        }
        assert!(phrases > 1);
    }

    #[test]
    fn text_never_becomes_a_language_or_control_token() {
        for (name, family, tokens) in [
            ("marian", Family::Marian, &[">>rus<<", "</s>", "<pad>"][..]),
            ("m2m100", Family::M2m100, &["__ar__", "</s>", "<pad>"]),
            ("nllb", Family::M2m100, &["arb_Arab", "</s>", "<s>"]),
            (
                "t5",
                Family::T5,
                &["<2ru>", "▁<extra_id_64>", "</s>", "<pad>"],
            ),
        ] {
            let (tokenizer, ..) = load(name, family);
            for token in tokens {
                let id = tokenizer.token(token).unwrap();
                let text = token.replace('▁', "");
                let wide = text.replace('<', "\u{FF1C}").replace('>', "\u{FF1E}");
                for text in [
                    format!("{text} a {text}"),
                    format!("a{text}{text}"),
                    format!("a {wide} {wide}"),
                ] {
                    let row = tokenizer.encode(&text, &Direction::default()).unwrap();
                    let (end, text_ids) = row.split_last().unwrap();
                    assert_eq!(*end, tokenizer.end);
                    assert!(!text_ids.is_empty(), "{name} {text}");
                    assert!(!text_ids.contains(&id), "{name} {text}");
                }
            }
        }
    }

    /// All golden rows of published tokenizers, through the directory layout.
    #[test]
    #[ignore = "needs published models with golden ids: set NEWSML_GOLDEN_TOKENS to their folder"]
    fn golden_rows_of_published_directories() {
        let root = PathBuf::from(std::env::var("NEWSML_GOLDEN_TOKENS").unwrap());
        let mut checked = 0;
        for folder in std::fs::read_dir(root).unwrap() {
            let folder = folder.unwrap().path();
            let Ok(config) = read_json(&folder.join("config.json")) else {
                continue;
            };
            let (family, file, field) = match config["model_type"].as_str() {
                Some("marian") => (Family::Marian, "golden.hf_marian.jsonl", "input_ids"),
                _ => (Family::T5, "golden.spiece.model.jsonl", "sp_ids"),
            };
            let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
                continue;
            };
            let tokenizer = PieceTokenizer::load(&folder, family, &config).unwrap();
            for line in text.lines() {
                let row: Value = serde_json::from_str(line).unwrap();
                let Some(text) = row["text"].as_str() else {
                    continue;
                };
                let mut wanted = ids(&row[field]);
                if family == Family::T5 {
                    wanted.push(1);
                }
                assert_eq!(
                    tokenizer.encode(text, &Direction::default()).unwrap(),
                    wanted,
                    "{text}"
                );
                checked += 1;
            }
        }
        assert!(checked > 0);
    }
}
