//! Attention of encoder–decoder networks: rows within themselves, one query a row over its source,
//! and in [`history`] one query a row over what the row has said.
//!
//! The order in which a query's sums run depends on its own positions alone, whatever the other
//! rows. Head widths may be anything. A bias by distance (T5) is added to the scores before the
//! softmax.

mod heads;
mod history;

pub(crate) use history::{History, over_history};

use heads::{HeadKeyValues, PADDING, QUERIES, attend};

use super::{Backend, OutPointer};
pub(crate) use heads::Shape;

/// What is added to scores, by head and distance.
pub(crate) struct DistanceBias {
    /// For each head the values for distances `-(limit)..=limit` of key minus query.
    pub(crate) values: Vec<f32>,
    /// From this distance on all values are the same.
    pub(crate) limit: usize,
}

impl DistanceBias {
    /// Adds to the scores of a query at position `query` for the positions from 0 on.
    fn add(&self, head: usize, query: usize, scores: &mut [f32]) {
        let line = &self.values[head * (2 * self.limit + 1)..][..2 * self.limit + 1];
        let limit = self.limit as isize;
        for (key, score) in scores.iter_mut().enumerate() {
            let distance = (key as isize - query as isize).clamp(-limit, limit);
            *score += line[(distance + limit) as usize];
        }
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
    let Shape { heads, width, .. } = shape;
    let inner = shape.inner();
    assert_eq!(qkv.len(), out.len() * 3, "attention size: this is a bug");
    assert_eq!(
        out.len(),
        lengths.iter().sum::<usize>() * inner,
        "attention size: this is a bug"
    );
    let mut items = Vec::with_capacity(lengths.len() * heads);
    let mut first = 0;
    for &length in lengths {
        items.extend((0..heads).map(|head| (first, length, head)));
        first += length;
    }
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let target = OutPointer(out.as_mut_ptr());
    let backend = Backend::detect();
    spread(items.len(), longest * longest * width, |item, scratch| {
        let target = &target;
        let (first, length, head) = items[item];
        let qkv = &qkv[first * 3 * inner..][..length * 3 * inner];
        let padded = length.next_multiple_of(PADDING);
        scratch.clear();
        scratch.resize((width + QUERIES) * padded, 0.0);
        let (keys, scores) = scratch.split_at_mut(width * padded);
        for (position, line) in qkv.chunks_exact(3 * inner).enumerate() {
            let line = &line[inner + head * width..][..width];
            for (feature, key) in line.iter().enumerate() {
                keys[feature * padded + position] = *key;
            }
        }
        let key_values = HeadKeyValues {
            keys,
            values: &qkv[2 * inner + head * width..],
            stride: 3 * inner,
            length,
        };
        for query in (0..length).step_by(QUERIES) {
            let count = QUERIES.min(length - query);
            let queries = &qkv[query * 3 * inner + head * width..];
            // SAFETY: within the output, and no other item has these tokens and this head.
            let out = unsafe { target.0.add((first + query) * inner + head * width) };
            let added = |number: usize, scores: &mut [f32]| {
                if let Some(bias) = bias {
                    bias.add(head, query + number, scores);
                }
            };
            // SAFETY: as above, for the tokens that follow.
            unsafe {
                attend(
                    backend,
                    shape,
                    &key_values,
                    (queries, 3 * inner, count),
                    added,
                    scores,
                    (out, inner),
                );
            }
        }
    });
}

/// Keys and values of one source in one layer.
pub(crate) struct SourceKeyValues {
    length: usize,
    /// For each head: `(width, padded length)` keys, then `(length, width)` values.
    data: Vec<f32>,
}

impl SourceKeyValues {
    /// Takes them from `(length, 2 × inner)`: keys, values.
    pub(crate) fn new(shape: Shape, kv: &[f32]) -> Self {
        let (inner, width) = (shape.inner(), shape.width);
        let length = kv.len() / (2 * inner);
        let padded = length.next_multiple_of(PADDING);
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

/// One query a row over the row's source: `queries` and `out` are `(rows, inner)`. Rows that
/// follow one another with the same source are computed together.
pub(crate) fn over_sources(
    shape: Shape,
    queries: &[f32],
    sources: &[&SourceKeyValues],
    out: &mut [f32],
) {
    let width = shape.width;
    let inner = shape.inner();
    assert_eq!(queries.len(), out.len(), "attention size: this is a bug");
    assert_eq!(
        out.len(),
        sources.len() * inner,
        "attention size: this is a bug"
    );
    // (first row, rows)
    let mut items: Vec<(usize, usize)> = Vec::with_capacity(sources.len());
    for (row, source) in sources.iter().enumerate() {
        match items.last_mut() {
            Some((first, count))
                if *count < QUERIES
                    && std::ptr::eq::<SourceKeyValues>(sources[*first], *source) =>
            {
                *count += 1;
            }
            _ => items.push((row, 1)),
        }
    }
    let longest = sources
        .iter()
        .map(|source| source.length)
        .max()
        .unwrap_or(0);
    let target = OutPointer(out.as_mut_ptr());
    let backend = Backend::detect();
    spread(items.len(), longest * inner, |item, scratch| {
        let target = &target;
        let (first, count) = items[item];
        let SourceKeyValues { length, ref data } = *sources[first];
        let padded = length.next_multiple_of(PADDING);
        scratch.clear();
        scratch.resize(QUERIES * padded, 0.0);
        for (head, data) in data.chunks_exact(width * (padded + length)).enumerate() {
            let (keys, values) = data.split_at(width * padded);
            let key_values = HeadKeyValues {
                keys,
                values,
                stride: width,
                length,
            };
            let queries = &queries[first * inner + head * width..];
            // SAFETY: within the output, and no other item has these rows.
            unsafe {
                attend(
                    backend,
                    shape,
                    &key_values,
                    (queries, inner, count),
                    |_, _| {},
                    scratch,
                    (target.0.add(first * inner + head * width), inner),
                );
            }
        }
    });
}
