//! The inner loops of attention: a few queries of one head over the keys and values of that head.
//!
//! Keys have the position as the fastest index, so that the scores of 16 positions are computed
//! side by side and nothing is added across lanes. What a query comes to does not depend on how
//! many are computed with it.

use super::super::elementwise::{Arithmetic, dispatch, exp};
use super::super::{Backend, simd};

/// The shape of the heads and the factor of the scores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Heads.
    pub(crate) heads: usize,
    /// Features of a head.
    pub(crate) width: usize,
    /// Multiplies the scores.
    pub(crate) scale: f32,
}

impl Shape {
    /// Features of all heads.
    pub(crate) fn inner(self) -> usize {
        self.heads * self.width
    }
}

/// Positions of keys are padded to a multiple of this many.
pub(super) const PADDING: usize = 16;
/// Most queries that are computed together.
pub(super) const QUERIES: usize = 4;

/// Keys and values of one head.
pub(super) struct HeadKeyValues<'a> {
    /// `(width, padded length)`, what is padded being zero.
    pub(super) keys: &'a [f32],
    /// A line of `width` for each position.
    pub(super) values: &'a [f32],
    /// From one of these lines to the next.
    pub(super) stride: usize,
    /// How many positions.
    pub(super) length: usize,
}

/// Attention of up to [`QUERIES`] queries: `(values, stride, count)`. `added` may change the scores
/// of a query, named by its number, before the softmax. `scores` is room for [`QUERIES`] lines of
/// the padded length. `out` is where the first result goes and how far it is to the next.
///
/// # Safety
///
/// `width` values can be written at each of the `count` places of `out`.
pub(super) unsafe fn attend(
    backend: Backend,
    shape: Shape,
    head: &HeadKeyValues<'_>,
    (queries, query_stride, count): (&[f32], usize, usize),
    added: impl Fn(usize, &mut [f32]),
    scores: &mut [f32],
    (out, out_stride): (*mut f32, usize),
) {
    if head.length == 0 {
        return;
    }
    let width = shape.width;
    let padded = head.length.next_multiple_of(PADDING);
    assert!(
        count <= QUERIES
            && queries.len() >= (count - 1) * query_stride + width
            && head.keys.len() == width * padded
            && head.values.len() >= (head.length - 1) * head.stride + width
            && scores.len() >= count * padded,
        "attention size: this is a bug"
    );
    let scores = &mut scores[..count * padded];
    // SAFETY: the backend was detected; sizes were asserted above; the rest the caller promises.
    unsafe {
        let lines = (queries.as_ptr(), query_stride, count);
        match backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Vnni => avx512::scores(shape, head.keys, lines, scores),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => avx2::scores(shape, head.keys, lines, scores),
            Backend::Portable => portable::scores(shape, head.keys, lines, scores),
        }
        for (number, scores) in scores.chunks_exact_mut(padded).enumerate() {
            added(number, &mut scores[..head.length]);
        }
        softmax(scores, padded, head.length);
        let target = (out, out_stride, count);
        match backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512Vnni => avx512::weigh(width, head, scores, target),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => avx2::weigh(width, head, scores, target),
            Backend::Portable => portable::weigh(width, head, scores, target),
        }
    }
}

macro_rules! backend {
    ($name:ident, $(#[$attribute:meta])*) => {
        mod $name {
            use super::simd::$name::*;
            use super::*;

            /// The scores of `count` queries: `(count, padded length)`.
            $(#[$attribute])*
            pub(super) unsafe fn scores(
                shape: Shape,
                keys: &[f32],
                (queries, stride, count): (*const f32, usize, usize),
                out: &mut [f32],
            ) {
                // SAFETY: sizes were asserted by `attend`.
                unsafe {
                    match count {
                        1 => scores_of::<1>(shape, keys, (queries, stride), out),
                        2 => scores_of::<2>(shape, keys, (queries, stride), out),
                        3 => scores_of::<3>(shape, keys, (queries, stride), out),
                        _ => scores_of::<4>(shape, keys, (queries, stride), out),
                    }
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn scores_of<const Q: usize>(
                shape: Shape,
                keys: &[f32],
                queries: (*const f32, usize),
                out: &mut [f32],
            ) {
                let padded = out.len() / Q;
                let mut first = 0;
                // SAFETY: as above.
                unsafe {
                    while first + 2 * LANES <= padded {
                        some_scores::<Q, 2>(shape, &keys[first..], queries, &mut out[first..], padded);
                        first += 2 * LANES;
                    }
                    if first < padded {
                        some_scores::<Q, 1>(shape, &keys[first..], queries, &mut out[first..], padded);
                    }
                }
            }

            /// The scores for `V × LANES` positions. Even and odd features have sums of their own,
            /// so that one addition need not wait for the one before.
            $(#[$attribute])*
            #[inline]
            unsafe fn some_scores<const Q: usize, const V: usize>(
                shape: Shape,
                keys: &[f32],
                (queries, stride): (*const f32, usize),
                out: &mut [f32],
                padded: usize,
            ) {
                // SAFETY: as above.
                unsafe {
                    let mut even = [[zero_floats(); V]; Q];
                    let mut odd = [[zero_floats(); V]; Q];
                    let (keys, out) = (keys.as_ptr(), out.as_mut_ptr());
                    let one = |sums: &mut [[Floats; V]; Q], feature: usize| {
                        for v in 0..V {
                            let key = load_floats(keys.add(feature * padded + v * LANES));
                            for q in 0..Q {
                                let query = splat(*queries.add(q * stride + feature));
                                sums[q][v] = mul_add(query, key, sums[q][v]);
                            }
                        }
                    };
                    for feature in (0..shape.width - 1).step_by(2) {
                        one(&mut even, feature);
                        one(&mut odd, feature + 1);
                    }
                    if shape.width % 2 == 1 {
                        one(&mut even, shape.width - 1);
                    }
                    let scale = splat(shape.scale);
                    for q in 0..Q {
                        for v in 0..V {
                            let sum = mul(add(even[q][v], odd[q][v]), scale);
                            store(out.add(q * padded + v * LANES), sum);
                        }
                    }
                }
            }

            /// The values of a head, summed with the weights of `count` queries.
            $(#[$attribute])*
            pub(super) unsafe fn weigh(
                width: usize,
                head: &HeadKeyValues<'_>,
                weights: &[f32],
                (out, stride, count): (*mut f32, usize, usize),
            ) {
                // SAFETY: sizes were asserted by `attend`.
                unsafe {
                    match count {
                        1 => weigh_for::<1>(width, head, weights, (out, stride)),
                        2 => weigh_for::<2>(width, head, weights, (out, stride)),
                        3 => weigh_for::<3>(width, head, weights, (out, stride)),
                        _ => weigh_for::<4>(width, head, weights, (out, stride)),
                    }
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn weigh_for<const Q: usize>(
                width: usize,
                head: &HeadKeyValues<'_>,
                weights: &[f32],
                (out, stride): (*mut f32, usize),
            ) {
                /// Vectors of features that are summed at a time.
                const WIDE: usize = LANES / 4;
                let padded = weights.len() / Q;
                let mut first = 0;
                // SAFETY: as above.
                unsafe {
                    while first + WIDE * LANES <= width {
                        some_weighed::<Q, WIDE>(head, weights, first, (out, stride));
                        first += WIDE * LANES;
                    }
                    while first + LANES <= width {
                        some_weighed::<Q, 1>(head, weights, first, (out, stride));
                        first += LANES;
                    }
                    for feature in first..width {
                        for q in 0..Q {
                            let weights = &weights[q * padded..][..head.length];
                            let values = head.values[feature..].iter().step_by(head.stride);
                            *out.add(q * stride + feature) =
                                weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
                        }
                    }
                }
            }

            $(#[$attribute])*
            #[inline]
            unsafe fn some_weighed<const Q: usize, const F: usize>(
                head: &HeadKeyValues<'_>,
                weights: &[f32],
                first: usize,
                (out, stride): (*mut f32, usize),
            ) {
                // SAFETY: as above.
                unsafe {
                    let padded = weights.len() / Q;
                    let weights = weights.as_ptr();
                    let mut sums = [[zero_floats(); F]; Q];
                    for position in 0..head.length {
                        let line = head.values.as_ptr().add(position * head.stride + first);
                        let mut values = [zero_floats(); F];
                        for f in 0..F {
                            values[f] = load_floats(line.add(f * LANES));
                        }
                        for q in 0..Q {
                            let weight = splat(*weights.add(q * padded + position));
                            for f in 0..F {
                                sums[q][f] = mul_add(weight, values[f], sums[q][f]);
                            }
                        }
                    }
                    for q in 0..Q {
                        for f in 0..F {
                            store(out.add(q * stride + first + f * LANES), sums[q][f]);
                        }
                    }
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

dispatch! {
    /// Turns each line of `padded` scores, the first `length` of which count, into weights.
    pub(super) fn softmax softmax_body(scores: &mut [f32], padded: usize, length: usize)
}

#[inline(always)]
fn softmax_body<A: Arithmetic>(scores: &mut [f32], padded: usize, length: usize) {
    for line in scores.chunks_exact_mut(padded) {
        line[length..].fill(f32::NEG_INFINITY);
        // Lines are whole chunks: the padding sees to that.
        let (chunks, _) = line.as_chunks_mut::<PADDING>();
        let mut lanes = [f32::NEG_INFINITY; PADDING];
        for chunk in chunks.iter() {
            lanes
                .iter_mut()
                .zip(chunk)
                .for_each(|(a, b)| *a = if *b > *a { *b } else { *a });
        }
        let largest = lanes.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        let mut sums = [0f32; PADDING];
        for chunk in chunks.iter_mut() {
            for (sum, score) in sums.iter_mut().zip(chunk) {
                *score = exp::<A>(*score - largest);
                *sum += *score;
            }
        }
        let inverse = 1.0 / sums.iter().sum::<f32>();
        for chunk in chunks {
            chunk.iter_mut().for_each(|score| *score *= inverse);
        }
    }
}
