//! Line breaks and list items: where a line stands for itself, and where it was only broken for its
//! width.

use super::marks::{is_closer, is_invisible, is_mark, is_opener};
use super::run::{Boundary, Next};

/// A line break: a blank line ends a sentence, and so does a line that is an item or stands alone.
pub(super) fn line_break(text: &str, start: usize, at: usize) -> Boundary {
    let rest = &text[at..];
    let gap = rest.len() - rest.trim_start().len();
    let gap_text = &rest[..gap];
    let resume = at + gap.max(1);
    let breaks = gap_text
        .matches('\n')
        .count()
        .max(gap_text.matches('\r').count());
    let next = &rest[gap..];
    let line_start = text[start..at]
        .rfind('\n')
        .map_or(start, |found| start + found + 1);
    let line = text[line_start..at].trim();
    let ends = breaks >= 2 || line.is_empty() || starts_item(next) || !goes_on(line, next);
    Boundary {
        resume,
        end: ends.then_some(at),
    }
}

/// Whether the line `next` begins as a list item does.
pub(crate) fn starts_item(next: &str) -> bool {
    item_marker(next).is_some()
}

/// The length in bytes of the list marker, with the white space after it, that `line` begins with.
pub(crate) fn item_marker(line: &str) -> Option<usize> {
    let mut chars = line.chars();
    let first = chars.next()?;
    let marker = match first {
        '•' | '·' | '▪' | '■' | '●' | '◦' | '‣' | '⁃' | '►' | '▶' | '➤' | '✓' | '✔' =>
        {
            let rest = chars.as_str();
            return Some(line.len() - rest.trim_start_matches([' ', '\t', '\u{A0}']).len());
        }
        '-' | '*' | '–' | '+' => 1,
        _ => {
            let digits = line.chars().take_while(|c| c.is_numeric()).count();
            let count = if digits > 0 && digits <= 2 {
                digits
            } else if first.is_alphabetic() && chars.clone().next().is_some_and(|c| c == ')') {
                1
            } else {
                return None;
            };
            let after = line.char_indices().nth(count).map(|(_, c)| c)?;
            if !matches!(after, '.' | ')') {
                return None;
            }
            count + 1
        }
    };
    let end = line.char_indices().nth(marker).map(|(offset, _)| offset)?;
    let rest = &line[end..];
    let body = rest.trim_start_matches([' ', '\t', '\u{A0}']);
    (body.len() < rest.len() && !body.trim().is_empty()).then(|| line.len() - body.len())
}

/// Whether `next` goes on with the sentence of `line`: a paragraph that was broken at a fixed width.
fn goes_on(line: &str, next: &str) -> bool {
    let Some(first) = next.chars().find(|c| !is_opener(*c) && !is_invisible(*c)) else {
        return false;
    };
    if first.is_lowercase() {
        return true;
    }
    let last = line
        .chars()
        .rev()
        .find(|c| !is_closer(*c) && !is_invisible(*c));
    if last.is_some_and(|c| is_mark(c) && c != '.') {
        return false;
    }
    // A line of this length was most likely broken for its width. A full stop at its end is judged
    // by the rules of full stops, which have already run.
    let length = line.chars().take(46).count();
    length > 45 && last.is_some_and(|c| c != ':')
}
/// Whether a list item begins with the bullet at `mark`, in the middle of a line.
pub(super) fn bullet_begins(text: &str, start: usize, mark: usize) -> bool {
    let before = &text[start..mark];
    before.ends_with(char::is_whitespace) && before.chars().rev().take(8).any(char::is_alphanumeric)
}

/// Where the sentence that began at `start` ends if the marks from `mark` to `end` stand after the
/// number of the next item in a list within a line: `1. One 2. Two`, `a) one b) two`.
pub(super) fn enumerates(text: &str, start: usize, mark: usize, end: usize) -> Option<usize> {
    let number = text[..mark].rfind(|c: char| !counts(c)).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    let begins = number > start
        && text[number..mark].chars().count() <= 2
        && text[..number].ends_with(char::is_whitespace);
    let next = Next::read(text, end);
    if !begins || !next.spaced || !next.first().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let list = text[start..number].trim_start_matches(|c: char| !c.is_alphanumeric());
    let first = list.split(|c: char| !counts(c)).next().unwrap_or_default();
    let rest = &list[first.len()..];
    let follows = follows(first, &text[number..mark]) && rest.starts_with(['.', ')']);
    let announced = &text[number..mark] == "1" && text[start..number].trim_end().ends_with(':');
    (follows || announced).then_some(number)
}

/// Whether `c` is a digit or a letter that items are counted with.
fn counts(c: char) -> bool {
    c.is_ascii_alphanumeric() || arabic_digit(c).is_some()
}

/// The value of an Arabic-Indic digit.
fn arabic_digit(c: char) -> Option<u32> {
    ('\u{660}'..='\u{669}')
        .contains(&c)
        .then(|| u32::from(c) - 0x660)
}

/// The number that `digits` write, of either kind; `None` where they are none or more than three.
fn value(digits: &str) -> Option<u32> {
    let mut value = None;
    for (index, c) in digits.chars().enumerate() {
        let digit = c.to_digit(10).or_else(|| arabic_digit(c))?;
        value = (index < 3).then(|| value.unwrap_or(0) * 10 + digit);
    }
    value
}

/// Whether `second` is the number or letter after `first`.
fn follows(first: &str, second: &str) -> bool {
    match (value(first), value(second)) {
        (Some(first), Some(second)) => first + 1 == second,
        _ => match (first.as_bytes(), second.as_bytes()) {
            ([first], [second]) => {
                first.is_ascii_alphabetic() && first.checked_add(1) == Some(*second)
            }
            _ => false,
        },
    }
}

/// Whether `word` numbers a list item or a section: `1`, `12`, `1.2.3`, `a`, `IV`.
pub(super) fn is_enumerator(word: &str) -> bool {
    let length = word.chars().count();
    let numbers = |word: &str| {
        word.split('.')
            .all(|part| !part.is_empty() && part.len() <= 6 && part.chars().all(char::is_numeric))
    };
    (length <= 3 && word.chars().all(char::is_numeric))
        || (length <= 8 && word.contains('.') && numbers(word))
        || (length == 1 && word.chars().all(char::is_alphabetic))
        || (length <= 4 && word.chars().all(|c| matches!(c, 'I' | 'V' | 'X')))
}
