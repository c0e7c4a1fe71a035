//! The `url` source: files at addresses with known checksums, decompressed on arrival.
//!
//! What is served is fetched and checked first and decompressed after that, so nothing unchecked is
//! ever unpacked.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::redact;
use crate::registry::{Compression, Source, UrlFile, UrlSource};
use crate::store::download::{Checksum, Meter, Wanted, download, hexadecimal};
use crate::store::event::{Event, Observer, tell};
use crate::store::folder::{Entry, Folder};
use crate::store::http::{Http, escape};
use crate::store::place::{check_room, create_folder_of, keep_as, rename, temporary_beside};
use crate::store::{ModelFiles, StoreOptions};

/// How many times larger than what is served a decompressed file is reckoned to be, for the disk.
const EXPANSION: u64 = 3;

/// How many times larger than what is served a decompressed file may be. Weights that compress better
/// do not exist; gzip can expand 1,032 times.
const MOST_EXPANSION: u64 = 64;

/// Names and checksums, as the folder's record has them.
pub(super) fn wanted(source: &UrlSource) -> Vec<(&str, &str)> {
    source
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.sha256.as_str()))
        .collect()
}

/// Brings all files into the folder.
pub(super) fn fetch(
    source: &UrlSource,
    folder: &Folder<'_>,
    options: &StoreOptions,
    observer: &Observer<'_>,
) -> Result<ModelFiles> {
    let _lock = folder.lock(observer)?;
    if let Some(files) = folder.cached(&wanted(source)) {
        return Ok(files);
    }
    let name = Source::Url(source.clone()).to_string();
    let total: u64 = source.files.iter().map(|file| file.size).sum();
    tell(
        observer,
        &Event::Started {
            model: folder.model,
            source: &name,
            total: Some(total),
        },
    )?;
    let missing = source
        .files
        .iter()
        .filter(|file| folder.entry(&file.name, &file.sha256).is_none());
    check_room(&folder.path, missing.map(bytes_on_disk).sum())?;
    let http = Http::new(options);
    let mut meter = Meter::new(observer, folder.model, Some(total));
    for file in &source.files {
        if folder.entry(&file.name, &file.sha256).is_some() {
            meter.finish(&file.name, file.size)?;
        } else {
            fetch_file(source, file, folder, &http, &mut meter)?;
        }
    }
    let names = source.files.iter().map(|file| file.name.clone()).collect();
    Ok(ModelFiles {
        directory: folder.path.clone(),
        names,
    })
}

fn bytes_on_disk(file: &UrlFile) -> u64 {
    match file.compression {
        Compression::None => file.size,
        Compression::Gzip => file.size.saturating_mul(1 + EXPANSION),
    }
}

fn fetch_file(
    source: &UrlSource,
    file: &UrlFile,
    folder: &Folder<'_>,
    http: &Http,
    meter: &mut Meter<'_>,
) -> Result<()> {
    let place = folder.path.join(&file.name);
    create_folder_of(&place)?;
    // The checksum is in the name, so that an older entry's beginning is not taken for this one's.
    let mark = file.sha256.get(..8).unwrap_or_default();
    let partial = place.with_file_name(format!(
        "{}.{mark}.part",
        place.file_name().unwrap_or_default().to_string_lossy()
    ));
    let wanted = Wanted {
        name: file.name.clone(),
        url: format!("{}{}", source.base, escape(&file.served_path())),
        place: place.clone(),
        size: Some(file.size),
        checksum: Checksum::Sha256(file.sha256.clone()),
    };
    download(http, &wanted, &partial, meter)?;
    let (sha256, size) = match file.compression {
        Compression::None => {
            rename(&partial, &place)?;
            (file.sha256.clone(), file.size)
        }
        Compression::Gzip => {
            let made = decompress(&partial, &place, file.size);
            std::fs::remove_file(&partial).map_err(Error::io("remove", &partial))?;
            made?
        }
    };
    folder.add(Entry {
        name: file.name.clone(),
        sha256,
        size,
        wanted: file.sha256.clone(),
        source: redact::address(&wanted.url),
    })
}

/// Unpacks a file of `served` bytes; returns checksum and size of what came out.
fn decompress(from: &Path, to: &Path, served: u64) -> Result<(String, u64)> {
    // The checksum was right, so the entry in the catalogue is wrong.
    let corrupt = |message: String| Error::CorruptModel {
        path: to.to_path_buf(),
        message,
    };
    let most = served.saturating_mul(MOST_EXPANSION);
    let packed = File::open(from).map_err(Error::io("read", from))?;
    let mut reader = MultiGzDecoder::new(BufReader::new(packed));
    let mut file = temporary_beside(to)?;
    let mut hasher = Sha256::new();
    let mut size = 0;
    let mut block = vec![0; 256 * 1024];
    loop {
        let read = match reader.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Err(corrupt(format!("it is not gzip: {error}"))),
        };
        size += read as u64;
        if size > most {
            return Err(corrupt(format!(
                "{served} bytes unpack to more than {MOST_EXPANSION} times as many"
            )));
        }
        let bytes = block.get(..read).unwrap_or_default();
        hasher.update(bytes);
        file.write_all(bytes).map_err(Error::io("write", to))?;
    }
    file.as_file().sync_all().map_err(Error::io("write", to))?;
    keep_as(file, to)?;
    Ok((hexadecimal(&hasher.finalize()), size))
}
