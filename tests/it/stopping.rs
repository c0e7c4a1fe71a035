//! The work stopped at any moment: what is given out by then is what would have been given out, on a tiny
//! model with random weights, most of whose outputs are faulty and tried again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use newsml::{
    Decoding, Document, Documents, Error, Format, Language, Length, LoadOptions, ProgressObserver,
    ReadOptions, Result, Summarizer, Translator,
};

use crate::tool::tiny_model;

/// Two paragraphs in English, the first with a link and emphasis, and one in Arabic.
const TEXT: &str = "The *council* opened [a new school](http://a.b/c) on Monday, and 300 children came to see it in the morning.\n\nThe mayor thanked the builders of the town.\n\nافتتح المجلس مدرسة جديدة يوم الاثنين بحضور عدد كبير من السكان.\n";

fn document() -> Document {
    let options = ReadOptions {
        format: Some(Format::Markdown),
        ..ReadOptions::default()
    };
    let mut documents = Documents::from_reader("a.md", TEXT.as_bytes(), &options).unwrap();
    documents.next().unwrap().unwrap()
}

/// Stops the work at the call that is left after so many.
#[derive(Clone)]
struct Stopper(Arc<AtomicUsize>);

impl Stopper {
    fn observer(&self) -> ProgressObserver {
        let left = self.0.clone();
        Arc::new(move |_| match left.load(Relaxed) {
            0 => ControlFlow::Break(()),
            calls => {
                left.store(calls - 1, Relaxed);
                ControlFlow::Continue(())
            }
        })
    }
}

/// Runs the work to its end, then stopped at each moment at which it asks.
fn at_any_moment<T: Debug + PartialEq>(stopper: &Stopper, work: impl Fn() -> Result<T>) {
    let most = usize::MAX;
    stopper.0.store(most, Relaxed);
    let expected = work().unwrap();
    let calls = most - stopper.0.load(Relaxed);
    assert!(calls > 10, "{calls} calls");
    let mut cancelled = 0;
    for moment in 0..calls {
        stopper.0.store(moment, Relaxed);
        match work() {
            Ok(found) => assert_eq!(found, expected, "at call {moment} of {calls}"),
            Err(Error::Cancelled) => cancelled += 1,
            Err(error) => assert_eq!(error.to_string(), "", "at call {moment} of {calls}"),
        }
    }
    assert!(cancelled > 0);
}

fn load() -> (LoadOptions, Decoding) {
    let load = LoadOptions {
        model: Some(tiny_model()),
        ..LoadOptions::default()
    };
    let decoding = Decoding {
        max_tokens: Some(5),
        // Small batches, so that there are moments between them.
        batch_tokens: Some(2000),
        ..Decoding::default()
    };
    (load, decoding)
}

#[test]
fn a_translation_is_whole_or_cancelled() {
    let (load, decoding) = load();
    let stopper = Stopper(Arc::default());
    let translator = Translator::builder(Language::Russian)
        .from(Language::English)
        .load(load)
        .decoding(decoding)
        .progress(stopper.observer());
    let translator = translator.build().unwrap();
    let document = document();
    at_any_moment(&stopper, || {
        let done = translator.translate_document(&document)?;
        Ok((done.document.to_source(), done.warnings, done.segments))
    });
}

#[test]
fn a_summary_is_whole_or_cancelled() {
    let (load, decoding) = load();
    let stopper = Stopper(Arc::default());
    let summarizer = Summarizer::builder(Length::Medium)
        .from(Language::English)
        .language(Language::Russian)
        .load(load)
        .decoding(decoding)
        .progress(stopper.observer());
    let summarizer = summarizer.build().unwrap();
    let document = document();
    at_any_moment(&stopper, || {
        let done = summarizer.summarize_document(&document)?;
        Ok((done.text, done.warnings, done.models))
    });
}
