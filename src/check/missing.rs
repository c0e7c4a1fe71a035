//! Whether part of the source has no counterpart in its translation: a sentence that was dropped, an
//! end that was cut off.
//!
//! No single sign tells: lengths vary, sentences are joined, names are declined. So the signs are
//! weighed together. For each sentence of the source, and for several places at which it may have
//! been cut, two stories are compared: that everything was translated, and that this part was not.
//! Each sign adds the logarithm of how much likelier it is under the second story. The weights were
//! fitted to translations of news and of encyclopedic text by people, whole and with parts taken
//! out, so that about one whole translation in 200 is suspected.

use super::measure::{letters, unsteadiness};
use super::names::is_capital;
use super::skeleton::{self, Skeletons};
use crate::language::{Language, ScriptProfile};
use crate::segment::sentences;

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is far too short for all of the source.
    TooShort,
    /// The end of the source.
    End,
    /// A sentence of the source.
    Sentence,
}

/// Spread of the logarithm of the ratio of lengths: of long texts, and what is added for short ones,
/// by the root of their letters.
const SPREAD: (f64, f64) = (0.186, 0.69);
/// A name of the part is there, or is not.
const NAME_FOUND: f64 = -0.56;
const NAME_MISSING: f64 = 0.45;
/// Another word of the part is there as a borrowed word, or is not.
const WORD_FOUND: f64 = -0.42;
const WORD_MISSING: f64 = 0.04;
/// There are fewer sentences than in the source, or there are not.
const FEWER_SENTENCES: f64 = 0.12;
const AS_MANY_SENTENCES: f64 = -1.98;
/// Source and translation end as sentences do, only the source does, or the source does not.
const BOTH_END: f64 = -7.3;
const ONLY_SOURCE_ENDS: f64 = -0.58;
const SOURCE_HAS_NO_END: f64 = -2.75;
/// The last word is one that another follows.
const LAST_WORD_LEADS_ON: f64 = 6.0;
/// Too short for anything: how often, and by the spread.
const SHORT: (f64, f64) = (-5.46, 1.41);
/// How much of a cut source may have been translated.
const CUTS: [f64; 6] = [0.35, 0.45, 0.55, 0.65, 0.75, 0.85];
/// Letters that a sentence has at least, so that it is missed.
const SHORTEST_SENTENCE: f64 = 8.0;

/// How likely parts are to be missing between two languages, before any sign: Russian news is split
/// into more sentences than what it is translated to.
fn prior(from: Language, to: Language) -> f64 {
    use Language::{Arabic, English, Russian};
    match (from, to) {
        (English, Russian) => 1.27,
        (Arabic, English) => 0.13,
        (English, Arabic) => 0.07,
        (Arabic, Russian) => -0.09,
        (Russian, English) => -0.71,
        (Russian, Arabic) => -0.78,
        _ => 0.0,
    }
}

/// A word of the source that may be found again in the other script.
struct Anchor {
    sentence: usize,
    /// Where it stands, as a share of the letters.
    place: f64,
    is_name: bool,
    is_found: bool,
}

/// What of the source has no counterpart; `ratio` is the logarithm of the ratio of lengths, that of
/// the translation over that of the source, `read` is letters of the source.
pub(super) fn judge(
    (source, from): (&str, Language),
    (target, to): (&str, Language),
    ratio: f64,
    read: f64,
) -> Option<Missing> {
    let parts: Vec<&str> = sentences(source, from)
        .into_iter()
        .filter_map(|range| source.get(range))
        .collect();
    let spread = unsteadiness(from, to) * (SPREAD.0 * SPREAD.0 + SPREAD.1 * SPREAD.1 / read).sqrt();
    // How likely a ratio is about which an expected one varies; heavy tails, as translators are free.
    let likelihood = |ratio: f64| -2.5 * ((ratio / spread).powi(2) / 4.0).ln_1p();
    let whole = likelihood(ratio);
    let anchors = anchors(&parts, from, target, to);
    let found = |is_part: &dyn Fn(&Anchor) -> bool| -> f64 {
        let weigh = |anchor: &Anchor| match (anchor.is_name, anchor.is_found) {
            (true, true) => NAME_FOUND,
            (true, false) => NAME_MISSING,
            (false, true) => WORD_FOUND,
            (false, false) => WORD_MISSING,
        };
        anchors
            .iter()
            .filter(|anchor| is_part(anchor))
            .map(weigh)
            .sum()
    };
    let mut best = (SHORT.0 - SHORT.1 * ratio / spread, Missing::TooShort);
    let mut suspect = |score: f64, missing| {
        if score > best.0 {
            best = (score, missing);
        }
    };
    if parts.len() > 1 {
        let written: Vec<&str> = sentences(target, to)
            .into_iter()
            .filter_map(|range| target.get(range))
            .collect();
        let sign = if count(&written) < count(&parts) {
            FEWER_SENTENCES
        } else {
            AS_MANY_SENTENCES
        };
        for (at, part) in parts.iter().enumerate() {
            let here = letters(part);
            let rest = 1.0 - here / read;
            if here >= SHORTEST_SENTENCE && rest > 0.03 {
                let score = likelihood(ratio - rest.ln()) - whole
                    + found(&|anchor| anchor.sentence == at)
                    + sign;
                suspect(score, Missing::Sentence);
            }
        }
    }
    let has_end = is_ended(target);
    let mut sign = match (is_ended(source), has_end) {
        (true, true) => BOTH_END,
        (true, false) => ONLY_SOURCE_ENDS,
        (false, _) => SOURCE_HAS_NO_END,
    };
    if !has_end && leads_on(target, to) && !leads_on(source, from) {
        sign += LAST_WORD_LEADS_ON;
    }
    for cut in CUTS {
        let score =
            likelihood(ratio - cut.ln()) - whole + found(&|anchor| anchor.place > cut) + sign;
        suspect(score, Missing::End);
    }
    (best.0 + prior(from, to) > 0.0).then_some(best.1)
}

/// Sentences that end with a mark, and what comes last: what a dash leads to after a quotation is no
/// sentence in other languages.
fn count(parts: &[&str]) -> usize {
    let ends = |part: &str| {
        part.trim_end_matches(|c: char| c.is_whitespace() || CLOSING.contains(c))
            .ends_with(['.', '!', '?', '…', '؟', '۔'])
    };
    let begins = |part: &str| !part.starts_with(['-', '–', '—', '―']);
    1 + parts
        .windows(2)
        .filter(|pair| ends(pair[0]) && begins(pair[1]))
        .count()
}

const CLOSING: &str = "\"'»”’“)]}\u{200e}\u{200f}";

/// Whether a text ends as a sentence does.
fn is_ended(text: &str) -> bool {
    text.trim_end().ends_with([
        '.', '!', '?', '…', '؟', ':', ')', ']', '"', '\'', '»', '”', '’', '“',
    ])
}

/// Whether the last word is one that another always follows.
fn leads_on(text: &str, language: Language) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    let last = last
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    let words: &[&str] = match language {
        Language::English => &[
            "the", "a", "an", "of", "to", "in", "on", "at", "by", "for", "with", "and", "or",
            "but", "that", "from", "as", "is", "are", "was", "were", "be", "been", "his", "her",
            "its", "their", "this", "which", "who", "into", "than",
        ],
        Language::Russian => &[
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
            "и",
            "а",
            "но",
            "или",
            "что",
            "как",
            "не",
            "который",
            "которая",
            "которые",
            "чем",
            "если",
        ],
        Language::Arabic => &[
            "في",
            "من",
            "على",
            "إلى",
            "الى",
            "عن",
            "مع",
            "أن",
            "ان",
            "التي",
            "الذي",
            "الذين",
            "بين",
            "بعد",
            "قبل",
            "أو",
            "او",
            "لا",
            "لم",
            "لن",
            "ما",
            "كان",
            "كانت",
            "هذا",
            "هذه",
            "خلال",
            "حتى",
            "و",
            "ثم",
        ],
    };
    words.contains(&last.as_str())
}

/// Words in order, with the letters and digits before each.
fn words(text: &str) -> impl Iterator<Item = (f64, &str)> {
    let mut read = 0.0;
    text.split_inclusive(|c: char| !c.is_alphabetic() && !matches!(c, '\'' | '’'))
        .map(move |piece| {
            let before = read;
            read += letters(piece);
            (before, piece.trim_matches(|c: char| !c.is_alphabetic()))
        })
        .filter(|(_, word)| !word.is_empty())
}

/// The words of the source that may be found again, and whether they are.
fn anchors(parts: &[&str], from: Language, target: &str, to: Language) -> Vec<Anchor> {
    let (mut names, mut others) = (Skeletons::default(), Skeletons::default());
    for (_, word) in words(target).filter(|(_, word)| word.chars().nth(2).is_some()) {
        let may_be_name =
            to == Language::Arabic || is_capital(word) || ScriptProfile::of(word).share(to) < 0.5;
        for form in skeleton::forms(word) {
            if may_be_name {
                names.add(form.clone());
            }
            if form.len() >= 3 {
                others.add(form);
            }
        }
    }
    let all: f64 = parts.iter().map(|part| letters(part)).sum();
    let mut anchors = Vec::new();
    let mut before = 0.0;
    for (sentence, part) in parts.iter().enumerate() {
        for (at, (ahead, word)) in words(part).enumerate() {
            // The first word has its capital anyway; Arabic has none.
            let is_name = from != Language::Arabic
                && at > 0
                && is_capital(word)
                && word.chars().nth(3).is_some();
            let forms = skeleton::forms(word);
            let is_found = if is_name && forms[0].len() >= 2 {
                forms.iter().any(|form| names.have(form))
            } else if !is_name && forms[0].len() >= 4 {
                forms
                    .iter()
                    .any(|form| form.len() >= 3 && others.have(form))
            } else {
                continue;
            };
            anchors.push(Anchor {
                sentence,
                place: (before + ahead) / all.max(1.0),
                is_name,
                is_found,
            });
        }
        before += letters(part);
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::kinds;

    #[test]
    fn what_is_missing_is_seen() {
        use Language::{Arabic, English, Russian};
        let first =
            "The council of Port Marlow approved the new harbour bridge on Tuesday evening.";
        let second =
            "Mayor Anna Weber said that the work would begin before the end of the summer.";
        let both = format!("{first} {second}");
        let ru = [
            "Совет Порт-Марлоу одобрил во вторник вечером строительство нового моста в гавани.",
            "Мэр Анна Вебер сказала, что работы начнутся до конца лета.",
        ];
        let ar = [
            "وافق مجلس بورت مارلو مساء الثلاثاء على إنشاء الجسر الجديد في الميناء.",
            "وقالت رئيسة البلدية آنا فيبر إن العمل سيبدأ قبل نهاية الصيف.",
        ];
        for (to, target) in [(Russian, ru), (Arabic, ar)] {
            assert!(kinds(&both, &target.join(" "), English, to).is_empty());
            for kept in target {
                assert_eq!(
                    kinds(&both, kept, English, to),
                    ["sentence_dropped"],
                    "{kept}"
                );
            }
            for (source, target) in [first, second].into_iter().zip(target) {
                assert!(kinds(source, target, English, to).is_empty());
                assert!(kinds(target, source, to, English).is_empty());
                let half: Vec<&str> = target.split(' ').collect();
                let half = half[..half.len() / 2].join(" ");
                assert_eq!(kinds(source, &half, English, to), ["too_short"], "{half}");
            }
        }
        // Two sentences that are translated as one.
        let joined = "Совет Порт-Марлоу одобрил во вторник вечером строительство нового моста в \
                      гавани, и мэр Анна Вебер сказала, что работы начнутся до конца лета.";
        assert!(kinds(&both, joined, English, Russian).is_empty());
    }
}
