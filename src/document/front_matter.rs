//! Reads and writes the strings in the front matter of Markdown, YAML or TOML: those that stand on one
//! line, by the rules of quoting of their language. What is more than that is left as it is.

use std::ops::Range;

/// The language of a front matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Between lines of `---`.
    Yaml,
    /// Between lines of `+++`.
    Toml,
}

/// A string, and what it is called.
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) text: String,
    /// Where it stands, its quotation marks included.
    pub(super) source: Range<usize>,
}

/// Names of what readers see.
const KEYS: [&str; 6] = [
    "title",
    "subtitle",
    "description",
    "summary",
    "excerpt",
    "headline",
];

/// The strings of a front matter that readers see.
pub(super) fn entries(source: &str, range: Range<usize>, style: Style) -> Vec<Entry<'_>> {
    let sign = match style {
        Style::Yaml => ':',
        Style::Toml => '=',
    };
    let mut entries = Vec::new();
    let mut at = range.start;
    for line in source[range].split_inclusive('\n') {
        at += line.len();
        let Some((key, rest)) = line.split_once(sign) else {
            continue;
        };
        let key = key.trim_end();
        let is_apart = style == Style::Toml || rest.starts_with(char::is_whitespace);
        if !KEYS.contains(&key) || !is_apart {
            continue;
        }
        if let Some((length, text)) = string(rest.trim(), style) {
            let start = at - rest.trim_start().len();
            let source = start..start + length;
            entries.push(Entry { key, text, source });
        }
    }
    entries
}

/// The names of the other strings of a front matter that say something in words: those of `key: value`,
/// of two words at least.
pub(super) fn others(source: &str, range: Range<usize>, style: Style) -> Vec<String> {
    let sign = match style {
        Style::Yaml => ": ",
        Style::Toml => "=",
    };
    let is_word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    let mut names = Vec::new();
    for line in source[range].lines() {
        let Some((key, value)) = line.split_once(sign) else {
            continue;
        };
        let key = key.trim();
        let words = value.split_whitespace().filter(is_word).count();
        let is_name = key
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if is_name && !KEYS.contains(&key) && words >= 2 && !names.iter().any(|name| name == key) {
            names.push(key.to_owned());
        }
    }
    names
}

/// The string that a value is, comments aside: in how many bytes it is written, and what it says.
fn string(value: &str, style: Style) -> Option<(usize, String)> {
    let is_long = value.starts_with("\"\"\"") || value.starts_with("'''");
    let (length, text) = match value.chars().next()? {
        _ if is_long && style == Style::Toml => return None,
        '"' => escaped(value, style)?,
        '\'' => literal(value, style)?,
        c if style == Style::Yaml && c.is_alphanumeric() && !value.contains(" #") => {
            return Some((value.len(), value.to_owned()));
        }
        _ => return None,
    };
    let rest = &value[length..];
    let is_comment = rest.trim_start().starts_with('#')
        && (style == Style::Toml || rest.starts_with(char::is_whitespace));
    // A character that is not seen is nothing to translate.
    let is_seen = !text.contains(|c: char| c.is_control() && !c.is_whitespace());
    ((rest.is_empty() || is_comment) && is_seen).then_some((length, text))
}

/// A string in single quotation marks.
fn literal(value: &str, style: Style) -> Option<(usize, String)> {
    let mut end = 1;
    loop {
        end += value[end..].find('\'')? + 1;
        // In YAML, two of them stand for one.
        if style == Style::Toml || !value[end..].starts_with('\'') {
            break;
        }
        end += 1;
    }
    let text = &value[1..end - 1];
    let text = match style {
        Style::Yaml => text.replace("''", "'"),
        Style::Toml => text.to_owned(),
    };
    Some((end, text))
}

/// A string in double quotation marks.
fn escaped(value: &str, style: Style) -> Option<(usize, String)> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        let c = value[at..].chars().next()?;
        at += c.len_utf8();
        match c {
            '"' => return Some((at, text)),
            '\\' => {
                let (length, c) = escape(&value[at..], style)?;
                text.push(c);
                at += length;
            }
            c => text.push(c),
        }
    }
}

/// What follows a backslash: its length, and the character that it stands for.
fn escape(rest: &str, style: Style) -> Option<(usize, char)> {
    let coded = |digits: usize| {
        let code = rest.get(1..=digits)?;
        let is_hex = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(code, 16).ok().filter(|_| is_hex)?;
        Some((1 + digits, char::from_u32(code)?))
    };
    let c = rest.chars().next()?;
    let found = match c {
        '"' | '\\' => c,
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{C}',
        'r' => '\r',
        'e' => '\u{1B}',
        'x' => return coded(2),
        'u' => return coded(4),
        'U' => return coded(8),
        _ if style == Style::Toml => return None,
        '0' => '\0',
        'a' => '\u{7}',
        'v' => '\u{B}',
        '/' | ' ' => c,
        'N' => '\u{85}',
        '_' => '\u{A0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        _ => return None,
    };
    Some((1, found))
}

/// Adds `text` to `out` as a string, in the quotation marks of `raw` where they can hold it.
pub(super) fn encode(style: Style, raw: &str, text: &str, out: &mut String) {
    let is_line = !text.contains(char::is_control);
    match style {
        Style::Yaml if raw.starts_with('\'') && is_line => {
            out.push('\'');
            out.push_str(&text.replace('\'', "''"));
            out.push('\'');
        }
        Style::Toml if raw.starts_with('\'') && is_line && !text.contains('\'') => {
            out.push('\'');
            out.push_str(text);
            out.push('\'');
        }
        Style::Yaml if !raw.starts_with(['"', '\'']) && is_line && is_plain(text) => {
            out.push_str(text);
        }
        _ => {
            out.push('"');
            for c in text.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    '\n' => out.push_str("\\n"),
                    '\t' => out.push_str("\\t"),
                    c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                    c => out.push(c),
                }
            }
            out.push('"');
        }
    }
}

/// Whether a YAML reader takes a text without quotation marks for that text.
fn is_plain(text: &str) -> bool {
    !text.starts_with(|c: char| !c.is_alphanumeric())
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !matches!(
            text.to_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off"
        )
}
