//! English number words.

use super::HALF;
use super::NumberWord::{self, Add, Hints, Hundred, Scale};

pub(super) fn english(word: &str) -> Option<NumberWord> {
    if let Some((_, value)) = ENGLISH.iter().find(|(name, _)| *name == word) {
        return Some(Add(*value));
    }
    let scale = match word {
        "hundred" | "hundreds" | "hundredth" => return Some(Hundred),
        "thousand" | "thousands" | "thousandth" | "k" => 1e3,
        "million" | "millions" | "mln" | "mn" | "m" | "millionth" => 1e6,
        "billion" | "billions" | "bln" | "bn" | "b" | "billionth" => 1e9,
        "trillion" | "trillions" | "trn" | "tn" => 1e12,
        "dozen" | "dozens" => 12.0,
        _ => {
            let hints: &[f64] = match word {
                "half" | "halves" | "halfway" => HALF,
                "quarter" | "quarters" | "quarterfinal" | "quarterfinals" => {
                    &[0.25, 25.0, 4.0, 15.0]
                }
                "thirds" => &[3.0],
                "once" | "single" | "sole" | "solo" | "unique" => &[1.0],
                "both" | "pair" | "pairs" | "couple" | "couples" | "twice" | "twin" | "twins"
                | "double" | "doubled" | "doubles" | "twofold" | "either" | "neither" | "dual"
                | "duo" | "biennial" | "bilateral" => &[2.0],
                "triple" | "tripled" | "thrice" | "trio" | "threefold" | "triplet"
                | "trilateral" => &[3.0],
                "quadruple" | "fourfold" | "quartet" | "fours" => &[4.0],
                "fivefold" => &[5.0],
                "tenfold" | "tens" | "decade" => &[10.0],
                "decades" => super::DECADES,
                "century" | "centuries" | "centennial" | "centenary" => &[100.0],
                "millennium" | "millennia" => &[1000.0],
                "fortnight" => &[14.0, 2.0],
                "noon" | "midday" | "midnight" => &[12.0, 0.0],
                "no" | "nil" | "none" | "goalless" | "scoreless" => &[0.0],
                _ => return decade_english(word).or_else(|| fused_english(word)),
            };
            return Some(Hints(hints.to_vec()));
        }
    };
    Some(Scale(scale))
}

pub(super) fn decade_english(word: &str) -> Option<NumberWord> {
    let tens = word.strip_suffix("ies")?;
    let value = ENGLISH
        .iter()
        .find(|(name, _)| name.strip_suffix('y') == Some(tens))?
        .1;
    Some(Hints(vec![value, 1900.0 + value]))
}

/// Words that begin with a number: `threesome`, `sixfold`.
pub(super) fn fused_english(word: &str) -> Option<NumberWord> {
    ["some", "fold", "pence", "teenth", "th", "ths"]
        .iter()
        .filter_map(|end| word.strip_suffix(end))
        .find_map(|stem| ENGLISH.iter().find(|(name, _)| *name == stem))
        .map(|(_, value)| Hints(vec![*value]))
}
pub(super) const ENGLISH: &[(&str, f64)] = &[
    ("zero", 0.0),
    ("one", 1.0),
    ("ones", 1.0),
    ("first", 1.0),
    ("firstly", 1.0),
    ("two", 2.0),
    ("second", 2.0),
    ("secondly", 2.0),
    ("three", 3.0),
    ("third", 3.0),
    ("thirdly", 3.0),
    ("four", 4.0),
    ("fourth", 4.0),
    ("five", 5.0),
    ("fifth", 5.0),
    ("six", 6.0),
    ("sixth", 6.0),
    ("seven", 7.0),
    ("seventh", 7.0),
    ("eight", 8.0),
    ("eighth", 8.0),
    ("nine", 9.0),
    ("ninth", 9.0),
    ("ten", 10.0),
    ("tenth", 10.0),
    ("eleven", 11.0),
    ("eleventh", 11.0),
    ("twelve", 12.0),
    ("twelfth", 12.0),
    ("thirteen", 13.0),
    ("thirteenth", 13.0),
    ("fourteen", 14.0),
    ("fourteenth", 14.0),
    ("fifteen", 15.0),
    ("fifteenth", 15.0),
    ("sixteen", 16.0),
    ("sixteenth", 16.0),
    ("seventeen", 17.0),
    ("seventeenth", 17.0),
    ("eighteen", 18.0),
    ("eighteenth", 18.0),
    ("nineteen", 19.0),
    ("nineteenth", 19.0),
    ("twenty", 20.0),
    ("twentieth", 20.0),
    ("thirty", 30.0),
    ("thirtieth", 30.0),
    ("forty", 40.0),
    ("fortieth", 40.0),
    ("fifty", 50.0),
    ("fiftieth", 50.0),
    ("sixty", 60.0),
    ("sixtieth", 60.0),
    ("seventy", 70.0),
    ("seventieth", 70.0),
    ("eighty", 80.0),
    ("eightieth", 80.0),
    ("ninety", 90.0),
    ("ninetieth", 90.0),
];
