//! What the block of a network asks of the machine, and the two ways to do it: unpadded rows on
//! newsml's own kernels ([`spans`]), and padded rectangles of candle tensors ([`padded`]), which a
//! graphics card needs.
//!
//! A network is written once over [`Runtime`]; calls are static.

pub(crate) mod matrix;
pub(crate) mod padded;
pub(crate) mod spans;
pub(crate) mod tensors;

use candle_core::Tensor;

use crate::decode::TokenId;
use crate::error::{Error, Result};
use crate::kernels::{Function, Heads};
use crate::networks::decoder::gguf::Gguf;

/// Makes the parts of a network of what a file holds, and runs them.
///
/// What a token comes to never depends on the tokens of other rows.
pub(in crate::networks) trait Runtime: Send + Sync {
    /// Several linear layers over the same input.
    type Linear: Send + Sync;
    /// A root-mean-square norm.
    type Norm: Send + Sync;
    /// Activations of the tokens of one pass, `(tokens, features)`.
    type Rows;
    /// The outputs of a [`Self::Linear`], one beside the other.
    type Sides;
    /// What all layers of one pass share: which tokens there are, and what was kept of those before.
    type Pass<'a>;

    /// Linear layers of these names and outputs, side by side; `bias` is for all outputs together.
    fn linear(
        &self,
        gguf: &mut Gguf,
        layers: &[(String, usize)],
        inputs: usize,
        bias: Option<Vec<f32>>,
    ) -> Result<Self::Linear>;

    /// A norm with these weights.
    fn norm(&self, weight: Vec<f32>, epsilon: f32) -> Result<Self::Norm>;

    /// The rows of a matrix that stand for tokens, each multiplied by `scale`. Tokens are within the
    /// vocabulary.
    fn embed(&self, matrix: &Self::Linear, tokens: &[TokenId], scale: f32) -> Result<Self::Rows>;

    /// Each token's features, normalized.
    fn normed(&self, norm: &Self::Norm, xs: &Self::Rows) -> Result<Self::Rows>;

    /// All layers over the same input.
    fn project(&self, linear: &Self::Linear, xs: &Self::Rows) -> Result<Self::Sides>;

    /// A layer that stands alone.
    fn single(&self, linear: &Self::Linear, xs: &Self::Rows) -> Result<Self::Rows>;

    /// Queries, keys and values to what each head attended to. Keys and values are kept in the pass
    /// as those of layer number `layer`.
    fn attend(
        &self,
        attention: &Attention<'_, Self::Norm>,
        sides: Self::Sides,
        pass: &mut Self::Pass<'_>,
        layer: usize,
    ) -> Result<Self::Rows>;

    /// `function(first side) × second side`.
    fn gate(&self, function: Function, sides: Self::Sides) -> Result<Self::Rows>;

    /// The sum.
    fn add(&self, xs: Self::Rows, more: Self::Rows) -> Result<Self::Rows>;

    /// A layer that stands alone, as float32 scores `(tokens, outputs)`.
    fn scores(&self, linear: &Self::Linear, xs: &Self::Rows) -> Result<Tensor>;
}

/// How one layer attends.
pub(in crate::networks) struct Attention<'a, N> {
    /// The shape of the heads.
    pub(in crate::networks) heads: Heads,
    /// Multiplies the products of queries and keys.
    pub(in crate::networks) scale: f32,
    /// Which features are turned together.
    pub(in crate::networks) order: RotaryOrder,
    /// Whether the layer sees only a window, and turns by the rates of such layers.
    pub(in crate::networks) window: Option<usize>,
    /// Norms of each head's queries and keys.
    pub(in crate::networks) norms: Option<HeadNorms<'a, N>>,
}

/// What differs between layers that see everything and those that see a window.
pub(in crate::networks) struct PerReach<T> {
    pub(in crate::networks) everything: T,
    /// `None` where all layers see everything.
    pub(in crate::networks) window: Option<T>,
}

impl<T> PerReach<T> {
    /// That of a layer with this window.
    pub(in crate::networks) fn of(&self, window: Option<usize>) -> &T {
        match (&self.window, window) {
            (Some(of_window), Some(_)) => of_window,
            _ => &self.everything,
        }
    }
}

/// Norms of each head's queries and keys, and when they are applied.
pub(in crate::networks) struct HeadNorms<'a, N> {
    /// When.
    pub(in crate::networks) place: HeadNorm,
    /// Over the features of a query.
    pub(in crate::networks) query: &'a N,
    /// Over the features of a key.
    pub(in crate::networks) key: &'a N,
}

/// When queries and keys are normalized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::networks) enum HeadNorm {
    /// Before the rotary embedding: Qwen3, Gemma 3.
    BeforeRotary,
    /// After it: Hunyuan.
    AfterRotary,
}

/// Which features of a head a rotary embedding turns together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::networks) enum RotaryOrder {
    /// The i-th of the first half with the i-th of the second.
    Halves,
    /// Each with its neighbour, as Llama's files have them.
    Pairs,
}

/// Rotary embedding (Su et al., 2021).
#[derive(Debug, Clone, PartialEq)]
pub(in crate::networks) struct Rotary {
    /// A position is divided by the i-th of these, which gives the angle by which the i-th couple of
    /// features is turned; half as many as a head has features.
    pub(in crate::networks) divisors: Vec<f32>,
}

impl Rotary {
    /// The usual rates for heads of `width` features.
    pub(in crate::networks) fn new(base: f32, width: usize) -> Self {
        let half = width / 2;
        Self {
            divisors: (0..half)
                .map(|i| base.powf(i as f32 / half as f32))
                .collect(),
        }
    }

    /// As if every position were divided by `factor`.
    pub(in crate::networks) fn slowed(mut self, factor: f32) -> Self {
        self.divisors
            .iter_mut()
            .for_each(|divisor| *divisor *= factor);
        self
    }
}

/// Fails for a token that an embedding has no row for.
///
/// # Errors
///
/// [`Error::Tokenizer`].
pub(in crate::networks) fn check_tokens(tokens: &[TokenId], vocabulary: usize) -> Result<()> {
    match tokens.iter().find(|&&token| token as usize >= vocabulary) {
        None => Ok(()),
        Some(token) => Err(Error::Tokenizer(format!(
            "token {token} is outside of the model's vocabulary of {vocabulary}"
        ))),
    }
}
