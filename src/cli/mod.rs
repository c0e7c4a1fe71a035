//! The command line: arguments in, exit status out. The only part of newsml that prints.
//!
//! Uses the public interface of the library and nothing else. Standard output carries results;
//! progress, notes and errors go to standard error. One file a subcommand; what they share is in
//! `documents` (the loop over articles), `input`, `output` and `console`.

mod args;
mod console;
mod documents;
mod input;
mod inspect;
mod interrupt;
mod models;
mod output;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;
use newsml::{Error, Network, Registry, Result, Store, StoreOptions};

use args::{Cli, Command, Shared};
use console::{Console, Verbosity};
use output::Form;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// All done.
    Done,
    /// Some document failed, the others were written.
    SomeFailed,
    /// Nothing was run.
    NothingRun,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::SomeFailed => 1,
            Status::NothingRun => 2,
        })
    }
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error).into(),
    };
    interrupt::listen();
    let console = Console::new(verbosity(&cli.shared));
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

fn execute(cli: &Cli, console: &Console) -> Result<Status> {
    let shared = &cli.shared;
    let form = if shared.json { Form::Json } else { Form::Text };
    match &cli.command {
        Command::Inspect(arguments) => inspect::run(arguments, form, console),
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
        Command::Summarize(_) | Command::Translate(_) => Err(Error::Usage {
            message: "not wired yet".to_owned(),
            hint: None,
        }),
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
    match &shared.registry {
        Some(path) if !path.as_os_str().is_empty() => Registry::with_file(path),
        _ => Registry::builtin(),
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
