//! Reads an article from a web page.
//!
//! For an article, the tree of the page is built in `dom` and read into blocks in `tree`; the article is
//! found in `article`, by names in `hints`, without what `hidden` knows to be hidden. For all of a page, to be written again, it is read in `page` and
//! `tokens`; `declare` says in it which language it is in.

mod article;
mod column;
mod declare;
mod dom;
mod elements;
mod hidden;
mod hints;
mod marks;
mod page;
mod prose;
mod select;
mod several;
mod tag;
pub(crate) mod tokens;
mod tree;

pub(super) use declare::{Declaration, declare};
use tree::TextBlock;

pub(super) use tree::decode;

use super::left_out::{LeftOut, Reason};
use super::lines;
use super::{Block, BlockKind, Cleaning, Document, Format, TITLE_GAP};
use crate::error::{Error, Result};

/// Whether the beginning of an input looks like a web page.
pub(super) fn looks_like(start: &[u8]) -> bool {
    let head = start[..start.len().min(1024)].to_ascii_lowercase();
    let head = head.trim_ascii_start();
    let contains = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    head.starts_with(b"<!doctype html")
        || head.starts_with(b"<html")
        || (head.starts_with(b"<")
            && (contains(b"<head") || contains(b"<body") || contains(b"<html")))
}

/// The article of a page; all that the page shows where `cleaning` says so, with the page around it
/// for [`Cleaning::Page`].
///
/// # Errors
/// [`Error::EmptyInput`] where the page shows no text.
pub(super) fn document(name: String, source: &str, cleaning: Cleaning) -> Result<Document> {
    if cleaning == Cleaning::Page {
        let (text, blocks, layout) = page::read(source);
        if blocks.is_empty() {
            return Err(Error::EmptyInput { name });
        }
        let mut document = Document::of_blocks(name, text, blocks);
        document.format = Format::Html;
        document.layout = Some(layout);
        return Ok(document);
    }
    let mut page = tree::parse(source);
    let mut article = article::find(&mut page);
    if cleaning == Cleaning::Raw {
        article.title = None;
        article.body = (0..page.blocks.len()).collect();
        article.unshown.clear();
    }
    let mut text = String::new();
    let mut blocks = Vec::new();
    let mut push = |kind, part: &str| {
        if !text.is_empty() {
            text.push_str(TITLE_GAP);
        }
        let start = text.len();
        text.push_str(part);
        blocks.push(Block {
            kind,
            range: start..text.len(),
        });
    };
    if let Some(title) = &article.title {
        push(BlockKind::Headline, title);
    }
    let mut left_out = Vec::new();
    let mut body = article.body.iter().peekable();
    for (index, block) in page.blocks.iter().enumerate() {
        if body.next_if_eq(&&index).is_none() {
            if Some(&block.text) != article.title.as_ref() {
                left_out.push(LeftOut::new(block.text.clone(), reason(block)));
            }
            continue;
        }
        let kind = if block.place.heading.is_some() {
            BlockKind::Heading
        } else if block.place.item && !(lines::ends_sentence(&block.text) && block.place.paragraph)
        {
            BlockKind::ListItem
        } else {
            BlockKind::Paragraph
        };
        push(kind, block.text.trim());
    }
    for paragraph in &article.unshown {
        push(BlockKind::Paragraph, paragraph);
    }
    if blocks.is_empty() {
        return Err(Error::EmptyInput { name });
    }
    let mut document = Document::of_blocks(name, text, blocks);
    document.format = Format::Html;
    document.byline = article.byline;
    document.date = article.date;
    document.left_out = left_out;
    Ok(document)
}

/// Why a block is not of the article.
fn reason(block: &TextBlock) -> Reason {
    match block.clutter {
        _ if block.place.hidden.is_some() => Reason::Hidden,
        _ if block.place.caption => Reason::Caption,
        Some(clutter) => clutter.into(),
        None if block.place.outside => Reason::Navigation,
        None => Reason::Around,
    }
}
#[cfg(test)]
mod tests;
