//! What differs between the numbers of a text and those of its translation.
//!
//! Only numbers in digits are compared; those that a conversion of measures explains are left out.

use super::Numbers;
use super::value::Number;
use crate::check::units::Conversion;

/// Numbers in digits that only one of two texts has, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::check) struct Differences {
    /// Numbers of the first text that the second has not.
    pub(in crate::check) missing: Vec<String>,
    /// Numbers of the second text that the first has not.
    pub(in crate::check) added: Vec<String>,
}

impl Differences {
    pub(in crate::check) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.added.is_empty()
    }

    /// What to tell a reader.
    pub(in crate::check) fn message(&self) -> String {
        let list = |numbers: &[String]| numbers.join(", ");
        match (self.missing.is_empty(), self.added.is_empty()) {
            (false, false) => format!(
                "numbers differ: {} of the source is missing, {} is new",
                list(&self.missing),
                list(&self.added)
            ),
            (false, true) => format!("a number of the source is missing: {}", list(&self.missing)),
            _ => format!("a number is not in the source: {}", list(&self.added)),
        }
    }
}

impl Numbers {
    /// What differs between a text and its translation; `conversions` are the factors by which
    /// measures of the text may have become measures of the translation.
    pub(in crate::check) fn differences(
        &self,
        translation: &Self,
        conversions: &[Conversion],
    ) -> Differences {
        let strange = |numbers: &Self, other: &Self| -> Vec<Number> {
            let pool = other.pool();
            let strange = numbers
                .in_digits()
                .filter(|(number, _)| !number.is_in(&pool));
            strange.map(|(number, _)| number.clone()).collect()
        };
        let mut missing = strange(self, translation);
        let mut added = strange(translation, self);
        let was_equal = missing.is_empty() && added.is_empty();
        if !conversions.is_empty() {
            let is_converted =
                |number: &Number, other: &Number| match (number.plain(), other.plain()) {
                    (Some(a), Some(b)) => {
                        conversions.iter().any(|conversion| conversion.takes(a, b))
                    }
                    _ => false,
                };
            let converted = |number: &Number| {
                let mut candidates = translation.found.iter();
                candidates.any(|other| is_converted(number, other))
            };
            let from_here =
                |number: &Number| self.found.iter().any(|other| is_converted(other, number));
            missing.retain(|number| !converted(number));
            added.retain(|number| !from_here(number));
        }
        // A code may be left out or explained (`4x4`, `HJR-3`), not changed.
        if added.is_empty() {
            missing.retain(|number| !number.is_name);
        } else if missing.is_empty() {
            added.retain(|number| !number.is_name);
        }
        let written = |numbers: Vec<Number>| {
            numbers
                .into_iter()
                .filter_map(|number| number.digits)
                .collect()
        };
        let mut differences = Differences {
            missing: written(missing),
            added: written(added),
        };
        // `5 … 5 … 6` is not `5 … 6 … 6`, where both sides have as many numbers in digits.
        let mut theirs: Vec<_> = translation.in_digits().collect();
        if was_equal && theirs.len() == self.in_digits().count() {
            let mut unmatched = None;
            for (number, digits) in self.in_digits() {
                match theirs.iter().position(|(other, _)| other.may_equal(number)) {
                    Some(place) => drop(theirs.remove(place)),
                    None => unmatched = Some(digits.clone()),
                }
            }
            if let (Some(missing), Some((_, added))) = (unmatched, theirs.first()) {
                differences.missing.push(missing);
                differences.added.push((*added).clone());
            }
        }
        differences
    }
}
