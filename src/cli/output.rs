//! Where results go: standard output, one file, or a folder with a file an input.
//!
//! Results only. A file appears under its name when it is complete and never before; an input is
//! never written over.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Stdout, Write};
use std::path::{Path, PathBuf};

use newsml::{Error, Result, terminal_safe};
use serde_json::{Map, Value};

use super::input::Input;
use super::interrupt;

/// How results look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text; where an output holds several documents, with a line before each that names it.
    Text,
    /// JSON Lines.
    Json,
}

/// Why writing ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The reader went away: nothing is wrong.
    BrokenPipe,
    /// The system said no.
    Failed(Error),
}

/// One result, ready to be written.
#[derive(Debug)]
pub(crate) struct Record {
    /// The document that it answers.
    pub(crate) name: String,
    /// Nothing for a document that failed.
    pub(crate) text: Option<String>,
    pub(crate) json: Map<String, Value>,
}

/// The place where results go.
#[derive(Debug)]
pub(crate) struct Output {
    form: Form,
    target: Target,
    /// Which inputs share their output with other documents.
    shared: Vec<bool>,
    /// Results in the output at hand.
    written: usize,
}

#[derive(Debug)]
enum Target {
    Standard {
        stream: Stdout,
        is_terminal: bool,
    },
    File(AtomicFile),
    /// A device or a pipe, which cannot be replaced.
    Stream {
        path: PathBuf,
        file: File,
    },
    Folder {
        outputs: Vec<PathBuf>,
        current: Option<(usize, AtomicFile)>,
    },
}

impl Output {
    /// Opens the place that the user asked for, before any work is done.
    ///
    /// # Errors
    /// [`Error::Usage`] if an input would be written over; [`Error::Io`] if the place cannot be
    /// written to.
    pub(crate) fn open(path: Option<&Path>, form: Form, inputs: &[&Input]) -> Result<Self> {
        let target = match path {
            None => Target::Standard {
                stream: std::io::stdout(),
                is_terminal: std::io::stdout().is_terminal(),
            },
            Some(path) if is_folder(path) => {
                std::fs::create_dir_all(path).map_err(|source| io("create", path, source))?;
                Target::Folder {
                    outputs: outputs_below(path, form, inputs)?,
                    current: None,
                }
            }
            Some(path) => {
                if inputs.iter().any(|input| input.is_at(path)) {
                    return Err(would_replace(path));
                }
                match path.metadata() {
                    Ok(data) if !data.is_file() => {
                        let file = File::options().write(true).open(path);
                        let file = file.map_err(|source| io("write", path, source))?;
                        Target::Stream {
                            path: path.to_path_buf(),
                            file,
                        }
                    }
                    _ => Target::File(AtomicFile::create(path)?),
                }
            }
        };
        let is_folder = matches!(target, Target::Folder { .. });
        let are_several = inputs.len() > 1 && !is_folder;
        let shared = inputs
            .iter()
            .map(|input| are_several || input.is_json_lines())
            .collect();
        Ok(Self {
            form,
            target,
            shared,
            written: 0,
        })
    }

    /// Writes one result; `input` is the number of its input.
    pub(crate) fn write(&mut self, input: usize, record: &Record) -> std::result::Result<(), Stop> {
        if self.form == Form::Text && record.text.is_none() {
            return Ok(());
        }
        if let Target::Folder { outputs, current } = &mut self.target
            && current.as_ref().is_none_or(|(open, _)| *open != input)
            && let Some(path) = outputs.get(input)
        {
            if let Some((_, done)) = current.take() {
                done.commit().map_err(Stop::Failed)?;
            }
            *current = Some((input, AtomicFile::create(path).map_err(Stop::Failed)?));
            self.written = 0;
        }
        let line = self.render(input, record).map_err(Stop::Failed)?;
        self.written += 1;
        match &mut self.target {
            Target::Standard {
                stream,
                is_terminal,
            } => {
                let line = if *is_terminal {
                    terminal_safe(&line)
                } else {
                    line.into()
                };
                let mut stream = stream.lock();
                let outcome = stream
                    .write_all(line.as_bytes())
                    .and_then(|()| stream.flush());
                outcome.map_err(|source| stop(Path::new("standard output"), source))
            }
            Target::Stream { path, file } => file
                .write_all(line.as_bytes())
                .map_err(|source| stop(path, source)),
            Target::File(file)
            | Target::Folder {
                current: Some((_, file)),
                ..
            } => file.write(&line).map_err(Stop::Failed),
            Target::Folder { current: None, .. } => Ok(()),
        }
    }

    /// Puts everything in its place.
    pub(crate) fn finish(self) -> Result<()> {
        match self.target {
            // Where every document failed, an older result stays what it was.
            Target::File(file) if self.written > 0 => file.commit(),
            Target::Folder {
                current: Some((_, file)),
                ..
            } => file.commit(),
            Target::File(_)
            | Target::Folder { .. }
            | Target::Standard { .. }
            | Target::Stream { .. } => Ok(()),
        }
    }

    fn render(&self, input: usize, record: &Record) -> Result<String> {
        if self.form == Form::Json {
            return match serde_json::to_string(&record.json) {
                Ok(line) => Ok(line + "\n"),
                Err(error) => Err(Error::Usage {
                    message: error.to_string(),
                    hint: None,
                }),
            };
        }
        let gap = if self.written > 0 { "\n" } else { "" };
        let name = match self.shared.get(input) {
            Some(true) => format!("==> {} <==\n", record.name),
            _ => String::new(),
        };
        let text = record
            .text
            .as_deref()
            .unwrap_or_default()
            .trim_end_matches('\n');
        Ok(format!("{gap}{name}{text}\n"))
    }
}

fn is_folder(path: &Path) -> bool {
    path.is_dir()
        || path
            .as_os_str()
            .to_string_lossy()
            .ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// One output an input: the same way below the folder, and a name of its own.
fn outputs_below(folder: &Path, form: Form, inputs: &[&Input]) -> Result<Vec<PathBuf>> {
    let mut taken = HashSet::new();
    inputs
        .iter()
        .map(|input| {
            let extension = if form == Form::Json { "jsonl" } else { "txt" };
            let plain = folder.join(&input.relative).with_extension(extension);
            let stem = plain
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let mut path = plain.clone();
            let mut count = 2;
            while !taken.insert(path.clone()) {
                path = plain.with_file_name(format!("{stem}-{count}.{extension}"));
                count += 1;
            }
            if inputs.iter().any(|other| other.is_at(&path)) {
                return Err(would_replace(&path));
            }
            Ok(path)
        })
        .collect()
}

fn would_replace(path: &Path) -> Error {
    Error::Usage {
        message: format!("the input `{}` would be written over", path.display()),
        hint: Some("write to another file or folder with `-o`".to_owned()),
    }
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}

fn stop(path: &Path, source: std::io::Error) -> Stop {
    match source.kind() {
        std::io::ErrorKind::BrokenPipe => Stop::BrokenPipe,
        _ => Stop::Failed(io("write", path, source)),
    }
}

/// A file that appears under its name when it is complete.
#[derive(Debug)]
struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl AtomicFile {
    fn create(path: &Path) -> Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
        {
            std::fs::create_dir_all(folder).map_err(|source| io("create", folder, source))?;
        }
        // Through a link, what it leads to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let file = File::create(&temporary).map_err(|source| io("create", &path, source))?;
        interrupt::guard(&temporary);
        Ok(Self {
            path,
            temporary,
            writer: Some(BufWriter::new(file)),
        })
    }

    fn write(&mut self, text: &str) -> Result<()> {
        match &mut self.writer {
            Some(writer) => writer
                .write_all(text.as_bytes())
                .map_err(|source| io("write", &self.path, source)),
            None => Ok(()),
        }
    }

    fn commit(mut self) -> Result<()> {
        if let Some(mut writer) = self.writer.take() {
            let flushed = writer.flush().and_then(|()| writer.get_ref().sync_all());
            flushed.map_err(|source| io("write", &self.path, source))?;
            drop(writer);
            std::fs::rename(&self.temporary, &self.path)
                .map_err(|source| io("create", &self.path, source))?;
        }
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        interrupt::release(&self.temporary);
        // After a commit it is not there any more.
        drop(std::fs::remove_file(&self.temporary));
    }
}
