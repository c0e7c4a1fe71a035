//! Articles to summaries, in the article's language or another one.
//!
//! The summary is written in the article's own language, where models stay closest to the text,
//! and translated where another one is asked for. An article too long to be read at once is read in
//! parts, whose summaries are then summarized. Every summary is checked, and asked for again where
//! it fails.

mod article;
mod attempts;
mod builder;
mod extract;
mod parts;
mod tidy;
mod writer;

use std::sync::Arc;

pub use builder::SummarizerBuilder;

use writer::{Languages, Writer};

use crate::decode::{ProgressObserver, Watch};
use crate::document::{Document, Failure};
use crate::error::{Error, Result};
use crate::language::Language;
use crate::loader::{Loaded, Loader};
use crate::options::Decoding;
use crate::pipeline::{Pipeline, failure, shared};
use crate::prompts::Length;
use crate::translate::{Translator, detected_language};
use crate::warning::Warning;

/// Writes summaries of texts and documents.
///
/// `Send + Sync`: one summarizer serves any number of threads.
///
/// ```no_run
/// use newsml::{Length, Summarizer};
/// let summarizer = Summarizer::new(Length::Short)?;
/// println!("{}", summarizer.summarize(&std::fs::read_to_string("article.txt").unwrap())?);
/// # Ok::<(), newsml::Error>(())
/// ```
pub struct Summarizer {
    loader: Arc<Loader>,
    length: Length,
    from: Option<Language>,
    language: Option<Language>,
    decoding: Decoding,
    progress: Option<ProgressObserver>,
}

/// A summary of a document.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summary {
    /// The document that was summarized.
    pub document: Document,
    /// The summary.
    pub text: String,
    /// The language of the summary.
    pub language: Language,
    /// The language of the document.
    pub source_language: Language,
    /// The models that worked on it, in that order.
    pub models: Vec<String>,
    /// What its reader should know.
    pub warnings: Vec<Warning>,
}

impl Summarizer {
    /// A summarizer for summaries of a length, each in its article's language, with the best model
    /// that can be had.
    ///
    /// # Errors
    ///
    /// As [`SummarizerBuilder::build`].
    pub fn new(length: Length) -> Result<Self> {
        Self::builder(length).build()
    }

    /// Sets up a summarizer.
    pub fn builder(length: Length) -> SummarizerBuilder {
        SummarizerBuilder::new(length)
    }

    /// Summarizes a text. A page's clutter is left out first; see [`Document::from_text`].
    ///
    /// # Errors
    ///
    /// [`Error::EmptyInput`], [`Error::UndetectedLanguage`], and what models can meet.
    pub fn summarize(&self, text: &str) -> Result<String> {
        let mut summaries = self.summarize_batch(&[text])?;
        summaries.pop().ok_or(Error::Cancelled)
    }

    /// Summarizes texts together; the i-th result answers the i-th text.
    ///
    /// # Errors
    ///
    /// The first error that any text meets.
    pub fn summarize_batch(&self, texts: &[&str]) -> Result<Vec<String>> {
        let written = |summary: Summary| summary.text;
        self.texts(texts, Document::from_text, written)
    }

    /// Summarizes one document.
    ///
    /// # Errors
    ///
    /// As [`summarize`](Self::summarize).
    pub fn summarize_document(&self, document: &Document) -> Result<Summary> {
        self.document(document)
    }

    /// Summarizes a stream of documents, lazily and in order; batches are filled across documents.
    /// What could not be read passes through.
    pub fn summarize_documents<'a, I>(
        &'a self,
        documents: I,
    ) -> impl Iterator<Item = Result<Summary, Box<Failure>>> + 'a
    where
        I: IntoIterator<Item = Result<Document, Box<Failure>>>,
        I::IntoIter: 'a,
    {
        self.stream(documents)
    }
}

impl Pipeline for Summarizer {
    type Done = Summary;
    const WINDOW_BYTES: usize = 256 << 10;
    const WINDOW_DOCUMENTS: usize = 32;

    fn window(&self, documents: Vec<Document>) -> Vec<Result<Summary, Box<Failure>>> {
        let mut watch = Watch::new(self.progress.clone());
        documents
            .iter()
            .zip(self.drafts(&documents, &mut watch))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(document, draft)| {
                draft
                    .and_then(|draft| self.finish(document, draft))
                    .map_err(|error| failure(document, error))
            })
            .collect()
    }
}

impl Summarizer {
    /// Summaries in the language of each document, or in the one asked for by a model that can.
    fn drafts(&self, documents: &[Document], watch: &mut Watch) -> Vec<Result<Draft>> {
        let mut drafts: Vec<Option<Result<Draft>>> = Vec::new();
        drafts.resize_with(documents.len(), || None);
        for language in Language::ALL {
            let mut members: Vec<usize> = Vec::new();
            let mut articles: Vec<Option<Written>> = Vec::new();
            for (index, document) in documents.iter().enumerate() {
                let found = match self.from.or(document.language()) {
                    Some(found) => Ok((found, Vec::new())),
                    None => detected_language(document),
                };
                match found {
                    Ok((found, warnings)) if found == language => {
                        match article::read(document, language) {
                            Ok((text, others)) => {
                                members.push(index);
                                let reading = document.reading().into_iter().collect();
                                articles.push(Some((text, [warnings, others, reading].concat())));
                            }
                            Err(error) => drafts[index] = Some(Err(error)),
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        drafts[index].get_or_insert(Err(error));
                    }
                }
            }
            if members.is_empty() {
                continue;
            }
            let written = self.loader.summarizer(language).and_then(|model| {
                Loaded::check_settings(std::slice::from_ref(&model), &self.decoding, false)?;
                let languages = Languages {
                    article: language,
                    summary: Writer::of(&model)?.language(language, self.language),
                };
                let texts = self.written(&model, languages, articles, watch)?;
                Ok((model, languages, texts))
            });
            match written {
                Ok((model, languages, texts)) => {
                    for (index, text) in members.into_iter().zip(texts) {
                        drafts[index] =
                            Some(text.map_or(Err(Error::Cancelled), |(text, warnings)| {
                                Ok(Draft {
                                    text,
                                    languages,
                                    model: model.id.clone(),
                                    warnings,
                                })
                            }));
                    }
                }
                Err(error) => {
                    let error = shared(error);
                    for index in members {
                        drafts[index] = Some(Err(error()));
                    }
                }
            }
        }
        drafts
            .into_iter()
            .map(|draft| draft.unwrap_or(Err(Error::Cancelled)))
            .collect()
    }

    /// Translates a draft where another language is asked for.
    fn finish(&self, document: &Document, draft: Draft) -> Result<Summary> {
        let language = self.language.unwrap_or(draft.languages.summary);
        let mut summary = Summary {
            document: document.clone(),
            text: draft.text,
            language,
            source_language: draft.languages.article,
            models: vec![draft.model],
            warnings: draft.warnings,
        };
        if language != draft.languages.summary {
            let translator = Translator::sharing(
                self.loader.clone(),
                language,
                self.decoding.clone(),
                self.progress.clone(),
            );
            let mut text = Document::raw(document.name(), summary.text.as_str())?;
            text.set_language(Some(draft.languages.summary));
            let translation = translator.translate_document(&text)?;
            summary.text = translation.document.text().to_owned();
            for model in translation.models {
                if summary.models.last() != Some(&model) {
                    summary.models.push(model);
                }
            }
            summary.warnings.extend(translation.warnings);
        }
        Ok(summary)
    }
}

/// A text, and what its reader should know; `None` in its place where the work was stopped before.
type Written = (String, Vec<Warning>);

struct Draft {
    text: String,
    languages: Languages,
    model: String,
    warnings: Vec<Warning>,
}

impl std::fmt::Debug for Summarizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Summarizer")
            .field("length", &self.length)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
