//! Llama 1 to 3 and what is built like them: neighbouring features are turned together, and the file
//! may say by how much each rate is slowed (Llama 3.1).
//!
//! Reference: `modeling_llama.py` of transformers; the files have queries and keys reordered.

use super::plan::{Facts, Plan};
use crate::error::Result;
use crate::networks::runtime::RotaryOrder;

pub(super) fn plan(facts: &Facts<'_>) -> Result<Plan> {
    Ok(Plan {
        rotary_order: RotaryOrder::Pairs,
        rotary_factors: true,
        ..Plan::read(facts)?
    })
}
