//! Texts through one model after another: most pairs of languages have one, others go by way of
//! English.

use std::sync::Arc;

use super::Translator;
use super::attempts::{self, Checks, Output, Relay, Route};
use super::models::Directed;
use crate::decode::Watch;
use crate::error::Result;
use crate::glossary::Glossary;
use crate::language::Language;
use crate::loader::Loaded;

impl Translator {
    /// Runs texts through one model after another: the texts to translate in, their outputs out, in
    /// the same order.
    pub(super) fn through(
        &self,
        models: &[Arc<Loaded>],
        from: Option<Language>,
        (texts, backgrounds): (&[&str], &[Option<String>]),
        watch: &mut Watch,
    ) -> Result<Vec<Option<Output>>> {
        let mut source = from;
        let mut outputs: Vec<Option<Output>> = texts
            .iter()
            .map(|text| Some(Output::untranslated(text)))
            .collect();
        for (number, model) in models.iter().enumerate() {
            let is_last = number + 1 == models.len();
            let target = if is_last {
                self.to
            } else {
                Some(Language::English)
            };
            let present: Vec<usize> = (0..outputs.len())
                .filter(|&i| outputs[i].is_some())
                .collect();
            let inputs: Vec<String> = present
                .iter()
                .filter_map(|&i| outputs[i].as_ref().map(|output| output.text.clone()))
                .collect();
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let directed = |model: Arc<Loaded>| Directed {
                model,
                from: source,
                to: target,
                decoding: &self.decoding,
            };
            let mut next = || -> Option<Box<dyn attempts::Translates + '_>> {
                let next = self.loader.next_cached(source?, target?, &model.id)?;
                Some(Box::new(directed(next)))
            };
            let worker = directed(model.clone());
            // What terms are is known of the first language and of the last.
            let none = Glossary::new();
            // What stands around a text is in its own language.
            let around: Vec<Option<String>> = present
                .iter()
                .filter(|_| number == 0)
                .map(|&i| backgrounds.get(i).cloned().flatten())
                .collect();
            let origins: Vec<&str> = present.iter().map(|&i| texts[i]).collect();
            let first = models.first().filter(|_| is_last && number > 0);
            let first = first.map(|model| Directed {
                model: model.clone(),
                from,
                to: source,
                decoding: &self.decoding,
            });
            let relay = first.as_ref().map(|first| Relay {
                first,
                last: &worker,
            });
            let route = relay.as_ref().map(|models| Route {
                texts: &origins,
                from,
                models,
            });
            let checks = Checks {
                from: source,
                to: target,
                glossary: if is_last { &self.glossary } else { &none },
                backgrounds: &around,
                is_bounded: self.decoding.max_tokens.is_some(),
                route,
            };
            let found = attempts::translate(&worker, &mut next, &checks, &inputs, watch)?;
            for (&i, mut found) in present.iter().zip(found) {
                if let (Some(found), Some(before)) = (&mut found, outputs[i].take()) {
                    found.follow(before);
                }
                outputs[i] = found;
            }
            source = target;
        }
        Ok(outputs)
    }

    /// Says what became of the terms of texts where no model was made to say them.
    pub(super) fn find_terms(
        &self,
        from: Option<Language>,
        texts: &[&str],
        outputs: &mut [Option<Output>],
    ) {
        for (output, text) in outputs.iter_mut().zip(texts) {
            if let Some(output) = output {
                output.find_terms(text, &self.glossary.hits(text, from, self.to));
            }
        }
    }
}
