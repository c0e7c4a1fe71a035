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

use parse::Parser;
pub(super) use read::digit;

/// What is compared: a value, or a time of day.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Plain(f64),
    /// A month, by its name or in a date.
    Month(u8),
    /// Minutes after noon or midnight, whichever is nearer before: `5 pm` is `17:00`.
    Clock(u32),
}

impl Value {
    fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            (a, b) => a == b,
        }
    }
}

/// A number of a text.
#[derive(Debug, Clone)]
struct Number {
    /// Ways to read it, each with all the values that it then has.
    readings: Vec<Vec<Value>>,
    /// As it is written, where it is written in digits.
    digits: Option<String>,
    /// Whether it is part of a name or a code, which a translation may leave out.
    is_name: bool,
}

impl Number {
    fn of_words(values: impl IntoIterator<Item = f64>) -> Self {
        let readings = values.into_iter().map(|value| vec![Value::Plain(value)]);
        Self {
            readings: readings.collect(),
            digits: None,
            is_name: false,
        }
    }

    fn is_in(&self, pool: &[Value]) -> bool {
        self.readings.iter().any(|reading| {
            reading
                .iter()
                .all(|value| pool.iter().any(|other| other.equals(*value)))
        })
    }

    fn may_equal(&self, other: &Self) -> bool {
        let values = || other.readings.iter().flatten();
        let equal = |value: &Value| values().any(|other| other.equals(*value));
        self.readings.iter().flatten().any(equal)
    }

    fn read_also(&mut self, reading: Vec<Value>) {
        if !self.readings.contains(&reading) {
            self.readings.push(reading);
        }
    }

    /// The first reading, where it is one plain value.
    fn plain(&self) -> Option<f64> {
        match self.readings.first()?.as_slice() {
            [Value::Plain(value)] => Some(*value),
            _ => None,
        }
    }
}

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
