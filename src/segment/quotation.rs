//! Quotations within a sentence: what is said, and who says it, are one sentence.
//!
//! A mark that ends a quotation ends the sentence too, unless the words after it attribute the
//! quotation to somebody or go on with the sentence that the quotation stands in.

use super::marks::{self, Script, char_boundary, is_closer, is_mark, is_opener};
use super::run::{Next, Run};
use super::starters::is_starter;
use super::verbs::is_speech;

/// A title, or a cry, has at most so many words, and so many bytes.
const TITLE: (usize, usize) = (4, 64);

/// How far the opening mark of a quotation is sought, in bytes.
const REACH: usize = 1200;

/// Whether the marks stand within a quotation of a few words, which is one thing whatever is in it:
/// `«Что? Где? Когда?»`.
pub(super) fn is_title(text: &str, start: usize, run: &Run) -> bool {
    let (words, bytes) = TITLE;
    if run.quote || run.single_stop || run.ellipsis {
        return false;
    }
    let from = char_boundary(text, run.start.saturating_sub(bytes).max(start));
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

/// How far the end of a quotation is sought, in characters.
const LONGEST: usize = 800;

/// Whether a quotation of several sentences follows the colon at `mark`. What announces it
/// belongs to all of them; in Russian it is a sentence of its own.
pub(super) fn of_several_follows(text: &str, mark: usize) -> bool {
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
    for (index, c) in rest.chars().take(LONGEST).enumerate() {
        if index == 0 || (c == opening && opening != closing) {
            depth += 1;
        } else if c == closing {
            depth -= 1;
        }
        if depth == 0 || c == '\n' {
            return false;
        }
        if ended && c.is_uppercase() {
            return true;
        }
        ended = (is_mark(c) && (c != '.' || word > 2))
            || (ended && (c.is_whitespace() || is_opener(c) || is_mark(c)));
        word = if c.is_alphanumeric() { word + 1 } else { 0 };
    }
    false
}

/// Where a quotation that a run closes stands in the sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It began in a sentence before this one, or with this sentence.
    Whole,
    /// A colon or a comma announces it.
    Announced,
    /// It is part of the sentence: a title, a word that somebody used.
    Within,
}

/// Whether the sentence goes on after the run of marks that closes a quotation, with a capital or a
/// letter without case after it.
pub(super) fn goes_on(text: &str, start: usize, run: &Run, next: &Next<'_>) -> bool {
    let Some(first) = next.first().filter(|_| run.quote) else {
        return false;
    };
    let rest = text[run.end..].trim_start_matches(|c: char| !c.is_alphanumeric());
    let place = || place(text, start, run);
    match marks::script(first) {
        // Arabic has no capitals; a new sentence after a quotation mostly begins with `و`.
        Script::Arabic => match place() {
            Place::Whole => attributes_in_arabic(rest, run.single_stop) || next.dash,
            Place::Announced => false,
            Place::Within => !run.single_stop && goes_on_in_arabic(rest),
        },
        // `«Кто там?» — Иванов спросил это тихо`; and a quotation that no colon announces would have
        // the full stop of the sentence after it.
        Script::Cyrillic => {
            !next.opener
                && !run.single_stop
                && (place() == Place::Within
                    && !run.ellipsis
                    && !next.is_starter(false)
                    && text[..run.end].ends_with('»')
                    || next.dash && place() == Place::Whole && is_attributed(rest))
        }
        // `"Are you ready?" Smith asked`; after a full stop nobody is named so.
        Script::Latin => {
            !next.opener && !run.single_stop && is_attributed(rest) && place() == Place::Whole
        }
        Script::Other => false,
    }
}

/// Where the quotation that ends in `run` stands.
fn place(text: &str, start: usize, run: &Run) -> Place {
    let Some(closing) = text[run.start..run.end]
        .chars()
        .find(|c| is_closer(*c) && !matches!(c, ')' | ']' | '}'))
    else {
        return Place::Whole;
    };
    let openings: &[char] = match closing {
        '»' => &['«'],
        '“' => &['„', '“'],
        '”' => &['“', '„', '”'],
        '’' => &['‘'],
        _ => &['"', '\''],
    };
    let from = char_boundary(text, run.start.saturating_sub(REACH).max(start));
    let Some(at) = text[from..run.start].rfind(openings) else {
        return Place::Whole;
    };
    let head = text[start..from + at].trim_end_matches(|c: char| c.is_whitespace() || is_opener(c));
    if !head.contains(char::is_alphanumeric) {
        Place::Whole
    } else if head.ends_with([':', ',', '،', '.', '—', '–']) {
        Place::Announced
    } else {
        Place::Within
    }
}

/// Whether `rest` begins with a speaker: a few names or titles with a capital, perhaps who that is
/// between commas, and a verb of speech.
fn is_attributed(rest: &str) -> bool {
    let mut aside = false;
    for (index, word) in rest.split([' ', '\u{A0}']).take(12).enumerate() {
        if index == 0 && is_starter(word, false) {
            return false;
        }
        if index > 0 && !aside && is_speech(word) {
            return true;
        }
        let name =
            word.starts_with(char::is_uppercase) || matches!(word, "of" | "the" | "de" | "al");
        let closed =
            word.ends_with(['!', '?', '…', ';']) || (word.ends_with('.') && word.len() > 5);
        if closed || !(name || aside) || (index > 5 && !aside) {
            return false;
        }
        aside ^= word.ends_with(',');
    }
    false
}

/// Whether `rest` begins with a verb of speech that goes with the quotation before it. After a full
/// stop it does only where nothing more is said: `"لن نعود." قال الوزير.`
fn attributes_in_arabic(rest: &str, stop: bool) -> bool {
    let mut words = rest.split([' ', '\u{A0}']);
    if !words.next().is_some_and(is_speech) {
        return false;
    }
    let opens = |word: &str| {
        word.ends_with(':')
            || matches!(word, "إن" | "إنه" | "إنها" | "إنهم" | "أن" | "أنه" | "أنها")
    };
    !stop
        || !words
            .take(8)
            .take_while(|word| !word.ends_with(['.', '!', '؟', '،']))
            .any(opens)
}

/// Whether `rest` begins with a word that goes on with a clause.
fn goes_on_in_arabic(rest: &str) -> bool {
    let word = rest.split([' ', '\u{A0}']).next().unwrap_or_default();
    let joined = ["لل", "بال", "كال"]
        .iter()
        .any(|prefix| word.starts_with(prefix));
    joined
        || matches!(
            word,
            "في" | "من"
                | "على"
                | "إلى"
                | "الى"
                | "عن"
                | "مع"
                | "أمام"
                | "بعد"
                | "قبل"
                | "خلال"
                | "لدى"
                | "عند"
                | "ضد"
                | "حول"
                | "بين"
                | "أو"
                | "الذي"
                | "التي"
                | "الذين"
                | "بسبب"
                | "عبر"
                | "منذ"
                | "حتى"
        )
}
