//! Tells Arabic, English and Russian from each other and from other languages in the same scripts.
//!
//! The script comes first, told by words where a text mixes several (`words`). Within the Arabic and the Cyrillic script, letters that only some
//! languages use, and the commonest short words, decide (`neighbours` has them); the Latin script has
//! a way of its own, in `latin`. A language that is not ours is named where it can be, so that it is
//! refused and not mistranslated.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::Language;
use super::latin::{english_name, latin_script};
use super::neighbours::{
    ARABIC_NEIGHBOURS, ARABIC_WORDS, CYRILLIC_NEIGHBOURS, Neighbour, RUSSIAN_WORDS,
};
use super::prose::{Evidence, latin_words, prose};
use super::script::{ScriptProfile, is_letter, ratio};
use super::words::words;

/// Which language a text is in, and how sure that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The language, where it is one of ours.
    pub language: Option<Language>,
    /// How sure it is, from 0 to 1; below [`Detection::LOW_CONFIDENCE`] a user should be told.
    pub confidence: f64,
    /// The English name of the language it looks like, where that is not one of ours.
    pub looks_like: Option<&'static str>,
}

impl Detection {
    /// Below this [`confidence`](Self::confidence), a detected language is little more than a guess.
    pub const LOW_CONFIDENCE: f64 = 0.6;

    /// Detects the language of `text`: of its first 20,000 characters or so, by letters and words.
    ///
    /// `language` is `None` where the text has no letters, or is in a language that is not ours;
    /// `looks_like` then names it where that can be told.
    ///
    /// ```
    /// use newsml::{Detection, Language};
    /// assert_eq!(Detection::of("Переговоры начались утром.").language, Some(Language::Russian));
    /// assert_eq!(Detection::of("Переговори розпочалися вранці, і їх вели п'ять годин.").looks_like, Some("Ukrainian"));
    /// ```
    pub fn of(text: &str) -> Self {
        let sample = sample(text);
        let (prose, profile) = prose_of(sample);
        let letters = profile.letters();
        if letters == 0 {
            return Self {
                language: None,
                confidence: 0.0,
                looks_like: None,
            };
        }
        let Some((script, share)) = script(&prose, &profile) else {
            let name = whatlang::detect(&prose).map(|info| english_name(info.lang()));
            return Self {
                language: None,
                confidence: ratio(profile.other, letters),
                looks_like: name,
            };
        };
        let (name, certainty) = match script {
            Language::Arabic => arabic_script(&prose),
            Language::Russian => cyrillic_script(&prose),
            Language::English if profile.latin < letters => {
                latin_script(&latin_words(&prose), profile.latin)
            }
            Language::English => latin_script(&prose, profile.latin),
        };
        let confidence = (certainty * (0.5 + share / 2.0)).clamp(0.0, 1.0);
        match name {
            None => Self {
                language: Some(script),
                confidence,
                looks_like: None,
            },
            Some(name) => Self {
                language: None,
                confidence,
                looks_like: Some(name),
            },
        }
    }
}

/// The prose of a text and its letters; a text of hashtags alone is read from those that are not in
/// Latin letters.
fn prose_of(text: &str) -> (Cow<'_, str>, ScriptProfile) {
    let whole = ScriptProfile::of(text);
    let latin = whole.latin == whole.letters();
    if latin && whole.latin > LONG {
        return (Cow::Borrowed(text), whole);
    }
    let found = prose(text);
    if matches!(found, Cow::Borrowed(_)) {
        return (found, whole);
    }
    let profile = ScriptProfile::of(&found);
    if profile.letters() == 0 && !latin {
        (Cow::Borrowed(text), whole)
    } else {
        (found, profile)
    }
}

/// A text of more letters than this is long.
const LONG: usize = 1500;

/// The language whose script a text is in, and its share of the text; `None` where that is another.
fn script(prose: &str, profile: &ScriptProfile) -> Option<(Language, f64)> {
    let by_letters = profile.dominant();
    let letters = profile.letters();
    let one = [
        profile.arabic,
        profile.cyrillic,
        profile.latin,
        profile.other,
    ]
    .contains(&letters);
    if one || (by_letters.is_none() && profile.latin < profile.other) {
        return by_letters.map(|language| (language, 1.0));
    }
    // In a long text, a few words of another script change nothing.
    let clear = by_letters.map(|language| (language, profile.share(language)));
    if let Some((_, share)) = clear.filter(|_| letters > LONG)
        && share > 0.9
    {
        return clear;
    }
    let (language, share) = Evidence::of(prose).strongest()?;
    let own = match language {
        Language::Arabic => profile.arabic,
        Language::Russian => profile.cyrillic,
        Language::English => profile.latin,
    };
    (own > profile.other).then_some((language, share))
}

/// The part of a text that is looked at.
fn sample(text: &str) -> &str {
    let mut end = text.len().min(40_000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The language that a text in the Arabic script is in, where it is not Arabic, and how sure that is.
fn arabic_script(text: &str) -> (Option<&'static str>, f64) {
    decide(&Counts::of(text), &ARABIC, |counts, _| {
        // The article: no neighbour writes so many words with it.
        let article = |word: &str| {
            ["ال", "وال", "بال", "لل"]
                .iter()
                .any(|prefix| word.starts_with(prefix))
        };
        0.5 * number(
            counts
                .words
                .iter()
                .filter(|(word, _)| article(word))
                .map(|(_, count)| count)
                .sum(),
        )
    })
}

/// The language that a text in the Cyrillic script is in, where it is not Russian, and how sure.
fn cyrillic_script(text: &str) -> (Option<&'static str>, f64) {
    decide(&Counts::of(text), &RUSSIAN, |counts, neighbour| {
        if neighbour.name == "Bulgarian" {
            not_bulgarian(counts)
        } else {
            0.0
        }
    })
}

/// Per cent of the letters of running text, in Russian and in Bulgarian, where they differ most.
/// Bulgarian has no letter of its own, so it takes all of them together.
const RUSSIAN_AND_BULGARIAN: &[(char, f64, f64)] = &[
    ('а', 8.0, 12.2),
    ('о', 11.0, 8.7),
    ('и', 7.4, 9.0),
    ('т', 6.3, 8.0),
    ('у', 2.6, 1.5),
    ('л', 4.4, 3.3),
    ('м', 3.2, 2.4),
    ('й', 1.2, 0.7),
    ('з', 1.65, 2.2),
    ('ъ', 0.04, 1.9),
    ('ь', 1.75, 0.05),
    ('ю', 0.64, 0.15),
    ('ж', 0.94, 0.6),
    ('ш', 0.73, 0.4),
    ('ц', 0.48, 0.75),
    ('щ', 0.36, 0.6),
    ('ы', 1.9, 0.03),
    ('э', 0.33, 0.02),
    ('я', 2.0, 1.6),
];

/// Evidence of the single letters against Bulgarian. Letters of one text depend on each other, so
/// they count less than the product of their odds.
fn not_bulgarian(counts: &Counts<'_>) -> f64 {
    let total: usize = counts.letters.iter().sum();
    let listed: usize = RUSSIAN_AND_BULGARIAN
        .iter()
        .map(|(letter, ..)| counts.letter(*letter))
        .sum();
    let share =
        |pick: fn(&(char, f64, f64)) -> f64| RUSSIAN_AND_BULGARIAN.iter().map(pick).sum::<f64>();
    let rest = ((100.0 - share(|row| row.1)) / (100.0 - share(|row| row.2))).ln()
        * number(total.saturating_sub(listed));
    let odds = RUSSIAN_AND_BULGARIAN
        .iter()
        .map(|&(letter, russian, bulgarian)| {
            (russian / bulgarian).ln() * number(counts.letter(letter))
        });
    let letters = 0.6 * (rest + odds.sum::<f64>());
    // So many letters say enough.
    if total > LONG {
        return letters;
    }
    let count = |endings: &[&str], least: usize| -> usize {
        let found = counts.words.iter();
        found
            .filter(|(word, _)| word.len() >= least && has_ending(word, endings))
            .map(|(_, count)| count)
            .sum()
    };
    let russian = number(count(RUSSIAN_ENDINGS, 10));
    let bulgarian = number(count(BULGARIAN_ENDINGS, 12));
    letters + russian - 0.5 * bulgarian
}

/// Whether `word` ends in one of `endings`: two to four Cyrillic letters each, sorted by bytes.
fn has_ending(word: &str, endings: &[&str]) -> bool {
    (2..=4).any(|letters| {
        let end = word.len().checked_sub(2 * letters);
        end.and_then(|at| word.get(at..))
            .is_some_and(|ending| endings.binary_search(&ending).is_ok())
    })
}

/// Endings of inflected words that Bulgarian, which has no cases, does not have.
const RUSSIAN_ENDINGS: &[&str] = &[
    "ает", "ами", "ании", "аний", "ая", "ев", "его", "ении", "ений", "ией", "лась", "лись", "лся",
    "ого", "ое", "ой", "ому", "ским", "ских", "тся", "ть", "ться", "ует", "ый", "яет", "ями",
];

/// The article, which Bulgarian puts at the end of a word.
const BULGARIAN_ENDINGS: &[&str] = &["ата", "ето", "ието", "ите", "ият", "ото", "ът", "ята"];

/// The blocks of the Cyrillic and the Arabic script.
const LETTERS: std::ops::Range<u32> = 0x400..0x700;

/// The letters of our scripts that are not ASCII, and the words, of a text, in lower case.
struct Counts<'a> {
    /// By their place in [`LETTERS`].
    letters: Vec<usize>,
    words: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Counts<'a> {
    fn of(text: &'a str) -> Self {
        let mut counts = Self {
            letters: vec![0; LETTERS.len()],
            words: HashMap::new(),
        };
        for word in words(text) {
            for c in word.chars() {
                if let Some(count) = place(c).and_then(|at| counts.letters.get_mut(at)) {
                    *count += usize::from(is_letter(c));
                }
            }
            *counts.words.entry(word).or_insert(0) += 1;
        }
        counts
    }

    fn letter(&self, letter: char) -> usize {
        let count = place(letter).and_then(|at| self.letters.get(at));
        count.copied().unwrap_or(0)
    }

    /// How many letters of the text are among `letters`.
    fn letters(&self, letters: &str) -> usize {
        letters.chars().map(|letter| self.letter(letter)).sum()
    }

    /// How many words of the text are in `list` and not in `but_not`.
    fn words(&self, list: &WordList, but_not: &WordList) -> usize {
        let own = list
            .words
            .iter()
            .filter(|word| !but_not.set.contains(*word));
        own.filter_map(|word| self.words.get(*word)).sum()
    }
}

/// The place of a letter in [`LETTERS`].
fn place(letter: char) -> Option<usize> {
    let code = u32::from(letter);
    LETTERS
        .contains(&code)
        .then(|| usize::try_from(code - LETTERS.start).ok())?
}

/// Words in a row, and to be looked up.
struct WordList {
    words: Vec<&'static str>,
    set: HashSet<&'static str>,
}

impl WordList {
    fn of(text: &'static str) -> Self {
        Self {
            words: text.split(' ').collect(),
            set: text.split(' ').collect(),
        }
    }
}

/// One of our languages and those it is weighed against.
struct Family {
    words: WordList,
    neighbours: Vec<(&'static Neighbour, WordList)>,
}

impl Family {
    fn of(words: &'static str, neighbours: &'static [Neighbour]) -> Self {
        let neighbours = neighbours.iter();
        Self {
            words: WordList::of(words),
            neighbours: neighbours
                .map(|neighbour| (neighbour, WordList::of(neighbour.words)))
                .collect(),
        }
    }
}

static ARABIC: LazyLock<Family> = LazyLock::new(|| Family::of(ARABIC_WORDS, ARABIC_NEIGHBOURS));
static RUSSIAN: LazyLock<Family> = LazyLock::new(|| Family::of(RUSSIAN_WORDS, CYRILLIC_NEIGHBOURS));

/// A count as a number to calculate with; exact far beyond any text.
fn number(count: usize) -> f64 {
    count as f64
}

/// What speaks for our languages before a text is looked at: they are what users have.
const PRIOR: f64 = 0.8;

/// Weighs our language against its neighbours, in natural logarithms of odds: a neighbour's name
/// where one outweighs ours, and the certainty. `more` is further evidence for ours.
fn decide(
    counts: &Counts<'_>,
    family: &Family,
    more: impl Fn(&Counts<'_>, &Neighbour) -> f64,
) -> (Option<&'static str>, f64) {
    let mut least = (f64::INFINITY, "");
    for (neighbour, words) in &family.neighbours {
        let own = 2.5 * number(counts.letters(neighbour.lacks))
            + 1.2 * number(counts.words(&family.words, words));
        let foreign = 2.5 * number(counts.letters(neighbour.letters))
            + 1.5 * number(counts.words(words, &family.words));
        let evidence = PRIOR + own - foreign + more(counts, neighbour);
        if evidence < least.0 {
            least = (evidence, neighbour.name);
        }
    }
    let certainty = 1.0 / (1.0 + (-least.0.abs() * 0.7).exp());
    if least.0 < 0.0 {
        (Some(least.1), certainty)
    } else {
        (None, certainty)
    }
}
