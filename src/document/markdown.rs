//! Reads Markdown: the text of a document is the file as it is, its blocks are the paragraphs,
//! headings, list items and cells.
//!
//! Front matter, code, HTML, link definitions and all marks at the head of lines are in no block, so
//! that they stay byte for byte where they are. Marks within a line belong to the text.

use std::ops::Range;

use pulldown_cmark::{Event, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use super::{Block, BlockKind, Document, Format};
use crate::error::{Error, Result};
use crate::segment::trimmed;

/// The document of a Markdown file.
///
/// # Errors
/// [`Error::EmptyInput`] where there is no text outside code.
pub(super) fn document(name: String, source: String) -> Result<Document> {
    let blocks = blocks(&source);
    if blocks.is_empty() {
        return Err(Error::EmptyInput { name });
    }
    let mut document = Document::of_blocks(name, source, blocks);
    document.format = Format::Markdown;
    Ok(document)
}

fn blocks(source: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut blocks: Vec<Block> = Vec::new();
    let mut kind = BlockKind::Paragraph;
    // The stretch of text that is open: from the first to the last thing within a line.
    let mut open: Option<Range<usize>> = None;
    // In code or front matter, nothing is text.
    let mut closed = 0_usize;
    let mut first_heading = true;
    let mut items = 0_usize;
    let mut nested = 0_usize;
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        match event {
            Event::Start(
                Tag::CodeBlock(_)
                | Tag::HtmlBlock
                | Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle),
            ) => {
                flush(source, &mut open, kind, &mut blocks);
                closed += 1;
            }
            Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::MetadataBlock(_)) => {
                closed = closed.saturating_sub(1)
            }
            Event::Start(tag) if is_block(&tag) => {
                flush(source, &mut open, kind, &mut blocks);
                kind = match tag {
                    Tag::Heading { .. }
                        if std::mem::take(&mut first_heading) && blocks.is_empty() =>
                    {
                        BlockKind::Headline
                    }
                    Tag::Heading { .. } => BlockKind::Heading,
                    _ if items > 0 || matches!(tag, Tag::Item) => BlockKind::ListItem,
                    _ => BlockKind::Paragraph,
                };
                items += usize::from(matches!(tag, Tag::Item));
                nested += usize::from(matches!(
                    tag,
                    Tag::Item | Tag::BlockQuote(_) | Tag::FootnoteDefinition(_)
                ));
            }
            Event::End(end) if is_block_end(end) => {
                flush(source, &mut open, kind, &mut blocks);
                items -= usize::from(matches!(end, TagEnd::Item)).min(items);
                nested -= usize::from(matches!(
                    end,
                    TagEnd::Item | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition
                ))
                .min(nested);
            }
            // Marks stand at the head of the next line: what is on it is a stretch of its own.
            Event::SoftBreak if nested > 0 => flush(source, &mut open, kind, &mut blocks),
            Event::HardBreak => flush(source, &mut open, kind, &mut blocks),
            Event::TaskListMarker(_) | Event::Rule => {}
            _ if closed > 0 => {}
            _ => {
                let start = open
                    .as_ref()
                    .map_or(range.start, |open| open.start.min(range.start));
                let end = open
                    .as_ref()
                    .map_or(range.end, |open| open.end.max(range.end));
                open = Some(start..end);
            }
        }
    }
    flush(source, &mut open, kind, &mut blocks);
    blocks
}

fn flush(source: &str, open: &mut Option<Range<usize>>, kind: BlockKind, blocks: &mut Vec<Block>) {
    let Some(range) = open.take().map(|range| trimmed(source, range)) else {
        return;
    };
    let follows = blocks
        .last()
        .is_none_or(|last| last.range.end <= range.start);
    if follows && source[range.clone()].chars().any(char::is_alphanumeric) {
        blocks.push(Block { kind, range });
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    !matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Link { .. }
            | Tag::Image { .. }
            | Tag::Superscript
            | Tag::Subscript
    )
}

fn is_block_end(tag: TagEnd) -> bool {
    !matches!(
        tag,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image
            | TagEnd::Superscript
            | TagEnd::Subscript
    )
}
