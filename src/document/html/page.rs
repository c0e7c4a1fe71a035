//! Reads all that a page shows, with the place of each word, so that the page can be written again
//! with other words.
//!
//! Text flows through links, emphasis and the like; other elements part it. Left as they are: what
//! is not shown (scripts, styles), code, and what the page says is not to be translated
//! (`translate="no"`, the class `notranslate`). The title, descriptions, and the texts of images and
//! controls are values. Elements are kept on a stack, never by recursion.

use std::collections::HashMap;
use std::ops::Range;

use super::elements::{INLINE, VOID, closes};
use super::tokens::{self, StartTag, Token};
use super::tree::decode;
use crate::document::escape::{Escape, ValueKind};
use crate::document::layout::{Builder, Layout};
use crate::document::spans::Kind;
use crate::document::{Block, BlockKind, lines};

/// Elements that are left as they are, with all that is in them.
const LEFT: [&str; 5] = ["pre", "svg", "math", "object", "canvas"];

/// Elements within a line whose text is kept.
const KEPT: [&str; 5] = ["code", "kbd", "samp", "var", "tt"];

/// Attributes that a reader sees or hears.
const SHOWN: [&str; 4] = ["title", "alt", "placeholder", "aria-label"];

/// What `meta` elements call the texts that others show for the page.
const DESCRIPTIONS: [&str; 7] = [
    "description",
    "og:title",
    "og:description",
    "og:image:alt",
    "twitter:title",
    "twitter:description",
    "twitter:image:alt",
];

/// Reads a page: its text, the blocks of it, and their places.
pub(super) fn read(source: &str) -> (String, Vec<Block>, Layout) {
    let mut reader = Reader {
        source,
        builder: Builder::new(source.to_owned(), Escape::Entities),
        open: Vec::new(),
        counts: HashMap::new(),
        keeps: 0,
        breaks: 0,
    };
    reader.run();
    reader.end_block(source.len());
    reader.builder.finish()
}

struct Reader<'a> {
    source: &'a str,
    builder: Builder,
    open: Vec<Element>,
    /// How many elements of a name are open.
    counts: HashMap<String, usize>,
    /// How many open elements begin what is kept within a line.
    keeps: usize,
    /// How many line breaks came since the last text.
    breaks: usize,
}

struct Element {
    name: String,
    /// What is in it is not translated.
    is_left: bool,
    /// Where what is kept began within a line: in the text, and in the source.
    keep: Option<(usize, usize)>,
}

impl Reader<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while at < self.source.len() {
            let token = tokens::next(self.source, at);
            at = match token {
                Token::Text(range) => {
                    self.text(range.clone());
                    range.end
                }
                Token::Other(range) => {
                    if !self.is_left() {
                        self.builder.mark(Kind::Point, range.clone(), None);
                    }
                    range.end
                }
                Token::End { name, range } => {
                    self.end(&name, range.clone());
                    range.end
                }
                Token::Start(tag) => {
                    let end = tag.range.end;
                    if tokens::RAW.contains(&tag.name.as_str()) && !tag.closed {
                        self.raw(&tag)
                    } else {
                        self.start(&tag);
                        end
                    }
                }
            };
        }
    }

    /// Whether the text at hand is left as it is and not read at all. What is kept within a line is
    /// read, so that the sentence around it is whole.
    fn is_left(&self) -> bool {
        self.keeps == 0 && self.open.last().is_some_and(|element| element.is_left)
    }

    /// Ends the block at hand; `at` is where the source goes on. What is kept within a line ends
    /// with it: the rest of its element is left as it is.
    fn end_block(&mut self, at: usize) {
        if self.keeps > 0 {
            self.keeps = 0;
            for element in &mut self.open {
                if let Some((from, start)) = element.keep.take() {
                    self.builder.end_keep(from, start..at);
                }
            }
        }
        self.builder.end_block();
    }

    fn text(&mut self, range: Range<usize>) {
        if self.is_left() {
            return;
        }
        let raw = &self.source[range.clone()];
        if !raw.trim().is_empty() {
            self.breaks = 0;
        }
        self.builder.encoded(range);
    }

    /// Reads an element that holds no HTML; returns where its content ends.
    fn raw(&mut self, tag: &StartTag) -> usize {
        let content = tag.range.end..tokens::raw_end(self.source, tag.range.end, &tag.name);
        let end = self.source[content.end..]
            .find('>')
            .map_or(self.source.len(), |end| content.end + end + 1);
        if tag.name == "title" && !self.is_left() {
            self.end_block(tag.range.start);
            let kind = if self.builder.is_empty() {
                BlockKind::Headline
            } else {
                BlockKind::Heading
            };
            self.value(kind, content, ValueKind::Element);
        } else if !self.is_left() {
            self.builder.mark(Kind::Point, tag.range.start..end, None);
        }
        end
    }

    /// Adds what stands at `range` as a value, without the white space around it.
    fn value(&mut self, block: BlockKind, range: Range<usize>, kind: ValueKind) {
        let range = crate::segment::trimmed(self.source, range);
        let text = decode(&self.source[range.clone()]);
        let text = super::tree::collapse(&text);
        self.builder.value(block, &text, range, kind);
    }

    fn attribute(&mut self, tag: &StartTag, name: &str) {
        if let Some(attribute) = tag.attribute(self.source, name)
            && let Some(value) = attribute.value.clone()
        {
            let kind = ValueKind::Attribute(attribute.quote);
            self.value(BlockKind::Paragraph, value, kind);
        }
    }

    fn start(&mut self, tag: &StartTag) {
        let name = tag.name.as_str();
        while let Some(top) = self.open.last()
            && closes(&top.name, name)
        {
            self.pop(tag.range.start);
        }
        let is_inline = INLINE.contains(&name);
        let was_left = self.open.last().is_some_and(|element| element.is_left);
        let is_left = self.is_translated(tag).map_or(
            was_left || LEFT.contains(&name) || KEPT.contains(&name),
            |is_translated| !is_translated,
        );
        if !is_left {
            for name in SHOWN {
                self.attribute(tag, name);
            }
            if name == "meta" {
                let known = ["name", "property"].iter().any(|key| {
                    tag.value(self.source, key).is_some_and(|value| {
                        DESCRIPTIONS.contains(&value.trim().to_ascii_lowercase().as_str())
                    })
                });
                if known {
                    self.attribute(tag, "content");
                }
            }
            if name == "input"
                && tag.value(self.source, "type").is_some_and(|kind| {
                    ["submit", "button", "reset"].contains(&kind.to_ascii_lowercase().as_str())
                })
            {
                self.attribute(tag, "value");
            }
        }
        if name == "br" {
            return self.line_break(tag.range.clone());
        }
        if VOID.contains(&name) {
            if !is_inline && !matches!(name, "input" | "embed" | "meta" | "link") {
                self.end_block(tag.range.start);
            } else if !was_left {
                self.builder.mark(Kind::Point, tag.range.clone(), None);
            }
            return;
        }
        if !is_inline {
            self.end_block(tag.range.start);
            self.begin(tag);
        }
        if tag.closed && !is_inline {
            return;
        }
        let mut keep = None;
        if is_inline && is_left && !was_left {
            keep = Some((self.builder.begin_keep(), tag.range.start));
            self.keeps += 1;
        } else if is_inline && !is_left {
            self.builder.open_span(name, tag.range.clone());
        }
        *self.counts.entry(name.to_owned()).or_insert(0) += 1;
        self.open.push(Element {
            name: name.to_owned(),
            is_left,
            keep,
        });
    }

    /// Says what the block is that an element begins.
    fn begin(&mut self, tag: &StartTag) {
        let kind = match tag.name.as_str() {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                if self.builder.is_empty() {
                    BlockKind::Headline
                } else {
                    BlockKind::Heading
                }
            }
            "li" | "dt" | "dd" => BlockKind::ListItem,
            _ => return,
        };
        self.builder.set_kind(kind);
    }

    /// What an element says of itself: to be translated, or not.
    fn is_translated(&self, tag: &StartTag) -> Option<bool> {
        match tag.value(self.source, "translate").map(str::trim) {
            Some(value) if value.eq_ignore_ascii_case("no") => return Some(false),
            Some(value) if value.eq_ignore_ascii_case("yes") => return Some(true),
            _ => {}
        }
        let class = tag.value(self.source, "class")?;
        class
            .split_ascii_whitespace()
            .any(|name| name == "notranslate")
            .then_some(false)
    }

    fn end(&mut self, name: &str, range: Range<usize>) {
        if name == "br" {
            return self.line_break(range);
        }
        let is_inline = INLINE.contains(&name);
        if !is_inline {
            self.end_block(range.start);
        }
        if self.counts.get(name).copied().unwrap_or(0) == 0 {
            if is_inline && !self.is_left() {
                self.builder.mark(Kind::Point, range, None);
            }
            return;
        }
        while let Some(top) = self.open.last() {
            let is_it = top.name == name;
            let is_span = is_inline && !top.is_left;
            self.pop(if is_it { range.end } else { range.start });
            if is_it {
                if is_span {
                    self.builder.close_span(name, range);
                }
                break;
            }
        }
    }

    /// Takes the innermost element off the stack; `at` is where it ends.
    fn pop(&mut self, at: usize) {
        let Some(top) = self.open.pop() else { return };
        if let Some(count) = self.counts.get_mut(&top.name) {
            *count -= 1;
        }
        if let Some((from, start)) = top.keep {
            self.keeps -= 1;
            self.builder.end_keep(from, start..at);
        }
    }

    fn line_break(&mut self, range: Range<usize>) {
        if self.is_left() {
            return;
        }
        self.breaks += 1;
        if self.breaks > 1 || lines::ends_sentence(self.builder.block_text()) {
            self.end_block(range.start);
        } else {
            self.builder.line_break(range);
        }
    }
}
