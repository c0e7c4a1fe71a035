//! The scripts that tokens have letters of, and those that a text may be written in.

use crate::language::Language;

/// What may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Writing {
    /// The language's script, and Latin letters for names.
    Usual(Language),
    /// The language's script alone.
    Strict(Language),
}

const LATIN: u8 = 1;
const CYRILLIC: u8 = 2;
const ARABIC: u8 = 4;
const OTHER: u8 = 8;

/// The scripts that a text may have letters of.
pub(super) fn allowed(writing: Writing) -> u8 {
    let (language, strict) = match writing {
        Writing::Usual(language) => (language, false),
        Writing::Strict(language) => (language, true),
    };
    let own = match language {
        Language::Arabic => ARABIC,
        Language::English => LATIN,
        Language::Russian => CYRILLIC,
    };
    if strict { own } else { own | LATIN }
}

/// The scripts that bytes have letters of. A character that is cut off counts by its first byte.
pub(super) fn of(bytes: &[u8]) -> u8 {
    let mut scripts = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            scripts |= match u32::from(c) {
                0x41..=0x5a | 0x61..=0x7a | 0xc0..=0x24f | 0x1e00..=0x1eff => LATIN,
                0x400..=0x52f => CYRILLIC,
                0x600..=0x6ff | 0x750..=0x77f => ARABIC,
                // CJK punctuation and full-width forms belong to text of those scripts.
                0x3000..=0x303f | 0xff00..=0xffef => OTHER,
                _ if c.is_alphabetic() => OTHER,
                _ => 0,
            };
        }
        scripts |= match chunk.invalid().first() {
            Some(0xc3..=0xc9) => LATIN,
            Some(0xd0..=0xd3) => CYRILLIC,
            Some(0xd8..=0xdb) => ARABIC,
            Some(0xca..=0xcf | 0xd4..=0xd7 | 0xdc..=0xe1 | 0xe3..=0xef) => OTHER,
            _ => 0,
        };
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_by_letters() {
        let cases: [(&[u8], u8); 9] = [
            (b" the", LATIN),
            (" 2024, \u{201c}\u{2014}\u{1f600}".as_bytes(), 0),
            ("мир".as_bytes(), CYRILLIC),
            ("سلام".as_bytes(), ARABIC),
            ("世".as_bytes(), OTHER),
            ("。".as_bytes(), OTHER),
            (&[0xe4, 0xb8], OTHER),
            (&[0xd0], CYRILLIC),
            (&[0xe2, 0x80], 0),
        ];
        for (bytes, expected) in cases {
            assert_eq!(of(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
