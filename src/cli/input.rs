//! The inputs that a user named: files, folders, standard input.
//!
//! Only finds them; reading is the library's. Each input has a name for messages and, for outputs
//! into a folder, a relative path.

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use newsml::{Documents, Error, Format, ReadOptions, Result};
use walkdir::WalkDir;

use super::console::Console;
use super::fingerprint::fingerprint;

/// One input.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// The file; standard input where there is none.
    path: Option<PathBuf>,
    /// What messages and headers call it.
    pub(crate) name: String,
    /// Where its output goes below a folder.
    pub(crate) relative: PathBuf,
}

/// An input that cannot be used.
#[derive(Debug)]
pub(crate) struct BadInput {
    pub(crate) name: String,
    pub(crate) error: Error,
}

/// All inputs in the order of the arguments; folders are walked in the order of names.
pub(crate) fn collect(
    arguments: &[PathBuf],
    output: Option<&Path>,
    console: &Console,
) -> Vec<std::result::Result<Input, BadInput>> {
    if arguments.is_empty() {
        return vec![Ok(Input::standard(console))];
    }
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            inputs.push(Ok(Input::standard(console)));
        } else if argument.is_dir() {
            let before = inputs.len();
            let output = output.filter(|output| is_folder_below(argument, output));
            if let Some(output) = &output {
                console.note(&format!(
                    "`{}` is the output folder and is not read",
                    output.display()
                ));
            }
            let output = output.and_then(|output| output.canonicalize().ok());
            walk(argument, output.as_deref(), &mut inputs);
            if inputs.len() == before {
                let name = argument.display().to_string();
                let error = Error::Usage {
                    message: format!("the folder `{name}` holds no articles"),
                    hint: Some("articles are files whose names end with `.txt`, `.jsonl`, `.csv`, `.tsv`, `.html`, `.md`, `.docx`, `.srt` or `.vtt`; name others one by one".to_owned()),
                };
                inputs.push(Err(BadInput { name, error }));
            }
        } else {
            let relative = argument.file_name().map(PathBuf::from).unwrap_or_default();
            let name = argument.display().to_string();
            inputs.push(Ok(Input {
                path: Some(argument.clone()),
                name,
                relative,
            }));
        }
    }
    inputs
}

/// Whether `output` is a folder that lies somewhere below `folder`.
fn is_folder_below(folder: &Path, output: &Path) -> bool {
    let (Ok(folder), Ok(output)) = (folder.canonicalize(), output.canonicalize()) else {
        return false;
    };
    output.is_dir() && output != folder && output.starts_with(&folder)
}

/// Finds the articles of a folder, except in `output`.
fn walk(
    folder: &Path,
    output: Option<&Path>,
    inputs: &mut Vec<std::result::Result<Input, BadInput>>,
) {
    let is_output = |path: &Path| {
        output.is_some_and(|output| path.canonicalize().is_ok_and(|path| path == output))
    };
    let is_hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let entries = WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let is_left_out = || {
                is_hidden(entry.file_name())
                    || (entry.file_type().is_dir() && is_output(entry.path()))
            };
            entry.depth() == 0 || !is_left_out()
        });
    for entry in entries {
        match entry {
            Ok(entry) => {
                let path = entry.into_path();
                if path.is_file() && Format::of_path(&path).is_some() {
                    let relative = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
                    let name = path.display().to_string();
                    inputs.push(Ok(Input {
                        path: Some(path),
                        name,
                        relative,
                    }));
                }
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_path_buf();
                let name = path.display().to_string();
                let source = error
                    .into_io_error()
                    .unwrap_or_else(|| std::io::Error::other("the folder leads back to itself"));
                inputs.push(Err(BadInput {
                    name,
                    error: Error::Io {
                        action: "read",
                        path,
                        source,
                    },
                }));
            }
        }
    }
}

impl Input {
    fn standard(console: &Console) -> Self {
        if std::io::stdin().is_terminal() {
            console.note(
                "reading an article from standard input; end it with Ctrl-D on a line of its own",
            );
        }
        Self {
            path: None,
            name: "standard input".to_owned(),
            relative: PathBuf::from("standard-input.txt"),
        }
    }

    /// The documents in it.
    pub(crate) fn open(&self, options: &ReadOptions) -> Result<Documents> {
        let Some(path) = &self.path else {
            return Documents::from_reader("standard input", std::io::stdin(), options);
        };
        let file = File::open(path).map_err(|source| Error::Io {
            action: "read",
            path: path.clone(),
            source,
        })?;
        if path.is_dir() {
            let source = std::io::ErrorKind::IsADirectory.into();
            return Err(Error::Io {
                action: "read",
                path: path.clone(),
                source,
            });
        }
        let mut options = options.clone();
        options.format = options.format.or_else(|| Format::of_path(path));
        // Below a folder the way there is part of the name: two files may be called the same.
        Documents::from_reader(self.relative.to_string_lossy(), file, &options)
    }

    /// What is in it and how it is read, as a checksum; nothing for what can be read once only.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        let path = self.path.as_deref().filter(|path| path.is_file())?;
        fingerprint(path)
    }

    /// The file, by the one path that leads to it without links.
    pub(crate) fn canonical(&self) -> Option<PathBuf> {
        self.path.as_ref()?.canonicalize().ok()
    }

    /// Whether it can be read to its end without waiting for anyone.
    pub(crate) fn is_file(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.is_file())
    }

    /// Whether it is one document, as far as that is known before it is read.
    pub(crate) fn is_single(&self, options: &ReadOptions) -> bool {
        let named = || self.path.as_deref().and_then(Format::of_path);
        let format = options.format.or_else(named);
        format.is_some_and(|format| !holds_several(format))
    }
}

/// Whether many documents may stand in an input of a format.
pub(crate) fn holds_several(format: Format) -> bool {
    matches!(format, Format::JsonLines | Format::Csv | Format::Tsv)
}
