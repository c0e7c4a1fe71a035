//! Unpadded rows on newsml's own kernels.
//!
//! Rows stand one after another, each token with its position in its own row, so that a batch costs
//! what its tokens cost and equals its rows one by one. Only attention knows where a row ends.

use candle_core::{Device, Tensor};

use super::matrix::Projection;
use super::{Attention, HeadNorm, PerReach, Rotary, RotaryOrder, Runtime};
use crate::decode::TokenId;
use crate::error::Result;
use crate::kernels::{self, Function, Heads, KeyValues, Norm, Queries, for_each_row};
use crate::networks::decoder::gguf::Gguf;

/// Keys and values of one row, a layer each.
pub(in crate::networks) type RowCache = Vec<KeyValues>;

/// Consecutive tokens of one row.
#[derive(Debug, Clone, Copy)]
pub(in crate::networks) struct Span {
    /// The row they belong to.
    pub(in crate::networks) row: usize,
    /// The position of the first in its row.
    pub(in crate::networks) position: usize,
    /// How many.
    pub(in crate::networks) count: usize,
}

/// What all layers of one pass share.
pub(in crate::networks) struct Pass<'a> {
    /// The rows' keys and values.
    caches: &'a mut [RowCache],
    spans: &'a [Span],
    turns: PerReach<Turns>,
}

/// Cosines and sines for each token, `(tokens, width / 2)`.
struct Turns {
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl Turns {
    fn new(rotary: &Rotary, spans: &[Span]) -> Self {
        let (mut cosines, mut sines) = (Vec::new(), Vec::new());
        for position in spans
            .iter()
            .flat_map(|span| span.position..span.position + span.count)
        {
            for divisor in &rotary.divisors {
                let angle = position as f32 / divisor;
                cosines.push(angle.cos());
                sines.push(angle.sin());
            }
        }
        Self { cosines, sines }
    }

    /// Turns the heads of token number `token`, which stand side by side.
    fn apply(&self, token: usize, order: RotaryOrder, heads: &mut [f32], width: usize) {
        let half = width / 2;
        let cosines = &self.cosines[token * half..][..half];
        let sines = &self.sines[token * half..][..half];
        let turned = |low: f32, high: f32, cos: f32, sin: f32| {
            (low * cos - high * sin, high * cos + low * sin)
        };
        for head in heads.chunks_exact_mut(width) {
            match order {
                RotaryOrder::Halves => {
                    let (low, high) = head.split_at_mut(half);
                    for (((low, high), cos), sin) in
                        low.iter_mut().zip(high).zip(cosines).zip(sines)
                    {
                        (*low, *high) = turned(*low, *high, *cos, *sin);
                    }
                }
                RotaryOrder::Pairs => {
                    for ((pair, cos), sin) in head.chunks_exact_mut(2).zip(cosines).zip(sines) {
                        (pair[0], pair[1]) = turned(pair[0], pair[1], *cos, *sin);
                    }
                }
            }
        }
    }
}

impl<'a> Pass<'a> {
    /// Tokens as `spans` lay them out.
    pub(in crate::networks) fn new(
        spans: &'a [Span],
        caches: &'a mut [RowCache],
        rotary: &PerReach<&Rotary>,
    ) -> Self {
        let turns = |rotary: &Rotary| Turns::new(rotary, spans);
        Self {
            caches,
            spans,
            turns: PerReach {
                everything: turns(rotary.everything),
                window: rotary.window.map(turns),
            },
        }
    }
}

/// The outputs of several layers: for each token those of the first, then those of the next.
pub(in crate::networks) struct Sides {
    values: Vec<f32>,
    /// Of one token's line.
    width: usize,
}

/// The runtime.
pub(in crate::networks) struct Spans;

impl Runtime for Spans {
    type Linear = Projection;
    type Norm = Norm;
    type Rows = Vec<f32>;
    type Sides = Sides;
    type Pass<'a> = Pass<'a>;

    fn linear(
        &self,
        gguf: &mut Gguf,
        layers: &[(String, usize)],
        inputs: usize,
        bias: Option<Vec<f32>>,
    ) -> Result<Projection> {
        let layers = layers
            .iter()
            .map(|(name, outputs)| gguf.matrix(name, *outputs, inputs))
            .collect::<Result<_>>()?;
        Ok(Projection::new(layers, inputs, bias))
    }

    fn norm(&self, weight: Vec<f32>, epsilon: f32) -> Result<Norm> {
        Ok(Norm {
            weight,
            bias: None,
            epsilon,
        })
    }

    fn embed(&self, matrix: &Projection, tokens: &[TokenId], scale: f32) -> Result<Vec<f32>> {
        let width = matrix.inputs();
        let mut xs = vec![0.0; tokens.len() * width];
        for (&token, row) in tokens.iter().zip(xs.chunks_exact_mut(width)) {
            matrix.row(token as usize, row)?;
            if scale != 1.0 {
                row.iter_mut().for_each(|x| *x *= scale);
            }
        }
        Ok(xs)
    }

    fn normed(&self, norm: &Norm, xs: &Vec<f32>) -> Result<Vec<f32>> {
        let mut out = vec![0.0; xs.len()];
        norm.apply(xs, &mut out);
        Ok(out)
    }

    fn project(&self, linear: &Projection, xs: &Vec<f32>) -> Result<Sides> {
        Ok(Sides {
            values: linear.forward(xs)?,
            width: linear.outputs(),
        })
    }

    fn single(&self, linear: &Projection, xs: &Vec<f32>) -> Result<Vec<f32>> {
        linear.forward(xs)
    }

    fn attend(
        &self,
        attention: &Attention<'_, Norm>,
        sides: Sides,
        pass: &mut Pass<'_>,
        layer: usize,
    ) -> Result<Vec<f32>> {
        let Heads {
            queries,
            keys,
            width,
        } = attention.heads;
        let (mut qkv, stride) = (sides.values, sides.width);
        let turns = pass.turns.of(attention.window);
        for_each_row(&mut qkv, stride, |token, line| {
            let (query, rest) = line.split_at_mut(queries * width);
            let key = &mut rest[..keys * width];
            let norm = |place: HeadNorm, query: &mut [f32], key: &mut [f32]| {
                if let Some(norms) = &attention.norms
                    && norms.place == place
                {
                    norms.query.apply_each(query);
                    norms.key.apply_each(key);
                }
            };
            norm(HeadNorm::BeforeRotary, query, key);
            turns.apply(token, attention.order, query, width);
            turns.apply(token, attention.order, key, width);
            norm(HeadNorm::AfterRotary, query, key);
        });
        let heads = Heads {
            width: width.next_multiple_of(kernels::HEAD_STEP),
            ..attention.heads
        };
        if heads.width != width {
            qkv = resized(&qkv, width, heads.width);
        }
        let out = attend_rows(attention, heads, &qkv, pass, layer);
        Ok(if heads.width == width {
            out
        } else {
            resized(&out, heads.width, width)
        })
    }

    fn gate(&self, function: Function, sides: Sides) -> Result<Vec<f32>> {
        let mut out = vec![0.0; sides.values.len() / 2];
        kernels::gate(function, &sides.values, sides.width / 2, &mut out);
        Ok(out)
    }

    fn add(&self, mut xs: Vec<f32>, more: Vec<f32>) -> Result<Vec<f32>> {
        xs.iter_mut().zip(more).for_each(|(x, more)| *x += more);
        Ok(xs)
    }

    fn scores(&self, linear: &Projection, xs: &Vec<f32>) -> Result<Tensor> {
        let scores = linear.forward(xs)?;
        let shape = (scores.len() / linear.outputs(), linear.outputs());
        Ok(Tensor::from_vec(scores, shape, &Device::Cpu)?)
    }
}

/// Keeps keys and values, and attends; `heads` are as wide as the kernels need them.
fn attend_rows(
    attention: &Attention<'_, Norm>,
    heads: Heads,
    qkv: &[f32],
    pass: &mut Pass<'_>,
    layer: usize,
) -> Vec<f32> {
    let Heads {
        queries,
        keys,
        width,
    } = heads;
    let stride = (queries + 2 * keys) * width;
    let mut token = 0;
    for span in pass.spans {
        let cache = &mut pass.caches[span.row][layer];
        for line in qkv[token * stride..(token + span.count) * stride].chunks_exact(stride) {
            let (keys, values) = line[queries * width..].split_at(keys * width);
            cache.push(heads, keys, values);
        }
        token += span.count;
    }
    let mut rows = Vec::with_capacity(pass.spans.len());
    let mut offset = 0;
    for span in pass.spans {
        rows.push(Queries {
            values: &qkv[offset * stride..(offset + span.count) * stride],
            stride,
            tokens: span.count,
            cache: &pass.caches[span.row][layer],
            offset,
        });
        offset += span.count;
    }
    let mut out = vec![0.0; token * queries * width];
    let causal = kernels::Causal {
        heads,
        scale: attention.scale,
        window: attention.window,
    };
    kernels::causal(causal, &rows, &mut out);
    if let Some(window) = attention.window {
        for span in pass.spans {
            pass.caches[span.row][layer].forget_all_but(window);
        }
    }
    out
}

/// Heads of `from` features as heads of `to`: cut, or filled up with zeros.
fn resized(xs: &[f32], from: usize, to: usize) -> Vec<f32> {
    let mut out = vec![0.0; xs.len() / from * to];
    let both = from.min(to);
    for (head, out) in xs.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
        out[..both].copy_from_slice(&head[..both]);
    }
    out
}
