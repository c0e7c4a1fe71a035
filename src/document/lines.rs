//! Parts plain text into blocks and lines, and says which line breaks a fixed width has made.
//!
//! Nothing is dropped here; what is clutter is told in `clutter`.

use super::{Block, BlockKind};
use crate::segment::{item_marker, trimmed};

/// Blocks of a text that is taken as it is, of its bytes from `from` on: blank lines part them.
pub(super) fn raw_blocks(text: &str, from: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut start = from;
    let mut at = from;
    let mut push = |range| {
        let range = trimmed(text, range);
        let part = &text[range.clone()];
        if part
            .chars()
            .any(|c| !c.is_whitespace() && !c.is_control() && !is_format(c))
        {
            let kind = if item_marker(part).is_some() {
                BlockKind::ListItem
            } else {
                BlockKind::Paragraph
            };
            blocks.push(Block { kind, range });
        }
    };
    for line in text[from..].split_inclusive(is_line_end) {
        if line.trim().is_empty() {
            // `\r\n` ends one line; the empty line between its two characters does not part.
            let crlf = line == "\n" && text[..at].ends_with('\r');
            if !crlf {
                push(start..at);
                start = at;
            }
        }
        at += line.len();
    }
    push(start..text.len());
    blocks
}

/// Characters that say how text is laid out and are not seen.
pub(super) fn is_format(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Characters that end a line.
pub(super) fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// A line of a text that was cleaned of control characters, or several that were one paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// The text, without white space around it and with single spaces inside.
    pub(super) text: String,
    /// A blank line, or the beginning, stands before it.
    pub(super) after_blank: bool,
}

/// A line with what tells whether it belongs to the line before it.
struct Line {
    text: String,
    indent: usize,
    /// Length in characters.
    length: usize,
    after_blank: bool,
}

/// The units of `text`: its lines, or its paragraphs where they were broken at a fixed width.
pub(super) fn units(text: &str) -> Vec<Unit> {
    let mut lines = Vec::new();
    let mut after_blank = true;
    for raw in text.split(is_line_end) {
        // The empty string between `\r` and `\n` is no blank line.
        let line = tidy(raw);
        if line.is_empty() {
            after_blank = true;
            continue;
        }
        let indent = raw
            .chars()
            .take_while(|c| matches!(c, ' ' | '\t' | '\u{A0}'))
            .count();
        lines.push(Line {
            length: line.chars().count(),
            text: line,
            indent,
            after_blank,
        });
        after_blank = false;
    }
    let width = fixed_width(&lines);
    let mut units: Vec<Unit> = Vec::new();
    let mut least_indent = 0;
    let mut previous: Option<(usize, bool)> = None;
    for index in 0..lines.len() {
        if lines[index].after_blank {
            previous = None;
            let group = lines[index..]
                .iter()
                .enumerate()
                .take_while(|(offset, line)| *offset == 0 || !line.after_blank);
            least_indent = group.map(|(_, line)| line.indent).min().unwrap_or(0);
        }
        let line = &mut lines[index];
        let joins = match (width, previous) {
            (Some(width), Some(previous)) => {
                line.indent <= least_indent && line.continues(previous, width)
            }
            _ => false,
        };
        let text = std::mem::take(&mut line.text);
        previous = Some((line.length, ends_sentence(&text)));
        match units.last_mut() {
            Some(unit) if joins => {
                // A word with a hyphen was broken after it.
                if !unit.text.ends_with('-') || unit.text.ends_with(" -") {
                    unit.text.push(' ');
                }
                unit.text.push_str(&text);
            }
            _ => units.push(Unit {
                text,
                after_blank: line.after_blank,
            }),
        }
    }
    units
}

impl Line {
    /// Whether this line goes on with the paragraph of the line before it, given that one's length
    /// and whether it ends a sentence, in a text broken at `width`.
    fn continues(&self, (length, ended): (usize, bool), width: usize) -> bool {
        if item_marker(&self.text).is_some() {
            return false;
        }
        let full = length + 1 + self.first_word() > width;
        let lower = self.text.chars().next().is_some_and(char::is_lowercase);
        full || (!ended && lower && length * 2 > width)
    }

    /// Length of the first word, in characters.
    fn first_word(&self) -> usize {
        self.text.chars().take_while(|c| !c.is_whitespace()).count()
    }
}

/// One line with control and layout characters gone and single spaces inside.
fn tidy(line: &str) -> String {
    let mut tidied = String::with_capacity(line.len());
    let mut space = false;
    for c in line.chars() {
        if c.is_whitespace() {
            // A lone no-break space parts the digits of a number; it is kept.
            if space && tidied.ends_with('\u{A0}') {
                tidied.pop();
            }
            if !(space || tidied.is_empty()) {
                tidied.push(if c == '\u{A0}' || c == '\u{202F}' {
                    c
                } else {
                    ' '
                });
            }
            space = true;
        } else if !(c.is_control() || is_format(c)) {
            tidied.push(c);
            space = false;
        }
    }
    tidied.truncate(tidied.trim_end().len());
    tidied
}

/// The width at which the lines of a text were broken, if they were: most lines that another line
/// follows are so long that its first word would not have fitted.
fn fixed_width(lines: &[Line]) -> Option<usize> {
    let pairs = || lines.windows(2).filter(|pair| !pair[1].after_blank);
    let width = pairs()
        .map(|pair| pair[0].length.max(pair[1].length))
        .max()?;
    if !(40..=132).contains(&width) {
        return None;
    }
    let (mut count, mut full, mut ended) = (0, 0, 0);
    for pair in pairs().filter(|pair| item_marker(&pair[1].text).is_none()) {
        count += 1;
        full += usize::from(pair[0].length + 1 + pair[1].first_word() > width);
        ended += usize::from(ends_sentence(&pair[0].text));
    }
    // Lines of their own end in full stops; a line that was broken does so by chance only.
    (full * 10 >= count * 6 && ended * 2 <= count).then_some(width)
}

/// Whether a line ends as sentences do.
pub(super) fn ends_sentence(text: &str) -> bool {
    let end = text.trim_end_matches(|c: char| {
        matches!(c, '"' | '\'' | '»' | '”' | '’' | '“' | ')' | ']') || c.is_whitespace()
    });
    end.ends_with(['.', '!', '?', '…', '؟', '۔', ':', ';', '؛']) && !end.is_empty()
}
