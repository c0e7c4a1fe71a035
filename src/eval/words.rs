//! What a word is, to each metric. The rules are those of sacreBLEU and `rouge-score`, not those of
//! newsml's own segments, since scores are only worth something where everybody splits alike.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;

use crate::error::{Error, Result};

/// What BLEU takes for a word; the names are sacreBLEU's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BleuTokenizer {
    /// The rules of `mteval-v13a.pl`, which part ASCII punctuation from words: what papers report.
    #[default]
    Mteval13a,
    /// The rules of `mteval-v14.pl --international-tokenization`, which know punctuation and symbols of
    /// all scripts.
    International,
    /// Every character is a word.
    Characters,
    /// What stands between white space is a word.
    Spaces,
}

impl BleuTokenizer {
    const ALL: [Self; 4] = [
        Self::Mteval13a,
        Self::International,
        Self::Characters,
        Self::Spaces,
    ];

    /// The name, as it is typed and as it stands in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mteval13a => "13a",
            Self::International => "intl",
            Self::Characters => "char",
            Self::Spaces => "none",
        }
    }

    /// The text with spaces between its words.
    pub(super) fn part(self, text: &str) -> String {
        match self {
            Self::Mteval13a => part_13a(text),
            Self::International => part_international(text),
            Self::Characters => text.chars().flat_map(|c| [c, ' ']).collect(),
            Self::Spaces => text.to_owned(),
        }
    }
}

impl fmt::Display for BleuTokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BleuTokenizer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|tokenizer| tokenizer.name() == text)
            .ok_or_else(|| Error::Usage {
                message: format!("unknown tokenizer `{text}`"),
                hint: Some(format!(
                    "the tokenizers are `{}`",
                    Self::ALL.map(Self::name).join("`, `")
                )),
            })
    }
}

/// Whether Python's `str.split` parts words here: Unicode's white space and four separators of ASCII.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// What stands between white space.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

fn part_13a(text: &str) -> String {
    let text = text
        .replace("<skipped>", "")
        .replace("-\n", "")
        .replace('\n', " ")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">");
    let mut parted = String::with_capacity(2 * text.len());
    parted.push(' ');
    for c in text.chars() {
        let is_mark = c.is_ascii_punctuation() && !matches!(c, '\'' | ',' | '-' | '.');
        push(&mut parted, is_mark, c, is_mark);
    }
    parted.push(' ');
    let is_point = |c| matches!(c, '.' | ',');
    let after_word = in_pairs(
        &parted,
        |a, b| !a.is_ascii_digit() && is_point(b),
        |parted, a, b| {
            parted.push(a);
            push(parted, true, b, true);
        },
    );
    let before_word = in_pairs(
        &after_word,
        |a, b| is_point(a) && !b.is_ascii_digit(),
        |parted, a, b| {
            push(parted, true, a, true);
            parted.push(b);
        },
    );
    in_pairs(
        &before_word,
        |a, b| a.is_ascii_digit() && b == '-',
        |parted, a, b| {
            parted.push(a);
            push(parted, true, b, true);
        },
    )
}

fn push(parted: &mut String, before: bool, c: char, after: bool) {
    if before {
        parted.push(' ');
    }
    parted.push(c);
    if after {
        parted.push(' ');
    }
}

/// Rewrites pairs of neighbours as a regular expression of two characters would: from left to right,
/// and a character that was part of a pair begins no other.
fn in_pairs(
    text: &str,
    is_pair: impl Fn(char, char) -> bool,
    write: impl Fn(&mut String, char, char),
) -> String {
    let mut written = String::with_capacity(text.len() + text.len() / 4);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.next_if(|&next| is_pair(c, next)) {
            Some(next) => write(&mut written, c, next),
            None => written.push(c),
        }
    }
    written
}

fn part_international(text: &str) -> String {
    static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A\p{P}\z").ok());
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A\p{N}\z").ok());
    static SYMBOL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A\p{S}\z").ok());
    let is = |class: &LazyLock<Option<Regex>>, c: char| {
        let class = class.as_ref();
        class.is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
    };
    let (is_mark, is_number) = (|c| is(&MARK, c), |c| is(&NUMBER, c));
    let after_word = in_pairs(
        text,
        |a, b| is_mark(b) && !is_number(a),
        |parted, a, b| {
            parted.push(a);
            push(parted, true, b, true);
        },
    );
    let before_word = in_pairs(
        &after_word,
        |a, b| is_mark(a) && !is_number(b),
        |parted, a, b| {
            push(parted, true, a, true);
            parted.push(b);
        },
    );
    let mut parted = String::with_capacity(before_word.len());
    for c in before_word.chars() {
        let is_symbol = is(&SYMBOL, c);
        push(&mut parted, is_symbol, c, is_symbol);
    }
    parted
}

/// The words of ROUGE: runs of letters, digits and underscores of any script in the lower-cased
/// text, as Python's `re.findall(r"\w+", text.lower())` finds them. (Marks, such as the vowel signs of
/// Arabic, are no letters there.)
pub(super) fn rouge_words(text: &str) -> Vec<String> {
    static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]+").ok());
    let text = text.to_lowercase();
    let words = WORD.as_ref().map(|word| word.find_iter(&text));
    words
        .into_iter()
        .flatten()
        .map(|word| word.as_str().to_owned())
        .collect()
}
