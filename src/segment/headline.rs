//! Headlines that lost their line: `rivals return They had been away`, as in text that was
//! copied without its breaks. Nothing marks their end, so it is told from the words around it.
//!
//! Two signs are known: a small word that has a capital at the beginning of a sentence only, and, at
//! the beginning of a text, a second finite verb with a subject of its own, which one clause of
//! Russian cannot have.

use super::lettered;
use super::marks::{Script, script};
use super::starters::only_begins_sentences;
use super::verbs::{Verb, verb};

/// A headline is not longer than this, in bytes.
const LONGEST: usize = 300;

/// What a headline with a verb stands before is at least so long, in bytes: an article, and not the
/// rest of a sentence.
const ARTICLE: usize = 700;

/// Whether a headline that began at `start` ends before the white space at `at`.
pub(super) fn ends(text: &str, start: usize, at: usize) -> bool {
    let Some(headline) = text.get(start..at).filter(|line| line.len() <= LONGEST) else {
        return false;
    };
    let rest = text[at..].trim_start();
    (word_begins(headline, rest)
        || (start == 0 && rest.len() >= ARTICLE && clause_begins(headline, rest)))
        && closed(headline)
}

/// Whether all quotation marks and brackets of `text` are closed.
fn closed(text: &str) -> bool {
    let count = |c: char| text.matches(c).count();
    count('«') <= count('»')
        && count('“') <= count('”')
        && count('(') <= count(')')
        && count('"') % 2 == 0
}

/// Whether a small word with a capital follows that only begins sentences, before a word without
/// one, or in Russian after one. Titles within a sentence stand in quotation marks or have more
/// capitals.
fn word_begins(headline: &str, rest: &str) -> bool {
    let mut next = rest.split(' ');
    let first = next.next().unwrap_or_default();
    if !only_begins_sentences(first) {
        return false;
    }
    let second = next.next().and_then(|word| word.chars().next());
    let mut words = headline.rsplit(' ');
    let last = words.next().unwrap_or_default();
    let small = last.chars().count() >= 2 && last.chars().all(char::is_lowercase);
    let goes_on = second.is_some_and(|c| {
        c.is_lowercase() || is_cyrillic(first) && (c == '«' || small && c.is_alphabetic())
    });
    // Russian has no capital on a preposition inside a name, so a name may come before one.
    let name = is_cyrillic(first)
        && last.chars().nth(2).is_some()
        && last
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '»' | '-'));
    // `витамин С`, `терминала В попросили`: a letter that names something.
    let before = headline.strip_suffix(last).unwrap_or_default();
    let letter = first.chars().nth(1).is_none()
        && (lettered::names(last, before)
            || rest
                .split(' ')
                .nth(1)
                .is_some_and(lettered::is_no_preposition));
    let shouted = |word: &str| word.chars().all(char::is_uppercase);
    // `ФИЛЬМ В «ИЗВЕСТИЯХ»` is one line of capitals.
    let caps = shouted(last) && headline.split(' ').all(shouted);
    goes_on && (small || name) && !letter && !caps && words.next().is_some()
}

fn is_cyrillic(word: &str) -> bool {
    word.chars()
        .next()
        .is_some_and(|c| script(c) == Script::Cyrillic)
}

/// Whether `rest` begins with a clause of its own, in Russian, after a headline that is one: a word
/// with a capital, and soon after it a finite verb that agrees with it.
fn clause_begins(headline: &str, rest: &str) -> bool {
    let last = headline.rsplit(' ').next().unwrap_or_default();
    if !headline.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '»' | '"' | '”' | ')'))
        || !is_cyrillic(rest)
        || LINKS.contains(&last)
    {
        return false;
    }
    let mut words = rest.split(' ').take(8);
    let subject = words.next().unwrap_or_default();
    let mut letters = subject.chars();
    let capital = letters.next().is_some_and(char::is_uppercase);
    if !capital || subject.chars().count() < 4 || !letters.all(|c| c.is_lowercase() || c == '-') {
        return false;
    }
    let has_verb = || {
        let clause = headline.rsplit(", ").next().unwrap_or(headline);
        clause
            .split(' ')
            .filter(|word| word.starts_with(char::is_lowercase))
            .any(|word| verb(word).is_some())
    };
    for word in words {
        if LINKS_CLAUSES.contains(&word)
            || only_begins_sentences(word)
            || word.starts_with(|c: char| !c.is_alphanumeric())
        {
            return false;
        }
        if let Some(form) = verb(word) {
            return agrees(subject, form) && has_verb();
        }
        if word.ends_with(|c: char| !c.is_alphanumeric()) {
            return false;
        }
    }
    false
}

/// Words that a name may follow within a clause.
const LINKS: &[&str] = &[
    "и",
    "а",
    "но",
    "или",
    "да",
    "в",
    "во",
    "на",
    "с",
    "со",
    "к",
    "ко",
    "по",
    "о",
    "об",
    "обо",
    "от",
    "до",
    "для",
    "из",
    "за",
    "у",
    "при",
    "под",
    "над",
    "без",
    "про",
    "через",
    "между",
    "около",
    "что",
    "как",
    "не",
    "против",
    "после",
    "перед",
    "вместо",
    "кроме",
    "чем",
    "если",
    "когда",
    "где",
];

/// Words that begin another clause of the same sentence.
const LINKS_CLAUSES: &[&str] = &[
    "и",
    "а",
    "но",
    "или",
    "да",
    "что",
    "как",
    "если",
    "когда",
    "где",
];

/// Whether a subject, by its ending, may go with a verb of this form.
fn agrees(subject: &str, verb: Verb) -> bool {
    let Some(last) = subject.chars().next_back() else {
        return false;
    };
    match last {
        'ы' | 'и' => verb == Verb::Plural && !subject.ends_with("ии"),
        // `Учёные`, `Эмоциональные`; `Решение`, `Главное`.
        'е' if subject.ends_with("ые") || subject.ends_with("ие") => {
            matches!(verb, Verb::Plural | Verb::Neuter | Verb::Singular)
        }
        'е' if !["ое", "ее", "ье"]
            .iter()
            .any(|ending| subject.ends_with(ending)) =>
        {
            false
        }
        'е' | 'о' | 'ё' => matches!(verb, Verb::Neuter | Verb::Singular),
        'а' | 'я' => matches!(verb, Verb::Feminine | Verb::Singular),
        'ь' => matches!(verb, Verb::Feminine | Verb::Masculine | Verb::Singular),
        'у' | 'ю' => false,
        _ => matches!(verb, Verb::Masculine | Verb::Singular),
    }
}
