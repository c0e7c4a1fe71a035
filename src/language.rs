//! The three languages: their names, codes and scripts, and telling them from others.

mod arabic;
mod detect;
mod latin;
mod neighbours;
mod prose;
mod script;
mod words;

use std::fmt;
use std::str::FromStr;

pub(crate) use arabic::{fold_arabic, is_arabic_form, without_clitics};
pub use detect::Detection;
pub(crate) use prose::prose;
pub use script::ScriptProfile;

use crate::error::Error;

/// A language that newsml reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Arabic, `ar`.
    Arabic,
    /// English, `en`.
    English,
    /// Russian, `ru`.
    Russian,
}

impl Language {
    /// All languages, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Arabic, Self::English, Self::Russian];

    /// The ISO 639-1 code: `ar`, `en` or `ru`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// The name of the language in English.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arabic => "Arabic",
            Self::English => "English",
            Self::Russian => "Russian",
        }
    }

    /// Whether the language is written from right to left.
    pub fn is_right_to_left(self) -> bool {
        self == Self::Arabic
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = Error;

    /// Reads a code (`ar`, `ara`, `ar-EG`, `ru_RU`) or a name in English, in any case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let lower = text.trim().to_lowercase();
        match lower.split(['-', '_']).next().unwrap_or_default() {
            "ar" | "ara" | "arb" | "arabic" => Ok(Self::Arabic),
            "en" | "eng" | "english" => Ok(Self::English),
            "ru" | "rus" | "russian" => Ok(Self::Russian),
            _ => Err(Error::UnknownLanguage(text.to_owned())),
        }
    }
}

impl serde::Serialize for Language {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Language {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
