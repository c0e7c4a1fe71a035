//! What makes a long job go on where it stopped, however it was stopped.
//!
//! ```text
//! DIR/.newsml-journal.jsonl      one line an output that is complete: from which input, by which settings
//! DIR/.newsml-unfinished.jsonl   one line a document of an output that is not complete yet
//! .FILE.newsml-unfinished.jsonl  the same for `-o FILE`
//! ```
//!
//! Inputs and documents are known by what is in them and by all settings that have a part in the
//! result, never by name or time alone. Both files only grow, a whole line at a time; a line that was
//! broken off by the end of the process is dropped. An output is put under its name after the journal
//! has its checksum, so whatever moment the process ends at, the next one finds either the document
//! done or nothing of it. Whoever writes holds a lock, which the system gives back.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use newsml::{Document, Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::documents::Outcome;
use super::input::Input;
use super::output::{Form, io};

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
    /// Inputs that were done already, and documents that came from earlier runs.
    pub(crate) skipped: u64,
    pub(crate) reused: u64,
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
                let path = file.with_file_name(format!(".{name}.newsml-unfinished.jsonl"));
                (None, path)
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
            skipped: 0,
            reused: 0,
        }))))
    }

    /// Looks for the output of an input.
    pub(crate) fn find_input(&mut self, number: usize, input: &Input, output: &Path) -> Known {
        let Some(content) = input.fingerprint() else {
            return Known::Nothing;
        };
        let key = key(&[FORMAT, &self.job.settings, &content]);
        self.inputs.insert(number, key.clone());
        let Some(journal) = &self.journal else {
            return Known::Nothing;
        };
        if journal.is_done(&key, output) {
            self.skipped += 1;
            return Known::Done;
        }
        // Lines may be called by the name of their file.
        if input.holds_several() {
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
        let parts = [
            document.name(),
            document.format().name(),
            document.text(),
            &fields,
            &source,
        ];
        let key = key(&[&[FORMAT, &self.job.settings][..], &parts].concat());
        let outcome = self.unfinished.find(&key);
        self.reused += u64::from(outcome.is_some());
        (key, outcome)
    }

    /// Keeps a document until its output is complete.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn keep(&mut self, key: String, outcome: &Outcome) -> Result<()> {
        self.unfinished.keep(key, outcome)
    }

    /// Notes that an output is complete, before it is put in its place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn finish(&mut self, number: usize, temporary: &Path, output: &Path) -> Result<()> {
        match (&mut self.journal, self.inputs.get(&number)) {
            (Some(journal), Some(input)) => journal.finish(input, temporary, output),
            _ => Ok(()),
        }
    }

    /// Takes the note back: the output could not be put in its place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn take_back(&mut self, output: &Path) -> Result<()> {
        match &mut self.journal {
            Some(journal) => journal.take_back(output),
            None => Ok(()),
        }
    }

    /// Forgets the documents of outputs that are complete, which all are.
    pub(crate) fn end(&mut self) {
        let is_file = self.journal.is_none();
        self.unfinished.end(is_file);
    }
}

/// The outputs of a folder that are complete.
#[derive(Debug)]
struct Journal {
    folder: PathBuf,
    log: Log,
    /// The newest entry of each output.
    finished: HashMap<String, Finished>,
}

/// An output that is complete.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Finished {
    output: String,
    input: String,
    sha256: String,
    /// What the output is called before it is put in its place.
    temporary: String,
}

impl Journal {
    fn open(folder: &Path, outputs: &[PathBuf], redo: bool) -> Result<Self> {
        let mut log = Log::new(folder.join(".newsml-journal.jsonl"), true);
        let lines = log.read()?;
        let mut finished = HashMap::new();
        for line in lines {
            if let Ok(entry) = serde_json::from_str::<Finished>(&line) {
                finished.insert(entry.output.clone(), entry);
            }
        }
        for entry in finished
            .values()
            .filter(|entry| !entry.temporary.is_empty())
        {
            // Broken off between the note and the deed.
            let (temporary, output) = (folder.join(&entry.temporary), folder.join(&entry.output));
            if temporary.is_file() && sha256_of(&temporary).as_ref() == Some(&entry.sha256) {
                std::fs::rename(&temporary, &output)
                    .map_err(|error| io("create", &output, error))?;
            }
        }
        remove_temporaries(outputs);
        if redo {
            finished.clear();
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            log,
            finished,
        })
    }

    fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.folder).unwrap_or(path);
        relative.to_string_lossy().into_owned()
    }

    fn is_done(&self, input: &str, output: &Path) -> bool {
        let entry = self.finished.get(&self.name(output));
        entry.is_some_and(|entry| entry.input == input) && output.is_file()
    }

    /// What was written for the same input under another name, if it still is what was written.
    fn elsewhere(&self, input: &str) -> Option<String> {
        let entries = self.finished.values();
        entries
            .filter(|entry| entry.input == input)
            .find_map(|entry| {
                let text = std::fs::read_to_string(self.folder.join(&entry.output)).ok()?;
                (hex(&Sha256::digest(&text)) == entry.sha256).then_some(text)
            })
    }

    fn finish(&mut self, input: &str, temporary: &Path, output: &Path) -> Result<()> {
        let entry = Finished {
            output: self.name(output),
            input: input.to_owned(),
            sha256: sha256_of(temporary).unwrap_or_default(),
            temporary: self.name(temporary),
        };
        self.note(entry)
    }

    fn take_back(&mut self, output: &Path) -> Result<()> {
        self.note(Finished {
            output: self.name(output),
            ..Finished::default()
        })
    }

    fn note(&mut self, entry: Finished) -> Result<()> {
        self.log.append(&entry)?;
        self.finished.insert(entry.output.clone(), entry);
        Ok(())
    }
}

/// Documents of outputs that are not complete.
#[derive(Debug)]
struct Unfinished {
    log: Log,
    known: HashMap<String, Outcome>,
    /// Documents that no input of this run asked for.
    unasked: HashSet<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept<T> {
    key: String,
    outcome: T,
}

impl Unfinished {
    fn open(path: PathBuf, is_lock: bool, redo: bool) -> Result<Self> {
        let mut log = Log::new(path, is_lock);
        let lines = if is_lock || log.path.exists() {
            log.read()?
        } else {
            Vec::new()
        };
        let mut known = HashMap::new();
        if redo {
            log.clear()?;
        } else {
            for line in lines {
                if let Ok(kept) = serde_json::from_str::<Kept<Outcome>>(&line) {
                    known.insert(kept.key, kept.outcome);
                }
            }
        }
        Ok(Self {
            log,
            unasked: known.keys().cloned().collect(),
            known,
        })
    }

    fn find(&mut self, key: &str) -> Option<Outcome> {
        self.unasked.remove(key);
        self.known.get(key).cloned()
    }

    fn keep(&mut self, key: String, outcome: &Outcome) -> Result<()> {
        self.log.append(&Kept { key, outcome })
    }

    /// What no input asked for belongs to another job, unless the output is one file for all.
    fn end(&mut self, is_file: bool) {
        if is_file || self.unasked.is_empty() {
            self.log.remove();
        }
    }
}

/// A file of lines that only grows.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    /// Whether others are kept out while it is open.
    is_lock: bool,
    file: Option<File>,
}

impl Log {
    fn new(path: PathBuf, is_lock: bool) -> Self {
        Self {
            path,
            is_lock,
            file: None,
        }
    }

    fn open(&mut self) -> Result<&mut File> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            let file = options
                .read(true)
                .append(true)
                .create(true)
                .open(&self.path);
            let file = file.map_err(|error| io("write", &self.path, error))?;
            if self.is_lock {
                lock(&file, &self.path)?;
            }
            self.file = Some(file);
        }
        self.file.as_mut().ok_or(Error::Cancelled)
    }

    /// The lines that are whole; what comes after them is cut off.
    fn read(&mut self) -> Result<Vec<String>> {
        let path = self.path.clone();
        let failed = |error| io("read", &path, error);
        let file = self.open()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(failed)?;
            bytes.truncate(whole);
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn append(&mut self, line: &impl Serialize) -> Result<()> {
        let path = self.path.clone();
        let failed = |error| io("write", &path, error);
        let mut line = serde_json::to_string(line).map_err(|error| failed(error.into()))?;
        line.push('\n');
        // A line that was not written whole is dropped by whoever reads next.
        self.open()?.write_all(line.as_bytes()).map_err(failed)
    }

    fn clear(&mut self) -> Result<()> {
        match &self.file {
            Some(file) => file
                .set_len(0)
                .map_err(|error| io("write", &self.path, error)),
            None => Ok(()),
        }
    }

    fn remove(&mut self) {
        if self.file.take().is_some() {
            // It stays where it cannot be removed, and does no harm.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

impl Drop for Log {
    /// Where nothing was noted, nothing is left.
    fn drop(&mut self) {
        let data = self.file.as_ref().map(File::metadata);
        if data.is_some_and(|data| data.is_ok_and(|data| data.len() == 0)) {
            self.remove();
        }
    }
}

fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        // Some network file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
            Ok(())
        }
        Err(TryLockError::Error(error)) => Err(io("lock", path, error)),
        Err(TryLockError::WouldBlock) => Err(Error::Usage {
            message: format!(
                "another newsml is writing to the same place: it holds `{}`",
                path.display()
            ),
            hint: Some("wait until it has ended, or write elsewhere with `-o`".to_owned()),
        }),
    }
}

/// Removes what runs that were broken off left beside outputs; for holders of the lock.
fn remove_temporaries(outputs: &[PathBuf]) {
    let names: HashSet<&std::ffi::OsStr> = outputs
        .iter()
        .filter_map(|output| output.file_name())
        .collect();
    let folders: HashSet<&Path> = outputs
        .iter()
        .filter_map(|output| output.parent())
        .collect();
    for folder in folders {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let inner = name
                .strip_prefix('.')
                .and_then(|name| name.strip_suffix(".tmp"));
            if let Some((output, process)) = inner.and_then(|inner| inner.rsplit_once('.'))
                && names.contains(std::ffi::OsStr::new(output))
                && process.bytes().all(|byte| byte.is_ascii_digit())
            {
                drop(std::fs::remove_file(entry.path()));
            }
        }
    }
}

fn sha256_of(path: &Path) -> Option<String> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut File::open(path).ok()?, &mut hasher).ok()?;
    Some(hex(&hasher.finalize()))
}

/// One checksum for several texts, which tells where each ends.
pub(crate) fn key(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A checksum of the content of a file, and of the extension, which says how it is read.
pub(crate) fn fingerprint(path: &Path) -> Option<String> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    Some(key(&[&sha256_of(path)?, &extension]))
}
