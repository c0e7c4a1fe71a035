//! Reads documents from files and streams.
//!
//! A plain text is one document. JSON Lines is one document a line, read line by line, so a file of
//! any size takes the memory of its longest line; a line that fails is an item that says so, and
//! the others go on. What a format looks like inside is the business of its own module.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Document, encoding, html, json_lines, markdown, subtitles};
use crate::error::{Error, Result};

/// A format that documents are read from and written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Plain text, one document.
    Text,
    /// JSON Lines, one document a line.
    #[serde(rename = "jsonl")]
    JsonLines,
    /// A web page, whose article is read.
    Html,
    /// Markdown; the text is the file as it is.
    Markdown,
    /// SubRip subtitles; the text is the file as it is.
    Srt,
    /// WebVTT subtitles; the text is the file as it is.
    WebVtt,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] = [
        Self::Text,
        Self::JsonLines,
        Self::Html,
        Self::Markdown,
        Self::Srt,
        Self::WebVtt,
    ];

    /// The name of the format, as in `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::JsonLines => "jsonl",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Srt => "srt",
            Self::WebVtt => "webvtt",
        }
    }

    /// The format that the extension of a file name stands for, if any.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "txt" | "text" => Some(Self::Text),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "md" | "markdown" => Some(Self::Markdown),
            "srt" => Some(Self::Srt),
            "vtt" => Some(Self::WebVtt),
            _ => None,
        }
    }

    /// The format that the beginning of an input looks like.
    fn of_content(start: &[u8]) -> Self {
        let start = start.strip_prefix(BOM).unwrap_or(start).trim_ascii_start();
        if start.starts_with(b"{") && json_lines::looks_like(start) {
            Self::JsonLines
        } else if html::looks_like(start) {
            Self::Html
        } else if let Some(format) = subtitles::looks_like(start) {
            format
        } else {
            Self::Text
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| Error::Usage {
                message: format!("unknown format `{text}`"),
                hint: Some(format!(
                    "the formats are `{}`",
                    Self::ALL.map(Self::name).join("`, `")
                )),
            })
    }
}

/// What is done about the page around an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cleaning {
    /// The article is found and the rest left out.
    #[default]
    Article,
    /// The text is taken as it is.
    Raw,
}

/// How documents are read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The format; told by extension, then by content, where it is `None`.
    pub format: Option<Format>,
    /// What is done about the page around an article.
    pub cleaning: Cleaning,
}

/// A document that could not be read, with what is known of it.
#[derive(Debug)]
pub struct Failure {
    /// The name of the document: its `id`, or the file with the line.
    pub name: String,
    /// The fields of the JSON object, where it could be parsed.
    pub fields: Map<String, Value>,
    /// What is wrong.
    pub error: Error,
}

impl From<Box<Failure>> for Error {
    fn from(failure: Box<Failure>) -> Self {
        failure.error
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// The documents of one input, in order; lazily, where the format allows.
pub struct Documents {
    name: String,
    options: ReadOptions,
    state: State,
}

enum State {
    /// Not read yet; the format is known.
    Whole {
        reader: Box<dyn Read + Send>,
        format: Format,
    },
    Lines {
        reader: Box<dyn BufRead + Send>,
        number: usize,
    },
    Done,
}

impl Documents {
    /// Opens a file. Its name, without the folders, becomes the name of its documents.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be opened or its beginning cannot be read.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::io("read", path))?;
        let mut options = options.clone();
        options.format = options.format.or_else(|| Format::of_path(path));
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        Self::from_reader(name, file, &options)
    }

    /// Reads from a stream; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`Error::Io`] where its beginning cannot be read.
    pub fn from_reader(
        name: impl Into<String>,
        reader: impl Read + Send + 'static,
        options: &ReadOptions,
    ) -> Result<Self> {
        let name = name.into();
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        let format = match options.format {
            Some(format) => format,
            None => Format::of_content(reader.fill_buf().map_err(Error::io("read", &name))?),
        };
        let state = match format {
            Format::JsonLines => State::Lines {
                reader: Box::new(reader),
                number: 0,
            },
            _ => State::Whole {
                reader: Box::new(reader),
                format,
            },
        };
        Ok(Self {
            name,
            options: options.clone(),
            state,
        })
    }

    /// The next line that is not blank, with its number; `None` at the end.
    fn next_line(reader: &mut dyn BufRead, number: &mut usize) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut line = Vec::new();
            if reader.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            *number += 1;
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn failure(&self, error: Error) -> Box<Failure> {
        Box::new(Failure {
            name: self.name.clone(),
            fields: Map::new(),
            error,
        })
    }
}

impl Iterator for Documents {
    type Item = std::result::Result<Document, Box<Failure>>;

    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => None,
            State::Whole { mut reader, format } => {
                let mut bytes = Vec::new();
                let read = reader
                    .read_to_end(&mut bytes)
                    .map_err(Error::io("read", PathBuf::from(&self.name)));
                let document = read
                    .and_then(|_| whole(self.name.clone(), bytes, format, self.options.cleaning));
                Some(document.map_err(|error| self.failure(error)))
            }
            State::Lines {
                mut reader,
                mut number,
            } => match Self::next_line(&mut *reader, &mut number) {
                Ok(None) => None,
                Ok(Some(line)) => {
                    self.state = State::Lines { reader, number };
                    Some(json_lines::document(
                        &self.name,
                        number,
                        line,
                        self.options.cleaning,
                    ))
                }
                Err(error) => {
                    Some(Err(self
                        .failure(Error::io("read", PathBuf::from(&self.name))(
                            error,
                        ))))
                }
            },
        }
    }
}

/// The byte order mark of UTF-8.
const BOM: &[u8] = b"\xEF\xBB\xBF";

impl Document {
    /// Reads plain text from bytes, in UTF-8, UTF-16, windows-1251, KOI8-R, windows-1256, ISO-8859-6 or
    /// windows-1252.
    ///
    /// # Errors
    /// [`Error::Encoding`] where they are text in none of these, and the errors of [`Document::from_text`].
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>, cleaning: Cleaning) -> Result<Self> {
        whole(name.into(), bytes, Format::Text, cleaning)
    }
}

/// The one document that an input of this format is.
fn whole(name: String, bytes: Vec<u8>, format: Format, cleaning: Cleaning) -> Result<Document> {
    let (text, encoding) = encoding::decode(&name, bytes)?;
    let document = match (format, cleaning) {
        (Format::Markdown, _) => markdown::document(name, text),
        (Format::Srt | Format::WebVtt, _) => subtitles::document(name, text, format),
        (Format::Html, _) => html::document(name, &text, cleaning),
        (_, Cleaning::Article) => Document::from_text(name, &text),
        (_, Cleaning::Raw) => Document::raw(name, text),
    };
    document.map(|document| Document {
        encoding,
        ..document
    })
}

/// UTF-8 to text, without a byte order mark.
pub(super) fn decode(name: &str, mut bytes: Vec<u8>) -> Result<String> {
    let skipped = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    bytes.drain(..skipped);
    String::from_utf8(bytes).map_err(|error| Error::Encoding {
        name: name.to_owned(),
        offset: skipped + error.utf8_error().valid_up_to(),
    })
}
