//! Turns the bytes of an input into text: by its byte order mark, by what it declares, or by what
//! it looks like.
//!
//! Bytes that are no text in any encoding known here are an error that names the offset of the
//! first of them; nothing is replaced.

use encoding_rs::{
    Encoding, ISO_8859_6, KOI8_R, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
    WINDOWS_1256,
};

use crate::error::{Error, Result};

/// How much of the beginning is searched for a declaration, and looked at to tell UTF-16.
const HEAD: usize = 4096;

/// The text of `bytes`, without a byte order mark, and the name of the encoding.
///
/// # Errors
/// [`Error::Encoding`] where the bytes are not text.
pub(crate) fn decode(name: &str, bytes: Vec<u8>) -> Result<(String, &'static str)> {
    let wrong = |offset| Error::Encoding {
        name: name.to_owned(),
        offset,
    };
    if let Some((encoding, length)) = Encoding::for_bom(&bytes) {
        let text = strict(encoding, &bytes[length..]).map_err(|offset| wrong(length + offset))?;
        return Ok((text, encoding.name()));
    }
    if let Some(encoding) = utf16(&bytes) {
        return strict(encoding, &bytes)
            .map(|text| (text, encoding.name()))
            .map_err(wrong);
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok((text, UTF_8.name())),
        Err(error) => error,
    };
    let offset = error.utf8_error().valid_up_to();
    let bytes = error.into_bytes();
    if mostly_utf8(&bytes) {
        return Err(wrong(offset));
    }
    let declared = declared(&bytes).filter(|encoding| *encoding != UTF_8);
    let found = match (declared, detect(&bytes)) {
        (Some(declared), Some(found)) if contradicts(found, declared, &bytes) => Some(found),
        (declared, found) => declared.or(found),
    };
    match found {
        Some(encoding) => strict(encoding, &bytes)
            .map(|text| (text, encoding.name()))
            .map_err(wrong),
        None => Err(wrong(offset)),
    }
}

/// Decodes all of `bytes`, or gives the offset of the first that cannot be.
fn strict(encoding: &'static Encoding, bytes: &[u8]) -> std::result::Result<String, usize> {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len().saturating_mul(3).saturating_add(16));
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    match result {
        encoding_rs::DecoderResult::Malformed(length, after) => {
            Err(read.saturating_sub(usize::from(length) + usize::from(after)))
        }
        _ => Err(read),
    }
}

/// UTF-16 without a byte order mark: every other byte is one of the few that are the upper halves of
/// letters in our scripts and of punctuation. Half of those must be of letters: the upper half of
/// dashes and quotation marks is a space in ASCII, where single letters may stand between spaces.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(HEAD) & !1];
    if head.len() < 8 {
        return None;
    }
    let count = |first: usize, is: fn(&u8) -> bool| {
        let halves = head.iter().skip(first).step_by(2);
        halves.filter(|byte| is(byte)).count() * 2
    };
    let upper = |first| {
        let letters = count(first, |byte| matches!(byte, 0x00 | 0x04 | 0x06));
        let all = letters + count(first, |byte| *byte == 0x20);
        if letters * 2 >= head.len() { all } else { 0 }
    };
    let (even, odd) = (upper(0), upper(1));
    // The lower halves are of many values, and only few of them are among those.
    let telling = |more: usize, less: usize| more * 10 >= head.len() * 9 && less * 2 <= head.len();
    if telling(odd, even) {
        Some(UTF_16LE)
    } else if telling(even, odd) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Whether most of the bytes that are not ASCII form characters of UTF-8: then it is UTF-8 with a
/// fault in it, and no other encoding.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk
            .valid()
            .bytes()
            .filter(|byte| !byte.is_ascii())
            .count();
        bad += chunk.invalid().len();
    }
    good > bad * 4
}

/// The encoding that an HTML or XML head names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(HEAD)].to_ascii_lowercase();
    let start = head.trim_ascii_start();
    if !start.starts_with(b"<") {
        return None;
    }
    ["charset=", "encoding="].iter().find_map(|key| {
        let at = head
            .windows(key.len())
            .position(|window| window == key.as_bytes())?
            + key.len();
        let label = head[at..].trim_ascii_start();
        let label = label
            .strip_prefix(b"\"")
            .or_else(|| label.strip_prefix(b"'"))
            .unwrap_or(label);
        let end = label
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':')));
        Encoding::for_label(&label[..end.unwrap_or(label.len())])
    })
}

/// Whether `bytes` are far better text of our languages in `found` than in what is declared: a page
/// that was converted and kept its head.
fn contradicts(found: &'static Encoding, declared: &'static Encoding, bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let score = |encoding: &'static Encoding| {
        let text = encoding.decode_without_bom_handling_and_without_replacement(sample);
        text.map_or(-1.0, |text| plausibility(&text))
    };
    score(found) > score(declared) + 0.1
}

/// How much of an input is looked at to tell a single-byte encoding.
const SAMPLE: usize = 64 * 1024;

/// The single-byte encoding that makes the most plausible text of `bytes`, if any does.
fn detect(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let high = sample.iter().filter(|byte| !byte.is_ascii()).count();
    let letters = sample
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    if high < 4 || high * 4 < letters {
        return western(sample, letters, high).then_some(WINDOWS_1252);
    }
    let scored = [WINDOWS_1251, KOI8_R, WINDOWS_1256, ISO_8859_6]
        .into_iter()
        .filter_map(|encoding| {
            let text = encoding.decode_without_bom_handling_and_without_replacement(sample)?;
            Some((plausibility(&text), encoding))
        });
    scored
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.45)
        .map(|(_, encoding)| encoding)
}

/// The letters of Russian and of Arabic, the most frequent first.
const FREQUENT: [&str; 2] = [
    "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "اليمونترةبعدسفهكقأحجشطصخىإذضغئثزءآظؤ",
];

/// How much a text looks like Russian or Arabic, by its characters that are not ASCII: at most 1.
fn plausibility(text: &str) -> f64 {
    let rank = |c: char| {
        FREQUENT.iter().find_map(|letters| {
            let count = letters.chars().count();
            letters
                .chars()
                .position(|letter| letter == c)
                .map(|rank| 1.0 - rank as f64 / count as f64)
        })
    };
    let (mut score, mut count) = (0.0, 0.0);
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_ascii() {
            count += 1.0;
            let lower = c.to_lowercase().next().unwrap_or(c);
            score += match rank(lower) {
                // Letters of two scripts do not meet within a word.
                Some(_) if before.is_ascii_alphabetic() => -0.5,
                Some(weight) if c == lower && !before.is_uppercase() => weight,
                // A capital begins a word, or the word is in capitals.
                Some(weight) if c != lower && !before.is_lowercase() => weight * 0.95,
                Some(weight) if c == lower => weight * 0.9,
                Some(_) => -1.0,
                None if matches!(
                    c,
                    '«' | '»'
                        | '—'
                        | '–'
                        | '…'
                        | '“'
                        | '”'
                        | '„'
                        | '’'
                        | '№'
                        | '\u{A0}'
                        | '،'
                        | '؛'
                        | '؟'
                        | 'ـ'
                ) =>
                {
                    0.6
                }
                None if matches!(c, '\u{64B}'..='\u{652}') => 0.6,
                None => -1.0,
            };
        }
        before = c;
    }
    if count > 0.0 { score / count } else { 0.0 }
}

/// English with the quotation marks and dashes of windows-1252, and now and then a foreign letter.
fn western(bytes: &[u8], letters: usize, high: usize) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    let fits = |at: usize| match bytes[at] {
        0x80
        | 0x82..=0x85
        | 0x8B
        | 0x91..=0x97
        | 0x99
        | 0x9B
        | 0xA0
        | 0xA3
        | 0xA7
        | 0xA9
        | 0xAB
        | 0xAE
        | 0xB0
        | 0xB7
        | 0xBB..=0xBE => true,
        0xC0..=0xFF => {
            is_letter(bytes.get(at + 1))
                || is_letter(at.checked_sub(1).and_then(|at| bytes.get(at)))
        }
        _ => false,
    };
    letters >= 20
        && high * 10 <= letters
        && (0..bytes.len())
            .filter(|at| !bytes[*at].is_ascii())
            .all(fits)
}

/// The byte order mark of UTF-8.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Whether text in UTF-8 says so in its first bytes.
pub(super) fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(BOM)
}

/// UTF-8 to text, without a byte order mark.
pub(super) fn utf8(name: &str, mut bytes: Vec<u8>) -> Result<String> {
    let skipped = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    bytes.drain(..skipped);
    String::from_utf8(bytes).map_err(|error| Error::Encoding {
        name: name.to_owned(),
        offset: skipped + error.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &str = "Совет утвердил бюджет в понедельник — «без споров», сообщила пресс-служба. ТАСС этого не подтвердил.";
    const ARABIC: &str =
        "وافق المجلس على الميزانية يوم الاثنين بعد نقاش طويل، وقال المتحدث إن التصويت كان علنيا.";

    #[test]
    fn tells_encodings_apart() {
        let ascii =
            "Mayor Aldous said on Monday that nothing had been decided yet, and nobody asked.";
        let english = "Mayor Aldous said on Monday \u{2013} \u{201C}without hesitation\u{201D} \u{2013} that nothing\u{2019}s decided in the caf\u{E9} yet.";
        let cases = [
            (RUSSIAN, WINDOWS_1251),
            (RUSSIAN, UTF_8),
            (RUSSIAN, UTF_16LE),
            (RUSSIAN, UTF_16BE),
            (
                "Совет утвердил бюджет в понедельник, сообщила пресс-служба.",
                KOI8_R,
            ),
            ("СОВЕТ УТВЕРДИЛ БЮДЖЕТ", WINDOWS_1251),
            ("СОВЕТ УТВЕРДИЛ БЮДЖЕТ", KOI8_R),
            ("Привет, мир", WINDOWS_1251),
            (ARABIC, WINDOWS_1256),
            (ARABIC, UTF_8),
            (ARABIC, UTF_16LE),
            (ARABIC, ISO_8859_6),
            (ascii, UTF_8),
            (ascii, UTF_16LE),
            (ascii, UTF_16BE),
            (english, WINDOWS_1252),
        ];
        let mut failures = Vec::new();
        for (text, encoding) in cases {
            for mark in [false, true] {
                let bytes = encode(text, encoding, mark);
                let found = decode("x", bytes);
                let expected = Some((text.to_owned(), encoding.name()));
                if found.as_ref().ok() != expected.as_ref() {
                    failures.push(format!("{} {mark}: {found:?}", encoding.name()));
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    /// `text` in `encoding`; `mark` asks for a byte order mark where the encoding has one.
    fn encode(text: &str, encoding: &'static Encoding, mark: bool) -> Vec<u8> {
        let text = if mark && encoding.output_encoding() == UTF_8 {
            format!("\u{FEFF}{text}")
        } else {
            text.to_owned()
        };
        if encoding == UTF_16LE {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else if encoding == UTF_16BE {
            text.encode_utf16().flat_map(u16::to_be_bytes).collect()
        } else {
            encoding.encode(&text).0.into_owned()
        }
    }

    #[test]
    fn believes_a_declaration() {
        let page = format!(
            "<html><head><meta http-equiv=Content-Type content=\"text/html; charset=windows-1251\"><title>{}</title>",
            "Ще"
        );
        let found = decode("x", encode(&page, WINDOWS_1251, false));
        assert_eq!(found.ok(), Some((page, "windows-1251")));
    }

    #[test]
    fn believes_the_text_more_than_a_declaration() {
        for (text, encoding, wrong) in [
            (RUSSIAN, WINDOWS_1251, "koi8-r"),
            (
                "Совет утвердил бюджет в понедельник.",
                KOI8_R,
                "windows-1251",
            ),
            (ARABIC, WINDOWS_1256, "iso-8859-1"),
            (ARABIC, ISO_8859_6, "windows-1256"),
            (RUSSIAN, WINDOWS_1251, "utf-8"),
            (RUSSIAN, UTF_8, "windows-1251"),
        ] {
            let page = format!("<html><meta charset={wrong}><p>{text}</p>");
            let found = decode("x", encode(&page, encoding, false));
            assert_eq!(
                found.ok(),
                Some((page, encoding.name())),
                "declared {wrong}"
            );
        }
    }

    #[test]
    fn letters_between_spaces_are_not_utf_16() {
        for text in [
            "a ".repeat(3000) + "word",
            "> ".repeat(3000) + "word",
            " x".repeat(3000),
        ] {
            let found = decode("x", text.clone().into_bytes());
            assert_eq!(found.ok(), Some((text, "UTF-8")));
        }
    }

    #[test]
    fn names_the_first_wrong_byte() {
        let mut broken = RUSSIAN.as_bytes().to_vec();
        broken[40] = 0xFF;
        let mut utf16 = encode(RUSSIAN, UTF_16LE, true);
        utf16[20..22].copy_from_slice(&[0x00, 0xD8]);
        let cases: [(Vec<u8>, usize); 4] = [
            (broken, 40),
            (b"good \xFF bad".to_vec(), 5),
            (utf16, 20),
            (vec![0x89, b'P', b'N', b'G', 0xFE, 0x9F, 0x80, 0x81], 0),
        ];
        for (bytes, expected) in cases {
            match decode("x", bytes.clone()) {
                Err(Error::Encoding { offset, .. }) => assert!(
                    offset.abs_diff(expected) <= 1,
                    "{offset}, expected {expected}"
                ),
                other => assert!(other.is_err(), "{bytes:?}: {other:?}"),
            }
        }
    }
}
