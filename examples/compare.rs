//! Runs a checkpoint on what `compare.py` or `compare_gguf.py` sends, so that it can be compared with
//! another program.
//!
//! ```text
//! python3 examples/compare.py DIR [--texts FILE]
//! python3 examples/compare_gguf.py FILE.gguf [--texts FILE]
//! ```
//!
//! Reads one JSON object a line from standard input: `rows` of ids, or `texts`, for an
//! encoder–decoder with the names of the language tokens `source` and `target`; `beams` and
//! `max_new`; `targets` and `scores`, a file to which the scores for those targets are written as
//! little-endian float32. Answers each with one JSON object: `rows`, `generated`.

#![expect(clippy::print_stdout, reason = "an example says what it found")]

use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use newsml::{Checkpoint, Precision, Seq2Seq};
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    /// A directory in Hugging Face layout, or a GGUF file.
    #[arg(long)]
    model: PathBuf,
    /// Keep the weights of a directory as float32.
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

enum Model {
    Decoder(Box<Checkpoint>),
    Seq2Seq(Box<Seq2Seq>),
}

impl Model {
    fn load(arguments: &Arguments) -> newsml::Result<Self> {
        let device = arguments.device.parse()?;
        if is_gguf(&arguments.model) {
            let progress = &mut |_, _| {};
            let model = Checkpoint::load_on(&arguments.model, &device, Precision::Auto, progress)?;
            return Ok(Self::Decoder(Box::new(model)));
        }
        let options = newsml::Seq2SeqOptions {
            device,
            precision: if arguments.float {
                Precision::F32
            } else {
                Precision::Auto
            },
            prepared: None,
        };
        Ok(Self::Seq2Seq(Box::new(Seq2Seq::load(
            &arguments.model,
            &options,
        )?)))
    }

    fn encode(&self, text: &str, request: &Request) -> newsml::Result<Vec<u32>> {
        match self {
            Self::Decoder(model) => model.encode(text),
            Self::Seq2Seq(model) => {
                model.encode(text, request.source.as_deref(), request.target.as_deref())
            }
        }
    }

    fn scores(&self, row: &[u32], target: &[u32]) -> newsml::Result<Vec<Vec<f32>>> {
        match self {
            Self::Decoder(model) => model.scores(row, target),
            Self::Seq2Seq(model) => model.scores(row, target),
        }
    }

    fn decode(&self, request: &Request) -> newsml::Result<Vec<Vec<u32>>> {
        match self {
            Self::Decoder(model) => model.continue_ids(&request.rows, request.max_new, 8),
            Self::Seq2Seq(model) => model.decode_ids(&request.rows, request.beams, request.max_new),
        }
    }
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "gguf")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let model = Model::load(&arguments)?;
    for line in std::io::stdin().lock().lines() {
        let mut request: Request = serde_json::from_str(&line?)?;
        for text in &request.texts {
            let row = model.encode(text, &request)?;
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
            model.decode(&request)?
        } else {
            Vec::new()
        };
        println!("{}", json!({"rows": request.rows, "generated": generated}));
    }
    Ok(())
}
