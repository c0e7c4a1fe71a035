//! What of a source can be found again in its translation: names and borrowed words by their sound,
//! common words by what they mean, numbers by their digits.

use std::collections::HashMap;

use super::lexicon::notions;
use super::measure::letters;
use super::names::is_capital;
use super::numbers::digit;
use super::skeleton::{self, Skeletons};
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

/// The digits of a number, whatever their script.
fn number(word: &str) -> Option<String> {
    let digits: String = word.chars().map_while(digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// What a translation has, to look anchors up in.
#[derive(Default)]
struct Written {
    names: Skeletons,
    sounds: Skeletons,
    notions: HashMap<usize, f64>,
    numbers: HashMap<String, f64>,
}

impl Written {
    fn of(text: &str, language: Language) -> Self {
        let mut written = Self::default();
        for (_, word) in words(text) {
            if let Some(number) = number(word) {
                *written.numbers.entry(number).or_default() += 1.0;
                continue;
            }
            for notion in notions(&word.to_lowercase()) {
                *written.notions.entry(notion).or_default() += 1.0;
            }
            if word.chars().nth(2).is_none() {
                continue;
            }
            let may_be_name = language == Language::Arabic
                || is_capital(word)
                || ScriptProfile::of(word).share(language) < 0.5;
            for form in skeleton::forms(word) {
                if may_be_name {
                    written.names.add(form.clone());
                }
                if form.len() >= 3 {
                    written.sounds.add(form);
                }
            }
        }
        written
    }

    /// Whether a name or a borrowed word is there; `None` where it says nothing.
    fn sounds_like(&self, word: &str, is_name: bool) -> Option<bool> {
        let forms = skeleton::forms(word);
        let first = forms.first().map_or(0, String::len);
        if is_name && first >= 2 {
            Some(forms.iter().any(|form| self.names.have(form)))
        } else if !is_name && first >= 4 {
            let mut long = forms.iter().filter(|form| form.len() >= 3);
            Some(long.any(|form| self.sounds.have(form)))
        } else {
            None
        }
    }
}

/// The anchors of a source in sentences, and what of them its translation has.
pub(super) fn anchors(parts: &[&str], from: Language, target: &str, to: Language) -> Vec<Anchor> {
    let written = Written::of(target, to);
    let all: f64 = parts.iter().map(|part| letters(part)).sum();
    let mut read = Written::default();
    for (_, word) in parts.iter().flat_map(|part| words(part)) {
        for notion in notions(&word.to_lowercase()) {
            *read.notions.entry(notion).or_default() += 1.0;
        }
    }
    let mut anchors = Vec::new();
    let mut before = 0.0;
    for (sentence, part) in parts.iter().enumerate() {
        for (at, (ahead, word)) in words(part).enumerate() {
            let place = (before + ahead) / all.max(1.0);
            let mut push = |kind, found| {
                anchors.push(Anchor {
                    kind,
                    sentence,
                    place,
                    found,
                });
            };
            if let Some(number) = number(word) {
                push(
                    Kind::Number,
                    f64::from(u8::from(written.numbers.contains_key(&number))),
                );
                continue;
            }
            let known = notions(&word.to_lowercase());
            if !known.is_empty() {
                let share = |notion: &usize| {
                    let there = written.notions.get(notion).copied().unwrap_or_default();
                    (there / read.notions.get(notion).copied().unwrap_or(1.0)).min(1.0)
                };
                push(Kind::Notion, known.iter().map(share).fold(0.0, f64::max));
                continue;
            }
            // The first word has its capital anyway; Arabic has none.
            let is_name = from != Language::Arabic
                && at > 0
                && is_capital(word)
                && word.chars().nth(3).is_some();
            if let Some(is_found) = written.sounds_like(word, is_name) {
                let kind = if is_name { Kind::Name } else { Kind::Sound };
                push(kind, f64::from(u8::from(is_found)));
            }
        }
        before += letters(part);
    }
    anchors
}
