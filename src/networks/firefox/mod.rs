//! Firefox Translations models: small students of large models, distilled to be fast on a CPU.
//!
//! A model is a network in Marian's binary format with int8 weights, one or two SentencePiece
//! vocabularies and a lexical shortlist, as published at
//! <https://github.com/mozilla/firefox-translations-models>, plain or compressed with gzip.
//! Every line is worked on as if it were alone: its candidates are those of its own tokens and not
//! of its batch, and no padding enters a sum, so that a batch gives what its lines give.

mod config;
mod container;
mod decoding;
mod files;
mod network;
mod shortlist;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use crate::decode::TokenId;
use crate::error::{Error, Result};
use crate::sentencepiece::SentencePiece;

use config::{Config, ConfigError, Options};
use container::Container;
pub(crate) use decoding::Spread;
pub(crate) use files::Files;
use network::Network;
use shortlist::Shortlist;

/// Tokens a target line may have for each token of the source, where a model does not say.
const LENGTH_FACTOR: f32 = 2.0;

/// As many of the most frequent target tokens are candidates of every line.
///
/// Firefox's engine takes the candidates of a whole batch together, so that for one line in twenty
/// the words depend on the lines around it. Here a line has its own candidates, and these besides:
/// more than the 50 that a shortlist asks for, since a line alone then comes closer to what it is
/// in such a batch, and to what it is with all tokens, which takes ten times as long.
const FREQUENT: usize = 6144;

/// Longer lines are cut, as in Firefox; the models were trained on sentences.
const MAX_LINE: usize = 128;

/// A loaded model: vocabularies, network and shortlist.
#[derive(Debug)]
pub(crate) struct Firefox {
    network: Network,
    source: Arc<SentencePiece>,
    target: Arc<SentencePiece>,
    shortlist: Option<Shortlist>,
    source_end: TokenId,
    target_end: TokenId,
    length_factor: f32,
    pair: Option<(String, String)>,
}

/// What became of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Translation {
    /// The text in the other language.
    pub(crate) text: String,
    /// Whether the limit of its length ended a part of it, and not the model.
    pub(crate) cut: bool,
    /// Whether it or a part of it stayed in the language that it was in, since the model cannot read
    /// it or said nothing to it.
    pub(crate) copied: bool,
    /// What is not in the vocabulary of the source, such as emoji; unless the text was copied, it is
    /// most likely missing from the translation.
    pub(crate) unread: Vec<String>,
}

impl Firefox {
    /// Loads a model from a directory that holds its files, in any of the published names.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read, [`Error::CorruptModel`] if one is missing, damaged
    /// or does not fit the others, [`Error::UnsupportedModel`] if the network is of another kind.
    pub(crate) fn from_directory(directory: &Path) -> Result<Self> {
        Self::load(&Files::find(directory)?)
    }

    /// Loads a model from its files; see [`Firefox::from_directory`].
    pub(crate) fn load(files: &Files) -> Result<Self> {
        Self::load_with(files, FREQUENT)
    }

    /// Loads a model of which at least so many of the most frequent target tokens are candidates
    /// of every line.
    fn load_with(files: &Files, frequent: usize) -> Result<Self> {
        let source = Arc::new(SentencePiece::from_bytes(
            &files::read(&files.source_vocabulary)?,
            &files.source_vocabulary,
        )?);
        let target = if files.source_vocabulary == files.target_vocabulary {
            Arc::clone(&source)
        } else {
            let path = &files.target_vocabulary;
            Arc::new(SentencePiece::from_bytes(&files::read(path)?, path)?)
        };
        let vocabularies = (source.len(), target.len());
        let (network, shortlist) = Self::load_network(files, vocabularies, frequent)?;
        let end = |vocabulary: &SentencePiece, path: &Path| {
            vocabulary.special().end.ok_or_else(|| Error::CorruptModel {
                path: path.to_path_buf(),
                message: "the vocabulary has no end token `</s>`".to_owned(),
            })
        };
        let source_end = end(&source, &files.source_vocabulary)?;
        let target_end = end(&target, &files.target_vocabulary)?;
        let mut length_factor = LENGTH_FACTOR;
        if let Some(path) = &files.options {
            let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
            if let Some(value) = Options::parse(&text).value("max-length-factor") {
                length_factor = value
                    .parse()
                    .ok()
                    .filter(|factor| (0.1..100.0).contains(factor))
                    .ok_or_else(|| {
                        let message = format!(
                            "`max-length-factor` is `{value}`, expected a number such as 2.0"
                        );
                        Error::CorruptModel {
                            path: path.clone(),
                            message,
                        }
                    })?;
            }
        }
        Ok(Self {
            network,
            source,
            target,
            shortlist,
            source_end,
            target_end,
            length_factor,
            pair: files.pair(),
        })
    }

    fn load_network(
        files: &Files,
        vocabularies: (usize, usize),
        frequent: usize,
    ) -> Result<(Network, Option<Shortlist>)> {
        let path = &files.model;
        let corrupt = |message: String| Error::CorruptModel {
            path: path.clone(),
            message,
        };
        let bytes = files::read(path)?;
        let container = Container::new(&bytes).map_err(corrupt)?;
        let options = container.text("special:model.yml").map_err(corrupt)?;
        let config = Config::parse(options).map_err(|error| match error {
            ConfigError::Damaged(message) => corrupt(message),
            ConfigError::Unsupported(message) => Error::UnsupportedModel {
                path: path.clone(),
                message,
            },
        })?;
        let sides = [
            (
                config.vocabularies.0,
                vocabularies.0,
                &files.source_vocabulary,
            ),
            (
                config.vocabularies.1,
                vocabularies.1,
                &files.target_vocabulary,
            ),
        ];
        for (expected, found, path) in sides {
            if expected != found {
                let message =
                    format!("it has {found} pieces, and the model beside it expects {expected}");
                return Err(Error::CorruptModel {
                    path: path.clone(),
                    message,
                });
            }
        }
        let shortlist = match &files.shortlist {
            Some(path) => {
                let shortlist = Shortlist::new(&files::read(path)?, vocabularies);
                let corrupt = |message| Error::CorruptModel {
                    path: path.clone(),
                    message,
                };
                Some(shortlist.map_err(corrupt)?)
            }
            None => None,
        };
        let all = vocabularies.1;
        let first = shortlist
            .as_ref()
            .map_or(all, |list| list.always().max(frequent));
        let network = Network::load(&container, config, first).map_err(corrupt)?;
        Ok((network, shortlist))
    }

    /// The languages of the model, source and target, as two-letter codes from its file name.
    pub(crate) fn pair(&self) -> Option<(&str, &str)> {
        self.pair
            .as_ref()
            .map(|(source, target)| (source.as_str(), target.as_str()))
    }

    /// Text to rows for the network, each with an end token and none longer than the model takes:
    /// one row, none for blank text, or several for text that is too long, cut before a word.
    pub(crate) fn encode(&self, text: &str) -> Vec<Vec<TokenId>> {
        let ids = self.source.encode(text);
        let mut rows = Vec::new();
        let mut rest = ids.as_slice();
        while !rest.is_empty() {
            let mut length = rest.len();
            if length >= MAX_LINE {
                let begins_word = |&place: &usize| {
                    self.source
                        .piece(rest[place])
                        .is_some_and(|p| p.starts_with('\u{2581}'))
                };
                length = (MAX_LINE / 2..MAX_LINE)
                    .rev()
                    .find(begins_word)
                    .unwrap_or(MAX_LINE - 1);
            }
            let (row, more) = rest.split_at(length);
            rows.push([row, &[self.source_end]].concat());
            rest = more;
        }
        rows
    }

    /// Target tokens to text.
    pub(crate) fn decode(&self, tokens: &[TokenId]) -> String {
        self.target.decode(tokens)
    }

    /// Translates texts: the i-th result answers the i-th text. Text that is too long is cut and
    /// its parts are joined with a space. Blank text stays as it is, and so does text that the
    /// model cannot read.
    pub(crate) fn translate<S: AsRef<str>>(&self, texts: &[S], spread: Spread) -> Vec<Translation> {
        let mut translations: Vec<Translation> = Vec::with_capacity(texts.len());
        let mut parts: Vec<Vec<Vec<TokenId>>> = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_ref();
            let (unread, readable) = self.unread(text);
            let blank = text.trim().is_empty();
            parts.push(if blank || !readable {
                Vec::new()
            } else {
                self.encode(text)
            });
            translations.push(Translation {
                unread,
                copied: !readable,
                ..Translation::default()
            });
        }
        let rows: Vec<&[TokenId]> = parts.iter().flatten().map(Vec::as_slice).collect();
        let mut outputs = self.greedy_all(&rows, spread).into_iter();
        for ((translation, text), rows) in translations.iter_mut().zip(texts).zip(&parts) {
            for (row, output) in rows.iter().zip(outputs.by_ref()) {
                let mut part = self.decode(&output.tokens);
                if part.trim().is_empty() {
                    part = self.source.decode(row);
                    translation.copied = true;
                }
                if !translation.text.is_empty() {
                    translation.text.push(' ');
                }
                translation.text.push_str(&part);
                translation.cut |= !output.finished;
            }
            if rows.is_empty() {
                text.as_ref().clone_into(&mut translation.text);
            }
        }
        translations
    }

    /// What the vocabulary of the source does not have, and whether there is enough else to
    /// translate: of letters more that it has than that it has not.
    pub(crate) fn unread(&self, text: &str) -> (Vec<String>, bool) {
        let unknown = self.source.special().unknown;
        if !self.source.encode(text).contains(&unknown) {
            return (Vec::new(), true);
        }
        let letters = |text: &str| text.chars().filter(|letter| letter.is_alphabetic()).count();
        let (mut unread, mut read) = (Vec::new(), 0);
        for piece in self.source.encode_pieces(text) {
            if piece.id == unknown {
                unread.push(piece.text);
            } else {
                read += letters(&piece.text);
            }
        }
        let readable = read > unread.iter().map(|piece| letters(piece)).sum();
        (unread, readable)
    }
}
