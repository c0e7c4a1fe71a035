//! A text as the items that numbers are read from: runs of digits, words, Roman numerals, marks.

use crate::check::number_words;

/// A piece of text that matters here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A number in ASCII digits.
    Digits {
        /// With its separators.
        plain: String,
        written: String,
        /// Whether it stands against a letter before it.
        glued: bool,
        /// The raised digits behind it: a power, or the mark of a note.
        raised: Option<i32>,
        /// Whether it is part of a name or a code, as in `A320`, `F-16` and `4x4`.
        is_name: bool,
    },
    /// A word in lowercase; whether it stands against the digits before it.
    Word { text: String, glued: bool },
    /// A Roman numeral.
    Roman(f64),
    /// Any other character but white space.
    Mark(char),
}

/// The value of a decimal digit of the scripts that we read.
pub(in crate::check) fn digit(c: char) -> Option<char> {
    let value = match c {
        '0'..='9' => return Some(c),
        '\u{660}'..='\u{669}' => u32::from(c) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(c) - 0x6f0,
        // `CO₂` is written `CO2` as well.
        '\u{2080}'..='\u{2089}' => u32::from(c) - 0x2080,
        _ => return None,
    };
    char::from_digit(value, 10)
}

pub(super) fn items(text: &str) -> Vec<Item> {
    let chars: Vec<char> = text.chars().collect();
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if digit(c).is_some() {
            let (item, end) = digits(&chars, at);
            items.push(item);
            at = end;
        } else if is_word_char(c) {
            let end = at + chars[at..].iter().take_while(|&&c| is_word_char(c)).count();
            let word: String = chars[at..end].iter().collect();
            let glued = at > 0 && digit(chars[at - 1]).is_some();
            match number_words::roman(&word) {
                Some(value) if !glued => items.push(Item::Roman(value)),
                _ => {
                    let text = word
                        .chars()
                        .filter(|c| !is_mark(*c))
                        .flat_map(char::to_lowercase)
                        .collect();
                    items.push(Item::Word { text, glued });
                }
            }
            at = end;
        } else {
            if !c.is_whitespace() && !is_mark(c) {
                items.push(Item::Mark(c));
            }
            at += 1;
        }
    }
    items
}

/// Vowel signs, lengthening, and characters without width.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{301}')
}

pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{301}')
}

/// A run of digits with what separates thousands, decimals, hours and parts of a date.
pub(super) fn digits(chars: &[char], start: usize) -> (Item, usize) {
    let run = |at: usize| {
        chars[at..]
            .iter()
            .map_while(|&c| digit(c))
            .collect::<String>()
    };
    let mut plain = run(start);
    let mut at = start + plain.len();
    let first = plain.len();
    while let Some(&c) = chars.get(at) {
        let separator = match c {
            '.' | ',' | ':' | '/' => c,
            '\u{66b}' => '.',
            '\u{66c}' => ',',
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
            // An Arabic comma where one for thousands is meant.
            '،' if run(at + 1).len() == 3 => ',',
            _ => break,
        };
        let next = run(at + 1);
        let spaced = separator != ' '
            || (next.len() == 3
                && first <= 3
                && plain.chars().all(|c| c.is_ascii_digit() || c == ' '));
        if next.is_empty() || !spaced {
            break;
        }
        plain.push(separator);
        plain.push_str(&next);
        at += 1 + next.len();
    }
    let written = chars[start..at].iter().collect();
    let glued = start > 0 && is_word_char(chars[start - 1]);
    let is_name = is_name(&chars[..start], &chars[at..]);
    let (raised, length) = raised(&chars[at..]);
    let item = Item::Digits {
        plain,
        written,
        glued,
        raised,
        is_name,
    };
    (item, at + length)
}

/// The raised number that characters begin with (`⁶`, `⁻³`, `^6`), and how many they are.
fn raised(chars: &[char]) -> (Option<i32>, usize) {
    let is_caret = chars.first() == Some(&'^');
    let mut number = String::new();
    let mut length = usize::from(is_caret);
    for &c in &chars[length..] {
        let value = match c {
            '-' | '−' | '⁻' if number.is_empty() => '-',
            _ if is_caret => match digit(c) {
                Some(value) => value,
                None => break,
            },
            '¹' => '1',
            '²' => '2',
            '³' => '3',
            '⁰' | '⁴'..='⁹' => char::from_digit(u32::from(c) - 0x2070, 10).unwrap_or('0'),
            _ => break,
        };
        if value == '-' && !is_caret && c != '⁻' {
            break;
        }
        number.push(value);
        length += 1;
    }
    match number.parse() {
        Ok(number) => (Some(number), length),
        Err(_) => (None, 0),
    }
}

/// Letters that are more than a unit or an ending behind a number has.
const LONGEST_UNIT: usize = 6;

/// Whether digits between these characters are part of a name or a code.
fn is_name(before: &[char], after: &[char]) -> bool {
    let is_times = |c: Option<&char>| matches!(c, Some('x' | 'х' | '×'));
    if is_times(after.first()) && after.get(1).is_some_and(|c| digit(*c).is_some()) {
        return true;
    }
    // A slip of the hand: `0ведены`.
    let is_small = |c: &&char| c.is_lowercase();
    if before.last() == Some(&' ') && after.iter().take_while(is_small).count() >= LONGEST_UNIT {
        return true;
    }
    match before {
        [.., c] if c.is_alphabetic() => c.is_ascii_alphabetic() || c.is_uppercase(),
        [rest @ .., '-' | '‑' | '–'] => {
            let word = rest.iter().rev().take_while(|c| c.is_alphabetic());
            word.last().is_some_and(|first| first.is_uppercase())
        }
        _ => false,
    }
}
