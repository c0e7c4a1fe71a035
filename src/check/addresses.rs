//! Web and e-mail addresses of a text: what a translation must leave as it is.

use std::sync::LazyLock;

use regex::Regex;

/// What ends a sentence and not an address.
const TRAILING: &[char] = &[
    '.', ',', ';', ':', '!', '?', ')', ']', '}', '"', '\'', '»', '”', '’', '،', '؛', '؟', '…', '/',
];

static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:https?|ftp)://[^\s<>"«»“”]+|www\.[^\s<>"«»“”]+|[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|int|info|ru|uk|de|fr|eg|sa|ae|io|tv)\b(?:/[^\s<>"«»“”]*)?"#,
    )
    .ok()
});

/// The addresses of a text as byte ranges, without the punctuation after them.
pub(super) fn ranges(text: &str) -> Vec<std::ops::Range<usize>> {
    let Some(pattern) = &*ADDRESS else {
        return Vec::new();
    };
    // Most text has none.
    if !text.contains(['.', ':']) {
        return Vec::new();
    }
    pattern
        .find_iter(text)
        .map(|found| found.start()..found.start() + found.as_str().trim_end_matches(TRAILING).len())
        .collect()
}

/// The first address that the source has and the target has not, or the other way round.
pub(super) fn difference(source: &str, target: &str) -> Option<String> {
    let list = |text: &str| -> Vec<String> {
        ranges(text)
            .into_iter()
            .map(|range| text[range].to_lowercase())
            .collect()
    };
    let (here, there) = (list(source), list(target));
    let missing = here.iter().find(|address| !there.contains(address));
    let added = || there.iter().find(|address| !here.contains(address));
    missing.or_else(added).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_must_stay() {
        for (source, target, expected) in [
            (
                "See https://example.org/a?b=1.",
                "См. https://example.org/a?b=1",
                None,
            ),
            (
                "See https://example.org/a.",
                "См. https://example.org/b.",
                Some("https://example.org/a"),
            ),
            (
                "Write to desk@example.org!",
                "Пишите на desk@example.org",
                None,
            ),
            (
                "Write to desk@example.org!",
                "Пишите нам",
                Some("desk@example.org"),
            ),
            (
                "Пишите нам",
                "Write to desk@example.org",
                Some("desk@example.org"),
            ),
            ("On www.example.org, he said", "على www.example.org،", None),
        ] {
            assert_eq!(difference(source, target).as_deref(), expected, "{source}");
        }
    }
}
