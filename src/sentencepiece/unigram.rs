//! The unigram algorithm: the segmentation with the best sum of piece scores.
//!
//! Follows `unigram::Model::EncodeOptimized` of SentencePiece, its single precision included, since
//! that decides ties.

use super::proto::PieceKind;
use super::{SentencePiece, Span};

/// Below the worst score lies that of an unknown character, by this much.
const UNKNOWN_PENALTY: f32 = 10.0;

/// The range of scores of normal pieces.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    range: Option<(f32, f32)>,
}

impl Bounds {
    /// Takes one more score in.
    pub(super) fn include(&mut self, score: f32) {
        let (low, high) = self.range.unwrap_or((score, score));
        self.range = Some((low.min(score), high.max(score)));
    }
}

/// The best way to a position found so far.
#[derive(Clone, Copy)]
struct Node {
    id: u32,
    /// Where the last piece on the way begins; `usize::MAX` if there is no way yet.
    start: usize,
    score: f32,
}

/// Cuts normalized text.
pub(super) fn segment(text: &str, model: &SentencePiece) -> Vec<Span> {
    let (low, high) = model.bounds.range.unwrap_or((0.0, 0.0));
    let unknown_score = low - UNKNOWN_PENALTY;
    let mut best = vec![
        Node {
            id: model.special.unknown,
            start: usize::MAX,
            score: 0.0
        };
        text.len() + 1
    ];
    let bytes = text.as_bytes();
    for (start, character) in text.char_indices() {
        let so_far = best[start].score;
        let character_length = character.len_utf8();
        let mut has_single = false;
        model.trie.prefixes(&bytes[start..], |length, id| {
            let piece = &model.vocabulary.pieces[id as usize];
            let score = match piece.kind {
                PieceKind::Unused => return,
                PieceKind::UserDefined => length as f32 * high - 0.1,
                _ => piece.score,
            };
            let candidate = score + so_far;
            let node = &mut best[start + length];
            if node.start == usize::MAX || candidate > node.score {
                *node = Node {
                    id,
                    start,
                    score: candidate,
                };
            }
            has_single |= length == character_length;
        });
        if !has_single {
            let candidate = unknown_score + so_far;
            let node = &mut best[start + character_length];
            if node.start == usize::MAX || candidate > node.score {
                *node = Node {
                    id: model.special.unknown,
                    start,
                    score: candidate,
                };
            }
        }
    }
    let mut spans = Vec::new();
    let mut end = text.len();
    while end > 0 {
        let node = best[end];
        spans.push(Span {
            start: node.start,
            end,
            id: node.id,
        });
        end = node.start;
    }
    spans.reverse();
    spans
}
