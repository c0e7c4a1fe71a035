//! The numbers of a text by their values, and what differs between a text and its translation.
//!
//! `1,500`, `1 500`, `١٬٥٠٠` and «полторы тысячи» are one number, as are `3 million` and `3 млн`,
//! `5 pm` and `17:00`, `XXI` and `21st`. Only numbers in digits are held to be on the other side;
//! number words are the witnesses there. A number that can be read in several ways is found where
//! any of them is, so that doubt raises no alarm.

use super::number_words::{self, NumberWord};
use super::units::Conversion;

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
}

impl Number {
    fn of_words(values: impl IntoIterator<Item = f64>) -> Self {
        let readings = values.into_iter().map(|value| vec![Value::Plain(value)]);
        Self {
            readings: readings.collect(),
            digits: None,
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

/// Numbers in digits that only one of two texts has, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// Numbers of the first text that the second has not.
    pub(super) missing: Vec<String>,
    /// Numbers of the second text that the first has not.
    pub(super) added: Vec<String>,
}

impl Differences {
    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.added.is_empty()
    }

    /// What to tell a reader.
    pub(super) fn message(&self) -> String {
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
    /// Reads the numbers of a text.
    pub(super) fn of(text: &str) -> Self {
        Self {
            found: Parser::new(&items(text)).parse(),
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

    /// What differs between a text and its translation; `conversions` are the factors by which
    /// measures of the text may have become measures of the translation.
    pub(super) fn differences(
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

/// A piece of text that matters here.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    /// A number in ASCII digits with its separators, how it is written, and whether it stands
    /// against a letter before it.
    Digits {
        plain: String,
        written: String,
        glued: bool,
    },
    /// A word in lowercase; whether it stands against the digits before it.
    Word { text: String, glued: bool },
    /// A Roman numeral.
    Roman(f64),
    /// Any other character but white space.
    Mark(char),
}

/// The value of a decimal digit of the scripts that we read.
pub(super) fn digit(c: char) -> Option<char> {
    let value = match c {
        '0'..='9' => return Some(c),
        '\u{660}'..='\u{669}' => u32::from(c) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(c) - 0x6f0,
        _ => return None,
    };
    char::from_digit(value, 10)
}

fn items(text: &str) -> Vec<Item> {
    let chars: Vec<char> = text.chars().collect();
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if digit(c).is_some() {
            let (item, end) = digits(&chars, at);
            items.push(item);
            at = end;
        } else if is_word_char(c) {
            let end = at + chars[at..].iter().take_while(|&&c| is_word_char(c)).count();
            let word: String = chars[at..end].iter().collect();
            let glued = at > 0 && digit(chars[at - 1]).is_some();
            match number_words::roman(&word) {
                Some(value) if !glued => items.push(Item::Roman(value)),
                _ => {
                    let text = word
                        .chars()
                        .filter(|c| !is_mark(*c))
                        .flat_map(char::to_lowercase)
                        .collect();
                    items.push(Item::Word { text, glued });
                }
            }
            at = end;
        } else {
            if !c.is_whitespace() && !is_mark(c) {
                items.push(Item::Mark(c));
            }
            at += 1;
        }
    }
    items
}

/// Vowel signs, lengthening, and characters without width.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{301}')
}

fn is_word_char(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{301}')
}

/// A run of digits with what separates thousands, decimals, hours and parts of a date.
fn digits(chars: &[char], start: usize) -> (Item, usize) {
    let run = |at: usize| {
        chars[at..]
            .iter()
            .map_while(|&c| digit(c))
            .collect::<String>()
    };
    let mut plain = run(start);
    let mut at = start + plain.len();
    let first = plain.len();
    while let Some(&c) = chars.get(at) {
        let separator = match c {
            '.' | ',' | ':' | '/' => c,
            '\u{66b}' => '.',
            '\u{66c}' => ',',
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
            // An Arabic comma where one for thousands is meant.
            '،' if run(at + 1).len() == 3 => ',',
            _ => break,
        };
        let next = run(at + 1);
        let spaced = separator != ' '
            || (next.len() == 3
                && first <= 3
                && plain.chars().all(|c| c.is_ascii_digit() || c == ' '));
        if next.is_empty() || !spaced {
            break;
        }
        plain.push(separator);
        plain.push_str(&next);
        at += 1 + next.len();
    }
    let written = chars[start..at].iter().collect();
    let glued = start > 0 && is_word_char(chars[start - 1]);
    let item = Item::Digits {
        plain,
        written,
        glued,
    };
    (item, at)
}

/// The ways to read a number in digits.
fn readings(plain: &str) -> Vec<Vec<Value>> {
    let value = |digits: &str| digits.parse::<f64>().ok().map(Value::Plain);
    let parts: Vec<&str> = plain.split(['.', ',', ':', '/', ' ']).collect();
    let separators: Vec<char> = plain.chars().filter(|c| !c.is_ascii_digit()).collect();
    let mut readings: Vec<Vec<Value>> = Vec::new();
    let mut push = |reading: Option<Vec<Value>>| readings.extend(reading);
    let Some((&last, whole)) = parts.split_last() else {
        return readings;
    };
    if separators.is_empty() {
        push(value(plain).map(|value| vec![value]));
        return readings;
    }
    let is_clock = parts.len() >= 2
        && parts[0].len() <= 2
        && parts[1].len() == 2
        && matches!(separators[0], ':' | '.')
        && parts.len() <= 3;
    let clock = || {
        let hours: u32 = parts[0].parse().ok()?;
        let minutes: u32 = parts[1].parse().ok()?;
        (hours <= 24 && minutes < 60).then(|| Value::Clock((hours * 60 + minutes) % 720))
    };
    if !separators.contains(&':') && !separators.contains(&'/') {
        let grouped = parts[0].len() <= 3 && parts[1..].iter().all(|part| part.len() == 3);
        let same = separators.iter().all(|&c| c == separators[0]);
        if grouped && same {
            push(value(&parts.concat()).map(|value| vec![value]));
        }
        let thousands = whole.len() <= 1
            || (whole[0].len() <= 3 && whole[1..].iter().all(|part| part.len() == 3));
        let decimal = separators.last().is_some_and(|&c| c != ' ')
            && (separators.len() == 1 || !same)
            && thousands;
        if decimal {
            push(value(&format!("{}.{last}", whole.concat())).map(|value| vec![value]));
        }
    }
    if is_clock && let Some(clock) = clock() {
        push(Some(vec![clock]));
        if parts[1] == "00" && parts.len() == 2 {
            push(value(parts[0]).map(|value| vec![value]));
        }
    }
    if separators == ['/']
        && let (Ok(above), Ok(below)) = (parts[0].parse::<f64>(), last.parse::<f64>())
        && below > 0.0
    {
        push(Some(vec![Value::Plain(above / below)]));
    }
    // A list, a score, an address: each part by itself; but no decimal.
    let is_decimal = separators.len() == 1 && matches!(separators[0], '.' | ',') && last.len() != 2;
    if !is_decimal && (separators[0] != ' ' || parts.len() == 2) {
        push(parts.iter().map(|part| value(part)).collect());
    }
    // A date, day first or month first.
    let is_date =
        separators[0] == '/' || (separators[0] == '.' && (parts.len() == 3 || last.len() == 2));
    if parts.len() <= 3 && is_date {
        for (day, month) in [(0, 1), (1, 0)] {
            if let Ok(month @ 1..=12) = parts[month].parse::<u8>() {
                let rest = parts
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at == day || *at == 2);
                let rest: Option<Vec<Value>> = rest.map(|(_, part)| value(part)).collect();
                push(rest.map(|mut rest| {
                    rest.push(Value::Month(month));
                    rest
                }));
            }
        }
    }
    readings
}

struct Parser<'a> {
    items: &'a [Item],
    at: usize,
    found: Vec<Number>,
}

impl<'a> Parser<'a> {
    fn new(items: &'a [Item]) -> Self {
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

    fn parse(mut self) -> Vec<Number> {
        while let Some(item) = self.items.get(self.at) {
            match item {
                Item::Digits { plain, written, .. } => self.number(plain, written),
                Item::Roman(value) => {
                    self.found.push(Number::of_words([*value]));
                    self.at += 1;
                }
                Item::Word { text, .. } => {
                    // `14.05.` is the 14th of May.
                    self.found
                        .extend(super::dates::months(text).map(|month| Number {
                            readings: vec![vec![Value::Month(month)]],
                            digits: None,
                        }));
                    match number_words::of(text) {
                        Some(_) => self.words(),
                        None => self.at += 1,
                    }
                }
                Item::Mark(c) => {
                    match c {
                        '½' => self.found.push(Number::of_words([0.5])),
                        '¼' => self.found.push(Number::of_words([0.25])),
                        '¾' => self.found.push(Number::of_words([0.75])),
                        _ => {}
                    }
                    self.at += 1;
                }
            }
        }
        self.found
    }

    /// A number in digits with what follows it: a scale, a time of day, an ending.
    fn number(&mut self, plain: &str, written: &str) {
        let start = self.at;
        self.at += 1;
        // `km2`, «мм3»
        if matches!(plain, "2" | "3") && self.is_unit(start) {
            return;
        }
        let mut number = Number {
            readings: readings(plain),
            digits: Some(written.to_owned()),
        };
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
                }));
            }
            _ => self.found.push(number),
        }
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
            Item::Mark(c) => matches!(c, '-' | '–' | '—' | '−'),
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
            && matches!(self.items[start - 1], Item::Mark('-' | '–' | '—' | '/'))
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

fn scaled(readings: &[Vec<Value>], factor: f64) -> Vec<Vec<Value>> {
    readings
        .iter()
        .filter_map(|reading| match reading.as_slice() {
            [Value::Plain(value)] => Some(vec![Value::Plain(value * factor)]),
            _ => None,
        })
        .collect()
}

/// Number words being put together.
#[derive(Debug, Default)]
struct Sum {
    total: f64,
    current: f64,
    smallest_scale: Option<f64>,
    is_begun: bool,
}

impl Sum {
    /// Adds a word; false where it cannot belong to the same number.
    fn add(&mut self, word: &NumberWord, is_arabic: bool) -> bool {
        match *word {
            NumberWord::Add(value) if value >= 1000.0 => {
                // An Arabic dual: two thousand in one word.
                if self.current > 0.0 || self.smallest_scale.is_some_and(|scale| scale <= value) {
                    return false;
                }
                self.total += value;
                self.smallest_scale = Some(value / 2.0);
            }
            NumberWord::Add(value) => {
                let units = self.current % 100.0;
                let fits = if value >= 100.0 {
                    self.current == 0.0
                } else if units == 0.0 {
                    true
                } else if value < 10.0 {
                    units >= 20.0 && units % 10.0 == 0.0
                } else {
                    is_arabic && units < 10.0
                };
                if !fits || (self.is_begun && value == 0.0) {
                    return false;
                }
                self.current += value;
            }
            NumberWord::Hundred => {
                let units = self.current % 100.0;
                if self.current >= 100.0 && units == 0.0 {
                    return false;
                }
                self.current = self.current - units + units.max(1.0) * 100.0;
            }
            NumberWord::Scale(scale) => {
                if self
                    .smallest_scale
                    .is_some_and(|smallest| smallest <= scale)
                    && self.current == 0.0
                {
                    // `hundred thousand million`: rare, and one number.
                    self.total *= scale;
                } else {
                    self.total += if self.current > 0.0 {
                        self.current
                    } else {
                        1.0
                    } * scale;
                }
                self.current = 0.0;
                self.smallest_scale = Some(scale);
            }
            NumberWord::Hints(_) => return false,
        }
        self.is_begun = true;
        true
    }

    fn so_far(&self) -> Option<f64> {
        self.is_begun.then_some(self.total + self.current)
    }

    fn take(&mut self) -> Option<f64> {
        let sum = self.so_far();
        *self = Self::default();
        sum
    }
}
