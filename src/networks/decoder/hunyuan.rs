//! Hunyuan's dense models, Hy-MT among them: each head's queries and keys are normalized after they
//! are turned.
//!
//! Reference: `hunyuan-dense` of llama.cpp. What transformers calls `alpha` is in the base already,
//! unless the file says it.

use super::plan::{Facts, Plan};
use crate::error::Result;
use crate::networks::runtime::{HeadNorm, Rotary};

pub(super) fn plan(facts: &Facts<'_>) -> Result<Plan> {
    let plan = Plan::read(facts)?;
    let alpha = facts.float_or("rope.scaling.alpha", 0.0)?;
    let width = plan.heads.width;
    let rotary = if alpha > 0.0 && width > 2 {
        let base = facts.float_or("rope.freq_base", 10_000.0)?;
        Rotary::new(
            base * alpha.powf(width as f32 / (width as f32 - 2.0)),
            width,
        )
    } else {
        plan.rotary.clone()
    };
    Ok(Plan {
        head_norm: Some(HeadNorm::AfterRotary),
        rotary,
        ..plan
    })
}
