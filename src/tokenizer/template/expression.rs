//! Expressions of chat templates: cut into tokens, and written again with their operands checked.

/// The deepest nesting of brackets.
const DEPTH: usize = 40;
/// The most tokens of one tag.
const TOKENS: usize = 1_000;

/// A token of the template language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    kind: Kind,
    pub(super) text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// A name that stands for a value.
    Name,
    /// A word of the language.
    Keyword,
    /// A number or string.
    Literal,
    Operator,
}

const KEYWORDS: [&str; 23] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "for",
    "endfor",
    "endif",
    "set",
    "endset",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "with",
    "endwith",
    "do",
    "recursive",
];

const OPERATORS: [&str; 26] = [
    "==", "!=", "<=", ">=", "//", "**", "<", ">", "=", "+", "-", "*", "/", "%", "~", "(", ")", "[",
    "]", "{", "}", ",", ".", ":", "|", ";",
];

/// The tokens of a tag, what follows the tag, and the sign before its end.
type Tag<'a> = (Vec<Token<'a>>, &'a str, Option<char>);

/// Cuts a tag's body, which begins `body`, into tokens; it ends at `end`.
pub(super) fn tokens<'a>(body: &'a str, end: &str) -> Result<Tag<'a>, String> {
    let mut tokens = Vec::new();
    let mut rest = body;
    let mut braces = 0usize;
    loop {
        rest = rest.trim_start();
        if braces == 0 {
            if let Some(after) = rest.strip_prefix(end) {
                return Ok((tokens, after, None));
            }
            let sign = rest.chars().next().filter(|c| matches!(c, '-' | '+'));
            if let Some(after) = sign.and_then(|_| rest[1..].strip_prefix(end)) {
                return Ok((tokens, after, sign));
            }
        }
        let (kind, length) = token(rest)?;
        let text = &rest[..length];
        match text {
            "{" => braces += 1,
            "}" => braces = braces.saturating_sub(1),
            _ => {}
        }
        tokens.push(Token { kind, text });
        if tokens.len() > TOKENS {
            return Err(format!("one of its tags has more than {TOKENS} words"));
        }
        rest = &rest[length..];
    }
}

/// The kind and length of the token that `text` begins with.
fn token(text: &str) -> Result<(Kind, usize), String> {
    let Some(first) = text.chars().next() else {
        return Err("a tag is not closed".to_owned());
    };
    let run = |of: fn(char) -> bool| text.find(|c| !of(c)).unwrap_or(text.len());
    match first {
        '"' | '\'' => {
            let mut escaped = false;
            for (at, c) in text.char_indices().skip(1) {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    _ if c == first => return Ok((Kind::Literal, at + 1)),
                    _ => {}
                }
            }
            Err("a string is not closed".to_owned())
        }
        '0'..='9' => {
            let whole = run(|c| c.is_ascii_digit());
            let fraction = text[whole..].strip_prefix('.').map_or(0, |rest| {
                rest.find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len())
            });
            let length = if fraction > 0 {
                whole + 1 + fraction
            } else {
                whole
            };
            Ok((Kind::Literal, length))
        }
        'a'..='z' | 'A'..='Z' | '_' => {
            let length = run(|c| c.is_ascii_alphanumeric() || c == '_');
            let is_keyword = KEYWORDS.contains(&&text[..length]);
            Ok((
                if is_keyword {
                    Kind::Keyword
                } else {
                    Kind::Name
                },
                length,
            ))
        }
        _ => OPERATORS
            .iter()
            .find(|operator| text.starts_with(**operator))
            .map(|operator| (Kind::Operator, operator.len()))
            .ok_or_else(|| format!("`{first}` cannot be read in a tag")),
    }
}

/// Checks an operand of any kind, so that comparing or joining it is cheap.
const ANY: &str = "|__checked ";
/// Checks that an operand is no list or map.
const SCALAR: &str = "|__scalar ";
/// Checks that an operand is a number.
const NUMBER: &str = "|__number ";

/// The check of both operands of an operator.
fn check_of(token: &Token<'_>) -> Option<&'static str> {
    match token.text {
        "~" => Some(SCALAR),
        "*" => Some(NUMBER),
        "+" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "in" => Some(ANY),
        _ => None,
    }
}

/// What an open bracket is.
#[derive(Clone, Copy, PartialEq)]
enum Bracket {
    /// The tag itself.
    None,
    /// Around an expression, a list, or what a function is given.
    Group,
    /// After a value.
    Subscript,
    Map,
}

struct Level {
    bracket: Bracket,
    /// Where the bracket was written.
    opened: usize,
    /// Where the operand that is being read begins.
    operand: usize,
    /// Whether an operand could end here.
    complete: bool,
    /// The check that the operand before an operator asks for the one behind.
    pending: Option<&'static str>,
    /// Whether a subscript is a slice.
    slice: bool,
    /// Tokens since the last comma or colon of a map.
    key: usize,
}

impl Level {
    fn new(bracket: Bracket, opened: usize) -> Self {
        Self {
            bracket,
            opened,
            operand: opened,
            complete: false,
            pending: None,
            slice: false,
            key: 0,
        }
    }
}

/// Writes the tokens of a tag with checks.
pub(super) fn guarded(tokens: &[Token<'_>]) -> Result<String, String> {
    let mut writer = Writer {
        out: Vec::with_capacity(tokens.len() * 2),
        levels: vec![Level::new(Bracket::None, 0)],
        is_target: tokens.first().is_some_and(|token| token.text == "for"),
        names_next: false,
        test_next: false,
    };
    for token in tokens {
        writer.write(token)?;
    }
    writer.finish()
}

struct Writer {
    out: Vec<String>,
    levels: Vec<Level>,
    /// Whether the targets of a loop are being read.
    is_target: bool,
    /// Whether the next name is that of an attribute or filter.
    names_next: bool,
    /// Whether the next name is that of a test.
    test_next: bool,
}

impl Writer {
    fn write(&mut self, token: &Token<'_>) -> Result<(), String> {
        let at = self.out.len();
        let Some(level) = self.levels.last_mut() else {
            return Err("a bracket is closed that was not opened".to_owned());
        };
        level.key += 1;
        if std::mem::take(&mut self.names_next) {
            // It compares whole values with each other.
            if token.text == "changed" {
                return Err("`changed` is not supported".to_owned());
            }
            self.push(token);
            return Ok(());
        }
        if self.test_next {
            self.test_next = token.text == "not";
            self.push(token);
            return Ok(());
        }
        let is_opening = matches!(token.text, "(" | "[" | "{") && token.kind == Kind::Operator;
        if level.complete {
            match token.text {
                "." | "|" => {
                    self.names_next = true;
                    self.push(token);
                    return Ok(());
                }
                "(" => {
                    self.push(token);
                    return self.open(Bracket::Group, at);
                }
                "[" => {
                    // What is cut out of a value is a copy of it.
                    let operand = level.operand;
                    self.out[operand].insert(0, '(');
                    self.out.push(format!("{ANY})"));
                    self.push(token);
                    return self.open(Bracket::Subscript, at + 1);
                }
                _ => self.end_operand(token)?,
            }
        } else if is_opening {
            level.operand = at;
            self.push(token);
            let bracket = if token.text == "{" {
                Bracket::Map
            } else {
                Bracket::Group
            };
            return self.open(bracket, at);
        } else if token.text == "in" {
            level.pending = Some(ANY);
        }
        self.rest(token)
    }

    /// A token that neither opens a bracket nor follows an operand as a part of it.
    fn rest(&mut self, token: &Token<'_>) -> Result<(), String> {
        let at = self.out.len();
        if matches!(token.text, ")" | "]" | "}") && token.kind == Kind::Operator {
            return self.close(token);
        }
        if let Some(level) = self.levels.last_mut() {
            match token.kind {
                Kind::Name | Kind::Literal => {
                    level.operand = at;
                    level.complete = true;
                }
                Kind::Keyword => self.test_next = token.text == "is",
                Kind::Operator if level.bracket == Bracket::Map => {
                    if token.text == ":" && level.key != 2 {
                        return Err("a key of a map is no plain word".to_owned());
                    }
                    if matches!(token.text, "," | ":") {
                        level.key = 0;
                    }
                }
                Kind::Operator => {
                    level.slice |= token.text == ":" && level.bracket == Bracket::Subscript;
                }
            }
        }
        self.push(token);
        Ok(())
    }

    /// Ends the operand before `token`, with the checks that its neighbours ask for.
    fn end_operand(&mut self, token: &Token<'_>) -> Result<(), String> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        if token.kind == Kind::Name || token.kind == Kind::Literal {
            // A word that belongs to a statement, such as the name of a macro.
            level.complete = false;
            return Ok(());
        }
        let own = if self.is_target {
            self.is_target = token.text != "in";
            None
        } else if token.text == "not" {
            Some(ANY)
        } else {
            check_of(token)
        };
        let is_key = level.bracket == Bracket::Map && token.text == ":";
        let is_slice = level.bracket == Bracket::Subscript && token.text == ":";
        let own = if is_key { Some(ANY) } else { own };
        for check in [level.pending, own].into_iter().flatten() {
            self.out.push(check.to_owned());
        }
        level.pending = own.filter(|_| !is_key && !is_slice);
        level.complete = false;
        Ok(())
    }

    fn open(&mut self, bracket: Bracket, at: usize) -> Result<(), String> {
        self.levels.push(Level::new(bracket, at));
        if self.levels.len() > DEPTH {
            return Err(format!("its brackets are nested deeper than {DEPTH}"));
        }
        Ok(())
    }

    fn close(&mut self, token: &Token<'_>) -> Result<(), String> {
        let Some(level) = self.levels.pop().filter(|_| !self.levels.is_empty()) else {
            return Err("a bracket is closed that was not opened".to_owned());
        };
        if level.bracket == Bracket::Subscript && !level.slice {
            self.out[level.opened].push('(');
            self.out.push(format!("){ANY}"));
        }
        self.push(token);
        if let Some(outer) = self.levels.last_mut() {
            outer.complete = true;
        }
        Ok(())
    }

    fn push(&mut self, token: &Token<'_>) {
        self.out.push(format!("{} ", token.text));
    }

    fn finish(mut self) -> Result<String, String> {
        if self.levels.len() != 1 {
            return Err("a bracket is not closed".to_owned());
        }
        let end = Token {
            kind: Kind::Operator,
            text: "",
        };
        if self.levels[0].complete {
            self.end_operand(&end)?;
        }
        Ok(self.out.concat())
    }
}
