//! Files of terms: TOML and tab-separated values.

use serde::Deserialize;

use super::{Term, TermCase};
use crate::language::Language;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    term: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    source: String,
    target: String,
    #[serde(default)]
    forms: Vec<String>,
    #[serde(default)]
    case: Case,
    #[serde(default = "yes")]
    inflect: bool,
    from: Option<Language>,
    to: Option<Language>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Case {
    #[default]
    Ignore,
    Exact,
}

fn yes() -> bool {
    true
}

/// The terms of a TOML file.
pub(super) fn toml(text: &str) -> Result<Vec<Term>, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        format!("line {line}: {}", error.message())
    })?;
    let terms = file.term.into_iter().map(|entry| Term {
        source: entry.source,
        target: entry.target,
        forms: entry.forms,
        case: match entry.case {
            Case::Ignore => TermCase::Ignore,
            Case::Exact => TermCase::Exact,
        },
        inflect: entry.inflect,
        from: entry.from,
        to: entry.to,
    });
    terms
        .map(|term| checked(term).map_err(|message| format!("term `{message}` is empty")))
        .collect()
}

/// The terms of lines of tab-separated values.
pub(super) fn tsv(text: &str) -> Result<Vec<Term>, String> {
    let mut terms = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let failed = |message: &str| format!("line {number}: {message}");
        let mut fields = line.split('\t');
        let source = fields.next().unwrap_or_default().trim();
        let target = fields
            .next()
            .ok_or_else(|| failed("there is no tab in it"))?
            .trim();
        let mut term = Term::new(source, target);
        for field in fields {
            options(&mut term, field).map_err(|message| failed(&message))?;
        }
        terms.push(checked(term).map_err(|_| failed("a term is empty"))?);
    }
    Ok(terms)
}

fn checked(term: Term) -> Result<Term, String> {
    let is_term = |text: &str| text.chars().any(char::is_alphanumeric);
    if is_term(&term.source) && is_term(&term.target) {
        Ok(term)
    } else {
        Err(term.source)
    }
}

/// Reads `case=exact inflect=no from=ru to=en forms=a|b`; forms come last, since they may hold
/// spaces.
fn options(term: &mut Term, field: &str) -> Result<(), String> {
    let (plain, forms) = match field.split_once("forms=") {
        Some((plain, forms)) => (plain, Some(forms)),
        None => (field, None),
    };
    if let Some(forms) = forms {
        let forms = forms.split('|').map(|form| form.trim().to_owned());
        term.forms.extend(forms.filter(|form| !form.is_empty()));
    }
    for option in plain
        .split([' ', ',', ';'])
        .filter(|option| !option.is_empty())
    {
        let language = |code: &str| code.parse::<Language>().map_err(|error| error.to_string());
        match option.split_once('=') {
            Some(("case", "exact")) => term.case = TermCase::Exact,
            Some(("case", "ignore")) => term.case = TermCase::Ignore,
            Some(("inflect", "yes" | "true")) => term.inflect = true,
            Some(("inflect", "no" | "false")) => term.inflect = false,
            Some(("from", code)) => term.from = Some(language(code)?),
            Some(("to", code)) => term.to = Some(language(code)?),
            _ => return Err(format!("unknown option `{option}`")),
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let tsv = tsv("# our words\n\nцентробанк\tcentral bank\tcase=exact inflect=no from=ru to=en forms=CBR|the bank\n").unwrap();
        let toml = toml("[[term]]\nsource = \"центробанк\"\ntarget = \"central bank\"\ncase = \"exact\"\ninflect = false\nfrom = \"ru\"\nto = \"en\"\nforms = [\"CBR\", \"the bank\"]\n").unwrap();
        assert_eq!(tsv, toml);
        assert_eq!(tsv[0].forms, ["CBR", "the bank"]);
        assert!(toml_terms_default().inflect);
    }

    fn toml_terms_default() -> Term {
        toml("[[term]]\nsource = \"a\"\ntarget = \"b\"\n")
            .unwrap()
            .remove(0)
    }

    #[test]
    fn errors_name_the_line() {
        for (text, expected) in [
            ("a\tb\nc d\n", "line 2: there is no tab in it"),
            ("a\t-\n", "line 1: a term is empty"),
            ("a\tb\tcase=some\n", "line 1: unknown option `case=some`"),
            ("a\tb\tto=xx\n", "line 1: unknown language `xx`"),
        ] {
            assert_eq!(tsv(text).unwrap_err(), expected);
        }
        assert!(
            toml("[[term]]\nsource = 1\n")
                .unwrap_err()
                .starts_with("line 2: ")
        );
    }
}
