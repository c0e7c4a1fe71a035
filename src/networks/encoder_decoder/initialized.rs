//! Tells a matrix that was never trained from one that was.

/// Whether lines of `width` values, given by the sums of their squares, are what a matrix is
/// initialized with: normal numbers of one deviation. Lines of a trained matrix differ in length
/// by far more than chance allows.
pub(crate) fn looks_initialized(squares: &[f64], width: usize, deviation: f64) -> bool {
    if squares.len() < 2 || width == 0 || deviation <= 0.0 {
        return false;
    }
    let count = squares.len() as f64;
    let mean = squares.iter().sum::<f64>() / count;
    let variance = squares.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let found = (mean / width as f64).sqrt();
    // The sum of squares of `width` normal numbers has a relative variance of 2 / width.
    (found / deviation - 1.0).abs() < 0.05 && variance / mean.powi(2) < 2.0 * 2.0 / width as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of squares of lines of normal numbers, from a generator of our own.
    fn lines(count: usize, width: usize, deviation: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut state = 1u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..count)
            .map(|line| {
                let mut sum = 0.0;
                for _ in 0..width {
                    let normal = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                    sum += (normal * deviation(line)).powi(2);
                }
                sum
            })
            .collect()
    }

    #[test]
    fn a_matrix_that_was_never_trained_is_told_from_one_that_was() {
        for width in [16, 512, 1024] {
            assert!(looks_initialized(&lines(300, width, |_| 0.02), width, 0.02));
            // Another deviation, and lines that differ in length.
            assert!(!looks_initialized(
                &lines(300, width, |_| 0.03),
                width,
                0.02
            ));
            let differing = lines(300, width, |line| if line % 3 == 0 { 0.028 } else { 0.014 });
            assert!(!looks_initialized(&differing, width, 0.02), "{width}");
        }
        assert!(!looks_initialized(&[], 16, 0.02));
        assert!(!looks_initialized(&[0.0; 9], 16, 0.02));
    }
}
