//! Reads Word documents (`.docx`): the text of the document, its headers, footers and notes.
//!
//! A document is an archive of parts. Those with text are read, with a bound on their size; all
//! others are copied as they are packed, and never unpacked. What stands in a paragraph is read in
//! `paragraph`, the direction and language of a translation are named in `direction`. The layout's
//! source is the parts with text, one after the other.

mod direction;
mod package;
mod paragraph;

use std::borrow::Cow;
use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use zip::ZipArchive;
use zip::write::ZipWriter;

use super::escape::Escape;
use super::html::tokens::{self, Token};
use super::layout::Builder;
use super::{Document, Format};
use crate::error::{Error, Result};
use crate::language::Language;

/// The most bytes of text parts that are unpacked, together: some ten thousand pages.
const MOST_BYTES: u64 = 64 << 20;
/// The most files in an archive.
const MOST_FILES: usize = 10_000;
/// What stands between two parts in the layout's source; it is in no XML.
const GAP: char = '\0';

/// The archive of a document, and the parts of it that hold its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Archive {
    bytes: Arc<Vec<u8>>,
    parts: Vec<String>,
}

/// Whether the beginning of an input is that of an archive.
pub(super) fn looks_like(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04")
}

/// The document in an archive.
///
/// # Errors
/// [`Error::Format`] where it is no Word document, is damaged or too large, or declares a document
/// type; [`Error::EmptyInput`] where it holds no text.
pub(super) fn document(name: String, bytes: Vec<u8>) -> Result<Document> {
    let wrong = |message: &str| wrong(&name, message);
    let bytes = Arc::new(bytes);
    let mut archive = ZipArchive::new(Cursor::new(bytes.as_slice()))
        .map_err(|error| wrong(&error.to_string()))?;
    if archive.len() > MOST_FILES {
        return Err(wrong(&format!("it holds more than {MOST_FILES} files")));
    }
    let parts = package::text_parts(&mut archive).map_err(&wrong)?;
    let mut source = String::new();
    let mut left = MOST_BYTES;
    for (index, part) in parts.iter().enumerate() {
        let file = archive
            .by_name(part)
            .map_err(|error| wrong(&format!("`{part}`: {error}")))?;
        let mut content = Vec::new();
        file.take(left + 1)
            .read_to_end(&mut content)
            .map_err(|error| wrong(&format!("`{part}`: {error}")))?;
        let size = content.len() as u64;
        if size > left {
            let most = MOST_BYTES >> 20;
            return Err(wrong(&format!(
                "its text is larger than {most} MiB unpacked"
            )));
        }
        left -= size;
        let content =
            String::from_utf8(content).map_err(|_| wrong(&format!("`{part}` is not in UTF-8")))?;
        if content.contains(GAP) {
            return Err(wrong(&format!("`{part}` is not XML")));
        }
        if index > 0 {
            source.push(GAP);
        }
        source.push_str(&package::plain(&content));
    }
    let mut builder = Builder::new(source.clone(), Escape::Entities);
    let mut at = 0;
    for part in source.split(GAP) {
        paragraph::read(&source, at..at + part.len(), &mut builder).map_err(&wrong)?;
        builder.end_block();
        at += part.len() + GAP.len_utf8();
    }
    let (text, blocks, layout) = builder.finish();
    if blocks.is_empty() {
        return Err(Error::EmptyInput { name });
    }
    let mut document = Document::of_blocks(name, text, blocks);
    document.format = Format::Docx;
    document.layout = Some(layout);
    document.archive = Some(Archive { bytes, parts });
    Ok(document)
}

fn wrong(name: &str, message: &str) -> Error {
    Error::Format {
        name: name.to_owned(),
        format: "docx",
        message: message.to_owned(),
    }
}

impl Archive {
    /// The archive with `source` in its text parts; `language` is that of a translation.
    ///
    /// # Errors
    /// [`Error::Format`] where a part cannot be copied.
    pub(super) fn write(
        &self,
        name: &str,
        source: &str,
        language: Option<Language>,
    ) -> Result<Vec<u8>> {
        let failed = |error: zip::result::ZipError| wrong(name, &error.to_string());
        let io = |error: std::io::Error| wrong(name, &error.to_string());
        let texts: Vec<String> = source
            .split(GAP)
            .map(|text| keep_spaces(&direction::declare(text, language)))
            .collect();
        let mut archive = ZipArchive::new(Cursor::new(self.bytes.as_slice())).map_err(failed)?;
        let mut out = ZipWriter::new(Cursor::new(Vec::with_capacity(self.bytes.len())));
        out.set_raw_comment(archive.comment().into())
            .map_err(failed)?;
        for index in 0..archive.len() {
            let file = archive.by_index_raw(index).map_err(failed)?;
            // A name that cannot be read is none of a part with text.
            let part = file.name().map(Cow::into_owned).unwrap_or_default();
            let number = self.parts.iter().position(|known| *known == part);
            match number.and_then(|number| texts.get(number)) {
                Some(text) => {
                    let options = file.options();
                    drop(file);
                    out.start_file(part, options).map_err(failed)?;
                    out.write_all(text.as_bytes()).map_err(io)?;
                }
                None => out.raw_copy_file(file).map_err(failed)?,
            }
        }
        Ok(out.finish().map_err(failed)?.into_inner())
    }

    /// The archive as it was read.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Says of texts with a space at an end that it is part of them: Word drops it elsewhere.
fn keep_spaces(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len());
    let mut at = 0;
    let mut done = 0;
    while at < xml.len() {
        let token = tokens::next_of_xml(xml, at);
        at = token.range().end;
        if let Token::Start(tag) = &token
            && tag.name == "w:t"
            && tag.attributes.is_empty()
            && !tag.closed
        {
            let text = &xml[at..];
            let text = &text[..text.find('<').unwrap_or(text.len())];
            if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
                out.push_str(&xml[done..tag.range.end - 1]);
                out.push_str(" xml:space=\"preserve\">");
                done = tag.range.end;
            }
        }
    }
    out.push_str(&xml[done..]);
    out
}
