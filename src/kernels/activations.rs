//! Activations as int8, in the order in which the tile products read them.
//!
//! Each row is cut into blocks of 256 values, each block has one float scale (largest magnitude to
//! 127). Rows are laid side by side in groups of up to eight, so that a product over a group walks
//! memory in one line.

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
/// Where the scales begin, in dwords a row.
pub(crate) const SCALES: usize = 84;

/// Rows of activations, quantized.
pub(crate) struct Activations {
    rows: usize,
    blocks: usize,
    /// Dwords, group after group, block after block.
    data: Vec<u32>,
}

impl Activations {
    /// Quantizes `(rows, inputs)` values. What is missing to a multiple of 256 inputs is zero.
    pub(crate) fn new(xs: &[f32], rows: usize, inputs: usize) -> Self {
        assert_eq!(xs.len(), rows * inputs, "activation size: this is a bug");
        let blocks = inputs.div_ceil(BLOCK);
        let row_dwords = blocks * ROW_BLOCK_BYTES / 4;
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
                    members,
                    inputs,
                    data,
                );
            }
        };
        if groups <= 2 {
            quantize(0..groups);
        } else {
            super::pool::execute_chunked(groups, quantize);
        }
        Self { rows, blocks, data }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many blocks of 256 values each row has.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The dwords of the group that begins at row `first`.
    pub(crate) fn group(&self, first: usize) -> &[u32] {
        let row_dwords = self.blocks * ROW_BLOCK_BYTES / 4;
        let members = (self.rows - first).min(GROUP);
        &self.data[first * row_dwords..(first + members) * row_dwords]
    }
}

struct Shared(*mut u32);
// SAFETY: see `Activations::new`: every group is written by one worker.
unsafe impl Sync for Shared {}

fn quantize_group(xs: &[f32], members: usize, inputs: usize, data: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if super::Backend::detect() != super::Backend::Portable {
            // SAFETY: the backend was detected.
            unsafe { quantize_group_avx2(xs, members, inputs, data) };
            return;
        }
    }
    quantize_group_body(xs, members, inputs, data);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn quantize_group_avx2(xs: &[f32], members: usize, inputs: usize, data: &mut [u32]) {
    quantize_group_body(xs, members, inputs, data);
}

#[inline(always)]
fn quantize_group_body(xs: &[f32], members: usize, inputs: usize, data: &mut [u32]) {
    for (block, data) in data
        .chunks_exact_mut(members * ROW_BLOCK_BYTES / 4)
        .enumerate()
    {
        for member in 0..members {
            let row = &xs[member * inputs..(member + 1) * inputs];
            let row = &row[block * BLOCK..inputs.min((block + 1) * BLOCK)];
            let mut values = [0f32; BLOCK];
            values[..row.len()].copy_from_slice(row);
            quantize_block(&values, member, members, data);
        }
    }
}

#[inline(always)]
fn quantize_block(values: &[f32; BLOCK], member: usize, members: usize, data: &mut [u32]) {
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
    let mut quantized = [0i8; BLOCK];
    for (quantized, value) in quantized.iter_mut().zip(values) {
        *quantized = (value * inverse + ROUND).to_bits() as i8;
    }
    let mut sums = [0i32; 16];
    for (sum, chunk) in sums.iter_mut().zip(quantized.chunks_exact(16)) {
        *sum = chunk.iter().map(|&q| i32::from(q)).sum();
    }
    for (dword, bytes) in quantized.chunks_exact(4).enumerate() {
        data[dword * members + member] = u32::from_le_bytes([
            bytes[0] as u8,
            bytes[1] as u8,
            bytes[2] as u8,
            bytes[3] as u8,
        ]);
    }
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
    data[SCALES * members + member] = (largest / 127.0).to_bits();
}
