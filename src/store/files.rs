//! The files of a model, as they lie on the disk.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The files of one model, all in one folder of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    pub(super) directory: PathBuf,
    pub(super) names: Vec<String>,
}

impl ModelFiles {
    /// The files of a user's own model: a directory, or one file.
    ///
    /// # Errors
    /// [`Error::Io`] if nothing can be read there.
    pub fn local(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let data = path.metadata().map_err(Error::io("read", path))?;
        if !data.is_dir() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
            return Ok(Self {
                directory,
                names: vec![name],
            });
        }
        let entries = std::fs::read_dir(path).map_err(Error::io("read", path))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(Self {
            directory: path.to_path_buf(),
            names,
        })
    }

    /// What tells these files from others without reading them, which for gigabytes would take longer
    /// than many a job: names, sizes and times of change.
    pub fn fingerprint(&self) -> String {
        let facts = self.names.iter().map(|name| {
            let data = self.directory.join(name).metadata();
            let facts = data.map(|data| (data.len(), data.modified().ok()));
            format!("{name} {:?}", facts.ok())
        });
        facts.collect::<Vec<_>>().join("\n")
    }

    /// The folder that the files are in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The names of the files.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Where a file lies, if the model has it.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.names
            .iter()
            .any(|known| known == name)
            .then(|| self.directory.join(name))
    }

    /// Where the first file with the ending lies, as in `.gguf`.
    pub fn ending(&self, ending: &str) -> Option<PathBuf> {
        self.names
            .iter()
            .find(|name| name.ends_with(ending))
            .map(|name| self.directory.join(name))
    }

    /// What a user would call the model: the file where there is one, else the folder.
    pub fn location(&self) -> PathBuf {
        match self.names.as_slice() {
            [only] => self.directory.join(only),
            _ => self.directory.clone(),
        }
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.names
            .iter()
            .filter_map(|name| self.directory.join(name).metadata().ok())
            .map(|data| data.len())
            .sum()
    }
}
