//! Activations as int8, in the order in which the tile products read them.
//!
//! Each row is cut into blocks of 256 values. A scale (largest magnitude to 127) stands for a whole
//! block, or for 32 of its values, as the format of the weights has it ([`Grain`]). Rows are laid
//! side by side in groups of up to eight, so that a product over a group walks memory in one line.

/// Values in a block.
pub(crate) const BLOCK: usize = 256;
/// Most rows in a group.
pub(crate) const GROUP: usize = 8;

/// Bytes that one row takes in one block of its group.
///
/// A block of a group of M rows is: 64 × M dwords of values, 8 × M dwords (pairs of int16 sums of
/// 16 values), 4 × M dwords (pairs of int16 sums of 32 values), 8 × M dwords (−128 times the sums
/// of 32 values), M float scales.
pub(crate) const ROW_BLOCK_BYTES: usize = 4 * (64 + 8 + 4 + 8 + 1);
/// Where the sums of 16 begin, in dwords a row.
pub(crate) const SUMS_16: usize = 64;
/// Where the sums of 32 begin, in dwords a row.
pub(crate) const SUMS_32: usize = 72;
/// Where the offset corrections begin, in dwords a row.
pub(crate) const OFFSETS: usize = 76;
/// Where the scale stands, in dwords a row.
pub(crate) const SCALES: usize = 84;

/// As [`ROW_BLOCK_BYTES`], with a scale for each 32 values: a block of a group of M rows is 64 × M
/// dwords of values, 8 × M dwords (−128 times the sums of 32 values), 8 × M float scales.
pub(crate) const FINE_ROW_BLOCK_BYTES: usize = 4 * (64 + 8 + 8);
/// Where the offset corrections begin, in dwords a row, with a scale for each 32 values.
pub(crate) const FINE_OFFSETS: usize = 64;
/// Where the scales begin, in dwords a row, with a scale for each 32 values.
pub(crate) const FINE_SCALES: usize = 72;

/// How many values share a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// A block of 256.
    Block,
    /// 32.
    Fine,
}

impl Grain {
    /// Dwords that one row takes in one block of its group.
    const fn dwords(self) -> usize {
        match self {
            Self::Block => ROW_BLOCK_BYTES / 4,
            Self::Fine => FINE_ROW_BLOCK_BYTES / 4,
        }
    }
}

/// Rows of activations, quantized.
pub(crate) struct Activations {
    rows: usize,
    blocks: usize,
    grain: Grain,
    /// Dwords, group after group, block after block.
    data: Vec<u32>,
}

impl Activations {
    /// Quantizes `(rows, inputs)` values. What is missing to a multiple of 256 inputs is zero.
    pub(crate) fn new(xs: &[f32], rows: usize, inputs: usize, grain: Grain) -> Self {
        assert_eq!(xs.len(), rows * inputs, "activation size: this is a bug");
        let blocks = inputs.div_ceil(BLOCK);
        let row_dwords = blocks * grain.dwords();
        let mut data = vec![0u32; rows * row_dwords];
        let groups = rows.div_ceil(GROUP);
        let target = Shared(data.as_mut_ptr());
        let quantize = |range: std::ops::Range<usize>| {
            let target = &target;
            for group in range {
                let first = group * GROUP;
                let members = (rows - first).min(GROUP);
                // SAFETY: groups are disjoint parts of `data`, and each is handed out once.
                let data = unsafe {
                    std::slice::from_raw_parts_mut(
                        target.0.add(first * row_dwords),
                        members * row_dwords,
                    )
                };
                quantize_group(
                    &xs[first * inputs..(first + members) * inputs],
                    (members, inputs, grain),
                    data,
                );
            }
        };
        if groups <= 2 {
            quantize(0..groups);
        } else {
            super::pool::execute_chunked(groups, quantize);
        }
        Self {
            rows,
            blocks,
            grain,
            data,
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many blocks of 256 values each row has.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// How many values share a scale.
    pub(crate) fn grain(&self) -> Grain {
        self.grain
    }

    /// The dwords of the group that begins at row `first`.
    pub(crate) fn group(&self, first: usize) -> &[u32] {
        let row_dwords = self.blocks * self.grain.dwords();
        let members = (self.rows - first).min(GROUP);
        &self.data[first * row_dwords..(first + members) * row_dwords]
    }
}

struct Shared(*mut u32);
// SAFETY: see `Activations::new`: every group is written by one worker.
unsafe impl Sync for Shared {}

/// Rows, inputs of each, and how many share a scale.
type Shape = (usize, usize, Grain);

fn quantize_group(xs: &[f32], shape: Shape, data: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if super::Backend::detect() != super::Backend::Portable {
            // SAFETY: the backend was detected.
            unsafe { quantize_group_avx2(xs, shape, data) };
            return;
        }
    }
    quantize_group_body(xs, shape, data);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn quantize_group_avx2(xs: &[f32], shape: Shape, data: &mut [u32]) {
    quantize_group_body(xs, shape, data);
}

#[inline(always)]
fn quantize_group_body(xs: &[f32], (members, inputs, grain): Shape, data: &mut [u32]) {
    let blocks = data.chunks_exact_mut(members * grain.dwords());
    for (block, data) in blocks.enumerate() {
        for member in 0..members {
            let row = &xs[member * inputs..(member + 1) * inputs];
            let row = &row[block * BLOCK..inputs.min((block + 1) * BLOCK)];
            let mut values = [0f32; BLOCK];
            values[..row.len()].copy_from_slice(row);
            match grain {
                Grain::Block => quantize_block(&values, member, members, data),
                Grain::Fine => quantize_fine(&values, member, members, data),
            }
        }
    }
}

/// The scale of some values, and the values divided by it.
#[inline(always)]
fn quantize<const N: usize>(values: &[f32; N]) -> (f32, [i8; N]) {
    let mut largest = [0f32; 16];
    for chunk in values.chunks_exact(16) {
        for (largest, value) in largest.iter_mut().zip(chunk) {
            *largest = largest.max(value.abs());
        }
    }
    let largest = largest.iter().fold(0f32, |a, &b| a.max(b));
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    // Adding 1.5 × 2^23 leaves the value, rounded to nearest even, in the low bits of the float.
    const ROUND: f32 = 12_582_912.0;
    let mut quantized = [0i8; N];
    for (quantized, value) in quantized.iter_mut().zip(values) {
        *quantized = (value * inverse + ROUND).to_bits() as i8;
    }
    (largest / 127.0, quantized)
}

/// Writes values from dword `first` on.
#[inline(always)]
fn put(quantized: &[i8], first: usize, member: usize, members: usize, data: &mut [u32]) {
    for (dword, bytes) in quantized.chunks_exact(4).enumerate() {
        data[(first + dword) * members + member] = u32::from_le_bytes([
            bytes[0] as u8,
            bytes[1] as u8,
            bytes[2] as u8,
            bytes[3] as u8,
        ]);
    }
}

#[inline(always)]
fn quantize_fine(values: &[f32; BLOCK], member: usize, members: usize, data: &mut [u32]) {
    for (sub, values) in values.as_chunks::<32>().0.iter().enumerate() {
        let (scale, quantized) = quantize(values);
        let sum: i32 = quantized.iter().map(|&q| i32::from(q)).sum();
        put(&quantized, 8 * sub, member, members, data);
        data[(FINE_OFFSETS + sub) * members + member] = (-128 * sum) as u32;
        data[(FINE_SCALES + sub) * members + member] = scale.to_bits();
    }
}

#[inline(always)]
fn quantize_block(values: &[f32; BLOCK], member: usize, members: usize, data: &mut [u32]) {
    let (scale, quantized) = quantize(values);
    let mut sums = [0i32; 16];
    for (sum, chunk) in sums.iter_mut().zip(quantized.chunks_exact(16)) {
        *sum = chunk.iter().map(|&q| i32::from(q)).sum();
    }
    put(&quantized, 0, member, members, data);
    let pair = |low: i32, high: i32| (low as u16 as u32) | ((high as u16 as u32) << 16);
    for i in 0..8 {
        data[(SUMS_16 + i) * members + member] = pair(sums[2 * i], sums[2 * i + 1]);
        data[(OFFSETS + i) * members + member] = (-128 * (sums[2 * i] + sums[2 * i + 1])) as u32;
    }
    for i in 0..4 {
        data[(SUMS_32 + i) * members + member] = pair(
            sums[4 * i] + sums[4 * i + 1],
            sums[4 * i + 2] + sums[4 * i + 3],
        );
    }
    data[SCALES * members + member] = scale.to_bits();
}
