//! Translates news articles between Arabic, Russian and English and writes short summaries, with
//! transformer models that run on the user's own machine.

mod batch;
mod error;
mod kernels;
mod language;
mod models;
mod sentencepiece;

pub use error::{Error, Result};
pub use language::Language;
