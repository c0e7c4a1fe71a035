//! Files put in their places: locks between processes, room on the disk, atomic replacement.
//!
//! Knows nothing of models. Whatever is written under its final name is complete at that moment.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::store::event::{Event, Observer, tell};

/// Tells the temporary files of this process apart.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Holds a lock file until it is dropped; the system releases it if the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process holds the lock, telling the observer that it waits.
    ///
    /// The kind of lock (`flock`) and, for the hub's files, the place are those of Python's
    /// `huggingface_hub`, so that the two do not fetch the same file at the same time either.
    pub(super) fn acquire(path: &Path, model: &str, observer: &Observer<'_>) -> Result<Self> {
        loop {
            if let Some(lock) = Self::if_free(path)? {
                return Ok(lock);
            }
            tell(observer, &Event::Waiting { model })?;
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Takes the lock, unless another process holds it.
    ///
    /// The file of a lock is never removed: who waits for it would hold another than who comes next.
    pub(super) fn if_free(path: &Path) -> Result<Option<Self>> {
        create_folder_of(path)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(Error::io("create", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            // Some network file systems have no locks; fetching twice is the lesser evil.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                Ok(Some(Self { _file: file }))
            }
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
        }
    }

    /// Takes the lock, or says that the model is being fetched.
    pub(super) fn to_remove(path: &Path, model: &str) -> Result<Self> {
        Self::if_free(path)?.ok_or_else(|| Error::Usage {
            message: format!("model `{model}` is being fetched by another process"),
            hint: Some("wait until it is here, or stop that process".to_owned()),
        })
    }
}

/// Creates the folder that a file is to lie in.
pub(super) fn create_folder_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(Error::io("create", folder)),
        None => Ok(()),
    }
}

/// Checks that the disk of a folder, which need not exist yet, has room for so many bytes.
///
/// # Errors
/// [`Error::DiskFull`]. Where the system does not tell, there is room.
pub(super) fn check_room(folder: &Path, needed: u64) -> Result<()> {
    match free_bytes(folder) {
        Some(available) if available < needed => Err(Error::DiskFull {
            path: folder.to_path_buf(),
            needed,
            available,
        }),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.is_dir())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Writes a small file so that it is there whole or as it was before.
pub(super) fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    create_folder_of(path)?;
    let temporary = temporary_beside(path);
    std::fs::write(&temporary, content).map_err(Error::io("write", &temporary))?;
    rename(&temporary, path)
}

/// Moves a file over another on the same disk.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(Error::io("create", to))
}

/// A name that no other process or thread uses, in the same folder.
pub(super) fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}-{count}.tmp", std::process::id()))
}

/// Removes a folder if it is empty, and says so.
pub(super) fn remove_if_empty(folder: &Path) -> bool {
    std::fs::remove_dir(folder).is_ok()
}
