//! Names of files with prepared weights, `prepared/<id>-<digits>.safetensors`.
//!
//! The digits stand for the folder that the model lies in, so that models of one name in two places
//! do not take each other's file. What is in the files is the networks' business.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::registry::PREPARED;

const ENDING: &str = ".safetensors";
/// Hexadecimal digits that stand for a folder.
const DIGITS: usize = 16;

/// Where the prepared weights of a model are, whether or not there are some.
pub(super) fn path(folder: &Path, id: &str, directory: &Path) -> PathBuf {
    let place = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_path_buf());
    let digits: String = Sha256::digest(place.as_os_str().as_encoded_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .take(DIGITS / 2)
        .collect();
    // An id of the catalogue is a name; of a path the last part is.
    let name = Path::new(id).file_name().unwrap_or(place.as_os_str());
    let name: String = name
        .to_string_lossy()
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' => c,
            _ => '_',
        })
        .take(60)
        .collect();
    folder
        .join(PREPARED)
        .join(format!("{name}-{digits}{ENDING}"))
}

/// Removes the prepared weights of a model, wherever it lies; returns the bytes freed.
pub(super) fn remove(folder: &Path, id: &str) -> Result<u64> {
    let Ok(entries) = folder.join(PREPARED).read_dir() else {
        return Ok(0);
    };
    let mut freed = 0;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| {
            let digits = name.strip_prefix(id)?.strip_prefix('-')?;
            digits.strip_suffix(ENDING)
        });
        if digits.is_some_and(|digits| digits.len() == DIGITS) {
            let size = entry.metadata().map_or(0, |data| data.len());
            std::fs::remove_file(entry.path()).map_err(Error::io("remove", entry.path()))?;
            freed += size;
        }
    }
    Ok(freed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn models_of_one_name_have_files_of_their_own_and_go_with_their_model() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        for place in ["a/model", "b/model"] {
            std::fs::create_dir_all(folder.join(place)).unwrap();
        }
        let first = path(folder, "./a/model", &folder.join("a/model"));
        let second = path(folder, "b/model/", &folder.join("b/model"));
        assert_ne!(first, second);
        assert_eq!(first, path(folder, "model", &folder.join("b/../a/model")));
        let name = first.file_name().unwrap().to_str().unwrap();
        assert!(
            name.starts_with("model-") && name.ends_with(".safetensors"),
            "{name}"
        );

        std::fs::create_dir(folder.join("prepared")).unwrap();
        let other = path(folder, "model-big", folder);
        for file in [&first, &second, &other] {
            std::fs::write(file, b"12345").unwrap();
        }
        assert_eq!(remove(folder, "model").unwrap(), 10);
        assert!(!first.exists() && !second.exists() && other.exists());
    }
}
