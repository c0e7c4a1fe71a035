//! M2M100 checkpoints, which NLLB-200 is one of.
//!
//! Marian's layers with the norms before each block and one after the last, and other sinusoids.
//! Source: `modeling_m2m_100.py` of transformers.

use super::loader::Loader;
use super::marian::{self, Config, Variant};
use super::{EncoderDecoder, Placement};
use crate::error::Result;

/// Loads a checkpoint.
pub(crate) fn load(config: &Config, loader: &Loader) -> Result<EncoderDecoder> {
    marian::check_positions(config, loader)?;
    // The first token has the position after the padding's.
    let first = config.pad_token_id.unwrap_or(1).min(1 << 16) as usize + 1;
    let positions = positions(first, config.max_position_embeddings, config.d_model);
    marian::build(
        config,
        loader,
        Variant {
            placement: Placement::Before,
            source_positions: positions.clone(),
            target_positions: positions,
            final_norm: true,
        },
    )
}

/// Sines in the first half of a line, cosines in the second; in single precision, as there.
fn positions(first: usize, count: usize, width: usize) -> Vec<f32> {
    let half = width / 2;
    let step = (10_000f64.ln() / (half.max(2) - 1) as f64) as f32;
    let mut table = Vec::with_capacity(count * width);
    for position in first..first + count {
        let angle = |i: usize| position as f32 * (i as f32 * -step).exp();
        table.extend((0..half).map(|i| angle(i).sin()));
        table.extend((0..half).map(|i| angle(i).cos()));
        table.extend(std::iter::repeat_n(0.0, width % 2));
    }
    table
}
