//! What a translation memory spares the models.
//!
//! Only translations in which no check found a fault are kept; what is recalled is therefore not
//! checked again.

use std::collections::HashMap;
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
    /// `backgrounds` has for each text what stands around it; nothing for texts beyond the end.
    pub(super) fn remembered(
        &self,
        models: &[Arc<Loaded>],
        from: Option<Language>,
        (texts, backgrounds): (&[&str], &[Option<String>]),
        watch: &mut Watch,
    ) -> Result<Vec<Option<Output>>> {
        let Some(memory) = &self.memory else {
            return self.through(models, from, (texts, backgrounds), watch);
        };
        let around = |i: usize| backgrounds.get(i).and_then(Option::as_deref);
        let mut outputs: Vec<Option<Output>> = Vec::new();
        outputs.resize_with(texts.len(), || None);
        // What was written for other surroundings is another translation.
        let mut scopes: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
        for i in 0..texts.len() {
            scopes.entry(around(i)).or_default().push(i);
        }
        for (background, members) in &scopes {
            let scope = self.scope(models, from, *background);
            let sources: Vec<&str> = members.iter().map(|&i| texts[i]).collect();
            let recalled = memory.recall(&scope, &sources)?;
            for (&i, text) in members.iter().zip(recalled) {
                outputs[i] = text.map(|text| Output {
                    from_memory: true,
                    ..Output::untranslated(&text)
                });
            }
        }
        let new: Vec<usize> = (0..texts.len()).filter(|&i| outputs[i].is_none()).collect();
        self.find_terms(from, texts, &mut outputs);
        let new_texts: Vec<&str> = new.iter().map(|&i| texts[i]).collect();
        let new_backgrounds: Vec<Option<String>> =
            new.iter().map(|&i| around(i).map(str::to_owned)).collect();
        let found = self.through(models, from, (&new_texts, &new_backgrounds), watch)?;
        for (&i, output) in new.iter().zip(found) {
            outputs[i] = output;
        }
        for (background, members) in &scopes {
            let good: Vec<(&str, &str)> = members
                .iter()
                .filter_map(|&i| {
                    let is_good =
                        |output: &&Output| !output.from_memory && output.faults.is_empty();
                    let output = outputs[i].as_ref().filter(is_good)?;
                    Some((texts[i], output.text.as_str()))
                })
                .collect();
            if !self.keeping.is_fine() {
                break;
            }
            if good.is_empty() && background.is_some() {
                continue;
            }
            let scope = self.scope(models, from, *background);
            if let Err(error) = memory.remember(&scope, &good) {
                self.keeping.fail(&error);
            }
        }
        Ok(outputs)
    }

    /// All that a translation by these models depends on.
    fn scope(
        &self,
        models: &[Arc<Loaded>],
        from: Option<Language>,
        background: Option<&str>,
    ) -> MemoryScope {
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
        // By names that stay: what is kept on a disk is to be found by later versions too.
        hasher.update(format!(
            "beams={} max_tokens={} no_repeat_ngram={} glossary={}",
            named(*beams),
            named(*max_tokens),
            named(*no_repeat_ngram),
            self.glossary.fingerprint(),
        ));
        for model in models {
            if let Engine::Instruct(instruct) = &model.engine {
                hasher.update(instruct.asking().wording());
            }
        }
        if let Some(background) = background {
            hasher.update(format!("\nbackground={background}"));
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

/// A number as a part of a key.
fn named(number: Option<usize>) -> String {
    number.map_or("-".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use sha2::Digest as _;

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
        let settings = same.scope(&[same.model()], Some(Language::English), None);
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
            let scope = translator.scope(&[translator.model()], Some(Language::English), None);
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
        let translator = translator(Arc::<Notes>::default(), 4);
        let scope = |background| {
            let scope =
                translator.scope(&[translator.model()], Some(Language::English), background);
            scope.settings
        };
        assert_eq!(scope(None), usual);
        assert_ne!(scope(Some("Rates rise")), usual);
        assert_ne!(scope(Some("Rates rise")), scope(Some("Rates fall")));
    }

    /// Keys on the disks of users are made of these parts: other names, or another order, would make
    /// all that is kept unknown.
    #[test]
    fn the_parts_of_a_key_stay_what_they_are() {
        let translator = translator(Arc::<Notes>::default(), 4);
        let model = translator.model();
        assert!(model.weights.ends_with(" auto"), "{}", model.weights);
        let mut hasher = sha2::Sha256::new();
        hasher.update(&model.weights);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        hasher.update(format!(
            "beams=- max_tokens=4 no_repeat_ngram=- glossary={empty}"
        ));
        hasher.update(crate::prompts::Asking::usual().wording());
        let scope = translator.scope(&[model], Some(Language::English), None);
        assert_eq!(scope.settings, format!("{:x}", hasher.finalize()));
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
