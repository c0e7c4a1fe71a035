//! Products of matrices of signed bytes with one scale an output, sums over all inputs in int32.
//!
//! Quantized on load from float checkpoints: weights with the largest magnitude of each output at
//! 127, activations with the largest magnitude of each row at 127. One scale for all inputs lets
//! the whole sum run in integers, which is where the speed comes from; formats with a scale for
//! every 32 inputs are in [`super::packed`]. A row's result never depends on the rows beside it.

use super::elementwise::{Arithmetic, dispatch};
use super::{Backend, OutPointer, simd};

/// Outputs in a tile.
const TILE: usize = 32;
/// Most rows of activations that are multiplied together.
const GROUP: usize = 8;

/// A weight matrix of `outputs × inputs`.
///
/// In tiles of 32 outputs: for each 4 inputs the 4 weights of each of the 32 outputs, as bytes
/// with 128 added. What is missing to whole tiles is zero.
pub(crate) struct Int8Matrix {
    outputs: usize,
    inputs: usize,
    /// Dwords of 4 weights: `(tiles, inputs / 4, 32)`.
    data: Vec<u32>,
    /// One an output.
    scales: Vec<f32>,
}

impl Int8Matrix {
    /// Makes room for a matrix whose rows follow with [`Self::push_rows`].
    pub(crate) fn with_capacity(outputs: usize, inputs: usize) -> Self {
        let tiles = outputs.div_ceil(TILE);
        let data = vec![0x8080_8080; tiles * inputs.div_ceil(4) * TILE];
        Self {
            outputs,
            inputs,
            data,
            scales: Vec::with_capacity(outputs),
        }
    }

    /// Quantizes the next outputs: `(some, inputs)` floats.
    pub(crate) fn push_rows(&mut self, rows: &[f32]) {
        let first = self.scales.len();
        assert!(
            rows.len() / self.inputs <= self.outputs - first,
            "too many rows: this is a bug"
        );
        let mut quants = vec![0i8; self.inputs.next_multiple_of(4)];
        for (output, row) in rows.chunks_exact(self.inputs).enumerate() {
            let mut scale = 0.0;
            quantize_row(row, &mut quants, &mut scale, &mut 0);
            self.scales.push(scale);
            self.put(first + output, &quants);
        }
    }

    /// Takes outputs that were quantized before: their bytes and scales.
    pub(crate) fn from_quantized(
        outputs: usize,
        inputs: usize,
        quants: &[i8],
        scales: Vec<f32>,
    ) -> Self {
        assert_eq!(
            (quants.len(), scales.len()),
            (outputs * inputs, outputs),
            "matrix size: this is a bug"
        );
        let mut matrix = Self::with_capacity(outputs, inputs);
        let mut padded = vec![0i8; inputs.next_multiple_of(4)];
        for (output, row) in quants.chunks_exact(inputs).enumerate() {
            padded[..inputs].copy_from_slice(row);
            matrix.put(output, &padded);
        }
        matrix.scales = scales;
        matrix
    }

    fn put(&mut self, output: usize, quants: &[i8]) {
        let depth = self.inputs.div_ceil(4);
        let tile = &mut self.data[output / TILE * depth * TILE..][..depth * TILE];
        for (four, quants) in tile.chunks_exact_mut(TILE).zip(quants.as_chunks::<4>().0) {
            four[output % TILE] = u32::from_le_bytes(quants.map(|q| (q as u8) ^ 0x80));
        }
    }

    /// The bytes of one output, `inputs` of them.
    pub(crate) fn quants(&self, output: usize, out: &mut [i8]) {
        let depth = self.inputs.div_ceil(4);
        let tile = &self.data[output / TILE * depth * TILE..][..depth * TILE];
        for (out, four) in out.chunks_mut(4).zip(tile.chunks_exact(TILE)) {
            let bytes = four[output % TILE].to_le_bytes();
            out.iter_mut()
                .zip(bytes)
                .for_each(|(out, byte)| *out = (byte ^ 0x80) as i8);
        }
    }

    /// The weights of one output as floats.
    pub(crate) fn row(&self, output: usize, out: &mut [f32]) {
        let depth = self.inputs.div_ceil(4);
        let tile = &self.data[output / TILE * depth * TILE..][..depth * TILE];
        let scale = self.scales[output];
        for (out, four) in out.chunks_mut(4).zip(tile.chunks_exact(TILE)) {
            let bytes = four[output % TILE].to_le_bytes();
            out.iter_mut()
                .zip(bytes)
                .for_each(|(out, byte)| *out = f32::from((byte ^ 0x80) as i8) * scale);
        }
    }

    /// One scale an output.
    pub(crate) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// How many outputs there are.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// How many inputs there are.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }
}

/// Rows of activations, quantized.
#[derive(Default)]
pub(crate) struct Int8Activations {
    rows: usize,
    /// Dwords of 4 values: `(rows, inputs / 4)`.
    data: Vec<u32>,
    scales: Vec<f32>,
    /// −128 times the sum of a row: takes off what the offset of the weights adds.
    corrections: Vec<u32>,
}

impl Int8Activations {
    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Quantizes `(rows, inputs)` values in place of what was held before.
    pub(crate) fn quantize(&mut self, xs: &[f32], inputs: usize) {
        let rows = xs.len() / inputs;
        let depth = inputs.div_ceil(4);
        self.rows = rows;
        self.data.resize(rows * depth, 0);
        self.scales.resize(rows, 0.0);
        self.corrections.resize(rows, 0);
        let data = OutPointer(self.data.as_mut_ptr().cast());
        let scales = OutPointer(self.scales.as_mut_ptr());
        let corrections = OutPointer(self.corrections.as_mut_ptr().cast());
        let work = |range: std::ops::Range<usize>| {
            let (data, scales, corrections) = (&data, &scales, &corrections);
            for row in range {
                // SAFETY: each row has its own places, all within the vectors sized above.
                let (quants, scale, correction) = unsafe {
                    let quants = data.0.add(row * depth).cast::<i8>();
                    (
                        std::slice::from_raw_parts_mut(quants, depth * 4),
                        &mut *scales.0.add(row),
                        &mut *corrections.0.add(row).cast::<i32>(),
                    )
                };
                quantize_row(
                    &xs[row * inputs..(row + 1) * inputs],
                    quants,
                    scale,
                    correction,
                );
                *correction *= -128;
            }
        };
        if xs.len() < 1 << 14 || rows < 2 {
            work(0..rows);
        } else {
            super::pool::execute_chunked(rows, work);
        }
    }
}

#[inline(always)]
fn quantize_row_body<A: Arithmetic>(
    row: &[f32],
    quants: &mut [i8],
    scale: &mut f32,
    sum: &mut i32,
) {
    let mut largest = [0f32; 16];
    let (chunks, rest) = row.as_chunks::<16>();
    for chunk in chunks {
        largest
            .iter_mut()
            .zip(chunk)
            .for_each(|(a, b)| *a = a.max(b.abs()));
    }
    let largest = largest
        .iter()
        .chain(rest)
        .fold(0f32, |a, &b| a.max(b.abs()));
    *scale = largest / 127.0;
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    // Adding 1.5 × 2^23 rounds to an integer, which stands in the low bits.
    for (quant, value) in quants.iter_mut().zip(row) {
        *quant = A::mul_add(*value, inverse, 12_582_912.0).to_bits() as i8;
    }
    quants[row.len()..].fill(0);
    *sum = quants.iter().map(|&quant| i32::from(quant)).sum();
}

dispatch! {
    /// One row to signed bytes with one scale and their sum; places beyond the row become zero.
    fn quantize_row quantize_row_body(row: &[f32], quants: &mut [i8], scale: &mut f32, sum: &mut i32)
}

/// Multiplies activations by a matrix and adds `bias` where there is one: `(rows, outputs)`.
pub(crate) fn multiply(
    matrix: &Int8Matrix,
    activations: &Int8Activations,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    multiply_with(Backend::detect(), matrix, activations, bias)
}

fn multiply_with(
    backend: Backend,
    matrix: &Int8Matrix,
    activations: &Int8Activations,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let product = Product::new(backend, matrix, activations, bias);
    let (rows, outputs) = (activations.rows, matrix.outputs);
    // Not zeroed first: that takes as long as looking through the result.
    let mut out: Vec<f32> = Vec::with_capacity(rows * outputs);
    let target = OutPointer(out.as_mut_ptr());
    let tiles = outputs.div_ceil(TILE);
    let work = |range: std::ops::Range<usize>| {
        let target = &target;
        for tile in range {
            // SAFETY: each tile writes its own columns of the output and is handed out once.
            unsafe { product.tile(tile, target.0.add(tile * TILE), outputs) };
        }
    };
    // Waking the other threads costs as much as a product of this size.
    if rows * outputs * matrix.inputs < 1 << 16 {
        work(0..tiles);
    } else {
        super::pool::execute_chunked(tiles, work);
    }
    // SAFETY: the tiles together cover all columns, and each wrote all rows of its columns.
    unsafe { out.set_len(rows * outputs) };
    out
}

/// A product that is computed tile by tile.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    backend: Backend,
    matrix: &'a Int8Matrix,
    activations: &'a Int8Activations,
    bias: Option<&'a [f32]>,
}

impl<'a> Product<'a> {
    /// Outputs of a tile; the last one may have fewer.
    pub(super) const TILE: usize = TILE;

    /// Checks that sizes belong together.
    pub(super) fn new(
        backend: Backend,
        matrix: &'a Int8Matrix,
        activations: &'a Int8Activations,
        bias: Option<&'a [f32]>,
    ) -> Self {
        assert_eq!(
            activations.data.len(),
            activations.rows * matrix.inputs.div_ceil(4),
            "input size: this is a bug"
        );
        assert!(
            bias.is_none_or(|bias| bias.len() == matrix.outputs),
            "bias size: this is a bug"
        );
        assert_eq!(
            matrix.scales.len(),
            matrix.outputs,
            "rows missing: this is a bug"
        );
        Self {
            backend,
            matrix,
            activations,
            bias,
        }
    }

    /// Writes all rows of one tile: row r to `out + r × stride`.
    ///
    /// # Safety
    ///
    /// The outputs that the tile has can be written at each of these places.
    pub(super) unsafe fn tile(&self, tile: usize, out: *mut f32, stride: usize) {
        // SAFETY: what the caller promises.
        unsafe { self.rows(tile, 0..self.activations.rows, out, stride) }
    }

    /// Writes some rows of one tile: the first of them to `out`, each next one `stride` further.
    ///
    /// # Safety
    ///
    /// The outputs that the tile has can be written at each of these places.
    pub(super) unsafe fn rows(
        &self,
        tile: usize,
        rows: std::ops::Range<usize>,
        out: *mut f32,
        stride: usize,
    ) {
        assert!(
            tile * TILE < self.matrix.outputs && rows.end <= self.activations.rows,
            "no such tile: this is a bug"
        );
        // SAFETY: the backend was detected, sizes were checked; the rest the caller promises.
        unsafe {
            match self.backend {
                #[cfg(target_arch = "x86_64")]
                Backend::Avx512Vnni => avx512::tile(self, tile, rows, out, stride),
                #[cfg(target_arch = "x86_64")]
                Backend::Avx2 => avx2::tile(self, tile, rows, out, stride),
                Backend::Portable => portable::tile(self, tile, rows, out, stride),
            }
        }
    }
}

/// What makes sums of integers the values of a product, for the outputs of a tile.
struct Finish {
    scales: [f32; TILE],
    biases: [f32; TILE],
}

/// The weights of a tile, and those that will be wanted next.
#[derive(Clone, Copy)]
struct TileWeights {
    these: *const u32,
    next: *const u8,
    /// How far to go in `next` for every step in `these`; 0 to ask for nothing.
    step: usize,
}

macro_rules! backend {
    ($name:ident, $group:expr, $(#[$attribute:meta])*) => {
        mod $name {
            use super::simd::$name::*;
            use super::*;

            /// Multiplies one tile with rows of activations.
            $(#[$attribute])*
            pub(super) unsafe fn tile(
                product: &Product<'_>,
                tile: usize,
                rows: std::ops::Range<usize>,
                out: *mut f32,
                stride: usize,
            ) {
                let &Product { matrix, activations, bias, .. } = product;
                let depth = matrix.inputs.div_ceil(4);
                let weights = &matrix.data[tile * depth * TILE..(tile + 1) * depth * TILE];
                let columns_from = tile * TILE;
                let columns = (matrix.outputs - columns_from).min(TILE);
                let mut finish = Finish { scales: [0.0; TILE], biases: [0.0; TILE] };
                finish.scales[..columns]
                    .copy_from_slice(&matrix.scales[columns_from..columns_from + columns]);
                if let Some(bias) = bias {
                    finish.biases[..columns]
                        .copy_from_slice(&bias[columns_from..columns_from + columns]);
                }
                // While the weights of this tile serve several groups of rows, those of the next
                // one are asked for, a part with each group. (One group alone goes through memory
                // in one line, which processors foresee.)
                let passes = rows.len().div_ceil($group) * (TILE / (2 * LANES));
                let mut these = TileWeights {
                    these: weights.as_ptr(),
                    next: weights.as_ptr_range().end.cast(),
                    step: if rows.len() > $group { TILE * 4 / passes } else { 0 },
                };
                let mut few = [0f32; GROUP * TILE];
                let mut first = rows.start;
                while first < rows.end {
                    let members = (rows.end - first).min($group);
                    // SAFETY: rows are within the activations; the places of the output are
                    // promised by the caller where the tile is whole, else it is `few`.
                    unsafe {
                        let place = out.add((first - rows.start) * stride);
                        let (target, step) =
                            if columns == TILE { (place, stride) } else { (few.as_mut_ptr(), TILE) };
                        match members {
                            1 => group::<1>(&mut these, activations, first, &finish, target, step),
                            2 => group::<2>(&mut these, activations, first, &finish, target, step),
                            3 => group::<3>(&mut these, activations, first, &finish, target, step),
                            4 => group::<4>(&mut these, activations, first, &finish, target, step),
                            5 => group::<5>(&mut these, activations, first, &finish, target, step),
                            6 => group::<6>(&mut these, activations, first, &finish, target, step),
                            7 => group::<7>(&mut these, activations, first, &finish, target, step),
                            _ => group::<8>(&mut these, activations, first, &finish, target, step),
                        }
                        if columns < TILE {
                            for (member, few) in few.chunks_exact(TILE).take(members).enumerate() {
                                std::ptr::copy_nonoverlapping(few.as_ptr(), place.add(member * stride), columns);
                            }
                        }
                    }
                    first += members;
                }
            }

            /// Multiplies M rows from `first` on.
            $(#[$attribute])*
            #[inline]
            unsafe fn group<const M: usize>(
                weights: &mut TileWeights,
                activations: &Int8Activations,
                first: usize,
                finish: &Finish,
                out: *mut f32,
                stride: usize,
            ) {
                let depth = activations.data.len() / activations.rows;
                // SAFETY: a tile holds `depth × TILE` dwords, a row `depth`; asking for memory is
                // a hint, allowed for any address.
                unsafe {
                    let xs = activations.data.as_ptr().add(first * depth);
                    for start in (0..TILE).step_by(2 * LANES) {
                        let mut low = [zero_ints(); M];
                        if KEEPS_OFFSET {
                            for m in 0..M {
                                low[m] = broadcast(activations.corrections.as_ptr().add(first + m));
                            }
                        }
                        let mut high = low;
                        let TileWeights { these, mut next, step } = *weights;
                        for i in 0..depth {
                            if step > 0 {
                                prefetch_far(next);
                                next = next.wrapping_add(step);
                            }
                            let w_low = load(these.add(i * TILE + start).cast());
                            let w_high = load(these.add(i * TILE + start + LANES).cast());
                            for m in 0..M {
                                let x = broadcast(xs.add(m * depth + i));
                                low[m] = dot_offset(low[m], w_low, x);
                                high[m] = dot_offset(high[m], w_high, x);
                            }
                        }
                        weights.next = next;
                        let at = |values: &[f32; TILE], place: usize| load_floats(values.as_ptr().add(place));
                        let scales = (at(&finish.scales, start), at(&finish.scales, start + LANES));
                        let biases = (at(&finish.biases, start), at(&finish.biases, start + LANES));
                        for m in 0..M {
                            let scale = splat(*activations.scales.as_ptr().add(first + m));
                            let out = out.add(m * stride + start);
                            store(out, mul_add(to_floats(low[m]), mul(scales.0, scale), biases.0));
                            store(
                                out.add(LANES),
                                mul_add(to_floats(high[m]), mul(scales.1, scale), biases.1),
                            );
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
backend!(avx512, 8, #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]);
#[cfg(target_arch = "x86_64")]
backend!(avx2, 4, #[target_feature(enable = "avx2,fma,f16c")]);
backend!(portable, 4,);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::noise;

    #[test]
    fn all_backends_agree_with_the_definition() {
        for (rows, outputs, inputs) in [(1, 33, 30), (5, 70, 64), (19, 32, 512), (8, 5, 3)] {
            let weights = noise(1, outputs * inputs);
            let xs = noise(2, rows * inputs);
            let bias = noise(3, outputs);
            let mut matrix = Int8Matrix::with_capacity(outputs, inputs);
            for part in weights.chunks(7 * inputs) {
                matrix.push_rows(part);
            }
            let mut activations = Int8Activations::default();
            activations.quantize(&xs, inputs);
            let mut expected: Option<Vec<f32>> = None;
            for &backend in Backend::available() {
                let out = multiply_with(backend, &matrix, &activations, Some(&bias));
                for row in 0..rows {
                    for output in 0..outputs {
                        let dot: f32 = (0..inputs)
                            .map(|i| xs[row * inputs + i] * weights[output * inputs + i])
                            .sum();
                        let exact = dot + bias[output];
                        let found = out[row * outputs + output];
                        let error = (found - exact).abs();
                        assert!(
                            error < 0.012 * (inputs as f32).sqrt(),
                            "{backend:?} {row} {output}: {found} {exact}"
                        );
                    }
                }
                let first = expected.get_or_insert_with(|| out.clone());
                for (a, b) in out.iter().zip(first.iter()) {
                    assert!((a - b).abs() < 1e-4, "{backend:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_rows_beside_it() {
        let (rows, outputs, inputs) = (13, 40, 48);
        let mut matrix = Int8Matrix::with_capacity(outputs, inputs);
        matrix.push_rows(&noise(1, outputs * inputs));
        let xs = noise(2, rows * inputs);
        let run = |xs: &[f32]| {
            let mut activations = Int8Activations::default();
            activations.quantize(xs, inputs);
            multiply(&matrix, &activations, None)
        };
        let all = run(&xs);
        for row in 0..rows {
            assert_eq!(
                run(&xs[row * inputs..(row + 1) * inputs]),
                all[row * outputs..(row + 1) * outputs]
            );
        }
    }

    #[test]
    fn what_was_quantized_comes_back() {
        let (outputs, inputs) = (37, 22);
        let mut matrix = Int8Matrix::with_capacity(outputs, inputs);
        let weights = noise(4, outputs * inputs);
        matrix.push_rows(&weights);
        let mut quants = vec![0i8; outputs * inputs];
        for (output, out) in quants.chunks_exact_mut(inputs).enumerate() {
            matrix.quants(output, out);
        }
        let again = Int8Matrix::from_quantized(outputs, inputs, &quants, matrix.scales().to_vec());
        assert_eq!(again.data, matrix.data);
        let mut row = vec![0.0; inputs];
        again.row(36, &mut row);
        for (found, exact) in row.iter().zip(&weights[36 * inputs..]) {
            assert!((found - exact).abs() < 0.005);
        }
    }
}
