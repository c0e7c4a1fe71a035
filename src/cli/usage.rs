//! Errors of the command line itself, in the words of all other errors.

use std::io::Write as _;

use clap::error::ErrorKind;
use newsml::Error;

use super::console::Console;
use super::status::Status;

/// Prints what clap has to say: help and version as they are, errors as newsml's own.
pub(crate) fn report(error: &clap::Error) -> Status {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that goes away is none of our business.
            drop(write!(anstream::stdout(), "{}", error.render().ansi()));
            Status::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            drop(write!(anstream::stderr(), "{}", error.render().ansi()));
            Status::NothingRun
        }
        _ => {
            Console::new(super::console::Verbosity::Normal)
                .error(None, &translate(&error.render().to_string()));
            Status::NothingRun
        }
    }
}

/// `error: …`, tips and usage become one sentence and a hint.
fn translate(rendered: &str) -> Error {
    let mut blocks = rendered.split("\n\n");
    let first = blocks.next().unwrap_or_default();
    let message: Vec<&str> = first
        .trim_start_matches("error:")
        .split_whitespace()
        .collect();
    let message = message.join(" ").replace('\'', "`");
    let tips: Vec<String> = rendered
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tip: "))
        .map(|tip| tip.replace('\'', "`"))
        .collect();
    let usage = rendered
        .lines()
        .find_map(|line| line.strip_prefix("Usage: "));
    let hint = match (tips.first(), usage) {
        (Some(tip), _) => tip.clone(),
        (None, Some(usage)) => {
            let command: Vec<&str> = usage
                .split(' ')
                .take_while(|word| !word.starts_with(['<', '[']))
                .collect();
            let command: Vec<&str> = command
                .into_iter()
                .take_while(|word| !word.starts_with('-'))
                .collect();
            format!("`{} --help` shows what can be given", command.join(" "))
        }
        (None, None) => "`newsml --help` shows what can be given".to_owned(),
    };
    Error::Usage {
        message: message.trim_end_matches('.').to_owned(),
        hint: Some(hint),
    }
}
