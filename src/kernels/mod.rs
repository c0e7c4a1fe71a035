//! The products that take the time, on the CPU: quantized matrix products, attention.
//!
//! Matrix products take weights of a few bits and activations of eight, and sum in int32.
//! A weight matrix is kept once, in tiles of 16 output columns by 256 inputs, at the size that it
//! has in its file. A tile product handles up to eight rows of activations at a time, so that a
//! batch pays for unpacking the weights once. Which instructions are used is decided when the
//! program runs ([`Backend`]); all backends give the same integer sums, and what a row comes to
//! never depends on the rows beside it.
//!
//! Why not candle's quantized product: on x86 it keeps a second copy of the weights, larger than
//! the first (6 and 10 bits a weight for Q4_K and Q6_K), builds it at first use on one thread, and
//! takes another path for one row than for several, so a batch does not equal its rows.
//!
//! Formats and their meaning are those of ggml (`ggml-quants.h`); see [`packed::Format`].

mod activations;
mod attention;
mod elementwise;
pub(crate) mod float;
pub(crate) mod int8;
mod logits;
mod normalize;
mod packed;
mod pool;
mod rowwise;
mod sequences;
mod simd;
mod tiles;
mod vocabulary;

pub(crate) use activations::{Activations, Grain};
pub(crate) use attention::{Causal, HEAD_STEP, Heads, KeyValues, Queries, causal};
pub(crate) use elementwise::for_each_row;
pub(crate) use logits::{Sums, TiledLogits};
pub(crate) use normalize::{Function, Norm, apply as apply_function, gate};
pub(crate) use packed::{Format, PackedMatrix};
pub(crate) use rowwise::{Int8Activations, Int8Matrix, multiply as multiply_int8};
pub(crate) use sequences::{
    DistanceBias, History, Shape, SourceKeyValues, over_history, over_sources, within_rows,
};
pub(crate) use vocabulary::{Row, Scanned, map_parallel};

/// How many threads share the work; `--threads` and `RAYON_NUM_THREADS` set it.
pub(crate) fn threads() -> usize {
    candle_core::utils::get_num_threads()
}

/// The instructions that the products use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// 512-bit integer dot products.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// 256-bit multiply-and-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Plain Rust.
    Portable,
}

impl Backend {
    /// The best that this machine has.
    pub(crate) fn detect() -> Self {
        #[cfg(test)]
        if let Some(forced) = FORCED.get() {
            return forced;
        }
        *Self::available().first().unwrap_or(&Self::Portable)
    }

    /// All that this machine has, best first.
    pub(crate) fn available() -> &'static [Self] {
        static AVAILABLE: std::sync::OnceLock<Vec<Backend>> = std::sync::OnceLock::new();
        AVAILABLE.get_or_init(|| {
            let mut backends = Vec::new();
            #[cfg(target_arch = "x86_64")]
            {
                let avx2 = is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("f16c");
                if avx2
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
                {
                    backends.push(Self::Avx512Vnni);
                }
                if avx2 {
                    backends.push(Self::Avx2);
                }
            }
            backends.push(Self::Portable);
            backends
        })
    }
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<Backend>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
impl Backend {
    /// Does some work with each backend of this machine, best first, all of it on this thread, and
    /// returns what came of it.
    pub(crate) fn each<T>(work: impl Fn(Self) -> T) -> Vec<T> {
        struct Free;
        impl Drop for Free {
            fn drop(&mut self) {
                FORCED.set(None);
            }
        }
        let _free = Free;
        Self::available()
            .iter()
            .map(|&backend| {
                FORCED.set(Some(backend));
                work(backend)
            })
            .collect()
    }
}

/// Multiplies `(rows, inputs)` activations by matrices that stand side by side: row r of `out` is
/// the concatenation over `parts` of part × activations r.
///
/// `out` has `rows × Σ part.outputs()` places. All parts take the inputs of `activations`.
pub(crate) fn multiply(parts: &[PackedMatrix], activations: &Activations, out: &mut [f32]) {
    multiply_with(Backend::detect(), parts, activations, out);
}

/// [`multiply`] with a chosen backend.
pub(crate) fn multiply_with(
    backend: Backend,
    parts: &[PackedMatrix],
    activations: &Activations,
    out: &mut [f32],
) {
    let stride: usize = parts.iter().map(PackedMatrix::outputs).sum();
    assert_eq!(
        out.len(),
        activations.rows() * stride,
        "output size: this is a bug"
    );
    assert!(
        parts
            .iter()
            .all(|part| part.blocks() == activations.blocks()
                && part.format().grain() == activations.grain()),
        "input size: this is a bug"
    );
    // (first tile, first output column) of each part
    let mut starts = Vec::with_capacity(parts.len());
    let (mut tiles, mut column) = (0, 0);
    for part in parts {
        starts.push((tiles, column));
        tiles += part.tile_rows();
        column += part.outputs();
    }
    let out = OutPointer(out.as_mut_ptr());
    pool::execute_chunked(tiles, |range| {
        let out = &out;
        for tile in range {
            let part = starts.partition_point(|&(first, _)| first <= tile) - 1;
            let (first, column) = starts[part];
            let target = tiles::Target {
                out: out.0,
                stride,
                column,
            };
            // SAFETY: `out` has `rows × stride` places (asserted above), each tile of each part
            // writes its own columns, and every tile is handed out once.
            unsafe {
                tiles::multiply_tile(backend, &parts[part], tile - first, activations, target)
            };
        }
    });
}

/// A pointer that worker threads share; they write to disjoint places.
struct OutPointer(*mut f32);
// SAFETY: whoever shares one sees to it that no two workers touch the same place.
unsafe impl Sync for OutPointer {}

/// Values in −1..1 for tests, the same for the same seed.
#[cfg(test)]
fn noise(seed: usize, count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (((i + 1) * (seed * 2 + 7919)) % 2003) as f32 / 1001.5 - 1.0)
        .collect()
}
