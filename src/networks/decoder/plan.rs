//! All that tells one decoder-only network from another, as data.
//!
//! A family reads a [`Plan`] from the metadata of a file through [`Facts`], which remembers what was
//! asked: a key that says something and that no one asked for is refused, since a network that
//! ignores it would run and be wrong.

use std::cell::RefCell;
use std::collections::HashSet;

use candle_core::quantized::gguf_file::Value;

use super::gguf::Gguf;
use crate::error::Result;
use crate::kernels::{Function, Heads};
use crate::networks::runtime::{HeadNorm, PerReach, Rotary, RotaryOrder};

/// A decoder-only network: pre-norm blocks of attention with rotary embeddings and of a gated
/// feed-forward.
#[derive(Debug, Clone)]
pub(in crate::networks) struct Plan {
    /// Blocks.
    pub(in crate::networks) layers: usize,
    /// Features of a token.
    pub(in crate::networks) width: usize,
    /// Features between the two layers of a feed-forward.
    pub(in crate::networks) feed_forward: usize,
    /// Tokens that there are.
    pub(in crate::networks) vocabulary: usize,
    /// Most tokens that a prompt and its continuation may have together.
    pub(in crate::networks) context: usize,
    /// Of all norms.
    pub(in crate::networks) epsilon: f32,
    /// Multiplies embeddings.
    pub(in crate::networks) embedding_scale: f32,
    /// Of all layers.
    pub(in crate::networks) heads: Heads,
    /// Multiplies the products of queries and keys.
    pub(in crate::networks) score_scale: f32,
    /// Whether queries, keys and values have biases.
    pub(in crate::networks) bias: bool,
    /// Norms of each head's queries and keys.
    pub(in crate::networks) head_norm: Option<HeadNorm>,
    /// Which features are turned together.
    pub(in crate::networks) rotary_order: RotaryOrder,
    /// In layers that see everything.
    pub(in crate::networks) rotary: Rotary,
    /// Whether the file may slow each rate of these, by `rope_freqs.weight`.
    pub(in crate::networks) rotary_factors: bool,
    /// Layers that see only a window.
    pub(in crate::networks) window: Option<Window>,
    /// Whether a block's output is normalized before it is added.
    pub(in crate::networks) post_norms: bool,
    /// Of the gate.
    pub(in crate::networks) function: Function,
}

/// Layers that see only the last tokens.
#[derive(Debug, Clone)]
pub(in crate::networks) struct Window {
    /// How many tokens, its own counted.
    pub(in crate::networks) size: usize,
    /// Every so many layers, the last of them sees everything.
    pub(in crate::networks) every: usize,
    /// In these layers.
    pub(in crate::networks) rotary: Rotary,
}

impl Plan {
    /// Reads what most families have: norms before blocks only, heads and feed-forward without
    /// biases, SiLU, rotary embedding over halves with a scaling that is linear if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptModel`](crate::Error::CorruptModel) for what is missing or does not fit
    /// together, [`Error::UnsupportedModel`](crate::Error::UnsupportedModel) for what newsml cannot
    /// compute.
    pub(super) fn read(facts: &Facts<'_>) -> Result<Self> {
        let width = facts.integer("embedding_length")?;
        let queries = facts.integer("attention.head_count")?;
        let keys = facts.integer_or("attention.head_count_kv", queries)?;
        if queries == 0 || keys == 0 || !queries.is_multiple_of(keys) {
            return Err(facts.corrupt(format!(
                "{queries} query heads cannot share {keys} key heads"
            )));
        }
        let head = match facts.integer_or("attention.key_length", 0)? {
            0 if width.is_multiple_of(queries) => width / queries,
            0 => {
                return Err(facts.corrupt(format!(
                    "{queries} query heads do not divide {width} features"
                )));
            }
            head => head,
        };
        if head == 0 || !head.is_multiple_of(2) || head > MOST_HEAD_WIDTH {
            return Err(facts.unsupported(format!("heads of {head} features")));
        }
        for key in ["attention.value_length", "rope.dimension_count"] {
            let found = facts.integer_or(key, head)?;
            if found != head {
                return Err(facts.unsupported(format!(
                    "`{}` = {found} where heads have {head} features",
                    facts.key(key)
                )));
            }
        }
        let rows = facts.rows("token_embd.weight")?;
        let vocabulary = facts.integer_or("vocab_size", rows)?;
        if vocabulary != rows {
            return Err(facts.corrupt(format!(
                "`{}` = {vocabulary}, but `token_embd.weight` has {rows} rows",
                facts.key("vocab_size")
            )));
        }
        Ok(Self {
            layers: facts.integer("block_count")?,
            width,
            feed_forward: facts.integer("feed_forward_length")?,
            vocabulary,
            context: facts.integer("context_length")?,
            epsilon: facts.float("attention.layer_norm_rms_epsilon")?,
            embedding_scale: 1.0,
            heads: Heads {
                queries,
                keys,
                width: head,
            },
            score_scale: 1.0 / (head as f32).sqrt(),
            bias: false,
            head_norm: None,
            rotary_order: RotaryOrder::Halves,
            rotary: Rotary::new(facts.float_or("rope.freq_base", 10_000.0)?, head)
                .slowed(facts.rotary_scaling()?),
            rotary_factors: false,
            window: None,
            post_norms: false,
            function: Function::Silu,
        })
    }

    /// The rotary embeddings of both kinds of layers.
    pub(in crate::networks) fn rotary(&self) -> PerReach<&Rotary> {
        PerReach {
            everything: &self.rotary,
            window: self.window.as_ref().map(|window| &window.rotary),
        }
    }

    /// The window of a layer that does not see everything.
    pub(in crate::networks) fn window_of(&self, layer: usize) -> Option<&Window> {
        let window = self.window.as_ref()?;
        (!(layer + 1).is_multiple_of(window.every)).then_some(window)
    }
}

/// More features than any head has; bounds what a header can ask for.
const MOST_HEAD_WIDTH: usize = 1024;

/// The metadata of a file under the name of its architecture.
pub(super) struct Facts<'a> {
    gguf: &'a Gguf,
    architecture: String,
    asked: RefCell<HashSet<String>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(gguf: &'a Gguf) -> Result<Self> {
        Ok(Self {
            gguf,
            architecture: gguf.architecture()?.to_owned(),
            asked: RefCell::default(),
        })
    }

    /// The key as it stands in the file.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    fn asked(&self, name: &str) -> String {
        let key = self.key(name);
        self.asked.borrow_mut().insert(key.clone());
        key
    }

    /// Whether the file has the key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.gguf.content().metadata.contains_key(&self.asked(name))
    }

    pub(super) fn integer(&self, name: &str) -> Result<usize> {
        self.gguf.integer(&self.asked(name))
    }

    pub(super) fn integer_or(&self, name: &str, otherwise: usize) -> Result<usize> {
        if self.has(name) {
            self.integer(name)
        } else {
            Ok(otherwise)
        }
    }

    pub(super) fn float(&self, name: &str) -> Result<f32> {
        let key = self.asked(name);
        let value = self.gguf.float(&key)?;
        if !value.is_finite() || value < 0.0 {
            return Err(self.corrupt(format!("metadata `{key}` is {value}")));
        }
        Ok(value)
    }

    pub(super) fn float_or(&self, name: &str, otherwise: f32) -> Result<f32> {
        if self.has(name) {
            self.float(name)
        } else {
            Ok(otherwise)
        }
    }

    /// By how much positions are divided; 1 without scaling.
    fn rotary_scaling(&self) -> Result<f32> {
        let kind = if self.has("rope.scaling.type") {
            self.gguf.text(&self.key("rope.scaling.type"))?
        } else {
            "none"
        };
        let factor = self.float_or("rope.scaling.factor", 1.0)?;
        // What scaling has to do with the length that a network was trained for.
        let _ = self.has("rope.scaling.original_context_length");
        let _ = self.has("rope.scaling.finetuned");
        match kind {
            "none" => Ok(1.0),
            "linear" if factor > 0.0 => Ok(factor),
            kind => Err(self.unsupported(format!(
                "`{}` = `{kind}` with factor {factor}",
                self.key("rope.scaling.type")
            ))),
        }
    }

    /// The rows of a matrix of the file.
    fn rows(&self, name: &str) -> Result<usize> {
        match self.gguf.content().tensor_infos.get(name) {
            Some(info) if info.shape.rank() == 2 => Ok(info.shape.dims()[0]),
            _ => Err(self.corrupt(format!("tensor `{name}` is missing"))),
        }
    }

    /// Refuses what the file says and no one asked for. What is switched off says nothing.
    pub(super) fn finish(&self) -> Result<()> {
        let asked = self.asked.borrow();
        let prefix = self.key("");
        let mut unknown: Vec<_> = self
            .gguf
            .content()
            .metadata
            .iter()
            .filter(|(key, value)| {
                key.starts_with(&prefix) && !asked.contains(*key) && !is_off(value)
            })
            .map(|(key, _)| key.as_str())
            .collect();
        unknown.sort_unstable();
        match unknown.first() {
            None => Ok(()),
            Some(key) => Err(self.unsupported(format!(
                "metadata `{key}` says something of the network that newsml does not know"
            ))),
        }
    }

    pub(super) fn corrupt(&self, message: String) -> crate::Error {
        self.gguf.corrupt(message)
    }

    pub(super) fn unsupported(&self, message: String) -> crate::Error {
        self.gguf.unsupported(message)
    }
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Bool(on) => !on,
        Value::F32(value) => *value == 0.0,
        Value::F64(value) => *value == 0.0,
        Value::String(text) => text.is_empty() || text == "none",
        Value::Array(items) => items.iter().all(is_off),
        Value::I8(value) => *value == 0,
        Value::I16(value) => *value == 0,
        Value::I32(value) => *value == 0,
        Value::I64(value) => *value == 0,
        value => value.to_u64().is_ok_and(|value| value == 0),
    }
}
