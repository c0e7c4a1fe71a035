//! The length of a translation beside that of its source.

use super::missing::{self, Missing};
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

/// Letters and digits of a text, in letters of English: how long the same content is in the
/// languages, over many texts.
fn weight(language: Option<Language>) -> f64 {
    match language {
        Some(Language::Arabic) => 1.11,
        Some(Language::Russian) => 0.89,
        Some(Language::English) | None => 1.0,
    }
}

/// Letters and digits of a text.
pub(super) fn letters(text: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "letters of a text")]
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count() as f64;
    letters
}

/// How much more lengths vary between two languages than between English and Russian: headlines
/// above all, as Arabic spells out what others abbreviate.
pub(super) fn unsteadiness(from: Language, to: Language) -> f64 {
    if from == Language::Arabic || to == Language::Arabic {
        1.1
    } else {
        1.0
    }
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
    let read = letters(source) + SMOOTHING;
    let ratio = ((letters(target) + SMOOTHING) * weight(to)).ln() - (read * weight(from)).ln();
    let known = from.zip(to);
    // Two languages that are not known may be any.
    let spread = known.map_or(2.0, |(from, to)| unsteadiness(from, to));
    let bound = spread * (MOST + SHORT_TEXTS / read.sqrt());
    if ratio > bound {
        return Some(Length::TooLong);
    }
    match known {
        Some((from, to)) => {
            missing::judge((source, from), (target, to), ratio, read).map(Length::Missing)
        }
        None => (ratio < -bound).then_some(Length::Missing(Missing::TooShort)),
    }
}

const MOST: f64 = 0.38;
const SHORT_TEXTS: f64 = 2.2;
