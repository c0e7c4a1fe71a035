//! Numbers of a text, and what they may be read as.

/// What is compared: a value, or a time of day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Plain(f64),
    /// A month, by its name or in a date.
    Month(u8),
    /// Minutes after noon or midnight, whichever is nearer before: `5 pm` is `17:00`.
    Clock(u32),
}

impl Value {
    pub(super) fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            (a, b) => a == b,
        }
    }
}

/// A number of a text.
#[derive(Debug, Clone)]
pub(super) struct Number {
    /// Ways to read it, each with all the values that it then has.
    pub(super) readings: Vec<Vec<Value>>,
    /// As it is written, where it is written in digits.
    pub(super) digits: Option<String>,
    /// Whether it is part of a name or a code, which a translation may leave out.
    pub(super) is_name: bool,
}

impl Number {
    pub(super) fn of_words(values: impl IntoIterator<Item = f64>) -> Self {
        let readings = values.into_iter().map(|value| vec![Value::Plain(value)]);
        Self {
            readings: readings.collect(),
            digits: None,
            is_name: false,
        }
    }

    pub(super) fn is_in(&self, pool: &[Value]) -> bool {
        self.readings.iter().any(|reading| {
            reading
                .iter()
                .all(|value| pool.iter().any(|other| other.equals(*value)))
        })
    }

    pub(super) fn may_equal(&self, other: &Self) -> bool {
        let values = || other.readings.iter().flatten();
        let equal = |value: &Value| values().any(|other| other.equals(*value));
        self.readings.iter().flatten().any(equal)
    }

    pub(super) fn read_also(&mut self, reading: Vec<Value>) {
        if !self.readings.contains(&reading) {
            self.readings.push(reading);
        }
    }

    /// The first reading, where it is one plain value.
    pub(super) fn plain(&self) -> Option<f64> {
        match self.readings.first()?.as_slice() {
            [Value::Plain(value)] => Some(*value),
            _ => None,
        }
    }
}
