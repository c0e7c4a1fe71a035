//! Measures how fast articles are found and parted into sentences, on one core and without a model.
//!
//! `cargo run --release --example text_bench -- FILE…` prints, for plain texts and for web pages
//! each, one JSON line: files, bytes, sentences, megabytes a second and documents a second (the best
//! of five runs). Give it all files of one kind, some megabytes of them.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Instant;

use newsml::{Documents, Format, Language, ReadOptions, Result};

fn main() -> Result<()> {
    let files: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    for format in [Format::Text, Format::Html] {
        let inputs: Vec<Vec<u8>> = files
            .iter()
            .filter(|path| Format::of_path(path).unwrap_or(Format::Text) == format)
            .filter_map(|path| read(path))
            .collect();
        if inputs.is_empty() {
            continue;
        }
        let bytes: usize = inputs.iter().map(Vec::len).sum();
        let mut best = f64::INFINITY;
        let mut sentences = 0;
        for _ in 0..5 {
            let copies = inputs.clone();
            let began = Instant::now();
            sentences = 0;
            for input in copies {
                sentences += work(input, format)?;
            }
            best = best.min(began.elapsed().as_secs_f64());
        }
        println!(
            r#"{{"format": "{format}", "files": {}, "bytes": {bytes}, "sentences": {sentences}, "mb_per_s": {:.1}, "documents_per_s": {:.1}}}"#,
            inputs.len(),
            bytes as f64 / 1e6 / best,
            inputs.len() as f64 / best,
        );
    }
    Ok(())
}

/// Finds the article, its language and its sentences; how many there are.
fn work(input: Vec<u8>, format: Format) -> Result<usize> {
    let options = ReadOptions {
        format: Some(format),
        ..ReadOptions::default()
    };
    let mut count = 0;
    for document in Documents::from_reader("input", Cursor::new(input), &options)?.flatten() {
        let language = document.detect_language().language;
        count += document
            .segments(language.unwrap_or(Language::English))
            .len();
    }
    Ok(count)
}

fn read(path: &Path) -> Option<Vec<u8>> {
    fs::read(path)
        .map_err(|error| eprintln!("{}: {error}", path.display()))
        .ok()
}
