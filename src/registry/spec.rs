//! What the catalogue says about one model: family, tasks, languages, licence, limits, sources.
//!
//! These types mirror the tables of `models.toml` key by key. They only describe: choosing is the
//! registry's business and fetching is the store's. What a source holds is in [`super::source`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::prompt::PromptFacts;
use super::source::Source;
use crate::language::Language;

/// What the files of a model are, and what reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Family {
    /// A decoder-only model in a GGUF file, which says its architecture; prompted with instructions.
    #[serde(alias = "qwen2")]
    Gguf,
    /// Firefox Translations: Transformer encoder, SSRU decoder, int8 weights, lexical shortlist.
    Firefox,
    /// Marian as converted by Hugging Face: opus-mt and opus-mt-tc-big.
    Marian,
    /// M2M100 and NLLB-200.
    M2m100,
    /// T5, mT5 and MADLAD-400.
    T5,
}

impl Family {
    /// The families that this build can run; models of other families are never chosen by default.
    pub const RUNNABLE: &'static [Self] = &[
        Self::Gguf,
        Self::Firefox,
        Self::Marian,
        Self::M2m100,
        Self::T5,
    ];

    /// Whether this build can run models of the family.
    pub fn is_runnable(self) -> bool {
        Self::RUNNABLE.contains(&self)
    }

    /// Whether models of the family are asked in words: they have no pair of languages of their own.
    pub fn is_prompted(self) -> bool {
        match self {
            Self::Gguf => true,
            Self::Firefox | Self::Marian | Self::M2m100 | Self::T5 => false,
        }
    }

    /// The name as it stands in `models.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gguf => "gguf",
            Self::Firefox => "firefox",
            Self::Marian => "marian",
            Self::M2m100 => "m2m100",
            Self::T5 => "t5",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of work that a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Task {
    /// Text in one language becomes text in another.
    Translate,
    /// An article becomes a few sentences.
    Summarize,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Translate => "translate",
            Self::Summarize => "summarize",
        })
    }
}

/// A direction of translation, written `ar-en`.
///
/// The codes need not be of newsml's own languages: the catalogue also lists models for others,
/// which can be asked for by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// ISO 639-1 code of the language read.
    pub from: String,
    /// ISO 639-1 code of the language written.
    pub to: String,
}

impl Pair {
    /// The pair of two of newsml's own languages.
    pub fn new(from: Language, to: Language) -> Self {
        Self {
            from: from.code().to_owned(),
            to: to.code().to_owned(),
        }
    }

    /// The two languages, where newsml knows both.
    pub fn languages(&self) -> Option<(Language, Language)> {
        let find = |code: &str| {
            Language::ALL
                .into_iter()
                .find(|language| language.code() == code)
        };
        Some((find(&self.from)?, find(&self.to)?))
    }

    fn parse(text: &str) -> Option<Self> {
        let is_code = |code: &str| {
            (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        let (from, to) = text.split_once('-')?;
        (is_code(from) && is_code(to)).then(|| Self {
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl Serialize for Pair {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is not a pair of languages like `ar-en`"))
        })
    }
}

/// One entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelSpec {
    /// The name that `--model` takes; lower case letters, digits, `.`, `-` and `_`.
    pub id: String,
    /// The architecture.
    pub family: Family,
    /// What the model can do.
    pub tasks: Vec<Task>,
    /// Directions of translation; instruct models list those they may be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// Languages of articles that it can summarize (ISO 639-1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// SPDX expression of the licence of the weights.
    pub licence: String,
    /// What a user must know before using the model, such as a ban on commercial use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Bytes to download; exact where a source states exact sizes, else an estimate.
    pub size: u64,
    /// Bytes of memory that the model takes at work, with a full batch; see
    /// [`memory_needed`](Self::memory_needed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Where the facts about the model are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Lengths the model can take.
    #[serde(default)]
    pub limits: Limits,
    /// Decoding settings of the authors, where they differ from newsml's.
    #[serde(default)]
    pub decoding: DecodingFacts,
    /// What tells the model the language of the input, by ISO 639-1 code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub source_tokens: BTreeMap<String, String>,
    /// What tells the model the language of the output, by ISO 639-1 code.
    ///
    /// Marian and MADLAD: a prefix of the text; NLLB: the first token of the decoder; CrossSum: the
    /// key of the model's own `langid_map`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target_tokens: BTreeMap<String, String>,
    /// How the model is asked, where it is asked in words; in newsml's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptFacts>,
    /// Published quality by pair, for people who choose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quality: BTreeMap<String, Quality>,
    /// Where the files can be had, tried in order.
    pub sources: Vec<Source>,
}

/// Lengths that a model can take, in tokens of its own vocabulary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// The longest input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_tokens: Option<usize>,
    /// The longest output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_tokens: Option<usize>,
}

/// Decoding settings that the authors of a checkpoint state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DecodingFacts {
    /// Hypotheses kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beams: Option<usize>,
    /// Sequences of this many tokens may not come twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_repeat_ngram: Option<usize>,
    /// Exponent of the length that a hypothesis' score is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_penalty: Option<f64>,
}

/// Published quality of one direction; higher is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Quality {
    /// BLEU on the FLORES-200 test set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bleu: Option<f64>,
    /// chrF on the FLORES-200 test set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chrf: Option<f64>,
    /// COMET on the FLORES-200 test set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comet: Option<f64>,
    /// ROUGE-L on the test set that the authors name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rouge_l: Option<f64>,
}

impl ModelSpec {
    /// Whether the model can do the task in the direction, by its entry.
    pub fn translates(&self, from: Language, to: Language) -> bool {
        self.tasks.contains(&Task::Translate) && self.pairs.contains(&Pair::new(from, to))
    }

    /// Whether the model can summarize articles in the language, by its entry.
    pub fn summarizes(&self, language: Language) -> bool {
        self.tasks.contains(&Task::Summarize)
            && self.languages.iter().any(|code| code == language.code())
    }

    /// Whether translation is what the model was made for: a model that is asked in words, and does
    /// other work too, was made for whatever it is asked.
    pub fn is_made_for_translation(&self) -> bool {
        !self.family.is_prompted() || self.tasks == [Task::Translate]
    }

    /// Bytes of memory that the model takes at work: what its entry says, else its size and a
    /// quarter, which is what a batch of sentences takes of a small model.
    ///
    /// Entries of GGUF files say the size of the file and 8192 tokens of keys and values in float32,
    /// which is what a batch on the processor holds.
    pub fn memory_needed(&self) -> u64 {
        self.memory.unwrap_or_else(|| memory_of(self.size))
    }

    /// A text that is the same for the same weights asked in the same way, and no others: part of
    /// what tells whether an output made earlier would be made again. Another place to have the same
    /// files from does not change it.
    pub fn fingerprint(&self) -> String {
        let mut files = BTreeSet::new();
        for source in &self.sources {
            match source {
                Source::Hub(source) => {
                    let (repository, revision) = (&source.repository, &source.revision);
                    let lines = source.files.iter();
                    files.extend(lines.map(|file| match source.sha256.get(file) {
                        Some(sum) => format!("{file} {sum}"),
                        None => format!("{repository}@{revision}/{file}"),
                    }));
                }
                Source::Url(source) => {
                    let lines = source.files.iter();
                    files.extend(lines.map(|file| format!("{} {}", file.name, file.sha256)));
                }
                Source::Wheels(source) => {
                    let lines = source.files.iter();
                    files.extend(lines.map(|file| format!("{} {}", file.name, file.sha256)));
                }
            }
        }
        let facts = (
            &files,
            (&self.decoding, &self.limits),
            (&self.source_tokens, &self.target_tokens),
            &self.prompt,
        );
        let text = serde_json::to_string(&facts).unwrap_or_default();
        format!("{:x}", Sha256::digest(text))
    }

    /// Whether the licence forbids commercial use; such models are in no default list.
    pub fn is_non_commercial(&self) -> bool {
        self.licence.split(['-', ' ']).any(|part| part == "NC")
    }

    /// Checks what the types cannot say; the error is the message alone.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let at = |message: String| format!("model `{}`: {message}", self.id);
        if self.id == PREPARED {
            return Err(format!(
                "`{PREPARED}` cannot be the id of a model, since newsml uses the name itself"
            ));
        }
        if !is_id(&self.id) {
            return Err(format!(
                "`{}` is not a model id: use lower case letters, digits, `.`, `-` and `_`, and begin with a letter",
                self.id
            ));
        }
        if self.tasks.is_empty() {
            return Err(at("`tasks` is empty".to_owned()));
        }
        if self.tasks.contains(&Task::Translate) && self.pairs.is_empty() {
            return Err(at("it translates, but `pairs` is empty".to_owned()));
        }
        if self.tasks.contains(&Task::Summarize) && self.languages.is_empty() {
            return Err(at("it summarizes, but `languages` is empty".to_owned()));
        }
        if self.sources.is_empty() {
            return Err(at("it has no sources".to_owned()));
        }
        if let Some(prompt) = &self.prompt {
            if !self.family.is_prompted() {
                return Err(at(format!(
                    "it has a `prompt`, but models of family `{}` are not asked in words",
                    self.family
                )));
            }
            let translates = self.tasks.contains(&Task::Translate);
            prompt.validate(translates).map_err(at)?;
        }
        self.sources
            .iter()
            .try_for_each(Source::validate)
            .map_err(at)
    }
}

/// Bytes of memory that a model takes at work of whose files only the size is known.
pub(crate) fn memory_of(size: u64) -> u64 {
    size.saturating_add(size / 4)
}

/// The folder of prepared weights, which lies beside the folders of models.
pub(crate) const PREPARED: &str = "prepared";

fn is_id(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte)
        })
}
