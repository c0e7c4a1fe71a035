//! Measures that translators convert: miles to kilometres, pounds to kilograms, degrees.

use super::number_words::after_number;

/// How far a converted measure may be rounded.
const ROUNDING: f64 = 0.09;

/// From one measure to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Conversion {
    /// Multiplies.
    By(f64),
    /// Degrees Fahrenheit to Celsius.
    ToCelsius,
    /// Degrees Celsius to Fahrenheit.
    ToFahrenheit,
}

impl Conversion {
    /// Whether a measure may have become another one.
    pub(super) fn takes(self, from: f64, to: f64) -> bool {
        let exact = match self {
            Self::By(factor) => from * factor,
            Self::ToCelsius => (from - 32.0) / 1.8,
            Self::ToFahrenheit => from * 1.8 + 32.0,
        };
        (exact - to).abs() <= ROUNDING * exact.abs().max(to.abs())
    }
}

/// How words for a measure begin, in the three languages.
type Stems = &'static [&'static str];

const MILE: Stems = &["mile", "mph", "mi", "мил", "ميل", "اميال", "أميال"];
const KILOMETRE: Stems = &["km", "kilomet", "км", "километр", "كم", "كيلومتر", "كلم"];
const FOOT: Stems = &["feet", "foot", "ft", "фут", "قدم", "أقدام", "اقدام"];
const YARD: Stems = &["yard", "ярд", "يارد"];
const METRE: Stems = &["metre", "meter", "м", "метр", "متر", "أمتار", "امتار"];
const INCH: Stems = &["inch", "дюйм", "بوص", "إنش"];
const CENTIMETRE: Stems = &[
    "cm",
    "centimet",
    "см",
    "сантиметр",
    "سم",
    "سنتيمتر",
    "سنتمتر",
];
const MILLIMETRE: Stems = &["mm", "millimet", "мм", "миллиметр", "مم", "ملم", "مليمتر"];
const POUND: Stems = &["pound", "lb", "фунт", "رطل", "أرطال", "باوند"];
const KILOGRAM: Stems = &[
    "kg",
    "kilo",
    "кг",
    "килограмм",
    "كجم",
    "كغ",
    "كيلوغرام",
    "كيلوجرام",
];
const ACRE: Stems = &["acre", "акр", "فدان", "فدادين"];
const HECTARE: Stems = &["hectare", "га", "гектар", "هكتار"];
const DEGREE: Stems = &["degree", "f", "c", "fahrenheit", "celsius", "градус", "درج"];

const CONVERSIONS: &[(Stems, Stems, f64)] = &[
    (MILE, KILOMETRE, 1.609),
    (FOOT, METRE, 0.3048),
    (FOOT, CENTIMETRE, 30.48),
    (YARD, METRE, 0.9144),
    (INCH, CENTIMETRE, 2.54),
    (INCH, MILLIMETRE, 25.4),
    (POUND, KILOGRAM, 0.4536),
    (ACRE, HECTARE, 0.4047),
];

/// The conversions that a translation may have made, by the measures that both texts name.
pub(super) fn conversions(source: &str, target: &str) -> Vec<Conversion> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphabetic());
        words
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (here, there) = (words(source), words(target));
    let names = |words: &[String], stems: Stems| {
        words.iter().any(|word| {
            // Two letters are an abbreviation and no stem; Arabic articles may stand before one.
            stems.iter().any(|stem| match stem.chars().count() {
                1..=2 => word == stem,
                _ => [word.trim_start_matches("ال"), after_number(word)]
                    .iter()
                    .any(|word| word.starts_with(stem)),
            })
        })
    };
    let mut found = Vec::new();
    for (one, other, factor) in CONVERSIONS {
        // Where the translation names both, it gives the measure as well as what it was made from.
        if names(&here, one) && names(&there, other) && !names(&there, one) {
            found.push(Conversion::By(*factor));
        }
        if names(&here, other) && names(&there, one) && !names(&there, other) {
            found.push(Conversion::By(1.0 / factor));
        }
    }
    if names(&here, DEGREE) && names(&there, DEGREE) {
        found.extend([Conversion::ToCelsius, Conversion::ToFahrenheit]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_converted_and_rounded() {
        let found = conversions("It is 40 miles away.", "Это в 65 км.");
        assert_eq!(found, [Conversion::By(1.609)]);
        assert!(found[0].takes(40.0, 65.0));
        assert!(!found[0].takes(40.0, 80.0));
        assert!(conversions("It is 40 miles away.", "Это в 65 милях.").is_empty());
        let found = conversions("The 6-foot-6 forward", "Двухметровый форвард");
        assert!(found.iter().any(|conversion| conversion.takes(6.0, 2.0)));
        assert!(Conversion::ToCelsius.takes(80.0, 27.0));
    }
}
