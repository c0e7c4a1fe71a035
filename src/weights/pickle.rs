//! The part of Python's pickle protocol 2 that PyTorch writes for a dictionary of tensors.
//!
//! A virtual machine that builds values and calls nothing: what a pickle asks to import or to call
//! is kept as data. It allocates no more than a small multiple of what it reads, of which there is a
//! bound, and stops at the first instruction that it does not know. What it builds is never deep and
//! holds no rings: a dictionary keeps the calls that may be tensors, and is no part of anything.
//! Opcodes: CPython's `pickletools.py`.

use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::rc::Rc;

/// A value that a pickle built.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Int(i64),
    Text(Rc<str>),
    /// `module.name`.
    Global(Rc<str>),
    /// Items, after the depth of nesting.
    Tuple(u8, Rc<[Value]>),
    List(Vec<Value>),
    /// Those pairs whose key is text and whose value is a call, in order of insertion; the memo
    /// shares them.
    Dict(Rc<std::cell::RefCell<Vec<(Value, Value)>>>),
    /// A call that was asked for: the callable and its arguments.
    Call(u8, Rc<(Value, Value)>),
    /// A reference to something outside the pickle.
    Persistent(u8, Rc<Value>),
    /// A number, truth value or byte string that no tensor needs.
    Opaque,
    Mark,
}

impl Value {
    pub(super) fn int(&self) -> Option<i64> {
        if let Self::Int(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    pub(super) fn global(&self) -> Option<&str> {
        if let Self::Global(name) = self {
            Some(name)
        } else {
            None
        }
    }

    pub(super) fn tuple(&self) -> Option<&[Value]> {
        if let Self::Tuple(_, items) = self {
            Some(items)
        } else {
            None
        }
    }
}

/// Longest string that is read.
const TEXT_LIMIT: usize = 1 << 20;
/// Most instructions, each of which makes one value at most; a checkpoint of a few thousand tensors
/// needs 10⁵.
const INSTRUCTION_LIMIT: usize = 1 << 21;
/// Most bytes, of which a tensor needs two hundred.
const BYTE_LIMIT: u64 = 1 << 26;

/// What a pickle holds.
pub(super) struct Pickle {
    pub(super) value: Value,
    /// All that it refers to outside of it, whether or not the value has a part in it.
    pub(super) outside: Vec<Rc<Value>>,
}

/// Reads one pickle, to its `STOP`.
pub(super) fn read(input: &mut impl BufRead) -> Result<Pickle, String> {
    let mut input = input.take(BYTE_LIMIT);
    let mut outside = Vec::new();
    match run(&mut input, &mut outside) {
        Err(_) if input.limit() == 0 => Err(large()),
        value => value.map(|value| Pickle { value, outside }),
    }
}

/// Follows instructions up to `STOP`.
fn run(input: &mut impl BufRead, outside: &mut Vec<Rc<Value>>) -> Result<Value, String> {
    let mut stack: Vec<Value> = Vec::new();
    let mut memo: HashMap<u32, Value> = HashMap::new();
    for _ in 0..INSTRUCTION_LIMIT {
        match byte(input)? {
            0x80 => {
                byte(input)?;
            }
            b'.' => return pop(&mut stack),
            b'(' => stack.push(Value::Mark),
            b'N' => stack.push(Value::None),
            0x88 | 0x89 => stack.push(Value::Opaque),
            b'K' => stack.push(Value::Int(byte(input)?.into())),
            b'M' => stack.push(Value::Int(u16::from_le_bytes(array(input)?).into())),
            b'J' => stack.push(Value::Int(i32::from_le_bytes(array(input)?).into())),
            0x8a => {
                let length = byte(input)? as usize;
                let digits = take(input, length)?;
                stack.push(long(&digits));
            }
            b'G' => {
                array::<8>(input)?;
                stack.push(Value::Opaque);
            }
            b'X' => {
                let length = u32::from_le_bytes(array(input)?) as usize;
                stack.push(text(take(input, length)?)?);
            }
            b'U' => {
                let length = byte(input)? as usize;
                stack.push(text(take(input, length)?)?);
            }
            b'T' => {
                let length = u32::from_le_bytes(array(input)?) as usize;
                stack.push(text(take(input, length)?)?);
            }
            b'c' => {
                let name = format!("{}.{}", line(input)?, line(input)?);
                stack.push(Value::Global(name.into()));
            }
            b')' => stack.push(Value::Tuple(0, [].into())),
            b']' => stack.push(Value::List(Vec::new())),
            b'}' => stack.push(Value::Dict(Rc::default())),
            b't' => {
                let items = pop_to_mark(&mut stack)?;
                stack.push(tuple(items)?);
            }
            count @ 0x85..=0x87 => {
                let at = stack
                    .len()
                    .checked_sub((count - 0x84) as usize)
                    .ok_or_else(short)?;
                let items = stack.split_off(at);
                stack.push(tuple(items)?);
            }
            b'a' => {
                let item = pop(&mut stack)?;
                append(&mut stack, vec![item])?;
            }
            b'e' => {
                let items = pop_to_mark(&mut stack)?;
                append(&mut stack, items)?;
            }
            b's' => {
                let value = pop(&mut stack)?;
                let key = pop(&mut stack)?;
                set(&stack, vec![key, value])?;
            }
            b'u' => {
                let items = pop_to_mark(&mut stack)?;
                set(&stack, items)?;
            }
            b'Q' => {
                let id = Rc::new(part(pop(&mut stack)?));
                outside.push(Rc::clone(&id));
                stack.push(Value::Persistent(deeper([&*id])?, id));
            }
            b'R' | 0x81 => {
                let arguments = pop(&mut stack)?;
                let callable = pop(&mut stack)?;
                let is_dict = callable
                    .global()
                    .is_some_and(|name| name == "collections.OrderedDict");
                stack.push(if is_dict {
                    Value::Dict(Rc::default())
                } else {
                    let parts = (part(callable), part(arguments));
                    Value::Call(deeper([&parts.0, &parts.1])?, parts.into())
                });
            }
            // The state of an object: for a dictionary its attributes, which are not its items.
            b'b' => {
                pop(&mut stack)?;
            }
            b'q' => put(&mut memo, &stack, byte(input)?.into())?,
            b'r' => put(&mut memo, &stack, u32::from_le_bytes(array(input)?))?,
            b'h' => stack.push(get(&memo, byte(input)?.into())?),
            b'j' => stack.push(get(&memo, u32::from_le_bytes(array(input)?))?),
            other => {
                return Err(format!(
                    "its pickle has the instruction {other:#04x}, which no checkpoint needs"
                ));
            }
        }
    }
    Err(large())
}

fn large() -> String {
    "its pickle is too large".to_owned()
}

fn short() -> String {
    "its pickle takes more from the stack than there is".to_owned()
}

fn tuple(items: Vec<Value>) -> Result<Value, String> {
    let items: Rc<[Value]> = items.into_iter().map(part).collect();
    Ok(Value::Tuple(deeper(&*items)?, items))
}

/// A value that becomes part of another. A dictionary does not: it could come to hold itself after
/// that, or get deeper than it was.
fn part(value: Value) -> Value {
    if let Value::Dict(_) = value {
        Value::Opaque
    } else {
        value
    }
}

/// The depth of a value made of these, within bounds: values are dropped recursively.
fn deeper<'a>(parts: impl IntoIterator<Item = &'a Value>) -> Result<u8, String> {
    let depth = parts.into_iter().map(|part| match part {
        Value::Tuple(depth, _) | Value::Call(depth, _) | Value::Persistent(depth, _) => *depth,
        _ => 0,
    });
    let depth = depth.max().unwrap_or(0);
    if depth < 64 {
        Ok(depth + 1)
    } else {
        Err("its pickle nests too deeply".to_owned())
    }
}

fn byte(input: &mut impl Read) -> Result<u8, String> {
    Ok(array::<1>(input)?[0])
}

fn array<const N: usize>(input: &mut impl Read) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    input
        .read_exact(&mut bytes)
        .map_err(|_| "its pickle is cut off".to_owned())?;
    Ok(bytes)
}

fn take(input: &mut impl Read, length: usize) -> Result<Vec<u8>, String> {
    if length > TEXT_LIMIT {
        return Err("its pickle has a string that is too long".to_owned());
    }
    let mut bytes = vec![0; length];
    input
        .read_exact(&mut bytes)
        .map_err(|_| "its pickle is cut off".to_owned())?;
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<Value, String> {
    String::from_utf8(bytes)
        .map(|text| Value::Text(text.into()))
        .map_err(|_| "its pickle has a broken string".to_owned())
}

fn line(input: &mut impl BufRead) -> Result<String, String> {
    let mut bytes = Vec::new();
    input
        .take(1024)
        .read_until(b'\n', &mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.pop() != Some(b'\n') {
        return Err("its pickle is cut off".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "its pickle has a broken name".to_owned())
}

/// A little-endian two's complement number of any length; one too large for 64 bits is opaque.
fn long(digits: &[u8]) -> Value {
    if digits.len() > 8 {
        return Value::Opaque;
    }
    let negative = digits.last().is_some_and(|&digit| digit >= 0x80);
    let mut bytes = [if negative { 0xff } else { 0 }; 8];
    bytes[..digits.len()].copy_from_slice(digits);
    Value::Int(i64::from_le_bytes(bytes))
}

fn pop(stack: &mut Vec<Value>) -> Result<Value, String> {
    stack.pop().ok_or_else(short)
}

fn pop_to_mark(stack: &mut Vec<Value>) -> Result<Vec<Value>, String> {
    let mark = stack
        .iter()
        .rposition(|value| matches!(value, Value::Mark))
        .ok_or_else(short)?;
    let items = stack.split_off(mark + 1);
    stack.pop();
    Ok(items)
}

fn append(stack: &mut [Value], items: Vec<Value>) -> Result<(), String> {
    match stack.last_mut() {
        // Lists are wanted for the names in them only; what nests could nest without end.
        Some(Value::List(list)) => {
            list.extend(items.into_iter().map(|item| {
                if item.text().is_some() {
                    item
                } else {
                    Value::Opaque
                }
            }));
        }
        _ => return Err("its pickle appends to what is no list".to_owned()),
    }
    Ok(())
}

fn set(stack: &[Value], items: Vec<Value>) -> Result<(), String> {
    let Some(Value::Dict(dict)) = stack.last() else {
        return Err("its pickle sets an item of what is no dictionary".to_owned());
    };
    let mut dict = dict.borrow_mut();
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        if let (Value::Text(_), Value::Call(..)) = (&key, &value) {
            dict.push((key, value));
        }
    }
    Ok(())
}

fn put(memo: &mut HashMap<u32, Value>, stack: &[Value], key: u32) -> Result<(), String> {
    let value = stack.last().ok_or_else(short)?;
    // A list may still grow and is needed by no tensor, so that a copy would only cost memory.
    let value = if let Value::List(_) = value {
        Value::Opaque
    } else {
        value.clone()
    };
    memo.insert(key, value);
    Ok(())
}

fn get(memo: &HashMap<u32, Value>, key: u32) -> Result<Value, String> {
    memo.get(&key)
        .cloned()
        .ok_or_else(|| "its pickle uses a value that it never stored".to_owned())
}
