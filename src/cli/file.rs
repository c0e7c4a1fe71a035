//! Files that results are written to.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use newsml::{Error, Result};

use super::fingerprint::key;
use super::interrupt;

/// How results look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text; where an output holds several documents, with a line before each that names it.
    Text,
    /// JSON Lines.
    Json,
    /// Each document in the format of its input.
    Own,
}

/// Why writing ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The reader went away: nothing is wrong.
    BrokenPipe,
    /// The system said no.
    Failed(Error),
}

/// Whether results go into this place as files of their own.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
        || path
            .as_os_str()
            .to_string_lossy()
            .ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// Random letters in the name of a temporary file.
const RANDOM_LETTERS: usize = 16;

/// What hidden files of an output begin with: short, however long its name is.
pub(crate) fn hidden_name(output: &Path) -> String {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    format!(".newsml-{:.16}", key(&[&name]))
}

pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}

pub(super) fn stop(path: &Path, source: std::io::Error) -> Stop {
    match source.kind() {
        std::io::ErrorKind::BrokenPipe => Stop::BrokenPipe,
        _ => Stop::Failed(io("write", path, source)),
    }
}

/// Creates a file in the same folder, under a random name that nothing has. What is replaced keeps its
/// permissions.
fn create_beside(path: &Path) -> std::io::Result<(File, PathBuf)> {
    let old = path.metadata().ok().filter(std::fs::Metadata::is_file);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = tempfile::Builder::new()
        // The name may be as long as names can be.
        .prefix(&format!("{}-", hidden_name(path)))
        .suffix(".tmp")
        .rand_bytes(RANDOM_LETTERS)
        .make_in(folder, |name| {
            let mut options = File::options();
            options.create_new(true).write(true);
            #[cfg(unix)]
            if old.is_some() {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o600);
            }
            options.open(name)
        })?;
    if let Some(old) = old {
        file.as_file().set_permissions(old.permissions())?;
    }
    let (file, temporary) = file.keep().map_err(|error| error.error)?;
    let name = temporary.file_name().unwrap_or_default();
    Ok((file, path.with_file_name(name)))
}

/// A file that appears under its name when it is complete.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    pub(super) path: PathBuf,
    pub(super) temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl AtomicFile {
    /// Begins a file beside its place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn create(path: &Path) -> Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
        {
            std::fs::create_dir_all(folder).map_err(|source| io("create", folder, source))?;
        }
        // Through a link, what it leads to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let failed = |source| io("create", &path, source);
        let (file, temporary) = create_beside(&path).map_err(failed)?;
        interrupt::guard(&temporary);
        Ok(Self {
            path,
            temporary,
            writer: Some(BufWriter::new(file)),
        })
    }

    /// Has all that was written on the disk.
    pub(super) fn complete(&mut self) -> Result<()> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        let flushed = writer.flush().and_then(|()| writer.get_ref().sync_all());
        flushed.map_err(|source| io("write", &self.path, source))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`Error::Io`]; the place is as it was then.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.complete()?;
        std::fs::rename(&self.temporary, &self.path)
            .map_err(|source| io("create", &self.path, source))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.flush(),
            None => Ok(()),
        }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        interrupt::release(&self.temporary);
        // After a commit it is not there any more.
        drop(std::fs::remove_file(&self.temporary));
    }
}
