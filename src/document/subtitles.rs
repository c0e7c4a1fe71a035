//! Reads subtitles, SRT and WebVTT: their text as it is spoken, in blocks that go on from cue to cue
//! as long as a sentence does.
//!
//! Numbers, times, settings, notes and styles stay byte for byte where they are. Where one cue or
//! line of a sentence ends and the next begins is a break, which its translation gets as well.

use std::ops::Range;

use super::escape::Escape;
use super::html::tokens::{self, Token};
use super::layout::Builder;
use super::lines::ends_sentence;
use super::spans::Kind;
use super::{Document, Format};
use crate::error::{Error, Result};

/// Seconds between two cues of one sentence at most.
const LONGEST_PAUSE: f64 = 3.0;

/// The subtitles of a file.
///
/// # Errors
/// [`Error::Format`] where no cue has a time, [`Error::EmptyInput`] where no cue has text.
pub(super) fn document(name: String, source: String, format: Format) -> Result<Document> {
    let cues = cues(&source);
    if cues.is_empty() {
        return Err(Error::Format {
            name,
            format: format.name(),
            message: "no cue with a time was found".to_owned(),
        });
    }
    let mut reader = Reader {
        source: &source,
        format,
        builder: Builder::new(
            source.clone(),
            match format {
                Format::WebVtt => Escape::Entities,
                _ => Escape::None,
            },
        ),
        end: 0,
    };
    let mut before = f64::NEG_INFINITY;
    for cue in &cues {
        if cue.time.start - before > LONGEST_PAUSE {
            reader.builder.end_block();
        }
        before = cue.time.end;
        for line in &cue.lines {
            reader.line(line.clone());
        }
    }
    let (text, blocks, layout) = reader.builder.finish();
    if blocks.is_empty() {
        return Err(Error::EmptyInput { name });
    }
    let mut document = Document::of_blocks(name, text, blocks);
    document.format = format;
    document.layout = Some(layout);
    Ok(document)
}

/// A cue: when it is shown, in seconds, and the ranges of its lines without white space around them.
struct Cue {
    time: Range<f64>,
    lines: Vec<Range<usize>>,
}

fn cues(source: &str) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    // Whether the line at hand is text of the last cue.
    let mut is_text = false;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let range = crate::segment::trimmed(source, at..at + line.len());
        at += line.len();
        if range.is_empty() {
            is_text = false;
        } else if let Some(time) = time(line) {
            // A cue that no blank line ends: the number before the time is not its text.
            if let Some(cue) = cues.last_mut()
                && is_text
                && cue.lines.len() > 1
                && let Some(last) = cue.lines.last()
                && source[last.clone()]
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
            {
                cue.lines.pop();
            }
            cues.push(Cue {
                time,
                lines: Vec::new(),
            });
            is_text = true;
        } else if is_text && let Some(cue) = cues.last_mut() {
            cue.lines.push(range);
        }
    }
    cues
}

struct Reader<'a> {
    source: &'a str,
    format: Format,
    builder: Builder,
    /// Where the line before ended.
    end: usize,
}

impl Reader<'_> {
    /// Reads a line of a cue.
    fn line(&mut self, range: Range<usize>) {
        let text = &self.source[range.clone()];
        // Another speaker, or song.
        let begins = text.starts_with(['-', '–', '—', '♪', '♫', '[', '(', '#', '>']);
        if begins || ends_sentence(self.builder.block_text()) {
            self.builder.end_block();
        }
        self.builder.line_break(self.end..range.start);
        let mut at = range.start;
        while at < range.end {
            let rest = &self.source[at..range.end];
            // Styles of the player: `{\\an8}`.
            if rest.starts_with("{\\")
                && let Some(end) = rest.find('}')
            {
                let mark = at..at + end + 1;
                at = mark.end;
                self.builder.mark(Kind::Point, mark, None);
                continue;
            }
            let plain = rest.find(['<', '{', '&']).unwrap_or(rest.len());
            if plain > 0 {
                self.builder.text(at..at + plain);
                at += plain;
            } else if rest.starts_with('<') {
                at = self.tag(at, range.end);
            } else if rest.starts_with('&') && self.format == Format::WebVtt {
                let end = rest[1..]
                    .find(['<', '{', '&'])
                    .map_or(rest.len(), |end| end + 1);
                self.builder.encoded(at..at + end);
                at += end;
            } else {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                self.builder.text(at..at + length);
                at += length;
            }
        }
        self.end = range.end;
    }

    /// Reads what begins with `<`; returns where it ends.
    fn tag(&mut self, at: usize, end: usize) -> usize {
        let line = &self.source[..end];
        match tokens::next(line, at) {
            Token::Start(tag) if line[..tag.range.end].ends_with('>') => {
                // The class belongs to the name: `<c.yellow>` ends with `</c>`.
                let name = tag.name.split('.').next().unwrap_or_default();
                self.builder.open_span(name, tag.range.clone());
                tag.range.end
            }
            Token::End { name, range } if line[..range.end].ends_with('>') => {
                self.builder.close_span(&name, range.clone());
                range.end
            }
            _ => {
                // The time of a word in WebVTT: `<00:01.000>`.
                let rest = &line[at..];
                let time = rest.find('>').filter(|end| {
                    rest[1..*end]
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
                        && *end > 1
                });
                let length = time.map_or(1, |end| end + 1);
                match time {
                    Some(_) => self.builder.mark(Kind::Point, at..at + length, None),
                    None => self.builder.text(at..at + length),
                }
                at + length
            }
        }
    }
}

/// The times of a cue in seconds: `00:00:01,000 --> 00:00:02,500`, in WebVTT with settings behind.
fn time(line: &str) -> Option<Range<f64>> {
    let (from, to) = line.split_once("-->")?;
    let seconds = |text: &str| {
        let text = text.trim();
        if text.len() < 5 || !text.contains(':') {
            return None;
        }
        text.split(':').try_fold(0.0, |seconds, part| {
            let is_number = part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'));
            let part: f64 = part.replace(',', ".").parse().ok()?;
            is_number.then_some(seconds * 60.0 + part)
        })
    };
    Some(seconds(from)?..seconds(to.split_whitespace().next()?)?)
}

/// Which kind of subtitles the beginning of an input is.
pub(super) fn looks_like(start: &[u8]) -> Option<Format> {
    let head = String::from_utf8_lossy(&start[..start.len().min(400)]);
    if head.starts_with("WEBVTT") {
        return Some(Format::WebVtt);
    }
    let mut lines = head.lines().map(str::trim).filter(|line| !line.is_empty());
    let number = lines
        .next()
        .is_some_and(|line| line.bytes().all(|byte| byte.is_ascii_digit()));
    (number && lines.next().and_then(time).is_some()).then_some(Format::Srt)
}
