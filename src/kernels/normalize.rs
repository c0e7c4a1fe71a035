//! Norms, activation functions and gates over rows of plain values.

use super::elementwise::{Arithmetic, dispatch, exp, for_each_row};

/// The function between the two layers of a feed-forward block; names as in `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Function {
    /// `max(x, 0)`.
    Relu,
    /// `x / (1 + e^-x)`.
    #[serde(alias = "swish")]
    Silu,
    /// `x Φ(x)`, exactly.
    Gelu,
    /// `x Φ(x)`, by tanh.
    #[serde(alias = "gelu_pytorch_tanh")]
    GeluNew,
}

/// Scale and shift after normalization.
#[derive(Clone)]
pub(crate) struct Norm {
    /// Multiplies each feature.
    pub(crate) weight: Vec<f32>,
    /// Added to each feature; without it the mean is not taken off either (RMS norm).
    pub(crate) bias: Option<Vec<f32>>,
    /// Added to the variance.
    pub(crate) epsilon: f32,
}

impl Norm {
    /// Normalizes each row of `xs` into `out`.
    pub(crate) fn apply(&self, xs: &[f32], out: &mut [f32]) {
        let width = self.weight.len();
        for_each_row(out, width, |row, out| {
            normalize(self, &xs[row * width..(row + 1) * width], out)
        });
    }

    /// Normalizes each stretch of `xs` that is as wide as the norm, in place.
    pub(crate) fn apply_each(&self, xs: &mut [f32]) {
        for xs in xs.chunks_exact_mut(self.weight.len()) {
            normalize_in_place(self, xs);
        }
    }

    /// Adds `more` to `xs` and normalizes each row in place.
    pub(crate) fn add_apply(&self, xs: &mut [f32], more: &[f32]) {
        let width = self.weight.len();
        for_each_row(xs, width, |row, xs| {
            add_normalize(self, xs, &more[row * width..(row + 1) * width])
        });
    }
}

dispatch! {
    fn normalize normalize_body(norm: &Norm, xs: &[f32], out: &mut [f32])
}
dispatch! {
    fn normalize_in_place in_place(norm: &Norm, xs: &mut [f32])
}
dispatch! {
    fn add_normalize add_normalize_body(norm: &Norm, xs: &mut [f32], more: &[f32])
}

#[inline(always)]
fn normalize_body<A: Arithmetic>(norm: &Norm, xs: &[f32], out: &mut [f32]) {
    out.copy_from_slice(xs);
    in_place::<A>(norm, out);
}

#[inline(always)]
fn add_normalize_body<A: Arithmetic>(norm: &Norm, xs: &mut [f32], more: &[f32]) {
    xs.iter_mut().zip(more).for_each(|(x, more)| *x += more);
    in_place::<A>(norm, xs);
}

#[inline(always)]
fn in_place<A: Arithmetic>(norm: &Norm, xs: &mut [f32]) {
    let count = xs.len() as f32;
    let mean = if norm.bias.is_some() {
        sum(xs, |x| x) / count
    } else {
        0.0
    };
    let variance = sum(xs, |x| (x - mean) * (x - mean)) / count;
    let inverse = 1.0 / (variance + norm.epsilon).sqrt();
    match &norm.bias {
        Some(bias) => {
            for ((x, weight), bias) in xs.iter_mut().zip(&norm.weight).zip(bias) {
                *x = A::mul_add((*x - mean) * inverse, *weight, *bias);
            }
        }
        None => xs
            .iter_mut()
            .zip(&norm.weight)
            .for_each(|(x, weight)| *x = *x * inverse * weight),
    }
}

#[inline(always)]
fn sum(xs: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0f32; 16];
    for chunk in xs.chunks(16) {
        sums.iter_mut()
            .zip(chunk)
            .for_each(|(sum, x)| *sum += of(*x));
    }
    sums.iter().sum()
}

/// Applies a function to every value.
pub(crate) fn apply(function: Function, xs: &mut [f32], width: usize) {
    for_each_row(xs, width, |_, xs| apply_row(function, xs));
}

dispatch! {
    fn apply_row apply_row_body(function: Function, xs: &mut [f32])
}

#[inline(always)]
fn apply_row_body<A: Arithmetic>(function: Function, xs: &mut [f32]) {
    match function {
        Function::Relu => xs.iter_mut().for_each(|x| *x = x.max(0.0)),
        Function::Silu => xs.iter_mut().for_each(|x| *x /= 1.0 + exp::<A>(-*x)),
        Function::Gelu => xs
            .iter_mut()
            .for_each(|x| *x *= 0.5 * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2))),
        Function::GeluNew => {
            for x in xs {
                // (1 + tanh y) / 2 = 1 / (1 + e^-2y)
                let y = 0.797_884_6 * (*x + 0.044_715 * *x * *x * *x);
                *x /= 1.0 + exp::<A>(-2.0 * y);
            }
        }
    }
}

fn erf(x: f32) -> f32 {
    candle_core::cpu::erf::erf_f32(x)
}

/// Multiplies the first half of each line by the second into `out`: `xs` is `(rows, 2 × width)`.
pub(crate) fn gate(function: Function, xs: &[f32], width: usize, out: &mut [f32]) {
    for_each_row(out, width, |row, out| {
        let line = &xs[row * 2 * width..(row + 1) * 2 * width];
        out.copy_from_slice(&line[..width]);
        apply_row(function, out);
        out.iter_mut()
            .zip(&line[width..])
            .for_each(|(out, x)| *out *= x);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Backend;

    #[test]
    fn functions_follow_their_definitions() {
        let exact = |function, x: f64| match function {
            Function::Relu => x.max(0.0),
            Function::Silu => x / (1.0 + (-x).exp()),
            Function::Gelu => x * 0.5 * (1.0 + candle_core::cpu::erf::erf_f64(x / 2f64.sqrt())),
            Function::GeluNew => {
                0.5 * x
                    * (1.0
                        + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
            }
        };
        let xs: Vec<f32> = (-80..80).map(|i| i as f32 / 8.0).collect();
        Backend::each(|backend| {
            for function in [
                Function::Relu,
                Function::Silu,
                Function::Gelu,
                Function::GeluNew,
            ] {
                let mut out = xs.clone();
                apply(function, &mut out, 32);
                let mut gated = vec![0.0; xs.len() / 2];
                gate(function, &xs, 16, &mut gated);
                for (i, (x, found)) in xs.iter().zip(out).enumerate() {
                    let exact = exact(function, f64::from(*x));
                    assert!(
                        (f64::from(found) - exact).abs() < 2e-6,
                        "{backend:?} {function:?} {x}: {found} {exact}"
                    );
                    // The first half of a line is the gate of the second.
                    if i % 32 < 16 {
                        let (found, exact) =
                            (gated[i / 32 * 16 + i % 32], exact as f32 * xs[i + 16]);
                        assert!(
                            (found - exact).abs() < 1e-4,
                            "{backend:?} {function:?} {x}, as a gate: {found} {exact}"
                        );
                    }
                }
            }
        });
    }

    #[test]
    fn layer_norm_has_mean_and_variance() {
        let norm = Norm {
            weight: vec![1.0; 40],
            bias: Some(vec![0.5; 40]),
            epsilon: 0.0,
        };
        let xs: Vec<f32> = (0..80).map(|i| ((i * 37) % 41) as f32).collect();
        Backend::each(|backend| {
            let mut out = vec![0.0; 80];
            norm.apply(&xs, &mut out);
            for row in out.chunks(40) {
                let mean: f32 = row.iter().sum::<f32>() / 40.0;
                let variance: f32 = row.iter().map(|x| (x - 0.5).powi(2)).sum::<f32>() / 40.0;
                assert!(
                    (mean - 0.5).abs() < 1e-5 && (variance - 1.0).abs() < 1e-5,
                    "{backend:?}"
                );
            }
        });
    }
}
