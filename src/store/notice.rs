//! Notices about licences, told on the first use of a model and not again.
//!
//! That one was told is kept as a file, `.notices/<id>`, beside the models; it holds the notice, so
//! that another notice is told again. Where nothing can be written a notice is told each time.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::store::event::{Event, Observer, tell};
use crate::store::place::write_atomically;

/// Tells a notice, unless this one was told for the model before.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled) if the observer says so.
pub(super) fn tell_once(
    folder: &Path,
    model: &str,
    text: &str,
    observer: &Observer<'_>,
) -> Result<()> {
    let path = file(folder, model);
    if std::fs::read(&path).is_ok_and(|told| told == text.as_bytes()) {
        return Ok(());
    }
    tell(observer, &Event::Notice { model, text })?;
    // A folder that cannot be written to costs a repetition, and the work goes on.
    let _ = write_atomically(&path, text.as_bytes());
    Ok(())
}

/// Has the notice told again on the next use.
pub(super) fn forget(folder: &Path, model: &str) {
    let _ = std::fs::remove_file(file(folder, model));
}

fn file(folder: &Path, model: &str) -> PathBuf {
    folder.join(".notices").join(model)
}
