//! Files put in their places: locks between processes, room on the disk, atomic replacement.
//!
//! Knows nothing of models. Whatever is written under its final name is complete at that moment.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::store::event::{Event, Observer, tell};

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
        let file = open_or_create(path)?;
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
    let mut file = temporary_beside(path)?;
    file.write_all(content).map_err(Error::io("write", path))?;
    keep_as(file, path)
}

/// Opens a file for reading and writing, creating it if needed. A link in its place is refused: under
/// a name that can be foreseen, it may have been put there to have another file written to.
pub(super) fn open_or_create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path).map_err(Error::io("create", path))
}

/// Moves a file over another on the same disk.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(Error::io("create", to))
}

/// Creates a file in the same folder, under a random name that nothing has; it is removed when it is
/// dropped.
pub(super) fn temporary_beside(path: &Path) -> Result<tempfile::NamedTempFile> {
    temporary_by(path, |name| {
        let mut options = OpenOptions::new();
        options.create_new(true).read(true).write(true).open(name)
    })
}

/// The same for whatever `create` creates; it is asked again under another name if one is taken.
pub(super) fn temporary_by<T>(
    path: &Path,
    create: impl FnMut(&Path) -> std::io::Result<T>,
) -> Result<tempfile::NamedTempFile<T>> {
    // The name may be as long as names can be.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().take(40).collect();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .rand_bytes(12)
        .make_in(folder, create)
        .map_err(Error::io("create", path))
}

/// Gives a temporary file its name, atomically.
pub(super) fn keep_as<T>(file: tempfile::NamedTempFile<T>, path: &Path) -> Result<()> {
    match file.persist(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::io("create", path)(error.error)),
    }
}

/// Removes a folder if it is empty, and says so.
pub(super) fn remove_if_empty(folder: &Path) -> bool {
    std::fs::remove_dir(folder).is_ok()
}
