//! Sets up a [`Translator`].

use std::sync::Arc;

use super::{Translator, remember};
use crate::decode::ProgressObserver;
use crate::error::Result;
use crate::glossary::Glossary;
use crate::language::Language;
use crate::loader::Loader;
use crate::memory::TranslationMemory;
use crate::options::{Decoding, LoadOptions};

/// Sets up a [`Translator`].
pub struct TranslatorBuilder {
    from: Option<Language>,
    /// `None` for the own pair of the model that is named.
    to: Option<Language>,
    load: LoadOptions,
    decoding: Decoding,
    glossary: Arc<Glossary>,
    with_context: bool,
    progress: Option<ProgressObserver>,
    memory: Option<Arc<dyn TranslationMemory>>,
}

impl TranslatorBuilder {
    pub(super) fn new(to: Option<Language>) -> Self {
        Self {
            from: None,
            to,
            load: LoadOptions::default(),
            decoding: Decoding::default(),
            glossary: Arc::default(),
            with_context: false,
            progress: None,
            memory: None,
        }
    }

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

    /// Sets the terms that must be translated in one way, or not at all. Models whose makers say how
    /// are told of them; a translation without them is tried again, where the model can be made to say them; one that still misses a term has the
    /// warning `glossary_missed`.
    pub fn glossary(mut self, glossary: Glossary) -> Self {
        self.glossary = Arc::new(glossary);
        self
    }

    /// Sets whether the model is told the headline and the sentence before, as the background of each
    /// sentence. It is an error to ask it of a model that does not know what to do with them: see
    /// [`PromptFacts::translate_with_context`](crate::PromptFacts::translate_with_context).
    pub fn context(mut self, is_told: bool) -> Self {
        self.with_context = is_told;
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
    /// What finding, fetching and loading a model can meet; see [`Error`](crate::Error).
    pub fn build(self) -> Result<Translator> {
        let loader = Arc::new(Loader::new(self.load)?);
        let translator = Translator {
            loader,
            from: self.from,
            to: self.to,
            decoding: self.decoding,
            glossary: self.glossary,
            with_context: self.with_context,
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

impl std::fmt::Debug for TranslatorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TranslatorBuilder")
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}
