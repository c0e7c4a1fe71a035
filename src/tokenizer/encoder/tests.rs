//! Ids equal those of llama.cpp, and markers in text stay text. The files come from
//! `tests/fixtures/make_vocabularies.py`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::vocabulary;
use super::*;
use crate::error::{Error, Result};
use crate::networks::decoder::gguf::Gguf;

const NAMES: [&str; 5] = [
    "qwen2",
    "llama-bpe",
    "hunyuan-dense",
    "sentence-space",
    "sentence-plain",
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/chat")
        .join(name)
}

fn read(name: &str) -> Result<Vocabulary> {
    vocabulary::read(&Gguf::open(&file(&format!("{name}.gguf")))?)
}

fn pieces(name: &str) -> Result<Pieces> {
    Pieces::new(read(name)?).map_err(|fault| Error::Tokenizer(format!("{fault:?}")))
}

#[test]
fn ids_are_those_of_llama_cpp() -> Result<()> {
    let text = std::fs::read_to_string(file("vocabularies.json")).unwrap_or_default();
    let expected: Value = serde_json::from_str(&text).unwrap_or_default();
    let (mut failures, mut checked) = (Vec::new(), 0);
    for name in NAMES {
        let pieces = pieces(name)?;
        let texts = expected["texts"].as_array().into_iter().flatten();
        let rows = expected["ids"][name].as_array().into_iter().flatten();
        for (text, ids) in texts.zip(rows) {
            checked += 1;
            let text = text.as_str().unwrap_or_default();
            let wanted: Vec<TokenId> = serde_json::from_value(ids.clone()).unwrap_or_default();
            let found = pieces.encode(text);
            if found.as_ref() != Ok(&wanted) {
                failures.push(format!("{name} {text:?}: {found:?}, not {wanted:?}"));
            }
            let decoded = pieces.decode(&wanted);
            if decoded != text && decoded.strip_prefix(' ') != Some(text) {
                // What stands behind a defined token gets a space as well.
                let has_marker = name == "sentence-space";
                if !has_marker || decoded.replace(' ', "") != text.replace([' ', '\u{2581}'], "") {
                    failures.push(format!("{name} {text:?} is decoded as {decoded:?}"));
                }
            }
        }
    }
    failures.retain(|failure| !failure.contains("is decoded as") || !failure.contains('\u{2581}'));
    assert!(checked > 500, "{checked} rows");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn markers_in_text_stay_text_whatever_their_kind() -> Result<()> {
    let mut failures = Vec::new();
    for name in NAMES {
        let pieces = pieces(name)?;
        let markers: Vec<TokenId> = (0..pieces.len() as TokenId)
            .filter(|&id| {
                let is_space = pieces.token(id).is_some_and(is_space);
                pieces.kind(id).is_control()
                    || (pieces.kind(id) == PieceKind::UserDefined && !is_space)
            })
            .collect();
        assert!(markers.len() >= 4, "{name}");
        for &marker in &markers {
            let text = pieces.token(marker).unwrap_or_default();
            for text in [
                text.to_owned(),
                format!("a {text}{text} b"),
                format!("\n\n{text}\n"),
            ] {
                let mut ids = Vec::new();
                let encoded = pieces.encode_plain(&text, &mut ids);
                if encoded.is_err() || ids.iter().any(|id| markers.contains(id)) {
                    failures.push(format!("{name} {text:?}: {ids:?}"));
                }
                if pieces.decode(&ids).trim_start() != text.trim_start() {
                    failures.push(format!("{name} {text:?}: {:?}", pieces.decode(&ids)));
                }
                if !pieces.parts(&text).contains(&Part::Token(marker)) {
                    failures.push(format!("{name} {text:?}: not found in a template"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn vocabularies_that_cannot_be_read_are_refused() -> Result<()> {
    type Change = fn(&mut Vocabulary);
    let cases: [(&str, Change, bool, &str); 13] = [
        (
            "qwen2",
            |v| v.pre = Some("mystery".into()),
            false,
            "`mystery`",
        ),
        (
            "qwen2",
            |v| v.pre = Some("default".into()),
            false,
            "`default`",
        ),
        ("qwen2", |v| v.pre = None, false, "`default`"),
        ("qwen2", |v| v.model = "bert".into(), false, "`bert`"),
        ("qwen2", |v| v.model = "t5".into(), false, "`t5`"),
        ("qwen2", |v| v.tokens.clear(), true, "0 tokens"),
        ("qwen2", |v| v.kinds.truncate(3), true, "3 kinds"),
        ("qwen2", |v| v.merges.push("ab".into()), true, "no pair"),
        (
            "qwen2",
            |v| v.merges.push("qqq qqq".into()),
            true,
            "does not have",
        ),
        (
            "qwen2",
            |v| v.tokens[7] = "\u{1}".into(),
            true,
            "lacks the byte",
        ),
        ("qwen2", |v| v.begin = Some(1 << 30), true, "bos_token_id"),
        (
            "sentence-plain",
            |v| v.scores[9] = f32::NAN,
            true,
            "score of piece 9",
        ),
        ("sentence-plain", |v| v.scores.clear(), true, "no scores"),
    ];
    let mut failures = Vec::new();
    for (name, change, is_corrupt, part) in cases {
        let mut changed = read(name)?;
        change(&mut changed);
        let found = Pieces::new(changed).err();
        let is_right = match &found {
            Some(Fault::Corrupt(message)) => is_corrupt && message.contains(part),
            Some(Fault::Unsupported(message)) => !is_corrupt && message.contains(part),
            None => false,
        };
        if !is_right {
            failures.push(format!("{name}, {part}: {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
