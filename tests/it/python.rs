//! The cache shared with Python: `huggingface_hub` finds what newsml cached, and the other way round.
//!
//! Needs a Python with `huggingface_hub`, named by `NEWSML_TEST_PYTHON` or found as `python3`; says so
//! and passes where there is none. The layout itself is asserted in `store`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells why it did not run"
)]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use newsml::{Network, Store, StoreOptions};

use crate::fake_hub::{FakeHub, Faults, noise};
use crate::store::hub_model;

/// A Python that has `huggingface_hub`.
fn python() -> Option<String> {
    let python = std::env::var("NEWSML_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let answer = Command::new(&python)
        .args(["-c", "import huggingface_hub"])
        .output();
    if answer.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("not run: `{python}` has no `huggingface_hub`; name another with NEWSML_TEST_PYTHON");
    None
}

fn run(python: &str, home: &Path, hub: &FakeHub, script: &str) -> String {
    let output = Command::new(python)
        .args(["-c", script])
        .env("HF_HOME", home)
        .env("HF_ENDPOINT", hub.url())
        .env("HF_HUB_DISABLE_XET", "1")
        .env("HF_HUB_DISABLE_TELEMETRY", "1")
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .env_remove("HF_HUB_CACHE")
        .env_remove("HF_HUB_OFFLINE")
        .env_remove("HF_TOKEN")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

struct Scene {
    home: tempfile::TempDir,
    hub: FakeHub,
    mirror: FakeHub,
    large: Vec<u8>,
}

fn scene() -> Scene {
    let (hub, mirror) = FakeHub::with_mirror();
    let large = noise(300_000, 21);
    hub.small_file("o/m/config.json", b"{}");
    for server in [&hub, &mirror] {
        server.large_file("o/m/model.gguf", &large);
    }
    Scene {
        home: tempfile::tempdir().unwrap(),
        hub,
        mirror,
        large,
    }
}

fn options(scene: &Scene) -> StoreOptions {
    let mut options = StoreOptions::new(scene.home.path());
    options.endpoint = scene.hub.url();
    options
}

#[test]
fn python_finds_what_newsml_cached() {
    let Some(python) = python() else { return };
    let scene = scene();
    let files = Store::new(options(&scene))
        .fetch(&hub_model(), &|_| ControlFlow::Continue(()))
        .unwrap();
    scene.hub.requests();
    scene.mirror.requests();

    let path = run(
        &python,
        scene.home.path(),
        &scene.hub,
        "import huggingface_hub as h; print(h.hf_hub_download('o/m', 'model.gguf'))",
    );
    assert_eq!(Path::new(&path), files.path("model.gguf").unwrap());
    assert!(
        scene.mirror.requests().is_empty(),
        "nothing was fetched again"
    );

    scene.hub.requests();
    let offline =
        "import huggingface_hub as h; print(h.snapshot_download('o/m', local_files_only=True))";
    assert_eq!(
        Path::new(&run(&python, scene.home.path(), &scene.hub, offline)),
        files.directory()
    );
    assert!(scene.hub.requests().is_empty());

    let scan = "import huggingface_hub as h; s = h.scan_cache_dir(); print(len(s.repos), len(s.warnings), s.size_on_disk)";
    let report = run(&python, scene.home.path(), &scene.hub, scan);
    assert_eq!(
        report,
        format!("1 0 {}", scene.large.len() + 2),
        "Python sees a sound cache"
    );
}

#[test]
fn newsml_finds_what_python_cached() {
    let Some(python) = python() else { return };
    let scene = scene();
    let script = "import huggingface_hub as h\nfor f in ['config.json', 'model.gguf']: p = h.hf_hub_download('o/m', f)\nprint(p)";
    let path = run(&python, scene.home.path(), &scene.hub, script);
    scene.hub.requests();
    let mut options = options(&scene);
    options.network = Network::Offline;
    let store = Store::new(options);
    let files = store
        .fetch(&hub_model(), &|_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(files.path("model.gguf").unwrap(), Path::new(&path));
    assert_eq!(
        std::fs::read(files.path("model.gguf").unwrap()).unwrap(),
        scene.large
    );
    let checks = store
        .verify(&hub_model(), &|_| ControlFlow::Continue(()))
        .unwrap();
    assert!(
        checks
            .iter()
            .all(|check| check.status == newsml::FileStatus::Intact),
        "{checks:?}"
    );
}

#[test]
fn newsml_fetches_what_python_left_unfinished() {
    let Some(python) = python() else { return };
    let scene = scene();
    scene.mirror.set(Faults {
        cuts: std::iter::repeat_n(100_000, 1).chain([0; 20]).collect(),
        ..Faults::default()
    });
    let script = "import huggingface_hub as h\ntry: h.hf_hub_download('o/m', 'model.gguf')\nexcept Exception as e: print('stopped')";
    let told = run(&python, scene.home.path(), &scene.hub, script);
    assert_eq!(told, "stopped");
    scene.mirror.set(Faults::default());
    scene.mirror.requests();
    let files = Store::new(options(&scene))
        .fetch(&hub_model(), &|_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(
        std::fs::read(files.path("model.gguf").unwrap()).unwrap(),
        scene.large
    );
    let ranges: Vec<_> = scene
        .mirror
        .requests()
        .into_iter()
        .map(|request| request.range)
        .collect();
    assert_eq!(ranges.len(), 1, "{ranges:?}");
}
