//! Warnings: what a reader of an output should know about it.
//!
//! Every kind has one name, which is the same in code, in JSON, and in messages; names are stable.

use std::fmt;

/// Something about an output that its reader should know.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// One sentence without a final period.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(kind: WarningKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// Declares the kinds: a line of documentation and the name of each.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $name:literal,)+) => {
        /// What a [`Warning`] is about.
        ///
        /// Serialized as its name in snake case, the same as [`as_str`](Self::as_str) gives.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[non_exhaustive]
        pub enum WarningKind {
            $($(#[$doc])+ #[serde(rename = $name)] $kind,)+
        }

        impl WarningKind {
            /// Every kind, in order of declaration.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The stable name, in snake case: `numbers_differ`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// The output has no words.
    EmptyOutput = "empty_output",
    /// The source, or a stretch of it, stands untranslated in the output.
    SourceCopied = "source_copied",
    /// The output is written in the script of another language.
    WrongScript = "wrong_script",
    /// The output is in another language of the same script.
    WrongLanguage = "wrong_language",
    /// The output repeats itself.
    Repetition = "repetition",
    /// Part of the source, or of the output, was cut off at a limit.
    CutShort = "cut_short",
    /// The output is too short for its source.
    TooShort = "too_short",
    /// The output is too long for its source.
    TooLong = "too_long",
    /// A sentence of the source has no counterpart in the output.
    SentenceDropped = "sentence_dropped",
    /// A number is in only one of source and output.
    NumbersDiffer = "numbers_differ",
    /// The output names another month or day of the week.
    DatesDiffer = "dates_differ",
    /// A web or e-mail address is in only one of source and output.
    AddressesDiffer = "addresses_differ",
    /// A placeholder, handle, hashtag or path is in only one of source and output.
    PlaceholdersDiffer = "placeholders_differ",
    /// A summary has a name that the article does not have.
    NamesUnknown = "names_unknown",
    /// A term of the glossary is not translated as the glossary says.
    GlossaryMissed = "glossary_missed",
    /// A summary says what its article does not.
    NotInSource = "not_in_source",
    /// The model's vocabulary lacks characters of the source.
    Unread = "unread",
    /// The language was detected with low confidence.
    LowConfidence = "low_confidence",
    /// Paragraphs are in another language than the document.
    MixedLanguages = "mixed_languages",
    /// Paragraphs in an unsupported language were left as they are.
    ForeignLanguage = "foreign_language",
    /// Parts of a file that have words, as fields of its front matter, are not translated.
    NotTranslated = "not_translated",
    /// Text is in the target language already and was left as it is.
    NotNeeded = "not_needed",
    /// A long text was read in parts.
    Parts = "parts",
    /// Part of the input was left out: much of it, or sentences that give orders to machines.
    LeftOut = "left_out",
    /// Little text was found for the size of the input.
    LittleRead = "little_read",
    /// The translation memory cannot be read or written.
    Memory = "memory",
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_serialized_by_their_names() {
        let mut wrong = Vec::new();
        for kind in WarningKind::ALL {
            let json = serde_json::json!(kind);
            let words = format!("{kind:?}")
                .chars()
                .fold(String::new(), |mut name, c| {
                    if c.is_uppercase() && !name.is_empty() {
                        name.push('_');
                    }
                    name.extend(c.to_lowercase());
                    name
                });
            let read: Option<WarningKind> = serde_json::from_value(json.clone()).ok();
            if json != kind.as_str() || words != kind.as_str() || read != Some(*kind) {
                wrong.push((kind, json));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn kinds_are_in_the_readme() {
        let readme = include_str!("../README.md");
        let is_missing = |kind: &&WarningKind| !readme.contains(&format!("`{kind}`"));
        let missing: Vec<_> = WarningKind::ALL.iter().filter(is_missing).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
