//! Makes a layout, with its text and blocks, while a format is read from front to back.
//!
//! Ranges of the source are given in order. White space becomes single spaces, and none stands at
//! the ends of a block; a block without a letter or a digit is none.

use std::collections::HashMap;
use std::ops::Range;

use super::{Kind, Layout, Mark, Piece, Value};
use crate::document::escape::{Escape, ValueKind};
use crate::document::html::decode;
use crate::document::lines::is_format;
use crate::document::{Block, BlockKind, TITLE_GAP};

/// See the module.
pub(in crate::document) struct Builder {
    text: String,
    blocks: Vec<Block>,
    layout: Layout,
    /// What the block at hand is, and where it begins: text, pieces, marks.
    kind: BlockKind,
    open: Option<Start>,
    /// Spans that are open in the block: name, and the number of the mark.
    spans: Vec<(String, usize)>,
    /// How many spans of a name are open.
    names: HashMap<String, usize>,
    /// Values that were met inside the block, which follow it in the text.
    deferred: Vec<Deferred>,
}

#[derive(Clone, Copy)]
struct Start {
    text: usize,
    pieces: usize,
    marks: usize,
    values: usize,
}

struct Deferred {
    block: BlockKind,
    text: String,
    source: Range<usize>,
    kind: ValueKind,
}

impl Builder {
    pub(in crate::document) fn new(source: String, escape: Escape) -> Self {
        Self {
            text: String::new(),
            blocks: Vec::new(),
            layout: Layout {
                escape,
                ..Layout::of_values(source, Vec::new())
            },
            kind: BlockKind::Paragraph,
            open: None,
            spans: Vec::new(),
            names: HashMap::new(),
            deferred: Vec::new(),
        }
    }

    /// Says what the next block is; the one at hand must have ended.
    pub(in crate::document) fn set_kind(&mut self, kind: BlockKind) {
        self.kind = kind;
    }

    /// Whether there is no block yet.
    pub(in crate::document) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.open.is_none()
    }

    /// Whether a block is open that text may follow in.
    pub(in crate::document) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The text of the block at hand so far.
    pub(in crate::document) fn block_text(&self) -> &str {
        self.open.map_or("", |open| &self.text[open.text..])
    }

    fn open(&mut self) {
        if self.open.is_none() {
            if !self.text.is_empty() {
                self.text.push_str(TITLE_GAP);
            }
            self.open = Some(Start {
                text: self.text.len(),
                pieces: self.layout.pieces.len(),
                marks: self.layout.marks.len(),
                values: self.layout.values.len(),
            });
        }
    }

    fn push_piece(&mut self, text: &str, mut source: Range<usize>) {
        let mut text = text;
        if self.block_text().is_empty() {
            // A no-break space before the first word is none of the block's.
            let word = text.trim_start();
            if word.is_empty() {
                return;
            }
            if self.layout.source[source.clone()] == *text {
                source.start += text.len() - word.len();
            }
            text = word;
        }
        self.open();
        let start = self.text.len();
        self.text.push_str(text);
        let verbatim = &self.layout.source[source.clone()] == text;
        match self.layout.pieces.last_mut() {
            Some(last)
                if verbatim
                    && last.verbatim
                    && last.source.end == source.start
                    && last.text.end == start =>
            {
                last.source.end = source.end;
                last.text.end = self.text.len();
            }
            _ => self.layout.pieces.push(Piece {
                text: start..self.text.len(),
                source,
                verbatim,
            }),
        }
    }

    /// Adds the source of this range as it is, with single spaces.
    pub(in crate::document) fn text(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let rest = &self.layout.source[at..range.end];
            let is_text = |c: char| !is_space(c) && !is_unseen(c);
            let plain = rest.find(|c| !is_text(c)).unwrap_or(rest.len());
            if plain > 0 {
                let text = rest[..plain].to_owned();
                self.push_piece(&text, at..at + plain);
                at += plain;
                continue;
            }
            let other = rest.find(is_text).unwrap_or(rest.len());
            if rest[..other].contains(is_space) {
                self.space(at..at + other);
            }
            at += other;
        }
    }

    /// Adds the source of this range, in which characters may be written as references.
    pub(in crate::document) fn encoded(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while let Some(found) = self.layout.source[at..range.end].find('&') {
            self.text(at..at + found);
            at += found;
            let length = reference(&self.layout.source[at..range.end]);
            let raw = &self.layout.source[at..at + length];
            let decoded = decode(raw);
            if decoded == raw {
                self.text(at..at + length);
            } else {
                let decoded = decoded.into_owned();
                self.decoded(&decoded, at..at + length);
            }
            at += length;
        }
        self.text(at..range.end);
    }

    /// Adds `text`, which stands in the source encoded, as one.
    pub(in crate::document) fn decoded(&mut self, text: &str, source: Range<usize>) {
        if text.chars().all(|c| is_space(c) || is_unseen(c)) {
            if text.contains(is_space) {
                self.space(source);
            }
        } else if text.contains(|c| is_space(c) || is_unseen(c)) {
            let words: Vec<&str> = text
                .split(|c| is_space(c) || is_unseen(c))
                .filter(|word| !word.is_empty())
                .collect();
            self.push_piece(&words.join(" "), source);
        } else {
            self.push_piece(text, source);
        }
    }

    /// Adds a space, where a word stands before it.
    pub(in crate::document) fn space(&mut self, source: Range<usize>) {
        if self.open.is_some() && !self.block_text().is_empty() && !self.text.ends_with(' ') {
            self.push_piece(" ", source);
        }
    }

    /// Adds a break: a space whose markup comes back in any translation.
    pub(in crate::document) fn line_break(&mut self, source: Range<usize>) {
        self.written_break(source, None);
    }

    /// Adds a break, with what is written for it in a sentence that is put together anew.
    pub(in crate::document) fn written_break(
        &mut self,
        source: Range<usize>,
        written: Option<String>,
    ) {
        if self.text.ends_with(' ') || self.block_text().is_empty() {
            self.mark(Kind::Point, source, written);
            return;
        }
        let start = self.text.len();
        self.push_piece(" ", source.clone());
        self.layout.marks.push(Mark {
            kind: Kind::Break,
            text: start..self.text.len(),
            source,
            written: written.map(String::into_boxed_str),
        });
    }

    /// Adds markup without text. Before the first word of a block, only what is written as it was read
    /// is the block's: what begins there may go to other words.
    pub(in crate::document) fn mark(
        &mut self,
        kind: Kind,
        source: Range<usize>,
        written: Option<String>,
    ) {
        if written.is_none() {
            self.open();
        }
        if self.open.is_some() {
            let at = self.text.len();
            self.layout.marks.push(Mark {
                kind,
                text: at..at,
                source,
                written: written.map(String::into_boxed_str),
            });
        }
    }

    /// Begins a span that [`close`](Self::close) of the same name ends.
    pub(in crate::document) fn open_span(&mut self, name: &str, source: Range<usize>) {
        self.spans.push((name.to_owned(), self.layout.marks.len()));
        *self.names.entry(name.to_owned()).or_insert(0) += 1;
        self.mark(Kind::Open, source, None);
    }

    /// Ends a span. Spans inside it that were not ended are marks of their own; one that was not
    /// begun in this block ends what began before.
    pub(in crate::document) fn close_span(&mut self, name: &str, source: Range<usize>) {
        let is_open = self.names.get(name).is_some_and(|count| *count > 0);
        if !is_open {
            let kind = if self.spans.is_empty() {
                Kind::Close
            } else {
                Kind::Point
            };
            self.mark(kind, source, None);
            return;
        }
        while let Some((open, mark)) = self.spans.pop() {
            if let Some(count) = self.names.get_mut(&open) {
                *count -= 1;
            }
            if open == name {
                break;
            }
            if let Some(mark) = self.layout.marks.get_mut(mark) {
                mark.kind = Kind::Point;
            }
        }
        self.mark(Kind::Close, source, None);
    }

    /// Ends a span whose text is the label of what it leads to: `label`, which is written where the text
    /// is another.
    pub(in crate::document) fn close_labelled(
        &mut self,
        name: &str,
        source: Range<usize>,
        label: String,
    ) {
        let begun = self.spans.iter().rev().find(|(open, _)| open == name);
        let start = begun.and_then(|(_, mark)| self.layout.marks.get(*mark));
        let start = start.map_or(self.text.len(), |mark| mark.text.start);
        self.close_span(name, source.clone());
        self.layout.values.push(Value {
            text: start..self.text.len(),
            source,
            kind: ValueKind::Label(label.into_boxed_str()),
        });
    }

    /// Begins a stretch that is kept as it is; [`end_keep`](Self::end_keep) takes what this returns.
    pub(in crate::document) fn begin_keep(&mut self) -> usize {
        self.open();
        self.text.len()
    }

    /// Ends a stretch that is kept; `source` is all of it, markup included.
    pub(in crate::document) fn end_keep(&mut self, from: usize, source: Range<usize>) {
        if self.open.is_some_and(|open| open.text <= from) && from < self.text.len() {
            // Marks inside belong to what is kept.
            while self
                .layout
                .marks
                .last()
                .is_some_and(|mark| mark.source.start >= source.start)
            {
                self.layout.marks.pop();
            }
            if self.text[from..].trim().is_empty() {
                // A break in it parts words as any other.
                self.text.truncate(from);
                self.cut_to(from);
                return self.written_break(source, None);
            }
            let text = from..self.text.len();
            self.layout.marks.push(Mark {
                kind: Kind::Keep,
                text,
                source,
                written: None,
            });
        }
    }

    /// Adds a stretch that is kept, with the text that it has.
    pub(in crate::document) fn keep(&mut self, text: &str, source: Range<usize>) {
        if !text.contains(|c: char| !is_space(c) && !is_unseen(c)) {
            self.mark(Kind::Point, source, None);
            return;
        }
        let from = self.begin_keep();
        self.decoded(text, source.clone());
        self.end_keep(from, source);
    }

    /// Adds a value: a block of its own, after the one at hand.
    pub(in crate::document) fn value(
        &mut self,
        block: BlockKind,
        text: &str,
        source: Range<usize>,
        kind: ValueKind,
    ) {
        if text.chars().any(char::is_alphanumeric) {
            self.deferred.push(Deferred {
                block,
                text: text.to_owned(),
                source,
                kind,
            });
            if self.open.is_none() {
                self.push_deferred();
            }
        }
    }

    fn push_deferred(&mut self) {
        for value in std::mem::take(&mut self.deferred) {
            if !self.text.is_empty() {
                self.text.push_str(TITLE_GAP);
            }
            let start = self.text.len();
            self.text.push_str(&value.text);
            let block = start..self.text.len();
            self.layout.values.push(Value {
                text: block.clone(),
                source: value.source,
                kind: value.kind,
            });
            self.blocks.push(Block {
                kind: value.block,
                range: crate::segment::trimmed(&self.text, block),
            });
        }
    }

    /// Ends the block at hand, if there is one.
    pub(in crate::document) fn end_block(&mut self) {
        self.spans.clear();
        self.names.clear();
        if let Some(open) = self.open.take() {
            let end = open.text + self.text[open.text..].trim_end().len();
            if self.has_words(open, end) {
                self.text.truncate(end);
                self.cut_to(end);
                self.blocks.push(Block {
                    kind: self.kind,
                    range: open.text..end,
                });
            } else {
                let before = open.text - if open.text > 0 { TITLE_GAP.len() } else { 0 };
                self.text.truncate(before);
                self.layout.pieces.truncate(open.pieces);
                self.layout.marks.truncate(open.marks);
                self.layout.values.truncate(open.values);
            }
        }
        self.kind = BlockKind::Paragraph;
        self.push_deferred();
    }

    /// Whether the block at hand, which ends at `end`, has words besides what is kept.
    fn has_words(&self, open: Start, end: usize) -> bool {
        let mut at = open.text;
        for mark in &self.layout.marks[open.marks..] {
            if mark.kind == Kind::Keep && mark.text.start >= at {
                let before = at..mark.text.start.min(end);
                if self.text[before].contains(char::is_alphanumeric) {
                    return true;
                }
                at = mark.text.end.min(end);
            }
        }
        self.text[at..end].contains(char::is_alphanumeric)
    }

    /// Takes the space at the end of the text out of the pieces, and the marks after it.
    fn cut_to(&mut self, end: usize) {
        while let Some(piece) = self.layout.pieces.last_mut()
            && piece.text.end > end
        {
            if piece.text.start < end && piece.verbatim {
                let over = piece.text.end - end;
                piece.text.end = end;
                piece.source.end -= over;
                break;
            }
            if piece.text.start < end {
                piece.text.end = end;
                break;
            }
            self.layout.pieces.pop();
        }
        while self
            .layout
            .marks
            .last()
            .is_some_and(|mark| mark.text.end > end)
        {
            self.layout.marks.pop();
        }
    }

    /// The text, its blocks and the layout.
    pub(in crate::document) fn finish(mut self) -> (String, Vec<Block>, Layout) {
        self.end_block();
        self.layout.values.sort_by_key(|value| value.source.start);
        debug_assert!(self.layout.is_sound(), "marks or values are not in order");
        (self.text, self.blocks, self.layout)
    }
}

/// The length of the character reference that `text` begins with, or of its `&`.
fn reference(text: &str) -> usize {
    const LONGEST: usize = 40;
    text.bytes()
        .take(LONGEST)
        .position(|byte| byte == b';')
        .filter(|end| {
            text[1..*end]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'#')
        })
        .map_or(1, |end| end + 1)
}

/// White space that parts words. A no-break space parts the digits of a number, and is kept.
fn is_space(c: char) -> bool {
    c.is_whitespace() && c != '\u{A0}' && c != '\u{202F}'
}

/// What is not seen: control and layout characters.
fn is_unseen(c: char) -> bool {
    c.is_control() && !c.is_whitespace() || is_format(c)
}
