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
    // `(from English: Member of the Welsh Parliament)` explains what was translated.
    let explained = without_parentheses(target);
    let there = words(target);
    let in_capitals = is_in_capitals(&here);
    let is_common = |word: &str| is_common(word, in_capitals);
    let (Some(from), Some(to)) = (from, to) else {
        return here == there && here.iter().filter(|word| is_common(word)).count() >= 3;
    };
    if from == to {
        return false;
    }
    // Names of organisations and works stay in Latin letters; in other scripts nothing does.
    let whole = here == there && ScriptProfile::of(source).share(to) < 0.5;
    let longest = longest_copy(&here, &words(&explained), from, &is_common);
    whole && here.iter().any(|word| is_common(word)) || longest
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().any(char::is_alphabetic))
        .collect()
}

/// A text without what stands in parentheses; all of it where most does.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let rest: String = text
        .chars()
        .filter(|c| {
            depth += usize::from(*c == '(');
            let is_outside = depth == 0;
            depth = depth.saturating_sub(usize::from(*c == ')'));
            is_outside
        })
        .collect();
    if depth > 0 || rest.len() * 2 < text.len() {
        return text.to_owned();
    }
    rest
}

/// Whether a word is no name and no abbreviation: in the scripts with capital letters, those in
/// small ones; in a line of capitals, those of three letters or more.
fn is_common(word: &str, in_capitals: bool) -> bool {
    if in_capitals {
        return word.chars().nth(2).is_some();
    }
    word.chars().count() > 1 && !word.chars().next().is_some_and(char::is_uppercase)
}

/// Whether a text of at least three words is all in capital letters.
fn is_in_capitals(words: &[&str]) -> bool {
    words.len() >= 3
        && words
            .iter()
            .all(|word| word.chars().all(char::is_uppercase))
}

/// Whether a stretch of the source's script stands in both, of which some words are no names.
fn longest_copy(
    here: &[&str],
    there: &[&str],
    from: Language,
    is_common: &impl Fn(&str) -> bool,
) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_told_from_names() {
        use Language::{English, Russian};
        let mut wrong = Vec::new();
        for (source, target, expected) in [
            ("The bridge was shut.", "The bridge was shut.", true),
            (
                "MAYOR OPENS HARBOUR BRIDGE",
                "MAYOR OPENS HARBOUR BRIDGE",
                true,
            ),
            (
                "World Health Organization",
                "World Health Organization",
                false,
            ),
            ("BBC", "BBC", false),
            (
                "They became MWPs, Member of the Welsh Parliament, today.",
                "Сегодня они стали MWP (англ. Member of the Welsh Parliament), сообщили нам.",
                false,
            ),
            (
                "The mayor opened the bridge over the old harbour.",
                "Мэр opened the bridge over the old harbour.",
                true,
            ),
        ] {
            if is_copied(source, target, Some(English), Some(Russian)) != expected {
                wrong.push(target);
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
