//! Qwen2 and Qwen2.5 from GGUF files.
//!
//! Tensor names are llama.cpp's (`blk.N.attn_q.weight`, …), configuration keys those of the
//! `qwen2` architecture. Query, key and value weights are one product, as are gate and up.
//! Reference: `modeling_qwen2.py` of transformers; rotary embedding over halves of a head.

use candle_core::{Device, Tensor};

use super::gguf::Gguf;
use crate::decode::{TokenId, with_values};
use crate::error::Result;
use crate::kernels::{self, Heads, Queries};
use crate::networks::runtime::matrix::{Projection, RmsNorm, swiglu};
use crate::networks::runtime::spans::{Decoder, RowCache, Span};

/// What the metadata says of the network.
#[derive(Debug, Clone)]
pub(in crate::networks) struct Config {
    pub(in crate::networks) layers: usize,
    pub(in crate::networks) hidden: usize,
    pub(in crate::networks) feed_forward: usize,
    pub(in crate::networks) heads: Heads,
    pub(in crate::networks) rope_base: f32,
    pub(in crate::networks) epsilon: f32,
    pub(in crate::networks) vocabulary: usize,
    pub(in crate::networks) context: usize,
}

impl Config {
    fn read(gguf: &Gguf) -> Result<Self> {
        let hidden = gguf.integer("qwen2.embedding_length")?;
        let queries = gguf.integer("qwen2.attention.head_count")?;
        let keys = gguf.integer("qwen2.attention.head_count_kv")?;
        let width = hidden.checked_div(queries).unwrap_or(0);
        if width == 0 || width * queries != hidden || keys == 0 || !queries.is_multiple_of(keys) {
            return Err(gguf.corrupt(format!(
                "{queries} query heads and {keys} key heads do not divide {hidden} features"
            )));
        }
        if !width.is_multiple_of(16) {
            return Err(gguf.unsupported(format!(
                "heads of {width} features; a multiple of 16 is needed"
            )));
        }
        if let Ok(scaling) = gguf.text("qwen2.rope.scaling.type")
            && scaling != "none"
        {
            return Err(gguf.unsupported(format!("`qwen2.rope.scaling.type` = `{scaling}`")));
        }
        let vocabulary = match gguf.content().tensor_infos.get("token_embd.weight") {
            Some(info) if info.shape.rank() == 2 => info.shape.dims()[0],
            _ => return Err(gguf.corrupt("tensor `token_embd.weight` is missing".to_owned())),
        };
        Ok(Self {
            layers: gguf.integer("qwen2.block_count")?,
            hidden,
            feed_forward: gguf.integer("qwen2.feed_forward_length")?,
            heads: Heads {
                queries,
                keys,
                width,
            },
            rope_base: gguf.float("qwen2.rope.freq_base").unwrap_or(10_000.0),
            epsilon: gguf.float("qwen2.attention.layer_norm_rms_epsilon")?,
            vocabulary,
            context: gguf.integer("qwen2.context_length")?,
        })
    }
}

/// Makes the pieces of a network of what a file holds: on the processor or on a device.
pub(in crate::networks) trait Maker {
    /// Several linear layers over the same input.
    type Linear;
    /// A root-mean-square norm.
    type Norm;
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
}

pub(in crate::networks) struct Layer<M: Maker> {
    pub(in crate::networks) attention_norm: M::Norm,
    pub(in crate::networks) query_key_value: M::Linear,
    pub(in crate::networks) attention_output: M::Linear,
    pub(in crate::networks) feed_forward_norm: M::Norm,
    pub(in crate::networks) gate_up: M::Linear,
    pub(in crate::networks) down: M::Linear,
}

impl<M: Maker> Layer<M> {
    fn load(maker: &M, gguf: &mut Gguf, cfg: &Config, number: usize) -> Result<Self> {
        let name = |part: &str| format!("blk.{number}.{part}");
        let Heads {
            queries,
            keys,
            width,
        } = cfg.heads;
        let (query, key) = (queries * width, keys * width);
        let (hidden, inner) = (cfg.hidden, cfg.feed_forward);
        let norm = |gguf: &mut Gguf, part: &str| -> Result<M::Norm> {
            maker.norm(gguf.floats(&name(part), &[hidden])?, cfg.epsilon)
        };
        let attention_norm = norm(gguf, "attn_norm.weight")?;
        let feed_forward_norm = norm(gguf, "ffn_norm.weight")?;
        let mut bias = Vec::with_capacity(query + 2 * key);
        for (part, size) in [
            ("attn_q.bias", query),
            ("attn_k.bias", key),
            ("attn_v.bias", key),
        ] {
            if gguf.has(&name(part)) {
                bias.extend(gguf.floats(&name(part), &[size])?);
            } else {
                bias.extend(std::iter::repeat_n(0.0, size));
            }
        }
        let query_key_value = [
            (name("attn_q.weight"), query),
            (name("attn_k.weight"), key),
            (name("attn_v.weight"), key),
        ];
        let gate_up = [
            (name("ffn_gate.weight"), inner),
            (name("ffn_up.weight"), inner),
        ];
        let attention_output = [(name("attn_output.weight"), hidden)];
        let down = [(name("ffn_down.weight"), hidden)];
        Ok(Self {
            attention_norm,
            query_key_value: maker.linear(gguf, &query_key_value, hidden, Some(bias))?,
            attention_output: maker.linear(gguf, &attention_output, query, None)?,
            feed_forward_norm,
            gate_up: maker.linear(gguf, &gate_up, hidden, None)?,
            down: maker.linear(gguf, &down, inner, None)?,
        })
    }
}

/// All parts of a network.
pub(in crate::networks) struct Parts<M: Maker> {
    pub(in crate::networks) config: Config,
    /// `None` where the output layer's matrix is the embedding.
    pub(in crate::networks) embedding: Option<M::Linear>,
    pub(in crate::networks) layers: Vec<Layer<M>>,
    pub(in crate::networks) norm: M::Norm,
    pub(in crate::networks) output: M::Linear,
}

impl<M: Maker> Parts<M> {
    /// Reads a file whose architecture is `qwen2`. `progress` is called with the number of layers
    /// loaded and the number of all.
    pub(in crate::networks) fn load(
        maker: &M,
        gguf: &mut Gguf,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let config = Config::read(gguf)?;
        let matrix = |gguf: &mut Gguf, name: &str| -> Result<M::Linear> {
            let layers = [(name.to_owned(), config.vocabulary)];
            maker.linear(gguf, &layers, config.hidden, None)
        };
        let embedding = matrix(gguf, "token_embd.weight")?;
        let (embedding, output) = if gguf.has("output.weight") {
            (Some(embedding), matrix(gguf, "output.weight")?)
        } else {
            (None, embedding)
        };
        // The number of layers is not believed before the file has them.
        let mut layers = Vec::new();
        for number in 0..config.layers {
            layers.push(Layer::load(maker, gguf, &config, number)?);
            progress(number + 1, config.layers);
        }
        let norm = gguf.floats("output_norm.weight", &[config.hidden])?;
        let norm = maker.norm(norm, config.epsilon)?;
        Ok(Self {
            config,
            embedding,
            layers,
            norm,
            output,
        })
    }
}

/// Makes pieces that run by newsml's own kernels.
struct Kernels;

impl Maker for Kernels {
    type Linear = Projection;
    type Norm = RmsNorm;

    fn linear(
        &self,
        gguf: &mut Gguf,
        layers: &[(String, usize)],
        inputs: usize,
        bias: Option<Vec<f32>>,
    ) -> Result<Projection> {
        let layers = layers
            .iter()
            .map(|(name, outputs)| gguf.linear(name, *outputs, inputs))
            .collect::<Result<_>>()?;
        Projection::new(layers, bias)
    }

    fn norm(&self, weight: Vec<f32>, epsilon: f32) -> Result<RmsNorm> {
        Ok(RmsNorm::new(weight, epsilon))
    }
}

impl Layer<Kernels> {
    /// `(tokens, hidden)` in and out.
    fn forward(
        &self,
        xs: &Tensor,
        step: &Step<'_>,
        number: usize,
        caches: &mut [RowCache],
    ) -> Result<Tensor> {
        let normed = self.attention_norm.forward(xs)?;
        let qkv = self.query_key_value.forward(&normed)?;
        let attended = step.attend(&qkv, number, caches)?;
        let xs = (xs + self.attention_output.forward(&attended)?)?;
        let normed = self.feed_forward_norm.forward(&xs)?;
        let inner = swiglu(&self.gate_up.forward(&normed)?)?;
        Ok((xs + self.down.forward(&inner)?)?)
    }
}

/// What all layers need to know of the tokens in one pass.
struct Step<'a> {
    heads: Heads,
    spans: &'a [Span],
    /// `(tokens, width / 2)` cosines and sines of the rotary embedding.
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl Step<'_> {
    /// `(tokens, (queries + 2 keys) × width)` in, `(tokens, queries × width)` out.
    fn attend(&self, qkv: &Tensor, layer: usize, caches: &mut [RowCache]) -> Result<Tensor> {
        let (tokens, stride) = qkv.dims2()?;
        let Heads {
            queries,
            keys,
            width,
        } = self.heads;
        let mut qkv = with_values(qkv, <[f32]>::to_vec)?;
        for (token, line) in qkv.chunks_exact_mut(stride).enumerate() {
            let half = width / 2;
            let (cosines, sines) = (
                &self.cosines[token * half..][..half],
                &self.sines[token * half..][..half],
            );
            for head in line[..(queries + keys) * width].chunks_exact_mut(width) {
                let (low, high) = head.split_at_mut(half);
                for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cosines).zip(sines) {
                    (*low, *high) = (*low * cos - *high * sin, *high * cos + *low * sin);
                }
            }
        }
        let mut token = 0;
        for span in self.spans {
            let cache = &mut caches[span.row][layer];
            for line in qkv[token * stride..(token + span.count) * stride].chunks_exact(stride) {
                let (keys, values) = line[queries * width..].split_at(keys * width);
                cache.push(self.heads, keys, values);
            }
            token += span.count;
        }
        let mut rows = Vec::with_capacity(self.spans.len());
        let mut offset = 0;
        for span in self.spans {
            rows.push(Queries {
                values: &qkv[offset * stride..(offset + span.count) * stride],
                stride,
                tokens: span.count,
                cache: &caches[span.row][layer],
                offset,
            });
            offset += span.count;
        }
        let mut out = vec![0.0; tokens * queries * width];
        kernels::causal(self.heads, &rows, &mut out);
        Ok(Tensor::from_vec(
            out,
            (tokens, queries * width),
            &Device::Cpu,
        )?)
    }
}

/// A loaded Qwen2 network.
pub(crate) struct Qwen(Parts<Kernels>);

impl Qwen {
    /// Loads the network of a file whose architecture is `qwen2`. `progress` is called with the
    /// number of layers loaded and the number of all.
    pub(crate) fn load(gguf: &mut Gguf, progress: &mut dyn FnMut(usize, usize)) -> Result<Self> {
        Ok(Self(Parts::load(&Kernels, gguf, progress)?))
    }

    /// Most tokens that a prompt and its continuation may have together.
    pub(crate) fn context(&self) -> usize {
        self.0.config.context
    }
}

impl Decoder for Qwen {
    fn layers(&self) -> usize {
        self.0.layers.len()
    }

    fn forward(
        &self,
        tokens: &[TokenId],
        spans: &[Span],
        caches: &mut [RowCache],
    ) -> Result<Tensor> {
        let hidden = self.0.config.hidden;
        let embedding = self.0.embedding.as_ref().unwrap_or(&self.0.output);
        let mut xs = vec![0.0; tokens.len() * hidden];
        for (&token, row) in tokens.iter().zip(xs.chunks_exact_mut(hidden)) {
            let token = token as usize;
            if token >= self.0.config.vocabulary {
                let message = format!(
                    "token {token} is beyond the vocabulary of {}",
                    self.0.config.vocabulary
                );
                return Err(candle_core::Error::msg(message).into());
            }
            embedding.row(token, row)?;
        }
        let mut xs = Tensor::from_vec(xs, (tokens.len(), hidden), &Device::Cpu)?;
        let half = self.0.config.heads.width / 2;
        let (mut cosines, mut sines) = (Vec::new(), Vec::new());
        for position in spans
            .iter()
            .flat_map(|span| span.position..span.position + span.count)
        {
            for i in 0..half {
                let angle = position as f32 / self.0.config.rope_base.powf(i as f32 / half as f32);
                cosines.push(angle.cos());
                sines.push(angle.sin());
            }
        }
        let step = Step {
            heads: self.0.config.heads,
            spans,
            cosines,
            sines,
        };
        for (number, layer) in self.0.layers.iter().enumerate() {
            xs = layer.forward(&xs, &step, number, caches)?;
        }
        Ok(xs)
    }

    fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.0.output.forward(&self.0.norm.forward(hidden)?)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::path::PathBuf;

    use candle_core::DType;

    use super::*;
    use crate::decode::Batch;
    use crate::decode::{Limits, greedy};
    use crate::decode::{Model, TokenId};
    use crate::device::{Place, under_test};
    use crate::networks::runtime::spans::DecoderOnly;
    use crate::networks::runtime::{padded, tensors::Form};

    #[derive(serde::Deserialize)]
    struct Reference {
        prompts: Vec<Vec<TokenId>>,
        variants: std::collections::BTreeMap<String, Vec<Row>>,
    }

    #[derive(serde::Deserialize)]
    struct Row {
        logits: Vec<f32>,
        greedy: Vec<TokenId>,
    }

    type Tested<T> = std::result::Result<T, Box<dyn std::error::Error>>;

    fn fixture(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name)
    }

    /// A copy of a file of the fixtures in which the bytes that begin so many places after a text
    /// are replaced.
    fn changed(places: &[(&str, usize, &[u8])]) -> Tested<tempfile::NamedTempFile> {
        let mut bytes = std::fs::read(fixture("qwen2-f32.gguf"))?;
        for (text, after, with) in places {
            let text = text.as_bytes();
            let at = bytes.windows(text.len()).position(|part| part == text);
            let at = at.ok_or("the text is not there")? + text.len() + after;
            bytes[at..at + with.len()].copy_from_slice(with);
        }
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), bytes)?;
        Ok(file)
    }

    #[test]
    fn sizes_that_a_file_does_not_hold_are_refused() -> Tested<()> {
        // A value comes after its type, and dimensions, the inputs first, after their number.
        let (value, first, second) = (4, 4, 12);
        let layers = ("qwen2.block_count", value, &u32::MAX.to_le_bytes()[..]);
        let nothing = &0u64.to_le_bytes()[..];
        let empty = [
            ("qwen2.feed_forward_length", value, &0u32.to_le_bytes()[..]),
            ("blk.0.ffn_gate.weight", second, nothing),
            ("blk.0.ffn_up.weight", second, nothing),
            ("blk.0.ffn_down.weight", first, nothing),
            ("blk.1.ffn_gate.weight", second, nothing),
            ("blk.1.ffn_up.weight", second, nothing),
            ("blk.1.ffn_down.weight", first, nothing),
        ];
        for (places, expected) in [
            (&[layers][..], "is missing"),
            (&empty, "`blk.0.ffn_gate.weight` holds nothing"),
        ] {
            let file = changed(places)?;
            let mut gguf = Gguf::open(file.path())?;
            let error = Qwen::load(&mut gguf, &mut |_, _| {}).err();
            let message = error.map_or(String::new(), |error| error.to_string());
            assert!(message.contains(expected), "{message}");
        }
        Ok(())
    }

    /// A network on each device under test; on other devices than the processor's kernels also
    /// with weights that are made floats of this type, unless it is `None`.
    fn models(variant: &str, dtype: Option<DType>) -> Tested<Vec<(Place, Box<dyn Model>)>> {
        let open = |place: Place| -> Tested<_> {
            let mut gguf = Gguf::open(&fixture(&format!("qwen2-{variant}.gguf")))?;
            let model: Box<dyn Model> = match &place {
                Place::Kernels => Box::new(DecoderOnly(Qwen::load(&mut gguf, &mut |_, _| {})?)),
                Place::Tensors(device) => {
                    let form = Form {
                        device: device.clone(),
                        dtype: dtype.unwrap_or(DType::F32),
                    };
                    let quantized = dtype.is_none();
                    let network = padded::Qwen::load(&mut gguf, form, quantized, &mut |_, _| {})?;
                    Box::new(network)
                }
            };
            Ok((place, model))
        };
        under_test().into_iter().map(open).collect()
    }

    fn reference() -> Tested<Reference> {
        Ok(serde_json::from_str(&std::fs::read_to_string(fixture(
            "qwen2.json",
        ))?)?)
    }

    fn first_logits(model: &dyn Model, rows: &[Vec<TokenId>]) -> Tested<Vec<Vec<f32>>> {
        let mut state = model.start(&Batch::new(rows))?;
        let first = state.first.clone();
        Ok(model.step(&mut state, &first)?.logits.to_vec2()?)
    }

    fn continued(model: &dyn Model, rows: &[Vec<TokenId>]) -> Tested<Vec<Vec<TokenId>>> {
        let limits = Limits {
            max_new: vec![48; rows.len()],
            ..Limits::default()
        };
        let found = greedy(model, &Batch::new(rows), &limits, &mut |_| {
            ControlFlow::Continue(())
        })?;
        Ok(found
            .into_iter()
            .map(|hypothesis| hypothesis.tokens)
            .collect())
    }

    #[test]
    fn logits_and_greedy_ids_are_those_of_transformers() -> Tested<()> {
        let reference = reference()?;
        let rows = &reference.variants["f32"];
        let as_stored = models("f32", None)?;
        for (place, model) in as_stored
            .into_iter()
            .chain(models("f32", Some(DType::F32))?)
        {
            let model = model.as_ref();
            for (found, row) in first_logits(model, &reference.prompts)?.iter().zip(rows) {
                for (found, expected) in found.iter().zip(&row.logits) {
                    let near = (found - expected).abs() <= place.tolerance();
                    assert!(near, "{place:?}: {found} {expected}");
                }
            }
            let expected: Vec<_> = rows.iter().map(|row| row.greedy.clone()).collect();
            assert_eq!(continued(model, &reference.prompts)?, expected, "{place:?}");
        }
        Ok(())
    }

    #[test]
    fn quantized_logits_are_close_to_those_of_the_same_weights_as_floats() -> Tested<()> {
        let reference = reference()?;
        let as_stored = models("q8_0", None)?;
        let half = models("q8_0", Some(DType::BF16))?;
        for (place, model) in as_stored.into_iter().chain(half) {
            let found = first_logits(model.as_ref(), &reference.prompts)?;
            for (found, row) in found.iter().zip(&reference.variants["q8_0"]) {
                let power =
                    |values: &mut dyn Iterator<Item = f32>| values.map(|x| x * x).sum::<f32>();
                let error = power(&mut found.iter().zip(&row.logits).map(|(a, b)| a - b));
                let ratio = (error / power(&mut row.logits.iter().copied())).sqrt();
                // The activations have eight bits.
                assert!(ratio <= 0.05, "{place:?}: relative error {ratio}");
            }
        }
        Ok(())
    }

    /// Whether a continuation is the expected one. On a card it may part from it where two tokens are
    /// about as likely as each other: products of a few rows are rounded by a kernel of their own.
    fn is_as_expected(
        (place, model): (&Place, &dyn Model),
        prompt: &[TokenId],
        found: &[TokenId],
        expected: &[TokenId],
    ) -> Tested<bool> {
        let mut pairs = found.iter().zip(expected);
        let parts = pairs.position(|(found, expected)| found != expected);
        let is_card = matches!(place, Place::Tensors(device) if !device.is_cpu());
        let Some(parts) = parts.filter(|_| is_card) else {
            return Ok(found == expected);
        };
        let logits = first_logits(model, &[[prompt, &expected[..parts]].concat()])?.remove(0);
        let score = |tokens: &[TokenId]| logits[tokens[parts] as usize];
        let largest = logits.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        Ok((score(found) - score(expected)).abs() <= 0.02 * largest)
    }

    #[test]
    fn a_batch_equals_its_rows_in_any_order() -> Tested<()> {
        let prompts = reference()?.prompts;
        let networks = [models("f32", None)?, models("q8_0", None)?];
        for (place, model) in networks.into_iter().flatten() {
            let model = model.as_ref();
            let alone: Vec<_> = prompts
                .iter()
                .map(|prompt| {
                    continued(model, std::slice::from_ref(prompt)).map(|mut rows| rows.remove(0))
                })
                .collect::<Tested<_>>()?;
            for order in [
                vec![0, 1, 2, 3, 4, 5, 6, 7],
                vec![7, 3, 0, 5, 1],
                vec![2, 4, 2],
                vec![5, 6, 7],
            ] {
                let rows: Vec<_> = order.iter().map(|&row| prompts[row].clone()).collect();
                let found = continued(model, &rows)?;
                assert_eq!(found.len(), order.len());
                for (found, &row) in found.iter().zip(&order) {
                    let (prompt, expected) = (&prompts[row], &alone[row]);
                    assert!(
                        is_as_expected((&place, model), prompt, found, expected)?,
                        "{place:?} {order:?}: row {row}: {found:?} {expected:?}"
                    );
                }
            }
        }
        Ok(())
    }

    #[test]
    fn one_network_serves_threads() -> Tested<()> {
        let reference = reference()?;
        for (place, model) in models("q8_0", None)? {
            let model = model.as_ref();
            let expected = continued(model, &reference.prompts)?;
            std::thread::scope(|scope| {
                let runs: Vec<_> = (0..4)
                    .map(|_| scope.spawn(|| continued(model, &reference.prompts).ok()))
                    .collect();
                for run in runs {
                    let found = run.join().ok().flatten();
                    assert_eq!(found.as_ref(), Some(&expected), "{place:?}");
                }
            });
        }
        Ok(())
    }

    #[test]
    fn damaged_files_are_refused() -> Tested<()> {
        let whole = std::fs::read(fixture("qwen2-q8_0.gguf"))?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("model.gguf");
        let cases: [(&str, Vec<u8>); 4] = [
            ("ends before", whole[..whole.len() - 2000].to_vec()),
            ("header is damaged", whole[..300].to_vec()),
            ("begins with `GGUF`", b"PK\x03\x04 a zip".to_vec()),
            ("begins with `GGUF`", Vec::new()),
        ];
        for (expected, bytes) in cases {
            std::fs::write(&path, bytes)?;
            let error = Gguf::open(&path).err().ok_or("opened")?;
            assert_eq!(error.kind(), "corrupt_model");
            assert!(error.to_string().contains(expected), "{error}");
        }
        Ok(())
    }

    #[test]
    fn a_token_beyond_the_vocabulary_is_an_error() -> Tested<()> {
        for (_, model) in models("q8_0", None)? {
            assert!(first_logits(model.as_ref(), &[vec![9999]]).is_err());
            assert!(first_logits(model.as_ref(), &[vec![9999, 1]]).is_err());
        }
        Ok(())
    }
}
