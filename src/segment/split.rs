//! Parts a sentence that is too long for a model.
//!
//! Breaks are sought at the best place that leaves pieces of similar length: after `;` or `:`, at a
//! dash, after a comma, before a word that begins a clause, before one that begins a phrase, at a space
//! that no article or preposition stands before, at any space, and only then between two graphemes.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use super::clauses;

/// Returns the byte ranges of pieces of `text` that each satisfy `fits`, without the white space
/// around them; one range where the whole fits.
///
/// `fits` says whether a piece is short enough, by any measure of the caller's, and must hold for
/// every shorter piece where it holds for a longer one. It is called with pieces not much longer
/// than what fits, so time is linear in the text. Pieces and the white space between them join to
/// `text`. No piece ends inside a grapheme: one grapheme that does not fit is a piece of its own.
pub fn split_long(text: &str, mut fits: impl FnMut(&str) -> bool) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut rest = super::trimmed(text, 0..text.len());
    while !rest.is_empty() {
        let part = &text[rest.clone()];
        let limit = longest_fitting(part, &mut fits);
        let cut = if limit == part.len() {
            limit
        } else {
            best_cut(part, limit)
        };
        super::push_trimmed(text, rest.start..rest.start + cut, &mut pieces);
        rest = super::trimmed(text, rest.start + cut..rest.end);
    }
    pieces
}

/// The length of the longest prefix of `part` that fits and ends between graphemes; at least one
/// grapheme.
fn longest_fitting(part: &str, fits: &mut impl FnMut(&str) -> bool) -> usize {
    let mut good = 0;
    let mut size: usize = 256;
    let mut bad = loop {
        let end = floor_boundary(part, size);
        if end > good && !fits(part[..end].trim_end()) {
            break end;
        }
        good = good.max(end);
        if end == part.len() {
            return end;
        }
        size = size.saturating_mul(2);
    };
    while bad - good > 1 {
        let middle = floor_boundary(part, good + (bad - good) / 2);
        if middle <= good {
            break;
        }
        if fits(part[..middle].trim_end()) {
            good = middle
        } else {
            bad = middle
        }
    }
    let whole = grapheme_floor(part, good);
    if whole > 0 {
        whole
    } else {
        first_grapheme(part)
    }
}

/// The last character boundary at or before `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn is_grapheme_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true)
        .is_boundary(text, 0)
        .unwrap_or(true)
}

/// The last grapheme boundary at or before `at`.
fn grapheme_floor(text: &str, at: usize) -> usize {
    if at == 0 || at == text.len() || is_grapheme_boundary(text, at) {
        return at;
    }
    GraphemeCursor::new(at, text.len(), true)
        .prev_boundary(text, 0)
        .ok()
        .flatten()
        .unwrap_or(0)
}

fn first_grapheme(text: &str) -> usize {
    GraphemeCursor::new(0, text.len(), true)
        .next_boundary(text, 0)
        .ok()
        .flatten()
        .unwrap_or(text.len())
}

/// The best place to cut `part`, of which no more than `limit` bytes fit.
///
/// Where two pieces will do, the cut nearest the middle wins among places of one kind; else the
/// last place in the second half of what fits.
fn best_cut(part: &str, limit: usize) -> usize {
    let two_pieces = part.len() < limit * 2;
    let (low, aim) = if two_pieces {
        (
            (part.len() - limit).saturating_sub(1).max(limit / 4),
            part.len() / 2,
        )
    } else {
        (limit / 3, limit)
    };
    let low = floor_boundary(part, low);
    let mut best: Option<(usize, u8, usize)> = None;
    let mut before = '\0';
    let window = &part[low..limit];
    for (offset, c) in window.char_indices() {
        let at = low + offset;
        if let Some(rank) = rank(part, at, before, c)
            && at > 0
            && is_grapheme_boundary(part, at)
        {
            let distance = at.abs_diff(aim);
            if best.is_none_or(|(_, best_rank, best_distance)| {
                (rank, distance) < (best_rank, best_distance)
            }) {
                best = Some((at, rank, distance));
            }
        }
        before = c;
    }
    best.map_or(limit, |(at, ..)| at)
}

/// How good a cut before the character `c` at `at` is, where it is a place to cut at all; 0 is best.
fn rank(part: &str, at: usize, before: char, c: char) -> Option<u8> {
    // The first of several spaces stands for all of them.
    if !c.is_whitespace() || before.is_whitespace() {
        return None;
    }
    let next = part[at..].trim_start();
    if matches!(before, '.' | '!' | '?' | '…' | '؟' | ';' | '؛' | ':')
        || next.starts_with(['—', '–'])
    {
        return Some(0);
    }
    if matches!(before, ',' | '،' | ')' | '»' | '”') {
        return Some(1);
    }
    let word = first_word(next);
    if clauses::hangs(last_word(&part[..at])) {
        Some(5)
    } else if clauses::begins_clause(word) {
        Some(2)
    } else {
        Some(if clauses::begins_phrase(word) { 3 } else { 4 })
    }
}

/// The first word of `text`, as far as it is short enough to be of a list.
fn first_word(text: &str) -> &str {
    let end = text
        .char_indices()
        .take(20)
        .find(|(_, c)| c.is_whitespace() || matches!(c, ',' | '،' | ':'))
        .map_or(0, |(offset, _)| offset);
    &text[..end]
}

/// The last word of `text`, likewise.
fn last_word(text: &str) -> &str {
    let start = text
        .char_indices()
        .rev()
        .take(20)
        .find(|(_, c)| c.is_whitespace())
        .map_or(text.len(), |(offset, c)| offset + c.len_utf8());
    &text[start..]
}
