//! Decides where a sentence ends: the rules around full stops, question marks, ellipses, quotation
//! marks and line breaks.
//!
//! Every decision looks at a bounded stretch around one mark, so that scanning stays linear.

use super::abbreviations::{self, Abbreviation};
use super::{headline, informal, quotation};
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
    let mark = from + find_mark(text.as_bytes(), from)?;
    let one = |end| {
        Some(Boundary {
            resume: mark + 1,
            end,
        })
    };
    match text.as_bytes()[mark] {
        b'\n' | b'\r' => Some(line_break(text, start, mark)),
        b')' => one(enumerates(text, start, mark, mark + 1)),
        b'*' | b'_' | b'=' | b'-' => Some(informal::rule(text, start, mark)),
        b':' if text[mark..].starts_with("://") => Some(informal::address(text, mark)),
        b':' => one(quotation::follows(text, mark).then_some(mark + 1)),
        b' ' => one(headline::ends(text, start, mark).then_some(mark)),
        b',' => {
            let ends = informal::salutation_ends(text, start, mark)
                || quotation::is_attributed(text, start, mark + 1);
            one(ends.then_some(mark + 1))
        }
        b'M' | b'm' => one(informal::timestamp_ends(text, mark + 1).then_some(mark + 1)),
        _ if is_bullet(&text[mark..]) => {
            let resume = mark + text[mark..].chars().next().map_or(1, char::len_utf8);
            Some(Boundary {
                resume,
                end: bullet_begins(text, start, mark).then_some(mark),
            })
        }
        _ if text[mark..].starts_with(is_mark) => {
            let run = Run::read(text, mark);
            if run.single_stop
                && let Some(end) = enumerates(text, start, mark, run.end)
            {
                return Some(Boundary {
                    resume: run.end,
                    end: Some(end),
                });
            }
            let end = ends_sentence(text, start, &run, language).then_some(run.end);
            Some(Boundary {
                resume: run.end,
                end,
            })
        }
        // Another character that begins with the bytes of a mark.
        _ => {
            let resume = mark + text[mark..].chars().next().map_or(1, char::len_utf8);
            Some(Boundary { resume, end: None })
        }
    }
}

/// The distance to the first byte of a mark. `…` is `E2 80 A6`, `‼ ‽ ⁇ ⁈ ⁉` are `E2 80 BC`/`BD` and
/// `E2 81 87..=89`, `؟` is `D8 9F`, `۔` is `DB 94`; bullets are `E2 80 A2`/`A3`, `E2 81 83`,
/// `E2 96 ..` and `E2 97 ..`. Marks of informal text are taken only where the bytes around them fit.
fn find_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(b' ');
    let mut index = from;
    while let Some(&byte) = bytes.get(index) {
        let found = match byte {
            b'.' | b'!' | b'?' | b'\n' | b'\r' => true,
            0xD8 => at(index + 1) == 0x9F,
            0xDB => at(index + 1) == 0x94,
            0xE2 => match (at(index + 1), at(index + 2)) {
                (0x80, 0xA6 | 0xBC | 0xBD | 0xA2 | 0xA3) | (0x81, 0x87..=0x89 | 0x83) => true,
                (second, _) => matches!(second, 0x96 | 0x97),
            },
            b')' => index > 0 && at(index - 1).is_ascii_alphanumeric() && at(index + 1) == b' ',
            b'*' | b'_' | b'=' | b'-' => at(index + 1) == byte && at(index + 2) == byte,
            b':' => matches!(
                (at(index + 1), at(index + 2)),
                (b'/', b'/') | (b' ', b'"' | 0xC2 | 0xE2)
            ),
            // A capital of the Latin or the Cyrillic script after a space.
            b' ' => {
                at(index + 1).is_ascii_uppercase()
                    || (at(index + 1) == 0xD0 && matches!(at(index + 2), 0x90..=0xAF))
            }
            // A name after a greeting, or a dash after a quotation: the last bytes of `"`, `»`, `”`.
            b',' => match (at(index + 1), at(index + 2)) {
                (b' ' | 0xC2, b'-' | 0xE2 | 0xA0 | 0xD0 | 0xD1)
                    if index > 0 && matches!(at(index - 1), b'"' | 0xBB | 0x9D | 0x9C) =>
                {
                    true
                }
                (b' ', second) => second.is_ascii_uppercase(),
                _ => false,
            },
            b'M' | b'm' => {
                index > 1
                    && matches!(at(index - 1), b'A' | b'P' | b'a' | b'p')
                    && at(index - 2) == b' '
                    && at(index + 1) == b' '
            }
            _ => false,
        };
        if found {
            return Some(index - from);
        }
        index += 1;
    }
    None
}

/// Whether `text` begins with a bullet.
fn is_bullet(text: &str) -> bool {
    text.starts_with(['•', '‣', '⁃', '▪', '■', '▫', '□', '▶', '►', '●', '○', '◦'])
}

/// Whether a list item begins with the bullet at `mark`, in the middle of a line.
fn bullet_begins(text: &str, start: usize, mark: usize) -> bool {
    let before = &text[start..mark];
    before.ends_with(char::is_whitespace) && before.chars().rev().take(8).any(char::is_alphanumeric)
}

/// Where the sentence that began at `start` ends if the marks from `mark` to `end` stand after the
/// number of the next item in a list within a line: `1. One 2. Two`, `a) one b) two`.
fn enumerates(text: &str, start: usize, mark: usize, end: usize) -> Option<usize> {
    let number = text[..mark]
        .rfind(|c: char| !c.is_ascii_alphanumeric())
        .map_or(0, |at| {
            at + text[at..].chars().next().map_or(1, char::len_utf8)
        });
    let begins =
        mark - number <= 2 && number > start && text[..number].ends_with(char::is_whitespace);
    let next = Next::read(text, end);
    if !begins || !next.spaced || !next.first().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let list = text[start..number].trim_start_matches(|c: char| !c.is_alphanumeric());
    let first = list
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    let rest = &list[first.len()..];
    let follows = follows(first, &text[number..mark]) && rest.starts_with(['.', ')']);
    let announced = &text[number..mark] == "1" && text[start..number].trim_end().ends_with(':');
    (follows || announced).then_some(number)
}

/// Whether `second` is the number or letter after `first`.
fn follows(first: &str, second: &str) -> bool {
    match (first.parse::<u8>(), second.parse::<u8>()) {
        (Ok(first), Ok(second)) => first.checked_add(1) == Some(second),
        _ => match (first.as_bytes(), second.as_bytes()) {
            ([first], [second]) => {
                first.is_ascii_alphabetic() && first.checked_add(1) == Some(*second)
            }
            _ => false,
        },
    }
}

/// Whether `c` ends sentences.
pub(super) fn is_mark(c: char) -> bool {
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
pub(super) fn is_opener(c: char) -> bool {
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

pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '―' | '−')
}

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
    fn omission(&self, text: &str) -> bool {
        self.ellipsis && self.bracket && text[..self.start].ends_with(['[', '('])
    }

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
        run.end += informal::emoticon(&text[run.end..]);
        run.single_stop = stops == 1 && strong == 0 && dots == 0;
        run.ellipsis = strong == 0 && (dots > 0 || stops > 1);
        run
    }
}

/// The length of white space and a closing mark that no word belongs to: ` »` after a full stop.
fn stray_closer(rest: &str) -> usize {
    let mut chars = rest.chars();
    let closes = chars.next() == Some(' ')
        && matches!(chars.next(), Some('»' | '”' | ')'))
        && chars.next().is_none_or(char::is_whitespace);
    if closes {
        rest.chars().take(2).map(char::len_utf8).sum()
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
}

impl<'a> Next<'a> {
    fn read(text: &'a str, at: usize) -> Self {
        let mut next = Self {
            word: "",
            spaced: false,
            dash: false,
            opener: false,
            bracket: false,
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
                return next;
            }
        }
        next
    }

    pub(super) fn first(&self) -> Option<char> {
        self.word.chars().next()
    }

    /// The word is a name like `iPhone` or `eBay`, which has its small letter anywhere.
    fn is_brand(&self) -> bool {
        matches!(self.word.as_bytes(), [first, second, ..]
            if first.is_ascii_lowercase() && second.is_ascii_uppercase())
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
    let before = Before::read(text, run.start);
    if run.omission(text) || quotation::is_title(text, start, run) {
        return false;
    }
    // `!» — he said`: what goes on in small letters goes on, but where nobody writes capitals.
    if first.is_lowercase() && !next.is_brand() {
        return (run.quote && quotation::is_attributed(text, start, run.end))
            || informal::small_letter_begins(text, run, &before, &next);
    }
    // `«... but it was not over`: marks that nothing stands before end nothing.
    let nothing = run.start - start < 16 && !text[start..run.start].contains(char::is_alphanumeric);
    if before.word.is_empty() && !run.quote && nothing {
        return false;
    }
    if run.single_stop {
        return stop_ends(text, start, run, &before, &next, language);
    }
    if run.ellipsis && (first.is_numeric() || next.word.is_empty()) {
        return !first.is_numeric();
    }
    // `the thing is . . . I didn't mean it`: three dots apart within a sentence, a fourth would end
    // it, and `I` has its capital anywhere.
    let apart = text[run.start..run.end] == *". . ." && text[..run.start].ends_with(' ');
    !(apart && next.word.split(['\'', '’']).next() == Some("I"))
}

/// A run that no white space follows: `конец.Начало`, `نهاية.بداية`, `why?Because`.
fn run_on(text: &str, run: &Run, next: &Next<'_>) -> bool {
    let Some(first) = next.first() else {
        return false;
    };
    // `"Яндекс.Новости"` is a name.
    let named = text[run.end..]
        .chars()
        .nth(next.word.chars().count())
        .is_some_and(is_closer);
    if next.dash || named || run.end - run.start > 6 {
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
    // The word may begin before the sentence, where one ended inside it: `اا.اж.`
    let word_at = before.at.max(start);
    let preceding = abbreviations::Preceding::read(&text[start..word_at]);
    // `1. The first item`: a number alone at the start of a line counts, it does not end.
    let alone = preceding.words == 0
        && word_at - start < REACH
        && text[start..word_at].chars().all(|c| !c.is_alphanumeric());
    if alone && is_enumerator(before.word) {
        return false;
    }
    if run.quote || run.bracket {
        return true;
    }
    match abbreviations::classify(before.word, &preceding) {
        Abbreviation::None => true,
        Abbreviation::Never => next.opener && !next.dash && abbreviations::is_starter(next.word),
        Abbreviation::BeforeNumber => !first.is_numeric(),
        Abbreviation::BeforeStarter => abbreviations::is_starter(next.word),
        Abbreviation::BeforeCapital => !first.is_numeric() && !next.bracket && preceding.words >= 4,
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
