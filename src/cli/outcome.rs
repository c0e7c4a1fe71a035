//! What the work makes of documents.

use newsml::{Document, Failure, Warning};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::counts::Counts;

/// What the work made of one document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    /// The file, for formats that are not text.
    #[serde(skip)]
    pub(crate) file: Option<Vec<u8>>,
    pub(crate) json: Map<String, Value>,
    pub(crate) warnings: Vec<Warning>,
    /// What the guards did now; nothing for what an earlier run made.
    #[serde(skip)]
    pub(crate) counts: Counts,
}

/// What is read: documents and failures.
pub(crate) type Items =
    Box<dyn Iterator<Item = std::result::Result<Document, Box<Failure>>> + Send>;

/// Answers to items, one each, in order.
pub(crate) type Outcomes<'a> =
    Box<dyn Iterator<Item = std::result::Result<Outcome, Box<Failure>>> + 'a>;
