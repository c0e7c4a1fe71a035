//! What makes a long job go on where it stopped, however it was stopped.
//!
//! ```text
//! DIR/.newsml-journal.jsonl      one line an output that is complete: from which input, by which settings
//! DIR/.newsml-unfinished.jsonl   one line a document of an output that is not complete yet
//! .FILE.newsml-unfinished.jsonl  the same for `-o FILE`
//! ```
//!
//! Inputs and documents are known by what is in them and by all settings that have a part in the
//! result, never by name or time alone. Both files grow a whole line at a time; a line that was
//! broken off by the end of the process is dropped. An output is put under its name after the journal
//! has its checksum, so whatever moment the process ends at, the next one finds either the document
//! done or nothing of it; before an output with gaps is put there, the journal is told that it is not
//! done. Documents of an output that is complete are dropped at the end of a run. Whoever writes holds
//! a lock, which the system gives back.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use newsml::{Document, Result};

use super::file::{Form, hidden_name};
use super::fingerprint::{key, sha256_of};
use super::input::Input;
use super::journal::{Journal, Kept, Unfinished, remove_temporaries};
use super::outcome::Outcome;

/// The form of the keys: another one makes all that was done before count as not done.
const FORMAT: &str = concat!("newsml ", env!("CARGO_PKG_VERSION"), " 1");

/// Where results go, as far as it matters here.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    /// A folder, with the output of each input.
    Folder(&'a Path, &'a [PathBuf]),
    /// One file for all documents.
    File(&'a Path),
}

/// How a job is done that may have been begun before.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// All settings that have a part in the results.
    pub(crate) settings: String,
    /// Whether all is to be done, also what is done already.
    pub(crate) redo: bool,
    pub(crate) form: Form,
}

/// What earlier runs left, and the record of what this one does.
#[derive(Debug)]
pub(crate) struct Resume {
    job: Job,
    journal: Option<Journal>,
    unfinished: Unfinished,
    /// The keys of the inputs at hand, by number.
    inputs: HashMap<usize, String>,
    /// The outputs of this run that are complete.
    complete: HashSet<String>,
    /// Inputs that were done already, and documents that came from earlier runs.
    pub(crate) skipped: u64,
    pub(crate) reused: u64,
    /// Outputs that somebody changed since they were written, and that are left as they are.
    pub(crate) changed: Vec<PathBuf>,
}

/// Reader and writer look at the same.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Mutex<Resume>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Resume> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of an input.
pub(crate) enum Known {
    /// Its output is complete.
    Done,
    /// Its content was worked on under another name.
    Outcome(Box<Outcome>),
    Nothing,
}

impl Resume {
    /// Opens what there is, puts right what was broken off, and keeps all others out.
    ///
    /// # Errors
    /// [`Error::Usage`] if another process writes to the same place; [`Error::Io`].
    pub(crate) fn open(place: &Place<'_>, job: Job) -> Result<Shared> {
        let (journal, unfinished) = match *place {
            Place::Folder(folder, outputs) => (
                Some(Journal::open(folder, outputs, job.redo)?),
                folder.join(".newsml-unfinished.jsonl"),
            ),
            Place::File(file) => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let name = match name.len() {
                    ..=200 => format!(".{name}.newsml-unfinished.jsonl"),
                    // The names of files have at most 255 bytes.
                    _ => format!("{}-unfinished.jsonl", hidden_name(file)),
                };
                (None, file.with_file_name(name))
            }
        };
        // A folder has its journal for a lock.
        let unfinished = Unfinished::open(unfinished, journal.is_none(), job.redo)?;
        if let Place::File(file) = place {
            remove_temporaries(&[file.to_path_buf()]);
        }
        Ok(Shared(Arc::new(Mutex::new(Self {
            job,
            journal,
            unfinished,
            inputs: HashMap::new(),
            complete: HashSet::new(),
            skipped: 0,
            reused: 0,
            changed: Vec::new(),
        }))))
    }

    /// What an output is called among the others of the place.
    fn name(&self, output: &Path) -> String {
        match &self.journal {
            Some(journal) => journal.name(output),
            None => output.to_string_lossy().into_owned(),
        }
    }

    /// Looks for the output of an input; `is_single` says that the input is one document.
    pub(crate) fn find_input(
        &mut self,
        number: usize,
        input: &Input,
        output: &Path,
        is_single: bool,
    ) -> Known {
        let Some(content) = input.fingerprint() else {
            return Known::Nothing;
        };
        let key = key(&[FORMAT, &self.job.settings, &content]);
        self.inputs.insert(number, key.clone());
        let Some(journal) = &self.journal else {
            return Known::Nothing;
        };
        if let Some(sha256) = journal.done(&key, output) {
            self.skipped += 1;
            if sha256_of(output).as_deref() != Some(sha256) {
                self.changed.push(output.to_path_buf());
            }
            let name = self.name(output);
            self.complete.insert(name);
            return Known::Done;
        }
        // Lines may be called by the name of their file.
        if !is_single {
            return Known::Nothing;
        }
        match journal
            .elsewhere(&key)
            .and_then(|text| self.outcome(text, input))
        {
            Some(outcome) => {
                self.reused += 1;
                Known::Outcome(Box::new(outcome))
            }
            None => Known::Nothing,
        }
    }

    /// The outcome that an output with one document was written from.
    fn outcome(&self, text: String, input: &Input) -> Option<Outcome> {
        let mut outcome = Outcome {
            text: String::new(),
            file: None,
            json: serde_json::Map::new(),
            warnings: Vec::new(),
            counts: super::counts::Counts::default(),
        };
        match self.job.form {
            Form::Text | Form::Own => outcome.text = text,
            Form::Json => {
                outcome.json = serde_json::from_str(&text).ok()?;
                let name = input.relative.to_string_lossy();
                outcome.json.insert("id".to_owned(), name.into());
            }
        }
        Some(outcome)
    }

    /// The key of a document of an output with several, and its outcome, if it was worked on before.
    pub(crate) fn find_document(&mut self, document: &Document) -> (String, Option<Outcome>) {
        let fields = serde_json::to_string(document.fields()).unwrap_or_default();
        let source = document.to_source();
        let parts = [document.format().name(), document.text(), &fields, &source];
        let key = key(&[&[FORMAT, &self.job.settings][..], &parts].concat());
        let mut outcome = self.unfinished.known.get(&key).cloned();
        if let Some(outcome) = &mut outcome {
            self.reused += 1;
            // One without a name of its own is called by its place, which may be another one now.
            if !document.fields().contains_key("id") && outcome.json.contains_key("id") {
                let name = document.name().into();
                outcome.json.insert("id".to_owned(), name);
            }
        }
        (key, outcome)
    }

    /// Keeps a document until its output is complete; `output` is that of a folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn keep(
        &mut self,
        key: String,
        output: Option<&Path>,
        outcome: &Outcome,
    ) -> Result<()> {
        let output = output.map(|output| self.name(output)).unwrap_or_default();
        self.unfinished.log.append(&Kept {
            key,
            output,
            outcome,
        })
    }

    /// Notes that an output is complete, before it is put in its place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn finish(&mut self, number: usize, temporary: &Path, output: &Path) -> Result<()> {
        if let (Some(journal), Some(input)) = (&mut self.journal, self.inputs.get(&number)) {
            journal.finish(input, temporary, output)?;
        }
        let name = self.name(output);
        self.complete.insert(name);
        Ok(())
    }

    /// Notes that an output is not complete, even if it was recorded as such before.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn take_back(&mut self, output: &Path) -> Result<()> {
        let name = self.name(output);
        self.complete.remove(&name);
        match &mut self.journal {
            Some(journal) => journal.take_back(output),
            None => Ok(()),
        }
    }

    /// Forgets the documents of outputs that are complete.
    pub(crate) fn end(&mut self) {
        if self.journal.is_some() {
            // What cannot be forgotten stays, and does no harm.
            drop(self.unfinished.forget(&self.complete));
        } else if !self.complete.is_empty() {
            // It was kept for the one file that there is.
            self.unfinished.log.remove();
        }
    }
}
