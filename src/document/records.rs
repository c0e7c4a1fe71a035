//! Documents of which many stand in one file: the lines of JSON, the rows of a table.
//!
//! A record has fields; those that were chosen hold the text, the others are kept. The text is the
//! title, where there is one, and the values with a blank line between.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::escape::ValueKind;
use super::format::Cleaning;
use super::layout::{Layout, Named, Value};
use super::{Block, BlockKind, Document, TITLE_GAP, clean, lines};
use crate::error::{Error, Result};
use crate::language::Language;

/// A field whose value is text.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) text: String,
    /// Where the value stands in the record.
    pub(super) source: Range<usize>,
    pub(super) kind: ValueKind,
}

/// What a record holds.
pub(super) struct Record {
    pub(super) name: String,
    /// All of it, as it stands in the file.
    pub(super) source: String,
    /// The chosen fields, in the order in which they are read.
    pub(super) fields: Vec<Field>,
    /// Where the record says in which language it is.
    pub(super) language: Option<Range<usize>>,
    /// Everything that it holds.
    pub(super) all: Map<String, Json>,
}

/// The name of the field that holds the headline.
pub(super) const TITLE: &str = "title";
/// The name of the field that holds the article.
pub(super) const TEXT: &str = "text";

/// The document of a record. A text without clutter is kept byte for byte.
///
/// # Errors
/// [`Error::EmptyInput`] where the chosen fields hold no text.
pub(super) fn document(record: &Record, cleaning: Cleaning) -> Result<Document> {
    let mut text = String::new();
    let mut blocks: Vec<Block> = Vec::new();
    let mut values = Vec::new();
    let mut cleaned_of = None;
    for field in &record.fields {
        let is_title = field.name == TITLE && text.is_empty();
        if is_title && field.text.trim().is_empty() {
            continue;
        }
        let cleaned = match cleaning {
            Cleaning::Fields if field.name == TEXT => {
                Some(clean::clean(&field.text)).filter(|cleaned| !cleaned.left_out.is_empty())
            }
            _ => None,
        };
        let (part, parts) = match &cleaned {
            Some(cleaned) => (cleaned.text.as_str(), cleaned.blocks.clone()),
            None if is_title => {
                let kind = BlockKind::Headline;
                let range = 0..field.text.len();
                (field.text.as_str(), vec![Block { kind, range }])
            }
            None => (field.text.as_str(), lines::raw_blocks(&field.text, 0)),
        };
        if !text.is_empty() {
            text.push_str(TITLE_GAP);
        }
        let start = text.len();
        text.push_str(part);
        blocks.extend(parts.into_iter().map(|mut block| {
            block.range = block.range.start + start..block.range.end + start;
            // The headline that the page repeats is a part of the text here.
            if block.kind == BlockKind::Headline && start > 0 {
                block.kind = BlockKind::Heading;
            }
            block
        }));
        let value = Value {
            text: start..text.len(),
            source: field.source.clone(),
            kind: field.kind.clone(),
        };
        values.push((value, field.name.clone()));
        cleaned_of = cleaned_of.or(cleaned);
    }
    if blocks.is_empty() {
        return Err(Error::EmptyInput {
            name: record.name.clone(),
        });
    }
    values.sort_by_key(|(value, _)| value.source.start);
    let (values, chosen) = values.into_iter().unzip();
    let mut document = Document::of_blocks(record.name.clone(), text, blocks);
    let mut layout = Layout::of_values(record.source.clone(), values);
    layout.named = named(record);
    debug_assert!(layout.is_sound(), "values overlap");
    document.layout = Some(layout);
    document.language = language(&record.all);
    document.chosen = chosen;
    document.fields.clone_from(&record.all);
    if let Some(cleaned) = cleaned_of {
        document.left_out = cleaned.left_out;
        document.byline = cleaned.byline;
        document.date = cleaned.date;
    }
    Ok(document)
}

/// What a record calls itself.
pub(super) fn id(all: &Map<String, Json>) -> Option<String> {
    match all.get("id") {
        Some(Json::String(id)) if !id.is_empty() => Some(id.clone()),
        Some(Json::Number(id)) => Some(id.to_string()),
        _ => None,
    }
}

/// The name of a language in a record; none where it names none of ours, or is itself a text.
fn named(record: &Record) -> Option<Named> {
    let kind = record.fields.first()?.kind.clone();
    let source = record.language.clone()?;
    let is_text = |field: &Field| field.source == source;
    let language = language(&record.all).filter(|_| !record.fields.iter().any(is_text))?;
    Some(Named {
        language,
        source,
        kind,
    })
}

/// The language that a record names.
fn language(all: &Map<String, Json>) -> Option<Language> {
    all.get("language")?.as_str()?.parse().ok()
}
