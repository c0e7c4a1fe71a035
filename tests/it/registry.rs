//! The catalogue: the built-in file, a user's file laid over it, what is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use newsml::{Language, ModelChoice, Prefer, Registry, Route, Source, Task};

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
        for prefer in Prefer::ALL {
            assert!(!registry.summarizers(from, prefer).is_empty(), "{from}");
            for to in Language::ALL {
                assert_eq!(
                    registry.translators(from, to, prefer).is_empty(),
                    from == to,
                    "{prefer} {from} {to}"
                );
            }
        }
    }
    let through = |from, to| {
        let routes = registry.routes(from, to, Prefer::Fast);
        routes.contains(&Route::ThroughEnglish)
    };
    assert!(
        through(Language::Arabic, Language::Russian)
            && through(Language::Russian, Language::Arabic)
    );
    assert!(!through(Language::Arabic, Language::English));
}

#[test]
fn no_list_has_a_model_with_terms_of_its_own_and_each_of_these_has_a_notice() {
    let registry = Registry::builtin().unwrap();
    let mut banned = Vec::new();
    for model in registry.models() {
        let has_terms = model.is_non_commercial() || model.licence.starts_with("LicenseRef");
        assert_eq!(has_terms, model.notice.is_some(), "{}", model.id);
        if has_terms {
            banned.push(model.id.as_str());
        }
    }
    assert_eq!(
        banned,
        [
            "translategemma-4b",
            "gemma-3-4b-it",
            "gemma-3-270m",
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
fn models_that_were_not_made_for_translation_come_last_in_it() {
    let registry = Registry::builtin().unwrap();
    for from in Language::ALL {
        for to in Language::ALL {
            for prefer in Prefer::ALL {
                let models = registry.translators(from, to, prefer);
                let made: Vec<bool> = models
                    .iter()
                    .map(|model| model.is_made_for_translation())
                    .collect();
                assert!(made.is_sorted_by(|a, b| a >= b), "{prefer} {from} {to}");
            }
        }
    }
    for (id, is_made) in [
        ("qwen3-1.7b", false),
        ("gemma-3-4b-it", false),
        ("hy-mt2-1.8b", true),
        ("opus-mt-en-ru", true),
        ("mt5-multilingual-xlsum", true),
    ] {
        let model = registry.model(id).unwrap();
        assert_eq!(model.is_made_for_translation(), is_made, "{id}");
    }
}

/// Sizes and sums of one file are the same wherever it is served.
#[test]
fn every_firefox_model_of_our_pairs_has_two_sources_of_the_same_files() {
    let registry = Registry::builtin().unwrap();
    let mut found = 0;
    for model in registry.models() {
        let [Source::Url(first), Source::Url(second)] = model.sources.as_slice() else {
            continue;
        };
        found += 1;
        assert_eq!(first.files, second.files, "{}", model.id);
        let size: u64 = first.files.iter().map(|file| file.size).sum();
        assert_eq!(size, model.size, "{}", model.id);
        let quality = model.quality.values().next().unwrap();
        let has_all = quality.bleu.is_some() && quality.chrf.is_some() && quality.comet.is_some();
        assert!(has_all, "{}", model.id);
    }
    assert_eq!(found, 8);
}

#[test]
fn files_of_before_call_the_family_qwen2_and_the_fast_lists_defaults() {
    let lists = "[defaults.summarize]\nar = [\"mine\"]\n";
    let registry = merged(&format!("{lists}{MINE}")).unwrap();
    assert_eq!(registry.model("mine").unwrap().family.name(), "gguf");
    let models = registry.summarizers(Language::Arabic, Prefer::Fast);
    assert_eq!(models.len(), 1);
}

#[test]
fn a_fingerprint_is_of_the_weights_and_how_they_are_asked() {
    let of = |text: &str| merged(text).unwrap().model("mine").unwrap().fingerprint();
    let usual = of(MINE);
    let sum = "0".repeat(64);
    let prompt = "size = 5\n[model.prompt]\ntranslate = \"{text}\"\n";
    let pinned = format!("files = [\"mine.gguf\"]\nsha256 = {{ \"mine.gguf\" = \"{sum}\" }}");
    let pinned = MINE.replace("files = [\"mine.gguf\"]", &pinned);
    for same in [
        MINE.replace("MIT", "Apache-2.0"),
        MINE.replace("size = 5", "size = 6\nmemory = 7"),
        MINE.replace("qwen2", "gguf"),
    ] {
        assert_eq!(of(&same), usual, "{same}");
    }
    for other in [
        MINE.replace("me/mine", "me/other"),
        MINE.replace("size = 5\n", prompt),
        MINE.replace("size = 5", "size = 5\nlimits = { source_tokens = 5 }"),
        pinned.clone(),
    ] {
        assert_ne!(of(&other), usual, "{other}");
    }
    // Another place to have the same file from.
    let mirror = format!(
        "{pinned}[[model.sources]]\nkind = \"url\"\nbase = \"https://x/\"\n[[model.sources.files]]\nname = \"mine.gguf\"\nsha256 = \"{sum}\"\nsize = 5\n"
    );
    assert_eq!(of(&mirror), of(&pinned));
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
        ids(registry.translators(Language::Arabic, Language::English, Prefer::Fast)),
        ["mine", "qwen2.5-1.5b-instruct"]
    );
    assert_eq!(
        ids(registry.summarizers(Language::Arabic, Prefer::Fast)),
        ["mine"]
    );
    assert_eq!(
        registry.first_for("mine", Prefer::Fast),
        ["translate ar-en", "summarize ar"]
    );
    assert!(registry.first_for("mine", Prefer::Best).is_empty());
    let lists = "[fast.summarize]\nar = [\"mine\"]\n[best.translate]\nar-en = [\"mine\"]\n";
    let registry = merged(&format!("{lists}{MINE}")).unwrap();
    assert_eq!(registry.first_for("mine", Prefer::Fast), ["summarize ar"]);
    assert_eq!(
        registry.first_for("mine", Prefer::Best),
        ["translate ar-en"]
    );
    assert!(
        ids(registry.summarizers(Language::Russian, Prefer::Fast)).len() > 1,
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
    for (prompt, reason) in [
        (
            "translate = \"{txt}\"",
            "`prompt.translate`: `{txt}` is no placeholder here; there are `{source}`, `{target}`, `{source_code}`, `{target_code}`, `{text}`",
        ),
        (
            "translate = \"{terms} {text}\"",
            "`{terms}` is no placeholder here",
        ),
        (
            "translate = \"Translate.\"",
            "`prompt.translate`: `{text}` is missing",
        ),
        (
            "translate = \"{text} }\"",
            "a `}` that is part of no placeholder must be written twice",
        ),
        (
            "translate_with_terms = \"{terms} {text}\"",
            "`prompt.translate_with_terms` needs `prompt.translate`",
        ),
        (
            "translate = \"{text}\"\ntranslate_with_context = \"{text}\"",
            "`{background}` is missing",
        ),
        (
            "translate = \"{text}\"\nterm = \"{term}\"",
            "`prompt.term`: `{translation}` is missing",
        ),
        (
            "translate = \"{text}\"\nframe = \"<s>\"",
            "`prompt.frame`: `{prompt}` must be there once",
        ),
        (
            "frame = \"{prompt}\"",
            "`prompt.frame` needs `prompt.translate`",
        ),
        (
            "repetition_penalty = 0.9",
            "`prompt.repetition_penalty` is 0.9, and must be from 1 to 2",
        ),
        ("stop = [\"\"]", "`prompt.stop` has an empty name"),
        ("wording = \"\"", "unknown field `wording`"),
    ] {
        expect(
            &MINE.replace(
                "size = 5\n",
                &format!("size = 5\n[model.prompt]\n{prompt}\n"),
            ),
            reason,
        );
    }
    let firefox = MINE.replace("qwen2", "firefox");
    expect(
        &firefox.replace("size = 5\n", "size = 5\n[model.prompt]\nstop = []\n"),
        "models of family `firefox` are not asked in words",
    );
    let sum = format!(
        "files = [\"mine.gguf\"]\nsha256 = {{ other = \"{}\" }}",
        "0".repeat(64)
    );
    expect(
        &MINE.replace("files = [\"mine.gguf\"]", &sum),
        "`sha256` names `other`, which is none of the files",
    );
    expect(&format!("{MINE}{MINE}"), "model `mine` is there twice");
    expect(
        "[defaults.summarize]\nar = [\"nobody\"]\n",
        "the list `fast.summarize.ar` names the unknown model `nobody`",
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
