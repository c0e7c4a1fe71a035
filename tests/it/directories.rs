//! Directories of encoder–decoder models that have learned a few sentences by heart: the program
//! says in every direction what transformers says, from the same ids.
//!
//! `tests/fixtures/make_directories.py` made them, with what transformers gives.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use newsml::{Device, ModelSpec, Registry, Seq2Seq, Seq2SeqOptions, Task};
use serde_json::Value;

use crate::seq2seq::write_marian;
use crate::tool::Tool;

const LANGUAGES: [&str; 3] = ["ar", "en", "ru"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/directories")
        .join(name)
}

fn expected(name: &str) -> Value {
    let text = std::fs::read(fixture(name).join("expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// How a directory's tokenizer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Its own files: SentencePiece, and lists of tokens.
    Own,
    /// Nothing but `tokenizer.json`.
    Json,
}

/// The directories that translate, with the names of their tokens for the three languages.
const TRANSLATORS: [(&str, Layout, [&str; 3]); 5] = [
    ("nllb", Layout::Own, ["arb_Arab", "eng_Latn", "rus_Cyrl"]),
    ("nllb", Layout::Json, ["arb_Arab", "eng_Latn", "rus_Cyrl"]),
    ("m2m100", Layout::Own, ["__ar__", "__en__", "__ru__"]),
    ("madlad", Layout::Own, ["<2ar>", "<2en>", "<2ru>"]),
    ("madlad", Layout::Json, ["<2ar>", "<2en>", "<2ru>"]),
];

/// A copy of a directory with its tokenizer in one layout.
fn copy(name: &str, layout: Layout, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let from = match layout {
        Layout::Own => fixture(name),
        Layout::Json => fixture(name).join("json"),
    };
    for entry in from.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "expected.json" {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
    for file in ["config.json", "generation_config.json", "model.safetensors"] {
        if fixture(name).join(file).is_file() {
            std::fs::copy(fixture(name).join(file), to.join(file)).unwrap();
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn load(directory: &Path) -> Seq2Seq {
    let options = Seq2SeqOptions {
        device: Device::Cpu,
        ..Seq2SeqOptions::default()
    };
    Seq2Seq::load(directory, &options).unwrap()
}

/// The one line that a command prints with `--json`.
fn run(tool: &Tool, arguments: &[&str]) -> Value {
    let ran = tool.run(arguments);
    assert_eq!(ran.status, 0, "{arguments:?}\n{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn texts_become_the_ids_of_transformers() {
    let mut failures = Vec::new();
    let mut compare = |what: &str,
                       model: &Seq2Seq,
                       row: &Value,
                       (source, target): (Option<&str>, Option<&str>)| {
        let found = model.encode(text(&row["text"]), source, target).unwrap();
        if found != ids(&row["ids"]) {
            let (text, ids) = (&row["text"], &row["ids"]);
            failures.push(format!("{what} {text}: {found:?}, not {ids}"));
        }
    };
    for (name, layout, tokens) in TRANSLATORS {
        let folder = tempfile::tempdir().unwrap();
        copy(name, layout, folder.path());
        let model = load(folder.path());
        let token = |language: &Value| {
            let place = LANGUAGES.iter().position(|known| language == known);
            place.map(|place| tokens[place])
        };
        let is_prefixed_by_source = name != "madlad";
        for row in expected(name)["rows"].as_array().unwrap() {
            let source = token(&row["source"]).filter(|_| is_prefixed_by_source);
            let target = token(&row["target_language"]);
            compare(&format!("{name} {layout:?}"), &model, row, (source, target));
        }
    }
    let model = load(&fixture("crosssum"));
    for row in expected("crosssum")["rows"].as_array().unwrap() {
        compare("crosssum", &model, row, (None, Some("russian")));
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Without the program's checks, which ask again for what looks wrong.
#[test]
fn a_batch_of_sources_becomes_the_target_ids_of_transformers() {
    let expected = expected("madlad");
    let rows = expected["rows"].as_array().unwrap();
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| row.get("target").is_some())
        .collect();
    let sources: Vec<_> = rows.iter().map(|row| ids(&row["ids"])).collect();
    let found = load(&fixture("madlad"))
        .decode_ids(&sources, 1, 80)
        .unwrap();
    for (row, mut found) in rows.iter().zip(found) {
        // What ends a target is no part of the answer.
        found.push(1);
        assert_eq!(found, ids(&row["target"]), "{row}");
    }
    assert_eq!(rows.len(), 24);
}

#[test]
fn every_direction_is_translated_as_by_transformers() {
    let mut failures = Vec::new();
    for (name, layout, _) in TRANSLATORS {
        let tool = Tool::new();
        copy(name, layout, &tool.path("model"));
        let expected = expected(name);
        for from in LANGUAGES {
            for to in LANGUAGES.into_iter().filter(|to| *to != from) {
                let rows = expected["rows"].as_array().unwrap().iter();
                let rows: Vec<_> = rows
                    .filter(|row| row["source"] == from && row["target_language"] == to)
                    .filter(|row| row.get("decoded").is_some())
                    .collect();
                assert_eq!(rows.len(), 4);
                let texts: Vec<&str> = rows.iter().map(|row| text(&row["text"])).collect();
                tool.write("in.txt", texts.join("\n\n"));
                for precision in ["auto", "f32"] {
                    let found = run(
                        &tool,
                        &[
                            "translate",
                            "--json",
                            "--segments",
                            "--raw",
                            "--model",
                            "model",
                            "--from",
                            from,
                            "--lang",
                            to,
                            "--precision",
                            precision,
                            "in.txt",
                        ],
                    );
                    let segments = found["segments"].as_array().unwrap();
                    let targets: Vec<&str> = segments
                        .iter()
                        .map(|segment| text(&segment["target"]))
                        .collect();
                    let wanted: Vec<&str> = rows.iter().map(|row| text(&row["decoded"])).collect();
                    if targets != wanted || !found["warnings"].as_array().unwrap().is_empty() {
                        failures.push(format!(
                            "{name} {layout:?} {from} to {to}, {precision}:\n{found:#}\n{wanted:#?}"
                        ));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn summaries_are_in_the_language_that_the_first_token_chooses() {
    let tool = Tool::new();
    copy("crosssum", Layout::Own, &tool.path("model"));
    let mut failures = Vec::new();
    for row in expected("crosssum")["rows"].as_array().unwrap() {
        tool.write("in.txt", text(&row["text"]));
        let to = text(&row["target_language"]);
        for precision in ["auto", "f32"] {
            let found = run(
                &tool,
                &[
                    "summarize",
                    "--json",
                    "--model",
                    "model",
                    "--lang",
                    to,
                    "--precision",
                    precision,
                    "in.txt",
                ],
            );
            let is_told = found["language"] == to && found["source_language"] == row["source"];
            // No second model translates, which would be named here.
            if found["text"] != row["decoded"] || !is_told || found["model"] != "model" {
                failures.push(format!("{precision}: {found:#}\n{row:#}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn half_precision_is_refused_where_it_is_too_small() {
    let tool = Tool::new().file("in.txt", "The price of oil fell.");
    copy("madlad", Layout::Own, &tool.path("t5"));
    copy("nllb", Layout::Own, &tool.path("nllb"));
    let translate = |model: &str| {
        tool.run(&[
            "translate",
            "--device",
            "cpu-tensors",
            "--precision",
            "f16",
            "--raw",
            "--model",
            model,
            "--from",
            "en",
            "--lang",
            "ru",
            "in.txt",
        ])
    };
    let refused = translate("t5");
    assert_eq!((refused.status, refused.out.as_str()), (2, ""));
    for part in [
        "`--precision f16` is too small for the states of a T5 model",
        "use `auto`, `bf16` or `f32`",
    ] {
        assert!(
            refused.err.contains(part),
            "{part}, not in\n{}",
            refused.err
        );
    }
    let taken = translate("nllb");
    assert_eq!(taken.status, 0, "{}", taken.err);
    assert_eq!(taken.out.trim(), "Цена на нефть упала.");
}

/// The directory here whose tokenizer names languages as that of a model of the catalogue does.
fn like(model: &ModelSpec, marian: &Path) -> Option<PathBuf> {
    Some(match model.id.as_str() {
        "m2m100-418m" => fixture("m2m100"),
        "nllb-200-distilled-600m" | "nllb-200-distilled-1.3b" => fixture("nllb"),
        "madlad400-3b-mt" => fixture("madlad"),
        "mt5-m2m-crosssum" => fixture("crosssum"),
        id if id.starts_with("opus-mt-") => marian.to_path_buf(),
        _ => return None,
    })
}

/// What the repositories of one pair each say of languages that share a model's output.
const PREFIXED: [(&str, &str, &str); 4] = [
    ("opus-mt-en-ar", "ar", ">>ara<<"),
    ("opus-mt-ru-ar", "ar", ">>ara<<"),
    ("opus-mt-tc-big-en-ar", "ar", ">>ara<<"),
    ("opus-mt-tc-big-en-zle", "ru", ">>rus<<"),
];

#[test]
fn every_direction_of_the_catalogue_is_told_by_tokens_that_resolve() {
    let folder = tempfile::tempdir().unwrap();
    write_marian(folder.path());
    let registry = Registry::builtin().unwrap();
    let mut failures = Vec::new();
    let mut directions = 0;
    for spec in registry.models() {
        let Some(directory) = like(spec, folder.path()) else {
            // Prompted in words, one pair a file, or in the article's own language alone.
            let is_untold = spec.source_tokens.is_empty() && spec.target_tokens.is_empty();
            let is_known = (spec.family.is_prompted() || spec.family.name() == "firefox")
                || spec.id == "mt5-multilingual-xlsum";
            if !(is_untold && is_known) {
                failures.push(format!("{}: nothing is known of its languages", spec.id));
            }
            continue;
        };
        let model = load(&directory);
        let mut pairs: Vec<(String, String)> = spec
            .pairs
            .iter()
            .map(|pair| (pair.from.clone(), pair.to.clone()))
            .collect();
        if spec.tasks.contains(&Task::Summarize) {
            for from in &spec.languages {
                pairs.extend(spec.languages.iter().map(|to| (from.clone(), to.clone())));
            }
        }
        for (from, to) in &pairs {
            let source = spec.source_tokens.get(from).map(String::as_str);
            let target = spec.target_tokens.get(to).map(String::as_str);
            directions += 1;
            let is_told = match spec.family.name() {
                "m2m100" => (source.is_some(), target.is_some()) == (true, true),
                "marian" => {
                    let token = PREFIXED.iter().find(|(id, ..)| *id == spec.id);
                    source.is_none() && target == token.map(|(_, _, token)| *token)
                }
                _ => source.is_none() && target.is_some(),
            };
            let encoded = model.encode("x", source, target);
            if !is_told || encoded.is_err() {
                failures.push(format!(
                    "{} {from}-{to}: {source:?}, {target:?}, {encoded:?}",
                    spec.id
                ));
            }
        }
        // No two languages are told alike, and none is named that no direction has.
        for (tokens, used) in [
            (
                &spec.source_tokens,
                pairs.iter().map(|(from, _)| from).collect::<Vec<_>>(),
            ),
            (
                &spec.target_tokens,
                pairs.iter().map(|(_, to)| to).collect(),
            ),
        ] {
            let mut names: Vec<_> = tokens.values().collect();
            names.sort();
            names.dedup();
            if names.len() != tokens.len() || !tokens.keys().all(|key| used.contains(&key)) {
                failures.push(format!("{}: {tokens:?}", spec.id));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Ten of Marian, six each of four models, and nine of the summarizer.
    assert_eq!(directions, 10 + 4 * 6 + 9);
}
