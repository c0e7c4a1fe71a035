//! Summarizes the files named on the command line, together.

#![expect(clippy::print_stdout, reason = "an example says what it found")]

use newsml::{Length, Summarizer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let texts = paths
        .iter()
        .map(std::fs::read_to_string)
        .collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let summarizer = Summarizer::new(Length::Short)?;
    for (path, summary) in paths.iter().zip(summarizer.summarize_batch(&texts)?) {
        println!("{path}: {summary}");
    }
    Ok(())
}
