//! Finds the article in a news page that was pasted as text.
//!
//! Lines that run as prose mark the article; what stands before the first and after the last of
//! them is the page's, but for the headline; between them only lines go that `clutter` knows.
//! Where nothing runs as prose, everything stays. Nothing goes without being listed in
//! [`Cleaned::left_out`].

use std::collections::HashSet;

use super::clutter::{self, Clutter};
use super::left_out::{LeftOut, Reason};
use super::lines::{self, Unit};
use super::{Block, BlockKind, TITLE_GAP};
use crate::segment::item_marker;

/// An article as [`clean`] found it.
#[derive(Debug, Default)]
pub(super) struct Cleaned {
    /// Headline and body, blocks parted by one blank line.
    pub(super) text: String,
    /// The blocks of `text`; empty where there was no text at all.
    pub(super) blocks: Vec<Block>,
    /// Units that were left out, in order.
    pub(super) left_out: Vec<LeftOut>,
    /// The author's line.
    pub(super) byline: Option<String>,
    /// The line with the time of publication.
    pub(super) date: Option<String>,
}

/// A unit with what is known of it.
struct Line {
    unit: Unit,
    clutter: Option<Clutter>,
    /// Ends as sentences do.
    ended: bool,
    words: usize,
    item: bool,
    /// Its fate.
    keep: Option<BlockKind>,
}

impl Line {
    fn new(unit: Unit) -> Self {
        let words = unit.text.split_whitespace().count();
        Self {
            clutter: clutter::classify(&unit.text),
            ended: lines::ends_sentence(&unit.text),
            words,
            item: item_marker(&unit.text).is_some(),
            unit,
            keep: None,
        }
    }

    /// Runs as the paragraphs of articles do.
    fn is_prose(&self) -> bool {
        self.clutter.is_none() && (self.ended && self.words >= 8 || self.words >= 40)
    }

    /// Whether it stays where it stands between paragraphs of an article.
    fn is_of_body(&self) -> bool {
        matches!(self.clutter, None | Some(Clutter::Section)) || section_break(&self.unit.text)
    }

    /// What it is in the body of an article.
    fn kind(&self) -> BlockKind {
        if self.item {
            BlockKind::ListItem
        } else if self.ended || self.words > 20 {
            BlockKind::Paragraph
        } else {
            BlockKind::Heading
        }
    }

    /// A question or a cry of a few words: a sentence inside an article, a headline after its end.
    fn is_brief_sentence(&self) -> bool {
        self.clutter.is_none() && self.ended && self.words >= 2
    }

    fn looks_like_headline(&self) -> bool {
        // A full stop is rare in a headline, and a colon at the end is a label's.
        let stop =
            self.unit.text.ends_with(['.', ':', ';', '؛']) && !self.unit.text.ends_with("...");
        self.clutter.is_none()
            && !self.item
            && !stop
            && (2..=32).contains(&self.words)
            && self.unit.text.chars().filter(|c| c.is_alphabetic()).count() >= 6
    }
}

/// Finds the article in `text`.
pub(super) fn clean(text: &str) -> Cleaned {
    let mut lines: Vec<Line> = lines::units(text).into_iter().map(Line::new).collect();
    mark_dialog(&mut lines);
    match body(&lines) {
        Some((first, last)) if is_page(&lines, first, last) => {
            keep_article(&mut lines, first, last)
        }
        Some((first, _)) => keep_text(&mut lines, first),
        None => keep_all(&mut lines),
    }
    assemble(lines)
}

/// Marks what a dialog that asks for consent says besides what is known of such dialogs.
fn mark_dialog(lines: &mut [Line]) {
    let mut in_dialog = false;
    for line in lines {
        in_dialog = line.clutter == Some(Clutter::Consent)
            || in_dialog && clutter::goes_on_asking(&line.unit.text);
        if in_dialog {
            line.clutter = Some(Clutter::Consent);
        }
    }
}

/// The first and the last line of the body.
fn body(lines: &[Line]) -> Option<(usize, usize)> {
    let mut first = lines.iter().position(Line::is_prose)?;
    // A description of a picture before the headline runs as prose: one short paragraph, then
    // lines of the page with a good headline among them, then the article.
    if let Some(second) = lines
        .iter()
        .skip(first + 1)
        .position(Line::is_prose)
        .map(|at| at + first + 1)
        && lines[first].words <= 45
        && second - first >= 2
        && lines[first + 1..second]
            .iter()
            .any(|line| line.clutter.is_some())
        && headline(lines, 0..first, second).is_none()
        && headline(lines, first + 1..second, second).is_some()
    {
        first = second;
    }
    let mut last = lines.iter().rposition(Line::is_prose)?.max(first);
    // A list of other articles with their first sentences comes after a label; what follows the
    // label is the page's where the article has had its say before.
    if let Some(label) = label_of_related(lines, first, last)
        && let Some(end) = lines[..label].iter().rposition(Line::is_prose)
        && end >= first
    {
        last = end;
    }
    // What readers wrote is prose as well, but under a label, and after the article.
    let mut prose = 1;
    let comments = (first + 1..last).find(|&at| {
        prose += usize::from(lines[at].is_prose());
        lines[at].clutter == Some(Clutter::Comments) && prose >= 2
    });
    if let Some(end) = comments.and_then(|label| lines[..label].iter().rposition(Line::is_prose)) {
        last = end.max(first);
    }
    Some((first, closing(lines, last)))
}

/// The last line of the body, after its last line of prose: short sentences that close the article
/// and lists that one announces, with a heading or a button between them, but nothing after a label
/// of other articles or after several lines that run as headlines do.
fn closing(lines: &[Line], prose: usize) -> usize {
    let mut last = prose;
    let mut strange = 0;
    for at in prose + 1..lines.len() {
        let line = &lines[at];
        let in_list = line.item
            && at == last + 1
            && (lines[last].item || lines[last].unit.text.ends_with(':'));
        let announces =
            line.unit.text.ends_with([':', '؛']) && lines.get(at + 1).is_some_and(|next| next.item);
        let statement = line.is_brief_sentence()
            && (announces || !line.unit.text.ends_with(['?', '؟', ':', ';', '؛']));
        match line.clutter {
            None if statement || in_list => {
                last = at;
                strange = 0;
            }
            None => strange += 1,
            Some(Clutter::Related) if line.words > 4 => {}
            Some(Clutter::Related | Clutter::Comments) => break,
            Some(_) => {}
        }
        if strange > 1 {
            break;
        }
    }
    last
}

/// The first label after line `first` that little prose and many headlines follow, up to line `last`.
fn label_of_related(lines: &[Line], first: usize, last: usize) -> Option<usize> {
    let (mut prose, mut headlines) = (0, 0);
    let mut label = None;
    for at in (first + 1..=last).rev() {
        let line = &lines[at];
        // A label with its link in the same line says nothing about the lines that follow.
        let is_label = line.clutter == Some(Clutter::Related) && line.words <= 4;
        if is_label && headlines >= 2 && headlines >= prose {
            label = Some(at);
        }
        prose += usize::from(line.is_prose());
        headlines += usize::from(line.looks_like_headline() && !line.ended);
    }
    label
}

/// The best headline among the lines of `range`, of the article whose body begins at `first`.
fn headline(lines: &[Line], range: std::ops::Range<usize>, first: usize) -> Option<usize> {
    let body_words: HashSet<String> = lines[first..]
        .iter()
        .filter(|line| line.clutter.is_none())
        .take(12)
        .flat_map(|line| stems(&line.unit.text))
        .collect();
    let mut best: Option<(usize, f64)> = None;
    for at in range {
        let line = &lines[at];
        if !line.looks_like_headline() {
            continue;
        }
        let stems: Vec<String> = stems(&line.unit.text).collect();
        let shared = stems
            .iter()
            .filter(|stem| body_words.contains(*stem))
            .count();
        let share = if stems.is_empty() {
            0.0
        } else {
            shared as f64 / stems.len() as f64
        };
        let length = match line.words {
            2 => 0.3,
            3 => 0.6,
            4..=18 => 1.0,
            _ => 0.7,
        };
        // Of two lines that say the same the first is the headline, the second what explains it.
        let score = length * (0.25 + share) + 0.15 * (shared.min(6) as f64 / 6.0);
        if score > best.map_or(0.3, |(_, score)| score + 0.12) {
            best = Some((at, score));
        }
    }
    best.map(|(at, _)| at)
}

/// The beginnings of the longer words of a text, without the Arabic article: enough to see that two
/// texts speak of the same.
fn stems(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| {
            let lower = word.to_lowercase();
            let bare = ["وال", "بال", "ال", "لل"]
                .iter()
                .find_map(|prefix| lower.strip_prefix(prefix))
                .unwrap_or(&lower);
            let stem: String = bare.chars().take(5).collect();
            (stem.chars().count() >= 3).then_some(stem)
        })
}

/// Whether a page stands around the article: nothing says so of a text without a line of one.
fn is_page(lines: &[Line], first: usize, last: usize) -> bool {
    let is_of_page = |line: &Line| {
        line.clutter.is_some_and(|clutter| {
            !matches!(clutter, Clutter::Byline | Clutter::Date | Clutter::Section)
        })
    };
    let mut around = lines[..first].iter().chain(&lines[last + 1..]);
    around.any(is_of_page)
        || lines[first..=last]
            .iter()
            .filter(|line| is_of_page(line))
            .count()
            > 1
}

/// Keeps a text that stands alone whose prose begins at line `first`: all but clutter and the lines that
/// name the author and the time.
fn keep_text(lines: &mut [Line], first: usize) {
    let title = headline(lines, 0..first, first).or_else(|| {
        (first > 0 && lines[0].clutter.is_none() && lines[0].looks_like_headline()).then_some(0)
    });
    for (at, line) in lines.iter_mut().enumerate() {
        if line.is_of_body() {
            line.keep = Some(if title == Some(at) {
                BlockKind::Headline
            } else {
                line.kind()
            });
        }
    }
}

/// Marks what is kept of a page with an article from line `first` to line `last`.
fn keep_article(lines: &mut [Line], first: usize, last: usize) {
    let title = headline(lines, 0..first, first).or_else(|| {
        // Where only one line stands before the article, it is the headline, whatever its words.
        let mut plain = (0..first).filter(|&at| lines[at].clutter.is_none());
        plain
            .next()
            .filter(|&at| plain.next().is_none() && lines[at].looks_like_headline())
    });
    if let Some(title) = title {
        lines[title].keep = Some(BlockKind::Headline);
        // A standfirst, directly after the headline: as long as a sentence, and on the same subject.
        if title + 1 < first
            && lines[title + 1].clutter.is_none()
            && !lines[title + 1].item
            && (lines[title + 1].words >= 8
                || lines[title + 1].is_brief_sentence() && lines[title + 1].words >= 4)
        {
            lines[title + 1].keep = Some(BlockKind::Paragraph);
        }
    }
    let headline_text = title.map(|at| lines[at].unit.text.clone());
    let mut in_related = false;
    for line in &mut lines[first..=last] {
        // Under a label, lines that run as headlines are links, until prose goes on.
        in_related = match line.clutter {
            Some(Clutter::Related) => line.words <= 4,
            None if line.is_brief_sentence() || line.item && !in_related => false,
            _ => in_related,
        };
        let repeated = headline_text.as_deref() == Some(line.unit.text.as_str());
        if line.is_of_body() && !in_related && !repeated {
            line.keep = Some(line.kind());
        }
    }
}

/// `* * *` between two sections.
fn section_break(text: &str) -> bool {
    text.contains(['*', '—', '⁂'])
        && text
            .chars()
            .all(|c| c.is_whitespace() || matches!(c, '*' | '—' | '⁂'))
}

/// Keeps everything but clutter; where that leaves nothing, everything.
fn keep_all(lines: &mut [Line]) {
    let all = lines.iter().all(|line| line.clutter.is_some());
    // The text may be a headline and a sentence or two.
    let titled = lines.iter().filter(|line| line.clutter.is_none()).count() >= 2;
    let mut seen = false;
    for line in lines {
        if line.clutter.is_some() && !all {
            continue;
        }
        let first = !std::mem::replace(&mut seen, true);
        line.keep = Some(
            if first && titled && !line.ended && line.looks_like_headline() && line.words >= 3 {
                BlockKind::Headline
            } else if line.item {
                BlockKind::ListItem
            } else {
                BlockKind::Paragraph
            },
        );
    }
}

/// Puts the text together from what is kept.
fn assemble(lines: Vec<Line>) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let mut previous: Option<BlockKind> = None;
    // The headline comes first; all else is in order already.
    for line in lines {
        let Some(kind) = line.keep else {
            match line.clutter {
                Some(Clutter::Byline) if cleaned.byline.is_none() => {
                    cleaned.byline = Some(line.unit.text.clone())
                }
                Some(Clutter::Date) if cleaned.date.is_none() => {
                    cleaned.date = Some(line.unit.text.clone())
                }
                _ => {}
            }
            let reason = line.clutter.map_or(Reason::Around, Reason::from);
            cleaned.left_out.push(LeftOut::new(line.unit.text, reason));
            continue;
        };
        if previous.is_some() {
            // Items of one list stay together.
            let list = previous == Some(BlockKind::ListItem)
                && kind == BlockKind::ListItem
                && !line.unit.after_blank;
            cleaned.text.push_str(if list { "\n" } else { TITLE_GAP });
        }
        let start = cleaned.text.len();
        cleaned.text.push_str(&line.unit.text);
        cleaned.blocks.push(Block {
            kind,
            range: start..cleaned.text.len(),
        });
        previous = Some(kind);
    }
    cleaned
}
