//! Reads documents from files and streams.
//!
//! A plain text is one document. JSON Lines is one document a line, read line by line, so a file of
//! any size takes the memory of its longest line; a line that fails is an item that says so, and
//! the others go on. A table is one document a row. What a format looks like inside is the business
//! of its own module.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Document, docx, encoding, html, json_lines, markdown, subtitles, table};
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
    /// A web page.
    Html,
    /// Markdown.
    Markdown,
    /// SubRip subtitles.
    Srt,
    /// WebVTT subtitles.
    #[serde(rename = "vtt")]
    WebVtt,
    /// A table of cells parted by commas or semicolons, one document a row.
    Csv,
    /// A table of cells parted by tabs, one document a row.
    Tsv,
    /// A Word document.
    Docx,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Html,
        Self::Markdown,
        Self::JsonLines,
        Self::Csv,
        Self::Tsv,
        Self::Srt,
        Self::WebVtt,
        Self::Docx,
    ];

    /// The name of the format, as in `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::JsonLines => "jsonl",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Srt => "srt",
            Self::WebVtt => "vtt",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Docx => "docx",
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
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "docx" => Some(Self::Docx),
            _ => None,
        }
    }

    /// The format that the beginning of an input looks like.
    fn of_content(start: &[u8]) -> Self {
        let start = start.strip_prefix(BOM).unwrap_or(start).trim_ascii_start();
        if docx::looks_like(start) {
            Self::Docx
        } else if start.starts_with(b"{") && json_lines::looks_like(start) {
            Self::JsonLines
        } else if markup(start).is_some() {
            Self::Text
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
    /// Of a page or a pasted text, the article is found and the rest left out; fields of JSON Lines and
    /// columns of tables are articles, and taken as they are.
    #[default]
    Article,
    /// As [`Article`](Self::Article), and in each field `text` the article is found too, as in a pasted
    /// page.
    Fields,
    /// The text is taken as it is.
    Raw,
    /// As [`Raw`](Self::Raw), and a web page is kept around its text: [`Document::to_source`] gives the
    /// page again.
    Page,
}

/// How documents are read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The format; told by extension, then by content, where it is `None`.
    pub format: Option<Format>,
    /// What is done about the page around an article.
    pub cleaning: Cleaning,
    /// The fields of JSON Lines, or the columns of a table, that hold the text; `title` and `text`
    /// where there are none. A number counts the columns of a table without a header, from 1.
    pub fields: Vec<String>,
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
    format: Format,
    options: ReadOptions,
    state: State,
}

enum State {
    /// Not read yet; the format is known.
    Whole {
        reader: Box<dyn Read + Send>,
        format: Format,
    },
    Lines(Lines),
    Rows(Box<dyn Iterator<Item = Result<Document>> + Send>),
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
        // What is called a text may be a saved page, or data; nothing else is told apart by its content.
        let by_name = Format::of_path(path);
        let is_text = by_name == Some(Format::Text) && options.format.is_none();
        options.format = options.format.or(by_name.filter(|_| !is_text));
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        Self::begin(name, file, &options, is_text)
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
        Self::begin(name.into(), reader, options, false)
    }

    /// Begins to read; `is_text` says that the input is called a text.
    fn begin(
        name: String,
        reader: impl Read + Send + 'static,
        options: &ReadOptions,
        is_text: bool,
    ) -> Result<Self> {
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        let format = match options.format {
            Some(format) => format,
            None => {
                let start = reader.fill_buf().map_err(Error::io("read", &name))?;
                match Format::of_content(start) {
                    Format::Html => Format::Html,
                    _ if is_text => Format::Text,
                    format => format,
                }
            }
        };
        let state = match format {
            Format::JsonLines => State::Lines(Lines {
                reader: Box::new(reader),
                number: 0,
                next: Vec::new(),
            }),
            _ => State::Whole {
                reader: Box::new(reader),
                format,
            },
        };
        Ok(Self {
            name,
            format,
            options: options.clone(),
            state,
        })
    }

    /// The format that the input is read in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Refuses markup that newsml does not read, unless the format was named.
    fn refuse_markup(&self, bytes: &[u8]) -> Result<()> {
        match markup(bytes).filter(|_| self.options.format.is_none()) {
            None => Ok(()),
            Some(kind) => Err(Error::Usage {
                message: format!("`{}` is {kind}, which newsml does not read", self.name),
                hint: Some("extract its text first, or name its format with `--format`".to_owned()),
            }),
        }
    }

    /// The rows of a table.
    fn rows(
        &self,
        bytes: Vec<u8>,
        format: Format,
    ) -> Result<impl Iterator<Item = Result<Document>> + use<>> {
        let has_mark = has_mark(&bytes);
        let (text, encoding) = encoding::decode(&self.name, bytes)?;
        let rows = table::Rows::new(self.name.clone(), text, format, &self.options)?;
        let mut is_first = true;
        Ok(rows.map(move |row| {
            row.map(|row| Document {
                encoding,
                has_mark: has_mark && std::mem::take(&mut is_first),
                ..row
            })
        }))
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
                let read = read.and_then(|_| self.refuse_markup(&bytes));
                let document = match (read, format) {
                    (Err(error), _) => Err(error),
                    (Ok(_), Format::Csv | Format::Tsv) => match self.rows(bytes, format) {
                        Ok(rows) => {
                            self.state = State::Rows(Box::new(rows));
                            return self.next();
                        }
                        Err(error) => Err(error),
                    },
                    (Ok(_), _) => whole(self.name.clone(), bytes, format, self.options.cleaning),
                };
                Some(document.map_err(|error| self.failure(error)))
            }
            State::Rows(mut rows) => {
                let document = rows.next()?;
                self.state = State::Rows(rows);
                Some(document.map_err(|error| self.failure(error)))
            }
            State::Lines(mut lines) => match lines.next() {
                Ok(None) => None,
                Ok(Some((number, line))) => {
                    self.state = State::Lines(lines);
                    Some(json_lines::document(
                        &self.name,
                        number,
                        line,
                        &self.options,
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

/// Lines with the blank ones around them: those before the first, and those after each.
struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// How many lines were read.
    number: usize,
    /// A line that was read and belongs to the next.
    next: Vec<u8>,
}

impl Lines {
    /// The next line that is not blank, with its number; `None` at the end.
    fn next(&mut self) -> io::Result<Option<(usize, Vec<u8>)>> {
        let mut line = std::mem::take(&mut self.next);
        let mut number = self.number;
        loop {
            let start = line.len();
            if self.reader.read_until(b'\n', &mut line)? == 0 {
                return Ok((!is_blank(&line)).then_some((number, line)));
            }
            self.number += 1;
            if is_blank(&line[start..]) {
                continue;
            }
            if is_blank(&line[..start]) {
                number = self.number;
            } else {
                self.next = line.split_off(start);
                return Ok(Some((number, line)));
            }
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.strip_prefix(BOM)
        .unwrap_or(line)
        .trim_ascii()
        .is_empty()
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

/// What an input without a known extension is that is no text: read as one, its tags and keys would be
/// translated.
fn markup(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii_start();
    let start = start.get(..start.len().min(1024))?;
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    let roots = [
        "<?xml",
        "<rss",
        "<feed",
        "<rdf:rdf",
        "<newsitem",
        "<newsml",
        "<newsmessage",
        "<nitf",
        "<tt ",
        "<tei",
    ];
    if roots.iter().any(|root| start.starts_with(root)) {
        let is_page = start.contains("<html") || start.contains("<!doctype html");
        return (!is_page).then_some("XML");
    }
    let inner = start.strip_prefix(['{', '['])?.trim_start();
    let inner = inner
        .strip_prefix(['{', '['])
        .map_or(inner, str::trim_start);
    let key = inner.strip_prefix('"')?;
    let (_, value) = key.split_once('"')?;
    value
        .trim_start()
        .starts_with(':')
        .then_some("JSON, and not JSON Lines")
}

/// The one document that an input of this format is.
fn whole(name: String, bytes: Vec<u8>, format: Format, cleaning: Cleaning) -> Result<Document> {
    if format == Format::Docx {
        return docx::document(name, bytes);
    }
    let has_mark = has_mark(&bytes);
    let (text, encoding) = encoding::decode(&name, bytes)?;
    let document = match (format, cleaning) {
        (Format::Markdown, _) => markdown::document(name, text),
        (Format::Srt | Format::WebVtt, _) => subtitles::document(name, text, format),
        (Format::Html, _) => html::document(name, &text, cleaning),
        (_, Cleaning::Article | Cleaning::Fields) => Document::from_text(name, &text),
        (_, Cleaning::Raw | Cleaning::Page) => Document::raw(name, text),
    };
    document.map(|document| Document {
        encoding,
        has_mark,
        ..document
    })
}

/// Whether text in UTF-8 says so in its first bytes.
pub(super) fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(BOM)
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
