//! What of a source can be found again in its translation: names and borrowed words by their sound,
//! common words by what they mean, numbers by their digits.

use std::collections::HashMap;

use super::lexicon::notions;
use super::measure::letters;
use super::names::is_capital;
use super::numbers::digit;
use super::skeleton::{self, Place, Skeletons};
use crate::language::{Language, ScriptProfile};

/// What an anchor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    /// A word that may have been borrowed.
    Sound,
    /// A word of the lexicon.
    Notion,
    Number,
}

/// A word or number of the source that may be found again.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) kind: Kind,
    /// The sentence that it stands in.
    pub(super) sentence: usize,
    /// Where it stands, as a share of the letters.
    pub(super) place: f64,
    /// How much of it is found, from 0 to 1: where a text has a notion twice and its translation
    /// once, half of each.
    pub(super) found: f64,
    /// Where it is found in the translation, as a share of the letters, if in one place.
    pub(super) there: Place,
}

/// Words and numbers in order, with the letters and digits before each.
fn words(text: &str) -> impl Iterator<Item = (f64, &str)> {
    let mut read = 0.0;
    text.split_inclusive(|c: char| !c.is_alphanumeric() && !is_inner(c))
        .map(move |piece| {
            let before = read;
            read += letters(piece);
            (before, piece.trim_matches(|c: char| !c.is_alphanumeric()))
        })
        .filter(|(_, word)| !word.is_empty())
}

/// Whether a character may stand within a word.
fn is_inner(c: char) -> bool {
    matches!(
        c,
        '\'' | '’' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{301}'
    )
}

/// The digits of a number, in any script.
fn number(word: &str) -> Option<String> {
    let digits: String = word.chars().map_while(digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// What a translation has, to look anchors up in.
#[derive(Default)]
struct Written {
    names: Skeletons,
    sounds: Skeletons,
    /// How often a notion is there, and where last.
    notions: HashMap<usize, (f64, f64)>,
    numbers: HashMap<String, Place>,
}

impl Written {
    fn of(text: &str, language: Language) -> Self {
        let mut written = Self::default();
        let all = letters(text).max(1.0);
        for (ahead, word) in words(text) {
            let place = ahead / all;
            if let Some(number) = number(word) {
                let known = written.numbers.entry(number).or_insert(Some(place));
                *known = known.filter(|known| *known == place);
                continue;
            }
            for notion in notions(&word.to_lowercase()) {
                let known = written.notions.entry(notion).or_default();
                *known = (known.0 + 1.0, place);
            }
            if word.chars().nth(2).is_none() {
                continue;
            }
            let may_be_name = language == Language::Arabic
                || is_capital(word)
                || ScriptProfile::of(word).share(language) < 0.5;
            for form in skeleton::forms(word) {
                if may_be_name {
                    written.names.add(form.clone(), place);
                }
                if form.len() >= 3 {
                    written.sounds.add(form, place);
                }
            }
        }
        written
    }

    /// Where an Arabic word is as a name: names are not marked there, so it says nothing that a word
    /// is not found.
    fn unmarked_name(&self, word: &str, from: Language) -> Option<Place> {
        let forms = skeleton::forms(word).into_iter();
        let mut long = forms.filter(|form| from == Language::Arabic && form.len() >= 3);
        long.find_map(|form| self.names.find(&form))
    }

    /// How much of a notion is there, and where; `read` is how often the source has each.
    fn notion(&self, notion: usize, read: &HashMap<usize, f64>) -> (f64, Place) {
        let here = read.get(&notion).copied().unwrap_or(1.0);
        match self.notions.get(&notion) {
            Some((there, place)) => {
                let is_only = *there < 1.5 && here < 1.5;
                ((there / here).min(1.0), is_only.then_some(*place))
            }
            None => (0.0, None),
        }
    }

    /// Where a name or a borrowed word is, if it is there; `None` where it says nothing.
    fn sounds_like(&self, word: &str, is_name: bool) -> Option<Option<Place>> {
        let forms = skeleton::forms(word);
        let first = forms.first().map_or(0, String::len);
        if is_name && first >= 2 {
            Some(forms.iter().find_map(|form| self.names.find(form)))
        } else if !is_name && first >= 4 {
            let mut long = forms.iter().filter(|form| form.len() >= 3);
            Some(long.find_map(|form| self.sounds.find(form)))
        } else {
            None
        }
    }
}

/// The anchors of a source in sentences, and what of them its translation has.
pub(super) fn anchors(parts: &[&str], from: Language, target: &str, to: Language) -> Vec<Anchor> {
    let written = Written::of(target, to);
    let all: f64 = parts.iter().map(|part| letters(part)).sum();
    // The words of each sentence, with what they may mean.
    let read_words: Vec<Vec<_>> = parts
        .iter()
        .map(|part| {
            words(part)
                .map(|(ahead, word)| (ahead, word, notions(&word.to_lowercase())))
                .collect()
        })
        .collect();
    let mut read: HashMap<usize, f64> = HashMap::new();
    for notion in read_words.iter().flatten().flat_map(|(.., known)| known) {
        *read.entry(*notion).or_default() += 1.0;
    }
    let mut anchors = Vec::new();
    let mut before = 0.0;
    for (sentence, (part, words)) in parts.iter().zip(&read_words).enumerate() {
        for (at, (ahead, word, known)) in words.iter().enumerate() {
            // The first word has its capital anyway; Arabic has none.
            let is_name = from != Language::Arabic
                && at > 0
                && is_capital(word)
                && word.chars().nth(3).is_some();
            let (kind, found) = if let Some(number) = number(word) {
                (Kind::Number, whole(written.numbers.get(&number).copied()))
            } else if !known.is_empty() {
                let found = known.iter().map(|notion| written.notion(*notion, &read));
                let best = found.max_by(|a, b| a.0.total_cmp(&b.0));
                (Kind::Notion, best.unwrap_or_default())
            } else if let Some(place) = written.unmarked_name(word, from) {
                (Kind::Name, (1.0, place))
            } else if let Some(found) = written.sounds_like(word, is_name) {
                let kind = if is_name { Kind::Name } else { Kind::Sound };
                (kind, whole(found))
            } else {
                continue;
            };
            anchors.push(Anchor {
                kind,
                sentence,
                place: (before + ahead) / all.max(1.0),
                found: found.0,
                there: found.1,
            });
        }
        before += letters(part);
    }
    anchors
}

/// What is found, wholly or not at all.
fn whole(place: Option<Place>) -> (f64, Place) {
    place.map_or((0.0, None), |place| (1.0, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_found_where_they_stand() {
        let parts = ["The council met Gordon.", "The mayor paid 1500 dollars."];
        let target = "Совет встретил Гордона. Мэр заплатил.";
        let found: Vec<_> = anchors(&parts, Language::English, target, Language::Russian)
            .into_iter()
            .map(|anchor| (anchor.kind, anchor.sentence, anchor.found > 0.5))
            .collect();
        for expected in [
            (Kind::Notion, 0, true),
            (Kind::Name, 0, true),
            (Kind::Notion, 1, true),
            (Kind::Number, 1, false),
            (Kind::Notion, 1, false),
        ] {
            assert!(found.contains(&expected), "{expected:?} in {found:?}");
        }
    }
}
