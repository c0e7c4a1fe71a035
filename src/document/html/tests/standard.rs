//! The tree of a page against the tests of tree construction of html5lib (`*.dat`), but for what the
//! tree does not hold: comments, the document type, what templates contain, and the copy of an option
//! that `selectedcontent` shows.
//!
//! `NEWSML_HTML5LIB=folder cargo test --lib standard -- --ignored` runs those of a folder.

use std::collections::HashMap;
use std::fmt::Write as _;

use html5ever::ns;

use super::super::dom::{self, Data, Node};

/// A test: a page and its tree.
struct Case {
    name: String,
    source: String,
    tree: String,
}

/// The tests of a file that are of whole pages with scripts.
fn cases(name: &str, file: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for part in format!("\n{file}").split("\n#data\n").skip(1) {
        let mut sections: HashMap<&str, String> = HashMap::new();
        let mut section = "data";
        for line in part.split('\n') {
            let is_name = line.starts_with('#')
                && [
                    "#errors",
                    "#new-errors",
                    "#document",
                    "#document-fragment",
                    "#script-on",
                    "#script-off",
                ]
                .contains(&line);
            if is_name {
                section = &line[1..];
                sections.entry(section).or_default();
            } else {
                let text = sections.entry(section).or_default();
                text.push_str(line);
                text.push('\n');
            }
        }
        if sections.contains_key("document-fragment") || sections.contains_key("script-off") {
            continue;
        }
        if sections
            .get("data")
            .is_some_and(|data| data.contains("<selectedcontent>"))
        {
            continue;
        }
        let take = |name: &str| sections.get(name).cloned().unwrap_or_default();
        let source = take("data");
        cases.push(Case {
            name: format!("{name} {}", cases.len()),
            source: source.strip_suffix('\n').unwrap_or(&source).to_owned(),
            tree: expected(&take("document")),
        });
    }
    cases
}

/// A tree as the tests write it, without what ours does not hold.
fn expected(tree: &str) -> String {
    let mut nodes: Vec<String> = Vec::new();
    for line in tree.trim_end_matches('\n').split('\n') {
        match (line.strip_prefix("| "), nodes.last_mut()) {
            (Some(node), _) => nodes.push(node.to_owned()),
            (None, Some(last)) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, None) => {}
        }
    }
    let mut kept = String::new();
    // Nodes below a node that is left out stand further to the right.
    let mut out: Option<usize> = None;
    for node in nodes {
        let indent = node.len() - node.trim_start_matches(' ').len();
        let content = node.trim_start_matches(' ');
        if out.is_some_and(|out| indent > out) {
            continue;
        }
        let is_unheld =
            ["<!", "<?"].iter().any(|start| content.starts_with(start)) || content == "content";
        out = is_unheld.then_some(indent);
        if !is_unheld {
            kept.push_str(&node);
            kept.push('\n');
        }
    }
    kept
}

/// Our tree, written in the same way.
fn written(nodes: &[Node]) -> String {
    let mut out = String::new();
    let mut open: Vec<(usize, usize)> = nodes[0].children.iter().rev().map(|at| (*at, 0)).collect();
    while let Some((at, depth)) = open.pop() {
        let indent = " ".repeat(depth * 2);
        match &nodes[at].data {
            Data::None => continue,
            Data::Text(text) => {
                let _ = writeln!(out, "{indent}\"{text}\"");
            }
            Data::Element(element) => {
                let space = if element.name.ns == ns!(svg) {
                    "svg "
                } else if element.name.ns == ns!(mathml) {
                    "math "
                } else {
                    ""
                };
                let _ = writeln!(out, "{indent}<{space}{}>", element.name.local);
                let mut attributes: Vec<String> = element
                    .attributes
                    .iter()
                    .map(|attribute| {
                        let prefix = match &attribute.name.prefix {
                            Some(prefix) if attribute.name.ns != ns!() => format!("{prefix} "),
                            _ if attribute.name.ns == ns!(xmlns) => "xmlns ".to_owned(),
                            _ => String::new(),
                        };
                        format!("{prefix}{}=\"{}\"", attribute.name.local, attribute.value)
                    })
                    .collect();
                attributes.sort();
                for attribute in attributes {
                    let _ = writeln!(out, "{indent}  {attribute}");
                }
            }
        }
        let children = nodes[at].children.iter().rev();
        open.extend(children.map(|child| (*child, depth + 1)));
    }
    out
}

#[test]
#[ignore = "reads the tests of the folder that NEWSML_HTML5LIB names"]
fn the_tree_is_that_of_the_standard() -> std::io::Result<()> {
    let Ok(folder) = std::env::var("NEWSML_HTML5LIB") else {
        return Ok(());
    };
    let (mut all, mut wrong) = (0, Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::path);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".dat") {
            continue;
        }
        let bytes = std::fs::read(file.path())?;
        for case in cases(&name, &String::from_utf8_lossy(&bytes)) {
            all += 1;
            let found = written(&dom::parse(&case.source));
            if found != case.tree {
                wrong.push(format!(
                    "{}: {:?}\n{}--\n{found}",
                    case.name, case.source, case.tree
                ));
            }
        }
    }
    assert!(all > 0, "no tests");
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}
