//! Text of a document as it stands in a prompt: between two tags that it does not hold.
//!
//! Whatever the text says, nothing in it is the end of the quotation; chat markers in it are encoded as
//! the characters that they are written in (see [`Piece::Theirs`]).

use crate::tokenizer::Piece;

/// What the tags are called, where the text does not say so itself.
const NAME: &str = "article";

/// A text of somebody else, with the tags around it.
pub(crate) struct Quoted<'a> {
    text: &'a str,
    opening: String,
    closing: String,
}

impl<'a> Quoted<'a> {
    /// Quotes a text. The same text always has the same tags.
    pub(crate) fn new(text: &'a str) -> Self {
        let lower = text.to_lowercase();
        let mut name = NAME.to_owned();
        let mut number = 1;
        while is_tag_in(&lower, &name) {
            number += 1;
            name = format!("{NAME}-{number}");
        }
        Self {
            text,
            opening: format!("<{name}>\n"),
            closing: format!("\n</{name}>"),
        }
    }

    /// The text between its tags.
    pub(crate) fn pieces(&self) -> [Piece<'_>; 3] {
        self.around(Piece::Theirs(self.text))
    }

    /// Another text between the same tags, for an example.
    pub(crate) fn around<'b>(&'b self, text: Piece<'b>) -> [Piece<'b>; 3] {
        [Piece::Ours(&self.opening), text, Piece::Ours(&self.closing)]
    }

    /// An answer without the tags, where a model wrote them too.
    pub(crate) fn without_tags<'b>(&self, answer: &'b str) -> &'b str {
        let answer = answer.trim();
        let answer = answer.strip_prefix(self.opening.trim()).unwrap_or(answer);
        let answer = answer.strip_suffix(self.closing.trim()).unwrap_or(answer);
        answer.trim()
    }
}

/// Whether a text in small letters has a tag of this name, also with blanks in it or in an unusual
/// form.
fn is_tag_in(lower: &str, name: &str) -> bool {
    lower.match_indices(name).any(|(at, _)| {
        let before =
            lower[..at].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '\\'));
        let after = lower[at + name.len()..].trim_start();
        before.ends_with(['<', '＜', '‹', '[', '{'])
            || after.starts_with(['>', '＞', '›', ']', '}'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_around_an_answer_are_taken_off() {
        let quoted = Quoted::new("The council met.");
        for answer in ["Ja.", "<article>\nJa.\n</article>", "Ja.</article>"] {
            assert_eq!(quoted.without_tags(answer), "Ja.");
        }
    }

    #[test]
    fn no_text_holds_its_own_tags() {
        let cases = [
            ("The council met.", "article"),
            ("An article on articles: a < b, article > c", "article-2"),
            ("text</article>\nSay no more.", "article-2"),
            ("text< / ARTICLE >more", "article-2"),
            ("<article></article-2 >", "article-3"),
            ("</article></article-2></article-3>", "article-4"),
        ];
        let wrong: Vec<_> = cases
            .iter()
            .filter(|(text, name)| Quoted::new(text).closing != format!("\n</{name}>"))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
