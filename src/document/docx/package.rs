//! Finds the parts of a Word document that hold its text, and writes them in the one way in which
//! `paragraph` reads them.
//!
//! Which parts there are is said by relationships and content types, not by names: other programs than
//! Word use other names.

use std::borrow::Cow;
use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use crate::document::escape::push_entities;
use crate::document::html::tokens::{self, Token};

/// The most bytes that are read of the lists of parts.
const MOST_BYTES: u64 = 1 << 20;

/// The names of the parts with text: the document first, then notes, headers and footers by name.
///
/// # Errors
/// What is wrong with the archive.
pub(super) fn text_parts(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
) -> Result<Vec<String>, &'static str> {
    let names: Vec<String> = archive
        .file_names()
        .filter_map(|part| part.ok().map(Cow::into_owned))
        .collect();
    let related = list(archive, "_rels/.rels").and_then(|list| main_part(&list));
    let main = related.unwrap_or_else(|| "word/document.xml".to_owned());
    if !names.contains(&main) {
        return Err("it holds no `word/document.xml`");
    }
    let mut others = match list(archive, "[Content_Types].xml") {
        Some(list) => others(&list),
        None => Vec::new(),
    };
    if others.is_empty() {
        others = names
            .iter()
            .filter(|name| is_named_as_text(name))
            .cloned()
            .collect();
    }
    others.retain(|part| *part != main && names.contains(part));
    others.sort();
    others.dedup();
    others.insert(0, main);
    Ok(others)
}

/// A small part, as text.
fn list(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Option<String> {
    let mut text = String::new();
    let part = archive.by_name(name).ok()?;
    part.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Attributes of the elements of a name, in order.
fn attributes(xml: &str, element: &str, names: [&str; 2]) -> Vec<[String; 2]> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < xml.len() {
        let token = tokens::next_of_xml(xml, at);
        at = token.range().end;
        if let Token::Start(tag) = token
            && tag.name.rsplit(':').next() == Some(element)
            && let Some(first) = tag.value(xml, names[0])
            && let Some(second) = tag.value(xml, names[1])
        {
            found.push([first, second].map(|value| {
                let name = crate::document::html::decode(value);
                name.trim_start_matches('/').to_owned()
            }));
        }
    }
    found
}

fn main_part(relationships: &str) -> Option<String> {
    let all = attributes(relationships, "relationship", ["Type", "Target"]);
    let main = all
        .into_iter()
        .find(|[kind, _]| kind.ends_with("/officeDocument"));
    main.map(|[_, target]| target)
}

fn others(types: &str) -> Vec<String> {
    let kinds = ["footnotes+xml", "endnotes+xml", "header+xml", "footer+xml"];
    let all = attributes(types, "override", ["ContentType", "PartName"]);
    all.into_iter()
        .filter(|[kind, _]| kinds.iter().any(|known| kind.ends_with(known)))
        .map(|[_, part]| part)
        .collect()
}

/// Whether Word calls parts so that hold text beside the document's.
fn is_named_as_text(name: &str) -> bool {
    name.strip_prefix("word/")
        .and_then(|name| name.strip_suffix(".xml"))
        .is_some_and(|name| {
            matches!(name, "footnotes" | "endnotes")
                || ["header", "footer"].iter().any(|kind| {
                    name.strip_prefix(kind)
                        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
                })
        })
}

/// The part without what XML allows and `paragraph` does not know: `CDATA` becomes text, comments go,
/// and hyphens and signs that are elements become the characters that they stand for.
pub(super) fn plain(xml: &str) -> Cow<'_, str> {
    const MARKS: [&str; 5] = [
        "<![CDATA[",
        "<!--",
        "<w:noBreakHyphen",
        "<w:softHyphen",
        "<w:sym ",
    ];
    if !MARKS.iter().any(|mark| xml.contains(mark)) {
        return Cow::Borrowed(xml);
    }
    let mut out = String::with_capacity(xml.len());
    let mut at = 0;
    let mut in_text = false;
    while at < xml.len() {
        let token = tokens::next_of_xml(xml, at);
        let raw = &xml[token.range().clone()];
        at = token.range().end;
        if let Some(text) = raw.strip_prefix("<![CDATA[").filter(|_| in_text) {
            push_entities(text.strip_suffix("]]>").unwrap_or(text), None, &mut out);
            continue;
        }
        if in_text && raw.starts_with("<!--") {
            continue;
        }
        match &token {
            Token::Start(tag) if tag.name == "w:t" => in_text = !tag.closed,
            Token::End { name, .. } if name == "w:t" => in_text = false,
            _ => {}
        }
        match &token {
            Token::Start(tag) if tag.name == "w:nobreakhyphen" => {
                out.push_str("<w:t>\u{2011}</w:t>")
            }
            Token::Start(tag) if tag.name == "w:softhyphen" && tag.closed => {}
            Token::Start(tag) if tag.name == "w:sym" && tag.closed => {
                let value = |name| tag.value(xml, name).unwrap_or_default();
                match sign(value("w:font"), value("w:char")) {
                    Some(sign) => {
                        out.push_str("<w:t>");
                        push_entities(sign.encode_utf8(&mut [0; 4]), None, &mut out);
                        out.push_str("</w:t>");
                    }
                    None => out.push_str(raw),
                }
            }
            Token::End { name, .. } if name == "w:nobreakhyphen" => {}
            _ => out.push_str(raw),
        }
    }
    Cow::Owned(out)
}

/// The character that a sign of a font stands for: those of `Symbol` by its table, of other fonts where
/// the number is that of a character.
fn sign(font: &str, number: &str) -> Option<char> {
    let code = u32::from_str_radix(number, 16).ok()?;
    if !(0xF000..=0xF0FF).contains(&code) {
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    if !font.eq_ignore_ascii_case("Symbol") {
        return None;
    }
    let code = u8::try_from(code - 0xF000).ok()?;
    const GREEK: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
    const SMALL: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";
    match code {
        b'A'..=b'Z' => GREEK.chars().nth(usize::from(code - b'A')),
        b'a'..=b'z' => SMALL.chars().nth(usize::from(code - b'a')),
        b' ' | b'!' | b'#' | b'%' | b'&' | b'(' | b')' | b'+' | b','..=b'?' => {
            Some(char::from(code))
        }
        b'*' => Some('∗'),
        0xA0 => Some('€'),
        0xA2 => Some('′'),
        0xA3 => Some('≤'),
        0xA5 => Some('∞'),
        0xAB => Some('↔'),
        0xAC => Some('←'),
        0xAD => Some('↑'),
        0xAE => Some('→'),
        0xAF => Some('↓'),
        0xB0 => Some('°'),
        0xB1 => Some('±'),
        0xB2 => Some('″'),
        0xB3 => Some('≥'),
        0xB4 => Some('×'),
        0xB6 => Some('∂'),
        0xB7 => Some('•'),
        0xB8 => Some('÷'),
        0xB9 => Some('≠'),
        0xBB => Some('≈'),
        0xBC => Some('…'),
        0xD2 => Some('®'),
        0xD3 => Some('©'),
        0xD4 => Some('™'),
        0xD5 => Some('∏'),
        0xD6 => Some('√'),
        0xD7 => Some('⋅'),
        0xE5 => Some('∑'),
        _ => None,
    }
}
