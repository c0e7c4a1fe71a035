//! Measures the check that a summary comes from its article: how many summaries raise an alarm as they
//! are, how many of another article are caught, and how many articles seem to give orders to machines.
//!
//! `cargo run --release --example origin -- FILE…`
//!
//! A FILE has JSON Lines with the fields `language` (`ar`, `en` or `ru`), `text` and `summary`. Every
//! alarm is printed.

#![expect(clippy::print_stdout, reason = "a program")]

use std::error::Error;

use newsml::{Language, WarningKind, check_summary};
use serde_json::Value;

/// What the check says of a summary, where it says something.
fn alarm(article: &str, summary: &str, language: Language) -> Option<String> {
    let faults = check_summary(article, summary, language);
    let mut strange = faults
        .into_iter()
        .filter(|fault| fault.kind == WarningKind::NotInSource);
    strange.next().map(|fault| fault.message)
}

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let lines = std::fs::read_to_string(&path)?;
        let rows = lines
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()?;
        let field = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let (mut alarms, mut caught, mut orders) = (0, 0, 0);
        for (at, row) in rows.iter().enumerate() {
            let language: Language = field(row, "language").parse()?;
            let (text, summary) = (field(row, "text"), field(row, "summary"));
            if let Some(message) = alarm(&text, &summary, language) {
                println!("{}: {message}", field(row, "id"));
                alarms += 1;
            }
            if let Some(message) = alarm(&text, &text, language) {
                println!("{}: article: {message}", field(row, "id"));
                orders += 1;
            }
            let other = &rows[(at + 1) % rows.len()];
            caught += usize::from(alarm(&text, &field(other, "summary"), language).is_some());
        }
        let all = rows.len();
        println!(
            "{path}: {alarms} of {all} summaries raise an alarm, {caught} of {all} of other articles are caught, \
             {orders} of {all} articles seem to give orders"
        );
    }
    Ok(())
}
