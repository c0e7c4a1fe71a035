//! The folder of a model whose files do not come from the hub, and the record of what is in it.
//!
//! ```text
//! newsml/<id>/<file>           the files, complete whenever they are there
//! newsml/<id>/newsml.json      what each file is and which entry of the catalogue it answers
//! newsml/<id>/….part           the beginning of a file that is still to come
//! newsml/.locks/<id>.lock      held while the folder is written to
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::registry::RECORD;
use crate::store::check::{self, FileCheck};
use crate::store::download::Checksum;
use crate::store::event::Observer;
use crate::store::files::ModelFiles;
use crate::store::options::StoreOptions;
use crate::store::place::{Lock, write_atomically};

/// The folder of one model.
pub(super) struct Folder<'a> {
    pub(super) model: &'a str,
    pub(super) path: PathBuf,
    locks: PathBuf,
}

/// What is recorded of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// SHA-256 of the stored content.
    pub(super) sha256: String,
    /// Bytes of the stored content.
    pub(super) size: u64,
    /// SHA-256 that the catalogue asked for: of what was served, which may be compressed.
    pub(super) wanted: String,
    /// Where it came from, in words.
    pub(super) source: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    files: Vec<Entry>,
}

impl<'a> Folder<'a> {
    pub(super) fn new(model: &'a str, options: &StoreOptions) -> Self {
        Self {
            model,
            path: options.folder.join(model),
            locks: options.folder.join(".locks"),
        }
    }

    pub(super) fn lock(&self, observer: &Observer<'_>) -> Result<Lock> {
        Lock::acquire(&self.lock_path(), self.model, observer)
    }

    fn lock_path(&self) -> PathBuf {
        self.locks.join(format!("{}.lock", self.model))
    }

    /// The files, if all of them are there and answer the checksums of the catalogue.
    ///
    /// `wanted` holds names and checksums as the catalogue has them.
    pub(super) fn cached(&self, wanted: &[(&str, &str)]) -> Option<ModelFiles> {
        let record = self.record();
        let is_there = |(name, sha256): &(&str, &str)| self.find(&record, name, sha256).is_some();
        wanted.iter().all(is_there).then(|| ModelFiles {
            directory: self.path.clone(),
            names: wanted.iter().map(|(name, _)| (*name).to_owned()).collect(),
        })
    }

    /// The files as they were recorded, if all of them are there, whatever became of them since.
    pub(super) fn recorded(&self, wanted: &[(&str, &str)]) -> Option<ModelFiles> {
        let record = self.record();
        let is_recorded = |(name, sha256): &(&str, &str)| {
            let is_it = |entry: &Entry| entry.name == *name && entry.wanted == *sha256;
            record.files.iter().any(is_it) && self.path.join(name).is_file()
        };
        wanted.iter().all(is_recorded).then(|| ModelFiles {
            directory: self.path.clone(),
            names: wanted.iter().map(|(name, _)| (*name).to_owned()).collect(),
        })
    }

    /// The record of one file, if the file is there and answers the checksum of the catalogue.
    pub(super) fn entry(&self, name: &str, wanted: &str) -> Option<Entry> {
        self.find(&self.record(), name, wanted).cloned()
    }

    fn find<'r>(&self, record: &'r Record, name: &str, wanted: &str) -> Option<&'r Entry> {
        let entry = record
            .files
            .iter()
            .find(|entry| entry.name == name && entry.wanted == wanted)?;
        let size = self
            .path
            .join(name)
            .metadata()
            .ok()
            .filter(std::fs::Metadata::is_file)?
            .len();
        (size == entry.size).then_some(entry)
    }

    /// Records a file that has just been put in its place.
    pub(super) fn add(&self, entry: Entry) -> Result<()> {
        let mut record = self.record();
        record.files.retain(|known| known.name != entry.name);
        record.files.push(entry);
        let text = serde_json::to_vec_pretty(&record)
            .map_err(|error| Error::io("write", self.record_path())(error.into()))?;
        write_atomically(&self.record_path(), &text)
    }

    /// Checks the files against what was recorded of them.
    pub(super) fn verify(
        &self,
        files: &ModelFiles,
        observer: &Observer<'_>,
    ) -> Result<Vec<FileCheck>> {
        let record = self.record();
        files
            .names
            .iter()
            .map(|name| {
                let entry = record.files.iter().find(|entry| entry.name == *name);
                let checksum = entry.map_or(Checksum::Unknown, |entry| {
                    Checksum::Sha256(entry.sha256.clone())
                });
                let size = entry.map(|entry| entry.size);
                check::check_file(
                    (self.model, name),
                    &self.path.join(name),
                    size,
                    &checksum,
                    observer,
                )
            })
            .collect()
    }

    /// Removes the folder with all that is in it; returns the bytes freed. Not while it is filled.
    pub(super) fn remove(&self) -> Result<u64> {
        if !self.path.exists() {
            return Ok(0);
        }
        let _lock = Lock::to_remove(&self.lock_path(), self.model)?;
        let freed = bytes_below(&self.path);
        std::fs::remove_dir_all(&self.path).map_err(Error::io("remove", &self.path))?;
        Ok(freed)
    }

    fn record_path(&self) -> PathBuf {
        self.path.join(RECORD)
    }

    /// The record; a damaged one counts as empty, so that the files are fetched anew.
    fn record(&self) -> Record {
        let text = std::fs::read(self.record_path()).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

/// Bytes of all files in a folder and the folders in it.
pub(super) fn bytes_below(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => bytes_below(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}
