//! What a translation memory spares the models.
//!
//! Only translations in which no check found a fault are kept; what is recalled is therefore not
//! checked again.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Output, Translator};
use crate::engine::Watch;
use crate::error::Result;
use crate::language::Language;
use crate::loader::{Engine, Loaded};
use crate::memory::MemoryScope;

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
        memory.remember(&scope, &good)?;
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
        hasher.update(format!(
            "{:?} {:?} {:?}",
            self.decoding.beams, self.decoding.max_tokens, self.glossary
        ));
        let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
        MemoryScope {
            from: code(from, own.map(|(from, _)| from)),
            to: code(self.to, own.map(|(_, to)| to)),
            model: ids.join(" + "),
            settings: format!("{:x}", hasher.finalize()),
        }
    }
}
