//! Terms that must be translated in one way, or not at all, and where they are read from.
//!
//! Only knows terms; how a text holds one is told in `find`, and the pipelines see to it that
//! translations hold them.

mod find;
mod read;

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::language::Language;

pub(crate) use find::{Hit, holds, russian_stem};

/// Whether a term is found in capital and small letters alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TermCase {
    /// `bank` and `Bank` are one term.
    #[default]
    Ignore,
    /// The term stands as it is written.
    Exact,
}

/// A term and its translation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Term {
    /// The term in the source language.
    pub source: String,
    /// What it is in the translation.
    pub target: String,
    /// Other forms that may stand for `target`.
    pub forms: Vec<String>,
    /// How capital letters count.
    pub case: TermCase,
    /// Whether endings (and in Arabic, what is written together with a word) may differ from the
    /// form that is given, on both sides.
    pub inflect: bool,
    /// The source language that the term is for; any if absent.
    pub from: Option<Language>,
    /// The target language that the term is for; any if absent.
    pub to: Option<Language>,
}

impl Term {
    /// A term of any direction, whose words may be inflected.
    pub fn new(source: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            target: target.into(),
            forms: Vec::new(),
            case: TermCase::Ignore,
            inflect: true,
            from: None,
            to: None,
        }
    }

    /// A term that is not translated: it stands in the translation as it is written here.
    pub fn kept(term: impl Into<String>) -> Self {
        let term = term.into();
        Self {
            case: TermCase::Exact,
            inflect: false,
            ..Self::new(term.clone(), term)
        }
    }
}

impl Term {
    /// All that it says, as a line of JSON: the same for the same term, whatever its fields are
    /// called in the source of newsml.
    fn line(&self) -> String {
        let Self {
            source,
            target,
            forms,
            case,
            inflect,
            from,
            to,
        } = self;
        let case = match case {
            TermCase::Ignore => "ignore",
            TermCase::Exact => "exact",
        };
        let languages = [from, to].map(|language| language.map(Language::code));
        format!(
            "{}\n",
            serde_json::json!([source, target, forms, case, inflect, languages])
        )
    }
}

/// A list of [`Term`]s.
///
/// A file of terms is TOML, or else lines of tab-separated values:
///
/// ```text
/// # source      target         options
/// центробанк    central bank   case=exact inflect=no from=ru to=en forms=the bank|CBR
/// ```
///
/// ```toml
/// [[term]]
/// source = "центробанк"
/// target = "central bank"
/// case = "exact"            # or "ignore", the default
/// inflect = false           # true is the default
/// forms = ["CBR"]
/// from = "ru"
/// to = "en"
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glossary {
    terms: Vec<Term>,
}

impl Glossary {
    /// A glossary without terms.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file of terms: TOML if its name ends with `.toml`, else tab-separated values.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] for a file that cannot be read, [`Error::Usage`] for one that is not in that
    /// form; it names the line.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let is_toml = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("toml"));
        let terms = String::from_utf8(bytes)
            .map_err(|error| {
                format!(
                    "it is not UTF-8 from byte {} on",
                    error.utf8_error().valid_up_to()
                )
            })
            .and_then(|text| {
                let text = text.trim_start_matches('\u{feff}');
                if is_toml {
                    read::toml(text)
                } else {
                    read::tsv(text)
                }
            });
        match terms {
            Ok(terms) => Ok(Self { terms }),
            Err(message) => Err(Error::Usage {
                message: format!("glossary `{}` cannot be used: {message}", path.display()),
                hint: Some(
                    "a line is a term, a tab and its translation; `newsml translate --help` says more"
                        .to_owned(),
                ),
            }),
        }
    }

    /// Adds a term. Where several fit a place, the longest is taken, then the first.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a term or a translation without a letter or digit.
    pub fn add(&mut self, term: Term) -> Result<()> {
        for text in [&term.source, &term.target] {
            if !text.chars().any(char::is_alphanumeric) {
                return Err(Error::Usage {
                    message: format!("`{text}` is no term: it has no letter or digit"),
                    hint: None,
                });
            }
        }
        self.terms.push(term);
        Ok(())
    }

    /// The terms, in the order in which they were added.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether there are no terms.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// A text that is the same for the same terms in the same order, and no others: part of what
    /// tells whether a translation made earlier would be made again.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for term in &self.terms {
            hash.update(term.line());
        }
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Memories and journals on the disks of users have this text in their keys.
    #[test]
    fn fingerprints_stay_what_they_are() {
        let mut glossary = Glossary::new();
        assert_eq!(
            glossary.fingerprint(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let mut term = Term::new("центробанк", "central bank");
        term.forms = vec!["CBR".to_owned()];
        term.from = Some(Language::Russian);
        assert_eq!(
            term.line(),
            "[\"центробанк\",\"central bank\",[\"CBR\"],\"ignore\",true,[\"ru\",null]]\n"
        );
        glossary.add(term).unwrap();
        let one = glossary.fingerprint();
        glossary.add(Term::kept("NATO")).unwrap();
        assert_ne!(glossary.fingerprint(), one);
    }
}
