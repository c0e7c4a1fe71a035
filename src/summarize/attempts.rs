//! Asks for summaries, and again for those that fail their checks; the best one is kept.

use std::borrow::Cow;

use super::extract::extract;
use super::parts::parts_of;
use super::tidy::tidied;
use super::writer::{Languages, Writer};
use super::{Summarizer, Written};
use crate::check;
use crate::decode::Watch;
use crate::engine::{Answer, Instruct, Job};
use crate::error::Result;
use crate::language::Language;
use crate::prompts::{self, Length};
use crate::segment::sentences;
use crate::tokenizer::Writing;
use crate::translators;
use crate::warning::{Warning, WarningKind};

/// How often a summary that fails its checks is asked for.
const ATTEMPTS: usize = 2;

impl Summarizer {
    /// Asks for a summary of each text, and again for those that fail their checks.
    pub(super) fn asked(
        &self,
        writer: Writer<'_>,
        languages: Languages,
        length: Length,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Written>>> {
        let language = languages.summary;
        let mut results: Vec<Option<Candidate>> = Vec::new();
        results.resize_with(texts.len(), || None);
        let mut open: Vec<usize> = (0..texts.len()).collect();
        for attempt in 0..ATTEMPTS {
            if open.is_empty() {
                break;
            }
            if watch.stopped() {
                // What was still to be asked for again is not finished.
                for &index in &open {
                    results[index] = None;
                }
                break;
            }
            let inputs: Vec<Cow<'_, str>> = open
                .iter()
                .map(|&index| match &results[index] {
                    Some(before) if before.strange().is_some() => {
                        // Also quoted orders may have been obeyed.
                        let text = texts[index];
                        check::without_orders(text, &check::orders(text, language), |_| true).into()
                    }
                    _ => texts[index].into(),
                })
                .collect();
            let inputs: Vec<&str> = inputs.iter().map(AsRef::as_ref).collect();
            watch.begin(inputs.len());
            let answers = match writer {
                Writer::Instruct(instruct) => {
                    let wanted = Wanted {
                        language,
                        length,
                        attempt,
                    };
                    self.prompted(instruct, wanted, &inputs, watch)?
                }
                Writer::Trained(model) if attempt == 0 => {
                    let asked = (languages.article, languages.summary);
                    model.summarize(asked, &inputs, &self.decoding, watch)?
                }
                // It was trained to write one kind of summary, and would write the same again; a
                // longer one is made of those of parts.
                Writer::Trained(model) if length == Length::Medium => {
                    self.by_parts(model, languages, &inputs, watch)?
                }
                Writer::Trained(_) => break,
            };
            let mut again = Vec::new();
            for (&index, answer) in open.iter().zip(answers) {
                let Some(answer) = answer else {
                    results[index] = None;
                    continue;
                };
                let (text, finish) = tidied(writer.own(answer, length, language), length, language);
                let mut faults = check::summary(texts[index], &text, language, finish);
                if languages.article == language {
                    faults.extend(check::origin(texts[index], &text, language));
                }
                // Too little is no fault to warn of, but worth another attempt.
                let written = sentences(&text, language).len();
                let little = written < length.fewest_sentences()
                    && sentences(texts[index], language).len() > 2 * length.fewest_sentences();
                let found = Candidate {
                    weight: check::weight(&faults) + u32::from(little),
                    text,
                    faults,
                };
                if found.weight > 0 {
                    again.push(index);
                }
                if results[index]
                    .as_ref()
                    .is_none_or(|before| found.weight < before.weight)
                {
                    results[index] = Some(found);
                }
            }
            open = again;
        }
        let written = results.into_iter().zip(texts).map(|(found, text)| {
            let found = found?;
            Some(found.of_the_article(text, length, language))
        });
        Ok(written.collect())
    }

    /// Summaries that are made of the summaries of parts, as many as there should be sentences.
    fn by_parts(
        &self,
        model: &translators::Checkpoint,
        languages: Languages,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Answer>>> {
        let writer = Writer::Trained(model);
        let mut parts: Vec<(usize, String)> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let most = writer.count(text)? / Length::Medium.fewest_sentences() + 1;
            let found = parts_of(writer, text, languages.article, most)?;
            parts.extend(found.into_iter().map(|part| (index, part)));
        }
        let inputs: Vec<&str> = parts.iter().map(|(_, part)| part.as_str()).collect();
        let asked = (languages.article, languages.summary);
        let answers = model.summarize(asked, &inputs, &self.decoding, watch)?;
        let mut joined: Vec<Vec<Option<Answer>>> = vec![Vec::new(); texts.len()];
        for ((index, _), answer) in parts.into_iter().zip(answers) {
            joined[index].push(answer);
        }
        // One without all of its parts is not finished.
        let whole = joined.into_iter().map(|parts| {
            let parts = parts.into_iter().collect::<Option<Vec<Answer>>>()?;
            parts.into_iter().reduce(|before, answer| Answer {
                text: format!("{} {}", before.text, answer.text),
                finish: answer.finish,
            })
        });
        Ok(whole.collect())
    }

    fn prompted(
        &self,
        instruct: &Instruct,
        wanted: Wanted,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Answer>>> {
        let Wanted {
            language,
            length,
            attempt,
        } = wanted;
        let jobs = texts
            .iter()
            .map(|text| {
                let most = self.decoding.max_tokens;
                let article = prompts::Quoted::new(text);
                let asked = prompts::summary(language, length, &article, attempt);
                Ok(Job {
                    prompt: instruct.prompt(&asked)?,
                    max_new: most.unwrap_or_else(|| length.most_tokens(language)),
                    writing: if attempt == 0 {
                        Writing::Usual(language)
                    } else {
                        Writing::Strict(language)
                    },
                    penalty: instruct.asking().penalty(false),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        instruct.answer(&jobs, &self.decoding, watch)
    }
}

/// What is asked of an instruct model.
#[derive(Clone, Copy)]
struct Wanted {
    language: Language,
    length: Length,
    attempt: usize,
}

/// A summary, and how bad it is.
struct Candidate {
    text: String,
    faults: Vec<Warning>,
    weight: u32,
}

impl Candidate {
    /// The fault that it does not come from its article.
    fn strange(&self) -> Option<&Warning> {
        self.faults
            .iter()
            .find(|fault| fault.kind == WarningKind::NotInSource)
    }

    /// The summary, or where it says what its article does not, sentences of the article.
    fn of_the_article(self, article: &str, length: Length, language: Language) -> Written {
        match self
            .strange()
            .and_then(|fault| Some((fault, extract(article, length, language)?)))
        {
            Some((fault, text)) => {
                let message = format!(
                    "sentences of the article were taken, as no summary by the model was of it ({})",
                    fault.message
                );
                (text, vec![Warning::new(WarningKind::NotInSource, message)])
            }
            None => (self.text, self.faults),
        }
    }
}
