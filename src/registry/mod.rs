//! The catalogue of models: `models.toml`, what a user adds to it, and the lists of preference.
//!
//! Says which models could do a piece of work and in which order to think of them. It does not know
//! what is on the disk or on the network: that is the store's. Every [`Registry`] is valid: ids are
//! unique, entries passed [`ModelSpec::validate`], and the lists name models that can do the work.

mod prefer;
mod prompt;
mod source;
mod spec;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::language::Language;

pub use prefer::Prefer;
pub use prompt::PromptFacts;
pub(crate) use prompt::{Part, Place, Wording, Wordings};
pub use source::{Compression, HubSource, Source, UrlFile, UrlSource, WheelFile, WheelsSource};
pub(crate) use source::{RECORD, WheelPart};
pub use spec::{DecodingFacts, Family, Limits, ModelSpec, Pair, Quality, Task};
pub(crate) use spec::{PREPARED, memory_of};

/// The catalogue that is compiled in.
const BUILTIN: &str = include_str!("../../models.toml");

/// The entry of a list of preference that stands for two translations with English between them.
const THROUGH_ENGLISH: &str = "through-english";

/// All models that newsml knows, and which of them it prefers for what.
#[derive(Debug, Clone)]
pub struct Registry {
    models: Vec<ModelSpec>,
    fast: Lists,
    best: Lists,
}

/// One way to translate, in a list of preference.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Route<'a> {
    /// One model does it.
    Direct(&'a ModelSpec),
    /// Into English first, from there into the target, each by the list of its own direction.
    ThroughEnglish,
}

/// What the text after `--model` names.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ModelChoice<'a> {
    /// An entry of the catalogue.
    Known(&'a ModelSpec),
    /// A directory or a file of the user's own.
    Local(PathBuf),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    /// Pair → ids, the most wanted first.
    #[serde(default)]
    translate: BTreeMap<Pair, Vec<String>>,
    /// Language → ids, the most wanted first.
    #[serde(default)]
    summarize: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Files that were written before there were two kinds of lists say `defaults`.
    #[serde(default, alias = "defaults")]
    fast: Lists,
    #[serde(default)]
    best: Lists,
    #[serde(default)]
    model: Vec<ModelSpec>,
}

impl Registry {
    /// The catalogue that is compiled in.
    ///
    /// # Errors
    /// [`Error::Registry`], which a released build never gives: a test reads the whole file.
    pub fn builtin() -> Result<Self> {
        let mut registry = Self {
            models: Vec::new(),
            fast: Lists::default(),
            best: Lists::default(),
        };
        registry.merge(BUILTIN, "models.toml")?;
        Ok(registry)
    }

    /// The catalogue that is compiled in, with a user's file laid over it.
    ///
    /// An entry with a known id replaces that entry, and a list replaces that list; everything else
    /// is added. The file has the form of `models.toml`.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::Registry`] if it is not valid.
    pub fn with_file(path: impl AsRef<Path>) -> Result<Self> {
        let mut registry = Self::builtin()?;
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        registry.merge(&text, &path.display().to_string())?;
        Ok(registry)
    }

    /// Lays the text of a registry file over this registry; `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Registry`] if the text is not valid; the registry is as it was then.
    pub fn merge(&mut self, text: &str, name: &str) -> Result<()> {
        let wrong = |message: String| Error::Registry {
            name: name.to_owned(),
            message,
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| {
                text.as_bytes()
                    .iter()
                    .take(span.start)
                    .filter(|byte| **byte == b'\n')
                    .count()
                    + 1
            });
            wrong(format!(
                "line {line}: {}",
                error.message().trim().replace('\n', ", ")
            ))
        })?;
        let mut merged = self.clone();
        let mut seen = Vec::new();
        for model in file.model {
            model.validate().map_err(wrong)?;
            if seen.contains(&model.id) {
                return Err(wrong(format!("model `{}` is there twice", model.id)));
            }
            seen.push(model.id.clone());
            match merged.models.iter_mut().find(|known| known.id == model.id) {
                Some(known) => *known = model,
                None => merged.models.push(model),
            }
        }
        for (lists, more) in [(&mut merged.fast, file.fast), (&mut merged.best, file.best)] {
            lists.translate.extend(more.translate);
            lists.summarize.extend(more.summarize);
        }
        merged.validate().map_err(wrong)?;
        *self = merged;
        Ok(())
    }

    /// All models, in the order of the catalogue.
    pub fn models(&self) -> &[ModelSpec] {
        &self.models
    }

    /// The model with the id.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], with ids of a similar spelling.
    pub fn model(&self, id: &str) -> Result<&ModelSpec> {
        self.models
            .iter()
            .find(|model| model.id == id)
            .ok_or_else(|| Error::UnknownModel {
                id: id.to_owned(),
                similar: self.similar(id),
            })
    }

    /// What a user means by the text after `--model`: an id, or else a directory or file that exists.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] if it is neither; [`Error::Io`] if it can only be meant as a path and
    /// nothing is there.
    pub fn resolve(&self, text: &str) -> Result<ModelChoice<'_>> {
        if let Some(model) = self.models.iter().find(|model| model.id == text) {
            return Ok(ModelChoice::Known(model));
        }
        let path = Path::new(text);
        let is_path =
            text.contains(['/', '\\']) || text.ends_with(".gguf") || text.starts_with('.');
        match path.metadata() {
            Ok(_) => Ok(ModelChoice::Local(path.to_path_buf())),
            Err(source) if is_path => Err(Error::io("read", path)(source)),
            Err(_) => Err(Error::UnknownModel {
                id: text.to_owned(),
                similar: self.similar(text),
            }),
        }
    }

    /// The ways to translate in a direction, the most wanted first; models that this build cannot run
    /// are left out.
    pub fn routes(&self, from: Language, to: Language, prefer: Prefer) -> Vec<Route<'_>> {
        let pair = Pair::new(from, to);
        self.list(prefer, |lists| lists.translate.get(&pair))
            .iter()
            .filter_map(|id| match id.as_str() {
                THROUGH_ENGLISH => Some(Route::ThroughEnglish),
                id => self.runnable(id).map(Route::Direct),
            })
            .collect()
    }

    /// The models that translate in a direction by themselves, the most wanted first; models that
    /// this build cannot run are left out.
    pub fn translators(&self, from: Language, to: Language, prefer: Prefer) -> Vec<&ModelSpec> {
        self.routes(from, to, prefer)
            .into_iter()
            .filter_map(|route| match route {
                Route::Direct(model) => Some(model),
                Route::ThroughEnglish => None,
            })
            .collect()
    }

    /// The models that summarize articles in a language, the most wanted first; models that this
    /// build cannot run are left out.
    pub fn summarizers(&self, language: Language, prefer: Prefer) -> Vec<&ModelSpec> {
        self.list(prefer, |lists| lists.summarize.get(language.code()))
            .iter()
            .filter_map(|id| self.runnable(id))
            .collect()
    }

    /// The list of a preference for some work. Where there is none for the best, the fast one is
    /// taken.
    fn list<'a>(
        &'a self,
        prefer: Prefer,
        of: impl Fn(&'a Lists) -> Option<&'a Vec<String>>,
    ) -> &'a [String] {
        let list = match prefer {
            Prefer::Fast => None,
            Prefer::Best => of(&self.best),
        };
        list.or_else(|| of(&self.fast)).map_or(&[], Vec::as_slice)
    }

    /// What a model is the first choice for, as in `translate ar-en` and `summarize ru`.
    pub fn first_for(&self, id: &str, prefer: Prefer) -> Vec<String> {
        let mut found = Vec::new();
        for (from, to) in Language::ALL
            .iter()
            .flat_map(|from| Language::ALL.map(|to| (*from, to)))
        {
            let routes = self.routes(from, to, prefer);
            // A route by way of English is no model's.
            let first = routes.iter().find_map(|route| match route {
                Route::Direct(model) => Some(model.id.as_str()),
                Route::ThroughEnglish => None,
            });
            if first == Some(id) {
                found.push(format!("translate {}", Pair::new(from, to)));
            }
        }
        for language in Language::ALL {
            let models = self.summarizers(language, prefer);
            if models.first().is_some_and(|model| model.id == id) {
                found.push(format!("summarize {language}"));
            }
        }
        found
    }

    /// The entry that a file of the user's own seems to be of, by its name: one that is asked in
    /// words.
    pub(crate) fn of_file(&self, path: &Path) -> Option<&ModelSpec> {
        let name = path.file_name()?.to_str()?;
        let is_of = |model: &&ModelSpec| {
            let mut names = model.sources.iter().flat_map(Source::file_names);
            model.family.is_prompted() && names.any(|known| known == name)
        };
        self.models.iter().find(is_of)
    }

    fn runnable(&self, id: &str) -> Option<&ModelSpec> {
        self.models
            .iter()
            .find(|model| model.id == id && model.family.is_runnable())
    }

    /// Ids that are spelled similarly or that hold all parts of the text, at most three, nearest
    /// first.
    fn similar(&self, text: &str) -> Vec<String> {
        let text = text.to_lowercase();
        let parts: Vec<&str> = text
            .split(['-', '_', ' ', '/'])
            .filter(|part| part.len() > 1)
            .collect();
        let mut ranked: Vec<(f64, &str)> = self
            .models
            .iter()
            .map(|model| {
                let holds_all =
                    !parts.is_empty() && parts.iter().all(|part| model.id.contains(part));
                let nearness = strsim::normalized_damerau_levenshtein(&text, &model.id);
                (
                    if holds_all { 1.0 + nearness } else { nearness },
                    model.id.as_str(),
                )
            })
            .filter(|(score, _)| *score >= 0.6)
            .collect();
        // The sort is stable, so that equally near ids stay in the order of the catalogue.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked
            .into_iter()
            .take(3)
            .map(|(_, id)| id.to_owned())
            .collect()
    }

    fn validate(&self) -> Result<(), String> {
        let find = |id: &str, list: &str| {
            let model = self.models.iter().find(|model| model.id == id);
            model.ok_or_else(|| format!("the list `{list}` names the unknown model `{id}`"))
        };
        for (lists, kind) in [(&self.fast, Prefer::Fast), (&self.best, Prefer::Best)] {
            for (pair, ids) in &lists.translate {
                let list = format!("{kind}.translate.{pair}");
                for id in ids {
                    if id == THROUGH_ENGLISH {
                        if pair.from == "en" || pair.to == "en" {
                            return Err(format!("the list `{list}` cannot go through English"));
                        }
                        continue;
                    }
                    let model = find(id, &list)?;
                    if !model.tasks.contains(&Task::Translate) || !model.pairs.contains(pair) {
                        return Err(format!(
                            "the list `{list}` names `{id}`, which does not translate {pair}"
                        ));
                    }
                }
            }
            for (language, ids) in &lists.summarize {
                let list = format!("{kind}.summarize.{language}");
                for id in ids {
                    let model = find(id, &list)?;
                    if !model.tasks.contains(&Task::Summarize)
                        || !model.languages.contains(language)
                    {
                        return Err(format!(
                            "the list `{list}` names `{id}`, which does not summarize {language}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
