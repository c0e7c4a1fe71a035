//! Finds the sentences of a text, and parts a sentence that is too long for a model.
//!
//! Both functions return byte ranges and never a copy. Ranges are in order, do not overlap, hold no
//! white space at their ends, and between two of them lies nothing but white space, so ranges and
//! gaps join to the text again, whatever it holds. Time is linear in the length of the text. What is
//! a headline, a list or a paragraph is the business of [`Document`](crate::Document).

mod abbreviations;
mod boundary;
mod clauses;
mod clock;
mod headline;
mod informal;
mod lettered;
mod lines;
mod marks;
mod quotation;
mod run;
mod split;
mod starters;
mod stop;
mod verbs;

use std::ops::Range;

pub(crate) use lines::item_marker;
pub(crate) use marks::char_boundary;
pub use split::split_long;

use crate::language::Language;

/// Returns the byte ranges of the sentences of `text`, without the white space around them.
///
/// `language` is the language of the text as a whole; words of another script are judged by the
/// rules of that script, so an English name in a Russian article is no trouble. A blank line always
/// ends a sentence; a single line break does where a list item or a new line of its own begins, and
/// not where a paragraph was broken at a fixed width. A text without letters or full stops is one
/// sentence; white space alone is none.
///
/// ```
/// use newsml::{Language, sentences};
/// let text = "Mr. Smith paid $3.5 m. He left.";
/// let found: Vec<&str> = sentences(text, Language::English).into_iter().map(|range| &text[range]).collect();
/// assert_eq!(found, ["Mr. Smith paid $3.5 m.", "He left."]);
/// ```
pub fn sentences(text: &str, language: Language) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(boundary) = boundary::next(text, start, from, language) {
        from = boundary.resume;
        if let Some(end) = boundary.end {
            push_trimmed(text, start..end, &mut found);
            start = end + (text[end..].len() - text[end..].trim_start().len());
            from = from.max(start);
        }
    }
    push_trimmed(text, start..text.len(), &mut found);
    found
}

/// Adds `range` without the white space at its ends; adds nothing where that leaves nothing.
pub(crate) fn push_trimmed(text: &str, range: Range<usize>, into: &mut Vec<Range<usize>>) {
    let range = trimmed(text, range);
    if !range.is_empty() {
        into.push(range);
    }
}

/// `range` without the white space at its ends.
pub(crate) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(part) = text.get(range.clone()) else {
        return range.start..range.start;
    };
    let front = part.len() - part.trim_start().len();
    let start = range.start + front;
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests;
