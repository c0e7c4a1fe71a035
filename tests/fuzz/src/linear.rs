//! Measures whether reading takes time in proportion to the input.

use std::time::Duration;

use newsml::{Cleaning, Format};

use crate::mutate::archive;
use crate::{documents, seeds};

const SIZES: [usize; 6] = [100_000, 200_000, 400_000, 800_000, 1_600_000, 2_000_000];
/// Twice the input may take so many times as long.
const RATIO: f64 = 2.5;
/// Less time says nothing.
const SHORTEST: Duration = Duration::from_millis(60);
/// A time that is measured again, since it may have been chance.
const TIMES: usize = 3;

/// Time of the processor that this thread has used.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let time = stat.split_whitespace().next();
    Duration::from_nanos(time.and_then(|time| time.parse().ok()).unwrap_or(0))
}

/// A pattern again and again within what makes it an input of the format.
fn input(format: Format, pattern: &str, size: usize) -> Vec<u8> {
    let repeated = pattern.repeat(size / pattern.len().max(1));
    let prose = "The council opened a new school on Monday, and the mayor thanked the builders. ";
    let text = match format {
        Format::Html => format!("<p>{prose}</p>{repeated}{prose}<p>{prose}</p>"),
        Format::JsonLines => format!("{{\"text\":\"{prose}\"}}\n{repeated}"),
        Format::Csv => format!("title,text\na,{prose}\nb,{repeated}\nc,{prose}\n"),
        Format::Tsv => format!("title\ttext\na\t{prose}\nb\t{repeated}\nc\t{prose}\n"),
        Format::Srt => format!("1\n00:00:01,000 --> 00:00:02,000\n{prose}\n{repeated}\n"),
        Format::WebVtt => format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{prose}\n{repeated}\n"),
        Format::Docx => {
            let text = format!(
                "<w:document><w:body><w:p><w:r><w:t>{prose}</w:t>{repeated}</w:r></w:p></w:body></w:document>"
            );
            return archive(&[("word/document.xml".to_owned(), text.into_bytes())]);
        }
        _ => format!("{prose}\n\n{repeated}\n\n{prose}\n"),
    };
    text.into_bytes()
}

/// Patterns of a format: what it is made of, alone and two together.
fn patterns(format: Format) -> Vec<String> {
    let tokens = seeds::tokens(format);
    let mut patterns: Vec<String> = tokens.iter().map(|&token| token.to_owned()).collect();
    for (at, token) in tokens.iter().enumerate() {
        for next in [1, 7] {
            patterns.push(format!(
                "{token}a b. {}",
                tokens[(at + next) % tokens.len()]
            ));
        }
    }
    for (_, seed) in seeds::documents()
        .into_iter()
        .filter(|seed| seed.0 == format)
    {
        patterns.extend(String::from_utf8(seed));
    }
    patterns
}

fn measured(way: documents::Way, input: &[u8]) -> Duration {
    let before = processor_time();
    documents::run(way, input);
    processor_time().saturating_sub(before)
}

/// Measures all patterns of all formats, or of those that are named; whether all are linear.
pub(crate) fn all(names: &[&str]) -> bool {
    let (mut count, mut worst, mut slow) = (0, 0.0f64, 0);
    for format in Format::ALL {
        if !names.is_empty() && !names.contains(&format.name()) {
            continue;
        }
        for pattern in patterns(format) {
            count += 1;
            let way = (
                Some(format),
                if count % 2 == 0 {
                    Cleaning::Page
                } else {
                    Cleaning::Article
                },
            );
            let mut before: Option<Duration> = None;
            for (at, &size) in SIZES.iter().enumerate() {
                let input = input(format, &pattern, size);
                let mut time = measured(way, &input);
                let grown = size as f64 / SIZES[at.saturating_sub(1)] as f64;
                let allowed = RATIO.powf(grown.log2());
                let ratio = |time: Duration| {
                    before.map_or(0.0, |before| {
                        time.as_secs_f64() / before.as_secs_f64().max(1e-9)
                    })
                };
                let mut left = TIMES;
                while time > SHORTEST && ratio(time) > allowed && left > 0 {
                    left -= 1;
                    time = time.min(measured(way, &input));
                }
                let is_slow = time > SHORTEST && ratio(time) > allowed;
                if time > SHORTEST && grown == 2.0 {
                    worst = worst.max(ratio(time));
                }
                if is_slow {
                    println!(
                        "{format} {:?} {pattern:.60?}: {size} bytes take {time:.2?}, {:.2} times as long",
                        way.1,
                        ratio(time)
                    );
                    slow += 1;
                    break;
                }
                if time > Duration::from_secs(20) {
                    println!(
                        "{format} {:?} {pattern:.60?}: {size} bytes take {time:.2?}",
                        way.1
                    );
                    slow += 1;
                    break;
                }
                before = Some(time.max(SHORTEST / 4));
            }
        }
        eprintln!("{format}: {count} patterns, {slow} not linear, worst ratio {worst:.2}");
    }
    println!("{count} patterns, {slow} not linear, worst ratio {worst:.2}");
    slow == 0
}
