//! Times a checkpoint on given token rows with a fixed target length.
//!
//! ```text
//! cargo run --release --example bench -- --model FILE.gguf --rows FILE --batch 8 --target 48
//! cargo run --release --features cuda --example bench -- --model DIR --rows FILE --batch 256 --device cuda
//! ```
//!
//! Rows are token ids, one JSON array a line; for an instruct model they are prompts. Prints one
//! JSON line: `target_tokens_per_s` (median of five runs after a warm-up; decoding alone),
//! `prefill_tokens_per_s` (reading the prompts), `load_s`, `peak_rss_mb`, and on a card
//! `peak_device_mb`, the most that was in use there, by other programs too.

#![expect(clippy::print_stdout, reason = "an example says what it found")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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
    /// Where to compute, as for `newsml --device`.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// How weights are held, as for `newsml --precision`.
    #[arg(long, default_value = "auto")]
    precision: String,
    /// Short for `--precision f32`.
    #[arg(long)]
    float: bool,
    /// Where quantized weights of an encoder–decoder are kept for the next start.
    #[arg(long)]
    prepared: Option<PathBuf>,
    /// Runs that the median is taken of.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Writes the ids of one more run to a file, one JSON array a line.
    #[arg(long)]
    ids: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let text = std::fs::read_to_string(&arguments.rows)?;
    let rows: Vec<Vec<u32>> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let device: newsml::Device = arguments.device.parse()?;
    let precision = if arguments.float {
        newsml::Precision::F32
    } else {
        arguments.precision.parse()?
    };
    let start = Instant::now();
    if arguments.model.is_dir() {
        let options = newsml::Seq2SeqOptions {
            device,
            precision,
            prepared: arguments.prepared.clone(),
        };
        let model = newsml::Seq2Seq::load(&arguments.model, &options)?;
        let load = start.elapsed();
        let run = |target| model.continue_ids(&rows, target, arguments.batch, arguments.beams);
        let (found, device) = watched(&|| model.device_memory(), || sequences(&arguments, &run));
        report(&arguments, found?, load, device);
        return write_ids(&arguments, &run);
    }
    let model = newsml::Checkpoint::load_on(&arguments.model, &device, precision, &mut |_, _| {})?;
    let load = start.elapsed();
    let run = |target| model.continue_ids(&rows, target, arguments.batch);
    let (found, device) = watched(&|| model.device_memory(), || {
        prompts(&arguments, &rows, &run)
    });
    report(&arguments, found?, load, device);
    write_ids(&arguments, &run)
}

/// Continues all rows by so many tokens.
type Run<'a> = dyn Fn(usize) -> Result<Vec<Vec<u32>>, newsml::Error> + 'a;

/// What was measured: a rate for each name.
type Rates = Vec<(&'static str, f64)>;

fn timed(run: &Run<'_>, target: usize) -> Result<f64, newsml::Error> {
    let start = Instant::now();
    run(target)?;
    Ok(start.elapsed().as_secs_f64())
}

/// Times an instruct model: decoding and reading the prompts apart.
fn prompts(
    arguments: &Arguments,
    rows: &[Vec<u32>],
    run: &Run<'_>,
) -> Result<Rates, newsml::Error> {
    timed(run, 2)?;
    let prompt: usize = rows.iter().map(|row| row.len() - 1).sum();
    let (mut prefill, mut decode) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        // The first token costs one step as every other does, so that reading the prompts is what
        // a target of one takes, less that step.
        let short = timed(run, 1)?;
        let long = timed(run, arguments.target)?;
        let step = (long - short) / (arguments.target - 1) as f64;
        prefill.push(prompt as f64 / (short - step));
        decode.push(rows.len() as f64 / step);
    }
    Ok(vec![
        ("target_tokens_per_s", median(decode)),
        ("prefill_tokens_per_s", median(prefill)),
    ])
}

/// Times an encoder–decoder: reading the source counts, as it does in translating.
fn sequences(arguments: &Arguments, run: &Run<'_>) -> Result<Rates, newsml::Error> {
    run(arguments.target)?;
    let mut rates = Vec::with_capacity(arguments.runs);
    for _ in 0..arguments.runs {
        let start = Instant::now();
        let tokens: usize = run(arguments.target)?.iter().map(Vec::len).sum();
        rates.push(tokens as f64 / start.elapsed().as_secs_f64());
    }
    Ok(vec![("target_tokens_per_s", median(rates))])
}

/// Runs `work` and finds the most bytes that `in_use` tells meanwhile.
fn watched<T>(
    in_use: &(dyn Fn() -> Option<usize> + Sync),
    work: impl FnOnce() -> T,
) -> (T, Option<usize>) {
    if in_use().is_none() {
        return (work(), None);
    }
    let (done, most) = (AtomicBool::new(false), AtomicUsize::new(0));
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(in_use().unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let found = work();
        done.store(true, Ordering::Relaxed);
        found
    });
    (found, Some(most.into_inner()))
}

fn report(arguments: &Arguments, rates: Rates, load: Duration, device: Option<usize>) {
    let mut line = serde_json::json!({
        "model": arguments.model,
        "device": arguments.device,
        "batch": arguments.batch,
        "beams": arguments.beams,
    });
    for (name, rate) in rates {
        line[name] = rate.into();
    }
    line["load_s"] = ((load.as_secs_f64() * 1000.0).round() / 1000.0).into();
    line["peak_rss_mb"] = peak_rss_mb().into();
    if let Some(bytes) = device {
        line["peak_device_mb"] = (bytes >> 20).into();
    }
    println!("{line}");
}

fn write_ids(arguments: &Arguments, run: &Run<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let Some(path) = &arguments.ids else {
        return Ok(());
    };
    let mut text = String::new();
    for row in run(arguments.target)? {
        text.push_str(&serde_json::to_string(&row)?);
        text.push('\n');
    }
    Ok(std::fs::write(path, text)?)
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
