//! The faults that are put into translations.

use newsml::Language;

/// What is done to a translation; `None` where it cannot be done to this one.
pub(crate) type Inject = fn(&Case<'_>, &mut Dice) -> Option<(String, String)>;

/// A line with its translation, and the line before.
pub(crate) struct Case<'a> {
    pub(crate) source: &'a str,
    pub(crate) target: &'a str,
    pub(crate) before: (&'a str, &'a str),
    pub(crate) to: Language,
    pub(crate) others: &'a [String],
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

pub(crate) const FAULTS: &[(&str, Inject)] = &[
    ("nothing written", |case, _| {
        Some((case.source.into(), String::new()))
    }),
    ("half cut off", |case, _| {
        let words: Vec<_> = case.target.split(' ').collect();
        (words.len() >= 6).then(|| (case.source.into(), words[..words.len() / 2].join(" ")))
    }),
    ("one of two sentences dropped", |case, dice| {
        let kept = [case.before.1, case.target][dice.below(2)];
        // After a headline there is a line break, which no segment goes over.
        let is_sentence = case
            .before
            .0
            .trim_end_matches(|c: char| "\"'»”’“)".contains(c))
            .ends_with(['.', '!', '?', '…', '؟']);
        is_sentence.then(|| {
            let source = format!("{} {}", case.before.0, case.source);
            (source, kept.to_owned())
        })
    }),
    ("copied", |case, _| {
        Some((case.source.into(), case.source.into()))
    }),
    ("half copied", |case, _| {
        let (source, target): (Vec<_>, Vec<_>) = (
            case.source.split(' ').collect(),
            case.target.split(' ').collect(),
        );
        (source.len() >= 10 && target.len() >= 10).then(|| {
            let mixed = [&target[..target.len() / 2], &source[source.len() / 2..]].concat();
            (case.source.to_owned(), mixed.join(" "))
        })
    }),
    ("word loop", |case, dice| {
        let words: Vec<_> = case
            .target
            .split(' ')
            .filter(|word| word.chars().any(char::is_alphabetic))
            .collect();
        let word = words.get(dice.below(words.len()))?;
        Some((
            case.source.into(),
            format!("{}{}", case.target, format!(" {word}").repeat(6)),
        ))
    }),
    ("phrase loop", |case, dice| {
        let words: Vec<_> = case.target.split(' ').collect();
        let size = 2 + dice.below(6);
        let start = words.len().checked_sub(size)?;
        Some((
            case.source.into(),
            format!(
                "{}{}",
                case.target,
                format!(" {}", words[start..].join(" ")).repeat(3)
            ),
        ))
    }),
    ("letter loop", |case, _| {
        let letters: Vec<char> = case.target.chars().filter(|c| c.is_alphabetic()).collect();
        let last: String = letters[letters.len().checked_sub(2)?..].iter().collect();
        Some((
            case.source.into(),
            format!("{} {}", case.target, last.repeat(8)),
        ))
    }),
    ("said twice", |case, _| {
        Some((
            case.source.into(),
            format!("{} {}", case.target, case.target),
        ))
    }),
    ("digit changed", |case, dice| {
        let digits: Vec<(usize, char)> = case
            .target
            .char_indices()
            .filter(|(_, c)| c.is_ascii_digit())
            .collect();
        let &(place, digit) = digits.get(dice.below(digits.len()))?;
        let new = char::from(b'0' + ((digit as u8 - b'0') + 1 + dice.below(9) as u8) % 10);
        let mut target = case.target.to_owned();
        target.replace_range(place..=place, new.encode_utf8(&mut [0; 4]));
        Some((case.source.into(), target))
    }),
    ("one-digit number changed", |case, dice| {
        let bytes = case.target.as_bytes();
        let alone: Vec<usize> = (0..bytes.len())
            .filter(|&at| bytes[at].is_ascii_digit())
            .filter(|&at| {
                let is_free = |at: Option<usize>| {
                    at.and_then(|at| bytes.get(at))
                        .is_none_or(|b| b" ()-".contains(b))
                };
                is_free(at.checked_sub(1))
                    && is_free(Some(at + 1))
                    && case.source.contains(char::from(bytes[at]))
            })
            .collect();
        let &place = alone.get(dice.below(alone.len()))?;
        let new = b'0' + (bytes[place] - b'0' + 1 + dice.below(9) as u8) % 10;
        let mut target = case.target.to_owned();
        target.replace_range(place..=place, char::from(new).encode_utf8(&mut [0; 4]));
        Some((case.source.into(), target))
    }),
    ("neighbouring language", |case, dice| {
        Some((
            case.source.into(),
            case.others.get(dice.below(case.others.len()))?.clone(),
        ))
    }),
    ("address changed", |case, dice| {
        let letter = char::from(b'a' + dice.below(26) as u8);
        let address = "https://example.org/news/";
        (letter != 'n').then(|| {
            (
                format!("{} {address}n", case.source),
                format!("{} {address}{letter}", case.target),
            )
        })
    }),
];
