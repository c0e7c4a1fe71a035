//! Measures the guards on translations by people: how many faults put into them are caught, and how
//! many translations raise an alarm as they are.
//!
//! `cargo run --release --example guards -- SET… [--others FOLDER] [--show]`
//!
//! A SET is a name such that `SET.ar`, `SET.en` and `SET.ru` hold parallel lines, or a file of JSON
//! Lines with the fields `ar`, `en` and `ru`, each a list of parallel lines. FOLDER holds files with
//! lines in neighbouring languages, named by their codes, such as `lines.uk`. `--show` prints every
//! false alarm and every fault that was missed.

#![expect(clippy::print_stdout, reason = "a program")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use newsml::{Language, WarningKind, check_translation};

/// What is done to a translation; `None` where it cannot be done to this one.
type Inject = fn(&Case<'_>, &mut Dice) -> Option<(String, String)>;

/// A line with its translation, and the line before.
struct Case<'a> {
    source: &'a str,
    target: &'a str,
    before: (&'a str, &'a str),
    to: Language,
    others: &'a [String],
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

const FAULTS: &[(&str, Inject)] = &[
    ("nothing written", |case, _| {
        Some((case.source.into(), String::new()))
    }),
    ("half cut off", |case, _| {
        let words: Vec<_> = case.target.split(' ').collect();
        (words.len() >= 6).then(|| (case.source.into(), words[..words.len() / 2].join(" ")))
    }),
    ("one of two sentences dropped", |case, dice| {
        let kept = [case.before.1, case.target][dice.below(2)];
        // After a headline there is a line break, which no segment goes over.
        let is_sentence = case
            .before
            .0
            .trim_end_matches(|c: char| "\"'»”’“)".contains(c))
            .ends_with(['.', '!', '?', '…', '؟']);
        is_sentence.then(|| {
            let source = format!("{} {}", case.before.0, case.source);
            (source, kept.to_owned())
        })
    }),
    ("copied", |case, _| {
        Some((case.source.into(), case.source.into()))
    }),
    ("half copied", |case, _| {
        let (source, target): (Vec<_>, Vec<_>) = (
            case.source.split(' ').collect(),
            case.target.split(' ').collect(),
        );
        (source.len() >= 10 && target.len() >= 10).then(|| {
            let mixed = [&target[..target.len() / 2], &source[source.len() / 2..]].concat();
            (case.source.to_owned(), mixed.join(" "))
        })
    }),
    ("word loop", |case, dice| {
        let words: Vec<_> = case
            .target
            .split(' ')
            .filter(|word| word.chars().any(char::is_alphabetic))
            .collect();
        let word = words.get(dice.below(words.len()))?;
        Some((
            case.source.into(),
            format!("{}{}", case.target, format!(" {word}").repeat(6)),
        ))
    }),
    ("phrase loop", |case, dice| {
        let words: Vec<_> = case.target.split(' ').collect();
        let size = 2 + dice.below(6);
        let start = words.len().checked_sub(size)?;
        Some((
            case.source.into(),
            format!(
                "{}{}",
                case.target,
                format!(" {}", words[start..].join(" ")).repeat(3)
            ),
        ))
    }),
    ("letter loop", |case, _| {
        let letters: Vec<char> = case.target.chars().filter(|c| c.is_alphabetic()).collect();
        let last: String = letters[letters.len().checked_sub(2)?..].iter().collect();
        Some((
            case.source.into(),
            format!("{} {}", case.target, last.repeat(8)),
        ))
    }),
    ("said twice", |case, _| {
        Some((
            case.source.into(),
            format!("{} {}", case.target, case.target),
        ))
    }),
    ("digit changed", |case, dice| {
        let digits: Vec<(usize, char)> = case
            .target
            .char_indices()
            .filter(|(_, c)| c.is_ascii_digit())
            .collect();
        let &(place, digit) = digits.get(dice.below(digits.len()))?;
        let new = char::from(b'0' + ((digit as u8 - b'0') + 1 + dice.below(9) as u8) % 10);
        let mut target = case.target.to_owned();
        target.replace_range(place..=place, new.encode_utf8(&mut [0; 4]));
        Some((case.source.into(), target))
    }),
    ("one-digit number changed", |case, dice| {
        let bytes = case.target.as_bytes();
        let alone: Vec<usize> = (0..bytes.len())
            .filter(|&at| bytes[at].is_ascii_digit())
            .filter(|&at| {
                let is_free = |at: Option<usize>| {
                    at.and_then(|at| bytes.get(at))
                        .is_none_or(|b| b" ()-".contains(b))
                };
                is_free(at.checked_sub(1))
                    && is_free(Some(at + 1))
                    && case.source.contains(char::from(bytes[at]))
            })
            .collect();
        let &place = alone.get(dice.below(alone.len()))?;
        let new = b'0' + (bytes[place] - b'0' + 1 + dice.below(9) as u8) % 10;
        let mut target = case.target.to_owned();
        target.replace_range(place..=place, char::from(new).encode_utf8(&mut [0; 4]));
        Some((case.source.into(), target))
    }),
    ("neighbouring language", |case, dice| {
        Some((
            case.source.into(),
            case.others.get(dice.below(case.others.len()))?.clone(),
        ))
    }),
    ("address changed", |case, dice| {
        let letter = char::from(b'a' + dice.below(26) as u8);
        let address = "https://example.org/news/";
        (letter != 'n').then(|| {
            (
                format!("{} {address}n", case.source),
                format!("{} {address}{letter}", case.target),
            )
        })
    }),
];

/// Parallel lines by language, in the order of [`Language::ALL`].
type Lines = [Vec<String>; 3];

fn read(set: &str) -> Result<Lines, Box<dyn Error>> {
    let mut lines = Lines::default();
    if set.ends_with(".jsonl") {
        for line in std::fs::read_to_string(set)?.lines() {
            let record: BTreeMap<String, serde_json::Value> = serde_json::from_str(line)?;
            for (language, lines) in Language::ALL.iter().zip(&mut lines) {
                let texts = record.get(language.code()).and_then(|list| list.as_array());
                lines.extend(
                    texts
                        .into_iter()
                        .flatten()
                        .filter_map(|text| text.as_str())
                        .map(str::to_owned),
                );
            }
        }
    } else {
        for (language, lines) in Language::ALL.iter().zip(&mut lines) {
            let text = std::fs::read_to_string(format!("{set}.{language}"))?;
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    Ok(lines)
}

fn others(folder: &Path, to: Language) -> Result<Vec<String>, Box<dyn Error>> {
    let codes: &[&str] = match to {
        Language::Arabic => &["fa", "ur"],
        Language::Russian => &["uk", "bg", "kk"],
        Language::English => &["pt", "fr", "de", "es"],
    };
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|end| codes.iter().any(|code| end == *code))
        {
            let text = std::fs::read_to_string(&path)?;
            // Shorter lines are names and numbers, the same in many languages.
            lines.extend(
                text.lines()
                    .filter(|line| line.chars().count() >= 40)
                    .map(str::to_owned),
            );
        }
    }
    Ok(lines)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut sets, mut folders, mut show) = (Vec::new(), Vec::new(), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--others" => folders.extend(arguments.next()),
            "--show" => show = true,
            _ => sets.push(argument),
        }
    }
    if sets.is_empty() {
        return Err("name a set of parallel lines".into());
    }
    for set in sets {
        let lines = read(&set)?;
        println!("{set}: {} lines", lines[0].len());
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
