//! The loop that all commands for documents share: read, work, write, in the order of the arguments.
//!
//! The work is an adapter from documents to outcomes that may look ahead, so that batches fill
//! across documents. What could not be read is put back in its place between them: the n-th line
//! out answers the n-th document in. A failure of one never stops the others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use newsml::{Cleaning, Document, Documents, Error, ReadOptions, Result};
use serde_json::{Map, Value, json};

use super::args::DocumentArgs;
use super::console::Console;
use super::input::{self, BadInput, Input};
use super::output::{Form, Output, Record, Stop};
use super::{Status, interrupt};

/// What the work made of one document.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) json: Map<String, Value>,
    pub(crate) warnings: Vec<String>,
}

/// Outcomes in the order of the documents.
pub(crate) type Outcomes<'a> = Box<dyn Iterator<Item = Result<Outcome>> + 'a>;

/// A document on its way, or one that could not be read.
#[derive(Debug)]
struct Slot {
    input: usize,
    name: String,
    fields: Map<String, Value>,
    failure: Option<Error>,
}

type Slots = Arc<Mutex<VecDeque<Slot>>>;

/// Reads all inputs; every document and every failure leaves a slot, in order.
struct Reader {
    inputs: std::vec::IntoIter<(usize, std::result::Result<Input, BadInput>)>,
    current: Option<(usize, String, Documents)>,
    /// Whether the current input has given anything.
    gave: bool,
    options: ReadOptions,
    form: Form,
    slots: Slots,
}

impl Iterator for Reader {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        loop {
            if interrupt::is_wished() {
                return None;
            }
            if let Some((input, name, documents)) = &mut self.current {
                let (input, name) = (*input, name.clone());
                match documents.next() {
                    Some(Ok(document)) => {
                        self.gave = true;
                        let fields = match self.form {
                            Form::Json => document.to_json(),
                            Form::Text => Map::new(),
                        };
                        let name = if document.fields().is_empty() {
                            name
                        } else {
                            document.name().to_owned()
                        };
                        lock(&self.slots).push_back(Slot {
                            input,
                            name,
                            fields,
                            failure: None,
                        });
                        return Some(document);
                    }
                    Some(Err(failure)) => {
                        self.gave = true;
                        let name = if failure.fields.is_empty() && documents_are_one(&failure.error)
                        {
                            name
                        } else {
                            failure.name
                        };
                        self.fail(input, name, failure.fields, failure.error);
                    }
                    None => {
                        self.current = None;
                        if !self.gave {
                            self.fail(input, name.clone(), Map::new(), Error::EmptyInput { name });
                        }
                    }
                }
                continue;
            }
            match self.inputs.next()? {
                (input, Ok(found)) => match found.open(&self.options) {
                    Ok(documents) => {
                        self.gave = false;
                        self.current = Some((input, found.name, documents));
                    }
                    Err(error) => self.fail(input, found.name, Map::new(), error),
                },
                (input, Err(bad)) => self.fail(input, bad.name, Map::new(), bad.error),
            }
        }
    }
}

/// Whether the error is about an input as a whole, whose path says more than its name.
fn documents_are_one(error: &Error) -> bool {
    !matches!(error, Error::Format { .. })
}

impl Reader {
    fn fail(&self, input: usize, name: String, fields: Map<String, Value>, error: Error) {
        lock(&self.slots).push_back(Slot {
            input,
            name,
            fields,
            failure: Some(error),
        });
    }
}

fn lock(slots: &Slots) -> MutexGuard<'_, VecDeque<Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs all documents of the arguments through `work`, which is not called if there is none.
///
/// # Errors
/// What stops everything before a document is done: an output that cannot be opened, a model that
/// cannot be had.
pub(crate) fn run<'a>(
    arguments: &DocumentArgs,
    form: Form,
    console: &'a Console,
    work: impl FnOnce(Box<dyn Iterator<Item = Document> + Send>) -> Result<Outcomes<'a>>,
) -> Result<Status> {
    let inputs = input::collect(&arguments.files, console);
    let good: Vec<&Input> = inputs
        .iter()
        .filter_map(|input| input.as_ref().ok())
        .collect();
    let output = Output::open(arguments.output.as_deref(), form, &good)?;
    // Outputs are numbered by the inputs that can be opened, failures of others by no output.
    let mut number = 0;
    let numbered: Vec<_> = inputs
        .into_iter()
        .map(|input| {
            let this = number;
            number += usize::from(input.is_ok());
            (this, input)
        })
        .collect();
    let slots = Slots::default();
    let cleaning = if arguments.raw {
        Cleaning::Raw
    } else {
        Cleaning::Article
    };
    let mut reader = Reader {
        inputs: numbered.into_iter(),
        current: None,
        gave: false,
        options: ReadOptions {
            cleaning,
            ..ReadOptions::default()
        },
        form,
        slots: slots.clone(),
    };
    let mut writer = Writer {
        console,
        output,
        form,
        slots,
        done: 0,
        failed: 0,
    };
    // A model is worth loading only for a document.
    let Some(first) = reader.next() else {
        let outcome = writer.failures();
        return writer.end(outcome, Status::NothingRun);
    };
    let outcomes = work(Box::new(std::iter::once(first).chain(reader)));
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(error) => {
            // What could not be read is told as well.
            writer.tell_failures();
            return Err(error);
        }
    };
    let outcome = writer.all(outcomes);
    writer.end(outcome, Status::Done)
}

struct Writer<'a> {
    console: &'a Console,
    output: Output,
    form: Form,
    slots: Slots,
    done: u64,
    failed: u64,
}

impl Writer<'_> {
    fn all(&mut self, outcomes: Outcomes<'_>) -> std::result::Result<(), Stop> {
        for outcome in outcomes {
            self.failures()?;
            let Some(slot) = lock(&self.slots).pop_front() else {
                break;
            };
            match outcome {
                Ok(outcome) => self.success(slot, outcome)?,
                Err(Error::Cancelled) => {}
                Err(error) => self.failure(slot, &error)?,
            }
            self.console.documents(self.done);
        }
        self.failures()
    }

    /// Writes the failures that are next in order.
    fn failures(&mut self) -> std::result::Result<(), Stop> {
        loop {
            let slot = {
                let mut slots = lock(&self.slots);
                if slots.front().is_none_or(|slot| slot.failure.is_none()) {
                    return Ok(());
                }
                slots.pop_front()
            };
            if let Some(mut slot) = slot
                && let Some(error) = slot.failure.take()
            {
                self.failure(slot, &error)?;
            }
        }
    }

    fn tell_failures(&self) {
        for slot in lock(&self.slots).iter() {
            if let Some(error) = &slot.failure {
                self.console.error(Some(&slot.name), error);
            }
        }
    }

    fn success(&mut self, slot: Slot, outcome: Outcome) -> std::result::Result<(), Stop> {
        self.done += 1;
        for warning in &outcome.warnings {
            self.console.warning(&format!("`{}`: {warning}", slot.name));
        }
        let record = Record {
            name: slot.name,
            text: Some(outcome.text),
            json: outcome.json,
        };
        self.output.write(slot.input, &record)
    }

    fn failure(&mut self, slot: Slot, error: &Error) -> std::result::Result<(), Stop> {
        self.failed += 1;
        self.console.error(Some(&slot.name), error);
        if self.form == Form::Text {
            return Ok(());
        }
        let mut json = slot.fields;
        if !json.contains_key("id") {
            json.insert("id".to_owned(), Value::from(slot.name.clone()));
        }
        json.insert(
            "error".to_owned(),
            json!({ "kind": error.kind(), "message": error.to_string(), "hint": error.hint() }),
        );
        self.output.write(
            slot.input,
            &Record {
                name: slot.name,
                text: None,
                json,
            },
        )
    }

    fn end(self, outcome: std::result::Result<(), Stop>, status: Status) -> Result<Status> {
        self.console.clear();
        let left = lock(&self.slots).len();
        match outcome {
            Ok(()) => {}
            Err(Stop::BrokenPipe) => return Ok(Status::Done),
            Err(Stop::Failed(error)) => {
                self.console.error(None, &error);
                return Ok(Status::SomeFailed);
            }
        }
        self.output.finish()?;
        if interrupt::is_wished() {
            let left = if left > 0 {
                format!("; {left} that were begun are not done")
            } else {
                String::new()
            };
            self.console.note(&format!(
                "interrupted: {} written{left}",
                documents(self.done)
            ));
            return Ok(Status::SomeFailed);
        }
        Ok(match (status, self.failed) {
            (Status::Done, 1..) => Status::SomeFailed,
            (status, _) => status,
        })
    }
}

fn documents(count: u64) -> String {
    match count {
        1 => "1 document".to_owned(),
        count => format!("{count} documents"),
    }
}
