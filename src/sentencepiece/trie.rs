//! A set of byte strings with numbers, walked byte by byte from any position of a text.
//!
//! Nodes lie in one array in breadth-first order, the children of a node side by side and sorted,
//! so a step is one short search. Strings are never empty and never repeat.

use std::ops::Range;

/// No string ends at this node.
const NO_VALUE: u32 = u32::MAX;

/// The set.
#[derive(Debug)]
pub(super) struct Trie {
    /// The byte that leads to each node; the root's is not used.
    labels: Vec<u8>,
    /// Where the children of each node begin; they end where those of the next begin.
    children: Vec<u32>,
    /// The number of the string that ends at each node, or [`NO_VALUE`].
    values: Vec<u32>,
    /// The child of the root for each first byte, or 0.
    first: Box<[u32; 256]>,
}

impl Trie {
    /// Builds the set. Of equal strings the last counts; an empty string is left out.
    pub(super) fn new(mut entries: Vec<(&[u8], u32)>) -> Self {
        entries.retain(|(bytes, _)| !bytes.is_empty());
        entries.sort_unstable();
        let mut trie = Self {
            labels: vec![0],
            children: Vec::new(),
            values: vec![NO_VALUE],
            first: Box::new([0; 256]),
        };
        // Nodes in the order in which they were made, with the entries that pass through them.
        let mut queue: Vec<(Range<usize>, usize)> = vec![(0..entries.len(), 0)];
        let mut next = 0;
        while next < queue.len() {
            let (range, depth) = queue[next].clone();
            trie.children.push(trie.labels.len() as u32);
            let mut start = range.start;
            while start < range.end {
                let (bytes, value) = entries[start];
                if bytes.len() == depth {
                    // The string of this very node sorts before those that go on.
                    trie.values[next] = value;
                    start += 1;
                    continue;
                }
                let label = bytes[depth];
                let length =
                    entries[start..range.end].partition_point(|(other, _)| other[depth] <= label);
                trie.labels.push(label);
                trie.values.push(NO_VALUE);
                queue.push((start..start + length, depth + 1));
                start += length;
            }
            next += 1;
        }
        trie.children.push(trie.labels.len() as u32);
        for child in trie.child_range(0) {
            trie.first[usize::from(trie.labels[child])] = child as u32;
        }
        trie
    }

    fn child_range(&self, node: usize) -> Range<usize> {
        self.children[node] as usize..self.children[node + 1] as usize
    }

    fn child(&self, node: usize, byte: u8) -> Option<usize> {
        if node == 0 {
            let child = self.first[usize::from(byte)] as usize;
            return (child != 0).then_some(child);
        }
        let range = self.child_range(node);
        let labels = &self.labels[range.clone()];
        let index = if labels.len() <= 8 {
            labels.iter().position(|&label| label == byte)?
        } else {
            labels.binary_search(&byte).ok()?
        };
        Some(range.start + index)
    }

    /// Calls `found` with the length and number of every string that `text` begins with, the
    /// shortest first.
    pub(super) fn prefixes(&self, text: &[u8], mut found: impl FnMut(usize, u32)) {
        let mut node = 0;
        for (index, &byte) in text.iter().enumerate() {
            match self.child(node, byte) {
                Some(child) => node = child,
                None => return,
            }
            if self.values[node] != NO_VALUE {
                found(index + 1, self.values[node]);
            }
        }
    }

    /// The length of the longest string that `text` begins with; 0 if there is none.
    pub(super) fn longest_prefix(&self, text: &[u8]) -> usize {
        let mut longest = 0;
        self.prefixes(text, |length, _| longest = length);
        longest
    }

    /// The number of exactly this string.
    pub(super) fn get(&self, text: &[u8]) -> Option<u32> {
        let mut node = 0;
        for &byte in text {
            node = self.child(node, byte)?;
        }
        (node != 0 && self.values[node] != NO_VALUE).then(|| self.values[node])
    }
}
