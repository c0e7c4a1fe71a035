//! Formats that are written again: what is read from each, what a translation looks like in it, and
//! that nothing changes where the text does not.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::*;
use super::read;
use crate::error::Error;

fn options(format: Format) -> ReadOptions {
    ReadOptions {
        format: Some(format),
        cleaning: Cleaning::Page,
        ..ReadOptions::default()
    }
}

fn documents(source: &str, options: &ReadOptions) -> Result<Vec<Document>> {
    read(source.as_bytes(), options)?
        .into_iter()
        .map(|item| item.map_err(Error::from))
        .collect()
}

fn first(source: &str, format: Format) -> Result<Document> {
    documents(source, &options(format))?
        .into_iter()
        .next()
        .ok_or(Error::Cancelled)
}

fn written(document: &Document) -> Result<String> {
    Ok(document.to_source())
}

fn block_texts(document: &Document) -> Vec<&str> {
    document
        .blocks()
        .iter()
        .map(|block| document.block_text(block))
        .collect()
}

/// The source after each sentence was replaced by what `translate` makes of it.
fn translated(
    document: &Document,
    glosses: &[(&str, &str)],
    translate: impl Fn(&str) -> String,
) -> Result<Document> {
    let segments = document.segments(Language::English);
    let texts: Vec<String> = segments
        .iter()
        .map(|segment| translate(document.segment_text(segment)))
        .collect();
    let glosses: HashMap<String, String> = glosses
        .iter()
        .map(|(text, gloss)| ((*text).to_owned(), (*gloss).to_owned()))
        .collect();
    document.replace_with(&segments, &texts, &glosses)
}

/// The source with one sentence of it translated, by this pair.
fn with(source: &str, format: Format, pairs: &[(&str, &str)]) -> Result<String> {
    let document = first(source, format)?;
    let document = translated(&document, pairs, |text| {
        let known = pairs.iter().find(|(source, _)| *source == text);
        known.map_or(text, |(_, target)| target).to_owned()
    })?;
    written(&document)
}

/// Checks that all documents of a source come back as they were when each sentence is replaced by
/// itself, and that any other replacing leaves documents that read as they are.
fn survives(source: &str, options: &ReadOptions) -> std::result::Result<(), TestCaseError> {
    let Ok(items) = read(source.as_bytes(), options) else {
        return Ok(());
    };
    if items.is_empty() || items.iter().any(std::result::Result::is_err) {
        return Ok(());
    }
    let mut same = String::new();
    let mut again = String::new();
    for document in items.into_iter().flatten() {
        let identity = translated(&document, &[], str::to_owned)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&identity.layout, &document.layout);
        same += &identity.to_source();
        // There and back: the layout of a translation holds as well as that of what was read.
        let other = translated(&document, &[], |text| format!("Ж {text} ж"));
        let back = other.and_then(|other| {
            let segments = other.segments_fitting(Language::English, |_| true);
            let flows = |block: &&Block| block.kind != BlockKind::Headline;
            for block in other.blocks().iter().filter(flows) {
                assert_eq!(other.block_text(block).trim(), other.block_text(block));
            }
            let texts: Vec<&str> = segments
                .iter()
                .map(|segment| other.segment_text(segment))
                .collect();
            let same = other.replace(&segments, &texts)?;
            assert_eq!(same.layout, other.layout);
            other.replace(&segments, &vec!["a < b & c | \"d\""; segments.len()])
        });
        let back = back.map_err(|error| TestCaseError::fail(error.to_string()))?;
        again += &back.to_source();
    }
    prop_assert_eq!(same, source);
    prop_assert!(!again.is_empty());
    Ok(())
}

const PAGE: &str = "\u{FEFF}<!DOCTYPE html>\r\n<html lang=en>\r\n<head><meta charset=\"utf-8\"><title>The river &amp; the town</title>\r\n\
    <meta name=description content='A flood in \"Alder\"'><script>var a = \"<p>No text</p>\";</script><style>p { color: red }</style></head>\r\n\
    <body class='x'  id=y><!-- a comment --><nav><a href=/>Home</a></nav><h1>The river rose</h1>\r\n\
    <p>The <b>river</b> rose by <a href=\"/m?a=1&amp;b=2\" title=\"How much\">two metres</a> in\r\n  one night.<br>Nobody was hurt. <img src=a.png alt='A boat'></p>\r\n\
    <p>Run <code>ls -l</code> to see <span class=\"big notranslate\">Alder News</span> files.</p><pre>left  as it is</pre>\
    <ul><li>one<li translate=no>left<li>two &lt;three&gt;</ul><p>5 < 6 &nbsp; &copy; A</p></body></html>\r\n";

#[test]
fn a_whole_page_is_read_and_written_again() -> Result<()> {
    let document = first(PAGE, Format::Html)?;
    assert_eq!(
        block_texts(&document),
        [
            "The river & the town",
            "A flood in \"Alder\"",
            "Home",
            "The river rose",
            "The river rose by two metres in one night.",
            "How much",
            "Nobody was hurt.",
            "A boat",
            "Run ls -l to see Alder News files.",
            "one",
            "two <three>",
            "5 < 6 \u{A0} © A",
        ]
    );
    assert_eq!(written(&document)?, PAGE);
    let pairs = [
        ("The river & the town", "Река & город"),
        ("A flood in \"Alder\"", "Наводнение в 'Олдере'"),
        (
            "The river rose by two metres in one night.",
            "За одну ночь река поднялась на два метра.",
        ),
        ("river", "река"),
        ("two metres", "два метра"),
        ("How much", "Насколько"),
        ("A boat", "\"Лодка\""),
        (
            "Run ls -l to see Alder News files.",
            "Чтобы увидеть файлы Alder News, выполните ls -l.",
        ),
        ("two <three>", "два <три>"),
    ];
    let page = with(PAGE, Format::Html, &pairs)?;
    for expected in [
        "<title>Река &amp; город</title>",
        "content='Наводнение в &#39;Олдере&#39;'",
        "<p>За одну ночь <b>река</b> поднялась на <a href=\"/m?a=1&amp;b=2\" title=\"Насколько\">два метра</a>.<br>Nobody was hurt. <img src=a.png alt='\"Лодка\"'></p>",
        "<p>Чтобы увидеть файлы <span class=\"big notranslate\">Alder News</span>, выполните <code>ls -l</code>.</p>",
        "<li translate=no>left<li>два &lt;три&gt;</ul>",
        "<pre>left  as it is</pre>",
        "<script>var a = \"<p>No text</p>\";</script>",
    ] {
        assert!(page.contains(expected), "{expected}\nis not in\n{page}");
    }
    Ok(())
}

#[test]
fn a_translated_page_names_its_language() -> Result<()> {
    type Case<'a> = (&'a str, Language, &'a str);
    let cases: [Case<'_>; 6] = [
        (
            "<html><p>One two.",
            Language::Arabic,
            "<html dir=\"rtl\" lang=\"ar\"><p>x",
        ),
        (
            "<html lang='en-GB' dir=\"ltr\"><body dir=ltr><p>One two.",
            Language::Arabic,
            "<html lang='ar' dir=\"rtl\"><body dir=rtl><p>x",
        ),
        (
            "<html lang=ar dir=rtl><div dir='RTL'>One two.",
            Language::English,
            "<html lang=en dir=ltr><div dir='ltr'>x",
        ),
        (
            "<HTML LANG=\"ru\"><p>One two.",
            Language::Russian,
            "<HTML LANG=\"ru\"><p>x",
        ),
        (
            "<html lang><p>One two.",
            Language::Russian,
            "<html lang=\"ru\"><p>x",
        ),
        ("<p>One two.", Language::Arabic, "<p>x"),
    ];
    for (source, language, expected) in cases {
        let mut document = translated(&first(source, Format::Html)?, &[], |_| "x".to_owned())?;
        document.set_language(Some(language));
        let found = written(&document)?;
        // The order of attributes that are added says nothing.
        let found = found.replace(
            "<html lang=\"ar\" dir=\"rtl\">",
            "<html dir=\"rtl\" lang=\"ar\">",
        );
        assert_eq!(found, expected, "{source}");
    }
    let koi = b"<html><head><meta http-equiv=Content-Type content='text/html; charset=koi8-r'></head><p>\xf2\xc5\xcb\xc1 \xd0\xcf\xc4\xce\xd1\xcc\xc1\xd3\xd8.</html>";
    let document = read(koi, &options(Format::Html))?
        .into_iter()
        .find_map(std::result::Result::ok)
        .ok_or(Error::Cancelled)?;
    assert_eq!(
        written(&document)?,
        "<html><head><meta http-equiv=Content-Type content='text/html; charset=utf-8'></head><p>Река поднялась.</html>"
    );
    Ok(())
}

#[test]
fn an_article_of_a_page_is_written_as_a_page() -> Result<()> {
    let source = "<html lang=en><head><title>The river rose by two metres</title></head><body><nav><a href=/>Home</a></nav><article><h1>The river rose by two metres</h1><p>The river rose by two metres in <b>one</b> night &amp; the next day.</p><p>Nobody was hurt in the town, as the mayor said on Monday.</p></article></body></html>";
    let options = ReadOptions {
        format: Some(Format::Html),
        ..ReadOptions::default()
    };
    let mut document = documents(source, &options)?.remove(0);
    document.set_language(Some(Language::Arabic));
    assert_eq!(
        written(&document)?,
        "<!DOCTYPE html>\n<html lang=\"ar\" dir=\"rtl\">\n<head>\n<meta charset=\"utf-8\">\n<title>The river rose by two metres</title>\n</head>\n<body>\n<article>\n<h1>The river rose by two metres</h1>\n<p>The river rose by two metres in one night &amp; the next day.</p>\n<p>Nobody was hurt in the town, as the mayor said on Monday.</p>\n</article>\n</body>\n</html>\n"
    );
    Ok(())
}

const MARKDOWN: &str = "---\r\ntitle: The river: a story\r\ndescription: \"It rose\"\r\ntags: [a, b]\r\n---\r\n\r\n# The *river* rose\r\n\r\nFirst line of a **paragraph**\r\nand its second [line](http://x.y/a_b \"T\"). Another.[^1]\r\n\r\n\
    > A quotation that goes\r\n> over two lines.\r\n\r\n- one item\r\n- [ ] another\r\n  - nested\r\n\r\n```sh\r\nrm -rf code\r\n```\r\n\r\n    indented code\r\n\r\n\
    <div>html</div>\r\n\r\n| Head | Cell |\r\n|---|:-:|\r\n| left | right |\r\n\r\n***\r\n\r\nText  \r\nafter a break, `code()` and \\*stars\\* ![a boat](b.png).\r\n\r\n[^1]: The note.\r\n\r\n[ref]: http://x.y \"Title\"\r\n";

#[test]
fn markdown_is_read_and_written_again() -> Result<()> {
    let document = first(MARKDOWN, Format::Markdown)?;
    assert_eq!(
        block_texts(&document),
        [
            "The river: a story",
            "It rose",
            "The river rose",
            "First line of a paragraph and its second line. Another.",
            "A quotation that goes over two lines.",
            "one item",
            "another",
            "nested",
            "Head",
            "Cell",
            "left",
            "right",
            "Text after a break, code() and *stars* .",
            "a boat",
            "The note.",
        ]
    );
    assert_eq!(document.title(), Some("The river: a story"));
    let pairs = [
        ("The river: a story", "Река: история"),
        ("It rose", "Она \"поднялась\""),
        ("The river rose", "Поднялась река"),
        ("river", "река"),
        (
            "First line of a paragraph and its second line.",
            "Первая строка абзаца и вторая его строка.",
        ),
        ("paragraph", "абзац"),
        ("line", "строка"),
        ("left", "a | b"),
        (
            "A quotation that goes over two lines.",
            "- Цитата в две строки.",
        ),
        ("a boat", "лодка [2]"),
        (
            "Text after a break, code() and *stars* .",
            "После разрыва code() и *звёзды* .",
        ),
    ];
    let found = with(MARKDOWN, Format::Markdown, &pairs)?;
    for expected in [
        "title: \"Река: история\"\r\ndescription: \"Она \\\"поднялась\\\"\"\r\ntags: [a, b]\r\n",
        "# Поднялась *река*\r\n",
        "Первая строка **абзаца** и вторая его [строка](http://x.y/a_b \"T\"). Another.[^1]\r\n",
        "> \\- Цитата в две строки.\r\n",
        "| a \\| b | right |\r\n",
        "![лодка \\[2\\]](b.png)",
        "`code()` и \\*звёзды\\*",
        "```sh\r\nrm -rf code\r\n```\r\n",
    ] {
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
    Ok(())
}

const SRT: &str = "1\r\n00:00:01,000 --> 00:00:02,500\r\nThe river rose by two metres\r\nin one night,\r\n\r\n2\r\n00:00:02,600 --> 00:00:04,000\r\nand <i>nobody</i> was hurt.\r\n\r\n\
    3\r\n00:00:05,000 --> 00:00:06,000\r\n- Who is it?\r\n- Me.\r\n\r\n4\r\n00:00:07,000 --> 00:00:08,000\r\n♪\r\n";

#[test]
fn a_sentence_across_cues_is_translated_as_one() -> Result<()> {
    let document = first(SRT, Format::Srt)?;
    let sentence = "The river rose by two metres in one night, and nobody was hurt.";
    assert_eq!(block_texts(&document), [sentence, "- Who is it?", "- Me."]);
    let found = with(
        SRT,
        Format::Srt,
        &[
            (
                sentence,
                "Река поднялась на два метра за одну ночь, и никто не пострадал.",
            ),
            ("nobody", "никто"),
            ("Me.", "Я."),
        ],
    )?;
    assert_eq!(
        found,
        "1\r\n00:00:01,000 --> 00:00:02,500\r\nРека поднялась на два метра\r\nза одну ночь,\r\n\r\n2\r\n00:00:02,600 --> 00:00:04,000\r\nи <i>никто</i> не пострадал.\r\n\r\n\
         3\r\n00:00:05,000 --> 00:00:06,000\r\n- Who is it?\r\n- Я.\r\n\r\n4\r\n00:00:07,000 --> 00:00:08,000\r\n♪\r\n"
    );
    // Fewer words than cues: none of them is lost.
    let short = with(SRT, Format::Srt, &[(sentence, "Да.")])?;
    for time in [
        "00:00:01,000 --> 00:00:02,500",
        "00:00:02,600 --> 00:00:04,000",
    ] {
        assert!(short.contains(time), "{short}");
    }
    let vtt = "WEBVTT - title\n\nNOTE not shown\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:02.000 align:start\n<v Tom Reed>The river &amp; the <c.big>town</c></v>\n\n00:02.000 --> 00:04.000\nare <00:03.000>wet.\n";
    let document = first(vtt, Format::WebVtt)?;
    assert_eq!(block_texts(&document), ["The river & the town are wet."]);
    let found = with(
        vtt,
        Format::WebVtt,
        &[
            ("The river & the town are wet.", "Река & город < мокрые."),
            ("town", "город"),
        ],
    )?;
    assert_eq!(
        found,
        vtt.replace(
            "The river &amp; the <c.big>town</c></v>",
            "Река &amp; <c.big>город</c></v> &lt;"
        )
        .replace("are <00:03.000>wet.", "<00:03.000>мокрые.")
    );
    Ok(())
}

#[test]
fn a_table_keeps_what_is_not_chosen() -> Result<()> {
    let csv = "\u{FEFF}id;title;text;note\r\n1;\"A; b\";\"He said \"\"no\"\".\";  x \r\n2;;;\r\n3;Plain;One two.;\"k\"\r\n\r\n";
    let options = options(Format::Csv);
    let found = documents(csv, &options)?;
    assert_eq!(
        found.iter().map(Document::text).collect::<Vec<_>>(),
        ["A; b\n\nHe said \"no\".", "Plain\n\nOne two."]
    );
    assert_eq!(found[0].name(), "1");
    let mut out = String::new();
    for document in &found {
        out += &written(&translated(document, &[], |text| format!("<{text}>; ж"))?)?;
    }
    assert_eq!(
        out,
        "\u{FEFF}id;title;text;note\r\n1;\"<A; b>; ж\";\"<He said \"\"no\"\".>; ж\";  x \r\n2;;;\r\n3;\"<Plain>; ж\";\"<One two.>; ж\";\"k\"\r\n\r\n"
    );
    let object = translated(&found[1], &[], |_| "x".to_owned())?.to_json();
    assert_eq!(
        serde_json::to_string(&object).unwrap_or_default(),
        r#"{"id":"3","title":"x","text":"x","note":"k"}"#
    );
    let by_number = ReadOptions {
        fields: vec!["2".to_owned()],
        ..super::formats::options(Format::Tsv)
    };
    let tsv = "1\tOne \"two\"\tx\n2\t\"Three\" four\ty\n";
    let texts: Vec<String> = documents(tsv, &by_number)?
        .iter()
        .map(|document| document.text().to_owned())
        .collect();
    assert_eq!(texts, ["One \"two\"", "\"Three\" four"]);
    for (source, fields, message) in [
        (
            "a,b\n1,x\n",
            vec![],
            "`input` cannot be read as csv: no column is called `text` (name the columns with `--field`; there are `a`, `b`)",
        ),
        (
            "a,b\n1,x\n",
            vec!["c".to_owned()],
            "`input` cannot be read as csv: no column is called `c` (there are `a`, `b`)",
        ),
        (
            "text\n\"x\n",
            vec![],
            "`input` cannot be read as csv: a quotation mark in row 2 is never closed",
        ),
        ("text\n\n", vec![], "`input` holds no text"),
        ("", vec![], "`input` holds no text"),
    ] {
        let options = ReadOptions {
            fields,
            ..options.clone()
        };
        let error = documents(source, &options)
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(message), "{source:?}");
    }
    Ok(())
}

#[test]
fn a_line_of_json_keeps_what_is_not_chosen() -> Result<()> {
    let source = "\n{ \"a\" : 1.50, \"title\":\"T\\u0442\" ,\"text\": \"One\\ttwo.\\n\\nThree.\", \"language\":\"en\"}\r\n\r\n{\"text\":\"Four.\",\"b\":[ ]}\n\n";
    let found = documents(source, &options(Format::JsonLines))?;
    let mut out = String::new();
    for document in &found {
        let mut document = translated(document, &[], |text| format!("«{text}»"))?;
        document.set_language(Some(Language::Russian));
        out += &written(&document)?;
    }
    assert_eq!(
        out,
        "\n{ \"a\" : 1.50, \"title\":\"\\u00abT\\u0442\\u00bb\" ,\"text\": \"«One\\ttwo.»\\n\\n«Three.»\", \"language\":\"ru\"}\r\n\r\n{\"text\":\"«Four.»\",\"b\":[ ]}\n\n"
    );
    let by_name = ReadOptions {
        fields: vec!["head".to_owned(), "body".to_owned()],
        ..options(Format::JsonLines)
    };
    let found = documents("{\"text\":5,\"head\":\"One.\",\"body\":\"Two.\"}", &by_name)?;
    let object = translated(&found[0], &[], |text| text.to_uppercase())?.to_json();
    assert_eq!(
        serde_json::to_string(&object).unwrap_or_default(),
        r#"{"id":"input:1","text":5,"head":"ONE.","body":"TWO.","title":null}"#
    );
    Ok(())
}

/// Pieces of a format, in any order and any number.
fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(of), 0..24).prop_map(|pieces| pieces.concat())
}

const HTML_PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<i class='x'>",
    "</i>",
    "<a href=\"/?a&amp;b\" title='One two'>",
    "</a>",
    "<br>",
    "<br/>",
    "<img alt=boat>",
    "<!-- c -->",
    "<![CDATA[ x ]]>",
    "<script>if (a < b) {}</script>",
    "<code>",
    "</code>",
    "<span translate=no>",
    "</span>",
    "<pre>",
    "</pre>",
    "<div>",
    "</div>",
    "<li>",
    "<table><td>",
    "</td>",
    "<",
    "</",
    "<!",
    "&amp;",
    "&lt;",
    "&nbsp;",
    "&shy;",
    "&bogus;",
    "&#8212;",
    "&#xD800;",
    "&",
    " ",
    "\r\n",
    "\n  ",
    "One two. ",
    "Three",
    "four.",
    "\u{200F}",
    "\u{FEFF}",
    "ж",
    "слово ",
    "مرحبا",
    "«",
    "\"",
    "'",
    "<title>A b</title>",
    "<meta name=description content=Word>",
    "</foo>",
    "<b",
    "<a b='",
    ">",
    "-->",
    "1",
    ".",
    "<svg>x</svg>",
    "<textarea>y</textarea>",
    "\u{0}",
];

const MARKDOWN_PIECES: &[&str] = &[
    "# ",
    "- ",
    "> ",
    "1. ",
    "```\n",
    "`",
    "``",
    "*",
    "**",
    "_",
    "~~",
    "[",
    "](",
    ")",
    "![",
    "http://a.b/c_d",
    "<http://a.b>",
    "|",
    "\n",
    "\r\n",
    "\n\n",
    "  \n",
    "\\",
    "\\\n",
    "&amp;",
    "&copy;",
    "<b>",
    "</b>",
    "<br>",
    "<!-- c -->",
    "word ",
    "Two three. ",
    "ж",
    "---\n",
    "title: A b\n",
    "+++\n",
    "[^1]",
    "[^1]: ",
    "\t",
    "    ",
    "|---|---|\n",
    "\u{200F}",
    "- [ ] ",
    "<div>\n",
    "=",
    "'",
    "\"",
    ".",
    " ",
];

const SUBTITLE_PIECES: &[&str] = &[
    "1\n",
    "00:00:01,000 --> 00:00:02,000\n",
    "00:00:02.500 --> 00:00:04.000 align:start\r\n",
    "\n",
    "\r\n",
    "One two",
    "three. ",
    "<i>",
    "</i>",
    "<c.x>",
    "</c>",
    "<00:01.000>",
    "{\\an8}",
    "- ",
    "♪",
    "&amp;",
    "&",
    "<",
    "WEBVTT\n",
    "NOTE x\n",
    " ",
    "ж",
    "{",
    "}",
    "-->",
    "\u{FEFF}",
    "\u{200F}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_page_survives(source in pieces(HTML_PIECES)) {
        survives(&source, &options(Format::Html))?;
    }

    #[test]
    fn any_markdown_survives(source in pieces(MARKDOWN_PIECES)) {
        survives(&source, &options(Format::Markdown))?;
    }

    #[test]
    fn any_subtitles_survive(source in pieces(SUBTITLE_PIECES), format in prop::sample::select(vec![Format::Srt, Format::WebVtt])) {
        survives(&format!("00:00:00,000 --> 00:00:01,000\n{source}"), &options(format))?;
    }

    #[test]
    fn any_table_survives(
        rows in prop::collection::vec(prop::collection::vec("[a-zж ,;\"\t.]{0,8}|\"([a-z,\r\n ]|\"\"){0,6}\"", 3), 1..6),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        mark in any::<bool>(),
        format in prop::sample::select(vec![Format::Csv, Format::Tsv]),
    ) {
        let delimiter = if format == Format::Csv { "," } else { "\t" };
        let mut source = if mark { "\u{FEFF}".to_owned() } else { String::new() };
        source += &["title", "text", "other"].join(delimiter);
        source += end;
        for row in rows {
            source += &row.join(delimiter);
            source += end;
        }
        survives(&source, &options(format))?;
    }

    #[test]
    fn any_lines_of_json_survive(
        texts in prop::collection::vec(("[ -~жا\n\t\"\\\\]{0,20}", any::<bool>(), prop::sample::select(vec!["\n", "\r\n", "\n\n", " \n\n"])), 1..5),
    ) {
        let source: String = texts.iter().map(|(text, spaced, end)| {
            let string = serde_json::Value::from(text.as_str()).to_string();
            let space = if *spaced { "  " } else { "" };
            format!("{space}{{{space}\"x\":[1.0],\"text\":{space}{string}{space}}}{end}")
        }).collect();
        survives(&source, &options(Format::JsonLines))?;
    }

    #[test]
    fn any_text_survives(source in "[a-zж ا.\n\r\t\u{200F}\u{A0}-]{0,60}", mark in any::<bool>()) {
        let source = if mark { format!("\u{FEFF}{source}") } else { source };
        survives(&source, &options(Format::Text))?;
    }
}
