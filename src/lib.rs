//! Translates news articles between Arabic, Russian and English and writes short summaries, with
//! transformer models that run on the user's own machine.

mod batch;
mod checkpoint;
mod error;
mod generate;
mod kernels;
mod language;
mod models;
mod registry;
mod store;
mod tokenizer;

pub use checkpoint::Checkpoint;
pub use error::{Error, Result};
pub use language::Language;
pub use registry::{
    Compression, DecodingFacts, Family, HubSource, Limits, ModelChoice, ModelSpec, Pair, Quality,
    Registry, Route, Source, Task, UrlFile, UrlSource, WheelFile, WheelsSource,
};
pub use store::{
    Event, FileCheck, FileStatus, ModelFiles, Network, Observer, Reason, Selected, Store,
    StoreOptions,
};
