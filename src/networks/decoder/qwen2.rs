//! Qwen2 and Qwen2.5: queries, keys and values have biases.
//!
//! Reference: `modeling_qwen2.py` of transformers.

use super::plan::{Facts, Plan};
use crate::error::Result;

pub(super) fn plan(facts: &Facts<'_>) -> Result<Plan> {
    Ok(Plan {
        bias: true,
        ..Plan::read(facts)?
    })
}
