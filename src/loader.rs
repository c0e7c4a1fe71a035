//! From a task to a loaded model: chooses by the registry's lists, has the store fetch the files,
//! loads each model once.

mod settings;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::checkpoint::Checkpoint;
use crate::device::{Places, free_memory};
use crate::engine::Instruct;
use crate::error::{Error, Result, gigabytes};
use crate::language::Language;
use crate::networks::firefox::{self, Firefox};
use crate::options::LoadOptions;
use crate::registry::{Family, ModelChoice, ModelSpec, Prefer, Registry, Route, memory_of};
use crate::seq2seq::{Seq2Seq, Seq2SeqOptions};
use crate::store::{Event, ModelFiles, Store};
use crate::translators::{self, SegmentModel};

/// A model that is ready to work.
pub(crate) struct Loaded {
    /// Its id, or the path that it was given as.
    pub(crate) id: String,
    /// What tells its weights, and how they are held, from others.
    pub(crate) weights: String,
    /// What runs it.
    pub(crate) engine: Engine,
}

/// What runs a model.
pub(crate) enum Engine {
    /// Answers prompts.
    Instruct(Box<Instruct>),
    /// Translates segments, or summarizes, as it was trained to.
    Segments(SegmentModel),
}

/// Chooses, fetches and loads models, each once.
pub(crate) struct Loader {
    options: LoadOptions,
    places: Places,
    registry: Registry,
    store: Store,
    loaded: Mutex<HashMap<String, Arc<Loaded>>>,
    /// How much memory is free, where the system tells.
    free: fn() -> Option<u64>,
    /// Whether models fit into the memory, as was found when they were first thought of: one that
    /// runs takes the memory that it was found to fit into.
    fit: Mutex<HashMap<String, bool>>,
}

/// A way to do a task whose files are here: the models, in the order in which they work.
type Found<'a> = Vec<(&'a ModelSpec, ModelFiles)>;

impl Loader {
    pub(crate) fn new(options: LoadOptions) -> Result<Self> {
        let places = Places::open(&options.device)?;
        let registry = match &options.registry {
            Some(registry) => registry.clone(),
            None => Registry::builtin()?,
        };
        let store = Store::new(options.store.clone());
        let loader = Self {
            options,
            places,
            registry,
            store,
            loaded: Mutex::default(),
            free: free_memory,
            fit: Mutex::default(),
        };
        let device = &loader.places.choice;
        match loader.tell(&Event::Device { device }) {
            ControlFlow::Break(()) => Err(Error::Cancelled),
            ControlFlow::Continue(()) => Ok(loader),
        }
    }

    /// The models that translate from one language into another: one, or two by way of English.
    pub(crate) fn translators(&self, from: Language, to: Language) -> Result<Vec<Arc<Loaded>>> {
        let task = format!("translate {from} to {to}");
        if let Some(model) = self.chosen(|spec| spec.translates(from, to), &task)? {
            if let Engine::Segments(segments) = &model.engine
                && let Some((source, target)) = segments.pair()
                && (source, target) != (from.code(), to.code())
            {
                return Err(Error::Usage {
                    message: format!(
                        "model `{}` translates {source} to {target}, not {from} to {to}",
                        model.id
                    ),
                    hint: Some("leave `--lang` out to run the model on its own pair".to_owned()),
                });
            }
            return Ok(vec![model]);
        }
        self.first_of_lists(&task, |prefer| {
            let routes = self.registry.routes(from, to, prefer);
            self.first_of(&routes, &task, |route, fetch| match route {
                Route::Direct(spec) => self.files(&[*spec], fetch),
                Route::ThroughEnglish => {
                    let mut found = Vec::new();
                    for leg in [(from, Language::English), (Language::English, to)] {
                        // A model that knows both languages translates directly as well as it does
                        // in two steps.
                        let mut specs = self.registry.translators(leg.0, leg.1, prefer);
                        specs.retain(|spec| !spec.translates(from, to));
                        match self.files(&specs, fetch)? {
                            Some(leg) => found.extend(leg),
                            None => return Ok(None),
                        }
                    }
                    Ok(Some(found))
                }
            })
        })
    }

    /// What the list of the caller's preference gives or, where it gives nothing, the fast one.
    fn first_of_lists(
        &self,
        task: &str,
        first_of: impl Fn(Prefer) -> Result<Vec<Arc<Loaded>>>,
    ) -> Result<Vec<Arc<Loaded>>> {
        let mut last = None;
        for prefer in self.lists() {
            match first_of(*prefer) {
                // The next list may have what this one has not.
                Err(
                    error @ (Error::Offline { .. }
                    | Error::Unavailable { .. }
                    | Error::TooLarge { .. }
                    | Error::NoModel { .. }),
                ) => last = Some(worse(last, error)),
                found => return found,
            }
        }
        Err(last.unwrap_or_else(|| Error::NoModel {
            task: task.to_owned(),
        }))
    }

    /// The lists that a model is looked for in.
    fn lists(&self) -> &'static [Prefer] {
        match self.options.prefer {
            Prefer::Fast => &[Prefer::Fast],
            Prefer::Best => &[Prefer::Best, Prefer::Fast],
        }
    }

    /// The next model of the list after one, for what that one could not do: only one that is in the
    /// cache, and none where the caller named a model. Nothing is downloaded for a repair, and
    /// models that were not made for translation repair none.
    pub(crate) fn next_cached(
        &self,
        from: Language,
        to: Language,
        after: &str,
    ) -> Option<Arc<Loaded>> {
        if self.options.model.is_some() {
            return None;
        }
        let lists = self.lists().iter();
        let specs = lists.flat_map(|prefer| self.registry.translators(from, to, *prefer));
        let others = specs.skip_while(|spec| spec.id != after).skip(1);
        let (spec, files) = others
            .filter(|spec| spec.is_made_for_translation())
            .filter(|spec| self.too_large(spec).is_none())
            .find_map(|spec| Some((spec, self.store.cached(spec)?)))?;
        match self.load_all(
            &vec![(spec, files)],
            "translate again what failed its checks",
            true,
        ) {
            Ok(models) => models.into_iter().next(),
            Err(reason) => {
                let _ = self.tell(&Event::ModelPassedOver {
                    model: &spec.id,
                    reason: &reason,
                });
                None
            }
        }
    }

    /// The model that summarizes articles in a language.
    pub(crate) fn summarizer(&self, language: Language) -> Result<Arc<Loaded>> {
        let task = format!("summarize {language}");
        if let Some(model) = self.chosen(|spec| spec.summarizes(language), &task)? {
            return Ok(model);
        }
        let found = self.first_of_lists(&task, |prefer| {
            let specs = self.registry.summarizers(language, prefer);
            self.first_of(&specs, &task, |spec, fetch| self.files(&[*spec], fetch))
        })?;
        found.into_iter().next().ok_or(Error::NoModel { task })
    }

    /// The model that the caller named, for its own pair of languages; only a model that was made
    /// for translation has one.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where no model is named, or one that has no pair.
    pub(crate) fn own_pair(&self) -> Result<Arc<Loaded>> {
        let missing = |message: &str| Error::Usage {
            message: message.to_owned(),
            hint: Some("name it, as in `newsml translate --lang ru FILE`".to_owned()),
        };
        match self.chosen(|spec| !spec.family.is_prompted(), "translate its own pair")? {
            None => Err(missing(
                "`--lang` is missing: the language to translate into",
            )),
            Some(model) => match model.engine {
                Engine::Segments(_) => Ok(model),
                Engine::Instruct(_) => Err(missing(
                    "`--lang` is missing: an instruct model has no pair of languages of its own",
                )),
            },
        }
    }

    /// The model that the caller named, if one was named.
    fn chosen(&self, able: impl Fn(&ModelSpec) -> bool, task: &str) -> Result<Option<Arc<Loaded>>> {
        let Some(name) = &self.options.model else {
            return Ok(None);
        };
        match self.registry.resolve(name)? {
            ModelChoice::Known(spec) => {
                if !spec.family.is_runnable() {
                    return Err(Error::Usage {
                        message: format!(
                            "this version cannot run model `{}` of family `{}`",
                            spec.id, spec.family
                        ),
                        hint: Some("`newsml models list` shows which models can be run".to_owned()),
                    });
                }
                if !able(spec) {
                    return Err(Error::Usage {
                        message: format!("model `{}` cannot {task}", spec.id),
                        hint: Some("leave `--model` out, or see `newsml models list`".to_owned()),
                    });
                }
                let files = self.store.fetch(spec, &|event| self.tell(event))?;
                self.warn_of_memory(&spec.id, spec.memory_needed())?;
                Ok(Some(self.load(&spec.id, &files, Some(spec))?))
            }
            ModelChoice::Local(path) => {
                let files = ModelFiles::local(&path)?;
                let like = files.ending(".gguf").and_then(|path| self.like(&path));
                let size = files.size();
                let needed = like.map_or(memory_of(size), ModelSpec::memory_needed);
                self.warn_of_memory(name, needed)?;
                Ok(Some(self.load(name, &files, None)?))
            }
        }
    }

    /// The entry of the catalogue that a file of the user's own has the name of.
    fn like(&self, path: &Path) -> Option<&ModelSpec> {
        self.registry.of_file(path)
    }

    /// What keeps a model from being chosen: that it needs more memory than is free. It is told once.
    fn too_large(&self, spec: &ModelSpec) -> Option<Error> {
        if self.is_loaded(&spec.id) || !self.places.are_kernels() {
            return None;
        }
        let needed = spec.memory_needed();
        let free = (self.free)()?;
        let mut known = self.fit.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !known.contains_key(&spec.id);
        let fits = *known
            .entry(spec.id.clone())
            .or_insert_with(|| needed <= free);
        drop(known);
        if fits {
            return None;
        }
        let error = Error::TooLarge {
            model: spec.id.clone(),
            needed,
            free,
        };
        if is_first {
            let _ = self.tell(&Event::ModelPassedOver {
                model: &spec.id,
                reason: &error,
            });
        }
        Some(error)
    }

    /// A model that was named is loaded whatever it needs.
    fn warn_of_memory(&self, id: &str, needed: u64) -> Result<()> {
        if self.is_loaded(id) || !self.places.are_kernels() {
            return Ok(());
        }
        let Some(free) = (self.free)().filter(|free| needed > *free) else {
            return Ok(());
        };
        let [needed, free] = [needed, free].map(gigabytes);
        let text = &format!(
            "it needs {needed} of memory, and {free} are free: it may be slow, or be stopped by the system"
        );
        match self.tell(&Event::Notice { model: id, text }) {
            ControlFlow::Break(()) => Err(Error::Cancelled),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    fn is_loaded(&self, id: &str) -> bool {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.contains_key(id)
    }

    /// The first way whose files are in the cache, else the first whose files can be fetched.
    fn first_of<W>(
        &self,
        ways: &[W],
        task: &str,
        files: impl Fn(&W, Fetch) -> Result<Option<Found<'_>>>,
    ) -> Result<Vec<Arc<Loaded>>> {
        let no_model = || Error::NoModel {
            task: task.to_owned(),
        };
        for way in ways {
            if let Some(found) = files(way, Fetch::No)? {
                return self.load_all(&found, task, true);
            }
        }
        let mut last = None;
        for way in ways {
            match files(way, Fetch::Yes) {
                Ok(Some(found)) => return self.load_all(&found, task, false),
                Ok(None) => {}
                Err(error @ (Error::Cancelled | Error::DiskFull { .. } | Error::Io { .. })) => {
                    return Err(error);
                }
                Err(error) => last = Some(worse(last, error)),
            }
        }
        Err(last.unwrap_or_else(no_model))
    }

    /// The files of the first of these models that has some.
    fn files<'a>(&self, specs: &[&'a ModelSpec], fetch: Fetch) -> Result<Option<Found<'a>>> {
        let specs = specs.iter().filter(|spec| spec.family.is_runnable());
        let mut last = None;
        for spec in specs {
            if let Some(error) = self.too_large(spec) {
                if matches!(fetch, Fetch::Yes) {
                    last = Some(worse(last, error));
                }
                continue;
            }
            match fetch {
                Fetch::No => {
                    if let Some(files) = self.store.cached(spec) {
                        return Ok(Some(vec![(*spec, files)]));
                    }
                }
                Fetch::Yes => match self.store.fetch(spec, &|event| self.tell(event)) {
                    Ok(files) => return Ok(Some(vec![(*spec, files)])),
                    Err(error @ Error::Cancelled) => return Err(error),
                    Err(error) => {
                        // Without a network all models fare alike: the error says it once.
                        let event = Event::ModelPassedOver {
                            model: &spec.id,
                            reason: &error,
                        };
                        if !matches!(error, Error::Offline { .. }) && self.tell(&event).is_break() {
                            return Err(Error::Cancelled);
                        }
                        last = Some(worse(last, error));
                    }
                },
            }
        }
        last.map_or(Ok(None), Err)
    }

    fn load_all(&self, found: &Found<'_>, task: &str, cached: bool) -> Result<Vec<Arc<Loaded>>> {
        let mut models = Vec::with_capacity(found.len());
        for (spec, files) in found {
            let why = if cached {
                "the first of the list that is in the cache"
            } else {
                "the first of the list whose source answered"
            };
            // It was said when it was loaded.
            if self.is_loaded(&spec.id) {
                models.push(self.load(&spec.id, files, Some(spec))?);
                continue;
            }
            self.store.notify(spec, &|event| self.tell(event))?;
            // It can be had anywhere, and is no one's first choice.
            let caution = if !spec.is_made_for_translation() && task.starts_with("translate") {
                "; it was not made for translation, so expect mistakes"
            } else {
                ""
            };
            let task = &format!("{task}: {why}{caution}");
            if self
                .tell(&Event::Chosen {
                    model: &spec.id,
                    task,
                })
                .is_break()
            {
                return Err(Error::Cancelled);
            }
            models.push(self.load(&spec.id, files, Some(spec))?);
        }
        Ok(models)
    }

    fn load(&self, id: &str, files: &ModelFiles, spec: Option<&ModelSpec>) -> Result<Arc<Loaded>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = loaded.get(id) {
            return Ok(model.clone());
        }
        let engine = match files.ending(".gguf") {
            Some(path) => {
                let mut stopped = false;
                let mut progress = |done, total| {
                    let flow = self.tell(&Event::Loading {
                        model: id,
                        done,
                        total,
                    });
                    stopped |= flow.is_break();
                };
                let precision = self.options.precision;
                let checkpoint = self.places.load(
                    |places| Checkpoint::load_in(&path, places, precision, &mut progress),
                    || self.falls_back(id),
                )?;
                if stopped {
                    return Err(Error::Cancelled);
                }
                // A file of the user's own is asked as the catalogue says of its name.
                let entry = spec.or_else(|| self.like(&path));
                let facts = entry.and_then(|entry| entry.prompt.as_ref());
                Engine::Instruct(Box::new(Instruct::new(checkpoint, facts)?))
            }
            None => Engine::Segments(self.segment_model(id, files, spec)?),
        };
        let model = Arc::new(Loaded {
            id: id.to_owned(),
            weights: self.weights(files, spec),
            engine,
        });
        loaded.insert(id.to_owned(), model.clone());
        Ok(model)
    }

    /// A catalogue model is known by what its files must be, one of the user's own by its files; and
    /// by how it is asked.
    fn weights(&self, files: &ModelFiles, spec: Option<&ModelSpec>) -> String {
        let weights = match spec {
            Some(spec) => spec.fingerprint(),
            None => {
                let like = files.ending(".gguf").and_then(|path| self.like(&path));
                let prompt = like.and_then(|entry| entry.prompt.as_ref());
                let asked = prompt.map(|prompt| serde_json::to_string(prompt).unwrap_or_default());
                format!("{}{}", files.fingerprint(), asked.unwrap_or_default())
            }
        };
        format!("{weights} {}", self.options.precision)
    }

    /// Loads a directory of a Firefox model, or one in Hugging Face layout.
    fn segment_model(
        &self,
        id: &str,
        files: &ModelFiles,
        spec: Option<&ModelSpec>,
    ) -> Result<SegmentModel> {
        let directory = files.directory();
        if spec.is_some_and(|spec| spec.family == Family::Firefox)
            || firefox::Files::are_in(directory)
        {
            if !self.places.are_kernels() {
                let text = "Firefox models are made for the processor and run there";
                if self.tell(&Event::Detail { model: id, text }).is_break() {
                    return Err(Error::Cancelled);
                }
            }
            return Ok(SegmentModel::Firefox(Box::new(Firefox::from_directory(
                directory,
            )?)));
        }
        let options = Seq2SeqOptions {
            device: self.options.device.clone(),
            precision: self.options.precision,
            prepared: Some(self.store.prepared(id, directory)),
        };
        let model = self.places.load(
            |places| Seq2Seq::load_in(directory, &options, places),
            || self.falls_back(id),
        )?;
        Ok(SegmentModel::Seq2Seq(Box::new(
            translators::Checkpoint::new(model, spec, &self.registry),
        )))
    }

    fn falls_back(&self, id: &str) -> Result<()> {
        let text = "it is too large for the memory of the card, so it runs on the processor";
        match self.tell(&Event::Notice { model: id, text }) {
            ControlFlow::Break(()) => Err(Error::Cancelled),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    fn tell(&self, event: &Event<'_>) -> ControlFlow<()> {
        self.options
            .observer
            .as_ref()
            .map_or(ControlFlow::Continue(()), |observer| observer(event))
    }
}

/// The error to name of two: that of the model most wanted, unless it is too large and others are not.
fn worse(before: Option<Error>, error: Error) -> Error {
    match before {
        Some(before) if !matches!(before, Error::TooLarge { .. }) => before,
        Some(before) if matches!(error, Error::TooLarge { .. }) => before,
        _ => error,
    }
}

#[derive(Clone, Copy)]
enum Fetch {
    No,
    Yes,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
