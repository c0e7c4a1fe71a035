//! `newsml eval`: scores of outputs, or of models that are run over a test set, as a table or as JSON.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use newsml::eval::{self, Bootstrap, Case, Corpus, Fields, Metric, Options, Run, Score, Set};
use newsml::{Error, Result, Summarizer, Translator, terminal_safe};
use serde_json::{Map, Value, json};

use super::args::{Eval, LengthName, ScoringArgs, SetArgs, TaskName};
use super::file::Form;
use super::run::{Context, language};
use super::status::Status;

/// What was measured of one system: outputs of a file, or a model.
struct Measured {
    name: String,
    segments: usize,
    scores: Vec<(Metric, Score)>,
    run: Option<Run>,
}

/// Measures all systems of the arguments and prints what was found.
///
/// # Errors
/// What stops it before anything is measured, such as files that do not belong together.
pub(crate) fn run(arguments: &Eval, context: &Context) -> Result<Status> {
    let metrics = metrics(arguments)?;
    let options = options(&arguments.scoring)?;
    let set = read(&arguments.set)?;
    let measure = |name: String, corpus: &Corpus, run: Option<Run>| Measured {
        name,
        segments: corpus.len(),
        scores: metrics
            .iter()
            .map(|&metric| (metric, eval::score(corpus, metric, &options)))
            .collect(),
        run,
    };
    if arguments.length.is_some() && arguments.task == TaskName::Translate {
        return Err(Error::Usage {
            message: "`--length` is for summaries".to_owned(),
            hint: Some("leave it out, or add `--task summarize`".to_owned()),
        });
    }
    let mut measured = Vec::new();
    let mut status = Status::Done;
    if arguments.model.is_empty() && arguments.hypotheses.is_empty() {
        let name = arguments.set.set.as_deref().unwrap_or(Path::new("outputs"));
        measured.push(measure(name.display().to_string(), &set.corpus()?, None));
    }
    for path in &arguments.hypotheses {
        let corpus = set.with_file(path)?;
        measured.push(measure(path.display().to_string(), &corpus, None));
    }
    for model in &arguments.model {
        let run = match run_model(arguments, model, &set, context) {
            Ok(run) => run,
            // What is measured by then is worth having.
            Err(Error::Cancelled) => {
                context.console.clear();
                context.console.note(&format!(
                    "interrupted: {} of {} models measured",
                    measured.len(),
                    arguments.model.len()
                ));
                if measured.is_empty() {
                    return Ok(Status::SomeFailed);
                }
                status = Status::SomeFailed;
                break;
            }
            Err(error) if arguments.model.len() > 1 => {
                context.console.error(Some(model), &error);
                status = Status::SomeFailed;
                continue;
            }
            Err(error) => return Err(error),
        };
        context.console.clear();
        for (place, error) in &run.failures {
            let name = format!("line {}", place + 1);
            context.console.error(Some(&name), error);
            status = Status::SomeFailed;
        }
        let corpus = set.with_outputs(run.outputs.clone())?;
        measured.push(measure(model.clone(), &corpus, Some(run)));
    }
    if measured.is_empty() {
        return Ok(Status::NothingRun);
    }
    let text = match (context.form, arguments.scoring.markdown) {
        (Form::Json, _) => measured
            .iter()
            .map(|system| system.to_json() + "\n")
            .collect(),
        (_, true) => markdown(&table(&metrics, &measured)),
        (_, false) => aligned(&table(&metrics, &measured)) + &signatures(&measured),
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|source| Error::Io {
            action: "write",
            path: "standard output".into(),
            source,
        })?;
    Ok(status)
}

fn metrics(arguments: &Eval) -> Result<Vec<Metric>> {
    let named = &arguments.scoring.metrics;
    if named.is_empty() {
        return Ok(match arguments.task {
            TaskName::Translate => Metric::TRANSLATION.to_vec(),
            TaskName::Summarize => Metric::SUMMARY.to_vec(),
        });
    }
    named.iter().map(|name| name.parse()).collect()
}

fn options(arguments: &ScoringArgs) -> Result<Options> {
    let samples = arguments.resamples as usize;
    let mut options = Options {
        tokenizer: arguments.tokenize.parse()?,
        ..Options::default()
    };
    if arguments.lowercase {
        options.case = Case::Lower;
    }
    options.bootstrap = (samples > 0).then_some(Bootstrap {
        samples,
        seed: arguments.seed,
    });
    Ok(options)
}

fn read(arguments: &SetArgs) -> Result<Set> {
    match &arguments.set {
        Some(path) => Set::from_json_lines(
            path,
            &Fields {
                source: arguments.source_field.clone(),
                reference: arguments.reference_field.clone(),
                hypothesis: arguments.hypothesis_field.clone(),
            },
        ),
        None => Set::from_parallel(arguments.source.as_deref(), &arguments.references),
    }
}

fn run_model(arguments: &Eval, model: &str, set: &Set, context: &Context) -> Result<Run> {
    let to = language(arguments.lang.as_deref())?;
    let from = language(arguments.from.as_deref())?;
    let (load, mut decoding, progress) =
        context.clone().options(Some(model), &arguments.compute)?;
    decoding.beams = arguments.beams.map(usize::from);
    match arguments.task {
        TaskName::Translate => {
            let mut builder = to
                .map_or_else(Translator::of_own_pair, Translator::builder)
                .load(load)
                .decoding(decoding)
                .progress(progress);
            if let Some(from) = from {
                builder = builder.from(from);
            }
            eval::translate(&builder.build()?, set)
        }
        TaskName::Summarize => {
            let length = arguments.length.unwrap_or(LengthName::Short);
            let mut builder = Summarizer::builder(length.into())
                .load(load)
                .decoding(decoding)
                .progress(progress);
            if let Some(from) = from {
                builder = builder.from(from);
            }
            if let Some(to) = to {
                builder = builder.language(to);
            }
            eval::summarize(&builder.build()?, set)
        }
    }
}

impl Measured {
    fn to_json(&self) -> String {
        let scores: Map<String, Value> = self
            .scores
            .iter()
            .map(|(metric, score)| (metric.key().to_owned(), json!(score)))
            .collect();
        let mut object =
            json!({ "system": self.name, "segments": self.segments, "scores": scores });
        if let Some(run) = &self.run {
            object["models"] = json!(run.models);
            object["speed"] = json!({
                "seconds": run.speed.seconds,
                "words": run.speed.words,
                "words_per_second": run.speed.words_per_second(),
                "segments_per_second": run.speed.segments_per_second(),
            });
            object["warned"] = json!(run.warned);
            object["warnings"] = json!(run.warnings);
            object["failed"] = json!(run.failures.len());
        }
        object.to_string()
    }
}

/// The rows of a table, the header first.
fn table(metrics: &[Metric], measured: &[Measured]) -> Vec<Vec<String>> {
    let with_runs = measured.iter().any(|system| system.run.is_some());
    let name = if with_runs { "model" } else { "system" };
    let mut header = vec![name.to_owned()];
    header.extend(metrics.iter().map(|metric| metric.name().to_owned()));
    if with_runs {
        header.extend(["segments", "time", "words/s", "segments/s", "warnings"].map(str::to_owned));
    }
    let mut rows = vec![header];
    for system in measured {
        let mut row = vec![terminal_safe(&system.name).into_owned()];
        row.extend(system.scores.iter().map(|(_, score)| cell(score)));
        if let Some(run) = &system.run {
            let time = Duration::from_secs_f64(run.speed.seconds);
            row.extend([
                system.segments.to_string(),
                format!("{:.1} s", time.as_secs_f64()),
                format!("{:.0}", run.speed.words_per_second()),
                format!("{:.1}", run.speed.segments_per_second()),
                warnings(run),
            ]);
        }
        rows.push(row);
    }
    rows
}

fn cell(score: &Score) -> String {
    match &score.interval {
        Some(interval) => format!("{:.2} ± {:.2}", score.value, interval.half_width()),
        None => format!("{:.2}", score.value),
    }
}

fn warnings(run: &Run) -> String {
    let mut kinds: Vec<String> = run
        .warnings
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    if !run.failures.is_empty() {
        kinds.push(format!("failed {}", run.failures.len()));
    }
    if kinds.is_empty() {
        "none".to_owned()
    } else {
        kinds.join(", ")
    }
}

fn markdown(rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text += &line(row);
        if number == 0 {
            text += &line(&vec!["---".to_owned(); row.len()]);
        }
    }
    text
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// How the scores were computed, which is the same for all systems.
fn signatures(measured: &[Measured]) -> String {
    let scores = measured.first().map(|system| &system.scores);
    let lines = scores
        .into_iter()
        .flatten()
        .map(|(metric, score)| format!("{metric}|{}\n", score.signature));
    std::iter::once("\n".to_owned()).chain(lines).collect()
}
