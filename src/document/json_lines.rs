//! Reads one document from one line of JSON: `id`, `title`, `text` and whatever else it holds.
//!
//! Fields that are not known here are kept as they are, in their order.

use serde_json::{Map, Value};

use super::read::{Cleaning, Failure};
use super::{Block, BlockKind, Document, Format, TITLE_GAP, clean, lines, read};
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

/// Reads the document of line `number` of the input `name`.
pub(super) fn document(
    name: &str,
    number: usize,
    line: Vec<u8>,
    cleaning: Cleaning,
) -> Result<Document, Box<Failure>> {
    let mut name = format!("{name}:{number}");
    let wrong = |message: String| Error::Format {
        name: name.clone(),
        format: "JSON Lines",
        message,
    };
    let parsed = read::decode(&name, line).and_then(|line| {
        serde_json::from_str::<Map<String, Value>>(&line)
            .map_err(|error| wrong(parse_message(&error)))
    });
    let fields = match parsed {
        Ok(fields) => fields,
        Err(error) => {
            return Err(Box::new(Failure {
                name,
                fields: Map::new(),
                error,
            }));
        }
    };
    let field = |key: &str| match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong(format!("the field `{key}` is not a string"))),
    };
    let texts = field("title").and_then(|title| {
        let text = field("text")?.ok_or_else(|| wrong("the field `text` is missing".to_owned()))?;
        Ok((title, text))
    });
    match &fields.get("id") {
        Some(Value::String(id)) => name.clone_from(id),
        Some(Value::Number(id)) => name = id.to_string(),
        _ => {}
    }
    let built = texts.and_then(|(title, text)| build(&name, title, text, cleaning));
    match built {
        Ok(mut document) => {
            document.language = fields
                .get("language")
                .and_then(Value::as_str)
                .and_then(|code| code.parse().ok());
            document.format = Format::JsonLines;
            document.fields = fields;
            Ok(document)
        }
        Err(error) => Err(Box::new(Failure {
            name,
            fields,
            error,
        })),
    }
}

/// What the parser found, without its "at line 1", which is not the line of the input.
fn parse_message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.find(" at line ").unwrap_or(message.len());
    format!("{} at column {}", &message[..end], error.column())
}

/// A document of a title and a text. A text without clutter is kept byte for byte.
fn build(
    name: &str,
    title: Option<&str>,
    text: &str,
    cleaning: Cleaning,
) -> Result<Document, Error> {
    let title = title.filter(|title| !title.trim().is_empty());
    let cleaned = match cleaning {
        Cleaning::Article => {
            Some(clean::clean(text)).filter(|cleaned| !cleaned.left_out.is_empty())
        }
        Cleaning::Raw => None,
    };
    let (body, mut blocks, found_title) = match &cleaned {
        Some(cleaned) => (cleaned.text.as_str(), cleaned.blocks.clone(), true),
        None => (text, lines::raw_blocks(text, 0), false),
    };
    if blocks.is_empty() && title.is_none() {
        return Err(Error::EmptyInput {
            name: name.to_owned(),
        });
    }
    let mut whole = String::new();
    if let Some(title) = title {
        whole.push_str(title);
        whole.push_str(TITLE_GAP);
        let shift = whole.len();
        for block in &mut blocks {
            block.range = block.range.start + shift..block.range.end + shift;
            // The headline that the page repeats is a part of the text here.
            if block.kind == BlockKind::Headline {
                block.kind = BlockKind::Heading;
            }
        }
        blocks.insert(
            0,
            Block {
                kind: BlockKind::Headline,
                range: 0..title.len(),
            },
        );
    }
    whole.push_str(body);
    let mut document = Document::of_blocks(name.to_owned(), whole, blocks);
    if let (Some(cleaned), true) = (cleaned, found_title) {
        document.left_out = cleaned.left_out;
        document.byline = cleaned.byline;
        document.date = cleaned.date;
    }
    Ok(document)
}
