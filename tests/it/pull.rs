//! `newsml models pull` against the fake hub: two processes, a killed one, no token, next model.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::{Duration, Instant};

use crate::fake_hub::{FakeHub, Faults, noise, sha256};
use crate::tool::Tool;

const REGISTRY: &str = r#"
[fast.summarize]
en = ["m", "n"]

[[model]]
id = "m"
family = "gguf"
tasks = ["summarize"]
languages = ["en"]
licence = "MIT"
size = 700000
notice = "This is a test"
[[model.sources]]
kind = "hub"
repository = "o/m"
files = ["config.json", "model.gguf"]

[[model]]
id = "n"
family = "gguf"
tasks = ["summarize"]
languages = ["en"]
licence = "MIT"
size = 1
[[model.sources]]
kind = "hub"
repository = "o/n"
files = ["model.gguf"]
"#;

struct Scene {
    hub: FakeHub,
    mirror: FakeHub,
    large: Vec<u8>,
    tool: Tool,
}

fn scene() -> Scene {
    let (hub, mirror) = FakeHub::with_mirror();
    let large = noise(700_000, 77);
    hub.small_file("o/m/config.json", b"{}");
    for server in [&hub, &mirror] {
        server.large_file("o/m/model.gguf", &large);
    }
    let tool = Tool::new()
        .file("models.toml", REGISTRY)
        .file(
            "a.txt",
            "The council of Port Marlow opened a new school on Monday.\n",
        )
        .variable("NEWSML_MODELS", "models.toml")
        .variable("HF_ENDPOINT", hub.url());
    Scene {
        hub,
        mirror,
        large,
        tool,
    }
}

#[test]
fn a_pull_says_what_it_does_and_where_the_files_are() {
    let Scene {
        large,
        tool,
        mirror,
        ..
    } = scene();
    let pulled = tool.run(&["models", "pull", "m"]);
    let snapshot = "cache/hub/models--o--m/snapshots/0123456789abcdef0123456789abcdef01234567";
    assert_eq!(pulled.out, format!("m {snapshot}\n"));
    assert_eq!(
        pulled.err,
        "warning: `m`: This is a test\nnote: fetching `m` from hub `o/m`, 700 kB\nnote: `m` from hub `o/m` is complete\n"
    );
    assert_eq!(pulled.status, 0);
    assert_eq!(mirror.requests().len(), 1);

    let again = tool.run(&["models", "pull", "--offline", "m"]);
    assert_eq!(
        (again.status, again.out.as_str(), again.err.as_str()),
        (0, pulled.out.as_str(), "")
    );
    assert_eq!(
        tool.run(&["models", "path", "m"]).out,
        format!("{snapshot}\n")
    );
    assert_eq!(
        tool.run(&["models", "verify"]).out,
        "m config.json ok\nm model.gguf ok\n"
    );

    let blob = format!("cache/hub/models--o--m/blobs/{}", sha256(&large));
    tool.write(&blob, &large[1..]);
    let verified = tool.run(&["models", "verify", "m"]);
    assert_eq!(
        (verified.status, verified.out.as_str()),
        (1, "m config.json ok\nm model.gguf damaged\n")
    );
    assert!(
        verified
            .err
            .contains("is not the file that was expected: sha256 is"),
        "{}",
        verified.err
    );
    assert!(
        verified
            .err
            .contains("hint: remove it with `newsml models remove ID`"),
        "{}",
        verified.err
    );
    assert_eq!(tool.run(&["models", "remove", "m"]).out, "m 700 kB freed\n");
    assert!(
        tool.names("cache/hub").iter().all(|name| name == ".locks"),
        "{:?}",
        tool.names("cache/hub")
    );
}

#[test]
fn two_processes_fetch_once() {
    let Scene {
        mirror,
        tool,
        large,
        ..
    } = scene();
    mirror.set(Faults {
        slowness: Duration::from_millis(50),
        ..Faults::default()
    });
    let children: Vec<_> = (0..2)
        .map(|_| tool.spawn(&mut tool.command(&["models", "pull", "-q", "m"])))
        .collect();
    for child in children {
        let found = tool.wait(child);
        assert_eq!(found.status, 0, "{}", found.err);
    }
    assert_eq!(mirror.requests().len(), 1);
    assert_eq!(
        std::fs::read(tool.path(&format!("cache/hub/models--o--m/blobs/{}", sha256(&large))))
            .unwrap(),
        large
    );
}

#[test]
fn a_killed_download_never_looks_complete_and_is_resumed() {
    let Scene {
        mirror,
        tool,
        large,
        ..
    } = scene();
    mirror.set(Faults {
        slowness: Duration::from_millis(100),
        ..Faults::default()
    });
    let partial = tool.path(&format!(
        "cache/hub/models--o--m/blobs/{}.incomplete",
        sha256(&large)
    ));
    let mut child = tool.spawn(&mut tool.command(&["models", "pull", "m"]));
    let start = Instant::now();
    while partial.metadata().map_or(0, |data| data.len()) < 200_000
        && start.elapsed() < Duration::from_secs(20)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = partial.metadata().unwrap().len();
    assert!((200_000..700_000).contains(&kept), "{kept}");
    assert_eq!(tool.run(&["models", "path", "m"]).status, 2);
    mirror.requests();
    mirror.set(Faults::default());
    assert_eq!(tool.run(&["models", "pull", "-q", "m"]).status, 0);
    assert_eq!(
        mirror.requests()[0].range.as_deref(),
        Some(format!("bytes={kept}-").as_str())
    );
    assert_eq!(tool.run(&["models", "verify", "m"]).status, 0);
}

#[test]
fn a_refusal_names_the_token_and_the_token_opens() {
    let Scene { hub, tool, .. } = scene();
    hub.set(Faults {
        token: Some("hf_secret".to_owned()),
        ..Faults::default()
    });
    let refused = tool.run(&["models", "pull", "m"]);
    assert_eq!(refused.status, 2);
    assert!(
        refused
            .err
            .contains("was refused (HTTP 401)\n\nhint: set `HF_TOKEN` to a token"),
        "{}",
        refused.err
    );
    let wrong = tool.run(&["models", "pull", "n", "m", "--json"]);
    assert_eq!(wrong.status, 2);
    assert_eq!(wrong.out.lines().count(), 2, "{}", wrong.out);
    // As `huggingface_hub` keeps it after a login.
    tool.write("cache/token", "hf_secret\n");
    assert_eq!(tool.run(&["models", "pull", "m"]).status, 0);
    let some = tool.run(&["models", "pull", "m", "n"]);
    assert_eq!(some.status, 1, "{}", some.err);
    assert!(
        some.err.contains(
            "was not found (HTTP 404)\n\nhint: correct the repository or file name in a registry"
        ),
        "{}",
        some.err
    );
}

#[test]
fn models_that_cannot_be_had_are_named_before_nothing_is_run() {
    let Scene { hub, tool, .. } = scene();
    hub.set(Faults {
        status: Some(503),
        ..Faults::default()
    });
    let found = tool.run(&["summarize", "a.txt"]);
    assert_eq!((found.status, found.out.as_str()), (2, ""), "{}", found.err);
    for text in [
        "note: passed over `m`: cannot fetch `http",
        "note: passed over `n`: cannot fetch `http",
        "HTTP 503",
        "error: `a.txt`: cannot fetch",
    ] {
        assert!(found.err.contains(text), "{text}: {}", found.err);
    }
}
