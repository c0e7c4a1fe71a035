//! Reads Markdown: its blocks are the paragraphs, headings, list items and cells, and the titles and
//! descriptions in its front matter.
//!
//! Code, HTML blocks, link definitions, the rest of the front matter and all marks at the head of
//! lines are in no block, so that they stay byte for byte where they are: of dialects too, alerts,
//! directives (`:::note`), admonitions (`!!! note`), shortcodes (`{{< … >}}`) and formulas. Marks within
//! a line go with their words.

use std::collections::VecDeque;
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use super::escape::{Escape, ValueKind};
use super::front_matter::{self, Style};
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
        label: None,
        shortcodes: shortcodes(&source),
        skipped: 0,
        is_directive: false,
        kept: Vec::new(),
    };
    reader.run();
    let kept = std::mem::take(&mut reader.kept);
    let (text, blocks, layout) = reader.builder.finish();
    if blocks.is_empty() {
        return Err(Error::EmptyInput { name });
    }
    let mut document = Document::of_blocks(name, text, blocks);
    document.format = Format::Markdown;
    document.kept = kept;
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
    images: Vec<(Range<usize>, LinkType)>,
    /// The label of the link that is open, where its text is the label, and where the link ends.
    label: Option<(String, usize)>,
    /// Where shortcodes stand, in order; those that were passed are gone.
    shortcodes: VecDeque<Range<usize>>,
    /// Up to where a shortcode goes that was read.
    skipped: usize,
    /// Whether the line at hand begins with a directive.
    is_directive: bool,
    /// Fields of the front matter that are not read.
    kept: Vec<String>,
}

impl Reader<'_> {
    fn run(&mut self) {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_GFM
            | Options::ENABLE_MATH
            | Options::ENABLE_WIKILINKS
            | Options::ENABLE_DEFINITION_LIST
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
            | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
        for (event, range) in Parser::new_ext(self.source, options).into_offset_iter() {
            if range.end <= self.skipped {
                continue;
            }
            match event {
                Event::Start(tag) => self.start(tag, range),
                Event::End(end) => self.end(end, range),
                _ if self.left > 0 || !self.images.is_empty() => {}
                Event::Text(text) => self.words(&text, range),
                Event::InlineMath(math) if is_price(&math) => {
                    let price = CowStr::from(self.source[range.clone()].to_owned());
                    self.words(&price, range);
                }
                Event::InlineMath(math) | Event::DisplayMath(math) => {
                    self.builder.keep(&math, range.clone());
                    self.at = range.end;
                }
                Event::Code(code) => {
                    self.builder.keep(&code, range.clone());
                    self.at = range.end;
                }
                Event::InlineHtml(_) => self.html(range),
                Event::SoftBreak => {
                    if std::mem::take(&mut self.is_directive) {
                        self.builder.end_block();
                    }
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
            Tag::Link { link_type, id, .. } => {
                return self.link(range, link_type, &id);
            }
            Tag::Image { link_type, .. } => {
                self.images.push((self.whole(range, link_type), link_type));
                return;
            }
            Tag::MetadataBlock(kind) => {
                let style = match kind {
                    MetadataBlockKind::YamlStyle => Style::Yaml,
                    MetadataBlockKind::PlusesStyle => Style::Toml,
                };
                self.front_matter(range, style);
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

    fn link(&mut self, range: Range<usize>, kind: LinkType, id: &str) {
        if self.left > 0 || !self.images.is_empty() {
            return;
        }
        if matches!(kind, LinkType::Autolink | LinkType::Email) {
            let address = self.source[range.clone()].trim_matches(['<', '>']);
            let address = address.to_owned();
            self.builder.keep(&address, range.clone());
            self.images.push((range, kind));
            return;
        }
        if let LinkType::WikiLink { has_pothole } = kind {
            let text = self.source[range.clone()].to_owned();
            match text.find('|').filter(|_| has_pothole) {
                Some(bar) => {
                    self.at = range.start + bar + 1;
                    self.builder.open_span("link", range.start..self.at);
                }
                None => {
                    self.builder.keep(&text, range.clone());
                    self.images.push((range, kind));
                }
            }
            return;
        }
        self.label = is_label(kind).then(|| {
            // In tables, a bar has a backslash, which the parser takes away.
            let label = &self.source[range.start + 1..range.end - 1];
            let is_line = !label.contains(['\n', '\r']);
            let label = if is_line { label } else { id }.to_owned();
            (label, self.whole(range.clone(), kind).end)
        });
        self.at = range.start + 1;
        self.builder.open_span("link", range.start..range.start + 1);
    }

    /// The range of a link or an image, with the `[]` after its label.
    fn whole(&self, range: Range<usize>, kind: LinkType) -> Range<usize> {
        let has_more = kind == LinkType::Collapsed && self.source[range.end..].starts_with("[]");
        range.start..range.end + if has_more { 2 } else { 0 }
    }

    fn block(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        self.is_directive = false;
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
            TagEnd::Link if self.images.last().is_some_and(|(image, _)| *image == range) => {
                self.images.pop();
                self.at = range.end;
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link => {
                if self.left == 0 && self.images.is_empty() {
                    let name = if end == TagEnd::Link { "link" } else { "mark" };
                    let start = self.at.clamp(range.start, range.end);
                    match self.label.take_if(|_| end == TagEnd::Link) {
                        Some((label, end)) => {
                            self.builder.close_labelled(name, start..end, label);
                            self.at = end;
                        }
                        None => {
                            self.builder.close_span(name, start..range.end);
                            self.at = range.end;
                        }
                    }
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
        let Some((range, kind)) = self.images.pop() else {
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
            let (end, kind) = if is_label(kind) {
                (range.end - 1, ValueKind::LabelledDescription)
            } else {
                (start + words.len(), ValueKind::Description)
            };
            self.builder
                .value(BlockKind::Paragraph, &words, start..end, kind);
        }
        self.at = range.end;
    }

    /// Reads a text without the shortcodes in it, and without what begins a line of a directive.
    fn words(&mut self, text: &CowStr<'_>, range: Range<usize>) {
        let mut range = range;
        range.start = range.start.max(self.skipped);
        if self.source.get(range.clone()) != Some(&**text) {
            return self.text(text, range);
        }
        if let Some(length) = self.directive(&range) {
            self.builder.end_block();
            self.is_directive = true;
            range.start += length;
            self.at = range.start;
        }
        while let Some(next) = self.shortcodes.front() {
            if next.end <= range.start {
                self.shortcodes.pop_front();
                continue;
            }
            if next.start >= range.end {
                break;
            }
            let shortcode = next.clone();
            if shortcode.start > range.start {
                let before = range.start..shortcode.start;
                let text = CowStr::from(self.source[before.clone()].to_owned());
                self.text(&text, before);
            }
            if self.builder.is_open() {
                self.builder.mark(Kind::Point, shortcode.clone(), None);
            }
            self.skipped = shortcode.end;
            self.at = shortcode.end;
            if shortcode.end >= range.end {
                return;
            }
            range.start = shortcode.end;
        }
        if !range.is_empty() {
            let text = CowStr::from(self.source[range.clone()].to_owned());
            self.text(&text, range);
        }
    }

    /// How much of the text at this range is the mark of a directive, where a line begins with one:
    /// `:::note`, `!!! note`, with the quotation mark before a title.
    fn directive(&self, range: &Range<usize>) -> Option<usize> {
        // Only what begins a line is looked back over, so that long lines take linear time.
        let head = self.source[..range.start]
            .trim_end_matches(|c: char| c != '\n' && (c.is_whitespace() || c == '>'));
        if !(head.is_empty() || head.ends_with('\n')) {
            return None;
        }
        let text = &self.source[range.clone()];
        let rest = [":::", "!!!", "???"]
            .iter()
            .find_map(|mark| text.strip_prefix(mark))?;
        let rest = rest.trim_start_matches([':', '+']).trim_start_matches(' ');
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let rest = rest.trim_start_matches(is_name);
        let rest = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((_, rest)) => rest,
            None => rest,
        };
        let rest = rest.trim_start_matches([' ', '"']);
        Some(text.len() - rest.len())
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

    /// The titles and descriptions of a front matter that stand on one line.
    fn front_matter(&mut self, range: Range<usize>, style: Style) {
        self.kept = front_matter::others(self.source, range.clone(), style);
        for entry in front_matter::entries(self.source, range, style) {
            let kind = match entry.key {
                "title" | "headline" if self.builder.is_empty() => BlockKind::Headline,
                _ => BlockKind::Paragraph,
            };
            let style = ValueKind::FrontMatter(style);
            self.builder.value(kind, &entry.text, entry.source, style);
        }
    }
}

/// Where shortcodes, tags of templates and attributes stand in a source: `{{< … >}}`, `{% … %}`, `{{ … }}`,
/// each within a line, and `{#id .class}` at its end. The parser's own attributes of headings are not used:
/// it panics on some headings (`- [ ] \`, then a line that underlines it).
fn shortcodes(source: &str) -> VecDeque<Range<usize>> {
    let mut found = VecDeque::new();
    let mut start = 0;
    for line in source.split_inclusive('\n') {
        let mut at = 0;
        while let Some(open) = line[at..].find('{').map(|open| at + open) {
            at = open + 1;
            let close = match line.as_bytes().get(at) {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                Some(b'#' | b'.' | b':') => "}",
                _ => continue,
            };
            // Where none closes it, none closes what follows on the line.
            let Some(end) = line[at..].find(close) else {
                break;
            };
            at += end + close.len();
            // Attributes are the last that a line has.
            if close == "}" && !line[at..].trim().is_empty() {
                continue;
            }
            found.push_back(start + open..start + at);
        }
        start += line.len();
    }
    found
}

/// Whether what stands between two dollar signs is no formula: `$5-$6`.
fn is_price(math: &str) -> bool {
    math.starts_with(|c: char| c.is_ascii_digit()) && !math.contains(['\\', '^', '_', '=', '{'])
}

/// Whether the text of a link is what its definition is found by.
fn is_label(kind: LinkType) -> bool {
    matches!(kind, LinkType::Shortcut | LinkType::Collapsed)
}
