//! The byte-pair algorithm: neighbours are merged, the best-scored pair first.
//!
//! Follows `bpe::Model::SampleEncode` of SentencePiece without its sampling: of equal scores the
//! leftmost pair wins, user-defined symbols never merge, and an unused piece that a merge made is
//! taken apart again.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::proto::PieceKind;
use super::{SentencePiece, Span};

/// A run of text in a list linked by index; one with no length has been merged away.
struct Symbol {
    start: usize,
    end: usize,
    previous: Option<usize>,
    next: Option<usize>,
    /// A user-defined symbol, which stays as it is.
    frozen: bool,
}

/// Two neighbours that make a piece together.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    /// The length that both had when the pair was found; it is stale if that has changed.
    length: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .total_cmp(&other.score)
            .then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

/// The state of one text.
struct Merger<'a> {
    text: &'a str,
    model: &'a SentencePiece,
    symbols: Vec<Symbol>,
    agenda: BinaryHeap<Pair>,
    /// What unused pieces were merged from.
    merged_from: HashMap<&'a str, (&'a str, &'a str)>,
}

impl<'a> Merger<'a> {
    fn consider(&mut self, left: Option<usize>, right: Option<usize>) {
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        let (first, second) = (&self.symbols[left], &self.symbols[right]);
        if first.frozen || second.frozen {
            return;
        }
        let piece = &self.text[first.start..second.end];
        let Some(id) = self.model.trie.get(piece.as_bytes()) else {
            return;
        };
        let entry = &self.model.vocabulary.pieces[id as usize];
        if entry.kind == PieceKind::Unused {
            let parts = (
                &self.text[first.start..first.end],
                &self.text[second.start..second.end],
            );
            self.merged_from.insert(piece, parts);
        }
        self.agenda.push(Pair {
            score: entry.score,
            left,
            right,
            length: piece.len(),
        });
    }

    /// Takes unused pieces apart; the parts are emitted in order.
    fn emit(&self, piece: &'a str, start: usize, spans: &mut Vec<Span>) {
        let id = self.model.trie.get(piece.as_bytes());
        if let Some(id) = id
            && self.model.vocabulary.pieces[id as usize].kind == PieceKind::Unused
            && let Some(&(left, right)) = self.merged_from.get(piece)
        {
            self.emit(left, start, spans);
            self.emit(right, start + left.len(), spans);
            return;
        }
        spans.push(Span {
            start,
            end: start + piece.len(),
            id: id.unwrap_or(self.model.special.unknown),
        });
    }
}

/// Cuts normalized text.
pub(super) fn segment(text: &str, model: &SentencePiece) -> Vec<Span> {
    let mut merger = Merger {
        text,
        model,
        symbols: Vec::new(),
        agenda: BinaryHeap::new(),
        merged_from: HashMap::new(),
    };
    let mut start = 0;
    while start < text.len() {
        let user_defined = model.normalizer.user_defined_prefix(&text[start..]);
        let length = match user_defined {
            0 => text[start..].chars().next().map_or(1, char::len_utf8),
            length => length,
        };
        let index = merger.symbols.len();
        merger.symbols.push(Symbol {
            start,
            end: start + length,
            previous: index.checked_sub(1),
            next: (start + length < text.len()).then_some(index + 1),
            frozen: user_defined > 0,
        });
        start += length;
    }
    for right in 1..merger.symbols.len() {
        merger.consider(Some(right - 1), Some(right));
    }
    while let Some(pair) = merger.agenda.pop() {
        let (left, right) = (&merger.symbols[pair.left], &merger.symbols[pair.right]);
        let (left_length, right_length) = (left.end - left.start, right.end - right.start);
        if left_length == 0 || right_length == 0 || left_length + right_length != pair.length {
            continue;
        }
        let (end, next, previous) = (right.end, right.next, left.previous);
        merger.symbols[pair.left].end = end;
        merger.symbols[pair.left].next = next;
        if let Some(next) = next {
            merger.symbols[next].previous = Some(pair.left);
        }
        merger.symbols[pair.right].start = end;
        merger.consider(previous, Some(pair.left));
        merger.consider(Some(pair.left), next);
    }
    let mut spans = Vec::new();
    let mut index = (!merger.symbols.is_empty()).then_some(0);
    while let Some(current) = index {
        let symbol = &merger.symbols[current];
        merger.emit(&text[symbol.start..symbol.end], symbol.start, &mut spans);
        index = symbol.next;
    }
    spans
}
