//! Decoder-only networks from GGUF files.
//!
//! A family is one file beside this one, which reads a [`Plan`] from the metadata, and one row of
//! [`FAMILIES`]. The block is written once ([`block`]); how it decodes differs by runtime: [`rows`]
//! without padding on newsml's own kernels, [`columns`] with padding on candle tensors.

mod block;
mod columns;
mod gemma3;
pub(crate) mod gguf;
mod hunyuan;
mod llama;
mod plan;
mod qwen2;
mod qwen3;
mod rows;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use block::Network;
use columns::Columns;
use gguf::Gguf;
use plan::{Facts, Plan};

use super::runtime::padded::Padded;
use super::runtime::spans::Spans;
use super::runtime::tensors::Form;
use crate::decode::Model;
use crate::error::Result;

/// Reads what a file of a family says of its network.
type Family = fn(&Facts<'_>) -> Result<Plan>;

/// By `general.architecture`.
const FAMILIES: [(&str, Family); 5] = [
    ("gemma3", gemma3::plan),
    ("hunyuan-dense", hunyuan::plan),
    ("llama", llama::plan),
    ("qwen2", qwen2::plan),
    ("qwen3", qwen3::plan),
];

/// A network that is ready to decode.
pub(crate) struct Loaded {
    /// The network.
    pub(crate) model: Box<dyn Model>,
    /// Most tokens that a prompt and its continuation may have together.
    pub(crate) context: usize,
}

/// Loads the network of a file to run on newsml's own kernels. `progress` is called with the number
/// of layers loaded and the number of all.
///
/// # Errors
///
/// [`Error::UnsupportedModel`](crate::Error::UnsupportedModel) for an architecture that is not
/// listed, or a file that says something that its family does not have;
/// [`Error::CorruptModel`](crate::Error::CorruptModel) for what is missing or has another shape.
pub(crate) fn load(gguf: &mut Gguf, progress: &mut dyn FnMut(usize, usize)) -> Result<Loaded> {
    let plan = plan(gguf)?;
    let network = Network::load(Spans, gguf, plan, progress)?;
    Ok(Loaded {
        context: network.plan.context,
        model: Box::new(network),
    })
}

/// Loads the network of a file as candle tensors, with weights as they are stored (`quantized`) or
/// as floats; else as [`load`].
pub(crate) fn load_on(
    gguf: &mut Gguf,
    form: Form,
    quantized: bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Loaded> {
    let plan = plan(gguf)?;
    let network = Network::load(Padded { form, quantized }, gguf, plan, progress)?;
    let context = columns::context(&network.plan);
    Ok(Loaded {
        model: Box::new(Columns::new(network)?),
        context,
    })
}

fn plan(gguf: &Gguf) -> Result<Plan> {
    let architecture = gguf.architecture()?;
    let Some((_, family)) = FAMILIES.iter().find(|(name, _)| *name == architecture) else {
        let names: Vec<String> = FAMILIES
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        return Err(gguf.unsupported(format!(
            "`general.architecture` is `{architecture}`; the architectures that newsml runs are {}",
            names.join(", ")
        )));
    };
    let facts = Facts::new(gguf)?;
    let plan = family(&facts)?;
    facts.finish()?;
    Ok(plan)
}
