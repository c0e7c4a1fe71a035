//! Segments through one model: every output is checked, and what fails is tried in other ways.
//!
//! The ways, each for what is still wrong after the one before: the model's own; another search or
//! another prompt; the segment in parts; terms and placeholders behind slots; the next model of the list. The
//! best output by its faults is kept, with a warning for each that it still has.

use std::ops::Range;

use crate::check;
use crate::decode::{Finish, Watch};
use crate::engine::Answer;
use crate::error::Result;
use crate::glossary::{Glossary, Hit, TermCase, holds};
use crate::language::Language;
use crate::prompts::Phrase;
use crate::segment::split_long;
use crate::translators::{Segment, Texts};
use crate::warning::{Warning, WarningKind};

use super::TermCounts;

/// Words from which on a segment is worth parting.
const WORTH_PARTING: usize = 10;

/// Something that translates segments of one direction.
pub(super) trait Translates {
    /// Its name, for the list of those that worked.
    fn id(&self) -> &str;

    /// Translates texts; the i-th result answers the i-th text, and is `None` where the work was
    /// stopped before it was done.
    fn translate(
        &self,
        texts: Texts<'_>,
        way: Way,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Segment>>>;

    /// Whether [`Way::Other`] is another way than [`Way::Usual`].
    fn has_other_way(&self) -> bool;

    /// Whether it is told of terms at once, and not only of those that it missed.
    fn takes_terms(&self) -> bool;
}

/// How a model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As its makers want it.
    Usual,
    /// With a search that is wider and may not repeat itself, or with another prompt.
    Other,
}

/// What outputs are checked against.
pub(super) struct Checks<'a> {
    pub(super) from: Option<Language>,
    pub(super) to: Option<Language>,
    pub(super) glossary: &'a Glossary,
    /// What stands around each text; nothing for texts beyond the end.
    pub(super) backgrounds: &'a [Option<String>],
    /// Whether the caller bounds outputs, so that what is cut short stays so.
    pub(super) is_bounded: bool,
    /// The route by way of another language, where the model that is asked is the last one of it.
    pub(super) route: Option<Route<'a>>,
}

/// A route by way of another language. Terms are those of its beginning and its end: in between
/// nothing is known of them.
#[derive(Clone, Copy)]
pub(super) struct Route<'a> {
    /// The texts that it begins with; the i-th became the i-th text that is translated.
    pub(super) texts: &'a [&'a str],
    /// Their language.
    pub(super) from: Option<Language>,
    /// Translates all the way.
    pub(super) models: &'a dyn Translates,
}

/// Models that work one after the other, as one.
pub(super) struct Relay<'a> {
    pub(super) first: &'a dyn Translates,
    pub(super) last: &'a dyn Translates,
}

impl Translates for Relay<'_> {
    fn id(&self) -> &str {
        self.last.id()
    }

    fn has_other_way(&self) -> bool {
        self.first.has_other_way() || self.last.has_other_way()
    }

    fn takes_terms(&self) -> bool {
        false
    }

    fn translate(
        &self,
        texts: Texts<'_>,
        way: Way,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Segment>>> {
        let mut found = self.first.translate(texts, way, watch)?;
        let present: Vec<usize> = (0..found.len()).filter(|&i| found[i].is_some()).collect();
        let between: Vec<&str> = found
            .iter()
            .flatten()
            .map(|segment| segment.answer.text.as_str())
            .collect();
        let phrases: Vec<Vec<Phrase>> = present
            .iter()
            .map(|&i| texts.phrases.get(i).cloned().unwrap_or_default())
            .collect();
        let between = Texts {
            texts: &between,
            phrases: &phrases,
            backgrounds: &[],
        };
        let ends = self.last.translate(between, way, watch)?;
        for (i, end) in present.into_iter().zip(ends) {
            found[i] = match (found[i].take(), end) {
                (Some(mut before), Some(mut end)) => {
                    before.warnings.append(&mut end.warnings);
                    end.warnings = before.warnings;
                    if end.answer.finish == Finish::Stop {
                        end.answer.finish = before.answer.finish;
                    }
                    Some(end)
                }
                _ => None,
            };
        }
        Ok(found)
    }
}

/// What a model gave for a segment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Output {
    pub(super) text: String,
    /// What is wrong with it.
    pub(super) faults: Vec<Warning>,
    /// Whether the first output had faults that this one has not.
    pub(super) is_repaired: bool,
    /// The model that wrote it.
    pub(super) by: Option<String>,
    /// What became of the terms of its source.
    pub(super) terms: TermCounts,
    /// Whether it comes from the memory, and no model was asked.
    pub(super) from_memory: bool,
}

impl Output {
    /// A text that no model has worked on.
    pub(super) fn untranslated(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            faults: Vec::new(),
            is_repaired: false,
            by: None,
            terms: TermCounts::default(),
            from_memory: false,
        }
    }

    /// Looks for the terms of a text in this output, which was not made with them in mind.
    pub(super) fn find_terms(&mut self, source: &str, hits: &[Hit<'_>]) {
        let (missed, terms) = missed_terms(source, &self.text, hits);
        self.is_repaired &= missed.is_empty();
        self.faults.extend(missed);
        self.terms = terms;
    }

    /// Takes on what is known of the output that this one was made from.
    pub(super) fn follow(&mut self, before: Self) {
        self.faults.splice(0..0, before.faults);
        self.is_repaired |= before.is_repaired;
        self.is_repaired &= self.faults.is_empty();
    }
}

/// Translates texts; the i-th result answers the i-th text. `next` gives another model, when it
/// comes to that.
pub(super) fn translate<'m>(
    model: &dyn Translates,
    next: &mut dyn FnMut() -> Option<Box<dyn Translates + 'm>>,
    checks: &Checks<'_>,
    texts: &[&str],
    watch: &mut Watch,
) -> Result<Vec<Option<Output>>> {
    let (origins, from) = match checks.route {
        Some(route) => (route.texts, route.from),
        None => (texts, checks.from),
    };
    let mut work = Work {
        checks,
        texts,
        origins,
        hits: origins
            .iter()
            .map(|text| checks.glossary.hits(text, from, checks.to))
            .collect(),
        outputs: vec![None; texts.len()],
    };
    let all: Vec<usize> = (0..texts.len()).collect();
    work.whole(model, Way::Usual, &all, watch)?;
    if model.has_other_way() {
        let open = work.open();
        work.whole(model, Way::Other, &open, watch)?;
    }
    work.in_parts(model, watch)?;
    work.behind_slots(model, watch)?;
    let open = work.open();
    if !open.is_empty()
        && !watch.stopped()
        && let Some(next) = next()
    {
        work.whole(next.as_ref(), Way::Usual, &open, watch)?;
        // The one before may not have been able to be made to say a term.
        let open = work.missing();
        if next.has_other_way() {
            work.whole(next.as_ref(), Way::Other, &open, watch)?;
        }
    }
    if watch.stopped() {
        // What was still to be tried another way is not finished.
        for segment in work.open() {
            work.outputs[segment] = None;
        }
    }
    Ok(work.outputs)
}

/// What stands in a text for the time of a translation, and what takes its place then.
struct Slot {
    /// Bytes of the text.
    place: Range<usize>,
    target: String,
}

struct Work<'a> {
    checks: &'a Checks<'a>,
    texts: &'a [&'a str],
    /// The texts that these were made from; the same ones, except by way of another language.
    origins: &'a [&'a str],
    /// The terms of each of `origins`.
    hits: Vec<Vec<Hit<'a>>>,
    outputs: Vec<Option<Output>>,
}

impl Work<'_> {
    /// Segments whose best output has faults that another attempt may mend.
    fn open(&self) -> Vec<usize> {
        let is_open = |&segment: &usize| {
            self.outputs[segment].as_ref().is_some_and(|output| {
                let settled =
                    |fault: &Warning| self.checks.is_bounded && fault.kind == WarningKind::CutShort;
                !output.faults.iter().all(settled)
            })
        };
        (0..self.texts.len()).filter(is_open).collect()
    }

    /// Segments whose best output misses a term.
    fn missing(&self) -> Vec<usize> {
        let mut open = self.open();
        open.retain(|&segment| self.has_fault(segment, |kind| kind == WarningKind::GlossaryMissed));
        open
    }

    fn has_fault(&self, segment: usize, is: impl Fn(WarningKind) -> bool) -> bool {
        let faults = self.outputs[segment]
            .iter()
            .flat_map(|output| &output.faults);
        faults.into_iter().any(|fault| is(fault.kind))
    }

    /// Translates segments as they are.
    fn whole(
        &mut self,
        model: &dyn Translates,
        way: Way,
        segments: &[usize],
        watch: &mut Watch,
    ) -> Result<()> {
        if segments.is_empty() || watch.stopped() {
            return Ok(());
        }
        let texts: Vec<&str> = segments
            .iter()
            .map(|&segment| self.texts[segment])
            .collect();
        let takes_terms = model.takes_terms() && self.checks.route.is_none();
        let phrases: Vec<Vec<Phrase>> = match way {
            _ if takes_terms => segments
                .iter()
                .map(|&segment| self.terms(segment, |_| true))
                .collect(),
            // What is said by itself is said best.
            Way::Usual => Vec::new(),
            Way::Other => segments
                .iter()
                .map(|&segment| self.missing_terms(segment))
                .collect(),
        };
        let backgrounds = self.backgrounds(segments.iter().copied());
        let asked = Texts {
            texts: &texts,
            phrases: &phrases,
            backgrounds: &backgrounds,
        };
        let found = model.translate(asked, way, watch)?;
        for (&segment, found) in segments.iter().zip(found) {
            if let Some(found) = found {
                self.consider(segment, found, model.id());
            }
        }
        Ok(())
    }

    /// The terms that the best output of a segment does not hold.
    fn missing_terms(&self, segment: usize) -> Vec<Phrase> {
        let Some(output) = &self.outputs[segment] else {
            return Vec::new();
        };
        self.terms(segment, |hit| !holds(&output.text, hit.term))
    }

    /// Terms of a segment, each once.
    fn terms(&self, segment: usize, is_wanted: impl Fn(&Hit<'_>) -> bool) -> Vec<Phrase> {
        let is_here = self.checks.route.is_none();
        let mut phrases: Vec<Phrase> = Vec::new();
        for hit in self.hits[segment].iter().filter(|hit| is_wanted(hit)) {
            let source = &self.origins[segment][hit.place.clone()];
            let phrase = Phrase {
                source: is_here.then(|| source.to_owned()),
                target: hit.term.target.clone(),
            };
            if !phrases.iter().any(|known| known.target == phrase.target) {
                phrases.push(phrase);
            }
        }
        phrases
    }

    /// What stands around segments.
    fn backgrounds(&self, segments: impl Iterator<Item = usize>) -> Vec<Option<String>> {
        segments
            .map(|segment| self.checks.backgrounds.get(segment).cloned().flatten())
            .collect()
    }

    /// Translates long segments in two or three parts, between clauses where that can be.
    fn in_parts(&mut self, model: &dyn Translates, watch: &mut Watch) -> Result<()> {
        let mut open = self.open();
        open.retain(|&segment| {
            self.texts[segment].split_whitespace().count() >= WORTH_PARTING
                && self.has_fault(segment, |kind| {
                    !matches!(kind, WarningKind::GlossaryMissed | WarningKind::Unread)
                })
        });
        if open.is_empty() || watch.stopped() {
            return Ok(());
        }
        let mut parts = Vec::new();
        let mut owners = Vec::new();
        for &segment in &open {
            let text = self.texts[segment];
            let most = text.len() * 3 / 5;
            for part in split_long(text, |part| part.len() <= most) {
                parts.push(&text[part]);
                owners.push(segment);
            }
        }
        let backgrounds = self.backgrounds(owners.iter().copied());
        let asked = Texts {
            backgrounds: &backgrounds,
            ..parts.as_slice().into()
        };
        let found = model.translate(asked, Way::Usual, watch)?;
        for &segment in &open {
            let mine = owners
                .iter()
                .zip(&found)
                .filter(|(owner, _)| **owner == segment);
            let joined = mine
                .map(|(_, found)| found.as_ref())
                .collect::<Option<Vec<_>>>();
            if let Some(joined) = joined.and_then(|parts| joined_parts(&parts)) {
                self.consider(segment, joined, model.id());
            }
        }
        Ok(())
    }

    /// Translates segments that miss a term, or changed what must stay as it is, with a slot in its
    /// place, which most models copy; by way of another language, all the way.
    fn behind_slots(&mut self, model: &dyn Translates, watch: &mut Watch) -> Result<()> {
        let is_changed = |&segment: &usize| {
            self.has_fault(segment, |kind| {
                matches!(
                    kind,
                    WarningKind::GlossaryMissed
                        | WarningKind::PlaceholdersDiffer
                        | WarningKind::AddressesDiffer
                )
            })
        };
        let open = self.open().into_iter().filter(is_changed);
        let open: Vec<(usize, Vec<Slot>)> = open
            .map(|segment| (segment, self.slots(segment)))
            .filter(|(_, slots)| !slots.is_empty())
            .collect();
        if open.is_empty() || watch.stopped() {
            return Ok(());
        }
        let model = self.checks.route.map_or(model, |route| route.models);
        let masked: Vec<String> = open
            .iter()
            .map(|(segment, slots)| {
                let mut text = self.origins[*segment].to_owned();
                for (number, slot) in slots.iter().enumerate().rev() {
                    text.replace_range(slot.place.clone(), &placeholder(number));
                }
                text
            })
            .collect();
        let masked: Vec<&str> = masked.iter().map(String::as_str).collect();
        let phrase = |number| Phrase {
            source: None,
            target: placeholder(number),
        };
        let phrases: Vec<Vec<Phrase>> = open
            .iter()
            .map(|(_, slots)| (0..slots.len()).map(phrase).collect())
            .collect();
        let asked = Texts {
            texts: &masked,
            phrases: &phrases,
            backgrounds: &[],
        };
        let found = model.translate(asked, Way::Usual, watch)?;
        for ((segment, slots), found) in open.iter().zip(found) {
            let Some(mut found) = found else { continue };
            let mut text = found.answer.text;
            let whole = slots.iter().enumerate().all(|(number, slot)| {
                let is_there = text.contains(&placeholder(number));
                text = text.replace(&placeholder(number), &slot.target);
                is_there
            });
            if whole {
                found.answer.text = text;
                self.consider(*segment, found, model.id());
            }
        }
        Ok(())
    }

    /// The terms of a segment and what must stay as it is, in order.
    fn slots(&self, segment: usize) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.hits[segment]
            .iter()
            .map(|hit| Slot {
                place: hit.place.clone(),
                target: hit.term.target.clone(),
            })
            .collect();
        let origin = self.origins[segment];
        for place in check::kept(origin) {
            let is_free =
                |slot: &Slot| slot.place.end <= place.start || place.end <= slot.place.start;
            if slots.iter().all(is_free) {
                let target = origin[place.clone()].to_owned();
                slots.push(Slot { place, target });
            }
        }
        slots.sort_by_key(|slot| slot.place.start);
        slots
    }

    /// Keeps an output if it is better than what there is.
    fn consider(&mut self, segment: usize, found: Segment, by: &str) {
        let source = self.texts[segment];
        let Segment {
            mut answer,
            warnings,
        } = found;
        capitalize(&mut answer.text, source, &self.hits[segment]);
        let languages = (self.checks.from, self.checks.to);
        let mut faults = warnings;
        for fault in check::translation(source, &answer.text, languages, answer.finish) {
            if !faults.iter().any(|known| known.kind == fault.kind) {
                faults.push(fault);
            }
        }
        let origin = self.origins[segment];
        let (missed, terms) = missed_terms(origin, &answer.text, &self.hits[segment]);
        faults.extend(missed);
        let before = self.outputs[segment]
            .as_ref()
            .map(|output| check::weight(&output.faults));
        if before.is_none_or(|before| check::weight(&faults) < before) {
            self.outputs[segment] = Some(Output {
                from_memory: false,
                text: answer.text,
                is_repaired: before.is_some() && faults.is_empty(),
                faults,
                by: Some(by.to_owned()),
                terms,
            });
        }
    }
}

/// A warning for each term of a source that its translation does not hold, and the counts.
fn missed_terms(source: &str, target: &str, hits: &[Hit<'_>]) -> (Vec<Warning>, TermCounts) {
    let missed = hits.iter().filter(|hit| !holds(target, hit.term));
    let warnings: Vec<Warning> = missed
        .map(|hit| {
            let (place, target) = (&source[hit.place.clone()], &hit.term.target);
            let message = format!("`{place}` is not translated as `{target}`");
            Warning::new(WarningKind::GlossaryMissed, message)
        })
        .collect();
    let terms = TermCounts {
        held: hits.len() - warnings.len(),
        missed: warnings.len(),
    };
    (warnings, terms)
}

/// Gives a term that begins a translation a capital where the text begins with one, or is in a script
/// that has none.
fn capitalize(target: &mut String, source: &str, hits: &[Hit<'_>]) {
    let begins_small = source
        .chars()
        .find(|c| c.is_alphanumeric())
        .is_none_or(char::is_lowercase);
    let Some(at) = target.find(char::is_alphanumeric).filter(|_| !begins_small) else {
        return;
    };
    let is_term = |hit: &Hit<'_>| {
        hit.term.case == TermCase::Ignore && target[at..].starts_with(&hit.term.target)
    };
    if hits.iter().any(is_term)
        && let Some(first) = target[at..].chars().next()
    {
        target.replace_range(at..at + first.len_utf8(), &first.to_uppercase().to_string());
    }
}

/// Something that is no word of any language and is copied by models.
fn placeholder(number: usize) -> String {
    let letter = |number: usize| char::from(b'A' + (number % 26) as u8);
    format!("XQ{}{}", letter(number / 26), letter(number))
}

/// One segment from the translations of its parts; `None` where there is only one part.
fn joined_parts(parts: &[&Segment]) -> Option<Segment> {
    if parts.len() < 2 {
        return None;
    }
    let texts: Vec<&str> = parts.iter().map(|part| part.answer.text.as_str()).collect();
    let finish = parts
        .iter()
        .map(|part| part.answer.finish)
        .find(|finish| *finish != Finish::Stop);
    Some(Segment {
        answer: Answer {
            text: texts.join(" "),
            finish: finish.unwrap_or(Finish::Stop),
        },
        warnings: parts
            .iter()
            .flat_map(|part| part.warnings.clone())
            .collect(),
    })
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
