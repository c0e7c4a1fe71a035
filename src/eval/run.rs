//! Runs a model over a test set: the outputs, how fast they came, and what the checks said of them.
//!
//! Loading is not timed where the pipeline was built with the language of the sources; the time
//! starts with the first text. A text that fails has an empty output and is told, so that a failure
//! never improves a score.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Set;
use crate::document::{Document, Failure};
use crate::error::{Error, Result};
use crate::summarize::Summarizer;
use crate::translate::Translator;
use crate::warning::{Warning, WarningKind};

/// What a model made of a set.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run {
    /// One output for each item, in order; empty where the text failed.
    pub outputs: Vec<String>,
    /// The models that ran, in the order of their first output.
    pub models: Vec<String>,
    /// How fast it was.
    pub speed: Speed,
    /// How many outputs carry a warning.
    pub warned: usize,
    /// How many outputs carry each kind of [`Warning`].
    pub warnings: BTreeMap<WarningKind, usize>,
    /// Texts that failed, by their place in the set.
    pub failures: Vec<(usize, Error)>,
}

/// How fast a set was worked through.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Speed {
    /// Texts of the set.
    pub segments: usize,
    /// Words of the sources, parted by white space.
    pub words: usize,
    /// Time from the first text to the last output.
    pub seconds: f64,
}

impl Speed {
    /// Texts a second.
    pub fn segments_per_second(&self) -> f64 {
        self.segments as f64 / self.seconds.max(f64::EPSILON)
    }

    /// Words of the sources a second.
    pub fn words_per_second(&self) -> f64 {
        self.words as f64 / self.seconds.max(f64::EPSILON)
    }
}

/// One output.
struct Output {
    text: String,
    models: Vec<String>,
    warnings: Vec<Warning>,
}

/// Translates the sources of a set.
///
/// # Errors
///
/// [`Error::Usage`] where an item has no source; what stops a whole run, such as [`Error::Cancelled`].
pub fn translate(translator: &Translator, set: &Set) -> Result<Run> {
    over(set, |documents| {
        let translations = translator.translate_documents(documents);
        Box::new(translations.map(|translation| {
            translation.map(|done| Output {
                text: done.document.text().to_owned(),
                models: done.models,
                warnings: done.warnings,
            })
        }))
    })
}

/// Summarizes the sources of a set.
///
/// # Errors
///
/// As [`translate`].
pub fn summarize(summarizer: &Summarizer, set: &Set) -> Result<Run> {
    over(set, |documents| {
        let summaries = summarizer.summarize_documents(documents);
        Box::new(summaries.map(|summary| {
            summary.map(|done| Output {
                text: done.text,
                models: done.models,
                warnings: done.warnings,
            })
        }))
    })
}

type Documents<'a> = Box<dyn Iterator<Item = Result<Document, Box<Failure>>> + 'a>;
type Outputs<'a> = Box<dyn Iterator<Item = Result<Output, Box<Failure>>> + 'a>;

fn over<'a>(set: &'a Set, work: impl FnOnce(Documents<'a>) -> Outputs<'a>) -> Result<Run> {
    let sources: Option<Vec<&str>> = set
        .items
        .iter()
        .map(|item| item.source.as_deref())
        .collect();
    let sources = sources.ok_or_else(|| Error::Usage {
        message: "the set has no sources for a model to work on".to_owned(),
        hint: Some(
            "give them with `--src FILE`, or name the field with `--source-field`".to_owned(),
        ),
    })?;
    let words = sources
        .iter()
        .map(|text| text.split_whitespace().count())
        .sum();
    let mut run = Run {
        outputs: vec![String::new(); sources.len()],
        models: Vec::new(),
        speed: Speed {
            segments: sources.len(),
            words,
            seconds: 0.0,
        },
        warned: 0,
        warnings: BTreeMap::new(),
        failures: Vec::new(),
    };
    // What has no words needs no model.
    let places: Vec<usize> = (0..sources.len())
        .filter(|&place| !sources[place].trim().is_empty())
        .collect();
    let documents = places.clone().into_iter().map(move |place| {
        let name = format!("line {}", place + 1);
        Document::raw(name.clone(), sources[place]).map_err(|error| {
            Box::new(Failure {
                name,
                fields: serde_json::Map::new(),
                error,
            })
        })
    });
    let start = Instant::now();
    for (place, output) in places.into_iter().zip(work(Box::new(documents))) {
        match output {
            Ok(output) => run.take(place, output),
            Err(failure) if matches!(failure.error, Error::Cancelled) => return Err(failure.error),
            Err(failure) => run.failures.push((place, failure.error)),
        }
    }
    run.speed.seconds = start.elapsed().as_secs_f64();
    Ok(run)
}

impl Run {
    fn take(&mut self, place: usize, output: Output) {
        self.outputs[place] = output.text;
        for model in output.models {
            if !self.models.contains(&model) {
                self.models.push(model);
            }
        }
        self.warned += usize::from(!output.warnings.is_empty());
        for warning in output.warnings {
            *self.warnings.entry(warning.kind).or_default() += 1;
        }
    }
}
