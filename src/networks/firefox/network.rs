//! The network: a Transformer encoder and a decoder of simple recurrent units, in int8.
//!
//! Weights stay int8; what goes into a product is rounded to int8 with the multiplier that the file
//! stores for it, sums are int32, and everything between products is float32. Order and rounding
//! follow Marian (`transformer.h`, `intgemm_interface.h`), the shifted bias of `int8shift` included.
//! Lines of a batch lie one after the other without padding, so that no line can see another.

mod loading;

use std::sync::Arc;

use super::config::Config;
use crate::decode::TokenId;
use crate::kernels::float::{self, Attention, LANES};
use crate::kernels::int8::Int8Matrix;

/// What Marian adds to a variance.
const EPSILON: f32 = 1e-6;

/// Positions that are worked out when a model is loaded; those beyond are when they are needed.
const POSITIONS: usize = 256;

/// A loaded network.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) config: Config,
    source: Arc<Embedding>,
    target: Arc<Embedding>,
    encoder: Vec<EncoderLayer>,
    decoder: Vec<DecoderLayer>,
    output: OutputLayer,
    /// `(POSITIONS, width)`.
    positions: Vec<f32>,
}

/// A table of int8 vectors, one a token.
#[derive(Debug)]
struct Embedding {
    weights: Vec<i8>,
    multiplier: f32,
    width: usize,
}

/// A product with what goes before and after it.
#[derive(Debug)]
struct Linear {
    weights: Int8Matrix,
    /// What activations are multiplied by before they are rounded.
    multiplier: f32,
    /// What a sum is multiplied by.
    scale: f32,
    /// The bias with the offset of the activations taken back.
    bias: Vec<f32>,
}

#[derive(Debug)]
struct Norm {
    scale: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Debug)]
struct AttentionLayer {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    norm: Norm,
}

#[derive(Debug)]
struct FeedForward {
    first: Linear,
    second: Linear,
    norm: Norm,
}

#[derive(Debug)]
struct EncoderLayer {
    attention: AttentionLayer,
    feed_forward: FeedForward,
}

#[derive(Debug)]
struct DecoderLayer {
    /// The candidate of a recurrent cell, and the gate between it and the cell.
    candidate: Linear,
    gate: Linear,
    norm: Norm,
    attention: AttentionLayer,
    feed_forward: FeedForward,
}

/// The output layer. Its matrix is that of the target embeddings.
#[derive(Debug)]
struct OutputLayer {
    multiplier: f32,
    scale: f32,
    /// One for each target token, the offset of the activations taken back.
    bias: Vec<f32>,
    /// The part for the first tokens, which are candidates of every line.
    first: Int8Matrix,
    first_bias: Vec<f32>,
}

/// Buffers that are used again from one call to the next. They hold nothing that lasts.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    quantized: Vec<u8>,
    xs: Vec<f32>,
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    mixed: Vec<f32>,
    projected: Vec<f32>,
    hidden: Vec<f32>,
    transposed: Vec<f32>,
    scores: Vec<f32>,
}

/// What decoding needs to know of one source line; it does not change while decoding.
#[derive(Debug)]
pub(super) struct SourceLine {
    /// Tokens, the end token included.
    pub(super) length: usize,
    padded: usize,
    /// For each decoder layer the keys `(width, padded)` and the values `(length, width)`.
    memory: Vec<(Vec<f32>, Vec<f32>)>,
    /// The target tokens that this line may become besides the first ones, in order.
    pub(super) candidates: Arc<[TokenId]>,
    /// The output layer for them.
    output: Int8Matrix,
    output_bias: Vec<f32>,
}

/// A line of source tokens and its candidates besides the first ones.
pub(super) type Line<'a> = (&'a [TokenId], Arc<[TokenId]>);

/// What the output layer says of one line.
pub(super) struct LineScores<'a> {
    /// Of the first tokens, in order.
    pub(super) first: &'a mut [f32],
    /// Of the line's own candidates.
    pub(super) own: &'a mut [f32],
}

/// What decoding has come to for a number of lines.
#[derive(Debug, Default)]
pub(super) struct Decoding {
    pub(super) lines: Vec<Arc<SourceLine>>,
    /// For each line and layer the recurrent cell: `(lines, layers, width)`.
    cells: Vec<f32>,
    /// How many tokens each line has been given.
    positions: Vec<usize>,
}

impl Decoding {
    /// Lines at their beginning.
    pub(super) fn new(lines: Vec<Arc<SourceLine>>, config: &Config) -> Self {
        let count = lines.len();
        Self {
            lines,
            cells: vec![0.0; count * config.decoder_layers * config.width],
            positions: vec![0; count],
        }
    }

    /// Keeps these lines in this order; one may be named more than once.
    pub(super) fn keep(&mut self, rows: &[usize]) {
        let size = self.cells.len() / self.lines.len().max(1);
        self.cells = rows
            .iter()
            .flat_map(|&row| &self.cells[row * size..(row + 1) * size])
            .copied()
            .collect();
        self.lines = rows
            .iter()
            .map(|&row| Arc::clone(&self.lines[row]))
            .collect();
        self.positions = rows.iter().map(|&row| self.positions[row]).collect();
    }
}

/// A buffer as a slice of this length, its content undefined.
fn sized<T: Copy + Default>(buffer: &mut Vec<T>, length: usize) -> &mut [T] {
    if buffer.len() < length {
        buffer.resize(length, T::default());
    }
    &mut buffer[..length]
}

impl Network {
    /// How many of the first target tokens are candidates of every line.
    pub(super) fn first(&self) -> usize {
        self.output.first.columns()
    }

    /// Runs the encoder over lines of source tokens, each with its candidates.
    pub(super) fn encode(&self, lines: &[Line<'_>], work: &mut Workspace) -> Vec<Arc<SourceLine>> {
        let width = self.config.width;
        let tokens: usize = lines.iter().map(|(line, _)| line.len()).sum();
        let mut xs = std::mem::take(&mut work.xs);
        let xs_slice = sized(&mut xs, tokens * width);
        let places = lines.iter().flat_map(|(line, _)| line.iter().enumerate());
        for ((position, &token), x) in places.zip(xs_slice.chunks_exact_mut(width)) {
            self.embed(&self.source, Some(token), position, x);
        }
        for layer in &self.encoder {
            self.self_attention(&layer.attention, lines, xs_slice, work);
            layer.feed_forward.apply(xs_slice, work);
        }
        let mut encoded: Vec<SourceLine> = lines
            .iter()
            .map(|(line, candidates)| self.source_line(line.len(), candidates))
            .collect();
        for layer in &self.decoder {
            let keys = sized(&mut work.keys, tokens * width);
            layer
                .attention
                .key
                .apply(xs_slice, &mut work.quantized, keys);
            let values = sized(&mut work.values, tokens * width);
            if layer.attention.value.multiplier == layer.attention.key.multiplier {
                layer
                    .attention
                    .value
                    .apply_quantized(&work.quantized[..tokens * width], values);
            } else {
                layer
                    .attention
                    .value
                    .apply(xs_slice, &mut work.quantized, values);
            }
            let mut start = 0;
            for line in &mut encoded {
                let range = start * width..(start + line.length) * width;
                let mut transposed = vec![0.0; line.padded * width];
                float::transpose(&keys[range.clone()], width, line.padded, &mut transposed);
                line.memory.push((transposed, values[range].to_vec()));
                start += line.length;
            }
        }
        work.xs = xs;
        encoded.into_iter().map(Arc::new).collect()
    }

    fn source_line(&self, length: usize, candidates: &Arc<[TokenId]>) -> SourceLine {
        let output = Int8Matrix::select(&self.target.weights, self.config.width, candidates);
        let mut output_bias: Vec<f32> = candidates
            .iter()
            .map(|&token| self.output.bias[token as usize])
            .collect();
        output_bias.resize(output.width(), 0.0);
        SourceLine {
            length,
            padded: length.next_multiple_of(LANES),
            memory: Vec::with_capacity(self.decoder.len()),
            candidates: Arc::clone(candidates),
            output,
            output_bias,
        }
    }

    /// One step of decoding: a token for each line in (none at the beginning), and for each line a
    /// call of `take` with its index and the scores of its candidates.
    pub(super) fn step(
        &self,
        decoding: &mut Decoding,
        last: &[Option<TokenId>],
        work: &mut Workspace,
        mut take: impl FnMut(usize, LineScores<'_>),
    ) {
        let (width, layers) = (self.config.width, self.decoder.len());
        let rows = decoding.lines.len();
        debug_assert_eq!(last.len(), rows, "a token for every line");
        let mut xs = std::mem::take(&mut work.xs);
        let xs_slice = sized(&mut xs, rows * width);
        for (row, x) in xs_slice.chunks_exact_mut(width).enumerate() {
            self.embed(&self.target, last[row], decoding.positions[row], x);
            decoding.positions[row] += 1;
        }
        for (index, layer) in self.decoder.iter().enumerate() {
            let candidates = sized(&mut work.values, rows * width);
            layer
                .candidate
                .apply(xs_slice, &mut work.quantized, candidates);
            let gates = sized(&mut work.keys, rows * width);
            if layer.gate.multiplier == layer.candidate.multiplier {
                layer
                    .gate
                    .apply_quantized(&work.quantized[..rows * width], gates);
            } else {
                layer.gate.apply(xs_slice, &mut work.quantized, gates);
            }
            let mixed = sized(&mut work.mixed, rows * width);
            for row in 0..rows {
                let cell = (row * layers + index) * width;
                let range = row * width..(row + 1) * width;
                let cell = &mut decoding.cells[cell..cell + width];
                float::recur(
                    cell,
                    &gates[range.clone()],
                    &candidates[range.clone()],
                    &mut mixed[range],
                );
            }
            layer.norm.apply(xs_slice, mixed);

            let attention = &layer.attention;
            let queries = sized(&mut work.queries, rows * width);
            attention
                .query
                .apply(xs_slice, &mut work.quantized, queries);
            for (row, line) in decoding.lines.iter().enumerate() {
                let (keys, values) = &line.memory[index];
                let memory = Attention {
                    keys,
                    values,
                    length: line.length,
                    padded: line.padded,
                    heads: self.config.heads,
                };
                let range = row * width..(row + 1) * width;
                float::attend(
                    &queries[range.clone()],
                    memory,
                    sized(&mut work.scores, line.padded),
                    &mut mixed[range],
                );
            }
            let projected = sized(&mut work.projected, rows * width);
            attention
                .output
                .apply(mixed, &mut work.quantized, projected);
            attention.norm.apply(xs_slice, projected);
            layer.feed_forward.apply(xs_slice, work);
        }
        let quantized = sized(&mut work.quantized, rows * width);
        float::quantize(xs_slice, self.output.multiplier, quantized);
        let first = &self.output.first;
        let scores = sized(&mut work.hidden, rows * first.width());
        first.multiply(
            quantized,
            self.output.scale,
            &self.output.first_bias,
            scores,
        );
        for (row, line) in decoding.lines.iter().enumerate() {
            let own = sized(&mut work.scores, line.output.width());
            let quantized = &quantized[row * width..(row + 1) * width];
            line.output
                .multiply(quantized, self.output.scale, &line.output_bias, own);
            let first = &mut scores[row * first.width()..][..first.columns()];
            take(
                row,
                LineScores {
                    first,
                    own: &mut own[..line.candidates.len()],
                },
            );
        }
        work.xs = xs;
    }

    fn embed(&self, table: &Embedding, token: Option<TokenId>, position: usize, x: &mut [f32]) {
        match token {
            Some(token) => {
                let start = token as usize * table.width;
                let (unit, root) = (1.0 / table.multiplier, (table.width as f32).sqrt());
                for (x, &weight) in x.iter_mut().zip(&table.weights[start..start + table.width]) {
                    *x = f32::from(weight) * unit * root;
                }
            }
            // Nothing comes before the first token.
            None => x.fill(0.0),
        }
        match self.positions.chunks_exact(self.config.width).nth(position) {
            Some(row) => x
                .iter_mut()
                .zip(row)
                .for_each(|(x, position)| *x += position),
            None => add_position(position, x),
        }
    }

    fn self_attention(
        &self,
        layer: &AttentionLayer,
        lines: &[Line<'_>],
        xs: &mut [f32],
        work: &mut Workspace,
    ) {
        let width = self.config.width;
        let size = xs.len();
        let queries = sized(&mut work.queries, size);
        layer.query.apply(xs, &mut work.quantized, queries);
        let keys = sized(&mut work.keys, size);
        let values = sized(&mut work.values, size);
        let mut ready = layer.query.multiplier;
        for (linear, output) in [(&layer.key, &mut *keys), (&layer.value, &mut *values)] {
            if linear.multiplier == ready {
                linear.apply_quantized(&work.quantized[..size], output);
            } else {
                linear.apply(xs, &mut work.quantized, output);
                ready = linear.multiplier;
            }
        }
        let mixed = sized(&mut work.mixed, size);
        let mut start = 0;
        for (line, _) in lines {
            let range = start * width..(start + line.len()) * width;
            let padded = line.len().next_multiple_of(LANES);
            let transposed = sized(&mut work.transposed, padded * width);
            float::transpose(&keys[range.clone()], width, padded, transposed);
            let memory = Attention {
                keys: transposed,
                values: &values[range.clone()],
                length: line.len(),
                padded,
                heads: self.config.heads,
            };
            let scores = sized(&mut work.scores, padded);
            float::attend(&queries[range.clone()], memory, scores, &mut mixed[range]);
            start += line.len();
        }
        let projected = sized(&mut work.projected, size);
        layer.output.apply(mixed, &mut work.quantized, projected);
        layer.norm.apply(xs, projected);
    }
}

impl Linear {
    /// Rounds activations and multiplies; they stay in `quantized`.
    fn apply(&self, xs: &[f32], quantized: &mut Vec<u8>, output: &mut [f32]) {
        let quantized = sized(quantized, xs.len());
        float::quantize(xs, self.multiplier, quantized);
        self.apply_quantized(quantized, output);
    }

    fn apply_quantized(&self, quantized: &[u8], output: &mut [f32]) {
        self.weights
            .multiply(quantized, self.scale, &self.bias, output);
    }
}

impl Norm {
    /// `xs = normalized(xs + ys)`
    fn apply(&self, xs: &mut [f32], ys: &[f32]) {
        float::add_and_normalize(xs, ys, &self.scale, &self.bias, EPSILON);
    }
}

impl FeedForward {
    fn apply(&self, xs: &mut [f32], work: &mut Workspace) {
        let rows = xs.len() / self.first.weights.inputs();
        let hidden = sized(&mut work.hidden, rows * self.first.weights.columns());
        self.first.apply(xs, &mut work.quantized, hidden);
        float::relu(hidden);
        let projected = sized(&mut work.projected, xs.len());
        self.second.apply(hidden, &mut work.quantized, projected);
        self.norm.apply(xs, projected);
    }
}

/// Adds the sinusoids of a position: sines in the first half, cosines in the second.
fn add_position(position: usize, x: &mut [f32]) {
    let half = x.len() / 2;
    // In float32 where Marian is, since the phase is rounded; sines of it in float64, since the
    // float32 ones differ from one system to another.
    let step = 10_000_f64.ln() as f32 / (half as f32 - 1.0);
    let (sines, cosines) = x.split_at_mut(half);
    for (index, (sine, cosine)) in sines.iter_mut().zip(cosines).enumerate() {
        let frequency = f64::from(index as f32 * -step).exp() as f32;
        let phase = f64::from(position as f32 * frequency);
        *sine += phase.sin() as f32;
        *cosine += phase.cos() as f32;
    }
}
