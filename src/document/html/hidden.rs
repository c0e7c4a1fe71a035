//! Knows what a page holds and does not show.
//!
//! Style sheets are not read. What counts is what the elements themselves say, in `style`, in
//! attributes, and by class names that common frameworks hide text with.

use super::tag::Tag;

/// Why text is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    /// The element says so itself.
    Sure,
    /// It has a class by which frameworks hide text, or show it later.
    ByClass,
}

/// Whether an element hides what is in it.
pub(super) fn of(tag: &Tag<'_>) -> Option<Hidden> {
    let is_closed_dialog = tag.name() == "dialog" && !tag.has("open");
    if tag.has("hidden") || is_closed_dialog || tag.attribute("style").is_some_and(hides) {
        return Some(Hidden::Sure);
    }
    let classes = tag.attribute("class")?;
    is_hidden_class(classes).then_some(Hidden::ByClass)
}

/// Class names that hide text from sight.
const CLASSES: &[&str] = &[
    "sr-only",
    "sr_only",
    "sronly",
    "visually-hidden",
    "visuallyhidden",
    "visually_hidden",
    "is-visually-hidden",
    "u-visually-hidden",
    "visually-hidden-focusable",
    "screen-reader-text",
    "screen-reader-only",
    "screenreader-only",
    "screen-reader",
    "screenreader",
    "show-for-sr",
    "a11y-hidden",
    "accessibly-hidden",
    "accessible-hide",
    "element-invisible",
    "offscreen",
    "off-screen",
    "hidden",
    "is-hidden",
    "ishidden",
    "hide",
    "d-none",
    "u-hidden",
    "uk-hidden",
    "display-none",
    "invisible",
    "uk-invisible",
    "govuk-visually-hidden",
    "cdk-visually-hidden",
    "element-hidden",
    "hidden-xs-up",
    "clip",
    "assistive-text",
    "slds-assistive-text",
    "slds-hide",
    "pf-screen-reader",
    "usa-sr-only",
    "bx--visually-hidden",
    "mdl-screen-reader",
];

/// Whether classes hide an element on screens of every size.
fn is_hidden_class(classes: &str) -> bool {
    let classes = classes.to_ascii_lowercase();
    let mut names = classes.split_ascii_whitespace();
    let is_shown_elsewhere = |name: &str| {
        // `hidden md:block`, `d-none d-md-block`.
        let (_, shown) = name.rsplit_once([':', '-']).unwrap_or_default();
        (name.contains(':') || name.starts_with("d-"))
            && matches!(
                shown,
                "block" | "flex" | "inline" | "grid" | "table" | "contents"
            )
    };
    names.clone().any(|name| CLASSES.contains(&name)) && !names.any(is_shown_elsewhere)
}

/// Whether the declarations of a `style` hide an element.
fn hides(style: &str) -> bool {
    let declarations = declarations(style);
    let value = |name: &str| {
        let last = declarations.iter().rev().find(|(known, _)| known == name);
        last.map(|(_, value)| value.as_str())
    };
    let is = |name: &str, wanted: &[&str]| value(name).is_some_and(|value| wanted.contains(&value));
    let is_nothing = |name: &str| value(name).is_some_and(|value| size(value) == Some(0.0));
    let is_far = |name: &str| {
        let size = value(name).and_then(size);
        size.is_some_and(|size| size <= -500.0)
    };
    let is_clipped = is("overflow", &["hidden", "clip"]);
    let is_out_of_flow = is("position", &["absolute", "fixed"]);
    let is_dot = |name: &str| {
        let size = value(name).and_then(size);
        size.is_some_and(|size| (0.0..=1.0).contains(&size))
    };
    is("display", &["none"])
        || is("visibility", &["hidden", "collapse"])
        || is("content-visibility", &["hidden"])
        || is_nothing("opacity")
        || is_nothing("font-size")
        || is_nothing("zoom")
        || is_far("text-indent")
        || is_out_of_flow
            && ["left", "right", "top", "bottom"]
                .iter()
                .any(|name| is_far(name))
        || is_far("margin-left")
        || is_far("margin-top")
        || is_clipped
            && ["width", "height", "max-height", "max-width"]
                .iter()
                .any(|name| is_dot(name))
        || value("clip").is_some_and(is_empty_clip)
        || value("clip-path").is_some_and(is_empty_clip)
        || value("transform").is_some_and(|value| {
            value.contains("scale(0)") || value.contains("scale(0,") || value.contains("-9999")
        })
        || is_unreadable(
            value("color"),
            value("background-color").or(value("background")),
        )
}

/// The declarations of a `style`: name and value in small letters, without comments, spaces and
/// `!important`.
fn declarations(style: &str) -> Vec<(String, String)> {
    let mut plain = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, after)) = rest.split_once("/*") {
        plain.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let tidy = |text: &str| {
        let text = unescaped(text);
        let text = text
            .chars()
            .filter(|c| !c.is_whitespace() && !c.is_control());
        text.collect::<String>().to_ascii_lowercase()
    };
    plain
        .split(';')
        .filter_map(|declaration| declaration.split_once(':'))
        .map(|(name, value)| {
            let value = tidy(value);
            let value = value.strip_suffix("!important").unwrap_or(&value);
            (tidy(name), value.to_owned())
        })
        .collect()
}

/// A text of CSS with its escapes resolved: `n\6f ne`.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = 0;
        let mut digits = 0;
        while digits < 6
            && let Some(digit) = chars.peek().and_then(|c| c.to_digit(16))
        {
            chars.next();
            code = code * 16 + digit;
            digits += 1;
        }
        if digits > 0 {
            // One space ends the number.
            chars.next_if(|c| c.is_whitespace());
            out.extend(char::from_u32(code));
        } else {
            out.extend(chars.next());
        }
    }
    out
}

/// A length in pixels, roughly; a bare number is one.
fn size(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')));
    let (number, unit) = value.split_at(end.unwrap_or(value.len()));
    let number: f64 = number.parse().ok()?;
    match unit {
        "" | "px" | "pt" | "%" => Some(number),
        "em" | "rem" | "ch" | "ex" | "vw" | "vh" | "vmin" | "vmax" => Some(number * 10.0),
        "cm" | "in" => Some(number * 38.0),
        _ => None,
    }
}

fn is_empty_clip(value: &str) -> bool {
    let Some((shape, rest)) = value.split_once('(') else {
        return false;
    };
    let numbers: Vec<f64> = rest
        .trim_end_matches(')')
        .split([',', ' '])
        .filter_map(size)
        .collect();
    match shape {
        // `rect(0,0,0,0)` and, without commas, `rect(0000)`.
        "rect" => rest
            .bytes()
            .all(|byte| !byte.is_ascii_digit() || matches!(byte, b'0' | b'1')),
        "inset" => numbers.first().is_some_and(|number| *number >= 50.0),
        "circle" | "polygon" | "ellipse" => numbers.iter().all(|number| *number == 0.0),
        _ => false,
    }
}

/// Whether text is transparent, or the same colour as its background.
fn is_unreadable(colour: Option<&str>, behind: Option<&str>) -> bool {
    let Some(colour) = colour.map(rgb) else {
        return false;
    };
    colour == "transparent" || behind.is_some_and(|behind| rgb(behind) == colour)
}

/// A colour in one way of writing.
fn rgb(colour: &str) -> String {
    let digits = colour.strip_prefix('#').unwrap_or_default();
    let double = |text: &str| text.chars().flat_map(|c| [c, c]).collect::<String>();
    match (digits.len(), colour) {
        (4, _) if digits.ends_with('0') => "transparent".to_owned(),
        (8, _) if digits.ends_with("00") => "transparent".to_owned(),
        (3 | 4, _) => double(&digits[..3]),
        (6 | 8, _) => digits[..6].to_owned(),
        (_, "white") => "ffffff".to_owned(),
        (_, "black") => "000000".to_owned(),
        _ => {
            let Some((_, numbers)) = colour
                .split_once("rgb")
                .and_then(|(_, rest)| rest.split_once('('))
            else {
                return colour.to_owned();
            };
            let numbers: Vec<f64> = numbers
                .trim_end_matches(')')
                .split([',', '/'])
                .filter_map(size)
                .collect();
            match numbers.as_slice() {
                [_, _, _, alpha] if *alpha == 0.0 => "transparent".to_owned(),
                [red, green, blue, ..] => {
                    format!("{:02x}{:02x}{:02x}", *red as u8, *green as u8, *blue as u8)
                }
                _ => colour.to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_that_hide_are_known_however_they_are_written() {
        for style in [
            "display:none",
            "DISPLAY : NONE",
            "display:/**/none",
            "display:\tnone !important",
            "color:red;display:no\\6e e",
            "visibility:hidden",
            "visibility: collapse",
            "content-visibility:hidden",
            "opacity:0",
            "opacity: 0.0",
            "font-size:0",
            "font-size:0px",
            "position:absolute;left:-9999px",
            "position:fixed; top: -200vh",
            "text-indent:-9999px",
            "text-indent: -100em",
            "width:0;overflow:hidden",
            "height:1px;width:1px;overflow:hidden",
            "max-height:0;overflow:hidden",
            "clip:rect(0 0 0 0)",
            "clip: rect(1px, 1px, 1px, 1px)",
            "clip-path: inset(50%)",
            "clip-path:circle(0)",
            "transform:scale(0)",
            "color:transparent",
            "color:#fff;background:#ffffff",
            "color: white; background-color: rgb(255, 255, 255)",
            "color:rgba(0,0,0,0)",
            "background:#000;color:black",
        ] {
            assert!(hides(style), "{style}");
        }
        for style in [
            "",
            "display:block",
            "visibility:visible",
            "opacity:1",
            "opacity:0.5",
            "font-size:10px",
            "left:-9999px",
            "position:absolute;left:10px",
            "width:0",
            "overflow:hidden",
            "color:white",
            "color:#fff;background:#000",
            "display:none;display:block",
            "text-indent:-2em",
            "margin-left:-20px",
            "clip:auto",
            "clip-path:inset(0)",
            "height:100%;overflow:hidden",
        ] {
            assert!(!hides(style), "{style}");
        }
    }

    #[test]
    fn classes_that_hide_are_known() {
        for classes in [
            "sr-only",
            "label visually-hidden",
            "d-none",
            "Hidden",
            "hide",
        ] {
            assert!(is_hidden_class(classes), "{classes}");
        }
        for classes in [
            "",
            "hidden md:block",
            "d-none d-md-block",
            "has-hidden",
            "hidden-gem",
        ] {
            assert!(!is_hidden_class(classes), "{classes}");
        }
    }
}
