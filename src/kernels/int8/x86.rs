//! The products in tiles of rows by columns, so that what is loaded is used several times.

use super::{Finish, GROUP, Int8Matrix, STEP};

/// Where a tile reads and writes.
#[derive(Clone, Copy)]
struct Tile<'a> {
    activations: *const u8,
    inputs: usize,
    weights: *const i8,
    /// Bytes from one group of columns to the next.
    group_bytes: usize,
    scale: f32,
    bias: *const f32,
    /// The lines to be multiplied again, and where those of each group begin.
    large: &'a [u32],
    large_starts: &'a [u32],
    output: *mut f32,
    width: usize,
}

/// Writes vector operations; the caller promises memory behind pointers.
macro_rules! ops {
    ($features:literal; $(fn $name:ident($($argument:ident: $type:ty),*) -> $out:ty $body:block)*) => {$(
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $name($($argument: $type),*) -> $out {
            // SAFETY: the caller promises memory behind pointers.
            #[allow(unused_unsafe)]
            unsafe { $body }
        }
    )*};
}

/// Calls tile functions for every part of a product: columns in the outer loop, since a strip of
/// weights stays in the innermost cache while all rows pass by. Each height comes with the
/// function for several groups of columns and the one for a single group.
macro_rules! cover {
    ($matrix:ident, $activations:ident, $finish:ident, $output:ident,
     $(($rows:literal, $groups:literal, $wide:ident, $narrow:ident)),+) => {{
        let (inputs, width) = ($matrix.inputs, $matrix.width());
        let rows = $activations.len() / inputs.max(1);
        let groups = width / GROUP;
        let group_bytes = inputs * GROUP;
        let to = $output.as_mut_ptr();
        let tile = |row: usize, group: usize| Tile {
            // Row and group are below their numbers, so the places lie inside.
            activations: $activations.as_ptr().add(row * inputs),
            inputs,
            weights: $matrix.lines.as_ptr().cast::<i8>().add(group * group_bytes),
            group_bytes,
            scale: $finish.scale,
            bias: $finish.bias.as_ptr().add(group * GROUP),
            large: &$matrix.large,
            large_starts: &$matrix.large_starts[group..],
            output: to.add(row * width + group * GROUP),
            width,
        };
        let mut row = 0;
        // The rows that fill tall tiles, then what is left in lower and wider ones.
        $(
            let end = row + (rows - row) / $rows * $rows;
            if end > row {
                let mut group = 0;
                while groups - group >= $groups {
                    for row in (row..end).step_by($rows) {
                        $wide(tile(row, group));
                    }
                    group += $groups;
                }
                while group < groups {
                    for row in (row..end).step_by($rows) {
                        $narrow(tile(row, group));
                    }
                    group += 1;
                }
                row = end;
            }
        )+
        debug_assert_eq!(row, rows, "every row is covered");
    }};
}

/// Writes one tile function, with every sum in a register of its own: the indices are literals,
/// so that this does not hang on what an optimizer makes of loops.
macro_rules! tile_function {
    ($name:ident, $features:literal, $ops:ident, $rows:tt, $groups:tt) => {
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn $name(tile: Tile<'_>) {
            // SAFETY: the tile lies inside its matrices.
            unsafe {
                let mut sums = [[$ops::zero(); tile_function!(@count $groups)]; tile_function!(@count $rows)];
                let (mut xs, mut weights) = (tile.activations, tile.weights);
                let end = xs.add(tile.inputs);
                while xs < end {
                    tile_function!(@step $ops, tile, sums, xs, weights, multiply, $rows, $groups);
                    xs = xs.add(STEP);
                    weights = weights.add(GROUP * STEP);
                }
                tile_function!(@finish $ops, tile, sums, $rows, $groups);
            }
        }
    };
    (@count [$($index:literal)*]) => { [$($index),*].len() };
    (@step $ops:ident, $tile:ident, $sums:ident, $xs:ident, $weights:ident, $with:ident, $rows:tt, [$($group:literal)*]) => {
        let line = [$($ops::load($weights.add($group * $tile.group_bytes))),*];
        tile_function!(@rows $ops, $tile, $sums, $xs, line, $with, $rows, [$($group)*]);
    };
    (@rows $ops:ident, $tile:ident, $sums:ident, $xs:ident, $line:ident, $with:ident, [$($row:literal)*], $groups:tt) => {
        $(
            let x = $ops::broadcast($xs.add($row * $tile.inputs));
            tile_function!(@groups $ops, $sums, x, $line, $with, $row, $groups);
        )*
    };
    (@groups $ops:ident, $sums:ident, $x:ident, $line:ident, $with:ident, $row:literal, [$($group:literal)*]) => {
        $($sums[$row][$group] = $ops::$with($sums[$row][$group], $x, $line[$group]);)*
    };
    (@finish $ops:ident, $tile:ident, $sums:ident, $rows:tt, [$($group:literal)*]) => {
        $(
            if $ops::CORRECTS {
                let lines = $tile.large_starts[$group] as usize..$tile.large_starts[$group + 1] as usize;
                for &step in &$tile.large[lines] {
                    let step = step as usize;
                    let line = $ops::load($tile.weights.add($group * $tile.group_bytes + step * GROUP * STEP));
                    let xs = $tile.activations.add(step * STEP);
                    tile_function!(@correct $ops, $tile, $sums, xs, line, $rows, $group);
                }
            }
            tile_function!(@store $ops, $tile, $sums, $rows, $group);
        )*
    };
    (@correct $ops:ident, $tile:ident, $sums:ident, $xs:ident, $line:ident, [$($row:literal)*], $group:literal) => {
        $(
            let x = $ops::broadcast($xs.add($row * $tile.inputs));
            $sums[$row][$group] = $ops::correct($sums[$row][$group], x, $line);
        )*
    };
    (@store $ops:ident, $tile:ident, $sums:ident, [$($row:literal)*], $group:literal) => {
        let bias = $tile.bias.add($group * GROUP);
        $($ops::store($sums[$row][$group], $tile.scale, bias, $tile.output.add($row * $tile.width + $group * GROUP));)*
    };
}

/// One line in a register, with dot products.
mod wide {
    use core::arch::x86_64::*;

    pub(super) const CORRECTS: bool = true;
    type Sums = __m512i;

    ops! { "avx512f,avx512bw,avx512vnni";
        fn zero() -> Sums { _mm512_setzero_si512() }
        fn load(line: *const i8) -> Sums { _mm512_load_si512(line.cast()) }
        fn broadcast(xs: *const u8) -> Sums { _mm512_set1_epi32(xs.cast::<i32>().read_unaligned()) }
        fn multiply(sums: Sums, x: Sums, line: Sums) -> Sums { _mm512_dpbusd_epi32(sums, x, line) }
        fn correct(sums: Sums, x: Sums, line: Sums) -> Sums {
            let held = _mm512_madd_epi16(_mm512_maddubs_epi16(x, line), _mm512_set1_epi16(1));
            let full = _mm512_dpbusd_epi32(_mm512_setzero_si512(), x, line);
            _mm512_add_epi32(sums, _mm512_sub_epi32(held, full))
        }
        fn store(sums: Sums, scale: f32, bias: *const f32, to: *mut f32) -> () {
            let value = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_set1_ps(scale));
            _mm512_storeu_ps(to, _mm512_add_ps(value, _mm512_loadu_ps(bias)))
        }
    }
}

/// One line in two registers, with dot products.
mod middle {
    use core::arch::x86_64::*;

    pub(super) const CORRECTS: bool = true;
    type Sums = [__m256i; 2];

    ops! { "avx2,avxvnni";
        fn zero() -> Sums { [_mm256_setzero_si256(); 2] }
        fn load(line: *const i8) -> Sums {
            [_mm256_load_si256(line.cast()), _mm256_load_si256(line.add(32).cast())]
        }
        fn broadcast(xs: *const u8) -> __m256i { _mm256_set1_epi32(xs.cast::<i32>().read_unaligned()) }
        fn multiply(sums: Sums, x: __m256i, line: Sums) -> Sums {
            [_mm256_dpbusd_avx_epi32(sums[0], x, line[0]), _mm256_dpbusd_avx_epi32(sums[1], x, line[1])]
        }
        fn correct(sums: Sums, x: __m256i, line: Sums) -> Sums {
            let held = super::narrow::multiply(sums, x, line);
            let full = multiply([_mm256_setzero_si256(); 2], x, line);
            [_mm256_sub_epi32(held[0], full[0]), _mm256_sub_epi32(held[1], full[1])]
        }
        fn store(sums: Sums, scale: f32, bias: *const f32, to: *mut f32) -> () {
            super::narrow::store(sums, scale, bias, to)
        }
    }
}

/// One line in two registers, with products that are summed in pairs of 16 bits.
mod narrow {
    use core::arch::x86_64::*;

    pub(super) const CORRECTS: bool = false;
    type Sums = [__m256i; 2];

    ops! { "avx2";
        fn zero() -> Sums { [_mm256_setzero_si256(); 2] }
        fn load(line: *const i8) -> Sums {
            [_mm256_load_si256(line.cast()), _mm256_load_si256(line.add(32).cast())]
        }
        fn broadcast(xs: *const u8) -> __m256i { _mm256_set1_epi32(xs.cast::<i32>().read_unaligned()) }
        fn multiply(sums: Sums, x: __m256i, line: Sums) -> Sums {
            let ones = _mm256_set1_epi16(1);
            let low = _mm256_madd_epi16(_mm256_maddubs_epi16(x, line[0]), ones);
            let high = _mm256_madd_epi16(_mm256_maddubs_epi16(x, line[1]), ones);
            [_mm256_add_epi32(sums[0], low), _mm256_add_epi32(sums[1], high)]
        }
        fn correct(sums: Sums, _x: __m256i, _line: Sums) -> Sums { sums }
        fn store(sums: Sums, scale: f32, bias: *const f32, to: *mut f32) -> () {
            let scale = _mm256_set1_ps(scale);
            let low = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[0]), scale);
            let high = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[1]), scale);
            _mm256_storeu_ps(to, _mm256_add_ps(low, _mm256_loadu_ps(bias)));
            _mm256_storeu_ps(to.add(8), _mm256_add_ps(high, _mm256_loadu_ps(bias.add(8))))
        }
    }
}

tile_function!(wide_8_by_3, "avx512f,avx512bw,avx512vnni", wide, [0 1 2 3 4 5 6 7], [0 1 2]);
tile_function!(wide_8_by_1, "avx512f,avx512bw,avx512vnni", wide, [0 1 2 3 4 5 6 7], [0]);
tile_function!(wide_4_by_4, "avx512f,avx512bw,avx512vnni", wide, [0 1 2 3], [0 1 2 3]);
tile_function!(wide_4_by_1, "avx512f,avx512bw,avx512vnni", wide, [0 1 2 3], [0]);
tile_function!(wide_1_by_8, "avx512f,avx512bw,avx512vnni", wide, [0], [0 1 2 3 4 5 6 7]);
tile_function!(wide_1_by_1, "avx512f,avx512bw,avx512vnni", wide, [0], [0]);

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn multiply_512(
    matrix: &Int8Matrix,
    activations: &[u8],
    finish: Finish<'_>,
    output: &mut [f32],
) {
    // SAFETY: the caller has checked the lengths.
    unsafe {
        cover!(
            matrix,
            activations,
            finish,
            output,
            (8, 3, wide_8_by_3, wide_8_by_1),
            (4, 4, wide_4_by_4, wide_4_by_1),
            (1, 8, wide_1_by_8, wide_1_by_1)
        )
    }
}

tile_function!(middle_5_by_1, "avx2,avxvnni", middle, [0 1 2 3 4], [0]);
tile_function!(middle_2_by_2, "avx2,avxvnni", middle, [0 1], [0 1]);
tile_function!(middle_2_by_1, "avx2,avxvnni", middle, [0 1], [0]);
tile_function!(middle_1_by_4, "avx2,avxvnni", middle, [0], [0 1 2 3]);
tile_function!(middle_1_by_1, "avx2,avxvnni", middle, [0], [0]);

#[target_feature(enable = "avx2,avxvnni")]
pub(super) unsafe fn multiply_vnni(
    matrix: &Int8Matrix,
    activations: &[u8],
    finish: Finish<'_>,
    output: &mut [f32],
) {
    // SAFETY: the caller has checked the lengths.
    unsafe {
        cover!(
            matrix,
            activations,
            finish,
            output,
            (5, 1, middle_5_by_1, middle_5_by_1),
            (2, 2, middle_2_by_2, middle_2_by_1),
            (1, 4, middle_1_by_4, middle_1_by_1)
        )
    }
}

tile_function!(narrow_4_by_1, "avx2", narrow, [0 1 2 3], [0]);
tile_function!(narrow_1_by_4, "avx2", narrow, [0], [0 1 2 3]);
tile_function!(narrow_1_by_1, "avx2", narrow, [0], [0]);

#[target_feature(enable = "avx2")]
pub(super) unsafe fn multiply_avx2(
    matrix: &Int8Matrix,
    activations: &[u8],
    finish: Finish<'_>,
    output: &mut [f32],
) {
    // SAFETY: the caller has checked the lengths.
    unsafe {
        cover!(
            matrix,
            activations,
            finish,
            output,
            (4, 1, narrow_4_by_1, narrow_4_by_1),
            (1, 4, narrow_1_by_4, narrow_1_by_1)
        )
    }
}
