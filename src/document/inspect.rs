//! What `newsml inspect` shows of a document: how it was read, without any model.

use super::{BlockKind, Document};
use crate::language::Language;
use crate::segment;

/// What newsml reads from a document; see [`Document::inspect`].
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Inspection {
    /// The name of the document.
    pub id: String,
    /// The encoding it was read from.
    pub encoding: &'static str,
    /// The format it was read from.
    pub format: &'static str,
    /// The headline.
    pub title: Option<String>,
    /// The line that names the author.
    pub byline: Option<String>,
    /// The line that names the time of publication.
    pub date: Option<String>,
    /// The language, where it is one of ours.
    pub language: Option<Language>,
    /// How sure the language is, from 0 to 1; 1 where the input says which it is.
    pub language_confidence: f64,
    /// The language it looks like, where that is not one of ours.
    pub looks_like: Option<&'static str>,
    /// The body: the cleaned text without the headline.
    pub text: String,
    /// The paragraphs, headings and list items of the body.
    pub paragraphs: Vec<String>,
    /// The sentences of the body.
    pub sentences: Vec<InspectedSentence>,
    /// The lines that clean-up left out.
    pub left_out: Vec<super::LeftOut>,
}

/// A sentence in an [`Inspection`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InspectedSentence {
    /// Index in [`Inspection::paragraphs`].
    pub paragraph: usize,
    /// Byte offset of its first byte in [`Inspection::text`].
    pub start: usize,
    /// Byte offset after its last byte.
    pub end: usize,
    /// Its text.
    pub text: String,
}

impl Document {
    /// Shows how the document was read. Sentences follow the rules of `language`, else of the
    /// language the input names, else of the language detected, else of English.
    pub fn inspect(&self, language: Option<Language>) -> Inspection {
        let detected = self.detect_language();
        let named = language.or(self.language);
        let rules = named.or(detected.language).unwrap_or(Language::English);
        let offset = self.body_start();
        let mut paragraphs = Vec::new();
        let mut sentences = Vec::new();
        for block in self
            .blocks
            .iter()
            .filter(|block| block.kind != BlockKind::Headline)
        {
            let text = self.block_text(block);
            let start = block.range.start - offset;
            sentences.extend(segment::sentences(text, rules).into_iter().map(|range| {
                InspectedSentence {
                    paragraph: paragraphs.len(),
                    start: start + range.start,
                    end: start + range.end,
                    text: text[range].to_owned(),
                }
            }));
            paragraphs.push(text.to_owned());
        }
        Inspection {
            id: self.name.clone(),
            encoding: self.encoding,
            format: self.format.name(),
            title: self.title().map(str::to_owned),
            byline: self.byline.clone(),
            date: self.date.clone(),
            language: named.or(detected.language),
            language_confidence: if named.is_some() {
                1.0
            } else {
                detected.confidence
            },
            looks_like: if named.is_some() {
                None
            } else {
                detected.looks_like
            },
            text: self.body().to_owned(),
            paragraphs,
            sentences,
            left_out: self.left_out.clone(),
        }
    }
}
