//! Runs newsml on damaged inputs: `newsml-fuzz documents --runs 100000 --seed 1`.
//!
//! A run is one input, made of a seed and a number alone. Runs are done by child processes, so that one
//! that aborts, hangs or takes too much memory is found and the others go on. It needs Linux.

mod documents;
mod linear;
mod models;
mod mutate;
mod random;
mod seeds;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use newsml::{Cleaning, Format};
use random::Random;

const USAGE: &str = "usage:
  newsml-fuzz documents|models [--runs N] [--seed N] [--from N] [--minutes N] [--out DIR]
      runs inputs; what fails is written to DIR (default: `found`), as small as it can be made
  newsml-fuzz linear [FORMAT]
      reads repeated patterns from 100 kB to 2 MB: twice the input may take 2.5 times as long
  newsml-fuzz replay FILE...
      runs inputs that were found: documents by their extension, files of models by their folders
  newsml-fuzz seeds documents|models DIR
      writes inputs for `cargo fuzz` to begin with";

/// What one input is.
pub(crate) enum Input {
    Document(documents::Way, Vec<u8>),
    Model {
        model: &'static str,
        file: &'static str,
        bytes: Vec<u8>,
    },
}

impl Input {
    /// The input of a run.
    fn of(kind: &str, seed: u64, run: u64) -> Self {
        let mut random = Random::new(seed, run);
        if kind == "models" {
            Self::model(&mut random)
        } else {
            Self::document(&mut random)
        }
    }

    fn document(random: &mut Random) -> Self {
        let seeds = seeds::documents();
        let (format, bytes) = random.pick(&seeds).clone();
        let other = &random.pick(&seeds).1;
        // Any input can be given for any format.
        let read = if random.one_in(8) {
            *random.pick(&Format::ALL)
        } else {
            format
        };
        let tokens = seeds::tokens(if random.one_in(3) { read } else { format });
        let bytes = match format {
            Format::Docx => mutate::zipped(random, &bytes, tokens),
            _ => mutate::bytes(random, bytes, other, tokens),
        };
        let cleaning = *random.pick(&[
            Cleaning::Article,
            Cleaning::Fields,
            Cleaning::Raw,
            Cleaning::Page,
        ]);
        let read = (!random.one_in(12)).then_some(read);
        Self::Document((read, cleaning), bytes)
    }

    fn model(random: &mut Random) -> Self {
        let parts = models::parts();
        // Vocabularies and templates have more to get wrong than weights.
        let all: Vec<_> = parts
            .iter()
            .flat_map(|part| {
                let weight = match part.1 {
                    "model.gguf" => 6,
                    "tokenizer.json" => 4,
                    name if name.ends_with(".json") => 2,
                    _ => 1,
                };
                std::iter::repeat_n(*part, weight)
            })
            .collect();
        let &(model, file) = random.pick(&all);
        let bytes = models::original(model, file);
        let tokens = seeds::TOKENIZER_TOKENS;
        let bytes = match file {
            "model.gguf" => mutate::gguf(random, &bytes, seeds::TEMPLATES, seeds::TEMPLATE_TOKENS),
            name if name.ends_with(".json") && !random.one_in(8) => {
                mutate::json(random, &bytes, tokens)
            }
            name if name.ends_with(".safetensors") => mutate::safetensors(random, &bytes),
            name if name.starts_with("lex.") => mutate::shortlist(random, &bytes),
            "pytorch_model.bin" if bytes.starts_with(b"PK") => mutate::zipped(random, &bytes, &[]),
            _ => mutate::bytes(random, bytes.clone(), &bytes, &[]),
        };
        Self::Model { model, file, bytes }
    }

    /// An input from a file that was found.
    fn read(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let name = path.file_name()?.to_str()?;
        let is_above = |model: &str| path.iter().any(|folder| folder == model);
        let parts = models::parts();
        if let Some(&(model, file)) = parts
            .iter()
            .find(|(model, file)| *file == name && is_above(model))
        {
            return Some(Self::Model { model, file, bytes });
        }
        let cleaning = match name.split('.').nth_back(1).unwrap_or_default() {
            "fields" => Cleaning::Fields,
            "raw" => Cleaning::Raw,
            "page" => Cleaning::Page,
            _ => Cleaning::Article,
        };
        Some(Self::Document((Format::of_path(path), cleaning), bytes))
    }

    pub(crate) fn run(&self) {
        match self {
            Self::Document(way, bytes) => documents::run(*way, bytes),
            Self::Model { model, file, bytes } => {
                models::run(model, &[(file, bytes)]);
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Document(_, bytes) | Self::Model { bytes, .. } => bytes,
        }
    }

    /// The same with other bytes.
    pub(crate) fn with(&self, bytes: Vec<u8>) -> Self {
        match *self {
            Self::Document(way, _) => Self::Document(way, bytes),
            Self::Model { model, file, .. } => Self::Model { model, file, bytes },
        }
    }

    /// Where it is kept under a folder.
    pub(crate) fn place(&self, folder: &Path, name: &str) -> PathBuf {
        match self {
            Self::Document((format, cleaning), _) => {
                let cleaning = match cleaning {
                    Cleaning::Article => "article",
                    Cleaning::Fields => "fields",
                    Cleaning::Raw => "raw",
                    Cleaning::Page => "page",
                };
                let extension = match format {
                    Some(Format::Text) => "txt",
                    Some(Format::Markdown) => "md",
                    Some(format) => format.name(),
                    None => "unknown",
                };
                folder
                    .join("documents")
                    .join(format!("{name}.{cleaning}.{extension}"))
            }
            Self::Model { model, file, .. } => {
                folder.join("models").join(model).join(name).join(file)
            }
        }
    }
}

/// Writes the inputs that others are made of, with the byte in front that the targets take.
fn write_seeds(kind: &str, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    if kind == "models" {
        for (at, (model, file)) in models::parts().into_iter().enumerate() {
            let bytes = [&[at as u8][..], &models::original(model, file)].concat();
            std::fs::write(folder.join(format!("{model}-{file}")), bytes)?;
        }
        return Ok(());
    }
    for (number, (format, bytes)) in seeds::documents().into_iter().enumerate() {
        let ways = documents::ways();
        for (at, _) in ways
            .iter()
            .enumerate()
            .filter(|(_, way)| way.0 == Some(format))
        {
            let bytes = [&[at as u8][..], &bytes].concat();
            std::fs::write(folder.join(format!("{number}-{at}")), bytes)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let is_well = match arguments.as_slice() {
        ["child", kind, seed, from, to] => match (seed.parse(), from.parse(), to.parse()) {
            (Ok(seed), Ok(from), Ok(to)) => {
                watch::child((from..to).map(|run| (run, Input::of(kind, seed, run))));
                true
            }
            _ => false,
        },
        ["replay", files @ ..] if !files.is_empty() => {
            let inputs = files.iter().filter_map(|file| Input::read(Path::new(file)));
            watch::child((0..).zip(inputs));
            true
        }
        ["linear", formats @ ..] => linear::all(formats),
        ["seeds", kind, folder] => write_seeds(kind, Path::new(folder)).is_ok(),
        [kind @ ("documents" | "models"), options @ ..] => match watch::Options::parse(options) {
            Some(options) => watch::all(kind, &options, |run| Input::of(kind, options.seed, run)),
            None => {
                eprintln!("{USAGE}");
                false
            }
        },
        _ => {
            eprintln!("{USAGE}");
            false
        }
    };
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
