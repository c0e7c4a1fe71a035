//! What callers choose: how models are loaded, how text is decoded, and how they watch it.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::Error;
use crate::registry::{Prefer, Registry};
use crate::store::{Event, StoreOptions};

/// Where networks run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Device {
    /// The first that this build has and that works: an NVIDIA card, an Apple card, the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// NVIDIA cards, by number, at least one; one copy of the network on each.
    Cuda(Vec<usize>),
    /// An Apple card.
    Metal,
    /// So many copies of the network on the processor, run as on a card: what tests run everything
    /// with that a card needs, where there is none. Slower than [`Device::Cpu`].
    #[doc(hidden)]
    CpuTensors(usize),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(usize::to_string).collect();
                write!(f, "cuda:{}", numbers.join(","))
            }
            Self::Metal => f.write_str("metal"),
            Self::CpuTensors(copies) => write!(f, "cpu-tensors:{copies}"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::Usage {
            message: format!("unknown device `{text}`"),
            hint: Some(
                "the devices are `auto`, `cpu`, `cuda`, `cuda:N`, `cuda:N,M` and `metal`"
                    .to_owned(),
            ),
        };
        match text.split_once(':') {
            None => match text {
                "auto" => Ok(Self::Auto),
                "cpu" => Ok(Self::Cpu),
                "cuda" => Ok(Self::Cuda(vec![0])),
                "metal" => Ok(Self::Metal),
                "cpu-tensors" => Ok(Self::CpuTensors(1)),
                _ => Err(unknown()),
            },
            Some(("cuda", numbers)) => {
                let numbers: Vec<usize> = numbers
                    .split(',')
                    .map(|number| number.parse().map_err(|_| unknown()))
                    .collect::<Result<_, _>>()?;
                let twice = (1..numbers.len()).find(|&i| numbers[..i].contains(&numbers[i]));
                if let Some(place) = twice {
                    return Err(Error::Usage {
                        message: format!("device `{text}` names card {} twice", numbers[place]),
                        hint: Some("name each card once, as in `cuda:0,1`".to_owned()),
                    });
                }
                Ok(Self::Cuda(numbers))
            }
            Some(("cpu-tensors", copies)) => match copies.parse() {
                Ok(copies @ 1..=16) => Ok(Self::CpuTensors(copies)),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

/// How weights and products are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Precision {
    /// The fastest that keeps quality; a GGUF file is always run as it is stored.
    #[default]
    Auto,
    /// Float32.
    F32,
    /// Bfloat16; on a graphics card.
    Bf16,
    /// Float16; on a graphics card, and not for T5, whose states are too large for it.
    F16,
    /// Eight bits a weight; on the processor.
    Q8,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::Q8 => "q8",
        })
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            "f16" => Ok(Self::F16),
            "q8" => Ok(Self::Q8),
            _ => Err(Error::Usage {
                message: format!("unknown precision `{text}`"),
                hint: Some("the precisions are `auto`, `f32`, `bf16`, `f16` and `q8`".to_owned()),
            }),
        }
    }
}

/// Receives what the store does while a model is loaded; see [`Event`].
pub type LoadObserver = Arc<dyn Fn(&Event<'_>) -> ControlFlow<()> + Send + Sync>;

/// Which models are used, where they come from and where they run.
#[derive(Clone)]
pub struct LoadOptions {
    /// An id, a directory or a `.gguf` file; `None` for the best of the registry's lists.
    pub model: Option<String>,
    /// Which of the registry's lists a model is chosen from, where none is named.
    pub prefer: Prefer,
    /// The catalogue; `None` for the built-in one.
    pub registry: Option<Registry>,
    /// Where files are kept and how the network is used.
    pub store: StoreOptions,
    /// Where networks run.
    pub device: Device,
    /// How weights are held.
    pub precision: Precision,
    /// Told of downloads and choices; may stop them.
    pub observer: Option<LoadObserver>,
}

impl Default for LoadOptions {
    /// The built-in catalogue, and the cache that the environment names
    /// ([`StoreOptions::from_environment`]).
    fn default() -> Self {
        Self {
            model: None,
            prefer: Prefer::Fast,
            registry: None,
            store: StoreOptions::from_environment(),
            device: Device::Auto,
            precision: Precision::Auto,
            observer: None,
        }
    }
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("model", &self.model)
            .field("prefer", &self.prefer)
            .field("store", &self.store)
            .field("device", &self.device)
            .field("precision", &self.precision)
            .finish_non_exhaustive()
    }
}

/// How text is decoded.
#[derive(Debug, Clone, Default)]
pub struct Decoding {
    /// Hypotheses kept for each segment; 1 is greedy, `None` the model's own choice. More than one
    /// is an error for models that are decoded greedily.
    pub beams: Option<usize>,
    /// Most tokens of one output; `None` for a limit that follows from the input and from what the
    /// makers of the model allow. An error for Firefox models, which have a limit of their own.
    pub max_tokens: Option<usize>,
    /// No sequence of this many tokens comes twice in one output; `None` for the model's own choice.
    /// Models that are decoded greedily take no notice.
    pub no_repeat_ngram: Option<usize>,
    /// Most tokens in a batch, prompts and expected answers counted; bounds the memory. `None` for
    /// what suits the device: 8192 on the processor, as many as there is memory for on a card.
    pub batch_tokens: Option<usize>,
}
