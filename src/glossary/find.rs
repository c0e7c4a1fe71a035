//! Terms in texts, also with other endings, and in Arabic with what is written together with them.

use std::ops::Range;

use super::{Glossary, Term, TermCase};
use crate::language::{Language, ScriptProfile};

/// A term at its place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit<'a> {
    pub(crate) term: &'a Term,
    /// Bytes of the text.
    pub(crate) place: Range<usize>,
}

impl Glossary {
    /// The terms that a text of a direction holds, in the order of their places, which do not
    /// overlap; the longest term is taken, then the first.
    pub(crate) fn hits(
        &self,
        text: &str,
        from: Option<Language>,
        to: Option<Language>,
    ) -> Vec<Hit<'_>> {
        if self.terms.is_empty() {
            return Vec::new();
        }
        let fits = |wanted: Option<Language>, language: Option<Language>| {
            wanted.is_none() || language.is_none() || wanted == language
        };
        let words = words(text);
        let mut found: Vec<Hit<'_>> = Vec::new();
        for term in &self.terms {
            if fits(term.from, from) && fits(term.to, to) {
                let places = places(&term.source, text, &words, term);
                found.extend(places.into_iter().map(|place| Hit { term, place }));
            }
        }
        found.sort_by_key(|hit| std::cmp::Reverse(hit.place.len()));
        let mut hits: Vec<Hit<'_>> = Vec::new();
        for hit in found {
            let overlaps = |other: &Hit<'_>| {
                hit.place.start < other.place.end && other.place.start < hit.place.end
            };
            if !hits.iter().any(overlaps) {
                hits.push(hit);
            }
        }
        hits.sort_by_key(|hit| hit.place.start);
        hits
    }
}

/// Whether a translation holds a term, in any of its forms.
pub(crate) fn holds(text: &str, term: &Term) -> bool {
    let words = words(text);
    std::iter::once(&term.target)
        .chain(&term.forms)
        .any(|form| !places(form, text, &words, term).is_empty())
}

fn words(text: &str) -> Vec<Range<usize>> {
    let is_part =
        |c: char| c.is_alphanumeric() || matches!(c, '\u{64b}'..='\u{65f}' | '\u{640}' | '\u{670}');
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| is_part(*c)) {
        match words.last_mut() {
            Some(word) if word.end == at => word.end += c.len_utf8(),
            _ => words.push(at..at + c.len_utf8()),
        }
    }
    words
}

/// Where `wanted` stands in a text with these words.
fn places(wanted: &str, text: &str, in_text: &[Range<usize>], term: &Term) -> Vec<Range<usize>> {
    let wanted: Vec<&str> = words(wanted)
        .into_iter()
        .map(|word| &wanted[word])
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    in_text
        .windows(wanted.len())
        .filter(|window| {
            window
                .iter()
                .zip(&wanted)
                .all(|(word, wanted)| is_form(&text[word.clone()], wanted, term))
        })
        .map(|window| window[0].start..window[window.len() - 1].end)
        .collect()
}

/// Whether a word is `wanted`, as far as the term allows.
fn is_form(word: &str, wanted: &str, term: &Term) -> bool {
    if word == wanted {
        return true;
    }
    let script = ScriptProfile::of(wanted).dominant();
    let has_case = script != Some(Language::Arabic);
    let (word, wanted) = match term.case {
        TermCase::Ignore => (word.to_lowercase(), wanted.to_lowercase()),
        // Endings are compared in small letters; the first letter tells a name from a word.
        TermCase::Exact if has_case && word.chars().next() != wanted.chars().next() => {
            return false;
        }
        TermCase::Exact if !term.inflect => return false,
        TermCase::Exact => (word.to_owned(), wanted.to_owned()),
    };
    if word == wanted {
        return true;
    }
    if !term.inflect {
        return false;
    }
    match script {
        Some(Language::Arabic) => crate::language::is_arabic_form(&word, &wanted),
        Some(Language::Russian) => {
            let stem = russian_stem(&wanted);
            // A short word would be half of all others.
            stem.chars().count() >= 3 && stem == russian_stem(&word)
        }
        _ => ["s", "es", "’s", "'s"].iter().any(|end| {
            word.strip_suffix(end) == Some(&wanted) || wanted.strip_suffix(end) == Some(&word)
        }),
    }
}

/// Endings of nouns, adjectives and names, longest first.
const RUSSIAN_ENDINGS: [&str; 46] = [
    "ыми", "ими", "ого", "его", "ому", "ему", "ами", "ями", "иях", "иям", "ией", "ием", "ов", "ев",
    "ей", "ый", "ий", "ой", "ая", "яя", "ое", "ее", "ые", "ие", "ых", "их", "ым", "им", "ом", "ем",
    "ую", "юю", "ою", "ею", "ам", "ям", "ах", "ях", "ия", "ии", "ию", "а", "я", "о", "е", "у",
];

/// A Russian word without its ending.
pub(crate) fn russian_stem(word: &str) -> String {
    let word = word.replace('ё', "е");
    let cut = RUSSIAN_ENDINGS
        .iter()
        .chain(&["ю", "ы", "и", "ь", "й"])
        .find_map(|end| {
            word.strip_suffix(end)
                .filter(|stem| stem.chars().count() >= 3)
        });
    cut.map_or(word.clone(), str::to_owned)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn found(text: &str, terms: &[Term]) -> Vec<String> {
        let mut glossary = Glossary::new();
        terms
            .iter()
            .for_each(|term| glossary.add(term.clone()).unwrap());
        let hits = glossary.hits(text, None, None);
        hits.iter()
            .map(|hit| text[hit.place.clone()].to_owned())
            .collect()
    }

    #[test]
    fn terms_are_found_in_their_forms() {
        for (term, text, expected) in [
            (
                "Центральный банк",
                "В Центральном банке сказали",
                "Центральном банке",
            ),
            (
                "Верховная рада",
                "депутаты Верховной рады",
                "Верховной рады",
            ),
            ("بنك", "قال البنك إن", "البنك"),
            ("وزارة الطاقة", "ووزارة الطاقة", "ووزارة الطاقة"),
            ("central bank", "All Central Banks agreed", "Central Banks"),
            ("OPEC+", "OPEC+ will meet", "OPEC"),
        ] {
            assert_eq!(found(text, &[Term::new(term, "x")]), [expected], "{term}");
        }
        for (term, text) in [("мир", "мера"), ("bank", "bankrupt"), ("بنك", "بنوك")] {
            assert!(found(text, &[Term::new(term, "x")]).is_empty(), "{term}");
        }
    }

    #[test]
    fn the_longest_term_is_taken() {
        let terms = [Term::new("bank", "x"), Term::new("central bank", "y")];
        assert_eq!(
            found("a central bank and a bank", &terms),
            ["central bank", "bank"]
        );
    }

    #[test]
    fn kept_terms_are_exact() {
        let term = Term::kept("Signal");
        assert_eq!(
            found("Signal sends a signal", std::slice::from_ref(&term)),
            ["Signal"]
        );
        assert!(holds("Пользователи Signal", &term));
        assert!(!holds("Пользователи signal", &term));
    }

    #[test]
    fn directions_are_heeded() {
        let mut glossary = Glossary::new();
        let mut term = Term::new("bank", "банк");
        term.to = Some(Language::Russian);
        glossary.add(term).unwrap();
        assert_eq!(
            glossary.hits("bank", None, Some(Language::Russian)).len(),
            1
        );
        assert!(
            glossary
                .hits("bank", None, Some(Language::Arabic))
                .is_empty()
        );
    }
}
