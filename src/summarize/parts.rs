//! Reads articles that are too long to be read at once, in parts: their summaries are what is
//! summarized, again if need be.

use super::writer::{Languages, Writer};
use super::{Summarizer, Written};
use crate::decode::Watch;
use crate::error::Result;
use crate::language::Language;
use crate::loader::Loaded;
use crate::segment::{sentences, split_long};
use crate::warning::{Warning, WarningKind};

/// How often the summaries of parts are read in parts themselves; each time leaves a quarter or so.
const ROUNDS: usize = 4;

impl Summarizer {
    pub(super) fn written(
        &self,
        model: &Loaded,
        languages: Languages,
        mut articles: Vec<Option<Written>>,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Written>>> {
        let writer = Writer::of(model)?;
        let most = writer.most_tokens();
        // Articles that are too long become the summaries of their parts, again if need be.
        for round in 0.. {
            let mut parts: Vec<(usize, String)> = Vec::new();
            for (index, article) in articles.iter_mut().enumerate() {
                let Some((text, warnings)) = article else {
                    continue;
                };
                if text.len() <= most || writer.count(text)? <= most {
                    continue;
                }
                let found = parts_of(writer, text, languages.article, writer.part_tokens())?;
                if round < ROUNDS {
                    parts.extend(found.into_iter().map(|part| (index, part)));
                } else if let Some(first) = found.into_iter().next() {
                    // A model whose summaries are as long as what they are of.
                    *text = first;
                    warnings.push(Warning::new(
                        WarningKind::CutShort,
                        "the text was read in part",
                    ));
                }
            }
            if parts.is_empty() {
                break;
            }
            let texts: Vec<&str> = parts.iter().map(|(_, part)| part.as_str()).collect();
            let read = self.asked(writer, languages, writer.part_length(), &texts, watch)?;
            let mut joined: Vec<(usize, Option<String>, usize)> = Vec::new();
            for ((index, _), summary) in parts.iter().zip(read) {
                let summary = summary.map(|(text, _)| text);
                match joined.last_mut() {
                    Some((last, text, count)) if last == index => {
                        *text = text
                            .take()
                            .zip(summary)
                            .map(|(text, more)| text + "\n\n" + &more);
                        *count += 1;
                    }
                    _ => joined.push((*index, summary, 1)),
                }
            }
            for (index, text, count) in joined {
                articles[index] =
                    text.zip(articles[index].take())
                        .map(|(text, (_, mut warnings))| {
                            warnings.push(Warning::new(
                                WarningKind::Parts,
                                format!("the text was read in {count} parts"),
                            ));
                            (text, warnings)
                        });
            }
        }
        let present: Vec<usize> = (0..articles.len())
            .filter(|&i| articles[i].is_some())
            .collect();
        let texts: Vec<&str> = present
            .iter()
            .filter_map(|&i| articles[i].as_ref().map(|(text, _)| text.as_str()))
            .collect();
        let summaries = self.asked(writer, languages, self.length, &texts, watch)?;
        let mut results: Vec<Option<Written>> = vec![None; articles.len()];
        for (index, summary) in present.into_iter().zip(summaries) {
            results[index] =
                summary
                    .zip(articles[index].take())
                    .map(|((text, faults), (_, mut warnings))| {
                        warnings.extend(faults);
                        (text, warnings)
                    });
        }
        Ok(results)
    }
}

/// Cuts a text into parts of so many tokens at most, between sentences where that can be.
pub(super) fn parts_of(
    writer: Writer<'_>,
    text: &str,
    language: Language,
    most: usize,
) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut tokens = 0;
    for paragraph in text
        .split('\n')
        .filter(|paragraph| !paragraph.trim().is_empty())
    {
        let mut gap = "\n";
        for sentence in sentences(paragraph, language) {
            let sentence = &paragraph[sentence];
            for piece in split_long(sentence, |piece| piece.len() <= most) {
                let piece = &sentence[piece];
                let count = writer.count(piece)?;
                if tokens > 0 && tokens + count > most {
                    parts.push(std::mem::take(&mut part));
                    tokens = 0;
                }
                if !part.is_empty() {
                    part.push_str(gap);
                }
                part.push_str(piece);
                tokens += count + 1;
                gap = " ";
            }
        }
    }
    parts.push(part);
    Ok(parts)
}
