//! Translates news articles between Arabic, Russian and English and writes short summaries, with
//! transformer models that run on the user's own machine.

mod batch;
mod check;
mod checkpoint;
mod document;
mod engine;
mod error;
mod generate;
mod kernels;
mod language;
mod loader;
mod models;
mod options;
mod pipeline;
mod prompts;
mod registry;
mod segment;
mod sentencepiece;
mod seq2seq;
mod store;
mod summarize;
mod terminal;
mod tokenizer;
mod translate;
mod translators;
mod weights;

pub use checkpoint::Checkpoint;
pub use document::{
    Block, BlockKind, Cleaning, Document, Documents, Failure, Format, InspectedSentence,
    Inspection, ReadOptions, Segment,
};
pub use error::{Error, Result};
pub use language::{Detection, Language, ScriptProfile};
pub use options::{
    Decoding, Device, LoadObserver, LoadOptions, Precision, Progress, ProgressObserver, Warning,
};
pub use prompts::Length;
pub use registry::{
    Compression, DecodingFacts, Family, HubSource, Limits, ModelChoice, ModelSpec, Pair, Quality,
    Registry, Route, Source, Task, UrlFile, UrlSource, WheelFile, WheelsSource,
};
pub use segment::{sentences, split_long};
pub use seq2seq::{Seq2Seq, Seq2SeqOptions};
pub use store::{Event, FileCheck, FileStatus, ModelFiles, Network, Observer, Store, StoreOptions};
pub use summarize::{Summarizer, SummarizerBuilder, Summary};
pub use terminal::terminal_safe;
pub use translate::{TranslatedSegment, Translation, Translator, TranslatorBuilder};
