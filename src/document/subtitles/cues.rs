//! Parts a file of subtitles into cues: when each is shown, and its lines of text.

use std::ops::Range;

use crate::document::Format;

/// A cue: when it is shown, in seconds, and the ranges of its lines without white space around them.
pub(super) struct Cue {
    pub(super) time: Range<f64>,
    pub(super) lines: Vec<Range<usize>>,
}

/// The cues of a file.
///
/// In WebVTT an empty line ends a cue. In SRT it does so only before the number and time of the next:
/// what else stands below it is shown, and is the cue's.
pub(super) fn cues(source: &str, format: Format) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    // Whether the line at hand is text of the last cue.
    let mut is_text = false;
    let mut after_empty = false;
    // Whether the last line of the last cue stands below an empty one.
    let mut is_apart = false;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let range = crate::segment::trimmed(source, at..at + line.len());
        at += line.len();
        if range.is_empty() {
            let is_empty = line.trim_end_matches(['\n', '\r']).is_empty();
            is_text &= !(format == Format::WebVtt && is_empty);
            after_empty = true;
            continue;
        }
        if let Some(time) = time(line) {
            // The number of this cue is no text of the one before.
            if let Some(cue) = cues.last_mut()
                && is_text
                && (is_apart || cue.lines.len() > 1)
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
            is_apart = after_empty;
            cue.lines.push(range);
        }
        after_empty = false;
    }
    cues
}

/// The times of a cue in seconds: `00:00:01,000 --> 00:00:02,500`, in WebVTT with settings behind.
pub(super) fn time(line: &str) -> Option<Range<f64>> {
    let (from, to) = line.split_once("-->")?;
    let seconds = |text: &str| {
        let text = text.trim();
        if text.len() < 5 || text.len() > 32 || !text.contains(':') {
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
