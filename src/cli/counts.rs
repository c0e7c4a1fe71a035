//! What the guards did in a run, for its closing line.

use std::collections::BTreeMap;

use newsml::{Translation, Warning, WarningKind};

/// Warnings that say something about an output, and not about how it was read or made.
const NOT_GUARDS: [WarningKind; 5] = [
    WarningKind::LowConfidence,
    WarningKind::NotNeeded,
    WarningKind::Parts,
    WarningKind::LeftOut,
    WarningKind::LittleRead,
];

/// Repairs, warnings that are left, terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    repaired: usize,
    /// Segments, or summaries, with a warning.
    warned: usize,
    /// Each guard with the segments, or summaries, that it still warns of.
    kept: BTreeMap<WarningKind, usize>,
    held: usize,
    missed: usize,
}

impl Counts {
    pub(crate) fn of_translation(translation: &Translation) -> Self {
        let mut counts = Self {
            repaired: translation.repaired,
            held: translation.terms.held,
            missed: translation.terms.missed,
            ..Self::default()
        };
        for segment in &translation.segments {
            counts.add(&Self::of_warnings(&segment.warnings));
        }
        counts
    }

    /// The counts of one segment or summary.
    pub(crate) fn of_warnings(warnings: &[Warning]) -> Self {
        let mut counts = Self::default();
        let guards = warnings.iter().map(|warning| warning.kind);
        for kind in guards.filter(|kind| !NOT_GUARDS.contains(kind)) {
            // A guard may warn of one output several times, of terms above all.
            counts.kept.insert(kind, 1);
        }
        counts.warned = usize::from(!counts.kept.is_empty());
        counts
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.repaired += other.repaired;
        self.warned += other.warned;
        self.held += other.held;
        self.missed += other.missed;
        for (kind, count) in &other.kept {
            *self.kept.entry(*kind).or_default() += count;
        }
    }

    /// What there is to say; empty where all went well at once.
    pub(crate) fn message(&self) -> String {
        let mut parts = Vec::new();
        if self.repaired > 0 {
            parts.push(format!("{} repaired", self.repaired));
        }
        if self.warned > 0 {
            let kinds = self
                .kept
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"));
            let kinds: Vec<_> = kinds.collect();
            parts.push(format!(
                "{} kept with warnings: {}",
                self.warned,
                kinds.join(", ")
            ));
        }
        let mut message = parts.join(", ");
        if self.held + self.missed > 0 {
            if !message.is_empty() {
                message.push_str("; ");
            }
            message.push_str(&format!(
                "terms: {} held, {} missed",
                self.held, self.missed
            ));
        }
        message
    }
}
