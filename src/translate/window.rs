//! The documents of a window: grouped by language, cut into segments, and put together again.
//!
//! Each text is translated once, wherever it stands.

use std::collections::HashMap;

use super::attempts::Output;
use super::passages::{Part, Passages};
use super::result::{TermCounts, TranslatedSegment, Translation, left_as_it_is, untranslated};
use super::{Source, Translator, detected_language, models};
use crate::decode::Watch;
use crate::document::{Document, Failure, Glosses, Segment};
use crate::error::{Error, Result};
use crate::language::{Language, ScriptProfile};
use crate::loader::Loaded;
use crate::pipeline::{Pipeline, failure, shared};
use crate::warning::Warning;

impl Pipeline for Translator {
    type Done = Translation;
    /// Some 500 sentences.
    const WINDOW_BYTES: usize = 64 << 10;
    const WINDOW_DOCUMENTS: usize = 256;

    fn window(&self, documents: Vec<Document>) -> Vec<Result<Translation, Box<Failure>>> {
        let mut watch = Watch::new(self.progress.clone());
        let mut results: Vec<Option<Result<Translation, Box<Failure>>>> = Vec::new();
        results.resize_with(documents.len(), || None);
        let mut by_language: Vec<(Source, Vec<Member>)> = Vec::new();
        let mut passages: Vec<Passages> = documents.iter().map(Passages::usual).collect();
        for (index, document) in documents.iter().enumerate() {
            let source = self.source_language(document);
            if let (Ok((from, _)), Some(to)) = (&source, self.to)
                && let Some(from) = from.language
            {
                passages[index] = Passages::of(document, from, to);
            }
            match source.map(|(from, mut warnings)| {
                warnings.extend(document.reading());
                warnings.extend(document.kept());
                (from, warnings)
            }) {
                Ok((from, warnings)) => match by_language
                    .iter_mut()
                    .find(|(language, _)| *language == from)
                {
                    Some((_, members)) => members.push((index, warnings)),
                    None => by_language.push((from, vec![(index, warnings)])),
                },
                Err(error) => results[index] = Some(Err(failure(document, error))),
            }
        }
        for (from, members) in by_language {
            let group: Vec<Part<'_>> = members
                .iter()
                .map(|(index, _)| Part {
                    document: &documents[*index],
                    passages: &passages[*index],
                    language: None,
                })
                .collect();
            let translated = self.group(from, &group, &mut watch);
            match translated {
                Ok(translations) => {
                    for ((index, warnings), translation) in members.into_iter().zip(translations) {
                        results[index] = Some(match translation {
                            Some(mut translation) => {
                                translation.warnings.splice(0..0, warnings);
                                Ok(translation)
                            }
                            None => Err(failure(&documents[index], Error::Cancelled)),
                        });
                    }
                }
                Err(error) => {
                    let error = shared(error);
                    for (index, _) in members {
                        results[index] = Some(Err(failure(&documents[index], error())));
                    }
                }
            }
        }
        for (result, passages) in results.iter_mut().zip(&passages) {
            if let Some(Ok(translation)) = result
                && let Err(error) = self.translate_others(translation, passages, &mut watch)
            {
                *result = Some(Err(failure(&translation.document, error)));
            }
        }
        if let Some(translation) = results.iter_mut().flatten().find_map(|r| r.as_mut().ok()) {
            translation.warnings.extend(self.keeping.warning());
        }
        results
            .into_iter()
            .zip(&documents)
            .map(|(result, document)| {
                result.unwrap_or_else(|| Err(failure(document, Error::Cancelled)))
            })
            .collect()
    }
}

impl Translator {
    fn source_language(&self, document: &Document) -> Result<(Source, Vec<Warning>)> {
        if self.to.is_none() {
            let nearest = ScriptProfile::of(document.text()).dominant();
            let rules = self.from.or(nearest).unwrap_or(Language::English);
            return Ok((
                Source {
                    language: None,
                    rules,
                },
                Vec::new(),
            ));
        }
        let (language, warnings) = match self.from.or(document.language()) {
            Some(language) => (language, Vec::new()),
            None => detected_language(document)?,
        };
        Ok((
            Source {
                language: Some(language),
                rules: language,
            },
            warnings,
        ))
    }

    /// Translates parts of documents, from one language; `None` for those that were not finished
    /// when the caller stopped the work.
    pub(super) fn group(
        &self,
        from: Source,
        parts: &[Part<'_>],
        watch: &mut Watch,
    ) -> Result<Vec<Option<Translation>>> {
        let documents: Vec<&Document> = parts.iter().map(|part| part.document).collect();
        let models = match (from.language, self.to) {
            // No model is worth loading for what is left as it is.
            (Some(from), Some(_)) if parts.iter().all(|part| part.passages.are_left()) => {
                let left = |document: &&Document| Some(left_as_it_is(document, from, self.to));
                return Ok(documents.iter().map(left).collect());
            }
            (Some(from), Some(to)) if from == to => {
                let translations = documents
                    .iter()
                    .map(|document| Some(untranslated(document, from)));
                return Ok(translations.collect());
            }
            (Some(from), Some(to)) => self.loader.translators(from, to)?,
            _ => vec![self.loader.own_pair()?],
        };
        if self.is_strict {
            Loaded::check_settings(&models, &self.decoding, self.with_context)?;
        }
        let mut error = None;
        let segments: Vec<Vec<Segment>> = parts
            .iter()
            .map(|part| {
                let mut segments = part.document.segments_fitting(from.rules, |piece| {
                    models
                        .first()
                        .is_none_or(|model| match models::fits(model, piece) {
                            Ok(fits) => fits,
                            Err(failed) => {
                                error.get_or_insert(failed);
                                true
                            }
                        })
                });
                segments.retain(|segment| part.passages.takes(segment.block, part.language));
                segments
            })
            .collect();
        if let Some(error) = error {
            return Err(error);
        }
        // Each text once, in the order of its first place: with what stands around it, where that
        // has a part in its translation.
        let mut numbers: HashMap<(&str, Option<String>), usize> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut backgrounds: Vec<Option<String>> = Vec::new();
        let mut places: Vec<Vec<usize>> = Vec::with_capacity(documents.len());
        // What stands inside segments (links, emphasis) is translated by itself as well: its
        // translation tells where in that of the segment it belongs.
        let mut spans: Vec<Vec<usize>> = Vec::with_capacity(documents.len());
        for (document, segments) in documents.iter().zip(&segments) {
            let mut number = |text, background: Option<String>| {
                let key = (text, background.clone());
                *numbers.entry(key).or_insert_with(|| {
                    texts.push(text);
                    backgrounds.push(background);
                    texts.len() - 1
                })
            };
            let around = match self.with_context {
                true => backgrounds_of(document, segments),
                false => vec![None; segments.len()],
            };
            let place = |(segment, around)| number(document.segment_text(segment), around);
            places.push(segments.iter().zip(around).map(place).collect());
            let texts = document.texts_of_spans(segments).into_iter();
            spans.push(texts.map(|text| number(text, None)).collect());
        }
        let outputs = self.remembered(&models, from.language, (&texts, &backgrounds), watch)?;
        let glosses: Glosses = spans
            .iter()
            .flatten()
            .filter_map(|&text| {
                let output = outputs[text].as_ref()?;
                Some((texts[text].to_owned(), output.text.clone()))
            })
            .collect();
        let ids: Vec<String> = models.iter().map(|model| model.id.clone()).collect();
        documents
            .iter()
            .zip(&segments)
            .zip(places.iter().zip(&spans))
            .map(|((document, segments), (places, spans))| {
                let done: Option<Vec<&Output>> =
                    places.iter().map(|&text| outputs[text].as_ref()).collect();
                let has_spans = spans.iter().all(|&text| outputs[text].is_some());
                done.filter(|_| has_spans)
                    .map(|outputs| {
                        let texts: Vec<&str> =
                            outputs.iter().map(|output| output.text.as_str()).collect();
                        let translated = document.replace_with(segments, &texts, &glosses)?;
                        Ok(self.assemble(
                            document,
                            translated,
                            segments,
                            &outputs,
                            from.language,
                            &ids,
                        ))
                    })
                    .transpose()
            })
            .collect()
    }

    fn assemble(
        &self,
        document: &Document,
        mut translated: Document,
        segments: &[Segment],
        outputs: &[&Output],
        from: Option<Language>,
        models: &[String],
    ) -> Translation {
        translated.set_language(self.to);
        // The first fault of each kind, the segments that have one, and the last of them: a segment
        // that misses two terms is one.
        let mut counts: Vec<(&Warning, usize, usize)> = Vec::new();
        for (number, output) in outputs.iter().enumerate() {
            for fault in &output.faults {
                match counts
                    .iter_mut()
                    .find(|(known, ..)| known.kind == fault.kind)
                {
                    Some((_, count, last)) => {
                        *count += usize::from(*last != number);
                        *last = number;
                    }
                    None => counts.push((fault, 1, number)),
                }
            }
        }
        let all = segments.len();
        let warnings = counts
            .into_iter()
            .map(|(fault, count, _)| {
                let message = format!("in {count} of {all} segments: {}", fault.message);
                Warning::new(fault.kind, message)
            })
            .collect();
        let mut models = models.to_vec();
        for by in outputs.iter().filter_map(|output| output.by.as_ref()) {
            if !models.contains(by) {
                models.push(by.clone());
            }
        }
        let terms = outputs
            .iter()
            .fold(TermCounts::default(), |sum, output| TermCounts {
                held: sum.held + output.terms.held,
                missed: sum.missed + output.terms.missed,
            });
        let segments = segments
            .iter()
            .zip(outputs)
            .map(|(segment, output)| TranslatedSegment {
                block: segment.block,
                source: document.segment_text(segment).to_owned(),
                target: output.text.clone(),
                warnings: output.faults.clone(),
                from_memory: output.from_memory,
            })
            .collect();
        Translation {
            document: translated,
            source_language: from,
            models,
            warnings,
            segments,
            repaired: outputs.iter().filter(|output| output.is_repaired).count(),
            terms,
        }
    }
}

/// What stands around each segment of a document: the headline, and the segment before.
fn backgrounds_of(document: &Document, segments: &[Segment]) -> Vec<Option<String>> {
    let headline = document.title().unwrap_or_default();
    let mut before = "";
    let mut all = Vec::with_capacity(segments.len());
    for segment in segments {
        let text = document.segment_text(segment);
        let mut around: Vec<&str> = Vec::new();
        for part in [headline, before] {
            let is_new = !part.is_empty() && part != text && !around.contains(&part);
            if is_new && !headline_holds(headline, part, text) {
                around.push(part);
            }
        }
        all.push((!around.is_empty()).then(|| around.join("\n")));
        before = text;
    }
    all
}

/// Whether a part is the headline that a text is a sentence of.
fn headline_holds(headline: &str, part: &str, text: &str) -> bool {
    part == headline && headline.contains(text)
}

/// The place of a document in its window, and the warnings that it has already.
type Member = (usize, Vec<Warning>);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_headline_and_the_sentence_before_are_the_background() {
        let text = "Harbour bridge opens after long repairs\n\nThe bridge opened on Monday. It had \
                    been closed for a year, the council said.\n\nThousands came to see the new road.";
        let document = Document::from_text("a", text).unwrap();
        let headline = document.title().unwrap().to_owned();
        let segments = document.segments(Language::English);
        let texts: Vec<&str> = segments
            .iter()
            .map(|segment| document.segment_text(segment))
            .collect();
        let found = backgrounds_of(&document, &segments);
        let expected: Vec<Option<String>> = (0..texts.len())
            .map(|number| match number {
                0 => None,
                1 => Some(headline.clone()),
                number => Some(format!("{headline}\n{}", texts[number - 1])),
            })
            .collect();
        assert!(texts.len() > 3, "{texts:?}");
        assert_eq!(found, expected);
    }
}
