//! A directory in Hugging Face layout: which family it holds, by its `config.json`.
//!
//! Reading the network is left to the families, reading how it is decoded to
//! [`generation`](super::generation).

use std::path::Path;

use serde_json::Value;

use super::encoder_decoder::EncoderDecoder;
use super::generation::Settings;
use super::loader::{Loader, Precision};
use super::{m2m100, marian, t5};
use crate::error::{Error, Result};
use crate::registry::Family;

/// Architectures that a directory may hold, for messages.
const SUPPORTED: &str = "`marian`, `m2m_100`, `t5` and `mt5`";

/// What a directory holds.
pub(crate) struct Loaded {
    /// The network.
    pub(crate) model: EncoderDecoder,
    /// How its makers want it decoded.
    pub(crate) settings: Settings,
}

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

/// Loads the network of a directory that [`describe`] described. `prepared` is where quantized
/// weights are kept for the next start.
///
/// # Errors
///
/// [`Error::UnsupportedModel`] for a value that no family here has, [`Error::CorruptModel`] for a
/// damaged file.
pub(crate) fn load(
    directory: &Path,
    (family, config): (Family, &Value),
    precision: Precision,
    prepared: Option<&Path>,
) -> Result<Loaded> {
    let path = directory.join("config.json");
    let settings = Settings::read(directory, config)?;
    // Told before the weights are read, which takes a while.
    settings.search(None)?;
    let mut config = config.clone();
    if let (Some(start), Some(config)) = (settings.start()?, config.as_object_mut()) {
        config.insert("decoder_start_token_id".to_owned(), start.into());
    }
    let config = &config;
    let build = |loader: &Loader| match family {
        Family::Marian => marian::load(&parse(config, &path)?, loader),
        Family::M2m100 => m2m100::load(&parse(config, &path)?, loader),
        _ => t5::load(&parse(config, &path)?, loader),
    };
    let mut loader = Loader::open(directory, precision, prepared)?;
    let mut model = build(&loader);
    if model.is_err() && loader.make_anew(prepared) {
        model = build(&loader);
    }
    let model = model?;
    // Without room for it the network still works; the next start takes as long as this one.
    let _ = loader.finish();
    Ok(Loaded { model, settings })
}

/// Reads a file of JSON.
pub(super) fn read_json(path: &Path) -> Result<Value> {
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
