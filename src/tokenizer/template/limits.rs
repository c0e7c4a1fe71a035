//! What a chat template may call, with a limit on all that it makes.
//!
//! Every value that passes through a filter, a method or the output is charged to one budget by its
//! size, before anything is made of it where the result could be larger. Filters that the published
//! templates do not use are left out.

use std::fmt::{self, Write};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, functions, tests};
use serde::Serialize;

/// Steps of one rendering; the published templates take some hundreds.
const STEPS: u64 = 50_000;
/// Bytes that one rendering may make beyond what grows with its input.
const BYTES: usize = 1 << 20;
/// Members that a value may have, all that lies in it counted.
const MEMBERS: usize = 4096;
/// What a member counts for, in bytes.
const MEMBER: usize = 32;
/// The most numbers that `range` gives.
const RANGE: usize = 1000;

/// What a rendering may still make.
#[derive(Debug)]
struct Budget(AtomicUsize);

impl Budget {
    fn charge(&self, bytes: usize) -> Result<(), Error> {
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            });
        taken
            .map(|_| ())
            .map_err(|_| refused("it makes too much text"))
    }

    /// Charges a value with all that lies in it.
    fn admit(&self, value: &Value) -> Result<(), Error> {
        let mut members = 0;
        self.admit_members(value, &mut members)
    }

    fn admit_members(&self, value: &Value, members: &mut usize) -> Result<(), Error> {
        if let Some(text) = value.as_str() {
            return self.charge(text.len());
        }
        if !is_container(value) {
            return Ok(());
        }
        let is_map = value.kind() == ValueKind::Map;
        if value.len().is_some_and(|length| length > MEMBERS) {
            return Err(refused("a list in it is too long"));
        }
        for member in value.try_iter()? {
            *members += 1;
            if *members > MEMBERS {
                return Err(refused("a list in it is too long"));
            }
            self.charge(MEMBER)?;
            self.admit_members(&member, members)?;
            if is_map {
                self.admit_members(&value.get_item(&member)?, members)?;
            }
        }
        Ok(())
    }
}

fn is_container(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable
    )
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// An environment without templates, for one rendering of `input` bytes of messages.
pub(super) fn environment(input: usize) -> Environment<'static> {
    let budget = Arc::new(Budget(AtomicUsize::new(
        BYTES.saturating_add(input.saturating_mul(64)),
    )));
    let mut environment = Environment::empty();
    environment.set_fuel(Some(STEPS));
    environment.set_recursion_limit(100);
    add_filters(&mut environment, &budget);
    add_checks(&mut environment, &budget);
    add_functions(&mut environment, &budget);
    add_tests(&mut environment, &budget);
    let methods = Arc::clone(&budget);
    environment.set_unknown_method_callback(move |state, value, method, args| {
        call_method(&methods, state, value, method, args)
    });
    environment.set_formatter(move |out, _, value| {
        if value.is_undefined() {
            return Ok(());
        }
        let mut limited = Limited {
            out,
            budget: &budget,
        };
        // The only error is that of the budget: what is written to is a string.
        write!(limited, "{value}").map_err(|_| refused("it makes too much text"))
    });
    environment
}

/// Writes what the budget allows.
struct Limited<'a, 'b> {
    out: &'a mut minijinja::Output<'b>,
    budget: &'a Budget,
}

impl Write for Limited<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The text of an empty list takes time as well.
        self.budget.charge(text.len() + 1).map_err(|_| fmt::Error)?;
        self.out.write_str(text)
    }
}

/// Adds a filter under a name that no template can write, and one under its own that charges for
/// what goes in and comes out.
macro_rules! bounded {
    ($environment:ident, $budget:ident, $($name:literal => $filter:expr),+ $(,)?) => {$(
        $environment.add_filter(concat!("\0", $name), $filter);
        let budget = Arc::clone($budget);
        $environment.add_filter($name, move |state: &State, args: Rest<Value>| {
            apply(&budget, state, concat!("\0", $name), &args)
        });
    )+};
}

fn apply(budget: &Budget, state: &State, name: &str, args: &[Value]) -> Result<Value, Error> {
    for arg in args {
        budget.admit(arg)?;
    }
    budget.charge(larger(&name[1..], args))?;
    let result = state.apply_filter(name, args)?;
    budget.admit(&result)?;
    Ok(result)
}

/// The most bytes that the result of a filter or method can have beyond those of what goes in.
fn larger(name: &str, args: &[Value]) -> usize {
    let text = |at: usize| args.get(at).and_then(Value::as_str).unwrap_or_default();
    match name {
        "replace" => {
            let (from, to) = (text(1), text(2));
            let found = if from.is_empty() {
                text(0).len() + 1
            } else {
                text(0).matches(from).count()
            };
            found.saturating_mul(to.len())
        }
        // The separator stands between members of a list, or between the letters of a text.
        "join" => {
            let parts = args.iter().map(count).max().unwrap_or(0);
            let longest = args.iter().filter_map(Value::as_str).map(str::len).max();
            parts.saturating_mul(longest.unwrap_or(0) + MEMBER)
        }
        "indent" => {
            let named = args.last().filter(|last| last.is_kwargs());
            let named = named.and_then(|named| named.get_attr("width").ok());
            let widths = args.iter().skip(1).chain(&named);
            let width = widths.filter_map(Value::as_usize).max().unwrap_or(4);
            (text(0).matches('\n').count() + 1).saturating_mul(width)
        }
        "list" | "reverse" | "sort" | "unique" => text(0).len().saturating_mul(MEMBER),
        "split" | "splitlines" => {
            let separator = text(1);
            let parts = if separator.is_empty() {
                text(0).len()
            } else {
                text(0).matches(separator).count() + 1
            };
            parts.saturating_mul(MEMBER)
        }
        _ => 0,
    }
}

/// JSON as Python writes it, with spaces behind commas and colons.
fn json(value: &Value) -> Result<String, Error> {
    struct Spaced;
    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_key<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
            writer.write_all(b": ")
        }
    }
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Spaced);
    value
        .serialize(&mut serializer)
        .map_err(|_| refused("a value in it cannot be written as JSON"))?;
    String::from_utf8(text).map_err(|_| refused("a value in it cannot be written as JSON"))
}

fn count(value: &Value) -> usize {
    value.as_str().map_or(value.len().unwrap_or(0), str::len)
}

fn add_filters(environment: &mut Environment<'static>, budget: &Arc<Budget>) {
    bounded!(environment, budget,
        "abs" => filters::abs,
        "attr" => filters::attr,
        "bool" => filters::bool,
        "capitalize" => filters::capitalize,
        "count" => filters::length,
        "d" => filters::default,
        "default" => filters::default,
        "dictsort" => filters::dictsort,
        "first" => filters::first,
        "float" => filters::float,
        "indent" => filters::indent,
        "int" => filters::int,
        "items" => filters::items,
        "join" => filters::join,
        "last" => filters::last,
        "length" => filters::length,
        "list" => filters::list,
        "lower" => filters::lower,
        "map" => filters::map,
        "max" => filters::max,
        "min" => filters::min,
        "reject" => filters::reject,
        "rejectattr" => filters::rejectattr,
        "replace" => filters::replace,
        "reverse" => filters::reverse,
        "safe" => filters::safe,
        "select" => filters::select,
        "selectattr" => filters::selectattr,
        "sort" => filters::sort,
        "split" => filters::split,
        "string" => filters::string,
        "title" => filters::title,
        "tojson" => json,
        "trim" => filters::trim,
        "unique" => filters::unique,
        "upper" => filters::upper,
    );
}

/// The filters that [`guarded`](super::guarded) writes.
fn add_checks(environment: &mut Environment<'static>, budget: &Arc<Budget>) {
    let admitting = Arc::clone(budget);
    environment.add_filter("__checked", move |value: Value| -> Result<Value, Error> {
        admitting.admit(&value)?;
        Ok(value)
    });
    let admitting = Arc::clone(budget);
    environment.add_filter("__scalar", move |value: Value| -> Result<Value, Error> {
        if is_container(&value) {
            return Err(refused("`~` joins texts, not lists"));
        }
        admitting.admit(&value)?;
        Ok(value)
    });
    environment.add_filter("__number", |value: Value| -> Result<Value, Error> {
        if value.kind() == ValueKind::Number {
            Ok(value)
        } else {
            Err(refused("`*` multiplies numbers, not texts or lists"))
        }
    });
}

fn add_functions(environment: &mut Environment<'static>, budget: &Arc<Budget>) {
    environment.add_function("namespace", functions::namespace);
    environment.add_function("dict", functions::dict);
    environment.add_function(
        "range",
        |first: isize, end: Option<isize>, step: Option<isize>| {
            let numbers = functions::range(first, end, step)?;
            if numbers.len().is_none_or(|length| length > RANGE) {
                return Err(refused("`range` gives too many numbers"));
            }
            Ok(numbers)
        },
    );
    let budget = Arc::clone(budget);
    environment.add_function("raise_exception", move |message: Value| {
        budget.admit(&message)?;
        Err::<Value, _>(Error::new(ErrorKind::InvalidOperation, message.to_string()))
    });
}

fn add_tests(environment: &mut Environment<'static>, budget: &Arc<Budget>) {
    environment.add_test("boolean", tests::is_boolean);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("divisibleby", tests::is_divisibleby);
    environment.add_test("even", tests::is_even);
    environment.add_test("false", tests::is_false);
    environment.add_test("float", tests::is_float);
    environment.add_test("integer", tests::is_integer);
    environment.add_test("iterable", tests::is_iterable);
    environment.add_test("mapping", tests::is_mapping);
    environment.add_test("none", tests::is_none);
    environment.add_test("number", tests::is_number);
    environment.add_test("odd", tests::is_odd);
    environment.add_test("sequence", tests::is_sequence);
    environment.add_test("string", tests::is_string);
    environment.add_test("true", tests::is_true);
    environment.add_test("undefined", tests::is_undefined);
    for (name, equal) in [("eq", true), ("equalto", true), ("ne", false)] {
        let budget = Arc::clone(budget);
        environment.add_test(
            name,
            move |one: Value, other: Value| -> Result<bool, Error> {
                budget.admit(&one)?;
                budget.admit(&other)?;
                Ok((one == other) == equal)
            },
        );
    }
    let budget = Arc::clone(budget);
    environment.add_test("in", move |state: &State, one: Value, list: Value| {
        budget.admit(&one)?;
        budget.admit(&list)?;
        tests::is_in(state, &one, &list)
    });
}

/// Methods of Python's values, but for those that make text of any length.
fn call_method(
    budget: &Budget,
    state: &State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if method == "format" {
        return Err(Error::from(ErrorKind::UnknownMethod));
    }
    let all: Vec<Value> = std::iter::once(value).chain(args).cloned().collect();
    for value in &all {
        budget.admit(value)?;
    }
    budget.charge(larger(method, &all))?;
    let result = minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)?;
    budget.admit(&result)?;
    Ok(result)
}
