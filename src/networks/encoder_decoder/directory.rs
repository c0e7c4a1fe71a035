//! A directory in Hugging Face layout: which family it holds, by its `config.json`.
//!
//! Reading the network is left to the families, reading how it is decoded to
//! [`generation`](super::settings).

use std::path::Path;

use candle_core::DType;
use serde_json::Value;

use super::EncoderDecoder;
use super::loader::{Loader, Precision};
use super::settings::Settings;
use super::tensors;
use super::{m2m100, marian, t5};
use crate::error::{Error, Result};
use crate::networks::runtime::tensors::Form;
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
    let mut loader = Loader::open(directory, precision, prepared)?;
    let mut model = network(directory, described, &loader);
    if model.is_err() && loader.make_anew(prepared) {
        model = network(directory, described, &loader);
    }
    let model = model?;
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
) -> Result<tensors::EncoderDecoder> {
    let form = Form {
        device: device.clone(),
        dtype: type_on(device, family, precision)?,
    };
    let loader = Loader::open_on(directory, &form)?;
    let network = network(directory, (family, config), &loader)?;
    tensors::EncoderDecoder::new(&network, form)
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
    let mut config = config.clone();
    let start = Settings::read(directory, &config)?.start()?;
    if let (Some(start), Some(config)) = (start, config.as_object_mut()) {
        config.insert("decoder_start_token_id".to_owned(), start.into());
    }
    match family {
        Family::Marian => marian::load(&parse(&config, &path)?, loader),
        Family::M2m100 => m2m100::load(&parse(&config, &path)?, loader),
        _ => t5::load(&parse(&config, &path)?, loader),
    }
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::HashMap;

    use candle_core::Tensor;
    use serde_json::json;

    use super::*;

    /// What is said of a checkpoint of the fixtures when some of its configuration and of its
    /// tensors is changed.
    fn refused(name: &str, changes: &Value, tensors: &[(&str, &[usize])]) -> String {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name);
        let folder = tempfile::tempdir().unwrap();
        let mut config = read_json(&fixture.join("config.json")).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let device = candle_core::Device::Cpu;
        let mut weights: HashMap<String, Tensor> =
            candle_core::safetensors::load(fixture.join("model.safetensors"), &device).unwrap();
        for &(name, shape) in tensors {
            let zeros = Tensor::zeros(shape, DType::F32, &device).unwrap();
            assert!(weights.insert(name.to_owned(), zeros).is_some(), "{name}");
        }
        candle_core::safetensors::save(&weights, folder.path().join("model.safetensors")).unwrap();
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let (family, config) = describe(folder.path()).unwrap();
        let messages = [Precision::F32, Precision::Q8].map(|precision| {
            let network = load(folder.path(), (family, &config), precision, None);
            network.err().unwrap().to_string()
        });
        assert_eq!(messages[0], messages[1]);
        messages[0].clone()
    }

    #[test]
    fn sizes_that_no_file_backs_are_refused_before_room_is_made_for_them() {
        let huge = 1_u64 << 62;
        for (name, changes, expected) in [
            (
                "marian-tied",
                json!({"max_position_embeddings": 1 << 16, "d_model": 1 << 14}),
                "`max_position_embeddings` is 65536",
            ),
            (
                "m2m100",
                json!({"max_position_embeddings": huge, "d_model": huge}),
                "`max_position_embeddings`",
            ),
            (
                "mt5",
                json!({"num_heads": 100_000, "d_kv": 1, "relative_attention_max_distance": 1 << 16}),
                "`num_heads` is 100000",
            ),
            ("mt5", json!({"num_heads": 4, "d_kv": huge}), "`d_kv`"),
            ("mt5", json!({"d_ff": huge}), "the shape"),
            ("marian-tied", json!({"encoder_ffn_dim": huge}), "the shape"),
        ] {
            let message = refused(name, &changes, &[]);
            assert!(message.contains(expected), "{name} {changes}: {message}");
        }
    }

    #[test]
    fn matrices_that_hold_nothing_are_refused() {
        let message = refused(
            "marian-tied",
            &json!({"encoder_ffn_dim": 0}),
            &[
                ("model.encoder.layers.0.fc1.weight", &[0, 16]),
                ("model.encoder.layers.0.fc1.bias", &[0]),
                ("model.encoder.layers.0.fc2.weight", &[16, 0]),
                ("model.encoder.layers.1.fc1.weight", &[0, 16]),
                ("model.encoder.layers.1.fc1.bias", &[0]),
                ("model.encoder.layers.1.fc2.weight", &[16, 0]),
            ],
        );
        assert!(message.contains("hold nothing"), "{message}");
        let message = refused(
            "mt5",
            &json!({"d_ff": 0, "num_layers": 1, "num_decoder_layers": 1}),
            &[
                (
                    "encoder.block.0.layer.1.DenseReluDense.wi_0.weight",
                    &[0, 16],
                ),
                (
                    "encoder.block.0.layer.1.DenseReluDense.wi_1.weight",
                    &[0, 16],
                ),
                ("encoder.block.0.layer.1.DenseReluDense.wo.weight", &[16, 0]),
                (
                    "decoder.block.0.layer.2.DenseReluDense.wi_0.weight",
                    &[0, 16],
                ),
                (
                    "decoder.block.0.layer.2.DenseReluDense.wi_1.weight",
                    &[0, 16],
                ),
                ("decoder.block.0.layer.2.DenseReluDense.wo.weight", &[16, 0]),
            ],
        );
        assert!(message.contains("hold nothing"), "{message}");
    }
}
