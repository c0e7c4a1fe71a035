//! Scaled dot-product attention over caches of keys and values in blocks.
//!
//! A block holds 16 positions of all key–value heads: keys with the position as the fastest index,
//! so that 16 scores are computed at a time without adding across lanes, values with the feature
//! as the fastest. Blocks are shared between rows and copied when one of them writes, so repeating
//! a row costs nothing until the rows differ. Sums run in the order of positions, whatever the
//! blocks or the other rows.

use std::sync::Arc;

use super::elementwise::{Arithmetic, dispatch, exp};

/// Positions in a block.
pub(crate) const POSITIONS: usize = 16;
/// What the width of a head is a multiple of.
pub(crate) const HEAD_STEP: usize = 16;
/// Most queries that are computed together.
const QUERIES: usize = 6;

/// The shape of the heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    /// Query heads.
    pub(crate) queries: usize,
    /// Key–value heads; each serves `queries / keys` query heads.
    pub(crate) keys: usize,
    /// Features of a head; for these kernels a multiple of [`HEAD_STEP`].
    pub(crate) width: usize,
}

impl Heads {
    fn block_floats(self) -> usize {
        self.keys * self.width * POSITIONS * 2
    }
}

/// Keys and values of one row in one layer.
#[derive(Clone, Default)]
pub(crate) struct KeyValues {
    /// Each: for each key–value head `(width, 16)` keys, then `(16, width)` values.
    blocks: Vec<Arc<[f32]>>,
    length: usize,
    /// How many of the first blocks are empty, since nothing sees them any more.
    forgotten: usize,
}

impl KeyValues {
    /// Appends one position: `keys` and `values` are `(key–value heads, width)`.
    pub(crate) fn push(&mut self, heads: Heads, keys: &[f32], values: &[f32]) {
        let within = self.length % POSITIONS;
        if within == 0 {
            self.blocks.push(Arc::from(vec![0.0; heads.block_floats()]));
        }
        let Some(last) = self.blocks.last_mut() else {
            return;
        };
        if Arc::get_mut(last).is_none() {
            *last = Arc::from(&last[..]);
        }
        let Some(block) = Arc::get_mut(last) else {
            return;
        };
        let width = heads.width;
        let head_blocks = block.chunks_exact_mut(width * POSITIONS * 2);
        for ((block, keys), values) in head_blocks
            .zip(keys.chunks_exact(width))
            .zip(values.chunks_exact(width))
        {
            let (block_keys, block_values) = block.split_at_mut(width * POSITIONS);
            for (feature, key) in keys.iter().enumerate() {
                block_keys[feature * POSITIONS + within] = *key;
            }
            block_values[within * width..(within + 1) * width].copy_from_slice(values);
        }
        self.length += 1;
    }

    /// Positions pushed.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Lets go of what the next position does not see if it sees `window` positions, its own counted.
    pub(crate) fn forget_all_but(&mut self, window: usize) {
        let unseen = (self.length + 1).saturating_sub(window) / POSITIONS;
        for block in &mut self.blocks[self.forgotten..unseen.max(self.forgotten)] {
            *block = Arc::from([]);
        }
        self.forgotten = self.forgotten.max(unseen);
    }
}

/// The queries of one row: consecutive tokens, the last of which is the last position in the cache.
pub(crate) struct Queries<'a> {
    /// `(tokens, stride)`; the query heads of a token stand at the start of its line.
    pub(crate) values: &'a [f32],
    /// Places from one token to the next.
    pub(crate) stride: usize,
    /// How many tokens.
    pub(crate) tokens: usize,
    /// The row's keys and values, with those of these tokens appended.
    pub(crate) cache: &'a KeyValues,
    /// The first token's place in the output, in tokens.
    pub(crate) offset: usize,
}

/// Attention of each token over the positions up to its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Causal {
    /// The shape of the heads.
    pub(crate) heads: Heads,
    /// Multiplies the products of queries and keys.
    pub(crate) scale: f32,
    /// How many positions a token sees, its own counted; `None` for all.
    pub(crate) window: Option<usize>,
}

/// Causal attention. `out` is `(tokens of all rows, query heads × width)`, and rows come in the
/// order of their places in it.
pub(crate) fn causal(attention: Causal, rows: &[Queries<'_>], out: &mut [f32]) {
    const TOKENS: usize = 16;
    let heads = attention.heads;
    let mut end = 0;
    for queries in rows {
        // Rows that had places in common would write to them from several threads at once.
        assert!(
            queries.offset >= end && queries.tokens <= queries.cache.len(),
            "attention size: this is a bug"
        );
        end = queries.offset + queries.tokens;
    }
    assert!(
        out.len() >= end * heads.queries * heads.width,
        "attention size: this is a bug"
    );
    let mut items = Vec::new();
    for (row, queries) in rows.iter().enumerate() {
        for first in (0..queries.tokens).step_by(TOKENS) {
            items.extend((0..heads.keys).map(|head| (row, first, head)));
        }
    }
    // The last tokens see the most positions: the longest items first.
    items.reverse();
    let target = super::OutPointer(out.as_mut_ptr());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = |_: usize| {
        let mut scratch = Vec::new();
        loop {
            let item = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(&(row, first, head)) = items.get(item) else {
                break;
            };
            let queries = &rows[row];
            let tokens = first..queries.tokens.min(first + TOKENS);
            attend(attention, head, queries, tokens, &mut scratch, &target);
        }
    };
    if items.len() < 2 {
        work(0);
    } else {
        super::pool::execute_chunked(candle_core::utils::get_num_threads(), |range| {
            range.for_each(work);
        });
    }
}

fn attend(
    attention: Causal,
    head: usize,
    queries: &Queries<'_>,
    tokens: std::ops::Range<usize>,
    scratch: &mut Vec<f32>,
    target: &super::OutPointer,
) {
    let heads = attention.heads;
    let share = heads.queries / heads.keys;
    let all = tokens.len() * share;
    let at = |i: usize| (tokens.start + i / share, head * share + i % share);
    let mut first = 0;
    while first < all {
        let count = (all - first).min(QUERIES);
        let mut tile = Tile {
            attention,
            head,
            cache: queries.cache,
            queries: [&[]; QUERIES],
            starts: [0; QUERIES],
            lengths: [0; QUERIES],
            outs: [std::ptr::null_mut(); QUERIES],
        };
        for i in 0..QUERIES {
            // A tile that is not full repeats its last query and drops what comes of it.
            let (token, query_head) = at(first + i.min(count - 1));
            tile.queries[i] =
                &queries.values[token * queries.stride + query_head * heads.width..][..heads.width];
            let length = queries.cache.len() - (queries.tokens - 1 - token);
            tile.lengths[i] = length;
            tile.starts[i] = length.saturating_sub(attention.window.unwrap_or(length));
            if i < count {
                let place = (queries.offset + token) * heads.queries + query_head;
                // SAFETY: within the output, see `causal`.
                tile.outs[i] = unsafe { target.0.add(place * heads.width) };
            }
        }
        tile_attention(&tile, scratch);
        first += count;
    }
}

struct Tile<'a> {
    attention: Causal,
    head: usize,
    cache: &'a KeyValues,
    queries: [&'a [f32]; QUERIES],
    /// The first position that each query sees.
    starts: [usize; QUERIES],
    /// The end of the positions that each query sees.
    lengths: [usize; QUERIES],
    /// Where `width` results of each query go; null for those that fill up.
    outs: [*mut f32; QUERIES],
}

dispatch! {
    fn tile_attention tile_attention_body(tile: &Tile<'_>, scratch: &mut Vec<f32>)
}

#[inline(always)]
fn tile_attention_body<A: Arithmetic>(tile: &Tile<'_>, scratch: &mut Vec<f32>) {
    let width = tile.attention.heads.width;
    let longest = tile.lengths.iter().copied().max().unwrap_or(0);
    let unseen = tile.starts.iter().copied().min().unwrap_or(0) / POSITIONS;
    let blocks = unseen..longest.div_ceil(POSITIONS);
    let padded = blocks.len() * POSITIONS;
    scratch.clear();
    scratch.resize(QUERIES * (padded + width), 0.0);
    let (scores, sums) = scratch.split_at_mut(QUERIES * padded);
    let scale = tile.attention.scale;
    let blocks = &tile.cache.blocks[blocks];
    for (number, block) in blocks.iter().enumerate() {
        let keys = &block[tile.head * width * POSITIONS * 2..][..width * POSITIONS];
        let mut dots = [[0f32; POSITIONS]; QUERIES];
        for (feature, keys) in keys.chunks_exact(POSITIONS).enumerate() {
            for (dots, query) in dots.iter_mut().zip(&tile.queries) {
                let query = query[feature];
                for (dot, key) in dots.iter_mut().zip(keys) {
                    *dot = A::mul_add(query, *key, *dot);
                }
            }
        }
        for (query, dots) in dots.iter().enumerate() {
            let scores = &mut scores[query * padded + number * POSITIONS..][..POSITIONS];
            scores
                .iter_mut()
                .zip(dots)
                .for_each(|(score, dot)| *score = dot * scale);
        }
    }
    for (query, scores) in scores.chunks_exact_mut(padded).enumerate() {
        let first = unseen * POSITIONS;
        let seen = tile.starts[query] - first..tile.lengths[query] - first;
        softmax::<A>(scores, seen);
    }
    // Weighted sums of the values, a few features of all queries at a time so that they stay in
    // registers.
    const FEATURES: usize = 64;
    for first in (0..width).step_by(FEATURES) {
        let features = FEATURES.min(width - first);
        if features == FEATURES {
            weigh::<A, FEATURES>(tile, blocks, scores, first, sums);
        } else {
            for first in (first..width).step_by(16) {
                weigh::<A, 16>(tile, blocks, scores, first, sums);
            }
        }
    }
    for (out, sums) in tile.outs.iter().zip(sums.chunks_exact(width)) {
        if !out.is_null() {
            // SAFETY: `out` has `width` places that no other tile writes.
            unsafe { std::ptr::copy_nonoverlapping(sums.as_ptr(), *out, width) };
        }
    }
}

/// Turns the scores that are seen into weights that add up to one, and the rest into zeros. Scores
/// begin with a block, so that sums do not depend on how many blocks come before what is seen.
#[inline(always)]
fn softmax<A: Arithmetic>(scores: &mut [f32], seen: std::ops::Range<usize>) {
    scores[..seen.start].fill(f32::NEG_INFINITY);
    let (seen, unseen) = scores.split_at_mut(seen.end);
    unseen.fill(0.0);
    let mut largest = [f32::NEG_INFINITY; 16];
    for chunk in seen.chunks(16) {
        largest
            .iter_mut()
            .zip(chunk)
            .for_each(|(largest, score)| *largest = largest.max(*score));
    }
    let largest = largest.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let mut sums = [0f32; 16];
    for chunk in seen.chunks_mut(16) {
        for (sum, score) in sums.iter_mut().zip(chunk) {
            *score = exp::<A>(*score - largest);
            *sum += *score;
        }
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    seen.iter_mut().for_each(|score| *score *= inverse);
}

#[inline(always)]
fn weigh<A: Arithmetic, const FEATURES: usize>(
    tile: &Tile<'_>,
    blocks: &[Arc<[f32]>],
    weights: &[f32],
    first: usize,
    sums: &mut [f32],
) {
    let width = tile.attention.heads.width;
    let padded = blocks.len() * POSITIONS;
    let mut acc = [[0f32; FEATURES]; QUERIES];
    for (number, block) in blocks.iter().enumerate() {
        let values =
            &block[tile.head * width * POSITIONS * 2 + width * POSITIONS..][..width * POSITIONS];
        for position in 0..POSITIONS {
            let values = &values[position * width + first..][..FEATURES];
            for (query, acc) in acc.iter_mut().enumerate() {
                let weight = weights[query * padded + number * POSITIONS + position];
                for (sum, value) in acc.iter_mut().zip(values) {
                    *sum = A::mul_add(weight, *value, *sum);
                }
            }
        }
    }
    for (query, acc) in acc.iter().enumerate() {
        sums[query * width + first..][..FEATURES].copy_from_slice(acc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Backend, noise};

    #[test]
    fn every_backend_agrees_with_the_definition() {
        for (keys, width, tokens, before, window) in [
            (2, 80, 1, 0, None),
            (2, 80, 1, 40, None),
            (2, 80, 37, 5, None),
            (1, 80, 16, 29, None),
            (1, 16, 5, 0, None),
            (1, 128, 1, 70, None),
            (2, 80, 1, 40, Some(16)),
            (2, 80, 37, 25, Some(11)),
            (1, 16, 60, 0, Some(1)),
            (1, 128, 3, 70, Some(33)),
            (1, 128, 3, 70, Some(500)),
        ] {
            let heads = Heads {
                queries: 3 * keys,
                keys,
                width,
            };
            let attention = Causal {
                heads,
                scale: 1.0 / (width as f32).sqrt(),
                window,
            };
            let outs = Backend::each(|backend| {
                assert_follows_the_definition(attention, tokens, before, backend)
            });
            for out in &outs {
                for (found, widest) in out.iter().zip(&outs[0]) {
                    assert!((found - widest).abs() < 2e-6, "{heads:?} {found} {widest}");
                }
            }
        }
    }

    fn assert_follows_the_definition(
        attention: Causal,
        tokens: usize,
        before: usize,
        backend: Backend,
    ) -> Vec<f32> {
        let heads = attention.heads;
        let (width, inner) = (heads.width, heads.keys * heads.width);
        let mut cache = KeyValues::default();
        let length = before + tokens;
        let (keys, values) = (noise(1, length * inner), noise(2, length * inner));
        for position in 0..length {
            cache.push(
                heads,
                &keys[position * inner..][..inner],
                &values[position * inner..][..inner],
            );
            if let (Some(window), true) = (attention.window, position < before) {
                cache.forget_all_but(window);
            }
        }
        let queries = noise(3, tokens * 3 * inner);
        let rows = [Queries {
            values: &queries,
            stride: 3 * inner,
            tokens,
            cache: &cache,
            offset: 0,
        }];
        let mut out = vec![0.0; tokens * 3 * inner];
        causal(attention, &rows, &mut out);
        for token in 0..tokens {
            for head in 0..heads.queries {
                let query = &queries[token * 3 * inner + head * width..][..width];
                let end = before + token + 1;
                let seen = end.saturating_sub(attention.window.unwrap_or(end))..end;
                let scores: Vec<f64> = seen
                    .clone()
                    .map(|position| {
                        let key = &keys[position * inner + head / 3 * width..][..width];
                        let dot: f64 = query.iter().zip(key).map(|(q, k)| f64::from(q * k)).sum();
                        (dot / (width as f64).sqrt()).exp()
                    })
                    .collect();
                let total: f64 = scores.iter().sum();
                for feature in 0..width {
                    let exact: f64 = seen
                        .clone()
                        .zip(&scores)
                        .map(|(position, score)| {
                            score / total
                                * f64::from(values[position * inner + head / 3 * width + feature])
                        })
                        .sum();
                    let found = out[token * 3 * inner + head * width + feature];
                    assert!(
                        (f64::from(found) - exact).abs() < 1e-5,
                        "{backend:?} {token} {head}: {found} {exact}"
                    );
                }
            }
        }
        out
    }

    #[test]
    fn rows_that_do_not_fit_the_output_are_a_panic() {
        let heads = Heads {
            queries: 2,
            keys: 1,
            width: 16,
        };
        let mut cache = KeyValues::default();
        for _ in 0..3 {
            cache.push(heads, &[1.0; 16], &[1.0; 16]);
        }
        let values = [1.0; 4 * 32];
        let run = |rows: [(usize, usize); 2], places: usize| {
            let rows = rows.map(|(tokens, offset)| Queries {
                values: &values,
                stride: 32,
                tokens,
                cache: &cache,
                offset,
            });
            let mut out = vec![0.0; places * 32];
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let attention = Causal {
                    heads,
                    scale: 1.0,
                    window: None,
                };
                causal(attention, &rows, &mut out);
            }))
        };
        assert!(run([(3, 0), (1, 3)], 4).is_ok());
        // Too short, in one place, and more tokens than the cache has.
        for (rows, places) in [
            ([(3, 0), (1, 3)], 3),
            ([(3, 0), (1, 2)], 4),
            ([(4, 0), (0, 4)], 4),
        ] {
            assert!(run(rows, places).is_err(), "{rows:?}");
        }
    }

    #[test]
    fn rows_share_blocks_until_one_writes() {
        let heads = Heads {
            queries: 1,
            keys: 1,
            width: 16,
        };
        let mut a = KeyValues::default();
        for position in 0..20 {
            a.push(heads, &[position as f32; 16], &[1.0; 16]);
        }
        let mut b = a.clone();
        b.push(heads, &[7.0; 16], &[7.0; 16]);
        a.push(heads, &[9.0; 16], &[9.0; 16]);
        assert!(Arc::ptr_eq(&a.blocks[0], &b.blocks[0]));
        assert_eq!(a.blocks[1][4], 9.0);
        assert_eq!(b.blocks[1][4], 7.0);
    }
}
