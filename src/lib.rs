//! Translates news articles between Arabic, Russian and English and writes short summaries, with
//! transformer models that run on the user's own machine.

mod batch;
mod checkpoint;
mod document;
mod error;
mod generate;
mod kernels;
mod language;
mod models;
mod registry;
mod segment;
mod store;
mod terminal;
mod tokenizer;

pub use checkpoint::Checkpoint;
pub use document::{
    Block, BlockKind, Cleaning, Document, Documents, Failure, Format, InspectedSentence,
    Inspection, ReadOptions, Segment,
};
pub use error::{Error, Result};
pub use language::{Detection, Language, ScriptProfile};
pub use registry::{
    Compression, DecodingFacts, Family, HubSource, Limits, ModelChoice, ModelSpec, Pair, Quality,
    Registry, Route, Source, Task, UrlFile, UrlSource, WheelFile, WheelsSource,
};
pub use segment::{sentences, split_long};
pub use store::{
    Event, FileCheck, FileStatus, ModelFiles, Network, Observer, Reason, Selected, Store,
    StoreOptions,
};
pub use terminal::terminal_safe;
