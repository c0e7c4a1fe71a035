//! Knows the class names and ids by which pages mark what stands around an article, and what holds
//! the article itself. Names are of common web systems, not of one site.

use std::sync::LazyLock;

use regex::Regex;

/// Names of what stands around an article.
static AROUND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:^|[\s_-])(?:ad|ads|adv|advert|adverts|advertisement|advertising|banner|billboard|dfp|sponsor|sponsored|promo|promos|promobox|promotion|",
        r"share|sharing|shares|sharebar|sharetools|social|socials|addthis|sharedaddy|follow|newsletter|newsletters|subscribe|subscription|signup|sign-up|paywall|",
        r"related|recommend|recommended|recommendations|recirc|recirculation|readmore|read-more|more-stories|morestories|more-on|most-read|mostread|most-popular|popular|trending|teaser|teasers|outbrain|taboola|",
        r"comment|comments|disqus|reply|replies|respond|nav|navbar|navigation|menu|submenu|breadcrumb|breadcrumbs|crumbs|sidebar|side-bar|aside|rail|right-rail|footer|foot|masthead|",
        r"cookie|cookies|consent|gdpr|modal|popup|overlay|lightbox|toolbar|tools|widget|widgets|toc|tags|tag-list|taglist|topics|keywords|meta|metadata|byline|bylines|author|authors|author-bio|bio|dateline|timestamp|date|pubdate|published|",
        r"caption|captions|credit|credits|copyright|photo-credit|gallery|slideshow|carousel|video-player|player|infobox|factbox|print|printable|skip|screen-reader-text|sr-only|visually-hidden|hidden|hide|noprint|pagination|pager|login|register|search|jump|correction|disclaimer|donate|donation|poll|quiz|livestream|ticker|marketing|upsell|kicker|eyebrow|rubric|category|categories|breaking)(?:$|[\s_-])",
        r"|(?:newsletter|relatedcontent|related-?(?:articles?|stories|posts|news|links)|article-?(?:footer|tags|share|meta|byline|author|date|info)|post-?(?:meta|footer|tags|share)|entry-?(?:meta|footer)|share-?(?:buttons?|bar|tools|links)|social-?(?:share|links|media|icons)|recommend|outbrain|taboola|advert|comments?-?(?:section|list|area|wrap)|byline|caption|cookie|subscribe|promo-|-promo|paywall)",
    ))
    .ok()
});

/// Names of what holds the body of an article.
static BODY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"articlebody|article[_-]*(?:body|text|content|wrap(?:per)?|main|paragraphs?)|(?:story|post|entry|news|content|main|page|detail|text|single|blog)[_-]*(?:body|text|content|article|story)|",
        r"(?:^|\s)(?:article|story|post|entry|content__body|body-content|rich-?text|wysiwyg|prose|articlecontent|news_text|text_block|b-text)(?:$|\s)",
    ))
    .ok()
});

/// Names of parts of an article as well as of what stands around one.
static EITHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[_-])(?:paywall|teasers?|read-?more|repl(?:y|ies)|premium|metered|subscriber)(?:$|[_-])").ok()
});

/// Names of what readers wrote.
static COMMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:comments?|commentlist|comment-?(?:list|body|content|text|thread|section|area|wrap(?:per)?)|comments-?(?:list|area|section|wrap(?:per)?|container)|disqus_thread|respond)$").ok()
});

/// Names of what holds a post of another site.
static EMBED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[\s_-])(?:embed(?:s|ded)?|tweet|twitter-tweet|instagram-media|fb-post)(?:$|[\s_-])",
    )
    .ok()
});

/// Whether the marks of an element say that it holds a post of another site.
pub(super) fn is_embed(marks: &str) -> bool {
    EMBED.as_ref().is_some_and(|regex| regex.is_match(marks))
}

/// Whether a name among the marks may be that of a part of an article as well.
pub(super) fn is_either(marks: &str) -> bool {
    let matches = |name: &str| EITHER.as_ref().is_some_and(|regex| regex.is_match(name));
    marks.split_whitespace().any(matches)
}

/// Whether the marks of an element say that readers wrote what is in it.
pub(super) fn is_comments(marks: &str) -> bool {
    let matches = |name: &str| COMMENTS.as_ref().is_some_and(|regex| regex.is_match(name));
    marks.split_whitespace().any(matches)
}

/// Whether the marks of an element say that it stands around an article. Names that say what a page
/// has (`has-sidebar`) speak of its layout.
pub(super) fn is_around(marks: &str) -> bool {
    let layout = |name: &str| {
        ["has-", "with-", "no-", "is-"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let matches = |name: &str| AROUND.as_ref().is_some_and(|regex| regex.is_match(name));
    marks
        .split_whitespace()
        .any(|name| !layout(name) && !is_either(name) && matches(name))
        && !is_body(marks)
}

/// Whether the marks of an element say that it holds the body of an article.
pub(super) fn is_body(marks: &str) -> bool {
    !marks.is_empty() && BODY.as_ref().is_some_and(|regex| regex.is_match(marks))
}
