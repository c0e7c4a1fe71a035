//! What lies in the working folder or the output folder does no harm: nothing of it runs, and no link
//! in it leads a write elsewhere.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::jobs::run;
use crate::store::entry;
use crate::tool::Tool;

/// A model that is fetched with `pip`.
const WHEELS: &str = r#"[[model.sources]]
kind = "wheels"
[[model.sources.files]]
name = "f.bin"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
size = 10
package = "some-package"
version = "1.0.0"
member = "a/b""#;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn no_module_or_program_beside_an_article_runs() {
    // The real interpreter, where there is one; the index is nowhere.
    let trace = "import os; open(os.path.join(os.environ['HF_HOME'], '..', 'EXECUTED'), 'a').write(__file__)\n";
    let shell = "#!/bin/sh\necho \"$0\" >> \"$HF_HOME/../EXECUTED\"\n";
    let mut tool = Tool::new()
        .file("registry.toml", entry("wheel-model", WHEELS))
        .file("article.txt", "The bridge is open.\n");
    for module in [
        "pip",
        "sitecustomize",
        "usercustomize",
        "zipfile",
        "requests",
        "ssl",
        "encodings",
    ] {
        tool.write(&format!("{module}.py"), trace);
    }
    tool.write("pip/__main__.py", trace);
    for program in ["python3", "pip", "sh", "env"] {
        tool.write(&format!("bin/{program}"), shell);
        fs::copy(tool.path(&format!("bin/{program}")), tool.path(program)).unwrap_or_default();
        for place in [format!("bin/{program}"), program.to_owned()] {
            let place = tool.path(&place);
            if place.is_file() {
                fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }
    let here = tool.path("").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    tool = tool
        .variable("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .variable("PIP_RETRIES", "0")
        .variable("PYTHONPATH", format!(".:{here}"))
        .variable("PYTHONSTARTUP", "pip.py");
    for path in [
        path.clone(),
        format!(".:{path}"),
        format!(":bin:{path}"),
        format!("{here}:{path}"),
    ] {
        for arguments in [
            &[
                "models",
                "pull",
                "wheel-model",
                "--registry",
                "registry.toml",
            ][..],
            &[
                "summarize",
                "--registry",
                "registry.toml",
                "--model",
                "wheel-model",
                "article.txt",
            ],
        ] {
            let mut command = tool.command(arguments);
            let ran = tool.wait(command.env("PATH", &path).spawn().unwrap());
            assert_ne!(ran.status, 0, "{ran:?}");
            let executed = fs::read_to_string(tool.path("EXECUTED")).unwrap_or_default();
            assert_eq!(executed, "", "PATH={path} {arguments:?}");
        }
    }
}

#[test]
fn a_link_under_a_name_that_newsml_uses_is_not_followed() {
    let tool = Tool::new()
        .file("in/a.txt", "A ship left.\n")
        .file("in/b.txt", "A ship came.\n");
    tool.write("victim", "precious");
    fs::create_dir(tool.path("out")).unwrap();
    for name in ["out/.newsml-journal.jsonl", "out/.newsml-unfinished.jsonl"] {
        symlink(tool.path("victim"), tool.path(name)).unwrap();
    }
    let ran = run(&tool, "out", &["in"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains(".newsml-journal.jsonl"), "{ran:?}");
    assert_eq!(tool.read("victim"), "precious");
}

#[test]
fn a_journal_from_outside_moves_no_files_elsewhere() {
    let tool = Tool::new()
        .file("in/a.txt", "A ship left.\n")
        .file("victim", "precious")
        .file("out/bait", "bait");
    let sha256 = crate::fake_hub::sha256(b"bait");
    tool.write(
        "out/.newsml-journal.jsonl",
        format!("{{\"output\":\"../victim\",\"input\":\"x\",\"sha256\":\"{sha256}\",\"temporary\":\"bait\"}}\n"),
    );
    let ran = run(&tool, "out", &["in"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(
        (tool.read("victim"), tool.read("out/bait")),
        ("precious".to_owned(), "bait".to_owned())
    );
}

#[test]
fn an_output_keeps_the_permissions_of_the_file_that_it_replaces() {
    let tool = Tool::new()
        .file("x.txt", "A ship left.\n")
        .file("one.txt", "old")
        .file("out/x.txt", "old");
    for name in ["one.txt", "out/x.txt"] {
        fs::set_permissions(tool.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    symlink(tool.path("one.txt"), tool.path("link.txt")).unwrap();
    for (output, file) in [
        ("one.txt", "one.txt"),
        ("out", "out/x.txt"),
        ("link.txt", "one.txt"),
    ] {
        let ran = run(&tool, output, &["x.txt"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_ne!(tool.read(file), "old");
        assert_eq!(mode(&tool.path(file)), 0o600, "{output}");
    }
    assert!(tool.path("link.txt").is_symlink());
    let ran = run(&tool, "new.txt", &["x.txt"]);
    assert_eq!(
        (ran.status, mode(&tool.path("new.txt")) & 0o600),
        (0, 0o600)
    );
    assert_eq!(tool.names("out"), [".newsml-journal.jsonl", "x.txt"]);
}

#[test]
fn an_output_folder_inside_the_input_folder_is_no_input() {
    let tool = Tool::new().file("in/x.txt", "A ship left.\n");
    for _ in 0..2 {
        let ran = run(&tool, "in/out/", &["in"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(tool.names("in/out"), [".newsml-journal.jsonl", "x.txt"]);
    }
    let again = run(&tool, "in/out/", &["in"]);
    assert!(again.err.contains("done by an earlier run"), "{again:?}");
    assert!(
        again
            .err
            .contains("`in/out/` is the output folder and is not read"),
        "{again:?}"
    );
    // The folder itself cannot be both.
    let ran = run(&tool, "in", &["in"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_eq!(tool.read("in/x.txt"), "A ship left.\n");
}
