//! `newsml memory`: what is in a translation memory, for people and for other tools.

use std::io::Write as _;
use std::path::Path;

use newsml::{Error, MemoryFile, Result, terminal_safe};

use super::Status;
use super::args::Memory;
use super::console::Console;
use super::output::{AtomicFile, Form};

/// Runs one subcommand.
///
/// # Errors
/// A memory that is not there or cannot be used; an output that cannot be written.
pub(crate) fn run(command: &Memory, form: Form, console: &Console) -> Result<Status> {
    match command {
        Memory::Stats { file } => stats(file, form)?,
        Memory::Export { file, tmx } => {
            let memory = MemoryFile::existing(file)?;
            let count = if tmx.as_os_str() == "-" {
                memory.export_tmx(&mut std::io::stdout().lock(), "standard output")?
            } else {
                let mut output = AtomicFile::create(tmx)?;
                let count = memory.export_tmx(&mut output, &tmx.display().to_string())?;
                output.commit()?;
                count
            };
            console.note(&format!("{count} segments exported"));
        }
    }
    Ok(Status::Done)
}

fn stats(file: &Path, form: Form) -> Result<()> {
    let counts = MemoryFile::existing(file)?.counts()?;
    let mut text = String::new();
    if form == Form::Text {
        text += &format!("{:>10}  FROM  TO   MODEL\n", "SEGMENTS");
    }
    for count in counts {
        text += &match form {
            Form::Json => serde_json::to_string(&count).unwrap_or_default(),
            Form::Text | Form::Own => format!(
                "{:>10}  {:<4}  {:<3}  {}",
                count.segments,
                count.from,
                count.to,
                terminal_safe(&count.model)
            ),
        };
        text.push('\n');
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|source| Error::Io {
            action: "write",
            path: "standard output".into(),
            source,
        })
}
