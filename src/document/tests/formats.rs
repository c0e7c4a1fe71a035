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
        ("Home and away", "Дома и в гостях"),
        ("Home", "Дома"),
        ("away", "в гостях"),
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

#[test]
fn links_and_images_keep_their_definitions() -> Result<()> {
    let report = "\n\n[the report]: https://e.org\n";
    let pairs = [
        ("Read the report today.", "Прочтите доклад сегодня."),
        ("the report", "доклад"),
        ("The report", "Доклад"),
        ("The plan", "План"),
        ("Nobody knows.", "Никто не знает."),
        ("The report.", "Доклад."),
        ("The | report", "Доклад"),
    ];
    let cases: &[(&str, &str)] = &[
        // A label that is not the text stays as it is.
        (
            "Read [the report][r] today.\n\n[r]: https://e.org\n",
            "Прочтите [доклад][r] сегодня.\n\n[r]: https://e.org\n",
        ),
        (
            &format!("Read [the report][] today.{report}"),
            &format!("Прочтите [доклад][the report] сегодня.{report}"),
        ),
        (
            &format!("Read [the report] today.{report}"),
            &format!("Прочтите [доклад][the report] сегодня.{report}"),
        ),
        // The label is written where the link is not part of a sentence that is put together anew.
        (
            &format!(
                "- [The report]\n- [The plan][]\n- [The\n  *report*.]{report}\n[the plan]: /p\n[the *report*.]: /r\n"
            ),
            &format!(
                "- [Доклад][The report]\n- [План][The plan]\n- [*Доклад*.][The *report*.]{report}\n[the plan]: /p\n[the *report*.]: /r\n"
            ),
        ),
        (
            &format!("> Read [the\n> report] today. Nobody knows.{report}"),
            &format!("> Прочтите [доклад][the report] сегодня. Никто не знает.{report}"),
        ),
        (
            "| [The \\| report] | 1 |\n|---|---|\n\n[the | report]: /a\n",
            "| [Доклад][The \\| report] | 1 |\n|---|---|\n\n[the | report]: /a\n",
        ),
        // Where its sentence stays, so does the link.
        (
            &format!("It is in [the report][]. Nobody knows.{report}"),
            &format!("It is in [the report][]. Никто не знает.{report}"),
        ),
        (
            "![The report]\n\nNobody knows. ![The plan][] ![The plan][r]\n\n[the report]: /a\n[the plan]: /b\n[r]: /c\n",
            "![Доклад][The report]\n\nНикто не знает. ![План][The plan] ![План][r]\n\n[the report]: /a\n[the plan]: /b\n[r]: /c\n",
        ),
    ];
    for (source, expected) in cases {
        let document = first(source, Format::Markdown)?;
        let russian = translated(&document, &pairs, |text| {
            let known = pairs.iter().find(|(source, _)| *source == text);
            known.map_or(text, |(_, target)| target).to_owned()
        })?;
        assert_eq!(written(&russian)?, *expected);
        // Translated again, the label is the first one.
        let again = translated(&russian, &[], |text| format!("x {text}"))?;
        assert_eq!(links(&written(&again)?), links(source), "{source}");
    }
    Ok(())
}

/// The addresses of links and images, in order.
fn links(markdown: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    Parser::new_ext(markdown, Options::ENABLE_TABLES)
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.into_string())
            }
            _ => None,
        })
        .collect()
}

#[test]
fn front_matter_is_written_by_the_rules_of_its_language() -> Result<()> {
    let (open, quoted) = ("The bridge's open", "The \"new\" bridge");
    let toml = [
        // TOML knows no escapes in single quotation marks, so an apostrophe needs others.
        (
            "title = 'Мост открыт'",
            "Мост открыт",
            open,
            "title = \"The bridge's open\"",
        ),
        (
            "title = 'Мост открыт'",
            "Мост открыт",
            quoted,
            "title = 'The \"new\" bridge'",
        ),
        (
            r"title='C:\новое' # имя",
            r"C:\новое",
            r"C:\new",
            r"title='C:\new' # имя",
        ),
        (
            r#"title = "caf\u00e9 \U0001F600\t\"x\"" # a "b""#,
            "café 😀\t\"x\"",
            quoted,
            r#"title = "The \"new\" bridge" # a "b""#,
        ),
        (r#"title = "a\\b""#, r"a\b", r"c\d", r#"title = "c\\d""#),
    ];
    let yaml = [
        (
            "title: 'Мост открыт'",
            "Мост открыт",
            open,
            "title: 'The bridge''s open'",
        ),
        (
            "title: 'It''s' # имя",
            "It's",
            quoted,
            "title: 'The \"new\" bridge' # имя",
        ),
        (
            r#"title: "caf\xe9 \u00e9\_\/""#,
            "café é\u{A0}/",
            quoted,
            r#"title: "The \"new\" bridge""#,
        ),
        (
            "title: Мост открыт",
            "Мост открыт",
            open,
            "title: The bridge's open",
        ),
        (
            "title: Мост открыт",
            "Мост открыт",
            "Open: a bridge",
            "title: \"Open: a bridge\"",
        ),
    ];
    let toml = toml.into_iter().map(|case| ("+++", "draft = true", case));
    let yaml = yaml.into_iter().map(|case| ("---", "draft: true", case));
    for (fence, other, (line, text, new, expected)) in toml.chain(yaml) {
        let source = format!("{fence}\n{line}\n{other}\n{fence}\n");
        let document = first(&source, Format::Markdown)?;
        assert_eq!(block_texts(&document), [text], "{line}");
        let found = written(&translated(&document, &[], |_| new.to_owned())?)?;
        assert_eq!(found, source.replace(line, expected));
    }
    // What is more than one string on one line is left as it is.
    for source in [
        "+++\ntitle = \"\"\"One\"\"\"\n+++\n\nWord.\n",
        "+++\ntitle = '''One'''\n+++\n\nWord.\n",
        "+++\ntitle = One\ntitle = [\"One\", \"two\"]\n+++\n\nWord.\n",
        "+++\ntitle = \"One \\q\"\ntitle = \"\\u001b[2J One\"\n+++\n\nWord.\n",
        "---\ntitle: \"One\" two\ntitle: \"\\ud83d One\"\n---\n\nWord.\n",
    ] {
        let document = first(source, Format::Markdown)?;
        assert_eq!(block_texts(&document), ["Word."], "{source}");
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
            "`input` cannot be read as csv: a quotation mark in row 2 is never closed, so the rows from there on are not read",
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
fn a_table_that_breaks_off_is_whole_all_the_same() -> Result<()> {
    for end in [
        "3,\"x,y\n4,Three.\n5,Four.\n",
        "3,\"x,y\n4,\"\"Three\"\",\n5,\"\"Four.\n",
        "3,\"",
    ] {
        let csv = format!("id,text\n1,One.\n2,Two.\n\n{end}");
        let mut out = String::new();
        let mut errors = Vec::new();
        for item in read(csv.as_bytes(), &options(Format::Csv))? {
            match item {
                Ok(document) => {
                    let other = translated(&document, &[], |text| format!("ж {text}"))?;
                    out += &written(&other)?;
                }
                Err(failure) => errors.push(failure.error.to_string()),
            }
        }
        assert_eq!(out, format!("id,text\n1,ж One.\n2,ж Two.\n\n{end}"));
        assert_eq!(
            errors,
            [
                "`input` cannot be read as csv: a quotation mark in row 5 is never closed, so the rows from there on are not read"
            ]
        );
    }
    Ok(())
}

#[test]
fn a_row_names_the_language_of_its_translation() -> Result<()> {
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "language,title,text,id\nen,One.,Two.,1\n\"en\",,Three.,2\n English ,,Four.,3\nde,,Five.,4\n,,Six.,5\nru,,Seven.,6\n",
            &[],
            "language,title,text,id\nru,ж One.,ж Two.,1\n\"ru\",,ж Three.,2\nru,,ж Four.,3\nde,,ж Five.,4\n,,ж Six.,5\nru,,ж Seven.,6\n",
        ),
        (
            "text;language\nOne.;EN-gb\n;en\nTwo.;ar\n",
            &[],
            "text;language\nж One.;ru\n;en\nж Two.;ru\n",
        ),
        // The column is text as any other.
        (
            "language,text\nEnglish,One.\n",
            &["language"],
            "language,text\nж English,One.\n",
        ),
        (
            "x,language,text\nOne.,en,Two.\n",
            &["x", "text"],
            "x,language,text\nж One.,ru,ж Two.\n",
        ),
    ];
    for (source, fields, expected) in cases {
        let options = ReadOptions {
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            ..options(Format::Csv)
        };
        let (mut out, mut twice) = (String::new(), String::new());
        for document in documents(source, &options)? {
            let mut other = translated(&document, &[], |text| format!("ж {text}"))?;
            // Replaced a second time, it is where it was moved to.
            let mut again = translated(&other, &[], |text| text.replace('ж', "жжж"))?;
            other.set_language(Some(Language::Russian));
            again.set_language(Some(Language::Russian));
            out += &written(&other)?;
            twice += &written(&again)?;
        }
        assert_eq!(out, *expected);
        assert_eq!(twice, expected.replace('ж', "жжж"));
    }
    Ok(())
}

#[test]
fn a_field_that_is_named_twice_is_read_once() -> Result<()> {
    for (source, format, names) in [
        (
            "{\"text\":\"One.\",\"b\":\"Two.\"}\n",
            Format::JsonLines,
            ["text", "b", "text"],
        ),
        ("text,b\nOne.,Two.\n", Format::Csv, ["text", "b", "text"]),
        ("One.\tTwo.\n", Format::Tsv, ["1", "2", "01"]),
    ] {
        let options = ReadOptions {
            fields: names.map(str::to_owned).to_vec(),
            ..options(format)
        };
        let found = documents(source, &options)?;
        assert_eq!(block_texts(&found[0]), ["One.", "Two."]);
        let other = translated(&found[0], &[], |text| format!("ж {text}"))?;
        let expected = source.replace("One.", "ж One.").replace("Two.", "ж Two.");
        assert_eq!(written(&other)?, expected);
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
    "[word][]",
    "![Word]",
    "![word][]",
    "]",
    "][]",
    "\n\n[word]: /a\n",
    "title = \"A \\u0062\"\n",
    "title = 'A b'\n",
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

/// Cases that the properties below found.
#[test]
fn pages_that_did_not_survive() -> std::result::Result<(), TestCaseError> {
    for source in [
        "<<span translate=no><br></span>One two. ",
        "One<code> <br></code>two.",
    ] {
        survives(source, &options(Format::Html))?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

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

#[test]
fn hostile_files_take_linear_time() -> Result<()> {
    let many = 100_000;
    let pages = [
        "<b>".repeat(many) + "word",
        "<div>".repeat(many) + "word" + &"</div>".repeat(many),
        "<b>word ".repeat(many) + &"</b>".repeat(many),
        "<i>a</b>".repeat(many),
        "word <code>".repeat(many),
        "<span translate=no>word ".repeat(many),
        format!("<p title=\"{}\">word", "ab ".repeat(3_000_000)),
        format!("<p {}>word", "a=b ".repeat(1_000_000)),
        "&".repeat(1_000_000) + "word",
        "&amp;".repeat(1_000_000) + "word",
        "<!-- ".repeat(many) + "word",
        "word ".to_owned() + &"<!".repeat(many),
        "word ".to_owned() + &"</".repeat(many),
        "word <script>".repeat(many),
        "word<br>".repeat(many),
        "word ".repeat(2_000_000),
    ];
    let others = [
        (Format::Markdown, "*word ".repeat(many)),
        (Format::Markdown, "> ".repeat(10_000) + "word"),
        (Format::Markdown, "word [".repeat(many)),
        (
            Format::Markdown,
            "[word][] ".repeat(many) + "\n\n[word]: /a\n",
        ),
        (Format::Markdown, "word `".repeat(many)),
        (
            Format::Srt,
            "00:00:01,000 --> 00:00:02,000\nword\n\n".repeat(many),
        ),
        (
            Format::WebVtt,
            "00:01.000 --> 00:02.000\n".to_owned() + &"<i>word ".repeat(many),
        ),
        (
            Format::WebVtt,
            "00:01.000 --> 00:02.000\n".to_owned() + &"&".repeat(many) + "word",
        ),
        (
            Format::Csv,
            "text\n".to_owned() + &"\"word\"\n".repeat(many),
        ),
        (
            Format::Csv,
            "text,".repeat(many) + "\n" + &"word,".repeat(many),
        ),
        (
            Format::Tsv,
            "text\n".to_owned() + &"\"word\n".repeat(10_000),
        ),
    ];
    let pages = pages.into_iter().map(|page| (Format::Html, page));
    for (format, source) in pages.chain(others) {
        let start = std::time::Instant::now();
        let head = format!("{format} {}", &source[..source.len().min(30)]);
        let mut same = String::new();
        let read = documents(&source, &options(format));
        // A comment that never ends hides all, and so does what must not be translated.
        if head.contains("<!--") || head.contains("translate=no") {
            let error = read.err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some("`input` holds no text"), "{head}");
            continue;
        }
        let read = read?;
        for document in read {
            let segments = document.segments_fitting(Language::English, |piece| piece.len() < 600);
            let texts: Vec<&str> = segments
                .iter()
                .map(|segment| document.segment_text(segment))
                .collect();
            same += &document.replace(&segments, &texts)?.to_source();
            let words: Vec<String> = texts.iter().map(|text| format!("{text} слово")).collect();
            assert!(!document.replace(&segments, &words)?.to_source().is_empty());
        }
        let differs = same.bytes().zip(source.bytes()).position(|(a, b)| a != b);
        assert!(
            same == source,
            "{head}: {} for {} bytes, from {differs:?}",
            same.len(),
            source.len()
        );
        // Quadratic time would be many minutes.
        assert!(
            start.elapsed().as_secs() < 40,
            "{head}: {:?}",
            start.elapsed()
        );
    }
    Ok(())
}

/// Measures nothing by itself: set `NEWSML_PAGES` to a folder of pages to try them all.
#[test]
#[ignore = "needs a folder of pages"]
fn pages_of_a_folder_survive() -> Result<()> {
    let folder = std::env::var_os("NEWSML_PAGES").unwrap_or_default();
    let mut count = 0;
    for folder in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        for file in std::fs::read_dir(folder.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = file.path();
            if path.extension().is_none_or(|extension| extension != "html") {
                continue;
            }
            let source = std::fs::read(&path).map_err(Error::io("read", &path))?;
            let Ok(text) = String::from_utf8(source) else {
                continue;
            };
            for document in documents(&text, &options(Format::Html))? {
                let segments = document.segments(Language::English);
                let texts: Vec<&str> = segments
                    .iter()
                    .map(|segment| document.segment_text(segment))
                    .collect();
                assert!(
                    document.replace(&segments, &texts)?.to_source() == text,
                    "{}",
                    path.display()
                );
                let words: Vec<String> = texts.iter().map(|text| format!("слово {text}")).collect();
                let other = document.replace(&segments, &words)?.to_source();
                let tags = |text: &str| text.matches('<').count();
                assert_eq!(tags(&other), tags(&text), "{}", path.display());
            }
            count += 1;
        }
    }
    assert!(count > 0, "no pages in {folder:?}");
    Ok(())
}

const BODY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>\
    <w:p><w:pPr><w:pStyle w:val=\"Title\"/><w:jc w:val=\"left\"/></w:pPr><w:r><w:t>The river &amp; the town</w:t></w:r></w:p>\
    <w:p w:rsidR=\"1\"><w:r w:rsidR=\"2\"><w:t xml:space=\"preserve\">The </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>river</w:t></w:r><w:proofErr w:type=\"x\"/><w:r><w:t xml:space=\"preserve\"> rose by </w:t></w:r>\
    <w:hyperlink r:id=\"rId1\"><w:r><w:rPr><w:rStyle w:val=\"Hyperlink\"/></w:rPr><w:t>two metres</w:t></w:r></w:hyperlink><w:r><w:t>.</w:t></w:r><w:r><w:rPr><w:vertAlign w:val=\"superscript\"/></w:rPr><w:footnoteReference w:id=\"2\"/></w:r><w:r><w:t xml:space=\"preserve\"> Nobody was hurt.</w:t></w:r></w:p>\
    <w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>7</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r><w:r><w:t xml:space=\"preserve\"> pages</w:t></w:r></w:p>\
    <w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r><w:r><w:t>After it</w:t></w:r></w:p><w:p/>\
    <w:sectPr/></w:body></w:document>";

const NOTES: &str = "<w:footnotes><w:footnote w:id=\"2\"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>";

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        let options = zip::write::SimpleFileOptions::default();
        assert!(out.start_file(*name, options).is_ok() && out.write_all(content).is_ok());
    }
    out.finish()
        .map(std::io::Cursor::into_inner)
        .unwrap_or_default()
}

fn parts(bytes: &[u8]) -> Vec<(String, String)> {
    use std::io::Read as _;
    let mut found = Vec::new();
    if let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) {
        for index in 0..archive.len() {
            let Ok(mut file) = archive.by_index(index) else {
                continue;
            };
            let mut content = Vec::new();
            assert!(file.read_to_end(&mut content).is_ok());
            found.push((
                file.name()
                    .map(std::borrow::Cow::into_owned)
                    .unwrap_or_default(),
                String::from_utf8_lossy(&content).into_owned(),
            ));
        }
    }
    found
}

fn word(bytes: Vec<u8>) -> Result<Document> {
    let mut items = read(&bytes, &ReadOptions::default())?;
    Ok(items.remove(0)?)
}

#[test]
fn a_word_document_is_read_and_written_again() -> Result<()> {
    let file = archive(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", BODY.as_bytes()),
        ("word/media/a.png", b"\x89PNG\0\xff"),
        ("word/footnotes.xml", NOTES.as_bytes()),
    ]);
    let document = word(file.clone())?;
    assert_eq!(document.format(), Format::Docx);
    assert_eq!(
        block_texts(&document),
        [
            "The river & the town",
            "The river rose by two metres. Nobody was hurt.",
            "7 pages",
            "In a box",
            "After it",
            "A note.",
        ]
    );
    let same = translated(&document, &[], str::to_owned)?;
    assert_eq!(same.to_bytes()?, file);
    let mut russian = translated(
        &document,
        &[("river", "река"), ("two metres", "два метра")],
        |text| match text {
            "The river rose by two metres." => "На два метра поднялась река.".to_owned(),
            "7 pages" => "Страниц: 7 < 8".to_owned(),
            other => other.to_owned(),
        },
    )?;
    russian.set_language(Some(Language::Russian));
    let found = parts(&russian.to_bytes()?);
    let before = parts(&file);
    assert_eq!(found[0], before[0]);
    assert_eq!(found[2], before[2]);
    assert_eq!(found[3], before[3]);
    let body = &found[1].1;
    let empty = "<w:t xml:space=\"preserve\"></w:t>";
    let plain = body.replace(&format!("<w:r>{empty}</w:r>"), "");
    for expected in [
        "<w:hyperlink r:id=\"rId1\"><w:r><w:rPr><w:rStyle w:val=\"Hyperlink\"/></w:rPr><w:t xml:space=\"preserve\">два метра</w:t></w:r></w:hyperlink>",
        "<w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">река</w:t></w:r>",
        "<w:footnoteReference w:id=\"2\"/></w:r><w:r><w:t xml:space=\"preserve\"> Nobody was hurt.</w:t></w:r></w:p>",
        "Страниц",
        "&lt; 8",
        "<w:pPr><w:pStyle w:val=\"Title\"/><w:jc w:val=\"left\"/></w:pPr><w:r><w:t>The river &amp; the town</w:t></w:r></w:p>",
    ] {
        assert!(plain.contains(expected), "{expected}\nis not in\n{plain}");
    }
    for element in ["w:p", "w:r", "w:t", "w:hyperlink", "w:pict"] {
        let count = |tag: String| body.matches(tag.as_str()).count();
        let opened = count(format!("<{element}>")) + count(format!("<{element} "));
        assert_eq!(opened, count(format!("</{element}>")), "{element}");
    }
    // Read again, it says what the translation says.
    assert_eq!(
        block_texts(&word(russian.to_bytes()?)?)[1..3],
        [
            "На два метра поднялась река. Nobody was hurt.",
            "Страниц: 7 < 8"
        ]
    );
    let mut arabic = translated(&document, &[], |_| "ارتفع النهر بمقدار مترين".to_owned())?;
    arabic.set_language(Some(Language::Arabic));
    let body = parts(&arabic.to_bytes()?).swap_remove(1).1;
    assert!(body.contains("<w:pPr><w:pStyle w:val=\"Title\"/><w:bidi/><w:jc w:val=\"left\"/></w:pPr><w:r><w:rPr><w:rtl/></w:rPr><w:t>ارتفع"), "{body}");
    let mut back = translated(&arabic, &[], |_| "The river rose".to_owned())?;
    back.set_language(Some(Language::English));
    assert!(!parts(&back.to_bytes()?)[1].1.contains("bidi"));
    Ok(())
}

#[test]
fn hostile_word_documents_are_refused() -> Result<()> {
    let body = |content: &str| archive(&[("word/document.xml", content.as_bytes())]);
    let bomb = "<w:document><w:p><w:r><w:t>a</w:t></w:r></w:p>".to_owned() + &" ".repeat(80 << 20);
    let cases = [
        (
            body(&bomb),
            "`input` cannot be read as docx: its text is larger than 64 MiB unpacked",
        ),
        (
            archive(&[("other.xml", b"x")]),
            "`input` cannot be read as docx: it holds no `word/document.xml`",
        ),
        (
            body(
                "<!DOCTYPE a [<!ENTITY b \"c\">]><w:document><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:document>",
            ),
            "`input` cannot be read as docx: it declares a document type, which Word documents never do",
        ),
        (body("<w:document/>"), "`input` holds no text"),
        (
            body("a\0b"),
            "`input` cannot be read as docx: `word/document.xml` is not XML",
        ),
    ];
    for (file, message) in cases {
        let error = word(file).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(message));
    }
    assert!(word(b"PK\x03\x04 and no archive".to_vec()).is_err());
    // A bomb in a part that holds no text is copied as it is packed.
    let file = archive(&[
        ("word/document.xml", BODY.as_bytes()),
        ("word/media/a.bin", &vec![0; 200 << 20]),
    ]);
    let start = std::time::Instant::now();
    let other = translated(&word(file)?, &[], |text| format!("{text} x"))?;
    assert!(other.to_bytes()?.len() < 1 << 20);
    assert!(start.elapsed().as_secs() < 10);
    // Elements in elements, and very many runs.
    let many = 100_000;
    for content in [
        format!("{}<w:t>word</w:t>", "<w:p><w:r>".repeat(many)),
        format!(
            "<w:p>{}<w:r><w:t>word</w:t></w:r></w:p>",
            "<w:hyperlink>".repeat(many)
        ),
        format!(
            "<w:p>{}</w:p>",
            "<w:r><w:rPr><w:b/></w:rPr><w:t>word </w:t></w:r><w:r><w:t>word </w:t></w:r>"
                .repeat(many / 4)
        ),
        format!("<w:p>{}", "<w:r><w:rPr>".repeat(many)),
        format!("<w:p><w:r>{}", "<w:x>".repeat(many)),
        format!(
            "<w:p><w:r>{}<w:txbxContent><w:p><w:r><w:t>word</w:t>",
            "<w:pict>".repeat(10_000)
        ),
    ] {
        let start = std::time::Instant::now();
        if let Ok(document) = word(body(&content)) {
            let same = translated(&document, &[], str::to_owned)?;
            assert_eq!(same.to_source(), content);
            assert!(
                translated(&document, &[], |text| format!("{text} x"))?
                    .to_bytes()
                    .is_ok()
            );
        }
        assert!(start.elapsed().as_secs() < 40, "{}", &content[..30]);
    }
    Ok(())
}

/// Whether each element that begins ends, and within the one that it began in.
fn is_balanced(xml: &str) -> bool {
    use crate::document::html::tokens::{Token, next_of_xml};
    let (mut open, mut at) = (Vec::new(), 0);
    while at < xml.len() {
        let token = next_of_xml(xml, at);
        at = token.range().end;
        match token {
            Token::Start(tag) if !tag.closed => open.push(tag.name),
            Token::End { name, .. } if open.pop() != Some(name.clone()) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

const EQUATION: &str = "<m:oMath><m:r><m:rPr><m:sty m:val=\"p\"/></m:rPr><w:rPr><w:rFonts w:ascii=\"Cambria Math\"/></w:rPr><m:t>x</m:t></m:r></m:oMath>";
const CONTROL: &str = "<w:sdt><w:sdtPr><w:rPr><w:b/></w:rPr><w:id w:val=\"1\"/><w:placeholder><w:docPart w:val=\"D\"/></w:placeholder></w:sdtPr><w:sdtEndPr><w:rPr/></w:sdtEndPr>";

#[test]
fn equations_and_content_controls_stay_whole() -> Result<()> {
    let run = |text: &str| format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>");
    let (before, after) = (run("The formula "), run(" is known."));
    let known = run("known");
    let held = format!("{CONTROL}<w:sdtContent>{known}</w:sdtContent></w:sdt>");
    for (middle, text) in [
        (EQUATION.to_owned(), "The formula is known."),
        (
            format!("<m:oMathPara>{EQUATION}</m:oMathPara>"),
            "The formula is known.",
        ),
        (
            format!("<w:ins w:id=\"1\">{EQUATION}{known}</w:ins>"),
            "The formula known is known.",
        ),
        (held.clone(), "The formula known is known."),
        (
            format!("{CONTROL}<w:sdtContent/></w:sdt>"),
            "The formula is known.",
        ),
        (format!("{CONTROL}</w:sdt>"), "The formula is known."),
        (
            format!("{CONTROL}<w:sdtContent>{EQUATION}{held}</w:sdtContent></w:sdt>"),
            "The formula known is known.",
        ),
    ] {
        for paragraph in [
            format!("{before}{middle}{after}"),
            format!("{EQUATION}{held}{before}{middle}{after}{EQUATION}"),
        ] {
            let source =
                format!("<w:document><w:body><w:p>{paragraph}</w:p></w:body></w:document>");
            let document = word(archive(&[("word/document.xml", source.as_bytes())]))?;
            assert!(document.text().ends_with(text), "{}", document.text());
            let other = translated(&document, &[("known", "известна")], |_| {
                "Известна нам эта формула.".to_owned()
            })?;
            let other = other.to_source();
            assert!(is_balanced(&other), "{other}");
            for part in [
                "<m:oMath",
                "<m:sty",
                "<w:rFonts",
                EQUATION,
                CONTROL,
                "<w:id w:val",
                "<w:docPart",
                "<w:sdtContent",
                "</w:sdt>",
            ] {
                let count = |xml: &str| xml.matches(part).count();
                assert_eq!(count(&other), count(&source), "{part} in {other}");
            }
        }
    }
    // In one that is around paragraphs, they are read.
    let source = format!(
        "<w:document><w:body>{CONTROL}<w:sdtContent><w:p>{before}</w:p><w:tbl><w:tr><w:tc><w:p>{after}</w:p></w:tc></w:tr></w:tbl></w:sdtContent></w:sdt></w:body></w:document>"
    );
    let document = word(archive(&[("word/document.xml", source.as_bytes())]))?;
    assert_eq!(block_texts(&document), ["The formula", "is known."]);
    let body = source
        .replace("<w:document><w:body>", "")
        .replace("</w:body></w:document>", "");
    let boxed = format!(
        "<w:document><w:p><w:r><w:pict><w:txbxContent>{body}</w:txbxContent></w:pict></w:r>{known}</w:p></w:document>"
    );
    let document = word(archive(&[("word/document.xml", boxed.as_bytes())]))?;
    assert_eq!(
        block_texts(&document),
        ["The formula", "is known.", "known"]
    );
    let other = translated(&document, &[], |text| format!("ж {text}"))?;
    assert!(is_balanced(&other.to_source()));
    Ok(())
}

/// Whole elements that may stand in a paragraph.
const ELEMENTS: &[&str] = &[
    EQUATION,
    "<w:r><w:t>One two. </w:t></w:r>",
    "<w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">Three </w:t></w:r>",
    "<w:bookmarkStart w:id=\"1\"/>",
    "<w:sdt><w:sdtPr><w:id w:val=\"1\"/></w:sdtPr><w:sdtContent><w:r><w:t>four</w:t></w:r></w:sdtContent></w:sdt>",
    "<w:sdt><w:sdtPr><w:id w:val=\"2\"/></w:sdtPr><w:sdtContent/></w:sdt>",
    "<w:hyperlink r:id=\"a\"><w:r><w:t>five </w:t></w:r><m:oMath><w:sty/></m:oMath></w:hyperlink>",
    "<w:del><w:r><w:delText>x</w:delText></w:r></w:del>",
    "<w:r><w:footnoteReference/></w:r>",
    "<w:proofErr w:type=\"x\"/>",
    "<w:x><w:y/>z</w:x>",
    "</w:p><w:p>",
];

/// What may stand in a paragraph.
const RUNS: &[&str] = &[
    "<w:r><w:t>One two. </w:t></w:r>",
    "<w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">Three </w:t></w:r>",
    "<w:r><w:t>four</w:t></w:r>",
    "<w:r><w:tab/><w:t>&amp;&#8212;</w:t></w:r>",
    "<w:hyperlink r:id=\"a\">",
    "</w:hyperlink>",
    "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>",
    "<w:r><w:fldChar w:fldCharType=\"separate\"/></w:r>",
    "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>",
    "<w:bookmarkStart w:id=\"1\"/>",
    "<w:del><w:r><w:delText>x</w:delText></w:r></w:del>",
    "<w:r><w:footnoteReference/></w:r>",
    "<w:r><w:br/></w:r>",
    "</w:p><w:p>",
    "<w:p>",
    "</w:p>",
    "<w:sdt><w:sdtPr/><w:sdtContent>",
    "</w:sdtContent></w:sdt>",
    "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>Box.</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>",
    "<w:r><w:t/></w:r>",
    "<w:t>",
    "\n  ",
    "<w:pPr><w:rPr><w:b/></w:rPr></w:pPr>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whole_elements_of_a_word_document_stay_whole(source in pieces(ELEMENTS)) {
        let source = format!("<w:document><w:p>{source}</w:p></w:document>");
        let Ok(document) = word(archive(&[("word/document.xml", source.as_bytes())])) else { return Ok(()) };
        let other = translated(&document, &[], |text| format!("ж {text} < жж")).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let other = other.to_source();
        prop_assert!(is_balanced(&other), "{}", other);
        for part in [EQUATION, "<m:oMath", "<w:sty", "<w:sdt><w:sdtPr><w:id w:val=\"1\"/></w:sdtPr><w:sdtContent>", "<w:id ", "</w:sdtContent></w:sdt>", "<w:sdtContent/></w:sdt>", "<w:x><w:y/>z</w:x>", "<w:del>", "<w:bookmarkStart"] {
            let count = |xml: &str| xml.matches(part).count();
            prop_assert_eq!(count(&other), count(&source), "{} in {}", part, other);
        }
    }

    #[test]
    fn any_word_document_survives(source in pieces(RUNS)) {
        let source = format!("<w:document><w:p>{source}</w:p></w:document>");
        let Ok(document) = word(archive(&[("word/document.xml", source.as_bytes())])) else { return Ok(()) };
        let same = translated(&document, &[], str::to_owned).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&same.layout, &document.layout);
        prop_assert_eq!(same.to_source(), source.as_str());
        let other = translated(&document, &[], |text| format!("ж {text} < жж")).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let other = other.to_source();
        // Runs that are put together anew are whole, and no mark is lost.
        let count = |text: &str, part: &str| text.matches(part).count() as i64;
        for (start, end) in [("<w:r>", "</w:r>"), ("<w:p>", "</w:p>"), ("<w:hyperlink ", "</w:hyperlink>")] {
            prop_assert_eq!(count(&other, start) - count(&other, end), count(&source, start) - count(&source, end));
        }
        for mark in ["<w:footnoteReference", "<w:bookmarkStart", "<w:del>", "<w:br/>", "<w:tab/>", "w:fldChar ", "<w:hyperlink ", "<w:sdt>", "</w:sdt>"] {
            prop_assert_eq!(count(&other, mark), count(&source, mark), "{} in {}", mark, other);
        }
    }
}
