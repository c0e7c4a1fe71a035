//! Kinds of files that once lost text: what is read of each.

use super::super::*;
use super::read;
use crate::error::Error;

fn document(source: &str, format: Format) -> Result<Document> {
    documents(source, format)?
        .into_iter()
        .next()
        .ok_or(Error::Cancelled)
}

fn documents(source: &str, format: Format) -> Result<Vec<Document>> {
    let options = ReadOptions {
        format: Some(format),
        ..ReadOptions::default()
    };
    read(source.as_bytes(), &options)?
        .into_iter()
        .map(|item| item.map_err(Error::from))
        .collect()
}

fn blocks(document: &Document) -> Vec<&str> {
    let all = document.blocks().iter();
    all.map(|block| document.block_text(block)).collect()
}

const FIRST: &str =
    "The harbour office of Skarn opened the new ferry quay to the public on Monday morning.";
const LAST: &str =
    "The first boats will leave for the islands at the end of next week, the office said later.";

/// A page whose article is two paragraphs with something between them.
fn page(between: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><title>New quay opens in Skarn</title></head><body><nav><a href=/>Home</a></nav>\
         <article><h1>New quay opens in Skarn</h1><p>{FIRST}</p>{between}<p>{LAST}</p></article></body></html>"
    )
}

/// Checks what is read between the two paragraphs.
fn check_between(cases: &[(&str, &[&str])]) -> Result<()> {
    let mut wrong = Vec::new();
    for (between, expected) in cases {
        let document = document(&page(between), Format::Html)?;
        let found = blocks(&document);
        let whole: Vec<&str> =
            [&["New quay opens in Skarn", FIRST][..], expected, &[LAST]].concat();
        if found != whole {
            wrong.push(format!("{between}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_page_without_the_end_of_its_head_is_read() -> Result<()> {
    for head in [
        "<head><title>New quay</title><body>",
        "<title>New quay</title>",
        "<head><meta charset=utf-8><title>New quay</title>",
    ] {
        let source = format!("<!DOCTYPE html>{head}<p>{FIRST}<p>{LAST}");
        let document = document(&source, Format::Html)?;
        assert_eq!(blocks(&document), ["New quay", FIRST, LAST], "{head}");
    }
    Ok(())
}

#[test]
fn what_stands_between_paragraphs_is_the_articles() -> Result<()> {
    check_between(&[
        (
            "<ul><li>Health</li><li>Sport</li></ul>",
            &["Health", "Sport"],
        ),
        ("<h2>Weather</h2>", &["Weather"]),
        ("<h2>الصحة</h2>", &["الصحة"]),
        ("<p>Наука</p>", &["Наука"]),
        (
            "<table><tr><th>Pier<th>Built<tr><td>North<td>1988</table>",
            &["Pier", "Built", "North", "1988"],
        ),
        (
            "<figure><table><tr><td>Pier 2<td>open</table><figcaption>Piers</figcaption></figure>",
            &["Pier 2", "open"],
        ),
        (
            "<figure><blockquote><p>Use the northern quay tonight.</p></blockquote></figure>",
            &["Use the northern quay tonight."],
        ),
        (
            "<p aria-hidden=true>It has room for forty boats of all sizes.</p>",
            &["It has room for forty boats of all sizes."],
        ),
    ])
}

#[test]
fn names_of_layout_and_columns_say_nothing_of_the_article() -> Result<()> {
    let body = page("").replace(
        "<article>",
        "<div class='page-ad-margins paywall'><article>",
    );
    let found = document(&body, Format::Html)?;
    assert_eq!(blocks(&found), ["New quay opens in Skarn", FIRST, LAST]);
    check_between(&[
        (
            "<table><tr><th class=ticker>Pier<th>Day<tr><td class=ticker><a href=/n>North</a><td>May 4, 2026</table>",
            &["Pier", "Day", "North", "May 4, 2026"],
        ),
        (
            "<port-promo><div>The council meets on Monday to talk about the price of tickets.</div></port-promo>",
            &[],
        ),
    ])
}

#[test]
fn lines_of_the_column_are_the_articles_wherever_they_stand() -> Result<()> {
    let short = |text: &str| format!("<p>{text}</p>");
    let body = format!(
        "<p>SKARN, COAST</p><p>{FIRST}</p><p>It is open.</p><p>{LAST}</p><p>Provided by the harbour office</p>"
    );
    let source = page("")
        .replace(&format!("<p>{FIRST}</p>"), &body)
        .replace(&short(LAST), "");
    let found = document(&source, Format::Html)?;
    assert_eq!(
        blocks(&found)[1..],
        [
            "SKARN, COAST",
            FIRST,
            "It is open.",
            "Provided by the harbour office"
        ]
    );
    let source = format!("<title>New quay</title><p>{FIRST}</p><p>The vote was at nine.</p>");
    let found = document(&source, Format::Html)?;
    assert_eq!(blocks(&found), ["New quay", FIRST, "The vote was at nine."]);
    Ok(())
}

#[test]
fn paragraphs_beside_what_holds_most_of_the_article_are_read() -> Result<()> {
    let source = format!(
        "<title>New quay</title><div><p>{FIRST}</p><div class=article-body><p>{LAST}</p><p>{LAST} {LAST}</p></div>\
         <p>{FIRST} {LAST}</p></div>"
    );
    let found = document(&source, Format::Html)?;
    let all = format!("{FIRST} {LAST}");
    let two = format!("{LAST} {LAST}");
    assert_eq!(blocks(&found), ["New quay", FIRST, LAST, &two, &all]);
    Ok(())
}

#[test]
fn headings_with_links_and_posts_are_the_articles() -> Result<()> {
    check_between(&[
        (
            "<h3><a href=/p>1. The north pier</a></h3><p>It was built in 1961 and has room for forty boats.</p>",
            &[
                "1. The north pier",
                "It was built in 1961 and has room for forty boats.",
            ],
        ),
        (
            "<div class=social-media-embed><blockquote><p>Use the northern quay tonight.</p>\
             — Harbour (@skarn) <a href=/t>May 4, 2026, at nine in the evening</a></blockquote></div>",
            &[
                "Use the northern quay tonight.",
                "— Harbour (@skarn) May 4, 2026, at nine in the evening",
            ],
        ),
        (
            "<p>Their pages are here.</p><p><a href=/x>https://example.org/quay</a></p>",
            &["Their pages are here.", "https://example.org/quay"],
        ),
        (
            "<div><img src=a.jpg> The quay at night, from above</div>",
            &[],
        ),
        (
            "<p>Related</p><h2>What comes next</h2><ul><li>A ferry on Friday</ul>",
            &["What comes next", "A ferry on Friday"],
        ),
        (
            "<p>What to read:</p><ul><li><h3><a href=/a>Ferry line opens after a delay</a></h3></ul>",
            &["What to read:"],
        ),
    ])
}

#[test]
fn what_follows_an_article_in_other_elements_is_left_out() -> Result<()> {
    for end in [
        "<ul><li><a href=/a>Ferry line opens</a> Coast Daily<li><a href=/b>Bridge is closed</a> Coast Daily\
         <li><a href=/c>Snow is coming</a> Coast Daily</ul>",
        "<div><h2>Readers</h2><div><div>I was there and it was far too loud for me and for my dog.</div>\
         <div>We waited for this for more than nine years, and now it is here.</div></div></div>",
    ] {
        let source = page(&format!("<p>{LAST}</p><p>{FIRST} {LAST}</p>"))
            .replace("</article>", &format!("{end}</article>"));
        let found = document(&source, Format::Html)?;
        let all = format!("{FIRST} {LAST}");
        assert_eq!(
            blocks(&found),
            ["New quay opens in Skarn", FIRST, LAST, &all, LAST],
            "{end}"
        );
        assert!(found.left_out().len() >= 3);
    }
    Ok(())
}

#[test]
fn what_a_press_release_says_of_its_publisher_is_left_out() -> Result<()> {
    let between = format!("<p>{LAST}</p>").repeat(4);
    let source = page(&between).replace(
        "</article>",
        "<hr><p>Skarn Ports is a leading builder of quays and piers on all northern coasts.</p></article>",
    );
    let found = document(&source, Format::Html)?;
    assert_eq!(blocks(&found).len(), 7);
    assert_eq!(
        found.left_out().last().map(|left| left.reason),
        Some(Reason::Around)
    );
    Ok(())
}

#[test]
fn a_body_that_only_machines_read_is_taken_where_the_page_has_none() -> Result<()> {
    let head = "<!DOCTYPE html><head><title>New quay</title>";
    let data = |body: &str| {
        format!(
            "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{body}\"}}</script>"
        )
    };
    let told = data(&format!("{FIRST}\\n\\n{LAST}\\n{FIRST}"));
    let empty = "<body><nav><a href=/>Home</a></nav><div id=root>Please enable JavaScript.</div>";
    let unscripted = format!("<noscript><p>{FIRST}</p><p>{LAST}</p><p>{FIRST}</p></noscript>");
    for source in [
        format!("{head}{told}</head>{empty}"),
        format!("{head}</head>{empty}{unscripted}"),
    ] {
        let found = document(&source, Format::Html)?;
        assert_eq!(blocks(&found), ["New quay", FIRST, LAST, FIRST], "{source}");
    }
    // Where the page shows its article, nothing is taken from elsewhere.
    let source = page("").replace("</head>", &format!("{told}</head>"));
    let found = document(&source, Format::Html)?;
    assert_eq!(blocks(&found), ["New quay opens in Skarn", FIRST, LAST]);
    Ok(())
}

#[test]
fn a_pasted_dialog_goes_with_its_buttons() -> Result<()> {
    for (dialog, rest) in [
        (
            "We value your privacy\nYou may click to consent to this, or refuse, as you like.\nMORE OPTIONS\nAGREE",
            ["New quay opens in Skarn", FIRST, LAST],
        ),
        (
            "Мы ценим вашу конфиденциальность\nБольше вариантов\nСогласен",
            ["New quay opens in Skarn", FIRST, LAST],
        ),
        (
            "نحن نقدر خصوصيتك\nخيارات أخرى\nأوافق",
            ["New quay opens in Skarn", FIRST, LAST],
        ),
    ] {
        let source = format!("{dialog}\n{}", rest.join("\n"));
        let found = document(&source, Format::Text)?;
        assert_eq!(blocks(&found), rest, "{dialog}");
        assert!(
            found
                .left_out()
                .iter()
                .all(|left| left.reason == Reason::Consent)
        );
    }
    Ok(())
}

#[test]
fn what_is_not_shown_is_left_out_and_said_to_be() -> Result<()> {
    for hidden in [
        "<p style='display:/**/NONE'>X is here, and nobody sees it at all.</p>",
        "<p hidden>X is here, and nobody sees it at all.</p>",
        "<div class=visually-hidden><p>X is here, and nobody sees it at all.</p></div>",
        "<p style='position:absolute;left:-9999px'>X is here, and nobody sees it at all.</p>",
        "<p style='font-size:0'>X is here, and nobody sees it at all.</p>",
    ] {
        let document = document(&page(hidden), Format::Html)?;
        assert!(!document.text().contains('X'), "{hidden}");
        let left = document
            .left_out()
            .iter()
            .find(|left| left.text.contains('X'));
        assert_eq!(
            left.map(|left| left.reason),
            Some(Reason::Hidden),
            "{hidden}"
        );
    }
    Ok(())
}

#[test]
fn a_headline_that_only_machines_read_is_not_believed() -> Result<()> {
    let data = r#"<script type="application/ld+json">{"@type":"NewsArticle","headline":"Mayor arrested for theft"}</script>"#;
    let source = page("").replace("</head>", &format!("{data}</head>"));
    assert_eq!(
        document(&source, Format::Html)?.title(),
        Some("New quay opens in Skarn")
    );
    Ok(())
}

#[test]
fn raised_and_lowered_figures_are_no_digits_of_a_number() -> Result<()> {
    check_between(&[
        (
            "<p>It rose to 412<sup>1</sup> of 10<sup>6</sup> boats, and CO<sub>2</sub> fell.</p>",
            &["It rose to 412¹ of 10⁶ boats, and CO₂ fell."],
        ),
        (
            "<p>The 21<sup>st</sup> boat, says the note<sup><a href=#n>3</a></sup> below.</p>",
            &["The 21st boat, says the note³ below."],
        ),
    ])
}

/// Every word that a page shows is in the headline, in a paragraph or in what was left out.
#[test]
fn no_word_of_a_page_is_unaccounted_for() -> Result<()> {
    let parts = [
        "<nav>alpha <a href=#>beta</a></nav>",
        "<p>gamma delta</p>",
        "<div>epsilon<button>zeta</button> eta</div>",
        "<p>theta <span hidden>iota</span> kappa</p>",
        "<aside>lambda</aside>",
        "<footer>mu</footer>",
        "<ul><li>nu<li>xi</ul>",
        "<table>omicron<tr><td>pi</table>",
        "<b><p>rho </b>sigma</p>",
        "<figure>tau<figcaption>upsilon</figcaption></figure>",
        "<form><label>phi</label></form>",
        "<h1>chi</h1>",
        "<header>psi</header>",
        "<details><summary>omega</summary>one</details>",
    ];
    let long = format!("<p>{FIRST}</p><p>{LAST}</p>");
    for turn in 0..parts.len() {
        let mut rotated = parts;
        rotated.rotate_left(turn);
        for article in ["", long.as_str()] {
            let (before, after) = rotated.split_at(7);
            let source = format!("<html><body>{}{article}{}", before.concat(), after.concat());
            let document = document(&source, Format::Html)?;
            let mut found = document.text().to_owned();
            for left in document.left_out() {
                found.push(' ');
                found.push_str(&left.text);
            }
            for word in [
                "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota",
                "kappa", "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau",
                "upsilon", "phi", "chi", "psi", "omega", "one",
            ] {
                let is_there = found
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|known| known == word);
                assert!(is_there, "{word} of {source}");
            }
        }
    }
    Ok(())
}

#[test]
fn short_sentences_of_a_text_without_a_page_around_it_stay() -> Result<()> {
    let text = format!(
        "Quake near Averne\n\nStrong quake.\n\nNo casualties.\n\n{FIRST}\n\nSchools closed.\n"
    );
    let document = document(&text, Format::Text)?;
    assert_eq!(
        blocks(&document),
        [
            "Quake near Averne",
            "Strong quake.",
            "No casualties.",
            FIRST,
            "Schools closed."
        ]
    );
    assert_eq!(document.left_out(), []);
    Ok(())
}

#[test]
fn fields_and_columns_are_articles_and_not_cleaned() -> Result<()> {
    let text = format!("No casualties.\\n\\n{FIRST}\\n\\nShare\\n\\nYes.");
    let line = format!("{{\"text\": \"{text}\"}}\n");
    let expected = ["No casualties.", FIRST, "Share", "Yes."];
    assert_eq!(blocks(&document(&line, Format::JsonLines)?), expected);
    let cleaned = ReadOptions {
        format: Some(Format::JsonLines),
        cleaning: Cleaning::Fields,
        ..ReadOptions::default()
    };
    for item in read(line.as_bytes(), &cleaned)? {
        let document = item.map_err(Error::from)?;
        assert!(!document.text().contains("Share"), "{}", document.text());
    }
    let table = format!("text\n\"No casualties.\n\n{FIRST}\n second line\"\n");
    let document = document(&table, Format::Csv)?;
    assert!(
        document.text().contains("second line"),
        "{}",
        document.text()
    );
    Ok(())
}

#[test]
fn a_cell_goes_on_after_its_closing_mark() -> Result<()> {
    let source = "id,title,text\n1,A title,\"The bridge, they said, is open\"today.\n2,B,\"He said \"no\" twice.\"\n";
    let documents = documents(source, Format::Csv)?;
    let texts: Vec<&str> = documents.iter().map(Document::body).collect();
    assert_eq!(
        texts,
        [
            "The bridge, they said, is opentoday.",
            "He said no\" twice.\""
        ]
    );
    let again: String = documents.iter().map(Document::to_source).collect();
    assert_eq!(again, source);
    Ok(())
}

#[test]
fn the_first_line_of_a_table_may_name_its_delimiter() -> Result<()> {
    for (line, delimiter) in [("sep=;", ';'), ("\"sep=|\"", '|'), ("sep=,\r", ',')] {
        let row = |cells: [&str; 2]| cells.join(&delimiter.to_string());
        let source = format!(
            "{line}\n{}\n{}\n",
            row(["id", "text"]),
            row(["1", "The bridge is open."])
        );
        let document = document(&source, Format::Csv)?;
        assert_eq!(document.text(), "The bridge is open.", "{line}");
        assert_eq!(document.to_source(), source);
    }
    Ok(())
}

#[test]
fn lines_of_a_cue_below_an_empty_one_are_the_cues() -> Result<()> {
    let source = "1\n00:00:01,000 --> 00:00:02,000\nThe quay was quiet.\n\nNobody saw the boat.\n\n2\n00:00:03,000 --> 00:00:04,000\n \n1999\n\n3\n00:00:05,000 --> 00:00:06,000\nIt was gone.\n";
    let document = document(source, Format::Srt)?;
    assert_eq!(
        blocks(&document),
        [
            "The quay was quiet.",
            "Nobody saw the boat.",
            "1999 It was gone."
        ]
    );
    assert_eq!(document.to_source(), source);
    Ok(())
}

#[test]
fn sounds_songs_titles_and_speakers_are_texts_of_their_own() -> Result<()> {
    let cue = |number: usize, text: &str| {
        format!("{number}\n00:00:{number:02},000 --> 00:00:{number:02},900\n{text}\n\n")
    };
    let lines = [
        "[door closes]",
        "Good morning to all of you",
        "in the harbour.",
        "PORT LINDEN, 1961",
        "The first boat arrives",
        "♪ Hold the rope ♪",
        "Who is singing",
        "(sighs)",
        "Мария: Кто там?",
        "Иван: Это я.",
    ];
    let source: String = lines
        .iter()
        .enumerate()
        .map(|(at, line)| cue(at + 1, line))
        .collect();
    let document = document(&source, Format::Srt)?;
    assert_eq!(
        blocks(&document),
        [
            "[door closes]",
            "Good morning to all of you in the harbour.",
            "PORT LINDEN, 1961",
            "The first boat arrives",
            "Hold the rope",
            "Who is singing",
            "(sighs)",
            "Мария: Кто там?",
            "Иван: Это я.",
        ]
    );
    assert_eq!(document.to_source(), source);
    Ok(())
}

#[test]
fn lines_of_captions_that_roll_are_read_one_by_one() -> Result<()> {
    let source = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n \nThe<00:00:01.200><c> council</c><00:00:01.500><c> met</c>\n\n\
                  00:00:02.000 --> 00:00:02.010\nThe council met\n \n\n\
                  00:00:02.010 --> 00:00:03.000\nThe council met\nand<00:00:02.300><c> closed</c>\n\n\
                  00:00:03.000 --> 00:00:03.010\nand closed\n \n";
    let document = document(source, Format::WebVtt)?;
    assert_eq!(
        blocks(&document),
        [
            "The council met",
            "The council met",
            "The council met",
            "and closed",
            "and closed"
        ]
    );
    assert_eq!(document.to_source(), source);
    Ok(())
}

/// The text of a Word document with this paragraph.
fn word(paragraph: &str, files: &[(&str, &str)]) -> Result<String> {
    use std::io::Write as _;
    let body = format!("<w:document><w:body><w:p>{paragraph}</w:p></w:body></w:document>");
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let main = if files.is_empty() {
        "word/document.xml"
    } else {
        "word/document2.xml"
    };
    for (name, content) in files.iter().chain(&[(main, body.as_str())]) {
        let options = zip::write::SimpleFileOptions::default();
        assert!(
            out.start_file(*name, options).is_ok() && out.write_all(content.as_bytes()).is_ok()
        );
    }
    let bytes = out
        .finish()
        .map(std::io::Cursor::into_inner)
        .unwrap_or_default();
    let options = ReadOptions::default();
    let item = read(&bytes, &options)?
        .into_iter()
        .next()
        .ok_or(Error::Cancelled)?;
    Ok(item.map_err(Error::from)?.text().to_owned())
}

#[test]
fn what_word_writes_as_elements_is_text() -> Result<()> {
    let raised = "<w:rPr><w:vertAlign w:val=\"superscript\"/></w:rPr>";
    for (paragraph, expected) in [
        (
            "<w:r><w:t>1</w:t><w:noBreakHyphen/><w:t>24 hours</w:t></w:r>".to_owned(),
            "1\u{2011}24 hours",
        ),
        (
            "<w:r><w:t>40</w:t><w:sym w:font=\"Symbol\" w:char=\"F0B0\"/></w:r>".to_owned(),
            "40°",
        ),
        (
            format!("<w:r><w:t>10</w:t></w:r><w:r>{raised}<w:t>6</w:t></w:r>"),
            "10⁶",
        ),
        (
            "<w:r><w:t>The<![CDATA[ bridge & pier ]]>are<!-- not --> open.</w:t></w:r>".to_owned(),
            "The bridge & pier are open.",
        ),
        (
            "<w:r><w:t>har</w:t><w:softHyphen/><w:t>bour</w:t></w:r>".to_owned(),
            "harbour",
        ),
    ] {
        assert_eq!(word(&paragraph, &[])?, expected);
    }
    Ok(())
}

#[test]
fn the_main_part_of_a_word_document_is_the_one_that_its_relationships_name() -> Result<()> {
    let relationships = r#"<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="/word/document2.xml"/></Relationships>"#;
    let found = word(
        "<w:r><w:t>The bridge is open.</w:t></w:r>",
        &[("_rels/.rels", relationships)],
    )?;
    assert_eq!(found, "The bridge is open.");
    Ok(())
}

#[test]
fn dialects_of_markdown_stay_whole() -> Result<()> {
    for (source, expected) in [
        (
            "> [!WARNING]\n> Do not walk here.\n",
            &["Do not walk here."][..],
        ),
        (
            ":::note Please read this\nTwo piers are closed.\n:::\n",
            &["Please read this", "Two piers are closed."],
        ),
        (
            ":::{.callout}\n\nThe pier is closed.\n\n:::\n",
            &["The pier is closed."],
        ),
        (
            "!!! note \"Read this\"\n    The pier is closed.\n",
            &["Read this\"", "The pier is closed."],
        ),
        (
            "{{< figure src=\"a.jpg\" caption=\"Night\" >}}\n\nThe pier.\n\n{% include \"map.html\" %}\n",
            &["The pier."],
        ),
        (
            "## The pier {#pier}\n\nIt is closed.\n",
            &["The pier", "It is closed."],
        ),
        (
            "The pier {#pier}\n--------\n\nIt is {#really} closed.\n",
            &["The pier", "It is {#really} closed."],
        ),
        ("- [ ] \\\n\t---\n\nIt is closed.\n", &["It is closed."]),
        ("Term\n: What it means.\n", &["Term", "What it means."]),
        (
            "It costs $5 and $6, or $5-$6.\n",
            &["It costs $5 and $6, or $5-$6."],
        ),
    ] {
        let document = document(source, Format::Markdown)?;
        assert_eq!(blocks(&document), expected, "{source}");
        assert_eq!(document.to_source(), source);
        let segments = document.segments(Language::English);
        let other = document.replace(&segments, &vec!["Ж"; segments.len()])?;
        for kept in [
            "[!WARNING]",
            ":::note",
            ":::",
            "!!! note",
            "{{< figure src=\"a.jpg\" caption=\"Night\" >}}",
            "{% include \"map.html\" %}",
            "{#pier}",
        ] {
            assert_eq!(
                other.to_source().contains(kept),
                source.contains(kept),
                "{kept} of {source}"
            );
        }
    }
    let formula = "$$\nE = mc^2\n$$\n\nWith $m_0$ it is so.\n";
    let document = document(formula, Format::Markdown)?;
    assert_eq!(document.to_source(), formula);
    let segments = document.segments(Language::English);
    let texts: Vec<String> = segments
        .iter()
        .map(|segment| document.segment_text(segment).replace("it is so", "Ж"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert!(
        document
            .replace(&segments, &texts)?
            .to_source()
            .contains("$m_0$")
    );
    Ok(())
}

#[test]
fn markup_that_is_not_read_is_no_article() -> Result<()> {
    for source in [
        "<?xml version=\"1.0\"?><newsItem><headline>A</headline></newsItem>",
        "<rss version=\"2.0\"><channel><title>A</title></channel></rss>",
        "{\n  \"headline\": \"A bridge\"\n}\n",
        "[\n  {\"headline\": \"A bridge\"}\n]\n",
    ] {
        let found = read(source.as_bytes(), &ReadOptions::default())?;
        let is_refused = found
            .into_iter()
            .all(|item| item.is_err_and(|failure| failure.error.hint().is_some()));
        assert!(is_refused, "{source}");
    }
    for text in [
        "{name} said no.",
        "[1] A note: \"it is\"",
        "<b>Bold</b> words",
    ] {
        let found = read(text.as_bytes(), &ReadOptions::default())?;
        assert!(found.into_iter().all(|item| item.is_ok()), "{text}");
    }
    Ok(())
}

#[test]
fn a_text_that_is_a_page_or_data_is_told_by_its_content() -> Result<()> {
    let folder = tempfile::tempdir().map_err(Error::io("create", "folder"))?;
    let open = |source: &str| {
        let path = folder.path().join("page.txt");
        std::fs::write(&path, source).map_err(Error::io("write", &path))?;
        let mut documents = Documents::open(&path, &ReadOptions::default())?;
        let item = documents.next().ok_or(Error::Cancelled)?;
        item.map_err(Error::from)
    };
    let found = open(&page(""))?;
    assert_eq!(found.format(), Format::Html);
    assert_eq!(blocks(&found), ["New quay opens in Skarn", FIRST, LAST]);
    let refused = open("<?xml version=\"1.0\"?><rss><channel><title>x</title></channel></rss>");
    assert!(refused.is_err_and(|error| error.kind() == "usage"));
    for text in [
        "<b>Quay</b> is a word of two letters too many.",
        "1\n00:00 is the time.",
    ] {
        assert_eq!(open(text)?.format(), Format::Text, "{text}");
    }
    Ok(())
}

#[test]
fn fields_of_a_front_matter_that_stay_are_said() -> Result<()> {
    for (source, said) in [
        (
            "---\ntitle: The quay\nauthor: Maren Holt\ndate: 2026-05-04\ndraft: true\n---\n\nIt is open.\n",
            Some("`author`"),
        ),
        (
            "---\ntitle: The quay\nlayout: post\n---\n\nIt is open.\n",
            None,
        ),
        (
            "+++\ntitle = \"The quay\"\nlead = \"It is open now\"\n+++\n\nIt is open.\n",
            Some("`lead`"),
        ),
    ] {
        let kept = document(source, Format::Markdown)?.kept();
        assert_eq!(kept.is_some(), said.is_some(), "{source}");
        let message = kept.map(|warning| warning.message).unwrap_or_default();
        assert!(message.contains(said.unwrap_or_default()), "{message}");
    }
    Ok(())
}

#[test]
fn marks_of_direction_do_not_stay_in_text_of_the_other_direction() -> Result<()> {
    for (source, format) in [
        (
            "1\n00:00:01,000 --> 00:00:02,000\n\u{202B}مرحبا بكم في الميناء.\u{202C}\n",
            Format::Srt,
        ),
        ("\u{200F}مرحبا بكم في الميناء\u{200F}.\n", Format::Markdown),
        ("\u{202B}مرحبا بكم في الميناء.\u{202C}\n", Format::Text),
        (
            "title,text\nx,\u{200F}مرحبا بكم في الميناء.\u{200F}\n",
            Format::Csv,
        ),
        (
            "{\"text\":\"\u{200F}مرحبا بكم في الميناء.\u{200F}\"}\n",
            Format::JsonLines,
        ),
    ] {
        let document = document(source, format)?;
        let segments = document.segments(Language::Arabic);
        let mut other =
            document.replace(&segments, &vec!["Welcome to the port."; segments.len()])?;
        other.set_language(Some(Language::English));
        let written = other.to_source();
        assert!(written.contains("Welcome to the port."), "{written}");
        let is_mark = |c: char| matches!(c, '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}');
        assert!(!written.contains(is_mark), "{format}: {written:?}");
    }
    Ok(())
}
