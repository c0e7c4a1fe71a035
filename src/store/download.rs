//! Bytes from a server into a file: resuming, retrying, checking.
//!
//! [`download`] returns only when the partial file holds exactly the bytes that were expected;
//! putting it in its place is for the caller. What has arrived is kept for the next start whenever
//! the work stops, except bytes that are known to be wrong.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::redact;
use crate::store::event::{Event, Observer, tell};
use crate::store::http::{Http, describe_io, is_down};
use crate::store::place::open_or_create;

/// Bytes moved at a time.
const BLOCK: usize = 256 * 1024;

/// How often in a row a transfer may stop without having brought [`PROGRESS`].
const FRUITLESS_ATTEMPTS: u32 = 4;

/// Bytes that a transfer must bring to count as progress: a server that sends a few and closes the
/// connection, each time, must not keep newsml at it without end.
const PROGRESS: u64 = 1024 * 1024;

/// The wait before the second attempt; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// Bytes a second below which a connection counts as dead.
const SLOWEST: u64 = 1024;

/// How long a connection is watched before its speed counts.
const SPEED_WINDOW: Duration = Duration::from_secs(30);

/// What a file must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checksum {
    /// SHA-256 of the content, lower-case hexadecimal.
    Sha256(String),
    /// The name git gives to the content, a SHA-1 over its length and itself: what the hub uses for
    /// small files.
    GitBlob(String),
    /// Nothing is known.
    Unknown,
}

impl Checksum {
    /// Reads an entity tag of the hub; tags of other servers say nothing about the content.
    pub(super) fn of_etag(etag: &str) -> Self {
        let is_hexadecimal = etag
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match etag.len() {
            64 if is_hexadecimal => Self::Sha256(etag.to_owned()),
            40 if is_hexadecimal => Self::GitBlob(etag.to_owned()),
            _ => Self::Unknown,
        }
    }
}

/// A checksum in the making.
pub(super) enum Hasher {
    Sha256(Sha256),
    GitBlob(Sha1),
    Unknown,
}

impl Hasher {
    /// Starts a checksum; a git name needs the size of the content first, and without it there is
    /// none.
    pub(super) fn new(checksum: &Checksum, size: Option<u64>) -> Self {
        match (checksum, size) {
            (Checksum::Sha256(_), _) => Self::Sha256(Sha256::new()),
            (Checksum::GitBlob(_), Some(size)) => {
                Self::GitBlob(Sha1::new_with_prefix(format!("blob {size}\0")))
            }
            _ => Self::Unknown,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::GitBlob(hasher) => hasher.update(bytes),
            Self::Unknown => {}
        }
    }

    /// The checksum in hexadecimal, where one was made.
    pub(super) fn finish(self) -> Option<String> {
        match self {
            Self::Sha256(hasher) => Some(hexadecimal(&hasher.finalize())),
            Self::GitBlob(hasher) => Some(hexadecimal(&hasher.finalize())),
            Self::Unknown => None,
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// What is to be fetched, and what it must be.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The name for messages.
    pub(super) name: String,
    pub(super) url: String,
    /// Where the file will be put, for messages.
    pub(super) place: PathBuf,
    /// Bytes, where known.
    pub(super) size: Option<u64>,
    pub(super) checksum: Checksum,
}

/// Counts the bytes of a whole model and tells an observer now and then.
pub(super) struct Meter<'a> {
    observer: &'a Observer<'a>,
    model: &'a str,
    total: Option<u64>,
    /// Bytes of files that are finished.
    finished: u64,
    told: Option<Instant>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(observer: &'a Observer<'a>, model: &'a str, total: Option<u64>) -> Self {
        Self {
            observer,
            model,
            total,
            finished: 0,
            told: None,
        }
    }

    /// Tells that so many bytes of the file at hand are here.
    pub(super) fn at(&mut self, file: &str, bytes: u64) -> Result<()> {
        let is_told = |told: Instant| told.elapsed() < Duration::from_millis(100);
        if self.told.is_some_and(is_told) {
            return Ok(());
        }
        self.now(file, bytes)
    }

    /// The same, told at once.
    pub(super) fn now(&mut self, file: &str, bytes: u64) -> Result<()> {
        self.told = Some(Instant::now());
        let done = self.finished + bytes;
        tell(
            self.observer,
            &Event::Transfer {
                model: self.model,
                file,
                done,
                total: self.total,
            },
        )
    }

    /// Tells that the file at hand is finished, with so many bytes.
    pub(super) fn finish(&mut self, file: &str, bytes: u64) -> Result<()> {
        self.now(file, bytes)?;
        self.told = None;
        self.finished += bytes;
        Ok(())
    }
}

/// Fetches a file into `partial`, which may hold the beginning of it, and returns its size.
///
/// # Errors
/// [`Error::Mismatch`] if what the server sends is not what was expected; `partial` is gone then.
/// After any other error `partial` holds what has arrived.
pub(super) fn download(
    http: &Http,
    wanted: &Wanted,
    partial: &Path,
    meter: &mut Meter<'_>,
) -> Result<u64> {
    let resumed = partial.metadata().is_ok_and(|data| data.len() > 0);
    let mut outcome = attempts(http, wanted, partial, meter);
    if resumed && is_mismatch(&outcome) {
        // The beginning may have been another file's: once more, from nothing.
        remove_wrong(partial);
        outcome = attempts(http, wanted, partial, meter);
    }
    if is_mismatch(&outcome) {
        remove_wrong(partial);
    }
    outcome
}

fn is_mismatch(outcome: &Result<u64>) -> bool {
    matches!(outcome, Err(Error::Mismatch { .. }))
}

/// Removes bytes that are of no use to anybody, or none; if that fails, the next start finds out.
fn remove_wrong(partial: &Path) {
    let _ = std::fs::remove_file(partial);
}

fn attempts(http: &Http, wanted: &Wanted, partial: &Path, meter: &mut Meter<'_>) -> Result<u64> {
    let mut fruitless = 0;
    loop {
        let before = partial.metadata().map_or(0, |data| data.len());
        let error = match attempt(http, wanted, partial, meter) {
            Err(error @ Error::Network { .. }) => error,
            outcome => return outcome,
        };
        let after = partial.metadata().map_or(0, |data| data.len());
        let brought = after.saturating_sub(before);
        fruitless = if brought >= PROGRESS {
            0
        } else {
            fruitless + 1
        };
        if fruitless >= FRUITLESS_ATTEMPTS || is_down(&wanted.url) {
            if after == 0 {
                remove_wrong(partial);
            }
            return Err(error);
        }
        // Short: a server that is down for longer is one to come back to.
        if let Some(doublings) = fruitless.checked_sub(1) {
            std::thread::sleep(FIRST_WAIT * 2_u32.pow(doublings));
        }
        meter.at(&wanted.name, after)?;
    }
}

fn attempt(http: &Http, wanted: &Wanted, partial: &Path, meter: &mut Meter<'_>) -> Result<u64> {
    let mut file = open_or_create(partial)?;
    let mut have = file.metadata().map_err(Error::io("read", partial))?.len();
    if wanted.size.is_some_and(|size| have > size) {
        file.set_len(0).map_err(Error::io("write", partial))?;
        have = 0;
    }
    let mut hasher = Hasher::new(&wanted.checksum, wanted.size);
    hash_prefix(&mut file, partial, have, &mut hasher)?;
    if have == 0 || wanted.size != Some(have) {
        have = fetch_rest(
            http,
            wanted,
            (&mut file, partial),
            (have, &mut hasher),
            meter,
        )?;
    }
    if matches!(wanted.checksum, Checksum::GitBlob(_)) && wanted.size.is_none() {
        // The size, with which the name begins, is known only now.
        hasher = Hasher::new(&wanted.checksum, Some(have));
        hash_prefix(&mut file, partial, have, &mut hasher)?;
    }
    check(wanted, have, hasher)?;
    file.sync_all().map_err(Error::io("write", partial))?;
    meter.finish(&wanted.name, have)?;
    Ok(have)
}

/// Reads the beginning that is already there into the checksum and leaves the file at its end.
pub(super) fn hash_prefix(
    file: &mut File,
    path: &Path,
    length: u64,
    hasher: &mut Hasher,
) -> Result<()> {
    file.seek(SeekFrom::Start(0))
        .map_err(Error::io("read", path))?;
    let mut block = vec![0; BLOCK];
    let mut left = length;
    while left > 0 {
        let limit = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let space = block.get_mut(..limit).unwrap_or_default();
        let read = file.read(space).map_err(Error::io("read", path))?;
        if read == 0 {
            return Err(Error::io("read", path)(
                std::io::ErrorKind::UnexpectedEof.into(),
            ));
        }
        hasher.update(space.get(..read).unwrap_or_default());
        left -= read as u64;
    }
    Ok(())
}

fn fetch_rest(
    http: &Http,
    wanted: &Wanted,
    (file, path): (&mut File, &Path),
    (have, hasher): (u64, &mut Hasher),
    meter: &mut Meter<'_>,
) -> Result<u64> {
    let network = |message: String| Error::Network {
        url: redact::address(&wanted.url),
        message,
    };
    let Some(mut answer) = http.get(&wanted.url, have)? else {
        // Nothing beyond what is here: complete if the size was not known, else wrong.
        return Ok(have);
    };
    if let (Some(expected), Some(found)) = (wanted.size, answer.total)
        && expected != found
    {
        return Err(size_mismatch(&wanted.place, expected, found));
    }
    let mut at = have;
    if answer.offset != have {
        if answer.offset != 0 {
            return Err(network(
                "the server sent another part of the file than was asked for".to_owned(),
            ));
        }
        file.set_len(0).map_err(Error::io("write", path))?;
        file.seek(SeekFrom::Start(0))
            .map_err(Error::io("write", path))?;
        *hasher = Hasher::new(&wanted.checksum, wanted.size);
        at = 0;
    }
    let mut block = vec![0; BLOCK];
    let mut window = (Instant::now(), at);
    loop {
        if window.0.elapsed() >= SPEED_WINDOW {
            if at - window.1 < SLOWEST * SPEED_WINDOW.as_secs() {
                return Err(network(format!(
                    "less than {SLOWEST} bytes a second arrived for {} s",
                    SPEED_WINDOW.as_secs()
                )));
            }
            window = (Instant::now(), at);
        }
        let read = match answer.body.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let total = answer.total.or(wanted.size).unwrap_or(at);
                let message = describe_io(&error);
                return Err(network(format!("{message} after {at} of {total} bytes")));
            }
        };
        let bytes = block.get(..read).unwrap_or_default();
        at += read as u64;
        if let Some(expected) = wanted.size.filter(|size| at > *size) {
            return Err(size_mismatch(&wanted.place, expected, at));
        }
        file.write_all(bytes).map_err(Error::io("write", path))?;
        hasher.update(bytes);
        meter.at(&wanted.name, at)?;
    }
    match answer.total.or(wanted.size) {
        Some(total) if at < total => Err(network(format!(
            "the file broke off after {at} of {total} bytes"
        ))),
        _ => Ok(at),
    }
}

fn check(wanted: &Wanted, have: u64, hasher: Hasher) -> Result<()> {
    if let Some(expected) = wanted.size.filter(|size| *size != have) {
        return Err(size_mismatch(&wanted.place, expected, have));
    }
    match (&wanted.checksum, hasher.finish()) {
        (Checksum::Sha256(expected), Some(found)) if *expected != found => Err(Error::Mismatch {
            path: wanted.place.clone(),
            what: "sha256",
            expected: expected.clone(),
            found,
        }),
        (Checksum::GitBlob(expected), Some(found)) if *expected != found => Err(Error::Mismatch {
            path: wanted.place.clone(),
            what: "git sha1",
            expected: expected.clone(),
            found,
        }),
        _ => Ok(()),
    }
}

pub(super) fn size_mismatch(path: &Path, expected: u64, found: u64) -> Error {
    Error::Mismatch {
        path: path.to_path_buf(),
        what: "size",
        expected: expected.to_string(),
        found: found.to_string(),
    }
}
