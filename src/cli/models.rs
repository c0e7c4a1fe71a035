//! `newsml models`: what the catalogue has, and what of it is in the cache.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};

use newsml::{
    Error, FileStatus, Language, ModelSpec, Prefer, Registry, Result, Route, Store, terminal_safe,
};
use serde_json::json;

use super::args::Models;
use super::console::{Console, size};
use super::file::Form;
use super::status::Status;

/// What the subcommands need.
pub(crate) struct Context<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) store: &'a Store,
    pub(crate) form: Form,
    pub(crate) console: &'a Console,
}

/// Runs one subcommand.
///
/// # Errors
/// What stops it before anything is done, such as an unknown id.
pub(crate) fn run(command: &Models, context: &Context<'_>) -> Result<Status> {
    match command {
        Models::List => context.list(),
        Models::Pull { ids } => context.pull(ids),
        Models::Verify { ids } => context.verify(ids),
        Models::Path { id } => context.path(id),
        Models::Remove { ids } => context.remove(ids),
    }
}

impl Context<'_> {
    fn list(&self) -> Result<Status> {
        let models = self.registry.models();
        if self.form == Form::Json {
            for model in models {
                self.print_json(&self.describe(model))?;
            }
            return Ok(Status::Done);
        }
        let rows: Vec<[String; 6]> = models.iter().map(|model| self.row(model)).collect();
        let header = ["MODEL", "SIZE", "MEMORY", "LICENCE", "WHERE", "WORK"].map(str::to_owned);
        let widths: Vec<usize> = (0..5)
            .map(|column| {
                rows.iter()
                    .chain([&header])
                    .map(|row| row[column].len())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for row in [&header].into_iter().chain(&rows) {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            self.print(&format!("{}  {}", cells.join("  "), row[5]))?;
        }
        self.print("")?;
        self.print("*  the first choice for this work with --prefer fast, which is the default")?;
        self.print("+  the first choice for this work with --prefer best")?;
        if models.iter().any(ModelSpec::is_non_commercial) {
            self.print("!  the licence forbids commercial use; no default")?;
        }
        if models.iter().any(|model| !model.family.is_runnable()) {
            self.print("-  this version of newsml cannot run it")?;
        }
        self.print("")?;
        self.print("MEMORY is what the weights and a full batch take; a model for which too little is free is passed over.")?;
        self.print("Of these lists the first model that is in the cache is used, else the first that can be fetched:")?;
        for prefer in Prefer::ALL {
            self.print("")?;
            for line in self.lists(prefer) {
                self.print(&line)?;
            }
        }
        Ok(Status::Done)
    }

    /// The lists of a preference, a line for each task and direction or language.
    fn lists(&self, prefer: Prefer) -> Vec<String> {
        let mut lists: Vec<(String, Vec<&str>)> = Vec::new();
        for language in Language::ALL {
            let models = self.registry.summarizers(language, prefer).into_iter();
            let ids = models.map(|model| model.id.as_str()).collect();
            lists.push((format!("summarize {language}"), ids));
        }
        for from in Language::ALL {
            for to in Language::ALL.into_iter().filter(|to| *to != from) {
                let routes = self.registry.routes(from, to, prefer).into_iter();
                let ids = routes.map(|route| match route {
                    Route::Direct(model) => model.id.as_str(),
                    _ => "through English",
                });
                lists.push((format!("translate {from}-{to}"), ids.collect()));
            }
        }
        let line =
            |(work, ids): (String, Vec<&str>)| format!("{prefer}  {work:15}  {}", ids.join(", "));
        lists.into_iter().map(line).collect()
    }

    fn row(&self, model: &ModelSpec) -> [String; 6] {
        let place = match (model.family.is_runnable(), self.store.cached(model)) {
            (_, Some(_)) => "cached",
            (false, None) => "-",
            (true, None) => "",
        };
        let first = Prefer::ALL.map(|prefer| self.registry.first_for(&model.id, prefer));
        let mark = |work: String| {
            let marks = ["*", "+"].into_iter().zip(&first);
            let marks: String = marks
                .filter(|(_, first)| first.contains(&work))
                .map(|(mark, _)| mark)
                .collect();
            (work, marks)
        };
        let pairs = model
            .pairs
            .iter()
            .map(|pair| mark(format!("translate {pair}")));
        let languages = model
            .languages
            .iter()
            .map(|language| mark(format!("summarize {language}")));
        let mut works = Vec::new();
        for (verb, all) in [
            ("summarize", languages.collect::<Vec<_>>()),
            ("translate", pairs.collect()),
        ] {
            let list: Vec<String> = all
                .iter()
                .map(|(work, marks)| {
                    let what = work.split_once(' ').map_or(work.as_str(), |(_, what)| what);
                    format!("{what}{marks}")
                })
                .collect();
            if !list.is_empty() {
                works.push(format!("{verb} {}", list.join(" ")));
            }
        }
        [
            model.id.clone(),
            size(model.size),
            size(model.memory_needed()),
            format!(
                "{}{}",
                model.licence,
                if model.is_non_commercial() { " !" } else { "" }
            ),
            place.to_owned(),
            works.join("; "),
        ]
    }

    fn describe(&self, model: &ModelSpec) -> serde_json::Value {
        let files = self.store.cached(model);
        json!({
            "id": model.id,
            "family": model.family,
            "runnable": model.family.is_runnable(),
            "tasks": model.tasks,
            "pairs": model.pairs,
            "languages": model.languages,
            "licence": model.licence,
            "notice": model.notice,
            "size": model.size,
            "homepage": model.homepage,
            "limits": model.limits,
            "quality": model.quality,
            "memory": model.memory_needed(),
            "default_for": self.registry.first_for(&model.id, Prefer::Fast),
            "best_for": self.registry.first_for(&model.id, Prefer::Best),
            "cached": files.is_some(),
            "path": files.as_ref().map(|files| files.location()),
            "source": self.store.cached_from(model),
            "sources": model.sources.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }

    fn pull(&self, ids: &[String]) -> Result<Status> {
        let models = self.find(ids)?;
        let mut failures = 0;
        for model in &models {
            match self
                .store
                .fetch(model, &|event| self.console.observe(event))
            {
                Ok(files) => {
                    let location = files.location();
                    self.report(
                        &format!("{} {}", model.id, location.display()),
                        &json!({ "id": model.id, "path": location, "size": files.size(), "source": self.store.cached_from(model) }),
                    )?;
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => {
                    failures += 1;
                    self.failed(model, &error)?;
                }
            }
        }
        Ok(match failures {
            0 => Status::Done,
            _ if failures == models.len() => Status::NothingRun,
            _ => Status::SomeFailed,
        })
    }

    fn verify(&self, ids: &[String]) -> Result<Status> {
        let models = if ids.is_empty() {
            self.registry
                .models()
                .iter()
                .filter(|model| self.store.cached(model).is_some())
                .collect()
        } else {
            self.find(ids)?
        };
        if models.is_empty() {
            self.console.note("no model is in the cache");
        }
        let mut failures = 0;
        for model in &models {
            let checks = match self
                .store
                .verify(model, &|event| self.console.observe(event))
            {
                Ok(checks) => checks,
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => {
                    failures += 1;
                    self.failed(model, &error)?;
                    continue;
                }
            };
            self.console.clear();
            for check in checks {
                let (word, problem) = match &check.status {
                    FileStatus::Intact => ("ok", None),
                    FileStatus::Damaged {
                        what,
                        expected,
                        found,
                    } => {
                        failures += 1;
                        let error = Error::Mismatch {
                            path: check.path.clone(),
                            what,
                            expected: expected.clone(),
                            found: found.clone(),
                        };
                        self.console.error(None, &error);
                        ("damaged", Some(error.to_string()))
                    }
                    _ => ("no checksum", None),
                };
                self.report(
                    &format!("{} {} {word}", model.id, check.name),
                    &json!({ "id": model.id, "file": check.name, "path": check.path, "size": check.size, "status": word, "message": problem }),
                )?;
            }
        }
        Ok(if failures == 0 {
            Status::Done
        } else {
            Status::SomeFailed
        })
    }

    fn path(&self, id: &str) -> Result<Status> {
        let model = self.registry.model(id)?;
        let files = self
            .store
            .cached(model)
            .ok_or_else(|| Error::NotCached { id: id.to_owned() })?;
        let location = files.location();
        self.report(
            &location.display().to_string(),
            &json!({ "id": id, "path": location, "size": files.size(), "source": self.store.cached_from(model) }),
        )?;
        Ok(Status::Done)
    }

    fn remove(&self, ids: &[String]) -> Result<Status> {
        for model in self.find(ids)? {
            let freed = self.store.remove(model)?;
            if freed == 0 {
                self.console
                    .note(&format!("`{}` is not in the cache", model.id));
            }
            self.report(
                &format!("{} {} freed", model.id, size(freed)),
                &json!({ "id": model.id, "freed": freed }),
            )?;
        }
        Ok(Status::Done)
    }

    /// All or none: a typing error should not leave half of the work done.
    fn find(&self, ids: &[String]) -> Result<Vec<&ModelSpec>> {
        ids.iter().map(|id| self.registry.model(id)).collect()
    }

    fn failed(&self, model: &ModelSpec, error: &Error) -> Result<()> {
        self.console.clear();
        self.console.error(Some(&model.id), error);
        if self.form == Form::Json {
            let error =
                json!({ "kind": error.kind(), "message": error.to_string(), "hint": error.hint() });
            self.print_json(&json!({ "id": model.id, "error": error }))?;
        }
        Ok(())
    }

    fn report(&self, text: &str, json: &serde_json::Value) -> Result<()> {
        match self.form {
            Form::Json => self.print_json(json),
            Form::Text | Form::Own => self.print(text),
        }
    }

    fn print_json(&self, value: &serde_json::Value) -> Result<()> {
        self.print(&value.to_string())
    }

    fn print(&self, line: &str) -> Result<()> {
        self.console.clear();
        let mut output = std::io::stdout().lock();
        let line = match output.is_terminal() {
            true => terminal_safe(line),
            false => Cow::Borrowed(line),
        };
        writeln!(output, "{}", line.trim_end()).map_err(|source| Error::Io {
            action: "write",
            path: "standard output".into(),
            source,
        })
    }
}
