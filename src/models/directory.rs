//! A directory in Hugging Face layout: which family it holds, and how its makers want it decoded.
//!
//! `config.json` names the family; `generation_config.json` (or, in older repositories,
//! `config.json` itself) the decoding.

use std::path::Path;

use candle_core::DType;
use serde_json::Value;

use super::encoder_decoder::EncoderDecoder;
use super::loader::{Loader, Precision};
use super::tensor::{self, Form};
use super::{TokenId, m2m100, marian, t5};
use crate::error::{Error, Result};
use crate::generate::{Constraints, EarlyStopping, Search};
use crate::registry::Family;
use crate::{device, options};

/// Architectures that a directory may hold, for messages.
const SUPPORTED: &str = "`marian`, `m2m_100`, `t5` and `mt5`";

/// Reads which family a directory holds, and its `config.json`.
///
/// # Errors
///
/// [`Error::UnsupportedModel`] for another architecture, [`Error::CorruptModel`] and
/// [`Error::Io`] for a file that cannot be read.
pub(crate) fn describe(directory: &Path) -> Result<(Family, Value)> {
    let config = read_json(&directory.join("config.json"))?;
    let family = match config.get("model_type").and_then(Value::as_str) {
        Some("marian") => Family::Marian,
        Some("m2m_100") => Family::M2m100,
        Some("t5" | "mt5") => Family::T5,
        kind => {
            let what = kind.map_or("missing".to_owned(), |kind| format!("`{kind}`"));
            let message = format!("`model_type` is {what}; {SUPPORTED} can be run");
            return Err(Error::UnsupportedModel {
                path: directory.to_path_buf(),
                message,
            });
        }
    };
    Ok((family, config))
}

/// Loads the network of a directory that [`describe`] described, to run by newsml's own kernels.
/// `prepared` is where quantized weights are kept for the next start.
///
/// # Errors
///
/// [`Error::UnsupportedModel`] for a value that no family here has, [`Error::CorruptModel`] for a
/// damaged file.
pub(crate) fn load(
    directory: &Path,
    described: (Family, &Value),
    precision: Precision,
    prepared: Option<&Path>,
) -> Result<EncoderDecoder> {
    let loader = Loader::open(directory, precision, prepared)?;
    let model = network(directory, described, &loader)?;
    // Without room for it the network still works; the next start takes as long as this one.
    let _ = loader.finish();
    Ok(model)
}

/// Loads the network of a directory that [`describe`] described, as tensors on a device.
///
/// # Errors
///
/// As [`load`], and [`Error::Usage`] for a precision that the family or the device cannot use.
pub(crate) fn load_on(
    directory: &Path,
    (family, config): (Family, &Value),
    precision: options::Precision,
    device: &candle_core::Device,
) -> Result<tensor::encoder_decoder::EncoderDecoder> {
    let form = Form {
        device: device.clone(),
        dtype: type_on(device, family, precision)?,
    };
    let loader = Loader::open_on(directory, &form)?;
    let network = network(directory, (family, config), &loader)?;
    tensor::encoder_decoder::EncoderDecoder::new(&network, form)
}

/// The type of a family's weights on a device.
fn type_on(
    device: &candle_core::Device,
    family: Family,
    precision: options::Precision,
) -> Result<DType> {
    let unusable = |message: &str, hint: &str| {
        Err(Error::Usage {
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        })
    };
    match precision {
        options::Precision::F32 => Ok(DType::F32),
        options::Precision::Bf16 => Ok(DType::BF16),
        // Its states grow beyond 65,504.
        options::Precision::F16 if family == Family::T5 => unusable(
            "`--precision f16` is too small for the states of a T5 model",
            "use `auto`, `bf16` or `f32`",
        ),
        options::Precision::F16 => Ok(DType::F16),
        options::Precision::Q8 => unusable(
            "`--precision q8` is not supported on a graphics card",
            "use `auto`, `bf16`, `f16` or `f32`, or `--device cpu`",
        ),
        options::Precision::Auto if device.is_cpu() => Ok(DType::F32),
        options::Precision::Auto => Ok(match device::half(device) {
            DType::F16 if family == Family::T5 => DType::F32,
            half => half,
        }),
    }
}

fn network(
    directory: &Path,
    (family, config): (Family, &Value),
    loader: &Loader,
) -> Result<EncoderDecoder> {
    let path = directory.join("config.json");
    match family {
        Family::Marian => marian::load(&parse(config, &path)?, loader),
        Family::M2m100 => m2m100::load(&parse(config, &path)?, loader),
        _ => t5::load(&parse(config, &path)?, loader),
    }
}

/// How the makers of a directory want its network decoded.
///
/// # Errors
///
/// [`Error::CorruptModel`] and [`Error::Io`] for a file that cannot be read.
pub(crate) fn decoding(directory: &Path, config: &Value) -> Result<Search> {
    let path = directory.join("generation_config.json");
    let generation = if path.is_file() {
        read_json(&path)?
    } else {
        Value::Null
    };
    Ok(search(config, &generation))
}

fn read_json(path: &Path) -> Result<Value> {
    let text = std::fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&text).map_err(|error| Error::CorruptModel {
        path: path.to_path_buf(),
        message: error.to_string(),
    })
}

fn parse<T: serde::de::DeserializeOwned>(config: &Value, path: &Path) -> Result<T> {
    serde_json::from_value(config.clone()).map_err(|error| Error::UnsupportedModel {
        path: path.to_path_buf(),
        message: error.to_string(),
    })
}

/// How the makers want the network decoded: `generation_config.json` first, then what older
/// repositories keep in `config.json`, there also under `task_specific_params` of a summary.
fn search(config: &Value, generation: &Value) -> Search {
    let task = config
        .get("task_specific_params")
        .and_then(|tasks| tasks.get("summarization"));
    let get = |key: &str| {
        let sources = [Some(generation), Some(config), task];
        sources
            .into_iter()
            .flatten()
            .filter_map(|source| source.get(key))
            .find(|value| !value.is_null())
    };
    let token = |key: &str| {
        get(key)
            .and_then(Value::as_u64)
            .and_then(|id| TokenId::try_from(id).ok())
    };
    let tokens = |key: &str| -> Vec<TokenId> {
        match get(key) {
            Some(Value::Array(ids)) => ids
                .iter()
                .filter_map(Value::as_u64)
                .filter_map(|id| TokenId::try_from(id).ok())
                .collect(),
            _ => token(key).into_iter().collect(),
        }
    };
    let number = |key: &str| {
        get(key)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
    };
    let float = |key: &str| get(key).and_then(Value::as_f64).map(|x| x as f32);
    let bad_words = get("bad_words_ids")
        .and_then(Value::as_array)
        .map_or(Vec::new(), |words| {
            let ids = |word: &Value| -> Option<Vec<TokenId>> {
                word.as_array()?
                    .iter()
                    .map(|id| TokenId::try_from(id.as_u64()?).ok())
                    .collect()
            };
            words
                .iter()
                .filter_map(ids)
                .filter(|word| !word.is_empty())
                .collect()
        });
    let early_stopping = match get("early_stopping") {
        Some(Value::Bool(true)) => EarlyStopping::Yes,
        Some(Value::String(never)) if never == "never" => EarlyStopping::Never,
        _ => EarlyStopping::No,
    };
    Search {
        beams: number("num_beams").unwrap_or(1).max(1),
        best: 1,
        length_penalty: float("length_penalty").unwrap_or(1.0),
        early_stopping,
        // Without a limit of its own a checkpoint gets as many tokens as it has positions.
        max_new: number("max_new_tokens")
            .or_else(|| {
                number("max_length")
                    .filter(|&length| length > 20)
                    .map(|length| length.saturating_sub(1))
            })
            .or_else(|| number("max_position_embeddings").map(|length| length.saturating_sub(1)))
            .unwrap_or(511),
        end: tokens("eos_token_id"),
        renormalize: get("renormalize_logits")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        constraints: Constraints {
            repetition_penalty: float("repetition_penalty").unwrap_or(1.0),
            no_repeat_ngram: number("no_repeat_ngram_size").unwrap_or(0),
            bad_words,
            min_new: number("min_new_tokens")
                .or_else(|| number("min_length").map(|length| length.saturating_sub(1)))
                .unwrap_or(0),
            forced_first: token("forced_bos_token_id"),
            forced_last: token("forced_eos_token_id"),
        },
        phrases: Vec::new(),
    }
}
