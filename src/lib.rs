//! Translates news articles between Arabic, Russian and English and writes short summaries, with
//! transformer models that run on the user's own machine.
//!
//! [`Translator`] and [`Summarizer`] take texts, batches of texts, or streams of [`Document`]s; models
//! are found in a [`Registry`], fetched once into a [`Store`], and loaded when they are first needed.
//!
//! ```no_run
//! use newsml::{Language, Translator};
//! let translator = Translator::new(Language::Russian, Language::English)?;
//! println!("{}", translator.translate("Привет, мир!")?);
//! # Ok::<(), newsml::Error>(())
//! ```
//!
//! # The way of a text
//!
//! | stage | in, out |
//! | --- | --- |
//! | [`Documents`] | a file or stream to [`Document`]s, without the clutter of the page |
//! | [`Document::segments`] | a document to [`Segment`]s: byte ranges, a sentence each ([`sentences`]) |
//! | tokenizer | segments, or prompts, to rows of token ids |
//! | batch | rows of all documents to groups within a budget of tokens, the only place that pads |
//! | decode | groups to outputs: a network is started once, then stepped until every row is done |
//! | check | outputs to outputs with [`Warning`]s; what fails is asked for again |
//! | [`Document::replace`] | outputs into the places of their segments; every other byte stays |
//!
//! # What to know
//!
//! - Everything is synchronous, and `Send + Sync`: weights are shared by threads.
//! - The library prints nothing. Downloads and choices of models are told to
//!   [`LoadOptions::observer`], the work to a [`ProgressObserver`]; either may stop it.
//! - The environment is read in one place, [`StoreOptions::from_environment`], which
//!   [`LoadOptions::default`] calls.
//! - Each [`Error`] has a stable [`kind`](Error::kind) and a [`hint`](Error::hint): what to do next.
//! - Networks run where [`Device`] says; Firefox models always on the processor.
//! - No check finds a false statement in good language.

mod check;
mod checkpoint;
mod decode;
mod device;
mod document;
mod engine;
mod error;
pub mod eval;
mod glossary;
mod kernels;
mod language;
mod loader;
mod memory;
mod networks;
mod options;
mod pipeline;
mod process;
mod prompts;
mod redact;
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
mod warning;
mod weights;

#[doc(hidden)]
pub use check::fitting;
pub use check::{check_summary, check_translation};
pub use checkpoint::Checkpoint;
pub use decode::{Progress, ProgressObserver};
pub use document::{
    Block, BlockKind, Cleaning, Document, Documents, Failure, Format, InspectedSentence,
    Inspection, LeftOut, ReadOptions, Reason, Segment,
};
pub use error::{Error, Result};
pub use glossary::{Glossary, Term, TermCase};
pub use language::{Detection, Language, ScriptProfile};
#[cfg(feature = "memory")]
pub use memory::{MemoryCount, MemoryFile, TmxImport};
pub use memory::{MemoryScope, TranslationMemory};
pub use options::{Decoding, Device, LoadObserver, LoadOptions, Precision};
pub use prompts::Length;
pub use registry::{
    Compression, DecodingFacts, Family, HubSource, Limits, ModelChoice, ModelSpec, Pair, Prefer,
    PromptFacts, Quality, Registry, Route, Source, Task, UrlFile, UrlSource, WheelFile,
    WheelsSource,
};
pub use segment::{sentences, split_long};
pub use seq2seq::{Seq2Seq, Seq2SeqOptions};
pub use store::{Event, FileCheck, FileStatus, ModelFiles, Network, Observer, Store, StoreOptions};
pub use summarize::{Summarizer, SummarizerBuilder, Summary};
pub use terminal::terminal_safe;
pub use translate::{TermCounts, TranslatedSegment, Translation, Translator, TranslatorBuilder};
pub use warning::{Warning, WarningKind};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
