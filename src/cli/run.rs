//! `newsml translate` and `newsml summarize`: options to the library's, results to records.

use std::cell::Cell;
use std::sync::Arc;

use newsml::{
    Decoding, Document, Error, Failure, Format, Glossary, Language, Length, LoadObserver,
    LoadOptions, MemoryFile, ProgressObserver, Registry, Result, StoreOptions, Summarizer, Summary,
    Term, Translation, Translator, Warning,
};
use serde_json::{Map, Value};

use super::args::{ComputeArgs, LengthName, Summarize, Translate};
use super::console::Console;
use super::counts::Counts;
use super::documents;
use super::file::Form;
use super::outcome::Outcome;
use super::settings::Settings;
use super::status::Status;

/// What both commands need besides their arguments.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) registry: Registry,
    pub(crate) store: StoreOptions,
    pub(crate) form: Form,
    pub(crate) console: Arc<Console>,
}

impl Context {
    pub(crate) fn translate(self, arguments: &Translate) -> Result<Status> {
        let to = language(arguments.lang.as_deref())?;
        if to.is_none() && arguments.model.model.is_none() {
            return Err(Error::Usage {
                message: "`--lang` is missing: the language to translate into".to_owned(),
                hint: Some("name it, as in `newsml translate --lang ru FILE`".to_owned()),
            });
        }
        let from = language(arguments.from.as_deref())?;
        let (form, console) = (self.form, self.console.clone());
        if arguments.segments && form != Form::Json {
            return Err(Error::Usage {
                message: "`--segments` has no place in plain text".to_owned(),
                hint: Some("add `--json`".to_owned()),
            });
        }
        let glossary = glossary(arguments)?;
        let settings = Settings::of_translation(arguments, &glossary, form, &self.registry)?;
        let (mut load, mut decoding, progress) =
            self.options(arguments.model.model.as_deref(), &arguments.model.compute)?;
        load.prefer = arguments.model.prefer.parse()?;
        decoding.beams = arguments.beams.map(usize::from);
        let with_segments = arguments.segments;
        let mut builder = to
            .map_or_else(Translator::of_own_pair, Translator::builder)
            .load(load)
            .decoding(decoding)
            .glossary(glossary)
            .context(arguments.context)
            .progress(progress);
        if let Some(from) = from {
            builder = builder.from(from);
        }
        if let Some(path) = &arguments.memory {
            builder = builder.memory(Arc::new(MemoryFile::open(path)?));
        }
        // Segments that were in the memory, and all.
        let counts = Cell::new((0, 0));
        // Outcomes are lazy: what gives them must outlive them.
        let slot = &mut None;
        let status = documents::run(
            &arguments.documents,
            form,
            &console,
            Some(settings.into_text()),
            |items| {
                let translator = slot.insert(builder.build()?);
                let outcomes = translator.translate_documents(items);
                let counts = &counts;
                Ok(Box::new(outcomes.map(move |outcome| {
                    let done = outcome?;
                    let known = done.segments.iter().filter(|segment| segment.from_memory);
                    let (recalled, all) = counts.get();
                    counts.set((recalled + known.count(), all + done.segments.len()));
                    translated(&done, form, with_segments).map_err(|error| {
                        Box::new(Failure {
                            name: done.document.name().to_owned(),
                            fields: done.document.fields().clone(),
                            error,
                        })
                    })
                })))
            },
        )?;
        if arguments.memory.is_some() {
            let (recalled, all) = counts.get();
            console.note(&format!(
                "{recalled} of {all} segments came from the memory"
            ));
        }
        Ok(status)
    }

    pub(crate) fn summarize(self, arguments: &Summarize) -> Result<Status> {
        let from = language(arguments.from.as_deref())?;
        let language = language(arguments.lang.as_deref())?;
        let (form, console) = (self.form, self.console.clone());
        let settings = Settings::of_summaries(arguments, form, &self.registry)?;
        let (mut load, decoding, progress) =
            self.options(arguments.model.model.as_deref(), &arguments.model.compute)?;
        load.prefer = arguments.model.prefer.parse()?;
        let mut builder = Summarizer::builder(arguments.length.into())
            .load(load)
            .decoding(decoding)
            .progress(progress);
        if let Some(from) = from {
            builder = builder.from(from);
        }
        if let Some(language) = language {
            builder = builder.language(language);
        }
        // Outcomes are lazy: what gives them must outlive them.
        let slot = &mut None;
        documents::run(
            &arguments.documents,
            form,
            &console,
            Some(settings.into_text()),
            |items| {
                let summarizer = slot.insert(builder.build()?);
                Ok(Box::new(
                    summarizer
                        .summarize_documents(items)
                        .map(|outcome| outcome.map(|done| summarized(&done))),
                ))
            },
        )
    }

    pub(crate) fn options(
        self,
        model: Option<&str>,
        arguments: &ComputeArgs,
    ) -> Result<(LoadOptions, Decoding, ProgressObserver)> {
        let mut load = LoadOptions::default();
        if let Some(model) = model {
            // Nothing is run with a model that is not there.
            self.registry.resolve(model)?;
        }
        load.model = model.map(str::to_owned);
        load.registry = Some(self.registry);
        load.store = self.store;
        load.device = arguments.device.parse()?;
        load.precision = arguments.precision.parse()?;
        let console = self.console.clone();
        let observer: LoadObserver = Arc::new(move |event| console.observe(event));
        load.observer = Some(observer);
        let decoding = Decoding {
            max_tokens: arguments.max_tokens.map(|tokens| tokens as usize),
            batch_tokens: arguments.batch_tokens.map(|tokens| tokens as usize),
            ..Decoding::default()
        };
        let console = self.console;
        let progress: ProgressObserver = Arc::new(move |progress| console.work(progress));
        Ok((load, decoding, progress))
    }
}

impl From<LengthName> for Length {
    fn from(name: LengthName) -> Self {
        match name {
            LengthName::Headline => Self::Headline,
            LengthName::Short => Self::Short,
            LengthName::Medium => Self::Medium,
        }
    }
}

pub(crate) fn language(name: Option<&str>) -> Result<Option<Language>> {
    name.map(str::parse).transpose()
}

/// The terms of the arguments; those that are kept come first.
fn glossary(arguments: &Translate) -> Result<Glossary> {
    let mut glossary = Glossary::new();
    for term in &arguments.keep {
        glossary.add(Term::kept(term))?;
    }
    if let Some(path) = &arguments.glossary {
        for term in Glossary::load(path)?.terms() {
            glossary.add(term.clone())?;
        }
    }
    Ok(glossary)
}

fn translated(translation: &Translation, form: Form, with_segments: bool) -> Result<Outcome> {
    let mut record = Record::of(&translation.document);
    if with_segments {
        record.set(
            "segments",
            serde_json::to_value(&translation.segments).unwrap_or_default(),
        );
    }
    let document = &translation.document;
    let (text, file) = match (form, document.format()) {
        (Form::Own, Format::Docx) => (String::new(), Some(document.to_bytes()?)),
        (Form::Own, format) => {
            let mut source = document.to_source();
            // A text that was cleaned has no end of its own.
            if format == Format::Text && !source.ends_with('\n') {
                source.push('\n');
            }
            (source, None)
        }
        (Form::Text | Form::Json, _) => (document.text().to_owned(), None),
    };
    let mut outcome = record.finish(
        text,
        translation.source_language,
        &translation.models,
        &translation.warnings,
    );
    outcome.file = file;
    outcome.counts = Counts::of_translation(translation);
    Ok(outcome)
}

fn summarized(summary: &Summary) -> Outcome {
    let mut record = Record::of(&summary.document);
    record.set("text", Value::from(summary.text.clone()));
    record.set("language", Value::from(summary.language.code()));
    record.finish(
        summary.text.clone(),
        Some(summary.source_language),
        &summary.models,
        &summary.warnings,
    )
}

/// A line of JSON in the making: the fields of the input, with those of the result.
struct Record {
    fields: Map<String, Value>,
}

impl Record {
    fn of(document: &Document) -> Self {
        let mut fields = document.to_json();
        // Sentences of an earlier step say nothing about this text.
        fields.shift_remove("segments");
        Self { fields }
    }

    fn set(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    fn finish(
        mut self,
        text: String,
        source: Option<Language>,
        models: &[String],
        warnings: &[Warning],
    ) -> Outcome {
        self.set("source_language", Value::from(source.map(Language::code)));
        self.set("model", Value::from(models.join(" + ")));
        self.set(
            "warnings",
            serde_json::to_value(warnings).unwrap_or_default(),
        );
        Outcome {
            text,
            file: None,
            json: self.fields,
            warnings: warnings.to_vec(),
            counts: Counts::of_warnings(warnings),
        }
    }
}
