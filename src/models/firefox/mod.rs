//! Firefox Translations models: small students of large models, distilled to be fast on a CPU.
//!
//! A model is a network in Marian's binary format with int8 weights, one or two SentencePiece
//! vocabularies and a lexical shortlist, as published at
//! <https://github.com/mozilla/firefox-translations-models>, plain or compressed with gzip.
//! Every line is worked on as if it were alone: its candidates are those of its own tokens and not
//! of its batch, and no padding enters a sum, so that a batch gives what its lines give.

mod config;
mod container;
mod files;
mod network;
mod shortlist;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use candle_core::{Device, Tensor};

use crate::batch::{Batch, plan};
use crate::error::{Error, Result};
use crate::kernels::float;
use crate::models::{Cache, Model, Scores, State, TokenId};
use crate::sentencepiece::SentencePiece;

use config::{Config, ConfigError, Options};
use container::Container;
pub(crate) use files::Files;
use network::{Decoding, Network, SourceLine, Workspace};
use shortlist::Shortlist;

/// What the first step is given: the decoder begins with no token at all.
const NO_TOKEN: TokenId = TokenId::MAX;

/// Tokens a target line may have for each token of the source, where a model does not say.
const LENGTH_FACTOR: f32 = 2.0;

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

/// What decoding made of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// Target tokens without the end token.
    pub(crate) tokens: Vec<TokenId>,
    /// Whether the model ended the line itself; if not, the limit of its length did.
    pub(crate) finished: bool,
}

/// How lines are grouped and spread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// Source tokens that are worked on together.
    pub(crate) batch_tokens: usize,
    /// Threads that work on batches.
    pub(crate) threads: usize,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            batch_tokens: 1024,
            threads: 1,
        }
    }
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
        let network = Self::load_network(files, vocabularies)?;
        let shortlist = match &files.shortlist {
            Some(path) => {
                let shortlist = Shortlist::new(&files::read(path)?, vocabularies);
                Some(shortlist.map_err(|message| Error::CorruptModel {
                    path: path.clone(),
                    message,
                })?)
            }
            None => None,
        };
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

    fn load_network(files: &Files, vocabularies: (usize, usize)) -> Result<Network> {
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
        Network::load(&container, config).map_err(corrupt)
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
    /// its parts are joined with a space; blank text stays as it is.
    pub(crate) fn translate<S: AsRef<str>>(&self, texts: &[S], spread: Spread) -> Vec<String> {
        let parts: Vec<Vec<Vec<TokenId>>> = texts
            .iter()
            .map(|text| self.encode(text.as_ref()))
            .collect();
        let rows: Vec<&[TokenId]> = parts.iter().flatten().map(Vec::as_slice).collect();
        let mut outputs = self.greedy_all(&rows, spread).into_iter();
        let join = |(text, parts): (&S, Vec<Vec<TokenId>>)| {
            if parts.is_empty() {
                return text.as_ref().to_owned();
            }
            let parts: Vec<String> = outputs
                .by_ref()
                .take(parts.len())
                .map(|output| self.decode(&output.tokens))
                .collect();
            parts.join(" ")
        };
        texts.iter().zip(parts).map(join).collect()
    }

    /// The best token at every step for any number of rows, in batches spread over threads: the
    /// i-th output answers the i-th row.
    pub(crate) fn greedy_all<R: AsRef<[TokenId]> + Sync>(
        &self,
        rows: &[R],
        spread: Spread,
    ) -> Vec<Output> {
        let lengths: Vec<usize> = rows.iter().map(|row| row.as_ref().len()).collect();
        // Every thread is to have work, also when it is little.
        let share = lengths
            .iter()
            .sum::<usize>()
            .div_ceil(spread.threads.max(1));
        let groups = plan(&lengths, spread.batch_tokens.min(share).max(1), usize::MAX);
        let next = AtomicUsize::new(0);
        let outputs: Mutex<Vec<Option<Output>>> = Mutex::new(vec![None; rows.len()]);
        let work = || {
            let mut workspace = Workspace::default();
            while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                let lines: Vec<&[TokenId]> = group.iter().map(|&row| rows[row].as_ref()).collect();
                let answers = self.greedy_lines(&lines, &mut workspace);
                let mut outputs = outputs
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                for (&row, answer) in group.iter().zip(answers) {
                    outputs[row] = Some(answer);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..spread.threads.min(groups.len()) {
                scope.spawn(work);
            }
            work();
        });
        let outputs = outputs
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        outputs
            .into_iter()
            .map(|output| {
                output.unwrap_or(Output {
                    tokens: Vec::new(),
                    finished: false,
                })
            })
            .collect()
    }

    /// The best token at every step for one batch.
    pub(crate) fn greedy(&self, batch: &Batch) -> Vec<Output> {
        let lines: Vec<&[TokenId]> = (0..batch.rows()).map(|row| batch.row(row)).collect();
        self.greedy_lines(&lines, &mut Workspace::default())
    }

    fn greedy_lines(&self, lines: &[&[TokenId]], work: &mut Workspace) -> Vec<Output> {
        let mut outputs = vec![
            Output {
                tokens: Vec::new(),
                finished: false
            };
            lines.len()
        ];
        let encoded = self.encode_lines(lines, work);
        let limits: Vec<usize> = encoded.iter().map(|line| self.limit(line.length)).collect();
        let mut decoding = Decoding::new(encoded, &self.network.config);
        // Which output each live row writes, and what it wrote last.
        let mut live: Vec<usize> = (0..lines.len()).collect();
        let mut last: Vec<Option<TokenId>> = vec![None; lines.len()];
        let candidates: Vec<Arc<[TokenId]>> = decoding
            .lines
            .iter()
            .map(|line| Arc::clone(&line.candidates))
            .collect();
        while !live.is_empty() {
            let mut best = std::mem::take(&mut last);
            best.resize(live.len(), None);
            let given = best.clone();
            self.network
                .step(&mut decoding, &given, work, |row, scores| {
                    let candidates = &candidates[live[row]];
                    self.forbid_unknown(candidates, scores);
                    let mut place = 0;
                    float::place_of_largest(scores, &mut place);
                    best[row] = Some(candidates[place]);
                });
            let mut kept = Vec::with_capacity(live.len());
            for (row, &output) in live.iter().enumerate() {
                let line = &mut outputs[output];
                match best[row] {
                    Some(token) if token != self.target_end => {
                        line.tokens.push(token);
                        if line.tokens.len() < limits[output] {
                            kept.push(row);
                        }
                    }
                    _ => line.finished = true,
                }
            }
            if kept.len() < live.len() {
                decoding.keep(&kept);
                live = kept.iter().map(|&row| live[row]).collect();
            }
            last = kept.iter().map(|&row| best[row]).collect();
        }
        outputs
    }

    /// The most target tokens for so many source tokens.
    pub(crate) fn limit(&self, length: usize) -> usize {
        ((length as f32 * self.length_factor) as usize).max(1)
    }

    fn encode_lines(&self, lines: &[&[TokenId]], work: &mut Workspace) -> Vec<Arc<SourceLine>> {
        let shared = Arc::ptr_eq(&self.source, &self.target);
        let all: Option<Arc<[TokenId]>> = self
            .shortlist
            .is_none()
            .then(|| (0..self.target.len() as TokenId).collect());
        let lines: Vec<(&[TokenId], Arc<[TokenId]>)> = lines
            .iter()
            .map(|&line| match (&self.shortlist, &all) {
                (Some(shortlist), _) => (line, shortlist.candidates(line, shared).into()),
                (None, all) => (line, all.clone().unwrap_or_default()),
            })
            .collect();
        self.network.encode(&lines, work)
    }

    /// The unknown token is never an answer.
    fn forbid_unknown(&self, candidates: &[TokenId], scores: &mut [f32]) {
        if let Ok(place) = candidates.binary_search(&self.target.special().unknown) {
            scores[place] = f32::NEG_INFINITY;
        }
    }
}

/// The state of a batch between steps.
struct FirefoxCache {
    decoding: Decoding,
    work: Workspace,
}

impl Cache for FirefoxCache {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        self.decoding.keep(rows);
        Ok(())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Model for Firefox {
    fn start(&self, batch: &Batch) -> Result<State> {
        let mut work = Workspace::default();
        let lines: Vec<&[TokenId]> = (0..batch.rows()).map(|row| batch.row(row)).collect();
        let decoding = Decoding::new(self.encode_lines(&lines, &mut work), &self.network.config);
        Ok(State {
            first: vec![NO_TOKEN; batch.rows()],
            cache: Box::new(FirefoxCache { decoding, work }),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        let FirefoxCache { decoding, work } = state.cache();
        let last: Vec<Option<TokenId>> = last
            .iter()
            .map(|&token| (token != NO_TOKEN).then_some(token))
            .collect();
        let candidates: Vec<Arc<[TokenId]>> = decoding
            .lines
            .iter()
            .map(|line| Arc::clone(&line.candidates))
            .collect();
        let columns = candidates
            .iter()
            .map(|candidates| candidates.len())
            .max()
            .unwrap_or(0);
        let mut logits = vec![f32::NEG_INFINITY; last.len() * columns];
        self.network.step(decoding, &last, work, |row, scores| {
            self.forbid_unknown(&candidates[row], scores);
            logits[row * columns..][..scores.len()].copy_from_slice(scores);
        });
        let logits = Tensor::from_vec(logits, (last.len(), columns), &Device::Cpu)?;
        Ok(Scores {
            logits,
            shortlist: Some(candidates),
        })
    }
}
