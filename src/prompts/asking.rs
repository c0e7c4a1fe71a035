//! How one model is asked for translations: in the words of its entry in the catalogue, or else in
//! newsml's own.
//!
//! What is put into the places of a wording is a piece of its own: a text, a term or a background
//! stays text whatever it says, as in all other prompts.

use super::translation::{Phrase, Translation, translation_wording};
use crate::registry::{Part, Place, PromptFacts, Wording, Wordings};
use crate::tokenizer::{Message, Piece};

/// How a model is asked.
#[derive(Debug)]
pub(crate) struct Asking {
    /// Those of its entry.
    wordings: Option<Wordings>,
    /// How much less likely tokens become once they are said.
    penalty: Option<f32>,
}

/// How much stronger the penalty is where a model that is asked in its own words is asked again.
const STRONGER: f32 = 0.1;

impl Asking {
    /// In newsml's own words.
    pub(crate) fn usual() -> Self {
        Self {
            wordings: None,
            penalty: None,
        }
    }

    /// As an entry says; the error is the message alone.
    pub(crate) fn new(facts: &PromptFacts) -> Result<Self, String> {
        Ok(Self {
            wordings: Some(facts.wordings()?),
            penalty: facts.repetition_penalty.map(|penalty| penalty as f32),
        })
    }

    /// What stands before a prompt and after it, in place of what the chat template says.
    pub(crate) fn frame(&self) -> Option<(String, String)> {
        self.wordings.as_ref()?.frame.clone()
    }

    /// Whether translations are asked for in the words of the model's makers.
    pub(crate) fn is_own(&self) -> bool {
        self.own().is_some()
    }

    /// Whether the makers say how terms are told, so that all of them are told at once. Others are
    /// told what they missed.
    pub(crate) fn takes_terms(&self) -> bool {
        self.own()
            .is_some_and(|wordings| wordings.with_terms.is_some())
    }

    /// Whether the model knows what to do with what stands around a text.
    pub(crate) fn takes_context(&self) -> bool {
        self.own()
            .is_some_and(|wordings| wordings.with_context.is_some())
    }

    /// How much less likely tokens become once they are said; more so where a translation is asked
    /// for again in the same words, so that it comes out another way.
    pub(crate) fn penalty(&self, again: bool) -> f32 {
        let usual = self.penalty.unwrap_or(1.0);
        if again && self.is_own() {
            usual + STRONGER
        } else {
            usual
        }
    }

    fn own(&self) -> Option<&Wordings> {
        let wordings = self.wordings.as_ref()?;
        wordings.translate.is_some().then_some(wordings)
    }

    /// The conversation that asks for a translation. Where there are terms and a background, the
    /// terms are told: makers say how to tell either.
    pub(crate) fn translation<'a>(&'a self, asked: &Translation<'a>) -> Vec<Message<'a>> {
        let Some(wordings) = self.own() else {
            return asked.prompt();
        };
        let with_terms = wordings.with_terms.as_ref();
        let with_context = wordings.with_context.as_ref();
        let wording = with_terms
            .filter(|_| !asked.terms.is_empty())
            .or(with_context.filter(|_| asked.background.is_some()))
            .or(wordings.translate.as_ref());
        let fill = |wording: &'a Wording| -> Vec<Piece<'a>> {
            let fill = |place| match place {
                Place::Text => vec![Piece::Theirs(asked.segment)],
                Place::Background => asked.background.map(Piece::Theirs).into_iter().collect(),
                Place::Terms => lines(&wordings.term, asked),
                place => language(place, asked),
            };
            pieces(wording, fill)
        };
        let system = wordings.system.as_ref().map(|wording| Message {
            role: "system",
            content: fill(wording),
        });
        let user = wording.map(|wording| Message {
            role: "user",
            content: fill(wording),
        });
        system.into_iter().chain(user).collect()
    }

    /// All that is said to ask for translations, as one text: with other words there would be others.
    pub(crate) fn wording(&self) -> String {
        match self.own() {
            // The words are in the fingerprint of the entry.
            Some(_) => String::new(),
            None => translation_wording(),
        }
    }
}

/// The names of the languages.
fn language<'a>(place: Place, asked: &Translation<'_>) -> Vec<Piece<'a>> {
    let name = match place {
        Place::Source => asked.from.name(),
        Place::Target => asked.to.name(),
        Place::SourceCode => asked.from.code(),
        Place::TargetCode => asked.to.code(),
        _ => return Vec::new(),
    };
    vec![Piece::Ours(name)]
}

/// A line for each term.
fn lines<'a>(wording: &'a Wording, asked: &Translation<'a>) -> Vec<Piece<'a>> {
    let mut lines = Vec::new();
    for (number, Phrase { source, target }) in asked.terms.iter().enumerate() {
        if number > 0 {
            lines.push(Piece::Ours("\n"));
        }
        lines.extend(pieces(wording, |place| match place {
            // What has no words in the text stands in it as it will in the translation.
            Place::Term => vec![Piece::Theirs(source.as_ref().unwrap_or(target))],
            Place::Translation => vec![Piece::Theirs(target)],
            place => language(place, asked),
        }));
    }
    lines
}

fn pieces<'a>(wording: &'a Wording, fill: impl Fn(Place) -> Vec<Piece<'a>>) -> Vec<Piece<'a>> {
    let parts = wording.parts().iter();
    parts
        .flat_map(|part| match part {
            Part::Text(text) => vec![Piece::Ours(text)],
            Part::Place(place) => fill(*place),
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(super) mod tests {
    use super::*;
    use crate::language::Language;

    pub(in crate::prompts) fn facts() -> PromptFacts {
        toml::from_str(
            r#"
            system = "You translate {source_code} to {target_code}."
            translate = "Into {target}:\n{text}"
            translate_with_terms = "Say:\n{terms}\nInto {target}:\n{text}"
            term = "{term} is {translation}"
            translate_with_context = "[{background}]\nInto {target}: {text}"
            repetition_penalty = 1.05
            "#,
        )
        .unwrap()
    }

    /// A conversation as text, with what is not ours in brackets.
    fn shown(messages: &[Message<'_>]) -> String {
        let mut text = String::new();
        for message in messages {
            text.push_str(message.role);
            text.push_str(": ");
            for piece in &message.content {
                match piece {
                    Piece::Ours(piece) => text.push_str(piece),
                    Piece::Theirs(piece) => text.push_str(&format!("<{piece}>")),
                }
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn a_model_is_asked_in_the_words_of_its_entry() {
        let asking = Asking::new(&facts()).unwrap();
        let terms = [("bank", "банк"), ("", "XQAA")].map(|(source, target)| Phrase {
            source: Some(source.to_owned()).filter(|source| !source.is_empty()),
            target: target.to_owned(),
        });
        let plain = Translation {
            from: Language::English,
            to: Language::Russian,
            segment: "A {text}.",
            again: false,
            terms: &[],
            background: None,
            quoted: None,
        };
        let system = "system: You translate en to ru.\n";
        let with_context = Translation {
            background: Some("Rates rise"),
            ..plain
        };
        let with_both = Translation {
            terms: &terms,
            ..with_context
        };
        for (asked, expected) in [
            (&plain, "user: Into Russian:\n<A {text}.>\n"),
            (
                &with_context,
                "user: [<Rates rise>]\nInto Russian: <A {text}.>\n",
            ),
            (
                &with_both,
                "user: Say:\n<bank> is <банк>\n<XQAA> is <XQAA>\nInto Russian:\n<A {text}.>\n",
            ),
        ] {
            let found = shown(&asking.translation(asked));
            assert_eq!(found, format!("{system}{expected}"));
        }
        assert!(asking.is_own() && asking.takes_terms() && asking.takes_context());
        assert_eq!((asking.penalty(false), asking.penalty(true)), (1.05, 1.15));
    }

    #[test]
    fn without_a_wording_newsmls_own_is_used() {
        let mut bare = facts();
        (bare.system, bare.translate) = (None, None);
        (bare.translate_with_terms, bare.translate_with_context) = (None, None);
        let asked = Translation {
            from: Language::English,
            to: Language::Russian,
            segment: "A text.",
            again: true,
            terms: &[],
            background: None,
            quoted: None,
        };
        let expected = shown(&asked.prompt());
        for asking in [Asking::usual(), Asking::new(&bare).unwrap()] {
            assert_eq!(shown(&asking.translation(&asked)), expected);
            assert!(!asking.is_own() && !asking.takes_terms() && !asking.takes_context());
            assert_eq!(asking.penalty(true), asking.penalty(false));
            assert_eq!(asking.wording(), translation_wording());
        }
    }
}
