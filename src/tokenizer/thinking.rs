//! What a model thinks before it answers is no part of the answer.
//!
//! Markers of thinking that are tokens are found wherever they stand; those that a model spells out
//! count at the beginning of an answer only, since a text may speak of them.

use crate::decode::TokenId;

/// The markers around thinking.
const MARKERS: [(&str, &str); 6] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("<|channel>", "<channel|>"),
];

/// The markers of one vocabulary.
#[derive(Debug)]
pub(super) struct Thinking {
    pairs: Vec<(TokenId, TokenId)>,
}

impl Thinking {
    /// Looks the markers up.
    pub(super) fn new(id: impl Fn(&str) -> Option<TokenId>) -> Self {
        let pair = |(open, close): (&str, &str)| Some((id(open)?, id(close)?));
        Self {
            pairs: MARKERS.into_iter().filter_map(pair).collect(),
        }
    }

    /// Whether a token begins thinking.
    pub(super) fn opens(&self, id: TokenId) -> bool {
        self.pairs.iter().any(|(open, _)| *open == id)
    }

    /// The ids of an answer without those of thinking. Thinking that does not end has no answer;
    /// what ends without a beginning began in the prompt.
    pub(super) fn said(&self, ids: &[TokenId]) -> Vec<TokenId> {
        let mut said = Vec::with_capacity(ids.len());
        let mut closing = None;
        for &id in ids {
            match closing {
                Some(close) if close == id => closing = None,
                Some(_) => {}
                None if self.pairs.iter().any(|(_, close)| *close == id) => said.clear(),
                None => {
                    let pair = self.pairs.iter().find(|(open, _)| *open == id);
                    closing = pair.map(|(_, close)| *close);
                    if closing.is_none() {
                        said.push(id);
                    }
                }
            }
        }
        said
    }
}

/// The answer in a text that may begin with thinking.
pub(super) fn answer(text: &str) -> &str {
    let mut rest = text;
    while let Some((open, close)) = MARKERS
        .iter()
        .find(|(open, _)| rest.trim_start().starts_with(open))
    {
        let thought = &rest.trim_start()[open.len()..];
        let end = thought.find(close).map(|at| at + close.len());
        rest = end.map_or("", |end| &thought[end..]);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_is_left_out_wherever_its_markers_are_tokens() {
        let id = |name: &str| match name {
            "<think>" => Some(1),
            "</think>" => Some(2),
            _ => None,
        };
        let thinking = Thinking::new(id);
        let cases: [(&[TokenId], &[TokenId]); 7] = [
            (&[5, 6], &[5, 6]),
            (&[1, 5, 2, 6], &[6]),
            (&[5, 1, 6, 2, 7], &[5, 7]),
            (&[1, 5, 6], &[]),
            (&[5, 6, 2, 7], &[7]),
            (&[1, 2, 1, 5, 2, 6], &[6]),
            (&[1, 1, 5, 2, 6], &[6]),
        ];
        for (ids, said) in cases {
            assert_eq!(thinking.said(ids), said, "{ids:?}");
        }
        assert!(thinking.opens(1) && !thinking.opens(2));
    }

    #[test]
    fn spelled_out_thinking_is_left_out_at_the_beginning() {
        let cases = [
            ("<think>\nhm\n</think>\n\nHello", "\n\nHello"),
            ("  <think></think><thinking>a</thinking>b", "b"),
            ("[THINK]never done", ""),
            ("The tag <think> is new", "The tag <think> is new"),
            ("Hello", "Hello"),
            ("", ""),
        ];
        for (text, wanted) in cases {
            assert_eq!(answer(text), wanted, "{text}");
        }
    }
}
