//! What the store tells while it works, and how a caller stops it.

use std::ops::ControlFlow;

use crate::error::{Error, Result};

/// Something that happens while files are looked for, fetched or checked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A source is about to be used.
    Started {
        /// Id of the model.
        model: &'a str,
        /// The source, in words, as in ``hub `owner/name` ``.
        source: &'a str,
        /// Bytes that the whole model has at this source.
        total: Option<u64>,
    },
    /// Bytes have arrived; told some ten times a second.
    Transfer {
        /// Id of the model.
        model: &'a str,
        /// The file that they belong to.
        file: &'a str,
        /// Bytes of the whole model that are here, those of earlier runs included.
        done: u64,
        /// Bytes that the whole model has.
        total: Option<u64>,
    },
    /// Another process is fetching the same file; this one waits for it.
    Waiting {
        /// Id of the model.
        model: &'a str,
    },
    /// Bytes have been checked against their checksum; told some ten times a second.
    Checking {
        /// Id of the model.
        model: &'a str,
        /// The file that they belong to.
        file: &'a str,
        /// Bytes of the file that have been read.
        done: u64,
        /// Bytes of the file.
        total: u64,
    },
    /// What a user must know before using the model, such as a ban on commercial use.
    Notice {
        /// Id of the model.
        model: &'a str,
        /// The notice, without a final period.
        text: &'a str,
    },
    /// One of several sources could not be used; the next one is tried, if there is one.
    PassedOver {
        /// Id of the model.
        model: &'a str,
        /// The source, in words.
        source: &'a str,
        /// Why.
        reason: &'a Error,
    },
    /// None of a model's sources could be used, and the next model of the list is tried.
    ModelPassedOver {
        /// Id of the model.
        model: &'a str,
        /// Why.
        reason: &'a Error,
    },
    /// A model was chosen from a list of preference.
    Chosen {
        /// Id of the model.
        model: &'a str,
        /// What for and why, as in `translate ar to ru: the first of the list that is in the cache`.
        task: &'a str,
    },
    /// The device that networks run on was chosen.
    Device {
        /// The device and why, as in `` `cpu`: this build has no other ``.
        device: &'a str,
    },
    /// Something about a model that is good to know and changes nothing.
    Detail {
        /// Id of the model.
        model: &'a str,
        /// What, without a final period.
        text: &'a str,
    },
    /// A part of the network has been read into memory.
    Loading {
        /// Id of the model.
        model: &'a str,
        /// Parts read.
        done: usize,
        /// Parts in all.
        total: usize,
    },
    /// All files of the model are in place.
    Fetched {
        /// Id of the model.
        model: &'a str,
        /// The source, in words.
        source: &'a str,
    },
}

/// Receives events; [`ControlFlow::Break`] stops the work with [`Error::Cancelled`].
///
/// What has been fetched by then is kept, and the next start goes on from there.
pub type Observer<'a> = dyn Fn(&Event<'_>) -> ControlFlow<()> + Send + Sync + 'a;

/// Tells an event, and turns the wish to stop into an error.
pub(super) fn tell(observer: &Observer<'_>, event: &Event<'_>) -> Result<()> {
    match observer(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}
