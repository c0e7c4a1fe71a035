//! Reads subtitles, SRT and WebVTT: the text of a document is the file as it is, its blocks are the
//! cues.
//!
//! Numbers, times, settings, notes and styles are in no block, so that they stay byte for byte where
//! they are.

use super::lines::is_line_end;
use super::{Block, BlockKind, Document, Format};
use crate::error::{Error, Result};
use crate::segment::trimmed;

/// The subtitles of a file.
///
/// # Errors
/// [`Error::Format`] where no cue has a time, [`Error::EmptyInput`] where no cue has text.
pub(super) fn document(name: String, source: String, format: Format) -> Result<Document> {
    let mut blocks = Vec::new();
    let mut cues = 0;
    // Where the text of the cue that is open began.
    let mut cue: Option<usize> = None;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let end = at + line.len();
        if line.trim().is_empty() {
            push(&source, cue.take(), at, &mut blocks);
        } else if is_time(line) {
            // A cue that no blank line ends: what stands before the time is text and a number.
            push(&source, cue.take(), at, &mut blocks);
            cues += 1;
            cue = Some(end);
        }
        at = end;
    }
    push(&source, cue, source.len(), &mut blocks);
    if cues == 0 {
        return Err(Error::Format {
            name,
            format: format.name(),
            message: "no cue with a time was found".to_owned(),
        });
    }
    if blocks.is_empty() {
        return Err(Error::EmptyInput { name });
    }
    let mut document = Document::of_blocks(name, source, blocks);
    document.format = format;
    Ok(document)
}

/// Adds the text of a cue from `start` to `end`.
fn push(source: &str, start: Option<usize>, end: usize, blocks: &mut Vec<Block>) {
    let Some(start) = start else { return };
    let range = trimmed(source, start..end);
    if source[range.clone()]
        .chars()
        .any(|c| !is_line_end(c) && c.is_alphanumeric())
    {
        blocks.push(Block {
            kind: BlockKind::Paragraph,
            range,
        });
    }
}

/// Whether a line gives the times of a cue: `00:00:01,000 --> 00:00:02,500`, in WebVTT with settings
/// behind.
fn is_time(line: &str) -> bool {
    let Some((from, to)) = line.split_once("-->") else {
        return false;
    };
    let time = |text: &str| {
        let text = text.trim();
        text.len() >= 5
            && text.contains(':')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b',' | b'.'))
    };
    time(from) && time(to.split_whitespace().next().unwrap_or_default())
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
    (number && lines.next().is_some_and(is_time)).then_some(Format::Srt)
}
