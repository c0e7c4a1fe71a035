//! What a page shows and an article does not take, with the reason.

use serde::Serialize;

use super::Document;
use super::clutter::Clutter;
use crate::warning::{Warning, WarningKind};

/// Bytes left out of a page that are much, where the article has less than a tenth of them.
const MUCH: usize = 4000;

impl Document {
    /// What a reader should know of how the document was read: that it has a title alone, or little text
    /// for the size of its page.
    pub(crate) fn reading(&self) -> Option<Warning> {
        let left: usize = self.left_out.iter().map(|left| left.text.len()).sum();
        let body = self.body().trim();
        let message = if body.is_empty() && self.title().is_some() {
            "only a title was found, and no text".to_owned()
        } else if left > MUCH && body.len() * 10 < left {
            format!(
                "{} bytes of text were read as the article and {left} left out",
                body.len()
            )
        } else {
            return None;
        };
        Some(Warning::new(WarningKind::LittleRead, message))
    }
}

impl Document {
    /// What a reader of a translation should know of the file: which of its fields stay as they are.
    pub(crate) fn kept(&self) -> Option<Warning> {
        (!self.kept.is_empty()).then(|| {
            let names = self.kept.join("`, `");
            let message = format!("`{names}` in the front matter stay in the source language");
            Warning::new(WarningKind::NotTranslated, message)
        })
    }
}

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
