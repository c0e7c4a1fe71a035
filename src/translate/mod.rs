//! Documents from one language into another, sentence by sentence.
//!
//! The sentences of all documents of a window are one stream: those that are the same are
//! translated once, the others in batches by length. Every output is checked, and what fails is
//! tried another way; what still fails is kept, and said in the result's warnings.

mod attempts;
mod builder;
mod models;
mod passages;
mod remember;
mod result;
mod route;
mod window;

use std::sync::Arc;

pub use builder::TranslatorBuilder;
pub use result::{TermCounts, TranslatedSegment, Translation};

use crate::decode::ProgressObserver;
use crate::document::{Document, Failure};
use crate::error::{Error, Result};
use crate::glossary::Glossary;
use crate::language::{Detection, Language};
use crate::loader::Loader;
use crate::memory::TranslationMemory;
use crate::options::Decoding;
use crate::pipeline::Pipeline;
use crate::warning::{Warning, WarningKind};

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
    /// Whether models are told what stands around a text.
    with_context: bool,
    progress: Option<ProgressObserver>,
    memory: Option<Arc<dyn TranslationMemory>>,
    keeping: remember::Keeping,
    /// Whether settings that no model supports are an error: not where they are another pipeline's.
    is_strict: bool,
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
        TranslatorBuilder::new(Some(to))
    }

    /// Sets up a translator that runs a model on its own pair of languages, whatever that is: no
    /// language is checked, and sentences are told by the rules of the nearest known language.
    /// [`LoadOptions::model`](crate::LoadOptions::model) must name a model that was made for translation.
    pub fn of_own_pair() -> TranslatorBuilder {
        TranslatorBuilder::new(None)
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
            with_context: false,
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
        let written = |translation: Translation| translation.document.text().to_owned();
        self.texts(texts, |name, text| Document::raw(name, text), written)
    }

    /// Translates one document.
    ///
    /// # Errors
    ///
    /// As [`translate`](Self::translate).
    pub fn translate_document(&self, document: &Document) -> Result<Translation> {
        self.document(document)
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
        self.stream(documents)
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

/// What a document is translated from, and by which rules its sentences are told.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Source {
    language: Option<Language>,
    rules: Language,
}
