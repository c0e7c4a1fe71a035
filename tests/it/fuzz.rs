//! Inputs that fuzzing found: each once crashed newsml, hung it or ate memory. How they are found stands
//! in `tests/fuzz`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../fuzz/src/documents.rs"]
mod documents;
#[path = "../fuzz/src/models.rs"]
mod models;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use newsml::Format;

/// Far longer than any of them takes, also where other programs want the processor.
const LONGEST: Duration = Duration::from_secs(20);

/// What lies in a folder of those that were found; nothing where none was.
fn found(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz");
    let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn timed(path: &Path, run: impl FnOnce()) {
    let began = Instant::now();
    run();
    let took = began.elapsed();
    assert!(took < LONGEST, "{} took {took:?}", path.display());
}

#[test]
fn documents_that_were_found_do_no_harm() {
    for path in found("documents") {
        let bytes = std::fs::read(&path).unwrap();
        let format = Format::of_path(&path);
        for way in documents::ways() {
            if way.0 == format {
                timed(&path, || documents::run(way, &bytes));
            }
        }
    }
}

#[test]
fn model_files_that_were_found_do_no_harm() {
    for (model, file) in models::parts() {
        for folder in found(&format!("models/{model}")) {
            let path = folder.join(file);
            if let Ok(bytes) = std::fs::read(&path) {
                timed(&path, || {
                    models::run(model, &[(file, &bytes)]);
                });
            }
        }
    }
}

#[test]
fn models_that_are_damaged_work_before() {
    let is_whole = |model| !models::VOCABULARIES.contains(&model);
    let parts = models::parts().into_iter();
    for (model, file) in parts.filter(|(model, _)| is_whole(*model)) {
        let original = models::original(model, file);
        assert!(models::run(model, &[(file, &original)]), "{model}");
    }
}
