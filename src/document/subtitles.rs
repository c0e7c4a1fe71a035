//! Reads subtitles, SRT and WebVTT: their text as it is spoken, in blocks that go on from cue to cue
//! as long as a sentence does.
//!
//! Numbers, times, settings, notes and styles stay byte for byte where they are. Where one cue or
//! line of a sentence ends and the next begins is a break, which its translation gets as well. Sounds, songs, titles and voices
//! are texts of their own. So is each line where words have times, or where captions roll: no time of a
//! word leaves its cue then.

mod cues;

use std::collections::HashSet;
use std::ops::Range;

use super::escape::Escape;
use super::html::tokens::{self, Token};
use super::layout::Builder;
use super::lines::{ends_sentence, is_format};
use super::spans::Kind;
use super::{Document, Format};
use crate::error::{Error, Result};
use crate::segment::char_boundary;
use cues::{Cue, cues, time};

/// Seconds between two cues of one sentence at most.
const LONGEST_PAUSE: f64 = 3.0;

/// The subtitles of a file.
///
/// # Errors
/// [`Error::Format`] where no cue has a time, [`Error::EmptyInput`] where no cue has text.
pub(super) fn document(name: String, source: String, format: Format) -> Result<Document> {
    let cues = cues(&source, format);
    if cues.is_empty() {
        return Err(Error::Format {
            name,
            format: format.name(),
            message: "no cue with a time was found".to_owned(),
        });
    }
    let escape = match format {
        Format::WebVtt => Escape::Entities,
        _ => Escape::None,
    };
    let mut reader = Reader {
        source: &source,
        format,
        style: Style::of(&source, &cues),
        builder: Builder::new(source.clone(), escape),
        end: 0,
        is_apart: false,
        close: Next::default(),
        brace: Next::default(),
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

/// How the subtitles of a file are made.
#[derive(Debug, Clone, Copy)]
struct Style {
    /// Each cue repeats lines of the one before, as captions that roll do.
    rolls: bool,
    /// Words have times in most lines.
    times: bool,
    /// Most lines are in capitals, which says nothing then.
    shouts: bool,
}

impl Style {
    fn of(source: &str, cues: &[Cue]) -> Self {
        let (mut repeated, mut lines, mut capitals, mut times) = (0, 0, 0, 0);
        let mut before: HashSet<String> = HashSet::new();
        for cue in cues {
            let texts = cue.lines.iter().map(|line| shown(&source[line.clone()]));
            let texts: HashSet<String> = texts.filter(|text| !text.is_empty()).collect();
            repeated += usize::from(texts.iter().any(|text| before.contains(text)));
            lines += texts.len();
            let has_times = |line: &&Range<usize>| {
                let line = &source[(*line).clone()];
                line.contains("<0") || line.contains("<1")
            };
            times += cue.lines.iter().filter(has_times).count();
            capitals += texts.iter().filter(|text| is_capitals(text)).count();
            before = texts;
        }
        Self {
            rolls: repeated >= 2 && repeated * 4 >= cues.len(),
            times: times * 2 > lines,
            shouts: capitals * 2 > lines,
        }
    }
}

/// What a line shows: without tags and characters that are not seen.
fn shown(line: &str) -> String {
    let mut is_tag = false;
    let text = line.chars().filter(|c| {
        is_tag |= *c == '<';
        let is_shown = !is_tag && !is_format(*c);
        is_tag &= *c != '>';
        is_shown
    });
    text.collect::<String>().trim().to_owned()
}

/// Whether a text has capitals and no small letters: a title, or a sign that is seen.
fn is_capitals(text: &str) -> bool {
    text.chars().filter(|c| c.is_uppercase()).count() > 1 && !text.contains(char::is_lowercase)
}

/// Marks of songs.
const NOTES: [char; 2] = ['♪', '♫'];

/// Whether a line, as it is shown, begins what another speaker says, a sound or a song.
fn begins(line: &str) -> bool {
    if line.starts_with(['-', '–', '—', '[', '(', '#', '>']) || line.starts_with(NOTES) {
        return true;
    }
    // The name of who speaks: `MARY: Good morning.`
    let Some((name, words)) = line.split_once(':') else {
        return false;
    };
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_alphabetic() && !first.is_lowercase())
        && letters.all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '-'))
        && name.split_whitespace().count() <= 3
        && words.starts_with(' ')
}

/// Whether a line, as it is shown, ends a sound or a song.
fn ends(line: &str) -> bool {
    line.ends_with(NOTES)
        || line.starts_with('[') && line.ends_with(']')
        || line.starts_with('(') && line.ends_with(')')
}

/// Finds the next place of a byte; each stretch of the source is searched once.
#[derive(Debug, Default)]
struct Next {
    searched: Range<usize>,
    found: Option<usize>,
}

impl Next {
    fn of(&mut self, byte: u8, source: &str, at: usize, end: usize) -> Option<usize> {
        let is_known = self.searched.contains(&at)
            && self.searched.end == end
            && self.found.is_none_or(|found| found >= at);
        if !is_known {
            let bytes = source.as_bytes().get(at..end).unwrap_or_default();
            self.found = bytes
                .iter()
                .position(|b| *b == byte)
                .map(|found| at + found);
            self.searched = at..end;
        }
        self.found
    }
}

struct Reader<'a> {
    source: &'a str,
    format: Format,
    style: Style,
    builder: Builder,
    /// Where the line before ended.
    end: usize,
    /// Whether the line before is a text of its own.
    is_apart: bool,
    close: Next,
    brace: Next,
}

impl Reader<'_> {
    /// Reads a line of a cue.
    fn line(&mut self, range: Range<usize>) {
        let raw = &self.source[range.clone()];
        let text = shown(raw);
        let is_title = !self.style.shouts && is_capitals(&text);
        let was_apart = std::mem::replace(&mut self.is_apart, ends(&text) || is_title);
        // Titles go on over several lines.
        let goes_on = is_title && is_capitals(last_of(self.builder.block_text()));
        if self.style.rolls
            || self.style.times
            || (was_apart || is_title) && !goes_on
            || begins(&text)
            || raw.trim_start_matches(is_format).starts_with("<v")
            || ends_sentence(last_of(self.builder.block_text()))
        {
            self.builder.end_block();
        }
        self.builder.line_break(self.end..range.start);
        let mut at = range.start;
        while at < range.end {
            let rest = &self.source[at..range.end];
            // Styles of the player: `{\an8}`.
            if rest.starts_with("{\\")
                && let Some(end) = self.brace.of(b'}', self.source, at, range.end)
            {
                let mark = at..end + 1;
                at = mark.end;
                self.builder.mark(Kind::Point, mark, None);
                continue;
            }
            if rest.starts_with(NOTES) {
                at = self.note(at, range.end);
                continue;
            }
            let plain = rest.find(['<', '{', '&', '♪', '♫']).unwrap_or(rest.len());
            if plain > 0 {
                // The space before a mark of a song goes with it.
                let before = &rest[..plain];
                let words = match rest[plain..].starts_with(NOTES) {
                    true if !before.trim().is_empty() => before.trim_end().len(),
                    _ => plain,
                };
                self.builder.text(at..at + words);
                at += plain;
            } else if rest.starts_with('<') {
                at = self.tag(at, range.end);
            } else if rest.starts_with('&') && self.format == Format::WebVtt {
                let end = rest[1..]
                    .find(['<', '{', '&', '♪', '♫'])
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

    /// Reads a mark of a song, with the spaces around it; returns where it ends.
    fn note(&mut self, at: usize, end: usize) -> usize {
        let line = &self.source[..end];
        let before = line[..at].trim_end_matches(' ').len();
        let start = if self.builder.is_open() {
            before.max(self.end)
        } else {
            at
        };
        let after = line[at..].trim_start_matches(NOTES).trim_start_matches(' ');
        let mark = start..end - after.len();
        let next = mark.end;
        self.builder.mark(Kind::Point, mark, None);
        next
    }

    /// Reads what begins with `<`; returns where it ends.
    fn tag(&mut self, at: usize, end: usize) -> usize {
        let Some(close) = self.close.of(b'>', self.source, at, end) else {
            self.builder.text(at..at + 1);
            return at + 1;
        };
        let line = &self.source[..close + 1];
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
                let is_time = close > at + 1
                    && line[at + 1..close]
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
                if is_time {
                    self.builder.mark(Kind::Point, at..close + 1, None);
                    close + 1
                } else {
                    self.builder.text(at..at + 1);
                    at + 1
                }
            }
        }
    }
}

/// The end of a text: enough to tell how it ends.
fn last_of(text: &str) -> &str {
    &text[char_boundary(text, text.len().saturating_sub(200))..]
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
