//! What a translation memory spares the models.
//!
//! Only translations in which no check found a fault are kept; what is recalled is therefore not
//! checked again.

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::Translator;
use super::attempts::Output;
use crate::decode::Watch;
use crate::error::{Error, Result};
use crate::language::Language;
use crate::loader::{Engine, Loaded};
use crate::memory::MemoryScope;
use crate::options::Decoding;
use crate::prompts;
use crate::warning::{Warning, WarningKind};

/// Whether translations can be kept.
#[derive(Debug, Default)]
pub(super) struct Keeping(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Fine,
    /// They could not, which is still to be told.
    Failed(Warning),
    /// They could not, which was told.
    Told,
}

impl Keeping {
    fn is_fine(&self) -> bool {
        matches!(*self.lock(), State::Fine)
    }

    /// A translation is worth more than a memory of it: a disk that is full ends the keeping alone.
    fn fail(&self, error: &Error) {
        let message = format!("from here on no translations are kept in the memory: {error}");
        *self.lock() = State::Failed(Warning::new(WarningKind::Memory, message));
    }

    /// What is to be told, once.
    pub(super) fn warning(&self) -> Option<Warning> {
        let mut state = self.lock();
        let State::Failed(warning) = &*state else {
            return None;
        };
        let warning = warning.clone();
        *state = State::Told;
        Some(warning)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Translator {
    /// Takes what is known from the memory and runs the other texts through the models.
    pub(super) fn remembered(
        &self,
        models: &[Arc<Loaded>],
        from: Option<Language>,
        texts: &[&str],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Output>>> {
        let Some(memory) = &self.memory else {
            return self.through(models, from, texts, watch);
        };
        let scope = self.scope(models, from);
        let recalled = memory.recall(&scope, texts)?;
        let (known, new): (Vec<usize>, Vec<usize>) =
            (0..texts.len()).partition(|&i| recalled.get(i).is_some_and(Option::is_some));
        let mut outputs: Vec<Option<Output>> = Vec::new();
        outputs.resize_with(texts.len(), || None);
        let mut recalled = recalled;
        for i in known {
            outputs[i] = recalled[i].take().map(|text| Output {
                from_memory: true,
                ..Output::untranslated(&text)
            });
        }
        self.find_terms(from, texts, &mut outputs);
        let new_texts: Vec<&str> = new.iter().map(|&i| texts[i]).collect();
        let found = self.through(models, from, &new_texts, watch)?;
        let good: Vec<(&str, &str)> = new_texts
            .iter()
            .zip(&found)
            .filter_map(|(source, output)| {
                let output = output.as_ref().filter(|output| output.faults.is_empty())?;
                Some((*source, output.text.as_str()))
            })
            .collect();
        if self.keeping.is_fine()
            && let Err(error) = memory.remember(&scope, &good)
        {
            self.keeping.fail(&error);
        }
        for (i, output) in new.into_iter().zip(found) {
            outputs[i] = output;
        }
        Ok(outputs)
    }

    /// All that a translation by these models depends on.
    fn scope(&self, models: &[Arc<Loaded>], from: Option<Language>) -> MemoryScope {
        let own = match models.first().map(|model| &model.engine) {
            Some(Engine::Segments(model)) => model.pair(),
            _ => None,
        };
        let code = |language: Option<Language>, own: Option<&str>| {
            let code = language.map(Language::code).or(own);
            code.unwrap_or("und").to_owned()
        };
        let mut hasher = Sha256::new();
        for model in models {
            hasher.update(&model.weights);
        }
        let Decoding {
            beams,
            max_tokens,
            no_repeat_ngram,
            // Has no part in what is written.
            batch_tokens: _,
        } = &self.decoding;
        let glossary = &self.glossary;
        hasher.update(format!(
            "{beams:?} {max_tokens:?} {no_repeat_ngram:?} {glossary:?}"
        ));
        let is_asked = |model: &Arc<Loaded>| matches!(model.engine, Engine::Instruct(_));
        if models.iter().any(is_asked) {
            hasher.update(prompts::translation_wording());
        }
        let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
        MemoryScope {
            from: code(from, own.map(|(from, _)| from)),
            to: code(self.to, own.map(|(_, to)| to)),
            model: ids.join(" + "),
            settings: format!("{:x}", hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use crate::{Decoding, Document, Language, LoadOptions, MemoryScope, Result};
    use crate::{TranslationMemory, Translator, WarningKind};

    /// A memory that lives as long as the test.
    #[derive(Default)]
    struct Notes(Mutex<HashMap<(String, String), String>>);

    impl TranslationMemory for Notes {
        fn recall(&self, scope: &MemoryScope, sources: &[&str]) -> Result<Vec<Option<String>>> {
            let notes = self.0.lock().unwrap();
            let find = |source: &&str| {
                let key = (scope.settings.clone(), (*source).to_owned());
                notes.get(&key).cloned()
            };
            Ok(sources.iter().map(find).collect())
        }

        fn remember(&self, scope: &MemoryScope, pairs: &[(&str, &str)]) -> Result<()> {
            for (source, target) in pairs {
                let key = (scope.settings.clone(), (*source).to_owned());
                self.0.lock().unwrap().insert(key, (*target).to_owned());
            }
            Ok(())
        }
    }

    /// With a tiny model with random weights, whose nonsense is mostly faulty.
    fn translator(memory: Arc<dyn TranslationMemory>, max_tokens: usize) -> Translator {
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/qwen2-f32.gguf");
        let load = LoadOptions {
            model: Some(model.to_owned()),
            ..LoadOptions::default()
        };
        let decoding = Decoding {
            max_tokens: Some(max_tokens),
            ..Decoding::default()
        };
        let builder = Translator::builder(Language::Russian).from(Language::English);
        let builder = builder.load(load).decoding(decoding).memory(memory);
        builder.build().unwrap()
    }

    #[test]
    fn good_segments_are_kept_and_used_again_and_faulty_ones_never() {
        let notes = Arc::new(Notes::default());
        let text = "The mayor came. The bridge opened. Nobody was hurt. It rained.";
        let document = Document::raw("a", text).unwrap();
        let first = translator(notes.clone(), 4)
            .translate_document(&document)
            .unwrap();
        assert!(first.segments.iter().all(|segment| !segment.from_memory));
        let kept: Vec<String> = {
            let notes = notes.0.lock().unwrap();
            notes.keys().map(|(_, source)| source.clone()).collect()
        };
        for segment in &first.segments {
            let is_good = segment.warnings.is_empty();
            assert_eq!(kept.contains(&segment.source), is_good, "{segment:?}");
        }
        // As if two had been good.
        let same = translator(notes.clone(), 4);
        let settings = same.scope(&[same.model()], Some(Language::English));
        notes
            .remember(
                &settings,
                &[
                    ("The mayor came.", "Мэр пришёл."),
                    ("It rained.", "Шёл дождь."),
                ],
            )
            .unwrap();
        let second = translator(notes.clone(), 4)
            .translate_document(&document)
            .unwrap();
        let recalled = second.segments.iter().filter(|segment| segment.from_memory);
        let recalled: Vec<&str> = recalled.map(|segment| segment.target.as_str()).collect();
        assert!(recalled.starts_with(&["Мэр пришёл."]) && recalled.ends_with(&["Шёл дождь."]));
        for (first, second) in first.segments.iter().zip(&second.segments) {
            assert!(second.from_memory || first.target == second.target);
        }
        // Other settings, other translations.
        let other = translator(notes.clone(), 5)
            .translate_document(&document)
            .unwrap();
        assert!(other.segments.iter().all(|segment| !segment.from_memory));
    }

    /// A memory on a disk that is full.
    #[derive(Default)]
    struct Full(Mutex<usize>);

    impl TranslationMemory for Full {
        fn recall(&self, _: &MemoryScope, sources: &[&str]) -> Result<Vec<Option<String>>> {
            Ok(vec![None; sources.len()])
        }

        fn remember(&self, _: &MemoryScope, _: &[(&str, &str)]) -> Result<()> {
            *self.0.lock().unwrap() += 1;
            Err(crate::Error::Io {
                action: "write",
                path: "news.memory".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            })
        }
    }

    #[test]
    fn a_memory_that_is_full_is_told_once_and_stops_nothing() {
        let full = Arc::new(Full::default());
        let translator = translator(full.clone(), 4);
        let text = "The mayor came. The bridge opened.";
        // Windows end after so many bytes; each of these is one.
        let long = text.to_owned()
            + &" It rained.".repeat(<Translator as crate::pipeline::Pipeline>::WINDOW_BYTES / 11);
        let names = ["a", "b", "c"];
        let documents = names.map(|name| Ok(Document::raw(name, long.as_str()).unwrap()));
        let translated: Vec<_> = translator.translate_documents(documents).collect();
        let told = |translation: &crate::Translation| {
            let warnings = translation.warnings.iter();
            let told: Vec<String> = warnings
                .filter(|warning| warning.kind == WarningKind::Memory)
                .map(|warning| warning.message.clone())
                .collect();
            assert!(translation.segments.len() > 2);
            told
        };
        let told: Vec<Vec<String>> = translated
            .iter()
            .map(|translation| told(translation.as_ref().unwrap()))
            .collect();
        let message = "from here on no translations are kept in the memory: cannot write `news.memory`: no space left";
        assert!(
            told[0].len() == 1 && told[0][0].starts_with(message),
            "{told:?}"
        );
        assert!(told[1..].iter().all(Vec::is_empty), "{told:?}");
        assert_eq!(*full.0.lock().unwrap(), 1);
    }

    #[test]
    fn every_setting_of_a_translation_has_a_part_in_its_scope() {
        let settings = |change: fn(&mut Decoding)| {
            let mut translator = translator(Arc::<Notes>::default(), 4);
            change(&mut translator.decoding);
            let scope = translator.scope(&[translator.model()], Some(Language::English));
            scope.settings
        };
        let usual = settings(|_| {});
        let changes: [fn(&mut Decoding); 3] = [
            |decoding| decoding.beams = Some(2),
            |decoding| decoding.max_tokens = None,
            |decoding| decoding.no_repeat_ngram = Some(3),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_ne!(settings(change), usual, "change {number}");
        }
        assert_eq!(settings(|decoding| decoding.batch_tokens = Some(64)), usual);
    }

    impl Translator {
        /// The model that it translates English into Russian with.
        fn model(&self) -> Arc<crate::loader::Loaded> {
            let models = self
                .loader
                .translators(Language::English, Language::Russian);
            models.unwrap().remove(0)
        }
    }
}
