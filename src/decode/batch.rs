//! Rows of token ids to padded batches; the one place that knows padding.
//!
//! [`plan`] groups rows of similar length under a budget of padded tokens; [`Batch`] holds one
//! group as a rectangle. Models are given lengths and never look at a padding token.

use crate::error::{Error, Result};

/// The number of a token in a vocabulary.
pub(crate) type TokenId = u32;

/// One group of rows as a rectangle: row-major ids, padded on the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// `rows × width` ids; what lies beyond a row's length is 0 and means nothing.
    pub(crate) ids: Vec<TokenId>,
    /// How many ids each row really has; at least 1, at most `width`.
    pub(crate) lengths: Vec<usize>,
    /// Tokens in each row of the rectangle.
    pub(crate) width: usize,
}

impl Batch {
    /// Pads rows to the longest of them. Rows must not be empty.
    pub(crate) fn new<R: AsRef<[TokenId]>>(rows: &[R]) -> Self {
        let lengths: Vec<usize> = rows.iter().map(|row| row.as_ref().len()).collect();
        debug_assert!(
            lengths.iter().all(|&length| length > 0),
            "a batch has no empty rows"
        );
        let width = lengths.iter().copied().max().unwrap_or(0);
        let mut ids = vec![0; rows.len() * width];
        for (target, row) in ids.chunks_mut(width.max(1)).zip(rows) {
            target[..row.as_ref().len()].copy_from_slice(row.as_ref());
        }
        Self {
            ids,
            lengths,
            width,
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// How many tokens all rows begin with, the last token of each aside.
    pub(crate) fn shared_prefix(&self) -> usize {
        let shortest = self.lengths.iter().min();
        let most = shortest.map_or(0, |shortest| shortest - 1);
        (0..most)
            .take_while(|&i| (1..self.rows()).all(|row| self.row(row)[i] == self.row(0)[i]))
            .count()
    }

    /// The ids of one row, without padding.
    pub(crate) fn row(&self, row: usize) -> &[TokenId] {
        &self.ids[row * self.width..row * self.width + self.lengths[row]]
    }
}

/// Fails for a row from a caller that is empty: a network has nothing to read in it.
pub(crate) fn check<R: AsRef<[TokenId]>>(rows: &[R]) -> Result<()> {
    match rows.iter().position(|row| row.as_ref().is_empty()) {
        None => Ok(()),
        Some(row) => Err(Error::Usage {
            message: format!("row {row} has no token ids"),
            hint: Some("leave out what has nothing to be read".to_owned()),
        }),
    }
}

/// Groups rows so that none has more than `max_rows` rows or more than `budget` tokens, padding
/// counted; a row longer than the budget has a group of its own.
///
/// Returns groups of indices into `lengths`, each index exactly once, longest rows first, so that
/// a batch too large for the memory shows at the start. Rows of one length keep their order.
pub(crate) fn plan(lengths: &[usize], budget: usize, max_rows: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&row| std::cmp::Reverse(lengths[row]));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut width = 0;
    for row in order {
        match groups.last_mut() {
            // The first row of a group is its longest, so it alone sets the padded width.
            Some(group) if group.len() < max_rows && (group.len() + 1) * width <= budget => {
                group.push(row);
            }
            _ => {
                width = lengths[row].max(1);
                groups.push(vec![row]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_padded_on_the_right() {
        let batch = Batch::new(&[vec![5, 6, 7], vec![8]]);
        assert_eq!(batch.ids, [5, 6, 7, 8, 0, 0]);
        assert_eq!((batch.rows(), batch.width), (2, 3));
        assert_eq!(batch.row(1), [8]);
        assert_eq!(batch.shared_prefix(), 0);
        let alike = Batch::new(&[vec![5, 6, 7, 8], vec![5, 6, 7], vec![5, 6, 9, 8]]);
        assert_eq!(alike.shared_prefix(), 2);
    }

    proptest! {
        #[test]
        fn plan_is_a_partition_within_the_budget(
            lengths in prop::collection::vec(1usize..200, 0..80),
            budget in 1usize..600,
            max_rows in 1usize..20,
        ) {
            let groups = plan(&lengths, budget, max_rows);
            let mut seen: Vec<usize> = groups.concat();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for group in groups {
                let width = group.iter().map(|&row| lengths[row]).max().unwrap_or(0);
                prop_assert!(group.len() <= max_rows);
                prop_assert!(group.len() == 1 || group.len() * width <= budget);
            }
        }
    }
}
