//! A vocabulary as a GGUF file holds it: tokens with their kinds, scores and merges.

use candle_core::quantized::gguf_file::Value;

use crate::decode::TokenId;
use crate::error::Result;
use crate::networks::decoder::gguf::Gguf;
use crate::sentencepiece::PieceKind;

/// Names of tokens that end an answer, beside those that a file names by their purpose. They are control
/// tokens, whatever a file says.
pub(super) const ENDS: [&str; 15] = [
    "<|im_end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|eos|>",
    "<end_of_turn>",
    "<turn|>",
    "<eos>",
    "</s>",
    "<EOT>",
    "[EOT]",
    "<｜end▁of▁sentence｜>",
    "<｜hy_place▁holder▁no▁2｜>",
];

/// What is wrong with a vocabulary.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file contradicts itself.
    Corrupt(String),
    /// It asks for what newsml does not have.
    Unsupported(String),
}

/// A vocabulary as a file holds it.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// `tokenizer.ggml.model`.
    pub(super) model: String,
    /// `tokenizer.ggml.pre`.
    pub(super) pre: Option<String>,
    pub(super) tokens: Vec<String>,
    /// Empty where the file has none.
    pub(super) scores: Vec<f32>,
    /// Empty where the file has none: all are normal then.
    pub(super) kinds: Vec<PieceKind>,
    pub(super) merges: Vec<String>,
    pub(super) begin: Option<TokenId>,
    pub(super) end: Option<TokenId>,
    /// `tokenizer.ggml.add_bos_token`.
    pub(super) add_begin: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`.
    pub(super) add_space: Option<bool>,
}

impl Vocabulary {
    pub(super) fn kind(&self, id: TokenId) -> PieceKind {
        let kind = self.kinds.get(id as usize).copied();
        kind.unwrap_or(PieceKind::Normal)
    }
}

/// Reads the vocabulary of a GGUF file.
///
/// # Errors
///
/// [`Error::CorruptModel`](crate::error::Error::CorruptModel) for lists that hold what they should not.
pub(super) fn read(gguf: &Gguf) -> Result<Vocabulary> {
    let metadata = &gguf.content().metadata;
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    let list = |name: &str| match metadata.get(&key(name)) {
        Some(Value::Array(values)) => values.as_slice(),
        _ => &[],
    };
    let wrong =
        |name: &str| gguf.corrupt(format!("metadata `{}` holds what it should not", key(name)));
    let texts = |name: &'static str| -> Result<Vec<String>> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        let texts = list(name).iter().map(text).collect::<Option<_>>();
        texts.ok_or_else(|| wrong(name))
    };
    let scores = list("scores").iter().map(|value| value.to_f32().ok());
    let kinds = list("token_type").iter().map(|value| {
        let number = match value {
            Value::I32(number) => i64::from(*number),
            Value::I64(number) => *number,
            value => i64::try_from(value.to_u64().ok()?).ok()?,
        };
        PieceKind::of(number)
    });
    let flag = |name: &str| {
        metadata
            .get(&key(name))
            .and_then(|value| value.to_bool().ok())
    };
    let id = |name: &str| {
        let id = gguf.integer(&key(name)).ok();
        id.and_then(|id| TokenId::try_from(id).ok())
    };
    Ok(Vocabulary {
        model: gguf.text("tokenizer.ggml.model")?.to_owned(),
        pre: gguf.text("tokenizer.ggml.pre").ok().map(str::to_owned),
        tokens: texts("tokens")?,
        scores: scores
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("scores"))?,
        kinds: kinds
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("token_type"))?,
        merges: texts("merges")?,
        begin: id("bos_token_id"),
        end: id("eos_token_id"),
        add_begin: flag("add_bos_token"),
        add_space: flag("add_space_prefix"),
    })
}
