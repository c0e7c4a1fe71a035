//! Number words of the three languages: the value of a word, in any gender, case or form.
//!
//! Only gives what a single word may mean; `numbers` puts words together.
//! Generous on purpose: number words are witnesses for digits on the other side, never accusers, so

mod arabic;
mod english;
mod russian;

/// What one word contributes to a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NumberWord {
    /// Is added: `five`, `двадцать`, `ثلاثمئة`.
    Add(f64),
    /// Multiplies what stands before it, up to a hundred: `hundred`, `مئة`.
    Hundred,
    /// Multiplies what stands before it: `thousand`, `млн`, `مليار`.
    Scale(f64),
    /// Speaks of numbers without being one: `half`, `double`, `nineties`, `трёхэтажный`.
    Hints(Vec<f64>),
}
/// A half: by itself, of a hundred, of an hour, of a day, in two parts, and added to a whole.
const HALF: &[f64] = &[0.5, 50.0, 30.0, 12.0, 2.0, 1.5, 2.5, 3.5];

/// Several decades: any number of them.
const DECADES: &[f64] = &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0];

/// What a lowercase word may count; words of all three languages are known at once, since a text
/// in one may quote another.
pub(super) fn of(word: &str) -> Option<NumberWord> {
    match word.chars().next()? {
        'a'..='z' => english::english(word),
        '\u{400}'..='\u{4ff}' => russian::russian(&word.replace('ё', "е")),
        '\u{621}'..='\u{6d3}' => arabic::arabic(word),
        _ => None,
    }
}

/// What follows the number that a Russian word begins with: `метровый` in `двухметровый`.
pub(super) fn after_number(word: &str) -> &str {
    russian::after_number(word)
}

/// The value of a Roman numeral in capital letters; also in the Cyrillic letters that look alike.
pub(super) fn roman(word: &str) -> Option<f64> {
    let mut total = 0i32;
    let mut last = i32::MAX;
    let mut letters = 0;
    for c in word.chars() {
        let value = match c {
            'I' | 'І' => 1,
            'V' => 5,
            'X' | 'Х' => 10,
            'L' => 50,
            'C' | 'С' => 100,
            'D' => 500,
            'M' | 'М' => 1000,
            _ => return None,
        };
        letters += 1;
        if letters > 9 {
            return None;
        }
        // A smaller letter before a larger one is taken off: it was added one step before.
        total += if value > last {
            value - 2 * last
        } else {
            value
        };
        last = value;
    }
    (letters > 0).then_some(f64::from(total))
}

#[cfg(test)]
mod tests {
    use super::NumberWord::{Add, Hints, Hundred, Scale};
    use super::*;

    #[test]
    fn words_count_in_all_their_forms() {
        for (word, expected) in [
            ("fifth", Add(5.0)),
            ("hundreds", Hundred),
            ("nineties", Hints(vec![90.0, 1990.0])),
            ("пятидесяти", Add(50.0)),
            ("пятого", Add(5.0)),
            ("двухсот", Add(200.0)),
            ("миллиардов", Scale(1e9)),
            ("двадцатипятилетний", Hints(vec![25.0])),
            ("девяностых", Hints(vec![90.0, 1990.0])),
            ("والعشرين", Add(20.0)),
            ("ثلاثمائة", Add(300.0)),
            ("ثمانية", Add(8.0)),
            ("بمليوني", Add(2e6)),
            ("ألفًا", Scale(1e3)),
            ("التسعينيات", Hints(vec![90.0, 1990.0])),
            ("كتابين", Hints(vec![2.0])),
        ] {
            assert_eq!(of(word), Some(expected), "{word}");
        }
        for word in ["bridge", "мост", "стол", "جسر"] {
            assert_eq!(of(word), None, "{word}");
        }
        assert_eq!(roman("XXI"), Some(21.0));
        assert_eq!(roman("XIX"), Some(19.0));
        assert_eq!(roman("BBC"), None);
    }
}
