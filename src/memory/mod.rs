//! Translations of segments that are kept from one run to the next.
//!
//! A [`TranslationMemory`] is asked for each segment before a model is, and told each good
//! translation after. What it gives back is only ever used for exactly the same text, in the same
//! direction, by the same weights and settings ([`MemoryScope`]), so a run with a memory writes what a
//! run without it would write. [`MemoryFile`] keeps one on disk; what people or other tools
//! translated, and was imported into it, comes before what a model would write.

#[cfg(feature = "memory")]
mod file;
#[cfg(all(test, feature = "memory"))]
mod tests;
#[cfg(feature = "memory")]
mod tmx;

#[cfg(feature = "memory")]
pub use file::{MemoryCount, MemoryFile};
#[cfg(feature = "memory")]
pub use tmx::TmxImport;

use crate::error::Result;

/// What a translation depends on besides its source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MemoryScope {
    /// Code of the language of the sources; `und` where it is not known.
    pub from: String,
    /// Code of the language of the translations; `und` where it is not known.
    pub to: String,
    /// The models, for people; `A + B` where two work one after the other.
    pub model: String,
    /// A checksum of weights and settings.
    pub settings: String,
}

/// Remembers translations of segments.
pub trait TranslationMemory: Send + Sync {
    /// Gives the translations of sources, as far as they are known; the i-th answers the i-th.
    ///
    /// # Errors
    ///
    /// Whatever keeps the memory from being read; the documents concerned then fail.
    fn recall(&self, scope: &MemoryScope, sources: &[&str]) -> Result<Vec<Option<String>>>;

    /// Takes translations, as pairs of source and target, in which no check found a fault.
    ///
    /// # Errors
    ///
    /// Whatever keeps the memory from being written; translations are made all the same, with one
    /// warning.
    fn remember(&self, scope: &MemoryScope, pairs: &[(&str, &str)]) -> Result<()>;
}
