//! `newsml memory`: what is in a translation memory, for people and for other tools.

use std::io::Write as _;
use std::path::Path;

use newsml::{Error, MemoryFile, Result, terminal_safe};

use super::args::Memory;
use super::console::Console;
use super::file::{AtomicFile, Form};
use super::status::Status;

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
            console.note(&format!("{} exported", counted(count, "segment")));
        }
        Memory::Import { file, tmx } => {
            let found = if tmx.as_os_str() == "-" {
                let mut input = std::io::stdin().lock();
                MemoryFile::open(file)?.import_tmx(&mut input, "standard input")?
            } else {
                // Nothing is begun for a file that is not there.
                let mut input = std::fs::File::open(tmx).map_err(|source| Error::Io {
                    action: "open",
                    path: tmx.clone(),
                    source,
                })?;
                MemoryFile::open(file)?.import_tmx(&mut input, &tmx.display().to_string())?
            };
            console.note(&format!("{} imported", counted(found.segments, "segment")));
            if found.left_out > 0 {
                console.warning(&format!(
                    "{} left out that did not hold text in two languages",
                    counted(found.left_out, "unit")
                ));
            }
        }
    }
    Ok(Status::Done)
}

fn counted(count: u64, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
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
