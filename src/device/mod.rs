//! From the device that was asked for to the places where networks run.
//!
//! Opens graphics cards and says why one cannot be opened; knows what they compute in and how much
//! memory is free. What a network is made of there is in `networks::runtime`.

#[cfg(all(feature = "cuda", target_os = "linux", target_arch = "x86_64"))]
mod lazy;

mod free;

use candle_core::{DType, Device};

pub(crate) use free::free_memory;

use crate::error::{Error, Result};
use crate::options;

/// Where one copy of a network runs.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// On the processor, by newsml's own kernels.
    Kernels,
    /// As candle tensors, on whatever device those support.
    Tensors(Device),
}

/// Where the copies of a network run.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// One for each copy; at least one.
    pub(crate) places: Vec<Place>,
    /// The device in words, and why it is this one; no period.
    pub(crate) choice: String,
    /// Whether it was chosen here, and not by the caller.
    is_auto: bool,
}

impl Places {
    /// Opens what was asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] where it is not there, or this build cannot use it; [`Error::Usage`] where
    /// no card is named.
    pub(crate) fn open(wanted: &options::Device) -> Result<Self> {
        let unusable = |(message, hint): (String, &str)| Error::Device {
            device: wanted.to_string(),
            message,
            hint: hint.to_owned(),
        };
        let places = match wanted {
            options::Device::Auto => return Ok(Self::first_that_works()),
            options::Device::Cpu => vec![Place::Kernels],
            options::Device::Cuda(numbers) if numbers.is_empty() => {
                return Err(Error::Usage {
                    message: "no card is named".to_owned(),
                    hint: Some("name one by its number, as in `cuda:0`".to_owned()),
                });
            }
            options::Device::Cuda(numbers) => numbers
                .iter()
                .map(|&number| cuda(number).map(Place::Tensors).map_err(unusable))
                .collect::<Result<_>>()?,
            options::Device::Metal => vec![Place::Tensors(metal().map_err(unusable)?)],
            options::Device::CpuTensors(copies) => {
                vec![Place::Tensors(Device::Cpu); (*copies).max(1)]
            }
        };
        Ok(Self {
            places,
            choice: format!("`{wanted}`, as asked for"),
            is_auto: false,
        })
    }

    /// Has a network loaded here or, where the caller did not name the device and its memory is too
    /// small for the network, on the processor; `falls_back` is told then.
    pub(crate) fn load<T>(
        &self,
        mut load: impl FnMut(&Self) -> Result<T>,
        falls_back: impl FnOnce() -> Result<()>,
    ) -> Result<T> {
        match load(self) {
            Err(error) if self.is_auto && !self.are_kernels() && is_out_of_memory(&error) => {
                falls_back()?;
                let too_small = "the first that works has too little memory".to_owned();
                match load(&Self::chosen(Place::Kernels, "cpu", &[too_small])) {
                    // Something was asked for that only a card can do.
                    Err(Error::Usage { .. }) => Err(error),
                    found => found,
                }
            }
            found => found,
        }
    }

    fn first_that_works() -> Self {
        let mut missing = Vec::new();
        if cfg!(feature = "cuda") {
            match cuda(0) {
                Ok(device) => return Self::chosen(Place::Tensors(device), "cuda:0", &missing),
                Err((message, _)) => missing.push(format!("`cuda` cannot be used: {message}")),
            }
        }
        if cfg!(feature = "metal") {
            match metal() {
                Ok(device) => return Self::chosen(Place::Tensors(device), "metal", &missing),
                Err((message, _)) => missing.push(format!("`metal` cannot be used: {message}")),
            }
        }
        if missing.is_empty() {
            missing.push("this build has no other".to_owned());
        }
        Self::chosen(Place::Kernels, "cpu", &missing)
    }

    fn chosen(place: Place, name: &str, missing: &[String]) -> Self {
        let why = if missing.is_empty() {
            "the first that works".to_owned()
        } else {
            missing.join("; ")
        };
        Self {
            places: vec![place],
            choice: format!("`{name}`: {why}"),
            is_auto: true,
        }
    }

    /// Bytes that are in use on the devices, by whomever; `None` where they do not tell.
    pub(crate) fn memory_in_use(&self) -> Option<usize> {
        let in_use = |place: &Place| match place {
            Place::Kernels => None,
            Place::Tensors(device) => memory(device).map(|(free, all)| all.saturating_sub(free)),
        };
        self.places.iter().map(in_use).sum()
    }

    /// Whether networks run by newsml's own kernels.
    pub(crate) fn are_kernels(&self) -> bool {
        matches!(self.places.as_slice(), [Place::Kernels])
    }
}

/// Why a device cannot be used, and what to do.
type Unusable = (String, &'static str);

#[cfg(not(feature = "cuda"))]
fn cuda(_number: usize) -> std::result::Result<Device, Unusable> {
    Err((
        "this build of newsml was made without CUDA".to_owned(),
        "build it with `cargo install --path . --features cuda`, or use `--device cpu`",
    ))
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> std::result::Result<Device, Unusable> {
    const HINT: &str = "see whether `nvidia-smi` shows the card, or use `--device cpu`";
    #[cfg(all(feature = "cuda", target_os = "linux", target_arch = "x86_64"))]
    if let Some(missing) = lazy::missing() {
        return Err(match missing {
            lazy::Missing::Driver => {
                let message = "no NVIDIA driver was found on this machine".to_owned();
                (message, HINT)
            }
            lazy::Missing::Library(file) => (
                format!("`{file}` of the CUDA toolkit was not found"),
                "name its folder in `LD_LIBRARY_PATH`, or use `--device cpu`",
            ),
            lazy::Missing::Function(name, file) => (
                format!("`{file}` has no function `{name}`"),
                "use a driver and a toolkit no older than those that newsml was built with, or `--device cpu`",
            ),
        });
    }
    let failed = |error: candle_core::Error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        (format!("the driver says {line}"), HINT)
    };
    // A stream of its own orders all work on the card, whichever thread asks for it.
    let device = Device::new_cuda_with_stream(number).map_err(failed)?;
    if let Device::Cuda(cuda) = &device {
        // SAFETY: all tensors of this device are made, used and freed on its one stream, so that
        // none has to wait for another stream's use of it.
        unsafe { cuda.disable_event_tracking() };
        let (major, minor) = cuda
            .cuda_stream()
            .context()
            .compute_capability()
            .unwrap_or_default();
        // Opening a card runs nothing: whether it runs what this program was built for shows here.
        computes(&device, half(&device)).map_err(|error| {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            let hint = if is_out_of_memory(&error.into()) {
                "see with `nvidia-smi` what takes its memory, or use `--device cpu`"
            } else {
                "build newsml with `CUDA_COMPUTE_CAP` set to the card's, as in 80 for 8.0, or use `--device cpu`"
            };
            (
                format!("a first product on the card, of compute capability {major}.{minor}, failed: {line}"),
                hint,
            )
        })?;
    }
    Ok(device)
}

/// Multiplies, reduces and reads back a little on a device, in the type that it will compute in.
#[cfg(any(feature = "cuda", test))]
fn computes(device: &Device, dtype: DType) -> candle_core::Result<()> {
    let size = 16;
    let ones = candle_core::Tensor::ones((size, size), dtype, device)?;
    let sums = candle_nn::ops::softmax_last_dim(&ones.matmul(&ones)?)?
        .to_dtype(DType::F32)?
        .sum(1)?
        .to_vec1::<f32>()?;
    if sums.iter().all(|sum| (sum - 1.0).abs() < 0.01) {
        Ok(())
    } else {
        Err(candle_core::Error::msg("the results are wrong"))
    }
}

#[cfg(not(feature = "metal"))]
fn metal() -> std::result::Result<Device, Unusable> {
    Err((
        "this build of newsml was made without Metal".to_owned(),
        "build it with `cargo install --path . --features metal`, or use `--device cpu`",
    ))
}

#[cfg(feature = "metal")]
fn metal() -> std::result::Result<Device, Unusable> {
    Device::new_metal(0).map_err(|error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().to_owned();
        (line, "use `--device cpu`")
    })
}

/// The type of half the size of float32 that a device computes in.
pub(crate) fn half(device: &Device) -> DType {
    match device {
        // Cards before Ampere have no bfloat16.
        #[cfg(feature = "cuda")]
        Device::Cuda(cuda) => match cuda.cuda_stream().context().compute_capability() {
            Ok((major, _)) if major < 8 => DType::F16,
            _ => DType::BF16,
        },
        _ => DType::BF16,
    }
}

/// Bytes that are free on a device and bytes that it has, where it tells them.
pub(crate) fn memory(device: &Device) -> Option<(usize, usize)> {
    match device {
        #[cfg(feature = "cuda")]
        Device::Cuda(cuda) => cuda.cuda_stream().context().mem_get_info().ok(),
        _ => None,
    }
}

/// Whether an error says that a device has too little memory for what was asked of it.
pub(crate) fn is_out_of_memory(error: &Error) -> bool {
    let Error::Inference(error) = error else {
        return false;
    };
    // Driver, cuBLAS and Metal each have an error of their own, wrapped in candle's.
    let text = format!("{error:?} {error}").to_lowercase();
    [
        "out_of_memory",
        "out of memory",
        "outofmemory",
        "alloc_failed",
    ]
    .iter()
    .any(|name| text.contains(name))
}

/// What tests run on: each device that `NEWSML_TEST_DEVICE` names, as in `cuda:0` or
/// `cpu cpu-tensors`, the latter where it is not set.
///
/// A device that is named and not there fails the test: it must not pass unseen.
#[cfg(test)]
#[expect(clippy::panic, reason = "tests")]
pub(crate) fn under_test() -> Vec<Place> {
    let names = std::env::var("NEWSML_TEST_DEVICE").unwrap_or("cpu cpu-tensors".to_owned());
    let open = |name: &str| match name.parse().and_then(|device| Places::open(&device)) {
        Ok(places) => places.places,
        Err(error) => panic!("{error}"),
    };
    names.split_whitespace().flat_map(open).collect()
}

#[cfg(test)]
impl Place {
    /// How far float32 results may be from those of transformers, which were made on a processor.
    pub(crate) fn tolerance(&self) -> f32 {
        match self {
            Self::Tensors(device) if !device.is_cpu() => 1e-3,
            _ => 1e-4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_that_are_not_there_are_errors_that_say_what_to_do() {
        // With the features, only a machine that has such a card can open it.
        if cfg!(not(feature = "cuda")) {
            let error = Places::open(&options::Device::Cuda(vec![0])).err();
            let error = error.map(|error| (error.to_string(), error.hint()));
            assert_eq!(
                error,
                Some((
                    "device `cuda:0` cannot be used: this build of newsml was made without CUDA"
                        .to_owned(),
                    Some(
                        "build it with `cargo install --path . --features cuda`, or use `--device cpu`"
                            .to_owned()
                    )
                ))
            );
        }
        if cfg!(not(feature = "metal")) {
            assert!(Places::open(&options::Device::Metal).is_err());
        }
    }

    #[test]
    fn no_card_is_an_error() {
        let error = Places::open(&options::Device::Cuda(Vec::new())).err();
        let error = error.map(|error| (error.kind(), error.hint()));
        let hint = "name one by its number, as in `cuda:0`".to_owned();
        assert_eq!(error, Some(("usage", Some(hint))));
    }

    #[test]
    fn a_device_that_computes_is_found_to() -> candle_core::Result<()> {
        for place in under_test() {
            if let Place::Tensors(device) = &place {
                for dtype in [DType::F32, half(device)] {
                    computes(device, dtype)?;
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_device_that_is_too_small_is_passed_over_unless_it_was_named() {
        // Stands for a card.
        let places = |is_auto| Places {
            places: vec![Place::Tensors(Device::Cpu)],
            choice: String::new(),
            is_auto,
        };
        let out_of_memory = || Error::from(candle_core::Error::msg("CUDA_ERROR_OUT_OF_MEMORY"));
        let load = |places: &Places, on_processor: Result<&'static str>| {
            let (mut told, mut on_processor) = (false, Some(on_processor));
            let found = places.load(
                |places| {
                    if places.are_kernels() {
                        on_processor.take().unwrap_or_else(|| Err(out_of_memory()))
                    } else {
                        Err(out_of_memory())
                    }
                },
                || {
                    told = true;
                    Ok(())
                },
            );
            (found.map_err(|error| error.kind()), told)
        };
        assert_eq!(load(&places(true), Ok("here")), (Ok("here"), true));
        assert_eq!(load(&places(false), Ok("here")), (Err("inference"), false));
        let usage = || Error::Usage {
            message: String::new(),
            hint: None,
        };
        assert_eq!(load(&places(true), Err(usage())), (Err("inference"), true));
    }

    #[test]
    fn auto_always_finds_one() {
        let found = Places::open(&options::Device::Auto).map(|found| found.places.len());
        assert_eq!(found.ok(), Some(1));
    }
}
