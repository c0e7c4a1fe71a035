//! Byte-level vocabularies (`gpt2` in GGUF files): text is split, and byte pairs are merged within
//! the parts.
//!
//! How text is split differs from family to family and is named by `tokenizer.ggml.pre`; a name that
//! is not listed here is refused. Splits are linear in the length of the text.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use tokenizers::Model;
use tokenizers::models::bpe::{BPE, Vocab};

use super::vocabulary::{Fault, Vocabulary};
use crate::decode::TokenId;
use crate::sentencepiece::PieceKind;

/// The names of splits that are known, for messages.
const KNOWN: &str = "`qwen2`, `llama-bpe`, `llama3`, `llama-v3` and `hunyuan-dense`";

const QWEN2: &str = r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
const LLAMA3: &str = r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
const HUNYUAN: [&str; 3] = [
    r"\p{N}{1,3}",
    r"[一-龥぀-ゟ゠-ヿ]+",
    r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+"##,
];

/// What a family does with text before it is merged.
struct Split {
    /// One after the other, each within the parts of the one before.
    expressions: &'static [&'static str],
    /// Whether a part that is a piece as it stands is not merged.
    whole: bool,
}

fn split_of(pre: &str) -> Option<Split> {
    let (expressions, whole): (&'static [&'static str], bool) = match pre {
        "qwen2" => (&[QWEN2], false),
        "llama-bpe" | "llama3" | "llama-v3" => (&[LLAMA3], true),
        "hunyuan-dense" => (&HUNYUAN, false),
        _ => return None,
    };
    Some(Split { expressions, whole })
}

/// A byte-level vocabulary.
pub(super) struct ByteLevel {
    expressions: Vec<Regex>,
    pairs: BPE,
    /// What bytes are written as.
    letters: [char; 256],
}

impl ByteLevel {
    pub(super) fn new(vocabulary: &Vocabulary) -> Result<Self, Fault> {
        let pre = vocabulary.pre.as_deref().unwrap_or("default");
        let split = split_of(pre).ok_or_else(|| {
            Fault::Unsupported(format!(
                "its way to split text, `tokenizer.ggml.pre` = `{pre}`, is not known; {KNOWN} are"
            ))
        })?;
        let expressions = split.expressions.iter().map(|source| Regex::new(source));
        let expressions = expressions.collect::<Result<_, _>>();
        let letters = letters();
        let (vocab, merges) = parts(vocabulary, &letters)?;
        let pairs = BPE::builder()
            .vocab_and_merges(vocab, merges)
            .ignore_merges(split.whole)
            .build()
            .map_err(|error| Fault::Corrupt(format!("its merges cannot be used ({error})")))?;
        Ok(Self {
            expressions: expressions.map_err(|error| Fault::Unsupported(error.to_string()))?,
            pairs,
            letters,
        })
    }

    /// The ids of text that holds no markers.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<TokenId>) -> Result<(), String> {
        let mut parts = vec![text];
        for expression in &self.expressions {
            let whole = std::mem::take(&mut parts);
            for part in whole {
                cut(expression, part, &mut parts);
            }
        }
        let mut written = String::new();
        for part in parts {
            written.clear();
            written.extend(part.bytes().map(|byte| self.letters[usize::from(byte)]));
            let tokens = self.pairs.tokenize(&written);
            let tokens = tokens.map_err(|error| error.to_string())?;
            ids.extend(tokens.iter().map(|token| token.id));
        }
        Ok(())
    }
}

/// Cuts text at the matches of an expression. White space before a word keeps all but its last
/// character: the patterns of the families say so by looking ahead, which takes time that is no
/// longer linear.
fn cut<'a>(expression: &Regex, text: &'a str, parts: &mut Vec<&'a str>) {
    let mut at = 0;
    while let Some(found) = expression.find_at(text, at) {
        if found.start() > at {
            parts.push(&text[at..found.start()]);
        }
        let mut end = found.end();
        let is_space = found.as_str().chars().all(char::is_whitespace);
        if is_space && end < text.len() && !found.as_str().ends_with(['\r', '\n']) {
            let last = found.as_str().chars().next_back().map_or(0, char::len_utf8);
            if found.len() > last {
                end -= last;
            }
        }
        parts.push(&text[found.start()..end]);
        at = end;
    }
    if at < text.len() {
        parts.push(&text[at..]);
    }
}

/// What merging works with: the pieces that text can become, and the merges in their order.
fn parts(
    vocabulary: &Vocabulary,
    letters: &[char; 256],
) -> Result<(Vocab, Vec<(String, String)>), Fault> {
    let mut vocab = Vocab::default();
    for (id, token) in (0..).zip(&vocabulary.tokens) {
        if matches!(vocabulary.kind(id), PieceKind::Normal | PieceKind::Byte) {
            vocab.insert(token.clone(), id);
        }
    }
    let (mut controls, mut others) = (HashSet::new(), HashMap::new());
    for (id, token) in (0..).zip(&vocabulary.tokens) {
        match vocabulary.kind(id) {
            PieceKind::Control | PieceKind::Unknown => {
                controls.insert(token.as_str());
            }
            PieceKind::UserDefined | PieceKind::Unused => {
                others.insert(token.as_str(), id);
            }
            PieceKind::Normal | PieceKind::Byte => {}
        }
    }
    let mut merges = Vec::with_capacity(vocabulary.merges.len());
    for merge in &vocabulary.merges {
        // The space that divides is never the first character.
        let divided = merge.char_indices().skip(1).find(|(_, c)| *c == ' ');
        let Some((at, _)) = divided else {
            return Err(Fault::Corrupt(format!("its merge `{merge}` is no pair")));
        };
        let (left, right) = (&merge[..at], &merge[at + 1..]);
        let made = format!("{left}{right}");
        if [left, right, &made]
            .into_iter()
            .any(|text| controls.contains(text))
        {
            continue;
        }
        for text in [left, right, &made] {
            if vocab.contains_key(text) {
                continue;
            }
            // A piece that a user has defined can be the result of a merge as well.
            let Some(&id) = others.get(text) else {
                return Err(Fault::Corrupt(format!(
                    "its merge `{merge}` is of pieces that it does not have"
                )));
            };
            vocab.insert(text.to_owned(), id);
        }
        merges.push((left.to_owned(), right.to_owned()));
    }
    for letter in letters {
        if !vocab.contains_key(letter.to_string().as_str()) {
            return Err(Fault::Corrupt(format!(
                "its vocabulary lacks the byte that is written `{letter}`"
            )));
        }
    }
    Ok((vocab, merges))
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, 33..=126 | 161..=172 | 174..=255)
}

/// What bytes are written as: printable ones as themselves, the others as the characters from 256
/// on, in their order.
fn letters() -> [char; 256] {
    let mut others = '\u{100}'..;
    std::array::from_fn(|byte| {
        let byte = u8::try_from(byte).unwrap_or(0);
        if is_printable(byte) {
            char::from(byte)
        } else {
            others.next().unwrap_or_default()
        }
    })
}

/// The bytes that a piece stands for.
pub(super) fn bytes_of(token: &str) -> Vec<u8> {
    let others: Vec<u8> = (0..=255).filter(|byte| !is_printable(*byte)).collect();
    token
        .chars()
        .filter_map(|c| match u32::from(c) {
            code @ 0..=255 => u8::try_from(code).ok(),
            code => others.get(code as usize - 256).copied(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_byte_level_tokens() {
        assert_eq!(bytes_of("Ġthe"), b" the");
        assert_eq!(bytes_of("Ð¼"), "м".as_bytes());
        assert_eq!(bytes_of("Ċ"), b"\n");
        assert_eq!(bytes_of("Ń"), [0xad]);
        for (byte, letter) in letters().into_iter().enumerate() {
            assert_eq!(bytes_of(&letter.to_string()), [byte as u8]);
        }
    }

    #[test]
    fn text_is_split_as_the_families_do() -> Result<(), regex::Error> {
        let sample = "Hello'Ve world 1234\n\n  foo\t\tbar  \n  !!";
        let cases: [(&[&str], &[&str]); 3] = [
            (
                &[QWEN2],
                &[
                    "Hello", "'Ve", " world", " ", "1", "2", "3", "4", "\n\n", " ", " foo", "\t",
                    "\tbar", "  \n", " ", " !!",
                ],
            ),
            (
                &[LLAMA3],
                &[
                    "Hello", "'Ve", " world", " ", "123", "4", "\n\n", " ", " foo", "\t", "\tbar",
                    "  \n", " ", " !!",
                ],
            ),
            (
                &HUNYUAN,
                &[
                    "Hello", "'Ve", " world", " ", "123", "4", "\n\n", " ", " foo", "\t", "\tbar",
                    "  \n", " ", " !!",
                ],
            ),
        ];
        for (expressions, wanted) in cases {
            let mut parts = vec![sample];
            for expression in expressions {
                let expression = Regex::new(expression)?;
                for part in std::mem::take(&mut parts) {
                    cut(&expression, part, &mut parts);
                }
            }
            assert_eq!(parts, wanted);
        }
        Ok(())
    }
}
