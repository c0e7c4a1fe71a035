//! Pages and texts that were made to do harm: reading them ends soon, and without a panic.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Cursor;
use std::time::{Duration, Instant};

use newsml::{Cleaning, Documents, Format, Language, ReadOptions};

/// Far more than any of them takes where time is linear, far less than where it is not.
const LONGEST: Duration = Duration::from_secs(20);

fn cases() -> Vec<(&'static str, Format, String)> {
    let (html, text) = (Format::Html, Format::Text);
    let prose = "The council opened a new school on Monday, and the mayor thanked the builders. ";
    let page = |head: &str, count: usize, tail: &str| {
        format!("<p>{prose}</p>{}{tail}<p>{prose}</p>", head.repeat(count))
    };
    let between = |line: &str| format!("{prose}\n\n{}\n{prose}\n", line.repeat(400_000));
    vec![
        ("nested blocks", html, page("<div>", 100_000, prose)),
        ("nested inline", html, page("<b>", 100_000, prose)),
        (
            "nested inline with breaks",
            html,
            page("<b>x<br><br>", 100_000, prose),
        ),
        ("nested links", html, page("<a href=x>", 100_000, prose)),
        ("end tags", html, page("</div></b>", 100_000, prose)),
        ("crossed", html, page("<b><p></b></i>", 50_000, prose)),
        ("deep tables", html, page("<table><tr><td>", 30_000, prose)),
        ("deep lists", html, page("<ul><li>", 50_000, prose)),
        ("entities", html, page("&", 1_000_000, prose)),
        ("named entities", html, page("&amp;", 200_000, prose)),
        (
            "no entities",
            html,
            page("&#xD800;&#0;&#x110000;&#99999999999;", 20_000, prose),
        ),
        ("open comment", html, page("<!--", 100_000, prose)),
        ("open tags", html, page("<", 500_000, prose)),
        ("open quotation", html, page("<p class=\"", 100_000, prose)),
        (
            "attributes",
            html,
            format!("<p {}>{prose}</p>", "a=b ".repeat(1_000_000)),
        ),
        ("open scripts", html, page("<script>", 50_000, prose)),
        (
            "data",
            html,
            page("<script type=application/ld+json>[[[[", 2_000, prose),
        ),
        ("one line", html, page(prose, 60_000, "")),
        ("labels", text, between("Read also\n")),
        ("labels of comments", text, between("Comments\n")),
        ("one line of text", text, prose.repeat(60_000)),
        ("no space", text, "a".repeat(5_000_000)),
        ("full stops", text, ". ".repeat(1_000_000)),
        ("quotations", text, "«А. Б», — с ".repeat(100_000)),
        ("open quotations", text, ": «А, — ".repeat(100_000)),
        ("capitals", text, "Он Она ".repeat(100_000)),
        ("line breaks", text, "\n".repeat(2_000_000) + prose),
        (
            "directions",
            text,
            "\u{202E}\u{2066}\u{200F}a\u{0}\u{1B}[2J ".repeat(100_000) + prose,
        ),
        (
            "marks on a letter",
            text,
            format!("a{} {prose}", "\u{301}".repeat(1_000_000)),
        ),
    ]
}

#[test]
fn hostile_inputs_are_read_in_time() {
    let mut failures = Vec::new();
    for (name, format, input) in cases() {
        let began = Instant::now();
        let options = ReadOptions {
            format: Some(format),
            cleaning: Cleaning::Article,
            ..ReadOptions::default()
        };
        let bytes = Cursor::new(input.into_bytes());
        for document in Documents::from_reader(name, bytes, &options).unwrap() {
            // Text that has nothing to read may be refused; it may not be read for ever.
            let Ok(document) = document else { continue };
            document.inspect(None);
            document.segments(Language::Russian);
            let hidden = |c: char| c.is_control() && c != '\n';
            if document.text().contains(hidden) {
                failures.push(format!("{name}: control characters were kept"));
            }
        }
        let took = began.elapsed();
        if took > LONGEST {
            failures.push(format!("{name}: {took:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
