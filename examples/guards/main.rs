//! Measures the guards on translations by people: how many faults put into them are caught, and how
//! many translations raise an alarm as they are.
//!
//! `cargo run --release --example guards -- SET… [--others FOLDER] [--show] [--fit]`
//!
//! A SET is a name such that `SET.ar`, `SET.en` and `SET.ru` hold parallel lines, or a file of JSON
//! Lines with the fields `ar`, `en` and `ru`, each a list of parallel lines of one document. FOLDER
//! holds files with lines in neighbouring languages, named by their codes, such as `lines.uk`.
//! `--show` prints every false alarm and every fault that was missed. `--fit` fits the weights of what
//! is missing in a translation, leaves out one fold of the documents at a time, measures on the fold
//! that was left out, and prints the weights fitted to all.

#![expect(clippy::print_stdout, reason = "a program")]

mod faults;
mod fit;
mod sets;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use faults::{Case, Dice, FAULTS};
use newsml::{Language, WarningKind, check_translation};
use sets::{Set, others, read};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut names, mut folders, mut show, mut fit) = (Vec::new(), Vec::new(), false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--others" => folders.extend(arguments.next()),
            "--show" => show = true,
            "--fit" => fit = true,
            _ => names.push(argument),
        }
    }
    if names.is_empty() {
        return Err("name a set of parallel lines".into());
    }
    if fit {
        let sets: Vec<(String, Set)> = names
            .into_iter()
            .map(|name| read(&name).map(|set| (name, set)))
            .collect::<Result<_, _>>()?;
        fit::run(&sets);
        return Ok(());
    }
    for name in names {
        let Set { lines, .. } = read(&name)?;
        println!("{name}: {} lines", lines[0].len());
        for (a, from) in Language::ALL.into_iter().enumerate() {
            for (b, to) in Language::ALL.into_iter().enumerate() {
                if from != to {
                    let mut foreign = Vec::new();
                    for folder in &folders {
                        foreign.extend(others(Path::new(folder), to)?);
                    }
                    direction((from, &lines[a]), (to, &lines[b]), &foreign, show);
                }
            }
        }
    }
    Ok(())
}

fn direction(
    (from, sources): (Language, &[String]),
    (to, targets): (Language, &[String]),
    others: &[String],
    show: bool,
) {
    let mut alarms: BTreeMap<WarningKind, usize> = BTreeMap::new();
    let mut alarmed = 0;
    let mut caught = vec![(0, 0); FAULTS.len()];
    let mut dice = Dice(7);
    for (at, (source, target)) in sources.iter().zip(targets).enumerate() {
        let faults = check_translation(source, target, Some(from), Some(to));
        alarmed += usize::from(!faults.is_empty());
        for fault in faults {
            if show {
                println!(
                    "ALARM {from}-{to} {}: {}\n  {source}\n  {target}",
                    fault.kind, fault.message
                );
            }
            *alarms.entry(fault.kind).or_default() += 1;
        }
        let before = at
            .checked_sub(1)
            .map_or(("", ""), |at| (&sources[at], &targets[at]));
        let case = Case {
            source,
            target,
            before,
            to,
            others,
        };
        for ((name, inject), (found, all)) in FAULTS.iter().zip(&mut caught) {
            let Some((source, target)) = inject(&case, &mut dice) else {
                continue;
            };
            *all += 1;
            if !check_translation(&source, &target, Some(from), Some(case.to)).is_empty() {
                *found += 1;
            } else if show {
                println!("MISSED {from}-{to} {name}:\n  {source}\n  {target}");
            }
        }
    }
    let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
    println!(
        "{from}-{to}: false alarms {:.2} % {alarms:?}",
        percent(alarmed, sources.len())
    );
    let (mut found, mut all) = (0, 0);
    for ((name, _), (caught, injected)) in FAULTS.iter().zip(caught) {
        println!(
            "  {name:<30} {caught:>5} of {injected:>5}  {:.2} %",
            percent(caught, injected)
        );
        found += caught;
        all += injected;
    }
    println!(
        "  {:<30} {found:>5} of {all:>5}  {:.2} %",
        "all",
        percent(found, all)
    );
}
