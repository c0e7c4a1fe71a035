//! T5 checkpoints: T5, mT5, MADLAD-400.
//!
//! RMS norms before each block, no biases, no scaling of scores, a bias by bucketed distance in
//! the attention over the own row, one table a side. Source: `modeling_t5.py` of transformers.

use std::sync::Arc;

use super::loader::{Bias, Linear, Loader, Matrix};
use super::vocabulary::{Layout, Tied};
use super::{
    CrossAttention, DecoderLayer, Embedding, EncoderDecoder, EncoderLayer, FeedForward, Placement,
    Positions, SelfAttention, Side,
};
use crate::error::{Error, Result};
use crate::kernels::{DistanceBias, Function, Norm, Shape};

const SHARED: &str = "shared.weight";
const SOURCE: &str = "encoder.embed_tokens.weight";
const TARGET: &str = "decoder.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";

/// `config.json`, as far as it matters.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Config {
    vocab_size: usize,
    d_model: usize,
    d_kv: usize,
    d_ff: usize,
    num_layers: usize,
    num_decoder_layers: Option<usize>,
    num_heads: usize,
    relative_attention_num_buckets: usize,
    #[serde(default = "max_distance")]
    relative_attention_max_distance: usize,
    #[serde(default = "epsilon")]
    layer_norm_epsilon: f32,
    model_type: String,
    /// `relu` where it is missing; `gated-gelu` for mT5.
    feed_forward_proj: Option<String>,
    tie_word_embeddings: Option<bool>,
    /// What transformers 5 writes in place of what `tie_word_embeddings` meant.
    scale_decoder_outputs: Option<bool>,
    pub(crate) decoder_start_token_id: Option<u32>,
    pub(crate) pad_token_id: Option<u32>,
}

fn max_distance() -> usize {
    128
}

fn epsilon() -> f32 {
    1e-6
}

/// Which way the attention looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Both,
    Back,
}

/// Loads a checkpoint.
pub(crate) fn load(config: &Config, loader: &Loader) -> Result<EncoderDecoder> {
    let unsupported = |message: String| Error::UnsupportedModel {
        path: loader.path().to_path_buf(),
        message,
    };
    let function = config.feed_forward_proj.as_deref();
    let usual = match config.model_type.as_str() {
        "mt5" => "gated-gelu",
        _ => "relu",
    };
    let (function, gated) = match function.unwrap_or(usual) {
        "relu" => (Function::Relu, false),
        "gelu" => (Function::Gelu, false),
        "gelu_new" => (Function::GeluNew, false),
        "gated-relu" => (Function::Relu, true),
        // What `gated-gelu` means in the checkpoints is the approximation by tanh.
        "gated-gelu" => (Function::GeluNew, true),
        "gated-silu" => (Function::Silu, true),
        other => return Err(unsupported(format!("`feed_forward_proj` is `{other}`"))),
    };
    let width = config.d_model;
    let shape = Shape {
        heads: config.num_heads,
        width: config.d_kv,
        scale: 1.0,
    };
    let buckets = config.relative_attention_num_buckets;
    if shape.heads == 0 || shape.width == 0 || width == 0 {
        return Err(unsupported(
            "`d_model`, `d_kv` or `num_heads` is 0".to_owned(),
        ));
    }
    let distance = config.relative_attention_max_distance;
    // The table of values by head and distance is made before attention is: it has a bound.
    let values = distance
        .checked_mul(4)
        .and_then(|line| line.checked_mul(shape.heads));
    if buckets < 4
        || distance <= buckets / 2
        || values.is_none_or(|values| values > 1 << 24)
        || shape.heads.checked_mul(shape.width).is_none()
    {
        return Err(unsupported(format!(
            "`relative_attention_num_buckets` is {buckets}, `relative_attention_max_distance` is \
             {distance}, `num_heads` is {} and `d_kv` is {}",
            shape.heads, shape.width
        )));
    }
    let norm = |name: String| -> Result<Norm> {
        Ok(Norm {
            weight: loader.vector(&name, &[width])?,
            bias: None,
            epsilon: config.layer_norm_epsilon,
        })
    };
    let attention = |prefix: String, name: &str| -> Result<SelfAttention> {
        Ok(SelfAttention {
            qkv: loader.linear(
                &format!("{prefix}.{name}."),
                &["q", "k", "v"],
                shape.inner(),
                width,
                Bias::None,
            )?,
            out: loader.linear(
                &format!("{prefix}.{name}."),
                &["o"],
                width,
                shape.inner(),
                Bias::None,
            )?,
            norm: norm(format!("{prefix}.layer_norm.weight"))?,
        })
    };
    let cross = |prefix: String| -> Result<CrossAttention> {
        let inner = format!("{prefix}.EncDecAttention.");
        Ok(CrossAttention {
            q: loader.linear(&inner, &["q"], shape.inner(), width, Bias::None)?,
            kv: loader.linear(&inner, &["k", "v"], shape.inner(), width, Bias::None)?,
            out: loader.linear(&inner, &["o"], width, shape.inner(), Bias::None)?,
            norm: norm(format!("{prefix}.layer_norm.weight"))?,
        })
    };
    let feed_forward = |prefix: String| -> Result<FeedForward> {
        let inner = format!("{prefix}.DenseReluDense.");
        let first: &[&str] = if gated { &["wi_0", "wi_1"] } else { &["wi"] };
        Ok(FeedForward {
            first: loader.linear(&inner, first, config.d_ff, width, Bias::None)?,
            second: loader.linear(&inner, &["wo"], width, config.d_ff, Bias::None)?,
            function,
            gated,
            norm: norm(format!("{prefix}.layer_norm.weight"))?,
        })
    };
    let encoder_layers = (0..config.num_layers)
        .map(|number| {
            let prefix = format!("encoder.block.{number}.layer");
            Ok(EncoderLayer {
                attention: attention(format!("{prefix}.0"), "SelfAttention")?,
                feed_forward: feed_forward(format!("{prefix}.1"))?,
            })
        })
        .collect::<Result<_>>()?;
    let decoder_layers = (0..config.num_decoder_layers.unwrap_or(config.num_layers))
        .map(|number| {
            let prefix = format!("decoder.block.{number}.layer");
            Ok(DecoderLayer {
                attention: attention(format!("{prefix}.0"), "SelfAttention")?,
                cross: cross(format!("{prefix}.1"))?,
                feed_forward: feed_forward(format!("{prefix}.2"))?,
            })
        })
        .collect::<Result<_>>()?;
    let bias = |side: &str, direction| -> Result<DistanceBias> {
        let name = format!("{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        let table = loader.vector(&name, &[buckets, shape.heads])?;
        Ok(distance_bias(&table, config, direction))
    };

    let vocabulary = Layout {
        source: &[SOURCE, SHARED, TARGET, HEAD],
        target: &[TARGET, SHARED, SOURCE, HEAD],
        head: HEAD,
        sizes: (config.vocab_size, config.vocab_size),
        padded: true,
        width,
        // It says how states are scaled, and nothing of the head.
        tied: Tied::Unsaid,
    }
    .load(loader)?;
    let scaled = match config.model_type.as_str() {
        "mt5" => false,
        _ => config
            .scale_decoder_outputs
            .unwrap_or(config.tie_word_embeddings != Some(false)),
    };
    let embedding = |matrix: &Arc<Matrix>| Embedding {
        matrix: Arc::clone(matrix),
        scale: 1.0,
        positions: Positions::None,
    };
    Ok(EncoderDecoder {
        encoder: Side {
            embedding: embedding(&vocabulary.source),
            layers: encoder_layers,
            norm: Some(norm("encoder.final_layer_norm.weight".to_owned())?),
            shape,
            bias: Some(bias("encoder", Direction::Both)?),
        },
        decoder: Side {
            embedding: embedding(&vocabulary.target),
            layers: decoder_layers,
            norm: Some(norm("decoder.final_layer_norm.weight".to_owned())?),
            shape,
            bias: Some(bias("decoder", Direction::Back)?),
        },
        head: Linear {
            matrix: vocabulary.head,
            bias: None,
        },
        // The first T5 scaled its states; T5 1.1, mT5 and what came after do not.
        head_scale: if scaled {
            (width as f32).powf(-0.5)
        } else {
            1.0
        },
        placement: Placement::Before,
        width,
        start: config
            .decoder_start_token_id
            .or(config.pad_token_id)
            .unwrap_or(0),
        limit: None,
    })
}

/// The values for each distance of key minus query, from `(buckets, heads)`.
fn distance_bias(table: &[f32], config: &Config, direction: Direction) -> DistanceBias {
    let heads = config.num_heads;
    let limit = config.relative_attention_max_distance;
    let mut values = Vec::with_capacity(heads * (2 * limit + 1));
    for head in 0..heads {
        for distance in -(limit as i64)..=limit as i64 {
            let bucket = bucket(
                distance,
                config.relative_attention_num_buckets,
                limit,
                direction,
            );
            values.push(table[bucket * heads + head]);
        }
    }
    DistanceBias { values, limit }
}

/// The bucket of a distance: exact when small, logarithmic up to `limit`.
fn bucket(distance: i64, buckets: usize, limit: usize, direction: Direction) -> usize {
    let (mut first, mut buckets, mut distance) = (0, buckets, distance);
    match direction {
        Direction::Both => {
            buckets /= 2;
            if distance > 0 {
                first = buckets;
            }
            distance = distance.abs();
        }
        Direction::Back => distance = (-distance).max(0),
    }
    let exact = buckets / 2;
    if (distance as usize) < exact {
        return first + distance as usize;
    }
    // In single precision, as there: it decides which side of a boundary a distance falls.
    let ratio = (distance as f32 / exact as f32).ln() / (limit as f64 / exact as f64).ln() as f32;
    let large = exact + (ratio * (buckets - exact) as f32) as usize;
    first + large.min(buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_the_reference() {
        // `_relative_position_bucket` of transformers with 32 buckets and a distance of 128.
        for (distance, both, back) in [
            (0, 0, 0),
            (-1, 1, 1),
            (1, 17, 0),
            (-8, 8, 8),
            (-9, 8, 9),
            (-16, 10, 16),
            (-17, 10, 16),
            (-30, 11, 20),
            (-127, 15, 31),
            (-128, 15, 31),
            (60, 29, 0),
        ] {
            assert_eq!(
                bucket(distance, 32, 128, Direction::Both),
                both,
                "{distance}"
            );
            assert_eq!(
                bucket(distance, 32, 128, Direction::Back),
                back,
                "{distance}"
            );
        }
    }
}
