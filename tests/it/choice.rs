//! Which model is chosen, and how it is asked: lists of preference, memory, prompts of a registry of
//! the user's own. The models are tiny ones with random weights, from a fake hub.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::Value;

use crate::fake_hub::{FakeHub, sha256};
use crate::tool::{Ran, Tool, tiny_model};

const TEXT: &str = "The harbour bridge opened on Monday. It has room for 300 children.\n";

/// An entry of a registry for the tiny model, which the hub has as `o/ID`.
fn entry(id: &str, more: &str) -> String {
    format!(
        "[[model]]\nid = \"{id}\"\nfamily = \"gguf\"\ntasks = [\"translate\"]\npairs = [\"en-ru\"]\n\
         licence = \"MIT\"\nsize = 1\n{more}\n[[model.sources]]\nkind = \"hub\"\nrepository = \"o/{id}\"\n\
         files = [\"{id}.gguf\"]\n"
    )
}

fn scene(registry: &str, ids: &[&str]) -> (FakeHub, Tool) {
    let (hub, mirror) = FakeHub::with_mirror();
    let weights = std::fs::read(tiny_model()).unwrap();
    for id in ids {
        for server in [&hub, &mirror] {
            server.large_file(&format!("o/{id}/{id}.gguf"), &weights);
        }
    }
    let tool = Tool::new()
        .variable("HF_ENDPOINT", hub.url())
        .variable("NEWSML_MODELS", "models.toml")
        .file("models.toml", registry)
        .file("a.txt", TEXT);
    (hub, tool)
}

fn translate(tool: &Tool, more: &[&str]) -> Ran {
    let usual = [
        "translate",
        "--json",
        "--lang",
        "ru",
        "--from",
        "en",
        "--max-tokens",
        "8",
    ];
    tool.run(&[&usual[..], more, &["a.txt"]].concat())
}

fn field(ran: &Ran, name: &str) -> String {
    let record: Value = serde_json::from_str(&ran.out).unwrap_or_default();
    record[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_preference_chooses_the_list_and_the_fast_one_is_what_is_left() {
    let lists =
        "[fast.translate]\nen-ru = [\"quick\"]\n[best.translate]\nen-ru = [\"absent\", \"good\"]\n";
    let entries = ["quick", "good", "absent"].map(|id| entry(id, "")).concat();
    let (hub, tool) = scene(&format!("{lists}{entries}"), &["quick", "good"]);
    for (more, expected) in [
        (&[][..], "quick"),
        // What is in the cache is of no use to those who want the best.
        (&["--prefer", "best"], "good"),
        (&["--prefer", "fast"], "quick"),
    ] {
        let ran = translate(&tool, more);
        assert_eq!(
            (ran.status, field(&ran, "model").as_str()),
            (0, expected),
            "{}",
            ran.err
        );
    }
    drop(hub);
    let offline = Tool::new()
        .variable("NEWSML_MODELS", "models.toml")
        .file("models.toml", format!("{lists}{entries}"))
        .file("a.txt", TEXT);
    std::fs::create_dir_all(offline.path("cache")).unwrap();
    copy(&tool.path("cache"), &offline.path("cache"));
    std::fs::remove_dir_all(offline.path("cache/hub/models--o--good")).unwrap();
    let ran = translate(&offline, &["--prefer", "best", "--offline"]);
    assert_eq!(
        (ran.status, field(&ran, "model").as_str()),
        (0, "quick"),
        "{}",
        ran.err
    );
    let wrong = translate(&tool, &["--prefer", "cheap"]);
    assert_eq!(wrong.status, 2);
    let both = translate(&tool, &["--prefer", "best", "--model", "good"]);
    assert_eq!(both.status, 2, "{}", both.err);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let status = std::process::Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(status.unwrap().success());
}

/// No machine has a petabyte.
#[cfg(target_os = "linux")]
#[test]
fn a_model_that_does_not_fit_is_passed_over_unless_it_is_named() {
    let lists = "[fast.translate]\nen-ru = [\"large\", \"small\"]\n";
    let entries = entry("large", "memory = 1000000000000000") + &entry("small", "");
    let (_hub, tool) = scene(&format!("{lists}{entries}"), &["large", "small"]);
    for _ in 0..2 {
        let ran = translate(&tool, &[]);
        assert_eq!(
            (ran.status, field(&ran, "model").as_str()),
            (0, "small"),
            "{}",
            ran.err
        );
        let note = "note: passed over `large`: it needs 1000000.0 GB of memory, and ";
        assert_eq!(ran.err.matches(note).count(), 1, "{}", ran.err);
    }
    let named = translate(&tool, &["--model", "large"]);
    assert_eq!(
        (named.status, field(&named, "model").as_str()),
        (0, "large"),
        "{}",
        named.err
    );
    let warning = "warning: `large`: it needs 1000000.0 GB of memory, and ";
    assert!(named.err.contains(warning), "{}", named.err);

    let only = "[fast.translate]\nen-ru = [\"large\"]\n";
    let (_hub, tool) = scene(
        &format!("{only}{}", entry("large", "memory = 1000000000000000")),
        &["large"],
    );
    let none = translate(&tool, &[]);
    assert_ne!(none.status, 0);
    assert!(
        none.err.contains("hint: close other programs"),
        "{}",
        none.err
    );
}

const PROMPT: &str = r#"
[model.prompt]
frame = "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
translate = "Into {target}: {text}"
translate_with_terms = "Say\n{terms}\ninto {target_code}: {text}"
term = "{term} is {translation}"
translate_with_context = "After {background} into {target}: {text}"
repetition_penalty = 1.3
"#;

#[test]
fn a_registry_of_ones_own_says_how_a_model_is_asked() {
    let plain = entry("plain", "");
    let worded = entry("worded", PROMPT);
    let free = entry("free", &PROMPT.replace("1.3", "1.0"));
    let (_hub, tool) = scene(
        &format!("{plain}{worded}{free}"),
        &["plain", "worded", "free"],
    );
    let tool = tool.file("terms.tsv", "bridge\tмост\nchildren\tдети\n");
    let text = |more: &[&str]| {
        let ran = translate(&tool, more);
        assert_eq!(ran.status, 0, "{}", ran.err);
        field(&ran, "text")
    };
    let texts = [
        text(&["--model", "plain"]),
        text(&["--model", "worded"]),
        text(&["--model", "free"]),
        text(&["--model", "worded", "--glossary", "terms.tsv"]),
        text(&["--model", "worded", "--context"]),
    ];
    for (number, one) in texts.iter().enumerate() {
        let is_new = texts[..number].iter().all(|other| other != one);
        assert!(is_new, "each is asked in another way: {texts:#?}");
    }
    let again = text(&["--model", "worded", "--context"]);
    assert_eq!(again, texts[4]);
    // Which model was asked for what is in the memory too, and what stood around it.
    for (more, known) in [
        (&["--context"][..], 0),
        (&["--context"], 2),
        (&[], 0),
        (&["--context"], 2),
    ] {
        let memory = ["--model", "worded", "--memory", "m.memory", "--segments"];
        let ran = translate(&tool, &[&memory[..], more].concat());
        let all = ran.err.contains("of 2 segments came from the memory");
        let good = !ran.out.contains("\"warnings\":[{");
        // Nonsense is mostly faulty, and is not kept then.
        if good {
            assert!(
                ran.err.contains(&format!("{known} of 2 segments")),
                "{}",
                ran.err
            );
        }
        assert!(all, "{}", ran.err);
    }
    let unheeded = translate(&tool, &["--model", "plain", "--context"]);
    assert_ne!(unheeded.status, 0);
    assert!(
        unheeded
            .err
            .contains("`plain` takes no notice of `--context`"),
        "{}",
        unheeded.err
    );
}

#[test]
fn a_wording_that_cannot_be_used_is_told_before_anything_is_run() {
    for (prompt, expected) in [
        (
            "[model.prompt]\ntranslate = \"{txt}\"",
            "error: registry `models.toml` cannot be used: model `m`: `prompt.translate`: `{txt}` is no placeholder here",
        ),
        (
            "[model.prompt]\nstop = [\"<no_such_token>\"]",
            "is not supported: the file has no token `<no_such_token>`, which is to end its answers",
        ),
    ] {
        let (_hub, tool) = scene(&entry("m", prompt), &["m"]);
        let ran = translate(&tool, &["--model", "m"]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
}

#[test]
fn a_file_of_the_hub_must_be_the_one_that_the_catalogue_knows() {
    let weights = std::fs::read(tiny_model()).unwrap();
    for (sum, is_right) in [(sha256(&weights), true), ("0".repeat(64), false)] {
        let registry = entry("m", "").trim_end().to_owned()
            + &format!("\nsha256 = {{ \"m.gguf\" = \"{sum}\" }}\n");
        let (_hub, tool) = scene(&registry, &["m"]);
        let ran = tool.run(&["models", "pull", "m"]);
        assert_eq!(ran.status == 0, is_right, "{}", ran.err);
        let told = ran
            .err
            .contains("`m.gguf` is not the file that was expected: sha256 is");
        assert_eq!(told, !is_right, "{}", ran.err);
    }
}

/// A file of the user's own with the name of one of the catalogue is asked as that one.
#[test]
fn a_local_file_is_asked_as_the_catalogue_says_of_its_name() {
    let (_hub, tool) = scene(&entry("worded", PROMPT), &["worded"]);
    let weights = std::fs::read(tiny_model()).unwrap();
    let tool = tool
        .file("here/worded.gguf", &weights)
        .file("other.gguf", &weights);
    let text = |model: &str| {
        let ran = translate(&tool, &["--model", model]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        field(&ran, "text")
    };
    let expected = text("worded");
    assert_eq!(text("here/worded.gguf"), expected);
    assert_ne!(text("other.gguf"), expected);
}
