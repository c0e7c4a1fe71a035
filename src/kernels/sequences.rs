//! Attention of encoder–decoder networks: rows within themselves, and one query a row over what
//! was kept for it.
//!
//! Sums run in the order of positions, whatever the other rows. Head widths may be anything. A
//! bias by distance (T5) is added to the scores before the softmax.

use super::OutPointer;
use super::elementwise::{Arithmetic, dispatch, exp};

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

/// What is added to scores, by head and distance.
pub(crate) struct DistanceBias {
    /// For each head the values for distances `-(limit)..=limit` of key minus query.
    pub(crate) values: Vec<f32>,
    /// From this distance on all values are the same.
    pub(crate) limit: usize,
}

impl DistanceBias {
    fn of_head(&self, head: usize) -> &[f32] {
        let line = 2 * self.limit + 1;
        &self.values[head * line..(head + 1) * line]
    }
}

/// Calls `work` for each item on all threads, or on this one where there is little to do.
fn spread(items: usize, cost: usize, work: impl Fn(usize, &mut Vec<f32>) + Sync) {
    if items * cost < 1 << 15 {
        let mut scratch = Vec::new();
        (0..items).for_each(|item| work(item, &mut scratch));
    } else {
        super::pool::execute_chunked(items, |range| {
            let mut scratch = Vec::new();
            range.for_each(|item| work(item, &mut scratch));
        });
    }
}

/// Each token of a row over all tokens of the row. `qkv` is `(tokens, 3 × inner)`: queries, keys,
/// values; rows of `lengths` tokens follow one another; `out` is `(tokens, inner)`.
pub(crate) fn within_rows(
    shape: Shape,
    qkv: &[f32],
    lengths: &[usize],
    bias: Option<&DistanceBias>,
    out: &mut [f32],
) {
    let inner = shape.inner();
    assert_eq!(qkv.len(), out.len() * 3, "attention size: this is a bug");
    assert_eq!(
        out.len(),
        lengths.iter().sum::<usize>() * inner,
        "attention size: this is a bug"
    );
    let mut items = Vec::with_capacity(lengths.len() * shape.heads);
    let mut first = 0;
    for &length in lengths {
        items.extend((0..shape.heads).map(|head| (first, length, head)));
        first += length;
    }
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let target = OutPointer(out.as_mut_ptr());
    spread(
        items.len(),
        longest * longest * shape.width,
        |item, scratch| {
            let target = &target;
            let (first, length, head) = items[item];
            let part = Part {
                shape,
                qkv: &qkv[first * 3 * inner..][..length * 3 * inner],
                length,
                head,
                bias,
            };
            // SAFETY: within the output, and no other item has these tokens and this head.
            part_attention(&part, scratch, unsafe {
                target.0.add(first * inner + head * shape.width)
            });
        },
    );
}

struct Part<'a> {
    shape: Shape,
    qkv: &'a [f32],
    length: usize,
    head: usize,
    bias: Option<&'a DistanceBias>,
}

dispatch! {
    fn part_attention part_attention_body(part: &Part<'_>, scratch: &mut Vec<f32>, out: *mut f32)
}

#[inline(always)]
fn part_attention_body<A: Arithmetic>(part: &Part<'_>, scratch: &mut Vec<f32>, out: *mut f32) {
    let Shape { width, scale, .. } = part.shape;
    let inner = part.shape.inner();
    let length = part.length;
    let padded = length.next_multiple_of(16);
    scratch.clear();
    scratch.resize(width * padded + padded + width, 0.0);
    let (keys, rest) = scratch.split_at_mut(width * padded);
    let (scores, sums) = rest.split_at_mut(padded);
    for (position, line) in part.qkv.chunks_exact(3 * inner).enumerate() {
        for (feature, key) in line[inner + part.head * width..][..width]
            .iter()
            .enumerate()
        {
            keys[feature * padded + position] = *key;
        }
    }
    for query in 0..length {
        let line = &part.qkv[query * 3 * inner + part.head * width..][..width];
        scores.fill(0.0);
        for (q, keys) in line.iter().zip(keys.chunks_exact(padded)) {
            let q = q * scale;
            scores
                .iter_mut()
                .zip(keys)
                .for_each(|(score, key)| *score = A::mul_add(q, *key, *score));
        }
        if let Some(bias) = part.bias {
            let line = bias.of_head(part.head);
            for (key, score) in scores[..length].iter_mut().enumerate() {
                let distance = (key as isize - query as isize)
                    .clamp(-(bias.limit as isize), bias.limit as isize);
                *score += line[(distance + bias.limit as isize) as usize];
            }
        }
        softmax::<A>(&mut scores[..length]);
        sums.fill(0.0);
        for (weight, line) in scores[..length]
            .iter()
            .zip(part.qkv.chunks_exact(3 * inner))
        {
            let values = &line[2 * inner + part.head * width..][..width];
            sums.iter_mut()
                .zip(values)
                .for_each(|(sum, value)| *sum = A::mul_add(*weight, *value, *sum));
        }
        // SAFETY: the caller gives a place for each token of the row.
        unsafe { std::ptr::copy_nonoverlapping(sums.as_ptr(), out.add(query * inner), width) };
    }
}

/// Keys and values of one source in one layer.
pub(crate) struct SourceKeyValues {
    length: usize,
    /// For each head: `(width, length padded to 16)` keys, then `(length, width)` values.
    data: Vec<f32>,
}

impl SourceKeyValues {
    /// Takes them from `(length, 2 × inner)`: keys, values.
    pub(crate) fn new(shape: Shape, kv: &[f32]) -> Self {
        let (inner, width) = (shape.inner(), shape.width);
        let length = kv.len() / (2 * inner);
        let padded = length.next_multiple_of(16);
        let mut data = vec![0.0; shape.heads * width * (padded + length)];
        for (head, data) in data.chunks_exact_mut(width * (padded + length)).enumerate() {
            let (keys, values) = data.split_at_mut(width * padded);
            for (position, line) in kv.chunks_exact(2 * inner).enumerate() {
                for (feature, key) in line[head * width..][..width].iter().enumerate() {
                    keys[feature * padded + position] = *key;
                }
                values[position * width..][..width]
                    .copy_from_slice(&line[inner + head * width..][..width]);
            }
        }
        Self { length, data }
    }
}

/// One query a row over the row's source: `queries` and `out` are `(rows, inner)`.
pub(crate) fn over_sources(
    shape: Shape,
    queries: &[f32],
    sources: &[&SourceKeyValues],
    out: &mut [f32],
) {
    let inner = shape.inner();
    assert_eq!(queries.len(), out.len(), "attention size: this is a bug");
    assert_eq!(
        out.len(),
        sources.len() * inner,
        "attention size: this is a bug"
    );
    let longest = sources
        .iter()
        .map(|source| source.length)
        .max()
        .unwrap_or(0);
    let target = OutPointer(out.as_mut_ptr());
    spread(sources.len(), longest * inner, |row, scratch| {
        let target = &target;
        // SAFETY: rows are disjoint parts of `out`, and each is handed out once.
        let out = unsafe { std::slice::from_raw_parts_mut(target.0.add(row * inner), inner) };
        source_attention(
            shape,
            &queries[row * inner..][..inner],
            sources[row],
            scratch,
            out,
        );
    });
}

dispatch! {
    fn source_attention source_attention_body(
        shape: Shape, query: &[f32], source: &SourceKeyValues, scratch: &mut Vec<f32>, out: &mut [f32],
    )
}

#[inline(always)]
fn source_attention_body<A: Arithmetic>(
    shape: Shape,
    query: &[f32],
    source: &SourceKeyValues,
    scratch: &mut Vec<f32>,
    out: &mut [f32],
) {
    let width = shape.width;
    let length = source.length;
    let padded = length.next_multiple_of(16);
    scratch.clear();
    scratch.resize(padded, 0.0);
    let heads = source.data.chunks_exact(width * (padded + length));
    for ((data, query), out) in heads
        .zip(query.chunks_exact(width))
        .zip(out.chunks_exact_mut(width))
    {
        let (keys, values) = data.split_at(width * padded);
        for (number, scores) in scratch.chunks_exact_mut(16).enumerate() {
            let mut dots = [0f32; 16];
            for (q, keys) in query.iter().zip(keys.chunks_exact(padded)) {
                let keys = &keys[number * 16..][..16];
                dots.iter_mut()
                    .zip(keys)
                    .for_each(|(dot, key)| *dot = A::mul_add(*q, *key, *dot));
            }
            scores
                .iter_mut()
                .zip(dots)
                .for_each(|(score, dot)| *score = dot * shape.scale);
        }
        softmax::<A>(&mut scratch[..length]);
        weigh::<A>(&scratch[..length], values.chunks_exact(width), out);
    }
}

/// The keys and values that a row may look back at, one token after another.
pub(crate) struct History<'a> {
    /// Blocks of one position each, in order: `(rows at that time, 3 × inner)`, queries, keys, values.
    pub(crate) blocks: &'a [Vec<f32>],
    /// For each row and position the row of the block: `(rows, positions)`.
    pub(crate) places: &'a [u32],
}

/// One query a row over the row's history, the last position of which is the query's own.
/// `out` is `(rows, inner)`.
pub(crate) fn over_history(
    shape: Shape,
    history: &History<'_>,
    bias: Option<&DistanceBias>,
    out: &mut [f32],
) {
    let inner = shape.inner();
    let positions = history.blocks.len();
    let rows = out.len() / inner;
    assert_eq!(
        history.places.len(),
        rows * positions,
        "attention size: this is a bug"
    );
    let target = OutPointer(out.as_mut_ptr());
    spread(rows, positions * inner, |row, scratch| {
        let target = &target;
        // SAFETY: rows are disjoint parts of `out`, and each is handed out once.
        let out = unsafe { std::slice::from_raw_parts_mut(target.0.add(row * inner), inner) };
        let places = &history.places[row * positions..][..positions];
        history_attention(shape, history.blocks, places, bias, scratch, out);
    });
}

dispatch! {
    fn history_attention history_attention_body(
        shape: Shape, blocks: &[Vec<f32>], places: &[u32], bias: Option<&DistanceBias>, scratch: &mut Vec<f32>,
        out: &mut [f32],
    )
}

#[inline(always)]
fn history_attention_body<A: Arithmetic>(
    shape: Shape,
    blocks: &[Vec<f32>],
    places: &[u32],
    bias: Option<&DistanceBias>,
    scratch: &mut Vec<f32>,
    out: &mut [f32],
) {
    let (width, inner) = (shape.width, shape.inner());
    let positions = places.len();
    scratch.clear();
    scratch.resize(positions * shape.heads, 0.0);
    let line =
        |position: usize| &blocks[position][places[position] as usize * 3 * inner..][..3 * inner];
    let Some(last) = positions.checked_sub(1) else {
        return;
    };
    let queries = &line(last)[..inner];
    // A position at a time, since its keys of all heads stand together in memory, and its values.
    for position in 0..positions {
        // Lines are scattered: asked for ahead of time, the values for the loop after next.
        if position + 2 < positions {
            prefetch(&line(position + 2)[inner..2 * inner]);
        }
        prefetch(&line(position)[2 * inner..]);
        let keys = &line(position)[inner..2 * inner];
        for (head, (query, keys)) in queries
            .chunks_exact(width)
            .zip(keys.chunks_exact(width))
            .enumerate()
        {
            scratch[head * positions + position] = dot::<A>(query, keys) * shape.scale;
        }
    }
    for (head, scores) in scratch.chunks_exact_mut(positions).enumerate() {
        if let Some(bias) = bias {
            let line = bias.of_head(head);
            for (position, score) in scores.iter_mut().enumerate() {
                *score += line[bias.limit - (last - position).min(bias.limit)];
            }
        }
        softmax::<A>(scores);
    }
    out.fill(0.0);
    for position in 0..positions {
        let values = &line(position)[2 * inner..];
        for (head, (out, values)) in out
            .chunks_exact_mut(width)
            .zip(values.chunks_exact(width))
            .enumerate()
        {
            let weight = scratch[head * positions + position];
            out.iter_mut()
                .zip(values)
                .for_each(|(sum, value)| *sum = A::mul_add(weight, *value, *sum));
        }
    }
}

/// Asks the processor to have these values at hand soon.
#[inline(always)]
fn prefetch(values: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(16) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint, allowed for any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

#[inline(always)]
fn dot<A: Arithmetic>(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum = A::mul_add(*a, *b, *sum);
        }
    }
    let mut rest = 0.0;
    for (a, b) in a_rest.iter().zip(b_rest) {
        rest = A::mul_add(*a, *b, rest);
    }
    let sums: [f32; 8] = std::array::from_fn(|i| sums[i] + sums[i + 8]);
    let sums: [f32; 4] = std::array::from_fn(|i| sums[i] + sums[i + 4]);
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// The sum of lines by weights, 64 features at a time where there are so many.
#[inline(always)]
fn weigh<'a, A: Arithmetic>(
    weights: &[f32],
    lines: impl Iterator<Item = &'a [f32]> + Clone,
    out: &mut [f32],
) {
    if out.len() == 64 {
        let mut sums = [0f32; 64];
        for (weight, line) in weights.iter().zip(lines) {
            let Some(line) = line.first_chunk::<64>() else {
                continue;
            };
            sums.iter_mut()
                .zip(line)
                .for_each(|(sum, value)| *sum = A::mul_add(*weight, *value, *sum));
        }
        out.copy_from_slice(&sums);
    } else {
        out.fill(0.0);
        for (weight, line) in weights.iter().zip(lines) {
            out.iter_mut()
                .zip(line)
                .for_each(|(sum, value)| *sum = A::mul_add(*weight, *value, *sum));
        }
    }
}

#[inline(always)]
fn softmax<A: Arithmetic>(scores: &mut [f32]) {
    let (chunks, rest) = scores.as_chunks::<16>();
    let mut lanes = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        lanes
            .iter_mut()
            .zip(chunk)
            .for_each(|(a, b)| *a = a.max(*b));
    }
    let largest = lanes
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let mut sums = [0f32; 16];
    for chunk in scores.chunks_mut(16) {
        for (sum, score) in sums.iter_mut().zip(chunk) {
            *score = exp::<A>(*score - largest);
            *sum += *score;
        }
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    scores.iter_mut().for_each(|score| *score *= inverse);
}
