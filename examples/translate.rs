//! Translates lines of standard input from Russian into English, in one batch.

#![expect(clippy::print_stdout, reason = "an example says what it found")]

use std::io::Read;

use newsml::{Language, Translator};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let lines: Vec<&str> = input
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let translator = Translator::new(Language::Russian, Language::English)?;
    for line in translator.translate_batch(&lines)? {
        println!("{line}");
    }
    Ok(())
}
