//! Test sets: sources, references and outputs from JSON Lines or from parallel files of lines.
//!
//! Lines end at line feeds and nowhere else, and white space at their ends is dropped, as sacreBLEU
//! reads them. Whatever cannot be read is an error that names the place: a set with holes would
//! give scores that mean nothing.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Corpus, words};
use crate::error::{Error, Result};

/// One text of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// What a model is given.
    pub source: Option<String>,
    /// What it should write; any of these.
    pub references: Vec<String>,
    /// What some system wrote.
    pub hypothesis: Option<String>,
}

/// The names of the fields of a set in JSON Lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// The field of the source.
    pub source: String,
    /// The field of the reference: a text, or a list of texts.
    pub reference: String,
    /// The field of the output of some system.
    pub hypothesis: String,
}

impl Default for Fields {
    /// `source`, `reference` and `hypothesis`.
    fn default() -> Self {
        Self {
            source: "source".to_owned(),
            reference: "reference".to_owned(),
            hypothesis: "hypothesis".to_owned(),
        }
    }
}

/// Texts with their references.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Set {
    /// The texts in order; at least one.
    pub items: Vec<Item>,
}

impl Set {
    /// Reads a set from JSON Lines. Blank lines are passed over, other fields are not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Encoding`], [`Error::EmptyInput`]; [`Error::Format`] with the number of
    /// a line that is no JSON object, has no reference, or has something else than texts there.
    pub fn from_json_lines(path: impl AsRef<Path>, fields: &Fields) -> Result<Self> {
        let path = path.as_ref();
        let mut items = Vec::new();
        for (index, line) in lines(path)?.iter().enumerate() {
            if line.is_empty() {
                continue;
            }
            let wrong = |message: String| Error::Format {
                name: format!("{}:{}", path.display(), index + 1),
                format: "a test set",
                message,
            };
            let object: Map<String, Value> =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            let references = texts(&object, &fields.reference).map_err(wrong)?;
            if references.is_empty() {
                return Err(wrong(format!("there is no field `{}`", fields.reference)));
            }
            let one = |field: &str| {
                let mut found = texts(&object, field)?;
                match found.len() {
                    0 | 1 => Ok(found.pop()),
                    _ => Err(format!("the field `{field}` has several texts")),
                }
            };
            items.push(Item {
                source: one(&fields.source).map_err(wrong)?,
                references,
                hypothesis: one(&fields.hypothesis).map_err(wrong)?,
            });
        }
        if items.is_empty() {
            return Err(empty(path));
        }
        Ok(Self { items })
    }

    /// Reads a set from parallel files: line N of each belongs to line N of the others.
    ///
    /// # Errors
    ///
    /// Those of [`lines`]; [`Error::Usage`] where the files have different numbers of lines.
    pub fn from_parallel(source: Option<&Path>, references: &[PathBuf]) -> Result<Self> {
        let mut items: Vec<Item> = Vec::new();
        let mut first: Option<(&Path, usize)> = None;
        for path in source
            .into_iter()
            .chain(references.iter().map(PathBuf::as_path))
        {
            let lines = lines(path)?;
            let (first, expected) = *first.get_or_insert((path, lines.len()));
            same_length(first, expected, path, lines.len())?;
            items.resize_with(expected, Item::default);
            for (item, line) in items.iter_mut().zip(lines) {
                if source == Some(path) && item.source.is_none() {
                    item.source = Some(line);
                } else {
                    item.references.push(line);
                }
            }
        }
        Ok(Self { items })
    }

    /// The outputs of the set itself, with the references.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where an item has no output; as [`Corpus::new`].
    pub fn corpus(&self) -> Result<Corpus> {
        let outputs: Option<Vec<String>> = self
            .items
            .iter()
            .map(|item| item.hypothesis.clone())
            .collect();
        match outputs {
            Some(outputs) => self.with_outputs(outputs),
            None => Err(Error::Usage {
                message: "the set has no outputs to measure".to_owned(),
                hint: Some("name a model to run with `--model`, a file of outputs with `--hyp`, or the field with `--hypothesis-field`".to_owned()),
            }),
        }
    }

    /// These outputs, with the references of the set.
    ///
    /// # Errors
    ///
    /// As [`Corpus::new`].
    pub fn with_outputs(&self, outputs: Vec<String>) -> Result<Corpus> {
        let references = self.items.iter().map(|item| item.references.clone());
        Corpus::new(outputs, references.collect())
    }

    /// The outputs of a file, a line each, with the references of the set.
    ///
    /// # Errors
    ///
    /// Those of [`lines`]; [`Error::Usage`] where there are more or fewer lines than items.
    pub fn with_file(&self, path: &Path) -> Result<Corpus> {
        let outputs = lines(path)?;
        same_length(
            Path::new("the references"),
            self.items.len(),
            path,
            outputs.len(),
        )?;
        self.with_outputs(outputs)
    }
}

/// The texts of a field: none, one, or a list.
fn texts(object: &Map<String, Value>, field: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("the field `{field}` is neither a text nor a list of texts");
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
    match object.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
    }
}

/// The lines of a file in UTF-8, without white space at their ends.
///
/// # Errors
///
/// [`Error::Io`]; [`Error::Encoding`] with the offset of the first wrong byte; [`Error::EmptyInput`].
pub fn lines(path: impl AsRef<Path>) -> Result<Vec<String>> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let text = String::from_utf8(bytes).map_err(|error| Error::Encoding {
        name: path.display().to_string(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    if text.is_empty() {
        return Err(empty(path));
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text
        .split('\n')
        .map(|line| line.trim_end_matches(words::is_space).to_owned())
        .collect())
}

fn empty(path: &Path) -> Error {
    Error::EmptyInput {
        name: path.display().to_string(),
    }
}

fn same_length(first: &Path, expected: usize, path: &Path, found: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!(
            "`{}` has {found} lines and `{}` has {expected}",
            path.display(),
            first.display()
        ),
        hint: Some("line N of each file must belong to line N of the others; an output with line breaks fits into JSON Lines only".to_owned()),
    })
}
