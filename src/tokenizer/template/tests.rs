//! Templates render as by transformers, and hostile ones end with an error.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::*;

const SIMPLE: [(&str, &str); 2] = [("system", "Be brief."), ("user", "Hello")];

fn render(source: &str) -> Result<String, String> {
    ChatTemplate::new(source, "<s>".to_owned(), "</s>".to_owned())?.render(&SIMPLE)
}

/// The rows come from `tests/fixtures/make_chat_templates.py`.
#[test]
fn templates_render_as_by_transformers() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat/templates.json");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let fixture: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut failures = Vec::new();
    let rows = fixture["rows"].as_array().map_or(&[][..], Vec::as_slice);
    for row in rows {
        let name = row["name"].as_str().unwrap_or_default();
        let source = fixture["templates"][name].as_str().unwrap_or_default();
        let messages: Vec<(&str, &str)> = row["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|message| Some((message["role"].as_str()?, message["content"].as_str()?)))
            .collect();
        let found = ChatTemplate::new(source, "<s>".to_owned(), "</s>".to_owned())
            .and_then(|template| template.render(&messages));
        if found.as_deref() != Ok(row["text"].as_str().unwrap_or_default()) {
            failures.push(format!("{name}: {found:?}\n    not {}", row["text"]));
        }
    }
    assert!(rows.len() > 50);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Templates that take more of a machine than any prompt needs, by kind.
fn hostile() -> Vec<(&'static str, String)> {
    let mut cases: Vec<(&'static str, String)> = Vec::new();
    let mut add = |kind, sources: Vec<String>| {
        cases.extend(sources.into_iter().map(|source| (kind, source)));
    };
    let doubling = |step: &str| {
        let steps = format!("{{% set x = {step} %}}").repeat(60);
        format!("{{% set x = 'xxxxxxxx' %}}{steps}{{{{ x | length }}}}")
    };
    let in_loop = |step: &str| {
        format!(
            "{{% set ns = namespace(x='xxxxxxxx', l=['x']) %}}{{% for i in range(900) %}}\
             {{% set ns.x = {step} %}}{{% endfor %}}{{{{ ns.x | length }}}}"
        )
    };
    add(
        "loops",
        [2, 3, 4, 8]
            .iter()
            .map(|&depth| {
                let open: String = (0..depth)
                    .map(|n| format!("{{% for i{n} in range(1000) %}}"))
                    .collect();
                open + "{% set x = 1 %}" + &"{% endfor %}".repeat(depth)
            })
            .chain([
                "{% for i in range(10000000000) %}{% endfor %}".to_owned(),
                "{% for i in range(-1000000000000, 1000000000000) %}x{% endfor %}".to_owned(),
                "{% for i in range(1, 9000000, 2) | list %}x{% endfor %}".to_owned(),
            ])
            .collect(),
    );
    add(
        "recursion",
        [
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
            "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% for m in [messages] recursive %}{{ loop([messages]) }}{% endfor %}",
            "{% macro f() %}{% call f() %}x{% endcall %}{% endmacro %}{{ f() }}",
        ]
        .map(str::to_owned)
        .to_vec(),
    );
    let steps = [
        "x ~ x",
        "x + x",
        "x ~ '' ~ x",
        "(x ~ x)",
        "x ~ (x if true else x)",
        "(x + x) | trim",
        "[x, x] | join",
        "[x, x, x] | join(x)",
        "x | replace('x', 'xx')",
        "x | replace('x', x)",
        "x | replace('', x)",
        "x.replace('x', x)",
        "x.join([x, x])",
        "x.join('xxxx')",
        "('x' ~ x) | replace('x', 'xxxxxxxxxx')",
        "(x ~ '\\n' ~ x) | indent(1000)",
        "[[x, x] | join, x] | join",
        "{'a': x, 'b': x} | tojson",
        "[x, x] | string",
        "[x, x] | map('string') | join",
        "x ~ x[:]",
        "x[0:] ~ x[0:]",
        "x + x[::1]",
        "x.upper() ~ x.lower()",
        "(x ~ x).split('y') | join",
        "x | list | join('xx')",
        "[x] | map('replace', 'x', 'xx') | first",
        "[x + x] | sort | first",
    ];
    add(
        "doubling",
        steps.iter().map(|step| doubling(step)).collect(),
    );
    add(
        "doubling in a loop",
        steps
            .iter()
            .map(|step| in_loop(&step.replace("x ", "ns.x ").replace("x)", "ns.x)")))
            .chain(["ns.x ~ ns.x", "ns.x + ns.x", "ns.x ~ i", "'' ~ ns.x ~ ns.x"].map(in_loop))
            .collect(),
    );
    add(
        "captures",
        [
            "{% set x = 'xxxx' %}".to_owned() + &"{% set x %}{{ x }}{{ x }}{% endset %}".repeat(60),
            "{% macro d(x) %}{{ x }}{{ x }}{% endmacro %}{% set x = 'xxxx' %}".to_owned()
                + &"{% set x = d(x) %}".repeat(60),
            "{% macro d(x) %}{{ x }}{{ x }}{% endmacro %}{{ ".to_owned()
                + &"d(".repeat(30)
                + "'xx'"
                + &")".repeat(30)
                + " }}",
            "{% set x = 'xxxx' %}".to_owned()
                + &"{% set x %}{% filter upper %}{{ x }}{{ x }}{% endfilter %}{% endset %}"
                    .repeat(60),
            "{% macro c() %}{{ caller() }}{{ caller() }}{% endmacro %}".to_owned()
                + &"{% call c() %}".repeat(40)
                + "x"
                + &"{% endcall %}".repeat(40),
        ]
        .to_vec(),
    );
    add(
        "repetition",
        [
            "{{ 'x' * 9999999999 }}",
            "{{ 9999999999 * 'x' }}",
            "{{ 'x' * 99999999 }}",
            "{{ [0] * 99999999 }}",
            "{{ (['x'] * 1000000) | join }}",
            "{{ 'x' * 99999999 + 'x' * 99999999 }}",
            "{% set x = 'x' * 10000 * 10000 %}",
            "{{ ('x' * 50000000) | length }}",
            "{{ 'x' | indent(9999999999) }}",
            "{{ 'x\\nx' | indent(width=99999999) }}",
            "{{ 'x\\nx' | indent(99999999, true, true) }}",
            "{{ ['x\\nx'] | map('indent', width=99999999) | list }}",
            "{{ 'x\\nx' | indent(**{'width': 99999999}) }}",
            "{{ 'x' | center(99999999999) }}",
            "{{ '%99999999999d' | format(1) }}",
            "{{ '%99999999999d' % 1 }}",
            "{{ '{:>99999999999}'.format(1) }}",
            "{{ 'x'.ljust(99999999999) }}",
            "{{ 'x'.zfill(99999999999) }}",
            "{{ 'x' | batch(99999999, 'x') | list }}",
            "{{ [1] | slice(99999999) | list }}",
            "{{ {'a': 1} | tojson(indent=999999999) }}",
            "{{ lipsum(n=100000) }}",
            "{{ range(99999999) | join('xxxxxxxxxxxxxxxxxxxxxxxx') }}",
            "{{ range(1000) | map('string') | join('x' ~ 'x' * 100000) }}",
            "{{ cycler(*range(1000)) }}",
        ]
        .map(str::to_owned)
        .to_vec(),
    );
    let nested = |step: &str| {
        format!(
            "{{% set l = [1, 2] %}}{}{{% set m = [1, 2] %}}{}",
            format!("{{% set l = {step} %}}").repeat(60),
            format!("{{% set m = {} %}}", step.replace('l', "m")).repeat(60),
        )
    };
    let uses = [
        "{{ l }}",
        "{{ l == m }}",
        "{{ l != m }}",
        "{{ l < m }}",
        "{{ l in [m] }}",
        "{{ m in l }}",
        "{{ m not in l }}",
        "{{ l | tojson }}",
        "{{ l | string }}",
        "{{ l ~ '' }}",
        "{{ {l: 1} }}",
        "{{ {'a': 1}[l] }}",
        "{{ {'a': 1}[l if true else 1] }}",
        "{{ l | join }}",
        "{{ l | sort }}",
        "{{ [l, m] | sort }}",
        "{{ [l, m] | unique | list }}",
        "{{ [l, m] | min }}",
        "{{ [{'a': l}] | selectattr('a', 'eq', m) | list }}",
        "{% for a in [l, m] %}{{ loop.changed(a) }}{% endfor %}",
        "{{ (l) == (m) }}",
        "{{ l is eq(m) }}",
        "{{ l is sameas(m) }}",
        "{{ raise_exception(l) }}",
        "{{ dict(a=l) == dict(a=m) }}",
        "{{ [l].count(m) }}",
        "{{ namespace(a=l)['a'] == m }}",
    ];
    add(
        "values within values",
        uses.iter()
            .flat_map(|use_of| ["[l, l]", "{'a': l, 'b': l}"].map(|step| nested(step) + use_of))
            .collect(),
    );
    add(
        "lists",
        [
            "{% set l = [0] %}".to_owned() + &"{% set l = l + l %}".repeat(60) + "{{ l | length }}",
            "{% set l = [0] %}".to_owned() + &"{% set l = l + l %}".repeat(60) + "{% for a in l %}{% endfor %}",
            "{% macro f() %}{{ varargs }}{% endmacro %}{% set l = [0] %}".to_owned()
                + &"{% set l = l + l %}".repeat(60)
                + "{{ f(*l) }}",
            "{% set ns = namespace(l=[], t='x') %}{% for i in range(1000) %}{% for j in range(1000) %}{% set ns.l = [ns.l, 'x' ~ ns.t] %}{% endfor %}{% endfor %}".to_owned(),
            "{% set ns = namespace(l=[]) %}{% for i in range(1000) %}{% for j in range(20) %}{% set ns.l = [ns.l] %}{% endfor %}{% endfor %}{{ ns.l }}".to_owned(),
        ]
        .to_vec(),
    );
    let deep = |open: &str, middle: &str, close: &str, times: usize| {
        open.repeat(times) + middle + &close.repeat(times)
    };
    add(
        "nesting",
        [100, 1_000, 20_000]
            .into_iter()
            .flat_map(|times| {
                [
                    format!("{{{{ {} }}}}", deep("(", "1", ")", times)),
                    format!("{{{{ {} }}}}", deep("[", "1", "]", times)),
                    format!("{{{{ {} }}}}", deep("{'a':", "1", "}", times)),
                    format!("{{{{ {}x }}}}", "not ".repeat(times * 10)),
                    format!("{{{{ {}1 }}}}", "- ".repeat(times * 10)),
                    format!("{{{{ x{} }}}}", ".a".repeat(times * 10)),
                    format!("{{{{ 'x'{} }}}}", "|trim".repeat(times * 10)),
                    format!("{{{{ 1{} }}}}", " + 1".repeat(times * 10)),
                    format!("{{{{ {}1 }}}}", "1 if 1 else ".repeat(times * 10)),
                    format!("{{{{ f{} }}}}", "()".repeat(times * 10)),
                    format!("{{{{ f{} }}}}", "[0]".repeat(times * 10)),
                    deep("{% if 1 %}", "", "{% endif %}", times * 2),
                    deep("{% for a in [1] %}", "", "{% endfor %}", times * 2),
                    format!(
                        "{{% if 0 %}}{}{{% endif %}}",
                        "{% elif 0 %}".repeat(times * 5)
                    ),
                ]
            })
            .collect(),
    );
    add(
        "length",
        vec![
            "x".repeat(1 << 20),
            "{#".to_owned() + &"x".repeat(1 << 20) + "#}",
            "{{ 1 }}".repeat(10_000),
        ],
    );
    add(
        "broken",
        [
            "{{",
            "{%",
            "{#",
            "{{ 'x }}",
            "{% if %}",
            "{% endif %}",
            "{{ ) }}",
            "{{ ( }}",
            "{{ } }}",
            "{% raw %}",
            "{{ 1 + }}",
            "{% for %}{% endfor %}",
            "{% include 'x' %}",
            "{% extends 'x' %}",
            "{% import 'x' as y %}",
            "{% block a %}{% endblock %}",
            "{% autoescape true %}{% endautoescape %}",
            "{{ x | nothing }}",
            "{{ x is nothing }}",
            "{{ nothing() }}",
            "{{ 'x'.nothing() }}",
            "{{ x.y.z }}",
            "{{ \u{0} }}",
            "{{ 1 / 0 }}",
            "{{ 9 ** 9 ** 9 ** 9 }}",
            "{{ raise_exception('no') }}",
            "{{ '\\",
            "{{ 1 2 }}",
            "{{ ; }}",
            "{{ @ }}",
            "{{ a[ }}",
            "{% set %}",
            "{% macro %}",
            "{% call %}",
        ]
        .map(str::to_owned)
        .to_vec(),
    );
    cases
}

#[test]
fn hostile_templates_end_with_an_error_and_little_text() {
    let cases = hostile();
    assert!(cases.len() > 200, "{} cases", cases.len());
    let mut failures = Vec::new();
    for (kind, source) in cases {
        let start = Instant::now();
        let found = render(&source);
        let took = start.elapsed();
        let shown: String = source.chars().take(160).collect();
        // Some of them are too small to do harm: a hundred brackets, a loop with little in it.
        if let Ok(text) = &found
            && text.len() > 1 << 20
        {
            failures.push(format!("{kind}: {} bytes of {shown}", text.len()));
        }
        if found
            .as_ref()
            .is_err_and(|message| message.len() > 1000 || message.is_empty())
        {
            failures.push(format!("{kind}: the message of {shown}"));
        }
        if took > Duration::from_secs(2) {
            failures.push(format!("{kind}: {took:?} for {shown}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn errors_say_which_limit_a_template_exceeds() {
    let cases = [
        (
            "{% for a in range(900) %}{% for b in range(900) %}{% endfor %}{% endfor %}",
            "too many steps",
        ),
        ("{{ 'x' * 9999999999 }}", "multiplies numbers"),
        ("{{ range(99999) }}", "too many numbers"),
        ("{{ [[[[1]]]] ~ '' }}", "not lists"),
        ("{% include 'x' %}", "`include` is not supported"),
        (
            "{{ raise_exception('System role not supported') }}",
            "System role not supported",
        ),
    ];
    let mut failures = Vec::new();
    for (source, part) in cases {
        let found = render(source);
        if !found.as_ref().is_err_and(|message| message.contains(part)) {
            failures.push(format!("{source}: {found:?}, not {part}"));
        }
    }
    let doubled = "{% set x = 'xxxx' %}".to_owned() + &"{% set x = x ~ x %}".repeat(40);
    let found = render(&doubled);
    if !found
        .as_ref()
        .is_err_and(|message| message.contains("too much text"))
    {
        failures.push(format!("doubling: {:?}", found.map(|text| text.len())));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
