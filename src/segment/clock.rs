//! Times of day: what may follow `a.m.` and `p.m.` within the sentence.

use super::abbreviations::Preceding;
use super::run::Next;

const WEEKDAYS: &[&str] = &[
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Mon",
    "Tue",
    "Tues",
    "Wed",
    "Thu",
    "Thur",
    "Thurs",
    "Fri",
    "Sat",
    "Sun",
    "Christmas",
    "Easter",
    "Thanksgiving",
    "New",
];

const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Sept",
    "Oct",
    "Nov",
    "Dec",
];

/// Names of hours that `Time` need not follow.
const ZONES: &[&str] = &[
    "ET", "EST", "EDT", "CT", "CST", "CDT", "MT", "MST", "MDT", "PT", "PST", "PDT", "AT", "AST",
    "ADT", "AKST", "HST", "GMT", "UTC", "BST", "CET", "CEST", "EET", "EEST", "WET", "MSK", "IST",
    "JST", "KST", "HKT", "SGT", "AEST", "AEDT", "ACST", "AWST", "NZST", "NZDT", "SAST", "WAT",
    "EAT", "CAT", "TRT", "GST", "Z",
];

/// Verbs after a weekday that is the subject of a sentence of its own.
const VERBS: &[&str] = &[
    "is", "was", "will", "has", "had", "would", "brought", "brings", "saw", "sees", "marks",
    "marked", "began", "begins", "may", "could", "should",
];

/// Prepositions and adverbs that a sentence begins with before a time: `At 5 a.m. Mr. Smith rose.`
const OPENINGS: &[&str] = &[
    "At", "By", "Around", "About", "Before", "After", "From", "Until", "Since", "Shortly", "Just",
    "On", "Near", "Towards", "Between", "Soon", "Early", "Late", "Only",
];

/// Whether the sentence goes on after a time of day, with the capital of `next` after it; `rest` is
/// the text from that word on, and `sentence` the text up to the time.
pub(super) fn goes_on(
    sentence: &str,
    preceding: &Preceding<'_>,
    next: &Next<'_>,
    rest: &str,
) -> bool {
    let after = rest.get(next.word.len()..).unwrap_or_default();
    let mut words = after.trim_start_matches('.').split_whitespace();
    let second = words.next().unwrap_or_default();
    if WEEKDAYS.contains(&next.word) {
        return !VERBS.contains(&second);
    }
    if MONTHS.contains(&next.word) {
        return second.starts_with(char::is_numeric);
    }
    if ZONES.contains(&next.word) {
        return true;
    }
    // `Moscow time`, `Hong Kong time`, `Eastern Daylight Time`.
    let time = |word: &str| {
        let word = word.trim_end_matches(|c: char| !c.is_alphabetic());
        word.eq_ignore_ascii_case("time")
    };
    let plain = after.starts_with(' ') && !next.is_starter(false);
    if plain && (time(second) || (capital(second) && words.take(2).any(time))) {
        return true;
    }
    let begins = sentence.split_whitespace().next().unwrap_or_default();
    preceding.words < 4 && OPENINGS.contains(&begins) && !next.is_starter(false)
}

fn capital(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}
