//! Long jobs: killed at any moment they go on where they stopped, nothing is lost, nothing is done twice,
//! and no file is ever half written. On a tiny model with random weights.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::tool::{Ran, Tool, tiny_model};

/// Documents of a job, and how often it is killed.
const DOCUMENTS: usize = 100;
const KILLS: usize = 20;

fn article(number: usize) -> String {
    let mut text = format!("Ship number {number} left the harbour on Monday");
    for crew in 0..8 {
        write!(text, ", with sailor {} of crew {crew}", number * 7 + crew).unwrap();
    }
    text + ".\n"
}

fn translate<'a>(model: &'a str, output: &'a str, inputs: &'a [&'a str]) -> Vec<&'a str> {
    let options = [
        "translate",
        "--raw",
        "--from",
        "en",
        "--lang",
        "ru",
        "--max-tokens",
        "3",
    ];
    [&options[..], &["--model", model, "-o", output], inputs].concat()
}

fn run(tool: &Tool, output: &str, inputs: &[&str]) -> Ran {
    tool.run(&translate(&tiny_model(), output, inputs))
}

/// Files that a user sees, with their content and the time of the last change.
fn visible(folder: &Path) -> BTreeMap<String, (String, SystemTime)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap())
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let content = std::fs::read_to_string(entry.path()).unwrap();
            (
                name,
                (content, entry.metadata().unwrap().modified().unwrap()),
            )
        })
        .collect()
}

/// Moments that differ from kill to kill, spread over the length of the job.
fn delay(kill: usize, whole: Duration) -> Duration {
    let part = (kill * 7919 + 13) % 97;
    whole.mul_f64(0.02 + part as f64 / 97.0 * 0.7)
}

/// Runs a job and kills it; whether it was killed before it ended.
fn killed(tool: &Tool, arguments: &[&str], after: Duration) -> bool {
    let mut child = tool.spawn(&mut tool.command(arguments));
    std::thread::sleep(after);
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait_with_output().unwrap();
    running
}

#[test]
fn a_folder_survives_being_killed() {
    let tool = Tool::new();
    for number in 0..DOCUMENTS {
        tool.write(&format!("in/{number}.txt"), article(number));
    }
    let start = std::time::Instant::now();
    let whole = run(&tool, "expected/", &["in"]);
    let time = start.elapsed();
    assert_eq!(whole.status, 0, "{}", whole.err);
    let expected = visible(&tool.path("expected"));
    assert_eq!(expected.len(), DOCUMENTS);

    let model = tiny_model();
    let (mut kills, mut round, mut partial) = (0, 0, 0);
    while kills < KILLS {
        round += 1;
        let folder = format!("out{round}");
        let output = format!("{folder}/");
        let arguments = translate(&model, &output, &["in"]);
        let mut before = BTreeMap::new();
        loop {
            let is_killed = kills < KILLS && killed(&tool, &arguments, delay(kills, time));
            if !is_killed {
                assert_eq!(tool.run(&arguments).status, 0);
            }
            kills += usize::from(is_killed);
            let now = visible(&tool.path(&folder));
            for (name, (content, _)) in &now {
                assert_eq!(
                    *content, expected[name].0,
                    "`{name}` is not what it should be"
                );
            }
            for (name, known) in &before {
                assert_eq!(now.get(name), Some(known), "`{name}` was done twice");
            }
            partial += usize::from((1..DOCUMENTS).contains(&now.len()));
            before = now;
            if !is_killed {
                break;
            }
        }
        assert_eq!(before.len(), DOCUMENTS, "something was lost");
        let hidden: Vec<String> = tool.names(&folder);
        let hidden: Vec<_> = hidden.iter().filter(|name| name.starts_with('.')).collect();
        assert_eq!(
            hidden,
            [".newsml-journal.jsonl"],
            "something was left behind"
        );
        // With nothing left to do, nothing is touched.
        let again = tool.run(&arguments);
        assert_eq!(
            (again.status, again.err.as_str()),
            (
                0,
                "note: 100 documents done by an earlier run; `--redo` does all anew\n"
            )
        );
        assert_eq!(visible(&tool.path(&folder)), before);
    }
    assert!(partial > 0, "no kill came in the midst of the work");
}

#[test]
fn one_file_survives_being_killed() {
    let tool = Tool::new();
    let lines: String = (0..DOCUMENTS)
        .map(|number| {
            let line = serde_json::json!({ "id": number.to_string(), "text": article(number) });
            format!("{line}\n")
        })
        .collect();
    tool.write("in.jsonl", lines);
    let start = std::time::Instant::now();
    assert_eq!(run(&tool, "expected.jsonl", &["in.jsonl"]).status, 0);
    let time = start.elapsed();
    let expected = tool.read("expected.jsonl");

    let model = tiny_model();
    let arguments = translate(&model, "out.jsonl", &["in.jsonl"]);
    let unfinished = tool.path(".out.jsonl.newsml-unfinished.jsonl");
    let mut kept: Vec<String> = Vec::new();
    for kill in 0..KILLS {
        if !killed(&tool, &arguments, delay(kill, time)) {
            break;
        }
        // It is there whole or not at all.
        if let Ok(text) = std::fs::read_to_string(tool.path("out.jsonl")) {
            assert_eq!(text, expected);
            break;
        }
        let text = std::fs::read_to_string(&unfinished).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let now: Vec<String> = whole.lines().map(str::to_owned).collect();
        assert_eq!(now[..kept.len()], kept, "something was lost");
        let keys: HashSet<String> = now
            .iter()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                line["key"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(keys.len(), now.len(), "something was done twice");
        kept = now;
    }
    assert_eq!(tool.run(&arguments).status, 0);
    assert_eq!(tool.read("out.jsonl"), expected);
    assert!(!unfinished.exists(), "something was left behind");
}

#[test]
fn what_changed_is_done_anew_and_nothing_else() {
    let tool = Tool::new();
    for number in 0..4 {
        tool.write(&format!("in/{number}.txt"), article(number));
    }
    assert_eq!(run(&tool, "out/", &["in"]).status, 0);
    let first = visible(&tool.path("out"));
    let done =
        |count| format!("note: {count} documents done by an earlier run; `--redo` does all anew\n");

    // Another text, an output that was deleted, an input with a new name.
    tool.write("in/0.txt", article(50));
    std::fs::remove_file(tool.path("out/1.txt")).unwrap();
    std::fs::rename(tool.path("in/2.txt"), tool.path("in/renamed.txt")).unwrap();
    let second = run(&tool, "out/", &["in"]);
    assert_eq!(
        (second.status, second.err.contains(&done(2))),
        (0, true),
        "{}",
        second.err
    );
    let now = visible(&tool.path("out"));
    assert_ne!(now["0.txt"].0, first["0.txt"].0);
    assert_eq!(now["1.txt"].0, first["1.txt"].0);
    assert_eq!(now["renamed.txt"].0, first["2.txt"].0);
    assert_eq!(now["3.txt"], first["3.txt"]);

    // Another setting; all anew on demand; threads are no setting of the result.
    let with = |option: &[&str]| run(&tool, "out/", &[option, &["in"]].concat());
    assert!(!with(&["--beams", "2"]).err.contains("earlier run"));
    assert!(
        !with(&["--beams", "2", "--redo"])
            .err
            .contains("earlier run")
    );
    assert!(
        with(&["--beams", "2", "--threads", "1"])
            .err
            .contains(&done(4))
    );
}

#[test]
fn lines_with_failures_are_tried_again() {
    let line = |id: usize| serde_json::json!({ "id": id.to_string(), "text": article(id) });
    let tool = Tool::new().file("in.jsonl", format!("{}\n{{broken\n{}\n", line(1), line(2)));
    let first = run(&tool, "out/", &["in.jsonl"]);
    assert_eq!(first.status, 1);
    let texts = || -> Vec<Value> {
        let text = tool.read("out/in.jsonl");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &Value| line.get("error").is_none())
            .collect()
    };
    let before = texts();
    tool.write(
        "in.jsonl",
        format!("{}\n{}\n{}\n", line(1), line(3), line(2)),
    );
    let second = run(&tool, "out/", &["in.jsonl"]);
    assert_eq!(second.status, 0, "{}", second.err);
    assert!(
        second
            .err
            .contains("note: 2 documents done by an earlier run"),
        "{}",
        second.err
    );
    let after = texts();
    assert!(before.iter().all(|line| after.contains(line)));
    assert_eq!((before.len(), after.len()), (2, 3));
    assert_eq!(tool.names("out"), [".newsml-journal.jsonl", "in.jsonl"]);
}

#[test]
fn two_runs_at_once_keep_out_of_each_others_way() {
    let tool = Tool::new();
    for number in 0..DOCUMENTS {
        tool.write(&format!("in/{number}.txt"), article(number));
    }
    let model = tiny_model();
    let arguments = translate(&model, "out/", &["in"]);
    let first = tool.spawn(&mut tool.command(&arguments));
    while !tool.path("out/.newsml-journal.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(50));
    let second = tool.run(&arguments);
    let message = "error: another newsml is writing to the same place: it holds `out/.newsml-journal.jsonl`\n\nhint: wait until it has ended, or write elsewhere with `-o`\n";
    assert_eq!((second.status, second.err.as_str()), (2, message));
    assert_eq!(tool.wait(first).status, 0);
    assert_eq!(visible(&tool.path("out")).len(), DOCUMENTS);
}

/// A file may grow to so many blocks and no further, as on a disk that is full.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let tool = Tool::new();
    for number in 0..30 {
        tool.write(&format!("in/{number}.txt"), article(number));
    }
    let expected = run(&tool, "expected/", &["in"]);
    assert_eq!(expected.status, 0);
    let model = tiny_model();
    let program = tool.command(&[]).get_program().to_owned();
    let mut shell = std::process::Command::new("sh");
    shell
        .current_dir(tool.path(""))
        .env("HF_HOME", tool.path("cache"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "sh"])
        .arg(program)
        .args(translate(&model, "out/", &["in"]));
    let found = tool.wait(shell.spawn().unwrap());
    assert_eq!(found.status, 1, "{}", found.err);
    assert!(
        found
            .err
            .contains("error: cannot write `out/.newsml-journal.jsonl`"),
        "{}",
        found.err
    );
    let expected = visible(&tool.path("expected"));
    let partial = visible(&tool.path("out"));
    assert!(!partial.is_empty() && partial.len() < 30);
    assert!(
        partial
            .iter()
            .all(|(name, (content, _))| expected[name].0 == *content)
    );
    // With room again it goes on.
    let rest = run(&tool, "out/", &["in"]);
    assert_eq!(rest.status, 0, "{}", rest.err);
    let now = visible(&tool.path("out"));
    assert!(partial.iter().all(|(name, known)| now[name] == *known) && now.len() == 30);
}
