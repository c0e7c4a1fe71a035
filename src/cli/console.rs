//! Everything that goes to standard error: errors, hints, warnings, notes, progress.
//!
//! Nothing here carries meaning by colour alone, and text from outside is stripped of what a
//! terminal would obey. Bars are drawn on a terminal only.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use newsml::{Error, Reason, terminal_safe};

use super::interrupt;

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
    bars: MultiProgress,
    bar: Mutex<Option<ProgressBar>>,
}

impl Console {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        // Bars are hidden where standard error is no terminal.
        Self {
            verbosity,
            bars: MultiProgress::new(),
            bar: Mutex::default(),
        }
    }

    /// Prints an error and what to do next; `name` is the input that it concerns.
    pub(crate) fn error(&self, name: Option<&str>, error: &Error) {
        let message = match name {
            Some(name) if !error.to_string().contains(name) => format!("`{name}`: {error}"),
            _ => error.to_string(),
        };
        self.print("error", "31", &message);
        if let Some(hint) = error.hint() {
            self.hint(&hint);
        }
    }

    fn hint(&self, hint: &str) {
        self.write("");
        self.print("hint", "36", hint);
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

    /// Shows a bar of bytes, or moves it; `total` is not always known.
    pub(crate) fn bytes(&self, what: &str, done: u64, total: Option<u64>) {
        let template = match total {
            Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg} {bytes} {bytes_per_sec}",
        };
        self.show(what, done, total, template);
    }

    /// Shows how many documents are done.
    pub(crate) fn documents(&self, done: u64) {
        let what = if done == 1 { "document" } else { "documents" };
        self.show(what, done, None, "{spinner} {pos} {msg} {elapsed}");
    }

    fn show(&self, what: &str, done: u64, total: Option<u64>, template: &str) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let Ok(mut slot) = self.bar.lock() else {
            return;
        };
        let bar = slot.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            if total.is_none() {
                bar.enable_steady_tick(Duration::from_millis(120));
            }
            // What an earlier start has brought is no speed.
            bar.reset_eta();
            bar
        });
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_message(what.to_owned());
        bar.set_position(done);
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Ok(mut slot) = self.bar.lock()
            && let Some(bar) = slot.take()
        {
            bar.finish_and_clear();
        }
    }

    /// Tells what a store does, and stops it when the user wants that.
    pub(crate) fn observe(&self, event: &newsml::Event<'_>) -> std::ops::ControlFlow<()> {
        use newsml::Event;
        match event {
            Event::Started {
                model,
                source,
                total,
            } => {
                self.clear();
                let size = total.map_or(String::new(), |total| format!(", {}", size(total)));
                self.note(&format!("fetching `{model}` from {source}{size}"));
            }
            Event::Transfer {
                model, done, total, ..
            } => self.bytes(model, *done, *total),
            Event::Checking {
                file, done, total, ..
            } => self.bytes(file, *done, Some(*total)),
            Event::Waiting { model } => {
                self.show(
                    &format!("waiting for another process that fetches `{model}`"),
                    0,
                    None,
                    "{spinner} {msg}",
                );
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
            Event::Fetched { model, .. } => {
                self.clear();
                self.note(&format!("`{model}` is complete and checked"));
            }
            Event::Selected {
                model,
                task,
                reason,
                passed_over,
            } => {
                self.clear();
                for reason in *passed_over {
                    self.note(&format!("passed over {reason}"));
                }
                let why = match reason {
                    Reason::Cached => "the first of its list that is in the cache",
                    _ => "the first of its list whose source answers",
                };
                self.note(&format!("using `{model}` to {task}: {why}"));
            }
            _ => {}
        }
        interrupt::wish()
    }
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let bytes_as_float = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes_as_float / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} MB", bytes_as_float / 1e6),
        _ => format!("{:.1} GB", bytes_as_float / 1e9),
    }
}
