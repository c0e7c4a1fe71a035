//! Reads Markdown: its blocks are the paragraphs, headings, list items and cells, and the titles and
//! descriptions in its front matter.
//!
//! Code, HTML blocks, link definitions, the rest of the front matter and all marks at the head of
//! lines are in no block, so that they stay byte for byte where they are. Marks within a line go
//! with their words.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::escape::{Escape, ValueKind};
use super::html::tokens::{self, Token};
use super::layout::Builder;
use super::spans::Kind;
use super::{BlockKind, Document, Format};
use crate::error::{Error, Result};

/// The document of a Markdown file.
///
/// # Errors
/// [`Error::EmptyInput`] where there is no text outside code.
pub(super) fn document(name: String, source: String) -> Result<Document> {
    let mut reader = Reader {
        source: &source,
        builder: Builder::new(source.clone(), Escape::Markdown),
        at: 0,
        left: 0,
        items: 0,
        images: Vec::new(),
    };
    reader.run();
    let (text, blocks, layout) = reader.builder.finish();
    if blocks.is_empty() {
        return Err(Error::EmptyInput { name });
    }
    let mut document = Document::of_blocks(name, text, blocks);
    document.format = Format::Markdown;
    document.layout = Some(layout);
    Ok(document)
}

struct Reader<'a> {
    source: &'a str,
    builder: Builder,
    /// Up to where the source was read.
    at: usize,
    /// In code, in HTML or in front matter, nothing is text.
    left: usize,
    items: usize,
    /// Images that are open; what describes them is not part of the sentence that they stand in.
    images: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn run(&mut self) {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
            | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
        for (event, range) in Parser::new_ext(self.source, options).into_offset_iter() {
            match event {
                Event::Start(tag) => self.start(tag, range),
                Event::End(end) => self.end(end, range),
                _ if self.left > 0 || !self.images.is_empty() => {}
                Event::Text(text) => self.text(&text, range),
                Event::Code(code) => {
                    self.builder.keep(&code, range.clone());
                    self.at = range.end;
                }
                Event::InlineHtml(_) => self.html(range),
                Event::SoftBreak => {
                    self.builder.space(range.clone());
                    self.at = range.end;
                }
                Event::HardBreak => {
                    self.builder.line_break(range.clone());
                    self.at = range.end;
                }
                Event::FootnoteReference(_) => {
                    self.builder.mark(Kind::Point, range.clone(), None);
                    self.at = range.end;
                }
                Event::TaskListMarker(_) | Event::Rule => self.at = range.end,
                _ => {}
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        let marks = match tag {
            Tag::Emphasis => 1,
            Tag::Strong => 2,
            Tag::Strikethrough => {
                let text = &self.source[range.clone()];
                text.len() - text.trim_start_matches('~').len()
            }
            Tag::Link { link_type, .. } => {
                return self.link(range, link_type);
            }
            Tag::Image { .. } => {
                self.images.push(range);
                return;
            }
            Tag::MetadataBlock(_) => {
                self.front_matter(range);
                self.left += 1;
                return;
            }
            Tag::CodeBlock(_) | Tag::HtmlBlock => {
                self.builder.end_block();
                self.left += 1;
                return;
            }
            _ => return self.block(&tag, range),
        };
        if self.left == 0 && self.images.is_empty() {
            let marks = range.start..range.start + marks.min(range.len());
            self.at = marks.end;
            self.builder.open_span("mark", marks);
        }
    }

    fn link(&mut self, range: Range<usize>, kind: LinkType) {
        if self.left > 0 || !self.images.is_empty() {
            return;
        }
        if matches!(kind, LinkType::Autolink | LinkType::Email) {
            let address = self.source[range.clone()].trim_matches(['<', '>']);
            let address = address.to_owned();
            self.builder.keep(&address, range.clone());
            self.images.push(range);
            return;
        }
        self.at = range.start + 1;
        self.builder.open_span("link", range.start..range.start + 1);
    }

    fn block(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        self.builder.end_block();
        self.at = range.start;
        let is_item = matches!(tag, Tag::Item);
        self.items += usize::from(is_item);
        let kind = match tag {
            Tag::Heading { .. } if self.builder.is_empty() => BlockKind::Headline,
            Tag::Heading { .. } => BlockKind::Heading,
            _ if self.items > 0 => BlockKind::ListItem,
            _ => BlockKind::Paragraph,
        };
        self.builder.set_kind(kind);
    }

    fn end(&mut self, end: TagEnd, range: Range<usize>) {
        match end {
            TagEnd::Image => self.image(),
            TagEnd::Link if self.images.last() == Some(&range) => {
                self.images.pop();
                self.at = range.end;
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link => {
                if self.left == 0 && self.images.is_empty() {
                    let name = if end == TagEnd::Link { "link" } else { "mark" };
                    let marks = self.at.clamp(range.start, range.end)..range.end;
                    self.builder.close_span(name, marks);
                    self.at = range.end;
                }
            }
            TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::MetadataBlock(_) => {
                self.left = self.left.saturating_sub(1);
                self.at = range.end;
            }
            _ => {
                self.items -= usize::from(end == TagEnd::Item).min(self.items);
                self.builder.end_block();
                if self.items > 0 {
                    self.builder.set_kind(BlockKind::ListItem);
                }
            }
        }
    }

    /// An image is a mark of its sentence; what describes it is a value, where it is plain words.
    fn image(&mut self) {
        let Some(range) = self.images.pop() else {
            return;
        };
        if !self.images.is_empty() || self.left > 0 {
            return;
        }
        let was_open = self.builder.is_open();
        if was_open {
            self.builder.mark(Kind::Point, range.clone(), None);
        }
        let text = &self.source[range.clone()];
        let words = text
            .strip_prefix("![")
            .and_then(|rest| rest.find(']').map(|end| &rest[..end]));
        if let Some(words) = words
            && !words.contains(['[', '\\', '*', '_', '`', '<', '&', '\n', '\r'])
        {
            let words = words.to_owned();
            let start = range.start + 2;
            self.builder.value(
                BlockKind::Paragraph,
                &words,
                start..start + words.len(),
                ValueKind::Description,
            );
        }
        self.at = range.end;
    }

    fn text(&mut self, text: &CowStr<'_>, range: Range<usize>) {
        // A backslash before a character is in no event.
        let escape = self.source[..range.start].ends_with('\\') && self.at < range.start;
        let range_with = range.start - usize::from(escape)..range.end;
        if self.source[range_with.clone()] == **text {
            self.builder.text(range_with);
        } else if escape {
            // The first character belongs to the backslash; the rest stands as it is.
            let first = text.chars().next().map_or(0, char::len_utf8);
            self.builder
                .decoded(&text[..first], range_with.start..range.start + first);
            if self.source.get(range.start + first..range.end) == text.get(first..) {
                self.builder.text(range.start + first..range.end);
            }
        } else {
            self.builder.decoded(text, range_with);
        }
        self.at = range.end;
    }

    /// A tag within a line.
    fn html(&mut self, range: Range<usize>) {
        match tokens::next(self.source, range.start) {
            Token::Start(tag) if tag.name == "br" => self.builder.line_break(range.clone()),
            Token::Start(tag)
                if !tag.closed && !matches!(tag.name.as_str(), "img" | "wbr" | "hr") =>
            {
                self.builder.open_span(&tag.name, range.clone());
            }
            Token::End { name, .. } => self.builder.close_span(&name, range.clone()),
            _ => self.builder.mark(Kind::Point, range.clone(), None),
        }
        self.at = range.end;
    }

    /// The titles and descriptions of a front matter in YAML or TOML that stand on one line.
    fn front_matter(&mut self, range: Range<usize>) {
        const KEYS: [&str; 6] = [
            "title",
            "subtitle",
            "description",
            "summary",
            "excerpt",
            "headline",
        ];
        let mut at = range.start;
        for line in self.source[range].split_inclusive('\n') {
            let start = at;
            at += line.len();
            let Some((key, value)) = line.split_once([':', '=']) else {
                continue;
            };
            if !KEYS.contains(&key.trim_end()) || !value.starts_with(char::is_whitespace) {
                continue;
            }
            let value = value.trim();
            let quoted = |quote: char| {
                value
                    .strip_prefix(quote)
                    .and_then(|rest| rest.strip_suffix(quote))
            };
            let text = if let Some(inner) = quoted('"') {
                inner.replace("\\\"", "\"").replace("\\\\", "\\")
            } else if let Some(inner) = quoted('\'') {
                inner.replace("''", "'")
            } else if value.starts_with(char::is_alphanumeric) && !value.contains(" #") {
                value.to_owned()
            } else {
                continue;
            };
            let from = start + key.len() + 1;
            let value = crate::segment::trimmed(self.source, from..at);
            let kind = if self.builder.is_empty() && matches!(key.trim_end(), "title" | "headline")
            {
                BlockKind::Headline
            } else {
                BlockKind::Paragraph
            };
            self.builder
                .value(kind, &text, value, ValueKind::FrontMatter);
        }
    }
}
