//! The `hub` source: repositories of the Hugging Face hub in the standard cache layout.
//!
//! ```text
//! models--owner--name/blobs/<entity tag>               the content; `….incomplete` while it arrives
//! models--owner--name/snapshots/<commit>/<file>        a link to the blob
//! models--owner--name/refs/<revision>                  the commit a branch stood at
//! .locks/models--owner--name/<entity tag>.lock         held while a blob is fetched
//! .locks/models--owner--name/newsml.lock               held while newsml fetches or removes a model
//! ```
//!
//! Python's `huggingface_hub` finds what is put here, and the other way round. The tag of a large
//! file is the SHA-256 of its content and that of a small one its git name, so every blob can be
//! checked against its own name; of a server with other tags the files cannot be checked, which is
//! told. A reference is written when all files are there: a download that was killed never looks
//! complete.

use std::path::{Component, Path, PathBuf};

use hf_hub::{Cache, Repo, RepoType};

use crate::error::{Error, Result};
use crate::registry::HubSource;
use crate::store::check::{self, FileCheck};
use crate::store::download::{Checksum, Meter, Wanted, download};
use crate::store::event::{Event, Observer, tell};
use crate::store::files::ModelFiles;
use crate::store::http::{HeaderMap, Http, escape, header};
use crate::store::options::StoreOptions;
use crate::store::place::{
    Lock, check_room, create_folder_of, remove_if_empty, rename, write_atomically,
};

/// One repository at one revision, in one cache.
pub(super) struct Repository<'a> {
    source: &'a HubSource,
    cache: Cache,
    repo: Repo,
}

/// One file as the hub described it.
struct Remote<'a> {
    name: &'a str,
    etag: String,
    size: Option<u64>,
    /// The hub's own address of it: where it sends to may be signed, and valid for an hour.
    url: String,
}

impl<'a> Repository<'a> {
    pub(super) fn new(source: &'a HubSource, options: &StoreOptions) -> Self {
        let repo = Repo::with_revision(
            source.repository.clone(),
            RepoType::Model,
            source.revision.clone(),
        );
        Self {
            source,
            cache: Cache::new(options.hub_cache.clone()),
            repo,
        }
    }

    /// The files, if all that must be there are in the cache.
    pub(super) fn cached(&self) -> Option<ModelFiles> {
        let directory = self.snapshot(&self.cached_commit()?);
        let is_there = |name: &&String| directory.join(name).is_file();
        if !self.source.files.iter().all(|name| is_there(&name)) {
            return None;
        }
        let optional = self.source.optional.iter().filter(is_there);
        let names = self.source.files.iter().chain(optional).cloned().collect();
        Some(ModelFiles { directory, names })
    }

    /// Brings all files into the cache.
    pub(super) fn fetch(
        &self,
        options: &StoreOptions,
        model: &str,
        observer: &Observer<'_>,
    ) -> Result<ModelFiles> {
        let http = Http::new(options);
        let (commit, remotes) = self.ask(&http, &options.endpoint)?;
        let _lock = Lock::acquire(&self.lock("newsml"), model, observer)?;
        let total = remotes
            .iter()
            .map(|remote| remote.size)
            .sum::<Option<u64>>();
        let source = self.source_name();
        tell(
            observer,
            &Event::Started {
                model,
                source: &source,
                total,
            },
        )?;
        let missing = remotes
            .iter()
            .map(|remote| self.missing_bytes(remote))
            .sum();
        check_room(self.cache.path(), missing)?;
        let mut meter = Meter::new(observer, model, total);
        for remote in &remotes {
            self.fetch_blob(&http, remote, &mut meter, (model, observer))?;
            self.link(&commit, remote)?;
        }
        if self.source.revision != commit {
            write_atomically(&self.reference(), commit.as_bytes())?;
        }
        let names = remotes
            .iter()
            .map(|remote| remote.name.to_owned())
            .collect();
        Ok(ModelFiles {
            directory: self.snapshot(&commit),
            names,
        })
    }

    /// Checks the cached files against the names of their blobs.
    pub(super) fn verify(
        &self,
        files: &ModelFiles,
        model: &str,
        observer: &Observer<'_>,
    ) -> Result<Vec<FileCheck>> {
        files
            .names
            .iter()
            .map(|name| {
                let path = files.directory.join(name);
                let blob = std::fs::canonicalize(&path).map_err(Error::io("read", &path))?;
                let is_blob = blob
                    .parent()
                    .is_some_and(|folder| folder.ends_with("blobs"));
                let etag = blob
                    .file_name()
                    .and_then(|name| name.to_str())
                    .filter(|_| is_blob);
                let checksum = etag.map_or(Checksum::Unknown, Checksum::of_etag);
                check::check_file((model, name), &path, None, &checksum, observer)
            })
            .collect()
    }

    /// Removes the cached files, and blobs, commits and the repository where nothing else needs
    /// them; returns the bytes freed. Not while newsml fetches from the repository, and no file that
    /// another program is fetching.
    pub(super) fn remove(&self, model: &str) -> Result<u64> {
        if !self.folder().is_dir() {
            return Ok(0);
        }
        let _lock = Lock::to_remove(&self.lock("newsml"), model)?;
        let mut freed = 0;
        if let Some(commit) = self.cached_commit() {
            let directory = self.snapshot(&commit);
            for name in self.source.files.iter().chain(&self.source.optional) {
                let pointer = directory.join(name);
                if pointer.symlink_metadata().is_err() {
                    continue;
                }
                let blob = std::fs::canonicalize(&pointer).ok();
                let size = pointer.metadata().map_or(0, |data| data.len());
                std::fs::remove_file(&pointer).map_err(Error::io("remove", &pointer))?;
                match blob.filter(|blob| *blob != pointer) {
                    Some(blob) if !self.is_used(&blob) => {
                        std::fs::remove_file(&blob).map_err(Error::io("remove", &blob))?;
                        freed += size;
                    }
                    // Another commit needs the blob.
                    Some(_) => {}
                    None => freed += size,
                }
            }
            remove_empty_folders(&directory);
            if !directory.exists() {
                let _ = std::fs::remove_file(self.reference());
            }
        }
        freed += self.remove_partial();
        self.remove_if_unused();
        Ok(freed)
    }

    fn source_name(&self) -> String {
        crate::registry::Source::Hub(self.source.clone()).to_string()
    }

    /// Asks the hub for the commit of the revision and for every file at that commit.
    fn ask(&self, http: &Http, endpoint: &str) -> Result<(String, Vec<Remote<'a>>)> {
        let mut commit: Option<String> = None;
        let mut remotes = Vec::new();
        let required = self.source.files.iter().map(|name| (name, true));
        let optional = self.source.optional.iter().map(|name| (name, false));
        for (name, is_required) in required.chain(optional) {
            // Once the commit is known, all files are asked for at it: a push in between must not
            // mix two versions.
            let revision = commit.as_deref().unwrap_or(&self.source.revision);
            let url = format!(
                "{endpoint}/{}/resolve/{}/{}",
                self.repo.url(),
                escape(revision).replace('/', "%2F"),
                escape(name)
            );
            let headers = match http.head(&url) {
                Ok(headers) => headers,
                Err(Error::NotFound { .. }) if !is_required => continue,
                Err(error) => return Err(error),
            };
            let remote = describe(&url, name, &headers)?;
            self.check_known(&remote)?;
            let found = header(&headers, "x-repo-commit").filter(|text| is_commit(text));
            match (&commit, found) {
                (None, Some(found)) => commit = Some(found.to_owned()),
                (Some(_), _) => {}
                (None, None) => {
                    return Err(Error::Network {
                        url,
                        message: "the server does not answer as a hub".to_owned(),
                    });
                }
            }
            remotes.push(remote);
        }
        let commit = commit.ok_or_else(|| Error::NotFound {
            url: format!("{endpoint}/{}", self.repo.url()),
        })?;
        Ok((commit, remotes))
    }

    fn fetch_blob(
        &self,
        http: &Http,
        remote: &Remote<'_>,
        meter: &mut Meter<'_>,
        (model, observer): (&str, &Observer<'_>),
    ) -> Result<()> {
        let blob = self.blob(&remote.etag);
        let present = |blob: &Path| blob.metadata().ok().map(|data| data.len());
        if let Some(size) = present(&blob) {
            return meter.finish(remote.name, size);
        }
        let _lock = Lock::acquire(&self.lock(&remote.etag), model, observer)?;
        if let Some(size) = present(&blob) {
            return meter.finish(remote.name, size);
        }
        let checksum = match (Checksum::of_etag(&remote.etag), self.known(remote.name)) {
            (Checksum::Unknown, Some(known)) => Checksum::of_etag(known),
            (checksum, _) => checksum,
        };
        if checksum == Checksum::Unknown {
            let text = &format!(
                "`{}` cannot be checked, since the server gives no checksum of it",
                remote.name
            );
            tell(observer, &Event::Notice { model, text })?;
        }
        create_folder_of(&blob)?;
        let partial = partial_of(&blob);
        let wanted = Wanted {
            name: remote.name.to_owned(),
            url: remote.url.clone(),
            place: blob.clone(),
            size: remote.size,
            checksum,
        };
        download(http, &wanted, &partial, meter)?;
        rename(&partial, &blob)
    }

    /// The sha256 that the catalogue knows of a file.
    fn known(&self, name: &str) -> Option<&str> {
        self.source.sha256.get(name).map(String::as_str)
    }

    /// Fails where the hub says that a file is another one than the catalogue knows.
    fn check_known(&self, remote: &Remote<'_>) -> Result<()> {
        match self.known(remote.name) {
            // Other tags say nothing of the content.
            Some(known) if remote.etag.len() == known.len() && remote.etag != known => {
                Err(Error::Mismatch {
                    path: remote.name.into(),
                    what: "sha256",
                    expected: known.to_owned(),
                    found: remote.etag.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Bytes that are still to come for a file.
    fn missing_bytes(&self, remote: &Remote<'_>) -> u64 {
        let blob = self.blob(&remote.etag);
        if blob.is_file() {
            return 0;
        }
        let have = partial_of(&blob).metadata().map_or(0, |data| data.len());
        remote.size.unwrap_or(0).saturating_sub(have)
    }

    /// Makes the file of the snapshot point to its blob.
    fn link(&self, commit: &str, remote: &Remote<'_>) -> Result<()> {
        let pointer = self.snapshot(commit).join(remote.name);
        let blob = self.blob(&remote.etag);
        if pointer.exists() {
            return Ok(());
        }
        create_folder_of(&pointer)?;
        link_or_move(&relative_to(&blob, &pointer), &blob, &pointer)
    }

    fn folder(&self) -> PathBuf {
        self.cache.path().join(self.repo.folder_name())
    }

    fn blob(&self, etag: &str) -> PathBuf {
        self.cache.repo(self.repo.clone()).blob_path(etag)
    }

    fn lock(&self, name: &str) -> PathBuf {
        self.cache
            .path()
            .join(".locks")
            .join(self.repo.folder_name())
            .join(format!("{name}.lock"))
    }

    fn snapshot(&self, commit: &str) -> PathBuf {
        self.cache.repo(self.repo.clone()).pointer_path(commit)
    }

    fn reference(&self) -> PathBuf {
        self.folder().join("refs").join(self.repo.revision())
    }

    fn cached_commit(&self) -> Option<String> {
        if is_commit(&self.source.revision) {
            return Some(self.source.revision.clone());
        }
        let text = std::fs::read_to_string(self.reference()).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Whether a file of any commit still leads to the blob.
    fn is_used(&self, blob: &Path) -> bool {
        fn leads(folder: &Path, blob: &Path) -> bool {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.into_iter().any(|entry| match entry.file_type() {
                Ok(kind) if kind.is_dir() => leads(&entry.path(), blob),
                _ => std::fs::canonicalize(entry.path()).is_ok_and(|target| target == blob),
            })
        }
        leads(&self.folder().join("snapshots"), blob)
    }

    /// Removes what interrupted downloads left behind; those that still run hold a lock.
    fn remove_partial(&self) -> u64 {
        let entries = std::fs::read_dir(self.folder().join("blobs"))
            .into_iter()
            .flatten()
            .flatten();
        entries
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "incomplete")
            })
            .filter_map(|entry| {
                let path = entry.path();
                let _lock = Lock::if_free(&self.lock(path.file_stem()?.to_str()?)).ok()??;
                let size = entry.metadata().ok()?.len();
                std::fs::remove_file(entry.path()).ok().map(|()| size)
            })
            .sum()
    }

    /// Removes the folder of the repository if no file is left in it.
    fn remove_if_unused(&self) {
        let folder = self.folder();
        let is_empty = |name: &str| {
            !std::fs::read_dir(folder.join(name)).is_ok_and(|mut entries| entries.next().is_some())
        };
        if folder.is_dir() && is_empty("blobs") && is_empty("snapshots") {
            // What is left are references and marks of files that the hub does not have.
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

fn partial_of(blob: &Path) -> PathBuf {
    blob.with_extension("incomplete")
}

fn describe<'a>(url: &str, name: &'a str, headers: &HeaderMap) -> Result<Remote<'a>> {
    let network = |message: &str| Error::Network {
        url: url.to_owned(),
        message: message.to_owned(),
    };
    let linked = header(headers, "x-linked-etag");
    let etag = linked
        .or_else(|| header(headers, "etag"))
        .map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned())
        .ok_or_else(|| network("the server does not answer as a hub"))?;
    // The tag becomes the name of a file.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if etag.is_empty() || etag.len() > 128 || !etag.bytes().all(is_name) {
        return Err(network(
            "the server gives the file a tag that cannot be a file name",
        ));
    }
    let size_header = if linked.is_some() {
        "x-linked-size"
    } else {
        "content-length"
    };
    let size = header(headers, size_header).and_then(|text| text.parse().ok());
    Ok(Remote {
        name,
        etag,
        size,
        url: url.to_owned(),
    })
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The way from the folder of `pointer` to `target`, both in the same cache.
fn relative_to(target: &Path, pointer: &Path) -> PathBuf {
    let from: Vec<Component<'_>> = pointer
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .collect();
    let to: Vec<Component<'_>> = target.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(Component::ParentDir, from.len() - shared);
    up.chain(to.into_iter().skip(shared)).collect()
}

#[cfg(unix)]
fn link_or_move(relative: &Path, _blob: &Path, pointer: &Path) -> Result<()> {
    use crate::store::place::{keep_as, temporary_by};
    let link = temporary_by(pointer, |name| std::os::unix::fs::symlink(relative, name))?;
    keep_as(link, pointer)
}

/// Without links, the snapshot holds the file itself, as `huggingface_hub` does it.
#[cfg(not(unix))]
fn link_or_move(_relative: &Path, blob: &Path, pointer: &Path) -> Result<()> {
    rename(blob, pointer)
}

/// Removes the folder and the folders in it, as far as they are empty.
fn remove_empty_folders(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_folders(&entry.path());
        }
    }
    remove_if_empty(folder);
}
