//! What the command line accepts, and the help it prints. No decisions: those are the commands'.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What stands at the end of every help text.
const EXIT_STATUS: &str = "\
Exit status:
  0  all done, also when the reader of the output went away
  1  some document failed, or the work was interrupted; the others were written
  2  nothing was run: wrong usage, no input that can be read, no model, no device";

/// Translates news articles between Arabic, Russian and English and writes short summaries, on this machine.
#[derive(Debug, Parser)]
#[command(name = "newsml", version, after_help = EXIT_STATUS, propagate_version = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes a short summary of each article
    #[command(after_help = EXIT_STATUS)]
    Summarize(Summarize),
    /// Translates each article, paragraph for paragraph
    #[command(after_help = EXIT_STATUS)]
    Translate(Translate),
    /// Shows what newsml reads from a file, without any model
    #[command(after_help = EXIT_STATUS)]
    Inspect(Inspect),
    /// Lists, fetches, checks and removes models
    #[command(subcommand, after_help = EXIT_STATUS)]
    Models(Models),
}

#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// A catalogue of your own, laid over the built-in one (form: `models.toml`) [env: NEWSML_MODELS]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) registry: Option<PathBuf>,
    /// Never touch the network (also HF_HUB_OFFLINE=1)
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Write JSON Lines, one document or model a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print more about what is done
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Summarize {
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    /// Language of the summary: ar, ru or en; the article's own when absent
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// One line, two or three sentences, or a paragraph
    #[arg(long, value_enum, default_value_t = LengthName::Short)]
    pub(crate) length: LengthName,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Translate {
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    /// Language to translate into: ar, ru or en; a model of your own has its own when absent
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// Language of the articles; told from each text when absent
    #[arg(long, value_name = "LANG")]
    pub(crate) from: Option<String>,
    /// Hypotheses that the search keeps; more are slower and sometimes better
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) beams: Option<u16>,
    /// With --json, give each sentence and its translation as well
    #[arg(long)]
    pub(crate) segments: bool,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DocumentArgs {
    /// Articles: text or .jsonl files, folders of them, or `-` for standard input (the default)
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Take the text as it is: leave no navigation, captions or share buttons out
    #[arg(long)]
    pub(crate) raw: bool,
    /// Write to a file (`.jsonl`: JSON Lines), or into a folder (one that exists, or ends with `/`),
    /// one file an input
    #[arg(short, long, value_name = "FILE|DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Model and device")]
pub(crate) struct ModelArgs {
    /// A model of the catalogue, a folder in Hugging Face layout, or a GGUF file
    #[arg(long, value_name = "ID|DIR|FILE.gguf")]
    pub(crate) model: Option<String>,
    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,
    /// Threads to compute with; as many as there are cores when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Tokens in a batch, padding included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_tokens: Option<u32>,
    /// How weights and products are held: auto is the fastest that keeps quality, which is q8 on
    /// the processor; f32 is exact and slow, bf16 is for graphics cards; a GGUF file runs as it is
    #[arg(long, value_name = "PRECISION", default_value = "auto", value_parser = ["auto", "f32", "bf16", "q8"])]
    pub(crate) precision: String,
    /// The most tokens of each output
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_tokens: Option<u32>,
}

/// How long a summary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LengthName {
    Headline,
    Short,
    Medium,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// Shows all models: what they do, licence, size, and which are in the cache
    List,
    /// Fetches models into the cache
    Pull {
        /// Models to fetch
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Checks cached models against the checksums they came with; all of them when none is named
    Verify {
        /// Models to check
        #[arg(value_name = "ID")]
        ids: Vec<String>,
    },
    /// Prints where a cached model lies
    Path {
        /// The model
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Removes models from the cache
    Remove {
        /// Models to remove
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
}
