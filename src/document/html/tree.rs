//! Reads a page into elements and the blocks of text between them.
//!
//! The tree is the one that a browser makes (`dom`). Every stretch of text that is in it becomes part of
//! a block, shown or not; which blocks are the article is told in `article`, and what is hidden in
//! `hidden`.

use std::borrow::Cow;
use std::collections::HashMap;

use html5ever::ns;

use super::dom::{self, Data, ElementData, Node};
use super::elements::INLINE;
use super::hidden::{self, Hidden};
use super::hints;
use super::tag::Tag;
use crate::document::clutter::{self, Clutter};
use crate::document::lines::{ends_sentence, is_format};
use crate::document::raised;

/// An element of the page.
#[derive(Debug)]
pub(super) struct Element {
    /// Index of the element it stands in; its own for the root.
    pub(super) parent: usize,
    /// Index of the nearest element that is more than a part of a line: its own, or one around it.
    block: usize,
    /// The name, in small letters.
    pub(super) name: String,
    /// `class`, `id`, `role` and `itemprop`, and the name where the page made it up (`x-promo`), in small
    /// letters with spaces between.
    pub(super) marks: String,
    /// What is known of it and of what it stands in.
    pub(super) place: Place,
    /// What its own marks say.
    pub(super) own: Own,
    /// How many pictures stand in it, once the page is read.
    pub(super) pictures: usize,
}

/// What the marks of an element say of itself, whatever it stands in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Own {
    /// It stands around an article.
    pub(super) around: bool,
    /// It may stand around an article, or be of it.
    pub(super) either: bool,
    /// Readers wrote what is in it.
    comments: bool,
    /// It holds a post of another site.
    pub(super) embed: bool,
    /// It holds the body of an article.
    pub(super) body: bool,
}

/// What holds for all text inside an element.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Never part of an article: `nav`, `button`.
    pub(super) outside: bool,
    /// Rarely part of an article: `footer`, `aside`, `header`.
    pub(super) apart: bool,
    /// In a figure that may hold a table or a quotation of the article.
    figure: bool,
    /// Not shown.
    pub(super) hidden: Option<Hidden>,
    /// A description of a picture: `figcaption`.
    pub(super) caption: bool,
    /// By its class or id it is about the article, not of it: `share`, `related`.
    pub(super) around: bool,
    /// By its class or id, perhaps about the article and perhaps of it: `teaser-content`.
    pub(super) either: bool,
    /// By its class or id, written by readers.
    pub(super) comments: bool,
    /// A heading, and its level.
    pub(super) heading: Option<u8>,
    /// An item of a list.
    pub(super) item: bool,
    /// A cell of a table.
    pub(super) cell: bool,
    /// In `article` or `main`.
    pub(super) main: bool,
    /// A paragraph by its element: `p`, `blockquote`, `pre`.
    pub(super) paragraph: bool,
    /// In `blockquote`.
    pub(super) quotation: bool,
    /// In a table that has heads, which is no table for layout.
    pub(super) tabular: bool,
}

impl Place {
    /// Whether text here may be of an article.
    pub(super) fn is_open(self) -> bool {
        !self.outside && !self.apart && self.hidden.is_none()
    }
}

impl Page {
    /// An element and all that it stands in, from the inside out.
    pub(super) fn around(&self, element: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(element), |at| {
            (*at != 0).then(|| self.elements[*at].parent)
        })
    }

    /// Adds to what each element has what all elements in it have.
    pub(super) fn add_up(&self, counts: &mut [usize]) {
        // Elements stand after those they are in.
        for element in (1..self.elements.len()).rev() {
            counts[self.elements[element].parent] += counts[element];
        }
    }

    /// Whether an element is `outer`, or stands in it.
    pub(super) fn is_within(&self, element: usize, outer: usize) -> bool {
        self.around(element).any(|at| at == outer)
    }
}

/// A stretch of text that is shown as one: a paragraph, a heading, a cell.
#[derive(Debug)]
pub(super) struct TextBlock {
    /// The text, with single spaces.
    pub(super) text: String,
    /// How many of its characters are links.
    pub(super) linked: usize,
    /// The element it stands in, which is more than a part of a line.
    pub(super) element: usize,
    /// The innermost element that it begins in.
    pub(super) inner: usize,
    /// Whether a rule (`hr`) stands before it.
    pub(super) after_rule: bool,
    /// What holds for it.
    pub(super) place: Place,
    /// What it is where it is no part of an article, by its text alone.
    pub(super) clutter: Option<Clutter>,
}

impl TextBlock {
    /// How many characters it has.
    pub(super) fn length(&self) -> usize {
        self.text.chars().count()
    }
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
    /// What `noscript` elements hold, as HTML.
    pub(super) unscripted: Vec<String>,
}

/// Elements that are never part of an article's text.
const OUTSIDE: &[&str] = &[
    "nav",
    "button",
    "select",
    "option",
    "figcaption",
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
    "textarea",
    "head",
];

/// Elements whose text is no text of the page.
const MUTE: &[&str] = &[
    "script", "style", "template", "iframe", "noembed", "noframes",
];

/// Reads a page.
pub(super) fn parse(source: &str) -> Page {
    let nodes = dom::parse(source);
    let root = Element {
        parent: 0,
        block: 0,
        name: String::new(),
        marks: String::new(),
        place: Place::default(),
        own: Own::default(),
        pictures: 0,
    };
    let mut reader = Reader {
        nodes: &nodes,
        page: Page {
            elements: vec![root],
            ..Page::default()
        },
        open: vec![0],
        block: None,
        asides: Vec::new(),
        breaks: 0,
        after_rule: false,
        known: HashMap::new(),
        links: 0,
        raised: 0,
        lowered: 0,
    };
    reader.run();
    reader.page
}

struct Reader<'a> {
    nodes: &'a [Node],
    page: Page,
    /// Open elements of the page, the root first.
    open: Vec<usize>,
    block: Option<TextBlock>,
    /// What stands within the block at hand and is not of it.
    asides: Vec<TextBlock>,
    /// How many `br` came since the last text.
    breaks: usize,
    /// Whether a rule came since the last text.
    after_rule: bool,
    /// What marks say that were met.
    known: HashMap<String, Own>,
    /// How many links are open, and elements that raise or lower text.
    links: usize,
    raised: usize,
    lowered: usize,
}

/// A step of the walk through the tree.
enum Step {
    Enter(usize),
    Leave(usize),
}

impl Reader<'_> {
    fn run(&mut self) {
        let mut steps = vec![Step::Enter(0)];
        while let Some(step) = steps.pop() {
            let node = match step {
                Step::Enter(node) => node,
                Step::Leave(node) => {
                    self.leave(node);
                    continue;
                }
            };
            let is_read = match &self.nodes[node].data {
                Data::None => node == 0,
                Data::Text(text) => {
                    self.text(text);
                    false
                }
                Data::Element(element) => self.enter(node, element),
            };
            if is_read {
                steps.push(Step::Leave(node));
                let children = self.nodes[node].children.iter().rev();
                steps.extend(children.map(|child| Step::Enter(*child)));
            }
        }
        self.flush();
    }

    /// The text that stands directly in an element.
    fn content(&self, node: usize) -> String {
        let children = self.nodes[node].children.iter();
        let texts = children.filter_map(|child| match &self.nodes[*child].data {
            Data::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Begins an element; returns whether what is in it is read.
    fn enter(&mut self, node: usize, element: &ElementData) -> bool {
        let tag = Tag(element);
        let name = tag.name();
        match name {
            "meta" => {
                let key = ["property", "name", "itemprop"]
                    .iter()
                    .find_map(|key| tag.attribute(key));
                if let (Some(key), Some(content)) = (key, tag.attribute("content")) {
                    let known = self.page.meta.entry(key.to_lowercase());
                    known.or_insert_with(|| content.to_owned());
                }
                return false;
            }
            "title" if element.name.ns == ns!(html) => {
                let title = collapse(&self.content(node));
                self.page.title.get_or_insert(title);
                return false;
            }
            "script" => {
                let kind = tag.attribute("type").unwrap_or_default();
                if kind.contains("ld+json") {
                    self.page.data.push(self.content(node));
                }
                return false;
            }
            "noscript" => {
                self.page.unscripted.push(self.content(node));
                return false;
            }
            _ if MUTE.contains(&name) => return false,
            "br" => {
                self.line_break();
                return false;
            }
            "hr" => {
                self.flush();
                self.after_rule = true;
                return false;
            }
            "time" if self.page.time.is_none() => {
                self.page.time = tag.attribute("datetime").map(str::to_owned);
            }
            "a" if tag.has("href") => self.links += 1,
            "sup" => self.raised += 1,
            "sub" => self.lowered += 1,
            _ => {}
        }
        let is_inline = INLINE.contains(&name);
        if !is_inline {
            self.flush();
        }
        let is_picture = matches!(name, "img" | "amp-img");
        let parent = self.open.last().copied().unwrap_or(0);
        let marks = tag.marks();
        let own = self.own(name, &marks);
        let index = self.page.elements.len();
        self.open.push(index);
        self.page.elements.push(Element {
            parent,
            block: if is_inline {
                self.page.elements[parent].block
            } else {
                index
            },
            name: name.to_owned(),
            own,
            pictures: usize::from(is_picture),
            place: self.page.elements[parent].place.inside(&tag, own),
            marks,
        });
        true
    }

    /// What the marks of an element say; most are those of another one.
    fn own(&mut self, name: &str, marks: &str) -> Own {
        if marks.is_empty() || matches!(name, "html" | "body" | "main" | "article") {
            return Own::default();
        }
        if let Some(own) = self.known.get(marks) {
            return *own;
        }
        let own = Own::of(marks);
        self.known.insert(marks.to_owned(), own);
        own
    }

    fn leave(&mut self, node: usize) {
        let Data::Element(element) = &self.nodes[node].data else {
            return;
        };
        let tag = Tag(element);
        match tag.name() {
            "a" if tag.has("href") => self.links -= 1,
            "sup" => self.raised -= 1,
            "sub" => self.lowered -= 1,
            _ => {}
        }
        if !INLINE.contains(&tag.name()) {
            self.flush();
        }
        self.open.pop();
    }

    fn line_break(&mut self) {
        self.breaks += 1;
        let ended = self
            .block
            .as_ref()
            .is_some_and(|block| ends_sentence(&block.text));
        if self.breaks > 1 || ended {
            self.flush();
        } else if let Some(block) = &mut self.block
            && !block.text.ends_with(' ')
        {
            block.text.push(' ');
        }
    }

    fn text(&mut self, raw: &str) {
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
        let is_apart = |block: &TextBlock| {
            block.place.is_open() != place.is_open() || (place.around && !block.place.around)
        };
        let mut begun = TextBlock {
            text: String::new(),
            linked: 0,
            element,
            inner: element,
            after_rule: self.after_rule,
            place,
            clutter: None,
        };
        self.after_rule = false;
        let is_linked = self.links > 0;
        let written = if self.raised > 0 {
            raised::superscript(raw.trim())
        } else if self.lowered > 0 {
            raised::subscript(raw.trim())
        } else {
            None
        };
        let raw = written.as_deref().unwrap_or(raw);
        // What is not of the article does not stand in one block with what is.
        match &mut self.block {
            Some(block) if !is_apart(block) => push(block, raw, is_linked),
            Some(block) if block.place.is_open() && !place.is_open() => {
                push(&mut begun, raw, is_linked);
                self.asides.push(begun);
            }
            _ => {
                self.flush();
                push(&mut begun, raw, is_linked);
                self.block = Some(begun);
            }
        }
    }

    fn flush(&mut self) {
        self.breaks = 0;
        let asides = std::mem::take(&mut self.asides);
        for mut block in self.block.take().into_iter().chain(asides) {
            block.text.truncate(block.text.trim_end().len());
            // The block belongs to the nearest element that is more than a part of a line.
            block.element = self.page.elements[block.element].block;
            if !block.text.trim().is_empty() {
                block.clutter = clutter::classify(&block.text);
                self.page.blocks.push(block);
            }
        }
    }
}

/// Adds text to a block, with single spaces.
fn push(block: &mut TextBlock, raw: &str, is_linked: bool) {
    let before = block.text.len();
    for c in raw.chars() {
        if c.is_whitespace() && c != '\u{A0}' && c != '\u{202F}' {
            if !block.text.ends_with(' ') && !block.text.is_empty() {
                block.text.push(' ');
            }
        } else if !(c.is_control() || is_format(c)) {
            block.text.push(c);
        }
    }
    if is_linked {
        block.linked += block.text[before..].chars().count();
    }
}

impl Place {
    fn inside(self, tag: &Tag<'_>, own: Own) -> Self {
        let mut place = self;
        let name = tag.name();
        place.hidden = place.hidden.or_else(|| hidden::of(tag));
        place.outside |= OUTSIDE.contains(&name);
        place.quotation |= name == "blockquote";
        place.apart |= matches!(name, "footer" | "aside") || (name == "header" && !place.main);
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => place.heading = name[1..].parse().ok(),
            "li" | "dd" | "dt" => place.item = true,
            "td" | "th" => place.cell = true,
            "p" | "blockquote" | "pre" => place.paragraph = true,
            "article" | "main" => place.main = true,
            "figcaption" => place.caption = true,
            "figure" if !place.outside => (place.outside, place.figure) = (true, true),
            _ => {}
        }
        if place.figure && !place.caption && matches!(name, "table" | "blockquote" | "pre") {
            (place.outside, place.figure) = (false, false);
        }
        place.around |= own.around;
        place.either |= own.either;
        place.comments |= own.comments;
        place
    }
}

impl Own {
    /// What marks say.
    fn of(marks: &str) -> Self {
        Self {
            around: hints::is_around(marks),
            either: hints::is_either(marks),
            comments: hints::is_comments(marks),
            embed: hints::is_embed(marks),
            body: hints::is_body(marks),
        }
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
