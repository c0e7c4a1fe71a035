//! Parts HTML into tags, text and the rest, each with its place in the source.
//!
//! Every byte belongs to one token, whatever the source holds, and each is looked at a fixed number
//! of times.

use std::ops::Range;

/// A stretch of the source.
#[derive(Debug)]
pub(crate) enum Token {
    Text(Range<usize>),
    Start(StartTag),
    End {
        name: String,
        range: Range<usize>,
    },
    /// A comment, a declaration, an instruction.
    Other(Range<usize>),
}

impl Token {
    /// Where it stands.
    pub(crate) fn range(&self) -> &Range<usize> {
        match self {
            Self::Text(range) | Self::Other(range) | Self::End { range, .. } => range,
            Self::Start(tag) => &tag.range,
        }
    }
}

/// A start tag.
#[derive(Debug)]
pub(crate) struct StartTag {
    /// In small letters.
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    pub(crate) attributes: Vec<Attribute>,
    /// Ends in `/>`.
    pub(crate) closed: bool,
}

/// An attribute.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: Range<usize>,
    /// Without quotation marks; none where the attribute has no value.
    pub(crate) value: Option<Range<usize>>,
    pub(crate) quote: Option<char>,
}

impl StartTag {
    /// The first attribute of this name.
    pub(crate) fn attribute(&self, source: &str, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| source[attribute.name.clone()].eq_ignore_ascii_case(name))
    }

    /// The value of the first attribute of this name, as it stands in the source.
    pub(crate) fn value<'a>(&self, source: &'a str, name: &str) -> Option<&'a str> {
        let value = self.attribute(source, name)?.value.clone();
        Some(value.map_or("", |value| &source[value]))
    }
}

/// Elements whose content is not HTML.
pub(crate) const RAW: [&str; 11] = [
    "script",
    "style",
    "title",
    "textarea",
    "noscript",
    "iframe",
    "xmp",
    "noembed",
    "noframes",
    "template",
    "plaintext",
];

/// The token that begins at `at`, and the range of the raw content that follows a start tag whose
/// element holds no HTML.
pub(crate) fn next(source: &str, at: usize) -> Token {
    let rest = &source[at..];
    if !rest.starts_with('<') {
        let length = rest.find('<').unwrap_or(rest.len());
        return Token::Text(at..at + length);
    }
    if let Some(comment) = rest.strip_prefix("<!--") {
        let end = comment
            .find("-->")
            .map_or(source.len(), |end| at + 4 + end + 3);
        return Token::Other(at..end);
    }
    let is_end = rest.starts_with("</");
    let name_at = at + 1 + usize::from(is_end);
    let to_bracket = || rest.find('>').map_or(source.len(), |end| at + end + 1);
    match source.as_bytes().get(name_at) {
        Some(byte) if byte.is_ascii_alphabetic() => {}
        Some(b'!' | b'?') if !is_end => return Token::Other(at..to_bracket()),
        Some(_) if is_end => return Token::Other(at..to_bracket()),
        // A bare `<`, which is text.
        _ => {
            let length = source[at + 1..]
                .find('<')
                .map_or(rest.len(), |length| length + 1);
            return Token::Text(at..at + length);
        }
    }
    let tag = start_tag(source, at, name_at);
    if is_end {
        Token::End {
            name: tag.name,
            range: tag.range,
        }
    } else {
        Token::Start(tag)
    }
}

/// As [`next`], by the rules of XML, in which text may stand in `<![CDATA[`.
pub(crate) fn next_of_xml(source: &str, at: usize) -> Token {
    let rest = &source[at..];
    if rest.starts_with("<![CDATA[") {
        let end = rest.find("]]>").map_or(source.len(), |end| at + end + 3);
        return Token::Other(at..end);
    }
    next(source, at)
}

/// The end of the content of an element that holds no HTML: where its end tag begins, else the end
/// of the source.
pub(crate) fn raw_end(source: &str, from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(found) = source[at..].find("</") {
        let start = at + found;
        let tag = source.as_bytes()[start + 2..].get(..name.len());
        if tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes())) {
            return start;
        }
        at = start + 2;
    }
    source.len()
}

/// The tag that begins at `start` and whose name begins at `name_at`; one that never ends goes to the
/// end of the source.
pub(super) fn start_tag(source: &str, start: usize, name_at: usize) -> StartTag {
    let bytes = source.as_bytes();
    let stop = |from: usize, ends: fn(u8) -> bool| {
        bytes[from..]
            .iter()
            .position(|byte| ends(*byte))
            .map_or(bytes.len(), |found| from + found)
    };
    let name_end = stop(name_at, |byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')
    });
    let mut tag = StartTag {
        name: source[name_at..name_end].to_ascii_lowercase(),
        range: start..bytes.len(),
        attributes: Vec::new(),
        closed: false,
    };
    let mut at = name_end;
    loop {
        at = stop(at, |byte| !byte.is_ascii_whitespace());
        match bytes.get(at) {
            None => return tag,
            Some(b'>') => {
                tag.range.end = at + 1;
                return tag;
            }
            Some(b'/') => {
                tag.closed = bytes.get(at + 1) == Some(&b'>');
                at += 1;
                continue;
            }
            Some(_) => {}
        }
        // A `=` at the beginning of a name belongs to it.
        let name = at..stop(at + 1, |byte| {
            byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'=')
        });
        at = stop(name.end, |byte| !byte.is_ascii_whitespace());
        if bytes.get(at) != Some(&b'=') {
            tag.attributes.push(Attribute {
                name,
                value: None,
                quote: None,
            });
            continue;
        }
        let from = stop(at + 1, |byte| !byte.is_ascii_whitespace());
        let (value, quote) = match bytes.get(from) {
            Some(b'"') => (from + 1..stop(from + 1, |byte| byte == b'"'), Some('"')),
            Some(b'\'') => (from + 1..stop(from + 1, |byte| byte == b'\''), Some('\'')),
            _ => (
                from..stop(from, |byte| byte.is_ascii_whitespace() || byte == b'>'),
                None,
            ),
        };
        at = (value.end + usize::from(quote.is_some())).min(bytes.len());
        tag.attributes.push(Attribute {
            name,
            value: Some(value),
            quote,
        });
    }
}
