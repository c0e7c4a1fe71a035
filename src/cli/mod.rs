//! The command line: arguments in, exit status out. The only part of newsml that prints.
//!
//! Uses the public interface of the library and nothing else. Standard output carries results;
//! progress, notes and errors go to standard error. One file a subcommand; what they share is in
//! `documents` (the loop over articles), `input`, `output` and `console`.

mod args;
mod console;
mod counts;
mod documents;
mod eval;
mod file;
mod fingerprint;
mod input;
mod inspect;
mod interrupt;
mod journal;
mod memory;
mod models;
mod outcome;
mod output;
mod progress;
mod reader;
mod resume;
mod run;
mod settings;
mod status;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use newsml::{Error, Format, Network, Registry, Result, Store, StoreOptions};

use args::{Cli, Command, Eval, Inspect, ModelArgs, Shared, Summarize, Translate};
use console::{Console, Verbosity};
use file::Form;
use status::Status;

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error).into(),
    };
    if let Command::Eval(Eval { compute, .. })
    | Command::Summarize(Summarize {
        model: ModelArgs { compute, .. },
        ..
    })
    | Command::Translate(Translate {
        model: ModelArgs { compute, .. },
        ..
    }) = &cli.command
    {
        limit_threads(compute.threads);
    }
    interrupt::listen();
    let console = Arc::new(Console::new(verbosity(&cli.shared)));
    let status = execute(&cli, &console).unwrap_or_else(|error| {
        console.clear();
        if is_broken_pipe(&error) {
            return Status::Done;
        }
        console.error(None, &error);
        Status::NothingRun
    });
    status.into()
}

fn execute(cli: &Cli, console: &Arc<Console>) -> Result<Status> {
    let shared = &cli.shared;
    let form = form(cli);
    let context = || -> Result<run::Context> {
        Ok(run::Context {
            registry: registry(shared)?,
            store: store_options(shared),
            form,
            console: console.clone(),
        })
    };
    match &cli.command {
        Command::Inspect(arguments) => inspect::run(arguments, form, console),
        Command::Summarize(arguments) => context()?.summarize(arguments),
        Command::Translate(arguments) => context()?.translate(arguments),
        Command::Eval(arguments) => eval::run(arguments, &context()?),
        Command::Memory(command) => memory::run(command, form, console),
        Command::Models(command) => {
            let registry = registry(shared)?;
            let store = Store::new(store_options(shared));
            models::run(
                command,
                &models::Context {
                    registry: &registry,
                    store: &store,
                    form,
                    console,
                },
            )
        }
    }
}

/// JSON Lines where they are asked for, be it by the name of the output.
fn form(cli: &Cli) -> Form {
    let output = match &cli.command {
        Command::Summarize(Summarize { documents, .. })
        | Command::Translate(Translate { documents, .. })
        | Command::Inspect(Inspect { documents, .. }) => documents.output.as_deref(),
        Command::Eval(_) | Command::Memory(_) | Command::Models(_) => None,
    };
    match (output.and_then(Format::of_path), &cli.command) {
        (Some(Format::JsonLines), _) => Form::Json,
        _ if cli.shared.json => Form::Json,
        (Some(Format::Text), _) => Form::Text,
        (_, Command::Translate(Translate { documents, .. })) if documents.keeps_formats() => {
            Form::Own
        }
        _ => Form::Text,
    }
}

/// Has all computing done on so many threads.
fn limit_threads(threads: Option<u16>) {
    let Some(threads) = threads else { return };
    for variable in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        // SAFETY: the program has one thread at this point, so nobody reads the environment.
        unsafe { std::env::set_var(variable, threads.to_string()) };
    }
}

fn verbosity(shared: &Shared) -> Verbosity {
    match (shared.quiet, shared.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
}

fn registry(shared: &Shared) -> Result<Registry> {
    let variable = std::env::var_os("NEWSML_MODELS").map(PathBuf::from);
    match shared
        .registry
        .clone()
        .or(variable)
        .filter(|path| !path.as_os_str().is_empty())
    {
        Some(path) => Registry::with_file(path),
        None => Registry::builtin(),
    }
}

fn store_options(shared: &Shared) -> StoreOptions {
    let mut options = StoreOptions::from_environment();
    if shared.offline {
        options.network = Network::Offline;
    }
    options
}

fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
}
