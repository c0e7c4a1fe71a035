//! Float32 loops between the products: normalization, attention, gates, quantization.
//!
//! Each is written once in plain Rust and compiled for several instruction sets; which one runs is
//! decided when the program does. Nothing is fused and every sum has its order, so every machine
//! gives the same bits. That order, and which exponential is taken where, are those of the engine
//! in Firefox (Marian compiled to WebAssembly): what comes out of these loops is rounded to int8
//! next, and a difference in the last bit would become one of a whole step. Rows never depend on
//! the rows beside them.

use super::int8::OFFSET;

/// Rows of keys are padded to a multiple of this many.
pub(crate) const LANES: usize = 16;

/// Adding this to a number rounds it to a whole one, ties to even, which is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Rows that are summed side by side: each sum is a chain, and several chains hide its latency.
const CHAINS: usize = 8;

/// Compiles a function for AVX-512, AVX2 and the plain target, and chooses when it is called.
macro_rules! for_every_machine {
    ($($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)*) => {$(
        $(#[$attribute])*
        pub(crate) fn $name($($argument: $type),*) {
            #[inline(always)]
            fn body($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn wide($($argument: $type),*) { body($($argument),*) }
                #[target_feature(enable = "avx2")]
                fn middle($($argument: $type),*) { body($($argument),*) }

                use super::int8::Instructions;
                return match Instructions::detect() {
                    // SAFETY: a machine with VNNI has the older parts of AVX-512.
                    Instructions::Avx512Vnni => unsafe { wide($($argument),*) },
                    // SAFETY: both come only where there is AVX2.
                    Instructions::AvxVnni | Instructions::Avx2 => unsafe { middle($($argument),*) },
                    Instructions::Portable => body($($argument),*),
                };
            }
            #[cfg(not(target_arch = "x86_64"))]
            body($($argument),*)
        }
    )*};
}

/// e to the power of x to about one unit in the last place: `exp_ps` of the Cephes library, which
/// Marian takes where it works on four numbers at a time.
#[inline(always)]
fn exp_fast(x: f32) -> f32 {
    let x = x.clamp(-88.376_26, 88.376_26);
    let whole = (x * std::f32::consts::LOG2_E + 0.5).floor();
    let x = x - whole * 0.693_359_4;
    let x = x - whole * -2.121_944_4e-4;
    let mut y = 1.987_569_1e-4;
    y = y * x + 1.398_199_9e-3;
    y = y * x + 8.333_452e-3;
    y = y * x + 4.166_579_6e-2;
    y = y * x + 1.666_666_5e-1;
    y = y * x + 0.5;
    y = y * (x * x) + x + 1.0;
    let exponent = (whole + ROUND)
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    y * f32::from_bits(exponent)
}

/// e to the power of x, nearly always rounded correctly: `expf` of musl (from ARM's optimized
/// routines), which Marian takes where it works on one number at a time. x is not above 0.
#[inline(always)]
fn exp_exact(x: f32) -> f32 {
    // As in `ROUND`, in float64.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const STEPS: f64 = 32.0;
    let x = f64::from(x.max(-87.0));
    let scaled = (f64::from_bits(0x3ff7_1547_652b_82fe) * STEPS) * x;
    let shifted = scaled + SHIFT;
    let whole = shifted.to_bits();
    let rest = scaled - (shifted - SHIFT);
    let power = POWERS[(whole % 32) as usize].wrapping_add(whole << 47);
    let high = f64::from_bits(0x3fac_6af8_4b91_2394) / STEPS / STEPS / STEPS * rest
        + f64::from_bits(0x3fce_bfce_50fa_c4f3) / STEPS / STEPS;
    let low = f64::from_bits(0x3fe6_2e42_ff0c_52d6) / STEPS * rest + 1.0;
    ((high * (rest * rest) + low) * f64::from_bits(power)) as f32
}

/// The bits of 2 to the power of i/32, with i/32 taken off the exponent.
static POWERS: [u64; 32] = [
    0x3ff0_0000_0000_0000,
    0x3fef_d9b0_d315_8574,
    0x3fef_b558_6cf9_890f,
    0x3fef_9301_d012_5b51,
    0x3fef_72b8_3c7d_517b,
    0x3fef_5487_3168_b9aa,
    0x3fef_387a_6e75_6238,
    0x3fef_1e9d_f51f_dee1,
    0x3fef_06fe_0a31_b715,
    0x3fee_f1a7_373a_a9cb,
    0x3fee_dea6_4c12_3422,
    0x3fee_ce08_6061_892d,
    0x3fee_bfda_d536_2a27,
    0x3fee_b42b_569d_4f82,
    0x3fee_ab07_dd48_5429,
    0x3fee_a47e_b03a_5585,
    0x3fee_a09e_667f_3bcd,
    0x3fee_9f75_e8ec_5f74,
    0x3fee_a114_73eb_0187,
    0x3fee_a589_994c_ce13,
    0x3fee_ace5_422a_a0db,
    0x3fee_b737_b0cd_c5e5,
    0x3fee_c491_82a3_f090,
    0x3fee_d503_b23e_255d,
    0x3fee_e89f_995a_d3ad,
    0x3fee_ff76_f2fb_5e47,
    0x3fef_199b_dd85_529c,
    0x3fef_3720_dcef_9069,
    0x3fef_5818_dcfb_a487,
    0x3fef_7c97_337b_9b5f,
    0x3fef_a4af_a2a4_90da,
    0x3fef_d076_5b6e_4540,
];

/// The parts of an attention that do not change from one query to the next.
#[derive(Clone, Copy)]
pub(crate) struct Attention<'a> {
    /// Keys transposed: `(width, padded)`, zeros beyond the length.
    pub(crate) keys: &'a [f32],
    /// `(length, width)`.
    pub(crate) values: &'a [f32],
    /// How many keys there are.
    pub(crate) length: usize,
    /// The length up to a multiple of [`LANES`].
    pub(crate) padded: usize,
    /// Into how many heads the width is divided.
    pub(crate) heads: usize,
}

/// Mean and standard deviation of each of some rows; each sum goes through its row in order.
#[inline(always)]
fn moments<const ROWS: usize>(
    rows: &[f32],
    width: usize,
    epsilon: f32,
) -> ([f32; ROWS], [f32; ROWS]) {
    let mut means = [0.0; ROWS];
    for column in 0..width {
        for row in 0..ROWS {
            means[row] += rows[row * width + column];
        }
    }
    for mean in &mut means {
        *mean /= width as f32;
    }
    let mut squares = [0.0; ROWS];
    for column in 0..width {
        for row in 0..ROWS {
            let difference = rows[row * width + column] - means[row];
            squares[row] += difference * difference;
        }
    }
    (
        means,
        squares.map(|sum| (sum / width as f32 + epsilon).sqrt()),
    )
}

#[inline(always)]
fn normalize(xs: &mut [f32], (mean, deviation): (f32, f32), scale: &[f32], bias: &[f32]) {
    for ((x, scale), bias) in xs.iter_mut().zip(scale).zip(bias) {
        *x = scale * ((*x - mean) / deviation) + bias;
    }
}

/// `sums += Σ factors[i] × rows[i]`, one row after the other; row i begins at `i × stride`. There
/// are a multiple of 16 sums.
#[inline(always)]
fn accumulate(sums: &mut [f32], factors: &[f32], rows: &[f32], stride: usize) {
    let width = sums.len();
    // Four rows for each time that the sums are loaded and stored.
    let mut fours = factors.chunks_exact(4);
    let mut start = 0;
    for factors in &mut fours {
        let factors = [factors[0], factors[1], factors[2], factors[3]];
        let row = |index: usize| {
            rows[start + index * stride..][..width]
                .as_chunks::<LANES>()
                .0
        };
        let rows = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
        for (sums, (((first, second), third), fourth)) in
            sums.as_chunks_mut::<LANES>().0.iter_mut().zip(rows)
        {
            *sums = plus(
                plus(
                    plus(plus(*sums, factors[0], *first), factors[1], *second),
                    factors[2],
                    *third,
                ),
                factors[3],
                *fourth,
            );
        }
        start += 4 * stride;
    }
    for &factor in fours.remainder() {
        let row = rows[start..][..width].as_chunks::<LANES>().0;
        for (sums, row) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(row) {
            *sums = plus(*sums, factor, *row);
        }
        start += stride;
    }
}

/// `sums + factor × row`. By value, since compilers take all lanes at once only if they need not
/// fear that one is written where another is read.
#[inline(always)]
fn plus(mut sums: [f32; LANES], factor: f32, row: [f32; LANES]) -> [f32; LANES] {
    for lane in 0..LANES {
        sums[lane] += factor * row[lane];
    }
    sums
}

/// The largest of some numbers, or the least float for none.
#[inline(always)]
fn largest(xs: &[f32]) -> f32 {
    // As integers in the same order, since compilers take integers several at a time.
    let ordered = |bits: i32| bits ^ ((bits >> 31) & i32::MAX);
    let high = xs
        .iter()
        .fold(i32::MIN, |high, x| high.max(ordered(x.to_bits() as i32)));
    f32::from_bits(ordered(high) as u32)
}

/// Marian takes four numbers at a time where their count allows it, with another exponential.
#[inline(always)]
fn softmax(xs: &mut [f32]) {
    let high = largest(xs);
    let mut sum = 0.0;
    if xs.len().is_multiple_of(4) {
        let mut sums = [0.0; 4];
        for x in xs.iter_mut() {
            *x = exp_fast(*x - high);
        }
        for xs in xs.chunks_exact(4) {
            for (sum, x) in sums.iter_mut().zip(xs) {
                *sum += x;
            }
        }
        for part in sums {
            sum += part;
        }
    } else {
        for x in xs.iter_mut() {
            *x = exp_exact(*x - high);
        }
        for x in xs.iter() {
            sum += x;
        }
    }
    for x in xs {
        *x /= sum;
    }
}

for_every_machine! {
    /// Rounds activations to int8 around the offset: `round(x × multiplier)`, ties to even, held
    /// between −127 and 127, plus 127. What is not a number becomes −127.
    #[expect(clippy::manual_clamp, reason = "a clamp would let what is not a number through")]
    fn quantize(xs: &[f32], multiplier: f32, quantized: &mut [u8]) {
        for (quantized, x) in quantized.iter_mut().zip(xs) {
            let x = (x * multiplier).max(-127.0).min(127.0);
            *quantized = ((x + ROUND).to_bits() as u8).wrapping_add(OFFSET as u8);
        }
    }

    /// Sets what is negative to zero.
    fn relu(xs: &mut [f32]) {
        for x in xs {
            *x = x.max(0.0);
        }
    }

    /// `x = normalized(x + y) × scale + bias`, row by row; the width is that of `scale`.
    fn add_and_normalize(xs: &mut [f32], ys: &[f32], scale: &[f32], bias: &[f32], epsilon: f32) {
        let width = scale.len();
        for (x, y) in xs.iter_mut().zip(ys) {
            *x += y;
        }
        let mut blocks = xs.chunks_exact_mut(width * CHAINS);
        for rows in &mut blocks {
            let (means, deviations) = moments::<CHAINS>(rows, width, epsilon);
            for (row, xs) in rows.chunks_exact_mut(width).enumerate() {
                normalize(xs, (means[row], deviations[row]), scale, bias);
            }
        }
        for xs in blocks.into_remainder().chunks_exact_mut(width) {
            let ([mean], [deviation]) = moments::<1>(xs, width, epsilon);
            normalize(xs, (mean, deviation), scale, bias);
        }
    }

    /// One step of a simple recurrent unit: `cell = σ(gate) · cell + (1 − σ(gate)) · x` and
    /// `output = max(cell, 0)`.
    fn recur(cells: &mut [f32], gates: &[f32], xs: &[f32], outputs: &mut [f32]) {
        for (((cell, gate), x), output) in cells.iter_mut().zip(gates).zip(xs).zip(outputs) {
            let power = exp_fast(*gate);
            let keep = power / (1.0 + power);
            *cell = keep * *cell + (1.0 - keep) * x;
            *output = cell.max(0.0);
        }
    }

    /// Turns `(rows, width)` into `(width, padded)`, with zeros beyond the rows.
    fn transpose(rows: &[f32], width: usize, padded: usize, output: &mut [f32]) {
        let length = rows.len() / width.max(1);
        for (column, output) in output.chunks_exact_mut(padded).enumerate() {
            for (row, output) in output[..length].iter_mut().enumerate() {
                *output = rows[row * width + column];
            }
            output[length..].fill(0.0);
        }
    }

    /// The attention of each query `(queries, width)` over keys and values, into outputs of the
    /// same shape. `scores` is scratch of at least the padded length.
    fn attend(queries: &[f32], attention: Attention<'_>, scores: &mut [f32], outputs: &mut [f32]) {
        let Attention { keys, values, length, padded, heads } = attention;
        let width = values.len() / length.max(1);
        let depth = width / heads.max(1);
        let scale = 1.0 / (depth as f32).sqrt();
        let rows = queries.chunks_exact(width).zip(outputs.chunks_exact_mut(width));
        // Where queries come in fours, keys that do not are summed in four parts.
        let whole = (queries.len() / width.max(1) / 4 * 4, length / 4 * 4);
        for (row, (query, output)) in rows.enumerate() {
            for head in 0..heads {
                let columns = head * depth..(head + 1) * depth;
                let query = &query[columns.clone()];
                let keys = &keys[columns.start * padded..columns.end * padded];
                scores[..padded].fill(0.0);
                accumulate(&mut scores[..padded], query, keys, padded);
                for score in &mut scores[..length] {
                    *score *= scale;
                }
                if row < whole.0 {
                    for (key, score) in scores[..length].iter_mut().enumerate().skip(whole.1) {
                        let mut sums = [0.0; 4];
                        for (query, keys) in query.chunks_exact(4).zip(keys.chunks_exact(4 * padded)) {
                            for (part, sum) in sums.iter_mut().enumerate() {
                                *sum += query[part] * keys[part * padded + key];
                            }
                        }
                        *score = ((sums[0] + sums[1]) + (sums[2] + sums[3])) * scale;
                    }
                }
                softmax(&mut scores[..length]);
                let output = &mut output[columns.clone()];
                output.fill(0.0);
                accumulate(output, &scores[..length], &values[columns.start..], width);
            }
        }
    }

    /// The place of the largest number; of equal ones the first. Nothing is written for no numbers.
    fn place_of_largest(xs: &[f32], place: &mut usize) {
        let best = largest(xs);
        if let Some(found) = xs.iter().position(|&x| x == best) {
            *place = found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_close() {
        for step in -8600..8800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp_fast(x)) - expected).abs() / expected;
            assert!(error < 2e-7, "exp({x}) is off by {error}");
            if x <= 0.0 {
                let error = (f64::from(exp_exact(x)) - expected).abs() / expected;
                assert!(error < 6.1e-8, "exp({x}) is off by {error}");
            }
        }
    }

    #[test]
    fn weights_sum_to_one_for_any_number_of_keys() {
        for count in 1..40 {
            let mut xs: Vec<f32> = (0..count)
                .map(|x| (x * 37 % 11) as f32 / 3.0 - 50.0)
                .collect();
            softmax(&mut xs);
            let sum: f32 = xs.iter().sum();
            assert!((sum - 1.0).abs() < 1e-6, "{count} weights sum to {sum}");
        }
    }

    #[test]
    fn quantization_rounds_to_even_and_holds_the_range() {
        let xs = [
            0.0,
            0.5,
            1.5,
            -0.5,
            -1.5,
            126.6,
            127.4,
            1e9,
            -1e9,
            f32::NAN,
            2.5,
            -2.4,
        ];
        let mut quantized = [0; 12];
        quantize(&xs, 1.0, &mut quantized);
        let signed: Vec<i32> = quantized.iter().map(|&q| i32::from(q) - OFFSET).collect();
        assert_eq!(signed, [0, 0, 2, 0, -2, 127, 127, 127, -127, -127, 2, -2]);
    }

    #[test]
    fn the_first_of_equal_numbers_is_found() {
        let mut xs = vec![-1.0; 37];
        let mut place = 99;
        place_of_largest(&[], &mut place);
        assert_eq!(place, 99);
        for expected in [36, 20, 3] {
            xs[expected] = 5.0;
            place_of_largest(&xs, &mut place);
            assert_eq!(place, expected);
        }
    }
}
