//! The block of all decoder-only networks, written once over the runtime.
//!
//! Tensor names are llama.cpp's (`blk.N.attn_q.weight`, …). Query, key and value weights are one
//! product, as are gate and up.

use candle_core::Tensor;

use super::gguf::Gguf;
use super::plan::Plan;
use crate::decode::TokenId;
use crate::error::Result;
use crate::kernels::Heads;
use crate::networks::runtime::{Attention, HeadNorms, Runtime, check_tokens};

/// One block.
pub(in crate::networks) struct Layer<R: Runtime> {
    attention_norm: R::Norm,
    query_key_value: R::Linear,
    /// Of each head's queries, and of its keys.
    head_norms: Option<(R::Norm, R::Norm)>,
    attention_output: R::Linear,
    feed_forward_norm: R::Norm,
    gate_up: R::Linear,
    down: R::Linear,
    /// After attention, and after the feed-forward.
    post_norms: Option<(R::Norm, R::Norm)>,
}

impl<R: Runtime> Layer<R> {
    fn load(runtime: &R, gguf: &mut Gguf, plan: &Plan, number: usize) -> Result<Self> {
        let name = |part: &str| format!("blk.{number}.{part}");
        let Heads {
            queries,
            keys,
            width,
        } = plan.heads;
        let (query, key) = (queries * width, keys * width);
        let (features, inner) = (plan.width, plan.feed_forward);
        let norm = |gguf: &mut Gguf, part: &str, size: usize| -> Result<R::Norm> {
            runtime.norm(gguf.floats(&name(part), &[size])?, plan.epsilon)
        };
        let two = |gguf: &mut Gguf, parts: [&str; 2], size: usize| -> Result<(R::Norm, R::Norm)> {
            Ok((norm(gguf, parts[0], size)?, norm(gguf, parts[1], size)?))
        };
        let bias = if plan.bias {
            let mut bias = Vec::with_capacity(query + 2 * key);
            for (part, size) in [
                ("attn_q.bias", query),
                ("attn_k.bias", key),
                ("attn_v.bias", key),
            ] {
                bias.extend(gguf.floats(&name(part), &[size])?);
            }
            Some(bias)
        } else {
            None
        };
        let query_key_value = [
            (name("attn_q.weight"), query),
            (name("attn_k.weight"), key),
            (name("attn_v.weight"), key),
        ];
        let gate_up = [
            (name("ffn_gate.weight"), inner),
            (name("ffn_up.weight"), inner),
        ];
        let attention_output = [(name("attn_output.weight"), features)];
        let down = [(name("ffn_down.weight"), features)];
        Ok(Self {
            attention_norm: norm(gguf, "attn_norm.weight", features)?,
            query_key_value: runtime.linear(gguf, &query_key_value, features, bias)?,
            head_norms: plan
                .head_norm
                .map(|_| two(gguf, ["attn_q_norm.weight", "attn_k_norm.weight"], width))
                .transpose()?,
            attention_output: runtime.linear(gguf, &attention_output, query, None)?,
            feed_forward_norm: norm(gguf, "ffn_norm.weight", features)?,
            gate_up: runtime.linear(gguf, &gate_up, features, None)?,
            down: runtime.linear(gguf, &down, inner, None)?,
            post_norms: plan
                .post_norms
                .then(|| {
                    let parts = ["post_attention_norm.weight", "post_ffw_norm.weight"];
                    two(gguf, parts, features)
                })
                .transpose()?,
        })
    }

    fn forward(
        &self,
        runtime: &R,
        plan: &Plan,
        xs: R::Rows,
        pass: &mut R::Pass<'_>,
        number: usize,
    ) -> Result<R::Rows> {
        let attention = Attention {
            heads: plan.heads,
            scale: plan.score_scale,
            order: plan.rotary_order,
            window: plan.window_of(number).map(|window| window.size),
            norms: match (plan.head_norm, &self.head_norms) {
                (Some(place), Some((query, key))) => Some(HeadNorms { place, query, key }),
                _ => None,
            },
        };
        let (after_attention, after_feed_forward) = match &self.post_norms {
            Some((attention, feed_forward)) => (Some(attention), Some(feed_forward)),
            None => (None, None),
        };
        let added = |xs: R::Rows, more: R::Rows, norm: Option<&R::Norm>| match norm {
            Some(norm) => runtime.add(xs, runtime.normed(norm, &more)?),
            None => runtime.add(xs, more),
        };

        let normed = runtime.normed(&self.attention_norm, &xs)?;
        let sides = runtime.project(&self.query_key_value, &normed)?;
        let attended = runtime.attend(&attention, sides, pass, number)?;
        let out = runtime.single(&self.attention_output, &attended)?;
        let xs = added(xs, out, after_attention)?;

        let normed = runtime.normed(&self.feed_forward_norm, &xs)?;
        let sides = runtime.project(&self.gate_up, &normed)?;
        let inner = runtime.gate(plan.function, sides)?;
        let out = runtime.single(&self.down, &inner)?;
        added(xs, out, after_feed_forward)
    }
}

/// A network as it was loaded.
pub(in crate::networks) struct Network<R: Runtime> {
    pub(in crate::networks) runtime: R,
    pub(in crate::networks) plan: Plan,
    /// `None` where the output layer's matrix is the embedding.
    embedding: Option<R::Linear>,
    layers: Vec<Layer<R>>,
    norm: R::Norm,
    output: R::Linear,
}

impl<R: Runtime> Network<R> {
    /// Reads the tensors of a file by a plan, all of them. `progress` is called with the number of
    /// layers loaded and the number of all.
    ///
    /// # Errors
    ///
    /// For a tensor that is missing, has another shape, or has no place in the plan.
    pub(super) fn load(
        runtime: R,
        gguf: &mut Gguf,
        mut plan: Plan,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        if plan.rotary_factors && gguf.has("rope_freqs.weight") {
            let factors = gguf.floats("rope_freqs.weight", &[plan.heads.width / 2])?;
            let divisors = plan.rotary.divisors.iter_mut().zip(factors);
            divisors.for_each(|(divisor, factor)| *divisor *= factor);
        }
        let matrix = |gguf: &mut Gguf, name: &str| -> Result<R::Linear> {
            let layers = [(name.to_owned(), plan.vocabulary)];
            runtime.linear(gguf, &layers, plan.width, None)
        };
        let embedding = matrix(gguf, "token_embd.weight")?;
        let (embedding, output) = if gguf.has("output.weight") {
            (Some(embedding), matrix(gguf, "output.weight")?)
        } else {
            (None, embedding)
        };
        // The number of layers is not believed before the file has them.
        let mut layers = Vec::new();
        for number in 0..plan.layers {
            layers.push(Layer::load(&runtime, gguf, &plan, number)?);
            progress(number + 1, plan.layers);
        }
        let norm = gguf.floats("output_norm.weight", &[plan.width])?;
        let norm = runtime.norm(norm, plan.epsilon)?;
        if let Some(name) = gguf.unread() {
            return Err(gguf.unsupported(format!(
                "tensor `{name}` has no place in a network of this architecture that newsml knows"
            )));
        }
        Ok(Self {
            runtime,
            plan,
            embedding,
            layers,
            norm,
            output,
        })
    }

    /// Runs tokens, whose keys and values are added to what the pass keeps; hidden states out.
    pub(super) fn forward(&self, tokens: &[TokenId], pass: &mut R::Pass<'_>) -> Result<R::Rows> {
        check_tokens(tokens, self.plan.vocabulary)?;
        let embedding = self.embedding.as_ref().unwrap_or(&self.output);
        let scale = self.plan.embedding_scale;
        let mut xs = self.runtime.embed(embedding, tokens, scale)?;
        for (number, layer) in self.layers.iter().enumerate() {
            xs = layer.forward(&self.runtime, &self.plan, xs, pass, number)?;
        }
        Ok(xs)
    }

    /// Hidden states to scores `(tokens, vocabulary)`, float32.
    pub(super) fn scores(&self, xs: &R::Rows) -> Result<Tensor> {
        let normed = self.runtime.normed(&self.norm, xs)?;
        self.runtime.scores(&self.output, &normed)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::networks::runtime::padded::Padded;
    use crate::networks::runtime::tensors::{Form, Matrix};

    #[test]
    fn only_weights_of_blocks_stay_as_they_are_stored() -> Result<()> {
        for (variant, of_blocks) in [("f32", false), ("q8_0", true)] {
            let path = format!("tests/fixtures/qwen2-{variant}.gguf");
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
            let mut gguf = Gguf::open(&path)?;
            let plan = crate::networks::decoder::plan(&gguf)?;
            let runtime = Padded {
                form: Form::cpu(),
                quantized: true,
            };
            let network = Network::load(runtime, &mut gguf, plan, &mut |_, _| {})?;
            for layer in &network.layers {
                let all = [
                    &layer.query_key_value,
                    &layer.attention_output,
                    &layer.gate_up,
                    &layer.down,
                ];
                for linear in all.into_iter().flatten() {
                    let is_quantized = matches!(linear.matrix, Matrix::Quantized(_));
                    assert_eq!(is_quantized, of_blocks, "{variant}");
                }
            }
        }
        Ok(())
    }
}
