//! Counts the letters of a text by script, which tells cheaply whether an output is in the script
//! that was asked for. Which language it is is told in `detect`.

use super::Language;

/// How many letters of a text belong to which script; see [`ScriptProfile::share`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ScriptProfile {
    /// Letters of the Arabic script, presentation forms included; vowel signs are not counted.
    pub arabic: usize,
    /// Letters of the Cyrillic script.
    pub cyrillic: usize,
    /// Letters of the Latin script.
    pub latin: usize,
    /// Letters of all other scripts.
    pub other: usize,
}

impl ScriptProfile {
    /// Counts the letters of `text`.
    pub fn of(text: &str) -> Self {
        let mut profile = Self::default();
        let bytes = text.as_bytes();
        let mut rest = text;
        // ASCII is counted byte by byte: it is most of what is read.
        while let Some(c) = rest.chars().next() {
            let run = rest.bytes().take_while(u8::is_ascii).count();
            if run > 0 {
                let at = bytes.len() - rest.len();
                profile.latin += bytes[at..at + run]
                    .iter()
                    .filter(|byte| byte.is_ascii_alphabetic())
                    .count();
                rest = &rest[run..];
                continue;
            }
            match c {
                '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{640}' | '\u{6D6}'..='\u{6ED}' => {}
                _ if !is_letter(c) => {}
                '\u{600}'..='\u{6FF}'
                | '\u{750}'..='\u{77F}'
                | '\u{8A0}'..='\u{8FF}'
                | '\u{FB50}'..='\u{FDFF}'
                | '\u{FE70}'..='\u{FEFF}' => profile.arabic += 1,
                '\u{400}'..='\u{52F}'
                | '\u{1C80}'..='\u{1C8F}'
                | '\u{2DE0}'..='\u{2DFF}'
                | '\u{A640}'..='\u{A69F}' => {
                    profile.cyrillic += 1;
                }
                '\u{AA}'
                | '\u{BA}'
                | '\u{C0}'..='\u{24F}'
                | '\u{1E00}'..='\u{1EFF}'
                | '\u{2C60}'..='\u{2C7F}'
                | '\u{FB00}'..='\u{FB06}'
                | '\u{FF21}'..='\u{FF5A}' => profile.latin += 1,
                _ => profile.other += 1,
            }
            rest = &rest[c.len_utf8()..];
        }
        profile
    }

    /// All letters counted.
    pub fn letters(&self) -> usize {
        self.arabic + self.cyrillic + self.latin + self.other
    }

    /// The share of the letters that belong to the script of `language`, from 0 to 1; 0 for a text
    /// without letters.
    pub fn share(&self, language: Language) -> f64 {
        let own = match language {
            Language::Arabic => self.arabic,
            Language::English => self.latin,
            Language::Russian => self.cyrillic,
        };
        ratio(own, self.letters())
    }

    /// The language whose script most letters belong to; `None` for a text without letters, or one
    /// that is mostly in another script.
    pub fn dominant(&self) -> Option<Language> {
        Language::ALL
            .into_iter()
            .max_by(|a, b| self.share(*a).total_cmp(&self.share(*b)))
            .filter(|language| self.share(*language) > ratio(self.other, self.letters()))
    }
}

/// Whether `c` is a letter; the commonest of our scripts are told without the tables of Unicode.
pub(super) fn is_letter(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '\u{410}'..='\u{44F}' | '\u{621}'..='\u{63A}' | '\u{641}'..='\u{64A}')
        || c.is_alphabetic()
}

/// `part / whole`, 0 where the whole is 0. Counts of letters are far below the limit of exactness.
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
