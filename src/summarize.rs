//! Articles to summaries, in the article's language or another one.
//!
//! The summary is written in the article's own language, where models stay closest to the text,
//! and translated where another one is asked for. An article too long to be read at once is read in
//! parts, whose summaries are then summarized. Every summary is checked, and asked for again where
//! it fails.

use std::sync::Arc;

use crate::check;
use crate::document::{Document, Failure};
use crate::engine::{Answer, Instruct, Job, Watch, Writing};
use crate::error::{Error, Result};
use crate::generate::Finish;
use crate::language::Language;
use crate::loader::{Engine, Loaded, Loader};
use crate::options::{Decoding, LoadOptions, ProgressObserver};
use crate::pipeline::{Windows, failure, named, shared};
use crate::prompts::{self, Length};
use crate::segment::{sentences, split_long};
use crate::translate::{Translator, detected_language};
use crate::translators::{self, SegmentModel};
use crate::warning::{Warning, WarningKind};

/// Bytes of text in a window.
const WINDOW_BYTES: usize = 256 << 10;
/// Documents in a window.
const WINDOW_DOCUMENTS: usize = 32;
/// Most tokens of an article that are read at once.
const MOST_TOKENS: usize = 3000;
/// Tokens of a part of a longer article.
const PART_TOKENS: usize = 2000;
/// How often the summaries of parts are read in parts themselves; each time leaves a quarter or so.
const ROUNDS: usize = 4;
/// How often a summary that fails its checks is asked for.
const ATTEMPTS: usize = 2;

/// Writes summaries of texts and documents.
///
/// `Send + Sync`: one summarizer serves any number of threads.
///
/// ```no_run
/// use newsml::{Length, Summarizer};
/// let summarizer = Summarizer::new(Length::Short)?;
/// println!("{}", summarizer.summarize(&std::fs::read_to_string("article.txt").unwrap())?);
/// # Ok::<(), newsml::Error>(())
/// ```
pub struct Summarizer {
    loader: Arc<Loader>,
    length: Length,
    from: Option<Language>,
    language: Option<Language>,
    decoding: Decoding,
    progress: Option<ProgressObserver>,
}

/// Sets up a [`Summarizer`].
pub struct SummarizerBuilder {
    length: Length,
    from: Option<Language>,
    language: Option<Language>,
    load: LoadOptions,
    decoding: Decoding,
    progress: Option<ProgressObserver>,
}

/// A summary of a document.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summary {
    /// The document that was summarized.
    pub document: Document,
    /// The summary.
    pub text: String,
    /// The language of the summary.
    pub language: Language,
    /// The language of the document.
    pub source_language: Language,
    /// The models that worked on it, in that order.
    pub models: Vec<String>,
    /// What its reader should know.
    pub warnings: Vec<Warning>,
}

impl SummarizerBuilder {
    /// Sets the language of the articles; it is detected for each where this is not called.
    pub fn from(mut self, language: Language) -> Self {
        self.from = Some(language);
        self
    }

    /// Sets the language of the summaries; that of each article where this is not called.
    pub fn language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// Sets which models are used and where they come from.
    pub fn load(mut self, options: LoadOptions) -> Self {
        self.load = options;
        self
    }

    /// Sets how text is decoded.
    pub fn decoding(mut self, decoding: Decoding) -> Self {
        self.decoding = decoding;
        self
    }

    /// Sets who is told how far the work is, and may stop it.
    pub fn progress(mut self, observer: ProgressObserver) -> Self {
        self.progress = Some(observer);
        self
    }

    /// Makes the summarizer. Models are fetched and loaded when the first document needs them.
    ///
    /// # Errors
    ///
    /// [`Error::Device`], [`Error::Registry`].
    pub fn build(self) -> Result<Summarizer> {
        Ok(Summarizer {
            loader: Arc::new(Loader::new(self.load)?),
            length: self.length,
            from: self.from,
            language: self.language,
            decoding: self.decoding,
            progress: self.progress,
        })
    }
}

impl Summarizer {
    /// A summarizer for summaries of a length, each in its article's language, with the best model
    /// that can be had.
    ///
    /// # Errors
    ///
    /// As [`SummarizerBuilder::build`].
    pub fn new(length: Length) -> Result<Self> {
        Self::builder(length).build()
    }

    /// Sets up a summarizer.
    pub fn builder(length: Length) -> SummarizerBuilder {
        SummarizerBuilder {
            length,
            from: None,
            language: None,
            load: LoadOptions::default(),
            decoding: Decoding::default(),
            progress: None,
        }
    }

    /// Summarizes a text. A page's clutter is left out first; see [`Document::from_text`].
    ///
    /// # Errors
    ///
    /// [`Error::EmptyInput`], [`Error::UndetectedLanguage`], and what models can meet.
    pub fn summarize(&self, text: &str) -> Result<String> {
        let mut summaries = self.summarize_batch(&[text])?;
        summaries.pop().ok_or(Error::Cancelled)
    }

    /// Summarizes texts together; the i-th result answers the i-th text.
    ///
    /// # Errors
    ///
    /// The first error that any text meets.
    pub fn summarize_batch(&self, texts: &[&str]) -> Result<Vec<String>> {
        let documents = named(texts, Document::from_text);
        self.summarize_documents(documents)
            .map(|result| Ok(result?.text))
            .collect()
    }

    /// Summarizes one document.
    ///
    /// # Errors
    ///
    /// As [`summarize`](Self::summarize).
    pub fn summarize_document(&self, document: &Document) -> Result<Summary> {
        let mut results = self.window(vec![document.clone()]);
        results
            .pop()
            .map_or(Err(Error::Cancelled), |result| Ok(result?))
    }

    /// Summarizes a stream of documents, lazily and in order; batches are filled across documents.
    /// What could not be read passes through.
    pub fn summarize_documents<'a, I>(
        &'a self,
        documents: I,
    ) -> impl Iterator<Item = Result<Summary, Box<Failure>>> + 'a
    where
        I: IntoIterator<Item = Result<Document, Box<Failure>>>,
        I::IntoIter: 'a,
    {
        Windows::new(
            documents.into_iter(),
            WINDOW_BYTES,
            WINDOW_DOCUMENTS,
            |window| self.window(window),
        )
    }

    fn window(&self, documents: Vec<Document>) -> Vec<Result<Summary, Box<Failure>>> {
        let mut watch = Watch::new(self.progress.clone());
        documents
            .iter()
            .zip(self.drafts(&documents, &mut watch))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(document, draft)| {
                draft
                    .and_then(|draft| self.finish(document, draft))
                    .map_err(|error| failure(document, error))
            })
            .collect()
    }

    /// Summaries in the language of each document, or in the one asked for by a model that can.
    fn drafts(&self, documents: &[Document], watch: &mut Watch) -> Vec<Result<Draft>> {
        let mut drafts: Vec<Option<Result<Draft>>> = Vec::new();
        drafts.resize_with(documents.len(), || None);
        for language in Language::ALL {
            let mut members = Vec::new();
            for (index, document) in documents.iter().enumerate() {
                let found = match self.from.or(document.language()) {
                    Some(found) => Ok((found, Vec::new())),
                    None => detected_language(document),
                };
                match found {
                    Ok((found, warnings)) if found == language => members.push((index, warnings)),
                    Ok(_) => {}
                    Err(error) => {
                        drafts[index].get_or_insert(Err(error));
                    }
                }
            }
            if members.is_empty() {
                continue;
            }
            let texts: Vec<&Document> = members
                .iter()
                .map(|(index, _)| &documents[*index])
                .collect();
            let written = self.loader.summarizer(language).and_then(|model| {
                Loaded::heed(std::slice::from_ref(&model), &self.decoding)?;
                let languages = Languages {
                    article: language,
                    summary: Writer::of(&model)?.language(language, self.language),
                };
                let texts = self.written(&model, languages, &texts, watch)?;
                Ok((model, languages, texts))
            });
            match written {
                Ok((model, languages, texts)) => {
                    for ((index, mut warnings), text) in members.into_iter().zip(texts) {
                        drafts[index] =
                            Some(text.map_or(Err(Error::Cancelled), |(text, faults)| {
                                warnings.extend(faults);
                                Ok(Draft {
                                    text,
                                    languages,
                                    model: model.id.clone(),
                                    warnings,
                                })
                            }));
                    }
                }
                Err(error) => {
                    let error = shared(error);
                    for (index, _) in members {
                        drafts[index] = Some(Err(error()));
                    }
                }
            }
        }
        drafts
            .into_iter()
            .map(|draft| draft.unwrap_or(Err(Error::Cancelled)))
            .collect()
    }

    fn written(
        &self,
        model: &Loaded,
        languages: Languages,
        documents: &[&Document],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Written>>> {
        let writer = Writer::of(model)?;
        let most = writer.most_tokens();
        let mut articles: Vec<Option<Written>> = documents
            .iter()
            .map(|document| Some((prompts::without_delimiters(&document.prose()), Vec::new())))
            .collect();
        // Articles that are too long become the summaries of their parts, again if need be.
        for round in 0.. {
            let mut parts: Vec<(usize, String)> = Vec::new();
            for (index, article) in articles.iter_mut().enumerate() {
                let Some((text, warnings)) = article else {
                    continue;
                };
                if text.len() <= most || writer.count(text)? <= most {
                    continue;
                }
                let found = parts_of(writer, text, languages.article, writer.part_tokens())?;
                if round < ROUNDS {
                    parts.extend(found.into_iter().map(|part| (index, part)));
                } else if let Some(first) = found.into_iter().next() {
                    // A model whose summaries are as long as what they are of.
                    *text = first;
                    warnings.push(Warning::new(
                        WarningKind::CutShort,
                        "the text was read in part",
                    ));
                }
            }
            if parts.is_empty() {
                break;
            }
            let texts: Vec<&str> = parts.iter().map(|(_, part)| part.as_str()).collect();
            let read = self.asked(writer, languages, writer.part_length(), &texts, watch)?;
            let mut joined: Vec<(usize, Option<String>, usize)> = Vec::new();
            for ((index, _), summary) in parts.iter().zip(read) {
                let summary = summary.map(|(text, _)| text);
                match joined.last_mut() {
                    Some((last, text, count)) if last == index => {
                        *text = text
                            .take()
                            .zip(summary)
                            .map(|(text, more)| text + "\n\n" + &more);
                        *count += 1;
                    }
                    _ => joined.push((*index, summary, 1)),
                }
            }
            for (index, text, count) in joined {
                articles[index] =
                    text.zip(articles[index].take())
                        .map(|(text, (_, mut warnings))| {
                            warnings.push(Warning::new(
                                WarningKind::Parts,
                                format!("the text was read in {count} parts"),
                            ));
                            (text, warnings)
                        });
            }
        }
        let present: Vec<usize> = (0..articles.len())
            .filter(|&i| articles[i].is_some())
            .collect();
        let texts: Vec<&str> = present
            .iter()
            .filter_map(|&i| articles[i].as_ref().map(|(text, _)| text.as_str()))
            .collect();
        let summaries = self.asked(writer, languages, self.length, &texts, watch)?;
        let mut results: Vec<Option<Written>> = vec![None; documents.len()];
        for (index, summary) in present.into_iter().zip(summaries) {
            results[index] =
                summary
                    .zip(articles[index].take())
                    .map(|((text, faults), (_, mut warnings))| {
                        warnings.extend(faults);
                        (text, warnings)
                    });
        }
        Ok(results)
    }

    /// Asks for a summary of each text, and again for those that fail their checks.
    fn asked(
        &self,
        writer: Writer<'_>,
        languages: Languages,
        length: Length,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Written>>> {
        let language = languages.summary;
        let mut results: Vec<Option<Candidate>> = Vec::new();
        results.resize_with(texts.len(), || None);
        let mut open: Vec<usize> = (0..texts.len()).collect();
        for attempt in 0..ATTEMPTS {
            if open.is_empty() {
                break;
            }
            if watch.stopped() {
                // What was still to be asked for again is not finished.
                for &index in &open {
                    results[index] = None;
                }
                break;
            }
            let inputs: Vec<&str> = open.iter().map(|&index| texts[index]).collect();
            watch.begin(inputs.len());
            let answers = match writer {
                Writer::Instruct(instruct) => {
                    let wanted = Wanted {
                        language,
                        length,
                        attempt,
                    };
                    self.prompted(instruct, wanted, &inputs, watch)?
                }
                Writer::Trained(model) if attempt == 0 => {
                    let asked = (languages.article, languages.summary);
                    model.summarize(asked, &inputs, &self.decoding, watch)?
                }
                // It was trained to write one kind of summary, and would write the same again; a
                // longer one is made of those of parts.
                Writer::Trained(model) if length == Length::Medium => {
                    self.by_parts(model, languages, &inputs, watch)?
                }
                Writer::Trained(_) => break,
            };
            let mut again = Vec::new();
            for (&index, answer) in open.iter().zip(answers) {
                let Some(answer) = answer else {
                    results[index] = None;
                    continue;
                };
                let (text, finish) = tidied(writer.own(answer, length, language), length, language);
                let faults = check::summary(texts[index], &text, language, finish);
                // Too little is no fault to warn of, but worth another attempt.
                let written = sentences(&text, language).len();
                let little = written < length.fewest_sentences()
                    && sentences(texts[index], language).len() > 2 * length.fewest_sentences();
                let found = Candidate {
                    weight: check::weight(&faults) + u32::from(little),
                    text,
                    faults,
                };
                if found.weight > 0 {
                    again.push(index);
                }
                if results[index]
                    .as_ref()
                    .is_none_or(|before| found.weight < before.weight)
                {
                    results[index] = Some(found);
                }
            }
            open = again;
        }
        Ok(results
            .into_iter()
            .map(|found| found.map(|found| (found.text, found.faults)))
            .collect())
    }

    /// Summaries that are made of the summaries of parts, as many as there should be sentences.
    fn by_parts(
        &self,
        model: &translators::Checkpoint,
        languages: Languages,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Answer>>> {
        let writer = Writer::Trained(model);
        let mut parts: Vec<(usize, String)> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let most = writer.count(text)? / Length::Medium.fewest_sentences() + 1;
            let found = parts_of(writer, text, languages.article, most)?;
            parts.extend(found.into_iter().map(|part| (index, part)));
        }
        let inputs: Vec<&str> = parts.iter().map(|(_, part)| part.as_str()).collect();
        let asked = (languages.article, languages.summary);
        let answers = model.summarize(asked, &inputs, &self.decoding, watch)?;
        let mut joined: Vec<Vec<Option<Answer>>> = vec![Vec::new(); texts.len()];
        for ((index, _), answer) in parts.into_iter().zip(answers) {
            joined[index].push(answer);
        }
        // One without all of its parts is not finished.
        let whole = joined.into_iter().map(|parts| {
            let parts = parts.into_iter().collect::<Option<Vec<Answer>>>()?;
            parts.into_iter().reduce(|before, answer| Answer {
                text: format!("{} {}", before.text, answer.text),
                finish: answer.finish,
            })
        });
        Ok(whole.collect())
    }

    fn prompted(
        &self,
        instruct: &Instruct,
        wanted: Wanted,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Answer>>> {
        let Wanted {
            language,
            length,
            attempt,
        } = wanted;
        let jobs = texts
            .iter()
            .map(|text| {
                let most = self.decoding.max_tokens;
                Ok(Job {
                    prompt: instruct.prompt(&prompts::summary(language, length, text, attempt))?,
                    max_new: most.unwrap_or_else(|| length.most_tokens(language)),
                    writing: if attempt == 0 {
                        Writing::Usual(language)
                    } else {
                        Writing::Strict(language)
                    },
                })
            })
            .collect::<Result<Vec<_>>>()?;
        instruct.answer(&jobs, &self.decoding, watch)
    }

    /// Translates a draft where another language is asked for.
    fn finish(&self, document: &Document, draft: Draft) -> Result<Summary> {
        let language = self.language.unwrap_or(draft.languages.summary);
        let mut summary = Summary {
            document: document.clone(),
            text: draft.text,
            language,
            source_language: draft.languages.article,
            models: vec![draft.model],
            warnings: draft.warnings,
        };
        if language != draft.languages.summary {
            let translator = Translator::sharing(
                self.loader.clone(),
                language,
                self.decoding.clone(),
                self.progress.clone(),
            );
            let mut text = Document::raw(document.name(), summary.text.as_str())?;
            text.set_language(Some(draft.languages.summary));
            let translation = translator.translate_document(&text)?;
            summary.text = translation.document.text().to_owned();
            for model in translation.models {
                if summary.models.last() != Some(&model) {
                    summary.models.push(model);
                }
            }
            summary.warnings.extend(translation.warnings);
        }
        Ok(summary)
    }
}

/// A text, and what its reader should know; `None` in its place where the work was stopped before.
type Written = (String, Vec<Warning>);

/// What writes summaries.
#[derive(Clone, Copy)]
enum Writer<'a> {
    /// A model that is asked to.
    Instruct(&'a Instruct),
    /// A model that was trained to.
    Trained(&'a translators::Checkpoint),
}

impl<'a> Writer<'a> {
    fn of(model: &'a Loaded) -> Result<Self> {
        match &model.engine {
            Engine::Instruct(instruct) => Ok(Self::Instruct(instruct)),
            Engine::Segments(SegmentModel::Seq2Seq(model)) => Ok(Self::Trained(model)),
            Engine::Segments(SegmentModel::Firefox(_)) => Err(Error::Usage {
                message: format!("model `{}` translates and cannot summarize", model.id),
                hint: Some("leave `--model` out, or see `newsml models list`".to_owned()),
            }),
        }
    }

    /// The language that it writes in about an article in one language: the one that is wanted,
    /// where it was made for that, else the article's own, in which models stay closest to the
    /// text.
    fn language(self, article: Language, wanted: Option<Language>) -> Language {
        match (self, wanted) {
            (Self::Trained(model), Some(wanted)) if model.is_told(wanted) => wanted,
            _ => article,
        }
    }

    /// How long the summary of a part is: a trained model's own length.
    fn part_length(self) -> Length {
        match self {
            Self::Instruct(_) => Length::Medium,
            Self::Trained(_) => Length::Short,
        }
    }

    /// What of an answer is the headline of a model that was not asked for one: its first
    /// sentence.
    fn own(self, mut answer: Answer, length: Length, language: Language) -> Answer {
        if let (Self::Trained(_), Length::Headline) = (self, length)
            && let Some(first) = sentences(&answer.text, language).first()
        {
            answer.text.truncate(first.end);
        }
        answer
    }

    fn count(self, text: &str) -> Result<usize> {
        match self {
            Self::Instruct(instruct) => instruct.count(text),
            Self::Trained(model) => model.count(text),
        }
    }

    /// Most tokens of an article that are read at once.
    fn most_tokens(self) -> usize {
        match self {
            Self::Instruct(instruct) => MOST_TOKENS.min(instruct.context() / 2),
            Self::Trained(model) => model.most_article_tokens(),
        }
    }

    /// Tokens of a part of a longer article.
    fn part_tokens(self) -> usize {
        PART_TOKENS.min(self.most_tokens())
    }
}

/// What is asked of an instruct model.
#[derive(Clone, Copy)]
struct Wanted {
    language: Language,
    length: Length,
    attempt: usize,
}

/// A summary, and how bad it is.
struct Candidate {
    text: String,
    faults: Vec<Warning>,
    weight: u32,
}

/// What is read and what is written.
#[derive(Clone, Copy)]
struct Languages {
    article: Language,
    summary: Language,
}

struct Draft {
    text: String,
    languages: Languages,
    model: String,
    warnings: Vec<Warning>,
}

impl std::fmt::Debug for Summarizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Summarizer")
            .field("length", &self.length)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SummarizerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SummarizerBuilder")
            .field("length", &self.length)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// Cuts a text into parts of so many tokens at most, between sentences where that can be.
fn parts_of(
    writer: Writer<'_>,
    text: &str,
    language: Language,
    most: usize,
) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut tokens = 0;
    for paragraph in text
        .split('\n')
        .filter(|paragraph| !paragraph.trim().is_empty())
    {
        let mut gap = "\n";
        for sentence in sentences(paragraph, language) {
            let sentence = &paragraph[sentence];
            for piece in split_long(sentence, |piece| piece.len() <= most) {
                let piece = &sentence[piece];
                let count = writer.count(piece)?;
                if tokens > 0 && tokens + count > most {
                    parts.push(std::mem::take(&mut part));
                    tokens = 0;
                }
                if !part.is_empty() {
                    part.push_str(gap);
                }
                part.push_str(piece);
                tokens += count + 1;
                gap = " ";
            }
        }
    }
    parts.push(part);
    Ok(parts)
}

/// Takes off what models write around a summary, and sentences beyond the length asked for; an
/// answer cut off by its limit ends with its last whole sentence.
fn tidied(answer: Answer, length: Length, language: Language) -> (String, Finish) {
    let Answer { text, mut finish } = answer;
    let mut text = if length == Length::Headline {
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default()
            .to_owned()
    } else {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for marker in ["<article>", "</article>", "**"] {
        text = text.replace(marker, "");
    }
    if length == Length::Headline {
        let quotes = ['"', '«', '»', '“', '”', '#', ' '];
        let bare = text.trim_matches(quotes);
        // Quotation marks within the headline stay.
        if !bare.contains(quotes.split_at(6).0) {
            text = bare.to_owned();
        }
        if let Some(bare) = text.strip_suffix('.')
            && !bare.contains('.')
        {
            text = bare.to_owned();
        }
        return (text.trim().to_owned(), finish);
    }
    text = without_repetition(&text, language);
    let ranges = sentences(&text, language);
    let mut keep = ranges.len().min(length.most_sentences());
    let whole = |end: usize| {
        text[..end]
            .trim_end()
            .ends_with(['.', '!', '?', '؟', '…', '"', '»', '”'])
    };
    if finish == Finish::Length && keep == ranges.len() && keep > 1 && !whole(text.len()) {
        keep -= 1;
    }
    if let Some(last) = keep.checked_sub(1).and_then(|last| ranges.get(last)) {
        let cut = last.end < text.len();
        text.truncate(last.end);
        if cut {
            finish = Finish::Stop;
        }
    }
    (text.trim().to_owned(), finish)
}

/// Drops sentences most of whose words stand in one sentence before them.
fn without_repetition(text: &str, language: Language) -> String {
    let mut kept: Vec<(&str, Vec<String>)> = Vec::new();
    for range in sentences(text, language) {
        let sentence = &text[range];
        let words: Vec<String> = sentence
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 3)
            .map(str::to_lowercase)
            .collect();
        let repeats = |(_, before): &(&str, Vec<String>)| {
            let again = words.iter().filter(|word| before.contains(word)).count();
            words.len() >= 4 && again * 10 >= words.len() * 8
        };
        if !kept.iter().any(repeats) {
            kept.push((sentence, words));
        }
    }
    let sentences: Vec<&str> = kept.iter().map(|(sentence, _)| sentence.trim()).collect();
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidy(text: &str, length: Length, finish: Finish) -> (String, Finish) {
        let answer = Answer {
            text: text.to_owned(),
            finish,
        };
        tidied(answer, length, Language::English)
    }

    #[test]
    fn summaries_have_at_most_their_sentences() {
        let text = "One thing happened. Two men saw it. A third heard of it. Nobody else did.";
        let (found, finish) = tidy(text, Length::Short, Finish::Stop);
        assert_eq!(
            found,
            "One thing happened. Two men saw it. A third heard of it."
        );
        assert_eq!(finish, Finish::Stop);
    }

    #[test]
    fn an_answer_that_was_cut_ends_with_a_whole_sentence() {
        let (found, finish) = tidy(
            "The bridge opened. The minister said that",
            Length::Short,
            Finish::Length,
        );
        assert_eq!(found, "The bridge opened.");
        assert_eq!(finish, Finish::Stop);
    }

    #[test]
    fn sentences_said_twice_are_said_once() {
        let text = "The minister opened the new bridge on Monday. On Monday the minister opened the new bridge there.";
        assert_eq!(
            tidy(text, Length::Short, Finish::Stop).0,
            "The minister opened the new bridge on Monday."
        );
    }

    #[test]
    fn headlines_are_one_bare_line() {
        let headline = |text: &str| tidy(text, Length::Headline, Finish::Stop).0;
        assert_eq!(
            headline("\"Bridge opens in the south.\"\n\nMore text"),
            "Bridge opens in the south"
        );
        assert_eq!(
            headline("Minister: \"Bridge is safe\""),
            "Minister: \"Bridge is safe\""
        );
    }
}
