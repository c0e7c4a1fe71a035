//! The bar at the bottom of a terminal. Where standard error is none, nothing is drawn.

use std::mem::{Discriminant, discriminant};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use newsml::Progress;

/// What the bar shows.
#[derive(Debug)]
pub(crate) enum Bar<'a> {
    /// Bytes that arrive or are read.
    Bytes {
        what: &'a str,
        done: u64,
        total: Option<u64>,
    },
    /// Another process is at work.
    Waiting { model: &'a str },
    /// A model is read into memory.
    Loading {
        model: &'a str,
        done: u64,
        total: u64,
    },
    /// Text is written.
    Work(Progress),
}

/// The bar that is drawn, if any.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    bars: MultiProgress,
    drawn: Mutex<Option<(Discriminant<Bar<'static>>, ProgressBar)>>,
}

impl Bars {
    /// Runs what prints, with the bar out of its way.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.bars.suspend(print);
    }

    /// Draws a bar or moves the one that is drawn.
    pub(crate) fn show(&self, bar: &Bar<'_>) {
        let (template, message, done, total) = match *bar {
            Bar::Bytes {
                what,
                done,
                total: Some(total),
            } => {
                let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
                (template, what.to_owned(), done, Some(total))
            }
            Bar::Bytes {
                what,
                done,
                total: None,
            } => (
                "{spinner} {msg} {bytes} {bytes_per_sec}",
                what.to_owned(),
                done,
                None,
            ),
            Bar::Waiting { model } => (
                "{spinner} waiting for another process that fetches {msg}",
                model.to_owned(),
                0,
                None,
            ),
            Bar::Loading { model, done, total } => (
                "loading {msg} {wide_bar} {pos}/{len}",
                model.to_owned(),
                done,
                Some(total),
            ),
            Bar::Work(Progress {
                done,
                total,
                tokens,
                ..
            }) => {
                let message = format!("{tokens} tokens");
                (
                    "{wide_bar} {pos}/{len} done, {msg}, {elapsed}",
                    message,
                    done as u64,
                    Some(total as u64),
                )
            }
        };
        // The kind alone counts, so any lifetime will do.
        let kind = discriminant_of(bar);
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, old)) = drawn.take_if(|(shown, _)| *shown != kind) {
            old.finish_and_clear();
        }
        let (_, shown) = drawn.get_or_insert_with(|| {
            let new = self.bars.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template(template) {
                new.set_style(style);
            }
            new.enable_steady_tick(Duration::from_millis(200));
            // What an earlier start has brought is no speed.
            new.set_position(done);
            new.reset_eta();
            (kind, new)
        });
        if let Some(total) = total {
            shown.set_length(total);
        }
        shown.set_message(message);
        shown.set_position(done);
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some((_, bar)) = self
            .drawn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            bar.finish_and_clear();
        }
    }
}

fn discriminant_of(bar: &Bar<'_>) -> Discriminant<Bar<'static>> {
    discriminant(&match bar {
        Bar::Bytes { .. } => Bar::Bytes {
            what: "",
            done: 0,
            total: None,
        },
        Bar::Waiting { .. } => Bar::Waiting { model: "" },
        Bar::Loading { .. } => Bar::Loading {
            model: "",
            done: 0,
            total: 0,
        },
        Bar::Work(progress) => Bar::Work(*progress),
    })
}
