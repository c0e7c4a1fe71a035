//! From the arrays of a file to a network: shapes are checked, biases made ready.

use std::sync::Arc;

use super::super::config::{Config, Embeddings};
use super::super::container::Container;
use super::{
    AttentionLayer, DecoderLayer, Embedding, EncoderLayer, FeedForward, Linear, Network, Norm,
    OutputLayer, POSITIONS, add_position,
};
use crate::kernels::int8::{Int8Matrix, OFFSET};

/// Reads the parts of a network from its file.
struct Loader<'a, 'b> {
    container: &'b Container<'a>,
    width: usize,
}

impl Loader<'_, '_> {
    fn linear(
        &self,
        name: &str,
        bias: Option<&str>,
        inputs: usize,
        outputs: Option<usize>,
    ) -> Result<Linear, String> {
        let matrix = self.container.matrix(name)?;
        let multiplier = self.container.activation_multiplier(name)?;
        let (rows, columns) = matrix.shape;
        if rows != inputs
            || outputs.is_some_and(|outputs| outputs != columns)
            || columns == 0
            || columns % 64 != 0
        {
            let outputs =
                outputs.map_or("a multiple of 64".to_owned(), |outputs| outputs.to_string());
            return Err(format!(
                "`{name}` is {rows} by {columns}, expected {inputs} by {outputs}"
            ));
        }
        // The file holds the matrix transposed under its own shape.
        let weights = Int8Matrix::new(matrix.weights, inputs);
        let mut bias = match bias {
            Some(bias) => self.container.floats(bias, columns)?,
            None => vec![0.0; columns],
        };
        prepare_bias(&mut bias, weights.sums(), multiplier, matrix.multiplier);
        Ok(Linear {
            weights,
            multiplier,
            scale: 1.0 / (multiplier * matrix.multiplier),
            bias,
        })
    }

    fn norm(&self, prefix: &str) -> Result<Norm, String> {
        Ok(Norm {
            scale: self
                .container
                .floats(&format!("{prefix}_ln_scale"), self.width)?,
            bias: self
                .container
                .floats(&format!("{prefix}_ln_bias"), self.width)?,
        })
    }

    fn attention(&self, prefix: &str) -> Result<AttentionLayer, String> {
        let part = |part: char| {
            self.linear(
                &format!("{prefix}_W{part}"),
                Some(&format!("{prefix}_b{part}")),
                self.width,
                Some(self.width),
            )
        };
        Ok(AttentionLayer {
            query: part('q')?,
            key: part('k')?,
            value: part('v')?,
            output: part('o')?,
            norm: self.norm(&format!("{prefix}_Wo"))?,
        })
    }

    fn feed_forward(&self, prefix: &str) -> Result<FeedForward, String> {
        let first = self.linear(
            &format!("{prefix}_W1"),
            Some(&format!("{prefix}_b1")),
            self.width,
            None,
        )?;
        let hidden = first.weights.columns();
        let second = self.linear(
            &format!("{prefix}_W2"),
            Some(&format!("{prefix}_b2")),
            hidden,
            Some(self.width),
        )?;
        Ok(FeedForward {
            first,
            second,
            norm: self.norm(&format!("{prefix}_ffn"))?,
        })
    }

    fn embedding(&self, name: &str, tokens: usize) -> Result<Arc<Embedding>, String> {
        let matrix = self.container.matrix(name)?;
        if matrix.shape != (tokens, self.width) {
            let (rows, columns) = matrix.shape;
            return Err(format!(
                "`{name}` is {rows} by {columns}, expected {tokens} by {}",
                self.width
            ));
        }
        Ok(Arc::new(Embedding {
            weights: matrix.weights.to_vec(),
            multiplier: matrix.multiplier,
            width: self.width,
        }))
    }

    fn output(
        &self,
        name: &str,
        embedding: &Embedding,
        first: usize,
    ) -> Result<OutputLayer, String> {
        // Files made before the embeddings had a name in the output layer call it `none`.
        let named = self.container.contains(&format!("{name}_QuantMultA"));
        let multiplier = self
            .container
            .activation_multiplier(if named { name } else { "none" })?;
        // Marian takes embeddings back to floats and rounds them again for this product.
        let largest = embedding
            .weights
            .iter()
            .map(|weight| weight.unsigned_abs())
            .max()
            .unwrap_or(0);
        let weights = if largest == 127 {
            127.0 / (f32::from(largest) * (1.0 / embedding.multiplier))
        } else {
            embedding.multiplier
        };
        let tokens = embedding.weights.len() / self.width;
        let mut bias = self.container.floats("decoder_ff_logit_out_b", tokens)?;
        let sums: Vec<i32> = embedding
            .weights
            .chunks_exact(self.width)
            .map(|row| row.iter().map(|&weight| i32::from(weight)).sum())
            .collect();
        prepare_bias(&mut bias, &sums, multiplier, weights);
        let first = Int8Matrix::new(
            &embedding.weights[..first.min(tokens) * self.width],
            self.width,
        );
        let mut first_bias = bias[..first.columns()].to_vec();
        first_bias.resize(first.width(), 0.0);
        Ok(OutputLayer {
            first,
            first_bias,
            multiplier,
            scale: 1.0 / (multiplier * weights),
            bias,
        })
    }
}

/// Takes the offset of unsigned activations back, in the order of operations of Marian's
/// `PrepareBiasForB`.
fn prepare_bias(bias: &mut [f32], sums: &[i32], activations: f32, weights: f32) {
    const RANGE: f32 = OFFSET as f32;
    let scale = -((RANGE / activations) * (RANGE / weights)) / RANGE;
    for (bias, &sum) in bias.iter_mut().zip(sums) {
        *bias += sum as f32 * scale;
    }
}

impl Network {
    /// Reads a network of this shape from its file; the `first` target tokens will be candidates of
    /// every line.
    pub(in crate::networks::firefox) fn load(
        container: &Container<'_>,
        config: Config,
        first: usize,
    ) -> Result<Self, String> {
        let loader = Loader {
            container,
            width: config.width,
        };
        let (source_tokens, target_tokens) = config.vocabularies;
        let (source, target, target_name) = match config.embeddings {
            Embeddings::AllTied => {
                let embedding = loader.embedding("Wemb", target_tokens)?;
                (Arc::clone(&embedding), embedding, "Wemb")
            }
            Embeddings::TargetAndOutputTied => {
                let source = loader.embedding("encoder_Wemb", source_tokens)?;
                (
                    source,
                    loader.embedding("decoder_Wemb", target_tokens)?,
                    "decoder_Wemb",
                )
            }
        };
        if source.weights.len() != source_tokens * config.width {
            return Err(format!(
                "the vocabularies of {source_tokens} and {target_tokens} tokens share one embedding"
            ));
        }
        let encoder = (1..=config.encoder_layers).map(|layer| {
            Ok(EncoderLayer {
                attention: loader.attention(&format!("encoder_l{layer}_self"))?,
                feed_forward: loader.feed_forward(&format!("encoder_l{layer}_ffn"))?,
            })
        });
        let encoder = encoder.collect::<Result<_, String>>()?;
        let decoder = (1..=config.decoder_layers).map(|layer| {
            let prefix = format!("decoder_l{layer}_rnn");
            let (width, gate_bias) = (config.width, format!("{prefix}_bf"));
            Ok(DecoderLayer {
                candidate: loader.linear(&format!("{prefix}_W"), None, width, Some(width))?,
                gate: loader.linear(
                    &format!("{prefix}_Wf"),
                    Some(&gate_bias),
                    width,
                    Some(width),
                )?,
                norm: loader.norm(&format!("{prefix}_ffn"))?,
                attention: loader.attention(&format!("decoder_l{layer}_context"))?,
                feed_forward: loader.feed_forward(&format!("decoder_l{layer}_ffn"))?,
            })
        });
        let decoder = decoder.collect::<Result<_, String>>()?;
        let output = loader.output(target_name, &target, first)?;
        let mut positions = vec![0.0; POSITIONS * config.width];
        for (position, row) in positions.chunks_exact_mut(config.width).enumerate() {
            add_position(position, row);
        }
        Ok(Self {
            config,
            source,
            target,
            encoder,
            decoder,
            output,
            positions,
        })
    }
}
