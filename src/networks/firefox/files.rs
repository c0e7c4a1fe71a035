//! The files of a model: which are which in a directory, and reading them, plain or gzip.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// No file of a model comes near this size; what unpacks to more is an attack or a mistake.
const MAX_SIZE: u64 = 2 << 30;

/// Where the parts of a model lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// The network, `model.*.bin`.
    pub(crate) model: PathBuf,
    /// The SentencePiece model of the source, `srcvocab.*.spm` or `vocab.*.spm`.
    pub(crate) source_vocabulary: PathBuf,
    /// That of the target, `trgvocab.*.spm` or the same `vocab.*.spm`.
    pub(crate) target_vocabulary: PathBuf,
    /// The lexical shortlist, `lex.*.bin`. Without one every target token is a candidate, which
    /// is several times slower.
    pub(crate) shortlist: Option<PathBuf>,
    /// Options for translating, `config.*.yml`.
    pub(crate) options: Option<PathBuf>,
}

impl Files {
    /// Whether a directory looks like one of these models.
    pub(crate) fn are_in(directory: &Path) -> bool {
        names(directory).is_ok_and(|names| names.iter().any(|name| is_model(name)))
    }

    /// Finds the parts in a directory, with or without `.gz`; of both, the one without.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory cannot be read, [`Error::CorruptModel`] if a part is missing or
    /// there are several.
    pub(crate) fn find(directory: &Path) -> Result<Self> {
        let names = names(directory)?;
        let find = |what: &str, matches: &dyn Fn(&str) -> bool| -> Result<Option<PathBuf>> {
            let found: Vec<&String> = names.iter().filter(|name| matches(name)).collect();
            let plain = |name: &str| {
                !found
                    .iter()
                    .any(|other| name.strip_suffix(".gz") == Some(other.as_str()))
            };
            let found: Vec<&String> = found.iter().copied().filter(|name| plain(name)).collect();
            match found.as_slice() {
                [] => Ok(None),
                [name] => Ok(Some(directory.join(name))),
                [first, second, ..] => Err(Error::CorruptModel {
                    path: directory.to_path_buf(),
                    message: format!("it has more than one {what}: `{first}` and `{second}`"),
                }),
            }
        };
        let missing = |what: &str| Error::CorruptModel {
            path: directory.to_path_buf(),
            message: format!("it has no {what}"),
        };
        let model = find("model", &is_model)?.ok_or_else(|| missing("model `model.*.bin`"))?;
        let vocabulary = |prefix: &'static str| {
            find("vocabulary", &move |name: &str| {
                name.starts_with(prefix) && stem(name).ends_with(".spm")
            })
        };
        let (source, target) = match (
            vocabulary("srcvocab.")?,
            vocabulary("trgvocab.")?,
            vocabulary("vocab.")?,
        ) {
            (Some(source), Some(target), _) => (source, target),
            (None, None, Some(shared)) => (shared.clone(), shared),
            (Some(_), None, _) => return Err(missing("target vocabulary `trgvocab.*.spm`")),
            (None, Some(_), _) => return Err(missing("source vocabulary `srcvocab.*.spm`")),
            (None, None, None) => return Err(missing("vocabulary `vocab.*.spm`")),
        };
        Ok(Self {
            model,
            source_vocabulary: source,
            target_vocabulary: target,
            shortlist: find("shortlist", &|name| {
                name.starts_with("lex.") && stem(name).ends_with(".bin")
            })?,
            options: find("configuration", &|name| {
                name.starts_with("config.") && name.ends_with(".yml")
            })?,
        })
    }

    /// The languages that the name of the model states: `enpt` in `model.enpt.intgemm.alphas.bin`.
    pub(crate) fn pair(&self) -> Option<(String, String)> {
        let name = self.model.file_name()?.to_str()?;
        let pair = name.split('.').nth(1)?;
        let is_pair = pair.len() == 4 && pair.bytes().all(|byte| byte.is_ascii_lowercase());
        is_pair.then(|| (pair[..2].to_owned(), pair[2..].to_owned()))
    }
}

fn is_model(name: &str) -> bool {
    name.starts_with("model.") && stem(name).ends_with(".bin")
}

/// A name without what says that it is compressed.
fn stem(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(directory).map_err(Error::io("read", directory))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("read", directory))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads a file, unpacked if it is gzip, which its first bytes tell.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let corrupt = |message| Error::CorruptModel {
        path: path.to_path_buf(),
        message,
    };
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .take(MAX_SIZE)
        .read_to_end(&mut unpacked)
        .map_err(|error| corrupt(format!("its gzip data is damaged or incomplete: {error}")))?;
    if unpacked.len() as u64 == MAX_SIZE {
        return Err(corrupt("it unpacks to more than 2 GiB".to_owned()));
    }
    Ok(unpacked)
}
