//! How callers follow the work, and stop it.

use std::ops::ControlFlow;
use std::sync::Arc;

/// How far the work is, told after each step of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Segments or summaries finished in the present stretch of work.
    pub done: usize,
    /// Segments or summaries in the present stretch of work.
    pub total: usize,
    /// Tokens written since the work began.
    pub tokens: usize,
}

/// Receives [`Progress`]; [`ControlFlow::Break`] stops the work, and documents that are finished by
/// then are still given out.
pub type ProgressObserver = Arc<dyn Fn(&Progress) -> ControlFlow<()> + Send + Sync>;

/// Follows the work and passes on the caller's wish to stop.
pub(crate) struct Watch {
    observer: Option<ProgressObserver>,
    progress: Progress,
    stopped: bool,
}

impl Watch {
    pub(crate) fn new(observer: Option<ProgressObserver>) -> Self {
        Self {
            observer,
            progress: Progress::default(),
            stopped: false,
        }
    }

    /// Begins a stretch of `total` outputs.
    pub(crate) fn begin(&mut self, total: usize) {
        self.progress.done = 0;
        self.progress.total = total;
        let _ = self.tell(0, 0);
    }

    /// Whether the caller has said to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    /// Tells of `done` outputs and `tokens` tokens more than are counted.
    pub(crate) fn tell(&mut self, done: usize, tokens: usize) -> ControlFlow<()> {
        let progress = Progress {
            done: self.progress.done + done,
            total: self.progress.total,
            tokens: self.progress.tokens + tokens,
        };
        let flow = self
            .observer
            .as_ref()
            .map_or(ControlFlow::Continue(()), |observer| observer(&progress));
        self.stopped |= flow.is_break();
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Counts outputs and tokens as done.
    pub(crate) fn count(&mut self, done: usize, tokens: usize) {
        self.progress.done += done;
        self.progress.tokens += tokens;
    }
}
