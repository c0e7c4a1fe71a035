//! Where results go: standard output, one file, or a folder with a file an input.
//!
//! Results only. A file appears under its name when it is complete and never before; an input is
//! never written over. What becomes of an output is decided in one place, [`Tally::state`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{IsTerminal as _, Stdout, Write};
use std::path::{Path, PathBuf};

use newsml::{Error, ReadOptions, Result, terminal_safe};
use serde_json::{Map, Value};

use super::file::{AtomicFile, Form, Stop, io, is_folder, stop};
use super::input::Input;
use super::resume::{Job, Place, Resume, Shared};

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
    /// Whether other documents go to the same output, so that text needs a line that names it.
    pub(crate) is_one_of_several: bool,
}

/// What came for an output that is not in its place yet.
#[derive(Debug, Default)]
struct Tally {
    /// Documents with a result.
    good: u64,
    /// Documents that failed.
    failed: u64,
    /// Whether the work was stopped before all documents were done.
    is_cut: bool,
    /// Why it cannot be created.
    refused: Option<Error>,
}

/// What becomes of an output for which nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Every document has a result: it is put in its place and counts as done.
    Whole,
    /// Some documents failed: it is put in its place, and the next run tries again.
    Partial,
    /// The work was stopped, or nothing succeeded: what is in its place stays.
    Failed,
}

impl Tally {
    fn state(&self) -> State {
        match self {
            Self { good: 0, .. } | Self { is_cut: true, .. } => State::Failed,
            Self { failed: 0, .. } => State::Whole,
            _ => State::Partial,
        }
    }
}

/// The place where results go.
#[derive(Debug)]
pub(crate) struct Output {
    form: Form,
    target: Target,
    /// Whether several inputs go to one output.
    are_several: bool,
    /// What earlier runs did, and the record of what this one does.
    resume: Option<Shared>,
    /// The input whose output is at hand, in a folder.
    input: Option<usize>,
    /// What came for the output at hand.
    tally: Tally,
    /// Outputs that could not be created, each with the number of results that it was for.
    refused: Vec<(u64, Error)>,
}

#[derive(Debug)]
enum Target {
    Standard {
        stream: Stdout,
        is_terminal: bool,
    },
    File {
        path: PathBuf,
        file: Option<AtomicFile>,
    },
    /// A device or a pipe, which cannot be replaced.
    Stream {
        path: PathBuf,
        file: File,
    },
    Folder {
        outputs: Vec<PathBuf>,
        /// The output at hand.
        current: Option<AtomicFile>,
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
        options: &ReadOptions,
        job: Option<Job>,
    ) -> Result<Self> {
        let are_several = inputs.len() > 1 && !path.is_some_and(is_folder);
        let sources: HashSet<PathBuf> = inputs
            .iter()
            .filter_map(|input| input.canonical())
            .collect();
        let mut resume = None;
        let target = match path {
            None => Target::Standard {
                stream: std::io::stdout(),
                is_terminal: std::io::stdout().is_terminal(),
            },
            Some(path) if is_folder(path) => {
                std::fs::create_dir_all(path).map_err(|source| io("create", path, source))?;
                let outputs = outputs_below(path, form, inputs, &sources)?;
                if let Some(job) = job {
                    resume = Some(Resume::open(&Place::Folder(path, &outputs), job)?);
                }
                Target::Folder {
                    outputs,
                    current: None,
                }
            }
            Some(path) => {
                if is_one_of(&sources, path) {
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
                        let are_many =
                            are_several || inputs.iter().any(|input| !input.is_single(options));
                        if let Some(job) = job.filter(|_| are_many) {
                            resume = Some(Resume::open(&Place::File(path), job)?);
                        }
                        Target::File {
                            path: path.to_path_buf(),
                            file: Some(AtomicFile::create(path)?),
                        }
                    }
                }
            }
        };
        Ok(Self {
            form,
            target,
            are_several,
            resume,
            input: None,
            tally: Tally::default(),
            refused: Vec::new(),
        })
    }

    /// Whether several inputs go to one output.
    pub(crate) fn are_several(&self) -> bool {
        self.are_several
    }

    /// What earlier runs left, where results are kept for later ones.
    pub(crate) fn resume(&self) -> Option<Shared> {
        self.resume.clone()
    }

    /// The outputs of a folder, by the number of the input; none for other places.
    pub(crate) fn places(&self) -> &[PathBuf] {
        match &self.target {
            Target::Folder { outputs, .. } => outputs,
            _ => &[],
        }
    }

    /// Takes the outputs that could not be created, each with the number of results that it was for.
    pub(crate) fn take_refused(&mut self) -> Vec<(u64, Error)> {
        std::mem::take(&mut self.refused)
    }

    /// Writes one result; `input` is the number of its input.
    pub(crate) fn write(&mut self, input: usize, record: &Record) -> std::result::Result<(), Stop> {
        self.turn_to(input).map_err(Stop::Failed)?;
        if let Target::Folder { outputs, current } = &mut self.target
            && current.is_none()
            && self.tally.refused.is_none()
            && let Some(path) = outputs.get(input)
        {
            match AtomicFile::create(path) {
                Ok(file) => *current = Some(file),
                Err(error) => self.tally.refused = Some(error),
            }
        }
        let line = match &record.file {
            Some(file) => Cow::Borrowed(file.as_slice()),
            None => {
                let line = self.render(record).map_err(Stop::Failed)?;
                match &self.target {
                    Target::Standard { is_terminal, .. } if *is_terminal => {
                        Cow::Owned(terminal_safe(&line).into_owned().into_bytes())
                    }
                    _ => Cow::Owned(line.into_bytes()),
                }
            }
        };
        match record.failed {
            true => self.tally.failed += 1,
            false => self.tally.good += 1,
        }
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
            Target::File {
                file: Some(file), ..
            }
            | Target::Folder {
                current: Some(file),
                ..
            } => file
                .write_all(&line)
                .map_err(|source| Stop::Failed(io("write", &file.path, source))),
            Target::File { file: None, .. } | Target::Folder { current: None, .. } => Ok(()),
        }
    }

    /// Notes that a document of an input failed and leaves nothing in the output.
    pub(crate) fn miss(&mut self, input: usize) -> std::result::Result<(), Stop> {
        self.turn_to(input).map_err(Stop::Failed)?;
        self.tally.failed += 1;
        Ok(())
    }

    /// Notes that the work was stopped before all documents of an input were done.
    pub(crate) fn cut(&mut self, input: usize) -> std::result::Result<(), Stop> {
        self.turn_to(input).map_err(Stop::Failed)?;
        self.tally.is_cut = true;
        Ok(())
    }

    /// Puts the last output in its place: nothing more comes.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.close()?;
        if let Some(resume) = &self.resume {
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

    /// Puts the output at hand, for which nothing more comes, in its place.
    fn close(&mut self) -> Result<()> {
        let (path, file, input) = match &mut self.target {
            Target::Standard { .. } | Target::Stream { .. } => return Ok(()),
            Target::File { path, file } => (path.as_path(), file.take(), 0),
            Target::Folder { outputs, current } => match self.input {
                Some(input) if input < outputs.len() => {
                    (outputs[input].as_path(), current.take(), input)
                }
                _ => return Ok(()),
            },
        };
        let tally = std::mem::take(&mut self.tally);
        let state = tally.state();
        let mut resume = self.resume.as_ref().map(Shared::lock);
        let outcome = match (tally.refused, file) {
            (Some(error), _) => Err(error),
            (None, Some(mut file)) if state != State::Failed => {
                file.complete()?;
                // The journal never holds a file for whole that is not, whatever happens between.
                match &mut resume {
                    Some(resume) if state == State::Whole => {
                        resume.finish(input, &file.temporary, path)?;
                    }
                    Some(resume) => resume.take_back(path)?,
                    None => {}
                }
                file.commit()
            }
            _ => Ok(()),
        };
        let Err(error) = outcome else { return Ok(()) };
        if let Some(resume) = &mut resume {
            resume.take_back(path)?;
        }
        // On a full disk, nothing else can be written either.
        if error.kind() == "disk_full" {
            return Err(error);
        }
        self.refused.push((tally.good, error));
        Ok(())
    }

    fn render(&self, record: &Record) -> Result<String> {
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
        let gap = if self.tally.good > 0 { "\n" } else { "" };
        let name = if record.is_one_of_several {
            format!("==> {} <==\n", record.name)
        } else {
            String::new()
        };
        let text = record
            .text
            .as_deref()
            .unwrap_or_default()
            .trim_end_matches('\n');
        Ok(format!("{gap}{name}{text}\n"))
    }
}

/// One output an input: the same way below the folder, and a name of its own.
fn outputs_below(
    folder: &Path,
    form: Form,
    inputs: &[&Input],
    sources: &HashSet<PathBuf>,
) -> Result<Vec<PathBuf>> {
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
            if is_one_of(sources, &path) {
                return Err(would_replace(&path));
            }
            Ok(path)
        })
        .collect()
}

/// Whether a path leads to one of these files, however it is written.
fn is_one_of(files: &HashSet<PathBuf>, path: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| files.contains(&path))
}

fn would_replace(path: &Path) -> Error {
    Error::Usage {
        message: format!("the input `{}` would be written over", path.display()),
        hint: Some("write to another file or folder with `-o`".to_owned()),
    }
}
