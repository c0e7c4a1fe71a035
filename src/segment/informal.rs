//! Sentence ends that have no full stop, or no capital after it: letters, forums, lines of dashes.
//!
//! All of it is rare in edited text, so each rule asks for more than one sign.

use super::abbreviations;
use super::marks::{Script, char_boundary, script};
use super::run::{Before, Boundary, Next, Run};

/// A line of the same character three times or more stands alone: `***`, `_____`.
pub(super) fn rule(text: &str, start: usize, mark: usize) -> Boundary {
    let rest = &text[mark..];
    let same = rest.as_bytes()[0];
    let length = rest.bytes().take_while(|byte| *byte == same).count();
    let end = mark + length;
    let before = text[..mark].chars().next_back();
    let open = before.is_none_or(char::is_whitespace)
        && rest[length..]
            .chars()
            .next()
            .is_none_or(char::is_whitespace);
    // Three within a sentence stand for something that is not said.
    let ended = text[start..mark]
        .trim_end()
        .ends_with(['.', '!', '?', '…', '"', '»', '”']);
    let begins = text[start..mark].trim().is_empty();
    if !open || (length < 4 && (same == b'-' || !(ended || begins))) {
        return Boundary {
            resume: end,
            end: None,
        };
    }
    if begins {
        return Boundary {
            resume: end,
            end: Some(end),
        };
    }
    // The text before it ends first; the line is looked at again.
    Boundary {
        resume: mark,
        end: Some(mark),
    }
}

/// An address on the web ends the sentence where a capital or another address follows.
pub(super) fn address(text: &str, mark: usize) -> Boundary {
    let rest = &text[mark..];
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let end = mark + length;
    let next = rest[length..].trim_start();
    let full = !rest[..length].ends_with([',', ';', ':', '.', '!', '?', '"', '\'', ')', '»', '”']);
    let capital = next.chars().next().is_some_and(char::is_uppercase)
        && next.chars().nth(1).is_some_and(char::is_lowercase);
    let scheme = text[..mark].ends_with("http") || text[..mark].ends_with("https");
    let ends =
        scheme && full && (capital || next.starts_with("http://") || next.starts_with("https://"));
    // Full stops inside an address end nothing; one after it is looked at.
    let inside = rest[..length]
        .trim_end_matches(|c: char| !c.is_alphanumeric() && c != '/')
        .len();
    Boundary {
        resume: if ends { end } else { mark + inside.max(1) },
        end: ends.then_some(end),
    }
}

/// Words that a letter begins with, before a name.
const GREETINGS: &[&str] = &["Dear", "Hi", "Hello", "Hey"];

/// Words that a letter ends with, before a name.
const CLOSINGS: &[&str] = &[
    "Thanks",
    "Thank you",
    "Many thanks",
    "Thanks again",
    "Regards",
    "Best regards",
    "Kind regards",
    "Warm regards",
    "Best wishes",
    "Sincerely",
    "Sincerely yours",
    "Yours sincerely",
    "Yours truly",
    "Cheers",
    "Respectfully",
    "Yours",
    "Best",
    "С уважением",
];

/// Whether a comma, with a capital after it, ends the greeting or the closing words of a letter.
pub(super) fn salutation_ends(text: &str, start: usize, mark: usize) -> bool {
    let Some(line) = text.get(start..mark).filter(|line| line.len() <= 40) else {
        return false;
    };
    let line = line.trim();
    if CLOSINGS.contains(&line) {
        return true;
    }
    let mut words = line.split(' ');
    let greets = words.next().is_some_and(|word| GREETINGS.contains(&word));
    greets
        && line.contains(' ')
        && words.all(|word| word.chars().all(|c| c.is_alphabetic() || c == '.'))
}

/// Whether a date and time that end at `end` stand at the head of what follows.
pub(super) fn timestamp_ends(text: &str, end: usize) -> bool {
    let from = char_boundary(text, end.saturating_sub(24));
    let stamp = &text.as_bytes()[from..end];
    let date = stamp.iter().filter(|byte| **byte == b'/').count() == 2;
    let time = stamp.contains(&b':');
    date && time
        && text[end..]
            .trim_start()
            .chars()
            .next()
            .is_some_and(char::is_alphabetic)
}

/// Whether a sentence begins with a small letter after a run of marks, in a text whose writer does
/// not care for capitals. Only in the Latin script, where abbreviations are known well enough.
pub(super) fn small_letter_begins(
    text: &str,
    run: &Run,
    before: &Before<'_>,
    next: &Next<'_>,
) -> bool {
    let latin = |c: Option<char>| c.is_some_and(|c| script(c) == Script::Latin);
    let word = before.word;
    if run.quote
        || run.bracket
        || run.ellipsis
        || next.dash
        || next.opener
        || before.joined
        || !latin(next.first())
        || !latin(word.chars().next_back())
    {
        return false;
    }
    if !run.single_stop {
        // `Yahoo! in` is a name.
        return text[..run.end].ends_with('?') || word.chars().all(char::is_lowercase);
    }
    let preceding = abbreviations::Preceding::read(&text[..before.at]);
    word.chars().count() >= 3
        && word.chars().all(char::is_lowercase)
        && preceding.words >= 2
        && !abbreviations::is_clipped(word)
        && abbreviations::classify(word, &preceding) == abbreviations::Abbreviation::None
}
