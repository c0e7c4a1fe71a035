//! Sets of parallel lines, and the folds that they are parted into.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use newsml::Language;

/// Lines in a row that are taken to be of one document, where a set does not say.
const DOCUMENT: usize = 20;

/// Parallel lines, and the document of each.
#[derive(Default)]
pub(crate) struct Set {
    pub(crate) lines: Lines,
    pub(crate) documents: Vec<usize>,
}

/// Parallel lines by language, in the order of [`Language::ALL`].
pub(crate) type Lines = [Vec<String>; 3];

/// Reads a set.
pub(crate) fn read(set: &str) -> Result<Set, Box<dyn Error>> {
    let mut lines = Lines::default();
    let mut documents = Vec::new();
    if set.ends_with(".jsonl") {
        for (document, line) in std::fs::read_to_string(set)?.lines().enumerate() {
            let record: BTreeMap<String, serde_json::Value> = serde_json::from_str(line)?;
            for (language, lines) in Language::ALL.iter().zip(&mut lines) {
                let texts = record.get(language.code()).and_then(|list| list.as_array());
                lines.extend(
                    texts
                        .into_iter()
                        .flatten()
                        .filter_map(|text| text.as_str())
                        .map(str::to_owned),
                );
            }
            documents.resize(lines[0].len(), document);
        }
    } else {
        for (language, lines) in Language::ALL.iter().zip(&mut lines) {
            let text = std::fs::read_to_string(format!("{set}.{language}"))?;
            lines.extend(text.lines().map(str::to_owned));
        }
        documents.extend((0..lines[0].len()).map(|line| line / DOCUMENT));
    }
    Ok(Set { lines, documents })
}

/// Reads lines in neighbours of a language.
pub(crate) fn others(folder: &Path, to: Language) -> Result<Vec<String>, Box<dyn Error>> {
    let codes: &[&str] = match to {
        Language::Arabic => &["fa", "ur"],
        Language::Russian => &["uk", "bg", "kk"],
        Language::English => &["pt", "fr", "de", "es"],
    };
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|end| codes.iter().any(|code| end == *code))
        {
            let text = std::fs::read_to_string(&path)?;
            // Shorter lines are names and numbers, the same in many languages.
            lines.extend(
                text.lines()
                    .filter(|line| line.chars().count() >= 40)
                    .map(str::to_owned),
            );
        }
    }
    Ok(lines)
}
