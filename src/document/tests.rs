//! Clean-up of pasted pages, JSON Lines, and replacing, as tables of cases and properties.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::error::Error;

mod formats;
mod kinds;

fn read(
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<Vec<std::result::Result<Document, Box<Failure>>>> {
    Ok(Documents::from_reader("input", Cursor::new(bytes.to_vec()), options)?.collect())
}

fn blocks(document: &Document) -> Vec<(BlockKind, &str)> {
    document
        .blocks()
        .iter()
        .map(|block| (block.kind, document.block_text(block)))
        .collect()
}

const PAGE: &str = "Menu\nSign in\n\n    Crowds return to the river festival after three years\n\n\
    By Jane Doe\n    12 May 2024, 10:30\n    Share on Facebook\n\n\
    A boat decorated with lanterns passes under the bridge on Saturday. (Photo: City of Alder)\n\n\
    More than 40,000 people came to the river festival in Alder on Saturday, the first since 2021.\n\n\
    Advertisement\n\n\
    \"We had forgotten how loud it is,\" said Tom Reed. \"It is wonderful.\"\n\n\
    What comes next\n\n\
    The organisers announced three more evenings:\n\
    - a concert on Friday,\n- a race of paper boats,\n- fireworks.\n\n\
    Read also: Festival budget cut by half\n\n\
    It ends on Sunday.\n\n\
    Related\n\n    Ferry line to open in June\n    Five things to do in Alder\n\nTags: festival, Alder\n© 2024 The Alder Post. All rights reserved.";

#[test]
fn finds_the_article_in_a_page() -> Result<()> {
    let document = Document::from_text("page", PAGE)?;
    use BlockKind::{Heading, Headline, ListItem, Paragraph};
    assert_eq!(
        blocks(&document),
        [
            (
                Headline,
                "Crowds return to the river festival after three years"
            ),
            (
                Paragraph,
                "More than 40,000 people came to the river festival in Alder on Saturday, the first since 2021."
            ),
            (
                Paragraph,
                "\"We had forgotten how loud it is,\" said Tom Reed. \"It is wonderful.\""
            ),
            (Heading, "What comes next"),
            (Paragraph, "The organisers announced three more evenings:"),
            (ListItem, "- a concert on Friday,"),
            (ListItem, "- a race of paper boats,"),
            (ListItem, "- fireworks."),
            (Paragraph, "It ends on Sunday."),
        ]
    );
    assert_eq!(document.byline(), Some("By Jane Doe"));
    assert_eq!(document.date(), Some("12 May 2024, 10:30"));
    let words: usize = document.text().split_whitespace().count()
        + document
            .left_out()
            .iter()
            .map(|line| line.text.split_whitespace().count())
            .sum::<usize>();
    assert_eq!(
        words,
        PAGE.split_whitespace().count(),
        "every word is kept or listed as left out"
    );
    Ok(())
}

#[test]
fn finds_articles_in_russian_and_arabic_pages() -> Result<()> {
    let russian = "Главная\nНовости\nВойти\n\nВ Заречье открыли новый мост через Сырву\n14 октября 2024, 12:05\nФото: Иван Петров / ТАСС\nПоделиться\n\n\
        Новый мост длиной 412 метров соединил в понедельник два берега реки Сырвы в Заречье.\n\n\
        Читайте также: Паромы сняли с линии\n\n«Мы ждали этого двадцать лет», — сказала жительница города Анна Белова.\n\n\
        Читайте также\nВ области отремонтируют дороги\nПаромная переправа закрыта\n\nТеги: мост, Заречье\nПодписывайтесь на наш телеграм-канал";
    let arabic = "الرئيسية\nأخبار\n\nافتتاح جسر جديد في مدينة الوادي بعد عامين من العمل\n\nنشر في: 12 مايو 2024\nشارك على فيسبوك\nصورة: وكالة الأنباء\n\n\
        افتتحت مدينة الوادي يوم الأحد جسرا جديدا يبلغ طوله 412 مترا بعد عامين من الأعمال.\n\nإعلان\n\nوقال رئيس البلدية: \"انتظرنا هذا اليوم طويلا، وها هو قد جاء\".\n\n\
        اقرأ أيضا\nإغلاق العبارات في الصيف\nطرق جديدة في الشمال\n\nجميع الحقوق محفوظة";
    let cases = [
        (
            russian,
            "В Заречье открыли новый мост через Сырву",
            3,
            "Белова.",
        ),
        (
            arabic,
            "افتتاح جسر جديد في مدينة الوادي بعد عامين من العمل",
            3,
            "جاء\".",
        ),
    ];
    for (text, title, count, end) in cases {
        let document = Document::from_text("page", text)?;
        assert_eq!(document.title(), Some(title));
        assert_eq!(document.blocks().len(), count, "{:#?}", blocks(&document));
        assert!(document.text().ends_with(end), "{:#?}", blocks(&document));
        assert!(document.date().is_some());
    }
    Ok(())
}

#[test]
fn keeps_a_text_that_is_no_page() -> Result<()> {
    let cases: &[(&str, Option<&str>, &str)] = &[
        ("Hello world", None, "Hello world"),
        ("Привет, мир!", None, "Привет, мир!"),
        ("Home", None, "Home"),
        (
            "One short line\nand another one",
            Some("One short line"),
            "and another one",
        ),
        (
            "A very short headline\n\nIt rained.",
            Some("A very short headline"),
            "It rained.",
        ),
        (
            "\u{FEFF}It rained\u{0} all night in Alder, and the\u{200B} river rose by two metres.\r\n",
            None,
            "It rained all night in Alder, and the river rose by two metres.",
        ),
    ];
    for (text, title, body) in cases {
        let document = Document::from_text("text", text)?;
        assert_eq!(
            (document.title(), document.body()),
            (*title, *body),
            "{text:?}"
        );
        assert_eq!(document.left_out(), [], "{text:?}");
    }
    Ok(())
}

#[test]
fn joins_lines_that_were_broken_at_a_width() -> Result<()> {
    let text = "The river rose by two metres in one night after the heaviest rain in\n\
        forty years, and about three hundred people had to leave their homes.\n\
        Nobody was hurt.\n\n\
        The mayor asked everyone to stay away from the banks until Monday, when\nthe water is expected to fall.\n";
    let document = Document::from_text("text", text)?;
    assert_eq!(document.blocks().len(), 2, "{:#?}", blocks(&document));
    assert!(!document.text().replace("\n\n", "").contains('\n'));
    let lines = "The first paragraph stands on a line of its own and is a bit longer than the others are.\n\
        The second paragraph does so too.\nThe third paragraph is here and ends in a full stop as well.";
    assert_eq!(Document::from_text("text", lines)?.blocks().len(), 3);
    Ok(())
}

#[test]
fn refuses_what_is_no_text() -> Result<()> {
    let cases: &[(&[u8], &str)] = &[
        (b"", "empty"),
        (b" \n\t \r\n", "empty"),
        (b"\xEF\xBB\xBF\n", "empty"),
        (b"\0\x01\x02", "empty"),
        (b"good \xFF bad", "encoding"),
    ];
    for cleaning in [Cleaning::Article, Cleaning::Raw] {
        for (bytes, kind) in cases {
            let options = ReadOptions {
                format: Some(Format::Text),
                cleaning,
                ..ReadOptions::default()
            };
            let kinds: Vec<&str> = read(bytes, &options)?
                .iter()
                .map(|item| {
                    item.as_ref()
                        .map_or_else(|failure| failure.error.kind(), |_| "ok")
                })
                .collect();
            assert_eq!(kinds, [*kind], "{bytes:?} {cleaning:?}");
        }
    }
    assert!(matches!(
        Document::from_bytes("x", b"\xEF\xBB\xBFgood \xFF".to_vec(), Cleaning::Raw),
        Err(Error::Encoding { offset: 8, .. })
    ));
    Ok(())
}

#[test]
fn reads_json_lines() -> Result<()> {
    let input = concat!(
        r#"{"id": "a", "source": {"x": [1, 2]}, "title": "T", "text": "One.  Two.\n\nThree.", "z": null}"#,
        "\n\n{not json}\n",
        r#"{"id": 7, "text": "Только текст.", "language": "ru"}"#,
        "\r\n",
        r#"{"id": "empty", "text": " "}"#,
        "\n",
        r#"{"id": "number", "text": 5}"#,
        "\n",
        r#"{"title": "Only a title", "text": ""}"#,
    );
    let items = read(input.as_bytes(), &ReadOptions::default())?;
    let shown: Vec<String> = items
        .iter()
        .map(|item| match item {
            Ok(document) => format!(
                "{}: {:?} {:?}",
                document.name(),
                document.title(),
                document.body()
            ),
            Err(failure) => format!(
                "{}: {} ({} fields)",
                failure.name,
                failure.error,
                failure.fields.len()
            ),
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"a: Some("T") "One.  Two.\n\nThree.""#,
            "input:3: `input:3` cannot be read as JSON Lines: key must be a string at column 2 (0 fields)",
            r#"7: None "Только текст.""#,
            "empty: `empty` holds no text (2 fields)",
            "number: `input:6` cannot be read as JSON Lines: the field `text` is not a string (2 fields)",
            r#"input:7: Some("Only a title") """#,
        ]
    );
    let first = items.into_iter().next().and_then(std::result::Result::ok);
    let object =
        first.map(|document| serde_json::to_string(&document.to_json()).unwrap_or_default());
    assert_eq!(
        object.as_deref(),
        Some(
            r#"{"id":"a","source":{"x":[1,2]},"title":"T","text":"One.  Two.\n\nThree.","z":null}"#
        )
    );
    Ok(())
}

#[test]
fn tells_json_lines_by_content() -> Result<()> {
    let cases: &[(&[u8], Format)] = &[
        (b"{\"text\": \"a\"}\n{broken", Format::JsonLines),
        (b"\xEF\xBB\xBF {\"text\": \"a\"}", Format::JsonLines),
        (b"{curly} brackets begin this text", Format::Text),
        (b"Plain text", Format::Text),
    ];
    for (bytes, format) in cases {
        let found = read(bytes, &ReadOptions::default())?
            .into_iter()
            .find_map(std::result::Result::ok);
        assert_eq!(
            found.map(|document| document.format()),
            Some(*format),
            "{bytes:?}"
        );
    }
    Ok(())
}

#[test]
fn replaces_segments_and_nothing_else() -> Result<()> {
    let document = Document::raw(
        "text",
        "One. Two!\r\n\r\n\t- three\u{A0} four?  * * *\n\n\n",
    )?;
    let segments = document.segments(Language::English);
    let texts: Vec<&str> = segments
        .iter()
        .map(|segment| document.segment_text(segment))
        .collect();
    assert_eq!(texts, ["One.", "Two!", "three\u{A0} four?"]);
    let replaced = document.replace(&segments, &["Eins. ", "Zwei\n\nund\n", "drei"])?;
    assert_eq!(
        replaced.text(),
        "Eins. Zwei und\r\n\r\n\t- drei  * * *\n\n\n"
    );
    assert_eq!(
        blocks(&replaced)
            .iter()
            .map(|(_, text)| *text)
            .collect::<Vec<_>>(),
        ["Eins. Zwei und", "- drei  * * *"]
    );
    assert_eq!(
        document.replace(&segments, &["", " ", "x"])?.text(),
        "One. Two!\r\n\r\n\t- x  * * *\n\n\n"
    );
    assert!(document.replace(&segments, &["too few"]).is_err());
    let foreign = [Segment {
        block: 0,
        range: 0..1000,
    }];
    assert!(document.replace(&foreign, &["x"]).is_err());
    Ok(())
}

#[test]
fn large_and_hostile_input_takes_linear_time() -> Result<()> {
    let million = 1_000_000;
    let texts = [
        "a".repeat(10 * million),
        "слово ".repeat(million),
        ". ".repeat(million),
        "A. ".repeat(million),
        "\n".repeat(million) + "x",
        "- x\n".repeat(million),
        "x\n".repeat(million),
        "\"(".repeat(million),
        "e\u{301}\u{301}".repeat(million),
        "#".repeat(million) + &" a. B".repeat(million / 5),
        " ".repeat(million) + &"! ".repeat(million),
        "Photo: ".repeat(million),
    ];
    for text in &texts {
        let start = std::time::Instant::now();
        for document in [
            Document::from_text("large", text),
            Document::raw("large", text.as_str()),
        ]
        .into_iter()
        .flatten()
        {
            let segments = document.segments_fitting(Language::English, |piece| piece.len() < 600);
            assert!(!document.inspect(None).paragraphs.is_empty());
            assert!(segments.iter().all(|segment| segment.range.len() < 1200));
        }
        // Quadratic time would be hours.
        assert!(
            start.elapsed().as_secs() < 60,
            "{:?}",
            &text[..12.min(text.len())]
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn replacing_by_itself_changes_nothing(text in "[a-zA-Zа-яا-ي0-9 .,!?؟…\"«»\\-•\n\r\t\u{A0}\u{200F}]{0,200}", clean in any::<bool>()) {
        let document = if clean { Document::from_text("text", &text) } else { Document::raw("text", text.clone()) };
        let Ok(document) = document else { return Ok(()) };
        let segments = document.segments_fitting(Language::English, |piece| piece.chars().count() <= 20);
        let texts: Vec<&str> = segments.iter().map(|segment| document.segment_text(segment)).collect();
        let same = document.replace(&segments, &texts);
        prop_assert_eq!(same.as_ref().map(Document::text).ok(), Some(document.text()));
        prop_assert_eq!(same.as_ref().map(Document::blocks).ok(), Some(document.blocks()));
        if !clean {
            prop_assert_eq!(document.text(), text.as_str());
        }
        let longer: Vec<String> = texts.iter().map(|text| format!("<{text}>")).collect();
        let longer = document.replace(&segments, &longer);
        prop_assert_eq!(longer.as_ref().map(|document| document.blocks().len()).ok(), Some(document.blocks().len()));
        if let Ok(longer) = longer {
            for (new, old) in longer.blocks().iter().zip(document.blocks()) {
                let bare = longer.block_text(new).replace(['<', '>'], "");
                prop_assert_eq!(bare.as_str(), document.block_text(old));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for cleaning in [Cleaning::Article, Cleaning::Raw] {
            let read = read(&bytes, &ReadOptions { cleaning, ..ReadOptions::default() });
            prop_assert!(read.is_ok());
        }
    }
}
