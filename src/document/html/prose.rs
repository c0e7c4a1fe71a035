//! Which blocks run as the paragraphs of articles do.

use super::super::clutter::Clutter;
use super::super::lines;
use super::tree::TextBlock;

/// The words of a text, in small letters.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Whether a block runs as the paragraphs of articles do.
pub(super) fn is_prose(block: &TextBlock) -> bool {
    let length = block.length();
    let enough = if block.place.paragraph { 40 } else { 80 };
    !block.place.outside
        && block.place.heading.is_none()
        && length >= enough
        && block.clutter != Some(Clutter::Consent)
        && block.linked * 2 < length
        && (lines::ends_sentence(&block.text) || length >= 120)
}
