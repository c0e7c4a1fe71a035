//! Says for each block of a document from which language it is translated: a document may quote, or
//! be half translated already.
//!
//! A block goes its own way only where its language is told without doubt; names, headlines and
//! short lines go with the rest of the document.

use super::{Source, Translation, Translator};
use crate::decode::Watch;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::language::{Detection, Language, prose};
use crate::warning::{Warning, WarningKind};

/// Letters that a block has at least for its language to count.
const LETTERS: usize = 24;
/// How sure the language of a block must be, where another language of the document is as likely.
const SURE: f64 = 0.85;

/// What is done with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// Translated from the language of the document.
    Usual,
    /// Translated from this language.
    From(Language),
    /// In the target language already.
    Done,
    /// In a language that is not ours.
    Foreign(&'static str),
}

/// What is done with the blocks of a document, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passages(Vec<Passage>);

impl Passages {
    /// Decides for each block of a document that is in `from` and wanted in `to`.
    pub(super) fn of(document: &Document, from: Language, to: Language) -> Self {
        let blocks = document.blocks().iter();
        Self(
            blocks
                .map(|block| passage(document.block_text(block), from, to))
                .collect(),
        )
    }

    /// The blocks of a document that is taken as one, whatever it holds.
    pub(super) fn usual(document: &Document) -> Self {
        Self(vec![Passage::Usual; document.blocks().len()])
    }

    /// Whether a block is translated from `part`; `None` stands for the language of the document.
    pub(super) fn takes(&self, block: usize, part: Option<Language>) -> bool {
        let wanted = part.map_or(Passage::Usual, Passage::From);
        self.0.get(block) == Some(&wanted)
    }

    /// Whether no block is translated from any language.
    pub(super) fn are_left(&self) -> bool {
        let is_left = |passage: &Passage| matches!(passage, Passage::Done | Passage::Foreign(_));
        self.0.iter().all(is_left)
    }

    /// The languages that some blocks are translated from, apart from that of the document.
    pub(super) fn others(&self) -> Vec<Language> {
        let all = Language::ALL.into_iter();
        all.filter(|language| self.0.contains(&Passage::From(*language)))
            .collect()
    }

    /// What a reader should know of blocks that were left as they are.
    pub(super) fn warnings(&self, to: Language) -> Vec<Warning> {
        let all = self.0.len();
        let count = |passage| self.0.iter().filter(|found| **found == passage).count();
        let mut warnings = Vec::new();
        let done = count(Passage::Done);
        if done > 0 {
            let message = format!(
                "{done} of {all} paragraphs are in {} already and were left as they are",
                to.name()
            );
            warnings.push(Warning::new(WarningKind::NotNeeded, message));
        }
        let mut names: Vec<&str> = Vec::new();
        let mut foreign = 0;
        for passage in &self.0 {
            if let Passage::Foreign(name) = passage {
                foreign += 1;
                if !names.contains(name) {
                    names.push(name);
                }
            }
        }
        if foreign > 0 {
            let message = format!(
                "{foreign} of {all} paragraphs look like {} and were left as they are",
                names.join(", ")
            );
            warnings.push(Warning::new(WarningKind::ForeignLanguage, message));
        }
        warnings
    }

    /// What a reader should know of the blocks that were translated from `part`, or were not.
    pub(super) fn other_warning(&self, part: Language, failed: Option<&str>) -> Warning {
        let all = self.0.len();
        let count = self.0.iter();
        let count = count.filter(|found| **found == Passage::From(part)).count();
        let name = part.name();
        match failed {
            None => Warning::new(
                WarningKind::MixedLanguages,
                format!("{count} of {all} paragraphs were translated from {name}"),
            ),
            Some(reason) => Warning::new(
                WarningKind::MixedLanguages,
                format!("{count} of {all} paragraphs in {name} were left as they are: {reason}"),
            ),
        }
    }
}

/// The blocks of a document that are translated together.
pub(super) struct Part<'a> {
    pub(super) document: &'a Document,
    pub(super) passages: &'a Passages,
    /// The language of these blocks, where it is not that of the document.
    pub(super) language: Option<Language>,
}

impl Translator {
    /// Translates the blocks of a translated document that are in a third language from that, where
    /// a model can be had, and says what became of them and of those that were left as they are.
    ///
    /// # Errors
    /// [`Error::Cancelled`]: the document is not finished.
    pub(super) fn translate_others(
        &self,
        translation: &mut Translation,
        passages: &Passages,
        watch: &mut Watch,
    ) -> Result<()> {
        let Some(to) = self.to else { return Ok(()) };
        let others = passages.others();
        if translation.source_language == Some(to) {
            // That it was left as it is does not hold for all of it.
            let some = !others.is_empty();
            translation
                .warnings
                .retain(|warning| !(some && warning.kind == WarningKind::NotNeeded));
        }
        for language in &others {
            let source = Source {
                language: Some(*language),
                rules: *language,
            };
            let part = Part {
                document: &translation.document,
                passages,
                language: Some(*language),
            };
            let found = self.group(source, &[part], watch);
            let failed = match found.map(|mut found| found.pop().flatten()) {
                Ok(Some(other)) => {
                    translation.document = other.document;
                    translation.segments.extend(other.segments);
                    translation.warnings.extend(other.warnings);
                    translation.repaired += other.repaired;
                    translation.terms.held += other.terms.held;
                    translation.terms.missed += other.terms.missed;
                    for id in other.models {
                        if !translation.models.contains(&id) {
                            translation.models.push(id);
                        }
                    }
                    None
                }
                Ok(None) | Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => Some(error.to_string()),
            };
            let warning = passages.other_warning(*language, failed.as_deref());
            translation.warnings.push(warning);
        }
        translation.segments.sort_by_key(|segment| segment.block);
        translation.warnings.extend(passages.warnings(to));
        Ok(())
    }
}

/// What is done with a block of this text.
fn passage(text: &str, from: Language, to: Language) -> Passage {
    // Addresses, hashtags and code say nothing of the language around them.
    let prose = prose(text);
    if prose
        .chars()
        .filter(|c| c.is_alphabetic())
        .take(LETTERS)
        .count()
        < LETTERS
    {
        return Passage::Usual;
    }
    let found = Detection::of(&prose);
    match (found.language, found.looks_like) {
        (Some(language), _) if language == from => Passage::Usual,
        // The scripts differ, so that little doubt is left.
        (Some(language), _) if found.confidence >= Detection::LOW_CONFIDENCE => {
            if language == to {
                Passage::Done
            } else {
                Passage::From(language)
            }
        }
        (None, Some(name)) if found.confidence >= SURE => Passage::Foreign(name),
        _ => Passage::Usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{Arabic, English, Russian};

    #[test]
    fn names_addresses_and_code_are_not_translated_already() {
        for text in [
            "Подробности: https://example.org/the-harbour-is-closed-and-nobody-knows-why-it-is",
            "https://example.org/the-harbour-is-closed-and-nobody-knows-why-it-is",
            "#BreakingNews #PortMarlow #TheHarbourIsClosed @harbour_news",
            "Новый альбом Ann Okafor «The Silent Pier of the Old Harbour» вышел в пятницу.",
            "Ann Okafor, Leo Barth, Marta Ilves, Aldous Reim",
            "`for name in names: print(name.title())`",
            "press@example.org, editor.in.chief@example.org",
        ] {
            assert_eq!(passage(text, Russian, English), Passage::Usual, "{text}");
        }
    }

    #[test]
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    fn tells_what_is_done_with_each_block() {
        let text = [
            "Совет утвердил бюджет в понедельник, и это никого не удивило.",
            "The council approved the budget on Monday, and nobody was surprised.",
            "وافق المجلس على الميزانية يوم الاثنين بعد نقاش طويل.",
            "Рада затвердила бюджет у понеділок, і це нікого не здивувало.",
            "Port Marlow, 2024",
            "* * *",
        ]
        .join("\n\n");
        let document = Document::raw("x", text.as_str());
        let passages = document.map(|document| Passages::of(&document, Russian, English));
        let expected = [
            Passage::Usual,
            Passage::Done,
            Passage::From(Arabic),
            Passage::Foreign("Ukrainian"),
            Passage::Usual,
        ];
        let passages = passages.expect("text was given");
        assert_eq!(passages.0[..5], expected);
        assert!(passages.takes(0, None) && !passages.takes(1, None));
        assert!(passages.takes(2, Some(Arabic)) && !passages.takes(2, Some(Russian)));
        assert_eq!(passages.others(), [Arabic]);
        let kinds: Vec<&str> = passages
            .warnings(English)
            .into_iter()
            .map(|w| w.kind.as_str())
            .collect();
        assert_eq!(kinds, ["not_needed", "foreign_language"]);
    }
}
