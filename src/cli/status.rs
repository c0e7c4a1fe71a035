//! How a run ended, as the exit status says it.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// All done.
    Done,
    /// Some document failed, the others were written.
    SomeFailed,
    /// Nothing was run.
    NothingRun,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::SomeFailed => 1,
            Status::NothingRun => 2,
        })
    }
}
