//! Builds the tree of a page as the HTML standard does, with html5ever.
//!
//! Nodes lie in one vector and know their places in it, so nothing here calls itself and a page of any
//! depth is freed at once. What would take more than linear time in the standard's own rules is bounded:
//! depth, attributes, and elements that formatting makes again and again.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;

use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, ExpandedName, QualName, local_name, ns};

use super::tokens;

/// Start tags below this depth are not read, their text is. Browsers stop at 512.
const MOST_DEPTH: usize = 500;

/// Attributes of a tag beyond this number are not read.
const MOST_ATTRIBUTES: usize = 200;

/// Nodes made for each token of the page, and at least, before tags count as text.
const MOST_NODES_A_TOKEN: usize = 8;
const LEAST_NODES: usize = 20_000;

/// What a node is.
#[derive(Debug)]
pub(super) enum Data {
    /// The document, comments, the content of templates: nothing that is shown.
    None,
    Element(Box<ElementData>),
    Text(String),
}

/// An element.
#[derive(Debug)]
pub(super) struct ElementData {
    /// The name, in small letters for HTML.
    pub(super) name: Rc<QualName>,
    pub(super) attributes: Vec<Attribute>,
    /// Whether HTML may stand in it although it is of MathML.
    holds_html: bool,
}

/// A node of the tree.
#[derive(Debug)]
pub(super) struct Node {
    parent: Option<usize>,
    depth: usize,
    pub(super) children: Vec<usize>,
    pub(super) data: Data,
}

/// Parses a page; the first node is the document.
pub(super) fn parse(source: &str) -> Vec<Node> {
    let source = bounded(source);
    let bounded = Bounded {
        builder: TreeBuilder::new(
            Sink::new(),
            TreeBuilderOpts {
                scripting_enabled: true,
                ..TreeBuilderOpts::default()
            },
        ),
        tokens: Cell::new(0),
    };
    let tokenizer = Tokenizer::new(bounded, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&source));
    // Scripts stop the tokenizer; they are not run.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.builder.sink.nodes.into_inner()
}

/// The source with at most [`MOST_ATTRIBUTES`] a tag: each is compared with all others of its tag.
fn bounded(source: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = source[at..].find('<') {
        let start = at + found;
        at = start + 1;
        let is_tag = source
            .as_bytes()
            .get(at)
            .is_some_and(u8::is_ascii_alphabetic);
        // So many attributes take at least twice as many bytes.
        let is_short = || {
            let end = source.len().min(at + 2 * MOST_ATTRIBUTES);
            source.as_bytes()[at..end].contains(&b'>')
        };
        if !is_tag || is_short() {
            continue;
        }
        let tag = tokens::start_tag(source, start, start + 1);
        at = tag.range.end;
        if let Some(first) = tag.attributes.get(MOST_ATTRIBUTES) {
            out.push_str(&source[done..first.name.start]);
            out.push_str(if tag.closed { "/>" } else { ">" });
            done = tag.range.end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(source);
    }
    out.push_str(&source[done..]);
    Cow::Owned(out)
}

/// Keeps tags from the tree builder that would take it too deep.
struct Bounded {
    builder: TreeBuilder<Handle, Sink>,
    tokens: Cell<usize>,
}

impl TokenSink for Bounded {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        self.tokens.set(self.tokens.get() + 1);
        let sink = &self.builder.sink;
        if let Token::TagToken(Tag { kind, .. }) = &token {
            let nodes = sink.nodes.borrow().len();
            if nodes > LEAST_NODES.max(MOST_NODES_A_TOKEN * self.tokens.get()) {
                return TokenSinkResult::Continue;
            }
            match kind {
                TagKind::StartTag if sink.depth.get() >= MOST_DEPTH => {
                    return TokenSinkResult::Continue;
                }
                TagKind::StartTag => {}
                TagKind::EndTag => sink.depth.set(sink.depth.get().saturating_sub(1)),
            }
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Names a node to the tree builder.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    index: usize,
    name: Rc<QualName>,
}

/// Receives the tree.
struct Sink {
    nodes: RefCell<Vec<Node>>,
    /// The depth of the element that was added last.
    depth: Cell<usize>,
    no_name: Rc<QualName>,
}

impl Sink {
    fn new() -> Self {
        let document = Node {
            parent: None,
            depth: 0,
            children: Vec::new(),
            data: Data::None,
        };
        Self {
            nodes: RefCell::new(vec![document]),
            depth: Cell::new(0),
            no_name: Rc::new(QualName::new(None, ns!(), local_name!(""))),
        }
    }

    fn add(&self, data: Data) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node {
            parent: None,
            depth: 0,
            children: Vec::new(),
            data,
        });
        nodes.len() - 1
    }

    fn handle(&self, index: usize) -> Handle {
        Handle {
            index,
            name: Rc::clone(&self.no_name),
        }
    }

    /// Where a node stands among the children of its parent; searched from the end, where it mostly is.
    fn place(nodes: &Ref<'_, Vec<Node>>, index: usize) -> Option<(usize, usize)> {
        let parent = nodes[index].parent?;
        let place = nodes[parent]
            .children
            .iter()
            .rposition(|child| *child == index)?;
        Some((parent, place))
    }

    fn detach(&self, index: usize) {
        let place = Self::place(&self.nodes.borrow(), index);
        if let Some((parent, place)) = place {
            let mut nodes = self.nodes.borrow_mut();
            nodes[parent].children.remove(place);
            nodes[index].parent = None;
        }
    }

    /// Puts a node among the children of `parent`, before the `place`-th.
    fn insert(&self, parent: usize, place: usize, child: NodeOrText<Handle>) {
        let index = match child {
            NodeOrText::AppendText(text) => {
                let mut nodes = self.nodes.borrow_mut();
                let before = place
                    .checked_sub(1)
                    .map(|place| nodes[parent].children[place]);
                if let Some(before) = before
                    && let Data::Text(known) = &mut nodes[before].data
                {
                    known.push_str(&text);
                    return;
                }
                drop(nodes);
                self.add(Data::Text(text.to_string()))
            }
            NodeOrText::AppendNode(handle) => {
                self.detach(handle.index);
                handle.index
            }
        };
        let mut nodes = self.nodes.borrow_mut();
        let place = place.min(nodes[parent].children.len());
        nodes[parent].children.insert(place, index);
        nodes[index].parent = Some(parent);
        nodes[index].depth = nodes[parent].depth + 1;
        if matches!(nodes[index].data, Data::Element(_)) {
            self.depth.set(nodes[index].depth);
        }
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        self.handle(0)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> Handle {
        let name = Rc::new(name);
        let index = self.add(Data::Element(Box::new(ElementData {
            name: Rc::clone(&name),
            attributes,
            holds_html: flags.mathml_annotation_xml_integration_point,
        })));
        Handle { index, name }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.handle(self.add(Data::None))
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.handle(self.add(Data::None))
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let place = self.nodes.borrow()[parent.index].children.len();
        self.insert(parent.index, place, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        if self.nodes.borrow()[element.index].parent.is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    /// What a template holds is never shown: it has no place in the tree.
    fn get_template_contents(&self, _: &Handle) -> Handle {
        self.handle(self.add(Data::None))
    }

    fn is_mathml_annotation_xml_integration_point(&self, node: &Handle) -> bool {
        matches!(&self.nodes.borrow()[node.index].data, Data::Element(element) if element.holds_html)
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.index == other.index
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.detach(node.index);
        }
        let place = Self::place(&self.nodes.borrow(), sibling.index);
        if let Some((parent, place)) = place {
            self.insert(parent, place, child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        let mut nodes = self.nodes.borrow_mut();
        if let Data::Element(element) = &mut nodes[target.index].data {
            for attribute in attributes.into_iter().take(MOST_ATTRIBUTES) {
                let is_known = |known: &Attribute| known.name == attribute.name;
                if !element.attributes.iter().any(is_known) {
                    element.attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.index);
    }

    fn reparent_children(&self, node: &Handle, parent: &Handle) {
        let mut nodes = self.nodes.borrow_mut();
        let children = std::mem::take(&mut nodes[node.index].children);
        let depth = nodes[parent.index].depth + 1;
        for child in &children {
            nodes[*child].parent = Some(parent.index);
            nodes[*child].depth = depth;
        }
        nodes[parent.index].children.extend(children);
    }
}
