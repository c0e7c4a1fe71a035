//! The length of a translation beside that of its source.

use super::measure::{letters, unsteadiness, weight};
use super::missing::{self, Missing, Pair, Signs};
use crate::language::Language;

/// Letters and digits that a text is taken to have more than it has, so that titles and captions
/// are judged mildly.
const SMOOTHING: f64 = 3.0;

/// How the length of a translation is out of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Missing(Missing),
    TooLong,
}

/// Letters of a source, and the logarithm of the ratio of lengths, that of the translation over that
/// of the source.
fn compare(
    (source, from): (&str, Option<Language>),
    (target, to): (&str, Option<Language>),
) -> (f64, f64) {
    let read = letters(source) + SMOOTHING;
    let ratio = ((letters(target) + SMOOTHING) * weight(to)).ln() - (read * weight(from)).ln();
    (read, ratio)
}

/// The signs of what may be missing, for fitting their weights.
pub(super) fn signs(source: &str, from: Language, target: &str, to: Language) -> Vec<Signs> {
    let pair = Pair {
        source,
        from,
        target,
        to,
    };
    let (read, ratio) = compare((source, Some(from)), (target, Some(to)));
    let stories = missing::stories(pair, ratio, read).into_iter();
    stories.map(|story| story.signs).collect()
}

/// Judges the length of a translation by that of its source, in letters and digits, and by what else
/// says that part of the source is missing.
///
/// The bounds are where translations by people, between news in these languages, do not go; short
/// texts vary more.
pub(super) fn judge(
    (source, from): (&str, Option<Language>),
    (target, to): (&str, Option<Language>),
) -> Option<Length> {
    let (read, ratio) = compare((source, from), (target, to));
    let known = from.zip(to);
    // Two languages that are not known may be any.
    let spread = known.map_or(2.0, |(from, to)| unsteadiness(from, to));
    let bound = spread * (MOST + SHORT_TEXTS / read.sqrt());
    if ratio > bound {
        return Some(Length::TooLong);
    }
    match known {
        Some((from, to)) => {
            let pair = Pair {
                source,
                from,
                target,
                to,
            };
            missing::judge(pair, ratio, read).map(Length::Missing)
        }
        None => (ratio < -bound).then_some(Length::Missing(Missing::TooShort)),
    }
}

const MOST: f64 = 0.5;
const SHORT_TEXTS: f64 = 2.8;
