//! Says in a page which language it is in, which way it is read, and how its bytes are encoded.

use std::ops::Range;

use super::tokens::{self, StartTag, Token};
use crate::language::Language;

/// What a page is to say of itself.
#[derive(Debug, Clone, Copy)]
pub(in crate::document) struct Declaration {
    pub(in crate::document) language: Option<Language>,
    /// Whether the page was read from another encoding than the UTF-8 that it is written in.
    pub(in crate::document) is_recoded: bool,
}

/// The page with the declaration in its tags: `lang` and `dir` of the root, `dir` of other elements
/// where it contradicts, and the name of the encoding.
pub(in crate::document) fn declare(source: &str, declaration: Declaration) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut at = 0;
    while at < source.len() {
        at = match tokens::next(source, at) {
            Token::Text(range) | Token::End { range, .. } => range.end,
            Token::Other(range) => {
                if declaration.is_recoded && source[range.clone()].starts_with("<?xml") {
                    rename_encoding(source, range.clone(), &mut edits);
                }
                range.end
            }
            Token::Start(tag) => {
                if let Some(language) = declaration.language {
                    name_language(source, &tag, language, &mut edits);
                }
                if declaration.is_recoded && tag.name == "meta" {
                    match tag.attribute(source, "charset") {
                        Some(charset) => {
                            if let Some(value) = &charset.value {
                                edits.push((value.clone(), "utf-8".to_owned()));
                            }
                        }
                        None => rename_encoding(source, tag.range.clone(), &mut edits),
                    }
                }
                if tokens::RAW.contains(&tag.name.as_str()) && !tag.closed {
                    tokens::raw_end(source, tag.range.end, &tag.name)
                } else {
                    tag.range.end
                }
            }
        };
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(source.len() + 64);
    let mut at = 0;
    for (range, text) in edits {
        out.push_str(&source[at..range.start]);
        out.push_str(&text);
        at = range.end;
    }
    out.push_str(&source[at..]);
    out
}

fn name_language(
    source: &str,
    tag: &StartTag,
    language: Language,
    edits: &mut Vec<(Range<usize>, String)>,
) {
    let is_root = tag.name == "html";
    let direction = if language == Language::Arabic {
        "rtl"
    } else {
        "ltr"
    };
    let after_name = tag.range.start + 1 + tag.name.len();
    if is_root {
        for name in ["lang", "xml:lang"] {
            let attribute = tag.attribute(source, name);
            match attribute.map(|attribute| (attribute.value.clone(), attribute.name.end)) {
                Some((Some(value), _)) => {
                    let named = source[value.clone()].split(['-', '_']).next();
                    if named.and_then(|code| code.trim().parse().ok()) != Some(language) {
                        edits.push((value, language.code().to_owned()));
                    }
                }
                Some((None, end)) => edits.push((end..end, format!("=\"{}\"", language.code()))),
                None if name == "lang" => edits.push((
                    after_name..after_name,
                    format!(" lang=\"{}\"", language.code()),
                )),
                None => {}
            }
        }
    }
    let said = tag
        .attribute(source, "dir")
        .and_then(|attribute| attribute.value.clone());
    match said {
        Some(value) => {
            let said = source[value.clone()].trim().to_ascii_lowercase();
            // Inside a page, what is read from the left may be code or a number.
            let is_wrong = match direction {
                "rtl" => said == "ltr" && matches!(tag.name.as_str(), "html" | "body"),
                _ => said == "rtl",
            };
            if is_wrong {
                edits.push((value, direction.to_owned()));
            }
        }
        None if is_root && direction == "rtl" => {
            edits.push((after_name..after_name, " dir=\"rtl\"".to_owned()))
        }
        None => {}
    }
}

/// Names UTF-8 where `range` names an encoding.
fn rename_encoding(source: &str, range: Range<usize>, edits: &mut Vec<(Range<usize>, String)>) {
    let text = source[range.clone()].to_ascii_lowercase();
    for key in ["charset=", "encoding="] {
        if let Some(found) = text.find(key) {
            let rest = &text[found + key.len()..];
            let quotes = rest.len() - rest.trim_start_matches(['"', '\'', ' ']).len();
            let name = &rest[quotes..];
            let length = name
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':'))
                .unwrap_or(name.len());
            let start = range.start + found + key.len() + quotes;
            edits.push((start..start + length, "utf-8".to_owned()));
            return;
        }
    }
}
