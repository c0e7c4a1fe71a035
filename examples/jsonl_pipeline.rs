//! Reads articles as JSON Lines from standard input, translates them into English, summarizes the
//! translations, and writes one JSON object a line: the fields that came in, and a `summary`.

#![expect(clippy::print_stderr, reason = "an example says what failed")]

use std::io::{BufWriter, Write};

use newsml::{Documents, Format, Language, Length, ReadOptions, Summarizer, Translator};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = ReadOptions {
        format: Some(Format::JsonLines),
        ..ReadOptions::default()
    };
    let articles = Documents::from_reader("standard input", std::io::stdin(), &options)?;
    let translator = Translator::builder(Language::English).build()?;
    let summarizer = Summarizer::new(Length::Short)?;

    // Both are lazy: batches are filled across articles, and a line that fails passes through.
    let translations = translator
        .translate_documents(articles)
        .map(|translation| Ok(translation?.document));
    let mut output = BufWriter::new(std::io::stdout().lock());
    for result in summarizer.summarize_documents(translations) {
        match result {
            Ok(summary) => {
                let mut line = summary.document.to_json();
                line.insert("summary".to_owned(), summary.text.into());
                writeln!(output, "{}", serde_json::to_string(&line)?)?;
            }
            Err(failure) => eprintln!("{}: {}", failure.name, failure.error),
        }
    }
    output.flush()?;
    Ok(())
}
