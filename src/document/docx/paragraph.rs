//! Reads the paragraphs of a part of a Word document.
//!
//! The text of a paragraph stands in runs, each with its formatting. The formatting that most of a
//! paragraph (or of a link in it) has is its base; a run with another is a span in it, and so is
//! what encloses runs: a link, a field, an insertion. What has no text (a note's mark, a picture, a
//! bookmark) is a mark. In a translated sentence, each of these closes the run that is open and opens
//! the next one, so that the result is well formed however the words are ordered.

use std::collections::HashMap;
use std::ops::Range;

use crate::document::html::tokens::{self, StartTag, Token};
use crate::document::layout::Builder;
use crate::document::raised;
use crate::document::spans::Kind;

/// Elements that enclose runs, whose text is part of the sentence around them.
const CONTAINERS: [&str; 9] = [
    "w:hyperlink",
    "w:ins",
    "w:smarttag",
    "w:fldsimple",
    "w:moveto",
    "w:dir",
    "w:bdo",
    "w:customxml",
    "w:sdtcontent",
];

/// Elements that are never read.
const LEFT: [&str; 9] = [
    "w:ppr",
    "w:sdtpr",
    "w:sdtendpr",
    "w:del",
    "w:movefrom",
    "w:sectpr",
    "w:tblpr",
    "w:tcpr",
    "w:trpr",
];

/// What stands in a paragraph.
#[derive(Debug)]
enum Item {
    /// A text in a run, and which formatting the run has.
    Text {
        source: Range<usize>,
        style: usize,
    },
    /// A space that comes back: a tab, a line break.
    Break {
        source: Range<usize>,
        style: usize,
    },
    /// Something without text in a run.
    InRun {
        source: Range<usize>,
        style: usize,
    },
    /// Something without text between runs, whole runs included.
    Between {
        source: Range<usize>,
    },
    Open {
        source: Range<usize>,
    },
    Close {
        source: Range<usize>,
    },
}

/// Reads the part that stands at `range` of the source.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(
    source: &str,
    range: Range<usize>,
    builder: &mut Builder,
) -> Result<(), &'static str> {
    let part = &source[..range.end];
    let mut reader = Reader {
        source: part,
        builder,
        items: Vec::new(),
        styles: vec![String::new()],
        known: HashMap::from([(String::new(), 0)]),
        runs: Vec::new(),
        in_paragraph: false,
        outer: Vec::new(),
        field: Field::default(),
        control: None,
        searched: 0,
    };
    let mut at = range.start;
    while at < range.end {
        let token = tokens::next_of_xml(part, at);
        at = token.range().end;
        match token {
            Token::Start(tag) => at = reader.start(&tag),
            Token::End { name, range } => reader.end(&name, range),
            Token::Other(range) if part[range.clone()].starts_with("<!DOCTYPE") => {
                return Err("it declares a document type, which Word documents never do");
            }
            Token::Text(_) | Token::Other(_) => {}
        }
    }
    reader.flush();
    Ok(())
}

struct Reader<'a> {
    source: &'a str,
    builder: &'a mut Builder,
    items: Vec<Item>,
    /// Formatting of runs, as it stands in the source, and the number of each.
    styles: Vec<String>,
    known: HashMap<String, usize>,
    /// The run that is open in this paragraph.
    runs: Vec<Run>,
    /// Whether a paragraph is open, and not a text box in it.
    in_paragraph: bool,
    /// The same of the paragraphs and text boxes around this one.
    outer: Vec<(Vec<Run>, bool)>,
    field: Field,
    /// Where the content control began whose content has not.
    control: Option<usize>,
    /// How many bytes were searched for text boxes.
    searched: usize,
}

struct Run {
    start: usize,
    style: usize,
    /// What the run says of a field.
    field: Option<FieldMark>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FieldMark {
    Begin,
    Separate,
    End,
}

/// A field: instructions, and a result that is text. Fields within fields are marks.
#[derive(Default)]
struct Field {
    depth: usize,
    start: usize,
    inner_start: usize,
    /// The result has begun.
    is_result: bool,
}

impl Field {
    /// Whether what is read is not text of the paragraph.
    fn hides(&self) -> bool {
        self.depth > 1 || self.depth == 1 && !self.is_result
    }
}

impl Reader<'_> {
    /// Reads what a start tag begins; returns where the reading goes on.
    fn start(&mut self, tag: &StartTag) -> usize {
        let name = tag.name.as_str();
        let end = tag.range.end;
        if LEFT.contains(&name) {
            let whole = tag.range.start..self.element_end(tag);
            if matches!(name, "w:del" | "w:movefrom") {
                self.push(Item::Between {
                    source: whole.clone(),
                });
            }
            return whole.end;
        }
        match name {
            "w:p" => {
                self.flush();
                if !tag.closed {
                    self.enter(true);
                }
                return end;
            }
            // In a text box, paragraphs stand in a run of another.
            "w:txbxcontent" if !tag.closed => {
                self.flush();
                self.enter(false);
                return end;
            }
            "w:sdt" if !tag.closed => {
                self.control = Some(tag.range.start);
                return end;
            }
            // Its control holds nothing.
            "w:sdtcontent" if tag.closed => return end,
            "w:r" if !tag.closed => {
                self.runs.push(Run {
                    start: tag.range.start,
                    style: 0,
                    field: None,
                });
                return end;
            }
            _ if CONTAINERS.contains(&name) && !tag.closed && self.runs.is_empty() => {
                let control = self.control.take_if(|_| name == "w:sdtcontent");
                let start = control.unwrap_or(tag.range.start);
                self.push(Item::Open { source: start..end });
                return end;
            }
            _ => {}
        }
        if self.runs.is_empty() {
            // A bookmark, the place of a comment; in a paragraph, an equation as well. Around paragraphs
            // stand tables and the like, in which they are read.
            if !tag.closed && !self.in_paragraph {
                return end;
            }
            let source = tag.range.start..self.element_end(tag);
            let end = source.end;
            if !self.items.is_empty() && name != "w:prooferr" {
                self.push(Item::Between { source });
            }
            return end;
        }
        self.start_in_run(tag)
    }

    /// Sets aside what is open around a paragraph, or around a text box.
    fn enter(&mut self, in_paragraph: bool) {
        let runs = std::mem::take(&mut self.runs);
        self.outer.push((runs, self.in_paragraph));
        self.in_paragraph = in_paragraph;
    }

    fn start_in_run(&mut self, tag: &StartTag) -> usize {
        let whole = tag.range.start..self.element_end(tag);
        let style = self.runs.last().map_or(0, |run| run.style);
        match tag.name.as_str() {
            "w:rpr" => {
                let style = self.style(whole.clone());
                if let Some(run) = self.runs.last_mut() {
                    run.style = style;
                }
            }
            "w:t" => {
                let text = &self.source[tag.range.end..whole.end];
                let length = text.rfind("</").unwrap_or(0);
                let source = tag.range.end..tag.range.end + length;
                if !source.is_empty() {
                    self.push(Item::Text { source, style });
                }
            }
            "w:tab" | "w:br" | "w:cr" => self.push(Item::Break {
                source: whole.clone(),
                style,
            }),
            "w:fldchar" => {
                let mark = match tag.value(self.source, "w:fldCharType") {
                    Some("begin") => Some(FieldMark::Begin),
                    Some("separate") => Some(FieldMark::Separate),
                    Some("end") => Some(FieldMark::End),
                    _ => None,
                };
                if let Some(run) = self.runs.last_mut() {
                    run.field = run.field.or(mark);
                }
            }
            "w:instrtext" | "w:lastrenderedpagebreak" => {}
            // The paragraphs of a text box are read, and part the one around it.
            _ if self.holds_text_box(&whole) => return tag.range.end,
            _ => self.push(Item::InRun {
                source: whole.clone(),
                style,
            }),
        }
        whole.end
    }

    /// Whether paragraphs are read in an element of a run.
    fn holds_text_box(&mut self, range: &Range<usize>) -> bool {
        /// Elements around one text box, in which it is looked for again; more are never meant well.
        const MOST_LEVELS: usize = 64;
        let found = self.source[range.clone()].contains("<w:txbxContent");
        if found {
            self.searched += range.len();
        }
        found && self.searched <= MOST_LEVELS * self.source.len()
    }

    fn end(&mut self, name: &str, range: Range<usize>) {
        match name {
            "w:p" | "w:txbxcontent" => {
                self.flush();
                (self.runs, self.in_paragraph) = self.outer.pop().unwrap_or_default();
            }
            "w:r" => {
                if let Some(run) = self.runs.pop()
                    && let Some(mark) = run.field
                {
                    self.field(mark, run.start..range.end);
                }
            }
            "w:sdtcontent" if self.runs.is_empty() => {
                let rest = &self.source[range.end..];
                let end = match rest.trim_start().strip_prefix("</w:sdt>") {
                    Some(rest) => self.source.len() - rest.len(),
                    None => range.end,
                };
                self.push(Item::Close {
                    source: range.start..end,
                });
            }
            "w:sdt" if self.runs.is_empty() => {
                if let Some(start) = self.control.take() {
                    self.push(Item::Between {
                        source: start..range.end,
                    });
                }
            }
            _ if CONTAINERS.contains(&name) && self.runs.is_empty() => {
                self.push(Item::Close { source: range });
            }
            _ => {}
        }
    }

    /// Reads a run that begins, parts or ends a field.
    fn field(&mut self, mark: FieldMark, run: Range<usize>) {
        match mark {
            FieldMark::Begin => {
                self.field.depth += 1;
                match self.field.depth {
                    1 => {
                        self.field.start = run.start;
                        self.field.is_result = false;
                    }
                    2 => self.field.inner_start = run.start,
                    _ => {}
                }
            }
            FieldMark::Separate if self.field.depth == 1 && !self.field.is_result => {
                self.field.is_result = true;
                let source = self.field.start..run.end;
                self.items.push(Item::Open { source });
            }
            // A mark of no field.
            FieldMark::Separate | FieldMark::End
                if !self.field.hides() && self.field.depth == 0 =>
            {
                self.items.push(Item::Between { source: run });
            }
            FieldMark::Separate if self.field.hides() => {}
            FieldMark::Separate => self.items.push(Item::Between { source: run }),
            FieldMark::End => {
                let before = self.field.depth;
                self.field.depth = before.saturating_sub(1);
                if before == 2 && self.field.is_result {
                    let source = self.field.inner_start..run.end;
                    self.items.push(Item::Between { source });
                } else if before == 1 && self.field.is_result {
                    self.items.push(Item::Close { source: run });
                } else if before == 1 {
                    let source = self.field.start..run.end;
                    self.items.push(Item::Between { source });
                }
            }
        }
    }

    fn push(&mut self, item: Item) {
        if !self.field.hides() {
            self.items.push(item);
        }
    }

    /// The characters for a text that this formatting raises or lowers.
    fn raised(&self, style: usize, text: &str) -> Option<String> {
        let formatting = self.styles.get(style)?;
        let at = formatting.find("<w:vertAlign")?;
        let value = formatting[at..].split('>').next()?;
        if value.contains("superscript") {
            raised::superscript(text)
        } else if value.contains("subscript") {
            raised::subscript(text)
        } else {
            None
        }
    }

    /// The number of the formatting that stands at `range`.
    fn style(&mut self, range: Range<usize>) -> usize {
        let style = &self.source[range];
        if let Some(number) = self.known.get(style) {
            return *number;
        }
        self.styles.push(style.to_owned());
        self.known.insert(style.to_owned(), self.styles.len() - 1);
        self.styles.len() - 1
    }

    /// Where an element ends.
    fn element_end(&self, tag: &StartTag) -> usize {
        if tag.closed {
            return tag.range.end;
        }
        let (mut depth, mut at) = (1_usize, tag.range.end);
        while depth > 0 && at < self.source.len() {
            let token = tokens::next_of_xml(self.source, at);
            at = token.range().end;
            match token {
                Token::Start(inner) if inner.name == tag.name && !inner.closed => depth += 1,
                Token::End { name, .. } if name == tag.name => depth -= 1,
                _ => {}
            }
        }
        at
    }

    /// Gives the paragraph that was read to the builder.
    fn flush(&mut self) {
        let items = std::mem::take(&mut self.items);
        let bases = self.bases(&items);
        let mut open = vec![0];
        let mut containers = 0;
        // The formatting at hand where it is not the base, and up to where the source was read.
        let mut span: Option<usize> = None;
        let mut at = items.first().map_or(0, |item| item.source().start);
        for item in items {
            let base = open
                .last()
                .and_then(|container| bases.get(container))
                .copied()
                .unwrap_or(0);
            let source = item.source().clone();
            let raised = match &item {
                Item::Text { style, .. } => self.raised(*style, &self.source[source.clone()]),
                _ => None,
            };
            // Figures that became raised characters need no formatting of their own.
            let style = item
                .style()
                .filter(|style| *style != base && raised.is_none());
            if span != style {
                if span.is_some() {
                    let close = self.switch(base);
                    self.builder.mark(Kind::Close, at..at, Some(close));
                }
                if let Some(style) = style {
                    let begin = self.switch(style);
                    self.builder.mark(Kind::Open, at..at, Some(begin));
                }
                span = style;
            }
            let raw = &self.source[source.clone()];
            let reopen =
                |style: usize| format!("<w:r>{}<w:t xml:space=\"preserve\">", self.styles[style]);
            match item {
                Item::Text { .. } => match raised {
                    Some(text) => self.builder.decoded(&text, source.clone()),
                    None => self.builder.encoded(source.clone()),
                },
                Item::Break { .. } => {
                    let written = format!("</w:t>{raw}<w:t xml:space=\"preserve\">");
                    self.builder.written_break(source.clone(), Some(written));
                }
                Item::InRun { .. } => {
                    let written = format!("</w:t>{raw}<w:t xml:space=\"preserve\">");
                    self.builder
                        .mark(Kind::Point, source.clone(), Some(written));
                }
                Item::Between { .. } => {
                    let written = format!("</w:t></w:r>{raw}{}", reopen(base));
                    self.builder
                        .mark(Kind::Point, source.clone(), Some(written));
                }
                Item::Open { .. } => {
                    containers += 1;
                    open.push(containers);
                    let inner = bases.get(&containers).copied().unwrap_or(0);
                    let written = format!("</w:t></w:r>{raw}{}", reopen(inner));
                    self.builder.mark(Kind::Open, source.clone(), Some(written));
                }
                Item::Close { .. } => {
                    if open.len() > 1 {
                        open.pop();
                    }
                    let outer = open.last().and_then(|container| bases.get(container));
                    let written =
                        format!("</w:t></w:r>{raw}{}", reopen(outer.copied().unwrap_or(0)));
                    self.builder
                        .mark(Kind::Close, source.clone(), Some(written));
                }
            }
            at = source.end;
        }
        self.builder.end_block();
    }

    /// The formatting of most of the text in the paragraph (0) and in each container, by its number
    /// in the order in which they open.
    fn bases(&self, items: &[Item]) -> HashMap<usize, usize> {
        let mut lengths: HashMap<(usize, usize), usize> = HashMap::new();
        let mut open = vec![0];
        let mut containers = 0;
        for item in items {
            let container = open.last().copied().unwrap_or(0);
            match item {
                Item::Text { source, style } => {
                    *lengths.entry((container, *style)).or_insert(0) += source.len();
                }
                Item::Open { .. } => {
                    containers += 1;
                    open.push(containers);
                }
                Item::Close { .. } if open.len() > 1 => drop(open.pop()),
                _ => {}
            }
        }
        let mut bases: HashMap<usize, (usize, usize)> = HashMap::new();
        for ((container, style), length) in lengths {
            let best = bases.entry(container).or_insert((length, style));
            // Of two with as much text, the one that came first, so that nothing is left to chance.
            if (length, std::cmp::Reverse(style)) > (best.0, std::cmp::Reverse(best.1)) {
                *best = (length, style);
            }
        }
        bases
            .into_iter()
            .map(|(container, (_, style))| (container, style))
            .collect()
    }

    /// What ends the run at hand and begins one of this formatting.
    fn switch(&self, to: usize) -> String {
        format!(
            "</w:t></w:r><w:r>{}<w:t xml:space=\"preserve\">",
            self.styles[to]
        )
    }
}

impl Item {
    fn source(&self) -> &Range<usize> {
        match self {
            Self::Text { source, .. }
            | Self::Break { source, .. }
            | Self::InRun { source, .. }
            | Self::Between { source }
            | Self::Open { source }
            | Self::Close { source } => source,
        }
    }

    /// The formatting that it stands in; none for what stands between runs.
    fn style(&self) -> Option<usize> {
        match self {
            Self::Text { style, .. } | Self::Break { style, .. } | Self::InRun { style, .. } => {
                Some(*style)
            }
            Self::Between { .. } | Self::Open { .. } | Self::Close { .. } => None,
        }
    }
}
