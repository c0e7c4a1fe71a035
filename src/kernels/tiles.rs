//! The product of one row of tiles (16 outputs) with groups of up to eight rows of activations.
//!
//! Written once over the operations of [`super::simd`] and compiled for each backend. Integer sums
//! are exact; floats are added in the order of the blocks, whatever the group, so a row's result
//! does not depend on the rows beside it.

use super::activations::{
    Activations, FINE_OFFSETS, FINE_ROW_BLOCK_BYTES, FINE_SCALES, GROUP, ROW_BLOCK_BYTES, SCALES,
    SUMS_16, SUMS_32,
};
use super::packed::{Format, PackedMatrix, TILE};
use super::{Backend, simd};

/// How many tiles ahead weights are asked for. With several rows of activations the processor is too
/// busy to run ahead by itself, and would wait for memory at every tile.
const AHEAD: usize = 2;

/// Where results go.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// The first place of the output.
    pub(super) out: *mut f32,
    /// Places from one row to the next.
    pub(super) stride: usize,
    /// The column of the matrix's first output.
    pub(super) column: usize,
}

/// One row of tiles.
#[derive(Clone, Copy)]
struct Weights<'a> {
    format: Format,
    tiles: &'a [u8],
    /// Bytes from what is read to what is asked for ahead of time.
    ahead: usize,
}

/// Multiplies one row of tiles with all activations.
///
/// # Safety
///
/// The machine has what `backend` needs, and the target holds `rows × stride` places of which no
/// other thread touches the columns of this row of tiles.
pub(super) unsafe fn multiply_tile(
    backend: Backend,
    matrix: &PackedMatrix,
    tile_row: usize,
    activations: &Activations,
    target: Target,
) {
    let tiles = matrix.tile_row(tile_row);
    let columns = (matrix.outputs() - tile_row * TILE).min(TILE);
    let column = target.column + tile_row * TILE;
    let mut results = [0f32; GROUP * TILE];
    let mut first = 0;
    while first < activations.rows() {
        let group = activations.group(first);
        let members = (activations.rows() - first).min(GROUP);
        let weights = Weights {
            format: matrix.format(),
            tiles,
            // The first group brings the weights into the cache, the others find them there.
            ahead: if first == 0 {
                AHEAD * matrix.format().tile_bytes()
            } else {
                0
            },
        };
        // SAFETY: the tiles and the group hold the blocks that the product walks over (sizes are
        // checked when they are made, and that both have as many blocks, in `multiply_with`).
        unsafe {
            match backend {
                #[cfg(target_arch = "x86_64")]
                Backend::Avx512Vnni => avx512::group(weights, group, members, &mut results),
                #[cfg(target_arch = "x86_64")]
                Backend::Avx2 => avx2::group(weights, group, members, &mut results),
                Backend::Portable => portable::group(weights, group, members, &mut results),
            }
            for member in 0..members {
                let out = target.out.add((first + member) * target.stride + column);
                std::ptr::copy_nonoverlapping(results.as_ptr().add(member * TILE), out, columns);
            }
        }
        first += members;
    }
}

macro_rules! backend {
    ($name:ident, $(#[$attribute:meta])*) => {
        mod $name {
            use super::simd::$name::*;
            use super::*;

            $(#[$attribute])*
            pub(super) unsafe fn group(
                weights: Weights<'_>,
                group: &[u32],
                members: usize,
                out: &mut [f32; GROUP * TILE],
            ) {
                // SAFETY: passed on to the caller.
                unsafe {
                    match members {
                        1 => members_of::<1>(weights, group, out),
                        2 => members_of::<2>(weights, group, out),
                        3 => members_of::<3>(weights, group, out),
                        4 => members_of::<4>(weights, group, out),
                        5 => members_of::<5>(weights, group, out),
                        6 => members_of::<6>(weights, group, out),
                        7 => members_of::<7>(weights, group, out),
                        _ => members_of::<8>(weights, group, out),
                    }
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn members_of<const M: usize>(
                weights: Weights<'_>,
                group: &[u32],
                out: &mut [f32; GROUP * TILE],
            ) {
                // SAFETY: passed on to the caller.
                unsafe {
                    for start in (0..TILE).step_by(LANES) {
                        let sums = match weights.format {
                            Format::Q2K => q2k::<M, false>(weights.tiles, group, start, weights.ahead),
                            Format::Q3K => q2k::<M, true>(weights.tiles, group, start, weights.ahead),
                            Format::Q4K => q4k::<M, false>(weights.tiles, group, start, weights.ahead),
                            Format::Q5K => q4k::<M, true>(weights.tiles, group, start, weights.ahead),
                            Format::Q4Minimum => q4_minimum::<M, false>(weights.tiles, group, start, weights.ahead),
                            Format::Q5Minimum => q4_minimum::<M, true>(weights.tiles, group, start, weights.ahead),
                            Format::Q6K => q6k::<M>(weights.tiles, group, start, weights.ahead),
                            Format::Q8 => q8::<M>(weights.tiles, group, start, weights.ahead),
                        };
                        for (member, sum) in sums.into_iter().enumerate() {
                            store(out.as_mut_ptr().add(member * TILE + start), sum);
                        }
                    }
                }
            }

            /// Has memory brought into the cache.
            $(#[$attribute])*
            #[inline]
            unsafe fn ask_for(place: *const u8, bytes: usize) {
                for line in (0..bytes).step_by(64) {
                    // SAFETY: asking is harmless wherever it points.
                    unsafe { prefetch(place.wrapping_add(line)) };
                }
            }

            /// The fifth bits of the low or the high sub-block of a chunk, where they belong.
            $(#[$attribute])*
            #[inline]
            unsafe fn fifth(bits: Ints, chunk: usize) -> Ints {
                // SAFETY: no memory is touched.
                unsafe {
                    match chunk {
                        0 => left_4(and(bits, 0x01)),
                        1 => left_2(and(bits, 0x04)),
                        2 => and(bits, 0x10),
                        _ => right_2(and(bits, 0x40)),
                    }
                }
            }

            /// Quants of four bits, or of five: low and high sub-blocks of 32 in turn.
            $(#[$attribute])*
            #[inline]
            unsafe fn nibbles<const FIFTH: bool>(place: *const u8, high: *const u8, chunk: usize) -> (Ints, Ints) {
                // SAFETY: passed on to the caller.
                unsafe {
                    let packed = load(place);
                    let (low, up) = (and(packed, 15), and(right_4(packed), 15));
                    if !FIFTH {
                        return (low, up);
                    }
                    let bits = load(high);
                    (or(low, fifth(bits, chunk)), or(up, fifth(right_1(bits), chunk)))
                }
            }

            /// Products of a chunk of 64 inputs: of its low and of its high sub-block. Fifth bits stand
            /// from `fifths` on.
            $(#[$attribute])*
            #[inline]
            unsafe fn chunk_of_nibbles<const M: usize, const FIFTH: bool>(
                tile: *const u8,
                fifths: usize,
                xs: *const u32,
                (chunk, start, ahead): (usize, usize, usize),
            ) -> ([Ints; M], [Ints; M]) {
                // SAFETY: passed on to the caller.
                unsafe {
                    let mut low = [zero_ints(); M];
                    let mut high = [zero_ints(); M];
                    for i in 0..8 {
                        let place = tile.add(((chunk * 8 + i) * TILE + start) * 4);
                        prefetch(place.wrapping_add(ahead));
                        let bits = tile.wrapping_add(fifths + (i * TILE + start) * 4);
                        let (w_low, w_high) = nibbles::<FIFTH>(place, bits, chunk);
                        for m in 0..M {
                            low[m] = dot(low[m], w_low, broadcast(xs.add((chunk * 16 + i) * M + m)));
                            high[m] = dot(high[m], w_high, broadcast(xs.add((chunk * 16 + 8 + i) * M + m)));
                        }
                    }
                    (low, high)
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn q4k<const M: usize, const FIFTH: bool>(tiles: &[u8], group: &[u32], start: usize, ahead: usize) -> [Floats; M] {
                let bytes = if FIFTH { Format::Q5K } else { Format::Q4K }.tile_bytes();
                // SAFETY: every offset is within a tile, or within a block of the group.
                unsafe {
                    let mut total = [zero_floats(); M];
                    let blocks = group.chunks_exact(M * ROW_BLOCK_BYTES / 4);
                    for (tile, xs) in tiles.chunks_exact(bytes).zip(blocks) {
                        let (tile, xs) = (tile.as_ptr(), xs.as_ptr());
                        ask_for(tile.wrapping_add(ahead + 2048), if ahead > 0 { bytes - 2048 } else { 0 });
                        let mut sums = [zero_floats(); M];
                        for chunk in 0..4 {
                            let at = (chunk, start, ahead);
                            let (low, high) = chunk_of_nibbles::<M, FIFTH>(tile, 2368, xs, at);
                            let scale_low = bytes_to_floats(tile.add(2048 + 2 * chunk * TILE + start));
                            let scale_high = bytes_to_floats(tile.add(2048 + (2 * chunk + 1) * TILE + start));
                            for m in 0..M {
                                sums[m] = mul_add(to_floats(low[m]), scale_low, sums[m]);
                                sums[m] = mul_add(to_floats(high[m]), scale_high, sums[m]);
                            }
                        }
                        let mut below = [zero_ints(); M];
                        for pair in 0..4 {
                            let minima = byte_pairs(tile.add(2176 + (pair * TILE + start) * 2));
                            for m in 0..M {
                                below[m] = dot_pairs(below[m], minima, broadcast(xs.add((SUMS_32 + pair) * M + m)));
                            }
                        }
                        let d = halves_to_floats(tile.add(2304 + 2 * start));
                        let d_min = halves_to_floats(tile.add(2336 + 2 * start));
                        for m in 0..M {
                            let scale = splat(f32::from_bits(xs.add(SCALES * M + m).read()));
                            total[m] = mul_add(mul(d, scale), sums[m], total[m]);
                            total[m] = mul_sub_from(mul(d_min, scale), to_floats(below[m]), total[m]);
                        }
                    }
                    total
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn q4_minimum<const M: usize, const FIFTH: bool>(tiles: &[u8], group: &[u32], start: usize, ahead: usize) -> [Floats; M] {
                let bytes = if FIFTH { Format::Q5Minimum } else { Format::Q4Minimum }.tile_bytes();
                // SAFETY: every offset is within a tile, or within a block of the group.
                unsafe {
                    let mut total = [zero_floats(); M];
                    let blocks = group.chunks_exact(M * FINE_ROW_BLOCK_BYTES / 4);
                    for (tile, xs) in tiles.chunks_exact(bytes).zip(blocks) {
                        let (tile, xs) = (tile.as_ptr(), xs.as_ptr());
                        ask_for(tile.wrapping_add(ahead + 2048), if ahead > 0 { bytes - 2048 } else { 0 });
                        for chunk in 0..4 {
                            let at = (chunk, start, ahead);
                            let (low, high) = chunk_of_nibbles::<M, FIFTH>(tile, 2560, xs, at);
                            for (sub, dots) in [(2 * chunk, &low), (2 * chunk + 1, &high)] {
                                let scale = halves_to_floats(tile.add(2048 + (sub * TILE + start) * 2));
                                // Sums are kept times −128.
                                let minimum = halves_to_floats(tile.add(2304 + (sub * TILE + start) * 2));
                                let minimum = mul(minimum, splat(-1.0 / 128.0));
                                for m in 0..M {
                                    let grain = splat(f32::from_bits(xs.add((FINE_SCALES + sub) * M + m).read()));
                                    let sum = to_floats(broadcast(xs.add((FINE_OFFSETS + sub) * M + m)));
                                    total[m] = mul_add(to_floats(dots[m]), mul(scale, grain), total[m]);
                                    total[m] = mul_add(sum, mul(minimum, grain), total[m]);
                                }
                            }
                        }
                    }
                    total
                }
            }

            /// The third bit of each quant of a part of a half, where it belongs.
            $(#[$attribute])*
            #[inline]
            unsafe fn third(bits: Ints, half: usize, part: usize) -> Ints {
                // SAFETY: no memory is touched.
                unsafe {
                    match 4 * half + part {
                        0 => left_2(and(bits, 0x01)),
                        1 => right_1(left_2(and(bits, 0x02))),
                        2 => and(bits, 0x04),
                        3 => right_1(and(bits, 0x08)),
                        4 => right_2(and(bits, 0x10)),
                        5 => right_1(right_2(and(bits, 0x20))),
                        6 => right_4(and(bits, 0x40)),
                        _ => right_1(right_4(and(bits, 0x80))),
                    }
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn q2k<const M: usize, const THIRD: bool>(tiles: &[u8], group: &[u32], start: usize, ahead: usize) -> [Floats; M] {
                let bytes = if THIRD { Format::Q3K } else { Format::Q2K }.tile_bytes();
                // SAFETY: every offset is within a tile, or within a block of the group.
                unsafe {
                    let mut total = [zero_floats(); M];
                    let blocks = group.chunks_exact(M * ROW_BLOCK_BYTES / 4);
                    for (tile, xs) in tiles.chunks_exact(bytes).zip(blocks) {
                        let (tile, xs) = (tile.as_ptr(), xs.as_ptr());
                        ask_for(tile.wrapping_add(ahead), if ahead > 0 { bytes } else { 0 });
                        let mut sums = [zero_floats(); M];
                        // A half of 128 values has four parts of 32, two bits of a byte each.
                        for half in 0..2 {
                            for part in 0..4 {
                                for quarter in 0..2 {
                                    let mut dots = [zero_ints(); M];
                                    for i in 4 * quarter..4 * quarter + 4 {
                                        let packed = load(tile.add(((half * 8 + i) * TILE + start) * 4));
                                        let shifted = match part {
                                            0 => packed,
                                            1 => right_2(packed),
                                            2 => right_4(packed),
                                            _ => right_2(right_4(packed)),
                                        };
                                        let mut w = and(shifted, 3);
                                        if THIRD {
                                            let bits = load(tile.add(1600 + (i * TILE + start) * 4));
                                            w = or(w, third(bits, half, part));
                                        }
                                        let dword = half * 32 + part * 8 + i;
                                        for m in 0..M {
                                            dots[m] = dot(dots[m], w, broadcast(xs.add(dword * M + m)));
                                        }
                                    }
                                    let sub = half * 8 + part * 2 + quarter;
                                    let mut scale = bytes_to_floats(tile.add(1024 + sub * TILE + start));
                                    if THIRD {
                                        scale = add(scale, splat(-32.0));
                                    }
                                    for m in 0..M {
                                        sums[m] = mul_add(to_floats(dots[m]), scale, sums[m]);
                                    }
                                }
                            }
                        }
                        let mut below = [zero_ints(); M];
                        for pair in 0..8 {
                            let minima = signed_byte_pairs(tile.add(1280 + (pair * TILE + start) * 2));
                            for m in 0..M {
                                below[m] = dot_pairs(below[m], minima, broadcast(xs.add((SUMS_16 + pair) * M + m)));
                            }
                        }
                        let d = halves_to_floats(tile.add(1536 + 2 * start));
                        let d_min = halves_to_floats(tile.add(1568 + 2 * start));
                        for m in 0..M {
                            let scale = splat(f32::from_bits(xs.add(SCALES * M + m).read()));
                            total[m] = mul_add(mul(d, scale), sums[m], total[m]);
                            total[m] = mul_sub_from(mul(d_min, scale), to_floats(below[m]), total[m]);
                        }
                    }
                    total
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn q6k<const M: usize>(tiles: &[u8], group: &[u32], start: usize, ahead: usize) -> [Floats; M] {
                // SAFETY: every offset is within a tile, or within a block of the group.
                unsafe {
                    let mut total = [zero_floats(); M];
                    let blocks = group.chunks_exact(M * ROW_BLOCK_BYTES / 4);
                    for (tile, xs) in tiles.chunks_exact(Format::Q6K.tile_bytes()).zip(blocks) {
                        let (tile, xs) = (tile.as_ptr(), xs.as_ptr());
                        // Asked for line by line where registers allow, else all at once.
                        if M > 4 && ahead > 0 {
                            ask_for(tile.wrapping_add(ahead), Format::Q6K.tile_bytes());
                        }
                        let mut sums = [zero_floats(); M];
                        // A half of 128 values has parts of 32 (0..4); parts p and p + 2 share
                        // their low nibbles' bytes.
                        for half in 0..2 {
                            for part in 0..2 {
                                let scales = |part: usize| {
                                    signed_byte_pairs(tile.add(3072 + ((half * 4 + part) * TILE + start) * 2))
                                };
                                let (scales_a, scales_b) = (scales(part), scales(part + 2));
                                for quarter in 0..2 {
                                    let mut a = [zero_ints(); M];
                                    let mut b = [zero_ints(); M];
                                    for i in 4 * quarter..4 * quarter + 4 {
                                        let place = tile.add(((half * 16 + part * 8 + i) * TILE + start) * 4);
                                        let place_high = tile.add(2048 + ((half * 8 + i) * TILE + start) * 4);
                                        if M <= 4 {
                                            prefetch(place.wrapping_add(ahead));
                                            prefetch(place_high.wrapping_add(ahead));
                                        }
                                        let (low, high) = (load(place), load(place_high));
                                        let (high_a, high_b) = if part == 0 {
                                            (left_4(and(high, 0x03)), and(high, 0x30))
                                        } else {
                                            (left_2(and(high, 0x0c)), right_2(and(high, 0xc0)))
                                        };
                                        let w_a = or(and(low, 15), high_a);
                                        let w_b = or(and(right_4(low), 15), high_b);
                                        let dword = half * 32 + part * 8 + i;
                                        for m in 0..M {
                                            a[m] = dot(a[m], w_a, broadcast(xs.add(dword * M + m)));
                                            b[m] = dot(b[m], w_b, broadcast(xs.add((dword + 16) * M + m)));
                                        }
                                    }
                                    let (scale_a, scale_b) = if quarter == 0 {
                                        (to_floats(low_half(scales_a)), to_floats(low_half(scales_b)))
                                    } else {
                                        (to_floats(high_half(scales_a)), to_floats(high_half(scales_b)))
                                    };
                                    for m in 0..M {
                                        sums[m] = mul_add(to_floats(a[m]), scale_a, sums[m]);
                                        sums[m] = mul_add(to_floats(b[m]), scale_b, sums[m]);
                                    }
                                }
                            }
                        }
                        let mut offsets = [zero_ints(); M];
                        for pair in 0..8 {
                            let scales = signed_byte_pairs(tile.add(3072 + (pair * TILE + start) * 2));
                            for m in 0..M {
                                offsets[m] = dot_pairs(offsets[m], scales, broadcast(xs.add((SUMS_16 + pair) * M + m)));
                            }
                        }
                        let d = halves_to_floats(tile.add(3328 + 2 * start));
                        for m in 0..M {
                            let scale = mul(d, splat(f32::from_bits(xs.add(SCALES * M + m).read())));
                            sums[m] = mul_sub_from(splat(32.0), to_floats(offsets[m]), sums[m]);
                            total[m] = mul_add(scale, sums[m], total[m]);
                        }
                    }
                    total
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn q8<const M: usize>(tiles: &[u8], group: &[u32], start: usize, ahead: usize) -> [Floats; M] {
                // SAFETY: every offset is within a tile, or within a block of the group.
                unsafe {
                    let mut total = [zero_floats(); M];
                    let blocks = group.chunks_exact(M * FINE_ROW_BLOCK_BYTES / 4);
                    for (tile, xs) in tiles.chunks_exact(Format::Q8.tile_bytes()).zip(blocks) {
                        let (tile, xs) = (tile.as_ptr(), xs.as_ptr());
                        ask_for(tile.wrapping_add(ahead), if ahead > 0 { Format::Q8.tile_bytes() } else { 0 });
                        for sub in 0..8 {
                            let mut sum = [zero_ints(); M];
                            if KEEPS_OFFSET {
                                for m in 0..M {
                                    sum[m] = broadcast(xs.add((FINE_OFFSETS + sub) * M + m));
                                }
                            }
                            for i in 0..8 {
                                let weights = load(tile.add(((sub * 8 + i) * TILE + start) * 4));
                                for m in 0..M {
                                    sum[m] = dot_offset(sum[m], weights, broadcast(xs.add((sub * 8 + i) * M + m)));
                                }
                            }
                            let scale = halves_to_floats(tile.add(4096 + (sub * TILE + start) * 2));
                            for m in 0..M {
                                let grain = splat(f32::from_bits(xs.add((FINE_SCALES + sub) * M + m).read()));
                                total[m] = mul_add(to_floats(sum[m]), mul(scale, grain), total[m]);
                            }
                        }
                    }
                    total
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
backend!(avx512, #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]);
#[cfg(target_arch = "x86_64")]
backend!(avx2, #[target_feature(enable = "avx2,fma,f16c")]);
backend!(portable,);

#[cfg(test)]
mod tests;
