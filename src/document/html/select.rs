//! Tells which blocks of the element that holds an article are the article.

use super::super::clutter::Clutter;
use super::super::lines;
use super::column::Column;
use super::hidden::Hidden;
use super::prose::is_prose;
use super::tree::{Page, Place, TextBlock};

/// What class names that say `around` are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    Heeded,
    Ignored,
    /// Nothing either, nor what elements and classes say that mostly stand around articles.
    All,
}

impl Marks {
    /// Whether text at a place may be of the article.
    pub(super) fn allow(self, place: Place) -> bool {
        match self {
            Self::Heeded => place.is_open() && !place.around,
            Self::Ignored => place.is_open() && !place.comments,
            Self::All => !place.outside && !place.comments && place.hidden != Some(Hidden::Sure),
        }
    }
}

/// The blocks of the article within its container.
pub(super) fn select(
    page: &Page,
    container: usize,
    title: Option<&str>,
    marks: Marks,
) -> Vec<usize> {
    let mut inside = vec![false; page.elements.len()];
    inside[container] = true;
    for element in 1..page.elements.len() {
        inside[element] |= inside[page.elements[element].parent];
    }
    // Marks on what the container itself stands in say nothing about its text.
    let around = page.elements[container].place.around || marks != Marks::Heeded;
    let may_be = match marks {
        Marks::Heeded => Marks::Ignored,
        other => other,
    };
    let allows = |block: &TextBlock| may_be.allow(block.place) && (around || !block.place.around);
    let blocks: Vec<usize> = (0..page.blocks.len())
        .filter(|at| inside[page.blocks[*at].element])
        .collect();
    let open: Vec<usize> = blocks
        .iter()
        .copied()
        .filter(|at| allows(&page.blocks[*at]))
        .collect();
    let column = Column::of(page, &open);
    let mut chosen: Vec<usize> = Vec::new();
    let mut in_related = false;
    let mut in_announced = false;
    // Prose behind the block at hand.
    let mut prose_left = blocks
        .iter()
        .filter(|at| is_prose(&page.blocks[**at]))
        .count();
    for (number, &at) in blocks.iter().enumerate() {
        let block = &page.blocks[at];
        prose_left -= usize::from(is_prose(block));
        if chosen.len() >= 3 && prose_left <= 4 && heads_publisher(block) {
            break;
        }
        let words = block.text.split_whitespace().count();
        // What stands in the column of the article and leads nowhere is no headline of another one.
        let is_own = block.linked == 0
            && (block.place.paragraph || block.place.heading.is_some())
            && column.holds(page, block);
        in_related = match block.clutter {
            Some(Clutter::Related) => words <= 4,
            Some(Clutter::Comments) if chosen.len() >= 3 => break,
            _ if is_prose(block) || is_own => false,
            _ => in_related,
        };
        let next = blocks.get(number + 1).map(|at| &page.blocks[*at]);
        let leads = next.is_some_and(|next| allows(next) && leads(page, block, next));
        let is_clutter = block.clutter.is_some_and(|clutter| match clutter {
            Clutter::Section => false,
            Clutter::Furniture => !block.place.cell && !leads,
            Clutter::Date | Clutter::Byline => !block.place.cell,
            _ => true,
        });
        // A list that a paragraph announces is the article's, links or not; headings in it are of others.
        let is_announced = block.place.item
            && block.place.heading.is_none()
            && chosen.last().is_some_and(|last| {
                let last = &page.blocks[*last];
                last.text.ends_with(':') || last.place.item && in_announced
            });
        in_announced = is_announced;
        let last = chosen.last().map(|at| &page.blocks[*at]);
        let is_strange = is_widget(block)
            || !allows(block)
            || is_clutter
            || in_related
            || title.is_some_and(|title| title == block.text)
            || !is_announced && !leads && is_link(page, &column, block, last)
            || (block.place.heading == Some(1) && chosen.is_empty());
        if !is_strange {
            chosen.push(at);
        }
    }
    trim(page, &column, chosen)
}

/// Whether a block is more link than text, as what leads to other pages is.
fn is_link(page: &Page, column: &Column, block: &TextBlock, last: Option<&TextBlock>) -> bool {
    let words = block.text.split_whitespace().count();
    let is_sentence = lines::ends_sentence(&block.text);
    let is_own = column.holds(page, block) && (block.place.paragraph || column.is_in_pieces(block));
    // Who said what is quoted: `— Name (@name) May 2, 2019`.
    let is_source = block.place.quotation && last.is_some_and(|last| last.place.quotation);
    let is_address = is_own && words == 1 && block.text.contains("://");
    if is_source || is_address || block.place.cell && block.place.tabular {
        return false;
    }
    let is_long = words > 12 && (block.place.paragraph || block.place.item && is_sentence);
    let limit = if is_own || is_long { 9 } else { 6 };
    block.linked * 10 > block.length() * limit
}

/// Whether a block of an ambiguous name looks like a widget.
fn is_widget(block: &TextBlock) -> bool {
    let length = block.length();
    block.place.either
        && (block.linked * 3 > length || !(length >= 40 && lines::ends_sentence(&block.text)))
}

/// Whether a heading is that of the paragraph behind it, whatever it says or leads to.
fn leads(page: &Page, heading: &TextBlock, next: &TextBlock) -> bool {
    let parent = |block: &TextBlock| page.elements[block.element].parent;
    heading.place.heading.is_some_and(|level| level > 1)
        && !heading.place.item
        && next.place.paragraph
        && next.clutter.is_none()
        && next.linked * 3 < next.length()
        && is_prose(next)
        && parent(heading) == parent(next)
}

/// Whether a block is the heading of what a press release says at its end of those who wrote it.
fn heads_publisher(block: &TextBlock) -> bool {
    let text = block.text.trim_end_matches(':').to_lowercase();
    text.split_whitespace().count() <= 7
        && ["about ", "о компании", "об авторе", "نبذة عن", "عن الشركة"]
            .iter()
            .any(|start| text.starts_with(start))
        && !lines::ends_sentence(&text)
}

/// Whether a block says what someone is, as a press release does at its end without a heading.
fn says_who(block: &TextBlock) -> bool {
    let words: Vec<&str> = block.text.split_whitespace().take(8).collect();
    let starts = words
        .first()
        .is_some_and(|word| word.chars().next().is_some_and(char::is_alphabetic));
    let says = words.windows(2).skip(1).any(|pair| {
        matches!(pair[0], "is" | "are") && matches!(pair[1], "a" | "an" | "the" | "one")
            || pair[0] == "—"
                && ["ведущ", "крупнейш", "российск", "международн", "компани"]
                    .iter()
                    .any(|start| pair[1].starts_with(start))
            || pair[0] == "هي" && pair[1].starts_with("شركة")
    });
    starts && says
}

/// Leaves out short lines before the first and after the last paragraph, headings that nothing
/// follows, and what stands at the end and is of another kind than the article.
fn trim(page: &Page, column: &Column, mut chosen: Vec<usize>) -> Vec<usize> {
    /// Blocks of an article before what is said of its publisher, and blocks of that.
    const LEAST_BEFORE: usize = 4;
    const MOST_OF_PUBLISHER: usize = 3;
    let block = |at: usize| &page.blocks[at];
    let is_weighty = |at: usize| {
        let block = block(at);
        is_prose(block)
            || (block.place.heading.is_none()
                && block.text.split_whitespace().count() >= 4
                && lines::ends_sentence(&block.text))
    };
    let is_beside = |at: usize| {
        let block = block(at);
        block.place.heading.is_none()
            && (block.place.paragraph || column.is_in_pieces(block))
            && column.holds(page, block)
    };
    let Some(first) = chosen.iter().position(|at| is_weighty(*at)) else {
        return chosen;
    };
    let first = chosen[..first]
        .iter()
        .position(|at| is_beside(*at))
        .unwrap_or(first);
    let last = chosen
        .iter()
        .rposition(|at| {
            is_weighty(*at)
                || is_beside(*at)
                || block(*at).place.item
                || block(*at).place.quotation
                || crate::segment::item_marker(&block(*at).text).is_some()
        })
        .unwrap_or(first)
        .max(first);
    chosen.truncate(last + 1);
    // A heading directly before the first paragraph is the article's.
    let lead = usize::from(
        first > 0
            && block(chosen[first - 1])
                .place
                .heading
                .is_some_and(|level| level > 1),
    );
    chosen.drain(..first - lead);
    let publisher = chosen.iter().enumerate().rposition(|(number, at)| {
        number >= LEAST_BEFORE
            && number + MOST_OF_PUBLISHER >= chosen.len()
            && block(*at).after_rule
            && says_who(block(*at))
    });
    if let Some(publisher) = publisher {
        chosen.truncate(publisher);
    }
    let kept = before_other_kind(page, column, &chosen).min(before_links(page, &chosen));
    chosen.truncate(kept);
    chosen
}

/// How many blocks there are before those at the end that stand deeper than the article's paragraphs
/// and in no paragraphs, as what readers wrote and forms do.
fn before_other_kind(page: &Page, column: &Column, chosen: &[usize]) -> usize {
    let block = |at: usize| &page.blocks[at];
    let own = chosen
        .iter()
        .rposition(|at| block(*at).place.paragraph && column.holds(page, block(*at)));
    let Some(own) = own else { return chosen.len() };
    let tail = &chosen[own + 1..];
    let is_other = |at: &usize| {
        let place = block(*at).place;
        !place.paragraph && !place.item && !place.cell && !column.holds(page, block(*at))
    };
    let are_paragraphs = column.direct * 10 >= column.all * 6;
    if are_paragraphs && tail.iter().filter(|at| is_prose(block(**at))).all(is_other) {
        own + 1 + tail.iter().take_while(|at| !is_other(at)).count()
    } else {
        chosen.len()
    }
}

/// How many blocks there are before a list of links at the end, which leads to other articles.
fn before_links(page: &Page, chosen: &[usize]) -> usize {
    /// Items that such a list has at least.
    const LEAST: usize = 3;
    let block = |at: usize| &page.blocks[at];
    let is_link = |at: &&usize| {
        let block = block(**at);
        block.place.item && block.linked * 10 >= block.length() * 3
    };
    let links = chosen.iter().rev().take_while(is_link).count();
    let before = chosen.len() - links;
    let is_announced = before > 0 && block(chosen[before - 1]).text.ends_with(':');
    if links < LEAST || is_announced || before == 0 {
        return chosen.len();
    }
    // The line above it is its heading.
    let has_heading = !is_prose(block(chosen[before - 1])) && before > 1;
    before - usize::from(has_heading)
}
