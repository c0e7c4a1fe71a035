//! Translations in the format of their input: what a folder of all formats becomes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Cursor, Read as _, Write as _};

use crate::tool::{Ran, Tool, tiny_model};

const PAGE: &str = "<!DOCTYPE html>\n<html lang=en><head><title>The river rose</title><script>var a;</script></head><body><p class=x>The <b>river</b> rose.</p><pre>code</pre></body></html>\n";
const TABLE: &str =
    "id,headline,body,note\r\n1,\"The river, rose\",The town is wet.,\"x\"\r\n2,,,y\r\n";
const LINES: &str =
    "{\"id\": \"a\",  \"text\": \"The river rose.\", \"n\": 1.50}\n{\"id\": \"b\",  \"text\": 5}\n";
const SUBTITLES: &str = "1\n00:00:01,000 --> 00:00:02,000\nThe river rose\n\n2\n00:00:02,100 --> 00:00:03,000\nin one night.\n";
const MARKDOWN: &str = "---\ntags: [a]\n---\n\n# The *river* rose\n\n```\ncode\n```\n\nSee [the town](http://a.b/c).\n";
const BODY: &str =
    "<w:document><w:body><w:p><w:r><w:t>The river rose.</w:t></w:r></w:p></w:body></w:document>";

fn archive() -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("word/document.xml", BODY),
        ("word/styles.xml", "<w:styles/>"),
    ] {
        out.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(content.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn translate(tool: &Tool, arguments: &[&str]) -> Ran {
    let model = tiny_model();
    let options = [
        "translate",
        "-q",
        "--from",
        "en",
        "--lang",
        "ar",
        "--max-tokens",
        "3",
        "--model",
        &model,
    ];
    tool.run(&[&options[..], arguments].concat())
}

fn has_all(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part);
        assert!(at.is_some(), "{part:?} is not in its place in\n{text}");
        rest = &rest[at.unwrap() + part.len()..];
    }
}

#[test]
fn a_folder_keeps_its_formats() {
    let tool = Tool::new()
        .file("in/page.html", PAGE)
        .file("in/s/t.srt", SUBTITLES)
        .file("in/m.md", MARKDOWN)
        .file("in/w.docx", archive());
    let ran = translate(&tool, &["--whole-page", "-o", "out/", "in"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(
        tool.names("out")
            .into_iter()
            .filter(|name| !name.starts_with('.'))
            .collect::<Vec<_>>(),
        ["m.md", "page.html", "s", "w.docx"]
    );
    let page = tool.read("out/page.html");
    has_all(
        &page,
        &[
            "<!DOCTYPE html>\n<html",
            "dir=\"rtl\"",
            "<script>var a;</script>",
            "<p class=x>",
            "<b>",
            "</b>",
            "</p><pre>code</pre></body></html>\n",
        ],
    );
    assert!(page.contains("lang=ar"), "{page}");
    has_all(
        &tool.read("out/s/t.srt"),
        &[
            "1\n00:00:01,000 --> 00:00:02,000\n",
            "\n\n2\n00:00:02,100 --> 00:00:03,000\n",
        ],
    );
    has_all(
        &tool.read("out/m.md"),
        &[
            "---\ntags: [a]\n---\n\n# ",
            "\n\n```\ncode\n```\n\n",
            "[",
            "](http://a.b/c)",
        ],
    );
    let mut word =
        zip::ZipArchive::new(std::fs::File::open(tool.path("out/w.docx")).unwrap()).unwrap();
    let mut styles = String::new();
    word.by_name("word/styles.xml")
        .unwrap()
        .read_to_string(&mut styles)
        .unwrap();
    assert_eq!(styles, "<w:styles/>");
}

#[test]
fn records_keep_what_is_not_text() {
    let tool = Tool::new()
        .file("t.csv", TABLE)
        .file("l.jsonl", LINES)
        .file("plain.txt", TABLE);
    let ran = translate(&tool, &["--field", "headline", "--field", "body", "t.csv"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    has_all(
        &ran.out,
        &["id,headline,body,note\r\n1,", ",\"x\"\r\n2,,,y\r\n"],
    );
    assert!(!ran.out.contains("wet"), "{}", ran.out);
    let read = translate(&tool, &["--format", "csv", "--field", "body", "plain.txt"]);
    has_all(
        &read.out,
        &[
            "id,headline,body,note\r\n1,\"The river, rose\",",
            ",\"x\"\r\n",
        ],
    );
    // A line that fails is a line that says so.
    let ran = translate(&tool, &["l.jsonl"]);
    assert_eq!(ran.status, 1);
    has_all(
        &ran.out,
        &[
            "{\"id\": \"a\",  \"text\": \"",
            "\", \"n\": 1.50}\n",
            "\"id\":\"b\"",
            "\"error\":{\"kind\":\"format\"",
        ],
    );
    let unknown = translate(&tool, &["--format", "odt", "plain.txt"]);
    assert_eq!(unknown.status, 2);
    assert_eq!(
        unknown.err,
        "error: unknown format `odt`\n\nhint: the formats are `text`, `html`, `markdown`, `jsonl`, `csv`, `tsv`, `srt`, `vtt`, `docx`\n"
    );
}

#[test]
fn one_page_is_a_page_and_text_where_asked() {
    let tool = Tool::new()
        .file("page.html", PAGE)
        .file("w.docx", archive());
    let page = translate(&tool, &["page.html"]);
    has_all(
        &page.out,
        &[
            "<html lang=\"ar\" dir=\"rtl\">",
            "<article>\n",
            "</article>",
        ],
    );
    let text = translate(&tool, &["page.html", "-o", "out.txt"]);
    assert_eq!(text.status, 0, "{}", text.err);
    assert!(!tool.read("out.txt").contains('<'));
    let word = translate(&tool, &["w.docx", "--json"]);
    assert!(word.out.contains("\"text\":"), "{}", word.out);
}

#[test]
fn a_table_that_breaks_off_keeps_the_rest() {
    let rest = "3,\"no end,x\n4,Wet.,y\n";
    let table = format!("id,text,note\n1,The river rose.,a\n2,The town is wet.,b\n{rest}");
    let tool = Tool::new().file("in/t.csv", &table);
    let ran = translate(&tool, &["-o", "out/", "in"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("row 4 is never closed"), "{}", ran.err);
    let out = tool.read("out/t.csv");
    has_all(&out, &["id,text,note\n1,", ",a\n2,", ",b\n", rest]);
    assert!(out.ends_with(rest) && !out.contains("river"), "{out}");
    // It is not taken for done: mended, it is translated whole.
    let tool = tool.file("in/t.csv", table.replace("\"no", "no"));
    let ran = translate(&tool, &["-o", "out/", "in"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let out = tool.read("out/t.csv");
    assert_eq!(out.lines().count(), 5, "{out}");
    assert!(!out.contains("Wet") && !out.contains("no end"), "{out}");
}
