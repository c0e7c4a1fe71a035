//! Models with random weights: their parts as numbers, and as the files that hold them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::container::build::Writer;
use super::super::shortlist;
use super::super::{Files, Firefox};
use crate::error::Result;
use crate::sentencepiece::SentencePiece;

/// A sequence of numbers that is the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.next() % end.max(1)
    }

    /// A number between −1 and 1, more often near 0.
    fn around_zero(&mut self) -> f32 {
        let uniform = |bits: u32| bits as f32 / (1u64 << 30) as f32 - 1.0;
        (uniform(self.next()) + uniform(self.next()) + uniform(self.next())) / 3.0
    }
}

/// Sizes of a network.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) encoder_layers: usize,
    pub(super) decoder_layers: usize,
    pub(super) heads: usize,
    pub(super) width: usize,
    pub(super) hidden: usize,
    pub(super) two_vocabularies: bool,
}

impl Shape {
    pub(super) const SMALL: Self = Self {
        encoder_layers: 2,
        decoder_layers: 2,
        heads: 2,
        width: 64,
        hidden: 128,
        two_vocabularies: false,
    };
}

/// An int8 matrix as the file has it: the inputs of each column side by side.
pub(super) struct Matrix {
    pub(super) shape: (usize, usize),
    pub(super) weights: Vec<i8>,
    pub(super) multiplier: f32,
    /// What activations are multiplied by.
    pub(super) activations: f32,
}

/// The end token of the fixtures.
const END: usize = 2;

/// A model with random weights.
pub(super) struct Checkpoint {
    pub(super) shape: Shape,
    pub(super) matrices: HashMap<String, Matrix>,
    pub(super) vectors: HashMap<String, Vec<f32>>,
    options: String,
    /// Names in the order in which they were made, for files that are the same every time.
    order: Vec<String>,
    lists: Vec<Vec<u32>>,
}

/// A vocabulary of the fixtures.
pub(super) fn vocabulary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/sentencepiece/{name}.model"))
}

#[expect(clippy::unwrap_used, reason = "the fixtures are there")]
fn tokens(name: &str) -> usize {
    SentencePiece::from_file(&vocabulary(name)).unwrap().len()
}

impl Checkpoint {
    pub(super) fn new(shape: Shape, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (source, target) = (
            tokens("unigram"),
            tokens(if shape.two_vocabularies {
                "suffix"
            } else {
                "unigram"
            }),
        );
        let mut checkpoint = Self {
            shape,
            matrices: HashMap::new(),
            vectors: HashMap::new(),
            options: String::new(),
            order: Vec::new(),
            lists: (0..source)
                .map(|_| {
                    (0..random.below(19))
                        .map(|_| random.below(target as u32))
                        .collect()
                })
                .collect(),
        };
        let (width, hidden) = (shape.width, shape.hidden);
        if shape.two_vocabularies {
            checkpoint.matrix("encoder_Wemb", (source, width), &mut random);
            checkpoint.matrix("decoder_Wemb", (target, width), &mut random);
        } else {
            checkpoint.matrix("Wemb", (target, width), &mut random);
        }
        checkpoint.vector("decoder_ff_logit_out_b", target, 0.0, &mut random);
        if let Some(bias) = checkpoint.vectors.get_mut("decoder_ff_logit_out_b") {
            // Some lines end by themselves.
            bias[END] += 0.5;
        }
        for layer in 1..=shape.encoder_layers {
            checkpoint.attention(&format!("encoder_l{layer}_self"), &mut random);
            checkpoint.feed_forward(&format!("encoder_l{layer}_ffn"), hidden, &mut random);
        }
        for layer in 1..=shape.decoder_layers {
            let prefix = format!("decoder_l{layer}_rnn");
            checkpoint.matrix(&format!("{prefix}_W"), (width, width), &mut random);
            checkpoint.matrix(&format!("{prefix}_Wf"), (width, width), &mut random);
            checkpoint.vector(&format!("{prefix}_bf"), width, 0.0, &mut random);
            checkpoint.norm(&format!("{prefix}_ffn"), &mut random);
            checkpoint.attention(&format!("decoder_l{layer}_context"), &mut random);
            checkpoint.feed_forward(&format!("decoder_l{layer}_ffn"), hidden, &mut random);
        }
        checkpoint.options = format!(
            "dec-cell: ssru\ndec-depth: {}\ndim-emb: {width}\ndim-vocabs:\n  - {source}\n  - {target}\nenc-depth: {}\n\
             tied-embeddings: {}\ntied-embeddings-all: {}\ntransformer-decoder-autoreg: rnn\ntransformer-dim-ffn: {hidden}\n\
             transformer-ffn-activation: relu\ntransformer-heads: {}\ntransformer-postprocess: dan\n\
             transformer-postprocess-emb: d\ntransformer-preprocess: \"\"\ntype: transformer\n",
            shape.decoder_layers,
            shape.encoder_layers,
            shape.two_vocabularies,
            !shape.two_vocabularies,
            shape.heads,
        );
        checkpoint
    }

    fn matrix(&mut self, name: &str, shape: (usize, usize), random: &mut Random) {
        // A few weights at the end of the range make sums of pairs that leave 16 bits.
        let mut weight = || {
            if random.below(40) == 0 {
                127
            } else {
                (random.around_zero() * 127.0) as i8
            }
        };
        let weights = (0..shape.0 * shape.1).map(|_| weight()).collect();
        // Products come out about as large as they go in, as in a trained network.
        // Embeddings are smaller than positions, so that a token does not lead to itself alone.
        let inputs = if name.ends_with("Wemb") {
            9 * shape.1
        } else {
            shape.0
        };
        let multiplier = (inputs as f32).sqrt() * (40.0 + random.below(100) as f32 / 7.0);
        let activations = 20.0 + random.below(200) as f32 / 7.0;
        self.matrices.insert(
            name.to_owned(),
            Matrix {
                shape,
                weights,
                multiplier,
                activations,
            },
        );
        self.order.push(name.to_owned());
    }

    fn vector(&mut self, name: &str, count: usize, middle: f32, random: &mut Random) {
        let values = (0..count)
            .map(|_| middle + random.around_zero() / 2.0)
            .collect();
        self.vectors.insert(name.to_owned(), values);
        self.order.push(name.to_owned());
    }

    fn norm(&mut self, prefix: &str, random: &mut Random) {
        self.vector(&format!("{prefix}_ln_scale"), self.shape.width, 1.0, random);
        self.vector(&format!("{prefix}_ln_bias"), self.shape.width, 0.0, random);
    }

    fn attention(&mut self, prefix: &str, random: &mut Random) {
        for part in ['q', 'k', 'v', 'o'] {
            self.matrix(
                &format!("{prefix}_W{part}"),
                (self.shape.width, self.shape.width),
                random,
            );
            self.vector(&format!("{prefix}_b{part}"), self.shape.width, 0.0, random);
        }
        // Published models store one multiplier for all that go into an attention.
        for part in ['k', 'v'] {
            let activations = self.matrices[&format!("{prefix}_Wk")].activations;
            if let Some(matrix) = self.matrices.get_mut(&format!("{prefix}_W{part}")) {
                matrix.activations = activations;
            }
        }
        self.norm(&format!("{prefix}_Wo"), random);
    }

    fn feed_forward(&mut self, prefix: &str, hidden: usize, random: &mut Random) {
        self.matrix(&format!("{prefix}_W1"), (self.shape.width, hidden), random);
        self.vector(&format!("{prefix}_b1"), hidden, 0.0, random);
        self.matrix(&format!("{prefix}_W2"), (hidden, self.shape.width), random);
        self.vector(&format!("{prefix}_b2"), self.shape.width, 0.0, random);
        self.norm(&format!("{prefix}_ffn"), random);
    }

    fn model(&self, options: &str) -> Vec<u8> {
        let mut writer = Writer::default();
        for name in &self.order {
            if let Some(matrix) = self.matrices.get(name) {
                writer.matrix(name, matrix.shape, &matrix.weights, matrix.multiplier);
                if name.ends_with("Wemb") {
                    // Written as an embedding itself: 127 divided by its multiplier.
                    writer.matrix(
                        &format!("{name}_QuantMultA"),
                        (1, 1),
                        &[127],
                        127.0 / matrix.activations,
                    );
                } else {
                    writer.floats(&format!("{name}_QuantMultA"), &[matrix.activations]);
                }
            } else {
                writer.floats(name, &self.vectors[name]);
            }
        }
        writer.text("special:model.yml", options);
        writer.finish()
    }

    /// The model file with something else in its options.
    pub(super) fn with_options(&self, from: &str, to: &str) -> Vec<u8> {
        assert!(self.options.contains(from), "the options have `{from}`");
        self.model(&self.options.replace(from, to))
    }

    /// Names and contents of the files: the network, the shortlist, then the vocabularies.
    #[expect(clippy::unwrap_used, reason = "the fixtures are there")]
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let vocabularies: &[(&str, &str)] = if self.shape.two_vocabularies {
            &[("srcvocab", "unigram"), ("trgvocab", "suffix")]
        } else {
            &[("vocab", "unigram")]
        };
        let mut files = vec![
            (
                "model.enru.intgemm.alphas.bin".to_owned(),
                self.model(&self.options),
            ),
            (
                "lex.50.50.enru.s2t.bin".to_owned(),
                shortlist::build::file(&self.lists, 50),
            ),
        ];
        files.extend(vocabularies.iter().map(|(name, file)| {
            (
                format!("{name}.enru.spm"),
                std::fs::read(vocabulary(file)).unwrap(),
            )
        }));
        files
    }

    /// The model, loaded, with 60 tokens that are candidates of every line.
    #[expect(clippy::unwrap_used, reason = "a temporary folder can be written to")]
    pub(super) fn load(&self) -> Result<Firefox> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in self.files() {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        Firefox::load_with(&Files::find(folder.path())?, 60)
    }
}
