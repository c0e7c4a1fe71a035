//! What the command line accepts, and the help it prints. No decisions: those are the commands'.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use newsml::{Cleaning, ReadOptions, Result};

use super::file;

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
    /// Measures outputs against references, or models over a test set
    #[command(after_help = EXIT_STATUS)]
    Eval(Eval),
    /// Shows and exports translation memories
    #[command(subcommand, after_help = EXIT_STATUS)]
    Memory(Memory),
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

#[derive(Debug, Clone, Args)]
pub(crate) struct Summarize {
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    /// Language of the summary: ar, ru or en; the article's own when absent
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// Language of the articles; told from each text when absent
    #[arg(long, value_name = "LANG")]
    pub(crate) from: Option<String>,
    /// One line, two or three sentences, or a paragraph
    #[arg(long, value_enum, default_value_t = LengthName::Short)]
    pub(crate) length: LengthName,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

#[derive(Debug, Clone, Args)]
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
    /// A file that keeps good translations of sentences and gives them back to later runs; begun where
    /// there is none
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: Option<PathBuf>,
    /// Terms with their translations: lines `TERM<tab>TRANSLATION[<tab>OPTIONS]`, with options like
    /// `case=exact inflect=no from=ru to=en forms=A|B`, or a `.toml` file of `[[term]]` tables
    #[arg(long, value_name = "FILE")]
    pub(crate) glossary: Option<PathBuf>,
    /// A term that is not translated; may be given several times
    #[arg(long, value_name = "TERM")]
    pub(crate) keep: Vec<String>,
    /// Tell the model the headline and the sentence before, as the background of each sentence; for
    /// models that know what to do with it
    #[arg(long)]
    pub(crate) context: bool,
    /// With --json, give each sentence and its translation as well
    #[arg(long)]
    pub(crate) segments: bool,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Eval {
    #[command(flatten)]
    pub(crate) set: SetArgs,
    /// Outputs to measure, a line each; give several to compare them
    #[arg(long = "hyp", value_name = "FILE", conflicts_with = "model")]
    pub(crate) hypotheses: Vec<PathBuf>,
    /// Models to run over the sources and to measure; give several to compare them
    #[arg(long, value_name = "ID|DIR|FILE.gguf")]
    pub(crate) model: Vec<String>,
    /// What the outputs are, or what the models do
    #[arg(long, value_enum, default_value_t = TaskName::Translate)]
    pub(crate) task: TaskName,
    /// Language of the outputs: ar, ru or en
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// Language of the sources; told from each text when absent
    #[arg(long, value_name = "LANG")]
    pub(crate) from: Option<String>,
    /// How long summaries are; short when absent
    #[arg(long, value_enum)]
    pub(crate) length: Option<LengthName>,
    /// Hypotheses that the search keeps; more are slower and sometimes better
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) beams: Option<u16>,
    #[command(flatten)]
    pub(crate) scoring: ScoringArgs,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Test set")]
pub(crate) struct SetArgs {
    /// A test set in JSON Lines
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["references", "source"], required_unless_present = "references")]
    pub(crate) set: Option<PathBuf>,
    /// References, a line each; give several where a text has several references
    #[arg(long = "ref", value_name = "FILE")]
    pub(crate) references: Vec<PathBuf>,
    /// Sources, a line each
    #[arg(long = "src", value_name = "FILE")]
    pub(crate) source: Option<PathBuf>,
    /// The field of the set with the source
    #[arg(long, value_name = "NAME", default_value = "source")]
    pub(crate) source_field: String,
    /// The field of the set with the reference, or a list of references
    #[arg(long, value_name = "NAME", default_value = "reference")]
    pub(crate) reference_field: String,
    /// The field of the set with an output to measure, where no model is to be run
    #[arg(long, value_name = "NAME", default_value = "hypothesis")]
    pub(crate) hypothesis_field: String,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Scores")]
pub(crate) struct ScoringArgs {
    /// Metrics, parted by commas: bleu, chrf, chrf++, rouge1, rouge2, rougeL, rougeLsum; those of the
    /// task when absent
    #[arg(long = "metric", value_name = "NAME", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// What BLEU takes for a word: 13a, intl, char or none
    #[arg(long, value_name = "NAME", default_value = "13a")]
    pub(crate) tokenize: String,
    /// Lower-case everything before BLEU and chrF are computed
    #[arg(long)]
    pub(crate) lowercase: bool,
    /// Samples for the confidence interval; 0 for no interval
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(crate) resamples: u32,
    /// Seed of the samples
    #[arg(long, value_name = "N", default_value_t = 12345)]
    pub(crate) seed: u64,
    /// Write the table in Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}

/// What a model is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskName {
    Translate,
    Summarize,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DocumentArgs {
    /// Articles: files, folders of them, or `-` for standard input (the default)
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Read all inputs in this format: text, html, markdown, jsonl, csv, tsv, srt, vtt or docx; told by
    /// name and content when absent
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// The field (JSON Lines) or column (CSV, TSV: name, or number where there is no header) that
    /// holds the text; may be given again; `title` and `text` when absent
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Vec<String>,
    /// Take the text as it is: leave no navigation, captions or share buttons out
    #[arg(long)]
    pub(crate) raw: bool,
    /// Find the article in each field of JSON Lines and column of a table too, as in a pasted page
    #[arg(long, conflicts_with_all = ["raw", "whole_page"])]
    pub(crate) clean: bool,
    /// Take all that a web page shows, not its article alone; a translation keeps the page around it
    #[arg(long, conflicts_with = "raw")]
    pub(crate) whole_page: bool,
    /// Write to a file (`.jsonl`: JSON Lines, `.txt`: text), or into a folder (one that exists, or ends
    /// with `/`), one file an input
    #[arg(short, long, value_name = "FILE|DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Do all anew, also what an earlier run with the same settings finished in the same folder
    #[arg(long)]
    pub(crate) redo: bool,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model and device")]
pub(crate) struct ModelArgs {
    /// A model of the catalogue, a folder in Hugging Face layout, or a GGUF file
    #[arg(long, value_name = "ID|DIR|FILE.gguf")]
    pub(crate) model: Option<String>,
    /// Which list of models to choose from: fast ones, or the best, which are some twenty times slower
    /// and take some gigabytes; `newsml models list` shows both
    #[arg(long, value_name = "WHAT", default_value = "fast", value_parser = ["fast", "best"], conflicts_with = "model")]
    pub(crate) prefer: String,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model and device")]
pub(crate) struct ComputeArgs {
    /// Where to compute: auto, cpu, cuda, cuda:N, cuda:N,M (a copy of the model on each) or metal
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,
    /// Threads to compute with; as many as there are cores when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Tokens in a batch, padding included; what the device has memory for when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_tokens: Option<u32>,
    /// How weights and products are held: auto is the fastest that keeps quality, which is q8 on
    /// the processor; f32 is exact and slow, bf16 and f16 are for graphics cards; a GGUF file runs
    /// as it is
    #[arg(long, value_name = "PRECISION", default_value = "auto", value_parser = ["auto", "f32", "bf16", "f16", "q8"])]
    pub(crate) precision: String,
    /// The most tokens of each output
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_tokens: Option<u32>,
}

impl DocumentArgs {
    /// Whether each output can have the format of its input: into a folder, or from one file.
    pub(crate) fn keeps_formats(&self) -> bool {
        let is_one = self.files.len() < 2 && self.files.iter().all(|file| !file.is_dir());
        is_one || self.output.as_deref().is_some_and(file::is_folder)
    }

    /// How the inputs are read.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown format.
    pub(crate) fn read_options(&self) -> Result<ReadOptions> {
        Ok(ReadOptions {
            format: self.format.as_deref().map(str::parse).transpose()?,
            cleaning: match (self.raw, self.whole_page, self.clean) {
                (true, ..) => Cleaning::Raw,
                (_, true, _) => Cleaning::Page,
                (.., true) => Cleaning::Fields,
                _ => Cleaning::Article,
            },
            fields: self.field.clone(),
        })
    }
}

/// How long a summary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LengthName {
    Headline,
    Short,
    Medium,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Memory {
    /// Counts what is in a memory, by direction and model
    Stats {
        /// The memory
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Writes a memory in a form that other translation tools read
    Export {
        /// The memory
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where to write TMX 1.4; `-` for standard output
        #[arg(long, value_name = "OUT")]
        tmx: PathBuf,
    },
    /// Reads what people or other tools translated into a memory, which is begun where there is none;
    /// it is used whatever the model, and before what models wrote
    Import {
        /// The memory
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The TMX file to read; `-` for standard input
        #[arg(long, value_name = "IN")]
        tmx: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// Shows all models: what they do, licence, size, the memory they need, which are in the cache, and
    /// the lists that a model is chosen from
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
