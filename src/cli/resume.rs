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
use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use newsml::{Document, Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::documents::Outcome;
use super::input::Input;
use super::output::{AtomicFile, Form, io};

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
            if let Ok(entry) = serde_json::from_str::<Finished>(&line)
                && stays_below(&entry.output)
            {
                finished.insert(entry.output.clone(), entry);
            }
        }
        for entry in finished
            .values()
            .filter(|entry| !entry.temporary.is_empty())
        {
            // Broken off between the note and the deed.
            let output = folder.join(&entry.output);
            // Only a file beside the output is ever moved, even if the journal names another place.
            let name = Path::new(&entry.temporary).file_name().unwrap_or_default();
            let temporary = output.with_file_name(name);
            if temporary.is_file() && sha256_of(&temporary).as_ref() == Some(&entry.sha256) {
                std::fs::rename(&temporary, &output)
                    .map_err(|error| io("create", &output, error))?;
            }
        }
        remove_temporaries(outputs);
        let mut journal = Self {
            folder: folder.to_path_buf(),
            log,
            finished,
        };
        if redo {
            // A run that goes on with this one must know what is still to be done anew.
            for output in outputs {
                journal.take_back(output)?;
            }
            journal.finished.clear();
        }
        Ok(journal)
    }

    fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.folder).unwrap_or(path);
        relative.to_string_lossy().into_owned()
    }

    /// The checksum that an output had when it was written for this input, if it is there.
    fn done(&self, input: &str, output: &Path) -> Option<&str> {
        let entry = self.finished.get(&self.name(output));
        let entry = entry.filter(|entry| entry.input == input && output.is_file());
        entry.map(|entry| entry.sha256.as_str())
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
        let output = self.name(output);
        let known = self.finished.get(&output);
        if known.is_none_or(|entry| entry.input.is_empty()) {
            return Ok(());
        }
        self.note(Finished {
            output,
            ..Finished::default()
        })
    }

    fn note(&mut self, entry: Finished) -> Result<()> {
        self.log.append(&entry)?;
        self.finished.insert(entry.output.clone(), entry);
        Ok(())
    }
}

/// Whether a path that was read from a journal, which anybody may have written, stays below its folder.
fn stays_below(path: &str) -> bool {
    Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
}

/// Documents of outputs that are not complete.
#[derive(Debug)]
struct Unfinished {
    log: Log,
    known: HashMap<String, Outcome>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept<T> {
    key: String,
    /// Which output it is for, in a folder.
    output: String,
    outcome: T,
}

/// The output of a document that was kept.
#[derive(Debug, Deserialize)]
struct KeptFor {
    output: String,
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
        Ok(Self { log, known })
    }

    /// Drops the documents of these outputs; those of others belong to another job.
    fn forget(&mut self, complete: &HashSet<String>) -> Result<()> {
        if self.log.file.is_none() {
            return Ok(());
        }
        let path = self.log.path.clone();
        let failed = |error| io("read", &path, error);
        let lines = BufReader::new(File::open(&path).map_err(failed)?).lines();
        let mut rest = AtomicFile::create(&path)?;
        let (mut kept, mut dropped) = (0, 0);
        for line in lines {
            let line = line.map_err(failed)?;
            match serde_json::from_str::<KeptFor>(&line) {
                Ok(kept_for) if !complete.contains(&kept_for.output) => {
                    kept += 1;
                    writeln!(rest, "{line}").map_err(|error| io("write", &path, error))?;
                }
                _ => dropped += 1,
            }
        }
        match (kept, dropped) {
            (0, _) => self.log.remove(),
            (_, 0) => {}
            _ => rest.commit()?,
        }
        Ok(())
    }
}

/// A file of lines that grows.
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
            options.read(true).append(true).create(true);
            // A link under this name may have been put there to have another file written to.
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
            }
            let file = options.open(&self.path);
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
    let names: HashSet<String> = outputs.iter().map(|output| hidden_name(output)).collect();
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
            let inner = name.strip_suffix(".tmp");
            if let Some((output, random)) = inner.and_then(|inner| inner.rsplit_once('-'))
                && names.contains(output)
                && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                drop(std::fs::remove_file(entry.path()));
            }
        }
    }
}

/// Random letters in the name of a temporary file.
pub(crate) const RANDOM_LETTERS: usize = 16;

/// What hidden files of an output begin with: short, however long its name is.
pub(crate) fn hidden_name(output: &Path) -> String {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    format!(".newsml-{:.16}", key(&[&name]))
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
