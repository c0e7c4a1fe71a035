//! Decides whether one full stop ends a sentence: after abbreviations, initials, numbers of sections,
//! times of day.

use super::abbreviations::{self, Abbreviation, Preceding};
use super::lines::is_enumerator;
use super::marks::{Script, char_boundary, script};
use super::run::{Before, Next, REACH, Run};
use super::{clock, lettered};

/// Whether the full stop of `run` ends the sentence that began at `start`, with a capital, a digit or a
/// letter without case after it.
pub(super) fn ends(
    text: &str,
    start: usize,
    run: &Run,
    before: &Before<'_>,
    next: &Next<'_>,
) -> bool {
    // The word may begin before the sentence, where one ended inside it: `اا.اж.`
    let word_at = before.at.max(start);
    let sentence = &text[start..word_at];
    let preceding = Preceding::read(sentence);
    if counts(sentence, before.word, &preceding, next) {
        return false;
    }
    if run.quote {
        return true;
    }
    let meaning = abbreviations::classify(before.word, &preceding);
    if next.dash && matches!(next.word, "Прим" | "Ред") {
        // `(Иванов. — Прим. ред.)`
        return false;
    }
    if run.bracket {
        return bracket_ends(sentence, meaning, &preceding, next);
    }
    let first = next.first().unwrap_or(' ');
    // `13 чел. / км²`, `2002 г. — «Зима»`: the mark is of the abbreviation.
    if meaning != Abbreviation::None && (next.dash || matches!(first, '/' | '+' | '=' | '×')) {
        return false;
    }
    let starts = || next.is_starter(is_shouted(before, &preceding, next));
    let capital = !first.is_numeric() && !next.bracket;
    match meaning {
        Abbreviation::None => true,
        Abbreviation::Never => next.opener && !next.dash && starts(),
        Abbreviation::BeforeNumber => !first.is_numeric(),
        Abbreviation::BeforeStarter => {
            starts() || is_letter_name(sentence, before.word, &preceding, next)
        }
        Abbreviation::BeforeCapital => {
            capital
                && (starts() || preceding.words >= 4)
                && !abbreviations::adverbial(sentence, before.word, next)
        }
        Abbreviation::Hour => {
            let at = text[run.end..].find(next.word);
            let rest = &text[at.map_or(text.len(), |at| run.end + at)..];
            capital && !clock::goes_on(sentence, &preceding, next, rest)
        }
    }
}

/// Whether the full stop belongs to the number of an item or a section: `1. The first item`.
fn counts(sentence: &str, word: &str, preceding: &Preceding<'_>, next: &Next<'_>) -> bool {
    // A number alone at the start of a line counts, it does not end.
    let alone = preceding.words == 0
        && sentence.len() < REACH
        && sentence.chars().all(|c| !c.is_alphanumeric());
    // `по ст. 5.1. Налогового кодекса`
    let section = || {
        matches!(preceding.last, "ст." | "п." | "пп." | "гл." | "разд." | "§")
            && word.contains('.')
            && !next.is_starter(false)
    };
    ((alone || section()) && is_enumerator(word))
        || (sentence.len() < REACH && is_section(sentence.trim(), word))
}

/// Whether the sentence ends with the bracket that is closed after the full stop.
fn bracket_ends(
    sentence: &str,
    meaning: Abbreviation,
    preceding: &Preceding<'_>,
    next: &Next<'_>,
) -> bool {
    let first = next.first().unwrap_or(' ');
    // `(برنت وغيره.) ارتفعت`: a new sentence would begin with `و`.
    if script(first) == Script::Arabic && first != 'و' {
        return preceding.words < 2 || !opens_within(sentence);
    }
    // `(apples, etc.) Smith` goes on, where the bracket began within the sentence.
    meaning == Abbreviation::None || preceding.words < 2 || next.is_starter(false)
}

/// Whether the words around the full stop are in capitals alone.
fn is_shouted(before: &Before<'_>, preceding: &Preceding<'_>, next: &Next<'_>) -> bool {
    let shouted = |word: &str| {
        word.chars().filter(|c| c.is_alphabetic()).count() > 1 && !word.contains(char::is_lowercase)
    };
    shouted(before.word) && shouted(next.word) && shouted(preceding.last)
}

/// How far the opening of a bracket is sought, in bytes.
const BRACKET: usize = 400;

/// Whether the last bracket of `sentence` opens after words of it.
fn opens_within(sentence: &str) -> bool {
    let from = char_boundary(sentence, sentence.len().saturating_sub(BRACKET));
    sentence[from..]
        .rfind(['(', '['])
        .is_some_and(|at| sentence[..from + at].contains(char::is_alphanumeric))
}

/// Whether a single letter before a full stop is the name of something, and no initial.
fn is_letter_name(
    sentence: &str,
    letter: &str,
    preceding: &Preceding<'_>,
    next: &Next<'_>,
) -> bool {
    if letter.chars().nth(1).is_some() || next.stopped || preceding.words < 2 {
        return false;
    }
    let rest = sentence
        .trim_end()
        .strip_suffix(preceding.last)
        .unwrap_or_default();
    lettered::names(preceding.last, rest) || lettered::counts(letter, preceding.last)
}

/// Whether `label` and `number` are the number of a section, which its title follows: `Статья 5.`
fn is_section(label: &str, number: &str) -> bool {
    const LABELS: &[&str] = &[
        "Article",
        "Chapter",
        "Section",
        "Part",
        "Rule",
        "Clause",
        "Annex",
        "Appendix",
        "Глава",
        "Статья",
        "Раздел",
        "Часть",
        "Пункт",
        "Параграф",
        "Приложение",
        "§",
        "الفصل",
        "المادة",
        "الباب",
        "القسم",
        "البند",
    ];
    let counts = number.chars().all(|c| c.is_numeric() || c == '.')
        || number.chars().all(|c| matches!(c, 'I' | 'V' | 'X' | 'L'));
    counts && number.len() <= 8 && LABELS.contains(&label)
}
