//! Documents from one language into another, sentence by sentence.
//!
//! The sentences of all documents of a window are one stream: those that are the same are
//! translated once, the others in batches by length. Every output is checked, and what fails is
//! tried another way; what still fails is kept, and said in the result's warnings.

use std::collections::HashMap;
use std::sync::Arc;

use crate::check;
use crate::document::{Document, Failure, Segment};
use crate::engine::{Answer, Instruct, Job, Watch, Writing};
use crate::error::{Error, Result};
use crate::language::{Detection, Language, ScriptProfile};
use crate::loader::{Engine, Loaded, Loader};
use crate::options::{Decoding, LoadOptions, ProgressObserver, Warning};
use crate::pipeline::{Windows, failure, named, shared};
use crate::prompts;

/// Bytes of text in a window: some 500 sentences.
const WINDOW_BYTES: usize = 64 << 10;
/// Documents in a window.
const WINDOW_DOCUMENTS: usize = 256;
/// Most tokens of a segment; longer ones are parted.
const MOST_TOKENS: usize = 320;
/// How often an output that fails its checks is asked for.
const ATTEMPTS: usize = 2;

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
    progress: Option<ProgressObserver>,
}

/// Sets up a [`Translator`].
pub struct TranslatorBuilder {
    from: Option<Language>,
    /// `None` for the own pair of the model that is named.
    to: Option<Language>,
    load: LoadOptions,
    decoding: Decoding,
    progress: Option<ProgressObserver>,
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
}

/// A segment and its translation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct TranslatedSegment {
    /// The text in the source language.
    pub source: String,
    /// The text in the target language.
    pub target: String,
    /// What its reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
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

    /// Sets who is told how far the work is, and may stop it.
    pub fn progress(mut self, observer: ProgressObserver) -> Self {
        self.progress = Some(observer);
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
            progress: self.progress,
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
            progress: None,
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
            progress,
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
        for (index, document) in documents.iter().enumerate() {
            match self.source_language(document) {
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
            let group: Vec<&Document> = members
                .iter()
                .map(|(index, _)| &documents[*index])
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

    /// Translates documents of one language; `None` for those that were not finished when the
    /// caller stopped the work.
    fn group(
        &self,
        from: Source,
        documents: &[&Document],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Translation>>> {
        let models = match (from.language, self.to) {
            (Some(from), Some(to)) if from == to => {
                let translations = documents
                    .iter()
                    .map(|document| Some(untranslated(document, from)));
                return Ok(translations.collect());
            }
            (Some(from), Some(to)) => self.loader.translators(from, to)?,
            _ => vec![self.loader.own_pair()?],
        };
        let mut error = None;
        let segments: Vec<Vec<Segment>> = documents
            .iter()
            .map(|document| {
                document.segments_fitting(from.rules, |piece| {
                    models.first().is_none_or(|model| match fits(model, piece) {
                        Ok(fits) => fits,
                        Err(failed) => {
                            error.get_or_insert(failed);
                            true
                        }
                    })
                })
            })
            .collect();
        if let Some(error) = error {
            return Err(error);
        }
        // Each text once, in the order of its first place.
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut places: Vec<Vec<usize>> = Vec::with_capacity(documents.len());
        for (document, segments) in documents.iter().zip(&segments) {
            let place = |segment: &Segment| {
                let text = document.segment_text(segment);
                *numbers.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() - 1
                })
            };
            places.push(segments.iter().map(place).collect());
        }
        let outputs = self.through(&models, from.language, &texts, watch)?;
        let ids: Vec<String> = models.iter().map(|model| model.id.clone()).collect();
        documents
            .iter()
            .zip(&segments)
            .zip(&places)
            .map(|((document, segments), places)| {
                let done: Option<Vec<&Output>> =
                    places.iter().map(|&text| outputs[text].as_ref()).collect();
                done.map(|outputs| self.assemble(document, segments, &outputs, from.language, &ids))
                    .transpose()
            })
            .collect()
    }

    /// Runs texts through one model after another.
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
            .map(|text| {
                Some(Output {
                    text: (*text).to_owned(),
                    faults: Vec::new(),
                })
            })
            .collect();
        for (number, model) in models.iter().enumerate() {
            let target = if number + 1 == models.len() {
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
            let found = match (&model.engine, source, target) {
                (Engine::Instruct(instruct), Some(from), Some(to)) => prompted(
                    instruct,
                    Direction { from, to },
                    &inputs,
                    &self.decoding,
                    watch,
                )?,
                (Engine::Instruct(_), _, _) => {
                    return Err(Error::NoModel {
                        task: "translate".to_owned(),
                    });
                }
                (Engine::Segments(model), _, _) => {
                    let found =
                        model.translate((source, target), &inputs, &self.decoding, watch)?;
                    inputs
                        .iter()
                        .zip(found)
                        .map(|(input, found)| found.map(|found| checked(input, found, target)))
                        .collect()
                }
            };
            for (&i, mut found) in present.iter().zip(found) {
                if let (Some(found), Some(before)) = (&mut found, outputs[i].take()) {
                    found.faults.splice(0..0, before.faults);
                }
                outputs[i] = found;
            }
            source = target;
        }
        Ok(outputs)
    }

    fn assemble(
        &self,
        document: &Document,
        segments: &[Segment],
        outputs: &[&Output],
        from: Option<Language>,
        models: &[String],
    ) -> Result<Translation> {
        let texts: Vec<&str> = outputs.iter().map(|output| output.text.as_str()).collect();
        let mut translated = document.replace(segments, &texts)?;
        translated.set_language(self.to);
        let mut counts: Vec<(&Warning, usize)> = Vec::new();
        for fault in outputs.iter().flat_map(|output| &output.faults) {
            match counts
                .iter_mut()
                .find(|(known, _)| known.kind == fault.kind)
            {
                Some((_, count)) => *count += 1,
                None => counts.push((fault, 1)),
            }
        }
        let all = segments.len();
        let warnings = counts
            .into_iter()
            .map(|(fault, count)| {
                Warning::new(
                    &fault.kind,
                    format!("{} in {count} of {all} segments", fault.message),
                )
            })
            .collect();
        let segments = segments
            .iter()
            .zip(outputs)
            .map(|(segment, output)| TranslatedSegment {
                source: document.segment_text(segment).to_owned(),
                target: output.text.clone(),
                warnings: output.faults.clone(),
            })
            .collect();
        Ok(Translation {
            document: translated,
            source_language: from,
            models: models.to_vec(),
            warnings,
            segments,
        })
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
        warnings.push(Warning::new("low_confidence", message));
    }
    Ok((language, warnings))
}

fn untranslated(document: &Document, language: Language) -> Translation {
    let mut document = document.clone();
    document.set_language(Some(language));
    let message = format!(
        "the text is in {} already and was left as it is",
        language.name()
    );
    Translation {
        document,
        source_language: Some(language),
        models: Vec::new(),
        warnings: vec![Warning::new("not_needed", message)],
        segments: Vec::new(),
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

#[derive(Clone, Copy)]
struct Direction {
    from: Language,
    to: Language,
}

struct Output {
    text: String,
    faults: Vec<Warning>,
}

/// What a model gave for a segment, with what can be seen to be wrong with it.
fn checked(source: &str, found: crate::translators::Segment, to: Option<Language>) -> Output {
    let mut faults = found.warnings;
    for fault in check::translation(source, &found.answer.text, to, found.answer.finish) {
        if !faults.iter().any(|known| known.kind == fault.kind) {
            faults.push(fault);
        }
    }
    Output {
        text: found.answer.text,
        faults,
    }
}

/// Whether a piece of text is short enough for a model.
fn fits(model: &Loaded, piece: &str) -> Result<bool> {
    match &model.engine {
        // A token has at least one byte.
        Engine::Instruct(instruct) => Ok(piece.len() <= MOST_TOKENS
            || (piece.len() <= MOST_TOKENS * 16 && instruct.count(piece)? <= MOST_TOKENS)),
        Engine::Segments(model) => model.fits(piece),
    }
}

/// What a translation may be written in. A small model that may use Latin letters mixes them into
/// Arabic and Russian words, so it may only where the source has what is written so in any language:
/// addresses, or Latin words in a text of another script.
fn writing(direction: Direction, segment: &str) -> Writing {
    let address = ["://", "www.", "@"]
        .iter()
        .any(|mark| segment.contains(mark));
    let latin = ScriptProfile::of(segment).share(Language::English) > 0.0;
    if address || (direction.from != Language::English && latin) {
        Writing::Usual(direction.to)
    } else {
        Writing::Strict(direction.to)
    }
}

/// Translates segments with an instruct model; those that fail their checks are asked for again in
/// another way.
fn prompted(
    instruct: &Instruct,
    direction: Direction,
    segments: &[&str],
    decoding: &Decoding,
    watch: &mut Watch,
) -> Result<Vec<Option<Output>>> {
    let Direction { from, to } = direction;
    let mut outputs: Vec<Option<Output>> = Vec::new();
    outputs.resize_with(segments.len(), || None);
    let mut open: Vec<usize> = (0..segments.len()).collect();
    for attempt in 0..ATTEMPTS {
        if open.is_empty() || watch.stopped() {
            break;
        }
        let mut jobs = Vec::with_capacity(open.len());
        for &segment in &open {
            let text = segments[segment];
            let source = instruct.count(text)?;
            // Arabic and Russian words have two to three times the tokens of English ones.
            let expected = match (from, to) {
                (Language::English, _) => source * 5,
                (_, Language::English) => source * 3 / 2,
                _ => source * 3,
            };
            jobs.push(Job {
                prompt: instruct.prompt(&prompts::translation(from, to, text, attempt))?,
                max_new: decoding.max_tokens.unwrap_or(expected + 32),
                writing: writing(direction, text),
            });
        }
        watch.begin(open.len());
        let answers = instruct.answer(&jobs, decoding, watch)?;
        let mut again = Vec::new();
        for (&segment, answer) in open.iter().zip(answers) {
            let Some(Answer { text, finish }) = answer else {
                continue;
            };
            let faults = check::translation(segments[segment], &text, Some(to), finish);
            if !faults.is_empty() {
                again.push(segment);
            }
            let better = outputs[segment]
                .as_ref()
                .is_none_or(|before| check::weight(&faults) < check::weight(&before.faults));
            if better {
                outputs[segment] = Some(Output { text, faults });
            }
        }
        open = again;
    }
    Ok(outputs)
}
