//! What a translation of a document is, with each of its segments.

use crate::document::Document;
use crate::language::Language;
use crate::warning::{Warning, WarningKind};

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
    pub warnings: Vec<Warning>,
    /// Whether it was in the [memory](crate::TranslatorBuilder::memory).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_memory: bool,
}

/// A document of which nothing is translated; why not is told by its passages.
pub(super) fn left_as_it_is(
    document: &Document,
    from: Language,
    to: Option<Language>,
) -> Translation {
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

pub(super) fn untranslated(document: &Document, language: Language) -> Translation {
    let message = format!(
        "the text is in {} already and was left as it is",
        language.name()
    );
    Translation {
        warnings: vec![Warning::new(WarningKind::NotNeeded, message)],
        ..left_as_it_is(document, language, Some(language))
    }
}
