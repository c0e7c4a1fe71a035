//! Everything that goes to standard error: errors, hints, warnings, notes, and the bar below them.
//!
//! Nothing here carries meaning by colour alone, and text from outside is stripped of what a
//! terminal would obey.

use std::collections::HashSet;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use newsml::{Error, Event, Progress, terminal_safe};

use super::interrupt;
use super::progress::{Bar, Bars};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors.
    Quiet,
    /// Errors, warnings, and which model is used.
    Normal,
    /// All that happens.
    Verbose,
}

/// Standard error.
#[derive(Debug)]
pub(crate) struct Console {
    verbosity: Verbosity,
    bars: Bars,
    /// Hints that were given: once is enough.
    hints: Mutex<HashSet<String>>,
    /// Whether it was told that another process is waited for.
    waits: AtomicBool,
}

impl Console {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            bars: Bars::default(),
            hints: Mutex::default(),
            waits: AtomicBool::new(false),
        }
    }

    /// Prints an error and, the first time, what to do next; `name` is the input that it concerns.
    pub(crate) fn error(&self, name: Option<&str>, error: &Error) {
        let message = match name {
            Some(name) if !error.to_string().contains(name) => format!("`{name}`: {error}"),
            _ => error.to_string(),
        };
        self.print("error", "31", &message);
        if let Some(hint) = error.hint()
            && self
                .hints
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(hint.clone())
        {
            self.write("");
            self.print("hint", "36", &hint);
        }
    }

    pub(crate) fn warning(&self, message: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.print("warning", "33", message);
        }
    }

    pub(crate) fn note(&self, message: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.print("note", "32", message);
        }
    }

    /// Prints what only those who ask for more want to know.
    pub(crate) fn detail(&self, message: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.print("note", "32", message);
        }
    }

    fn print(&self, kind: &str, colour: &str, message: &str) {
        // One sentence a line: what comes from outside may hold line breaks.
        let message = terminal_safe(message).replace('\n', " ");
        self.write(&format!("\u{1b}[1;{colour}m{kind}\u{1b}[0m: {message}"));
    }

    fn write(&self, line: &str) {
        // `anstream` takes the colours out for files, pipes and `NO_COLOR`. If standard error is
        // gone, there is nobody to tell.
        self.bars
            .suspend(|| drop(writeln!(anstream::stderr(), "{line}")));
    }

    fn bar(&self, bar: &Bar<'_>) {
        if self.verbosity > Verbosity::Quiet {
            self.bars.show(bar);
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bars.clear();
    }

    /// Shows how far the work is, and stops it when the user wants that.
    pub(crate) fn work(&self, progress: &Progress) -> ControlFlow<()> {
        self.bar(&Bar::Work(*progress));
        interrupt::wish()
    }

    /// Tells what is done about models, and stops it when the user wants that.
    pub(crate) fn observe(&self, event: &Event<'_>) -> ControlFlow<()> {
        match *event {
            Event::Started {
                model,
                source,
                total,
            } => {
                let size = total.map_or(String::new(), |total| format!(", {}", size(total)));
                self.note(&format!("fetching `{model}` from {source}{size}"));
            }
            Event::Transfer {
                model, done, total, ..
            } => self.bar(&Bar::Bytes {
                what: model,
                done,
                total,
            }),
            Event::Checking {
                file, done, total, ..
            } => {
                self.bar(&Bar::Bytes {
                    what: file,
                    done,
                    total: Some(total),
                });
            }
            Event::Waiting { model } => {
                if !self.waits.swap(true, Ordering::Relaxed) {
                    self.note(&format!(
                        "waiting for another process that fetches `{model}`"
                    ));
                }
                self.bar(&Bar::Waiting { model });
            }
            Event::Loading { model, done, total } => {
                self.bar(&Bar::Loading {
                    model,
                    done: done as u64,
                    total: total as u64,
                });
                if done == total {
                    self.clear();
                }
            }
            Event::Notice { model, text } => self.warning(&format!("`{model}`: {text}")),
            Event::PassedOver {
                model,
                source,
                reason,
            } => {
                self.clear();
                self.note(&format!("passed over {source} for `{model}`: {reason}"));
            }
            Event::ModelPassedOver { model, reason } => {
                self.clear();
                match reason {
                    // The reasons were told one by one.
                    Error::Unavailable { .. } => self.note(&format!(
                        "passed over `{model}`: none of its sources could be used"
                    )),
                    Error::TooLarge { needed, free, .. } => self.note(&format!(
                        "passed over `{model}`: it needs {} of memory, and {} are free",
                        size(*needed),
                        size(*free)
                    )),
                    _ => self.note(&format!("passed over `{model}`: {reason}")),
                }
            }
            Event::Fetched { model, source } => {
                self.clear();
                self.note(&format!("`{model}` from {source} is complete"));
            }
            Event::Chosen { model, task } => {
                self.clear();
                self.note(&format!("using `{model}` to {task}"));
            }
            Event::Device { device } => self.detail(&format!("computing on {device}")),
            Event::Detail { model, text } => self.detail(&format!("`{model}`: {text}")),
            _ => self.detail(&format!("{event:?}")),
        }
        interrupt::wish()
    }
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let amount = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", amount / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} MB", amount / 1e6),
        _ => format!("{:.1} GB", amount / 1e9),
    }
}
