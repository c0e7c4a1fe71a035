//! Scores of texts of our own, held against those of sacreBLEU and rouge-score, which
//! `tests/python/metrics.py` wrote down.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;

use serde_json::Value;

use super::*;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/metrics"
    ))
    .join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

/// A language with so many references.
fn corpus(language: &str, references: usize) -> Corpus {
    let names = ["ref", "ref2"].map(|name| fixture(&format!("{name}.{language}")));
    let set = Set::from_parallel(None, &names[..references]).unwrap();
    set.with_file(&fixture(&format!("hyp.{language}"))).unwrap()
}

fn cases() -> Vec<(String, Corpus)> {
    let languages = ["ar", "ru", "en"];
    let of = |language| [1, 2].map(|n| (format!("{language} {n}"), corpus(language, n)));
    languages.into_iter().flat_map(of).collect()
}

fn metric_of(key: &str) -> (Metric, Options) {
    let (metric, option) = key.split_once(' ').unwrap_or((key, ""));
    let mut options = Options {
        bootstrap: Some(Bootstrap::default()),
        ..Options::default()
    };
    match option {
        "" => {}
        "lowercase" => options.case = Case::Lower,
        tokenizer => options.tokenizer = tokenizer.parse().unwrap(),
    }
    (metric.parse().unwrap(), options)
}

#[test]
fn scores_and_intervals_are_those_of_sacrebleu_and_rouge_score() {
    let expected = expected();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, corpus) in cases() {
        for (key, expected) in expected[&name].as_object().unwrap() {
            if key == "by lines" {
                continue;
            }
            let (metric, options) = metric_of(key);
            let found = score(&corpus, metric, &options);
            let mut compare = |field: &str, found: f64, within: f64| {
                compared += 1;
                let expected = expected[field].as_f64().unwrap();
                if (found - expected).abs() > within {
                    wrong.push(format!("{name} {key} {field}: {found}, not {expected}"));
                }
            };
            compare("value", found.value, 1e-9);
            if expected.get("half").is_some() {
                let interval = found.interval.unwrap();
                // sacreBLEU resamples in single precision.
                compare("mean", interval.mean, 1e-4);
                compare("half", interval.half_width(), 1e-4);
            }
            match found.parts {
                Parts::Rouge { precision, recall } => {
                    compare("precision", precision, 1e-9);
                    compare("recall", recall, 1e-9);
                }
                Parts::Bleu {
                    precisions,
                    hypothesis_length,
                    reference_length,
                    ..
                } if expected.get("precisions").is_some() => {
                    assert_eq!(
                        expected["lengths"],
                        serde_json::json!([hypothesis_length, reference_length]),
                        "{name} {key}"
                    );
                    let theirs: [f64; 4] =
                        serde_json::from_value(expected["precisions"].clone()).unwrap();
                    for (ours, theirs) in precisions.into_iter().zip(theirs) {
                        assert!((ours - theirs).abs() < 1e-9, "{name} {key}");
                    }
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(compared, 6 * (8 * 3 + 4 * 3));
}

#[test]
fn summaries_of_several_lines_are_those_of_rouge_score() {
    let expected = expected();
    for (name, corpus) in cases() {
        let join = |lines: &[String]| -> Vec<String> {
            lines.chunks(4).map(|four| four.join("\n")).collect()
        };
        let hypotheses = join(&corpus.hypotheses);
        let width = corpus.width().unwrap();
        let joined: Vec<Vec<String>> = (0..width)
            .map(|i| {
                let lines: Vec<String> = corpus
                    .references
                    .iter()
                    .map(|refs| refs[i].clone())
                    .collect();
                join(&lines)
            })
            .collect();
        for (at, hypothesis) in hypotheses.iter().enumerate() {
            let references: Vec<String> = joined.iter().map(|texts| texts[at].clone()).collect();
            let text = Corpus::new(vec![hypothesis.clone()], vec![references]).unwrap();
            let found = score(&text, Metric::RougeLsum, &Options::default()).value;
            let expected = 100.0 * expected[&name]["by lines"][at].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-9,
                "{name} {at}: {found} {expected}"
            );
        }
    }
}

#[test]
fn odd_corpora_have_scores() {
    let text = |text: &str| text.to_owned();
    for (hypothesis, reference) in [("", ""), ("", "a b"), ("a b", ""), ("…", "؟"), ("a", "a")] {
        let corpus = Corpus::new(vec![text(hypothesis)], vec![vec![text(reference)]]).unwrap();
        for metric in Metric::ALL {
            let options = Options {
                bootstrap: Some(Bootstrap::default()),
                ..Options::default()
            };
            let score = score(&corpus, metric, &options);
            assert!((0.0..=100.001).contains(&score.value), "{metric} {score:?}");
        }
    }
    let words = text("one two three four");
    let same = Corpus::new(vec![words.clone()], vec![vec![words]]).unwrap();
    for metric in Metric::ALL {
        let found = score(&same, metric, &Options::default()).value;
        assert!((found - 100.0).abs() < 1e-9, "{metric} {found}");
    }
}

#[test]
fn signatures_say_how() {
    let corpus = corpus("ru", 2);
    let options = Options {
        bootstrap: Some(Bootstrap::default()),
        ..Options::default()
    };
    let version = env!("CARGO_PKG_VERSION");
    for (metric, expected) in [
        (
            Metric::Bleu,
            "nrefs:2|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp",
        ),
        (
            Metric::ChrfPlusPlus,
            "nrefs:2|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:2|space:no",
        ),
    ] {
        let found = score(&corpus, metric, &options).signature;
        assert_eq!(found, format!("{expected}|version:newsml-{version}"));
    }
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let two = file("two", b"a\nb\n");
    let three = file("three", b"a\nb\n\n");
    let empty = file("empty", b"");
    let bytes = file("bytes", b"ok\n\xff\n");
    let parallel = |paths: &[&PathBuf]| {
        let paths: Vec<PathBuf> = paths.iter().map(|path| (*path).clone()).collect();
        Set::from_parallel(None, &paths).unwrap_err()
    };
    assert!(
        parallel(&[&two, &three])
            .to_string()
            .contains("has 3 lines")
    );
    assert_eq!(parallel(&[&empty]).kind(), "empty");
    assert!(parallel(&[&bytes]).to_string().contains("offset 3"));
    let set = Set::from_parallel(None, &[two]).unwrap();
    assert!(set.with_file(&three).is_err() && set.corpus().is_err());
    for (line, message) in [
        ("{}", "there is no field `reference`"),
        ("{\"reference\": 1}", "neither a text nor a list of texts"),
        (
            "{\"reference\": \"a\", \"source\": [\"a\", \"b\"]}",
            "has several texts",
        ),
        ("[]", "invalid type"),
    ] {
        let path = file("set.jsonl", format!("\n{line}\n").as_bytes());
        let error = Set::from_json_lines(&path, &Fields::default()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("set.jsonl:2") && text.contains(message),
            "{text}"
        );
    }
}
