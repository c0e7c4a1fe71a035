//! A model that makes faults, and what becomes of its outputs.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::glossary::Term;

const SOURCE: &str =
    "The council opened 3 new schools on Monday, and the mayor thanked the builders of the town.";
const GOOD: &str =
    "В понедельник совет открыл 3 новые школы, и мэр поблагодарил строителей города.";

/// How it was asked, the texts, and what they must say.
type Asked = (Way, Vec<String>, Vec<Vec<Phrase>>);

/// Answers from a list, one answer an attempt; the last one again and again.
struct Fake {
    answers: Vec<&'static str>,
    asked: std::cell::RefCell<Vec<Asked>>,
    other_way: bool,
    takes_terms: bool,
    /// What it was told of what stands around the texts.
    backgrounds: std::cell::RefCell<Vec<Vec<Option<String>>>>,
    /// The word that it writes a placeholder for.
    slot: &'static str,
}

impl Fake {
    fn new(answers: &[&'static str]) -> Self {
        Self {
            answers: answers.to_vec(),
            asked: std::cell::RefCell::default(),
            other_way: true,
            takes_terms: false,
            backgrounds: std::cell::RefCell::default(),
            slot: "школы",
        }
    }
}

impl Translates for Fake {
    fn id(&self) -> &str {
        "fake"
    }

    fn has_other_way(&self) -> bool {
        self.other_way
    }

    fn takes_terms(&self) -> bool {
        self.takes_terms
    }

    fn translate(&self, texts: Texts<'_>, way: Way, _: &mut Watch) -> Result<Vec<Option<Segment>>> {
        let number = self.asked.borrow().len().min(self.answers.len() - 1);
        let list = texts.texts.iter().map(|text| (*text).to_owned()).collect();
        self.asked
            .borrow_mut()
            .push((way, list, texts.phrases.to_vec()));
        self.backgrounds
            .borrow_mut()
            .push(texts.backgrounds.to_vec());
        let answer = |text: &&str| {
            // A model that copies placeholders.
            let mark = text.split_whitespace().find(|word| word.starts_with("XQ"));
            let text = match mark {
                Some(mark) => self.answers[number].replace(self.slot, mark),
                None => self.answers[number].to_owned(),
            };
            Some(Segment {
                answer: Answer {
                    text,
                    finish: Finish::Stop,
                },
                warnings: Vec::new(),
            })
        };
        Ok(texts.texts.iter().map(answer).collect())
    }
}

/// From English into Russian, by one model.
fn checks(glossary: &Glossary) -> Checks<'_> {
    Checks {
        from: Some(Language::English),
        to: Some(Language::Russian),
        glossary,
        backgrounds: &[],
        is_bounded: false,
        route: None,
    }
}

fn run(model: &Fake, glossary: &Glossary) -> Output {
    let checks = checks(glossary);
    let outputs = translate(
        model,
        &mut || None,
        &checks,
        &[SOURCE],
        &mut Watch::new(None),
    );
    outputs.unwrap().pop().unwrap().unwrap()
}

const FAULTS: [(&str, &str); 11] = [
    ("empty_output", ""),
    ("source_copied", SOURCE),
    (
        "source_copied",
        "В понедельник совет открыл 3 новые школы, and the mayor thanked the builders of the town.",
    ),
    (
        "wrong_script",
        "افتتح المجلس 3 مدارس جديدة يوم الاثنين، وشكر العمدة بناة المدينة.",
    ),
    (
        "wrong_language",
        "У понеділок рада відкрила 3 нові школи, і мер подякував будівельникам міста, що її будували.",
    ),
    (
        "repetition",
        "В понедельник совет открыл 3 новые школы, и мэр поблагодарил поблагодарил поблагодарил поблагодарил строителей.",
    ),
    (
        "numbers_differ",
        "В понедельник совет открыл 4 новые школы, и мэр поблагодарил строителей города.",
    ),
    (
        "dates_differ",
        "В среду совет открыл 3 новые школы, и мэр поблагодарил строителей города.",
    ),
    ("too_short", "Совет открыл 3 школы"),
    (
        "placeholders_differ",
        "В понедельник совет открыл 3 новые школы, и мэр поблагодарил строителей города #мост.",
    ),
    (
        "addresses_differ",
        "В понедельник совет открыл 3 новые школы, и мэр поблагодарил строителей города. www.example.org",
    ),
];

#[test]
fn what_goes_right_at_once_is_asked_once() {
    let model = Fake::new(&[GOOD]);
    let output = run(&model, &Glossary::new());
    assert_eq!(
        (
            output.text.as_str(),
            output.faults.len(),
            output.is_repaired
        ),
        (GOOD, 0, false)
    );
    assert_eq!(model.asked.borrow().len(), 1);
}

#[test]
fn a_fault_that_goes_away_is_repaired() {
    for (kind, bad) in FAULTS {
        let model = Fake::new(&[bad, GOOD]);
        let output = run(&model, &Glossary::new());
        assert_eq!(
            (output.text.as_str(), output.is_repaired),
            (GOOD, true),
            "{kind}"
        );
        let asked = model.asked.borrow();
        assert_eq!(
            asked.iter().map(|(way, _, _)| *way).collect::<Vec<_>>(),
            [Way::Usual, Way::Other]
        );
    }
}

#[test]
fn a_fault_that_stays_is_kept_with_its_name() {
    for (kind, bad) in FAULTS {
        let model = Fake::new(&[bad]);
        let output = run(&model, &Glossary::new());
        let kinds: Vec<&str> = output
            .faults
            .iter()
            .map(|fault| fault.kind.as_str())
            .collect();
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
        assert!(!output.is_repaired);
        // The model's own way, another one, and in parts.
        assert_eq!(model.asked.borrow().len(), 3, "{kind}");
    }
}

#[test]
fn a_placeholder_that_is_changed_is_put_behind_a_slot() {
    let source = "The council opened new schools, and {name} thanked the builders.";
    // The model translates the placeholder, and copies a slot.
    let mut model = Fake::new(&["Совет открыл новые школы, и {имя} поблагодарил строителей."]);
    model.slot = "{имя}";
    let glossary = Glossary::new();
    let checks = checks(&glossary);
    let mut watch = Watch::new(None);
    let outputs = translate(&model, &mut || None, &checks, &[source], &mut watch);
    let output = outputs.unwrap().pop().unwrap().unwrap();
    assert_eq!(
        (output.text.as_str(), output.is_repaired),
        (
            "Совет открыл новые школы, и {name} поблагодарил строителей.",
            true
        )
    );
}

#[test]
fn parts_are_tried_without_another_way_and_joined() {
    let mut model = Fake::new(&[
        "",
        "В понедельник совет открыл 3 новые школы для детей города.",
    ]);
    model.other_way = false;
    let output = run(&model, &Glossary::new());
    let asked = model.asked.borrow();
    assert_eq!(asked[1].1.join(" "), SOURCE);
    assert_eq!(
        output.text.matches("совет открыл").count(),
        asked[1].1.len()
    );
}

#[test]
fn the_next_model_is_asked_last() {
    let model = Fake::new(&[""]);
    let glossary = Glossary::new();
    let checks = checks(&glossary);
    let mut next = || -> Option<Box<dyn Translates>> { Some(Box::new(Fake::new(&[GOOD]))) };
    let outputs = translate(&model, &mut next, &checks, &[SOURCE], &mut Watch::new(None));
    let output = outputs.unwrap().pop().unwrap().unwrap();
    assert_eq!((output.text.as_str(), output.is_repaired), (GOOD, true));
}

/// A model during whose first work the caller stops.
struct Stopped(Fake);

impl Translates for Stopped {
    fn id(&self) -> &str {
        "stopped"
    }

    fn takes_terms(&self) -> bool {
        false
    }

    fn has_other_way(&self) -> bool {
        true
    }

    fn translate(
        &self,
        texts: Texts<'_>,
        way: Way,
        watch: &mut Watch,
    ) -> Result<Vec<Option<Segment>>> {
        let found = self.0.translate(texts, way, watch);
        assert!(watch.tell(0, 0).is_break());
        found
    }
}

#[test]
fn what_was_still_to_be_mended_when_the_caller_stops_is_not_finished() {
    let glossary = Glossary::new();
    let checks = checks(&glossary);
    for (answer, is_finished) in [(GOOD, true), ("", false)] {
        let model = Stopped(Fake::new(&[answer]));
        let stop = std::sync::Arc::new(|_: &_| std::ops::ControlFlow::Break(()));
        let mut watch = Watch::new(Some(stop));
        let found = translate(&model, &mut || None, &checks, &[SOURCE], &mut watch);
        assert_eq!(found.unwrap()[0].is_some(), is_finished, "{answer:?}");
    }
}

#[test]
fn terms_are_asked_for_and_then_put_behind_placeholders() {
    let mut glossary = Glossary::new();
    glossary.add(Term::new("schools", "гимназии")).unwrap();
    // The other way says it.
    let said = "В понедельник совет открыл 3 новые гимназии, и мэр поблагодарил строителей города.";
    let model = Fake::new(&[GOOD, said]);
    let output = run(&model, &glossary);
    assert_eq!(
        (output.text.as_str(), output.terms.held, output.is_repaired),
        (said, 1, true)
    );
    let phrase = |source: Option<&str>, target: &str| Phrase {
        source: source.map(str::to_owned),
        target: target.to_owned(),
    };
    let asked = model.asked.borrow()[1].2.clone();
    assert_eq!(asked, [[phrase(Some("schools"), "гимназии")]]);
    // No way says it, but placeholders are copied.
    let model = Fake::new(&[GOOD]);
    let output = run(&model, &glossary);
    assert_eq!(
        (output.text.as_str(), output.terms.held, output.is_repaired),
        (said, 1, true)
    );
    let asked = model.asked.borrow()[2].2.clone();
    assert_eq!(asked, [[phrase(None, "XQAA")]]);
    // It cannot be had.
    let model = Fake::new(&[
        "В понедельник совет открыл 3 новых здания, и мэр поблагодарил строителей города.",
    ]);
    let output = run(&model, &glossary);
    assert_eq!(output.faults[0].kind, WarningKind::GlossaryMissed);
    assert_eq!((output.terms.held, output.terms.missed), (0, 1));
}

#[test]
fn the_next_model_is_made_to_say_a_term_that_the_first_could_not() {
    let mut glossary = Glossary::new();
    glossary.add(Term::new("schools", "гимназии")).unwrap();
    let checks = checks(&glossary);
    let mut first = Fake::new(&[""]);
    first.other_way = false;
    let said = "В понедельник совет открыл 3 новые гимназии, и мэр поблагодарил строителей города.";
    let mut next = || -> Option<Box<dyn Translates>> { Some(Box::new(Fake::new(&[GOOD, said]))) };
    let outputs = translate(&first, &mut next, &checks, &[SOURCE], &mut Watch::new(None));
    let output = outputs.unwrap().pop().unwrap().unwrap();
    assert_eq!((output.text.as_str(), output.terms.held), (said, 1));
}

const ARABIC: &str = "افتتح المجلس 3 مدارس جديدة يوم الاثنين، وشكر العمدة بناة المدينة.";

/// From Arabic by way of English, where the term of the glossary is in no text.
fn run_route(first: &Fake, last: &Fake) -> Output {
    let mut glossary = Glossary::new();
    let mut term = Term::new("مدارس", "гимназии");
    term.from = Some(Language::Arabic);
    glossary.add(term).unwrap();
    let checks = Checks {
        route: Some(Route {
            texts: &[ARABIC],
            from: Some(Language::Arabic),
            models: &Relay { first, last },
        }),
        ..checks(&glossary)
    };
    let mut watch = Watch::new(None);
    let outputs = translate(last, &mut || None, &checks, &[SOURCE], &mut watch);
    outputs.unwrap().pop().unwrap().unwrap()
}

#[test]
fn terms_hold_by_way_of_another_language() {
    let said = "В понедельник совет открыл 3 новые гимназии, и мэр поблагодарил строителей города.";
    let first = || {
        let mut first = Fake::new(&[SOURCE]);
        first.slot = "schools";
        first
    };
    let result = |output: &Output| (output.terms.held, output.terms.missed, output.is_repaired);
    // The last model is asked for it.
    let (before, last) = (first(), Fake::new(&[GOOD, said]));
    let output = run_route(&before, &last);
    assert_eq!(
        (output.text.as_str(), result(&output)),
        (said, (1, 0, true))
    );
    let wanted = Phrase {
        source: None,
        target: "гимназии".to_owned(),
    };
    assert_eq!(last.asked.borrow()[1].2, [[wanted]]);
    assert!(before.asked.borrow().is_empty());
    // It does not say it, and a placeholder goes all the way.
    let (before, last) = (first(), Fake::new(&[GOOD]));
    let output = run_route(&before, &last);
    assert_eq!(
        (output.text.as_str(), result(&output)),
        (said, (1, 0, true))
    );
    assert_eq!(
        before.asked.borrow()[0].1,
        [ARABIC.replace("مدارس", "XQAA")]
    );
    // The first model loses the placeholder.
    let (before, last) = (Fake::new(&[SOURCE]), Fake::new(&[GOOD]));
    let output = run_route(&before, &last);
    assert_eq!(
        (output.text.as_str(), result(&output)),
        (GOOD, (0, 1, false))
    );
    let faults: Vec<&str> = output.faults.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(faults, ["`مدارس` is not translated as `гимназии`"]);
}

#[test]
fn a_term_that_begins_a_translation_has_a_capital() {
    let mut glossary = Glossary::new();
    glossary.add(Term::new("bridge", "виадук")).unwrap();
    glossary.add(Term::new("جسر", "виадук")).unwrap();
    glossary.add(Term::kept("eBay")).unwrap();
    for (source, target, expected) in [
        ("The bridge is shut.", "виадук закрыт.", "Виадук закрыт."),
        ("“The bridge is shut”", "«виадук закрыт»", "«Виадук закрыт»"),
        ("الجسر مغلق.", "виадук закрыт.", "Виадук закрыт."),
        ("the bridge is shut", "виадук закрыт", "виадук закрыт"),
        ("Old bridge", "старый виадук", "старый виадук"),
        ("Users of eBay", "eBay и другие", "eBay и другие"),
    ] {
        let mut text = target.to_owned();
        capitalize(&mut text, source, &glossary.hits(source, None, None));
        assert_eq!(text, expected);
    }
}

#[test]
fn a_model_that_takes_terms_and_context_is_told_at_once() {
    let mut glossary = Glossary::new();
    glossary.add(Term::new("schools", "школы")).unwrap();
    glossary.add(Term::new("mayor", "мэр")).unwrap();
    for takes_terms in [false, true] {
        let model = Fake {
            takes_terms,
            ..Fake::new(&[GOOD])
        };
        let background = [Some("New schools".to_owned())];
        let checks = Checks {
            backgrounds: &background,
            ..checks(&glossary)
        };
        let mut watch = Watch::new(None);
        let outputs = translate(&model, &mut || None, &checks, &[SOURCE], &mut watch).unwrap();
        let output = outputs[0].as_ref().unwrap();
        assert!(output.faults.is_empty() && output.terms.held == 2);
        let asked = model.asked.borrow();
        assert_eq!(asked.len(), 1);
        let told: Vec<(Option<&str>, &str)> = asked[0]
            .2
            .iter()
            .flatten()
            .map(|phrase| (phrase.source.as_deref(), phrase.target.as_str()))
            .collect();
        let all = [(Some("schools"), "школы"), (Some("mayor"), "мэр")];
        assert_eq!(told, if takes_terms { &all[..] } else { &[] });
        assert_eq!(model.backgrounds.borrow()[0], background);
    }
}
