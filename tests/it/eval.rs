//! `newsml eval` and `newsml memory`: tables, JSON, and what is refused.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::Value;

use crate::tool::{Tool, tiny_model};

const REFERENCE: &str = "The harbour bridge reopened on Monday.\nNobody was hurt in the fire.\n";

fn error(message: &str, hint: &str) -> (i32, String, String) {
    (
        2,
        String::new(),
        format!("error: {message}\n\nhint: {hint}\n"),
    )
}

#[test]
fn outputs_are_measured_as_a_table_and_as_json() {
    let tool = Tool::new()
        .file("ref", REFERENCE)
        .file("same", REFERENCE)
        .file(
            "other",
            "The harbour bridge opened on Monday.\nNobody was hurt.\n",
        );
    let files = [
        "eval",
        "--hyp",
        "same",
        "--hyp",
        "other",
        "--ref",
        "ref",
        "--resamples",
        "0",
    ];
    let table = tool.run(&files);
    assert_eq!((table.status, table.err.as_str()), (0, ""));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        table.out,
        format!(
            "system  BLEU    chrF2   chrF2++
same    100.00  100.00  100.00
other   30.56   76.49   73.27

BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:newsml-{version}
chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:newsml-{version}
chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:newsml-{version}
"
        )
    );
    let markdown = tool.run(&[&files[..], &["--markdown", "--metric", "rouge1,rougeL"]].concat());
    assert_eq!(
        markdown.out,
        "| system | ROUGE-1 | ROUGE-L |\n| --- | --- | --- |\n| same | 100.00 | 100.00 |\n| other | 75.00 | 75.00 |\n"
    );
    let json = tool.run(&["eval", "--hyp", "other", "--ref", "ref", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&json["system"], &json["segments"]),
        (&"other".into(), &2.into())
    );
    let bleu = &json["scores"]["bleu"];
    assert!(bleu["interval"]["low"].as_f64() < bleu["value"].as_f64());
    assert_eq!(bleu["parts"]["hypothesis_length"], 11);
}

#[test]
fn a_set_has_its_own_outputs_and_references() {
    let line = |object: Value| format!("{object}\n");
    let set = line(serde_json::json!({ "id": 1, "mt": "rain", "refs": ["rain", "it rains"] }))
        + &line(serde_json::json!({ "id": 2, "mt": "snow", "refs": "snow" }));
    let tool = Tool::new().file("set.jsonl", set);
    let fields = ["--reference-field", "refs", "--hypothesis-field", "mt"];
    let set = [
        "eval",
        "--set",
        "set.jsonl",
        "--metric",
        "rouge1",
        "--resamples",
        "0",
    ];
    let found = tool.run(&[&set[..], &fields].concat());
    assert_eq!((found.status, found.err.as_str()), (0, ""));
    assert!(
        found
            .out
            .starts_with("system     ROUGE-1\nset.jsonl  100.00\n\nROUGE-1|nrefs:var|")
    );
}

#[test]
fn models_are_run_and_measured() {
    let tool = Tool::new()
        .file("src", REFERENCE)
        .file("ref", "Мост открыт.\nНикто не пострадал.\n");
    let model = tiny_model();
    let run = [
        "eval", "--src", "src", "--ref", "ref", "--from", "en", "--lang", "ru",
    ];
    let run = [&run[..], &["--max-tokens", "4", "--model", &model]].concat();
    let found = tool.run(&[&run[..], &["--json"]].concat());
    assert_eq!(found.status, 0, "{}", found.err);
    let json: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(json["speed"]["words"], 12);
    assert_eq!(json["models"], serde_json::json!([model]));
    assert!(json["speed"]["words_per_second"].as_f64().unwrap() > 0.0);
    let warnings = json["warnings"].as_object().unwrap();
    assert!(
        json["warned"].as_u64() > Some(0) && !warnings.is_empty(),
        "{json}"
    );
    let table = tool.run(&run).out;
    assert!(table.starts_with("model "), "{table}");
    for name in [
        "words/s",
        "segments/s",
        "warnings",
        warnings.keys().next().unwrap(),
    ] {
        assert!(table.contains(name), "{table}");
    }
    let summaries = [
        "eval",
        "--src",
        "src",
        "--ref",
        "ref",
        "--task",
        "summarize",
        "--from",
        "en",
    ];
    let summaries = tool.run(&[&summaries[..], &["--max-tokens", "4", "--model", &model]].concat());
    assert_eq!(summaries.status, 0, "{}", summaries.err);
    assert!(summaries.out.contains("ROUGE-2"));
}

#[cfg(unix)]
#[test]
fn what_is_measured_before_an_interrupt_is_printed() {
    use std::io::{BufRead as _, Read as _};
    let tool = Tool::new()
        .file("src", REFERENCE.repeat(100))
        .file("ref", "Мост открыт.\nНикто не пострадал.\n".repeat(100));
    let model = tiny_model();
    let models = ["--model", &model, "--model", &model];
    let run = [
        "eval",
        "-v",
        "--src",
        "src",
        "--ref",
        "ref",
        "--from",
        "en",
        "--lang",
        "ru",
        "--max-tokens",
        "20",
    ];
    let mut child = tool.spawn(&mut tool.command(&[&run[..], &models].concat()));
    let mut err = std::io::BufReader::new(child.stderr.take().unwrap());
    // Each model says where it computes before it begins.
    let (mut text, mut begun) = (String::new(), 0);
    while begun < 2 {
        let mut line = String::new();
        assert!(err.read_line(&mut line).unwrap() > 0, "{text}");
        begun += usize::from(line.contains("computing on"));
        text += &line;
    }
    tool.interrupt(&child);
    err.read_to_string(&mut text).unwrap();
    let ran = tool.wait(child);
    assert!(
        text.contains("note: interrupted: 1 of 2 models measured\n"),
        "{text}"
    );
    assert_eq!(ran.status, 1, "{text}");
    assert!(
        ran.out.contains("BLEU") && ran.out.matches(&model).count() == 1,
        "{}",
        ran.out
    );
}

#[test]
fn options_of_another_task_are_refused() {
    let tool = Tool::new().file("ref", REFERENCE);
    let files = ["--src", "ref", "--ref", "ref"];
    let model = tiny_model();
    let with =
        |options: &[&str]| tool.run(&[&["eval", "--model", &model], &files[..], options].concat());
    let found = with(&["--length", "short"]);
    assert_eq!(
        (found.status, found.out, found.err),
        error(
            "`--length` is for summaries",
            "leave it out, or add `--task summarize`"
        )
    );
    // A summarizer is told both.
    let brief = ["--task", "summarize", "--max-tokens", "3"];
    let found = with(&[&brief[..], &["--beams", "3"]].concat());
    assert!(
        found.err.contains("takes no notice of `--beams`"),
        "{}",
        found.err
    );
    tool.write("ref", "12 34\n");
    assert!(with(&brief).err.contains("language"));
    let found = with(&[&brief[..], &["--from", "en"]].concat());
    assert_eq!(found.status, 0, "{}", found.err);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let tool = Tool::new()
        .file("ref", REFERENCE)
        .file("short", "One line.\n")
        .file("empty", "")
        .file("bytes", b"ok\n\xff\n")
        .file(
            "set.jsonl",
            "{\"source\": \"a\", \"reference\": \"b\"}\n{\"source\": \"a\"}\n",
        );
    let line = "line N of each file must belong to line N of the others; an output with line breaks fits into JSON Lines only";
    let cases: [(&[&str], _); 6] = [
        (
            &["--hyp", "short", "--ref", "ref"],
            error("`short` has 1 lines and `the references` has 2", line),
        ),
        (
            &["--hyp", "short", "--ref", "short", "--ref", "ref"],
            error("`ref` has 2 lines and `short` has 1", line),
        ),
        (
            &["--hyp", "empty", "--ref", "ref"],
            error(
                "`empty` holds no text",
                "give a file with an article in it, or pipe text to standard input",
            ),
        ),
        (
            &["--hyp", "ref", "--ref", "bytes"],
            error(
                "`bytes` is not valid UTF-8: the first wrong byte is at offset 3",
                "convert it first, for example with `iconv -f windows-1251 -t utf-8 bytes`",
            ),
        ),
        (
            &["--hyp", "ref", "--ref", "ref", "--metric", "meteor"],
            error(
                "unknown metric `meteor`",
                "the metrics are `bleu`, `chrf`, `chrf++`, `rouge1`, `rouge2`, `rougeL`, `rougeLsum`",
            ),
        ),
        (
            &["--ref", "ref"],
            error(
                "the set has no outputs to measure",
                "name a model to run with `--model`, a file of outputs with `--hyp`, or the field with `--hypothesis-field`",
            ),
        ),
    ];
    for (arguments, expected) in cases {
        let found = tool.run(&[&["eval"], arguments].concat());
        assert_eq!(
            (found.status, found.out, found.err),
            expected,
            "{arguments:?}"
        );
    }
    let set = tool.run(&["eval", "--set", "set.jsonl"]);
    assert_eq!(
        set.err,
        "error: `set.jsonl:2` cannot be read as a test set: there is no field `reference`\n"
    );
}

#[test]
fn a_memory_is_told_and_exported() {
    let tool = Tool::new().file("a.txt", "The mayor came.\n").file(
        "text.memory",
        "This is no database, it is a text. ".repeat(40),
    );
    let model = tiny_model();
    let run = [
        "translate",
        "a.txt",
        "--from",
        "en",
        "--lang",
        "ru",
        "--max-tokens",
        "4",
    ];
    let with = |memory| tool.run(&[&run[..], &["--model", &model, "--memory", memory]].concat());
    let found = with("new.memory");
    assert_eq!(found.status, 0, "{}", found.err);
    assert!(
        found
            .err
            .contains("note: 0 of 1 segments came from the memory\n"),
        "{}",
        found.err
    );
    let refused = with("text.memory");
    assert_eq!(
        (refused.status, refused.out, refused.err),
        error(
            "translation memory `text.memory` cannot be used: it is damaged, or it is not a translation memory",
            "restore it from a copy, or name another file; newsml leaves this one as it is"
        )
    );
    let stats = tool.run(&["memory", "stats", "new.memory"]);
    assert_eq!((stats.status, stats.err.as_str()), (0, ""));
    assert!(stats.out.starts_with("  SEGMENTS  FROM  TO   MODEL\n"));
    let export = tool.run(&["memory", "export", "new.memory", "--tmx", "new.tmx"]);
    assert_eq!(export.status, 0, "{}", export.err);
    assert!(tool.read("new.tmx").ends_with("</body>\n</tmx>\n"));
    // What people translated is taken whatever the model.
    tool.write(
        "people.tmx",
        "<tmx version=\"1.4\"><header srclang=\"en-GB\"/><body><tu><tuv xml:lang=\"en-GB\"><seg>The mayor came.</seg></tuv>\
         <tuv xml:lang=\"ru\"><seg>Пришёл мэр.</seg></tuv></tu><tu><tuv xml:lang=\"en\"><seg>Rain.</seg></tuv></tu></body></tmx>",
    );
    let import = tool.run(&["memory", "import", "new.memory", "--tmx", "people.tmx"]);
    assert_eq!(
        (import.status, import.err.as_str()),
        (
            0,
            "note: 1 segment imported\nwarning: 1 unit left out that did not hold text in two languages\n"
        )
    );
    let recalled = with("new.memory");
    assert_eq!(
        (recalled.status, recalled.out.as_str()),
        (0, "Пришёл мэр.\n")
    );
    tool.write("cut.tmx", "<tmx><body><tu>");
    let cut = tool.run(&["memory", "import", "cut.memory", "--tmx", "cut.tmx"]);
    assert_eq!(
        (cut.status, cut.err.as_str()),
        (
            2,
            "error: `cut.tmx` cannot be read as TMX: it ends before its end tag `</tmx>`\n"
        )
    );
    let missing = tool.run(&["memory", "import", "none.memory", "--tmx", "none.tmx"]);
    assert_eq!(missing.status, 2);
    assert!(!tool.path("none.memory").exists());
    let missing = tool.run(&["memory", "export", "missing.memory", "--tmx", "-"]);
    assert_eq!(
        (missing.status, missing.out, missing.err),
        error(
            "cannot open `missing.memory`: no such file or directory",
            "check the spelling of the path"
        )
    );
}
