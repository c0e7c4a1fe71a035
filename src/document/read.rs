//! Reads documents from files and streams.
//!
//! A plain text is one document. JSON Lines is one document a line, read line by line, so a file of
//! any size takes the memory of its longest line; a line that fails is an item that says so, and
//! the others go on. A table is one document a row. What a format looks like inside is the business
//! of its own module.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Map;

use super::encoding::{BOM, has_mark};
use super::format::{Cleaning, Failure, Format, ReadOptions};
use super::{Document, docx, encoding, html, json_lines, markdown, subtitles, table};
use crate::error::{Error, Result};

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
        // A `.txt` file may hold a saved page or data; other extensions are taken at their word.
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
                match format_of(start) {
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

/// The format that the beginning of an input looks like.
fn format_of(start: &[u8]) -> Format {
    let start = start.strip_prefix(BOM).unwrap_or(start).trim_ascii_start();
    if docx::looks_like(start) {
        Format::Docx
    } else if start.starts_with(b"{") && json_lines::looks_like(start) {
        Format::JsonLines
    } else if markup(start).is_some() {
        Format::Text
    } else if html::looks_like(start) {
        Format::Html
    } else if let Some(format) = subtitles::looks_like(start) {
        format
    } else {
        Format::Text
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
