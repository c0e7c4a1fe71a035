//! Reads what stands around a mark: the run of marks itself, the word before it and the word after it.
//!
//! Every reader looks at a bounded stretch, so that scanning stays linear.

use super::marks::{emoticon, is_closer, is_combining, is_dash, is_invisible, is_mark, is_opener};
use super::starters::is_starter;

/// Where scanning goes on, and where a sentence ended, if one did.
pub(super) struct Boundary {
    /// Byte offset from which to look for the next mark.
    pub(super) resume: usize,
    /// Byte offset after the last character of the sentence.
    pub(super) end: Option<usize>,
}

/// How far around a mark the rules look, in characters.
pub(super) const REACH: usize = 48;

/// A run of marks with what closes it: `.`, `?!`, `...»`, `.")`.
pub(super) struct Run {
    /// Offset of the first mark.
    pub(super) start: usize,
    /// Offset after the last mark or closing character.
    pub(super) end: usize,
    /// Only one mark, a full stop.
    pub(super) single_stop: bool,
    /// `…` or several full stops, and nothing stronger.
    pub(super) ellipsis: bool,
    /// A quotation mark was closed.
    pub(super) quote: bool,
    /// A bracket was closed.
    pub(super) bracket: bool,
}

impl Run {
    /// `[...]`: words were left out.
    pub(super) fn omission(&self, text: &str) -> bool {
        self.ellipsis && self.bracket && text[..self.start].ends_with(['[', '('])
    }

    pub(super) fn read(text: &str, mark: usize) -> Self {
        let mut run = Self {
            start: mark,
            end: mark,
            single_stop: false,
            ellipsis: false,
            quote: false,
            bracket: false,
        };
        let (mut stops, mut strong, mut dots) = (0_usize, 0_usize, 0_usize);
        let rest = &text[mark..];
        let mut chars = rest.char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            let after = || rest[offset + c.len_utf8()..].chars().next();
            match c {
                '.' => stops += 1,
                '…' => dots += 1,
                _ if is_mark(c) => strong += 1,
                // A quotation mark that a letter follows opens something new.
                _ if is_closer(c) && after().is_none_or(|next| !next.is_alphanumeric()) => {
                    run.bracket |= matches!(c, ')' | ']' | '}');
                    run.quote |= !run.bracket;
                }
                _ if is_invisible(c) => {}
                // `. . .` is one ellipsis.
                // `... ...The garden`: the second one belongs to what follows.
                ' ' | '\u{A0}'
                    if stops > 0
                        && strong == 0
                        && chars.peek().is_some_and(|&(_, next)| next == '.')
                        && !rest[offset + c.len_utf8()..].starts_with("..") =>
                {
                    continue;
                }
                _ => break,
            }
            run.end = mark + offset + c.len_utf8();
        }
        run.end += stray_closer(&text[run.end..]);
        run.end += emoticon(&text[run.end..]);
        run.single_stop = stops == 1 && strong == 0 && dots == 0;
        run.ellipsis = strong == 0 && (dots > 0 || stops > 1);
        run
    }
}

/// The length of white space and closing marks that no word belongs to: ` »` or ` ``.` after a mark.
fn stray_closer(rest: &str) -> usize {
    let Some(body) = rest.strip_prefix(' ') else {
        return 0;
    };
    let (closer, stop) = ["»", "”", ")", "``", "''"]
        .iter()
        .find_map(|closer| body.strip_prefix(closer).map(|rest| (closer.len(), rest)))
        .map_or((0, body), |(length, rest)| {
            (length, rest.strip_prefix('.').unwrap_or(rest))
        });
    if closer > 0 && stop.chars().next().is_none_or(char::is_whitespace) {
        rest.len() - stop.len()
    } else {
        0
    }
}

/// What stands after a run.
pub(super) struct Next<'a> {
    /// The first word, from its first character on.
    pub(super) word: &'a str,
    /// White space stands between.
    pub(super) spaced: bool,
    /// A dash stands between.
    pub(super) dash: bool,
    /// A quotation mark or bracket opens between.
    pub(super) opener: bool,
    /// A round bracket opens between.
    pub(super) bracket: bool,
    /// A full stop follows the word directly, as after an initial.
    pub(super) stopped: bool,
}

impl<'a> Next<'a> {
    pub(super) fn read(text: &'a str, at: usize) -> Self {
        let mut next = Self {
            word: "",
            spaced: false,
            dash: false,
            opener: false,
            bracket: false,
            stopped: false,
        };
        for (offset, c) in text[at..].char_indices().take(REACH) {
            if c.is_whitespace() {
                next.spaced = true;
            } else if is_dash(c) {
                next.dash = true;
            } else if is_opener(c) {
                next.opener = true;
                next.bracket |= c == '(';
            } else if !(is_invisible(c) || (next.spaced && matches!(c, '.' | '…'))) {
                let from = at + offset;
                let end = text[from..]
                    .char_indices()
                    .take(REACH)
                    .find(|&(_, c)| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-')))
                    .map_or(text.len().min(from + REACH), |(length, _)| from + length);
                next.word = text
                    .get(from..end.max(from + c.len_utf8()))
                    .unwrap_or_default();
                next.stopped = text[from + next.word.len()..].starts_with('.');
                return next;
            }
        }
        next
    }

    pub(super) fn first(&self) -> Option<char> {
        self.word.chars().next()
    }

    /// The word begins sentences and is no initial; `caps` says that the text is in capitals.
    pub(super) fn is_starter(&self, caps: bool) -> bool {
        let letter = self.word.chars().nth(1).is_none();
        is_starter(self.word, caps) && !(letter && self.stopped)
    }

    /// The word is a name like `iPhone` or `eBay`, which has its small letter anywhere.
    pub(super) fn is_brand(&self) -> bool {
        matches!(self.word.as_bytes(), [first, second, ..]
            if first.is_ascii_lowercase() && second.is_ascii_uppercase())
    }
}

/// What stands before a run.
pub(super) struct Before<'a> {
    /// The word directly before, with full stops inside: `U.S`, `т.е`, `Smith`.
    pub(super) word: &'a str,
    /// Offset of the word.
    pub(super) at: usize,
    /// Something that is no white space and no opening mark stands directly before the word, as in
    /// an address.
    pub(super) joined: bool,
}

impl<'a> Before<'a> {
    pub(super) fn read(text: &'a str, end: usize) -> Self {
        let mut at = end;
        let mut joined = false;
        for (taken, (offset, c)) in text[..end].char_indices().rev().enumerate() {
            if is_invisible(c) {
                continue;
            }
            if !(c.is_alphanumeric()
                || matches!(c, '.' | '-' | '\'' | '’' | 'ـ' | '&' | '°' | '№')
                || is_combining(c))
                || taken >= REACH
            {
                joined = matches!(c, '/' | '@' | '_' | ':' | '#' | '=' | '%' | '\\') && at < end;
                break;
            }
            at = offset;
        }
        Self {
            word: text[at..end].trim_end_matches(is_invisible),
            at,
            joined,
        }
    }
}
