//! What a page shows and an article does not take, with the reason.

use serde::Serialize;

use super::clutter::Clutter;

/// A stretch of text that is on the page and not in the article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The text.
    pub text: String,
    /// Why it was left out.
    pub reason: Reason,
}

/// Why text was left out; in JSON, a name in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It is not shown.
    Hidden,
    /// It asks for consent to cookies and the like.
    Consent,
    /// Navigation, buttons, calls to subscribe, legal notices.
    Navigation,
    /// The description or the credit of a picture.
    Caption,
    /// Headlines of other articles.
    Related,
    /// What readers wrote.
    Comments,
    /// The name of the author.
    Byline,
    /// The time of publication.
    Date,
    /// It stands around the article and is not of it.
    Around,
}

impl LeftOut {
    pub(super) fn new(text: String, reason: Reason) -> Self {
        Self { text, reason }
    }
}

impl From<Clutter> for Reason {
    fn from(clutter: Clutter) -> Self {
        match clutter {
            Clutter::Furniture | Clutter::Section => Self::Navigation,
            Clutter::Caption => Self::Caption,
            Clutter::Related => Self::Related,
            Clutter::Comments => Self::Comments,
            Clutter::Byline => Self::Byline,
            Clutter::Date => Self::Date,
            Clutter::Consent => Self::Consent,
        }
    }
}
