//! Which of several articles on a page is meant: the one under the heading that is the page's title.

use std::collections::HashSet;

use super::prose::words;
use super::tree::{Page, TextBlock};

/// The heading that says what the title says.
pub(super) fn titled_heading<'p>(page: &'p Page, title: &str) -> Option<&'p TextBlock> {
    let titled: HashSet<String> = words(title).collect();
    let says_so = |block: &TextBlock| {
        let own: HashSet<String> = words(&block.text).collect();
        !own.is_empty() && own.intersection(&titled).count() * 10 >= own.len().max(titled.len()) * 7
    };
    page.blocks
        .iter()
        .find(|block| block.place.heading.is_some() && block.place.is_open() && says_so(block))
}

/// The article of a heading, where another one with a heading of the same level stands beside it;
/// `weights` are characters of prose by element.
pub(super) fn article_of(page: &Page, weights: &[usize], heading: &TextBlock) -> Option<usize> {
    let article = |element: usize| {
        page.around(element).find(|at| {
            matches!(page.elements[*at].name.as_str(), "article" | "section") && weights[*at] > 0
        })
    };
    let own = article(heading.element)?;
    let is_other = |block: &TextBlock| {
        block.place.heading == heading.place.heading
            && block.place.is_open()
            && !page.is_within(block.element, own)
            && article(block.element).is_some_and(|other| {
                weights[other] * 3 >= weights[own] && !page.is_within(own, other)
            })
    };
    page.blocks.iter().any(is_other).then_some(own)
}

/// The part of the page under a heading, where `container` is under another one and does not hold it.
pub(super) fn part_of(
    page: &Page,
    weights: &[usize],
    heading: &TextBlock,
    container: usize,
) -> Option<usize> {
    /// Characters of prose that a part has at least.
    const LEAST: usize = 200;
    let mut blocks = page.blocks.iter();
    let first = blocks.find(|block| page.is_within(block.element, container))?;
    if page.is_within(heading.element, container)
        || first.place.heading.is_none_or(|level| level > 2)
    {
        return None;
    }
    let part = page.around(heading.element).find(|at| weights[*at] > 0)?;
    (weights[part] >= LEAST && !page.is_within(container, part)).then_some(part)
}
