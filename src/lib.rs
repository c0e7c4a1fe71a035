//! Translates news articles between Arabic, Russian and English and writes short summaries, with
//! transformer models that run on the user's own machine.

mod batch;
mod document;
mod error;
mod language;
mod models;
mod segment;
mod terminal;

pub use document::{
    Block, BlockKind, Cleaning, Document, Documents, Failure, Format, InspectedSentence,
    Inspection, ReadOptions, Segment,
};
pub use error::{Error, Result};
pub use language::{Detection, Language, ScriptProfile};
pub use segment::{sentences, split_long};
pub use terminal::terminal_safe;
