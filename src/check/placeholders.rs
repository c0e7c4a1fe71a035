//! What stands in a text for software or for a network and must come through a translation as it is:
//! placeholders, tags, handles, hashtags, codes, paths and names of files.
//!
//! Web and e-mail addresses are the business of [`addresses`](super::addresses).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::addresses;

/// Characters of which a text has one if it has a placeholder.
const SIGNS: &[char] = &['{', '%', '$', '<', '@', '#', ':', '/', '\\', '.'];

static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let kinds = [
        // `{{name}}`, `${name}`, `%{name}`, `{name}`, `{0}`, `{0:.2f}`
        r"\{\{ ?[\w.\-]+ ?\}\}",
        r"[$%]?\{[\w.\-]*(?:[:,!][^{}\s]*)?\}",
        // `%1$s`, `%@`, `%d`, `%-5.2f`, `%(name)s`; not the sign after a number
        r"%\([a-zA-Z_]\w*\)[sdif]",
        r"%(?:\d+\$)?[-+0]?\d*(?:\.\d+)?(?:l{0,2}[sdiufxXc]\b|@)",
        // `<0>`, `</0>`, `<b>`, `<br/>`
        r"</?[a-zA-Z0-9]{1,16} ?/?>",
        // `@name`, `#topic`, `:smile:`
        r"@[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.\-]*",
        r"#[\p{L}\p{N}\p{M}_]*[\p{L}_][\p{L}\p{N}\p{M}_]*",
        r":[a-zA-Z][a-zA-Z0-9_+\-]*:",
        // `C:\Users\name`, `/etc/hosts`, `~/notes`, `src/main.rs`, `report.pdf`
        r"[A-Za-z]:\\[^\s<>|?*\u{22}]+",
        r"(?:~|\.{1,2})?/[A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)+/?|~/[A-Za-z0-9_.\-]+",
        r"(?:[A-Za-z0-9_\-]+/)*[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*\.(?i:pdf|docx?|xlsx?|pptx?|odt|rtf|txt|md|csv|tsv|json|xml|ya?ml|toml|ini|html?|css|jsx?|tsx?|py|rs|sh|exe|dll|apk|zip|gz|tar|rar|jpe?g|png|gif|svg|webp|mp[34]|wav|avi|mkv|epub)\b",
    ];
    Regex::new(&kinds.join("|")).ok()
});

/// What ends a sentence and not a placeholder.
const TRAILING: &[char] = &['.', ',', ';', '!', '?', ')', '-'];

/// The placeholders of a text as byte ranges; what is inside one of its addresses is none.
fn ranges(text: &str, addresses: &[Range<usize>]) -> Vec<Range<usize>> {
    let Some(pattern) = PLACEHOLDER.as_ref().filter(|_| text.contains(SIGNS)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for place in pattern.find_iter(text) {
        let range = place.start()..place.start() + place.as_str().trim_end_matches(TRAILING).len();
        let is_taken = addresses
            .iter()
            .any(|address| range.start < address.end && address.start < range.end);
        if !is_taken && stands_alone(text, &range) {
            found.push(range);
        }
    }
    found
}

/// Whether what was found is not the end of a word, of a number or of a fraction: `5%d`, `and/or`.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    match text[range.clone()].chars().next() {
        Some('{' | '$' | '<') => true,
        Some('%') => !before.is_some_and(char::is_numeric),
        _ => !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '&')),
    }
}

/// Addresses and placeholders of a text as byte ranges, in order: all that stays as it is.
pub(crate) fn kept(text: &str) -> Vec<Range<usize>> {
    let mut kept = addresses::ranges(text);
    kept.extend(ranges(text, &kept));
    kept.sort_by_key(|range| range.start);
    kept
}

/// The first placeholder that only one of source and target has, the source's first.
pub(super) fn difference(source: &str, target: &str) -> Option<String> {
    let list = |text: &str| -> Vec<String> {
        let ranges = ranges(text, &addresses::ranges(text)).into_iter();
        ranges.map(|range| text[range].to_owned()).collect()
    };
    let (here, there) = (list(source), list(target));
    // What a file, a handle or a tag is called may be inflected or quoted, not written otherwise.
    let missing = here.iter().find(|found| !target.contains(*found));
    let added = || there.iter().find(|found| !source.contains(*found));
    missing.or_else(added).cloned()
}

/// A text without its addresses and placeholders.
pub(super) fn without(text: &str) -> std::borrow::Cow<'_, str> {
    let kept = kept(text);
    if kept.is_empty() {
        return text.into();
    }
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    for range in kept {
        rest.push_str(&text[at..range.start]);
        rest.push(' ');
        at = range.end;
    }
    rest.push_str(&text[at..]);
    rest.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found() {
        let mut wrong = Vec::new();
        for (text, expected) in [
            (
                "Hello {name}, {0} of {count:d}",
                &["{name}", "{0}", "{count:d}"][..],
            ),
            (
                "{{user}} paid ${sum} for %{item}",
                &["{{user}}", "${sum}", "%{item}"],
            ),
            ("%1$s sent %d files to %@", &["%1$s", "%d", "%@"]),
            ("%(who)s: %.2f", &["%(who)s", "%.2f"]),
            ("Read <0>our terms</0><br/>", &["<0>", "</0>", "<br/>"]),
            (
                "Thanks @harbour_news and #PortLinden!",
                &["@harbour_news", "#PortLinden"],
            ),
            (
                "Спасибо @порт, #мост_2026 и #جسر_جديد.",
                &["@порт", "#мост_2026", "#جسر_جديد"],
            ),
            ("It rains :umbrella: today", &[":umbrella:"]),
            (r"See C:\Docs\plan.txt.", &[r"C:\Docs\plan.txt"]),
            (
                "See /etc/hosts, ~/notes and src/main.rs",
                &["/etc/hosts", "~/notes", "src/main.rs"],
            ),
            ("Open report-2.pdf now.", &["report-2.pdf"]),
            ("5% of men and/or 10% discount, 24/7, #1 on 10:30:15", &[]),
            ("rose 5 % in May, 3 < 5 > 2, he said: yes: no", &[]),
            (
                "Write to desk@example.org or https://example.org/#top/a.html",
                &[],
            ),
            ("Israel/Palestine, his/her, AT&T, P.S. Mr. Smith's", &[]),
        ] {
            let found = ranges(text, &addresses::ranges(text)).into_iter();
            let found: Vec<&str> = found.map(|range| &text[range]).collect();
            if found != expected {
                wrong.push((text, found));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn placeholders_must_stay() {
        let mut wrong = Vec::new();
        for (source, target, expected) in [
            ("Hello {name}!", "Привет, {name}!", None),
            ("Hello {name}!", "Привет, {имя}!", Some("{name}")),
            ("Thanks @harbour_news.", "Спасибо @harbour_news.", None),
            (
                "Thanks @harbour_news.",
                "Спасибо «Харбор ньюс».",
                Some("@harbour_news"),
            ),
            ("On #PortLinden", "О #ПортЛинден", Some("#PortLinden")),
            ("Hello", "Привет, %s", Some("%s")),
            ("Read <0>this</0>.", "Прочтите <0>это.", Some("</0>")),
        ] {
            let found = difference(source, target);
            if found.as_deref() != expected {
                wrong.push((source, found));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(without("a #b www.c.org d"), "a     d");
    }
}
