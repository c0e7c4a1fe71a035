//! How long a text is: its letters and digits, and what they are worth in each language.

use crate::language::Language;

/// Letters and digits of a text.
pub(super) fn letters(text: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "letters of a text")]
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count() as f64;
    letters
}

/// Letters of English that a letter of the language is worth: how long the same content is in the
/// languages, over many texts.
pub(super) fn weight(language: Option<Language>) -> f64 {
    match language {
        Some(Language::Arabic) => 1.11,
        Some(Language::Russian) => 0.89,
        Some(Language::English) | None => 1.0,
    }
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
