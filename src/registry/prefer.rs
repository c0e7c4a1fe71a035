//! Which of two lists of models a choice is made from.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// What matters more where there is a choice of models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefer {
    /// Speed, and a small download.
    #[default]
    Fast,
    /// Quality: models that are some twenty times slower, and take some gigabytes.
    Best,
}

impl Prefer {
    /// Both, in the order of the catalogue.
    pub const ALL: [Self; 2] = [Self::Fast, Self::Best];
}

impl fmt::Display for Prefer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fast => "fast",
            Self::Best => "best",
        })
    }
}

impl FromStr for Prefer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|one| one.to_string() == text);
        known.ok_or_else(|| Error::Usage {
            message: format!("unknown preference `{text}`"),
            hint: Some("the preferences are `fast` and `best`".to_owned()),
        })
    }
}
