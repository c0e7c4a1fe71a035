//! Figures that are raised or lowered, as characters: `10` with a raised `6` is not `106`.

/// The text in raised characters, where each of its characters has one.
pub(super) fn superscript(text: &str) -> Option<String> {
    written(text, |c| {
        Some(match c {
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '0' | '4'..='9' => char::from_u32(0x2070 + c.to_digit(10)?)?,
            '+' => '⁺',
            '-' | '−' | '–' => '⁻',
            '(' => '⁽',
            ')' => '⁾',
            'n' => 'ⁿ',
            ' ' | ',' => c,
            _ => return None,
        })
    })
}

/// The text in lowered characters, where each of its characters has one.
pub(super) fn subscript(text: &str) -> Option<String> {
    written(text, |c| {
        Some(match c {
            '0'..='9' => char::from_u32(0x2080 + c.to_digit(10)?)?,
            '+' => '₊',
            '-' | '−' | '–' => '₋',
            '(' => '₍',
            ')' => '₎',
            ' ' | ',' => c,
            _ => return None,
        })
    })
}

fn written(text: &str, other: impl Fn(char) -> Option<char>) -> Option<String> {
    if text.len() > 24 || !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.chars().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::{subscript, superscript};

    #[test]
    fn figures_have_characters_and_words_have_none() {
        for (text, raised, lowered) in [
            ("6", Some("⁶"), Some("₆")),
            ("-12", Some("⁻¹²"), Some("₋₁₂")),
            ("2, 3", Some("², ³"), Some("₂, ₃")),
            ("th", None, None),
            ("", None, None),
        ] {
            assert_eq!(superscript(text).as_deref(), raised, "{text}");
            assert_eq!(subscript(text).as_deref(), lowered, "{text}");
        }
    }
}
