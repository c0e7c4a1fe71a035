//! Words across scripts: what names and borrowed words keep of their sound when they are written in
//! another script.
//!
//! A skeleton is the consonants of a word in coarse classes, without doubles: `Gordon`, «Гордон» and
//! «جوردون» are all `GRDN`. Letters that the three scripts write in several ways share a class.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Small Arabic words that are written together with the next one.
const CLITICS: [&str; 11] = [
    "وال", "بال", "فال", "كال", "لل", "ال", "و", "ب", "ل", "ف", "ك",
];

/// The consonants of a word.
pub(super) fn skeleton(word: &str) -> String {
    let letters: Vec<char> = word
        .to_lowercase()
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .collect();
    let mut skeleton = String::new();
    let mut at = 0;
    while let Some(&c) = letters.get(at) {
        let next = letters.get(at + 1).copied();
        let (classes, taken) = match (c, next) {
            ('s' | 'c', Some('h')) => ("S", 2),
            ('k' | 'g', Some('h')) => ("G", 2),
            ('p', Some('h')) => ("V", 2),
            ('t', Some('h')) => ("D", 2),
            _ => (class(c), 1),
        };
        for class in classes.chars() {
            if !skeleton.ends_with(class) {
                skeleton.push(class);
            }
        }
        at += taken;
    }
    skeleton
}

fn class(c: char) -> &'static str {
    match c {
        'b' | 'p' | 'б' | 'п' | 'ب' | 'پ' => "B",
        'f' | 'v' | 'в' | 'ф' | 'ف' | 'ڤ' => "V",
        'c' | 'g' | 'k' | 'q' | 'г' | 'к' | 'х' | 'ج' | 'خ' | 'غ' | 'ق' | 'ك' => "G",
        'd' | 't' | 'д' | 'т' | 'ت' | 'ث' | 'د' | 'ض' | 'ط' => "D",
        'j' | 's' | 'z' | 'ж' | 'з' | 'с' | 'ц' | 'ч' | 'ш' | 'щ' | 'ذ' | 'ز' | 'س' | 'ش' | 'ص'
        | 'ظ' | 'چ' => "S",
        'x' => "GS",
        'l' | 'л' | 'ل' => "L",
        'm' | 'м' | 'م' => "M",
        'n' | 'н' | 'ن' => "N",
        'r' | 'р' | 'ر' => "R",
        _ => "",
    }
}

/// The skeletons that a word may be found by: in Arabic also without what is written together with
/// it.
pub(super) fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![skeleton(word)];
    if word.starts_with(|c| matches!(c, '\u{600}'..='\u{6ff}')) {
        let bare = CLITICS.iter().filter_map(|clitic| {
            let bare = word.strip_prefix(clitic)?;
            (bare.chars().count() >= 3).then(|| skeleton(bare))
        });
        forms.extend(bare);
    }
    forms
}

/// Skeletons of a text and where they stand, to look words of another text up in.
#[derive(Debug, Default)]
pub(super) struct Skeletons {
    whole: HashMap<String, Place>,
    /// What may be left of one without its ending.
    begun: HashMap<String, Place>,
}

/// Where something stands in a text, as a share of its letters; `None` where it stands in several
/// places.
pub(super) type Place = Option<f64>;

/// How many consonants an ending may have, after a beginning of so many.
fn longest_ending(beginning: usize) -> usize {
    if beginning >= 4 { 2 } else { 1 }
}

/// Consonants from which on a skeleton says something.
const ENOUGH: usize = 2;

impl Skeletons {
    pub(super) fn add(&mut self, form: String, place: f64) {
        fn put(places: &mut HashMap<String, Place>, form: String, place: f64) {
            let known = places.entry(form).or_insert(Some(place));
            if *known != Some(place) {
                *known = None;
            }
        }
        for length in ENOUGH..form.len() {
            if form.len() - length <= longest_ending(length) {
                put(&mut self.begun, form[..length].to_owned(), place);
            }
        }
        if form.len() >= ENOUGH {
            put(&mut self.whole, form, place);
        }
    }

    /// Where a word of the same skeleton stands, if there is one; either may have an ending that the
    /// other lacks.
    pub(super) fn find(&self, form: &str) -> Option<Place> {
        let beginnings = (ENOUGH..form.len())
            .rev()
            .filter(|&length| form.len() - length <= longest_ending(length));
        self.whole
            .get(form)
            .or_else(|| self.begun.get(form))
            .or_else(|| {
                beginnings
                    .into_iter()
                    .find_map(|length| self.whole.get(&form[..length]))
            })
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_across_scripts() {
        for (one, other) in [
            ("Gordon", "Гордон"),
            ("Gordon", "جوردون"),
            ("Kavanaugh", "Кавано"),
            ("Schumer", "Шумер"),
            ("Гордона", "Gordon"),
            ("Mexico", "المكسيك"),
        ] {
            let mut known = Skeletons::default();
            for form in forms(other) {
                known.add(form, 0.5);
            }
            assert!(
                forms(one).iter().any(|form| known.find(form).is_some()),
                "{one} {other} {:?} {:?}",
                forms(one),
                forms(other)
            );
        }
        let mut known = Skeletons::default();
        known.add(skeleton("Robinson"), 0.5);
        assert!(known.find(&skeleton("Gordon")).is_none());
    }
}
