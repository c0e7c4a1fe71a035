//! Writes text so that a format reads it as text again: flowing text, and values that stand in a
//! source as one.

use std::borrow::Cow;

use super::front_matter;

/// How flowing text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it is.
    None,
    /// `&`, `<` and `>` as entities: HTML, XML, WebVTT.
    Entities,
    /// With a backslash before what Markdown would take for a mark.
    Markdown,
}

impl Escape {
    /// `text` in stretches: how each is written, and what it says.
    pub(super) fn pieces(self, text: &str, is_first: bool) -> Vec<(Cow<'_, str>, &str)> {
        let mut pieces = Vec::new();
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let escaped: Cow<'_, str> = match self {
                Self::None => continue,
                Self::Entities => match entity(c) {
                    Some(entity) => entity.into(),
                    None => continue,
                },
                Self::Markdown if is_markup(text, at, c, is_first) => format!("\\{c}").into(),
                Self::Markdown => continue,
            };
            if plain < at {
                pieces.push((text[plain..at].into(), &text[plain..at]));
            }
            plain = at + c.len_utf8();
            pieces.push((escaped, &text[at..plain]));
        }
        if plain < text.len() {
            pieces.push((text[plain..].into(), &text[plain..]));
        }
        pieces
    }
}

fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

/// Whether Markdown may take a character for a mark where it stands.
fn is_markup(text: &str, at: usize, c: char, is_first: bool) -> bool {
    let before = &text[..at];
    let after = &text[at + c.len_utf8()..];
    let starts_line = is_first && before.trim_start().is_empty();
    match c {
        '\\' | '*' | '`' | '[' | ']' | '|' | '~' => true,
        '_' => {
            !(before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric))
        }
        '<' => after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')),
        '&' => {
            after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '#') && after.contains(';')
        }
        '#' | '>' | '+' | '-' | '=' | ':' => starts_line,
        // A number that would begin a list.
        '.' | ')' => {
            is_first
                && !before.is_empty()
                && before
                    .trim_start()
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                && (after.is_empty() || after.starts_with(char::is_whitespace))
        }
        _ => false,
    }
}

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// The text of an element that holds no other: `title`.
    Element,
    /// An attribute in these quotation marks, which are not part of the value; in none where absent.
    Attribute(Option<char>),
    /// A string of JSON, its quotation marks included.
    Json,
    /// A cell of a table whose cells are parted so, its quotation marks included.
    Cell(char),
    /// A value in the front matter of Markdown, its quotation marks included.
    FrontMatter(front_matter::Style),
    /// What describes an image in Markdown.
    Description,
    /// The same where it is the label of the image as well, with the `][` of a label of its own.
    LabelledDescription,
    /// The end of a link in Markdown whose text was its label, which is this.
    Label(Box<str>),
}

impl ValueKind {
    /// Adds `text` to `out`, in the style of `raw`, which is how the value was written before.
    pub(super) fn encode(&self, raw: &str, text: &str, out: &mut String) {
        match self {
            Self::Element => push_entities(text, None, out),
            Self::Attribute(Some(quote)) => push_entities(text, Some(*quote), out),
            Self::Attribute(None) => {
                out.push('"');
                push_entities(text, Some('"'), out);
                out.push('"');
            }
            Self::Json => push_json(raw, text, out),
            Self::Cell(delimiter) => push_cell(raw, text, *delimiter, out),
            Self::FrontMatter(style) => front_matter::encode(*style, raw, text, out),
            Self::Description => push_description(text, out),
            Self::LabelledDescription => {
                push_description(text, out);
                let label = match raw.rsplit_once("][") {
                    Some((text, "")) => text,
                    Some((_, label)) => label,
                    None => raw,
                };
                out.push_str("][");
                out.push_str(label);
            }
            Self::Label(label) => {
                out.push_str("][");
                out.push_str(label);
                out.push(']');
            }
        }
    }
}

fn push_description(text: &str, out: &mut String) {
    for (escaped, _) in Escape::Markdown.pieces(text, false) {
        out.push_str(&escaped);
    }
}

pub(super) fn push_entities(text: &str, quote: Option<char>, out: &mut String) {
    for c in text.chars() {
        match entity(c) {
            Some(entity) => out.push_str(entity),
            None if Some(c) == quote => out.push_str(if c == '"' { "&quot;" } else { "&#39;" }),
            None => out.push(c),
        }
    }
}

/// A string of JSON; letters that are not ASCII are written as they were before, as themselves or
/// as `\u` with their numbers.
fn push_json(raw: &str, text: &str, out: &mut String) {
    let escapes = raw.is_ascii() && raw.contains("\\u");
    let string = serde_json::Value::from(text).to_string();
    if !escapes {
        out.push_str(&string);
        return;
    }
    for c in string.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

fn push_cell(raw: &str, text: &str, delimiter: char, out: &mut String) {
    let special = |c: char| c == delimiter || matches!(c, '\n' | '\r');
    // In tables of tabs, a quotation mark is mostly just that.
    let has_quote = text.starts_with('"') || delimiter != '\t' && text.contains('"');
    if raw.starts_with('"') || has_quote || text.contains(special) || text != text.trim() {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}
