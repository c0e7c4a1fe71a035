//! What translating and summarizing share: a stream of documents worked through in windows.
//!
//! A window holds as many documents as make full batches, and no more than take some seconds: what
//! is in it is given out together, and lost together if the process ends before. Results come in the
//! order of the documents, and a document that fails does not stop the others.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::document::{Document, Failure};
use crate::error::{Error, Result as Outcome};

/// Bytes of text in the first window, and in the smallest.
const FEW_BYTES: usize = 8 << 10;
/// How long a window should take.
const WINDOW_TIME: Duration = Duration::from_secs(10);

/// Works through documents lazily: takes a window, works on it as a whole, gives out its results.
struct Windows<I, F, T> {
    documents: I,
    work: F,
    /// Bytes of text that make the next window, and any; documents in one at most.
    bytes: usize,
    most_bytes: usize,
    most: usize,
    ready: VecDeque<Result<T, Box<Failure>>>,
}

impl<I, F, T> Windows<I, F, T>
where
    I: Iterator<Item = Result<Document, Box<Failure>>>,
    F: FnMut(Vec<Document>) -> Vec<Result<T, Box<Failure>>>,
{
    /// `work` answers every document that it is given, in order.
    fn new(documents: I, bytes: usize, most: usize, work: F) -> Self {
        Self {
            documents,
            work,
            bytes: bytes.min(FEW_BYTES),
            most_bytes: bytes,
            most,
            ready: VecDeque::new(),
        }
    }
}

impl<I, F, T> Iterator for Windows<I, F, T>
where
    I: Iterator<Item = Result<Document, Box<Failure>>>,
    F: FnMut(Vec<Document>) -> Vec<Result<T, Box<Failure>>>,
{
    type Item = Result<T, Box<Failure>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(ready) = self.ready.pop_front() {
            return Some(ready);
        }
        let mut failures: Vec<Option<Box<Failure>>> = Vec::new();
        let mut window = Vec::new();
        let mut bytes = 0;
        while bytes < self.bytes && window.len() < self.most {
            match self.documents.next() {
                Some(Ok(document)) => {
                    bytes += document.text().len();
                    window.push(document);
                    failures.push(None);
                }
                Some(Err(failure)) => failures.push(Some(failure)),
                None => break,
            }
        }
        let mut results = if window.is_empty() {
            Vec::new()
        } else {
            let start = Instant::now();
            let results = (self.work)(window);
            let seconds = start.elapsed().as_secs_f64().max(0.001);
            let next = bytes as f64 / seconds * WINDOW_TIME.as_secs_f64();
            self.bytes = (next as usize).max(FEW_BYTES).min(self.most_bytes);
            results
        }
        .into_iter();
        for failure in failures {
            match failure {
                Some(failure) => self.ready.push_back(Err(failure)),
                None => self.ready.extend(results.next()),
            }
        }
        self.ready.pop_front()
    }
}

/// Work on documents, window by window: a pipeline offers it on texts, batches, single documents and
/// streams.
pub(crate) trait Pipeline {
    /// What becomes of a document.
    type Done;
    /// Bytes of text in a window.
    const WINDOW_BYTES: usize;
    /// Documents in a window.
    const WINDOW_DOCUMENTS: usize;

    /// Answers every document of a window, in order.
    fn window(&self, documents: Vec<Document>) -> Vec<Result<Self::Done, Box<Failure>>>;

    /// Works on one document.
    fn document(&self, document: &Document) -> Outcome<Self::Done> {
        let mut results = self.window(vec![document.clone()]);
        results
            .pop()
            .map_or(Err(Error::Cancelled), |result| Ok(result?))
    }

    /// Works on a stream of documents, lazily and in order. What could not be read passes through.
    fn stream<'a, I>(
        &'a self,
        documents: I,
    ) -> impl Iterator<Item = Result<Self::Done, Box<Failure>>> + 'a
    where
        I: IntoIterator<Item = Result<Document, Box<Failure>>>,
        I::IntoIter: 'a,
    {
        Windows::new(
            documents.into_iter(),
            Self::WINDOW_BYTES,
            Self::WINDOW_DOCUMENTS,
            |window| self.window(window),
        )
    }

    /// Works on texts together, each a document by `read`; stops at the first error that any meets.
    fn texts(
        &self,
        texts: &[&str],
        read: fn(String, &str) -> Outcome<Document>,
        written: fn(Self::Done) -> String,
    ) -> Outcome<Vec<String>> {
        self.stream(named(texts, read))
            .map(|result| Ok(written(result?)))
            .collect()
    }
}

/// A failure to work on a document that was read.
pub(crate) fn failure(document: &Document, error: Error) -> Box<Failure> {
    Box::new(Failure {
        name: document.name().to_owned(),
        fields: document.fields().clone(),
        error,
    })
}

/// The same error for each of several documents.
pub(crate) fn shared(error: Error) -> impl Fn() -> Error {
    let error = std::sync::Arc::new(error);
    move || match &*error {
        Error::Cancelled => Error::Cancelled,
        _ => Error::Shared(std::sync::Arc::clone(&error)),
    }
}

/// Documents made of texts that have no names of their own, by what reads them.
fn named<'a>(
    texts: &'a [&'a str],
    read: fn(String, &str) -> Outcome<Document>,
) -> impl Iterator<Item = Result<Document, Box<Failure>>> + 'a {
    texts.iter().enumerate().map(move |(i, text)| {
        let name = format!("text {}", i + 1);
        read(name.clone(), text).map_err(|error| {
            Box::new(Failure {
                name,
                fields: serde_json::Map::new(),
                error,
            })
        })
    })
}
