//! Prompts in, texts out: plans batches over everything there is to do, decodes, restores order.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::checkpoint::Checkpoint;
use crate::decode::{
    Batch, Finish, Hypothesis, Limits, Model, Row, Step, TokenId, Watch, Work, greedy,
};
use crate::error::Result;
use crate::options::Decoding;
use crate::prompts::Asking;
use crate::registry::PromptFacts;
use crate::tokenizer::{Message, Writing};

/// A prompt to be answered.
pub(crate) struct Job {
    /// The whole prompt.
    pub(crate) prompt: Vec<TokenId>,
    /// Most tokens of the answer.
    pub(crate) max_new: usize,
    /// What the answer may be written in.
    pub(crate) writing: Writing,
    /// How much less likely tokens of the prompt and the answer are made; 1 for no less.
    pub(crate) penalty: f32,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The text, without white space around it.
    pub(crate) text: String,
    /// Why it ends where it does.
    pub(crate) finish: Finish,
}

/// An instruct model that answers prompts.
pub(crate) struct Instruct {
    checkpoint: Checkpoint,
    asking: Asking,
    masks: Mutex<HashMap<Writing, Arc<[bool]>>>,
}

impl Instruct {
    /// A model that is asked as its entry says, where it has one.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedModel`](crate::error::Error::UnsupportedModel) for a file that cannot be
    /// asked so.
    pub(crate) fn new(mut checkpoint: Checkpoint, facts: Option<&PromptFacts>) -> Result<Self> {
        let asking = facts.map_or(Ok(Asking::usual()), Asking::new);
        let asking = asking.map_err(|message| crate::error::Error::Registry {
            name: "models.toml".to_owned(),
            message,
        })?;
        let stop = facts.map_or(&[][..], |facts| &facts.stop);
        checkpoint.tokenizer_mut().ask_by(asking.frame(), stop)?;
        Ok(Self {
            checkpoint,
            asking,
            masks: Mutex::new(HashMap::new()),
        })
    }

    /// How it is asked.
    pub(crate) fn asking(&self) -> &Asking {
        &self.asking
    }

    /// Most tokens that a prompt and its answer may have together.
    pub(crate) fn context(&self) -> usize {
        self.checkpoint.context()
    }

    /// How many tokens a text has.
    pub(crate) fn count(&self, text: &str) -> Result<usize> {
        Ok(self.checkpoint.tokenizer().encode(text)?.len())
    }

    /// A conversation as a prompt.
    pub(crate) fn prompt(&self, messages: &[Message<'_>]) -> Result<Vec<TokenId>> {
        self.checkpoint.tokenizer().prompt(messages)
    }

    fn mask(&self, writing: Writing) -> Arc<[bool]> {
        let mut masks = self.masks.lock().unwrap_or_else(PoisonError::into_inner);
        masks
            .entry(writing)
            .or_insert_with(|| self.checkpoint.tokenizer().forbidden(writing))
            .clone()
    }

    /// Answers all prompts, in batches of prompts of like length; the i-th answer belongs to the
    /// i-th prompt. Where the caller stops the work, what is not answered by then is `None`.
    pub(crate) fn answer(
        &self,
        jobs: &[Job],
        decoding: &Decoding,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Answer>>> {
        let mut answers: Vec<Option<Answer>> = vec![None; jobs.len()];
        let tokenizer = self.checkpoint.tokenizer();
        // On a card each row has a copy of what the prompts share.
        let mut copies = self.checkpoint.copies().iter();
        let is_held_once = copies.all(|copy| !copy.reduces_scores());
        let lengths = lengths(jobs, is_held_once);
        let rows = lengths.into_iter().enumerate().map(|(number, length)| Row {
            number,
            length,
            input: (),
        });
        let decode = |model: &dyn Model,
                      rows: &[Row<()>],
                      progress: &mut dyn FnMut(Step) -> ControlFlow<()>| {
            let jobs: Vec<&Job> = rows.iter().map(|row| &jobs[row.number]).collect();
            let prompts: Vec<&[TokenId]> = jobs.iter().map(|job| job.prompt.as_slice()).collect();
            let limits = Limits {
                max_new: jobs.iter().map(|job| job.max_new).collect(),
                stop: tokenizer.stop().to_vec(),
                max_repeats: 3,
                penalties: jobs.iter().map(|job| job.penalty).collect(),
                banned: jobs
                    .iter()
                    .map(|job| Some(self.mask(job.writing)))
                    .collect(),
            };
            greedy(model, &Batch::new(&prompts), &limits, progress)
        };
        let work = Work::new(
            self.checkpoint.copies(),
            (None, decoding.batch_tokens),
            &decode,
        );
        let stretches = std::iter::once(Ok(rows.collect()));
        let mut finish = |job: usize, found: Hypothesis| {
            let text = tokenizer.decode(&found.tokens)?;
            answers[job] = Some(Answer {
                text: text.trim().to_owned(),
                finish: found.finish,
            });
            Ok(())
        };
        work.run(stretches, &mut finish, watch)?;
        Ok(answers)
    }
}

/// What each job counts for in a batch: its tokens, without those that all prompts begin with where
/// these are held once, and half of the most that it may write.
fn lengths(jobs: &[Job], is_held_once: bool) -> Vec<usize> {
    let shared = if is_held_once { shared_prefix(jobs) } else { 0 };
    jobs.iter()
        .map(|job| job.prompt.len() - shared + job.max_new.div_ceil(2))
        .collect()
}

fn shared_prefix(jobs: &[Job]) -> usize {
    let Some((first, rest)) = jobs.split_first() else {
        return 0;
    };
    if rest.is_empty() {
        return 0;
    }
    let shared = |job: &Job| {
        first
            .prompt
            .iter()
            .zip(&job.prompt)
            .take_while(|(a, b)| a == b)
            .count()
    };
    rest.iter().map(shared).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn what_prompts_share_counts_where_each_row_holds_it() {
        let job = |prompt: &[TokenId]| Job {
            prompt: prompt.to_vec(),
            max_new: 9,
            writing: Writing::Usual(Language::English),
            penalty: 1.0,
        };
        let jobs = [job(&[1, 2, 3, 4]), job(&[1, 2, 3, 5, 6])];
        assert_eq!(lengths(&jobs, true), [1 + 5, 2 + 5]);
        assert_eq!(lengths(&jobs, false), [4 + 5, 5 + 5]);
        assert_eq!(lengths(&jobs[..1], true), [4 + 5]);
    }
}
