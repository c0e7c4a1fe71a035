//! The shape of the source: no files that import each other in a circle, none that is too long.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lines of a file that is no table of words and no tests.
const MOST_LINES: usize = 600;

/// Modules by their path, as in `decode::batch`; those of tests left out.
fn modules() -> BTreeMap<String, PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&source, &mut files);
    let module = |path: PathBuf| {
        let inner = path.strip_prefix(&source).unwrap().with_extension("");
        let mut parts: Vec<String> = inner
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        if parts.last().is_some_and(|part| part == "mod") {
            parts.pop();
        }
        let is_test = |part: &String| part.contains("tests") || part == "parity";
        (!parts.iter().any(is_test)).then(|| (parts.join("::"), path))
    };
    files.into_iter().filter_map(module).collect()
}

/// A file without comments and without what is compiled for tests only.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    let text: String = lines.collect::<Vec<_>>().join("\n");
    // Tests stand at the end of a file.
    match text.find("#[cfg(test)]\nmod tests") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The paths of a `use` tree, and whether they are given on.
fn uses(code: &str) -> Vec<(String, bool)> {
    fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
        let Some((head, rest)) = tree.split_once('{') else {
            let path = format!("{prefix}{}", tree.split(" as ").next().unwrap().trim());
            found.push(path.trim_end_matches("::self").to_owned());
            return;
        };
        let prefix = format!("{prefix}{}", head.trim());
        let inner = rest.rsplit_once('}').unwrap().0;
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let part = inner[start..at].trim();
                    if !part.is_empty() {
                        expand(&prefix, part, found);
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let line = code[..at].rsplit('\n').next().unwrap();
        // Within functions, imports are of other crates.
        if !(line.is_empty() || line.starts_with("pub")) {
            continue;
        }
        let tree = code[at + 4..].split(';').next().unwrap();
        let mut paths = Vec::new();
        expand("", &tree.replace('\n', " "), &mut paths);
        found.extend(paths.into_iter().map(|path| (path, !line.is_empty())));
    }
    found
}

/// The module that a path leads to, and the first name that is looked for in it.
fn resolve<'m>(
    modules: &'m BTreeMap<String, PathBuf>,
    from: &str,
    path: &str,
) -> Option<(&'m str, String)> {
    let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
    let mut base: Vec<&str> = from.split("::").collect();
    match parts[0] {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            while parts.first() == Some(&"super") {
                base.pop();
                parts.remove(0);
            }
        }
        child if modules.contains_key(&format!("{from}::{child}")) => {}
        _ => return None,
    }
    if matches!(parts.first(), Some(&("crate" | "self"))) {
        parts.remove(0);
    }
    base.extend(parts);
    (1..=base.len()).rev().find_map(|length| {
        let (module, _) = modules.get_key_value(&base[..length].join("::"))?;
        let name = base.get(length).map_or("", |name| name).to_owned();
        Some((module.as_str(), name))
    })
}

/// Which modules each imports from; a name that is given on counts for the module that has it.
fn imports(modules: &BTreeMap<String, PathBuf>) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut given_on = BTreeMap::new();
    let mut found = Vec::new();
    for (module, path) in modules {
        for (path, is_given_on) in uses(&code(path)) {
            let Some((target, name)) = resolve(modules, module, &path) else {
                continue;
            };
            if is_given_on {
                let own = path.rsplit("::").next().unwrap().to_owned();
                given_on.insert((module.as_str(), own), (target, name.clone()));
            }
            let is_of_child = is_given_on && target.starts_with(&format!("{module}::"));
            if !is_of_child {
                found.push((module.as_str(), target, name));
            }
        }
    }
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, mut target, mut name) in found {
        while let Some((next, known)) = given_on.get(&(target, name.clone())) {
            (target, name) = (next, known.clone());
        }
        if target != module {
            edges.entry(module).or_default().insert(target);
        }
    }
    edges
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let modules = modules();
    assert!(modules.len() > 100, "{}", modules.len());
    let edges = imports(&modules);
    // What imports nothing that is left is taken off; a circle stays.
    let mut left: BTreeSet<&str> = modules.keys().map(String::as_str).collect();
    loop {
        let before = left.len();
        let free = |module: &&str| {
            let targets = edges.get(module).into_iter().flatten();
            !targets.into_iter().any(|target| left.contains(target))
        };
        let gone: Vec<&str> = left.iter().copied().filter(free).collect();
        for module in gone {
            left.remove(module);
        }
        if left.len() == before {
            break;
        }
    }
    // Those that only lead to a circle are not part of one.
    loop {
        let before = left.len();
        let imported: BTreeSet<&str> = left
            .iter()
            .flat_map(|module| edges.get(module).into_iter().flatten().copied())
            .collect();
        left.retain(|module| imported.contains(module));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "a circle of imports among {left:?}");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = modules()
        .into_iter()
        .filter(|(module, _)| module != "check::lexicon")
        .map(|(module, path)| {
            let text = std::fs::read_to_string(path).unwrap();
            (module, text.lines().count())
        })
        .filter(|(_, lines)| *lines > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}
