//! Marian checkpoints: opus-mt and opus-mt-tc-big.
//!
//! Norms after each block, sinusoidal positions, biases everywhere, a bias on the scores. Source:
//! `modeling_marian.py` of transformers; names of tensors are those of the checkpoint.

use super::{
    CrossAttention, DecoderLayer, Embedding, EncoderDecoder, EncoderLayer, FeedForward, Placement,
    Positions, SelfAttention, Side,
};
use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::loader::{Bias, Linear, Loader};
use super::vocabulary::{Layout, Tied};
use crate::error::{Error, Result};
use crate::kernels::{Function, Norm, Shape};

const SHARED: &str = "model.shared.weight";
const SOURCE: &str = "model.encoder.embed_tokens.weight";
const TARGET: &str = "model.decoder.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";

/// `config.json`, as far as it matters; also that of M2M100, which has the same layers.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    decoder_vocab_size: Option<usize>,
    pub(crate) d_model: usize,
    pub(crate) encoder_layers: usize,
    pub(crate) decoder_layers: usize,
    encoder_attention_heads: usize,
    decoder_attention_heads: usize,
    encoder_ffn_dim: usize,
    decoder_ffn_dim: usize,
    activation_function: String,
    #[serde(default)]
    scale_embedding: bool,
    pub(crate) max_position_embeddings: usize,
    pub(crate) decoder_start_token_id: Option<u32>,
    pub(crate) pad_token_id: Option<u32>,
    #[serde(default = "yes")]
    share_encoder_decoder_embeddings: bool,
    /// False where positions are learned; there is a table for them then.
    #[serde(default = "yes")]
    static_position_embeddings: bool,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    /// The deviation of the numbers that the network was initialized with.
    #[serde(default = "init_std")]
    init_std: f64,
    #[serde(default)]
    normalize_embedding: bool,
    #[serde(default)]
    normalize_before: bool,
    #[serde(default)]
    add_final_layer_norm: bool,
}

fn yes() -> bool {
    true
}

fn init_std() -> f64 {
    0.02
}

/// What tells Marian and M2M100 apart.
pub(super) struct Variant {
    pub(super) placement: Placement,
    /// What is added to the source by position, `(positions, width)`.
    pub(super) source_positions: Vec<f32>,
    /// The same for the target.
    pub(super) target_positions: Vec<f32>,
    /// Whether there is a norm after the last layer of each side.
    pub(super) final_norm: bool,
}

/// Loads a checkpoint.
pub(crate) fn load(config: &Config, loader: &Loader) -> Result<EncoderDecoder> {
    let unsupported = |message: &str| {
        Err(Error::UnsupportedModel {
            path: loader.path().to_path_buf(),
            message: message.to_owned(),
        })
    };
    if config.normalize_embedding {
        return unsupported("`normalize_embedding` is true, which no Marian checkpoint in use has");
    }
    if config.normalize_before || config.add_final_layer_norm {
        return unsupported(
            "`normalize_before` or `add_final_layer_norm` is true, which transformers ignores for Marian",
        );
    }
    check_positions(config, loader)?;
    build(
        config,
        loader,
        Variant {
            placement: Placement::After,
            source_positions: positions_of("encoder", config, loader)?,
            target_positions: positions_of("decoder", config, loader)?,
            final_norm: false,
        },
    )
}

/// The table that the checkpoint stores for a side, as one with learned positions does and many
/// older ones with sines do; else sines.
fn positions_of(side: &str, config: &Config, loader: &Loader) -> Result<Vec<f32>> {
    let (count, width) = (config.max_position_embeddings, config.d_model);
    let name = format!("model.{side}.embed_positions.weight");
    if loader.contains(&name) {
        return loader.vector(&name, &[count, width]);
    }
    if config.static_position_embeddings {
        return Ok(positions(count, width));
    }
    Err(Error::UnsupportedModel {
        path: loader.path().to_path_buf(),
        message: format!("`static_position_embeddings` is false, but there is no tensor `{name}`"),
    })
}

/// Fails where the table of positions would be larger than any checkpoint needs.
pub(super) fn check_positions(config: &Config, loader: &Loader) -> Result<()> {
    let (count, width) = (config.max_position_embeddings, config.d_model);
    if count.checked_mul(width).is_some_and(|all| all <= 1 << 24) {
        return Ok(());
    }
    let message = format!("`max_position_embeddings` is {count} and `d_model` is {width}");
    Err(Error::UnsupportedModel {
        path: loader.path().to_path_buf(),
        message,
    })
}

/// Sines in the first half of a line, cosines in the second; computed in double precision.
fn positions(count: usize, width: usize) -> Vec<f32> {
    let sines = width.div_ceil(2);
    let mut table = Vec::with_capacity(count * width);
    for position in 0..count {
        let angle =
            |j: usize| position as f64 / 10_000f64.powf(2.0 * (j / 2) as f64 / width as f64);
        table.extend((0..sines).map(|i| angle(2 * i).sin() as f32));
        table.extend((0..width - sines).map(|i| angle(2 * i + 1).cos() as f32));
    }
    table
}

pub(super) fn build(config: &Config, loader: &Loader, variant: Variant) -> Result<EncoderDecoder> {
    let width = config.d_model;
    let check = |heads: usize, key: &str| {
        if heads > 0 && width.is_multiple_of(heads) && width > 0 {
            return Ok(Shape {
                heads,
                width: width / heads,
                scale: 1.0 / ((width / heads) as f32).sqrt(),
            });
        }
        Err(Error::UnsupportedModel {
            path: loader.path().to_path_buf(),
            message: format!("`{key}` is {heads}, which does not divide `d_model`, {width}"),
        })
    };
    let function = Function::deserialize(config.activation_function.as_str().into_deserializer())
        .map_err(|error: serde::de::value::Error| Error::UnsupportedModel {
        path: loader.path().to_path_buf(),
        message: format!("`activation_function`: {error}"),
    })?;
    let encoder_shape = check(config.encoder_attention_heads, "encoder_attention_heads")?;
    let decoder_shape = check(config.decoder_attention_heads, "decoder_attention_heads")?;

    let share = config.share_encoder_decoder_embeddings;
    let target_size = if share {
        config.vocab_size
    } else {
        config.decoder_vocab_size.unwrap_or(config.vocab_size)
    };
    let vocabulary = Layout {
        source: if share {
            &[SOURCE, SHARED, TARGET, HEAD]
        } else {
            &[SOURCE, SHARED]
        },
        target: if share {
            &[TARGET, SHARED, SOURCE, HEAD]
        } else {
            &[TARGET, HEAD]
        },
        head: HEAD,
        sizes: (config.vocab_size, target_size),
        padded: false,
        width,
        tied: if config.tie_word_embeddings {
            Tied::Yes {
                initial: config.init_std,
            }
        } else {
            Tied::No
        },
    }
    .load(loader)?;
    let head_bias = loader
        .contains("final_logits_bias")
        .then(|| loader.vector("final_logits_bias", &[1, target_size]))
        .transpose()?;
    let scale = if config.scale_embedding {
        (width as f32).sqrt()
    } else {
        1.0
    };

    let norm = |name: &str| -> Result<Norm> {
        Ok(Norm {
            weight: loader.vector(&format!("{name}.weight"), &[width])?,
            bias: Some(loader.vector(&format!("{name}.bias"), &[width])?),
            epsilon: 1e-5,
        })
    };
    let self_attention = |prefix: &str| -> Result<SelfAttention> {
        Ok(SelfAttention {
            qkv: loader.linear(
                &format!("{prefix}.self_attn."),
                &["q_proj", "k_proj", "v_proj"],
                width,
                width,
                Bias::All,
            )?,
            out: loader.linear(
                &format!("{prefix}.self_attn."),
                &["out_proj"],
                width,
                width,
                Bias::All,
            )?,
            norm: norm(&format!("{prefix}.self_attn_layer_norm"))?,
        })
    };
    let feed_forward = |prefix: &str, wide: usize| -> Result<FeedForward> {
        Ok(FeedForward {
            first: loader.linear(prefix, &[".fc1"], wide, width, Bias::All)?,
            second: loader.linear(prefix, &[".fc2"], width, wide, Bias::All)?,
            function,
            gated: false,
            norm: norm(&format!("{prefix}.final_layer_norm"))?,
        })
    };
    let encoder_layers = (0..config.encoder_layers)
        .map(|number| {
            let prefix = format!("model.encoder.layers.{number}");
            Ok(EncoderLayer {
                attention: self_attention(&prefix)?,
                feed_forward: feed_forward(&prefix, config.encoder_ffn_dim)?,
            })
        })
        .collect::<Result<_>>()?;
    let decoder_layers = (0..config.decoder_layers)
        .map(|number| {
            let prefix = format!("model.decoder.layers.{number}");
            let cross = format!("{prefix}.encoder_attn.");
            Ok(DecoderLayer {
                attention: self_attention(&prefix)?,
                cross: CrossAttention {
                    q: loader.linear(&cross, &["q_proj"], width, width, Bias::All)?,
                    kv: loader.linear(&cross, &["k_proj", "v_proj"], width, width, Bias::All)?,
                    out: loader.linear(&cross, &["out_proj"], width, width, Bias::All)?,
                    norm: norm(&format!("{prefix}.encoder_attn_layer_norm"))?,
                },
                feed_forward: feed_forward(&prefix, config.decoder_ffn_dim)?,
            })
        })
        .collect::<Result<_>>()?;
    let final_norm = |side: &str| {
        variant
            .final_norm
            .then(|| norm(&format!("model.{side}.layer_norm")))
            .transpose()
    };

    let start = config
        .decoder_start_token_id
        .or(config.pad_token_id)
        .ok_or_else(|| Error::UnsupportedModel {
            path: loader.path().to_path_buf(),
            message: "`decoder_start_token_id` is missing".to_owned(),
        })?;
    Ok(EncoderDecoder {
        encoder: Side {
            embedding: Embedding {
                matrix: vocabulary.source,
                scale,
                positions: Positions::Table(variant.source_positions),
            },
            layers: encoder_layers,
            norm: final_norm("encoder")?,
            shape: encoder_shape,
            bias: None,
        },
        decoder: Side {
            embedding: Embedding {
                matrix: vocabulary.target,
                scale,
                positions: Positions::Table(variant.target_positions),
            },
            layers: decoder_layers,
            norm: final_norm("decoder")?,
            shape: decoder_shape,
            bias: None,
        },
        head: Linear {
            matrix: vocabulary.head,
            bias: head_bias,
        },
        head_scale: 1.0,
        placement: variant.placement,
        width,
        start,
        limit: Some(config.max_position_embeddings),
    })
}
