//! Passes over the scores of a whole vocabulary, row by row.

use super::elementwise::{Arithmetic, dispatch, exp};

/// Scores in a block whose largest is remembered.
const BLOCK: usize = 256;

/// The scores of one row, looked through once.
pub(crate) struct Scanned<'a> {
    scores: &'a [f32],
    /// The largest of each block.
    largest: Vec<f32>,
}

dispatch! {
    fn maxima maxima_body(scores: &[f32], out: &mut [f32])
}
dispatch! {
    /// The sum of the exponentials of scores less their largest.
    pub(super) fn sum_exp sum_exp_body(scores: &[f32], largest: f32, out: &mut f32)
}

#[inline(always)]
fn maxima_body<A: Arithmetic>(scores: &[f32], out: &mut [f32]) {
    for (block, out) in scores.chunks(BLOCK).zip(out) {
        let mut lanes = [f32::NEG_INFINITY; 64];
        for chunk in block.chunks(64) {
            lanes
                .iter_mut()
                .zip(chunk)
                .for_each(|(a, b)| *a = if *b > *a { *b } else { *a });
        }
        *out = lanes.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    }
}

#[inline(always)]
fn sum_exp_body<A: Arithmetic>(scores: &[f32], largest: f32, out: &mut f32) {
    let mut sums = [0f32; 64];
    let (chunks, rest) = scores.as_chunks::<64>();
    for chunk in chunks {
        sums.iter_mut()
            .zip(chunk)
            .for_each(|(sum, score)| *sum += exp::<A>(*score - largest));
    }
    sums.iter_mut()
        .zip(rest)
        .for_each(|(sum, score)| *sum += exp::<A>(*score - largest));
    *out = sums.iter().sum();
}

/// The scores of one row, as search needs them.
pub(crate) trait Row {
    /// How many scores there are.
    fn columns(&self) -> usize;
    /// One of them.
    fn score(&self, column: usize) -> f32;
    /// The logarithm of the sum of the exponentials of all scores.
    fn log_sum_exp(&self) -> f32;
    /// The same without the scores of `except`, which is sorted.
    fn log_sum_exp_without(&self, except: &[usize]) -> f32;
    /// The `count` highest scores with their columns, highest first, the lower column first among
    /// equals; without those of `except`, which is sorted. Fewer where the rest is −∞ or no number.
    fn top(&self, count: usize, except: &[usize]) -> Vec<(usize, f32)>;
}

/// The highest of the scores that it was offered, highest first, the lower column first among
/// equals.
pub(super) struct Best {
    count: usize,
    pub(super) found: Vec<(usize, f32)>,
}

impl Best {
    pub(super) fn new(count: usize) -> Self {
        Self {
            count,
            found: Vec::with_capacity(count + 1),
        }
    }

    /// What a score may not be below to come in.
    pub(super) fn least(&self) -> f32 {
        match self.found.last() {
            Some(&(_, score)) if self.found.len() == self.count => score,
            _ => f32::NEG_INFINITY,
        }
    }

    /// Takes a score in if it belongs here; never −∞ or what is no number.
    pub(super) fn offer(&mut self, column: usize, score: f32) {
        if score.is_nan() || score == f32::NEG_INFINITY || score < self.least() {
            return;
        }
        let at = self
            .found
            .partition_point(|&(at, other)| other > score || (other == score && at < column));
        self.found.insert(at, (column, score));
        self.found.truncate(self.count);
    }
}

impl<'a> Scanned<'a> {
    /// Looks through the scores of one row.
    pub(crate) fn new(scores: &'a [f32]) -> Self {
        let mut largest = vec![f32::NEG_INFINITY; scores.len().div_ceil(BLOCK)];
        maxima(scores, &mut largest);
        Self { scores, largest }
    }
}

impl Row for Scanned<'_> {
    fn columns(&self) -> usize {
        self.scores.len()
    }

    fn score(&self, column: usize) -> f32 {
        self.scores[column]
    }

    fn log_sum_exp(&self) -> f32 {
        let largest = self
            .largest
            .iter()
            .fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        if largest == f32::NEG_INFINITY {
            return largest;
        }
        let mut sum = 0.0;
        sum_exp(self.scores, largest, &mut sum);
        largest + sum.ln()
    }

    fn log_sum_exp_without(&self, except: &[usize]) -> f32 {
        let mut start = 0;
        let ends = except.iter().copied().chain([self.scores.len()]);
        let parts = ends.map(|end| {
            let part = self.scores.get(start..end).unwrap_or_default();
            start = end + 1;
            let largest = part.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            let mut sum = 0.0;
            if largest > f32::NEG_INFINITY {
                sum_exp(part, largest, &mut sum);
            }
            (largest, sum)
        });
        log_sum(&parts.collect::<Vec<_>>())
    }

    fn top(&self, count: usize, except: &[usize]) -> Vec<(usize, f32)> {
        let mut best = Best::new(count);
        let blocks = self.scores.chunks(BLOCK).zip(&self.largest).enumerate();
        for (number, (scores, &largest)) in blocks {
            // Columns come in order, so that an equal score comes too late.
            if largest <= best.least() {
                continue;
            }
            for (column, &score) in (number * BLOCK..).zip(scores) {
                if score > best.least() && except.binary_search(&column).is_err() {
                    best.offer(column, score);
                }
            }
        }
        best.found
    }
}

/// The logarithm of a sum of exponentials, of whose parts the largest score and the sum less that
/// are given.
pub(super) fn log_sum(parts: &[(f32, f32)]) -> f32 {
    let high = parts
        .iter()
        .fold(f32::NEG_INFINITY, |high, part| high.max(part.0));
    if high == f32::NEG_INFINITY {
        return high;
    }
    let sums = parts
        .iter()
        .map(|(largest, sum)| sum * (largest - high).exp());
    high + sums.sum::<f32>().ln()
}

/// What `of` gives for each number below `count`, in order, found on all threads where each takes
/// a look at `cost` scores and that is worth it.
pub(crate) fn map_parallel<T: Send + Sync>(
    count: usize,
    cost: usize,
    of: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    if count < 2 || count * cost < 1 << 15 {
        return (0..count).map(of).collect();
    }
    let places: Vec<std::sync::OnceLock<T>> =
        (0..count).map(|_| std::sync::OnceLock::new()).collect();
    super::pool::execute_chunked(count, |range| {
        for i in range {
            let _ = places[i].set(of(i));
        }
    });
    places
        .into_iter()
        .filter_map(std::sync::OnceLock::into_inner)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_and_sum_follow_their_definitions() {
        let scores: Vec<f32> = (0..1111)
            .map(|i| ((i * 7919) % 613) as f32 / 100.0)
            .collect();
        let exact = scores.iter().map(|&x| f64::from(x).exp()).sum::<f64>().ln();
        let except = [5, 88, 700];
        let mut order: Vec<usize> = (0..scores.len()).filter(|i| !except.contains(i)).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let expected: Vec<_> = order[..9].iter().map(|&i| (i, scores[i])).collect();
        let all: Vec<usize> = (0..scores.len()).collect();
        crate::kernels::Backend::each(|backend| {
            let scanned = Scanned::new(&scores);
            let found = f64::from(scanned.log_sum_exp());
            assert!((found - exact).abs() < 1e-5, "{backend:?} {found} {exact}");
            assert_eq!(scanned.top(9, &except), expected, "{backend:?}");
            for except in [vec![], vec![0, 5, 6, 700, 1110], (3..1109).collect()] {
                let kept = (0..scores.len()).filter(|i| !except.contains(i));
                let exact = kept.map(|i| f64::from(scores[i]).exp()).sum::<f64>().ln();
                let found = f64::from(scanned.log_sum_exp_without(&except));
                assert!((found - exact).abs() < 1e-5, "{backend:?} {found} {exact}");
            }
            let none = scanned.log_sum_exp_without(&all);
            assert_eq!(none, f32::NEG_INFINITY, "{backend:?}");
        });
    }

    #[test]
    fn what_is_no_number_is_never_among_the_best() {
        let scores = [f32::NAN, 1.0, f32::NEG_INFINITY, 2.0];
        assert_eq!(Scanned::new(&scores).top(4, &[]), [(3, 2.0), (1, 1.0)]);
    }
}
