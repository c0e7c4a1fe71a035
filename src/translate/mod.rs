//! Documents from one language into another, sentence by sentence.
//!
//! The sentences of all documents of a window are one stream: those that are the same are
//! translated once, the others in batches by length. Every output is checked, and what fails is
//! tried another way; what still fails is kept, and said in the result's warnings.

mod attempts;
mod models;
mod passages;
mod remember;

use std::collections::HashMap;
use std::sync::Arc;

use passages::{Part, Passages};

use crate::document::{Document, Failure, Glosses, Segment};
use crate::engine::Watch;
use crate::error::{Error, Result};
use crate::glossary::Glossary;
use crate::language::{Detection, Language, ScriptProfile};
use crate::loader::{Loaded, Loader};
use crate::memory::TranslationMemory;
use crate::options::{Decoding, LoadOptions, ProgressObserver};
use crate::pipeline::{Windows, failure, named, shared};
use crate::warning::{Warning, WarningKind};

use attempts::{Checks, Output, Relay, Route};
use models::Directed;

/// Bytes of text in a window: some 500 sentences.
const WINDOW_BYTES: usize = 64 << 10;
/// Documents in a window.
const WINDOW_DOCUMENTS: usize = 256;

/// Translates texts and documents into one language.
///
/// `Send + Sync`: one translator serves any number of threads.
///
/// ```no_run
/// use newsml::{Language, Translator};
/// let translator = Translator::new(Language::Russian, Language::English)?;
/// println!("{}", translator.translate("Привет, мир!")?);
/// # Ok::<(), newsml::Error>(())
/// ```
pub struct Translator {
    loader: Arc<Loader>,
    from: Option<Language>,
    /// `None` for the own pair of the model that is named.
    to: Option<Language>,
    decoding: Decoding,
    glossary: Arc<Glossary>,
    progress: Option<ProgressObserver>,
    memory: Option<Arc<dyn TranslationMemory>>,
    keeping: remember::Keeping,
    /// Whether settings that no model heeds are an error: not where they are another pipeline's.
    is_strict: bool,
}

/// Sets up a [`Translator`].
pub struct TranslatorBuilder {
    from: Option<Language>,
    /// `None` for the own pair of the model that is named.
    to: Option<Language>,
    load: LoadOptions,
    decoding: Decoding,
    glossary: Arc<Glossary>,
    progress: Option<ProgressObserver>,
    memory: Option<Arc<dyn TranslationMemory>>,
}

/// A translated document.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Translation {
    /// The document in the new language.
    pub document: Document,
    /// The language that it was translated from; `None` for a model that runs on its own pair.
    pub source_language: Option<Language>,
    /// The models that worked on it, in that order; two where it went through English.
    pub models: Vec<String>,
    /// What its reader should know.
    pub warnings: Vec<Warning>,
    /// Each segment with its translation, in order.
    pub segments: Vec<TranslatedSegment>,
    /// Segments whose first output failed its checks, and whose last one does not.
    pub repaired: usize,
    /// What became of the terms of the glossary.
    pub terms: TermCounts,
}

/// How often terms of a glossary stand in sources, and are translated as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TermCounts {
    /// Places whose translation holds the term.
    pub held: usize,
    /// Places whose translation does not; each has a warning `glossary_missed`.
    pub missed: usize,
}

/// A segment and its translation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct TranslatedSegment {
    /// Index of the block that it is of.
    #[serde(skip)]
    pub block: usize,
    /// The text in the source language.
    pub source: String,
    /// The text in the target language.
    pub target: String,
    /// What its reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Whether it was in the [memory](TranslatorBuilder::memory).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_memory: bool,
}

impl TranslatorBuilder {
    /// Sets the language of the sources; it is detected for each document where this is not called.
    pub fn from(mut self, language: Language) -> Self {
        self.from = Some(language);
        self
    }

    /// Sets which models are used and where they come from.
    pub fn load(mut self, options: LoadOptions) -> Self {
        self.load = options;
        self
    }

    /// Sets how text is decoded.
    pub fn decoding(mut self, decoding: Decoding) -> Self {
        self.decoding = decoding;
        self
    }

    /// Sets the terms that must be translated in one way, or not at all. A translation without them
    /// is tried again, where the model can be made to say them; one that still misses a term has the
    /// warning `glossary_missed`.
    pub fn glossary(mut self, glossary: Glossary) -> Self {
        self.glossary = Arc::new(glossary);
        self
    }

    /// Sets who is told how far the work is, and may stop it.
    pub fn progress(mut self, observer: ProgressObserver) -> Self {
        self.progress = Some(observer);
        self
    }

    /// Sets where translations of segments are looked for before a model is asked, and kept after.
    /// Where they cannot be kept, one translation has the warning `memory`, and no more are kept.
    pub fn memory(mut self, memory: Arc<dyn TranslationMemory>) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Makes the translator. Where the source language is known, its model is fetched and loaded
    /// now; else when the first document of a language comes.
    ///
    /// # Errors
    ///
    /// What finding, fetching and loading a model can meet; see [`Error`].
    pub fn build(self) -> Result<Translator> {
        let loader = Arc::new(Loader::new(self.load)?);
        let translator = Translator {
            loader,
            from: self.from,
            to: self.to,
            decoding: self.decoding,
            glossary: self.glossary,
            progress: self.progress,
            memory: self.memory,
            keeping: remember::Keeping::default(),
            is_strict: true,
        };
        match (self.from, self.to) {
            (_, None) => drop(translator.loader.own_pair()?),
            (Some(from), Some(to)) if from != to => drop(translator.loader.translators(from, to)?),
            _ => {}
        }
        Ok(translator)
    }
}

impl Translator {
    /// A translator for one direction with the best model that can be had; its weights are fetched
    /// if they are not in the cache.
    ///
    /// # Errors
    ///
    /// As [`TranslatorBuilder::build`].
    pub fn new(from: Language, to: Language) -> Result<Self> {
        Self::builder(to).from(from).build()
    }

    /// Sets up a translator into `to`.
    pub fn builder(to: Language) -> TranslatorBuilder {
        Self::building(Some(to))
    }

    /// Sets up a translator that runs a model on its own pair of languages, whatever that is: no
    /// language is checked, and sentences are told by the rules of the nearest known language.
    /// [`LoadOptions::model`] must name a model that was made for translation.
    pub fn of_own_pair() -> TranslatorBuilder {
        Self::building(None)
    }

    fn building(to: Option<Language>) -> TranslatorBuilder {
        TranslatorBuilder {
            from: None,
            to,
            load: LoadOptions::default(),
            decoding: Decoding::default(),
            glossary: Arc::default(),
            progress: None,
            memory: None,
        }
    }

    /// A translator that shares the models of another pipeline.
    pub(crate) fn sharing(
        loader: Arc<Loader>,
        to: Language,
        decoding: Decoding,
        progress: Option<ProgressObserver>,
    ) -> Self {
        Self {
            loader,
            from: None,
            to: Some(to),
            decoding,
            glossary: Arc::default(),
            progress,
            memory: None,
            keeping: remember::Keeping::default(),
            is_strict: false,
        }
    }

    /// Translates a text, paragraph for paragraph; nothing of it is left out.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyInput`], [`Error::UndetectedLanguage`], and what models can meet.
    pub fn translate(&self, text: &str) -> Result<String> {
        let mut texts = self.translate_batch(&[text])?;
        texts.pop().ok_or(Error::Cancelled)
    }

    /// Translates texts together; the i-th result answers the i-th text.
    ///
    /// # Errors
    ///
    /// The first error that any text meets.
    pub fn translate_batch(&self, texts: &[&str]) -> Result<Vec<String>> {
        let documents = named(texts, Document::raw);
        self.translate_documents(documents)
            .map(|result| Ok(result?.document.text().to_owned()))
            .collect()
    }

    /// Translates one document.
    ///
    /// # Errors
    ///
    /// As [`translate`](Self::translate).
    pub fn translate_document(&self, document: &Document) -> Result<Translation> {
        let mut results = self.window(vec![document.clone()]);
        results
            .pop()
            .map_or(Err(Error::Cancelled), |result| Ok(result?))
    }

    /// Translates a stream of documents, lazily and in order; batches are filled across documents.
    /// What could not be read passes through.
    pub fn translate_documents<'a, I>(
        &'a self,
        documents: I,
    ) -> impl Iterator<Item = Result<Translation, Box<Failure>>> + 'a
    where
        I: IntoIterator<Item = Result<Document, Box<Failure>>>,
        I::IntoIter: 'a,
    {
        Windows::new(
            documents.into_iter(),
            WINDOW_BYTES,
            WINDOW_DOCUMENTS,
            |window| self.window(window),
        )
    }

    fn window(&self, documents: Vec<Document>) -> Vec<Result<Translation, Box<Failure>>> {
        let mut watch = Watch::new(self.progress.clone());
        let mut results: Vec<Option<Result<Translation, Box<Failure>>>> = Vec::new();
        results.resize_with(documents.len(), || None);
        let mut by_language: Vec<(Source, Vec<Member>)> = Vec::new();
        let mut passages: Vec<Passages> = documents.iter().map(Passages::usual).collect();
        for (index, document) in documents.iter().enumerate() {
            let source = self.source_language(document);
            if let (Ok((from, _)), Some(to)) = (&source, self.to)
                && let Some(from) = from.language
            {
                passages[index] = Passages::of(document, from, to);
            }
            match source {
                Ok((from, warnings)) => match by_language
                    .iter_mut()
                    .find(|(language, _)| *language == from)
                {
                    Some((_, members)) => members.push((index, warnings)),
                    None => by_language.push((from, vec![(index, warnings)])),
                },
                Err(error) => results[index] = Some(Err(failure(document, error))),
            }
        }
        for (from, members) in by_language {
            let group: Vec<Part<'_>> = members
                .iter()
                .map(|(index, _)| Part {
                    document: &documents[*index],
                    passages: &passages[*index],
                    language: None,
                })
                .collect();
            let translated = self.group(from, &group, &mut watch);
            match translated {
                Ok(translations) => {
                    for ((index, warnings), translation) in members.into_iter().zip(translations) {
                        results[index] = Some(match translation {
                            Some(mut translation) => {
                                translation.warnings.splice(0..0, warnings);
                                Ok(translation)
                            }
                            None => Err(failure(&documents[index], Error::Cancelled)),
                        });
                    }
                }
                Err(error) => {
                    let error = shared(error);
                    for (index, _) in members {
                        results[index] = Some(Err(failure(&documents[index], error())));
                    }
                }
            }
        }
        for (result, passages) in results.iter_mut().zip(&passages) {
            if let Some(Ok(translation)) = result
                && let Err(error) = self.translate_others(translation, passages, &mut watch)
            {
                *result = Some(Err(failure(&translation.document, error)));
            }
        }
        if let Some(translation) = results.iter_mut().flatten().find_map(|r| r.as_mut().ok()) {
            translation.warnings.extend(self.keeping.warning());
        }
        results
            .into_iter()
            .zip(&documents)
            .map(|(result, document)| {
                result.unwrap_or_else(|| Err(failure(document, Error::Cancelled)))
            })
            .collect()
    }

    fn source_language(&self, document: &Document) -> Result<(Source, Vec<Warning>)> {
        if self.to.is_none() {
            let nearest = ScriptProfile::of(document.text()).dominant();
            let rules = self.from.or(nearest).unwrap_or(Language::English);
            return Ok((
                Source {
                    language: None,
                    rules,
                },
                Vec::new(),
            ));
        }
        let (language, warnings) = match self.from.or(document.language()) {
            Some(language) => (language, Vec::new()),
            None => detected_language(document)?,
        };
        Ok((
            Source {
                language: Some(language),
                rules: language,
            },
            warnings,
        ))
    }

    /// Translates parts of documents, from one language; `None` for those that were not finished
    /// when the caller stopped the work.
    fn group(
        &self,
        from: Source,
        parts: &[Part<'_>],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Translation>>> {
        let documents: Vec<&Document> = parts.iter().map(|part| part.document).collect();
        let models = match (from.language, self.to) {
            // No model is worth loading for what is left as it is.
            (Some(from), Some(_)) if parts.iter().all(|part| part.passages.are_left()) => {
                let left = |document: &&Document| Some(left_as_it_is(document, from, self.to));
                return Ok(documents.iter().map(left).collect());
            }
            (Some(from), Some(to)) if from == to => {
                let translations = documents
                    .iter()
                    .map(|document| Some(untranslated(document, from)));
                return Ok(translations.collect());
            }
            (Some(from), Some(to)) => self.loader.translators(from, to)?,
            _ => vec![self.loader.own_pair()?],
        };
        if self.is_strict {
            Loaded::heed(&models, &self.decoding)?;
        }
        let mut error = None;
        let segments: Vec<Vec<Segment>> = parts
            .iter()
            .map(|part| {
                let mut segments = part.document.segments_fitting(from.rules, |piece| {
                    models
                        .first()
                        .is_none_or(|model| match models::fits(model, piece) {
                            Ok(fits) => fits,
                            Err(failed) => {
                                error.get_or_insert(failed);
                                true
                            }
                        })
                });
                segments.retain(|segment| part.passages.takes(segment.block, part.language));
                segments
            })
            .collect();
        if let Some(error) = error {
            return Err(error);
        }
        // Each text once, in the order of its first place.
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut places: Vec<Vec<usize>> = Vec::with_capacity(documents.len());
        // What stands inside segments (links, emphasis) is translated by itself as well: its
        // translation tells where in that of the segment it belongs.
        let mut spans: Vec<Vec<usize>> = Vec::with_capacity(documents.len());
        for (document, segments) in documents.iter().zip(&segments) {
            let mut number = |text| {
                *numbers.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() - 1
                })
            };
            let place = |segment| number(document.segment_text(segment));
            places.push(segments.iter().map(place).collect());
            let texts = document.texts_of_spans(segments).into_iter();
            spans.push(texts.map(number).collect());
        }
        let outputs = self.remembered(&models, from.language, &texts, watch)?;
        let glosses: Glosses = spans
            .iter()
            .flatten()
            .filter_map(|&text| {
                let output = outputs[text].as_ref()?;
                Some((texts[text].to_owned(), output.text.clone()))
            })
            .collect();
        let ids: Vec<String> = models.iter().map(|model| model.id.clone()).collect();
        documents
            .iter()
            .zip(&segments)
            .zip(places.iter().zip(&spans))
            .map(|((document, segments), (places, spans))| {
                let done: Option<Vec<&Output>> =
                    places.iter().map(|&text| outputs[text].as_ref()).collect();
                let has_spans = spans.iter().all(|&text| outputs[text].is_some());
                done.filter(|_| has_spans)
                    .map(|outputs| {
                        let texts: Vec<&str> =
                            outputs.iter().map(|output| output.text.as_str()).collect();
                        let translated = document.replace_with(segments, &texts, &glosses)?;
                        Ok(self.assemble(
                            document,
                            translated,
                            segments,
                            &outputs,
                            from.language,
                            &ids,
                        ))
                    })
                    .transpose()
            })
            .collect()
    }

    /// Runs texts through one model after another: the texts to translate in, their outputs out, in
    /// the same order.
    fn through(
        &self,
        models: &[Arc<Loaded>],
        from: Option<Language>,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Output>>> {
        let mut source = from;
        let mut outputs: Vec<Option<Output>> = texts
            .iter()
            .map(|text| Some(Output::untranslated(text)))
            .collect();
        for (number, model) in models.iter().enumerate() {
            let is_last = number + 1 == models.len();
            let target = if is_last {
                self.to
            } else {
                Some(Language::English)
            };
            let present: Vec<usize> = (0..outputs.len())
                .filter(|&i| outputs[i].is_some())
                .collect();
            let inputs: Vec<String> = present
                .iter()
                .filter_map(|&i| outputs[i].as_ref().map(|output| output.text.clone()))
                .collect();
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let directed = |model: Arc<Loaded>| Directed {
                model,
                from: source,
                to: target,
                decoding: &self.decoding,
            };
            let mut next = || -> Option<Box<dyn attempts::Translates + '_>> {
                let next = self.loader.next_cached(source?, target?, &model.id)?;
                Some(Box::new(directed(next)))
            };
            let worker = directed(model.clone());
            // What terms are is known of the first language and of the last.
            let none = Glossary::new();
            let origins: Vec<&str> = present.iter().map(|&i| texts[i]).collect();
            let first = models.first().filter(|_| is_last && number > 0);
            let first = first.map(|model| Directed {
                model: model.clone(),
                from,
                to: source,
                decoding: &self.decoding,
            });
            let relay = first.as_ref().map(|first| Relay {
                first,
                last: &worker,
            });
            let route = relay.as_ref().map(|models| Route {
                texts: &origins,
                from,
                models,
            });
            let checks = Checks {
                from: source,
                to: target,
                glossary: if is_last { &self.glossary } else { &none },
                is_bounded: self.decoding.max_tokens.is_some(),
                route,
            };
            let found = attempts::translate(&worker, &mut next, &checks, &inputs, watch)?;
            for (&i, mut found) in present.iter().zip(found) {
                if let (Some(found), Some(before)) = (&mut found, outputs[i].take()) {
                    found.follow(before);
                }
                outputs[i] = found;
            }
            source = target;
        }
        Ok(outputs)
    }

    /// Says what became of the terms of texts where no model was made to say them.
    fn find_terms(&self, from: Option<Language>, texts: &[&str], outputs: &mut [Option<Output>]) {
        for (output, text) in outputs.iter_mut().zip(texts) {
            if let Some(output) = output {
                output.find_terms(text, &self.glossary.hits(text, from, self.to));
            }
        }
    }

    fn assemble(
        &self,
        document: &Document,
        mut translated: Document,
        segments: &[Segment],
        outputs: &[&Output],
        from: Option<Language>,
        models: &[String],
    ) -> Translation {
        translated.set_language(self.to);
        // The first fault of each kind, the segments that have one, and the last of them: a segment
        // that misses two terms is one.
        let mut counts: Vec<(&Warning, usize, usize)> = Vec::new();
        for (number, output) in outputs.iter().enumerate() {
            for fault in &output.faults {
                match counts
                    .iter_mut()
                    .find(|(known, ..)| known.kind == fault.kind)
                {
                    Some((_, count, last)) => {
                        *count += usize::from(*last != number);
                        *last = number;
                    }
                    None => counts.push((fault, 1, number)),
                }
            }
        }
        let all = segments.len();
        let warnings = counts
            .into_iter()
            .map(|(fault, count, _)| {
                let message = format!("in {count} of {all} segments: {}", fault.message);
                Warning::new(fault.kind, message)
            })
            .collect();
        let mut models = models.to_vec();
        for by in outputs.iter().filter_map(|output| output.by.as_ref()) {
            if !models.contains(by) {
                models.push(by.clone());
            }
        }
        let terms = outputs
            .iter()
            .fold(TermCounts::default(), |sum, output| TermCounts {
                held: sum.held + output.terms.held,
                missed: sum.missed + output.terms.missed,
            });
        let segments = segments
            .iter()
            .zip(outputs)
            .map(|(segment, output)| TranslatedSegment {
                block: segment.block,
                source: document.segment_text(segment).to_owned(),
                target: output.text.clone(),
                warnings: output.faults.clone(),
                from_memory: output.from_memory,
            })
            .collect();
        Translation {
            document: translated,
            source_language: from,
            models,
            warnings,
            segments,
            repaired: outputs.iter().filter(|output| output.is_repaired).count(),
            terms,
        }
    }
}

impl std::fmt::Debug for Translator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Translator")
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TranslatorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TranslatorBuilder")
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// The language that a document is in, by its text, with a warning where it was told with doubt.
pub(crate) fn detected_language(document: &Document) -> Result<(Language, Vec<Warning>)> {
    let detection = document.detect_language();
    let Some(language) = detection.language else {
        return Err(Error::UndetectedLanguage {
            name: document.name().to_owned(),
            detected: detection.looks_like.map(str::to_owned),
        });
    };
    let mut warnings = Vec::new();
    if detection.confidence < Detection::LOW_CONFIDENCE {
        let message = format!(
            "the language was taken to be {}, with doubt",
            language.name()
        );
        warnings.push(Warning::new(WarningKind::LowConfidence, message));
    }
    Ok((language, warnings))
}

/// A document of which nothing is translated; why not is told by its passages.
fn left_as_it_is(document: &Document, from: Language, to: Option<Language>) -> Translation {
    let mut document = document.clone();
    document.set_language(to);
    Translation {
        document,
        source_language: Some(from),
        models: Vec::new(),
        warnings: Vec::new(),
        segments: Vec::new(),
        repaired: 0,
        terms: TermCounts::default(),
    }
}

fn untranslated(document: &Document, language: Language) -> Translation {
    let message = format!(
        "the text is in {} already and was left as it is",
        language.name()
    );
    Translation {
        warnings: vec![Warning::new(WarningKind::NotNeeded, message)],
        ..left_as_it_is(document, language, Some(language))
    }
}

/// The place of a document in its window, and the warnings that it has already.
type Member = (usize, Vec<Warning>);

/// What a document is translated from, and by which rules its sentences are told.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Source {
    language: Option<Language>,
    rules: Language,
}
