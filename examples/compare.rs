//! Runs an encoder–decoder checkpoint on what `compare.py` sends, so that the two can be compared.
//!
//! ```text
//! python3 examples/compare.py DIR [--texts FILE]
//! ```
//!
//! Reads one JSON object a line from standard input: `rows` of source ids, or `texts` with the
//! names of the language tokens `source` and `target`; `beams` and `max_new`; `targets` and
//! `scores`, a file to which the scores for those targets are written as little-endian float32.
//! Answers each with one JSON object: `rows`, `generated`.

#![expect(clippy::print_stdout, reason = "an example says what it found")]

use std::io::{BufRead, BufWriter, Write};
use std::path::PathBuf;

use clap::Parser;
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    /// A directory in Hugging Face layout.
    #[arg(long)]
    model: PathBuf,
    /// Keep the weights as float32.
    #[arg(long)]
    float: bool,
    /// Where to compute, as for `newsml --device`.
    #[arg(long, default_value = "cpu")]
    device: String,
}

#[derive(serde::Deserialize)]
struct Request {
    #[serde(default)]
    rows: Vec<Vec<u32>>,
    #[serde(default)]
    texts: Vec<String>,
    source: Option<String>,
    target: Option<String>,
    #[serde(default)]
    beams: usize,
    #[serde(default)]
    max_new: usize,
    #[serde(default)]
    targets: Vec<Vec<u32>>,
    scores: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let options = newsml::Seq2SeqOptions {
        device: arguments.device.parse()?,
        precision: if arguments.float {
            newsml::Precision::F32
        } else {
            newsml::Precision::Auto
        },
        prepared: None,
    };
    let model = newsml::Seq2Seq::load(&arguments.model, &options)?;
    for line in std::io::stdin().lock().lines() {
        let mut request: Request = serde_json::from_str(&line?)?;
        for text in &request.texts {
            let row = model.encode(text, request.source.as_deref(), request.target.as_deref())?;
            request.rows.push(row);
        }
        if let Some(path) = &request.scores {
            let mut file = BufWriter::new(std::fs::File::create(path)?);
            for (row, target) in request.rows.iter().zip(&request.targets) {
                for scores in model.scores(row, target)? {
                    for score in scores {
                        file.write_all(&score.to_le_bytes())?;
                    }
                }
            }
            file.flush()?;
        }
        let generated = if request.beams > 0 {
            model.decode_ids(&request.rows, request.beams, request.max_new)?
        } else {
            Vec::new()
        };
        println!("{}", json!({"rows": request.rows, "generated": generated}));
    }
    Ok(())
}
