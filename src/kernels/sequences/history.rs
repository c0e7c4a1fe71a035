//! Attention of one query a row over what the row has said so far.
//!
//! Keys and values are kept in a block for each position, a line for each row that there was then,
//! and a table says which line belongs to which row now: reordering rows moves a few numbers
//! instead of the keys. Keys and queries are turned so that the head is the fastest index; the
//! scores of all heads then come of one run through memory without adding across lanes.

use super::heads::{PADDING, softmax};
use super::{Backend, DistanceBias, OutPointer, Shape, spread};
use crate::kernels::simd;

/// The keys and values that a row may look back at, one token after another.
pub(crate) struct History<'a> {
    /// Blocks of one position each, in order: `(rows at that time, 2 × inner)`, keys as
    /// `(width, heads)`, then values as `(heads, width)`.
    pub(crate) blocks: &'a mut Vec<Vec<f32>>,
    /// For each row and position, the new one included, the row of the block: `(rows, positions)`.
    pub(crate) places: &'a [u32],
}

/// Adds a position of `(rows, 3 × inner)` queries, keys and values to the history, and attends
/// from it over each row's history. `out` is `(rows, inner)`.
pub(crate) fn over_history(
    shape: Shape,
    qkv: &[f32],
    history: History<'_>,
    bias: Option<&DistanceBias>,
    out: &mut [f32],
) {
    let inner = shape.inner();
    let History { blocks, places } = history;
    let last = blocks.len();
    let rows = out.len() / inner;
    assert!(
        qkv.len() == 3 * out.len() && places.len() == rows * (last + 1),
        "attention size: this is a bug"
    );
    let mut newest: Vec<f32> = Vec::with_capacity(rows * 2 * inner);
    let (target, kept) = (
        OutPointer(out.as_mut_ptr()),
        OutPointer(newest.as_mut_ptr()),
    );
    let backend = Backend::detect();
    let blocks_so_far = &**blocks;
    spread(rows, (last + 1) * inner, |row, scratch| {
        let (target, kept) = (&target, &kept);
        // SAFETY: rows are disjoint parts of both, and each is handed out once.
        let (out, kept) = unsafe {
            let line = kept.0.add(row * 2 * inner);
            std::ptr::write_bytes(line, 0, 2 * inner);
            (
                std::slice::from_raw_parts_mut(target.0.add(row * inner), inner),
                std::slice::from_raw_parts_mut(line, 2 * inner),
            )
        };
        let line = &qkv[row * 3 * inner..][..3 * inner];
        turn(shape, &line[inner..2 * inner], &mut kept[..inner]);
        kept[inner..].copy_from_slice(&line[2 * inner..]);
        let kept = &*kept;
        let places = &places[row * (last + 1)..][..last];
        let lines = blocks_so_far
            .iter()
            .zip(places)
            .map(|(block, &place)| &block[place as usize * 2 * inner..][..2 * inner])
            .chain(std::iter::once(kept));

        let padded = (last + 1).next_multiple_of(PADDING);
        scratch.clear();
        scratch.resize(inner + shape.heads * padded, 0.0);
        let (query, scores) = scratch.split_at_mut(inner);
        turn(shape, &line[..inner], query);
        // SAFETY: the backend was detected, and lines have the size that they need.
        unsafe {
            let to = (&mut *scores, padded);
            match backend {
                #[cfg(target_arch = "x86_64")]
                Backend::Avx512Vnni => avx512::scores(shape, query, lines.clone(), to),
                #[cfg(target_arch = "x86_64")]
                Backend::Avx2 => avx2::scores(shape, query, lines.clone(), to),
                Backend::Portable => portable::scores(shape, query, lines.clone(), to),
            }
        }
        if let Some(bias) = bias {
            for (head, scores) in scores.chunks_exact_mut(padded).enumerate() {
                bias.add(head, last, &mut scores[..=last]);
            }
        }
        softmax(scores, padded, last + 1);
        // SAFETY: as above.
        unsafe {
            let weights = (&*scores, padded);
            match backend {
                #[cfg(target_arch = "x86_64")]
                Backend::Avx512Vnni => avx512::weigh(shape, weights, lines, out),
                #[cfg(target_arch = "x86_64")]
                Backend::Avx2 => avx2::weigh(shape, weights, lines, out),
                Backend::Portable => portable::weigh(shape, weights, lines, out),
            }
        }
    });
    // SAFETY: every row wrote its line.
    unsafe { newest.set_len(rows * 2 * inner) };
    blocks.push(newest);
}

/// `(heads, width)` to `(width, heads)`.
fn turn(shape: Shape, from: &[f32], to: &mut [f32]) {
    for (head, from) in from.chunks_exact(shape.width).enumerate() {
        for (to, value) in to[head..].iter_mut().step_by(shape.heads).zip(from) {
            *to = *value;
        }
    }
}

macro_rules! backend {
    ($name:ident, $(#[$attribute:meta])*) => {
        mod $name {
            use super::simd::$name::*;
            use super::*;

            /// The scores of one row, `(heads, padded positions)`.
            $(#[$attribute])*
            pub(super) unsafe fn scores<'a>(
                shape: Shape,
                query: &[f32],
                lines: impl Iterator<Item = &'a [f32]> + Clone,
                (out, padded): (&mut [f32], usize),
            ) {
                let ahead = lines.clone().skip(2).map(Some).chain([None, None]);
                for (position, (line, ahead)) in lines.zip(ahead).enumerate() {
                    // Lines are scattered: keys are asked for ahead of time, and values for later.
                    // SAFETY: the caller's promise; asking for memory is a hint.
                    unsafe {
                        if let Some(ahead) = ahead {
                            for i in (0..query.len()).step_by(16) {
                                prefetch(ahead.as_ptr().add(i).cast());
                            }
                        }
                        let out = out[position..].iter_mut().step_by(padded);
                        if (4 * LANES).is_multiple_of(shape.heads) {
                            position_scores::<4>(shape, query, line, out);
                        } else if (12 * LANES).is_multiple_of(shape.heads) {
                            position_scores::<12>(shape, query, line, out);
                        } else {
                            for (head, out) in out.enumerate() {
                                let pairs = query[head..].iter().zip(&line[head..query.len()]);
                                let sum: f32 =
                                    pairs.step_by(shape.heads).map(|(query, key)| query * key).sum();
                                *out = sum * shape.scale;
                            }
                        }
                    }
                }
            }

            /// The scores of all heads for one position, summed in `V` vectors, which hold a whole
            /// number of features of all heads.
            $(#[$attribute])*
            #[inline]
            unsafe fn position_scores<'a, const V: usize>(
                shape: Shape,
                query: &[f32],
                line: &[f32],
                out: impl Iterator<Item = &'a mut f32>,
            ) {
                let mut folded = [0f32; 12 * LANES];
                // SAFETY: a line begins with as many keys as there are queries.
                unsafe {
                    let mut sums = [zero_floats(); V];
                    let whole = query.len() / (V * LANES) * (V * LANES);
                    for i in (0..whole).step_by(V * LANES) {
                        for v in 0..V {
                            let query = load_floats(query.as_ptr().add(i + v * LANES));
                            let key = load_floats(line.as_ptr().add(i + v * LANES));
                            sums[v] = mul_add(query, key, sums[v]);
                        }
                    }
                    let mut width = V * LANES;
                    if V == 4 && shape.heads <= LANES {
                        let sum = add(add(sums[0], sums[2]), add(sums[1], sums[3]));
                        store(folded.as_mut_ptr(), sum);
                        width = LANES;
                    } else {
                        for v in 0..V {
                            store(folded.as_mut_ptr().add(v * LANES), sums[v]);
                        }
                    }
                    // As many heads as there are go into the width a power of two times.
                    while width > shape.heads {
                        width /= 2;
                        for i in 0..width {
                            folded[i] += folded[i + width];
                        }
                    }
                    for i in whole..query.len() {
                        folded[i % shape.heads] += query[i] * line[i];
                    }
                }
                for (out, sum) in out.zip(&folded) {
                    *out = sum * shape.scale;
                }
            }

            /// The values of all positions, summed with the weights of each head.
            $(#[$attribute])*
            pub(super) unsafe fn weigh<'a>(
                shape: Shape,
                weights: (&[f32], usize),
                lines: impl Iterator<Item = &'a [f32]> + Clone,
                out: &mut [f32],
            ) {
                const PART: usize = 4 * LANES;
                let inner = out.len();
                // SAFETY: the caller's promise.
                unsafe {
                    let mut first = 0;
                    if shape.width.is_multiple_of(PART) {
                        while first + 4 * PART <= inner {
                            some_weighed::<4>(shape, weights, lines.clone(), first, out);
                            first += 4 * PART;
                        }
                        while first < inner {
                            some_weighed::<1>(shape, weights, lines.clone(), first, out);
                            first += PART;
                        }
                        return;
                    }
                }
                out.fill(0.0);
                let (weights, padded) = weights;
                for (position, line) in lines.enumerate() {
                    let values = line[inner..].chunks_exact(shape.width);
                    let outs = out.chunks_exact_mut(shape.width).zip(values);
                    for (head, (out, values)) in outs.enumerate() {
                        let weight = weights[head * padded + position];
                        for (out, value) in out.iter_mut().zip(values) {
                            *out += weight * value;
                        }
                    }
                }
            }

            /// `P` parts of four vectors from `first` on, each of them within one head.
            $(#[$attribute])*
            #[inline]
            unsafe fn some_weighed<'a, const P: usize>(
                shape: Shape,
                (weights, padded): (&[f32], usize),
                lines: impl Iterator<Item = &'a [f32]>,
                first: usize,
                out: &mut [f32],
            ) {
                const PART: usize = 4 * LANES;
                let mut of_part = [weights.as_ptr(); P];
                // SAFETY: `first` and what follows is within lines and output.
                unsafe {
                    let mut sums = [[zero_floats(); 4]; P];
                    for (part, of_part) in of_part.iter_mut().enumerate() {
                        let head = (first + part * PART) / shape.width;
                        *of_part = weights.as_ptr().add(head * padded);
                    }
                    for (position, line) in lines.enumerate() {
                        let values = line.as_ptr().add(out.len() + first);
                        for part in 0..P {
                            let weight = splat(*of_part[part].add(position));
                            for v in 0..4 {
                                let values = load_floats(values.add(part * PART + v * LANES));
                                sums[part][v] = mul_add(weight, values, sums[part][v]);
                            }
                        }
                    }
                    for part in 0..P {
                        for v in 0..4 {
                            let place = first + part * PART + v * LANES;
                            store(out.as_mut_ptr().add(place), sums[part][v]);
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

#[cfg(test)]
mod tests {
    use super::super::{SourceKeyValues, over_sources, within_rows};
    use super::*;
    use crate::kernels::noise;

    fn shape(heads: usize, width: usize) -> Shape {
        let scale = 1.0 / (width as f32).sqrt();
        Shape {
            heads,
            width,
            scale,
        }
    }

    /// Attention of one query over lines of keys and values, by its definition.
    fn exact(
        shape: Shape,
        query: &[f32],
        lines: &[(&[f32], &[f32])],
        added: impl Fn(usize, usize) -> f32,
    ) -> Vec<f32> {
        let mut out = Vec::new();
        for head in 0..shape.heads {
            let part = head * shape.width..(head + 1) * shape.width;
            let weights: Vec<f64> = lines
                .iter()
                .enumerate()
                .map(|(position, (keys, _))| {
                    let pairs = query[part.clone()].iter().zip(&keys[part.clone()]);
                    let dot: f64 = pairs.map(|(a, b)| f64::from(a * b)).sum();
                    (dot * f64::from(shape.scale) + f64::from(added(head, position))).exp()
                })
                .collect();
            let sum: f64 = weights.iter().sum();
            out.extend(part.map(|feature| {
                let values = lines.iter().map(|(_, values)| f64::from(values[feature]));
                (weights.iter().zip(values).map(|(w, v)| w * v).sum::<f64>() / sum) as f32
            }));
        }
        out
    }

    fn assert_close(found: &[f32], exact: &[f32], what: &str) {
        assert_eq!(found.len(), exact.len());
        for (found, exact) in found.iter().zip(exact) {
            assert!((found - exact).abs() < 2e-5, "{what}: {found} {exact}");
        }
    }

    const SHAPES: [(usize, usize); 7] = [
        (8, 64),
        (16, 64),
        (12, 64),
        (5, 24),
        (2, 8),
        (6, 5),
        (64, 128),
    ];

    /// What each backend comes to is nearly what the widest does.
    fn assert_alike(outs: &[Vec<f32>]) {
        for out in outs {
            assert_close(out, &outs[0], "the widest backend");
        }
    }

    #[test]
    fn each_row_looks_back_at_its_own_history() {
        assert_alike(&Backend::each(look_back));
    }

    fn look_back(backend: Backend) -> Vec<f32> {
        let mut all = Vec::new();
        for (heads, width) in SHAPES {
            let shape = shape(heads, width);
            let inner = shape.inner();
            let bias = DistanceBias {
                values: noise(9, heads * 7),
                limit: 3,
            };
            let rows = 3;
            let (mut blocks, mut said) = (Vec::new(), Vec::new());
            let mut places: Vec<Vec<u32>> = vec![Vec::new(); rows];
            for position in 0..19 {
                // Rows change places, as beams do.
                places = (0..rows)
                    .map(|row| places[(row * position + 1) % rows].clone())
                    .collect();
                for (row, places) in places.iter_mut().enumerate() {
                    places.push(row as u32);
                }
                let qkv = noise(position, rows * 3 * inner);
                let history = History {
                    blocks: &mut blocks,
                    places: &places.concat(),
                };
                let mut out = vec![0.0; rows * inner];
                over_history(shape, &qkv, history, Some(&bias), &mut out);
                said.push(qkv);
                for row in 0..rows {
                    let line = |position: usize, place: u32| -> &[f32] {
                        &said[position][place as usize * 3 * inner..][..3 * inner]
                    };
                    let lines: Vec<_> = (0..)
                        .zip(&places[row])
                        .map(|(position, &place)| line(position, place)[inner..].split_at(inner))
                        .collect();
                    let exact = exact(
                        shape,
                        &line(position, row as u32)[..inner],
                        &lines,
                        |head, at| bias.values[head * 7 + 3 - (position - at).min(3)],
                    );
                    let name =
                        format!("{backend:?}, {heads} × {width}, row {row}, position {position}");
                    assert_close(&out[row * inner..(row + 1) * inner], &exact, &name);
                }
                all.extend(out);
            }
        }
        all
    }

    #[test]
    fn rows_and_sources_follow_the_definition() {
        assert_alike(&Backend::each(attend_within_and_over_sources));
    }

    fn attend_within_and_over_sources(backend: Backend) -> Vec<f32> {
        let mut all = Vec::new();
        for (heads, width) in SHAPES {
            let shape = shape(heads, width);
            let inner = shape.inner();
            let lengths = [5, 1, 33];
            let tokens: usize = lengths.iter().sum();
            let qkv = noise(1, tokens * 3 * inner);
            let mut out = vec![0.0; tokens * inner];
            within_rows(shape, &qkv, &lengths, None, &mut out);
            all.extend_from_slice(&out);
            let mut sources = Vec::new();
            let mut first = 0;
            for length in lengths {
                let lines: Vec<_> = (first..first + length)
                    .map(|token| qkv[token * 3 * inner + inner..][..2 * inner].split_at(inner))
                    .collect();
                for token in first..first + length {
                    let query = &qkv[token * 3 * inner..][..inner];
                    let exact = exact(shape, query, &lines, |_, _| 0.0);
                    let name = format!("{backend:?}, {heads} × {width}, within");
                    assert_close(&out[token * inner..][..inner], &exact, &name);
                }
                let kv: Vec<f32> = lines.iter().flat_map(|(k, v)| [*k, *v].concat()).collect();
                sources.push((SourceKeyValues::new(shape, &kv), lines));
                first += length;
            }
            // One query over the first source, seven over the last.
            let of_row: Vec<_> = std::iter::once(&sources[0])
                .chain(std::iter::repeat_n(&sources[2], 7))
                .collect();
            let queries = noise(4, of_row.len() * inner);
            let key_values: Vec<_> = of_row.iter().map(|(source, _)| source).collect();
            let mut out = vec![0.0; queries.len()];
            over_sources(shape, &queries, &key_values, &mut out);
            for (row, (source, lines)) in of_row.iter().enumerate() {
                let query = &queries[row * inner..][..inner];
                let part = &out[row * inner..][..inner];
                let exact = exact(shape, query, lines, |_, _| 0.0);
                let name = format!("{backend:?}, {heads} × {width}, over sources");
                assert_close(part, &exact, &name);
                let mut alone = vec![0.0; inner];
                over_sources(shape, query, &[source], &mut alone);
                assert_eq!(alone, part, "a query does not depend on those beside it");
            }
            all.extend(out);
        }
        all
    }
}
