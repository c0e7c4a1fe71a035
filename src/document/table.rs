//! Reads tables, CSV and TSV: a document a row, whose text is in the columns that were chosen.
//!
//! A row without text there is no document, and belongs to the one before it (to the next one, at
//! the head), as the header does, and so does what cannot be read: all of a table stands in some
//! document's source. Cells are parted here and not by a library, since their places in the source are
//! needed, with the quotation marks.

use std::ops::Range;

use serde_json::{Map, Value};

use super::escape::ValueKind;
use super::format::{Cleaning, ReadOptions};
use super::records::{self, Field, Record, TEXT, TITLE};
use super::{Document, Format};
use crate::error::{Error, Result};

/// What parts the cells of a comma-separated file: spreadsheets of many countries write semicolons.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// The rows of a table, as documents.
pub(super) struct Rows {
    name: String,
    source: String,
    format: Format,
    cleaning: Cleaning,
    delimiter: char,
    header: Option<Vec<String>>,
    /// The columns that hold text, in the order in which they are read.
    columns: Vec<usize>,
    /// The column that names the language of a row.
    language: Option<usize>,
    /// Up to where rows were given out as documents.
    done: usize,
    /// Up to where rows were read, and how many.
    at: usize,
    number: usize,
    /// A row with text that was read and not given out.
    next: Option<Row>,
    /// Why no more rows can be read, to be said after the last that could.
    error: Option<Error>,
}

/// A row: where it begins, its number from 1, its cells.
struct Row {
    start: usize,
    number: usize,
    cells: Vec<Range<usize>>,
}

impl Rows {
    /// Begins to read a table.
    ///
    /// # Errors
    /// [`Error::Format`] where there is no column of the names in `options`, [`Error::EmptyInput`]
    /// where no row has text.
    pub(super) fn new(
        name: String,
        source: String,
        format: Format,
        options: &ReadOptions,
    ) -> Result<Self> {
        let named = named_delimiter(&source);
        let mut rows = Self {
            delimiter: match (format, named) {
                (_, Some((delimiter, _))) => delimiter,
                (Format::Tsv, _) => '\t',
                _ => delimiter(&source),
            },
            name,
            source,
            format,
            cleaning: options.cleaning,
            header: None,
            columns: Vec::new(),
            language: None,
            done: 0,
            at: named.map_or(0, |(_, end)| end),
            number: 0,
            next: None,
            error: None,
        };
        rows.choose(&options.fields)?;
        rows.next = rows.row_with_text()?;
        if rows.next.is_none() {
            return Err(Error::EmptyInput { name: rows.name });
        }
        Ok(rows)
    }

    fn wrong(&self, message: String) -> Error {
        Error::Format {
            name: self.name.clone(),
            format: self.format.name(),
            message,
        }
    }

    /// Finds the columns. Numbers alone, which count from 1, say that the first row is no header.
    fn choose(&mut self, fields: &[String]) -> Result<()> {
        let numbers: Option<Vec<usize>> = fields
            .iter()
            .map(|field| field.parse::<usize>().ok().filter(|number| *number > 0))
            .collect();
        let Some(first) = self.row()? else {
            return Err(Error::EmptyInput {
                name: self.name.clone(),
            });
        };
        let names: Vec<String> = first
            .cells
            .iter()
            .map(|cell| self.cell(cell).trim().to_owned())
            .collect();
        let place = |name: &str| names.iter().position(|known| known == name);
        if let Some(numbers) = numbers.filter(|numbers| {
            !numbers.is_empty() && fields.iter().all(|field| place(field).is_none())
        }) {
            self.columns = once_each(numbers.iter().map(|number| number - 1));
            (self.at, self.number) = (first.start, 0);
            return Ok(());
        }
        let columns: Vec<usize> = if fields.is_empty() {
            let text = place(TEXT).ok_or_else(|| {
                self.wrong(format!(
                    "no column is called `{TEXT}` (name the columns with `--field`; there are `{}`)",
                    names.join("`, `")
                ))
            })?;
            place(TITLE).into_iter().chain([text]).collect()
        } else {
            fields
                .iter()
                .map(|field| {
                    place(field).ok_or_else(|| {
                        self.wrong(format!(
                            "no column is called `{field}` (there are `{}`)",
                            names.join("`, `")
                        ))
                    })
                })
                .collect::<Result<_>>()?
        };
        self.columns = once_each(columns.into_iter());
        self.language = names.iter().rposition(|name| name == "language");
        self.header = Some(names);
        Ok(())
    }

    /// The next row; `None` at the end.
    fn row(&mut self) -> Result<Option<Row>> {
        let start = self.at;
        if start >= self.source.len() {
            return Ok(None);
        }
        self.number += 1;
        let mut cells = Vec::new();
        let bytes = self.source.as_bytes();
        let mut at = start;
        loop {
            let from = at;
            let ends = |byte: &u8| *byte == self.delimiter as u8 || matches!(byte, b'\n' | b'\r');
            if bytes.get(at) == Some(&b'"') {
                match closing_quote(bytes, at + 1) {
                    Some(end) if bytes.get(end).is_none_or(ends) => at = end,
                    // What follows the closing mark, up to the next cell, belongs to this one.
                    Some(end) if self.format == Format::Csv => at = end,
                    None if self.format == Format::Csv => {
                        return Err(self.wrong(format!(
                            "a quotation mark in row {} is never closed, so the rows from there on are not read",
                            self.number
                        )));
                    }
                    // The cell has quotation marks, and not around it.
                    _ => {}
                }
            }
            let rest = &bytes[at..];
            let end = rest
                .iter()
                .position(ends)
                .map_or(bytes.len(), |end| at + end);
            cells.push(from..end);
            at = end;
            match bytes.get(at) {
                None => break,
                Some(b'\r') => {
                    at += 1 + usize::from(bytes.get(at + 1) == Some(&b'\n'));
                    break;
                }
                Some(b'\n') => {
                    at += 1;
                    break;
                }
                Some(_) => at += 1,
            }
        }
        self.at = at;
        Ok(Some(Row {
            start,
            number: self.number,
            cells,
        }))
    }

    fn row_with_text(&mut self) -> Result<Option<Row>> {
        while let Some(row) = self.row()? {
            let has_text = |column: &usize| {
                row.cells
                    .get(*column)
                    .is_some_and(|cell| self.cell(cell).contains(char::is_alphanumeric))
            };
            if self.columns.iter().any(has_text) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// What a cell says.
    fn cell(&self, range: &Range<usize>) -> String {
        let raw = &self.source[range.clone()];
        if raw.starts_with('"')
            && let Some(end) = closing_quote(raw.as_bytes(), 1)
            && (end == raw.len() || self.format == Format::Csv)
        {
            return raw[1..end - 1].replace("\"\"", "\"") + &raw[end..];
        }
        raw.to_owned()
    }

    fn document(&self, row: &Row, source: Range<usize>) -> Result<Document> {
        let column_name = |column: usize| {
            let known = self.header.as_ref().and_then(|names| names.get(column));
            known.cloned().unwrap_or_else(|| (column + 1).to_string())
        };
        let all: Map<String, Value> = row
            .cells
            .iter()
            .enumerate()
            .map(|(column, cell)| (column_name(column), Value::from(self.cell(cell))))
            .collect();
        let fields = self
            .columns
            .iter()
            .filter_map(|column| Some((column, row.cells.get(*column)?)))
            .map(|(column, cell)| Field {
                name: column_name(*column),
                text: self.cell(cell),
                source: cell.start - source.start..cell.end - source.start,
                kind: ValueKind::Cell(self.delimiter),
            })
            .filter(|field| !field.text.trim().is_empty())
            .collect();
        let record = Record {
            name: records::id(&all).unwrap_or_else(|| format!("{}:{}", self.name, row.number)),
            language: self
                .language
                .and_then(|column| row.cells.get(column))
                .map(|cell| cell.start - source.start..cell.end - source.start),
            source: self.source[source].to_owned(),
            fields,
            all,
        };
        let mut document = records::document(&record, self.cleaning)?;
        document.format = self.format;
        Ok(document)
    }
}

impl Iterator for Rows {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(row) = self.next.take() else {
            return self.error.take().map(Err);
        };
        match self.row_with_text() {
            Ok(next) => self.next = next,
            Err(error) => self.error = Some(error),
        }
        // What cannot be read belongs to the last row that could, so that nothing of the table is lost.
        let end = self
            .next
            .as_ref()
            .map_or(self.source.len(), |next| next.start);
        let source = self.done..end;
        self.done = end;
        Some(self.document(&row, source))
    }
}

/// The columns without those that came before.
fn once_each(columns: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut all = Vec::new();
    for column in columns {
        if !all.contains(&column) {
            all.push(column);
        }
    }
    all
}

/// The offset after the quotation mark that closes a cell whose text begins at `at`.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'"')? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// The character that the first line names, as spreadsheets write it (`sep=;`), and where that line ends.
fn named_delimiter(source: &str) -> Option<(char, usize)> {
    let line = source.split_inclusive('\n').next()?;
    let bare = line.trim_end_matches(['\n', '\r']);
    let bare = bare
        .strip_prefix('"')
        .and_then(|bare| bare.strip_suffix('"'))
        .unwrap_or(bare);
    let mut named = bare.strip_prefix("sep=")?.chars();
    let delimiter = named
        .next()
        .filter(|c| *c == '\t' || c.is_ascii_punctuation())?;
    named.next().is_none().then_some((delimiter, line.len()))
}

/// What parts the cells: whatever there is most of in the first row, outside quotation marks.
fn delimiter(source: &str) -> char {
    let mut counts = [0; DELIMITERS.len()];
    let mut is_quoted = false;
    for c in source.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            '\n' | '\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => {
                if let Some(index) = DELIMITERS.iter().position(|delimiter| *delimiter == c) {
                    counts[index] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let index = counts.iter().position(|count| *count == most).unwrap_or(0);
    DELIMITERS[index]
}
