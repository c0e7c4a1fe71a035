//! Says in a part of a Word document in which direction its paragraphs and runs are read, and in
//! which language they are, after a translation.

use std::ops::Range;

use crate::document::html::tokens::{self, StartTag, Token};
use crate::language::{Language, ScriptProfile};

/// Properties of a paragraph that stand after `w:bidi`, by the order that the format demands.
const AFTER_BIDI: [&str; 17] = [
    "w:adjustrightind",
    "w:snaptogrid",
    "w:spacing",
    "w:ind",
    "w:contextualspacing",
    "w:mirrorindents",
    "w:suppressoverlap",
    "w:jc",
    "w:textdirection",
    "w:textalignment",
    "w:textboxtightwrap",
    "w:outlinelvl",
    "w:divid",
    "w:cnfstyle",
    "w:rpr",
    "w:sectpr",
    "w:pprchange",
];

/// Properties of a run that stand after `w:rtl`.
const AFTER_RTL: [&str; 7] = [
    "w:cs",
    "w:em",
    "w:lang",
    "w:eastasianlayout",
    "w:specvanish",
    "w:omath",
    "w:rprchange",
];

/// The part with `w:bidi` and `w:rtl` on what is Arabic, and without them on what is not, and with
/// the language where one is named; as it is where `language` is not known.
pub(super) fn declare(xml: &str, language: Option<Language>) -> String {
    let Some(language) = language else {
        return xml.to_owned();
    };
    let mut reader = Reader {
        xml,
        language,
        paragraphs: Vec::new(),
        edits: Vec::new(),
    };
    let mut at = 0;
    while at < xml.len() {
        let token = tokens::next_of_xml(xml, at);
        at = token.range().end;
        match token {
            Token::Start(tag) => reader.start(&tag),
            Token::End { name, range } => reader.end(&name, range.start),
            Token::Text(range) => reader.text(range),
            Token::Other(_) => {}
        }
    }
    let mut edits = reader.edits;
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(xml.len() + 1024);
    let mut at = 0;
    for (range, text) in edits {
        if range.start >= at {
            out.push_str(&xml[at..range.start]);
            out.push_str(&text);
            at = range.end;
        }
    }
    out.push_str(&xml[at..]);
    out
}

type Edit = (Range<usize>, String);

struct Reader<'a> {
    xml: &'a str,
    language: Language,
    /// Paragraphs that are open: one in another where a text box stands in a run.
    paragraphs: Vec<Paragraph>,
    edits: Vec<Edit>,
}

struct Paragraph {
    properties: Properties,
    runs: Vec<Properties>,
    text: String,
    in_run: bool,
    in_text: bool,
    /// The properties that are being read: how many elements of their name are open.
    depth: usize,
}

/// Properties of a paragraph or a run.
struct Properties {
    /// After the tag that they belong to: where they go if there are none.
    at: usize,
    /// The tag, closed in itself.
    closed: Option<Range<usize>>,
    /// Where a property for the direction goes, in those that are there.
    place: Option<usize>,
    /// The property for the direction.
    direction: Option<Range<usize>>,
    /// The value of the language that is named.
    language: Option<Range<usize>>,
}

impl Properties {
    fn new(at: usize) -> Self {
        Self {
            at,
            closed: None,
            place: None,
            direction: None,
            language: None,
        }
    }

    /// What is to be changed for a text that is read from the right, or from the left.
    fn direct(&self, is_right: bool, [outer, inner]: [&str; 2], edits: &mut Vec<Edit>) {
        match (&self.direction, is_right) {
            (Some(range), false) => edits.push((range.clone(), String::new())),
            (Some(range), true) => edits.push((range.clone(), format!("<{inner}/>"))),
            (None, false) => {}
            (None, true) => {
                let (range, text) = match (&self.closed, self.place) {
                    (Some(tag), _) => (tag.clone(), format!("<{outer}><{inner}/></{outer}>")),
                    (None, Some(place)) => (place..place, format!("<{inner}/>")),
                    (None, None) => (self.at..self.at, format!("<{outer}><{inner}/></{outer}>")),
                };
                edits.push((range, text));
            }
        }
    }
}

impl Reader<'_> {
    fn start(&mut self, tag: &StartTag) {
        let name = tag.name.as_str();
        if name == "w:p" && !tag.closed {
            self.paragraphs.push(Paragraph {
                properties: Properties::new(tag.range.end),
                runs: Vec::new(),
                text: String::new(),
                in_run: false,
                in_text: false,
                depth: 0,
            });
            return;
        }
        let value = |name| {
            tag.attribute(self.xml, name)
                .and_then(|attribute| attribute.value.clone())
        };
        let language = match self.language {
            Language::Arabic => value("w:bidi"),
            _ => value("w:val"),
        };
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        if name == "w:r" && !tag.closed {
            paragraph.in_run = true;
            paragraph.runs.push(Properties::new(tag.range.end));
            return;
        }
        paragraph.in_text |= name == "w:t" && !tag.closed;
        let (outer, direction, after): (_, _, &[&str]) = if paragraph.in_run {
            ("w:rpr", "w:rtl", &AFTER_RTL)
        } else {
            ("w:ppr", "w:bidi", &AFTER_BIDI)
        };
        let properties = match paragraph.runs.last_mut() {
            Some(run) if paragraph.in_run => run,
            _ => &mut paragraph.properties,
        };
        if name == outer {
            if tag.closed && paragraph.depth == 0 {
                properties.closed = Some(tag.range.clone());
            } else if !tag.closed {
                paragraph.depth += 1;
            }
        } else if paragraph.depth == 1 {
            if name == direction {
                properties.direction = Some(tag.range.clone());
            } else if after.contains(&name) {
                properties.place = properties.place.or(Some(tag.range.start));
            }
            if name == "w:lang" && paragraph.in_run {
                properties.language = language;
            }
        }
    }

    fn text(&mut self, range: Range<usize>) {
        if let Some(paragraph) = self.paragraphs.last_mut()
            && paragraph.in_text
        {
            paragraph.text.push_str(&self.xml[range]);
        }
    }

    fn end(&mut self, name: &str, at: usize) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        match name {
            "w:p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.direct(&paragraph);
                }
            }
            "w:r" => paragraph.in_run = false,
            "w:t" => paragraph.in_text = false,
            "w:rpr" | "w:ppr" if (name == "w:rpr") == paragraph.in_run => {
                paragraph.depth = paragraph.depth.saturating_sub(1);
                if paragraph.depth == 0 {
                    let properties = match paragraph.runs.last_mut() {
                        Some(run) if paragraph.in_run => run,
                        _ => &mut paragraph.properties,
                    };
                    properties.place = properties.place.or(Some(at));
                }
            }
            _ => {}
        }
    }

    /// Names the direction of a paragraph by its text: one without letters stays as it is.
    fn direct(&mut self, paragraph: &Paragraph) {
        let Some(script) = ScriptProfile::of(&paragraph.text).dominant() else {
            return;
        };
        let is_right = script == Language::Arabic;
        paragraph
            .properties
            .direct(is_right, ["w:pPr", "w:bidi"], &mut self.edits);
        let code = match self.language {
            Language::Arabic => "ar-SA",
            Language::Russian => "ru-RU",
            Language::English => "en-US",
        };
        for run in &paragraph.runs {
            run.direct(is_right, ["w:rPr", "w:rtl"], &mut self.edits);
            if let Some(value) = run.language.clone().filter(|_| script == self.language) {
                self.edits.push((value, code.to_owned()));
            }
        }
    }
}
