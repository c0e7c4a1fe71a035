//! What can be seen to be wrong with an output without knowing its language well.

use crate::generate::Finish;
use crate::language::{Language, ScriptProfile};
use crate::options::Warning;

/// Letters from which on the script of a text says something.
const ENOUGH_LETTERS: usize = 4;
/// The share of letters of the right script that a segment must have. Names in Latin letters are
/// common in Russian and Arabic news; whole outputs are held to more.
const SEGMENT_SHARE: f64 = 0.7;

/// Faults of one translated segment, worst first; empty for none.
///
/// Without a language, what depends on it is not looked at.
pub(crate) fn translation(
    source: &str,
    target: &str,
    to: Option<Language>,
    finish: Finish,
) -> Vec<Warning> {
    let mut faults = Vec::new();
    if target.trim().is_empty() {
        faults.push(Warning::new("empty_output", "the model wrote nothing"));
        return faults;
    }
    let written = ScriptProfile::of(target);
    let read = ScriptProfile::of(source);
    if let Some(to) = to
        && written.letters() >= ENOUGH_LETTERS
        && written.share(to) < SEGMENT_SHARE
    {
        if source.trim() == target.trim() {
            faults.push(Warning::new("source_copied", "the source was copied"));
        } else {
            faults.push(Warning::new(
                "wrong_script",
                format!("the output is not written in {}", to.name()),
            ));
        }
    } else if read.letters() >= ENOUGH_LETTERS && written.letters() == 0 {
        faults.push(Warning::new("empty_output", "the output has no words"));
    }
    match finish {
        Finish::Stop => {}
        Finish::Length => faults.push(Warning::new(
            "cut_short",
            "the output reached its limit of tokens",
        )),
        Finish::Repetition => faults.push(Warning::new("repetition", "the model repeated itself")),
    }
    if numbers(source) != numbers(target) {
        faults.push(Warning::new(
            "numbers_differ",
            "numbers of the source are missing or changed",
        ));
    }
    faults
}

/// Faults of a summary; empty for none.
pub(crate) fn summary(
    article: &str,
    summary: &str,
    language: Language,
    finish: Finish,
) -> Vec<Warning> {
    let mut faults = Vec::new();
    if !summary.chars().any(char::is_alphabetic) {
        faults.push(Warning::new("empty_output", "the model wrote nothing"));
        return faults;
    }
    if ScriptProfile::of(summary).share(language) < 0.9 {
        faults.push(Warning::new(
            "wrong_script",
            format!("the summary is not written in {}", language.name()),
        ));
    }
    match finish {
        Finish::Stop => {}
        Finish::Length => faults.push(Warning::new(
            "cut_short",
            "the summary reached its limit of tokens",
        )),
        Finish::Repetition => faults.push(Warning::new("repetition", "the model repeated itself")),
    }
    let known = numbers(article);
    if let Some(unknown) = numbers(summary)
        .into_iter()
        .find(|number| known.binary_search(number).is_err())
    {
        faults.push(Warning::new(
            "numbers_differ",
            format!("the number {unknown} is not in the article"),
        ));
    }
    faults
}

/// How grave faults are together; 0 for none.
pub(crate) fn weight(faults: &[Warning]) -> u32 {
    let weigh = |fault: &Warning| match fault.kind.as_str() {
        "empty_output" => 100,
        "source_copied" | "wrong_script" => 50,
        "repetition" => 20,
        "cut_short" => 10,
        _ => 3,
    };
    faults.iter().map(weigh).sum()
}

/// The numbers of a text, sorted: digits of any script as ASCII, separators of thousands and
/// decimals left out, numbers of one digit not counted since languages often spell them.
pub(crate) fn numbers(text: &str) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut current = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if let Some(digit) = digit(c) {
            current.push(digit);
        } else if !current.is_empty()
            && matches!(
                c,
                '.' | ','
                    | '\u{a0}'
                    | '\u{202f}'
                    | '\u{66b}'
                    | '\u{66c}'
                    | '\u{2009}'
                    | ' '
                    | ':'
                    | '\u{60c}'
            )
            && chars.peek().copied().and_then(digit_value).is_some()
            && (c != ' ' || three_digits_follow(chars.clone()))
        {
            // 1,500 and 1 500 and 1.500 are one number, whatever parts it.
        } else if !current.is_empty() {
            numbers.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        numbers.push(current);
    }
    numbers.retain(|number| number.len() > 1);
    numbers.sort_unstable();
    numbers
}

fn three_digits_follow(mut chars: std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    (0..3).all(|_| chars.next().and_then(digit).is_some()) && chars.next().and_then(digit).is_none()
}

fn digit_value(c: char) -> Option<u32> {
    match c {
        '\u{660}'..='\u{669}' => Some(u32::from(c) - 0x660),
        '\u{6f0}'..='\u{6f9}' => Some(u32::from(c) - 0x6f0),
        _ => c.to_digit(10),
    }
}

fn digit(c: char) -> Option<char> {
    digit_value(c).and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_across_scripts_and_separators() {
        for (a, b) in [
            (
                "about 1,500 people in 2016",
                "около 1 500 человек в 2016 году",
            ),
            ("300,000 detained", "احتجاز ٣٠٠ ألف و٣٠٠٬٠٠٠"),
            ("2.5 million", "2,5 млн"),
            ("at 14:30", "в 14.30"),
        ] {
            let (a, b) = (numbers(a), numbers(b));
            assert!(a.iter().all(|n| b.contains(n)), "{a:?} {b:?}");
        }
        assert_eq!(numbers("In 2016 5 men"), ["2016"]);
        assert_eq!(numbers("one, 2 and 3"), Vec::<String>::new());
    }

    #[test]
    fn faults_of_translations_are_seen() {
        let kinds = |source: &str, target: &str, to: Language, finish: Finish| -> Vec<String> {
            translation(source, target, Some(to), finish)
                .into_iter()
                .map(|w| w.kind)
                .collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(
            kinds(
                "Hello, world",
                "Привет, мир",
                Language::Russian,
                Finish::Stop
            ),
            none
        );
        assert_eq!(
            kinds(
                "Hello, world",
                "Hello, world",
                Language::Russian,
                Finish::Stop
            ),
            ["source_copied"]
        );
        assert_eq!(
            kinds(
                "Hello, world",
                "Bonjour le monde",
                Language::Arabic,
                Finish::Stop
            ),
            ["wrong_script"]
        );
        assert_eq!(
            kinds("Hello, world", " ", Language::Arabic, Finish::Stop),
            ["empty_output"]
        );
        assert_eq!(
            kinds("In 2016", "В 2017", Language::Russian, Finish::Stop),
            ["numbers_differ"]
        );
        assert_eq!(
            kinds(
                "Hello, world",
                "Привет, мир",
                Language::Russian,
                Finish::Length
            ),
            ["cut_short"]
        );
        assert_eq!(kinds("12.5", "12,5", Language::Russian, Finish::Stop), none);
    }
}
