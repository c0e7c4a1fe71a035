//! Whether a translation is far shorter or longer than translations between two languages are.

use crate::language::Language;
use crate::segment::sentences;

/// Letters and digits that a text is taken to have more than it has, so that titles and captions
/// are judged mildly.
const SMOOTHING: f64 = 3.0;

/// How the length of a translation is out of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    TooShort,
    TooLong,
    /// There are fewer sentences than in the source, and it is short.
    SentenceDropped,
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

fn letters(text: &str) -> f64 {
    text.chars().filter(|c| c.is_alphanumeric()).count() as f64
}

/// Judges the length of a translation by that of its source, in letters and digits.
///
/// The bounds are where translations by people, between news in these languages, do not go; short
/// texts vary more.
pub(super) fn judge(
    (source, from): (&str, Option<Language>),
    (target, to): (&str, Option<Language>),
) -> Option<Length> {
    let read = letters(source);
    let ratio = ((letters(target) + SMOOTHING) * weight(to)).ln()
        - ((read + SMOOTHING) * weight(from)).ln();
    let spread = match (from, to) {
        // They may be any.
        (None, _) | (_, None) => 2.0,
        // Headlines above all: Arabic spells out what others abbreviate.
        (Some(Language::Arabic), _) | (_, Some(Language::Arabic)) => 1.1,
        _ => 1.0,
    };
    let lowest = -spread * (LOWEST + SHORT_TEXTS / (read + SMOOTHING).sqrt());
    let highest = spread * (HIGHEST + SHORT_TEXTS / (read + SMOOTHING).sqrt());
    if ratio < lowest {
        return Some(Length::TooShort);
    }
    if ratio > highest {
        return Some(Length::TooLong);
    }
    // A cut text has no end; a text of its own may have none on purpose.
    if ratio < -spread * ENDLESS && is_ended(source) && !is_ended(target) {
        return Some(Length::TooShort);
    }
    if ratio < -spread * (DROPPED + SHORT_TEXTS / (read + SMOOTHING).sqrt())
        && let (Some(from), Some(to)) = (from, to)
    {
        let count = |text: &str, language| sentences(text, language).len();
        let here = count(source, from);
        if here > 1 && count(target, to) < here {
            return Some(Length::SentenceDropped);
        }
    }
    None
}

const LOWEST: f64 = 0.36;
const HIGHEST: f64 = 0.38;
const SHORT_TEXTS: f64 = 2.2;
const DROPPED: f64 = 0.14;
const ENDLESS: f64 = 0.26;

/// Whether a text ends as a sentence does.
fn is_ended(text: &str) -> bool {
    text.trim_end().ends_with([
        '.', '!', '?', '…', '؟', ':', ')', ']', '"', '\'', '»', '”', '’', '“',
    ])
}
