//! The column of an article: the element that most of its paragraphs stand in directly. What stands
//! in it beside them is the article's more often than what stands deeper.

use std::collections::HashMap;

use super::prose::is_prose;
use super::tree::{Page, TextBlock};

/// The column of some blocks.
#[derive(Debug)]
pub(super) struct Column {
    element: usize,
    /// Characters of prose that stand in it directly, and in all.
    pub(super) direct: usize,
    pub(super) all: usize,
}

impl Column {
    /// The column that these blocks have.
    pub(super) fn of(page: &Page, blocks: &[usize]) -> Self {
        let prose = || {
            blocks
                .iter()
                .map(|at| &page.blocks[*at])
                .filter(|block| is_prose(block))
        };
        let mut stretches: HashMap<usize, usize> = HashMap::new();
        for block in prose() {
            *stretches.entry(block.element).or_default() += 1;
        }
        let mut direct: HashMap<usize, usize> = HashMap::new();
        let mut all = 0;
        for block in prose() {
            // Several stretches of text in one element, which `br` parts, make it the column.
            let element = if stretches[&block.element] > 1 {
                block.element
            } else {
                page.elements[block.element].parent
            };
            *direct.entry(element).or_default() += block.length();
            all += block.length();
        }
        let most = direct
            .into_iter()
            .max_by_key(|(element, length)| (*length, std::cmp::Reverse(*element)));
        let (element, direct) = most.unwrap_or_default();
        Self {
            element,
            direct,
            all,
        }
    }

    /// Whether a block stands in the column directly.
    pub(super) fn holds(&self, page: &Page, block: &TextBlock) -> bool {
        block.element == self.element || page.elements[block.element].parent == self.element
    }

    /// Whether a block is one of several stretches of text that the column itself has, which `br` parts.
    pub(super) fn is_in_pieces(&self, block: &TextBlock) -> bool {
        block.element == self.element
    }
}
