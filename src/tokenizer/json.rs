//! Reads `tokenizer.json` of strangers: what it says is checked before `tokenizers` builds it.
//!
//! A tokenizer may not make much more of a text than there is, nor take long over it. Padding,
//! truncation and post-processing are not used: newsml adds special tokens and pads by itself.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use tokenizers::{PostProcessorWrapper, Tokenizer};

use crate::error::{Error, Result};

/// The largest file that is read; published ones have up to about 35 MB.
const SIZE: u64 = 64 << 20;
/// The most steps of a chain.
const STEPS: usize = 16;
/// How many times longer a chain may make a text.
const GROWTH: usize = 16;
/// The longest regular expression, in bytes.
const EXPRESSION: usize = 2_000;
/// The longest text that a setting may hold, in bytes.
const TEXT: usize = 64;
/// The most added tokens, and the longest of them in bytes.
const ADDED: (usize, usize) = (100_000, 512);

/// Reads a tokenizer.
///
/// # Errors
///
/// [`Error::Io`]; [`Error::CorruptModel`] for a file that is no tokenizer;
/// [`Error::UnsupportedModel`] for one that could take any amount of time or memory.
pub(super) fn read(path: &Path) -> Result<Tokenizer> {
    let size = std::fs::metadata(path)
        .map_err(Error::io("read", path))?
        .len();
    let unsupported = |message: String| Error::UnsupportedModel {
        path: path.to_path_buf(),
        message,
    };
    if size > SIZE {
        return Err(unsupported(format!("it is larger than {SIZE} bytes")));
    }
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let corrupt = |message: String| Error::CorruptModel {
        path: path.to_path_buf(),
        message,
    };
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    check(&value).map_err(unsupported)?;
    drop(value);
    let mut tokenizer =
        Tokenizer::from_bytes(&bytes).map_err(|error| corrupt(error.to_string()))?;
    tokenizer.with_padding(None);
    let truncation = tokenizer.with_truncation(None);
    truncation.map_err(|error| corrupt(error.to_string()))?;
    tokenizer.with_post_processor(None::<PostProcessorWrapper>);
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}

/// Says what is wrong with a tokenizer.
fn check(tokenizer: &Value) -> Result<(), String> {
    let mut growth = 1usize;
    for (key, list) in [
        ("normalizer", "normalizers"),
        ("pre_tokenizer", "pretokenizers"),
        ("decoder", "decoders"),
    ] {
        if key == "decoder" {
            growth = 1;
        }
        let mut steps = Vec::new();
        collect(&tokenizer[key], list, &mut steps);
        if steps.len() > STEPS {
            return Err(format!("its `{key}` has more than {STEPS} steps"));
        }
        for step in steps {
            let factor = check_step(key, step)?;
            growth = growth.saturating_mul(factor);
        }
        if growth > GROWTH {
            return Err(format!(
                "its `{key}` could make a text more than {GROWTH} times longer"
            ));
        }
    }
    check_added(&tokenizer["added_tokens"])?;
    check_model(&tokenizer["model"])
}

/// The steps of a chain, in their order.
fn collect<'a>(step: &'a Value, list: &str, steps: &mut Vec<&'a Value>) {
    match step[list].as_array() {
        Some(chain) if step["type"] == "Sequence" => {
            for step in chain {
                collect(step, list, steps);
            }
        }
        _ if step.is_null() => {}
        _ => steps.push(step),
    }
}

/// Checks a step, and returns how many times longer it can make a text.
fn check_step(key: &str, step: &Value) -> Result<usize, String> {
    let kind = step["type"].as_str().unwrap_or_default();
    let factor = match (key, kind) {
        (_, "Replace") => {
            let content = short(&step["content"], "content")?;
            let least = check_pattern(&step["pattern"])?;
            content.len().div_ceil(least).max(1)
        }
        ("normalizer", "Prepend") => {
            short(&step["prepend"], "prepend")?;
            1
        }
        ("normalizer", "Precompiled") => {
            check_map(step["precompiled_charsmap"].as_str().unwrap_or_default())?;
            1
        }
        (
            "normalizer",
            "NFC" | "NFD" | "NFKC" | "NFKD" | "Nmt" | "Strip" | "StripAccents" | "Lowercase"
            | "BertNormalizer",
        ) => 1,
        ("normalizer" | "pre_tokenizer", "ByteLevel") => 4,
        ("pre_tokenizer", "Split") => {
            check_pattern(&step["pattern"])?;
            1
        }
        ("pre_tokenizer" | "decoder", "Metaspace") => {
            short(&step["replacement"], "replacement")?;
            1
        }
        (
            "pre_tokenizer",
            "Whitespace" | "WhitespaceSplit" | "Digits" | "Punctuation" | "BertPreTokenizer"
            | "UnicodeScripts" | "CharDelimiterSplit",
        )
        | ("decoder", "ByteLevel" | "ByteFallback" | "Fuse" | "Strip") => 1,
        ("decoder", "WordPiece" | "BPEDecoder") => {
            for setting in ["prefix", "suffix"] {
                if !step[setting].is_null() {
                    short(&step[setting], setting)?;
                }
            }
            1
        }
        _ => {
            return Err(format!(
                "its `{key}` has a step `{kind}`, which is not supported"
            ));
        }
    };
    Ok(factor)
}

/// A setting that is a short text.
fn short<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value
        .as_str()
        .filter(|text| text.len() <= TEXT)
        .ok_or_else(|| format!("a setting `{name}` is no text of at most {TEXT} bytes"))
}

/// Checks what a step looks for, and returns the least bytes that it finds.
fn check_pattern(pattern: &Value) -> Result<usize, String> {
    if let Some(text) = pattern["String"].as_str() {
        let is_short = !text.is_empty() && text.len() <= EXPRESSION;
        return if is_short {
            Ok(text.len())
        } else {
            Err("one of its steps looks for a text that is empty or too long".to_owned())
        };
    }
    let Some(source) = pattern["Regex"].as_str() else {
        return Err("one of its steps does not say what it looks for".to_owned());
    };
    if source.len() > EXPRESSION {
        return Err(format!(
            "a regular expression is longer than {EXPRESSION} bytes"
        ));
    }
    // Looking ahead for the end of white space is in every published splitter and takes no time.
    // What else is not a plain regular expression may take exponential time.
    let plain = source.replace(r"\s+(?!\S)", r"\s+");
    let built = RegexBuilder::new(&plain).size_limit(4 << 20).build();
    match built {
        Ok(expression)
            if !["", "a", "a 1"]
                .iter()
                .any(|text| finds_nothing(&expression, text)) =>
        {
            Ok(1)
        }
        Ok(_) => Err("a regular expression finds nothing at all".to_owned()),
        Err(_) => Err("a regular expression may take too long".to_owned()),
    }
}

/// Whether an expression finds an empty text in a text.
fn finds_nothing(expression: &Regex, text: &str) -> bool {
    expression.find_iter(text).any(|found| found.is_empty())
}

/// Checks the compiled map of a SentencePiece normalizer, which is written as base64.
fn check_map(text: &str) -> Result<(), String> {
    let map = STANDARD
        .decode(text)
        .map_err(|_| "its normalizer map is not base64")?;
    crate::sentencepiece::check_map(&map)
}

fn check_added(added: &Value) -> Result<(), String> {
    let added = added.as_array().map_or(&[][..], Vec::as_slice);
    let is_right = |token: &Value| {
        let content = token["content"].as_str().unwrap_or_default();
        !content.is_empty() && content.len() <= ADDED.1
    };
    if added.len() > ADDED.0 {
        return Err(format!("it adds more than {} tokens", ADDED.0));
    }
    if !added.iter().all(is_right) {
        return Err("it adds a token that is empty or too long".to_owned());
    }
    Ok(())
}

fn check_model(model: &Value) -> Result<(), String> {
    // Files of older versions do not name the kind.
    let kind = model["type"].as_str().unwrap_or("BPE");
    if !matches!(kind, "BPE" | "Unigram" | "WordLevel" | "WordPiece") {
        return Err(format!("its model `{kind}` is not supported"));
    }
    for setting in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if !model[setting].is_null() {
            short(&model[setting], setting)?;
        }
    }
    if model["dropout"]
        .as_f64()
        .is_some_and(|dropout| dropout != 0.0)
    {
        return Err("its `dropout` would give other tokens each time".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
