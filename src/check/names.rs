//! Names in a summary that its article does not have.
//!
//! Name-like are words with a capital letter within a sentence, abbreviations in capitals, and Latin
//! words in other scripts; Arabic does not mark names, so only those Latin words are looked at there.

use super::{dates, number_words};
use crate::glossary::russian_stem;
use crate::language::{Language, ScriptProfile};
use crate::segment::sentences;

/// The first name-like word of a summary that the article has in no form.
pub(super) fn unknown(article: &str, summary: &str, language: Language) -> Option<String> {
    let known: Vec<&str> = words(article).collect();
    let lower: Vec<String> = known.iter().map(|word| word.to_lowercase()).collect();
    for range in sentences(summary, language) {
        let all: Vec<&str> = words(&summary[range]).collect();
        let capitals = all.iter().filter(|word| is_capital(word)).count();
        // A headline may have all its words in capitals.
        if capitals * 2 > all.len() && all.len() > 3 {
            continue;
        }
        // The first word of a sentence is written with a capital letter whatever it is.
        let unknown = all.iter().skip(1).find(|word| {
            is_name(word, language)
                && !lower
                    .iter()
                    .any(|known| is_same(&word.to_lowercase(), known))
                && !is_short_for(word, &known)
        });
        if let Some(unknown) = unknown {
            return Some((*unknown).to_owned());
        }
    }
    None
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

pub(super) fn is_capital(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn is_name(word: &str, language: Language) -> bool {
    let lower = word.to_lowercase();
    if word.chars().count() < 2
        || number_words::of(&lower).is_some()
        || dates::is_named_anything(&lower)
    {
        return false;
    }
    match language {
        Language::Arabic => ScriptProfile::of(word).latin >= 3,
        Language::English | Language::Russian => is_capital(word),
    }
}

/// Whether two words in small letters are one name, also with other endings or as its adjective.
fn is_same(a: &str, b: &str) -> bool {
    if a == b || russian_stem(a) == russian_stem(b) {
        return true;
    }
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let shorter = a.chars().count().min(b.chars().count());
    // `Israel` and `Israeli`, «Россия» and «российский».
    common >= 4 && common + 2 >= shorter
}

/// Whether an abbreviation has the first letters of words that stand together in the article.
fn is_short_for(word: &str, article: &[&str]) -> bool {
    let letters: Vec<char> = word.chars().collect();
    letters.iter().all(|c| c.is_uppercase())
        && article.windows(letters.len()).any(|words| {
            words.iter().zip(&letters).all(|(word, letter)| {
                word.chars()
                    .next()
                    .is_some_and(|c| c.to_uppercase().eq(letter.to_uppercase()))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_be_in_the_article() {
        let english = "Anna Weber, the mayor of Port Marlow, met Israeli envoys of the World Health Organization.";
        let russian = "Мэр Порт-Марлоу Анна Вебер встретилась с послами Норвегии.";
        let arabic = "التقت رئيسة البلدية وفد شركة Norvik في المدينة.";
        for (article, summary, language, expected) in [
            (
                english,
                "The mayor, Weber, met envoys of Israel and the WHO.",
                Language::English,
                None,
            ),
            (
                english,
                "The mayor, Webster, met envoys.",
                Language::English,
                Some("Webster"),
            ),
            (
                english,
                "On Monday the mayor met envoys.",
                Language::English,
                None,
            ),
            (
                russian,
                "Мэр Анна Вебер приняла послов из Норвегии и норвежских послов.",
                Language::Russian,
                None,
            ),
            (
                russian,
                "Мэр приняла послов Швеции.",
                Language::Russian,
                Some("Швеции"),
            ),
            (arabic, "التقت الرئيسة وفد Norvik.", Language::Arabic, None),
            (
                arabic,
                "التقت الرئيسة وفد Nordvik.",
                Language::Arabic,
                Some("Nordvik"),
            ),
        ] {
            assert_eq!(
                unknown(article, summary, language).as_deref(),
                expected,
                "{summary}"
            );
        }
    }
}
