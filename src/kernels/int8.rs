//! Products of int8 weights and int8 activations, summed in int32.
//!
//! Why not candle's quantized product: its blocks of 32 have a scale each, and weights with one
//! scale for the whole matrix would have to be rounded a second time; another rounding of the same
//! weights changes what a translation model says. Here the integers of the file are multiplied as
//! they are, and AVX-512 VNNI, AVX-VNNI, AVX2 and plain Rust give the same bits; no row of a
//! product depends on the rows beside it.
//!
//! The sum of two neighbouring products is held to 16 bits, as in the engine that the models were
//! made for (`maddubs` of SSSE3 and AVX2). In published models three pairs of weights in ten
//! thousand are large enough for that to happen, and a third of all lines changes without it. The
//! dot products of VNNI do not do it; there, those few pairs are multiplied a second time, and
//! what is beyond 16 bits is taken off.
//!
//! Activations are unsigned with an offset of [`OFFSET`] (see [`super::float::quantize`]); a bias
//! takes that offset back, as in Marian's `int8shift` arithmetic.

#[cfg(target_arch = "x86_64")]
mod x86;

/// What stands for zero among quantized activations.
pub(crate) const OFFSET: i32 = 127;

/// Output columns are kept in groups of this many.
const GROUP: usize = 16;

/// The activations of this many inputs are multiplied at a time.
const STEP: usize = 4;

/// The instructions that the products use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instructions {
    /// 512-bit integer dot products.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// 256-bit integer dot products.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// 256-bit multiply-and-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Plain Rust.
    Portable,
}

impl Instructions {
    /// The best that this machine has.
    pub(crate) fn detect() -> Self {
        #[cfg(test)]
        if let Some(&forced) = FORCED
            .load(std::sync::atomic::Ordering::Relaxed)
            .checked_sub(1)
            .and_then(|index| Self::available().get(index))
        {
            return forced;
        }
        Self::available().first().copied().unwrap_or(Self::Portable)
    }

    /// All that this machine has, best first.
    pub(crate) fn available() -> &'static [Self] {
        static AVAILABLE: std::sync::OnceLock<Vec<Instructions>> = std::sync::OnceLock::new();
        AVAILABLE.get_or_init(|| {
            let mut available = Vec::new();
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
                {
                    available.push(Self::Avx512Vnni);
                }
                if is_x86_feature_detected!("avx2") {
                    if is_x86_feature_detected!("avxvnni") {
                        available.push(Self::AvxVnni);
                    }
                    available.push(Self::Avx2);
                }
            }
            available.push(Self::Portable);
            available
        })
    }
}

/// For tests: one more than the place among [`Instructions::available`] of those to use, or 0. All
/// give the same bits, so a test that sets this does not disturb those beside it.
#[cfg(test)]
pub(crate) static FORCED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// 64 weights: those of four inputs for each of 16 output columns.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([i8; GROUP * STEP]);

/// A weight matrix, one byte a weight, in the order in which the products read it.
#[derive(Debug)]
pub(crate) struct Int8Matrix {
    /// For each group of 16 columns, for each four inputs, one line.
    lines: Vec<Line>,
    inputs: usize,
    columns: usize,
    /// The sum of each column, and zeros up to a whole group.
    sums: Vec<i32>,
    /// The lines with a pair of weights whose products may not fit in 16 bits: the number of the
    /// line within its group, group after group.
    large: Vec<u32>,
    /// Where those of each group begin, and an end.
    large_starts: Vec<u32>,
}

/// The largest activation: 127 above the offset.
const MAX_ACTIVATION: i32 = OFFSET + 127;

impl Line {
    /// Whether two neighbouring products could leave 16 bits.
    fn is_large(&self) -> bool {
        self.0.chunks_exact(2).any(|pair| {
            // Of two weights with different signs, the worst is one of them alone, which fits.
            let sum = (i32::from(pair[0]) + i32::from(pair[1])) * MAX_ACTIVATION;
            sum > i32::from(i16::MAX) || sum < i32::from(i16::MIN)
        })
    }
}

impl Int8Matrix {
    /// Packs a matrix given column by column: `columns × inputs` weights, the inputs of a column
    /// side by side. `inputs` is a multiple of four.
    pub(crate) fn new(weights: &[i8], inputs: usize) -> Self {
        debug_assert_eq!(
            weights.len() % inputs.max(1),
            0,
            "weights are whole columns"
        );
        Self::pack(weights, inputs, weights.len() / inputs.max(1), |column| {
            column
        })
    }

    /// Packs chosen columns of a matrix given column by column, in the order chosen.
    pub(crate) fn select(weights: &[i8], inputs: usize, chosen: &[u32]) -> Self {
        Self::pack(weights, inputs, chosen.len(), |column| {
            chosen[column] as usize
        })
    }

    fn pack(
        weights: &[i8],
        inputs: usize,
        columns: usize,
        source: impl Fn(usize) -> usize,
    ) -> Self {
        assert_eq!(inputs % STEP, 0, "inputs are a multiple of four");
        let steps = inputs / STEP;
        let groups = columns.div_ceil(GROUP);
        let mut lines = vec![Line([0; GROUP * STEP]); groups * steps];
        let mut sums = vec![0; groups * GROUP];
        for column in 0..columns {
            let start = source(column) * inputs;
            let values = &weights[start..start + inputs];
            sums[column] = values.iter().map(|&weight| i32::from(weight)).sum();
            let lines = &mut lines[column / GROUP * steps..][..steps];
            let place = column % GROUP * STEP;
            for (line, values) in lines.iter_mut().zip(values.chunks_exact(STEP)) {
                line.0[place..place + STEP].copy_from_slice(values);
            }
        }
        let mut large = Vec::new();
        let mut large_starts = vec![0];
        for group in lines.chunks_exact(steps.max(1)) {
            large.extend(
                (0u32..)
                    .zip(group)
                    .filter(|(_, line)| line.is_large())
                    .map(|(step, _)| step),
            );
            large_starts.push(large.len() as u32);
        }
        Self {
            lines,
            inputs,
            columns,
            sums,
            large,
            large_starts,
        }
    }

    /// How many inputs there are.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many output columns there are.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Output columns with those that fill the last group: the width of a row of a product.
    pub(crate) fn width(&self) -> usize {
        self.sums.len()
    }

    /// The sum of each column.
    pub(crate) fn sums(&self) -> &[i32] {
        &self.sums[..self.columns]
    }

    /// Multiplies rows of activations: `(rows, inputs)` in, `(rows, width)` out.
    ///
    /// An output is `sum × scale + bias`, the sum over the unsigned activations converted to
    /// float32 first and the two float operations rounded one after the other. `bias` has
    /// [`Int8Matrix::width`] entries.
    pub(crate) fn multiply(
        &self,
        activations: &[u8],
        scale: f32,
        bias: &[f32],
        output: &mut [f32],
    ) {
        self.multiply_with(
            Instructions::detect(),
            activations,
            Finish { scale, bias },
            output,
        );
    }

    fn multiply_with(
        &self,
        instructions: Instructions,
        activations: &[u8],
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let rows = activations.len().checked_div(self.inputs).unwrap_or(0);
        assert_eq!(
            activations.len(),
            rows * self.inputs,
            "activations are whole rows"
        );
        assert_eq!(output.len(), rows * self.width(), "outputs are whole rows");
        assert_eq!(finish.bias.len(), self.width(), "a bias for every column");
        match instructions {
            // SAFETY: the lengths are checked above, and the instructions are there.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => unsafe {
                x86::multiply_512(self, activations, finish, output)
            },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::AvxVnni => unsafe {
                x86::multiply_vnni(self, activations, finish, output)
            },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { x86::multiply_avx2(self, activations, finish, output) },
            Instructions::Portable => self.multiply_portable(activations, finish, output),
        }
    }

    fn multiply_portable(&self, activations: &[u8], finish: Finish<'_>, output: &mut [f32]) {
        let steps = self.inputs / STEP;
        let width = self.width();
        for (group, lines) in self.lines.chunks_exact(steps).enumerate() {
            for (row, output) in activations
                .chunks_exact(self.inputs)
                .zip(output.chunks_exact_mut(width))
            {
                let mut sums = [0i32; GROUP];
                for (line, xs) in lines.iter().zip(row.chunks_exact(STEP)) {
                    let xs: [i32; STEP] = std::array::from_fn(|k| i32::from(xs[k]));
                    for (sum, weights) in sums.iter_mut().zip(line.0.chunks_exact(STEP)) {
                        let weights: [i32; STEP] = std::array::from_fn(|k| i32::from(weights[k]));
                        *sum += held(xs[0] * weights[0] + xs[1] * weights[1]);
                        *sum += held(xs[2] * weights[2] + xs[3] * weights[3]);
                    }
                }
                let range = group * GROUP..(group + 1) * GROUP;
                for ((output, sum), bias) in output[range.clone()]
                    .iter_mut()
                    .zip(sums)
                    .zip(&finish.bias[range])
                {
                    *output = sum as f32 * finish.scale + bias;
                }
            }
        }
    }
}

/// A sum of two products, held to 16 bits.
fn held(sum: i32) -> i32 {
    sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

/// What makes a float of an integer sum.
#[derive(Clone, Copy)]
struct Finish<'a> {
    scale: f32,
    bias: &'a [f32],
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Every set of instructions gives the bits of the plain sums, whatever the shape.
        #[test]
        fn products_are_exact_everywhere(
            rows in 1usize..20,
            steps in 1usize..40,
            columns in 1usize..150,
            seed in any::<u64>(),
            extreme in any::<bool>(),
        ) {
            let mut state = seed;
            let mut random = move || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 33) as u32
            };
            let inputs = steps * STEP;
            let weights: Vec<i8> = (0..columns * inputs)
                .map(|_| match random() % 8 {
                    0 if extreme => 127,
                    1 if extreme => -127,
                    _ => ((random() % 255) as i32 - 127) as i8,
                })
                .collect();
            let activations: Vec<u8> = (0..rows * inputs)
                .map(|_| match random() % 8 {
                    0..4 if extreme => 254,
                    _ => (random() % 255) as u8,
                })
                .collect();
            let matrix = Int8Matrix::new(&weights, inputs);
            let bias: Vec<f32> = (0..matrix.width()).map(|_| random() as f32 / 1e6).collect();
            let mut expected = vec![0.0; rows * matrix.width()];
            for row in 0..rows {
                for column in 0..matrix.width() {
                    let product =
                        |k: usize| i32::from(weights[column * inputs + k]) * i32::from(activations[row * inputs + k]);
                    let pairs = (0..inputs / 2).filter(|_| column < columns);
                    let sum: i32 =
                        pairs.map(|pair| (product(2 * pair) + product(2 * pair + 1)).clamp(-32768, 32767)).sum();
                    expected[row * matrix.width() + column] = sum as f32 * 0.37 + bias[column];
                }
            }
            for &instructions in Instructions::available() {
                let mut output = vec![f32::NAN; expected.len()];
                matrix.multiply_with(instructions, &activations, Finish { scale: 0.37, bias: &bias }, &mut output);
                prop_assert_eq!(&output, &expected, "{:?}", instructions);
            }
            let chosen: Vec<u32> = (0..columns as u32).rev().collect();
            let selected = Int8Matrix::select(&weights, inputs, &chosen);
            let sums: Vec<i32> = selected.sums().iter().rev().copied().collect();
            prop_assert_eq!(&sums, matrix.sums());
        }
    }
}
