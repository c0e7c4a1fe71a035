//! Formats of documents, and how they are read.

use std::path::Path;

use serde_json::{Map, Value};

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
    /// As [`Raw`](Self::Raw), and a web page is kept around its text: [`Document::to_source`](super::Document::to_source) gives the
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
    /// where there are none. A number selects a column of a table without a header; the first is 1.
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
