//! Decides where a sentence ends: the rules around full stops, question marks, ellipses, quotation
//! marks and line breaks.
//!
//! Every decision looks at a bounded stretch around one mark, so that scanning stays linear.

use super::abbreviations::{self, Abbreviation, Preceding};
use super::lines::{bullet_begins, enumerates, line_break};
use super::marks::{Script, is_bullet, is_closer, is_mark, script};
use super::run::{Before, Boundary, Next, Run};
use super::{headline, informal, quotation, stop};
use crate::language::Language;

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
        b':' => {
            let ends = language == Language::Russian && quotation::of_several_follows(text, mark);
            one(ends.then_some(mark + 1))
        }
        b' ' => one(headline::ends(text, start, mark).then_some(mark)),
        b',' => one(informal::salutation_ends(text, start, mark).then_some(mark + 1)),
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
            // The last byte of an Arabic-Indic digit counts too.
            b')' => {
                index > 0
                    && (at(index - 1).is_ascii_alphanumeric()
                        || matches!(at(index - 1), 0xA0..=0xA9))
                    && at(index + 1) == b' '
            }
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
            // A name after a greeting.
            b',' => at(index + 1) == b' ' && at(index + 2).is_ascii_uppercase(),
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

/// Whether the run of marks ends the sentence that began at `start`.
fn ends_sentence(text: &str, start: usize, run: &Run, language: Language) -> bool {
    let next = Next::read(text, run.end);
    let Some(first) = next.first() else {
        return next.spaced;
    };
    if !next.spaced {
        return run_on(text, run, &next, language);
    }
    let before = Before::read(text, run.start);
    if run.omission(text)
        || quotation::is_title(text, start, run)
        || quotation::goes_on(text, start, run, &next)
    {
        return false;
    }
    // `!» — he said`: what goes on in small letters goes on, but where nobody writes capitals.
    if first.is_lowercase() && !next.is_brand() {
        return informal::small_letter_begins(text, run, &before, &next);
    }
    // `«... but it was not over`: marks that nothing stands before end nothing.
    let nothing = run.start - start < 16 && !text[start..run.start].contains(char::is_alphanumeric);
    if before.word.is_empty() && !run.quote && nothing {
        return false;
    }
    if run.single_stop {
        return stop::ends(text, start, run, &before, &next);
    }
    // `Yahoo! Inc.`
    if !run.ellipsis && matches!(next.word, "Inc" | "Corp" | "Ltd" | "LLC") {
        return false;
    }
    if run.ellipsis {
        return ellipsis_ends(text, start, run, &before, &next);
    }
    true
}

/// Whether an ellipsis ends the sentence, with a capital, a digit or a letter without case after it.
fn ellipsis_ends(
    text: &str,
    start: usize,
    run: &Run,
    before: &Before<'_>,
    next: &Next<'_>,
) -> bool {
    let numeric = next.first().is_some_and(char::is_numeric);
    if numeric || next.word.is_empty() {
        return !numeric;
    }
    // `the thing is . . . I didn't mean it`: three dots apart within a sentence, a fourth would end
    // it, and `I` has its capital anywhere.
    let apart = text[run.start..run.end] == *". . ." && text[..run.start].ends_with(' ');
    if apart && next.word.split(['\'', '’']).next() == Some("I") {
        return false;
    }
    // `We flew to... Paris`: a pause before the name that the word asks for.
    let hangs = before.at > start && HANGING.binary_search(&before.word).is_ok();
    !hangs || run.quote || run.bracket || next.opener || next.dash || next.is_starter(false)
}

/// Words that no sentence ends with, sorted by bytes.
const HANGING: &[&str] = &[
    "a", "an", "and", "at", "by", "for", "from", "into", "my", "of", "our", "than", "the", "their",
    "to", "with", "your", "в", "во", "для", "до", "за", "и", "из", "к", "ко", "на", "о", "об",
    "от", "под", "про", "с", "со", "у",
];

/// A run that no white space follows: `конец.Начало`, `نهاية.بداية`, `why?Because`.
fn run_on(text: &str, run: &Run, next: &Next<'_>, language: Language) -> bool {
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
    let letters = next.word.chars().take_while(|c| c.is_alphabetic()).count();
    let mut following = next.word.chars().skip(1);
    let last = text[..run.start].chars().next_back().unwrap_or(' ');
    // `(«Да»).Потом`: what was closed is a sentence's end, whatever word stands before.
    let closed = before.word.is_empty() && is_closer(last);
    let starts = next.is_starter(false)
        && text[run.end..]
            .strip_prefix(next.word)
            .is_some_and(|rest| rest.starts_with(' '));
    let dated = run.single_stop && starts && last.is_numeric() && before.word.len() == 4;
    if closed || dated {
        return match script(first) {
            Script::Arabic => letters >= 2 && !run.ellipsis,
            Script::Cyrillic => first.is_uppercase() && following.all(char::is_lowercase),
            Script::Latin => starts && language == Language::English,
            Script::Other => false,
        };
    }
    let short = before.word.chars().count() < 2;
    if before.joined || short || !before.word.chars().all(char::is_alphabetic) {
        return false;
    }
    if run.single_stop {
        let preceding = Preceding::read(&text[..before.at]);
        if abbreviations::classify(before.word, &preceding) != Abbreviation::None {
            return false;
        }
    }
    let word = before.word.chars().count() >= 3;
    let same_script = script(last) == script(first);
    let capital = last.is_lowercase() && first.is_uppercase();
    same_script
        && match script(first) {
            Script::Arabic => word && letters >= 2 && !run.ellipsis,
            Script::Cyrillic => capital && following.all(char::is_lowercase),
            // `example.Com` and `Node.Js` are names, `why?Because` is not.
            Script::Latin if run.single_stop => {
                word && capital && starts && language == Language::English
            }
            Script::Latin => {
                word && capital && !run.ellipsis && following.next().is_some_and(char::is_lowercase)
            }
            Script::Other => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(HANGING.is_sorted());
    }
}
