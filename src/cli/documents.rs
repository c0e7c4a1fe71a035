//! The loop that all commands for documents share: read, work, write, in the order of the arguments.
//!
//! The work is an adapter that answers each document, or each failure to read one, in order, and
//! may look ahead, so that batches fill across documents. A failure of one never stops the others,
//! and line N out answers document N in.

use std::path::{Path, PathBuf};
use std::time::Instant;

use newsml::{Error, Failure, Format, ReadOptions, Result};
use serde_json::{Map, Value, json};

use super::args::DocumentArgs;
use super::console::Console;
use super::counts::Counts;
use super::file::{Form, Stop};
use super::input::{self, Input};
use super::interrupt;
use super::outcome::{Items, Outcome, Outcomes};
use super::output::{Output, Record};
use super::reader::{Reader, Slot, Slots, earlier_failure, lock};
use super::resume::Job;
use super::status::Status;

/// Runs all documents of the arguments through `work`, which is not called if there is none. With
/// settings, what is finished is kept, and what an earlier run finished with them is not done again.
///
/// # Errors
/// What stops everything before a document is done: an output that cannot be opened, a model that
/// cannot be had.
pub(crate) fn run<'a>(
    arguments: &DocumentArgs,
    form: Form,
    console: &Console,
    settings: Option<String>,
    work: impl FnOnce(Items) -> Result<Outcomes<'a>>,
) -> Result<Status> {
    let path = arguments.output.as_deref();
    let inputs = input::collect(&arguments.files, path, console);
    let found: Vec<&Input> = inputs
        .iter()
        .filter_map(|input| input.as_ref().ok())
        .collect();
    let job = settings.map(|settings| Job {
        settings,
        redo: arguments.redo,
        form,
    });
    let options = arguments.read_options()?;
    if let Some(message) = path.and_then(|path| contradiction(path, form, &found, &options)) {
        console.warning(&message);
    }
    let output = Output::open(path, form, &found, &options, job)?;
    let slots = Slots::default();
    let mut reader = Reader::new(inputs, options, slots.clone(), &output);
    // A model is worth loading only for a document: what fails before the first is kept aside.
    let mut first = Vec::new();
    let mut is_any = false;
    while !is_any && let Some(item) = reader.next() {
        is_any = item.is_ok();
        first.push(item);
    }
    let mut writer = Writer {
        console,
        output,
        form,
        slots,
        start: Instant::now(),
        done: 0,
        failed: 0,
        without_model: 0,
        cancelled: 0,
        counts: Counts::default(),
    };
    if !is_any {
        let outcomes = first
            .into_iter()
            .filter_map(std::result::Result::err)
            .map(Err);
        let outcome = writer.all(Box::new(outcomes));
        let status = if writer.earlier() > 0 {
            Status::Done
        } else {
            Status::NothingRun
        };
        return writer.end(outcome, status);
    }
    let outcomes = work(Box::new(first.into_iter().chain(reader)))?;
    let outcome = writer.all(outcomes);
    writer.end(outcome, Status::Done)
}

/// What to say of an output whose name promises another format than is written.
fn contradiction(
    path: &Path,
    form: Form,
    inputs: &[&Input],
    options: &ReadOptions,
) -> Option<String> {
    let named = Format::of_path(path).filter(|_| !path.is_dir())?;
    let written = match form {
        Form::Json => Format::JsonLines,
        Form::Text => Format::Text,
        Form::Own => {
            let mut formats = inputs
                .iter()
                .map(|input| options.format.or_else(|| Format::of_path(&input.relative)));
            let first = formats.next()??;
            formats
                .all(|format| format == Some(first))
                .then_some(first)?
        }
    };
    // Plain text is Markdown as well.
    let fits = named == written || (named, written) == (Format::Markdown, Format::Text);
    (!fits).then(|| {
        format!(
            "`{}` is written as {written}, although its name says {named}",
            path.display()
        )
    })
}

struct Writer<'a> {
    console: &'a Console,
    output: Output,
    form: Form,
    slots: Slots,
    start: Instant,
    done: u64,
    /// Documents that failed by themselves.
    failed: u64,
    /// Documents that no model was there for.
    without_model: u64,
    /// Documents that were begun when the user wished to stop.
    cancelled: u64,
    /// What the guards did.
    counts: Counts,
}

impl Writer<'_> {
    fn all(&mut self, outcomes: Outcomes<'_>) -> std::result::Result<(), Stop> {
        for outcome in outcomes {
            let slot = loop {
                match self.next_slot()? {
                    Some(slot) if slot.is_cut => self.output.cut(slot.output)?,
                    Some(slot) => break slot,
                    None => return Ok(()),
                }
            };
            self.console.clear();
            match outcome {
                Ok(outcome) => {
                    if let (Some(key), Some(resume)) = (&slot.key, self.output.resume()) {
                        let place = self.output.places().get(slot.output);
                        let place = place.map(PathBuf::as_path);
                        let kept = resume.lock().keep(key.clone(), place, &outcome);
                        kept.map_err(Stop::Failed)?;
                    }
                    self.done += 1;
                    self.success(slot, outcome)?;
                }
                // Not a failure of the document; it is counted at the end.
                Err(failure) if matches!(failure.error, Error::Cancelled) => {
                    self.cancelled += 1;
                    self.output.cut(slot.output)?;
                }
                Err(failure) => self.failure(slot, *failure)?,
            }
            self.tell_refused();
        }
        // What comes after the last document that was worked on.
        while let Some(slot) = self.next_slot()? {
            self.output.cut(slot.output)?;
        }
        Ok(())
    }

    /// Counts the documents of outputs that could not be created as failed.
    fn tell_refused(&mut self) {
        for (results, error) in self.output.take_refused() {
            self.console.error(None, &error);
            self.done = self.done.saturating_sub(results);
            self.failed += results.max(1);
        }
    }

    /// Writes what earlier runs made, up to the next document that was worked on now.
    fn next_slot(&mut self) -> std::result::Result<Option<Slot>, Stop> {
        loop {
            let slot = lock(&self.slots).pop_front();
            match slot {
                Some(mut slot) => match slot.ready.take() {
                    Some(outcome) => self.success(slot, *outcome)?,
                    None => return Ok(Some(slot)),
                },
                None => return Ok(None),
            }
        }
    }

    /// How much earlier runs did of this one.
    fn earlier(&self) -> u64 {
        let resume = self.output.resume();
        resume.map_or(0, |resume| {
            let resume = resume.lock();
            resume.skipped + resume.reused
        })
    }

    fn success(&mut self, slot: Slot, outcome: Outcome) -> std::result::Result<(), Stop> {
        self.counts.add(&outcome.counts);
        for warning in &outcome.warnings {
            self.console
                .warning(&format!("`{}`: {}", slot.name, warning.message));
        }
        let record = Record {
            is_one_of_several: self.is_one_of_several(&slot),
            name: slot.name,
            text: Some(outcome.text),
            file: outcome.file,
            json: outcome.json,
            failed: false,
        };
        self.output.write(slot.output, &record)
    }

    fn is_one_of_several(&self, slot: &Slot) -> bool {
        self.output.are_several() || slot.format.is_some_and(input::holds_several)
    }

    fn failure(&mut self, slot: Slot, failure: Failure) -> std::result::Result<(), Stop> {
        let Failure { fields, error, .. } = failure;
        let is_earlier = earlier_failure(&fields).is_some();
        if is_about_model(&error) && !is_earlier {
            self.without_model += 1;
        } else {
            self.failed += 1;
        }
        self.console.error(Some(&slot.name), &error);
        // A line answers a line, whatever becomes of it.
        let is_line = slot.format == Some(Format::JsonLines);
        let text = match self.form {
            Form::Text => return self.output.miss(slot.output),
            Form::Own if slot.row.is_none() && !is_line => return self.output.miss(slot.output),
            Form::Own => slot.row,
            Form::Json => None,
        };
        let mut json = Map::new();
        json.insert("id".to_owned(), Value::from(slot.name.clone()));
        json.extend(fields);
        if !is_earlier {
            json.insert(
                "error".to_owned(),
                json!({ "kind": error.kind(), "message": error.to_string(), "hint": error.hint() }),
            );
        }
        self.output.write(
            slot.output,
            &Record {
                is_one_of_several: false,
                name: slot.name,
                text,
                file: None,
                json,
                failed: true,
            },
        )
    }

    fn end(mut self, outcome: std::result::Result<(), Stop>, status: Status) -> Result<Status> {
        let outcome = outcome.and_then(|()| self.output.finish().map_err(Stop::Failed));
        self.console.clear();
        self.tell_refused();
        let seconds = self.start.elapsed().as_secs_f32();
        let time = format!("{} in {seconds:.1} s", documents(self.done));
        match self.counts.message() {
            guards if guards.is_empty() => self.console.detail(&time),
            guards => self.console.note(&format!("{time}; {guards}")),
        }
        let earlier = self.earlier();
        if earlier > 0 {
            self.console.note(&format!(
                "{} done by an earlier run; `--redo` does all anew",
                documents(earlier)
            ));
        }
        let changed = self.output.resume();
        let changed = changed.map(|resume| std::mem::take(&mut resume.lock().changed));
        for path in changed.into_iter().flatten() {
            self.console.warning(&format!(
                "`{}` was changed since it was written, and is left as it is; delete it to have it made again",
                path.display()
            ));
        }
        match outcome {
            Ok(()) => {}
            Err(Stop::BrokenPipe) => return Ok(Status::Done),
            Err(Stop::Failed(error)) => {
                self.console.error(None, &error);
                return Ok(Status::SomeFailed);
            }
        }
        if interrupt::is_wished() {
            let left = self.cancelled;
            self.console.note(&format!(
                "interrupted: {} done, {left} begun and not finished",
                documents(self.done)
            ));
            return Ok(Status::SomeFailed);
        }
        Ok(
            match (self.done + earlier, self.failed, self.without_model) {
                (0, _, 1..) => Status::NothingRun,
                (_, 1.., _) | (_, _, 1..) if status == Status::Done => Status::SomeFailed,
                _ => status,
            },
        )
    }
}

/// Whether no document could have been worked on, whatever is in it.
fn is_about_model(error: &Error) -> bool {
    if let Error::Shared(error) = error {
        return is_about_model(error);
    }
    !matches!(
        error,
        Error::Io { .. }
            | Error::Encoding { .. }
            | Error::EmptyInput { .. }
            | Error::Format { .. }
            | Error::UnknownLanguage(_)
            | Error::UndetectedLanguage { .. }
            | Error::Inference(_)
            | Error::Tokenizer(_)
    )
}

fn documents(count: u64) -> String {
    match count {
        1 => "1 document".to_owned(),
        count => format!("{count} documents"),
    }
}
