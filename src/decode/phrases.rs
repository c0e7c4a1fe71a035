//! Phrases that a hypothesis must say: lexically constrained beam search.
//!
//! After Post and Vilar (2018), *Fast Lexically Constrained Decoding with Dynamic Beam Allocation*:
//! hypotheses that have said equally much of the phrases are a bank, and the places of the beam are
//! dealt out over the banks, so that those that have begun a phrase are not crowded out by those
//! that avoid it. A hypothesis ends only when all is said.

use crate::decode::TokenId;

/// How many tokens of the phrases a hypothesis has said: whole phrases, and the beginning of one at
/// its end.
pub(super) fn said(phrases: &[Vec<TokenId>], tokens: &[TokenId]) -> usize {
    let mut said = 0;
    let mut begun = 0;
    for phrase in phrases {
        if contains(tokens, phrase) {
            said += phrase.len();
        } else {
            begun = begun.max(beginning(tokens, phrase));
        }
    }
    said + begun
}

/// Whether all phrases are said.
pub(super) fn all_said(phrases: &[Vec<TokenId>], tokens: &[TokenId]) -> bool {
    phrases.iter().all(|phrase| contains(tokens, phrase))
}

/// Tokens that bring a hypothesis further: the next of the phrase that is begun at its end, and the
/// first of each that is not said.
pub(super) fn wanted(phrases: &[Vec<TokenId>], tokens: &[TokenId]) -> Vec<TokenId> {
    let mut wanted = Vec::new();
    for phrase in phrases.iter().filter(|phrase| !contains(tokens, phrase)) {
        for at in [beginning(tokens, phrase), 0] {
            if let Some(&token) = phrase.get(at)
                && !wanted.contains(&token)
            {
                wanted.push(token);
            }
        }
    }
    wanted
}

/// Deals the places of a beam out over banks: candidates come as (bank, best first within it) and
/// are given back in the order in which they take places.
pub(super) fn deal<T>(mut candidates: Vec<(usize, T)>, places: usize) -> Vec<T> {
    // Stable: within a bank the order stays.
    candidates.sort_by_key(|(bank, _)| std::cmp::Reverse(*bank));
    let mut banks: Vec<std::collections::VecDeque<T>> = Vec::new();
    let mut last = None;
    for (bank, candidate) in candidates {
        if last != Some(bank) {
            banks.push(std::collections::VecDeque::new());
            last = Some(bank);
        }
        if let Some(members) = banks.last_mut() {
            members.push_back(candidate);
        }
    }
    let mut dealt = Vec::new();
    while dealt.len() < places && banks.iter().any(|bank| !bank.is_empty()) {
        dealt.extend(
            banks
                .iter_mut()
                .filter_map(std::collections::VecDeque::pop_front),
        );
    }
    dealt
}

fn contains(tokens: &[TokenId], phrase: &[TokenId]) -> bool {
    phrase.is_empty() || tokens.windows(phrase.len()).any(|window| window == phrase)
}

/// Tokens at the end that are the beginning of a phrase.
fn beginning(tokens: &[TokenId], phrase: &[TokenId]) -> usize {
    (1..phrase.len())
        .rev()
        .find(|&length| tokens.ends_with(&phrase[..length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_what_was_said_and_begun() {
        let phrases = [vec![1, 2, 3], vec![7]];
        for (tokens, expected, next) in [
            (&[9, 9][..], 0, &[1, 7][..]),
            (&[9, 1, 2], 2, &[3, 1, 7]),
            (&[9, 1, 9], 0, &[1, 7]),
            (&[1, 2, 3, 9], 3, &[7]),
            (&[7, 1], 2, &[2, 1]),
            (&[7, 1, 2, 3], 4, &[]),
        ] {
            assert_eq!(said(&phrases, tokens), expected, "{tokens:?}");
            assert_eq!(wanted(&phrases, tokens), next, "{tokens:?}");
            assert_eq!(all_said(&phrases, tokens), expected == 4, "{tokens:?}");
        }
    }

    #[test]
    fn each_bank_has_places() {
        let candidates = vec![(0, 'a'), (0, 'b'), (2, 'c'), (0, 'd'), (1, 'e'), (2, 'f')];
        assert_eq!(deal(candidates, 4), ['c', 'e', 'a', 'f', 'b']);
    }
}
