//! Tells characters apart: marks that end sentences, what closes and opens, dashes, bullets, smileys.
//!
//! Every answer depends on the characters given and on nothing around them.

/// Whether `c` ends sentences.
pub(super) fn is_mark(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | '…' | '؟' | '۔' | '‼' | '‽' | '⁇' | '⁈' | '⁉'
    )
}

/// Whether `c` may close what a sentence stands in.
pub(super) fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '»' | '”' | '’' | '“' | ')' | ']' | '}' | '›'
    )
}

/// Whether `c` may stand before the first word of a sentence.
pub(super) fn is_opener(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '«'
            | '“'
            | '‘'
            | '„'
            | '”'
            | '('
            | '['
            | '{'
            | '¿'
            | '¡'
            | '‹'
            | '`'
            | '*'
            | '_'
    )
}

/// Characters that direct the text and are not seen.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '―' | '−')
}

/// Combining marks: vowel signs of Arabic and accents.
pub(super) fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6ED}')
}

/// The first boundary of characters at or after the byte `at`.
pub(crate) fn char_boundary(text: &str, at: usize) -> usize {
    let boundary = (at..=text.len()).find(|at| text.is_char_boundary(*at));
    boundary.unwrap_or(text.len())
}

/// Whether `text` begins with a bullet.
pub(super) fn is_bullet(text: &str) -> bool {
    text.starts_with(['•', '‣', '⁃', '▪', '■', '▫', '□', '▶', '►', '●', '○', '◦'])
}

/// A script, as far as the rules go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Arabic,
    Other,
}

/// The script of a letter.
pub(super) fn script(c: char) -> Script {
    match c {
        'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => Script::Latin,
        '\u{400}'..='\u{52F}' => Script::Cyrillic,
        '\u{600}'..='\u{6FF}'
        | '\u{750}'..='\u{77F}'
        | '\u{FB50}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFE}' => Script::Arabic,
        _ => Script::Other,
    }
}

/// The length of white space and a smiley at the beginning of `rest`: it belongs to what it follows.
pub(super) fn emoticon(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = bytes
        .iter()
        .take(3)
        .take_while(|byte| **byte == b' ')
        .count();
    if at == 0 {
        return emoji(rest);
    }
    if !matches!(bytes.get(at), Some(b':' | b';' | b'=')) {
        let length = emoji(&rest[at..]);
        return if length > 0 { at + length } else { 0 };
    }
    at += 1;
    at += usize::from(bytes.get(at) == Some(&b'-'));
    let mouth = bytes[at..]
        .iter()
        .take_while(|byte| matches!(byte, b')' | b'(' | b'D' | b'P' | b'p' | b'/' | b'|'))
        .count();
    at += mouth;
    if mouth > 0 && bytes.get(at).is_none_or(u8::is_ascii_whitespace) {
        at
    } else {
        0
    }
}

/// The length of the emoji at the beginning of `rest`, with single spaces between them; not of one
/// that a word follows directly.
fn emoji(rest: &str) -> usize {
    let mut end = 0;
    for (offset, c) in rest.char_indices() {
        match c {
            '\u{2190}'..='\u{21FF}'
            | '\u{2300}'..='\u{23FF}'
            | '\u{2600}'..='\u{27BF}'
            | '\u{2B00}'..='\u{2BFF}'
            | '\u{FE0F}'
            | '\u{200D}'
            | '\u{1F000}'..='\u{1FAFF}' => end = offset + c.len_utf8(),
            ' ' if offset > 0 && end == offset => {}
            _ => break,
        }
    }
    end
}
