//! Marian checkpoints: opus-mt and opus-mt-tc-big.
//!
//! Norms after each block, sinusoidal positions, biases everywhere, a bias on the scores. Source:
//! `modeling_marian.py` of transformers; names of tensors are those of the checkpoint.

use super::encoder_decoder::{
    CrossAttention, DecoderLayer, Embedding, EncoderDecoder, EncoderLayer, FeedForward, Placement,
    Positions, SelfAttention, Side,
};
use super::loader::{Bias, Linear, Loader};
use crate::error::{Error, Result};
use crate::kernels::{Function, Norm, Shape};

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
    activation_function: Function,
    #[serde(default)]
    scale_embedding: bool,
    pub(crate) max_position_embeddings: usize,
    pub(crate) decoder_start_token_id: Option<u32>,
    pub(crate) pad_token_id: Option<u32>,
    #[serde(default = "yes")]
    share_encoder_decoder_embeddings: bool,
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

/// What tells Marian and M2M100 apart.
pub(super) struct Variant {
    pub(super) placement: Placement,
    pub(super) positions: Vec<f32>,
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
    let positions = positions(config.max_position_embeddings, config.d_model);
    build(
        config,
        loader,
        Variant {
            placement: Placement::After,
            positions,
            final_norm: false,
        },
    )
}

/// Fails where the table of positions would be larger than any checkpoint needs.
pub(super) fn check_positions(config: &Config, loader: &Loader) -> Result<()> {
    let (count, width) = (config.max_position_embeddings, config.d_model);
    if count <= 1 << 16 && width <= 1 << 14 {
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
    let encoder_shape = check(config.encoder_attention_heads, "encoder_attention_heads")?;
    let decoder_shape = check(config.decoder_attention_heads, "decoder_attention_heads")?;

    let target_size = if config.share_encoder_decoder_embeddings {
        config.vocab_size
    } else {
        config.decoder_vocab_size.unwrap_or(config.vocab_size)
    };
    let first_of = |names: &[&'static str]| -> Result<&'static str> {
        names
            .iter()
            .copied()
            .find(|name| loader.contains(name))
            .ok_or_else(|| Error::CorruptModel {
                path: loader.path().to_path_buf(),
                message: format!("it has none of the tensors `{}`", names.join("`, `")),
            })
    };
    let (source_name, target_name) = if config.share_encoder_decoder_embeddings {
        let names = [
            "model.shared.weight",
            "model.encoder.embed_tokens.weight",
            "model.decoder.embed_tokens.weight",
            "lm_head.weight",
        ];
        let name = first_of(&names)?;
        (name, name)
    } else {
        (
            first_of(&["model.encoder.embed_tokens.weight", "model.shared.weight"])?,
            first_of(&["model.decoder.embed_tokens.weight", "lm_head.weight"])?,
        )
    };
    let source_matrix = loader.matrix(&[(source_name.to_owned(), config.vocab_size)], width)?;
    let target_matrix = if source_name == target_name {
        std::sync::Arc::clone(&source_matrix)
    } else {
        loader.matrix(&[(target_name.to_owned(), target_size)], width)?
    };
    // Whatever the configuration says: a head that is there and differs is the one to use, as
    // transformers does since version 5.
    let head_matrix =
        if loader.contains("lm_head.weight") && !loader.are_equal("lm_head.weight", target_name)? {
            loader.matrix(&[("lm_head.weight".to_owned(), target_size)], width)?
        } else {
            std::sync::Arc::clone(&target_matrix)
        };
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
            function: config.activation_function,
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
                matrix: source_matrix,
                scale,
                positions: Positions::Table(variant.positions.clone()),
            },
            layers: encoder_layers,
            norm: final_norm("encoder")?,
            shape: encoder_shape,
            bias: None,
        },
        decoder: Side {
            embedding: Embedding {
                matrix: target_matrix,
                scale,
                positions: Positions::Table(variant.positions),
            },
            layers: decoder_layers,
            norm: final_norm("decoder")?,
            shape: decoder_shape,
            bias: None,
        },
        head: Linear {
            matrix: head_matrix,
            bias: head_bias,
        },
        head_scale: 1.0,
        placement: variant.placement,
        width,
        start,
        limit: Some(config.max_position_embeddings),
    })
}
