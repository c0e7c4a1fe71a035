//! Confidence intervals: the score of a thousand corpora drawn, with repetition, from the segments of
//! the one that there is (Koehn, 2004).
//!
//! The draws are those of sacreBLEU with NumPy's default generator (`numpy.random.default_rng(seed)`:
//! PCG64 of O'Neill, 2014, seeded by NumPy's `SeedSequence`), so that intervals are equal, too.

use super::add;

/// How intervals are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Corpora that are drawn.
    pub samples: usize,
    /// Where the generator begins.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// What sacreBLEU does: a thousand samples from seed 12345.
    fn default() -> Self {
        Self {
            samples: 1000,
            seed: 12345,
        }
    }
}

/// Where a score would lie, with a probability of 95 %, for other texts of the kind.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Interval {
    /// The mean of the resampled scores.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Half of the width: what stands after `±`.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

impl Bootstrap {
    /// Scores resampled corpora: `counts` holds those of each segment.
    pub(super) fn interval(self, counts: &[Vec<f64>], value: impl Fn(&[f64]) -> f64) -> Interval {
        let mut generator = Generator::new(self.seed);
        let most = u32::try_from(counts.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let mut sums = vec![0.0; counts.first().map_or(0, Vec::len)];
        let mut scores: Vec<f64> = (0..self.samples)
            .map(|_| {
                sums.fill(0.0);
                for _ in counts {
                    add(&mut sums, &counts[generator.up_to(most) as usize]);
                }
                value(&sums)
            })
            .collect();
        scores.sort_by(f64::total_cmp);
        let outside = scores.len() / 40;
        let at = |i: usize| scores.get(i).copied().unwrap_or(0.0);
        Interval {
            mean: scores.iter().sum::<f64>() / scores.len().max(1) as f64,
            low: at(outside),
            high: at(scores.len().saturating_sub(outside + 1)),
        }
    }
}

/// PCG64 (XSL RR 128/64), seeded and drawn from as NumPy does.
struct Generator {
    state: u128,
    increment: u128,
    /// The upper half of a number whose lower half was given out.
    half: Option<u32>,
}

const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

impl Generator {
    fn new(seed: u64) -> Self {
        let [state_high, state_low, stream_high, stream_low] = seed_words(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut generator = Self {
            state: 0,
            increment: wide(stream_high, stream_low) << 1 | 1,
            half: None,
        };
        generator.step();
        generator.state = generator.state.wrapping_add(wide(state_high, state_low));
        generator.step();
        generator
    }

    fn step(&mut self) {
        self.state = self
            .state
            .wrapping_mul(MULTIPLIER)
            .wrapping_add(self.increment);
    }

    fn next_32(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        self.step();
        let mixed = (self.state >> 64) as u64 ^ self.state as u64;
        let number = mixed.rotate_right((self.state >> 122) as u32);
        self.half = Some((number >> 32) as u32);
        number as u32
    }

    /// A number from 0 to `most`, all alike (Lemire, 2019).
    fn up_to(&mut self, most: u32) -> u32 {
        let count = match most.checked_add(1) {
            None => return self.next_32(),
            // Nothing is drawn where there is no choice.
            Some(1) => return 0,
            Some(count) => count,
        };
        let threshold = (u32::MAX - most) % count;
        loop {
            let product = u64::from(self.next_32()) * u64::from(count);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }
}

/// Four words from a seed, mixed as NumPy's `SeedSequence` does with a pool of four.
fn seed_words(seed: u64) -> [u64; 4] {
    const POOL: usize = 4;
    fn hash(value: u32, constant: &mut u32, multiplier: u32) -> u32 {
        let value = value ^ *constant;
        *constant = constant.wrapping_mul(multiplier);
        let value = value.wrapping_mul(*constant);
        value ^ value >> 16
    }
    let mut constant = 0x43b0_d7e5;
    let mut mix_in = |value: u32| hash(value, &mut constant, 0x931e_8875);
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(&mut mix_in);
    for from in 0..POOL {
        for to in (0..POOL).filter(|&to| to != from) {
            let other = mix_in(pool[from]);
            let mixed = pool[to]
                .wrapping_mul(0xca01_f9dd)
                .wrapping_sub(other.wrapping_mul(0x4973_f715));
            pool[to] = mixed ^ mixed >> 16;
        }
    }
    let mut constant = 0x8b51_f9dd;
    let mut halves = pool
        .into_iter()
        .cycle()
        .map(|word| hash(word, &mut constant, 0x58f3_8ded));
    std::array::from_fn(|_| {
        let (low, high) = (halves.next().unwrap_or(0), halves.next().unwrap_or(0));
        u64::from(high) << 32 | u64::from(low)
    })
}
