//! The words of a text that tell its language, apart from what stands in a text of any language:
//! addresses, handles, hashtags, file names, placeholders, code.
//!
//! Where a text mixes scripts, words decide and not letters: a name or a product keeps its script in
//! any language, small words and inflected ones do not.

use std::borrow::Cow;

use super::Language;
use super::latin::is_common_english;

/// `text` without what belongs to no language. Lines are kept.
pub(crate) fn prose(text: &str) -> Cow<'_, str> {
    let telling = |byte: u8| {
        byte.is_ascii_alphabetic()
            || matches!(
                byte,
                b'@' | b'#' | b'`' | b'{' | b'<' | b'$' | b'%' | b'\\' | b'~'
            )
    };
    if !text.bytes().any(telling) {
        return Cow::Borrowed(text);
    }
    let mut code = false;
    let mut is_label = |token: &str| {
        let ticks = token.bytes().filter(|byte| *byte == b'`').count();
        let label = code || ticks > 0 || is_label(token);
        code ^= ticks % 2 == 1;
        label
    };
    let mut kept: Option<String> = None;
    let mut at = 0;
    for token in text.split_inclusive(char::is_whitespace) {
        let label = is_label(token.trim_end());
        match (&mut kept, label) {
            (Some(kept), false) => kept.push_str(token),
            (None, true) => kept = Some(text[..at].to_owned()),
            _ => {}
        }
        if let (Some(kept), true) = (&mut kept, label && token.ends_with('\n')) {
            kept.push('\n');
        }
        at += token.len();
    }
    kept.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether `token`, a piece of text without white space, belongs to no language.
fn is_label(token: &str) -> bool {
    let bare = token.trim_start_matches(['(', '"', '\'', '«', '“', '‘', '[', '—', '-']);
    // Most words are nothing but letters.
    if bare
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || !byte.is_ascii())
    {
        return false;
    }
    if bare.starts_with(['@', '#', '{', '<', '$', '%', '\\', '~']) || bare.contains("://") {
        return bare.chars().any(char::is_alphabetic);
    }
    let inner = bare.trim_end_matches(|c: char| !c.is_alphanumeric());
    inner.is_ascii() && inner.bytes().any(|byte| byte.is_ascii_alphabetic()) && is_technical(inner)
}

/// Whether `word`, in ASCII, is an address, a file name, code or the name of a model: `a@b.org`,
/// `node.js`, `x=f(y)`, `S25`.
fn is_technical(word: &str) -> bool {
    let bytes = word.as_bytes();
    let signs = |byte: &u8| {
        matches!(
            byte,
            b'@' | b'/'
                | b'\\'
                | b'_'
                | b'='
                | b'('
                | b'{'
                | b'<'
                | b'>'
                | b'['
                | b'|'
                | b'$'
                | b';'
        )
    };
    let digits = bytes.iter().any(u8::is_ascii_digit);
    let dotted = bytes.windows(3).any(|three| {
        three[1] == b'.' && three[0].is_ascii_lowercase() && three[2].is_ascii_alphanumeric()
    });
    digits || dotted || bytes.iter().any(signs)
}

/// How much the words of a text speak for each of the languages' scripts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Evidence {
    arabic: f64,
    cyrillic: f64,
    /// Small words of English that names do not hold.
    english: f64,
    /// Other words without a capital in Latin letters.
    small: f64,
    /// Names in Latin letters.
    names: f64,
}

impl Evidence {
    /// Weighs the words of `prose`. What stands in quotation marks counts little: it may be a title
    /// in another language.
    pub(super) fn of(prose: &str) -> Self {
        let mut evidence = Self::default();
        for line in prose.lines() {
            let mut depth = 0_i32;
            let mut straight = false;
            let mut word = None;
            for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
                if c.is_alphanumeric() || matches!(c, '\u{64B}'..='\u{65F}' | '\'' | '’') {
                    word = word.or(Some(at));
                    continue;
                }
                if let Some(start) = word.take() {
                    let quoted = straight || depth > 0;
                    evidence.add(&line[start..at], if quoted { 0.2 } else { 1.0 });
                }
                match c {
                    '«' | '“' | '„' => depth += 1,
                    '»' | '”' => depth = (depth - 1).max(0),
                    '"' => straight = !straight,
                    _ => {}
                }
            }
        }
        evidence
    }

    fn add(&mut self, word: &str, weight: f64) {
        let Some(first) = word.chars().next() else {
            return;
        };
        match first {
            '\u{400}'..='\u{52F}' => {
                let share = if first.is_uppercase() { 0.5 } else { 1.0 };
                self.cyrillic += weight * share;
            }
            '\u{600}'..='\u{6FF}' | '\u{750}'..='\u{77F}' | '\u{FB50}'..='\u{FEFF}' => {
                self.arabic += weight;
            }
            _ if !first.is_alphabetic() => {}
            _ if word.contains(char::is_uppercase) => self.names += weight,
            _ if is_common_english(word) => self.english += weight,
            _ => self.small += weight,
        }
    }

    /// What speaks for the script of `language`.
    pub(super) fn score(&self, language: Language) -> f64 {
        match language {
            Language::Arabic => self.arabic,
            Language::Russian => self.cyrillic,
            // Without one of the small words, words in Latin letters may be names in small letters.
            Language::English => {
                let small = if self.english > 0.0 { 1.0 } else { 0.4 };
                1.5 * self.english + small * self.small + 0.1 * self.names
            }
        }
    }

    /// The language whose script most of the words speak for, and its share; `None` without words.
    pub(super) fn strongest(&self) -> Option<(Language, f64)> {
        let all = Language::ALL.map(|language| (language, self.score(language)));
        let sum: f64 = all.iter().map(|(_, score)| score).sum();
        let best = all.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (best.1 > 0.0).then(|| (best.0, best.1 / sum))
    }
}

/// The words of `text` in Latin letters, with spaces between.
pub(super) fn latin_words(text: &str) -> String {
    let mut kept = String::new();
    for word in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-'))) {
        let latin = |c: char| matches!(c, 'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}');
        if word.starts_with(latin) {
            if !kept.is_empty() {
                kept.push(' ');
            }
            kept.push_str(word);
        }
    }
    kept
}
