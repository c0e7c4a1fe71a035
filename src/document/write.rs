//! Writes a document in the format that it was read from.

use super::html::{self, Declaration};
use super::{BlockKind, Document, Format};
use crate::error::Result;
use crate::language::Language;

impl Document {
    /// The document in its own format, as a file: [`to_source`](Self::to_source), and for Word
    /// documents the archive, of which all parts without text are byte for byte what they were.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) where an archive cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        match (&self.archive, &self.layout) {
            (Some(archive), Some(layout)) if !layout.changed => Ok(archive.bytes().to_vec()),
            (Some(archive), Some(layout)) => {
                archive.write(&self.name, &layout.source, self.language)
            }
            _ => Ok(self.to_source().into_bytes()),
        }
    }

    /// The document in its own format, in UTF-8: what it was read from, with the text in it as it is
    /// now, and everything else byte for byte as it was.
    ///
    /// A text that was cleaned, and the article of a page (read without [`Cleaning::Page`]), have
    /// nothing around them: the text itself is given, and a page that holds the article alone. Where
    /// the text was replaced and [`language`](Self::language) is known, it is named where the format
    /// does: `lang` and `dir` of a page, the field `language` of a line of JSON or a row of a table. Of
    /// a Word document, these are the parts with text, one after the other.
    ///
    /// [`Cleaning::Page`]: super::Cleaning::Page
    pub fn to_source(&self) -> String {
        let Some(layout) = &self.layout else {
            let text = match self.format {
                Format::Html => self.article_page(),
                _ => self.text.clone(),
            };
            return self.marked(text);
        };
        let language = self.language.filter(|_| layout.changed);
        let source = match self.format {
            Format::Html => {
                let is_recoded = self.encoding != "UTF-8";
                html::declare(
                    &layout.source,
                    Declaration {
                        language,
                        is_recoded,
                    },
                )
            }
            Format::JsonLines | Format::Csv | Format::Tsv => layout.naming(language),
            _ => layout.source.clone(),
        };
        self.marked(match language {
            Some(Language::English | Language::Russian) => without_direction(source),
            _ => source,
        })
    }

    /// A text with the byte order mark that the input had.
    fn marked(&self, text: String) -> String {
        if self.has_mark {
            format!("\u{FEFF}{text}")
        } else {
            text
        }
    }

    /// A page of the text alone.
    fn article_page(&self) -> String {
        let mut page = "<!DOCTYPE html>\n<html".to_owned();
        if let Some(language) = self.language {
            page.push_str(&format!(" lang=\"{}\"", language.code()));
            if language == Language::Arabic {
                page.push_str(" dir=\"rtl\"");
            }
        }
        page.push_str(">\n<head>\n<meta charset=\"utf-8\">\n<title>");
        let title = self.title().unwrap_or(&self.name);
        page.push_str(&html_escape::encode_text(title));
        page.push_str("</title>\n</head>\n<body>\n<article>\n");
        let mut in_list = false;
        for block in &self.blocks {
            let is_item = block.kind == BlockKind::ListItem;
            if is_item != in_list {
                page.push_str(if is_item { "<ul>\n" } else { "</ul>\n" });
                in_list = is_item;
            }
            let element = match block.kind {
                BlockKind::Headline => "h1",
                BlockKind::Heading => "h2",
                BlockKind::ListItem => "li",
                BlockKind::Paragraph => "p",
            };
            let text = html_escape::encode_text(self.block_text(block));
            page.push_str(&format!("<{element}>{text}</{element}>\n"));
        }
        if in_list {
            page.push_str("</ul>\n");
        }
        page.push_str("</article>\n</body>\n</html>\n");
        page
    }
}

/// A text without the marks that turn lines to be read from the right, in lines that are not.
fn without_direction(text: String) -> String {
    let is_mark = |c: char| matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let is_from_right = |c: char| matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}');
    if !text.contains(is_mark) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.contains(|c: char| is_from_right(c) && !is_mark(c)) {
            out.push_str(line);
        } else {
            out.extend(line.chars().filter(|c| !is_mark(*c)));
        }
    }
    out
}
