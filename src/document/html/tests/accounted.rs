//! Nothing is lost in silence: every word that a page shows is in the headline, in a paragraph or in
//! what was left out, once; and nothing else is.
//!
//! The pages are generated, each from a number, so that the generator itself knows which of their words
//! are shown. `NEWSML_GENERATED=20000 cargo test --lib accounted` tries 20,000 of them, and
//! `NEWSML_PAGES=folder cargo test --lib accounted -- --ignored` the pages of a folder.

use std::collections::HashMap;

use super::super::dom::{self, Data};
use super::super::{Cleaning, Document, document, tree};

/// Pages tried by default.
const PAGES: u64 = 400;

/// What pages are made of: block elements, inline elements, class names, and texts of each kind of clutter.
const BLOCKS: &[&str] = &[
    "div",
    "div",
    "div",
    "p",
    "p",
    "p",
    "section",
    "article",
    "main",
    "aside",
    "footer",
    "header",
    "nav",
    "h1",
    "h2",
    "h3",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "tr",
    "td",
    "th",
    "tbody",
    "caption",
    "blockquote",
    "figure",
    "figcaption",
    "pre",
    "form",
    "fieldset",
    "legend",
    "details",
    "summary",
    "dialog",
    "center",
    "address",
    "x-promo",
    "label",
    "button",
    "select",
    "option",
    "menu",
    "search",
    "hgroup",
];
const INLINE: &[&str] = &[
    "a href=/x",
    "a href=/x",
    "a",
    "b",
    "i",
    "em",
    "strong",
    "span",
    "small",
    "time",
    "code",
    "mark",
    "q",
    "font",
    "u",
    "abbr",
    "nobr",
    "bdi dir=rtl",
    "ins",
    "cite",
];
const MARKS: &[&str] = &[
    "",
    "",
    "",
    "",
    "",
    "",
    "class=share",
    "class=comments",
    "id=comments",
    "class='related posts'",
    "class=caption",
    "class=sr-only",
    "class=hidden",
    "class='hidden md:block'",
    "class=paywall",
    "class=teaser-content",
    "class=article-body",
    "class=social-embed",
    "class=cookie-consent",
    "role=navigation",
    "aria-hidden=true",
    "hidden",
    "style='display:none'",
    "style=color:red",
    "itemprop=articleBody",
    "class=byline",
    "class=page-ad-margins",
    "class=ticker",
    "id=main",
];
const TEXTS: &[&str] = &[
    "# #",
    "#",
    "# was closed on Monday after divers had found cracks in the piles, said the office of #.",
    "The harbour office of # opened the new quay, and boats will leave for # from next week on.",
    "В порту # во вторник закрыли два причала, сообщила администрация города #.",
    "أغلقت سلطة الميناء # يوم الثلاثاء رصيفين من الأرصفة الأربعة بعد العثور على شقوق #.",
    "We and our # partners store and access information on a device, such as cookies.",
    "Related: # opens",
    "Read more",
    "Comments",
    "By # Vale",
    "May 4, 2026",
    "Photo: #/Reuters",
    "All rights reserved. #",
    "Sign up for our newsletter # today",
    "Health",
    "12 # 34",
    "#: #",
    "&laquo;#&raquo; &amp; #",
    "About #",
    "https://example.org/#",
    "— # (@#)",
];

/// A page in the making.
struct Maker {
    seed: u64,
    words: usize,
    source: String,
    shown: Vec<String>,
    /// Words of scripts, comments and the like.
    mute: Vec<String>,
}

impl Maker {
    fn page(seed: u64) -> Self {
        let mut maker = Self {
            seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            words: 0,
            source: String::new(),
            shown: Vec::new(),
            mute: Vec::new(),
        };
        maker.head();
        for _ in 0..=maker.below(6) {
            maker.element(0);
        }
        for end in ["</body>", "</html>"] {
            if maker.below(2) == 0 {
                maker.source.push_str(end);
            }
        }
        if maker.below(8) == 0 {
            maker.text(TEXTS);
        }
        maker
    }

    /// A number below `limit` (xorshift).
    fn below(&mut self, limit: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) as usize % limit
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// A word that no other text of the page has.
    fn word(&mut self) -> String {
        self.words += 1;
        format!("word{}x", self.words)
    }

    fn muted(&mut self) -> String {
        let word = self.word();
        self.mute.push(word.clone());
        word
    }

    fn text(&mut self, of: &[&str]) {
        let text = self.one(of);
        self.source.push(' ');
        for (number, part) in text.split('#').enumerate() {
            if number > 0 {
                let word = self.word();
                self.source.push_str(&word);
                self.shown.push(word);
            }
            self.source.push_str(part);
        }
        self.source.push(' ');
    }

    fn head(&mut self) {
        for part in [
            "<!DOCTYPE html>",
            "<html>",
            "<head>",
            "<meta charset=utf-8>",
        ] {
            if self.below(4) > 0 {
                self.source.push_str(part);
            }
        }
        if self.below(3) > 0 {
            self.source
                .push_str("<title>New quay opens in Skarn | Coast Daily</title>");
        }
        let muted = self.muted();
        match self.below(4) {
            0 => self
                .source
                .push_str("<meta property=og:title content='New quay opens in Skarn'>"),
            1 => self
                .source
                .push_str(&format!("<script>var x = '<p>{muted}</p>';</script>")),
            2 => self
                .source
                .push_str(&format!("<style>.x {{ content: '{muted}' }}</style>")),
            _ => {}
        }
        for part in ["</head>", "<body>"] {
            if self.below(4) > 0 {
                self.source.push_str(part);
            }
        }
    }

    fn element(&mut self, depth: usize) {
        match self.below(14) {
            0 => return self.unseen(),
            1 => return self.source.push_str("<br>"),
            2 => return self.source.push_str("<hr>"),
            3 => return self.source.push_str("<img src=a.jpg alt='A picture'>"),
            _ => {}
        }
        let of = if self.below(4) == 0 { INLINE } else { BLOCKS };
        let tag = self.one(of);
        let marks = self.one(MARKS);
        self.source.push_str(&format!("<{tag} {marks}>"));
        for _ in 0..=self.below(3) {
            if depth < 9 && self.below(3) > 0 {
                self.element(depth + 1);
            } else {
                self.text(TEXTS);
            }
            if self.below(3) == 0 {
                self.source.push('\n');
            }
        }
        let name = tag.split(' ').next().unwrap_or(tag);
        // Ends are left out, and wrong.
        match self.below(12) {
            0 => {}
            1 => {
                let other = self.one(BLOCKS);
                self.source.push_str(&format!("</{other}>"));
            }
            _ => self.source.push_str(&format!("</{name}>")),
        }
    }

    /// What is no text of a page.
    fn unseen(&mut self) {
        let word = self.muted();
        let text = format!("<p>{word} was closed on Monday, said the office of Skarn later.</p>");
        let piece = match self.below(7) {
            0 => format!("<script>document.write('{text}')</script>"),
            1 => format!("<style>/* {text} */</style>"),
            2 => format!("<template><div>{text}</div></template>"),
            3 => format!("<!-- {text} -->"),
            4 => format!("<iframe src=x>{text}</iframe>"),
            5 => format!("<script type=application/json>{{\"x\": \"{word}\"}}</script>"),
            _ => format!("<img alt='{word}'><input value={word}>"),
        };
        self.source.push_str(&piece);
    }
}

/// How often each word stands in what was read of a page.
fn accounted(document: &Document) -> HashMap<&str, usize> {
    let left = document.left_out().iter().map(|left| left.text.as_str());
    let mut found = HashMap::new();
    for text in left.chain([document.text()]) {
        for word in words(text) {
            *found.entry(word).or_default() += 1;
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[test]
fn every_word_that_a_page_shows_is_accounted_for() {
    let pages = std::env::var("NEWSML_GENERATED").ok();
    let pages = pages.and_then(|pages| pages.parse().ok()).unwrap_or(PAGES);
    for seed in 0..pages {
        let page = Maker::page(seed);
        for cleaning in [Cleaning::Article, Cleaning::Raw] {
            let read = match document("page".to_owned(), &page.source, cleaning) {
                Ok(read) => read,
                Err(error) => {
                    assert_eq!(error.kind(), "empty", "page {seed}");
                    let blocks = tree::parse(&page.source).blocks;
                    let is_hidden = blocks.iter().all(|block| block.place.hidden.is_some());
                    assert!(is_hidden, "page {seed}\n{}", page.source);
                    continue;
                }
            };
            let found = accounted(&read);
            for word in &page.shown {
                let count = found.get(word.as_str()).copied().unwrap_or(0);
                assert_eq!(
                    count, 1,
                    "{word} of page {seed} ({cleaning:?})\n{}",
                    page.source
                );
            }
            for word in &page.mute {
                let is_found = found.contains_key(word.as_str());
                assert!(
                    !is_found,
                    "{word} of page {seed} ({cleaning:?})\n{}",
                    page.source
                );
            }
        }
    }
}

/// The letters of the text nodes of a page that are shown, whatever style sheets do.
fn shown(source: &str) -> HashMap<char, usize> {
    const MUTE: &[&str] = &[
        "script", "style", "template", "noscript", "iframe", "noembed", "noframes", "title",
    ];
    let nodes = dom::parse(source);
    let mut found = HashMap::new();
    let mut open = vec![0];
    while let Some(node) = open.pop() {
        match &nodes[node].data {
            Data::Text(text) => letters(text, &mut found),
            Data::Element(element) if MUTE.contains(&&*element.name.local) => {}
            Data::None if node != 0 => {}
            _ => open.extend(&nodes[node].children),
        }
    }
    found
}

fn letters(text: &str, found: &mut HashMap<char, usize>) {
    for letter in text.chars().filter(|c| c.is_alphabetic()) {
        *found.entry(letter).or_default() += 1;
    }
}

#[test]
#[ignore = "reads the pages of the folder that NEWSML_PAGES names"]
fn every_letter_of_the_pages_of_a_folder_is_accounted_for() -> std::io::Result<()> {
    let Ok(folder) = std::env::var("NEWSML_PAGES") else {
        return Ok(());
    };
    let mut pages = 0;
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "html") {
            continue;
        }
        let bytes = std::fs::read(&path)?;
        let source = String::from_utf8_lossy(&bytes);
        let Ok(read) = document("page".to_owned(), &source, Cleaning::Article) else {
            continue;
        };
        let mut found = HashMap::new();
        letters(read.text(), &mut found);
        for left in read.left_out() {
            letters(&left.text, &mut found);
        }
        // What the headline says needs no saying again.
        for block in tree::parse(&source).blocks {
            if Some(block.text.as_str()) == read.title() {
                letters(&block.text, &mut found);
            }
        }
        for (letter, count) in shown(&source) {
            let known = found.get(&letter).copied().unwrap_or(0);
            assert!(
                known >= count,
                "{}: {letter} {known} {count}",
                path.display()
            );
        }
        pages += 1;
    }
    assert!(pages > 0, "no pages");
    Ok(())
}
