//! How a model is asked: the wordings of an entry's `prompt` table.
//!
//! A wording is text with places such as `{target}`. Only parses and checks them; what is put into
//! the places, and that it stays text there, is said where prompts are made.

use serde::{Deserialize, Serialize};

/// How a model that follows instructions is asked, where its makers say so.
///
/// All wordings may name the languages: `{source}` and `{target}` are their English names,
/// `{source_code}` and `{target_code}` the codes of ISO 639-1. A brace that is none of a place is
/// written twice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PromptFacts {
    /// What stands around a prompt, with `{prompt}` in its place, instead of what the chat template
    /// of the file says; `{prompt}` alone for a model that is asked with the bare text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// The system message of translations in the wordings below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Asks for a translation of `{text}`; newsml's own wording, with examples, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate: Option<String>,
    /// The same, where terms are known that the translation must use: `{terms}`, a line each. A
    /// model without it is not told of terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate_with_terms: Option<String>,
    /// A line of `{terms}`, from `{term}` and its `{translation}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// The same, with `{background}`: the headline and the sentence before. A model without it is
    /// asked sentence by sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate_with_context: Option<String>,
    /// Tokens that end an answer, beside those that the file names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Tokens of the prompt and of the answer are made this much less likely, as in transformers:
    /// scores above 0 are divided by it, others multiplied. 1 when absent, which changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f64>,
}

/// What a place of a wording stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Source,
    Target,
    SourceCode,
    TargetCode,
    Text,
    Terms,
    Term,
    Translation,
    Background,
    Prompt,
}

impl Place {
    const LANGUAGES: [Self; 4] = [
        Self::Source,
        Self::Target,
        Self::SourceCode,
        Self::TargetCode,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
            Self::SourceCode => "source_code",
            Self::TargetCode => "target_code",
            Self::Text => "text",
            Self::Terms => "terms",
            Self::Term => "term",
            Self::Translation => "translation",
            Self::Background => "background",
            Self::Prompt => "prompt",
        }
    }
}

/// A part of a wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Place(Place),
}

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wording(Vec<Part>);

impl Wording {
    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Reads a wording that may have these places; the error is the message alone.
    fn parse(text: &str, allowed: &[Place]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let place = match (brace, after.split_once('}')) {
                ("{", Some((name, after))) => Some((name, after)),
                _ => None,
            };
            let (name, after) = place.ok_or_else(|| {
                format!("a `{brace}` that is part of no placeholder must be written twice")
            })?;
            let place = allowed.iter().find(|place| place.name() == name);
            let place = place.ok_or_else(|| {
                let names: Vec<_> = allowed.iter().map(|place| place.name()).collect();
                format!(
                    "`{{{name}}}` is no placeholder here; there are `{{{}}}`",
                    names.join("}`, `{")
                )
            })?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Place(*place));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    fn count(&self, place: Place) -> usize {
        let places = self.0.iter();
        places.filter(|part| **part == Part::Place(place)).count()
    }
}

/// The wordings of an entry, ready for use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wordings {
    /// What stands before a prompt, and what after it.
    pub(crate) frame: Option<(String, String)>,
    pub(crate) system: Option<Wording>,
    pub(crate) translate: Option<Wording>,
    pub(crate) with_terms: Option<Wording>,
    pub(crate) term: Wording,
    pub(crate) with_context: Option<Wording>,
}

impl PromptFacts {
    /// The wordings; the error is the message alone.
    pub(crate) fn wordings(&self) -> Result<Wordings, String> {
        let languages = Place::LANGUAGES;
        // What each wording must hold.
        let read = |name: &str, text: &Option<String>, needed: &[Place]| {
            let Some(text) = text else { return Ok(None) };
            let at = |message: String| format!("`prompt.{name}`: {message}");
            let allowed = [&languages[..], needed].concat();
            let wording = Wording::parse(text, &allowed).map_err(at)?;
            match needed.iter().find(|place| wording.count(**place) == 0) {
                Some(place) => Err(at(format!("`{{{}}}` is missing", place.name()))),
                None => Ok(Some(wording)),
            }
        };
        let translate = read("translate", &self.translate, &[Place::Text])?;
        let terms = [Place::Text, Place::Terms];
        let with_terms = read("translate_with_terms", &self.translate_with_terms, &terms)?;
        let context = [Place::Text, Place::Background];
        let context_name = "translate_with_context";
        let with_context = read(context_name, &self.translate_with_context, &context)?;
        let line = [Place::Term, Place::Translation];
        let term = self.term.clone().or(Some(TERM.to_owned()));
        let term = read("term", &term, &line)?.unwrap_or(Wording(Vec::new()));
        let system = read("system", &self.system, &[])?;
        if translate.is_none() {
            for (name, is_there) in [
                ("system", system.is_some()),
                ("translate_with_terms", with_terms.is_some()),
                (context_name, with_context.is_some()),
            ] {
                if is_there {
                    return Err(format!(
                        "`prompt.{name}` needs `prompt.translate` beside it"
                    ));
                }
            }
        }
        let frame = self.frame.as_deref().map(frame).transpose()?;
        Ok(Wordings {
            frame,
            system,
            translate,
            with_terms,
            term,
            with_context,
        })
    }

    /// Checks what the types cannot say; the error is the message alone.
    pub(super) fn validate(&self, translates: bool) -> Result<(), String> {
        let wordings = self.wordings()?;
        if translates && wordings.frame.is_some() && wordings.translate.is_none() {
            return Err("`prompt.frame` needs `prompt.translate` beside it".to_owned());
        }
        if self.stop.iter().any(String::is_empty) {
            return Err("`prompt.stop` has an empty name of a token".to_owned());
        }
        match self.repetition_penalty {
            Some(penalty) if !(1.0..=2.0).contains(&penalty) => Err(format!(
                "`prompt.repetition_penalty` is {penalty}, and must be from 1 to 2"
            )),
            _ => Ok(()),
        }
    }
}

/// A line of terms, where an entry does not say it.
const TERM: &str = "{term} = {translation}";

fn frame(text: &str) -> Result<(String, String), String> {
    let at = |message: String| format!("`prompt.frame`: {message}");
    let wording = Wording::parse(text, &[Place::Prompt]).map_err(at)?;
    if wording.count(Place::Prompt) != 1 {
        return Err(at("`{prompt}` must be there once".to_owned()));
    }
    let (mut before, mut after, mut is_after) = (String::new(), String::new(), false);
    for part in wording.0 {
        match part {
            Part::Text(text) if is_after => after.push_str(&text),
            Part::Text(text) => before.push_str(&text),
            Part::Place(_) => is_after = true,
        }
    }
    Ok((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_is_text_with_places() {
        let allowed = [Place::Target, Place::Text];
        let found = Wording::parse("Into {target}, {{so}}:\n{text}", &allowed);
        let expected = [
            Part::Text("Into ".to_owned()),
            Part::Place(Place::Target),
            Part::Text(", {so}:\n".to_owned()),
            Part::Place(Place::Text),
        ];
        assert_eq!(found, Ok(Wording(expected.to_vec())));
        for (text, message) in [
            (
                "{txt}",
                "`{txt}` is no placeholder here; there are `{target}`, `{text}`",
            ),
            (
                "{terms}",
                "`{terms}` is no placeholder here; there are `{target}`, `{text}`",
            ),
            (
                "{text",
                "a `{` that is part of no placeholder must be written twice",
            ),
            (
                "text}",
                "a `}` that is part of no placeholder must be written twice",
            ),
        ] {
            assert_eq!(Wording::parse(text, &allowed), Err(message.to_owned()));
        }
    }
}
