//! Parts a text into words, in lower case.

use std::borrow::Cow;

use super::script::is_letter;

/// The words of a text, in lower case.
pub(super) fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split(|c: char| {
        !(is_letter(c) || c.is_alphanumeric() || matches!(c, '\u{64B}'..='\u{65F}'))
    })
    .filter(|word| !word.is_empty())
    .map(|word| {
        if word.chars().any(char::is_uppercase) {
            Cow::Owned(word.to_lowercase())
        } else {
            Cow::Borrowed(word)
        }
    })
}
