//! Sets up a [`Summarizer`].

use std::sync::Arc;

use super::Summarizer;
use crate::decode::ProgressObserver;
use crate::error::Result;
use crate::language::Language;
use crate::loader::Loader;
use crate::options::{Decoding, LoadOptions};
use crate::prompts::Length;

/// Sets up a [`Summarizer`].
pub struct SummarizerBuilder {
    length: Length,
    from: Option<Language>,
    language: Option<Language>,
    load: LoadOptions,
    decoding: Decoding,
    progress: Option<ProgressObserver>,
}

impl SummarizerBuilder {
    pub(super) fn new(length: Length) -> Self {
        Self {
            length,
            from: None,
            language: None,
            load: LoadOptions::default(),
            decoding: Decoding::default(),
            progress: None,
        }
    }

    /// Sets the language of the articles; it is detected for each where this is not called.
    pub fn from(mut self, language: Language) -> Self {
        self.from = Some(language);
        self
    }

    /// Sets the language of the summaries; that of each article where this is not called.
    pub fn language(mut self, language: Language) -> Self {
        self.language = Some(language);
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

    /// Makes the summarizer. Models are fetched and loaded when the first document needs them.
    ///
    /// # Errors
    ///
    /// [`Error::Device`](crate::Error::Device), [`Error::Registry`](crate::Error::Registry).
    pub fn build(self) -> Result<Summarizer> {
        Ok(Summarizer {
            loader: Arc::new(Loader::new(self.load)?),
            length: self.length,
            from: self.from,
            language: self.language,
            decoding: self.decoding,
            progress: self.progress,
        })
    }
}

impl std::fmt::Debug for SummarizerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SummarizerBuilder")
            .field("length", &self.length)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
