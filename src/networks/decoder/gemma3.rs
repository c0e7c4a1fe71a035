//! Gemma 3 and TranslateGemma: norms before and after each block, layers that see a window between
//! layers that see everything, each kind with rates of its own.
//!
//! Reference: `modeling_gemma3.py` of transformers; the files have one added to the weights of norms.

use super::plan::{Facts, Plan, Window};
use crate::error::Result;
use crate::kernels::Function;
use crate::networks::runtime::{HeadNorm, Rotary};

/// Layers of the 27B model, the only one whose scores are scaled by the width of the network.
const LAYERS_27B: usize = 62;

pub(super) fn plan(facts: &Facts<'_>) -> Result<Plan> {
    let plan = Plan::read(facts)?;
    let width = plan.heads.width;
    let window = Window {
        size: facts.integer("attention.sliding_window")?,
        every: facts.integer_or("attention.sliding_window_pattern", 6)?,
        rotary: Rotary::new(facts.float_or("rope.freq_base_swa", 10_000.0)?, width),
    };
    if window.size == 0 || window.every == 0 {
        return Err(facts.corrupt(format!("`{}` is 0", facts.key("attention.sliding_window"))));
    }
    // Of pictures, which are not read.
    let _ = facts.has("mm.tokens_per_image");
    let scaled = if plan.layers == LAYERS_27B {
        plan.width as f32 / plan.heads.queries as f32
    } else {
        width as f32
    };
    Ok(Plan {
        embedding_scale: (plan.width as f32).sqrt(),
        score_scale: 1.0 / scaled.sqrt(),
        head_norm: Some(HeadNorm::BeforeRotary),
        window: Some(window),
        post_norms: true,
        function: Function::GeluNew,
        ..plan
    })
}
