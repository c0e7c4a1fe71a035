//! Parts of the source that stand untranslated in the output.

use crate::language::{Language, ScriptProfile};

/// Words in a row from which on a copy is no name.
const COPIED_WORDS: usize = 4;

/// Whether the source, or a stretch of it, was copied where it should have been translated.
///
/// Without both languages only a copy of the whole of a longer text is one.
pub(super) fn is_copied(
    source: &str,
    target: &str,
    from: Option<Language>,
    to: Option<Language>,
) -> bool {
    let here = words(source);
    let there = words(target);
    let (Some(from), Some(to)) = (from, to) else {
        return here == there && here.iter().filter(|word| is_common(word)).count() >= 3;
    };
    if from == to {
        return false;
    }
    // Names of organisations and works stay in Latin letters; in other scripts nothing does.
    let whole = here == there && ScriptProfile::of(source).share(to) < 0.5;
    let longest = longest_copy(&here, &there, from);
    whole && here.iter().any(|word| is_common(word)) || longest
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().any(char::is_alphabetic))
        .collect()
}

/// Whether a word is no name and no abbreviation: in the scripts with capital letters, those in
/// small ones.
fn is_common(word: &str) -> bool {
    word.chars().count() > 1 && !word.chars().next().is_some_and(char::is_uppercase)
}

/// Whether a stretch of the source's script stands in both, of which some words are no names.
fn longest_copy(here: &[&str], there: &[&str], from: Language) -> bool {
    let is_foreign = |word: &str| ScriptProfile::of(word).share(from) > 0.5;
    for start in 0..there.len() {
        if !is_foreign(there[start]) || (start > 0 && is_foreign(there[start - 1])) {
            continue;
        }
        let run = there[start..]
            .iter()
            .take_while(|word| is_foreign(word))
            .count();
        if run < COPIED_WORDS {
            continue;
        }
        let run = &there[start..start + run];
        let copied = here.windows(COPIED_WORDS).any(|stretch| {
            run.windows(COPIED_WORDS).any(|words| words == stretch)
                && stretch.iter().filter(|word| is_common(word)).count() >= 2
        });
        if copied {
            return true;
        }
    }
    false
}
