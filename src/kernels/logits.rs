//! Scores over a vocabulary that are looked through while they are computed, and not kept.
//!
//! A vocabulary has tens of thousands of scores a row, of which search wants a handful and the sum
//! of the exponentials. Writing and reading them all takes as long as computing a third of them.
//! Here a few hundred columns are computed for all rows, looked through while they are in the
//! cache, and forgotten; what stays is the largest of each tile of the product. The few tiles that
//! the best scores are in are computed once more, with the same result to the last bit.

use super::elementwise::{Arithmetic, dispatch};
use super::rowwise::{Int8Activations, Int8Matrix, Product};
use super::vocabulary::{Best, Row, log_sum, sum_exp};
use super::{Backend, OutPointer};

const TILE: usize = Product::TILE;
/// Tiles that are computed before they are looked through.
const TILES: usize = 8;

/// Whether the sums of the exponentials are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sums {
    /// Scores as they are: enough for the likeliest token.
    Unwanted,
    /// For probabilities.
    Wanted,
}

/// Scores of several rows, `activations × matrix + bias`.
pub(crate) struct TiledLogits<'a> {
    matrix: &'a Int8Matrix,
    activations: Int8Activations,
    bias: Option<&'a [f32]>,
    /// The largest of each tile, `(rows, tiles)`.
    largest: Vec<f32>,
    /// The sum of the exponentials of each chunk of [`TILES`] tiles, less its largest:
    /// `(rows, chunks)`. Empty if unwanted.
    sums: Vec<f32>,
}

impl<'a> TiledLogits<'a> {
    /// Computes and looks through all scores.
    pub(crate) fn new(
        matrix: &'a Int8Matrix,
        activations: Int8Activations,
        bias: Option<&'a [f32]>,
        wanted: Sums,
    ) -> Self {
        let (rows, columns) = (activations.rows(), matrix.outputs());
        let tiles = columns.div_ceil(TILE);
        let chunks = tiles.div_ceil(TILES);
        let mut largest = vec![f32::NEG_INFINITY; rows * tiles];
        let mut sums = match wanted {
            Sums::Wanted => vec![0.0; rows * chunks],
            Sums::Unwanted => Vec::new(),
        };
        let product = Product::new(Backend::detect(), matrix, &activations, bias);
        let targets = (
            OutPointer(largest.as_mut_ptr()),
            OutPointer(sums.as_mut_ptr()),
        );
        super::pool::execute_chunked(chunks, |range| {
            const WIDTH: usize = TILES * TILE;
            let (largest, sums) = (&targets.0, &targets.1);
            let mut scores = vec![0f32; rows * WIDTH];
            for chunk in range {
                let first = chunk * TILES;
                let count = TILES.min(tiles - first);
                for tile in 0..count {
                    // SAFETY: a line of `scores` has room for all tiles of a chunk.
                    unsafe {
                        let out = scores.as_mut_ptr().add(tile * TILE);
                        product.tile(first + tile, out, WIDTH);
                    }
                }
                let columns = (columns - first * TILE).min(WIDTH);
                for (row, scores) in scores.chunks_exact(WIDTH).enumerate() {
                    // SAFETY: each chunk has its own places in both, and is handed out once.
                    let (maxima, sum) = unsafe {
                        let maxima = largest.0.add(row * tiles + first);
                        let sum = (wanted == Sums::Wanted)
                            .then(|| &mut *sums.0.add(row * chunks + chunk));
                        (std::slice::from_raw_parts_mut(maxima, count), sum)
                    };
                    let scores = &scores[..columns];
                    tile_maxima(scores, maxima);
                    if let Some(sum) = sum {
                        let high = highest(maxima);
                        if high > f32::NEG_INFINITY {
                            sum_exp(scores, high, sum);
                        }
                    }
                }
            }
        });
        Self {
            matrix,
            activations,
            bias,
            largest,
            sums,
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.activations.rows()
    }

    /// How many numbers are left of each row to look at.
    pub(crate) fn tiles(&self) -> usize {
        self.matrix.outputs().div_ceil(TILE)
    }

    /// One row.
    pub(crate) fn row(&self, row: usize) -> TiledRow<'_> {
        TiledRow { logits: self, row }
    }
}

/// One row of [`TiledLogits`].
pub(crate) struct TiledRow<'a> {
    logits: &'a TiledLogits<'a>,
    row: usize,
}

impl TiledRow<'_> {
    fn largest(&self) -> &[f32] {
        let tiles = self.logits.tiles();
        &self.logits.largest[self.row * tiles..(self.row + 1) * tiles]
    }

    /// Computes a tile again: its scores, and how many there are.
    fn tile(&self, tile: usize) -> ([f32; TILE], usize) {
        let TiledLogits {
            matrix,
            activations,
            bias,
            ..
        } = self.logits;
        let mut scores = [0.0; TILE];
        let product = Product::new(Backend::detect(), matrix, activations, *bias);
        // SAFETY: there is room for a tile.
        unsafe { product.rows(tile, self.row..self.row + 1, scores.as_mut_ptr(), TILE) };
        (scores, TILE.min(matrix.outputs() - tile * TILE))
    }
}

impl Row for TiledRow<'_> {
    fn columns(&self) -> usize {
        self.logits.matrix.outputs()
    }

    fn score(&self, column: usize) -> f32 {
        self.tile(column / TILE).0[column % TILE]
    }

    fn log_sum_exp(&self) -> f32 {
        let high = highest(self.largest());
        if high == f32::NEG_INFINITY {
            return high;
        }
        let chunks = self.largest().chunks(TILES);
        let sums = &self.logits.sums[self.row * chunks.len()..];
        let sum: f32 = chunks
            .zip(sums)
            .map(|(maxima, sum)| sum * (highest(maxima) - high).exp())
            .sum();
        high + sum.ln()
    }

    fn log_sum_exp_without(&self, except: &[usize]) -> f32 {
        const WIDTH: usize = TILES * TILE;
        let chunks = self.largest().chunks(TILES);
        let sums = &self.logits.sums[self.row * chunks.len()..];
        let parts = chunks.zip(sums).enumerate().map(|(chunk, (maxima, &sum))| {
            let columns = chunk * WIDTH..(chunk + 1) * WIDTH;
            let first = except.partition_point(|&column| column < columns.start);
            if except
                .get(first)
                .is_none_or(|&column| column >= columns.end)
            {
                return (highest(maxima), sum);
            }
            // Some of it is to be left out: once more without that.
            let mut scores = [f32::NEG_INFINITY; WIDTH];
            for tile in 0..maxima.len() {
                let (tile_scores, count) = self.tile(chunk * TILES + tile);
                scores[tile * TILE..][..count].copy_from_slice(&tile_scores[..count]);
            }
            for &column in except[first..].iter().take_while(|&&c| c < columns.end) {
                scores[column - columns.start] = f32::NEG_INFINITY;
            }
            let (high, mut sum) = (highest(&scores), 0.0);
            if high > f32::NEG_INFINITY {
                sum_exp(&scores, high, &mut sum);
            }
            (high, sum)
        });
        log_sum(&parts.collect::<Vec<_>>())
    }

    fn top(&self, count: usize, except: &[usize]) -> Vec<(usize, f32)> {
        // A tile that is not among so many has nothing above the best of each of them, at most
        // `except.len()` of which are left out.
        let mut tiles = Best::new(count + except.len());
        for (tile, &largest) in self.largest().iter().enumerate() {
            if largest > tiles.least() {
                tiles.offer(tile, largest);
            }
        }
        let mut best = Best::new(count);
        for (tile, largest) in tiles.found {
            if largest < best.least() {
                break;
            }
            let (scores, columns) = self.tile(tile);
            for (column, &score) in (tile * TILE..).zip(&scores[..columns]) {
                if score >= best.least() && except.binary_search(&column).is_err() {
                    best.offer(column, score);
                }
            }
        }
        best.found
    }
}

fn highest(scores: &[f32]) -> f32 {
    scores.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b))
}

dispatch! {
    /// The largest of each tile; what is no number is passed over.
    fn tile_maxima tile_maxima_body(scores: &[f32], out: &mut [f32])
}

#[inline(always)]
fn tile_maxima_body<A: Arithmetic>(scores: &[f32], out: &mut [f32]) {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (whole, rest) = scores.as_chunks::<TILE>();
    let (whole_out, rest_out) = out.split_at_mut(whole.len());
    for (scores, out) in whole.iter().zip(whole_out) {
        let mut lanes = [f32::NEG_INFINITY; TILE];
        for (lane, score) in lanes.iter_mut().zip(scores) {
            *lane = larger(*lane, *score);
        }
        let mut width = TILE;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = larger(lanes[i], lanes[i + width]);
            }
        }
        *out = lanes[0];
    }
    if let Some(out) = rest_out.first_mut() {
        *out = rest.iter().fold(f32::NEG_INFINITY, |a, &b| larger(a, b));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rowwise::multiply;
    use super::super::vocabulary::Scanned;
    use super::*;
    use crate::kernels::noise;

    #[test]
    fn what_is_not_kept_is_as_if_it_were() {
        Backend::each(assert_as_if_kept);
    }

    fn assert_as_if_kept(backend: Backend) {
        for (rows, columns, inputs) in [(1, 31, 8), (3, 300, 16), (19, 1111, 64)] {
            let mut matrix = Int8Matrix::with_capacity(columns, inputs);
            matrix.push_rows(&noise(1, columns * inputs));
            let mut bias = noise(2, columns);
            bias[5] = f32::NEG_INFINITY;
            bias[7] = 60.0;
            let xs = noise(3, rows * inputs);
            let mut activations = Int8Activations::default();
            activations.quantize(&xs, inputs);
            let kept = multiply(&matrix, &activations, Some(&bias));
            let tiled = TiledLogits::new(&matrix, activations, Some(&bias), Sums::Wanted);
            for (row, kept) in kept.chunks_exact(columns).enumerate() {
                let (scanned, tiled) = (Scanned::new(kept), tiled.row(row));
                assert_eq!(tiled.columns(), columns);
                for (column, &kept) in kept.iter().enumerate() {
                    assert_eq!(tiled.score(column), kept, "{backend:?}");
                }
                for (count, except) in [(1, vec![]), (8, vec![7, 9]), (3, vec![7]), (40, vec![])] {
                    assert_eq!(tiled.top(count, &except), scanned.top(count, &except));
                }
                let (found, exact) = (tiled.log_sum_exp(), scanned.log_sum_exp());
                assert!((found - exact).abs() < 1e-5, "{found} {exact}");
                // What is largest by far is left out, and whole chunks of tiles.
                for except in [vec![7], vec![0, 7, 9, 30], (0..columns - 1).collect()] {
                    let found = tiled.log_sum_exp_without(&except);
                    let exact = scanned.log_sum_exp_without(&except);
                    assert!((found - exact).abs() < 1e-5, "{found} {exact}");
                }
                let all: Vec<usize> = (0..columns).collect();
                assert_eq!(tiled.log_sum_exp_without(&all), f32::NEG_INFINITY);
            }
        }
    }

    #[test]
    fn among_equal_scores_the_first_column_is_best() {
        // Four features, and outputs that differ by the column modulo seven alone.
        let (columns, inputs) = (400, 4);
        let mut matrix = Int8Matrix::with_capacity(columns, inputs);
        let weights: Vec<f32> = (0..columns)
            .flat_map(|column| [(column % 7) as f32; 4])
            .collect();
        matrix.push_rows(&weights);
        let mut activations = Int8Activations::default();
        activations.quantize(&[1.0; 4], inputs);
        let tiled = TiledLogits::new(&matrix, activations, None, Sums::Unwanted);
        let best = tiled.row(0).top(5, &[13]);
        let columns: Vec<usize> = best.iter().map(|&(column, _)| column).collect();
        assert_eq!(columns, [6, 20, 27, 34, 41]);
    }
}
