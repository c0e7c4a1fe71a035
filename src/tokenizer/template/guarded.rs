//! Rewrites a chat template so that every operation whose cost depends on values is checked first.
//!
//! The template engine counts steps, but one step may join, compare, copy or hash values of any
//! size. The result of [`guarded`] says the same as its input with the operands of such steps passed
//! through the filters of [`limits`](super::limits). It is written token by token, so the engine
//! cannot read as code what was read as text here. White space is treated as transformers does
//! (`trim_blocks`, `lstrip_blocks`).

use super::expression;

/// The longest template that is read, in bytes. Published templates have up to about 20,000.
const LENGTH: usize = 128 * 1024;
/// The most tags of a template.
const TAGS: usize = 4_000;

/// Rewrites `source`.
///
/// # Errors
///
/// What is wrong with the template: too long or too deep, a tag that is not supported, broken syntax.
pub(super) fn guarded(source: &str) -> Result<String, String> {
    if source.len() > LENGTH {
        return Err(format!("it is longer than {LENGTH} bytes"));
    }
    let source = source.strip_suffix('\n').unwrap_or(source);
    let mut rewriter = Rewriter {
        rest: source,
        out: String::with_capacity(source.len() * 2),
        before: Trim::Start,
        tags: 0,
    };
    while rewriter.step()? {}
    Ok(rewriter.out)
}

/// What the tag before a stretch of text does to its beginning.
#[derive(Clone, Copy, PartialEq)]
enum Trim {
    /// The template begins.
    Start,
    /// Nothing.
    None,
    /// Takes one line break.
    Line,
    /// Takes all white space.
    All,
}

struct Rewriter<'a> {
    rest: &'a str,
    out: String,
    before: Trim,
    tags: usize,
}

impl<'a> Rewriter<'a> {
    /// Rewrites text and the tag behind it; false at the end.
    fn step(&mut self) -> Result<bool, String> {
        let start = self
            .rest
            .match_indices('{')
            .map(|(at, _)| at)
            .find(|&at| matches!(self.rest.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')));
        let Some(start) = start else {
            let text = self.rest;
            self.text(text, false, false);
            return Ok(false);
        };
        self.tags += 1;
        if self.tags > TAGS {
            return Err(format!("it has more than {TAGS} tags"));
        }
        let (text, tag) = self.rest.split_at(start);
        let kind = tag.as_bytes()[1];
        let body = &tag[2..];
        let sign = body.as_bytes().first();
        let strip = sign == Some(&b'-');
        let keep = sign == Some(&b'+');
        self.text(text, strip, kind != b'{' && !keep);
        let body = if strip || keep { &body[1..] } else { body };
        match kind {
            b'#' => self.comment(body)?,
            b'{' => {
                let (tokens, rest, trim) = expression::tokens(body, "}}")?;
                self.out.push_str("{{ ");
                self.out.push_str(&expression::guarded(&tokens)?);
                self.out.push_str(" }}");
                self.rest = rest;
                self.before = if trim == Some('-') {
                    Trim::All
                } else {
                    Trim::None
                };
            }
            _ => self.block(body)?,
        }
        Ok(true)
    }

    fn block(&mut self, body: &'a str) -> Result<(), String> {
        let (tokens, rest, trim) = expression::tokens(body, "%}")?;
        self.rest = rest;
        self.before = after(trim);
        let keyword = tokens.first().map_or("", |token| token.text);
        match keyword {
            // Marks what a model is trained on; transformers has an extension for it.
            "generation" | "endgeneration" => {}
            "raw" => {
                let Some((text, end, rest)) = raw(self.rest) else {
                    return Err("a `raw` tag is not closed".to_owned());
                };
                self.text(text, end.strip, !end.keep);
                self.rest = rest;
                self.before = after(end.trim);
            }
            "set" | "endset" | "for" | "endfor" | "if" | "elif" | "else" | "endif" | "macro"
            | "endmacro" | "call" | "endcall" | "filter" | "endfilter" | "with" | "endwith"
            | "break" | "continue" => {
                self.out.push_str("{% ");
                self.out.push_str(&expression::guarded(&tokens)?);
                self.out.push_str(" %}");
            }
            other => return Err(format!("the tag `{other}` is not supported")),
        }
        Ok(())
    }

    fn comment(&mut self, body: &'a str) -> Result<(), String> {
        let Some(end) = body.find("#}") else {
            return Err("a comment is not closed".to_owned());
        };
        self.rest = &body[end + 2..];
        self.before = after(body[..end].chars().next_back());
        Ok(())
    }

    /// Writes text as a constant, trimmed as the tags around it say.
    fn text(&mut self, text: &str, strip: bool, is_block_behind: bool) {
        let trimmed = match self.before {
            Trim::All => text.trim_start(),
            Trim::Line => {
                let line = text.strip_prefix("\r\n").or(text.strip_prefix('\n'));
                line.unwrap_or(text)
            }
            Trim::None | Trim::Start => text,
        };
        let taken = &text[..text.len() - trimmed.len()];
        let begins_line = self.before == Trim::Start || taken.ends_with('\n');
        let mut text = trimmed;
        if strip {
            text = text.trim_end();
        } else if is_block_behind {
            let line = text.rfind('\n').map_or(0, |at| at + 1);
            if (line > 0 || begins_line) && text[line..].trim().is_empty() {
                text = &text[..line];
            }
        }
        if text.is_empty() {
            return;
        }
        self.out.push_str("{{ \"");
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                self.out.push('\\');
            }
            self.out.push(c);
        }
        self.out.push_str("\" }}");
    }
}

/// What a tag does to the text behind it, by the sign at its end.
fn after(sign: Option<char>) -> Trim {
    match sign {
        Some('-') => Trim::All,
        Some('+') => Trim::None,
        _ => Trim::Line,
    }
}

/// The signs of an `endraw` tag.
struct EndRaw {
    strip: bool,
    keep: bool,
    trim: Option<char>,
}

/// The text before the `endraw` tag, the tag's signs, and what follows it.
fn raw(text: &str) -> Option<(&str, EndRaw, &str)> {
    for (start, _) in text.match_indices("{%") {
        let body = &text[start + 2..];
        let strip = body.starts_with('-');
        let keep = body.starts_with('+');
        let body = if strip || keep { &body[1..] } else { body };
        let Some(body) = body.trim_start().strip_prefix("endraw") else {
            continue;
        };
        let body = body.trim_start();
        let trim = body.chars().next().filter(|c| matches!(c, '-' | '+'));
        let body = if trim.is_some() { &body[1..] } else { body };
        if let Some(rest) = body.strip_prefix("%}") {
            return Some((&text[..start], EndRaw { strip, keep, trim }, rest));
        }
    }
    None
}
