//! Reads one document from one line of JSON: `id`, `title`, `text` and whatever else it holds.
//!
//! Other fields may be named to hold the text. All that is not text is kept as it stands, byte for
//! byte.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::encoding::{has_mark, utf8};
use super::escape::ValueKind;
use super::format::{Failure, ReadOptions};
use super::records::{self, Field, Record, TEXT, TITLE};
use super::{Document, Format};
use crate::error::Error;

/// Whether the beginning of an input, which starts with `{`, is JSON Lines: its first line is a
/// JSON object, as far as it was read.
pub(super) fn looks_like(start: &[u8]) -> bool {
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    match serde_json::from_slice::<Map<String, Value>>(line) {
        Ok(_) => true,
        // The line may be longer than what was read.
        Err(error) => error.is_eof() && line.len() == start.len(),
    }
}

/// Reads the document of line `number` of the input `name`; blank lines may stand around it.
pub(super) fn document(
    name: &str,
    number: usize,
    line: Vec<u8>,
    options: &ReadOptions,
) -> Result<Document, Box<Failure>> {
    let name = format!("{name}:{number}");
    let wrong = |message: String| Error::Format {
        name: name.clone(),
        format: "JSON Lines",
        message,
    };
    let failed = |name: String, fields, error| {
        Box::new(Failure {
            name,
            fields,
            error,
        })
    };
    let has_mark = has_mark(&line);
    let source = match utf8(&name, line) {
        Ok(source) => source,
        Err(error) => return Err(failed(name, Map::new(), error)),
    };
    let all = match serde_json::from_str::<Map<String, Value>>(&source) {
        Ok(all) => all,
        Err(error) => {
            let error = wrong(parse_message(&error));
            return Err(failed(name, Map::new(), error));
        }
    };
    let places = places(&source);
    let field = |key: &str| match all.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Field {
            name: key.to_owned(),
            text: text.clone(),
            source: places.get(key).cloned().unwrap_or_default(),
            kind: ValueKind::Json,
        })),
        Some(_) => Err(wrong(format!("the field `{key}` is not a string"))),
    };
    let missing = |key: &str| wrong(format!("the field `{key}` is missing"));
    let fields = if options.fields.is_empty() {
        field(TITLE).and_then(|title| {
            let text = field(TEXT)?.ok_or_else(|| missing(TEXT))?;
            Ok(title.into_iter().chain([text]).collect())
        })
    } else {
        // A record may lack some of several fields, but not all.
        let found: Result<Vec<Field>, Error> = options
            .fields
            .iter()
            .enumerate()
            .filter(|(at, key)| !options.fields[..*at].contains(key))
            .filter_map(|(_, key)| field(key).transpose())
            .collect();
        match found {
            Ok(found) if found.is_empty() => Err(missing(&options.fields.join("`, `"))),
            found => found,
        }
    };
    let id = records::id(&all).unwrap_or_else(|| name.clone());
    let fields = match fields {
        Ok(fields) => fields,
        Err(error) => return Err(failed(id, all, error)),
    };
    let record = Record {
        name: id,
        language: places.get("language").cloned(),
        source,
        fields,
        all,
    };
    match records::document(&record, options.cleaning) {
        Ok(mut document) => {
            document.format = Format::JsonLines;
            document.has_mark = has_mark;
            Ok(document)
        }
        Err(error) => Err(failed(record.name, record.all, error)),
    }
}

/// Where the values of an object stand in its source.
fn places(source: &str) -> HashMap<String, Range<usize>> {
    let values: HashMap<String, &RawValue> = serde_json::from_str(source).unwrap_or_default();
    values
        .into_iter()
        .map(|(key, value)| {
            let value = value.get();
            let start = value.as_ptr().addr() - source.as_ptr().addr();
            (key, start..start + value.len())
        })
        .collect()
}

/// What the parser found, without its "at line 1", which is not the line of the input.
fn parse_message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.find(" at line ").unwrap_or(message.len());
    format!("{} at column {}", &message[..end], error.column())
}
