//! Where spans go in a translation, and what holds wherever they go.

use proptest::prelude::*;

use super::*;

/// Reads `one [two] three`: brackets are spans, `*` is a point, `/` a break, `{}` is kept.
fn parse(marked: &str) -> (String, Vec<Tag>) {
    let mut text = String::new();
    let mut tags = Vec::new();
    let mut kept = None;
    for c in marked.chars() {
        let at = text.len();
        let tag = |text, kind| Tag { text, kind };
        match c {
            '[' => tags.push(tag(at..at, Kind::Open)),
            ']' => tags.push(tag(at..at, Kind::Close)),
            '*' => tags.push(tag(at..at, Kind::Point)),
            '/' => {
                text.push(' ');
                tags.push(tag(at..at + 1, Kind::Break));
            }
            '{' => kept = Some(at),
            '}' => {
                let from = kept.take().unwrap_or(at);
                tags.push(tag(from..at, Kind::Keep));
            }
            c => text.push(c),
        }
    }
    (text, tags)
}

/// The translation in the same writing.
fn shown(fitted: &Fitted, tags: &[Tag]) -> String {
    fitted
        .parts
        .iter()
        .map(|part| {
            let text = &fitted.text[part.text.clone()];
            match part.mark.map(|mark| tags[mark].kind) {
                None => text.to_owned(),
                Some(Kind::Open) => "[".to_owned(),
                Some(Kind::Close) => "]".to_owned(),
                Some(Kind::Point) => "*".to_owned(),
                Some(Kind::Break) => "/".to_owned(),
                Some(Kind::Keep) => format!("{{{text}}}"),
            }
        })
        .collect()
}

fn carried(marked: &str, target: &str, glosses: &[(&str, &str)]) -> String {
    let (text, tags) = parse(marked);
    let glosses = glosses
        .iter()
        .map(|(text, gloss)| ((*text).to_owned(), (*gloss).to_owned()))
        .collect();
    shown(&fit(&text, &tags, target, &glosses), &tags)
}

#[test]
fn spans_go_to_their_words() {
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 14] = [
        // The same in both languages.
        (
            "In [2024] it rained.",
            "Дождь шёл в 2024 году.",
            &[],
            "Дождь шёл в [2024] году.",
        ),
        // Its own translation, with another ending.
        (
            "The [old bridge] was shut.",
            "Закрыли старого моста часть.",
            &[("old bridge", "Старый мост")],
            "Закрыли [старого моста] часть.",
        ),
        (
            "He saw the [bridge].",
            "رأى الجسر.",
            &[("bridge", "جسر")],
            "رأى [الجسر].",
        ),
        // In another order.
        (
            "[Anna] met [Boris].",
            "Бориса встретила Анна.",
            &[("Anna", "Анна"), ("Boris", "Борис")],
            "[Бориса] встретила [Анна].",
        ),
        // By its share.
        ("one [two] three", "раз два три", &[], "раз [два] три"),
        ("[one two three]", "раз два три", &[], "[раз два три]"),
        (
            "He said [“yes”] twice.",
            "Он сказал «да» дважды.",
            &[("“yes”", "да")],
            "Он сказал [«да»] дважды.",
        ),
        // Spans within spans, and those that go on outside of the sentence.
        ("a [b [c] d] e", "а б в г д", &[], "а [б [в] г] д"),
        (
            "one two] three four",
            "раз два три четыре",
            &[],
            "раз два] три четыре",
        ),
        (
            "one two [three four",
            "раз два три четыре",
            &[],
            "раз два [три четыре",
        ),
        // Marks of no text.
        ("A note.* Then", "Заметка. Затем", &[], "Заметка.* Затем"),
        // Breaks, each at a space of its own.
        (
            "one two/three four/five six",
            "раз два три четыре пять шесть",
            &[],
            "раз два/три четыре/пять шесть",
        ),
        // What is kept.
        (
            "Run {ls -l} now.",
            "Сейчас выполните ls -l.",
            &[],
            "Сейчас выполните {ls -l}.",
        ),
        (
            "By {Alder News} today.",
            "Сегодня от Новостей Олдера.",
            &[("Alder News", "Новости Олдера")],
            "Сегодня от {Alder News}.",
        ),
    ];
    for (marked, target, glosses, expected) in cases {
        assert_eq!(carried(marked, target, glosses), expected, "{marked}");
    }
}

#[test]
fn what_is_kept_is_not_lost() {
    // Its words are nowhere in the translation: it is put in, and no other word is taken out.
    assert_eq!(
        carried("Run {ls -l} now.", "Сейчас выполните это.", &[]),
        "Сейчас {ls -l} выполните это."
    );
}

#[test]
fn very_many_spans_take_linear_time() {
    let words = "слово ".repeat(50_000);
    for marked in [
        "[a] ".repeat(50_000),
        "[".repeat(100_000),
        "a/".repeat(50_000),
        "a* ".repeat(50_000),
        "{a} ".repeat(50_000),
        "[a".repeat(30_000) + &"]".repeat(30_000),
    ] {
        let (text, tags) = parse(&marked);
        for target in [words.as_str(), "слово", ""] {
            let start = std::time::Instant::now();
            let fitted = fit(&text, &tags, target, &Glosses::new());
            assert_eq!(
                fitted
                    .parts
                    .iter()
                    .filter(|part| part.mark.is_some())
                    .count(),
                tags.len()
            );
            // Quadratic time would be many minutes.
            assert!(start.elapsed().as_secs() < 30, "{}", &marked[..8]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_mark_comes_back_once_and_in_its_span(
        marked in "[ab2 .,\\[\\]*/]{0,40}",
        target in "[абв2 .,«»]{0,40}",
        glosses in prop::collection::hash_map("[ab2]{1,3}", "[абв2]{1,3}", 0..4),
    ) {
        let (text, tags) = parse(&marked);
        let fitted = fit(&text, &tags, &target, &glosses);
        // All of the translation is there, in order, and nothing else.
        let without: String = fitted.text.split_whitespace().collect();
        prop_assert_eq!(without, target.split_whitespace().collect::<String>());
        let mut at = 0;
        for part in &fitted.parts {
            prop_assert_eq!(part.text.start, at);
            at = part.text.end;
        }
        prop_assert_eq!(at, fitted.text.len());
        let marks: Vec<usize> = fitted.parts.iter().filter_map(|part| part.mark).collect();
        let mut sorted = marks.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..tags.len()).collect::<Vec<_>>());
        // Each stands in the same spans as before.
        prop_assert_eq!(homes(&marks, &tags), homes(&(0..tags.len()).collect::<Vec<_>>(), &tags));
    }
}

/// For each mark, by number, the mark that opens the span it stands in (for one that closes, which
/// it closes). Marks that close what began before are at the root.
fn homes(marks: &[usize], tags: &[Tag]) -> Vec<Option<usize>> {
    let mut homes = vec![None; tags.len()];
    let mut open = Vec::new();
    for &mark in marks {
        homes[mark] = open.last().copied();
        match tags[mark].kind {
            Kind::Open => open.push(mark),
            Kind::Close => drop(open.pop()),
            _ => {}
        }
    }
    homes
}
