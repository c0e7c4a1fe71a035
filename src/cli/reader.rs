//! Reads the inputs of a command one after another, and remembers what is to become of each item.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use newsml::{Document, Documents, Error, Failure, Format, ReadOptions};
use serde_json::{Map, Value};

use super::input::{self, BadInput, Input};
use super::interrupt;
use super::outcome::Outcome;
use super::output::Output;
use super::resume::{self, Known};

/// What is remembered of an item until it is answered.
#[derive(Debug)]
pub(super) struct Slot {
    /// The number of its output in a folder.
    pub(super) output: usize,
    /// What messages call it.
    pub(super) name: String,
    /// What an earlier run made of it, so that no work is done.
    pub(super) ready: Option<Box<Outcome>>,
    /// By what later runs find its outcome, where it is to be kept for them.
    pub(super) key: Option<String>,
    /// The row of a table as it was read, which stays in the table should it fail.
    pub(super) row: Option<String>,
    /// The format of its input, where that could be opened.
    pub(super) format: Option<Format>,
    /// Whether the work was stopped before this, or more of its input, was read.
    pub(super) is_cut: bool,
}

impl Slot {
    fn new(output: usize, name: &str) -> Self {
        Self {
            output,
            name: name.to_owned(),
            ready: None,
            key: None,
            row: None,
            format: None,
            is_cut: false,
        }
    }
}

pub(super) type Slots = Arc<Mutex<VecDeque<Slot>>>;

pub(super) fn lock(slots: &Slots) -> MutexGuard<'_, VecDeque<Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads all inputs; every item leaves a slot.
pub(super) struct Reader {
    inputs: std::vec::IntoIter<(usize, std::result::Result<Input, BadInput>)>,
    current: Option<Current>,
    options: ReadOptions,
    slots: Slots,
    /// What earlier runs did, with the place of each output in a folder.
    resume: Option<resume::Shared>,
    places: Vec<PathBuf>,
    /// Whether several inputs go to one output.
    are_several: bool,
}

/// The input at hand.
struct Current {
    output: usize,
    name: String,
    documents: Documents,
    /// Whether it can be read to its end without waiting for anyone.
    is_file: bool,
    /// Whether it has given anything.
    gave: bool,
}

impl Current {
    /// Whether there is more of it, or may be.
    fn has_more(&mut self) -> bool {
        let several = input::holds_several(self.documents.format());
        !self.gave || (several && (!self.is_file || self.documents.next().is_some()))
    }
}

impl Reader {
    pub(super) fn new(
        inputs: Vec<std::result::Result<Input, BadInput>>,
        options: ReadOptions,
        slots: Slots,
        output: &Output,
    ) -> Self {
        // Outputs are numbered by the inputs that were found.
        let mut number = 0;
        let numbered: Vec<_> = inputs
            .into_iter()
            .map(|input| {
                let this = number;
                number += usize::from(input.is_ok());
                (this, input)
            })
            .collect();
        Self {
            inputs: numbered.into_iter(),
            current: None,
            options,
            slots,
            resume: output.resume(),
            places: output.places().to_vec(),
            are_several: output.are_several(),
        }
    }

    fn leave_slot(&self, output: usize, name: &str) {
        lock(&self.slots).push_back(Slot::new(output, name));
    }

    /// Whether an earlier run did all of an input; what it made under another name is left as a slot.
    fn is_done(&self, output: usize, input: &Input) -> bool {
        let (Some(resume), Some(path)) = (&self.resume, self.places.get(output)) else {
            return false;
        };
        let is_single = input.is_single(&self.options);
        match resume.lock().find_input(output, input, path, is_single) {
            Known::Done => true,
            Known::Outcome(outcome) => {
                lock(&self.slots).push_back(Slot {
                    ready: Some(outcome),
                    ..Slot::new(output, &input.name)
                });
                true
            }
            Known::Nothing => false,
        }
    }

    /// Leaves a slot for a document; whether an earlier run worked on it.
    fn leave_document(&self, output: usize, name: &str, document: &Document) -> bool {
        let mut slot = Slot::new(output, name);
        let is_row = matches!(document.format(), Format::Csv | Format::Tsv);
        slot.row = is_row.then(|| document.to_source());
        slot.format = Some(document.format());
        if let Some(resume) = &self.resume
            && (self.are_several || input::holds_several(document.format()))
        {
            let (key, ready) = resume.lock().find_document(document);
            slot.ready = ready.map(Box::new);
            slot.key = Some(key);
        }
        let is_ready = slot.ready.is_some();
        lock(&self.slots).push_back(slot);
        is_ready
    }

    fn failed(&self, output: usize, name: String, error: Error) -> Box<Failure> {
        self.leave_slot(output, &name);
        Box::new(Failure {
            name,
            fields: Map::new(),
            error,
        })
    }

    /// Leaves a slot for what is not read any more: its output is not whole.
    fn leave_rest(&mut self) {
        let current = self.current.take();
        let current = current.and_then(|mut current| current.has_more().then_some(current.output));
        // One is enough where all go to one output; in a folder, the others are not begun.
        let next = std::mem::take(&mut self.inputs).next();
        for output in current.into_iter().chain(next.map(|(output, _)| output)) {
            lock(&self.slots).push_back(Slot {
                is_cut: true,
                ..Slot::new(output, "")
            });
        }
    }

    /// The next of the input at hand; `None` at its end, and for a document that was worked on.
    fn next_of_current(&mut self) -> Option<std::result::Result<Document, Box<Failure>>> {
        let current = self.current.as_mut()?;
        let (output, name) = (current.output, current.name.clone());
        let format = current.documents.format();
        let item = current.documents.next();
        let is_empty = item.is_none() && !current.gave;
        current.gave = true;
        match item {
            Some(Ok(document)) => {
                // A line has a name of its own, a file that is one document is called by its path.
                let is_line = !document.fields().is_empty();
                let name = if is_line { document.name() } else { &name };
                if let Some(error) = earlier_failure(document.fields()) {
                    // It goes on as it came.
                    lock(&self.slots).push_back(Slot {
                        format: Some(format),
                        row: Some(document.to_source()),
                        ..Slot::new(output, name)
                    });
                    return Some(Err(Box::new(Failure {
                        name: name.to_owned(),
                        fields: document.fields().clone(),
                        error,
                    })));
                }
                let is_ready = self.leave_document(output, name, &document);
                (!is_ready).then_some(Ok(document))
            }
            Some(Err(mut failure)) => {
                lock(&self.slots).push_back(Slot {
                    format: Some(format),
                    ..Slot::new(output, &failure.name)
                });
                if let Some(error) = earlier_failure(&failure.fields) {
                    failure.error = error;
                }
                Some(Err(failure))
            }
            None if is_empty => {
                self.current = None;
                Some(Err(self.failed(
                    output,
                    name.clone(),
                    Error::EmptyInput { name },
                )))
            }
            None => {
                self.current = None;
                None
            }
        }
    }
}

impl Iterator for Reader {
    type Item = std::result::Result<Document, Box<Failure>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if interrupt::is_wished() {
                self.leave_rest();
                return None;
            }
            if self.current.is_some() {
                match self.next_of_current() {
                    Some(item) => return Some(item),
                    None => continue,
                }
            }
            match self.inputs.next()? {
                (output, Ok(input)) if self.is_done(output, &input) => {}
                (output, Ok(input)) => match input.open(&self.options) {
                    Ok(documents) => {
                        self.current = Some(Current {
                            output,
                            is_file: input.is_file(),
                            name: input.name,
                            documents,
                            gave: false,
                        });
                    }
                    Err(error) => return Some(Err(self.failed(output, input.name, error))),
                },
                (output, Err(bad)) => return Some(Err(self.failed(output, bad.name, bad.error))),
            }
        }
    }
}

/// What an earlier command said of a document that it could not do, in a line of JSON that it wrote.
pub(super) fn earlier_failure(fields: &Map<String, Value>) -> Option<Error> {
    let error = fields.get("error")?.as_object()?;
    let text = |name: &str| error.get(name)?.as_str();
    text("kind")?;
    Some(Error::Usage {
        message: format!("an earlier command failed: {}", text("message")?),
        hint: text("hint").map(str::to_owned),
    })
}
