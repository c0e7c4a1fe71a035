//! Single letters that are names: `корпус А`, `group B`, `World War I`, `терминала В`.
//!
//! The word before says that a letter names something, or the word after shows that the letter is no
//! preposition.

use super::marks::{Script, script};
use super::verbs::verb;

/// Beginnings of Russian words that a letter follows as a name.
const NAMED: &[&str] = &[
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
    "терминал",
    "корпус",
    "дом",
    "лиг",
    "остановк",
    "подъезд",
    "секци",
    "сектор",
    "зон",
    "кровь",
    "крови",
    "кровью",
    "выход",
    "зал",
    "ворот",
    "палат",
    "литер",
    "букв",
    "сери",
    "аудитори",
    "платформ",
    "причал",
    "бригад",
    "вирус",
    "рейтинг",
    "цех",
    "пирс",
    "подгрупп",
    "отряд",
    "строени",
    "вход",
    "трибун",
    "этап",
    "лот",
    "квадрат",
    "участк",
    "участок",
    "параграф",
    "статьи",
    "форм",
];

/// English words that a letter follows as a name.
const NAMED_ENGLISH: &[&str] = &[
    "group",
    "class",
    "plan",
    "option",
    "type",
    "vitamin",
    "hepatitis",
    "section",
    "terminal",
    "gate",
    "grade",
    "category",
    "block",
    "building",
    "exhibit",
    "schedule",
    "part",
    "appendix",
    "league",
    "point",
    "unit",
    "wing",
    "zone",
    "serie",
    "pier",
    "hall",
    "room",
    "team",
    "lane",
    "war",
    "phase",
    "chapter",
    "volume",
    "title",
    "annex",
    "platform",
    "stage",
    "level",
    "tier",
    "ward",
    "bay",
    "stand",
    "strain",
    "influenza",
    "pool",
    "division",
    "row",
    "berth",
];

/// Rulers are named before their number.
const RULERS: &[&str] = &[
    "King", "Queen", "Pope", "Emperor", "Empress", "Tsar", "Czar", "Prince", "Sultan", "Shah",
];

/// Words that no preposition stands before, and that go on with a sentence.
const NO_OBJECTS: &[&str] = &[
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
    "через",
    "между",
    "около",
    "и",
    "а",
    "но",
    "или",
    "что",
    "не",
    "нужно",
    "надо",
    "можно",
    "нельзя",
    "необходимо",
    "был",
    "была",
    "было",
    "были",
    "будет",
    "будут",
    "уже",
    "ещё",
    "еще",
    "также",
    "тоже",
    "где",
    "который",
    "которая",
    "которые",
];

/// Whether `word`, before a single letter with a capital, says that the letter is a name. `rest` is
/// what stands before the word.
pub(super) fn names(word: &str, rest: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    if word.starts_with(|c| script(c) == Script::Cyrillic) {
        let lower = word.to_lowercase();
        return NAMED.iter().any(|stem| {
            lower
                .strip_prefix(stem)
                .is_some_and(|ending| ending.chars().count() <= 3)
        });
    }
    let last = rest.trim_end().rsplit(' ').next().unwrap_or_default();
    NAMED_ENGLISH.contains(&word.to_lowercase().as_str()) || RULERS.contains(&last)
}

/// Whether `letter` is a number of Rome written in Latin letters after a word in Cyrillic ones:
/// `Петре I`.
pub(super) fn counts(letter: &str, before: &str) -> bool {
    matches!(letter, "I" | "V" | "X")
        && before
            .chars()
            .next_back()
            .is_some_and(|c| script(c) == Script::Cyrillic)
}

/// Whether a Russian letter with a capital, with `word` after it, is a name and no preposition.
pub(super) fn is_no_preposition(word: &str) -> bool {
    let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    word.starts_with(char::is_lowercase) && (NO_OBJECTS.contains(&bare) || is_predicate(bare))
}

/// Whether `word` is a finite verb or an infinitive.
fn is_predicate(word: &str) -> bool {
    let infinitive = ["ться", "ить", "ать", "ять", "еть", "уть"];
    verb(word).is_some()
        || (word.chars().count() > 4 && infinitive.iter().any(|ending| word.ends_with(ending)))
}
