//! The `newsml` program: hands its arguments to the command line module.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
