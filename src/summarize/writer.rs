//! The models that write summaries, as one: what each reads at once, and in which language it writes.

use crate::engine::{Answer, Instruct};
use crate::error::{Error, Result};
use crate::language::Language;
use crate::loader::{Engine, Loaded};
use crate::prompts::Length;
use crate::segment::sentences;
use crate::translators::{self, SegmentModel};

/// Most tokens of an article that are read at once.
const MOST_TOKENS: usize = 3000;
/// Tokens of a part of a longer article.
const PART_TOKENS: usize = 2000;

/// What writes summaries.
#[derive(Clone, Copy)]
pub(super) enum Writer<'a> {
    /// A model that is asked to.
    Instruct(&'a Instruct),
    /// A model that was trained to.
    Trained(&'a translators::Checkpoint),
}

impl<'a> Writer<'a> {
    pub(super) fn of(model: &'a Loaded) -> Result<Self> {
        match &model.engine {
            Engine::Instruct(instruct) => Ok(Self::Instruct(instruct)),
            Engine::Segments(SegmentModel::Seq2Seq(model)) => Ok(Self::Trained(model)),
            Engine::Segments(SegmentModel::Firefox(_)) => Err(Error::Usage {
                message: format!("model `{}` translates and cannot summarize", model.id),
                hint: Some("leave `--model` out, or see `newsml models list`".to_owned()),
            }),
        }
    }

    /// The language that it writes in about an article in one language: the one that is wanted,
    /// where it was made for that, else the article's own, in which models stay closest to the
    /// text.
    pub(super) fn language(self, article: Language, wanted: Option<Language>) -> Language {
        match (self, wanted) {
            (Self::Trained(model), Some(wanted)) if model.is_told(wanted) => wanted,
            _ => article,
        }
    }

    /// How long the summary of a part is: a trained model's own length.
    pub(super) fn part_length(self) -> Length {
        match self {
            Self::Instruct(_) => Length::Medium,
            Self::Trained(_) => Length::Short,
        }
    }

    /// What of an answer is the headline of a model that was not asked for one: its first
    /// sentence.
    pub(super) fn own(self, mut answer: Answer, length: Length, language: Language) -> Answer {
        if let (Self::Trained(_), Length::Headline) = (self, length)
            && let Some(first) = sentences(&answer.text, language).first()
        {
            answer.text.truncate(first.end);
        }
        answer
    }

    pub(super) fn count(self, text: &str) -> Result<usize> {
        match self {
            Self::Instruct(instruct) => instruct.count(text),
            Self::Trained(model) => model.count(text),
        }
    }

    /// Most tokens of an article that are read at once.
    pub(super) fn most_tokens(self) -> usize {
        match self {
            Self::Instruct(instruct) => MOST_TOKENS.min(instruct.context() / 2),
            Self::Trained(model) => model.most_article_tokens(),
        }
    }

    /// Tokens of a part of a longer article.
    pub(super) fn part_tokens(self) -> usize {
        PART_TOKENS.min(self.most_tokens())
    }
}

/// What is read and what is written.
#[derive(Clone, Copy)]
pub(super) struct Languages {
    pub(super) article: Language,
    pub(super) summary: Language,
}
