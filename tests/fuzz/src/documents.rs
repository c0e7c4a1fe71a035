//! What newsml does with a document before and after a model works on it.

use std::io::Cursor;

use newsml::{
    Cleaning, Document, Documents, Format, Language, ReadOptions, check_summary, check_translation,
};

/// A format, or none for one to be found, and what is done about the page around the article.
pub(crate) type Way = (Option<Format>, Cleaning);

/// Documents that are worked on of one input, and segments of each that are compared with others.
const DOCUMENTS: usize = 1000;
const COMPARED: usize = 32;

/// All ways in which an input can be read.
pub(crate) fn ways() -> Vec<Way> {
    let formats = Format::ALL.into_iter().map(Some).chain([None]);
    formats
        .flat_map(|format| {
            [
                Cleaning::Article,
                Cleaning::Fields,
                Cleaning::Raw,
                Cleaning::Page,
            ]
            .map(|cleaning| (format, cleaning))
        })
        .collect()
}

/// Reads an input, takes it apart and puts it together again.
///
/// # Panics
/// Where a promise of the library is broken.
pub(crate) fn run((format, cleaning): Way, bytes: &[u8]) {
    let options = ReadOptions {
        format,
        cleaning,
        ..ReadOptions::default()
    };
    let reader = Cursor::new(bytes.to_vec());
    let Ok(documents) = Documents::from_reader("input", reader, &options) else {
        return;
    };
    for document in documents.take(DOCUMENTS).flatten() {
        take_apart(&document);
    }
}

fn take_apart(document: &Document) {
    let inspection = document.inspect(None);
    for sentence in &inspection.sentences {
        assert_eq!(
            inspection.text.get(sentence.start..sentence.end),
            Some(sentence.text.as_str())
        );
    }
    let language = document.language().or(document.detect_language().language);
    let language = language.unwrap_or(Language::English);
    let segments = document.segments(language);
    let texts: Vec<&str> = segments
        .iter()
        .map(|segment| document.segment_text(segment))
        .collect();
    let mut end = 0;
    for (segment, text) in segments.iter().zip(&texts) {
        assert!(
            segment.range.start >= end && !text.is_empty(),
            "{segment:?}"
        );
        end = segment.range.end;
    }
    let put = |texts: &[String]| match document.replace(&segments, texts) {
        Ok(replaced) => replaced,
        Err(error) => panic!("segments of a document cannot be replaced: {error}"),
    };
    let same: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    assert_eq!(put(&same).text(), document.text());
    let other: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| match at % 3 {
            0 => text.to_uppercase(),
            1 => format!("<Новый> «мост» & \"{at}\"\n{text}"),
            _ => "جسر جديد".to_owned(),
        })
        .collect();
    let mut other_document = put(&other);
    other_document.set_language(Some(Language::Arabic));
    other_document.to_source();
    let _ = other_document.to_bytes();
    other_document.to_json();
    for (text, other) in texts.iter().zip(&other).take(COMPARED) {
        check_translation(text, other, Some(language), Some(Language::Russian));
    }
    let summary: String = document.body().chars().take(300).collect();
    check_summary(document.text(), &summary, language);
}
