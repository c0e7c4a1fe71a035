//! Ctrl-C: the first lets what is finished be written, the second ends the program at once.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

static WISHED: AtomicBool = AtomicBool::new(false);

/// Files that are not complete and that must not stay behind.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The exit status of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Listens for Ctrl-C and for the signal to terminate.
pub(crate) fn listen() {
    // Without a handler, Ctrl-C ends the program, as it does anyway.
    drop(ctrlc::set_handler(|| {
        if WISHED.swap(true, Ordering::SeqCst) {
            remove_unfinished();
            std::process::exit(INTERRUPTED);
        }
        use std::io::Write as _;
        drop(writeln!(
            anstream::stderr(),
            "\nnote: stopping, and writing what is finished; press Ctrl-C again to stop at once"
        ));
    }));
}

/// Whether the user wants to stop.
pub(crate) fn is_wished() -> bool {
    WISHED.load(Ordering::SeqCst)
}

/// The same as an answer to a callback.
pub(crate) fn wish() -> ControlFlow<()> {
    if is_wished() {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Has a file removed if the program ends at once.
pub(crate) fn guard(path: &Path) {
    if let Ok(mut files) = UNFINISHED.lock() {
        files.push(path.to_path_buf());
    }
}

/// Takes a file out of guard.
pub(crate) fn release(path: &Path) {
    if let Ok(mut files) = UNFINISHED.lock() {
        files.retain(|known| known != path);
    }
}

fn remove_unfinished() {
    if let Ok(files) = UNFINISHED.lock() {
        for file in files.iter() {
            drop(std::fs::remove_file(file));
        }
    }
}
