//! Hostile `tokenizer.json` files are refused or do no harm.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

fn fixture(name: &str) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/directories");
    root.join(name).join("json/tokenizer.json")
}

/// Changes to a good file, by kind; whether the changed file can be used.
fn changes() -> Vec<(&'static str, &'static str, Value, bool)> {
    let replace =
        |content: &str| json!({"type": "Replace", "pattern": {"Regex": "."}, "content": content});
    let chain = |steps: Vec<Value>| json!({"type": "Sequence", "normalizers": steps});
    let split = |regex: &str| json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false});
    let long = "a".repeat(10_000_000);
    let mut changes = vec![
        (
            "padding",
            "padding",
            json!({"strategy": {"Fixed": 100_000_000_000u64}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"}),
            true,
        ),
        (
            "padding",
            "padding",
            json!({"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": 1_000_000_000_000u64, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"}),
            true,
        ),
        (
            "truncation",
            "truncation",
            json!({"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0}),
            true,
        ),
        (
            "truncation",
            "truncation",
            json!({"direction": "Left", "max_length": 2, "strategy": "OnlyFirst", "stride": 1}),
            true,
        ),
        (
            "post-processing",
            "post_processor",
            json!({"type": "TemplateProcessing", "single": vec![json!({"Sequence": {"id": "A", "type_id": 0}}); 50_000], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}], "special_tokens": {}}),
            true,
        ),
        (
            "added tokens",
            "added_tokens",
            json!([{"id": 0, "content": "", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}]),
            false,
        ),
        (
            "added tokens",
            "added_tokens",
            json!([{"id": 0, "content": long, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}]),
            false,
        ),
        (
            "other kinds",
            "normalizer",
            json!({"type": "Nothing"}),
            false,
        ),
        ("other kinds", "normalizer", json!([1, 2]), false),
        (
            "other kinds",
            "pre_tokenizer",
            json!({"type": "FixedLength", "length": 1}),
            false,
        ),
        (
            "other kinds",
            "decoder",
            json!({"type": "CTC", "pad_token": "", "word_delimiter_token": "", "cleanup": true}),
            false,
        ),
        ("other kinds", "model", json!({"type": "Nothing"}), false),
        (
            "settings of the model",
            "model",
            json!({"type": "BPE", "dropout": 0.5, "vocab": {"a": 0}, "merges": []}),
            false,
        ),
        (
            "settings of the model",
            "model",
            json!({"type": "BPE", "end_of_word_suffix": long, "vocab": {"a": 0}, "merges": []}),
            false,
        ),
        (
            "settings of the model",
            "model",
            json!({"type": "BPE", "continuing_subword_prefix": long, "vocab": {"a": 0}, "merges": []}),
            false,
        ),
        (
            "prefixes",
            "normalizer",
            json!({"type": "Prepend", "prepend": long}),
            false,
        ),
        (
            "prefixes",
            "normalizer",
            chain(vec![json!({"type": "Prepend", "prepend": "aaaa"}); 5000]),
            false,
        ),
        (
            "good",
            "normalizer",
            json!({"type": "Prepend", "prepend": "▁"}),
            true,
        ),
        (
            "good",
            "normalizer",
            json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"}),
            true,
        ),
        (
            "good",
            "normalizer",
            chain(vec![json!({"type": "NFKC"}), json!({"type": "Lowercase"})]),
            true,
        ),
        (
            "good",
            "pre_tokenizer",
            split(r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
            true,
        ),
    ];
    for times in [1, 2, 4, 8, 16, 400] {
        for size in [5, 10, 60, 100_000] {
            let is_small = times == 1 && size <= 10;
            let steps = vec![replace(&"a".repeat(size)); times];
            changes.push(("replacements", "normalizer", chain(steps.clone()), is_small));
            changes.push((
                "replacements",
                "decoder",
                json!({"type": "Sequence", "decoders": steps}),
                is_small,
            ));
        }
    }
    for times in [3, 16, 300] {
        let steps = vec![
            json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
            times
        ];
        changes.push((
            "bytes of bytes",
            "pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": steps}),
            false,
        ));
        changes.push((
            "bytes of bytes",
            "normalizer",
            chain(vec![json!({"type": "ByteLevel"}); times]),
            false,
        ));
        let mut nested = replace("aaaaaaaaaa");
        for _ in 0..times.min(50) {
            nested = chain(vec![nested, replace("aaaaaaaaaa")]);
        }
        changes.push(("chains in chains", "normalizer", nested, false));
    }
    for regex in [
        "(a+)+$(?!b)",
        "(a*)*b(?=c)",
        r"(.*)\1\1\1",
        r"(?:(a|a)*)*\1",
        "(?<=a+b)c",
        "(?>a+)+(?!b)",
        "((a{1,100}){1,100}){1,100}",
        "(a{9999}){9999}",
        "(?:a{1000}){1000}",
        "(",
        "[",
        "a{99999999}",
        "",
        "x*",
        "(?:)",
        r"\b",
        "(?=a)",
        "(?:a?){99999}b(?!c)",
        r"(\w+\s?)*(?!x)$",
        "(x+x+)+y(?!z)",
    ] {
        changes.push(("regular expressions", "pre_tokenizer", split(regex), false));
        changes.push((
            "regular expressions",
            "normalizer",
            json!({"type": "Replace", "pattern": {"Regex": regex}, "content": ""}),
            false,
        ));
        changes.push((
            "regular expressions",
            "decoder",
            json!({"type": "Replace", "pattern": {"Regex": regex}, "content": ""}),
            false,
        ));
    }
    for size in [300, 3_000, 1_000_000] {
        let regex = format!("({}|b)", "a|".repeat(size));
        changes.push(("long expressions", "pre_tokenizer", split(&regex), false));
    }
    changes
}

#[test]
fn hostile_tokenizers_are_refused_or_do_no_harm() {
    let good = std::fs::read_to_string(fixture("madlad")).unwrap_or_default();
    let good: Value = serde_json::from_str(&good).unwrap_or_default();
    let folder = std::env::temp_dir().join(format!("newsml-tokenizers-{}", std::process::id()));
    let _ = std::fs::create_dir_all(&folder);
    let path = folder.join("tokenizer.json");
    let (mut failures, mut cases) = (Vec::new(), 0);
    for (kind, key, value, is_usable) in changes() {
        cases += 1;
        let mut file = good.clone();
        file[key] = value;
        let shown: String = file[key].to_string().chars().take(150).collect();
        let _ = std::fs::write(&path, file.to_string());
        let start = Instant::now();
        let found = read(&path).and_then(|tokenizer| {
            let text = "The ministers met on Monday. ".repeat(20) + &"a".repeat(2000);
            let encoding = tokenizer.encode_fast(text, false);
            encoding
                .map(|encoding| encoding.len())
                .map_err(|error| Error::Tokenizer(error.to_string()))
        });
        let took = start.elapsed();
        if found.is_ok() != is_usable
            || found
                .as_ref()
                .is_ok_and(|&length| !(1..30_000).contains(&length))
        {
            failures.push(format!("{kind}: {found:?} for {shown}"));
        }
        if found
            .as_ref()
            .is_err_and(|error| !error.to_string().contains("tokenizer.json"))
        {
            failures.push(format!("{kind}: {found:?} does not name the file"));
        }
        if took > Duration::from_secs(2) {
            failures.push(format!("{kind}: {took:?} for {shown}"));
        }
    }
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        &"[".repeat(1_000_000),
        &("{\"a\":".repeat(100_000)),
    ] {
        cases += 1;
        let _ = std::fs::write(&path, text);
        if read(&path).is_ok() {
            failures.push(format!("{:?} is read", &text[..text.len().min(20)]));
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert!(cases > 120, "{cases} cases");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
