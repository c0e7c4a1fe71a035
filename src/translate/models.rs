//! Loaded models as what translates segments: prompts for those that follow instructions, texts for
//! the others.

use std::sync::Arc;

use super::attempts::{Translates, Way};
use crate::check::orders;
use crate::decode::Watch;
use crate::engine::{Answer, Instruct, Job};
use crate::error::{Error, Result};
use crate::language::{Language, ScriptProfile};
use crate::loader::{Engine, Loaded};
use crate::options::Decoding;
use crate::prompts::{self, Quoted};
use crate::tokenizer::Writing;
use crate::translators::{Segment, SegmentModel, Texts};
use crate::warning::{Warning, WarningKind};

/// Most tokens of a segment for an instruct model; longer ones are parted.
const MOST_TOKENS: usize = 320;
/// Hypotheses of a search that is to find what a narrower one did not.
const WIDE: usize = 5;
/// The shortest run of tokens that a second attempt may not repeat.
const NO_REPEAT: usize = 4;

/// A model with the direction that it is to work in.
pub(super) struct Directed<'a> {
    pub(super) model: Arc<Loaded>,
    pub(super) from: Option<Language>,
    pub(super) to: Option<Language>,
    pub(super) decoding: &'a Decoding,
}

impl Translates for Directed<'_> {
    fn id(&self) -> &str {
        &self.model.id
    }

    fn has_other_way(&self) -> bool {
        match &self.model.engine {
            Engine::Instruct(_) | Engine::Segments(SegmentModel::Seq2Seq(_)) => true,
            // Distilled to be decoded in one way.
            Engine::Segments(SegmentModel::Firefox(_)) => false,
        }
    }

    fn takes_terms(&self) -> bool {
        match &self.model.engine {
            Engine::Instruct(instruct) => instruct.asking().takes_terms(),
            // They can be made to say them, at the cost of a wider search.
            Engine::Segments(_) => false,
        }
    }

    fn translate(
        &self,
        texts: Texts<'_>,
        way: Way,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Segment>>> {
        match (&self.model.engine, self.from, self.to) {
            (Engine::Instruct(instruct), Some(from), Some(to)) => {
                self.prompted(instruct, (from, to), texts, way, watch)
            }
            (Engine::Instruct(_), _, _) => Err(Error::NoModel {
                task: "translate".to_owned(),
            }),
            (Engine::Segments(model), _, _) => {
                let mut decoding = self.decoding.clone();
                let mut texts = texts;
                if way == Way::Usual {
                    // As its makers want it: nothing is forced.
                    texts.phrases = &[];
                } else {
                    let terms = texts.phrases.iter().map(Vec::len).max().unwrap_or(0);
                    decoding.beams = Some(decoding.beams.unwrap_or(0).max(WIDE + 2 * terms));
                    decoding.no_repeat_ngram = Some(decoding.no_repeat_ngram.unwrap_or(NO_REPEAT));
                }
                model.translate((self.from, self.to), texts, &decoding, watch)
            }
        }
    }
}

impl Directed<'_> {
    fn prompted(
        &self,
        instruct: &Instruct,
        (from, to): (Language, Language),
        texts: Texts<'_>,
        way: Way,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Segment>>> {
        let asking = instruct.asking();
        let quoted: Vec<Option<Quoted<'_>>> = texts
            .texts
            .iter()
            .map(|text| (!orders(text, from).is_empty()).then(|| Quoted::new(text)))
            .collect();
        let mut jobs = Vec::with_capacity(texts.texts.len());
        for (number, text) in texts.texts.iter().enumerate() {
            let source = instruct.count(text)?;
            // Arabic and Russian words have two to three times the tokens of English ones.
            let expected = match (from, to) {
                (Language::English, _) => source * 5,
                (_, Language::English) => source * 3 / 2,
                _ => source * 3,
            };
            let asked = prompts::Translation {
                from,
                to,
                segment: text,
                again: way == Way::Other,
                terms: texts.phrases.get(number).map_or(&[], Vec::as_slice),
                background: texts.backgrounds.get(number).and_then(Option::as_deref),
                quoted: quoted[number].as_ref(),
            };
            jobs.push(Job {
                prompt: instruct.prompt(&asking.translation(&asked))?,
                max_new: self.decoding.max_tokens.unwrap_or(expected + 32),
                writing: if asking.is_own() {
                    // It was made for translation, and keeps Latin names as people do.
                    Writing::Usual(to)
                } else {
                    writing(from, to, &asked)
                },
                penalty: asking.penalty(asked.again),
            });
        }
        watch.begin(jobs.len());
        let answers = instruct.answer(&jobs, self.decoding, watch)?;
        let segment = |mut answer: Answer, quoted: &Option<Quoted<'_>>| {
            let mut warnings = Vec::new();
            if let Some(quoted) = quoted {
                answer.text = quoted.without_tags(&answer.text).to_owned();
                if orders(&answer.text, to).is_empty() {
                    warnings.push(Warning::new(
                        WarningKind::NotInSource,
                        "the source gives orders to machines, and the output does not: it may follow them instead",
                    ));
                }
            }
            Segment { answer, warnings }
        };
        Ok(answers
            .into_iter()
            .zip(&quoted)
            .map(|(answer, quoted)| answer.map(|answer| segment(answer, quoted)))
            .collect())
    }
}

/// Whether a piece of text is short enough for a model.
pub(super) fn fits(model: &Loaded, piece: &str) -> Result<bool> {
    match &model.engine {
        // A token has at least one byte.
        Engine::Instruct(instruct) => Ok(piece.len() <= MOST_TOKENS
            || (piece.len() <= MOST_TOKENS * 16 && instruct.count(piece)? <= MOST_TOKENS)),
        Engine::Segments(model) => model.fits(piece),
    }
}

/// What a translation may be written in. A small model that may use Latin letters mixes them into
/// Arabic and Russian words, so it may only where the source has what is written so in any language:
/// addresses, or Latin words in a text of another script; or where a term is written so.
fn writing(from: Language, to: Language, asked: &prompts::Translation<'_>) -> Writing {
    let has_latin = |text: &str| ScriptProfile::of(text).share(Language::English) > 0.0;
    let address = ["://", "www.", "@"]
        .iter()
        .any(|mark| asked.segment.contains(mark));
    let latin = from != Language::English && has_latin(asked.segment);
    if address || latin || asked.terms.iter().any(|term| has_latin(&term.target)) {
        Writing::Usual(to)
    } else {
        Writing::Strict(to)
    }
}
