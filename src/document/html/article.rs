//! Finds the article in a page: the element that holds most of its prose, and in it the blocks that
//! are the article's.
//!
//! What the page says of itself is believed where it is of use: the body in its JSON-LD tells which
//! blocks are the article's, and its headline which heading is the headline.

use std::collections::HashSet;

use serde_json::Value;

use super::prose::{is_prose, words};
use super::select::{Marks, select};
use super::tree::{self, Page, TextBlock};
use super::{hints, marks, several};

/// An article found in a page.
#[derive(Debug, Default)]
pub(in crate::document) struct Article {
    pub(in crate::document) title: Option<String>,
    pub(in crate::document) byline: Option<String>,
    pub(in crate::document) date: Option<String>,
    /// Indices of the blocks of the body.
    pub(in crate::document) body: Vec<usize>,
    /// The paragraphs of the body, where the page shows next to nothing of it and has it for machines, or
    /// for readers without scripts.
    pub(in crate::document) unshown: Vec<String>,
}

/// What a page says of its article in JSON-LD.
#[derive(Debug, Default)]
struct Data {
    headline: Option<String>,
    body: Option<String>,
    author: Option<String>,
    date: Option<String>,
}

/// Finds the article.
pub(super) fn find(page: &mut Page) -> Article {
    marks::settle(page);
    let page = &*page;
    let data = Data::of(page);
    let meta = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| page.meta.get(*key))
            .filter(|value| !value.trim().is_empty())
            .cloned()
    };
    let title = title(page, &data);
    let mut body = body(page, &data, title.as_deref());
    let unshown = unshown(page, &data, length(page, &body));
    if !unshown.is_empty() {
        body.clear();
    }
    Article {
        byline: data
            .author
            .or_else(|| {
                meta(&[
                    "author",
                    "article:author",
                    "byl",
                    "parsely-author",
                    "dc.creator",
                ])
            })
            .filter(|name| !name.starts_with("http")),
        date: data
            .date
            .or_else(|| {
                meta(&[
                    "article:published_time",
                    "datepublished",
                    "date",
                    "pubdate",
                    "dc.date",
                    "parsely-pub-date",
                ])
            })
            .or_else(|| page.time.clone()),
        title,
        body,
        unshown,
    }
}

/// The paragraphs of an article of which the page shows `shown` characters at most, and has far more in
/// its data or in `noscript`.
fn unshown(page: &Page, data: &Data, shown: usize) -> Vec<String> {
    /// Characters of an article that is taken from where nobody sees it.
    const LEAST: usize = 200;
    let told = data.body.iter().chain(&page.unscripted);
    let told = told.filter(|text| text.len() >= LEAST && text.len() > shown * 4);
    let mut found = told.map(|text| paragraphs(text)).filter(|paragraphs| {
        let length: usize = paragraphs.iter().map(|text| text.chars().count()).sum();
        length >= LEAST && length > shown * 4
    });
    found.next().unwrap_or_default()
}

/// The paragraphs of a text of lines, or of HTML.
fn paragraphs(text: &str) -> Vec<String> {
    let is_markup = ["</p>", "<p>", "<br"].iter().any(|tag| text.contains(tag));
    let lines: Vec<String> = if is_markup {
        let page = tree::parse(text);
        let blocks = page.blocks.into_iter();
        blocks
            .filter(|block| block.place.is_open() && block.clutter.is_none())
            .map(|block| block.text)
            .collect()
    } else {
        text.lines().map(tree::collapse).collect()
    };
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

impl Data {
    fn of(page: &Page) -> Self {
        let mut data = Self::default();
        for script in &page.data {
            let Ok(value) = serde_json::from_str::<Value>(script.trim()) else {
                continue;
            };
            // Depth is bounded by the parser, and the walk by what it gave.
            let mut open = vec![&value];
            while let Some(value) = open.pop() {
                match value {
                    Value::Array(values) => open.extend(values.iter().rev()),
                    Value::Object(object) => {
                        let text = |key: &str| {
                            object
                                .get(key)
                                .and_then(Value::as_str)
                                .map(|text| tree::collapse(&tree::decode(text)))
                                .filter(|text| !text.is_empty())
                        };
                        let kind = object
                            .get("@type")
                            .map(Value::to_string)
                            .unwrap_or_default();
                        if ["Article", "BlogPosting", "Report", "LiveBlog"]
                            .iter()
                            .any(|name| kind.contains(name))
                        {
                            data.headline = data.headline.take().or_else(|| text("headline"));
                            data.body = data.body.take().or_else(|| {
                                let body = object.get("articleBody").and_then(Value::as_str);
                                body.map(|body| tree::decode(body).into_owned())
                            });
                            data.date = data.date.take().or_else(|| text("datePublished"));
                            data.author = data
                                .author
                                .take()
                                .or_else(|| object.get("author").and_then(author));
                        }
                        if let Some(graph) = object.get("@graph") {
                            open.push(graph);
                        }
                        if let Some(entity) = object.get("mainEntity") {
                            open.push(entity);
                        }
                    }
                    _ => {}
                }
            }
        }
        data
    }
}

/// The names of the authors, in one line.
fn author(value: &Value) -> Option<String> {
    let name = |value: &Value| {
        value
            .as_str()
            .or_else(|| value.get("name").and_then(Value::as_str))
            .map(str::to_owned)
    };
    let names: Vec<String> = match value {
        Value::Array(values) => values.iter().filter_map(name).collect(),
        value => name(value).into_iter().collect(),
    };
    (!names.is_empty()).then(|| names.join(", "))
}

fn title(page: &Page, data: &Data) -> Option<String> {
    let named = data
        .headline
        .clone()
        .or_else(|| page.meta.get("og:title").cloned())
        .or_else(|| page.meta.get("twitter:title").cloned());
    let named = named
        .or_else(|| page.title.clone())
        .map(|title| tree::collapse(&title))
        .filter(|title| !title.is_empty());
    let headings = page.blocks.iter().filter(|block| {
        let is_shown = !block.place.outside && block.place.hidden.is_none();
        block.place.heading == Some(1) && is_shown
    });
    let Some(named) = named else {
        return headings.map(|block| block.text.clone()).next();
    };
    // The heading on the page has no name of the site behind it.
    let words: HashSet<String> = words(&named).collect();
    let shared = |block: &&TextBlock| {
        let own: Vec<String> = self::words(&block.text).collect();
        !own.is_empty()
            && own.iter().filter(|word| words.contains(*word)).count() * 10 >= own.len() * 7
            && own.len() * 2 >= words.len()
    };
    // A headline that only machines read does not take the place of the one that is shown.
    let shares = |text: &str| {
        let own: HashSet<String> = self::words(text).collect();
        let shared = own.intersection(&words).count();
        shared * 3 >= own.len().min(words.len())
    };
    if let Some(first) = headings.clone().next()
        && !shares(&first.text)
        && !page.title.as_deref().is_some_and(shares)
    {
        return Some(first.text.clone());
    }
    let mut headings = headings.filter(shared);
    Some(
        headings
            .next()
            .map_or_else(|| without_site(&named), |block| block.text.clone()),
    )
}

/// A title without the name of the site at its end.
fn without_site(title: &str) -> String {
    let cut = [" | ", " — ", " – ", " - ", " :: ", " » "]
        .iter()
        .filter_map(|mark| title.rfind(mark))
        .max();
    match cut {
        Some(at)
            if title[..at].split_whitespace().count() >= 4
                && title[at..].split_whitespace().count() <= 6 =>
        {
            title[..at].to_owned()
        }
        _ => title.to_owned(),
    }
}

/// The blocks of the article's body.
fn body(page: &Page, data: &Data, title: Option<&str>) -> Vec<usize> {
    if let Some(body) = data
        .body
        .as_deref()
        .and_then(|body| told(page, body, title))
    {
        return body;
    }
    let by = |marks: Marks| {
        let container = container(page, |block| marks.allow(block.place), title);
        container.map_or(Vec::new(), |container| {
            select(page, container, title, marks)
        })
    };
    // Marks that would take most of the prose away do not mean what they seem to.
    let mut body = by(Marks::Heeded);
    for marks in [Marks::Ignored, Marks::All] {
        let found = by(marks);
        if length(page, &body) * 10 < length(page, &found) * 4 {
            body = found;
        }
    }
    if !body.is_empty() {
        return body;
    }
    // Nothing runs as prose: whatever is shown and is no link, or where there is no headline either,
    // whatever is shown.
    let blocks = 0..page.blocks.len();
    let shown = |at: &usize| {
        let block = &page.blocks[*at];
        block.place.is_open()
            && block.linked * 2 < block.length()
            && title != Some(&block.text)
            && block.clutter.is_none()
    };
    let body: Vec<usize> = blocks.clone().filter(shown).collect();
    if !body.is_empty() || title.is_some() {
        return body;
    }
    blocks
        .filter(|at| page.blocks[*at].place.hidden.is_none())
        .collect()
}

/// The blocks of the body that the page's own data gives, where it gives enough of it to go by.
fn told(page: &Page, body: &str, title: Option<&str>) -> Option<Vec<usize>> {
    let matched = matching(page, body);
    let (first, last) = (*matched.first()?, *matched.last()?);
    // The data may hold the first paragraphs only.
    if matched.len() < 3 || length(page, &matched) * 10 < body.chars().count() * 6 {
        return None;
    }
    let found = select(page, ancestor(page, &matched), title, Marks::Heeded);
    // What the data lacks is not of the article, but for headings and lists between.
    if length(page, &found) * 4 <= length(page, &matched) * 5
        && length(page, &found) * 10 >= length(page, &matched) * 9
    {
        return Some(found);
    }
    let between = |at: &usize| {
        found.contains(at)
            && (page.blocks[*at].place.heading.is_some() || page.blocks[*at].place.item)
    };
    Some(
        (first..=last)
            .filter(|at| matched.contains(at) || between(at))
            .collect(),
    )
}

/// Characters of these blocks.
fn length(page: &Page, blocks: &[usize]) -> usize {
    blocks.iter().map(|at| page.blocks[*at].length()).sum()
}

/// The blocks whose words, three by three, are those of `body`.
fn matching(page: &Page, body: &str) -> Vec<usize> {
    let triples = |text: &str| {
        let words: Vec<String> = words(text).collect();
        words
            .windows(3)
            .map(|triple| triple.join(" "))
            .collect::<Vec<_>>()
    };
    let told: HashSet<String> = triples(body).into_iter().collect();
    (0..page.blocks.len())
        .filter(|at| {
            let block = &page.blocks[*at];
            let own = triples(&block.text);
            block.place.is_open()
                && !own.is_empty()
                && own.iter().filter(|triple| told.contains(*triple)).count() * 10 >= own.len() * 7
        })
        .collect()
}

/// The lowest element that all these blocks stand in.
fn ancestor(page: &Page, blocks: &[usize]) -> usize {
    let path = |block: usize| {
        let mut path: Vec<usize> = page.around(page.blocks[block].element).collect();
        path.reverse();
        path
    };
    let mut common: Option<Vec<usize>> = None;
    for &block in blocks.iter().take(400) {
        let path = path(block);
        common = Some(match common {
            None => path,
            Some(mut common) => {
                let same = common.iter().zip(&path).take_while(|(a, b)| a == b).count();
                common.truncate(same);
                common
            }
        });
    }
    common.and_then(|path| path.last().copied()).unwrap_or(0)
}

/// The element that holds the article: from the page downwards, always into the element that has
/// most of the prose, as long as one has.
fn container(
    page: &Page,
    counts: impl Fn(&TextBlock) -> bool,
    title: Option<&str>,
) -> Option<usize> {
    let weights = marks::weights(page, |block| is_prose(block) && counts(block));
    if weights[0] == 0 {
        return None;
    }
    let titled = title.and_then(|title| several::titled_heading(page, title));
    if let Some(article) = titled.and_then(|heading| several::article_of(page, &weights, heading)) {
        return Some(article);
    }
    let mut heaviest: Vec<Option<usize>> = vec![None; page.elements.len()];
    for element in 1..page.elements.len() {
        let parent = page.elements[element].parent;
        if heaviest[parent].is_none_or(|best| weights[element] > weights[best]) {
            heaviest[parent] = Some(element);
        }
    }
    let mut at = 0;
    while let Some(child) = heaviest[at] {
        let marked = hints::is_body(&page.elements[child].marks)
            || matches!(page.elements[child].name.as_str(), "article" | "main");
        let enough = if marked { 6 } else { 8 };
        if weights[child] * 10 < weights[at] * enough {
            break;
        }
        at = child;
    }
    if page.elements[at].place.paragraph {
        // What stands beside the only long paragraph may be of the article as well.
        at = page.elements[at].parent;
    }
    at = with_paragraphs_beside(page, &counts, &weights, at);
    let other = titled.and_then(|heading| several::part_of(page, &weights, heading, at));
    Some(other.unwrap_or(at))
}

/// The container, or the element around it where paragraphs of the article stand beside the container.
fn with_paragraphs_beside(
    page: &Page,
    counts: impl Fn(&TextBlock) -> bool,
    weights: &[usize],
    container: usize,
) -> usize {
    let mut at = container;
    while at != 0 && page.elements[at].name != "body" {
        let parent = page.elements[at].parent;
        let beside = page.blocks.iter().filter(|block| {
            page.elements[block.element].parent == parent
                && block.element != at
                && block.place.paragraph
                && block.clutter.is_none()
                && is_prose(block)
                && counts(block)
        });
        let beside: usize = beside.map(TextBlock::length).sum();
        if beside * 20 < weights[at] || beside == 0 {
            break;
        }
        at = parent;
    }
    at
}
