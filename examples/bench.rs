//! Times a checkpoint on given token rows with a fixed target length.
//!
//! ```text
//! cargo run --release --example bench -- --model FILE.gguf --rows FILE --batch 8 --target 48
//! ```
//!
//! Rows are token ids, one JSON array a line; for an instruct model they are prompts. Prints one
//! JSON line: `target_tokens_per_s` (median of five runs after a warm-up; decoding alone),
//! `prefill_tokens_per_s` (reading the prompts), `load_s`, `peak_rss_mb`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// A GGUF file.
    #[arg(long)]
    model: PathBuf,
    /// Token ids, one JSON array a line.
    #[arg(long)]
    rows: PathBuf,
    /// Rows that are decoded together.
    #[arg(long, default_value_t = 8)]
    batch: usize,
    /// Hypotheses kept while decoding.
    #[arg(long, default_value_t = 1)]
    beams: usize,
    /// Tokens that each row is continued by.
    #[arg(long, default_value_t = 48)]
    target: usize,
    /// Runs that the median is taken of.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let text = std::fs::read_to_string(&arguments.rows)?;
    let rows: Vec<Vec<u32>> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let start = Instant::now();
    let checkpoint = newsml::Checkpoint::load(&arguments.model, &mut |_, _| {})?;
    let load = start.elapsed().as_secs_f64();
    let timed = |target: usize| -> Result<f64, newsml::Error> {
        let start = Instant::now();
        checkpoint.continue_ids(&rows, target, arguments.batch)?;
        Ok(start.elapsed().as_secs_f64())
    };
    timed(2)?;
    let prompt: usize = rows.iter().map(|row| row.len() - 1).sum();
    let (mut prefill, mut decode) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        // The first token costs one step as every other does, so that reading the prompts is what
        // a target of one takes, less that step.
        let short = timed(1)?;
        let long = timed(arguments.target)?;
        let step = (long - short) / (arguments.target - 1) as f64;
        prefill.push(prompt as f64 / (short - step));
        decode.push(
            rows.len() as f64 / step / rows.len().div_ceil(arguments.batch) as f64
                * rows.len().div_ceil(arguments.batch) as f64,
        );
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        (values[values.len() / 2] * 10.0).round() / 10.0
    };
    println!(
        "{}",
        serde_json::json!({
            "model": arguments.model,
            "batch": arguments.batch,
            "beams": arguments.beams,
            "target_tokens_per_s": median(decode),
            "prefill_tokens_per_s": median(prefill),
            "load_s": (load * 1000.0).round() / 1000.0,
            "peak_rss_mb": peak_rss_mb(),
        })
    );
    Ok(())
}

/// The largest resident size so far, where the system tells it.
fn peak_rss_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
