//! Times a checkpoint on given token rows with a fixed target length.
//!
//! ```text
//! cargo run --release --example bench -- --model FILE.gguf --rows FILE --batch 8 --target 48
//! ```
//!
//! Rows are token ids, one JSON array a line; for an instruct model they are prompts. Prints one
//! JSON line: `target_tokens_per_s` (median of five runs after a warm-up; decoding alone),
//! `prefill_tokens_per_s` (reading the prompts), `load_s`, `peak_rss_mb`.

#![expect(clippy::print_stdout, reason = "an example says what it found")]

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// A GGUF file, or a directory in Hugging Face layout.
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
    /// Keep the weights of an encoder–decoder as float32.
    #[arg(long)]
    float: bool,
    /// Where quantized weights of an encoder–decoder are kept for the next start.
    #[arg(long)]
    prepared: Option<PathBuf>,
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
    if arguments.model.is_dir() {
        return sequences(&arguments, &rows);
    }
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

/// Times an encoder–decoder: reading the source counts, as it does in translating.
fn sequences(arguments: &Arguments, rows: &[Vec<u32>]) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let options = newsml::Seq2SeqOptions {
        float: arguments.float,
        prepared: arguments.prepared.clone(),
    };
    let model = newsml::Seq2Seq::load(&arguments.model, &options)?;
    let load = start.elapsed().as_secs_f64();
    let run = || -> Result<f64, newsml::Error> {
        let start = Instant::now();
        let found = model.continue_ids(rows, arguments.target, arguments.batch, arguments.beams)?;
        let tokens: usize = found.iter().map(Vec::len).sum();
        Ok(tokens as f64 / start.elapsed().as_secs_f64())
    };
    run()?;
    let rates = (0..arguments.runs)
        .map(|_| run())
        .collect::<Result<Vec<_>, _>>()?;
    println!(
        "{}",
        serde_json::json!({
            "model": arguments.model,
            "batch": arguments.batch,
            "beams": arguments.beams,
            "target_tokens_per_s": median(rates),
            "load_s": (load * 1000.0).round() / 1000.0,
            "peak_rss_mb": peak_rss_mb(),
        })
    );
    Ok(())
}

/// The middle of the values, to one decimal.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2] * 10.0).round() / 10.0
}

/// The largest resident size so far, where the system tells it.
fn peak_rss_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
