//! Loops: words, phrases or letters that come again and again without the source doing the same.

use std::collections::HashMap;

/// Most words of a phrase that is looked for again after itself.
const LONGEST_PHRASE: usize = 100;

/// Whether a translation repeats itself where its source does not.
pub(super) fn loops(source: &str, target: &str) -> bool {
    words_loop(source, target) || letters_loop(source, target)
}

/// Words as numbers, as they are compared often.
fn words(text: &str) -> Vec<usize> {
    let mut known = HashMap::new();
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let next = known.len();
            *known.entry(word.to_lowercase()).or_insert(next)
        })
        .collect()
}

/// How often phrases are repeated in a row: for phrases of one word, of two or three, of four or
/// more, the most copies that follow one another.
fn rows(words: &[usize]) -> [usize; 3] {
    let mut most = [1; 3];
    for size in 1..=LONGEST_PHRASE.min(words.len() / 2) {
        let class = match size {
            1 => 0,
            2 | 3 => 1,
            _ => 2,
        };
        // A word equals the one a phrase before it so many times in a row.
        let mut run = 0;
        for at in size..words.len() {
            if words[at] == words[at - size] {
                run += 1;
                most[class] = most[class].max(1 + run / size);
            } else {
                run = 0;
            }
        }
    }
    most
}

/// Whether all of a text is said twice.
fn is_twice(words: &[usize]) -> bool {
    let (first, second) = words.split_at(words.len() / 2);
    !first.is_empty() && first == second
}

fn words_loop(source: &str, target: &str) -> bool {
    let (source, target) = (words(source), words(target));
    if is_twice(&target) && !is_twice(&source) && (target.len() > 2 || source.len() == 1) {
        return true;
    }
    let (here, there) = (rows(&source), rows(&target));
    // A word three times in a row is emphasis at most; a phrase of four words twice is a loop.
    let allowed = [2, 2, 1];
    there
        .iter()
        .zip(here)
        .zip(allowed)
        .any(|((&there, here), allowed)| there > allowed.max(here))
}

/// The longest run of letters in which a stretch of at most eight letters repeats itself at least
/// four times.
fn longest_letter_run(text: &str) -> usize {
    let letters: Vec<char> = text.chars().collect();
    let mut longest = 0;
    for period in 1..=8 {
        let mut run = 0;
        for at in period..letters.len() {
            let again = letters[at] == letters[at - period] && letters[at].is_alphabetic();
            run = if again { run + 1 } else { 0 };
            if run >= 3 * period && run + period >= 6 {
                longest = longest.max(run + period);
            }
        }
    }
    longest
}

fn letters_loop(source: &str, target: &str) -> bool {
    longest_letter_run(target) > longest_letter_run(source).max(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_told_from_emphasis() {
        for (source, target, expected) in [
            ("Он сказал: нет, нет, нет.", "He said: no, no, no.", false),
            ("Он сказал «нет».", "He said no, no, no, no.", true),
            (
                "Мост открыли.",
                "The bridge was opened in the city in the city in the city.",
                true,
            ),
            (
                "Мост открыли в городе.",
                "The bridge was opened in the city, the bridge was opened in the city.",
                true,
            ),
            ("Мост открыт", "Bridge open Bridge open", true),
            ("Да, конечно", "Yes, yes", false),
            ("Да", "Yes, yes", true),
            ("Он засмеялся.", "He said hahahahahaha.", true),
            ("Хахахахахаха", "Hahahahahaha", false),
            ("Счёт 1000000", "A score of 1000000", false),
            ("Раз за разом", "Again and again and on and on", false),
        ] {
            assert_eq!(loops(source, target), expected, "{target}");
        }
    }
}
