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

/// Translates into an output with the tiny model.
pub(crate) fn run(tool: &Tool, output: &str, inputs: &[&str]) -> Ran {
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
    assert!(!with(&["--keep", "Ship"]).err.contains("earlier run"));
    assert!(
        !with(&["--keep", "Ship", "--redo"])
            .err
            .contains("earlier run")
    );
    assert!(
        with(&["--keep", "Ship", "--threads", "1"])
            .err
            .contains(&done(4))
    );
}

/// Lines of JSON, more than one window of them.
fn lines(count: usize) -> String {
    let line = |number: usize| {
        let line = serde_json::json!({ "id": number.to_string(), "text": article(number) });
        format!("{line}\n")
    };
    (0..count).map(line).collect()
}

/// Starts a job and stops it as soon as some of its documents are kept in a file.
#[cfg(unix)]
fn interrupted(tool: &Tool, arguments: &[&str], kept: &str) -> Ran {
    let child = tool.spawn(&mut tool.command(arguments));
    let kept = tool.path(kept);
    while std::fs::metadata(&kept).map_or(0, |data| data.len()) == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    tool.interrupt(&child);
    let ran = tool.wait(child);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("note: interrupted: "), "{}", ran.err);
    ran
}

#[cfg(unix)]
#[test]
fn an_output_that_is_interrupted_replaces_none_and_is_gone_on_with() {
    let tool = Tool::new().file("in.jsonl", lines(120));
    let whole = run(&tool, "out/", &["in.jsonl"]);
    assert_eq!(whole.status, 0, "{}", whole.err);
    let expected = tool.read("out/in.jsonl");
    let model = tiny_model();
    let arguments = translate(&model, "out/", &["in.jsonl"]);
    let redo = [&arguments[..], &["--redo"]].concat();
    interrupted(&tool, &redo, "out/.newsml-unfinished.jsonl");
    assert!(tool.read("out/in.jsonl") == expected, "it was replaced");
    // What is done of `--redo` is not done again, and what is not done does not count as done.
    let rest = tool.run(&arguments);
    assert_eq!(rest.status, 0, "{}", rest.err);
    let note = "documents done by an earlier run";
    assert!(rest.err.contains(note) && !rest.err.contains(&format!("120 {note}")));
    assert!(tool.read("out/in.jsonl") == expected);
    assert_eq!(tool.names("out"), [".newsml-journal.jsonl", "in.jsonl"]);

    // One file, which is there already, from an input whose name does not tell its format.
    tool.write("data", lines(120));
    tool.write("all.jsonl", "older");
    let arguments = translate(&model, "all.jsonl", &["data"]);
    let unfinished = ".all.jsonl.newsml-unfinished.jsonl";
    interrupted(&tool, &arguments, unfinished);
    assert_eq!(tool.read("all.jsonl"), "older");
    assert!(tool.path(unfinished).exists());
    let rest = tool.run(&arguments);
    assert_eq!(rest.status, 0, "{}", rest.err);
    assert!(rest.err.contains(note), "{}", rest.err);
    assert_eq!(tool.read("all.jsonl").lines().count(), 120);
    assert!(!tool.path(unfinished).exists());
}

#[test]
fn an_output_with_failures_never_counts_as_done() {
    let tool = Tool::new().file(
        "in.jsonl",
        "{\"id\": \"a\", \"text\": \"The river rose.\", \"body\": \"It fell.\"}\n{\"id\": \"b\", \"text\": \"The town is wet.\"}\n",
    );
    let whole = run(&tool, "out/", &["in.jsonl"]);
    assert_eq!(whole.status, 0, "{}", whole.err);
    let expected = tool.read("out/in.jsonl");
    let other = run(&tool, "out/", &["--field", "body", "in.jsonl"]);
    assert_eq!(other.status, 1, "{}", other.err);
    assert_ne!(tool.read("out/in.jsonl"), expected);
    let again = run(&tool, "out/", &["in.jsonl"]);
    assert_eq!(again.status, 0, "{}", again.err);
    assert_eq!(tool.read("out/in.jsonl"), expected);
}

#[test]
fn an_output_that_somebody_changed_is_left_and_told() {
    let tool = Tool::new().file("in/a.txt", article(1));
    assert_eq!(run(&tool, "out/", &["in"]).status, 0);
    let expected = tool.read("out/a.txt");
    tool.write("out/a.txt", "corrected");
    let changed = run(&tool, "out/", &["in"]);
    let warning = "warning: `out/a.txt` was changed since it was written, and is left as it is; delete it to have it made again\n";
    assert!(changed.err.contains(warning), "{}", changed.err);
    assert_eq!(
        (changed.status, tool.read("out/a.txt").as_str()),
        (0, "corrected")
    );
    std::fs::remove_file(tool.path("out/a.txt")).unwrap();
    assert_eq!(run(&tool, "out/", &["in"]).status, 0);
    assert_eq!(tool.read("out/a.txt"), expected);
}

#[test]
fn where_nothing_succeeds_an_older_result_stays() {
    let tool = Tool::new()
        .file("digits.txt", "12 34\n")
        .file("old.jsonl", "older");
    let model = tiny_model();
    for input in ["missing.txt", "digits.txt"] {
        let found = tool.run(&["summarize", "--model", &model, "-o", "old.jsonl", input]);
        assert_ne!(found.status, 0);
        assert_eq!(tool.read("old.jsonl"), "older");
    }
}

#[test]
fn documents_without_names_are_known_under_another_place_and_then_forgotten() {
    let line = |number: usize| format!("{}\n", serde_json::json!({ "text": article(number) }));
    let tool = Tool::new().file("in.jsonl", line(1) + "{broken\n");
    assert_eq!(run(&tool, "out/", &["in.jsonl"]).status, 1);
    let kept = ".newsml-unfinished.jsonl";
    assert!(tool.names("out").contains(&kept.to_owned()));
    // Another line, another name.
    std::fs::remove_file(tool.path("in.jsonl")).unwrap();
    tool.write("new.jsonl", line(2) + &line(1));
    let second = run(&tool, "out/", &["new.jsonl", "--json"]);
    assert_eq!(second.status, 0, "{}", second.err);
    // The form is another one; in the same form it is known.
    std::fs::remove_file(tool.path("out/new.jsonl")).unwrap();
    let third = run(&tool, "out/", &["new.jsonl"]);
    assert!(
        third
            .err
            .contains("note: 1 document done by an earlier run"),
        "{}",
        third.err
    );
    // What was kept for `in.jsonl` stays until that is done.
    assert!(tool.names("out").contains(&kept.to_owned()));
    tool.write("in.jsonl", line(3) + &line(1));
    let last = run(&tool, "out/", &["in.jsonl"]);
    assert_eq!(last.status, 0, "{}", last.err);
    assert!(last.err.contains("note: 1 document done by an earlier run"));
    assert!(!tool.names("out").contains(&kept.to_owned()));
    // The name in the output is that of its place now.
    tool.write("in.jsonl", line(4) + "{broken\n");
    assert_eq!(run(&tool, "json/", &["in.jsonl", "--json"]).status, 1);
    tool.write("in.jsonl", line(5) + &line(4));
    assert_eq!(run(&tool, "json/", &["in.jsonl", "--json"]).status, 0);
    let output = tool.read("json/in.jsonl");
    let ids = output.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["id"].as_str().unwrap().to_owned()
    });
    assert_eq!(ids.collect::<Vec<_>>(), ["in.jsonl:1", "in.jsonl:2"]);
}

#[test]
fn an_output_that_cannot_be_created_leaves_the_others() {
    // As long as names can be, with every output name below that.
    let long = format!("{}.txt", "н".repeat(125));
    let tool = Tool::new()
        .file(&format!("in/{long}"), article(1))
        .file("in/s/b.txt", article(2))
        .file("in/z.txt", article(3))
        .file("out/s", "a file where a folder should be");
    let found = run(&tool, "out/", &["in"]);
    assert_eq!(found.status, 1, "{}", found.err);
    assert!(
        found.err.contains("error: cannot create `out/s`"),
        "{}",
        found.err
    );
    assert_eq!(found.err.matches("error: ").count(), 1, "{}", found.err);
    let known: Vec<String> = visible(&tool.path("out"))
        .into_keys()
        .filter(|name| name != "s")
        .collect();
    assert_eq!(known, ["z.txt".to_owned(), long.clone()]);
    // A name that becomes too long by its extension, which is seen when the output is put in its place.
    let json = run(&tool, "json/", &["in", "--json"]);
    assert_eq!(json.status, 1, "{}", json.err);
    assert_eq!(json.err.matches("error: ").count(), 1, "{}", json.err);
    assert_eq!(
        tool.names("json"),
        [".newsml-journal.jsonl", "s", "z.jsonl"]
    );
    std::fs::remove_file(tool.path("out/s")).unwrap();
    let rest = run(&tool, "out/", &["in"]);
    assert_eq!(rest.status, 0, "{}", rest.err);
    assert!(
        rest.err
            .contains("note: 2 documents done by an earlier run")
    );
    // One file, by a name as long.
    assert_eq!(run(&tool, &long, &["in"]).status, 0);
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
    let found = tool.run_limited(4, &translate(&model, "out/", &["in"]));
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
