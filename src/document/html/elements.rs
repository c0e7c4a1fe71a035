//! What the elements of HTML are, for reading a page without its tree.

/// Elements that have no end tag.
pub(super) const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "amp-img",
];

/// Elements that stand within a line; all others part blocks.
pub(super) const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img", "picture", "source", "ruby",
    "rt", "rp", "slot", "o:p",
];

/// Elements that their own kind, or one of these, closes.
pub(super) fn closes(open: &str, name: &str) -> bool {
    match open {
        "p" => {
            !INLINE.contains(&name)
                && !matches!(
                    name,
                    "br" | "script"
                        | "style"
                        | "noscript"
                        | "input"
                        | "button"
                        | "label"
                        | "svg"
                        | "iframe"
                )
        }
        "li" => name == "li",
        "option" => matches!(name, "option" | "optgroup"),
        "dt" | "dd" => matches!(name, "dt" | "dd"),
        "tr" => name == "tr",
        "td" | "th" => matches!(name, "td" | "th" | "tr"),
        _ => false,
    }
}
