//! Measures outputs against references: BLEU, chrF and chrF++ as sacreBLEU 2 computes them, ROUGE as
//! `rouge-score` does, each with a confidence interval by bootstrap.
//!
//! A metric counts in each segment what it needs, and a score is a function of the sums over all
//! segments: so a corpus is counted once, and a resampled corpus costs additions only. What a metric
//! counts is the business of its own file; reading test sets is in `set`, running a model over one
//! in `run`.
//!
//! ```
//! use newsml::eval::{Corpus, Metric, Options, score};
//! let corpus = Corpus::new(
//!     vec!["The bridge was opened on Monday.".to_owned()],
//!     vec![vec!["The bridge opened on Monday.".to_owned()]],
//! )?;
//! let bleu = score(&corpus, Metric::Bleu, &Options::default());
//! assert_eq!(format!("{:.2}", bleu.value), "48.89");
//! # Ok::<(), newsml::Error>(())
//! ```

mod bleu;
mod bootstrap;
mod chrf;
mod rouge;
mod run;
mod set;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::str::FromStr;

pub use bootstrap::{Bootstrap, Interval};
pub use run::{Run, Speed, summarize, translate};
pub use set::{Fields, Item, Set, lines};
pub use words::BleuTokenizer;

use crate::error::{Error, Result};

/// What can be measured. Every score is between 0 and 100, and more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// BLEU (Papineni et al., 2002) with sacreBLEU's defaults: n-grams up to 4, exponential
    /// smoothing.
    Bleu,
    /// chrF (Popović, 2015): character n-grams up to 6, recall counted twice.
    Chrf,
    /// chrF++ (Popović, 2017): chrF with words and pairs of words.
    ChrfPlusPlus,
    /// ROUGE-1 (Lin, 2004): words; the mean of the F-measures of all segments, as for all of ROUGE.
    Rouge1,
    /// ROUGE-2: pairs of words.
    Rouge2,
    /// ROUGE-L: the longest common subsequence of words.
    RougeL,
    /// ROUGE-L of summaries: the union of common subsequences, a sentence a line.
    RougeLsum,
}

impl Metric {
    /// All metrics.
    pub const ALL: [Self; 7] = [
        Self::Bleu,
        Self::Chrf,
        Self::ChrfPlusPlus,
        Self::Rouge1,
        Self::Rouge2,
        Self::RougeL,
        Self::RougeLsum,
    ];
    /// What is usually told of translations.
    pub const TRANSLATION: [Self; 3] = [Self::Bleu, Self::Chrf, Self::ChrfPlusPlus];
    /// What is usually told of summaries.
    pub const SUMMARY: [Self; 3] = [Self::Rouge1, Self::Rouge2, Self::RougeL];

    /// The name, as it is written in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bleu => "BLEU",
            Self::Chrf => "chrF2",
            Self::ChrfPlusPlus => "chrF2++",
            Self::Rouge1 => "ROUGE-1",
            Self::Rouge2 => "ROUGE-2",
            Self::RougeL => "ROUGE-L",
            Self::RougeLsum => "ROUGE-Lsum",
        }
    }

    /// The name, as it is typed and as it is called in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Bleu => "bleu",
            Self::Chrf => "chrf",
            Self::ChrfPlusPlus => "chrf++",
            Self::Rouge1 => "rouge1",
            Self::Rouge2 => "rouge2",
            Self::RougeL => "rougeL",
            Self::RougeLsum => "rougeLsum",
        }
    }

    fn counter(self, options: &Options) -> Box<dyn Counter> {
        match self {
            Self::Bleu => Box::new(bleu::Bleu {
                tokenizer: options.tokenizer,
                case: options.case,
            }),
            Self::Chrf => Box::new(chrf::Chrf {
                word_order: 0,
                case: options.case,
            }),
            Self::ChrfPlusPlus => Box::new(chrf::Chrf {
                word_order: 2,
                case: options.case,
            }),
            Self::Rouge1 => Box::new(rouge::Rouge::Words(1)),
            Self::Rouge2 => Box::new(rouge::Rouge::Words(2)),
            Self::RougeL => Box::new(rouge::Rouge::Sequence),
            Self::RougeLsum => Box::new(rouge::Rouge::Lines),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = Error;

    /// Reads a key or a name, in whatever case.
    fn from_str(text: &str) -> Result<Self> {
        let is_it = |metric: &Self| {
            metric.key().eq_ignore_ascii_case(text) || metric.name().eq_ignore_ascii_case(text)
        };
        Self::ALL
            .into_iter()
            .find(is_it)
            .ok_or_else(|| Error::Usage {
                message: format!("unknown metric `{text}`"),
                hint: Some(format!(
                    "the metrics are `{}`",
                    Self::ALL.map(Self::key).join("`, `")
                )),
            })
    }
}

/// Whether upper and lower case differ. ROUGE never tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// They do.
    #[default]
    Mixed,
    /// Everything is lower-cased first.
    Lower,
}

impl Case {
    fn apply(self, text: &str) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Mixed => text.into(),
            Self::Lower => text.to_lowercase().into(),
        }
    }

    /// The name in signatures.
    fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Lower => "lc",
        }
    }
}

/// How scores are computed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What BLEU takes for a word.
    pub tokenizer: BleuTokenizer,
    /// Whether BLEU and chrF tell upper from lower case.
    pub case: Case,
    /// How the interval is estimated; `None` for no interval.
    pub bootstrap: Option<Bootstrap>,
}

/// Outputs with the references that they are measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    hypotheses: Vec<String>,
    references: Vec<Vec<String>>,
}

impl Corpus {
    /// A corpus whose i-th output has the i-th list of references.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where the numbers differ, there is nothing, or an output has no reference.
    pub fn new(hypotheses: Vec<String>, references: Vec<Vec<String>>) -> Result<Self> {
        let wrong = |message: String| {
            Err(Error::Usage {
                message,
                hint: Some("line N of the outputs answers line N of the references".to_owned()),
            })
        };
        if hypotheses.len() != references.len() {
            let (outputs, references) = (hypotheses.len(), references.len());
            return wrong(format!(
                "there are {outputs} outputs and references for {references}"
            ));
        }
        if hypotheses.is_empty() {
            return wrong("there is nothing to measure".to_owned());
        }
        if let Some(lonely) = references.iter().position(Vec::is_empty) {
            return wrong(format!("output {} has no reference", lonely + 1));
        }
        Ok(Self {
            hypotheses,
            references,
        })
    }

    /// The number of outputs.
    pub fn len(&self) -> usize {
        self.hypotheses.len()
    }

    /// Whether there is none, which never is so.
    pub fn is_empty(&self) -> bool {
        self.hypotheses.is_empty()
    }

    /// References of each output, where all have as many.
    fn width(&self) -> Option<usize> {
        let first = self.references.first().map(Vec::len);
        first.filter(|width| self.references.iter().all(|refs| refs.len() == *width))
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Score {
    /// From 0 to 100.
    pub value: f64,
    /// Where the value would lie for other texts of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// How it was computed, in the form of sacreBLEU's signatures.
    pub signature: String,
    /// What the value is made of.
    pub parts: Parts,
}

/// What a score is made of.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Parts {
    /// Of BLEU.
    #[non_exhaustive]
    Bleu {
        /// Precisions of the n-grams of one to four words, from 0 to 100.
        precisions: [f64; 4],
        /// The factor for outputs that are too short, from 0 to 1.
        brevity_penalty: f64,
        /// Words of the outputs.
        hypothesis_length: u64,
        /// Words of the references.
        reference_length: u64,
    },
    /// Of chrF and chrF++: means over the orders of n-grams.
    #[non_exhaustive]
    Chrf {
        /// From 0 to 100.
        precision: f64,
        /// From 0 to 100.
        recall: f64,
    },
    /// Of ROUGE: means over the segments.
    #[non_exhaustive]
    Rouge {
        /// From 0 to 100.
        precision: f64,
        /// From 0 to 100.
        recall: f64,
    },
}

/// A metric: what it counts in a segment, and what follows from sums of that.
trait Counter {
    /// Counts one segment; always the same number of counts.
    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64>;
    /// The score for counts that were added up, from 0 to 100.
    fn value(&self, sums: &[f64]) -> f64;
    /// What the score is made of.
    fn parts(&self, sums: &[f64]) -> Parts;
    /// The signature without what all metrics have.
    fn signature(&self) -> String;
}

/// Measures a corpus.
pub fn score(corpus: &Corpus, metric: Metric, options: &Options) -> Score {
    let counter = metric.counter(options);
    let counts: Vec<Vec<f64>> = corpus
        .hypotheses
        .iter()
        .zip(&corpus.references)
        .map(|(hypothesis, references)| {
            let references: Vec<&str> = references.iter().map(String::as_str).collect();
            counter.count(hypothesis, &references)
        })
        .collect();
    let mut sums = vec![0.0; counts.first().map_or(0, Vec::len)];
    for count in &counts {
        add(&mut sums, count);
    }
    let interval = options
        .bootstrap
        .map(|bootstrap| bootstrap.interval(&counts, |sums| counter.value(sums)));
    let width = corpus
        .width()
        .map_or("var".to_owned(), |width| width.to_string());
    let resampled = options.bootstrap.map_or(String::new(), |bootstrap| {
        format!("|bs:{}|seed:{}", bootstrap.samples, bootstrap.seed)
    });
    Score {
        value: counter.value(&sums),
        interval,
        signature: format!(
            "nrefs:{width}{resampled}|{}|version:newsml-{}",
            counter.signature(),
            env!("CARGO_PKG_VERSION")
        ),
        parts: counter.parts(&sums),
    }
}

fn add(sums: &mut [f64], counts: &[f64]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += count;
    }
}
