//! Qwen3: each head's queries and keys are normalized before they are turned.
//!
//! Reference: `modeling_qwen3.py` of transformers.

use super::plan::{Facts, Plan};
use crate::error::Result;
use crate::networks::runtime::HeadNorm;

pub(super) fn plan(facts: &Facts<'_>) -> Result<Plan> {
    Ok(Plan {
        head_norm: Some(HeadNorm::BeforeRotary),
        ..Plan::read(facts)?
    })
}
