//! All that has a part in results, as one text.
//!
//! It is in the keys of journals on the disks of users, so it is made of names that stay what they
//! are. What is not given has no part in it: an option that comes later changes no key of today.

use newsml::{Glossary, Registry, Result};
use newsml::{ModelChoice, ModelFiles};
use serde_json::json;

use super::args::{DocumentArgs, LengthName, ModelArgs, Summarize, Translate};
use super::file::Form;

/// The settings of a command.
#[derive(Debug)]
pub(crate) struct Settings(String);

impl Settings {
    /// Those of a translation.
    pub(crate) fn of_translation(
        arguments: &Translate,
        glossary: &Glossary,
        form: Form,
        registry: &Registry,
    ) -> Result<Self> {
        let mut settings = Self("translate\n".to_owned());
        settings.add("lang", arguments.lang.as_ref());
        settings.add("from", arguments.from.as_ref());
        settings.add("beams", arguments.beams);
        // The file counts by what is in it.
        let terms = (!glossary.is_empty()).then(|| glossary.fingerprint());
        settings.add("glossary", terms);
        settings.add("segments", arguments.segments.then_some(true));
        settings.add("context", arguments.context.then_some(true));
        settings.common(&arguments.documents, &arguments.model, form, registry)?;
        Ok(settings)
    }

    /// Those of summaries.
    pub(crate) fn of_summaries(
        arguments: &Summarize,
        form: Form,
        registry: &Registry,
    ) -> Result<Self> {
        let mut settings = Self("summarize\n".to_owned());
        settings.add("lang", arguments.lang.as_ref());
        settings.add("from", arguments.from.as_ref());
        let length = match arguments.length {
            LengthName::Headline => "headline",
            LengthName::Short => "short",
            LengthName::Medium => "medium",
        };
        settings.add("length", Some(length));
        settings.common(&arguments.documents, &arguments.model, form, registry)?;
        Ok(settings)
    }

    /// The text.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// What both have: not where results are computed, and how many at once.
    fn common(
        &mut self,
        documents: &DocumentArgs,
        model: &ModelArgs,
        form: Form,
        registry: &Registry,
    ) -> Result<()> {
        self.add("format", documents.format.as_ref());
        let fields = (!documents.field.is_empty()).then_some(&documents.field);
        self.add("fields", fields);
        self.add("raw", documents.raw.then_some(true));
        self.add("clean", documents.clean.then_some(true));
        self.add("whole_page", documents.whole_page.then_some(true));
        let form = match form {
            Form::Text => "text",
            Form::Json => "json",
            Form::Own => "own",
        };
        self.add("form", Some(form));
        let precision = model.compute.precision.as_str();
        self.add("precision", Some(precision).filter(|name| *name != "auto"));
        self.add("max_tokens", model.compute.max_tokens);
        self.add("model", model.model.as_ref());
        let weights = match &model.model {
            Some(name) => match registry.resolve(name)? {
                ModelChoice::Known(spec) => spec.fingerprint(),
                ModelChoice::Local(path) => ModelFiles::local(path)?.fingerprint(),
                _ => String::new(),
            },
            // Which one is chosen depends on what is in the cache: a job goes on with what there is.
            None => {
                self.add("prefer", Some(&model.prefer).filter(|name| *name != "fast"));
                let models = registry.models().iter();
                let models: Vec<_> = models.map(newsml::ModelSpec::fingerprint).collect();
                models.join(" ")
            }
        };
        self.add("weights", Some(weights));
        Ok(())
    }

    fn add(&mut self, name: &str, value: Option<impl serde::Serialize>) {
        if let Some(value) = value {
            self.0.push_str(&format!("{name}={}\n", json!(value)));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Cli, Command};
    use super::*;

    fn settings(line: &str) -> String {
        let registry = Registry::builtin().unwrap();
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let settings = match cli.command {
            Command::Translate(arguments) => {
                let mut glossary = Glossary::new();
                for term in &arguments.keep {
                    glossary.add(newsml::Term::kept(term)).unwrap();
                }
                Settings::of_translation(&arguments, &glossary, Form::Text, &registry)
            }
            Command::Summarize(arguments) => {
                Settings::of_summaries(&arguments, Form::Json, &registry)
            }
            _ => unreachable!("not asked for here"),
        };
        settings.unwrap().into_text()
    }

    /// Keys on the disks of users are made of this text.
    #[test]
    fn the_text_stays_what_it_is() {
        let weights = |id: &str| {
            let registry = Registry::builtin().unwrap();
            registry.model(id).unwrap().fingerprint()
        };
        assert_eq!(
            settings("newsml translate --lang ru --raw --model opus-mt-en-ru --beams 2 a.txt"),
            format!(
                "translate\nlang=\"ru\"\nbeams=2\nraw=true\nform=\"text\"\nmodel=\"opus-mt-en-ru\"\nweights=\"{}\"\n",
                weights("opus-mt-en-ru")
            )
        );
        let found = settings("newsml summarize --field a --field b --max-tokens 9 --prefer best a");
        let expected = "summarize\nlength=\"short\"\nfields=[\"a\",\"b\"]\nform=\"json\"\nmax_tokens=9\nprefer=\"best\"\nweights=\"";
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn what_has_a_part_in_results_is_in_it_and_nothing_else() {
        let usual = settings("newsml translate --lang ru a.txt");
        for same in [
            "newsml translate --lang ru b.txt c.txt",
            "newsml translate --lang ru -o out/ --redo a.txt",
            "newsml translate --lang ru --device cpu --threads 2 --batch-tokens 9 a.txt",
            "newsml translate --lang ru --memory news.memory --prefer fast a.txt",
        ] {
            assert_eq!(settings(same), usual, "{same}");
        }
        for other in [
            "newsml translate --lang en a.txt",
            "newsml translate --lang ru --from en a.txt",
            "newsml translate --lang ru --context a.txt",
            "newsml translate --lang ru --prefer best a.txt",
            "newsml translate --lang ru --keep NATO a.txt",
            "newsml translate --lang ru --raw a.txt",
            "newsml translate --lang ru --precision f32 a.txt",
            "newsml translate --lang ru --model opus-mt-en-ru a.txt",
        ] {
            assert_ne!(settings(other), usual, "{other}");
        }
    }
}
