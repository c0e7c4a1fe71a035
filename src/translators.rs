//! Models that take a sentence and give its translation: the families of encoders and decoders
//! behind one interface, texts in and texts out.
//!
//! Knows languages only as tokens that the catalogue names. Checks and retries are the pipeline's.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::decode::beam::Scored;
use crate::decode::{Batch, Finish, Model, Row, Search, Step, TokenId, Watch, Work};
use crate::engine::Answer;
use crate::error::Result;
use crate::language::Language;
use crate::networks::firefox::{Firefox, Spread};
use crate::options::Decoding;
use crate::prompts::Phrase;
use crate::registry::{Family, ModelSpec, Registry};
use crate::seq2seq::Seq2Seq;
use crate::warning::{Warning, WarningKind};

/// Most tokens of a segment; the models were trained on sentences.
const MOST_TOKENS: usize = 256;
/// Texts that are turned to tokens and planned together; the next while these are worked on.
const TOKENIZED_AHEAD: usize = 4096;
/// Segments that a Firefox model is given before the caller is told how far the work is.
const STRETCH: usize = 256;

/// A model that translates segments.
pub(crate) enum SegmentModel {
    /// A Firefox Translations model.
    Firefox(Box<Firefox>),
    /// A checkpoint in Hugging Face layout.
    Seq2Seq(Box<Checkpoint>),
}

/// Texts for a model.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    pub(crate) texts: &'a [&'a str],
    /// For each text what its translation must say, as far as the model can be made to; none for
    /// texts beyond the end.
    pub(crate) phrases: &'a [Vec<Phrase>],
    /// For each text what stands around it, for models that know what to do with that; nothing for
    /// texts beyond the end.
    pub(crate) backgrounds: &'a [Option<String>],
}

impl<'a> From<&'a [&'a str]> for Texts<'a> {
    fn from(texts: &'a [&'a str]) -> Self {
        Self {
            texts,
            phrases: &[],
            backgrounds: &[],
        }
    }
}

/// A Hugging Face checkpoint with what the catalogue says of its languages.
pub(crate) struct Checkpoint {
    model: Seq2Seq,
    spec: Option<ModelSpec>,
    /// What entries of the catalogue call the languages; for a checkpoint without an entry.
    names: Vec<Names>,
}

/// What an entry of the catalogue calls a language.
struct Names {
    family: Family,
    language: Language,
    source: Option<String>,
    target: Option<String>,
}

/// Texts for a checkpoint, and what is to become of them.
struct Request<'a> {
    /// As in `task_specific_params`: `summarization`, `translation_en_to_ru`.
    task: &'a str,
    languages: (Option<Language>, Option<Language>),
    texts: Texts<'a>,
    /// Most tokens of an answer to a row of so many tokens, unless the caller sets a limit.
    most_new: &'a (dyn Fn(usize) -> usize + Sync),
}

impl Checkpoint {
    /// `spec` is the model's entry in the registry, where it has one.
    pub(crate) fn new(model: Seq2Seq, spec: Option<&ModelSpec>, registry: &Registry) -> Self {
        let mut names = Vec::new();
        for entry in registry.models() {
            names.extend(Language::ALL.map(|language| Names {
                family: entry.family,
                language,
                source: entry.source_tokens.get(language.code()).cloned(),
                target: entry.target_tokens.get(language.code()).cloned(),
            }));
        }
        Self {
            model,
            spec: spec.cloned(),
            names,
        }
    }

    /// The tokens that tell the model two languages.
    fn language_tokens(
        &self,
        from: Option<Language>,
        to: Option<Language>,
    ) -> Result<(Option<String>, Option<String>)> {
        let named = |names: &BTreeMap<String, String>, language: Option<Language>| {
            language.and_then(|language| names.get(language.code()).cloned())
        };
        if let Some(spec) = &self.spec {
            return Ok((
                named(&spec.source_tokens, from),
                named(&spec.target_tokens, to),
            ));
        }
        // A damaged tokenizer is an error, and not a checkpoint without names for languages.
        self.model.tokenizer()?;
        let family = self.model.family();
        let known = |language: Option<Language>| {
            let of =
                move |names: &&Names| names.family == family && Some(names.language) == language;
            self.names.iter().filter(of)
        };
        let source = known(from)
            .filter_map(|names| names.source.as_deref())
            .find(|name| self.model.direction(Some(name), None).is_ok());
        let target = known(to)
            .filter_map(|names| names.target.as_deref())
            .find(|name| self.model.direction(None, Some(name)).is_ok());
        Ok((source.map(str::to_owned), target.map(str::to_owned)))
    }

    /// Whether the checkpoint can be told to write in a language other than the one it reads.
    pub(crate) fn is_told(&self, language: Language) -> bool {
        let told = || {
            let (_, target) = self.language_tokens(None, Some(language))?;
            self.model.direction(None, target.as_deref())
        };
        told().is_ok_and(|direction| direction.start.is_some())
    }

    fn most_tokens(&self) -> usize {
        let limit = self
            .spec
            .as_ref()
            .and_then(|spec| spec.limits.source_tokens);
        limit
            .unwrap_or(512)
            .min(self.model.limit().unwrap_or(usize::MAX))
            .saturating_sub(4)
            .max(8)
    }

    /// The longest answer for a task, by the catalogue or else by the makers.
    fn most_new(&self, task: &str) -> Result<Option<usize>> {
        let spec = self.spec.as_ref();
        match spec.and_then(|spec| spec.limits.target_tokens) {
            None => self.model.most_new(task),
            limit => Ok(limit),
        }
    }

    /// Rows for texts, answers in order.
    fn answer(
        &self,
        request: &Request<'_>,
        decoding: &Decoding,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Answer>>> {
        let Request {
            task,
            languages,
            texts:
                Texts {
                    texts,
                    phrases,
                    backgrounds: _,
                },
            most_new,
        } = *request;
        let (source, target) = self.language_tokens(languages.0, languages.1)?;
        let direction = self.model.direction(source.as_deref(), target.as_deref())?;
        let tokenizer = self.model.tokenizer()?;
        let prefix = self.model.prefix(task);
        let mut search = self.model.search_for(task)?;
        search.best = 1;
        if let Some(facts) = self.spec.as_ref().map(|spec| &spec.decoding) {
            search.beams = facts.beams.unwrap_or(search.beams);
            search.length_penalty = facts
                .length_penalty
                .map_or(search.length_penalty, |penalty| penalty as f32);
            if let Some(size) = facts.no_repeat_ngram {
                search.constraints.no_repeat_ngram = size;
            }
        }
        search.beams = decoding.beams.unwrap_or(search.beams).max(1);
        if let Some(size) = decoding.no_repeat_ngram {
            search.constraints.no_repeat_ngram = size;
        }
        let phrases: Vec<Vec<Vec<TokenId>>> = phrases
            .iter()
            .map(|phrases| {
                let ids = phrases
                    .iter()
                    .map(|phrase| tokenizer.encode_phrase(&phrase.target));
                ids.filter_map(Result::transpose).collect()
            })
            .collect::<Result<_>>()?;
        search.constraints.forced_first =
            direction.forced_first.or(search.constraints.forced_first);
        // Texts of like length together, as far as a stretch goes.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&text| std::cmp::Reverse(texts[text].len()));
        let stretches = order.chunks(TOKENIZED_AHEAD).map(|stretch| {
            let rows = stretch.iter().map(|&text| {
                let input = tokenizer.encode(&format!("{prefix}{}", texts[text]), &direction)?;
                Ok(Row {
                    number: text,
                    length: input.len().saturating_mul(search.beams.saturating_add(1)),
                    input,
                })
            });
            rows.collect()
        });
        let decode = |model: &dyn Model,
                      rows: &[Row<Vec<TokenId>>],
                      progress: &mut dyn FnMut(Step) -> ControlFlow<()>| {
            let members: Vec<&[TokenId]> = rows.iter().map(|row| row.input.as_slice()).collect();
            let max_new: Vec<usize> = members
                .iter()
                .map(|row| decoding.max_tokens.unwrap_or_else(|| most_new(row.len())))
                .collect();
            let phrases = rows.iter().map(|row| phrases.get(row.number));
            let search = Search {
                phrases: phrases
                    .map(|row| row.cloned().unwrap_or_default())
                    .collect(),
                ..search.clone()
            };
            let batch = Batch::new(&members);
            self.model
                .generate(model, &batch, &search, &max_new, direction.start, progress)
        };
        let work = Work::new(self.model.copies(), (None, decoding.batch_tokens), &decode);
        let mut answers: Vec<Option<Answer>> = vec![None; texts.len()];
        let mut finish = |text: usize, found: Vec<Scored>| {
            if let Some(best) = found.into_iter().next() {
                answers[text] = Some(Answer {
                    text: tokenizer.decode(&best.tokens)?.trim().to_owned(),
                    finish: best.finish,
                });
            }
            Ok(())
        };
        work.run(stretches, &mut finish, watch)?;
        Ok(answers)
    }

    /// How many tokens a text has as a source.
    pub(crate) fn count(&self, text: &str) -> Result<usize> {
        Ok(self
            .model
            .tokenizer()?
            .encode(text, &Default::default())?
            .len())
    }

    /// Most tokens of a text that is summarized at once.
    pub(crate) fn most_article_tokens(&self) -> usize {
        self.most_tokens()
    }

    /// Summaries of texts in one language, by a checkpoint that was trained to write them; in
    /// another language only where the checkpoint [is told](Self::is_told) that.
    pub(crate) fn summarize(
        &self,
        (article, summary): (Language, Language),
        texts: &[&str],
        decoding: &Decoding,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Answer>>> {
        let task = "summarization";
        let most = self.most_new(task)?.unwrap_or(128);
        let request = Request {
            task,
            languages: (Some(article), Some(summary)),
            texts: texts.into(),
            most_new: &|_| most,
        };
        self.answer(&request, decoding, watch)
    }
}

/// A translated segment, and what the model itself says of it.
pub(crate) struct Segment {
    pub(crate) answer: Answer,
    pub(crate) warnings: Vec<Warning>,
}

impl SegmentModel {
    /// The two-letter codes of the model's own languages, where its files tell them.
    pub(crate) fn pair(&self) -> Option<(&str, &str)> {
        match self {
            Self::Firefox(model) => model.pair(),
            Self::Seq2Seq(_) => None,
        }
    }

    /// Whether a piece of text can be translated at once.
    pub(crate) fn fits(&self, piece: &str) -> Result<bool> {
        match self {
            // The model cuts what is too long before a word, and a token has at least one byte; the
            // best place is looked for first.
            Self::Firefox(model) => {
                Ok(piece.len() <= 120
                    || (piece.len() <= 16 * 128 && model.encode(piece).len() <= 1))
            }
            Self::Seq2Seq(model) => {
                let most = MOST_TOKENS.min(model.most_tokens());
                Ok(piece.len() + 4 <= most
                    || (piece.len() <= most * 16 && model.count(piece)? + 4 <= most))
            }
        }
    }

    /// Translates segments; the i-th result answers the i-th segment, and is `None` where the
    /// caller stopped the work before it was done.
    pub(crate) fn translate(
        &self,
        languages: (Option<Language>, Option<Language>),
        texts: Texts<'_>,
        decoding: &Decoding,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Segment>>> {
        let segments = texts.texts;
        watch.begin(segments.len());
        match self {
            Self::Firefox(model) => {
                let spread = Spread {
                    threads: crate::kernels::threads(),
                    ..Spread::default()
                };
                let mut results = Vec::with_capacity(segments.len());
                // Lines of like length together, as far as a stretch goes.
                let mut order: Vec<usize> = (0..segments.len()).collect();
                order.sort_by_key(|&segment| std::cmp::Reverse(segments[segment].len()));
                results.resize_with(segments.len(), || None);
                for stretch in order.chunks(STRETCH) {
                    if watch.stopped() {
                        break;
                    }
                    let texts: Vec<&str> =
                        stretch.iter().map(|&segment| segments[segment]).collect();
                    let found = model.translate(&texts, spread);
                    for (&segment, found) in stretch.iter().zip(found) {
                        let finish = if found.cut {
                            Finish::Length
                        } else {
                            Finish::Stop
                        };
                        let mut warnings = Vec::new();
                        if found.copied {
                            warnings.push(Warning::new(
                                WarningKind::SourceCopied,
                                "the model cannot read the text, which was left as it is",
                            ));
                        } else if !found.unread.is_empty() {
                            warnings.push(Warning::new(
                                WarningKind::Unread,
                                "characters are not in the model's vocabulary and may be missing",
                            ));
                        }
                        results[segment] = Some(Segment {
                            answer: Answer {
                                text: found.text,
                                finish,
                            },
                            warnings,
                        });
                    }
                    watch.count(stretch.len(), 0);
                    let _ = watch.tell(0, 0);
                }
                Ok(results)
            }
            Self::Seq2Seq(model) => {
                let task = match languages {
                    (Some(from), Some(to)) => format!("translation_{from}_to_{to}"),
                    _ => "translation".to_owned(),
                };
                let most = model.most_new(&task)?.unwrap_or(usize::MAX);
                let request = Request {
                    task: &task,
                    languages,
                    texts,
                    most_new: &|length| (3 * length + 32).min(most),
                };
                let answers = model.answer(&request, decoding, watch)?;
                let segment = |answer| Segment {
                    answer,
                    warnings: Vec::new(),
                };
                Ok(answers
                    .into_iter()
                    .map(|answer| answer.map(segment))
                    .collect())
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;
    use crate::options::Device;
    use crate::seq2seq::Seq2SeqOptions;

    /// Has 31 tokens, the end among them.
    const TEXT: &str = "The ministers met in the capital on Monday.";

    /// A tiny T5 whose answers are as long as they may be.
    fn endless(most: usize, spec: Option<&ModelSpec>) -> Checkpoint {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let folder = tempfile::tempdir().unwrap();
        for file in ["mt5/model.safetensors", "tokenizers/t5/spiece.model"] {
            let file = fixtures.join(file);
            std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        let config = std::fs::read(fixtures.join("mt5/config.json")).unwrap();
        let mut config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        let settings = json!({"max_length": most, "min_length": 1000});
        config["task_specific_params"] =
            json!({"summarization": settings, "translation": settings});
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let options = Seq2SeqOptions {
            device: Device::Cpu,
            ..Seq2SeqOptions::default()
        };
        let model = Seq2Seq::load(folder.path(), &options).unwrap();
        Checkpoint::new(model, spec, &Registry::builtin().unwrap())
    }

    /// How many tokens were written in some work on one text.
    fn tokens(work: impl FnOnce(&mut Watch)) -> usize {
        let most = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&most);
        let mut watch = Watch::new(Some(Arc::new(move |progress| {
            seen.fetch_max(progress.tokens, Ordering::Relaxed);
            ControlFlow::Continue(())
        })));
        work(&mut watch);
        most.load(Ordering::Relaxed)
    }

    #[test]
    fn answers_are_as_long_as_their_makers_allow() {
        let registry = Registry::builtin().unwrap();
        let is_summarizer = |spec: &&ModelSpec| {
            spec.limits.target_tokens == Some(84) && spec.target_tokens.is_empty()
        };
        let spec = registry.models().iter().find(is_summarizer);
        assert!(spec.is_some());
        let bounded = Some(5);
        // Twenty is what stands in files where no limit was set.
        for (most, spec, bound, summary, translation) in [
            (12, None, None, 11, 11),
            (200, None, None, 199, 3 * 31 + 32),
            (20, None, None, 128, 3 * 31 + 32),
            (200, spec, None, 84, 84),
            (200, None, bounded, 5, 5),
        ] {
            let decoding = Decoding {
                max_tokens: bound,
                ..Decoding::default()
            };
            let languages = (Language::English, Language::English);
            let model = endless(most, spec);
            let found = tokens(|watch| {
                let answers = model
                    .summarize(languages, &[TEXT], &decoding, watch)
                    .unwrap();
                assert_eq!(answers[0].as_ref().unwrap().finish, Finish::Length);
            });
            assert_eq!(found, summary, "{most} {bound:?}");
            let model = SegmentModel::Seq2Seq(Box::new(model));
            let found = tokens(|watch| {
                let texts = [TEXT].as_slice().into();
                model
                    .translate((None, None), texts, &decoding, watch)
                    .unwrap();
            });
            assert_eq!(found, translation, "{most} {bound:?}");
        }
    }
}
