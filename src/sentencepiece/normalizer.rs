//! Normalizes text before it is cut: the compiled character map and the rules about spaces.
//!
//! The map is a double-array trie (darts-clone) from character sequences to their replacements;
//! the longest sequence wins. User-defined symbols pass through untouched.

use super::proto::NormalizerRules;
use super::trie::Trie;

/// What stands for a space inside pieces.
pub(super) const SPACE: &str = "\u{2581}";

/// The normalizer of one model.
#[derive(Debug)]
pub(super) struct Normalizer {
    rules: NormalizerRules,
    map: Option<CharacterMap>,
    user_defined: Trie,
}

impl Normalizer {
    /// Reads the compiled map that the rules hold.
    pub(super) fn new(mut rules: NormalizerRules, user_defined: Trie) -> Result<Self, String> {
        let blob = std::mem::take(&mut rules.charsmap);
        let map = if blob.is_empty() {
            None
        } else {
            Some(CharacterMap::new(&blob)?)
        };
        Ok(Self {
            rules,
            map,
            user_defined,
        })
    }

    /// The rules, without the map.
    pub(super) fn rules(&self) -> &NormalizerRules {
        &self.rules
    }

    /// The length of the user-defined symbol that `text` begins with; 0 if there is none.
    pub(super) fn user_defined_prefix(&self, text: &str) -> usize {
        self.user_defined.longest_prefix(text.as_bytes())
    }

    /// Text as the pieces are made of it: with `▁` for spaces and, by most rules, one before it.
    pub(super) fn normalize(&self, text: &str) -> String {
        let rules = &self.rules;
        let mut rest = text;
        if rules.remove_extra_whitespaces {
            while !rest.is_empty() {
                let (replacement, length) = self.prefix(rest);
                if replacement != " " {
                    break;
                }
                rest = &rest[length..];
            }
        }
        if rest.is_empty() {
            return String::new();
        }
        let space = if rules.escape_whitespaces { SPACE } else { " " };
        let mut normalized = String::with_capacity(text.len() * 3 / 2 + 3);
        if rules.add_dummy_prefix && !rules.whitespace_is_suffix {
            normalized.push_str(space);
        }
        let mut after_space = rules.remove_extra_whitespaces;
        while !rest.is_empty() {
            let (mut replacement, length) = self.prefix(rest);
            if after_space {
                replacement = replacement.trim_start_matches(' ');
            }
            if !replacement.is_empty() {
                for (index, part) in replacement.split(' ').enumerate() {
                    if index > 0 {
                        normalized.push_str(space);
                    }
                    normalized.push_str(part);
                }
                after_space = replacement.ends_with(' ');
            }
            if !rules.remove_extra_whitespaces {
                after_space = false;
            }
            rest = &rest[length..];
        }
        if rules.remove_extra_whitespaces {
            while normalized.ends_with(space) {
                normalized.truncate(normalized.len() - space.len());
            }
        }
        if rules.add_dummy_prefix && rules.whitespace_is_suffix {
            normalized.push_str(space);
        }
        normalized
    }

    /// What the beginning of `text` becomes, and how many bytes of it that covers.
    fn prefix<'a>(&'a self, text: &'a str) -> (&'a str, usize) {
        let length = self.user_defined_prefix(text);
        if length > 0 {
            return (&text[..length], length);
        }
        if let Some((replacement, length)) = self
            .map
            .as_ref()
            .and_then(|map| map.longest(text.as_bytes()))
            && text.is_char_boundary(length)
        {
            return (replacement, length);
        }
        let length = text.chars().next().map_or(0, char::len_utf8);
        (&text[..length], length)
    }
}

/// The longest replacement of a map, in bytes. One of some characters in published maps has 33.
const REPLACEMENT: usize = 256;

/// Says what is wrong with a compiled map.
pub(super) fn check_map(blob: &[u8]) -> Result<(), String> {
    CharacterMap::new(blob).map(|_| ())
}

/// The compiled map.
#[derive(Debug)]
struct CharacterMap {
    /// The double array; each unit holds a label, an offset and whether a value follows.
    units: Vec<u32>,
    /// The replacements, each ended by a zero byte.
    replacements: String,
}

impl CharacterMap {
    fn new(blob: &[u8]) -> Result<Self, String> {
        let broken = || "its normalizer map is damaged".to_owned();
        let (size, rest) = blob.split_first_chunk().ok_or_else(broken)?;
        let size = u32::from_le_bytes(*size) as usize;
        let (units, replacements) = rest.split_at_checked(size).ok_or_else(broken)?;
        if !size.is_multiple_of(4) || units.is_empty() {
            return Err(broken());
        }
        let units = units
            .chunks_exact(4)
            .map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]]))
            .collect();
        let replacements = String::from_utf8(replacements.to_vec()).map_err(|_| broken())?;
        let mut texts = replacements.split('\0');
        if texts.any(|text| text.len() > REPLACEMENT) {
            return Err("its normalizer map makes texts too long".to_owned());
        }
        Ok(Self {
            units,
            replacements,
        })
    }

    /// The replacement of the longest sequence that `text` begins with, and its length.
    fn longest(&self, text: &[u8]) -> Option<(&str, usize)> {
        let mut found = None;
        let mut node = offset(*self.units.first()?);
        for (index, &byte) in text.iter().enumerate() {
            node ^= usize::from(byte);
            let Some(&unit) = self.units.get(node) else {
                break;
            };
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                break;
            }
            node ^= offset(unit);
            if unit >> 8 & 1 == 1
                && let Some(&leaf) = self.units.get(node)
            {
                found = Some(((leaf & 0x7fff_ffff) as usize, index + 1));
            }
        }
        let (start, length) = found?;
        let replacement = self.replacements.get(start..)?;
        Some((replacement.split('\0').next()?, length))
    }
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize
}
