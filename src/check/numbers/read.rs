//! A text as the items that numbers are read from: runs of digits, words, Roman numerals, marks.

use crate::check::number_words;

/// A piece of text that matters here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A number in ASCII digits with its separators, how it is written, and whether it stands
    /// against a letter before it.
    Digits {
        plain: String,
        written: String,
        glued: bool,
    },
    /// A word in lowercase; whether it stands against the digits before it.
    Word { text: String, glued: bool },
    /// A Roman numeral.
    Roman(f64),
    /// Any other character but white space.
    Mark(char),
}

/// The value of a decimal digit of the scripts that we read.
pub(super) fn digit(c: char) -> Option<char> {
    let value = match c {
        '0'..='9' => return Some(c),
        '\u{660}'..='\u{669}' => u32::from(c) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(c) - 0x6f0,
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
    let item = Item::Digits {
        plain,
        written,
        glued,
    };
    (item, at)
}
