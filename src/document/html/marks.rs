//! Weighs what elements and their class names say of the parts of a page, once all of its text is known.

use super::prose::is_prose;
use super::tree::{Page, TextBlock};

/// Settles which blocks stand around the article by their marks. A name that says `around` says nothing
/// where what it names holds most of the prose of the page and what else looks like an article
/// (`page-ad-margins`); columns of tables are not named for what they are to the page
/// (`<td class="ticker">`); and a quotation in what holds a post of another site is the post.
pub(super) fn settle(page: &mut Page) {
    let weights = weights(page, is_prose);
    let total = weights.first().copied().unwrap_or(0);
    let tables = tables_with_heads(page);
    let holders = holders(page);
    let mut posts = vec![false; page.elements.len()];
    for at in 1..page.elements.len() {
        let outer = page.elements[page.elements[at].parent].place;
        let element = &page.elements[at];
        let holds_most = holders[at] && weights[at] * 2 > total;
        let in_table = tables[at] && element.name != "table";
        posts[at] = posts[page.elements[at].parent] || element.own.embed;
        let is_post = element.name == "blockquote" && posts[at];
        let counts = !holds_most && !in_table;
        let (own, element) = (element.own, &mut page.elements[at]);
        element.place.tabular = tables[at];
        element.place.around = !is_post && (outer.around || own.around && counts);
        element.place.either = outer.either || own.either && counts;
    }
    for at in 0..page.blocks.len() {
        let place = page.elements[page.blocks[at].inner].place;
        let block = &mut page.blocks[at].place;
        (block.around, block.either, block.tabular) = (place.around, place.either, place.tabular);
    }
    captions(page);
}

/// Marks the lines that describe a picture: all that stands beside it in an element that is no
/// paragraph.
fn captions(page: &mut Page) {
    /// Words of such a line, at most.
    const MOST_WORDS: usize = 25;
    let mut pictures: Vec<usize> = page.elements.iter().map(|it| it.pictures).collect();
    let mut texts = vec![0_usize; page.elements.len()];
    for block in &page.blocks {
        texts[block.element] += 1;
    }
    page.add_up(&mut pictures);
    page.add_up(&mut texts);
    for block in &mut page.blocks {
        let at = block.element;
        let place = &mut block.place;
        if pictures[at] == 1
            && texts[at] == 1
            && !(place.paragraph || place.cell || place.item || place.heading.is_some())
            && block.text.split_whitespace().count() <= MOST_WORDS
        {
            (place.caption, place.outside) = (true, true);
        }
    }
}

/// Characters, by element, of the blocks that count.
pub(super) fn weights(page: &Page, counts: impl Fn(&TextBlock) -> bool) -> Vec<usize> {
    let mut weights = vec![0_usize; page.elements.len()];
    for block in page.blocks.iter().filter(|block| counts(block)) {
        weights[block.element] += block.length();
    }
    page.add_up(&mut weights);
    weights
}

/// Which elements hold something that says it is an article, or a heading of the first level.
fn holders(page: &Page) -> Vec<bool> {
    let mut holders = vec![false; page.elements.len()];
    for (holder, element) in holders.iter_mut().zip(&page.elements) {
        *holder = matches!(element.name.as_str(), "article" | "main" | "h1") || element.own.body;
    }
    for at in (1..page.elements.len()).rev() {
        if holders[at] {
            holders[page.elements[at].parent] = true;
        }
    }
    holders
}

/// Which elements are, or stand in, a table that has cells of heads.
fn tables_with_heads(page: &Page) -> Vec<bool> {
    let mut tables = vec![false; page.elements.len()];
    for at in 0..page.elements.len() {
        if page.elements[at].name == "th"
            && let Some(table) = page
                .around(at)
                .take(MOST_STEPS)
                .find(|at| page.elements[*at].name == "table")
        {
            tables[table] = true;
        }
    }
    for at in 1..page.elements.len() {
        tables[at] |= tables[page.elements[at].parent];
    }
    tables
}

/// Elements between a cell and its table, at most.
const MOST_STEPS: usize = 4;
