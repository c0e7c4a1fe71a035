//! Pages written for the purpose: what is found in them, and what badly formed ones do.

mod accounted;
mod standard;

use super::super::{BlockKind, Cleaning, Document};
use super::document;
use crate::error::Result;

const PAGE: &str = r##"<!DOCTYPE html><html lang="en"><head><title>River festival returns to Alder after three years | The Alder Post</title>
<meta property="article:published_time" content="2024-05-12T10:30:00Z"><meta name=author content="Jane Doe">
<script>var x = "<p>Not a paragraph of the article, whatever it looks like to a reader.</p>";</script></head><body>
<nav><ul><li><a href="/">Home</a><li><a href="/news">News</a></ul></nav>
<div class="has-sidebar page"><article><header><h1>River festival returns to Alder after three years</h1></header>
<figure><img src="x.jpg"><figcaption>A boat passes under the bridge with hundreds of lanterns on Saturday evening.</figcaption></figure>
<div class="share-buttons"><a href="#">Share</a> <a href="#">Tweet</a></div>
<div class=story-body>
<p>More than 40,000 people came to the river festival in Alder on Saturday, the&nbsp;first since <b>2021</b>&mdash;a record.
<p>&ldquo;We had forgotten how loud it is,&rdquo; said <a href="/reed">Tom Reed</a>, who rows &amp; sings.</p>
<div class="ad-slot">Advertisement</div>
<h2>What comes next</h2>
<ul><li>a concert on Friday,</li><li>a race of paper boats.</li></ul>
<blockquote>It was the best evening of the year.</blockquote>
<p style="display: none">This paragraph is hidden from all readers and does not belong here.</p>
<p>It ends on Sunday.</p>
<p><a href="/x">Ferry line to open in June after a long delay</a></p>
</div></article>
<aside><p>Subscribe to get the news from Alder every morning, free of charge, in your inbox.</p></aside></div>
<div id="comments"><p>I was there and I must say that it was far too loud for my taste, as always.</p></div>
<footer><p>&copy; 2024 The Alder Post. All rights reserved. Reproduction is not allowed anywhere.</p></footer></body></html>"##;

fn shown(document: &Document) -> Vec<(BlockKind, &str)> {
    document
        .blocks()
        .iter()
        .map(|block| (block.kind, document.block_text(block)))
        .collect()
}

#[test]
fn finds_the_article_of_a_page() -> Result<()> {
    use BlockKind::{Heading, Headline, ListItem, Paragraph};
    let document = document("page".to_owned(), PAGE, Cleaning::Article)?;
    assert_eq!(
        shown(&document),
        [
            (
                Headline,
                "River festival returns to Alder after three years"
            ),
            (
                Paragraph,
                "More than 40,000 people came to the river festival in Alder on Saturday, the\u{A0}first since 2021—a record."
            ),
            (
                Paragraph,
                "“We had forgotten how loud it is,” said Tom Reed, who rows & sings."
            ),
            (Heading, "What comes next"),
            (ListItem, "a concert on Friday,"),
            (ListItem, "a race of paper boats."),
            (Paragraph, "It was the best evening of the year."),
            (Paragraph, "It ends on Sunday."),
        ]
    );
    assert_eq!(document.byline(), Some("Jane Doe"));
    assert_eq!(document.date(), Some("2024-05-12T10:30:00Z"));
    Ok(())
}

#[test]
fn believes_what_a_page_says_of_its_body() -> Result<()> {
    let paragraph = |n: usize| {
        format!(
            "Paragraph number {n} of the article tells what happened on day {n} of the long journey."
        )
    };
    let body: String = (1..6).map(|n| paragraph(n) + " ").collect();
    let paragraphs: String = (1..6).map(|n| format!("<div>{}</div><div>Another thing that this site wants to sell to readers of page {n}, at once and cheaply.</div>", paragraph(n))).collect();
    let page = format!(
        "<html><body><h1>A journey</h1><script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"headline\":\"A journey\",\"author\":[{{\"name\":\"A. B.\"}}],\"articleBody\":\"{body}\"}}</script><div>{paragraphs}</div>"
    );
    let document = document("page".to_owned(), &page, Cleaning::Article)?;
    assert_eq!(document.blocks().len(), 6, "{:#?}", shown(&document));
    assert_eq!(
        (document.title(), document.byline()),
        (Some("A journey"), Some("A. B."))
    );
    Ok(())
}

#[test]
fn bad_pages_take_linear_time() {
    let many = 100_000;
    let text =
        "A sentence that is long enough to be taken for a paragraph of an article by itself.";
    let pages = [
        "<div>".repeat(many) + text,
        "<p><b><a href=x>".repeat(many) + text,
        "</div>".repeat(many) + text,
        format!(
            "<p>{}",
            "&amp;&lt;&#x41;&#0;&#xFFFFFFFF;&nosuch;".repeat(many)
        ),
        "<".repeat(many) + text,
        "<!--".repeat(many) + text,
        "<script>".repeat(many) + text,
        format!("<p {}>{text}", "a=b ".repeat(many)),
        format!("<p a=\"{}", "x ".repeat(many)),
        "<h1>x</h1>".repeat(many) + text,
        format!("<p>{text}</p>").repeat(many / 4),
        "<ul><li>".repeat(many) + text,
        "Comments<br><br>".repeat(many) + text,
    ];
    for page in &pages {
        let start = std::time::Instant::now();
        for cleaning in [Cleaning::Article, Cleaning::Raw] {
            let read = document("page".to_owned(), page, cleaning);
            assert!(read.is_ok() || read.is_err_and(|error| error.kind() == "empty"));
        }
        // Quadratic time would be many minutes.
        assert!(start.elapsed().as_secs() < 20, "{:?}", &page[..20]);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_as_a_page(page in "[<>/a-dp! ='\"&;#x0-9\n-]{0,120}") {
        let read = document("page".to_owned(), &page, Cleaning::Article);
        proptest::prop_assert!(read.is_ok() || read.is_err_and(|error| error.kind() == "empty"));
    }
}
