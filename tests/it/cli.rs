//! The command line: every command's exit status, standard output and standard error.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::tool::{Ran, Tool, tiny_model};

const ARTICLE: &str = "The town council opened a new school\n\nThe council of Port Marlow opened a new school on Monday. It has room for 300 children.\n\nThe mayor thanked the builders, who finished two weeks early.\n";
const RUSSIAN: &str = "В городе открыли новую школу\n\nВ понедельник в городе открыли новую школу. В ней будут учиться 300 детей.\n";

fn ran(status: i32, out: &str, err: &str) -> Ran {
    Ran {
        status,
        out: out.to_owned(),
        err: err.to_owned(),
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Runs a table of cases and reports all that differ.
fn check(tool: &Tool, cases: &[(&[&str], Ran)]) {
    let mut wrong = Vec::new();
    for (arguments, expected) in cases {
        let found = tool.run(arguments);
        if found != *expected {
            wrong.push(format!(
                "newsml {}\nexpected {expected:#?}\nfound {found:#?}",
                arguments.join(" ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn usage_is_explained() {
    let tool = Tool::new()
        .file("a.txt", ARTICLE)
        .file("broken.toml", "[[model]]\nid = 1\n");
    check(
        &tool,
        &[
            (
                &["translte"],
                ran(
                    2,
                    "",
                    "error: unrecognized subcommand `translte`\n\nhint: a similar subcommand exists: `translate`\n",
                ),
            ),
            (
                &["summarize", "--lenght", "short"],
                ran(
                    2,
                    "",
                    "error: unexpected argument `--lenght` found\n\nhint: a similar argument exists: `--length`\n",
                ),
            ),
            (
                &["summarize", "--length", "long", "a.txt"],
                ran(
                    2,
                    "",
                    "error: invalid value `long` for `--length <LENGTH>` [possible values: headline, short, medium]\n\nhint: `newsml --help` shows what can be given\n",
                ),
            ),
            (
                &["translate", "a.txt"],
                ran(
                    2,
                    "",
                    "error: `--lang` is missing: the language to translate into\n\nhint: name it, as in `newsml translate --lang ru FILE`\n",
                ),
            ),
            (
                &["translate", "--lang", "fr", "a.txt"],
                ran(
                    2,
                    "",
                    "error: unknown language `fr`\n\nhint: the languages are `ar` (Arabic), `ru` (Russian) and `en` (English)\n",
                ),
            ),
            (
                &["summarize", "--device", "tpu", "a.txt"],
                ran(
                    2,
                    "",
                    "error: unknown device `tpu`\n\nhint: the devices are `auto`, `cpu`, `cuda`, `cuda:N`, `cuda:N,M` and `metal`\n",
                ),
            ),
            (
                &["summarize", "--model", "qwen-coder-0.5b", "a.txt"],
                ran(
                    2,
                    "",
                    "error: unknown model `qwen-coder-0.5b`\n\nhint: did you mean `qwen2.5-coder-0.5b-instruct`?\n",
                ),
            ),
            (
                &["summarize", "--model", "none.gguf", "a.txt"],
                ran(
                    2,
                    "",
                    "error: cannot read `none.gguf`: no such file or directory\n\nhint: check the spelling of the path\n",
                ),
            ),
            (
                &["models", "pull"],
                ran(
                    2,
                    "",
                    "error: the following required arguments were not provided: <ID>\n\nhint: `newsml models pull --help` shows what can be given\n",
                ),
            ),
            (
                &["models", "verify", "qwen2.5"],
                ran(
                    2,
                    "",
                    "error: unknown model `qwen2.5`\n\nhint: did you mean `qwen2.5-1.5b-instruct`, `qwen2.5-coder-1.5b-instruct`, `qwen2.5-coder-0.5b-instruct`?\n",
                ),
            ),
            (
                &["models", "list", "--registry", "none.toml"],
                ran(
                    2,
                    "",
                    "error: cannot read `none.toml`: no such file or directory\n\nhint: check the spelling of the path\n",
                ),
            ),
            (
                &["models", "list", "--registry", "broken.toml"],
                ran(
                    2,
                    "",
                    "error: registry `broken.toml` cannot be used: line 2: invalid type: integer `1`, expected a string\n\nhint: the head of `models.toml` in newsml's sources says what a registry holds\n",
                ),
            ),
        ],
    );
}

#[test]
fn help_names_the_exit_status_and_comes_at_once() {
    let tool = Tool::new();
    for arguments in [
        &["--help"][..],
        &["translate", "--help"],
        &["summarize", "--help"],
        &["inspect", "--help"],
        &["models", "--help"],
    ] {
        let found = tool.run(arguments);
        assert_eq!((found.status, found.err.as_str()), (0, ""), "{arguments:?}");
        assert!(
            found.out.contains("Exit status:\n  0  all done"),
            "{}",
            found.out
        );
    }
    let nothing = tool.run(&[]);
    assert_eq!((nothing.status, nothing.out.as_str()), (2, ""));
    assert!(nothing.err.contains("Usage: newsml"));
    let version = tool.run(&["--version"]);
    assert_eq!(
        version,
        ran(0, concat!("newsml ", env!("CARGO_PKG_VERSION"), "\n"), "")
    );
}

#[test]
fn bad_input_is_told_and_good_input_is_still_written() {
    let tool = Tool::new()
        .file("good.txt", ARTICLE)
        .file("empty.txt", "")
        .file("blank.txt", " \n\t\n")
        .file("latin.txt", b"caf\xe9 au lait")
        .file("none/picture.png", "x");
    let good = tool.run(&["inspect", "good.txt"]).out;
    let named = format!("==> good.txt <==\n{good}");
    let no_text = "\n\nhint: give a file with an article in it, or pipe text to standard input\n";
    let missing = "error: cannot read `missing.txt`: no such file or directory\n\nhint: check the spelling of the path\n";
    let latin = "error: `latin.txt` is not valid UTF-8: the first wrong byte is at offset 3\n\nhint: convert it first, for example with `iconv -f windows-1251 -t utf-8 latin.txt`\n";
    let folder = "error: the folder `none` holds no articles\n\nhint: articles are files whose names end with `.txt`, `.jsonl`, `.csv`, `.tsv`, `.html`, `.md`, `.docx`, `.srt` or `.vtt`; name others one by one\n";
    check(
        &tool,
        &[
            (&["inspect", "missing.txt"], ran(2, "", missing)),
            (
                &["inspect", "missing.txt", "good.txt"],
                ran(1, &named, missing),
            ),
            (
                &["inspect", "good.txt", "empty.txt"],
                ran(
                    1,
                    &named,
                    &format!("error: `empty.txt` holds no text{no_text}"),
                ),
            ),
            (
                &["inspect", "blank.txt", "empty.txt"],
                ran(
                    2,
                    "",
                    &format!(
                        "error: `blank.txt` holds no text{no_text}error: `empty.txt` holds no text\n"
                    ),
                ),
            ),
            (&["inspect", "latin.txt", "good.txt"], ran(1, &named, latin)),
            (&["inspect", "none"], ran(2, "", folder)),
            (&["inspect", "none", "good.txt"], ran(1, &good, folder)),
            (
                &["inspect", "-q", "missing.txt", "good.txt"],
                ran(1, &named, missing),
            ),
        ],
    );
    assert!(
        good.starts_with("The town council opened a new school\n\nThe council of Port Marlow"),
        "{good}"
    );
}

#[test]
fn ten_megabytes_on_one_line_are_read() {
    let line = "The council met on Monday. ".repeat(10 * 1024 * 1024 / 27);
    let tool = Tool::new().file("long.txt", &line);
    let start = Instant::now();
    let found = tool.run(&["inspect", "--json", "long.txt"]);
    assert_eq!(found.status, 0, "{}", found.err);
    assert_eq!(
        lines(&found.out)[0]["sentences"].as_array().unwrap().len(),
        10 * 1024 * 1024 / 27
    );
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn json_lines_answer_line_by_line() {
    let tool = Tool::new().file(
        "many.jsonl",
        "{\"id\": 7, \"text\": \"The mayor opened a school.\", \"desk\": \"city\"}\nnot json\n\n{\"id\": \"b\", \"text\": \"\"}\n{\"id\": \"c\", \"text\": \"Another article about the school.\"}\n",
    );
    let found = tool.run(&["inspect", "--json", "many.jsonl"]);
    assert_eq!(found.status, 1);
    let records = lines(&found.out);
    let ids: Vec<_> = records
        .iter()
        .map(|record| record["id"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(ids, ["7", "many.jsonl:2", "b", "c"]);
    assert_eq!(records[1]["error"]["kind"], "format");
    assert_eq!(records[2]["error"]["kind"], "empty");
    assert_eq!(
        records[0]["sentences"],
        json!([{ "paragraph": 0, "start": 0, "end": 26, "text": "The mayor opened a school." }])
    );
    let text = tool.run(&["inspect", "many.jsonl"]);
    assert_eq!(
        text.out,
        "==> 7 <==\nThe mayor opened a school.\n\n==> c <==\nAnother article about the school.\n"
    );
}

#[test]
fn what_is_read_and_not_its_name_says_what_its_lines_are() {
    let model = tiny_model();
    let translate = [
        "translate",
        "-q",
        "--lang",
        "ru",
        "--from",
        "en",
        "--max-tokens",
        "3",
        "--model",
        &model,
    ];
    let input = "{\"text\": \"The river rose.\"}\n{broken\n{\"text\": \"It rained.\"}\n";
    let tool = Tool::new().file("text.jsonl", "12 34\n");
    for arguments in [&["-"][..], &["--format", "jsonl"]] {
        let arguments = [&translate[..], arguments].concat();
        let found = tool.run_with_input(&arguments, input);
        let lines = lines(&found.out);
        assert_eq!((found.status, lines.len()), (1, 3), "{found:?}");
        assert!(lines[1]["error"]["kind"] == "format" && lines[2].get("error").is_none());
    }
    // A text is no line.
    let text = tool.run(&[
        "translate",
        "-q",
        "--lang",
        "ru",
        "--model",
        &model,
        "--format",
        "text",
        "text.jsonl",
    ]);
    assert_eq!(text.out, "", "{}", text.err);
    // Rows are told apart wherever they come from.
    let table = "id,text\n1,The river rose.\n2,It rained.\n";
    let found = tool.run_with_input(&["inspect", "--format", "csv"], table);
    assert_eq!(
        found.out,
        "==> 1 <==\nThe river rose.\n\n==> 2 <==\nIt rained.\n"
    );
}

#[test]
fn a_line_that_failed_before_goes_on_as_it_came() {
    let failed = "{\"id\": \"b\",  \"text\": \"12 34\", \"error\": {\"kind\": \"undetected_language\", \"message\": \"no language\", \"hint\": null}}";
    let textless =
        "{\"id\":\"c\",\"error\":{\"kind\":\"io\",\"message\":\"cannot read it\",\"hint\":null}}";
    let good = "{\"id\": \"a\", \"text\": \"The river rose.\", \"error\": null}";
    let tool = Tool::new();
    let model = tiny_model();
    let input = format!("{good}\n{failed}\n{textless}\n");
    let brief = ["--max-tokens", "3", "--model", &model];
    let found = tool.run_with_input(&[&["summarize", "--json"], &brief[..]].concat(), &input);
    assert_eq!(found.status, 1, "{}", found.err);
    let records = lines(&found.out);
    let before = lines(&input);
    assert_eq!(records[1..], before[1..]);
    assert_eq!(records[0]["error"], Value::Null);
    assert!(
        found
            .err
            .contains("error: `b`: an earlier command failed: no language\n"),
        "{}",
        found.err
    );
    // In its own form byte for byte.
    let found = tool.run_with_input(
        &[&["translate", "--lang", "ru", "--from", "en"], &brief[..]].concat(),
        &input,
    );
    assert_eq!(found.out.lines().nth(1), Some(failed));
    assert_eq!(found.out.lines().nth(2), Some(textless));
    // Where nothing else is there, nothing is run.
    let only = tool.run_with_input(
        &[&["summarize", "--json"], &brief[..]].concat(),
        &format!("{failed}\n"),
    );
    assert_eq!((only.status, &lines(&only.out)[0]), (2, &before[1]));
}

#[test]
fn many_inputs_are_no_reason_to_wait() {
    let tool = Tool::new();
    for number in 0..2000 {
        tool.write(&format!("in/{number}.txt"), "Alpha is a town.\n");
    }
    let start = Instant::now();
    assert_eq!(tool.run(&["inspect", "in", "-o", "out/"]), ran(0, "", ""));
    // Each input against each output took four times as long for twice as many.
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_language_that_cannot_be_told_can_be_said() {
    let model = tiny_model();
    let tool = Tool::new().file("digits.txt", "12 34\n");
    let summarize = [
        "summarize",
        "--max-tokens",
        "3",
        "--model",
        &model,
        "digits.txt",
    ];
    let found = tool.run(&summarize);
    assert!(
        found.err.contains("hint: name it with `--from ar`"),
        "{}",
        found.err
    );
    let found = tool.run(&[&summarize[..], &["--from", "en", "--json"]].concat());
    assert_eq!(found.status, 0, "{}", found.err);
    assert_eq!(lines(&found.out)[0]["source_language"], "en");
}

#[test]
fn a_setting_that_a_model_does_not_heed_is_refused() {
    let model = tiny_model();
    let tool = Tool::new().file("a.txt", ARTICLE);
    let found = tool.run(&[
        "translate",
        "--lang",
        "ru",
        "--beams",
        "4",
        "--model",
        &model,
        "a.txt",
    ]);
    let expected = format!(
        "error: `a.txt`: `{model}` takes no notice of `--beams`\n\nhint: leave `--beams` out, or name another model with `--model`\n"
    );
    assert_eq!((found.status, found.err), (2, expected));
}

#[test]
fn standard_input_and_folders_are_read() {
    let tool = Tool::new()
        .file("in/b.txt", "Beta is a town.\n")
        .file("in/a/a.txt", "Alpha is a town.\n")
        .file("in/.hidden.txt", "x")
        .file("in/c.png", "x");
    let found = tool.run(&["inspect", "in"]);
    assert_eq!(
        found,
        ran(
            0,
            "==> in/a/a.txt <==\nAlpha is a town.\n\n==> in/b.txt <==\nBeta is a town.\n",
            ""
        )
    );
    for arguments in [&["inspect"][..], &["inspect", "-"]] {
        assert_eq!(
            tool.run_with_input(arguments, "Gamma is a town.\n"),
            ran(0, "Gamma is a town.\n", "")
        );
    }
    let ids: Vec<_> = lines(&tool.run(&["inspect", "--json", "in"]).out)
        .iter()
        .map(|record| record["id"].clone())
        .collect();
    assert_eq!(ids, ["a/a.txt", "b.txt"]);
}

#[test]
fn outputs_appear_whole_and_never_over_an_input() {
    let tool = Tool::new()
        .file("in/a.txt", "Alpha is a town.\n")
        .file("in/s/a.txt", "Beta is a town.\n")
        .file("old.txt", "old");
    assert_eq!(tool.run(&["inspect", "in", "-o", "out/"]), ran(0, "", ""));
    assert_eq!(
        (tool.read("out/a.txt"), tool.read("out/s/a.txt")),
        ("Alpha is a town.\n".into(), "Beta is a town.\n".into())
    );
    assert_eq!(
        tool.run(&["inspect", "in/a.txt", "in/s/a.txt", "--json", "-o", "out"])
            .status,
        0
    );
    assert_eq!(tool.names("out"), ["a-2.jsonl", "a.jsonl", "a.txt", "s"]);

    assert_eq!(
        tool.run(&["inspect", "in", "-o", "all.txt"]),
        ran(0, "", "")
    );
    assert_eq!(
        tool.read("all.txt"),
        "==> in/a.txt <==\nAlpha is a town.\n\n==> in/s/a.txt <==\nBeta is a town.\n"
    );

    assert_eq!(
        tool.run(&["inspect", "in", "-o", "all.jsonl"]),
        ran(0, "", "")
    );
    assert_eq!(lines(&tool.read("all.jsonl")).len(), 2);

    let refused = |path: &str| {
        ran(
            2,
            "",
            &format!(
                "error: the input `{path}` would be written over\n\nhint: write to another file or folder with `-o`\n"
            ),
        )
    };
    check(
        &tool,
        &[
            (
                &["inspect", "in/a.txt", "-o", "in/a.txt"],
                refused("in/a.txt"),
            ),
            (
                &["inspect", "in/a.txt", "-o", "in/../in/a.txt"],
                refused("in/../in/a.txt"),
            ),
            (&["inspect", "in", "-o", "in"], refused("in/a.txt")),
            (
                &["inspect", "in/a.txt", "-o", "in/a.txt/x"],
                ran(
                    2,
                    "",
                    "error: cannot create `in/a.txt`: File exists (os error 17)\n",
                ),
            ),
        ],
    );
    // Nothing could be read: what was there before stays.
    assert_eq!(
        tool.run(&["inspect", "missing.txt", "-o", "old.txt"])
            .status,
        2
    );
    assert_eq!(tool.read("old.txt"), "old");
    assert_eq!(
        tool.names("."),
        ["all.jsonl", "all.txt", "in", "old.txt", "out"],
        "no temporary file is left"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_none() {
    let tool = Tool::new().file("a.txt", ARTICLE);
    let full = "error: cannot write `/dev/full`: no space left on the disk\n\nhint: free some space, or write elsewhere with `-o`\n";
    assert_eq!(
        tool.run(&["inspect", "a.txt", "-o", "/dev/full"]),
        ran(1, "", full)
    );
    let device = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let child = tool.spawn(tool.command(&["inspect", "a.txt"]).stdout(device));
    assert_eq!(
        tool.wait(child),
        ran(1, "", &full.replace("/dev/full", "standard output"))
    );

    for arguments in [
        &["inspect", "a.txt"][..],
        &["models", "list"],
        &["models", "list", "--json"],
    ] {
        let mut child = tool.spawn(&mut tool.command(arguments));
        drop(child.stdout.take());
        assert_eq!(tool.wait(child), ran(0, "", ""), "{arguments:?}");
    }
}

#[test]
fn models_are_listed_with_what_they_do() {
    let tool = Tool::new();
    let found = tool.run(&["models", "list"]);
    assert_eq!((found.status, found.err.as_str()), (0, ""));
    let row = found
        .out
        .lines()
        .find(|line| line.starts_with("qwen2.5-coder-0.5b-instruct"))
        .unwrap();
    assert!(
        row.contains("491 MB")
            && row.contains("693 MB")
            && row.contains("Apache-2.0")
            && row.contains("summarize ar en ru"),
        "{row}"
    );
    for line in found.out.lines().filter(|line| line.contains("-NC-")) {
        assert!(
            line.contains(" !  ") && !line.contains(['*', '+']),
            "{line}"
        );
    }
    for line in [
        "fast  summarize ar     qwen3-1.7b, qwen2.5-coder-1.5b-instruct, qwen2.5-coder-0.5b-instruct",
        "fast  translate ar-ru  through English, opus-mt-ar-ru, qwen3-1.7b, qwen2.5-coder-1.5b-instruct, qwen2.5-coder-0.5b-instruct",
        "best  translate ru-ar  hy-mt2-7b, hy-mt2-1.8b, hy-mt2-1.8b-q4",
    ] {
        assert!(
            found.out.lines().any(|found| found == line),
            "{line}: {}",
            found.out
        );
    }
    let row = |id: &str| {
        let mut lines = found.out.lines();
        lines
            .find(|line| line.starts_with(&format!("{id} ")))
            .unwrap()
    };
    assert!(row("hy-mt2-7b").ends_with("translate ar-en+ ar-ru+ en-ar+ en-ru+ ru-ar+ ru-en+"));
    assert!(row("firefox-base-ar-en").ends_with("translate ar-en*"));
    assert!(
        found
            .out
            .contains("\n!  the licence forbids commercial use; no default\n")
    );
    let records = lines(&tool.run(&["models", "list", "--json"]).out);
    let nllb = records
        .iter()
        .find(|record| record["id"] == "nllb-200-distilled-600m")
        .unwrap();
    assert_eq!(nllb["licence"], "CC-BY-NC-4.0");
    assert_eq!(nllb["default_for"], json!([]));
    assert_eq!(nllb["best_for"], json!([]));
    assert!(
        records
            .iter()
            .all(|record| record["memory"].as_u64() >= record["size"].as_u64())
    );
    assert!(nllb["notice"].as_str().unwrap().contains("commercial"));
    assert!(records.iter().all(
        |record| record["cached"] == false && !record["sources"].as_array().unwrap().is_empty()
    ));

    check(
        &tool,
        &[
            (
                &["models", "path", "qwen2.5-coder-0.5b-instruct"],
                ran(
                    2,
                    "",
                    "error: model `qwen2.5-coder-0.5b-instruct` is not in the cache\n\nhint: fetch it with `newsml models pull qwen2.5-coder-0.5b-instruct`\n",
                ),
            ),
            (
                &["models", "pull", "--offline", "qwen2.5-1.5b-instruct"],
                ran(
                    2,
                    "",
                    "error: model `qwen2.5-1.5b-instruct` is not in the cache and the network is off (`--offline`)\n\nhint: run `newsml models pull qwen2.5-1.5b-instruct` while there is a network\n",
                ),
            ),
            (
                &["models", "verify"],
                ran(0, "", "note: no model is in the cache\n"),
            ),
            (&["models", "verify", "-q"], ran(0, "", "")),
            (
                &["models", "remove", "qwen2.5-1.5b-instruct"],
                ran(
                    0,
                    "qwen2.5-1.5b-instruct 0 B freed\n",
                    "note: `qwen2.5-1.5b-instruct` is not in the cache\n",
                ),
            ),
        ],
    );
}

#[test]
fn without_a_model_nothing_is_run() {
    let tool = Tool::new()
        .file("a.txt", ARTICLE)
        .file("cut.gguf", &std::fs::read(tiny_model()).unwrap()[..2000]);
    let offline = tool.run(&["summarize", "--offline", "a.txt"]);
    assert_eq!((offline.status, offline.out.as_str()), (2, ""));
    assert!(
        offline
            .err
            .contains("is not in the cache and the network is off"),
        "{}",
        offline.err
    );
    assert!(
        offline.err.contains("hint: run `newsml models pull "),
        "{}",
        offline.err
    );
    let corrupt = tool.run(&["summarize", "--json", "--model", "cut.gguf", "a.txt"]);
    assert_eq!(corrupt.status, 2);
    assert!(
        corrupt.err.contains("`cut.gguf` cannot be loaded"),
        "{}",
        corrupt.err
    );
    assert_eq!(lines(&corrupt.out)[0]["error"]["kind"], "corrupt_model");
}

/// A field says Russian, the text is English: there is nothing to do, and no model is asked for.
#[test]
fn no_model_is_loaded_where_nothing_is_translated() {
    let text = "The council approved the budget on Monday, and nobody was surprised by it.";
    let tool = Tool::new().file(
        "a.jsonl",
        format!("{{\"language\": \"ru\", \"text\": \"{text}\"}}\n"),
    );
    let ran = tool.run(&[
        "translate",
        "--json",
        "--offline",
        "--lang",
        "en",
        "a.jsonl",
    ]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let record = &lines(&ran.out)[0];
    assert_eq!(record["text"], text);
    assert_eq!(record["language"], "en");
    assert_eq!(record["warnings"][0]["kind"], "not_needed");
    assert_eq!(record["warnings"].as_array().unwrap().len(), 1);
    let other = tool.run(&[
        "translate",
        "--json",
        "--offline",
        "--lang",
        "ar",
        "a.jsonl",
    ]);
    assert_eq!(other.status, 2, "{}", other.err);
}

#[test]
fn results_keep_the_fields_of_their_input_and_feed_the_next_command() {
    let model = tiny_model();
    let input = format!(
        "{}\n{}\n",
        json!({ "id": 1, "text": ARTICLE, "desk": "city" }),
        json!({ "id": 2, "text": RUSSIAN })
    );
    let tool = Tool::new().file("in.jsonl", input);
    let found = tool.run(&[
        "translate",
        "--lang",
        "ar",
        "--json",
        "--segments",
        "--max-tokens",
        "8",
        "--model",
        &model,
        "in.jsonl",
    ]);
    assert_eq!(found.status, 0, "{}", found.err);
    let records = lines(&found.out);
    assert_eq!(
        records
            .iter()
            .map(|record| &record["id"])
            .collect::<Vec<_>>(),
        [&json!(1), &json!(2)]
    );
    assert_eq!(
        (
            &records[0]["desk"],
            &records[0]["language"],
            &records[0]["source_language"]
        ),
        (&json!("city"), &json!("ar"), &json!("en"))
    );
    assert_eq!(
        (&records[1]["source_language"], &records[1]["model"]),
        (&json!("ru"), &json!(model))
    );
    assert_eq!(records[0]["segments"].as_array().unwrap().len(), 4);
    assert!(records[0]["warnings"].is_array() && records[0]["text"].is_string());

    let chained = tool.run_with_input(
        &[
            "summarize",
            "--json",
            "--max-tokens",
            "8",
            "--model",
            &model,
            "-",
        ],
        &found.out,
    );
    let records = lines(&chained.out);
    assert_eq!(chained.status, 0, "{}", chained.err);
    assert_eq!(
        (
            &records[0]["id"],
            &records[0]["desk"],
            &records[0]["language"]
        ),
        (&json!(1), &json!("city"), &json!("ar"))
    );
    assert!(records[0].get("segments").is_none());
}

#[test]
fn a_document_that_fails_leaves_the_others() {
    let model = tiny_model();
    let tool = Tool::new()
        .file("en.txt", ARTICLE)
        .file("digits.txt", "12 34\n");
    let found = tool.run(&[
        "summarize",
        "--json",
        "--max-tokens",
        "4",
        "--model",
        &model,
        "digits.txt",
        "en.txt",
    ]);
    assert_eq!(found.status, 1, "{}", found.err);
    let records = lines(&found.out);
    assert_eq!(records[0]["error"]["kind"], "undetected_language");
    assert_eq!(records[1]["id"], "en.txt");
    assert!(records[1].get("error").is_none());
}

#[cfg(unix)]
#[test]
fn the_first_interrupt_writes_what_is_done() {
    let model = tiny_model();
    let tool = Tool::new();
    // More than one window of documents, so that the first is written before the work is over.
    for number in 0..2000 {
        tool.write(
            &format!("in/{number:04}.txt"),
            format!("{number} {RUSSIAN}"),
        );
    }
    let mut command = tool.command(&[
        "translate",
        "--lang",
        "en",
        "--json",
        "--max-tokens",
        "30",
        "--model",
        &model,
        "in",
    ]);
    let mut child = tool.spawn(&mut command);
    let mut out = child.stdout.take().unwrap();
    let mut first = [0_u8; 1];
    out.read_exact(&mut first).unwrap();
    tool.interrupt(&child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let status = child.wait_with_output().unwrap();
    let err = String::from_utf8(status.stderr).unwrap();
    assert_eq!(status.status.code(), Some(1), "{err}");
    assert!(err.contains("note: interrupted: "), "{err}");
    let written = lines(&format!("{}{rest}", char::from(first[0])));
    assert!(
        !written.is_empty() && written.len() < 2000,
        "{}",
        written.len()
    );
    assert!(written.iter().all(|record| record.get("error").is_none()));
}

#[test]
fn colours_are_for_terminals_alone() {
    let tool = Tool::new().variable("NO_COLOR", "1");
    assert!(!tool.run(&["inspect", "missing.txt"]).err.contains('\u{1b}'));
    let child = Tool::new();
    let output = child
        .command(&["--help"])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(!output.stdout.contains(&0x1b));
}

#[test]
fn a_device_that_is_not_there_is_said_before_anything_is_run() {
    let tool = Tool::new().file("a.txt", "The council opened a new school on Monday.\n");
    let missing = |device: &str| {
        let found = tool.run(&["summarize", "--offline", "--device", device, "a.txt"]);
        assert_eq!((found.status, found.out.as_str()), (2, ""), "{}", found.err);
        found.err
    };
    assert_eq!(
        missing("cuda:1,1"),
        "error: device `cuda:1,1` names card 1 twice\n\nhint: name each card once, as in `cuda:0,1`\n"
    );
    // With the feature it depends on the machine whether there is a card.
    if cfg!(not(feature = "cuda")) {
        for (device, name) in [("cuda", "cuda:0"), ("cuda:0,1", "cuda:0,1")] {
            assert_eq!(
                missing(device),
                format!(
                    "error: device `{name}` cannot be used: this build of newsml was made without CUDA\n\nhint: build it with `cargo install --path . --features cuda`, or use `--device cpu`\n"
                )
            );
        }
    }
    if cfg!(not(feature = "metal")) {
        assert!(missing("metal").contains("--features metal"));
    }
}

#[test]
fn glossaries_are_checked_before_anything_is_run() {
    let tool = Tool::new()
        .file("a.txt", ARTICLE)
        .file("good.tsv", "school\tшкола\n")
        .file("bad.tsv", "school школа\n");
    let model = tiny_model();
    let run = |more: &[&str]| {
        let arguments = [
            "translate",
            "--lang",
            "ru",
            "--max-tokens",
            "4",
            "--model",
            &model,
            "a.txt",
        ];
        tool.run(&[&arguments, more].concat())
    };
    let bad = run(&["--glossary", "bad.tsv"]);
    assert_eq!((bad.status, bad.out.as_str()), (2, ""));
    assert!(
        bad.err.starts_with(
            "error: glossary `bad.tsv` cannot be used: line 1: there is no tab in it\n\nhint: "
        ),
        "{}",
        bad.err
    );
    // What the model writes is nonsense: every guard that speaks is counted, and so are the terms.
    let good = run(&["--glossary", "good.tsv", "--keep", "Port Marlow"]);
    assert_eq!(good.status, 0, "{}", good.err);
    let closing = good.err.lines().last().unwrap();
    assert!(closing.starts_with("note: 1 document in "), "{closing}");
    for part in [
        " kept with warnings: ",
        "glossary_missed 2",
        "terms: 0 held, 3 missed",
    ] {
        assert!(closing.contains(part), "`{part}` is not in {closing}");
    }
}
