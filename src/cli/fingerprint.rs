//! What inputs, documents and settings are known by.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// A checksum of the content of a file; `None` where it cannot be read.
pub(super) fn sha256_of(path: &Path) -> Option<String> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut File::open(path).ok()?, &mut hasher).ok()?;
    Some(hex(&hasher.finalize()))
}

/// One checksum for several texts, which tells where each ends.
pub(crate) fn key(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A checksum of the content of a file, and of the extension, which says how it is read.
pub(crate) fn fingerprint(path: &Path) -> Option<String> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    Some(key(&[&sha256_of(path)?, &extension]))
}
