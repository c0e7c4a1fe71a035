//! Decides where a sentence ends: the rules around full stops, question marks, ellipses, quotation
//! marks and line breaks.
//!
//! Every decision looks at a bounded stretch around one mark, so that scanning stays linear.

use super::abbreviations::{self, Abbreviation};
use crate::language::Language;

/// Where scanning goes on, and where a sentence ended, if one did.
pub(super) struct Boundary {
    /// Byte offset from which to look for the next mark.
    pub(super) resume: usize,
    /// Byte offset after the last character of the sentence.
    pub(super) end: Option<usize>,
}

/// How far around a mark the rules look, in characters.
const REACH: usize = 48;

/// Finds the next mark at or after `from` and says whether the sentence that began at `start` ends
/// there; `None` when no mark is left.
pub(super) fn next(text: &str, start: usize, from: usize, language: Language) -> Option<Boundary> {
    let mark = from + find_mark(&text.as_bytes()[from..])?;
    if matches!(text.as_bytes()[mark], b'\n' | b'\r') {
        return Some(line_break(text, start, mark));
    }
    let run = Run::read(text, mark);
    let end = ends_sentence(text, start, &run, language).then_some(run.end);
    Some(Boundary {
        resume: run.end,
        end,
    })
}

/// The offset of the first byte of a mark. `…` is `E2 80 A6`, `‼ ‽ ⁇ ⁈ ⁉` are `E2 80 BC`/`BD` and
/// `E2 81 87..=89`, `؟` is `D8 9F`, `۔` is `DB 94`.
fn find_mark(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'.' | b'!' | b'?' | b'\n' | b'\r' => return Some(at),
            0xD8 if bytes.get(at + 1) == Some(&0x9F) => return Some(at),
            0xDB if bytes.get(at + 1) == Some(&0x94) => return Some(at),
            0xE2 => match (bytes.get(at + 1), bytes.get(at + 2)) {
                (Some(0x80), Some(0xA6 | 0xBC | 0xBD)) | (Some(0x81), Some(0x87..=0x89)) => {
                    return Some(at);
                }
                _ => {}
            },
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether `c` ends sentences.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | '…' | '؟' | '۔' | '‼' | '‽' | '⁇' | '⁈' | '⁉'
    )
}

/// Whether `c` may close what a sentence stands in.
fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '»' | '”' | '’' | '“' | ')' | ']' | '}' | '›'
    )
}

/// Whether `c` may stand before the first word of a sentence.
fn is_opener(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '«'
            | '“'
            | '‘'
            | '„'
            | '”'
            | '('
            | '['
            | '{'
            | '¿'
            | '¡'
            | '‹'
            | '`'
            | '*'
            | '_'
    )
}

/// Characters that direct the text and are not seen.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '―' | '−')
}

/// A run of marks with what closes it: `.`, `?!`, `...»`, `.")`.
struct Run {
    /// Offset of the first mark.
    start: usize,
    /// Offset after the last mark or closing character.
    end: usize,
    /// Only one mark, a full stop.
    single_stop: bool,
    /// `…` or several full stops, and nothing stronger.
    ellipsis: bool,
    /// A quotation mark was closed.
    quote: bool,
    /// A bracket was closed.
    bracket: bool,
}

impl Run {
    fn read(text: &str, mark: usize) -> Self {
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
                ' ' | '\u{A0}'
                    if stops > 0
                        && strong == 0
                        && chars.peek().is_some_and(|&(_, next)| next == '.') =>
                {
                    continue;
                }
                _ => break,
            }
            run.end = mark + offset + c.len_utf8();
        }
        run.single_stop = stops == 1 && strong == 0 && dots == 0;
        run.ellipsis = strong == 0 && (dots > 0 || stops > 1);
        run
    }
}

/// What stands after a run.
struct Next<'a> {
    /// The first word, from its first character on.
    word: &'a str,
    /// White space stands between.
    spaced: bool,
    /// A dash stands between.
    dash: bool,
    /// A quotation mark or bracket opens between.
    opener: bool,
}

impl<'a> Next<'a> {
    fn read(text: &'a str, at: usize) -> Self {
        let mut next = Self {
            word: "",
            spaced: false,
            dash: false,
            opener: false,
        };
        for (offset, c) in text[at..].char_indices().take(REACH) {
            if c.is_whitespace() {
                next.spaced = true;
            } else if is_dash(c) {
                next.dash = true;
            } else if is_opener(c) {
                next.opener = true;
            } else if !is_invisible(c) {
                let from = at + offset;
                let end = text[from..]
                    .char_indices()
                    .take(REACH)
                    .find(|&(_, c)| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-')))
                    .map_or(text.len().min(from + REACH), |(length, _)| from + length);
                next.word = text
                    .get(from..end.max(from + c.len_utf8()))
                    .unwrap_or_default();
                return next;
            }
        }
        next
    }

    fn first(&self) -> Option<char> {
        self.word.chars().next()
    }
}

/// Whether the run of marks ends the sentence that began at `start`.
fn ends_sentence(text: &str, start: usize, run: &Run, language: Language) -> bool {
    let next = Next::read(text, run.end);
    let Some(first) = next.first() else {
        return next.spaced;
    };
    if !next.spaced {
        return run_on(text, run, &next);
    }
    // `said. — Next` and `!» — he said`: what follows a dash goes on unless it begins anew.
    if first.is_lowercase() {
        return false;
    }
    let before = Before::read(text, run.start);
    if before.word.is_empty() && !run.quote && text[start..run.start].trim().is_empty() {
        return false;
    }
    if run.single_stop {
        return stop_ends(text, start, run, &before, &next, language);
    }
    if run.ellipsis && (first.is_numeric() || next.word.is_empty()) {
        return !first.is_numeric();
    }
    true
}

/// A run that no white space follows: `конец.Начало`, `نهاية.بداية`, `why?Because`.
fn run_on(text: &str, run: &Run, next: &Next<'_>) -> bool {
    let Some(first) = next.first() else {
        return false;
    };
    if next.dash || run.end - run.start > 6 {
        return false;
    }
    let before = Before::read(text, run.start);
    if before.joined
        || before.word.chars().count() < 3
        || !before.word.chars().all(char::is_alphabetic)
    {
        return false;
    }
    let letters = next.word.chars().take_while(|c| c.is_alphabetic()).count();
    let mut following = next.word.chars().skip(1);
    let last = before.word.chars().next_back().unwrap_or(' ');
    let same_script = abbreviations::script(last) == abbreviations::script(first);
    match abbreviations::script(first) {
        abbreviations::Script::Arabic => same_script && letters >= 2 && !run.ellipsis,
        abbreviations::Script::Cyrillic => {
            same_script
                && last.is_lowercase()
                && first.is_uppercase()
                && following.all(char::is_lowercase)
        }
        // `example.Com` and `Node.Js` are names, `why?Because` is not.
        abbreviations::Script::Latin => {
            same_script
                && !run.single_stop
                && !run.ellipsis
                && last.is_lowercase()
                && first.is_uppercase()
                && following.next().is_some_and(char::is_lowercase)
        }
        abbreviations::Script::Other => false,
    }
}

/// What stands before a run.
struct Before<'a> {
    /// The word directly before, with full stops inside: `U.S`, `т.е`, `Smith`.
    word: &'a str,
    /// Offset of the word.
    at: usize,
    /// Something that is no white space and no opening mark stands directly before the word, as in
    /// an address.
    joined: bool,
}

impl<'a> Before<'a> {
    fn read(text: &'a str, end: usize) -> Self {
        let mut at = end;
        let mut joined = false;
        for (taken, (offset, c)) in text[..end].char_indices().rev().enumerate() {
            if is_invisible(c) && at < end {
                continue;
            }
            if !(c.is_alphanumeric()
                || matches!(c, '.' | '-' | '\'' | '’' | 'ـ' | '&')
                || unicode_mark(c))
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

/// Combining marks: vowel signs of Arabic and accents.
fn unicode_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6ED}')
}

/// Whether one full stop ends the sentence, with a capital, a digit or a letter without case after it.
fn stop_ends(
    text: &str,
    start: usize,
    run: &Run,
    before: &Before<'_>,
    next: &Next<'_>,
    _language: Language,
) -> bool {
    let Some(first) = next.first() else {
        return true;
    };
    if run.quote || run.bracket {
        return true;
    }
    let preceding = abbreviations::Preceding::read(&text[start..before.at]);
    // `1. The first item`: a number alone at the start of a line counts, it does not end.
    let alone = preceding.words == 0
        && before.at - start < REACH
        && text[start..before.at].chars().all(|c| !c.is_alphanumeric());
    if alone && is_enumerator(before.word) {
        return false;
    }
    match abbreviations::classify(before.word, &preceding) {
        Abbreviation::None => true,
        Abbreviation::Never => next.opener && !next.dash && abbreviations::is_starter(next.word),
        Abbreviation::BeforeNumber => !first.is_numeric(),
        Abbreviation::BeforeStarter => abbreviations::is_starter(next.word),
        Abbreviation::BeforeCapital => !first.is_numeric() && preceding.words >= 4,
    }
}

/// Whether `word` numbers a list item: `1`, `12`, `a`, `IV`.
fn is_enumerator(word: &str) -> bool {
    let length = word.chars().count();
    (length <= 3 && word.chars().all(char::is_numeric))
        || (length == 1 && word.chars().all(char::is_alphabetic))
        || (length <= 4 && word.chars().all(|c| matches!(c, 'I' | 'V' | 'X')))
}

/// A line break: a blank line ends a sentence, and so does a line that is an item or stands alone.
fn line_break(text: &str, start: usize, at: usize) -> Boundary {
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
