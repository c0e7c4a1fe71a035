//! The network against a plain reference, batches against lines, and damaged files.

use super::*;

type TestResult = std::result::Result<(), Box<dyn std::error::Error>>;

/// Translates the lines of a file with a real model and says how fast that was.
///
/// `NEWSML_FIREFOX_MODEL` is a directory, `NEWSML_FIREFOX_LINES` a text file; results go to the file
/// `NEWSML_FIREFOX_OUTPUT`, and what was measured to standard error.
#[test]
#[ignore = "needs a published model: set NEWSML_FIREFOX_MODEL, _LINES and _OUTPUT"]
#[expect(clippy::print_stderr, reason = "it is there to say what was measured")]
fn measure_a_published_model() -> TestResult {
    let number = |name: &str, default: usize| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    let text = std::fs::read_to_string(std::env::var("NEWSML_FIREFOX_LINES")?)?;
    let lines: Vec<&str> = text
        .lines()
        .take(number("NEWSML_FIREFOX_COUNT", 200))
        .collect();
    let started = std::time::Instant::now();
    let model = Firefox::from_directory(Path::new(&std::env::var("NEWSML_FIREFOX_MODEL")?))?;
    let load = started.elapsed().as_secs_f64();
    let spread = Spread {
        batch_tokens: number("NEWSML_FIREFOX_BATCH", 1024),
        threads: number("NEWSML_FIREFOX_THREADS", 1),
    };
    let words: usize = lines
        .iter()
        .map(|line| line.split_whitespace().count())
        .sum();
    let mut speeds = Vec::new();
    let mut outputs = Vec::new();
    for _ in 0..number("NEWSML_FIREFOX_RUNS", 5) {
        let started = std::time::Instant::now();
        outputs = model.translate(&lines, spread);
        speeds.push(words as f64 / started.elapsed().as_secs_f64());
    }
    speeds.sort_by(f64::total_cmp);
    std::fs::write(
        std::env::var("NEWSML_FIREFOX_OUTPUT")?,
        outputs.join("\n") + "\n",
    )?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default()
        .to_owned();
    eprintln!(
        "{} lines, {words} words, {:.0} source words/s (best {:.0}), load {load:.3} s, {peak}",
        lines.len(),
        speeds[speeds.len() / 2],
        speeds[speeds.len() - 1]
    );
    Ok(())
}
