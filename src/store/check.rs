//! Files checked against the checksums that they were fetched with.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::store::download::{Checksum, Hasher};
use crate::store::event::{Event, Observer, tell};

/// What became of the check of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileStatus {
    /// The content is what was fetched.
    Intact,
    /// The content is something else.
    Damaged {
        /// `sha256`, `git sha1` or `size`.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Nothing is known that the content could be checked against.
    Unchecked,
}

/// One file of a model and the outcome of its check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileCheck {
    /// Its name in the model.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// The outcome.
    pub status: FileStatus,
}

/// Reads one file of a model and compares; `size` is what was recorded, if anything was.
pub(super) fn check_file(
    (model, name): (&str, &str),
    path: &Path,
    size: Option<u64>,
    checksum: &Checksum,
    observer: &Observer<'_>,
) -> Result<FileCheck> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let total = file.metadata().map_err(Error::io("read", path))?.len();
    let outcome = |status| FileCheck {
        name: name.to_owned(),
        path: path.to_path_buf(),
        size: total,
        status,
    };
    if let Some(expected) = size.filter(|expected| *expected != total) {
        let (expected, found) = (expected.to_string(), total.to_string());
        return Ok(outcome(FileStatus::Damaged {
            what: "size",
            expected,
            found,
        }));
    }
    let (what, expected) = match checksum {
        Checksum::Sha256(expected) => ("sha256", expected),
        Checksum::GitBlob(expected) => ("git sha1", expected),
        Checksum::Unknown => return Ok(outcome(FileStatus::Unchecked)),
    };
    let mut hasher = Hasher::new(checksum, Some(total));
    let mut block = vec![0; 1024 * 1024];
    let mut done = 0;
    let mut told = Instant::now();
    loop {
        let read = file.read(&mut block).map_err(Error::io("read", path))?;
        if read == 0 {
            break;
        }
        hasher.update(block.get(..read).unwrap_or_default());
        done += read as u64;
        if told.elapsed() >= Duration::from_millis(100) {
            told = Instant::now();
            tell(
                observer,
                &Event::Checking {
                    model,
                    file: name,
                    done,
                    total,
                },
            )?;
        }
    }
    Ok(outcome(match hasher.finish() {
        Some(found) if found == *expected => FileStatus::Intact,
        Some(found) => FileStatus::Damaged {
            what,
            expected: expected.clone(),
            found,
        },
        None => FileStatus::Unchecked,
    }))
}
