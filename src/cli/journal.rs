//! The files in which a job keeps what is done; see [`resume`](super::resume).

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use newsml::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::file::{AtomicFile, hidden_name, io};
use super::fingerprint::{hex, sha256_of};
use super::outcome::Outcome;

/// The outputs of a folder that are complete.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) folder: PathBuf,
    pub(super) log: Log,
    /// The newest entry of each output.
    pub(super) finished: HashMap<String, Finished>,
}

/// An output that is complete.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Finished {
    pub(super) output: String,
    pub(super) input: String,
    pub(super) sha256: String,
    /// What the output is called before it is put in its place.
    pub(super) temporary: String,
}

impl Journal {
    pub(super) fn open(folder: &Path, outputs: &[PathBuf], redo: bool) -> Result<Self> {
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

    pub(super) fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.folder).unwrap_or(path);
        relative.to_string_lossy().into_owned()
    }

    /// The checksum that an output had when it was written for this input, if it is there.
    pub(super) fn done(&self, input: &str, output: &Path) -> Option<&str> {
        let entry = self.finished.get(&self.name(output));
        let entry = entry.filter(|entry| entry.input == input && output.is_file());
        entry.map(|entry| entry.sha256.as_str())
    }

    /// What was written for the same input under another name, if it still is what was written.
    pub(super) fn elsewhere(&self, input: &str) -> Option<String> {
        let entries = self.finished.values();
        entries
            .filter(|entry| entry.input == input)
            .find_map(|entry| {
                let text = std::fs::read_to_string(self.folder.join(&entry.output)).ok()?;
                (hex(&Sha256::digest(&text)) == entry.sha256).then_some(text)
            })
    }

    pub(super) fn finish(&mut self, input: &str, temporary: &Path, output: &Path) -> Result<()> {
        let entry = Finished {
            output: self.name(output),
            input: input.to_owned(),
            sha256: sha256_of(temporary).unwrap_or_default(),
            temporary: self.name(temporary),
        };
        self.note(entry)
    }

    pub(super) fn take_back(&mut self, output: &Path) -> Result<()> {
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

    pub(super) fn note(&mut self, entry: Finished) -> Result<()> {
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
pub(super) struct Unfinished {
    pub(super) log: Log,
    pub(super) known: HashMap<String, Outcome>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept<T> {
    pub(super) key: String,
    /// Which output it is for, in a folder.
    pub(super) output: String,
    pub(super) outcome: T,
}

/// The output of a document that was kept.
#[derive(Debug, Deserialize)]
struct KeptFor {
    output: String,
}

impl Unfinished {
    pub(super) fn open(path: PathBuf, is_lock: bool, redo: bool) -> Result<Self> {
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
    pub(super) fn forget(&mut self, complete: &HashSet<String>) -> Result<()> {
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
pub(super) struct Log {
    pub(super) path: PathBuf,
    /// Whether others are kept out while it is open.
    pub(super) is_lock: bool,
    pub(super) file: Option<File>,
}

impl Log {
    pub(super) fn new(path: PathBuf, is_lock: bool) -> Self {
        Self {
            path,
            is_lock,
            file: None,
        }
    }

    pub(super) fn open(&mut self) -> Result<&mut File> {
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
    pub(super) fn read(&mut self) -> Result<Vec<String>> {
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

    pub(super) fn append(&mut self, line: &impl Serialize) -> Result<()> {
        let path = self.path.clone();
        let failed = |error| io("write", &path, error);
        let mut line = serde_json::to_string(line).map_err(|error| failed(error.into()))?;
        line.push('\n');
        // A line that was not written whole is dropped by whoever reads next.
        self.open()?.write_all(line.as_bytes()).map_err(failed)
    }

    pub(super) fn clear(&mut self) -> Result<()> {
        match &self.file {
            Some(file) => file
                .set_len(0)
                .map_err(|error| io("write", &self.path, error)),
            None => Ok(()),
        }
    }

    pub(super) fn remove(&mut self) {
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
pub(super) fn remove_temporaries(outputs: &[PathBuf]) {
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
