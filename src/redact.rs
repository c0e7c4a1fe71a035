//! Addresses for messages and records: without passwords, and without signatures.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

#[expect(
    clippy::expect_used,
    reason = "the pattern is fixed; a test compiles it"
)]
static USER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s'\x22<>]*@").expect("a valid pattern")
});

/// An address for messages: user and password are masked, and what follows `?`, which may be a
/// signature, is left out.
pub(crate) fn address(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    text(url).into_owned()
}

/// A text that may hold addresses: user and password of each are masked.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    USER.replace_all(text, "$1***@")
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_and_signatures_are_not_shown() {
        for (url, expected) in [
            (
                "https://cdn.example/f?X-Signature=secret",
                "https://cdn.example/f",
            ),
            (
                "https://user:secret@host.example/f",
                "https://***@host.example/f",
            ),
            (
                "https://token@host.example:8080/f",
                "https://***@host.example:8080/f",
            ),
            (
                "https://user:p@ss@host.example/f",
                "https://***@host.example/f",
            ),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
            ("https://host.example/a@b", "https://host.example/a@b"),
        ] {
            assert_eq!(super::address(url), expected, "{url}");
        }
        let text = "no index at https://me:secret@one.example/simple, http://two.example or \
                    socks5h://a:b@proxy:1080";
        assert_eq!(
            super::text(text),
            "no index at https://***@one.example/simple, http://two.example or \
             socks5h://***@proxy:1080"
        );
    }
}
