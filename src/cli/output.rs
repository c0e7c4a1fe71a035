//! Where results go: standard output, one file, or a folder with a file an input.
//!
//! Results only. A file appears under its name when it is complete and never before; an input is
//! never written over.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Stdout, Write};
use std::path::{Path, PathBuf};

use newsml::{Error, Result, terminal_safe};
use serde_json::{Map, Value};

use super::input::Input;
use super::interrupt;
use super::resume::{Job, Place, Resume, Shared};

/// How results look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text; where an output holds several documents, with a line before each that names it.
    Text,
    /// JSON Lines.
    Json,
    /// Each document in the format of its input.
    Own,
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
    /// Nothing for a document that failed, unless it stays what it was.
    pub(crate) text: Option<String>,
    /// The file, for formats that are not text.
    pub(crate) file: Option<Vec<u8>>,
    pub(crate) json: Map<String, Value>,
    pub(crate) failed: bool,
}

/// The place where results go.
#[derive(Debug)]
pub(crate) struct Output {
    form: Form,
    target: Target,
    /// Which inputs share their output with other documents.
    shared: Vec<bool>,
    /// Which inputs are JSON Lines.
    lines: Vec<bool>,
    /// Results in the output at hand.
    written: usize,
    /// What earlier runs did, and the record of what this one does.
    resume: Option<Shared>,
    /// The input whose output is at hand, in a folder.
    input: Option<usize>,
    /// Whether a document is missing in the output at hand.
    is_partial: bool,
    /// Whether one is missing anywhere.
    has_gaps: bool,
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
        /// The output at hand, by the number of its input.
        current: Option<(usize, AtomicFile)>,
    },
}

impl Output {
    /// Opens the place that the user asked for, before any work is done.
    ///
    /// # Errors
    /// [`Error::Usage`] if an input would be written over, or if another process writes to the same
    /// place; [`Error::Io`] if the place cannot be written to.
    pub(crate) fn open(
        path: Option<&Path>,
        form: Form,
        inputs: &[&Input],
        job: Option<Job>,
    ) -> Result<Self> {
        let are_several = inputs.len() > 1 && !path.is_some_and(is_folder);
        let shared: Vec<bool> = inputs
            .iter()
            .map(|input| are_several || input.holds_several())
            .collect();
        let lines = inputs.iter().map(|input| input.is_json_lines()).collect();
        let mut resume = None;
        let target = match path {
            None => Target::Standard {
                stream: std::io::stdout(),
                is_terminal: std::io::stdout().is_terminal(),
            },
            Some(path) if is_folder(path) => {
                std::fs::create_dir_all(path).map_err(|source| io("create", path, source))?;
                let outputs = outputs_below(path, form, inputs)?;
                if let Some(job) = job {
                    resume = Some(Resume::open(&Place::Folder(path, &outputs), job)?);
                }
                Target::Folder {
                    outputs,
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
                    _ => {
                        // One document is done whole or not at all.
                        if let Some(job) = job.filter(|_| shared.contains(&true)) {
                            resume = Some(Resume::open(&Place::File(path), job)?);
                        }
                        Target::File(AtomicFile::create(path)?)
                    }
                }
            }
        };
        Ok(Self {
            form,
            target,
            shared,
            lines,
            written: 0,
            resume,
            input: None,
            is_partial: false,
            has_gaps: false,
        })
    }

    /// Whether an input is a file of JSON Lines, in which a failure is a line as well.
    pub(crate) fn has_lines(&self, input: usize) -> bool {
        self.lines.get(input).copied().unwrap_or(false)
    }

    /// What earlier runs left, where results are kept for later ones.
    pub(crate) fn resume(&self) -> Option<Shared> {
        self.resume.clone()
    }

    /// Where the result of an input goes in a folder, and whether other documents go there, too.
    pub(crate) fn place(&self, input: usize) -> (Option<&Path>, bool) {
        let path = match &self.target {
            Target::Folder { outputs, .. } => outputs.get(input).map(PathBuf::as_path),
            _ => None,
        };
        (path, self.shared.get(input).copied().unwrap_or(true))
    }

    /// Writes one result; `input` is the number of its input.
    pub(crate) fn write(&mut self, input: usize, record: &Record) -> std::result::Result<(), Stop> {
        self.turn_to(input).map_err(Stop::Failed)?;
        if record.failed {
            self.miss_here();
        }
        if let Target::Folder { outputs, current } = &mut self.target
            && current.is_none()
            && let Some(path) = outputs.get(input)
        {
            *current = Some((input, AtomicFile::create(path).map_err(Stop::Failed)?));
        }
        let line = match &record.file {
            Some(file) => Cow::Borrowed(file.as_slice()),
            None => {
                let line = self.render(input, record).map_err(Stop::Failed)?;
                match &self.target {
                    Target::Standard { is_terminal, .. } if *is_terminal => {
                        Cow::Owned(terminal_safe(&line).into_owned().into_bytes())
                    }
                    _ => Cow::Owned(line.into_bytes()),
                }
            }
        };
        self.written += 1;
        match &mut self.target {
            Target::Standard { is_terminal, .. } if *is_terminal && record.file.is_some() => {
                Err(Stop::Failed(Error::Usage {
                    message: format!(
                        "`{}` is no text, and cannot be shown on a terminal",
                        record.name
                    ),
                    hint: Some("write it to a file or folder with `-o`".to_owned()),
                }))
            }
            Target::Standard { stream, .. } => {
                let mut stream = stream.lock();
                let outcome = stream.write_all(&line).and_then(|()| stream.flush());
                outcome.map_err(|source| stop(Path::new("standard output"), source))
            }
            Target::Stream { path, file } => {
                file.write_all(&line).map_err(|source| stop(path, source))
            }
            Target::File(file)
            | Target::Folder {
                current: Some((_, file)),
                ..
            } => file
                .write_all(&line)
                .map_err(|source| Stop::Failed(io("write", &file.path, source))),
            Target::Folder { current: None, .. } => Ok(()),
        }
    }

    /// Notes that a document of an input has no result.
    pub(crate) fn miss(&mut self, input: usize) -> std::result::Result<(), Stop> {
        self.turn_to(input).map_err(Stop::Failed)?;
        self.miss_here();
        Ok(())
    }

    fn miss_here(&mut self) {
        self.is_partial = true;
        self.has_gaps = true;
    }

    /// Puts everything in its place; `is_whole` says that all documents were read and answered.
    pub(crate) fn finish(mut self, is_whole: bool) -> Result<()> {
        if !is_whole {
            self.miss_here();
        }
        self.close()?;
        match self.target {
            // Where every document failed, an older result stays what it was.
            Target::File(file) if self.written > 0 => file.commit()?,
            _ => {}
        }
        if let (false, Some(resume)) = (self.has_gaps, &self.resume) {
            resume.lock().end();
        }
        Ok(())
    }

    /// Has the next results go to the output of an input; the one at hand is complete.
    fn turn_to(&mut self, input: usize) -> Result<()> {
        if matches!(&self.target, Target::Folder { .. }) && self.input != Some(input) {
            self.close()?;
            self.input = Some(input);
        }
        Ok(())
    }

    /// Puts the output at hand, in a folder, in its place.
    fn close(&mut self) -> Result<()> {
        let is_whole = !std::mem::take(&mut self.is_partial);
        if let Target::Folder { outputs, current } = &mut self.target
            && let Some((input, mut file)) = current.take()
        {
            self.written = 0;
            file.complete()?;
            let (Some(resume), Some(path), true) = (&self.resume, outputs.get(input), is_whole)
            else {
                return file.commit();
            };
            resume.lock().finish(input, &file.temporary, path)?;
            if let Err(error) = file.commit() {
                resume.lock().take_back(path)?;
                return Err(error);
            }
        }
        Ok(())
    }

    fn render(&self, input: usize, record: &Record) -> Result<String> {
        if let (Form::Own, Some(text)) = (self.form, &record.text) {
            return Ok(text.clone());
        }
        if self.form != Form::Text {
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

/// Whether results go into this place as files of their own.
pub(crate) fn is_folder(path: &Path) -> bool {
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
            let own = folder.join(&input.relative);
            let plain = match form {
                Form::Json => own.with_extension("jsonl"),
                Form::Text => own.with_extension("txt"),
                Form::Own => own,
            };
            let extension = plain.extension().unwrap_or_default().to_string_lossy();
            let ending = if extension.is_empty() {
                String::new()
            } else {
                format!(".{extension}")
            };
            let stem = plain
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let mut path = plain.clone();
            let mut count = 2;
            while !taken.insert(path.clone()) {
                path = plain.with_file_name(format!("{stem}-{count}{ending}"));
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

pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
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
pub(crate) struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl AtomicFile {
    /// Begins a file beside its place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn create(path: &Path) -> Result<Self> {
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

    /// Has all that was written on the disk.
    fn complete(&mut self) -> Result<()> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        let flushed = writer.flush().and_then(|()| writer.get_ref().sync_all());
        flushed.map_err(|source| io("write", &self.path, source))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`Error::Io`]; the place is as it was then.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.complete()?;
        std::fs::rename(&self.temporary, &self.path)
            .map_err(|source| io("create", &self.path, source))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.flush(),
            None => Ok(()),
        }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        interrupt::release(&self.temporary);
        // After a commit it is not there any more.
        drop(std::fs::remove_file(&self.temporary));
    }
}
