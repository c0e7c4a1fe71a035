//! A translation with its marks.

use std::ops::Range;

/// A stretch of the translation: words, or the mark of this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) struct Part {
    /// Byte range of [`Fitted::text`].
    pub(in crate::document) text: Range<usize>,
    pub(in crate::document) mark: Option<usize>,
}

/// A translation with its marks: the parts are in order and cover the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::document) struct Fitted {
    pub(in crate::document) text: String,
    pub(in crate::document) parts: Vec<Part>,
}

impl Fitted {
    pub(super) fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        match self.parts.last_mut() {
            Some(part) if part.mark.is_none() => part.text.end = self.text.len(),
            _ => self.parts.push(Part {
                text: start..self.text.len(),
                mark: None,
            }),
        }
    }

    pub(super) fn push_mark(&mut self, mark: usize, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.parts.push(Part {
            text: start..self.text.len(),
            mark: Some(mark),
        });
    }
}
