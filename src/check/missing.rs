//! Whether part of the source has no counterpart in its translation: a sentence that was dropped, an
//! end that was cut off.
//!
//! No single sign tells: lengths vary, sentences are joined, names are declined. So the signs are
//! weighed together. There are many stories of what is missing: each run of sentences, and the end
//! from each of several places on. A story's score is the sum of its signs by their weights, and all
//! stories together are held against the one that nothing is missing. [`WEIGHTS`] are fitted to
//! translations by people, whole and with parts taken out (`cargo run --example guards -- SET… --fit`).

use super::anchors::{Anchor, Kind, anchors};
use super::endings::{End, count, is_open, leads_on};
use super::measure::{letters, unsteadiness};
use crate::language::Language;
use crate::segment::{char_boundary, sentences};

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
/// How much of a cut source may have been translated.
const CUTS: [f64; 6] = [0.35, 0.45, 0.55, 0.65, 0.75, 0.85];
/// Letters that a sentence has at least, so that it is missed.
const SHORTEST_SENTENCE: f64 = 8.0;
/// Sentences up to which runs of them are looked at; of longer texts, single ones.
const MOST_FOR_RUNS: usize = 6;

/// How many signs a story has.
pub const SIGNS: usize = 36;

/// The signs of one story, in the order of [`WEIGHTS`].
pub type Signs = [f64; SIGNS];

/// What each sign adds to the score of a story: between English and another language, and between
/// Arabic and Russian, where translations are freer and names harder to find.
pub const WEIGHTS: [Signs; 2] = [
    [
        -1.929, 0.646, 1.357, 1.418, 1.583, -2.767, 0.202, 2.371, -1.087, 0.374, -0.227, 1.589,
        1.629, 1.263, 0.426, -0.390, 0.856, -0.305, -0.044, -0.788, 0.374, -0.977, -0.267, 0.103,
        -5.015, -0.001, -3.647, -2.692, -0.001, -5.607, -1.197, 0.049, 0.316, 0.808, 1.712, -0.827,
    ],
    [
        -1.642, 0.614, 1.252, 1.301, 1.541, -2.764, 0.000, 2.800, -1.946, 1.071, -0.916, 1.487,
        1.813, 1.635, 0.743, -0.580, 0.685, 0.153, -0.000, -0.817, 0.384, -1.128, -0.378, 0.077,
        -0.001, -5.575, -0.001, -0.001, -6.609, -0.001, -1.156, 1.125, 0.247, 0.841, 1.551, -0.297,
    ],
];

// Places in `Signs`.
const TOO_SHORT: usize = 0;
const SHORTNESS: usize = 1;
const SENTENCE: usize = 2;
const SENTENCE_LENGTH: usize = 3;
const FEWER_SENTENCES: usize = 4;
/// The end, by how the source ends and how the translation does.
const END: usize = 5;
const END_LENGTH: usize = 11;
const LEADS_ON: usize = 12;
const ENDS_IN_COMMA: usize = 13;
const LEFT_OPEN: usize = 14;
/// Anchors of the part, found and missing, by kind.
const ANCHORS: usize = 15;
/// How many anchors of the part would be missing if it were translated as freely as the rest.
const FREEDOM: usize = 23;
/// The direction.
const DIRECTION: usize = 24;
/// How many anchors of all are missing, for the story that all is too short.
const ALL_MISSING: usize = 30;
/// All of it is one sentence and none has an end, as in headlines.
const HEADLINE: usize = 31;

/// How much better anchors stand where they would without the part.
const PLACES: usize = 32;

/// How much better the count of quotation marks, parentheses and questions fits without the part.
const MARKS: usize = 33;
/// As many sentences fewer as the part has.
const AS_MANY_FEWER: usize = 34;
/// How many sentences fewer there are than without the part.
const TOO_FEW: usize = 35;

/// A story of what is missing.
pub(super) struct Story {
    missing: Missing,
    pub(super) signs: Signs,
}

/// A source and its translation, with their languages.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) source: &'a str,
    pub(super) from: Language,
    pub(super) target: &'a str,
    pub(super) to: Language,
}

/// What of the source has no counterpart; `ratio` is the logarithm of the ratio of lengths, that of
/// the translation over that of the source, `read` is letters of the source.
pub(super) fn judge(pair: Pair<'_>, ratio: f64, read: f64) -> Option<Missing> {
    let weights = WEIGHTS[group(direction(pair.from, pair.to))];
    let scored = stories(pair, ratio, read).into_iter().map(|story| {
        let score: f64 = story.signs.iter().zip(weights).map(|(a, b)| a * b).sum();
        (story.missing, score)
    });
    let scored: Vec<(Missing, f64)> = scored.collect();
    let odds: f64 = scored.iter().map(|(_, score)| score.exp()).sum();
    let best = scored.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (odds > 1.0).then_some(best.0)
}

/// The stories that may be told of a translation.
pub(super) fn stories(pair: Pair<'_>, ratio: f64, read: f64) -> Vec<Story> {
    let parts: Vec<&str> = sentences(pair.source, pair.from)
        .into_iter()
        .filter_map(|range| pair.source.get(range))
        .collect();
    let (from, to) = (pair.from, pair.to);
    let spread = unsteadiness(from, to) * (SPREAD.0 * SPREAD.0 + SPREAD.1 * SPREAD.1 / read).sqrt();
    // How likely a ratio is about which an expected one varies; heavy tails, as translators are free.
    let likelihood = |ratio: f64| -2.5 * ((ratio / spread).powi(2) / 4.0).ln_1p();
    let fits = |rest: f64| likelihood(ratio - rest.ln()) - likelihood(ratio);
    let anchors = anchors(&parts, from, pair.target, to);
    let mut stories = Vec::new();
    let mut tell = |missing, set: &dyn Fn(&mut Signs)| {
        let mut signs = [0.0; SIGNS];
        signs[DIRECTION + direction(from, to)] = 1.0;
        set(&mut signs);
        stories.push(Story { missing, signs });
    };
    tell(Missing::TooShort, &|signs| {
        signs[TOO_SHORT] = 1.0;
        signs[SHORTNESS] = -ratio / spread;
        let missing: f64 = anchors.iter().map(|anchor| 1.0 - anchor.found).sum();
        signs[ALL_MISSING] = missing / (anchors.len() as f64).max(1.0).sqrt();
    });
    let written = sentences(pair.target, to).into_iter();
    let written: Vec<&str> = written.filter_map(|range| pair.target.get(range)).collect();
    let fewer = count(&parts).saturating_sub(count(&written));
    for run in runs(parts.len()) {
        let here: f64 = parts[run.clone()].iter().map(|part| letters(part)).sum();
        let rest = 1.0 - here / read;
        let start = parts[..run.start]
            .iter()
            .map(|part| letters(part))
            .sum::<f64>()
            / read;
        if here >= SHORTEST_SENTENCE && rest > 0.03 {
            tell(Missing::Sentence, &|signs| {
                signs[SENTENCE] = 1.0;
                signs[SENTENCE_LENGTH] = fits(rest);
                signs[FEWER_SENTENCES] = f64::from(u8::from(fewer > 0));
                signs[AS_MANY_FEWER] = f64::from(u8::from(fewer == run.len()));
                signs[TOO_FEW] = run.len().abs_diff(fewer) as f64;
                let text = parts[run.clone()].concat();
                signs[MARKS] = marks(pair, &text);
                weigh_anchors(&anchors, |anchor| run.contains(&anchor.sentence), signs);
                let part = (start, start + here / read);
                signs[PLACES] = places(&anchors, part);
            });
        }
    }
    let (here, there) = (End::of(pair.source), End::of(pair.target));
    let leads = leads_on(pair.target, to) && !leads_on(pair.source, from);
    let is_headline = parts.len() == 1 && here == End::Word && there == End::Word;
    for cut in CUTS {
        tell(Missing::End, &|signs| {
            signs[END + ending(here, there)] = 1.0;
            signs[END_LENGTH] = fits(cut);
            signs[LEADS_ON] = f64::from(u8::from(leads));
            signs[ENDS_IN_COMMA] = f64::from(u8::from(there == End::Comma && here != End::Comma));
            signs[LEFT_OPEN] = f64::from(u8::from(is_open(pair.target) && !is_open(pair.source)));
            signs[HEADLINE] = f64::from(u8::from(is_headline));
            weigh_anchors(&anchors, |anchor| anchor.place > cut, signs);
            signs[PLACES] = places(&anchors, (cut, 1.0));
            signs[MARKS] = marks(pair, behind(pair.source, cut));
        });
    }
    stories
}

/// The runs of sentences that may be missing.
fn runs(sentences: usize) -> Vec<std::ops::Range<usize>> {
    let longest = match sentences {
        0 | 1 => 0,
        _ if sentences <= MOST_FOR_RUNS => sentences - 1,
        _ => 1,
    };
    (0..sentences)
        .flat_map(|start| (1..=longest).map(move |length| start..start + length))
        .filter(|run| run.end <= sentences)
        .collect()
}

/// How the end of a source and that of its translation go together.
fn ending(source: End, target: End) -> usize {
    match (source, target) {
        (End::Stop, End::Stop) => 0,
        (End::Stop, End::Closed) => 1,
        (End::Stop, End::Word | End::Comma) => 2,
        (End::Closed, End::Stop | End::Closed) => 3,
        (End::Closed, End::Word | End::Comma) => 4,
        (End::Word | End::Comma, _) => 5,
    }
}

/// The number of a direction.
pub(super) fn direction(from: Language, to: Language) -> usize {
    use Language::{Arabic, English, Russian};
    match (from, to) {
        (Arabic, English) => 0,
        (Arabic, _) => 1,
        (English, Arabic) => 2,
        (English, _) => 3,
        (Russian, Arabic) => 4,
        (Russian, _) => 5,
    }
}

/// Which of [`WEIGHTS`] are those of a direction.
pub fn group(direction: usize) -> usize {
    usize::from(matches!(direction, 1 | 4))
}

/// Counts the anchors of a part, found and missing.
fn weigh_anchors(anchors: &[Anchor], is_part: impl Fn(&Anchor) -> bool, signs: &mut Signs) {
    let (mut here, mut rest, mut rest_missing) = (0.0, 0.0, 0.0);
    for anchor in anchors {
        if is_part(anchor) {
            let place = ANCHORS
                + 2 * match anchor.kind {
                    Kind::Name => 0,
                    Kind::Sound => 1,
                    Kind::Notion => 2,
                    Kind::Number => 3,
                };
            signs[place] += anchor.found;
            signs[place + 1] += 1.0 - anchor.found;
            here += 1.0;
        } else {
            rest += 1.0;
            rest_missing += 1.0 - anchor.found;
        }
    }
    signs[FREEDOM] = here * (rest_missing + 0.5) / (rest + 1.0);
}

/// The part of a text from a share of its characters on.
fn behind(text: &str, share: f64) -> &str {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length"
    )]
    let at = (text.len() as f64 * share) as usize;
    &text[char_boundary(text, at)..]
}

/// How much better the marks that translations keep fit without a part.
fn marks(pair: Pair<'_>, part: &str) -> f64 {
    const KEPT: [&[char]; 4] = [
        &['"', '«', '»', '“', '”', '„'],
        &['(', ')'],
        &['?', '؟'],
        &['!'],
    ];
    let gain = |kept: &&[char]| {
        let count = |text: &str| text.chars().filter(|c| kept.contains(c)).count() as f64;
        let surplus = count(pair.source) - count(pair.target);
        (surplus.abs() - (surplus - count(part)).abs()).clamp(-2.0, 2.0)
    };
    KEPT.iter().map(gain).sum()
}

/// How much nearer anchors stand to where they would if a part, given as shares of the letters, were
/// missing than to where they would in a whole translation.
fn places(anchors: &[Anchor], part: (f64, f64)) -> f64 {
    let rest = (1.0 - (part.1 - part.0)).max(0.05);
    let moved = |place: f64| match place {
        _ if place < part.0 => place / rest,
        _ if place > part.1 => (place - (part.1 - part.0)) / rest,
        _ => part.0 / rest,
    };
    let gain = |anchor: &Anchor| {
        let there = anchor.there?;
        let (whole, without) = (anchor.place - there, moved(anchor.place) - there);
        Some((whole.abs() - without.abs()).clamp(-0.3, 0.3) / 0.1)
    };
    anchors.iter().filter_map(gain).sum()
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
