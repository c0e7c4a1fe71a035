//! Items to numbers: digits with the scale, unit or ending that follows them, and number words.

use super::digits::{readings, scaled};
use super::read::Item;
use super::sum::Sum;
use super::value::{Number, Value};
use crate::check::number_words::{self, NumberWord};

pub(super) struct Parser<'a> {
    items: &'a [Item],
    at: usize,
    found: Vec<Number>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(items: &'a [Item]) -> Self {
        Self {
            items,
            at: 0,
            found: Vec::new(),
        }
    }

    fn word(&self, at: usize) -> Option<&'a str> {
        match self.items.get(at) {
            Some(Item::Word { text, .. }) => Some(text),
            _ => None,
        }
    }

    fn number_word(&self, at: usize) -> Option<NumberWord> {
        number_words::of(self.word(at)?)
    }

    pub(super) fn parse(mut self) -> Vec<Number> {
        while let Some(item) = self.items.get(self.at) {
            match item {
                Item::Digits {
                    plain,
                    written,
                    raised,
                    is_name,
                    ..
                } => {
                    let number = Number {
                        readings: readings(plain),
                        digits: Some(written.clone()),
                        is_name: *is_name,
                    };
                    self.number(number, plain, *raised);
                }
                Item::Roman(value) => {
                    self.found.push(Number::of_words([*value]));
                    self.at += 1;
                }
                Item::Word { text, .. } => {
                    // `14.05.` is the 14th of May.
                    self.found
                        .extend(crate::check::dates::months(text).map(|month| Number {
                            readings: vec![vec![Value::Month(month)]],
                            digits: None,
                            is_name: false,
                        }));
                    match number_words::of(text) {
                        Some(_) => self.words(),
                        None => self.at += 1,
                    }
                }
                Item::Mark(c) => {
                    if let Some(part) = fraction(*c) {
                        self.fraction(part);
                    }
                    self.at += 1;
                }
            }
        }
        self.found
    }

    /// A number in digits with what follows it: a scale, a time of day, an ending.
    fn number(&mut self, mut number: Number, plain: &str, raised: Option<i32>) {
        let start = self.at;
        self.at += 1;
        // `km2`, «мм3»
        if matches!(plain, "2" | "3") && self.is_unit(start) {
            return;
        }
        if let Some(power) = raised {
            self.raise(&mut number, start, power);
        }
        let mut factor = 1.0;
        while let Some(NumberWord::Scale(scale)) = self.number_word(self.at) {
            // One letter is a scale only against its number: `5m`, but not «5 м».
            let is_letter = self
                .word(self.at)
                .is_some_and(|word| word.chars().count() == 1);
            let is_glued = matches!(
                self.items.get(self.at),
                Some(Item::Word { glued: true, .. })
            );
            if is_letter && !is_glued {
                break;
            }
            if is_letter {
                // It may as well be metres.
                let scaled = scaled(&number.readings, scale);
                number.readings.extend(scaled);
                self.at += 1;
                break;
            }
            factor *= scale;
            self.at += 1;
        }
        if factor > 1.0 {
            number.readings = scaled(&number.readings, factor);
            self.scale_range(start, factor);
            self.add_to_sum(&mut number, start, factor);
        } else {
            self.read_as_year_or_time(&mut number, start, plain);
            // «50 и более миллионов»
            let is_more = |at| matches!(self.word(at), Some("или" | "и" | "or" | "plus" | "أو"));
            if is_more(self.at)
                && let Some(NumberWord::Scale(scale)) = self.number_word(self.at + 2)
            {
                let scaled = scaled(&number.readings, scale);
                number.readings.extend(scaled);
            }
        }
        match number.readings.as_slice() {
            // A score: each number by itself.
            [parts] if parts.len() > 1 => {
                let parts = parts.clone();
                self.found.extend(parts.into_iter().map(|part| Number {
                    readings: vec![vec![part]],
                    digits: number.digits.clone(),
                    is_name: number.is_name,
                }));
            }
            _ => self.found.push(number),
        }
    }

    /// Reads raised digits: a power of ten, with what it multiplies (`3×10⁶`), or the mark of a note.
    fn raise(&mut self, number: &mut Number, start: usize, power: i32) {
        let Some(base) = number.plain() else { return };
        let raised = base.powi(power);
        let is_ten = (base - 10.0).abs() < f64::EPSILON;
        if !is_ten || (1..=3).contains(&power) {
            number.read_also(vec![Value::Plain(raised)]);
            return;
        }
        number.readings = vec![vec![Value::Plain(raised)]];
        let is_product = start >= 2
            && matches!(self.items[start - 2], Item::Digits { .. })
            && match &self.items[start - 1] {
                Item::Mark(c) => matches!(c, '×' | '·' | '⋅' | '*'),
                Item::Word { text, .. } => matches!(text.as_str(), "x" | "х"),
                _ => false,
            };
        if is_product && let Some(times) = self.found.last().and_then(Number::plain) {
            let before = self.found.pop().and_then(|number| number.digits);
            let product = vec![Value::Plain(times * raised)];
            number.readings = vec![product, vec![Value::Plain(times), Value::Plain(raised)]];
            number.digits = before
                .into_iter()
                .chain(number.digits.take())
                .reduce(|a, b| a + "×" + &b);
        }
    }

    /// A part of one, by itself or behind a whole number: `1½`.
    fn fraction(&mut self, part: f64) {
        let follows = self.at > 0 && matches!(self.items[self.at - 1], Item::Digits { .. });
        if follows
            && let Some(number) = self.found.last_mut()
            && let Some(whole) = number.plain()
        {
            number.read_also(vec![Value::Plain(whole + part)]);
        }
        self.found.push(Number::of_words([part]));
    }

    /// Whether a digit stands against a unit of length, and makes it one of area or volume.
    fn is_unit(&self, at: usize) -> bool {
        let unit = at.checked_sub(1).and_then(|at| self.word(at));
        let is_glued = matches!(&self.items[at], Item::Digits { glued: true, .. });
        is_glued
            && unit.is_some_and(|unit| {
                matches!(
                    unit,
                    "m" | "km"
                        | "cm"
                        | "mm"
                        | "м"
                        | "км"
                        | "см"
                        | "мм"
                        | "م"
                        | "كم"
                        | "سم"
                        | "مم"
                        | "كلم"
                )
            })
    }

    /// In `2–3 million` the scale is that of both.
    fn scale_range(&mut self, start: usize, factor: f64) {
        let joins = |item: &Item| match item {
            Item::Mark(c) => matches!(c, '-' | '‑' | '–' | '—' | '−'),
            Item::Word { text, .. } => {
                matches!(
                    text.as_str(),
                    "to" | "or"
                        | "and"
                        | "до"
                        | "или"
                        | "и"
                        | "إلى"
                        | "الى"
                        | "أو"
                        | "او"
                        | "و"
                )
            }
            _ => false,
        };
        let ranged = start >= 2
            && matches!(self.items[start - 2], Item::Digits { .. })
            && joins(&self.items[start - 1]);
        if ranged && let Some(before) = self.found.last_mut() {
            let scaled = scaled(&before.readings, factor);
            before.readings.extend(scaled);
        }
    }

    /// «1 млн 300 тыс.» is one number too.
    fn add_to_sum(&mut self, number: &mut Number, start: usize, factor: f64) {
        let follows = start >= 1
            && match &self.items[start - 1] {
                Item::Word { text, .. } => {
                    matches!(number_words::of(text), Some(NumberWord::Scale(scale)) if scale > factor)
                        || matches!(text.as_str(), "and" | "и" | "و")
                }
                _ => false,
            };
        if follows
            && let Some(before) = self.found.last_mut()
            && let (Some(large), Some(small)) = (before.plain(), number.plain())
            && large >= factor * 1000.0
            && small < factor * 1000.0
        {
            let sum = vec![Value::Plain(large + small)];
            before.read_also(sum.clone());
            number.read_also(sum);
        }
    }

    /// Decades and centuries (`1990s`, «90-е»), years with an apostrophe, hours.
    fn read_as_year_or_time(&self, number: &mut Number, start: usize, plain: &str) {
        let Some(value) = number.plain() else {
            return;
        };
        let mut after = start + 1;
        if matches!(
            self.items.get(after),
            Some(Item::Mark('-' | '‑' | '–' | '’' | '\''))
        ) {
            after += 1;
        }
        let ending = self.word(after).unwrap_or_default();
        let whole = value.fract() == 0.0;
        if whole
            && value >= 10.0
            && value % 10.0 == 0.0
            && matches!(ending, "s" | "х" | "е" | "ые" | "ых" | "м" | "ми" | "ым")
        {
            if (1900.0..2040.0).contains(&value) {
                number.read_also(vec![Value::Plain(value % 100.0)]);
            }
            if value < 100.0 {
                number.read_also(vec![Value::Plain(1900.0 + value)]);
                number.read_also(vec![Value::Plain(1800.0 + value)]);
            }
            if value >= 1000.0 && value % 100.0 == 0.0 {
                number.read_also(vec![Value::Plain(value / 100.0 + 1.0)]);
            }
        }
        // `1950-53`
        if let Some(Item::Digits { plain: before, .. }) =
            start.checked_sub(2).map(|at| &self.items[at])
            && before.len() == 4
            && plain.len() == 2
            && matches!(
                self.items[start - 1],
                Item::Mark('-' | '‑' | '–' | '—' | '/')
            )
            && let Ok(before) = before.parse::<f64>()
        {
            number.read_also(vec![Value::Plain((before / 100.0).floor() * 100.0 + value)]);
        }
        if start > 0
            && plain.len() == 2
            && matches!(self.items[start - 1], Item::Mark('\'' | '’' | '‘'))
        {
            number.read_also(vec![Value::Plain(1900.0 + value)]);
            number.read_also(vec![Value::Plain(2000.0 + value)]);
        }
        if whole && (0.0..=24.0).contains(&value) && self.is_hour(start) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 24"
            )]
            let hours = value as u32;
            number.read_also(vec![Value::Clock(hours * 60 % 720)]);
            number.read_also(vec![Value::Plain(if value <= 12.0 {
                value + 12.0
            } else {
                value - 12.0
            })]);
        }
        // `1430 GMT`, and `0600`.
        let is_zone = matches!(
            ending,
            "gmt"
                | "utc"
                | "hours"
                | "hrs"
                | "bst"
                | "est"
                | "et"
                | "h"
                | "по"
                | "بتوقيت"
                | "التوقيت"
        );
        if plain.len() == 4 && (is_zone || plain.starts_with('0')) && value % 100.0 < 60.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "four digits"
            )]
            let value = value as u32;
            number.read_also(vec![Value::Clock((value / 100 * 60 + value % 100) % 720)]);
        }
    }

    /// Whether a number seems to be an hour of the day.
    fn is_hour(&self, at: usize) -> bool {
        let marks_hour = |word: &str| {
            matches!(
                word,
                "am" | "pm"
                    | "a"
                    | "p"
                    | "o"
                    | "oclock"
                    | "утра"
                    | "вечера"
                    | "дня"
                    | "ночи"
                    | "часов"
                    | "часа"
                    | "час"
                    | "ч"
                    | "صباحا"
                    | "مساء"
                    | "ظهرا"
                    | "عصرا"
                    | "ليلا"
                    | "فجرا"
                    | "الظهر"
                    | "ص"
                    | "م"
                    | "بعد"
                    | "صباح"
                    | "المساء"
                    | "الصباح"
            )
        };
        let before = at.checked_sub(1).and_then(|at| self.word(at));
        before.is_some_and(|word| word.ends_with("الساعة") || word.ends_with("ساعة"))
            || (at + 1..at + 4).any(|at| self.word(at).is_some_and(marks_hour))
    }

    /// A run of number words: the numbers that they make together.
    fn words(&mut self) {
        let mut sums: Vec<f64> = Vec::new();
        let mut sum = Sum::default();
        let start = self.at;
        while let Some(item) = self.items.get(self.at) {
            let Item::Word { text, .. } = item else {
                match item {
                    Item::Mark('-' | '‑') if self.number_word(self.at + 1).is_some() => {
                        self.at += 1;
                        continue;
                    }
                    _ => break,
                }
            };
            if matches!(text.as_str(), "and" | "و")
                && self.at > start
                && self.number_word(self.at + 1).is_some()
            {
                self.at += 1;
                continue;
            }
            let Some(word) = number_words::of(text) else {
                break;
            };
            match word {
                NumberWord::Hints(mut values) => {
                    // The nineties, of the century before the last as well where one is named.
                    if self
                        .word(self.at + 1)
                        .is_some_and(|word| word.contains("قرن"))
                    {
                        values.extend(
                            values
                                .clone()
                                .into_iter()
                                .filter(|&year| year > 1900.0)
                                .map(|year| year - 100.0),
                        );
                    }
                    self.found.push(Number::of_words(values));
                    self.at += 1;
                    break;
                }
                word => {
                    let is_arabic = text.chars().next().is_some_and(|c| c > '\u{600}');
                    // In Arabic a list and a sum are both joined by «and».
                    if is_arabic && text.starts_with('و') {
                        sums.extend(sum.so_far());
                        if let NumberWord::Add(value) = word {
                            sums.push(value);
                        }
                    }
                    if !sum.add(&word, is_arabic) {
                        sums.extend(sum.take());
                        let _ = sum.add(&word, is_arabic);
                    }
                }
            }
            self.at += 1;
        }
        sums.extend(sum.take());
        // `nineteen ninety-nine`
        let years: Vec<f64> = sums
            .windows(2)
            .filter(|pair| (10.0..=20.0).contains(&pair[0]) && (1.0..100.0).contains(&pair[1]))
            .map(|pair| pair[0] * 100.0 + pair[1])
            .collect();
        sums.extend(years);
        self.found
            .extend(sums.into_iter().map(|value| Number::of_words([value])));
        if self.at == start {
            self.at += 1;
        }
    }
}

/// The value of a fraction that is one character.
fn fraction(c: char) -> Option<f64> {
    let (above, below) = match c {
        '½' => (1.0, 2.0),
        '⅓' => (1.0, 3.0),
        '⅔' => (2.0, 3.0),
        '¼' => (1.0, 4.0),
        '¾' => (3.0, 4.0),
        '⅕' => (1.0, 5.0),
        '⅛' => (1.0, 8.0),
        _ => return None,
    };
    Some(above / below)
}
