//! Quotations of several sentences: what announces one, and what names its speaker, belongs to all
//! of it and is a sentence of its own.

use super::abbreviations::{self, Script};
use super::boundary::{Run, is_dash, is_mark, is_opener};
use super::headline;

/// Whether a quotation of several sentences follows the colon at `mark`, or one that is set off with
/// a full stop of its own.
pub(super) fn follows(text: &str, mark: usize) -> bool {
    let rest = text[mark + 1..].trim_start_matches(' ');
    let (opening, closing) = match rest.chars().next() {
        Some('«') => ('«', '»'),
        Some('“') => ('“', '”'),
        Some('"') => ('"', '"'),
        _ => return false,
    };
    let mut depth = 0_usize;
    let mut ended = false;
    let mut word = 0;
    let mut before = ' ';
    for (index, c) in rest.chars().take(LONGEST).enumerate() {
        if index == 0 || (c == opening && opening != closing) {
            depth += 1;
        } else if c == closing {
            depth -= 1;
        } else if c == '\n' {
            return false;
        }
        if depth == 0 {
            // Russian puts the full stop after `»`, but where the quotation stands alone.
            return before == '.' && ended && opening == '«';
        }
        if ended && c.is_uppercase() {
            return true;
        }
        ended = (is_mark(c) && (c != '.' || word > 2))
            || (ended && (c.is_whitespace() || is_opener(c) || is_mark(c)));
        word = if c.is_alphanumeric() { word + 1 } else { 0 };
        before = if c == ' ' { before } else { c };
    }
    false
}

/// How far the end of a quotation is sought, in characters.
const LONGEST: usize = 800;

/// A title, or a cry, has at most so many words, and so many bytes.
const TITLE: (usize, usize) = (4, 64);

/// Whether the marks stand within a quotation of a few words, which is one thing whatever is in it:
/// `«Что? Где? Когда?»`.
pub(super) fn is_title(text: &str, start: usize, run: &Run) -> bool {
    let (words, bytes) = TITLE;
    if run.quote || run.single_stop || run.ellipsis {
        return false;
    }
    let mut from = run.start.saturating_sub(bytes).max(start);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..run.start];
    let quotes = |c: char| matches!(c, '«' | '»' | '“' | '”' | '„' | '"');
    let Some((at, opening)) = before.char_indices().rev().find(|(_, c)| quotes(*c)) else {
        return false;
    };
    let closing: &[char] = match opening {
        '«' => &['»'],
        '“' => &['”'],
        '„' => &['“', '”'],
        '"' => &['"'],
        _ => return false,
    };
    // A mark that closes a quotation has a word or a mark before it.
    let head = &text[start..from + at];
    let begins = head.is_empty() || head.ends_with(|c: char| c.is_whitespace() || is_opener(c));
    if opening == '"' && !begins {
        return false;
    }
    let rest = &text[run.end..];
    let end = rest
        .char_indices()
        .take_while(|(index, c)| *index < bytes && *c != '\n')
        .find(|(_, c)| quotes(*c));
    let Some((end, _)) = end.filter(|(_, c)| closing.contains(c)) else {
        return false;
    };
    let inside = run.end - (from + at) + end;
    let count = before[at..].split_whitespace().count() + rest[..end].split_whitespace().count();
    inside <= bytes && count <= words
}

/// How far its beginning is sought in the sentence that ends it, in bytes.
const REACH: usize = 1200;

/// A quotation of one sentence with so many words is translated better apart from its speaker.
const LONG: usize = 12;

/// Whether the sentence from `start` to `end` closes direct speech, and the speaker who follows is
/// told in a sentence of his own: where the speech began in a sentence before it
/// (`«One. Two», — сказал он`), or is long and all of the sentence.
pub(super) fn is_attributed(text: &str, start: usize, end: usize) -> bool {
    let rest = &text[end..];
    let after = rest.trim_start_matches([' ', '\u{A0}']);
    if after.len() == rest.len() || end - start > REACH {
        return false;
    }
    let speaker = after.trim_start_matches(is_dash);
    let dash = speaker.len() < after.len() && speaker.starts_with([' ', '\u{A0}']);
    let speaker = speaker.trim_start();
    let small = speaker
        .chars()
        .next()
        .is_some_and(|c| c.is_lowercase() && abbreviations::script(c) == Script::Cyrillic);
    let verb = || {
        let word = speaker.split(' ').next().unwrap_or_default();
        headline::verb(word).is_some()
    };
    let sentence = &text[start..end];
    if !small || !(dash || sentence.ends_with(',') && verb()) {
        return false;
    }
    let count = |c: char| sentence.matches(c).count();
    let Some(closing) = sentence.chars().rev().find(|c| !(is_mark(*c) || *c == ',')) else {
        return false;
    };
    let began_before = match closing {
        '»' => count('»') > count('«'),
        '”' => count('”') > count('“'),
        '“' => count('“') > count('„'),
        '"' => count('"') % 2 == 1,
        _ => return false,
    };
    let long = || {
        dash && sentence
            .trim_start_matches(is_dash)
            .trim_start()
            .starts_with(is_opener)
            && sentence.split_whitespace().count() >= LONG
    };
    began_before || long()
}
