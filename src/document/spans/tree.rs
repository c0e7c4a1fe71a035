//! The marks of a sentence as a tree.

use std::ops::Range;

/// What a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Kind {
    /// A span begins.
    Open,
    /// A span ends.
    Close,
    /// Something without text: an image, a footnote mark, a comment.
    Point,
    /// A break that stands for the space between two words.
    Break,
    /// A stretch that keeps its text and its markup: code, a name that is not translated.
    Keep,
}

/// A mark in a sentence: what it is, and which of the text it covers. Only breaks and stretches that
/// are kept cover any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) struct Tag {
    pub(in crate::document) text: Range<usize>,
    pub(in crate::document) kind: Kind,
}

/// A span or a mark, with what it is in.
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The mark that opens it, or that it is; none for a span that began before the sentence.
    pub(super) open: Option<usize>,
    /// The mark that closes it; none for a span that goes on after the sentence.
    pub(super) close: Option<usize>,
    pub(super) source: Range<usize>,
    pub(super) target: Range<usize>,
    pub(super) children: Vec<usize>,
}

impl Node {
    pub(super) fn new(kind: Kind, open: Option<usize>, source: Range<usize>) -> Self {
        Self {
            kind,
            open,
            close: None,
            source,
            target: 0..0,
            children: Vec::new(),
        }
    }

    pub(super) fn is_span(&self) -> bool {
        self.kind == Kind::Open
    }

    /// Whether it begins and ends within the sentence.
    pub(super) fn is_whole_span(&self) -> bool {
        self.is_span() && self.open.is_some() && self.close.is_some()
    }
}

/// The marks as a tree, whose root is the sentence. A mark that closes what began before the
/// sentence makes a span from its beginning on.
pub(super) fn tree(source: &str, tags: &[Tag]) -> Vec<Node> {
    let mut nodes = vec![Node::new(Kind::Open, None, 0..source.len())];
    let mut open = vec![0];
    for (number, tag) in tags.iter().enumerate() {
        let parent = open.last().copied().unwrap_or(0);
        match tag.kind {
            Kind::Close if open.len() > 1 => {
                nodes[parent].close = Some(number);
                nodes[parent].source.end = tag.text.start;
                open.pop();
            }
            Kind::Close => {
                let mut node = Node::new(Kind::Open, None, 0..tag.text.start);
                node.close = Some(number);
                node.children = std::mem::take(&mut nodes[0].children);
                nodes[0].children = vec![nodes.len()];
                nodes.push(node);
            }
            kind => {
                let next = nodes.len();
                nodes[parent].children.push(next);
                if kind == Kind::Open {
                    open.push(next);
                }
                nodes.push(Node::new(kind, Some(number), tag.text.clone()));
            }
        }
    }
    for node in open {
        nodes[node].source.end = source.len();
    }
    nodes
}
