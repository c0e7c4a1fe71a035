//! A translation memory as TMX 1.4, which other translation tools read, and what they write as TMX.

use std::borrow::Cow;
use std::io::{Read, Write};

use super::file::{MemoryFile, Unit};
use crate::document::tokens::{self, StartTag, Token};
use crate::error::{Error, Result};

/// The most bytes of a file that is read.
const MOST_BYTES: u64 = 1 << 30;
/// The deepest nesting of elements; well-made files have six or seven.
const DEEPEST: usize = 64;
/// The most languages of a unit.
const MOST_VARIANTS: usize = 64;
/// Elements inside a segment that hold code of other formats, and no text.
const CODES: [&str; 5] = ["bpt", "ept", "ph", "it", "ut"];

/// What came of reading a TMX file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TmxImport {
    /// Segments that are in the memory now, one for each direction.
    pub segments: u64,
    /// Units that did not hold text in two languages.
    pub left_out: u64,
}

impl MemoryFile {
    /// Writes all segments as TMX 1.4, in UTF-8; returns how many there were. `name` is what errors
    /// call the place that is written to.
    ///
    /// Characters that XML cannot hold, which are control characters, are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where it cannot be written; [`Error::Memory`] where the memory is damaged.
    pub fn export_tmx(&self, writer: &mut impl Write, name: &str) -> Result<u64> {
        let mut count = 0;
        let version = env!("CARGO_PKG_VERSION");
        let mut write = |text: &str| {
            let written = writer.write_all(text.as_bytes());
            written.map_err(Error::io("write", name))
        };
        write(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<tmx version=\"1.4\">\n\
             <header creationtool=\"newsml\" creationtoolversion=\"{version}\" segtype=\"sentence\" \
             o-tmf=\"newsml\" adminlang=\"en\" srclang=\"*all*\" datatype=\"plaintext\"/>\n<body>\n"
        ))?;
        self.each(|unit| {
            count += 1;
            write(&element(&unit))
        })?;
        write("</body>\n</tmx>\n")?;
        Ok(count)
    }

    /// Reads the segments of a TMX file into the memory: all of them or, where anything fails, none.
    /// `name` is what errors call the file.
    ///
    /// What newsml exported goes back to where it was. All else is used whatever the model, before
    /// what models wrote. Tags inside segments are left out. Languages are told by their first part:
    /// `en-GB` is `en`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where it cannot be read or the memory cannot be written; [`Error::Encoding`];
    /// [`Error::Format`] where it is no TMX, ends too early, is larger than 1 GiB, or declares
    /// entities of its own.
    pub fn import_tmx(&self, reader: &mut impl Read, name: &str) -> Result<TmxImport> {
        let mut bytes = Vec::new();
        reader
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::io("read", name))?;
        if bytes.len() as u64 > MOST_BYTES {
            let most = MOST_BYTES >> 30;
            return Err(wrong(name, &format!("it is larger than {most} GiB")));
        }
        let (source, _) = crate::document::decode_bytes(name, bytes)?;
        self.write(|insert| units(&source, name, insert))
    }
}

fn wrong(name: &str, message: &str) -> Error {
    Error::Format {
        name: name.to_owned(),
        format: "TMX",
        message: message.to_owned(),
    }
}

/// The unit that is being read.
#[derive(Default)]
struct Open {
    /// The language that it is translated from; empty for any.
    from: String,
    model: Option<String>,
    settings: Option<String>,
    variants: Vec<(String, String)>,
}

/// Gives each segment of a file, in each direction that it holds.
fn units(source: &str, name: &str, give: &mut dyn FnMut(&Unit) -> Result<()>) -> Result<TmxImport> {
    let mut found = TmxImport::default();
    let mut path: Vec<String> = Vec::new();
    let mut header_from = String::new();
    let mut open = Open::default();
    // The text that is collected: of a segment or a property, and in which language or of which type.
    let mut text: Option<(String, String)> = None;
    let mut codes = 0_usize;
    let mut is_over = false;
    let mut at = 0;
    while at < source.len() {
        let token = tokens::next_of_xml(source, at);
        let failed = |message: &str| {
            let line = source[..at].matches('\n').count() + 1;
            Err(wrong(name, &format!("line {line}: {message}")))
        };
        let range = token.range().clone();
        match token {
            Token::Text(_) if source[at..].starts_with('<') => {
                return failed("`<` begins no tag");
            }
            Token::Text(_) => {
                if let Some((_, text)) = text.as_mut().filter(|_| codes == 0) {
                    text.push_str(&html_escape::decode_html_entities(&source[range.clone()]));
                } else if path.is_empty() && !source[range.clone()].trim().is_empty() {
                    return failed("it is not TMX");
                }
            }
            Token::Other(_) => {
                let other = &source[range.clone()];
                if let Some(inside) = other.strip_prefix("<![CDATA[") {
                    let inside = inside.strip_suffix("]]>").unwrap_or(inside);
                    if let Some((_, text)) = text.as_mut().filter(|_| codes == 0) {
                        text.push_str(inside);
                    }
                } else if other.starts_with("<!")
                    && !other.starts_with("<!--")
                    && other.contains('[')
                {
                    return failed("it declares entities of its own");
                }
            }
            Token::Start(tag) => {
                let is_root = path.is_empty();
                if is_root && (tag.name != "tmx" || is_over) {
                    return failed("it is not TMX");
                }
                match tag.name.as_str() {
                    "header" => header_from = language(&value(&tag, source, "srclang")),
                    "tu" => {
                        let from = value(&tag, source, "srclang");
                        open = Open {
                            from: if from.is_empty() {
                                header_from.clone()
                            } else {
                                language(&from)
                            },
                            ..Open::default()
                        };
                    }
                    "tuv" => {
                        let code = ["xml:lang", "lang"].map(|key| value(&tag, source, key));
                        let code = code.iter().find(|code| !code.is_empty());
                        if open.variants.len() == MOST_VARIANTS {
                            return failed("a unit has too many languages");
                        }
                        let code = code.map_or(String::new(), |code| language(code));
                        open.variants.push((code, String::new()));
                    }
                    "prop" if path.last().is_some_and(|parent| parent == "tu") => {
                        text = Some((value(&tag, source, "type"), String::new()));
                    }
                    "seg" => text = Some(("seg".to_owned(), String::new())),
                    code if CODES.contains(&code) && !tag.closed => codes += 1,
                    _ => {}
                }
                if !tag.closed {
                    if path.len() == DEEPEST {
                        return failed("its elements are nested too deep");
                    }
                    path.push(tag.name);
                } else if matches!(tag.name.as_str(), "seg" | "prop") {
                    text = None;
                }
            }
            Token::End { name: end, .. } => {
                if path.pop().as_ref() != Some(&end) {
                    return failed(&format!("`</{end}>` closes nothing"));
                }
                match end.as_str() {
                    "seg" => {
                        if let (Some((_, text)), Some(variant)) =
                            (text.take(), open.variants.last_mut())
                        {
                            variant.1 = text;
                        }
                    }
                    "prop" => match text.take() {
                        Some((kind, text)) if kind == "x-model" => open.model = Some(text),
                        Some((kind, text)) if kind == "x-settings" => open.settings = Some(text),
                        _ => {}
                    },
                    "tu" => {
                        let segments = directions(&std::mem::take(&mut open), give)?;
                        found.segments += segments;
                        found.left_out += u64::from(segments == 0);
                    }
                    code if CODES.contains(&code) => codes = codes.saturating_sub(1),
                    "tmx" => is_over = path.is_empty(),
                    _ => {}
                }
            }
        }
        at = range.end;
    }
    if is_over {
        Ok(found)
    } else {
        Err(wrong(name, "it ends before its end tag `</tmx>`"))
    }
}

/// The value of an attribute; empty where there is none.
fn value(tag: &StartTag, source: &str, name: &str) -> String {
    let value = tag.value(source, name).unwrap_or_default();
    html_escape::decode_html_entities(value).into_owned()
}

/// The first part of the code of a language, in small letters; empty for what is none, as `*all*`.
fn language(code: &str) -> String {
    let first = code.split(['-', '_']).next().unwrap_or_default();
    let is_code =
        matches!(first.len(), 2 | 3) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_code {
        first.to_ascii_lowercase()
    } else {
        String::new()
    }
}

/// Gives the segments of a unit, one for each direction; returns how many there were.
fn directions(unit: &Open, give: &mut dyn FnMut(&Unit) -> Result<()>) -> Result<u64> {
    let is_ours = |settings: &&String| {
        settings.len() == 64 && settings.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let settings = unit.settings.as_ref().filter(is_ours);
    let clean = |text: &str| -> String {
        let text: String = text.chars().filter(|&c| is_allowed(c)).collect();
        match settings {
            Some(_) => text,
            // Lines are broken and indented for people.
            None => text.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    };
    let variants: Vec<(&str, String)> = unit
        .variants
        .iter()
        .map(|(language, text)| (language.as_str(), clean(text)))
        .filter(|(language, text)| !language.is_empty() && !text.trim().is_empty())
        .collect();
    let mut count = 0;
    for (from, source) in &variants {
        if !unit.from.is_empty() && unit.from != *from {
            continue;
        }
        for (to, target) in variants.iter().filter(|(to, _)| to != from) {
            give(&Unit {
                source: source.clone(),
                target: target.clone(),
                from: (*from).to_owned(),
                to: (*to).to_owned(),
                model: unit.model.clone().unwrap_or_else(|| "imported".to_owned()),
                settings: settings.cloned().unwrap_or_default(),
            })?;
            count += 1;
        }
    }
    Ok(count)
}

fn element(unit: &Unit) -> String {
    let variant = |language: &str, text: &str| {
        let (language, text) = (escape(language), escape(text));
        format!("<tuv xml:lang=\"{language}\"><seg>{text}</seg></tuv>")
    };
    let settings = if unit.settings.is_empty() {
        String::new()
    } else {
        format!(
            "<prop type=\"x-settings\">{}</prop>",
            escape(&unit.settings)
        )
    };
    format!(
        "<tu srclang=\"{}\"><prop type=\"x-model\">{}</prop>{settings}{}{}</tu>\n",
        escape(&unit.from),
        escape(&unit.model),
        variant(&unit.from, &unit.source),
        variant(&unit.to, &unit.target)
    )
}

/// Whether a character may stand in XML, and in a text.
fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    }
}

/// A text inside an element or an attribute.
fn escape(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_allowed) {
        return html_escape::encode_quoted_attribute(text);
    }
    let allowed: String = text.chars().filter(|&c| is_allowed(c)).collect();
    html_escape::encode_quoted_attribute(&allowed)
        .into_owned()
        .into()
}
