//! Months and days of the week by name, in the three languages, and what a translation did to them.
//!
//! A name is held to be on the other side only where that side names another one instead: `May` is
//! a verb as well, and a day of the week may become a date.

use crate::language::{fold_arabic, without_clitics};

/// The names of a month or of a day.
struct Names {
    english: &'static [&'static str],
    /// Stems and abbreviations; endings follow.
    russian: &'static [&'static str],
    /// As in Egypt and the Gulf, in the Levant and Iraq, and in the Maghreb; folded.
    arabic: &'static [&'static str],
}

const fn names(
    english: &'static [&'static str],
    russian: &'static [&'static str],
    arabic: &'static [&'static str],
) -> Names {
    Names {
        english,
        russian,
        arabic,
    }
}

const MONTHS: [Names; 12] = [
    names(
        &["january", "jan"],
        &["январ", "янв"],
        &["يناير", "جانفي", "كانون"],
    ),
    names(
        &["february", "feb"],
        &["феврал", "фев"],
        &["فبراير", "شباط", "فيفري"],
    ),
    names(&["march", "mar"], &["март"], &["مارس", "اذار"]),
    names(
        &["april", "apr"],
        &["апрел", "апр"],
        &["ابريل", "نيسان", "افريل"],
    ),
    names(
        &["may"],
        &["май", "мая", "мае", "маю", "маем"],
        &["مايو", "ايار", "ماي"],
    ),
    names(
        &["june", "jun"],
        &["июн"],
        &["يونيو", "يونيه", "حزيران", "جوان"],
    ),
    names(
        &["july", "jul"],
        &["июл"],
        &["يوليو", "يوليه", "يوليوز", "تموز", "جويليه"],
    ),
    names(
        &["august", "aug"],
        &["август", "авг"],
        &["اغسطس", "اوت", "غشت", "اب"],
    ),
    names(
        &["september", "sept", "sep"],
        &["сентябр", "сент"],
        &["سبتمبر", "ايلول", "شتنبر"],
    ),
    names(
        &["october", "oct"],
        &["октябр", "окт"],
        &["اكتوبر", "تشرين"],
    ),
    names(
        &["november", "nov"],
        &["ноябр", "нояб"],
        &["نوفمبر", "نونبر", "تشرين"],
    ),
    names(
        &["december", "dec"],
        &["декабр", "дек"],
        &["ديسمبر", "دجنبر", "كانون"],
    ),
];

const DAYS: [Names; 7] = [
    names(&["monday", "mondays"], &["понедельник"], &["الاثنين"]),
    names(
        &["tuesday", "tuesdays"],
        &["вторник"],
        &["الثلاثاء", "الثلاثا"],
    ),
    names(
        &["wednesday", "wednesdays"],
        &["среду", "среда", "среды", "среде"],
        &["الاربعاء", "الاربعا"],
    ),
    names(&["thursday", "thursdays"], &["четверг"], &["الخميس"]),
    names(&["friday", "fridays"], &["пятниц"], &["الجمعه"]),
    names(&["saturday", "saturdays"], &["суббот"], &["السبت"]),
    names(&["sunday", "sundays"], &["воскресень"], &["الاحد"]),
];

const ENDINGS: [&str; 20] = [
    "", "ь", "я", "ю", "е", "ем", "а", "у", "ом", "ы", "и", "ой", "ям", "ам", "ях", "ах", "ью",
    "ями", "ов", "ами",
];

fn is_named(names: &Names, word: &str) -> bool {
    match word.chars().next() {
        Some('a'..='z') => names.english.contains(&word),
        Some('\u{400}'..='\u{4ff}') => names.russian.iter().any(|stem| {
            word.strip_prefix(stem)
                .is_some_and(|tail| ENDINGS.contains(&tail))
        }),
        Some('\u{621}'..='\u{6d3}') => {
            let folded = fold_arabic(word);
            let forms = without_clitics(&folded);
            // `ولاب` is no August: only «and» is taken off a name of two letters.
            names.arabic.iter().any(|name| {
                forms.iter().any(|form| {
                    form == name && (name.chars().count() > 2 || form.len() == folded.len())
                })
            })
        }
        _ => false,
    }
}

/// The months that a lowercase word may name, 1 for January.
pub(super) fn months(word: &str) -> impl Iterator<Item = u8> + '_ {
    (1..)
        .zip(&MONTHS)
        .filter(move |(_, names)| is_named(names, word))
        .map(|(number, _)| number)
}

/// Whether a lowercase word names a month or a day of the week.
pub(super) fn is_named_anything(word: &str) -> bool {
    MONTHS
        .iter()
        .chain(&DAYS)
        .any(|names| is_named(names, word))
}

/// What a text names of a list, as bits.
fn named(words: &[String], list: &[Names]) -> u16 {
    let mut bits = 0;
    for (at, word) in words.iter().enumerate() {
        // Common English words, unless a number stands beside them.
        if matches!(
            word.as_str(),
            "may" | "march" | "mar" | "jan" | "dec" | "sun"
        ) {
            let is_number = |at: Option<usize>| {
                at.and_then(|at| words.get(at))
                    .is_some_and(|word| word.starts_with(|c: char| c.is_numeric()))
            };
            if !is_number(at.checked_sub(1)) && !is_number(Some(at + 1)) {
                continue;
            }
        }
        for (place, names) in list.iter().enumerate() {
            if is_named(names, word) {
                bits |= 1 << place;
            }
        }
    }
    bits
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\u{64b}'..='\u{65f}' | '\u{640}'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Whether a translation names another month or another day of the week than its source.
pub(super) fn differ(source: &str, target: &str) -> bool {
    let (source, target) = (words(source), words(target));
    [MONTHS.as_slice(), DAYS.as_slice()]
        .into_iter()
        .any(|list| {
            let (here, there) = (named(&source, list), named(&target, list));
            here & !there != 0 && there & !here != 0
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_month_or_day_is_seen() {
        for (source, target, expected) in [
            ("It opens on May 14.", "Он откроется 14 мая.", false),
            ("It opens on May 14.", "Он откроется 14 марта.", true),
            ("It opens on May 14.", "يُفتتح في 14 أيار/مايو.", false),
            ("It opens on May 14.", "يُفتتح في 14 حزيران.", true),
            ("It may open in June.", "Он может открыться в июне.", false),
            ("في 3 كانون الثاني", "3 января", false),
            ("في 3 كانون الثاني", "3 ноября", true),
            ("في 3 جويلية", "on July 3", false),
            ("He left on Friday.", "Он уехал в пятницу.", false),
            ("He left on Friday.", "Он уехал в среду.", true),
            ("He left on Friday.", "Он уехал 5 мая.", false),
        ] {
            assert_eq!(differ(source, target), expected, "{source} / {target}");
        }
    }
}
