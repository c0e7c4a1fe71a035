//! Makes text from an article safe to print on a terminal.

use std::borrow::Cow;

/// Returns `text` without what a terminal would obey: escape sequences (with what belongs to them),
/// control characters other than line feed and tab, and the characters that turn the direction of
/// the text that follows.
///
/// ```
/// assert_eq!(newsml::terminal_safe("\u{1b}[31mred\u{1b}[0m\u{7}\r\n"), "red\n");
/// ```
pub fn terminal_safe(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else {
        return Cow::Borrowed(text);
    };
    let mut safe = String::with_capacity(text.len());
    safe.push_str(&text[..first]);
    let mut chars = text[first..].chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1B}' => match chars.peek() {
                Some('[') => {
                    chars.next();
                    skip_control_sequence(&mut chars);
                }
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut chars),
                Some(' '..='/') => {
                    while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
                    chars.next_if(|c| matches!(c, '0'..='~'));
                }
                Some('0'..='~') => drop(chars.next()),
                _ => {}
            },
            '\u{9B}' => skip_control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9D}' | '\u{9E}' | '\u{9F}' => skip_string(&mut chars),
            _ if is_unsafe(c) => {}
            _ => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Skips parameters and the final character of `ESC [`.
fn skip_control_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// Skips a string that a terminal takes as a command, up to its end: `BEL`, `ESC \` or the line's
/// end, so that a string that is never closed costs no more than its line.
fn skip_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        if matches!(c, '\u{7}' | '\u{9C}') || (c == '\u{1B}' && chars.next_if_eq(&'\\').is_some()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::terminal_safe;

    #[test]
    fn drops_what_a_terminal_obeys() {
        let cases = [
            ("plain text\tтекст\nنص", "plain text\tтекст\nنص"),
            ("\u{1b}[2J\u{1b}[1;31mred\u{1b}[m", "red"),
            ("a\u{1b}]0;title\u{7}b", "ab"),
            (
                "a\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\b",
                "alinkb",
            ),
            ("a\u{1b}]never closed\nnext", "a\nnext"),
            ("\u{9b}31mred \u{9d}0;t\u{9c}x", "red x"),
            ("\u{1b}(Bset \u{1b}cfull", "set full"),
            ("NUL\0BEL\u{7}DEL\u{7f}CR\r\n", "NULBELDELCR\n"),
            ("user\u{202e}gnp.exe \u{2067}x\u{2069}", "usergnp.exe x"),
            ("end \u{1b}", "end "),
        ];
        for (text, expected) in cases {
            assert_eq!(terminal_safe(text), expected, "{text:?}");
        }
    }
}
