//! Carries the markup inside a sentence over to its translation.
//!
//! A sentence is translated as plain text; what stood inside it (links, emphasis, footnote marks,
//! the breaks between subtitles) is put back here. A span goes to the words that are the same in
//! both languages, else to the translation of its own words, else to the words at its share of the
//! sentence. Every mark comes back exactly once, spans stay within the spans that they were in, and
//! no two cross: that holds for any input, and so does linear time where the marks are very many.

mod fitted;
mod places;
mod tree;

use std::collections::HashMap;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

pub(super) use fitted::Fitted;
use places::{Share, Taken, is_like, nearest};
pub(super) use tree::{Kind, Tag};
use tree::{Node, tree};

/// Translations of what stands inside spans, by the text itself.
pub(crate) type Glosses = HashMap<String, String>;

/// Comparisons of spans with words that are made for one sentence before it is too many.
const MOST_COMPARISONS: usize = 500_000;

/// Puts the marks of `source` into `target`.
pub(super) fn fit(source: &str, tags: &[Tag], target: &str, glosses: &Glosses) -> Fitted {
    let words = target
        .unicode_word_indices()
        .map(|(at, word)| at..at + word.len())
        .collect();
    let mut fitting = Fitting {
        source,
        target,
        glosses,
        words,
        nodes: tree(source, tags),
        compared: 0,
    };
    fitting.nodes[0].target = 0..target.len();
    // Parents are before their children, so each finds its own place known.
    let mut open = vec![0];
    while let Some(node) = open.pop() {
        fitting.place(node);
        open.extend(
            fitting.nodes[node]
                .children
                .iter()
                .filter(|child| fitting.nodes[**child].is_span()),
        );
    }
    fitting.emit()
}

/// The texts of spans inside a sentence whose translation tells where they belong.
pub(super) fn texts_of_spans<'a>(source: &'a str, tags: &[Tag]) -> Vec<&'a str> {
    /// Bytes of a longer span are found well enough by its share of the sentence.
    const MOST_BYTES: usize = 120;
    const MOST_SPANS: usize = 16;
    tree(source, tags)
        .into_iter()
        .skip(1)
        .filter(|node| node.is_whole_span() || node.kind == Kind::Keep)
        .map(|node| source[node.source].trim())
        .filter(|text| {
            text.len() <= MOST_BYTES
                && text.len() * 3 <= source.len() * 2
                && text.chars().any(char::is_alphabetic)
        })
        .take(MOST_SPANS)
        .collect()
}

struct Fitting<'a> {
    source: &'a str,
    target: &'a str,
    glosses: &'a Glosses,
    /// Ranges of the words of the target.
    words: Vec<Range<usize>>,
    nodes: Vec<Node>,
    /// Comparisons that were made.
    compared: usize,
}

impl Fitting<'_> {
    /// Gives all children of a span their places in its own.
    fn place(&mut self, node: usize) {
        let children = self.nodes[node].children.clone();
        if children.is_empty() {
            return;
        }
        let share = Share {
            source: self.nodes[node].source.clone(),
            target: self.nodes[node].target.clone(),
        };
        let mut room = share.target.clone();
        let (mut inner, mut breaks, mut points) = (Vec::new(), Vec::new(), Vec::new());
        for &child in &children {
            let Node {
                kind,
                open,
                close,
                source,
                ..
            } = &self.nodes[child];
            match (kind, open, close) {
                (Kind::Open, None, _) => {
                    let end = self.near_end(share.of(source.end), &room);
                    self.nodes[child].target = room.start..end;
                    room.start = end;
                }
                (Kind::Open, _, None) => {
                    let start = self.near_start(share.of(source.start), &room);
                    self.nodes[child].target = start..room.end;
                    room.end = start;
                }
                (Kind::Open | Kind::Keep, ..) => inner.push(child),
                (Kind::Break, ..) => breaks.push(child),
                (Kind::Point | Kind::Close, ..) => points.push(child),
            }
        }
        let mut taken = Taken::default();
        let words = self.words_in(&room).len();
        let pairs = inner.len() * (words + inner.len() + breaks.len());
        self.compared = self
            .compared
            .saturating_add(pairs + points.len() * children.len());
        if !breaks.is_empty() {
            self.compared = self.compared.saturating_add(words);
        }
        let is_much = self.compared > MOST_COMPARISONS;
        if is_much && inner.len() + points.len() > 0 && !breaks.is_empty() {
            for &child in &breaks {
                self.nodes[child].target = room.end..room.end;
            }
        } else {
            self.place_breaks(&breaks, &share, &room, &mut taken);
        }
        if is_much {
            self.place_in_turn(&inner, &breaks, &share, &room);
            for &point in &points {
                // After everything: where nothing can be crossed.
                self.nodes[point].target = room.end..room.end;
            }
            return;
        }
        self.place_by_words(&mut inner, &share, &room, &mut taken);
        for &child in &inner {
            let place = self.place_by_share(child, &share, &room, &taken);
            if place.start < place.end {
                taken.0.push(place.clone());
            }
            self.nodes[child].target = place;
        }
        for &point in &points {
            let at = self.place_of_point(point, &children, &share, &room, &taken);
            self.nodes[point].target = at..at;
        }
    }

    /// Each break goes to a space of its own, as near to its share as the others let it; those that
    /// no space is left for follow at the end.
    fn place_breaks(
        &mut self,
        breaks: &[usize],
        share: &Share,
        room: &Range<usize>,
        taken: &mut Taken,
    ) {
        if breaks.is_empty() {
            return;
        }
        let text = &self.target[room.clone()];
        let mut gaps: Vec<Range<usize>> = Vec::new();
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_whitespace()) {
            let (start, end) = (room.start + at, room.start + at + c.len_utf8());
            match gaps.last_mut() {
                Some(gap) if gap.end == start => gap.end = end,
                _ => gaps.push(start..end),
            }
        }
        gaps.retain(|gap| gap.start > room.start && gap.end < room.end);
        let mut next = 0;
        for (number, &child) in breaks.iter().enumerate() {
            let left = breaks.len() - number - 1;
            let place = if next < gaps.len() {
                let last = gaps.len().saturating_sub(left + 1).max(next);
                let want = share.of(self.nodes[child].source.start);
                let nearest = nearest(&gaps[next..=last], want, |gap| gap.start);
                let found = gaps[next + nearest].clone();
                next += nearest + 1;
                found
            } else {
                room.end..room.end
            };
            taken.0.push(place.clone());
            self.nodes[child].target = place;
        }
    }

    /// Places spans whose words stand in the target as they are, then those whose own translation
    /// does; leaves the others in `inner`.
    fn place_by_words(
        &mut self,
        inner: &mut Vec<usize>,
        share: &Share,
        room: &Range<usize>,
        taken: &mut Taken,
    ) {
        for by_gloss in [false, true] {
            let mut order = inner.clone();
            order.sort_by_key(|child| std::cmp::Reverse(self.nodes[*child].source.len()));
            for child in order {
                let range = self.nodes[child].source.clone();
                let text = self.source[range.clone()].trim();
                let want = share.of(range.start);
                let found = if by_gloss {
                    self.glosses.get(text).and_then(|gloss| {
                        self.find(gloss.trim(), want, room, taken)
                            .or_else(|| self.find_like(gloss, want, room, taken))
                    })
                } else {
                    self.find(text, want, room, taken)
                };
                if let Some(found) = found {
                    let found = self.with_marks_around(text, found, room, taken);
                    taken.0.push(found.clone());
                    self.nodes[child].target = found;
                    inner.retain(|other| *other != child);
                }
            }
        }
    }

    /// The free place nearest to `want` at which `text` stands as whole words.
    fn find(
        &self,
        text: &str,
        want: usize,
        room: &Range<usize>,
        taken: &Taken,
    ) -> Option<Range<usize>> {
        if text.is_empty() {
            return None;
        }
        let ends = |before: Option<char>, after: Option<char>| {
            !(before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric))
        };
        self.target[room.clone()]
            .match_indices(text)
            .map(|(at, found)| room.start + at..room.start + at + found.len())
            .filter(|found| {
                ends(
                    self.target[..found.start].chars().next_back(),
                    text.chars().next(),
                ) && ends(
                    text.chars().next_back(),
                    self.target[found.end..].chars().next(),
                ) && taken.is_free(found)
            })
            .min_by_key(|found| found.start.abs_diff(want))
    }

    /// The free words most like those of `gloss`, where at least half of them are: endings differ
    /// between a word alone and the same word in a sentence.
    fn find_like(
        &self,
        gloss: &str,
        want: usize,
        room: &Range<usize>,
        taken: &Taken,
    ) -> Option<Range<usize>> {
        const MOST_WORDS: usize = 12;
        let gloss: Vec<String> = gloss.unicode_words().map(str::to_lowercase).collect();
        if gloss.is_empty() || gloss.len() > MOST_WORDS {
            return None;
        }
        let words = self.words_in(room);
        let like: Vec<Option<usize>> = words
            .iter()
            .map(|word| {
                let word = self.target[word.clone()].to_lowercase();
                gloss.iter().position(|other| is_like(&word, other))
            })
            .collect();
        let mut best: Option<((usize, usize, usize), Range<usize>)> = None;
        for first in (0..words.len()).filter(|first| like[*first].is_some()) {
            let mut seen = Vec::new();
            for last in first..words.len().min(first + gloss.len() + 2) {
                let Some(number) = like[last] else { continue };
                if !seen.contains(&number) {
                    seen.push(number);
                }
                let range = words[first].start..words[last].end;
                if seen.len() * 2 < gloss.len() || !taken.is_free(&range) {
                    continue;
                }
                // Most words found, then fewest words, then nearest.
                let rank = (
                    gloss.len() - seen.len(),
                    last - first,
                    range.start.abs_diff(want),
                );
                if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                    best = Some((rank, range));
                }
            }
        }
        best.map(|(_, range)| range)
    }

    /// `found` with the quotation marks and the like next to it, where the span has them itself.
    fn with_marks_around(
        &self,
        text: &str,
        mut found: Range<usize>,
        room: &Range<usize>,
        taken: &Taken,
    ) -> Range<usize> {
        let is_mark = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
        let inside = &self.target[found.clone()];
        if text.starts_with(is_mark)
            && !inside.starts_with(is_mark)
            && let Some(c) = self.target[room.start..found.start].chars().next_back()
            && is_mark(c)
            && taken.is_free(&(found.start - c.len_utf8()..found.start))
        {
            found.start -= c.len_utf8();
        }
        let inside = &self.target[found.clone()];
        if text.ends_with(is_mark)
            && !inside.ends_with(is_mark)
            && let Some(c) = self.target[found.end..room.end].chars().next()
            && is_mark(c)
            && taken.is_free(&(found.end..found.end + c.len_utf8()))
        {
            found.end += c.len_utf8();
        }
        found
    }

    /// Free words at the share of the sentence that the span has in the source; an empty place where
    /// no word is free.
    fn place_by_share(
        &self,
        child: usize,
        share: &Share,
        room: &Range<usize>,
        taken: &Taken,
    ) -> Range<usize> {
        let source = self.nodes[child].source.clone();
        let text = &self.source[source.clone()];
        let want = share.of(source.start)..share.of(source.end);
        let nowhere = taken.outside(self.near_start(want.start, room));
        // What is kept would replace a word that may be another's.
        if self.nodes[child].kind == Kind::Keep || !text.contains(char::is_alphanumeric) {
            return nowhere..nowhere;
        }
        let words = self.words_in(room);
        let middle = |range: &Range<usize>| range.start + range.end;
        let Some(centre) = (0..words.len())
            .filter(|word| taken.is_free(&words[*word]))
            .min_by_key(|word| middle(&words[*word]).abs_diff(middle(&want)))
        else {
            return nowhere..nowhere;
        };
        let mut found = words[centre].clone();
        // Outwards, as long as most of a word lies in the share.
        let covers = |word: &Range<usize>| {
            let (from, to) = (word.start.max(want.start), word.end.min(want.end));
            from < to && (to - from) * 2 >= word.len()
        };
        for word in words[..centre].iter().rev() {
            let wider = word.start..found.end;
            if !covers(word) || !taken.is_free(&wider) {
                break;
            }
            found = wider;
        }
        for word in &words[centre + 1..] {
            let wider = found.start..word.end;
            if !covers(word) || !taken.is_free(&wider) {
                break;
            }
            found = wider;
        }
        self.with_marks_around(text.trim(), found, room, taken)
    }

    /// Where a mark without text goes: to the side of the span or the word that it stands at.
    fn place_of_point(
        &self,
        point: usize,
        siblings: &[usize],
        share: &Share,
        room: &Range<usize>,
        taken: &Taken,
    ) -> usize {
        let at = self.nodes[point].source.start;
        let spans = || {
            siblings
                .iter()
                .map(|sibling| &self.nodes[*sibling])
                .filter(|node| node.is_span() && !node.source.is_empty())
        };
        if let Some(before) = spans().find(|node| node.source.end == at) {
            return before.target.end.clamp(room.start, room.end);
        }
        if let Some(after) = spans().find(|node| node.source.start == at) {
            return after.target.start.clamp(room.start, room.end);
        }
        if at <= share.source.start {
            return room.start;
        }
        if at >= share.source.end {
            return room.end;
        }
        // Before the same full stop.
        let rest = &self.source[at..share.source.end];
        if !rest.contains(char::is_alphanumeric) && self.target[room.clone()].ends_with(rest) {
            return taken.outside(room.end - rest.len());
        }
        let place = match self.source[..at].chars().next_back() {
            Some(c) if c.is_whitespace() => {
                let start = self.near_start(share.of(at), room);
                let before = self.target[room.start..start].rfind(char::is_whitespace);
                before.map_or(room.start, |space| {
                    let space = room.start + space;
                    space
                        + self.target[space..]
                            .chars()
                            .next()
                            .map_or(0, char::len_utf8)
                })
            }
            Some(c) if !c.is_alphanumeric() => {
                let end = self.near_end(share.of(at), room);
                let marks = self.target[end..room.end]
                    .find(|c: char| c.is_alphanumeric() || c.is_whitespace());
                marks.map_or(room.end, |marks| end + marks)
            }
            _ => self.near_end(share.of(at), room),
        };
        taken.outside(place).clamp(room.start, room.end)
    }

    /// Places very many spans one after the other by their share alone.
    fn place_in_turn(
        &mut self,
        inner: &[usize],
        breaks: &[usize],
        share: &Share,
        room: &Range<usize>,
    ) {
        let mut breaks = breaks.iter().peekable();
        let mut at = room.start;
        for &child in inner {
            let source = self.nodes[child].source.clone();
            while let Some(&&before) = breaks.peek()
                && self.nodes[before].source.start < source.start
            {
                at = at.max(self.nodes[before].target.end);
                breaks.next();
            }
            let limit = breaks
                .peek()
                .map_or(room.end, |next| self.nodes[**next].target.start)
                .max(at);
            let rest = at..limit;
            let start = self.near_start(share.of(source.start), &rest);
            let end = match self.nodes[child].kind {
                Kind::Keep => start,
                _ => self
                    .near_end(share.of(source.end), &(start..limit))
                    .max(start),
            };
            self.nodes[child].target = start..end;
            at = end;
        }
    }

    /// The words that lie in `room`.
    fn words_in(&self, room: &Range<usize>) -> &[Range<usize>] {
        let from = self.words.partition_point(|word| word.start < room.start);
        let to = self.words.partition_point(|word| word.end <= room.end);
        &self.words[from..to.max(from)]
    }

    /// The beginning of a word of `room`, nearest to `want`.
    fn near_start(&self, want: usize, room: &Range<usize>) -> usize {
        let words = self.words_in(room);
        if words.is_empty() {
            return room.start;
        }
        words[nearest(words, want, |word| word.start)].start
    }

    /// The end of a word of `room`, nearest to `want`.
    fn near_end(&self, want: usize, room: &Range<usize>) -> usize {
        let words = self.words_in(room);
        if words.is_empty() {
            return room.start;
        }
        words[nearest(words, want, |word| word.end)].end
    }

    /// The target from its beginning to its end with the marks in their places.
    fn emit(mut self) -> Fitted {
        let mut out = Fitted::default();
        // Spans that are open, and how many of their children are done.
        let mut open = vec![(0, 0)];
        let mut at = 0;
        self.sort_children(0);
        while let Some((node, done)) = open.last_mut() {
            let node = *node;
            let Some(&child) = self.nodes[node].children.get(*done) else {
                let end = self.nodes[node].target.end;
                out.push_text(&self.target[at..end.max(at)]);
                at = at.max(end);
                if let Some(close) = self.nodes[node].close {
                    out.push_mark(close, "");
                }
                open.pop();
                continue;
            };
            *done += 1;
            let place = self.nodes[child].target.clone();
            out.push_text(&self.target[at..place.start.max(at)]);
            at = at.max(place.start);
            let mark = self.nodes[child].open;
            match (self.nodes[child].kind, mark) {
                (Kind::Open, mark) => {
                    if let Some(mark) = mark {
                        out.push_mark(mark, "");
                    }
                    self.sort_children(child);
                    open.push((child, 0));
                }
                (Kind::Break, Some(mark)) => {
                    // One that no space was left for stands for none.
                    out.push_mark(mark, if place.is_empty() { "" } else { " " });
                    at = at.max(place.end);
                }
                (Kind::Keep, Some(mark)) => {
                    let kept = &self.source[self.nodes[child].source.clone()];
                    let is_word = |c: char| c.is_alphanumeric();
                    if place.is_empty() && out.text.ends_with(is_word) {
                        out.push_text(" ");
                    }
                    out.push_mark(mark, kept);
                    if place.is_empty() && self.target[at..].starts_with(is_word) {
                        out.push_text(" ");
                    }
                    at = at.max(place.end);
                }
                (_, Some(mark)) => out.push_mark(mark, ""),
                (_, None) => {}
            }
        }
        out
    }

    fn sort_children(&mut self, node: usize) {
        let mut children = std::mem::take(&mut self.nodes[node].children);
        // Stable: what stands at one place keeps its order.
        children.sort_by_key(|child| self.nodes[*child].target.start);
        self.nodes[node].children = children;
    }
}

#[cfg(test)]
mod tests;
