//! Reads HTML, however badly formed, into elements and the blocks of text between them.
//!
//! Every stretch of text keeps its place in the source. Nesting is kept on a stack of its own and
//! never by recursion, and an end tag looks only for an element that is open, so time and memory
//! are linear in the source whatever it holds. Which blocks are the article is told in `article`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::tokens;

/// An element of the page.
#[derive(Debug)]
pub(super) struct Element {
    /// Index of the element it stands in; its own for the root.
    pub(super) parent: usize,
    /// Index of the nearest element that is more than a part of a line: its own, or one around it.
    block: usize,
    /// The name, in small letters.
    pub(super) name: String,
    /// `class`, `id`, `role` and `itemprop`, in small letters with spaces between.
    pub(super) marks: String,
    /// What is known of it and of what it stands in.
    pub(super) place: Place,
}

/// What holds for all text inside an element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Not shown, or never part of an article: `nav`, `footer`, `button`.
    pub(super) outside: bool,
    /// By its class or id it is about the article, not of it: `share`, `related`.
    pub(super) around: bool,
    /// A heading, and its level.
    pub(super) heading: Option<u8>,
    /// An item of a list.
    pub(super) item: bool,
    /// In `article` or `main`.
    pub(super) main: bool,
    /// A paragraph by its element: `p`, `blockquote`, `pre`.
    pub(super) paragraph: bool,
}

/// A stretch of text that is shown as one: a paragraph, a heading, a cell.
#[derive(Debug)]
pub(super) struct TextBlock {
    /// The text, decoded, with single spaces.
    pub(super) text: String,
    /// How many of its characters are links.
    pub(super) linked: usize,
    /// The element it stands in.
    pub(super) element: usize,
    /// What holds for it.
    pub(super) place: Place,
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) elements: Vec<Element>,
    pub(super) blocks: Vec<TextBlock>,
    /// What `title` holds.
    pub(super) title: Option<String>,
    /// `meta` elements: name or property, and content.
    pub(super) meta: HashMap<String, String>,
    /// Scripts of the type `application/ld+json`.
    pub(super) data: Vec<String>,
    /// The value of the first `time` element.
    pub(super) time: Option<String>,
}

/// Elements that have no end tag.
pub(super) const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "amp-img",
];

/// Elements whose text is not HTML.
const RAW: &[&str] = &[
    "script", "style", "title", "textarea", "noscript", "iframe", "xmp", "noembed", "noframes",
    "template",
];

/// Elements that stand within a line; all others part blocks.
pub(super) const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img", "picture", "source", "ruby",
    "rt", "rp", "slot", "o:p",
];

/// Elements that are never part of an article's text.
const OUTSIDE: &[&str] = &[
    "nav",
    "footer",
    "aside",
    "button",
    "select",
    "option",
    "form",
    "figcaption",
    "figure",
    "dialog",
    "menu",
    "svg",
    "canvas",
    "object",
    "audio",
    "video",
    "map",
    "label",
    "input",
    "template",
    "head",
];

/// Elements that their own kind, or one of these, closes.
pub(super) fn closes(open: &str, name: &str) -> bool {
    match open {
        "p" => {
            !INLINE.contains(&name)
                && !matches!(
                    name,
                    "br" | "script"
                        | "style"
                        | "noscript"
                        | "input"
                        | "button"
                        | "label"
                        | "svg"
                        | "iframe"
                )
        }
        "li" => name == "li",
        "option" => matches!(name, "option" | "optgroup"),
        "dt" | "dd" => matches!(name, "dt" | "dd"),
        "tr" => name == "tr",
        "td" | "th" => matches!(name, "td" | "th" | "tr"),
        _ => false,
    }
}

/// Reads a page.
pub(super) fn parse(source: &str) -> Page {
    let root = Element {
        parent: 0,
        block: 0,
        name: String::new(),
        marks: String::new(),
        place: Place::default(),
    };
    let mut parser = Parser {
        source,
        page: Page {
            elements: vec![root],
            ..Page::default()
        },
        open: vec![0],
        counts: HashMap::new(),
        block: None,
        breaks: 0,
        link: None,
    };
    parser.run();
    parser.page
}

struct Parser<'a> {
    source: &'a str,
    page: Page,
    /// Open elements, the root first.
    open: Vec<usize>,
    /// How many elements of a name are open.
    counts: HashMap<String, usize>,
    block: Option<TextBlock>,
    /// How many `br` came since the last text.
    breaks: usize,
    /// How many elements were open where the link began that is open.
    link: Option<usize>,
}

impl Parser<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while at < self.source.len() {
            let rest = &self.source[at..];
            let Some(tag) = rest.find('<') else {
                self.text(at..self.source.len());
                break;
            };
            if tag > 0 {
                self.text(at..at + tag);
            }
            at = self.markup(at + tag);
        }
        self.flush();
    }

    /// Reads what begins with `<` at `at`; returns where it ends.
    fn markup(&mut self, at: usize) -> usize {
        let rest = &self.source[at..];
        let length = self.source.len();
        if let Some(comment) = rest.strip_prefix("<!--") {
            return comment.find("-->").map_or(length, |end| at + 4 + end + 3);
        }
        let end_tag = rest.starts_with("</");
        let name_at = at + 1 + usize::from(end_tag);
        match self.source.as_bytes().get(name_at) {
            Some(byte) if byte.is_ascii_alphabetic() => {}
            Some(b'!' | b'?') if !end_tag => {
                return rest.find('>').map_or(length, |end| at + end + 1);
            }
            Some(_) if end_tag => return rest.find('>').map_or(length, |end| at + end + 1),
            // A bare `<`.
            _ => {
                self.text(at..at + 1);
                return at + 1;
            }
        }
        let tag = Tag::read(self.source, name_at);
        if end_tag {
            self.end(&tag.name);
            return tag.end;
        }
        self.start(&tag);
        if !RAW.contains(&tag.name.as_str()) || tag.closed {
            return tag.end;
        }
        let inner_end = tokens::raw_end(self.source, tag.end, &tag.name);
        let inner = &self.source[tag.end..inner_end];
        match tag.name.as_str() {
            "title" if self.page.title.is_none() && !self.counts.contains_key("svg") => {
                self.page.title = Some(collapse(&decode(inner)))
            }
            "script"
                if tag
                    .attribute("type")
                    .is_some_and(|kind| kind.contains("ld+json")) =>
            {
                self.page.data.push(inner.to_owned())
            }
            _ => {}
        }
        self.end(&tag.name);
        self.source[inner_end..]
            .find('>')
            .map_or(length, |end| inner_end + end + 1)
    }

    fn start(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        match name {
            "meta" => {
                let key = ["property", "name", "itemprop"]
                    .iter()
                    .find_map(|key| tag.attribute(key));
                if let (Some(key), Some(content)) = (key, tag.attribute("content")) {
                    self.page.meta.entry(key.to_lowercase()).or_insert(content);
                }
            }
            "time" if self.page.time.is_none() => self.page.time = tag.attribute("datetime"),
            "br" => return self.line_break(),
            "a" => self.link = tag.has("href").then_some(self.open.len()),
            _ => {}
        }
        if VOID.contains(&name) {
            if name == "hr" {
                self.flush();
            }
            return;
        }
        while let Some(&top) = self.open.last()
            && closes(&self.page.elements[top].name, name)
        {
            self.pop();
        }
        // A block inside a paragraph that inline elements were left open in.
        if !INLINE.contains(&name) {
            self.flush();
        }
        if tag.closed && !INLINE.contains(&name) && name != "p" && name != "div" {
            return;
        }
        let parent = self.open.last().copied().unwrap_or(0);
        let place = self.page.elements[parent].place.inside(tag);
        *self.counts.entry(name.to_owned()).or_insert(0) += 1;
        let index = self.page.elements.len();
        let block = if INLINE.contains(&name) {
            self.page.elements[parent].block
        } else {
            index
        };
        self.open.push(index);
        self.page.elements.push(Element {
            parent,
            block,
            name: name.to_owned(),
            marks: tag.marks(),
            place,
        });
    }

    fn end(&mut self, name: &str) {
        if name == "br" || name == "p" && !self.counts.contains_key("p") {
            return self.line_break();
        }
        if name == "a" {
            self.link = None;
        }
        if !INLINE.contains(&name) {
            self.flush();
        }
        if self.counts.get(name).copied().unwrap_or(0) == 0 {
            return;
        }
        // An inline element does not end the block it stands in.
        if INLINE.contains(&name)
            && self
                .open
                .iter()
                .rev()
                .take(24)
                .find(|open| {
                    !INLINE.contains(&self.page.elements[**open].name.as_str())
                        || self.page.elements[**open].name == name
                })
                .is_none_or(|open| self.page.elements[*open].name != name)
        {
            return;
        }
        while self.open.len() > 1 {
            let found = self
                .open
                .last()
                .is_some_and(|open| self.page.elements[*open].name == name);
            self.pop();
            if found {
                break;
            }
        }
    }

    fn pop(&mut self) {
        let Some(top) = self.open.pop() else { return };
        // A link that was never closed ends with what it stands in.
        self.link = self.link.filter(|depth| self.open.len() >= *depth);
        let name = &self.page.elements[top].name;
        if !INLINE.contains(&name.as_str()) {
            if let Some(count) = self.counts.get_mut(name) {
                *count -= 1;
            }
            self.flush();
        } else if let Some(count) = self.counts.get_mut(name) {
            *count -= 1;
        }
    }

    fn line_break(&mut self) {
        self.breaks += 1;
        let ended = self
            .block
            .as_ref()
            .is_some_and(|block| super::super::lines::ends_sentence(&block.text));
        if self.breaks > 1 || ended {
            self.flush();
        } else if let Some(block) = &mut self.block
            && !block.text.ends_with(' ')
        {
            block.text.push(' ');
        }
    }

    fn text(&mut self, range: Range<usize>) {
        let raw = &self.source[range.clone()];
        if raw.trim().is_empty() {
            if let Some(block) = &mut self.block
                && !raw.is_empty()
                && !block.text.ends_with(' ')
            {
                block.text.push(' ');
            }
            return;
        }
        self.breaks = 0;
        let element = self.open.last().copied().unwrap_or(0);
        let place = self.page.elements[element].place;
        // What is not of the article does not stand in one block with what is.
        if self.block.as_ref().is_some_and(|block| {
            block.place.outside != place.outside
                || (block.place.around != place.around && !block.place.around)
        }) {
            if place.outside {
                return;
            }
            self.flush();
        }
        let block = self.block.get_or_insert_with(|| TextBlock {
            text: String::new(),
            linked: 0,
            element,
            place,
        });
        let before = block.text.len();
        for c in decode(raw).chars() {
            if c.is_whitespace() && c != '\u{A0}' && c != '\u{202F}' {
                if !block.text.ends_with(' ') && !block.text.is_empty() {
                    block.text.push(' ');
                }
            } else if !(c.is_control() || super::super::lines::is_format(c)) {
                block.text.push(c);
            }
        }
        if self.link.is_some() {
            block.linked += block.text[before..].chars().count();
        }
    }

    fn flush(&mut self) {
        self.breaks = 0;
        if let Some(mut block) = self.block.take() {
            block.text.truncate(block.text.trim_end().len());
            // The block belongs to the nearest element that is more than a part of a line.
            block.element = self.page.elements[block.element].block;
            if !block.text.trim().is_empty() {
                self.page.blocks.push(block);
            }
        }
    }
}

impl Place {
    fn inside(self, tag: &Tag) -> Self {
        let mut place = self;
        let name = tag.name.as_str();
        let hidden = tag.has("hidden")
            || tag
                .attribute("aria-hidden")
                .is_some_and(|value| value == "true")
            || tag.attribute("style").is_some_and(|style| {
                let style = style.replace(' ', "").to_ascii_lowercase();
                style.contains("display:none") || style.contains("visibility:hidden")
            });
        place.outside |= hidden || OUTSIDE.contains(&name) || (name == "header" && !place.main);
        // Page-wide form elements wrap whole pages of some systems.
        if name == "form" && !self.outside && !hidden {
            place.outside = false;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => place.heading = name[1..].parse().ok(),
            "li" | "dd" | "dt" => place.item = true,
            "p" | "blockquote" | "pre" => place.paragraph = true,
            "article" | "main" => place.main = true,
            _ => {}
        }
        if !matches!(name, "html" | "body" | "main" | "article") {
            place.around |= super::hints::is_around(&tag.marks());
        }
        place
    }
}

/// A start or end tag.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    /// Ends in `/>`.
    closed: bool,
    /// Offset after `>`.
    end: usize,
}

impl Tag {
    /// Reads a tag whose name begins at `at`.
    fn read(source: &str, at: usize) -> Self {
        let tag = tokens::start_tag(source, at, at);
        // A page may have any number of attributes; a few are looked at.
        let attributes = tag.attributes.into_iter().take(64).map(|attribute| {
            let value = attribute.value.map(|value| decode(&source[value]));
            (
                source[attribute.name].to_ascii_lowercase(),
                value.unwrap_or_default().into_owned(),
            )
        });
        Self {
            name: tag.name,
            attributes: attributes.collect(),
            closed: tag.closed,
            end: tag.range.end,
        }
    }

    fn attribute(&self, key: &str) -> Option<String> {
        self.attributes
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.clone())
    }

    fn has(&self, key: &str) -> bool {
        self.attributes.iter().any(|(name, _)| name == key)
    }

    fn marks(&self) -> String {
        let marks = self.attributes.iter().filter(|(key, _)| {
            matches!(
                key.as_str(),
                "class" | "id" | "role" | "itemprop" | "data-testid" | "data-component"
            )
        });
        marks
            .map(|(_, value)| value.to_ascii_lowercase())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Text with its character references resolved.
pub(in crate::document) fn decode(raw: &str) -> Cow<'_, str> {
    if raw.contains('&') {
        html_escape::decode_html_entities(raw)
    } else {
        Cow::Borrowed(raw)
    }
}

/// Text with single spaces and none at its ends.
pub(super) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
