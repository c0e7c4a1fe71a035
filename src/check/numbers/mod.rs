//! The numbers of a text by their values, and what differs between a text and its translation.
//!
//! `1,500`, `1 500`, `١٬٥٠٠` and «полторы тысячи» are one number, as are `3 million` and `3 млн`,
//! `5 pm` and `17:00`, `XXI` and `21st`. Only numbers in digits are held to be on the other side;
//! number words are the witnesses there. A number that can be read in several ways is found where
//! any of them is, so that doubt raises no alarm.
mod compare;
mod digits;
mod parse;
mod read;
mod sum;
mod value;

use parse::Parser;
pub(super) use read::digit;
use value::{Number, Value};

/// All numbers of a text, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    found: Vec<Number>,
}

impl Numbers {
    /// Reads the numbers of a text.
    pub(super) fn of(text: &str) -> Self {
        Self {
            found: Parser::new(&read::items(text)).parse(),
        }
    }

    fn pool(&self) -> Vec<Value> {
        let readings = self.found.iter().flat_map(|number| &number.readings);
        readings.flatten().copied().collect()
    }

    fn in_digits(&self) -> impl Iterator<Item = (&Number, &String)> {
        let found = self.found.iter();
        found.filter_map(|number| number.digits.as_ref().map(|digits| (number, digits)))
    }

    /// Numbers in digits that `other` has in no form.
    pub(super) fn not_in(&self, other: &Self) -> Vec<String> {
        let pool = other.pool();
        self.in_digits()
            .filter(|(number, _)| !number.is_in(&pool))
            .map(|(_, digits)| digits.clone())
            .collect()
    }
}
