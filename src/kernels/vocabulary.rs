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
    fn sum_exp sum_exp_body(scores: &[f32], largest: f32, out: &mut f32)
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

impl<'a> Scanned<'a> {
    /// Looks through the scores of one row.
    pub(crate) fn new(scores: &'a [f32]) -> Self {
        let mut largest = vec![f32::NEG_INFINITY; scores.len().div_ceil(BLOCK)];
        maxima(scores, &mut largest);
        Self { scores, largest }
    }

    /// The logarithm of the sum of the exponentials of all scores.
    pub(crate) fn log_sum_exp(&self) -> f32 {
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

    /// The `count` highest scores with their columns, highest first, the lower column first among
    /// equals; without those of `except`, which is sorted. Fewer where the rest is −∞ or no number.
    pub(crate) fn top(&self, count: usize, except: &[usize]) -> Vec<(usize, f32)> {
        let mut best: Vec<(usize, f32)> = Vec::with_capacity(count + 1);
        let mut least = f32::NEG_INFINITY;
        for (number, &largest) in self.largest.iter().enumerate() {
            if largest <= least {
                continue;
            }
            let first = number * BLOCK;
            for (i, &score) in self.scores[first..self.scores.len().min(first + BLOCK)]
                .iter()
                .enumerate()
            {
                if score.is_nan() || score <= least || except.binary_search(&(first + i)).is_ok() {
                    continue;
                }
                let at = best.partition_point(|&(_, other)| other >= score);
                best.insert(at, (first + i, score));
                if best.len() > count {
                    best.pop();
                }
                if best.len() == count {
                    least = best.last().map_or(least, |&(_, score)| score);
                }
            }
        }
        best
    }
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
        let scanned = Scanned::new(&scores);
        let exact = scores.iter().map(|&x| f64::from(x).exp()).sum::<f64>().ln();
        assert!((f64::from(scanned.log_sum_exp()) - exact).abs() < 1e-5);
        let except = [5, 88, 700];
        let mut order: Vec<usize> = (0..scores.len()).filter(|i| !except.contains(i)).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let expected: Vec<_> = order[..9].iter().map(|&i| (i, scores[i])).collect();
        assert_eq!(scanned.top(9, &except), expected);
    }

    #[test]
    fn what_is_no_number_is_never_among_the_best() {
        let scores = [f32::NAN, 1.0, f32::NEG_INFINITY, 2.0];
        assert_eq!(Scanned::new(&scores).top(4, &[]), [(3, 2.0), (1, 1.0)]);
    }
}
