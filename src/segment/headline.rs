//! Headlines that lost their line: `rivals return They had been away`, as in text that was
//! copied without its breaks. Nothing marks their end, so it is told from the words around it.
//!
//! Two signs are known: a small word that has a capital at the beginning of a sentence only, and, at
//! the beginning of a text, a second finite verb with a subject of its own, which one clause of
//! Russian cannot have.

use super::abbreviations::{self, Script};

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
    if !begins_sentences(first) {
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
    // `витамин С`, `группа В`: a letter that names something.
    let letter =
        first.chars().nth(1).is_none() && LETTERED.iter().any(|stem| last.starts_with(stem));
    goes_on && (small || name) && !letter && words.next().is_some()
}

/// Beginnings of words that a single letter follows as a name.
const LETTERED: &[&str] = &[
    "витамин",
    "групп",
    "гепатит",
    "класс",
    "категори",
    "вариант",
    "тип",
    "точк",
    "блок",
    "пункт",
    "штамм",
    "подгрупп",
    "лини",
    "част",
    "план",
];

fn is_cyrillic(word: &str) -> bool {
    word.chars()
        .next()
        .is_some_and(|c| abbreviations::script(c) == Script::Cyrillic)
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
            || begins_sentences(word)
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

/// What the ending of a finite verb says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Masculine,
    Feminine,
    Neuter,
    /// Third person of the present: any gender.
    Singular,
    Plural,
}

/// The form of a finite verb of Russian in the third person; `None` for all other words.
pub(super) fn verb(word: &str) -> Option<Verb> {
    let word = word.trim_end_matches(|c: char| !c.is_alphabetic());
    if word.chars().count() < 4 || NO_VERBS.contains(&word) || word.ends_with("итет") {
        return matches!(word, "был" | "дал").then_some(Verb::Masculine);
    }
    let bare = word
        .strip_suffix("ся")
        .or_else(|| word.strip_suffix("сь"))
        .unwrap_or(word);
    let past = ["а", "и", "е", "я", "ы", "у", "о"];
    let is_past = |rest: &str| past.iter().any(|vowel| rest.ends_with(vowel));
    let endings: [(&str, Verb, bool); 17] = [
        ("шла", Verb::Feminine, false),
        ("шло", Verb::Neuter, false),
        ("шли", Verb::Plural, false),
        ("гла", Verb::Feminine, false),
        ("гло", Verb::Neuter, false),
        ("гли", Verb::Plural, false),
        ("ла", Verb::Feminine, true),
        ("ло", Verb::Neuter, true),
        ("ли", Verb::Plural, true),
        ("л", Verb::Masculine, true),
        ("ет", Verb::Singular, false),
        ("ёт", Verb::Singular, false),
        ("ит", Verb::Singular, false),
        ("ют", Verb::Plural, false),
        ("ут", Verb::Plural, false),
        ("ят", Verb::Plural, false),
        ("ат", Verb::Plural, false),
    ];
    endings.into_iter().find_map(|(ending, form, past)| {
        let rest = bare.strip_suffix(ending)?;
        (rest.chars().count() >= 2 && (!past || is_past(rest))).then_some(form)
    })
}

/// Nouns and adverbs of the news that end as verbs do; longer words that end in one are nouns too.
const NO_VERBS: &[&str] = &[
    "совет",
    "бюджет",
    "билет",
    "кабинет",
    "пакет",
    "ответ",
    "запрет",
    "сюжет",
    "портрет",
    "секрет",
    "момент",
    "предмет",
    "цвет",
    "свет",
    "лет",
    "кредит",
    "дефицит",
    "лимит",
    "визит",
    "быт",
    "транзит",
    "аудит",
    "гранит",
    "депутат",
    "результат",
    "сенат",
    "аппарат",
    "мандат",
    "формат",
    "солдат",
    "кандидат",
    "чемпионат",
    "халат",
    "доклад",
    "институт",
    "маршрут",
    "статут",
    "атрибут",
    "брат",
    "штат",
    "адвокат",
    "прокурат",
    "канал",
    "материал",
    "капитал",
    "сигнал",
    "финал",
    "журнал",
    "потенциал",
    "скандал",
    "персонал",
    "терминал",
    "криминал",
    "футбол",
    "отдел",
    "раздел",
    "предел",
    "тыл",
    "стол",
    "угол",
    "посол",
    "дела",
    "тела",
    "села",
    "школа",
    "сила",
    "силы",
    "числа",
    "начала",
    "правила",
    "акула",
    "недели",
    "модели",
    "цели",
    "доли",
    "роли",
    "боли",
    "земли",
    "отрасли",
    "мысли",
    "около",
    "тепло",
    "число",
    "зеркало",
    "село",
    "тело",
    "дело",
    "правило",
    "если",
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

/// Whether `word` is one that has a capital at the beginning of a sentence only: in English few are
/// sure, since titles have capitals; in Russian titles stand in quotation marks.
fn begins_sentences(word: &str) -> bool {
    matches!(
        word,
        "He" | "She"
            | "It"
            | "They"
            | "We"
            | "It's"
            | "They're"
            | "We're"
            | "There"
            | "If"
            | "When"
            | "Please"
            | "However"
            | "But"
            | "What"
            | "How"
            | "Why"
            | "This"
            | "These"
            | "В"
            | "Во"
            | "С"
            | "Со"
            | "К"
            | "О"
            | "Об"
            | "У"
            | "На"
            | "По"
            | "За"
            | "До"
            | "От"
            | "Из"
            | "При"
            | "Для"
            | "Как"
            | "Что"
            | "Это"
            | "Этот"
            | "Эта"
            | "Эти"
            | "Он"
            | "Она"
            | "Они"
            | "Мы"
            | "Его"
            | "Её"
            | "Ее"
            | "Их"
            | "Но"
            | "Если"
            | "Когда"
            | "После"
            | "Однако"
            | "Также"
            | "Между"
            | "Не"
            | "Все"
            | "Вот"
            | "Так"
            | "Там"
            | "Здесь"
            | "Кто"
            | "Почему"
            | "Ни"
            | "Нет"
            | "Один"
            | "Одна"
            | "Одно"
            | "Сразу"
            | "Среди"
            | "Пока"
            | "Теперь"
            | "Сейчас"
            | "Ранее"
            | "Накануне"
            | "Сегодня"
            | "Кроме"
            | "Несмотря"
            | "Согласно"
            | "Благодаря"
            | "Предполагается"
            | "Отмечается"
            | "Ожидается"
            | "Сообщается"
            | "Известно"
            | "Планируется"
            | "Напомним"
            | "Уточняется"
    )
}
