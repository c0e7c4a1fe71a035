//! Finds tokens in text by their names: the longest first, as llama.cpp does.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use super::vocabulary::Fault;
use crate::decode::TokenId;

/// A part of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Token(TokenId),
}

/// Finds tokens in text.
pub(super) struct Finder {
    automaton: AhoCorasick,
    /// The tokens, the longest first, as the automaton numbers them.
    tokens: Vec<(TokenId, String)>,
}

impl Finder {
    pub(super) fn new<'a>(tokens: impl Iterator<Item = (TokenId, &'a str)>) -> Result<Self, Fault> {
        let mut tokens: Vec<_> = tokens.map(|(id, text)| (id, text.to_owned())).collect();
        tokens.sort_by_key(|(id, text)| (Reverse(text.len()), *id));
        let automaton = AhoCorasick::new(tokens.iter().map(|(_, text)| text))
            .map_err(|error| Fault::Corrupt(format!("its markers cannot be used ({error})")))?;
        Ok(Self { automaton, tokens })
    }

    /// The token of a name.
    pub(super) fn id(&self, name: &str) -> Option<TokenId> {
        let found = self.tokens.iter().find(|(_, text)| text == name);
        found.map(|(id, _)| *id)
    }

    /// Cuts text at tokens: at all of the longest first, then in what is left at the next.
    pub(super) fn parts<'a>(&self, text: &'a str) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        if text.is_empty() {
            return parts;
        }
        parts.push(Part::Text(text));
        let found: BTreeSet<usize> = self
            .automaton
            .find_overlapping_iter(text)
            .map(|found| found.pattern().as_usize())
            .collect();
        for (id, token) in found.iter().filter_map(|&number| self.tokens.get(number)) {
            let mut finer = Vec::new();
            for part in parts {
                match part {
                    Part::Text(text) => {
                        for (number, rest) in text.split(token.as_str()).enumerate() {
                            if number > 0 {
                                finer.push(Part::Token(*id));
                            }
                            if !rest.is_empty() {
                                finer.push(Part::Text(rest));
                            }
                        }
                    }
                    token => finer.push(token),
                }
            }
            parts = finer;
        }
        parts
    }
}
