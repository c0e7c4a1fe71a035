//! Where the text of a document stands in what it was read from, so that it can be put back there.
//!
//! A layout keeps the source whole. Flowing text stands in it in pieces, with marks (tags, emphasis,
//! breaks between subtitles) between and inside them; a value (an attribute, a cell, a string of
//! JSON) stands in it encoded as one. Where a text is replaced by itself, the source is copied byte
//! for byte; where it is not, marks go with their words as [`spans`](super::spans) says, and a value
//! is encoded anew. Readers of formats make layouts through [`Builder`].

mod builder;

use std::ops::Range;

pub(super) use builder::Builder;

use super::escape::{Escape, ValueKind};
use super::spans::{self, Fitted, Glosses, Kind, Tag};
use crate::language::Language;

/// The source of a document and the places of its text in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) source: String,
    /// In order, both of the text and of the source.
    pieces: Vec<Piece>,
    /// In the order of the source.
    marks: Vec<Mark>,
    /// In the order of the source.
    pub(super) values: Vec<Value>,
    /// Where the source names the language that it is in.
    pub(super) named: Option<Named>,
    /// How flowing text is written.
    escape: Escape,
    /// Whether any text is not what it was when it was read.
    pub(super) changed: bool,
}

/// A stretch of flowing text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    text: Range<usize>,
    source: Range<usize>,
    /// Whether the source has it byte for byte; else it is one whole, such as `&amp;`.
    verbatim: bool,
}

/// Markup in flowing text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    kind: Kind,
    /// The text that it covers: none but for breaks and what is kept.
    text: Range<usize>,
    source: Range<usize>,
    /// What is written for it where a sentence is put together anew; the source where absent.
    written: Option<Box<str>>,
}

/// A text that stands in the source as one, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: Range<usize>,
    pub(super) source: Range<usize>,
    pub(super) kind: ValueKind,
}

/// The name of a language, in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) language: Language,
    pub(super) source: Range<usize>,
    /// How it is written.
    pub(super) kind: ValueKind,
}

/// A replaced range of the text: what it was, and what it is.
#[derive(Debug, Clone)]
pub(super) struct Shift {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
    /// The marks put into the new text; none where the text is as it was, or in a value.
    pub(super) fitted: Option<Fitted>,
}

/// Where `at`, an offset in the text that was, has moved to. A place inside a replaced range is
/// counted from its beginning.
pub(super) fn moved(shifts: &[Shift], at: usize) -> usize {
    let after = shifts.partition_point(|shift| shift.old.start <= at);
    match after.checked_sub(1).and_then(|last| shifts.get(last)) {
        None => at,
        Some(shift) if at >= shift.old.end => shift.new.end + (at - shift.old.end),
        Some(shift) => (shift.new.start + (at - shift.old.start)).min(shift.new.end),
    }
}

impl Layout {
    /// A layout of values alone.
    pub(super) fn of_values(source: String, values: Vec<Value>) -> Self {
        Self {
            source,
            pieces: Vec::new(),
            marks: Vec::new(),
            values,
            named: None,
            escape: Escape::None,
            changed: false,
        }
    }

    /// Whether marks are in the order of the source and values do not overlap: what all else relies on.
    pub(super) fn is_sound(&self) -> bool {
        self.marks.is_sorted_by_key(|mark| mark.source.start)
            && self
                .values
                .is_sorted_by(|before, after| before.source.end <= after.source.start)
    }

    /// The source, in which another language is named where one is.
    pub(super) fn naming(&self, language: Option<Language>) -> String {
        match (&self.named, language) {
            (Some(named), Some(language)) if named.language != language => {
                let mut source = self.source[..named.source.start].to_owned();
                let raw = &self.source[named.source.clone()];
                named.kind.encode(raw, language.code(), &mut source);
                source + &self.source[named.source.end..]
            }
            _ => self.source.clone(),
        }
    }

    /// Whether the range of the text flows, and is not in a value.
    fn flows(&self, text: &Range<usize>) -> bool {
        self.piece_of_start(text.start)
            .is_some_and(|piece| piece.text.start <= text.start)
    }

    fn piece_of_start(&self, at: usize) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.text.end <= at);
        self.pieces.get(index)
    }

    /// The range of the source in which a range of flowing text stands, without the markup at its
    /// ends; with it where it belongs to what is kept.
    fn source_range(&self, text: &Range<usize>) -> Range<usize> {
        let kept = |is_at: &dyn Fn(&Mark) -> bool| {
            self.marks_at(text)
                .find(|mark| mark.kind == Kind::Keep && is_at(mark))
        };
        let start = match kept(&|mark| mark.text.start == text.start) {
            Some(mark) => mark.source.start,
            None => self.piece_of_start(text.start).map_or(0, |piece| {
                let into = text.start.saturating_sub(piece.text.start);
                piece.source.start + if piece.verbatim { into } else { 0 }
            }),
        };
        let end = match kept(&|mark| mark.text.end == text.end) {
            Some(mark) => mark.source.end,
            None => {
                let index = self
                    .pieces
                    .partition_point(|piece| piece.text.start < text.end);
                index
                    .checked_sub(1)
                    .and_then(|index| self.pieces.get(index))
                    .map_or(0, |piece| {
                        let left = piece.text.end.saturating_sub(text.end);
                        piece.source.end - if piece.verbatim { left } else { 0 }
                    })
            }
        };
        self.with_spans(text, start..end.max(start))
    }

    /// `source`, the range of a sentence, with the markup at its beginning that ends inside of it, and
    /// the markup at its end that begins inside of it: a link on its first words may go to others.
    fn with_spans(&self, text: &Range<usize>, mut source: Range<usize>) -> Range<usize> {
        let inner = source.clone();
        // Spans that are open, each with where it begins where that is before the sentence or in it.
        let mut open: Vec<usize> = Vec::new();
        let spans = self
            .marks_at(text)
            .filter(|mark| matches!(mark.kind, Kind::Open | Kind::Close) && mark.written.is_none());
        for mark in spans {
            let is_before = mark.source.end <= inner.start;
            let is_after = mark.source.start >= inner.end;
            if is_before && mark.text.start < text.start || is_after && mark.text.start > text.end {
                continue;
            }
            match mark.kind {
                Kind::Open if !is_after => open.push(mark.source.start),
                Kind::Close => match open.pop() {
                    Some(begin) if begin < inner.start && !is_before && !is_after => {
                        source.start = source.start.min(begin);
                    }
                    Some(begin) if begin >= inner.start && is_after => {
                        source.end = source.end.max(mark.source.end);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        source
    }

    /// The marks that touch a range of the text. Marks of no text stand in order of it as well.
    fn marks_at(&self, text: &Range<usize>) -> impl Iterator<Item = &Mark> {
        let from = self
            .marks
            .partition_point(|mark| mark.text.end < text.start);
        let end = text.end;
        self.marks[from..]
            .iter()
            .take_while(move |mark| mark.text.start <= end)
    }

    /// The marks inside a sentence, with their places in it; `source` is its range.
    fn tags(&self, text: &Range<usize>, source: &Range<usize>) -> (Vec<usize>, Vec<Tag>) {
        let from = self
            .marks
            .partition_point(|mark| mark.source.start < source.start);
        let inside = self.marks[from..]
            .iter()
            .enumerate()
            .take_while(|(_, mark)| mark.source.start < source.end)
            .filter(|(_, mark)| {
                mark.source.end <= source.end
                    && mark.text.start >= text.start
                    && mark.text.end <= text.end
            });
        inside
            .map(|(index, mark)| {
                let tag = Tag {
                    text: mark.text.start - text.start..mark.text.end - text.start,
                    kind: mark.kind,
                };
                (from + index, tag)
            })
            .unzip()
    }

    /// Puts the marks of a sentence into its new text; `None` where the text is in a value.
    pub(super) fn fit(
        &self,
        range: &Range<usize>,
        text: &str,
        new: &str,
        glosses: &Glosses,
    ) -> Option<Fitted> {
        if !self.flows(range) {
            return None;
        }
        let (marks, tags) = self.tags(range, &self.source_range(range));
        let mut fitted = spans::fit(text, &tags, new, glosses);
        for part in &mut fitted.parts {
            part.mark = part.mark.and_then(|mark| marks.get(mark).copied());
        }
        Some(fitted)
    }

    /// The texts of the spans inside a sentence whose translations help to place them.
    pub(super) fn texts_of_spans<'a>(&self, range: &Range<usize>, text: &'a str) -> Vec<&'a str> {
        if self.marks.is_empty() || !self.flows(range) {
            return Vec::new();
        }
        let (_, tags) = self.tags(range, &self.source_range(range));
        spans::texts_of_spans(text, &tags)
    }

    /// The range of the text that is kept as it is and that `at` is inside of.
    pub(super) fn kept_at(&self, at: usize) -> Option<&Range<usize>> {
        self.marks_at(&(at..at))
            .find(|mark| mark.kind == Kind::Keep && mark.text.start < at && at < mark.text.end)
            .map(|mark| &mark.text)
    }

    /// Whether all of a range of the text is kept as it is.
    pub(super) fn is_kept(&self, text: &Range<usize>) -> bool {
        self.marks_at(text).any(|mark| {
            mark.kind == Kind::Keep && mark.text.start <= text.start && text.end <= mark.text.end
        })
    }

    /// The layout of the new text; `shifts` say what was replaced, in order.
    pub(super) fn replaced(&self, old: &str, new: &str, shifts: &[Shift]) -> Self {
        let mut rebuild = Rebuild {
            layout: self,
            old,
            new,
            shifts,
            out: Self {
                source: String::with_capacity(self.source.len()),
                pieces: Vec::with_capacity(self.pieces.len()),
                marks: Vec::with_capacity(self.marks.len()),
                values: Vec::with_capacity(self.values.len()),
                named: None,
                ..*self
            },
        };
        let mut at = 0;
        for shift in shifts {
            let Some(fitted) = &shift.fitted else {
                continue;
            };
            let source = self.source_range(&shift.old);
            rebuild.copy(at..source.start.max(at));
            rebuild.sentence(shift, fitted);
            rebuild.out.changed = true;
            at = source.end.max(at);
        }
        rebuild.copy(at..self.source.len());
        rebuild.out
    }
}

/// Where `at`, an offset in the source that was, is now; `stretches` are what stands between values,
/// with where each begins now.
fn place(stretches: &[(Range<usize>, usize)], at: usize) -> usize {
    let after = stretches.partition_point(|(old, _)| old.start <= at);
    let (old, new) = &stretches[after.saturating_sub(1)];
    new + at.min(old.end).saturating_sub(old.start)
}

/// A layout in the making, from another and what was replaced in it.
struct Rebuild<'a> {
    layout: &'a Layout,
    old: &'a str,
    new: &'a str,
    shifts: &'a [Shift],
    out: Layout,
}

impl Rebuild<'_> {
    /// Copies a range of the source with the text in it. Values in it may be new.
    fn copy(&mut self, range: Range<usize>) {
        // Where the stretches between values stand now.
        let mut stretches: Vec<(Range<usize>, usize)> = Vec::new();
        let mut at = range.start;
        let from = self
            .layout
            .values
            .partition_point(|value| value.source.start < range.start);
        for value in self.layout.values[from..]
            .iter()
            .take_while(|value| value.source.end <= range.end && value.source.start < range.end)
        {
            stretches.push((at..value.source.start, self.out.source.len()));
            self.copy_flowing(at..value.source.start);
            self.value(value);
            at = value.source.end;
        }
        stretches.push((at..range.end, self.out.source.len()));
        self.copy_flowing(at..range.end);
        self.copy_marks(&range, &stretches);
        if let Some(named) = &self.layout.named
            && range.start <= named.source.start
            && named.source.end <= range.end
        {
            let source = place(&stretches, named.source.start)..place(&stretches, named.source.end);
            self.out.named = Some(Named {
                source,
                ..named.clone()
            });
        }
    }

    /// Copies the marks of a range of the source; values may stand in them.
    fn copy_marks(&mut self, range: &Range<usize>, stretches: &[(Range<usize>, usize)]) {
        let from = self
            .layout
            .marks
            .partition_point(|mark| mark.source.start < range.start);
        for mark in self.layout.marks[from..]
            .iter()
            .take_while(|mark| mark.source.start < range.end)
            .filter(|mark| mark.source.end <= range.end)
        {
            let text = moved(self.shifts, mark.text.start);
            self.out.marks.push(Mark {
                text: text..text + mark.text.len(),
                source: place(stretches, mark.source.start)..place(stretches, mark.source.end),
                ..mark.clone()
            });
        }
    }

    /// Copies a range of the source that holds no value.
    fn copy_flowing(&mut self, range: Range<usize>) {
        let start = self.out.source.len();
        self.out.source.push_str(&self.layout.source[range.clone()]);
        let place = |at: usize| start + (at - range.start);
        let from = self
            .layout
            .pieces
            .partition_point(|piece| piece.source.end <= range.start);
        for piece in self.layout.pieces[from..]
            .iter()
            .take_while(|piece| piece.source.start < range.end)
        {
            let front = range.start.saturating_sub(piece.source.start);
            let back = piece.source.end.saturating_sub(range.end);
            if !piece.verbatim && front + back > 0 {
                continue;
            }
            let text = piece.text.start + front..piece.text.end - back;
            let length = text.len();
            let text = moved(self.shifts, text.start);
            self.out.pieces.push(Piece {
                text: text..text + length,
                source: place(piece.source.start + front)..place(piece.source.end - back),
                verbatim: piece.verbatim,
            });
        }
    }

    fn value(&mut self, value: &Value) {
        let text = moved(self.shifts, value.text.start)..moved(self.shifts, value.text.end);
        let start = self.out.source.len();
        let raw = &self.layout.source[value.source.clone()];
        let new = match value.kind {
            // Its text flows, and the value follows it.
            ValueKind::Label(_) => self.is_rewritten(&value.text).then_some(""),
            _ => Some(&self.new[text.clone()]).filter(|new| **new != self.old[value.text.clone()]),
        };
        match new {
            None => self.out.source.push_str(raw),
            Some(new) => {
                self.out.changed = true;
                value.kind.encode(raw, new, &mut self.out.source);
            }
        }
        self.out.values.push(Value {
            text: text.start..text.end.max(text.start),
            source: start..self.out.source.len(),
            kind: value.kind.clone(),
        });
    }

    /// Whether a sentence that a range of flowing text touches is written anew.
    fn is_rewritten(&self, text: &Range<usize>) -> bool {
        let from = self
            .shifts
            .partition_point(|shift| shift.old.end <= text.start);
        self.shifts[from..]
            .iter()
            .take_while(|shift| shift.old.start < text.end)
            .any(|shift| shift.fitted.is_some())
    }

    /// Writes a sentence anew.
    fn sentence(&mut self, shift: &Shift, fitted: &Fitted) {
        for (number, part) in fitted.parts.iter().enumerate() {
            let text = shift.new.start + part.text.start..shift.new.start + part.text.end;
            match part.mark.and_then(|mark| self.layout.marks.get(mark)) {
                Some(mark) => self.mark(mark, text),
                None => self.text(&fitted.text[part.text.clone()], text.start, number == 0),
            }
        }
    }

    fn mark(&mut self, mark: &Mark, text: Range<usize>) {
        let start = self.out.source.len();
        match &mark.written {
            Some(written) => self.out.source.push_str(written),
            None if mark.kind == Kind::Keep => self
                .out
                .source
                .push_str(&self.layout.source[mark.source.clone()]),
            None => {
                // Values may stand in it, as in an image with a title; no text flows through it.
                let (pieces, marks) = (self.out.pieces.len(), self.out.marks.len());
                self.copy(mark.source.clone());
                self.out.pieces.truncate(pieces);
                self.out.marks.truncate(marks);
            }
        }
        let source = start..self.out.source.len();
        if !text.is_empty() {
            self.out.pieces.push(Piece {
                text: text.clone(),
                source: source.clone(),
                verbatim: false,
            });
        }
        self.out.marks.push(Mark {
            kind: mark.kind,
            text,
            source,
            written: mark.written.clone(),
        });
    }

    fn text(&mut self, text: &str, at: usize, is_first: bool) {
        let mut at = at;
        for (escaped, plain) in self.layout.escape.pieces(text, is_first) {
            let start = self.out.source.len();
            self.out.source.push_str(&escaped);
            self.out.pieces.push(Piece {
                text: at..at + plain.len(),
                source: start..self.out.source.len(),
                verbatim: escaped == plain,
            });
            at += plain.len();
        }
    }
}
