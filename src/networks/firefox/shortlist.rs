//! The lexical shortlist: which target tokens a source token may become.
//!
//! A file (`lex.50.50.*.s2t.bin`) is a header of six 64-bit numbers, an offset for each source token
//! and the lists of target tokens. What is selected for a line depends on that line alone.

use crate::decode::TokenId;

/// The first number of a file.
const MAGIC: u64 = 0xF11A_48D5_0134_17F5;

/// Candidates for every source token.
#[derive(Debug)]
pub(super) struct Shortlist {
    /// As many of the first target tokens are always candidates.
    always: usize,
    /// Where the list of each source token begins, and an end.
    offsets: Vec<u32>,
    /// The lists, one after the other.
    targets: Vec<TokenId>,
}

impl Shortlist {
    /// Reads a file made for vocabularies of these sizes.
    pub(super) fn new(bytes: &[u8], vocabularies: (usize, usize)) -> Result<Self, String> {
        let numbers = |range: std::ops::Range<usize>| {
            let bytes = bytes.get(range)?.chunks_exact(8);
            Some(
                bytes.map(|x| u64::from_le_bytes([x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]])),
            )
        };
        let too_short = || "it ends too early for a shortlist".to_owned();
        let header: Vec<u64> = numbers(0..48).ok_or_else(too_short)?.collect();
        let &[magic, checksum, always, _, offsets, targets] = header.as_slice() else {
            return Err(too_short());
        };
        if magic != MAGIC {
            return Err(format!(
                "it is not a binary shortlist: {}",
                super::container::looks_like(bytes)
            ));
        }
        let (source, target) = vocabularies;
        if offsets != source as u64 + 1 {
            return Err(format!(
                "it is for a source vocabulary of {} tokens, expected {source}",
                offsets.saturating_sub(1)
            ));
        }
        let offsets_end = 48 + (source + 1) * 8;
        let expected = targets
            .checked_mul(4)
            .and_then(|size| size.checked_add(offsets_end as u64));
        if expected != Some(bytes.len() as u64) {
            return Err(format!(
                "it has {} bytes, expected {}",
                bytes.len(),
                expected.map_or("more than there can be".to_owned(), |size| size.to_string())
            ));
        }
        // The sum is over whole numbers; a last half is left out.
        let sum = numbers(16..16 + (bytes.len() - 16) / 8 * 8)
            .ok_or_else(too_short)?
            .fold(0u64, |sum, number| {
                sum ^ number
                    .wrapping_add(0x9e37_79b9)
                    .wrapping_add(sum << 6)
                    .wrapping_add(sum >> 2)
            });
        if sum != checksum {
            return Err(format!(
                "its checksum is {sum:016x}, expected {checksum:016x}"
            ));
        }
        let offsets: Vec<u32> = numbers(48..offsets_end)
            .ok_or_else(too_short)?
            .map(|offset| {
                u32::try_from(offset).map_err(|_| format!("it has an offset of {offset}"))
            })
            .collect::<Result<_, _>>()?;
        let targets: Vec<TokenId> = bytes[offsets_end..]
            .chunks_exact(4)
            .map(|token| u32::from_le_bytes([token[0], token[1], token[2], token[3]]))
            .collect();
        if !offsets.is_sorted()
            || offsets.first() != Some(&0)
            || offsets.last().map(|&end| end as usize) != Some(targets.len())
        {
            return Err("its offsets are not in order".to_owned());
        }
        if let Some(token) = targets.iter().find(|&&token| token as usize >= target) {
            return Err(format!(
                "it names token {token} of a target vocabulary of {target}"
            ));
        }
        Ok(Self {
            always: (always as usize).min(target),
            offsets,
            targets,
        })
    }

    /// As many of the first target tokens are candidates of every line.
    pub(super) fn always(&self) -> usize {
        self.always
    }

    /// The target tokens that a line may become, in order and each once: those on the lists of its
    /// tokens and, where the vocabulary is `shared`, those tokens themselves. Those below `first`
    /// are left out.
    pub(super) fn candidates(&self, line: &[TokenId], shared: bool, first: usize) -> Vec<TokenId> {
        let mut chosen: Vec<TokenId> = Vec::new();
        for &token in line {
            if shared {
                chosen.push(token);
            }
            let list =
                self.offsets[token as usize] as usize..self.offsets[token as usize + 1] as usize;
            chosen.extend_from_slice(&self.targets[list]);
        }
        chosen.retain(|&token| token as usize >= first);
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }
}

#[cfg(test)]
pub(super) mod build {
    //! Writes shortlist files for tests.

    /// A file with these lists, one a source token, and `always` tokens that are on none.
    pub(crate) fn file(lists: &[Vec<u32>], always: u64) -> Vec<u8> {
        let mut body: Vec<u8> = Vec::new();
        let total: usize = lists.iter().map(Vec::len).sum();
        for number in [always, 50, lists.len() as u64 + 1, total as u64] {
            body.extend(number.to_le_bytes());
        }
        let mut offset = 0u64;
        for list in lists {
            body.extend(offset.to_le_bytes());
            offset += list.len() as u64;
        }
        body.extend(offset.to_le_bytes());
        body.extend(lists.iter().flatten().flat_map(|token| token.to_le_bytes()));
        let mut sum = 0u64;
        for number in body.chunks_exact(8) {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(number);
            sum ^= u64::from_le_bytes(bytes)
                .wrapping_add(0x9e37_79b9)
                .wrapping_add(sum << 6)
                .wrapping_add(sum >> 2);
        }
        [
            super::MAGIC.to_le_bytes().as_slice(),
            &sum.to_le_bytes(),
            &body,
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_those_of_the_line() -> Result<(), String> {
        let lists = vec![vec![], vec![9], vec![7, 30], vec![12], vec![]];
        let list = Shortlist::new(&build::file(&lists, 2), (5, 40))?;
        assert_eq!(list.always(), 2);
        assert_eq!(list.candidates(&[2, 1], false, 2), [7, 9, 30]);
        assert_eq!(list.candidates(&[1, 3, 1], true, 2), [3, 9, 12]);
        assert_eq!(list.candidates(&[1, 3, 1], true, 10), [12]);
        assert!(list.candidates(&[], false, 0).is_empty());
        Ok(())
    }

    #[test]
    fn wrong_files_are_refused() {
        let good = build::file(&[vec![], vec![9], vec![7, 30]], 2);
        let mut flipped = good.clone();
        flipped[60] ^= 1;
        let cases: Vec<(Vec<u8>, (usize, usize), &str)> = vec![
            (
                good.clone(),
                (4, 40),
                "it is for a source vocabulary of 3 tokens, expected 4",
            ),
            (
                good.clone(),
                (3, 30),
                "it names token 30 of a target vocabulary of 30",
            ),
            (
                good[..good.len() - 4].to_vec(),
                (3, 40),
                "it has 88 bytes, expected 92",
            ),
            (good[..30].to_vec(), (3, 40), "it ends too early"),
            (
                [b"PK\x03\x04".as_slice(), &good].concat(),
                (3, 40),
                "it is a zip archive",
            ),
            (flipped, (3, 40), "its checksum is"),
        ];
        for (bytes, vocabularies, expected) in cases {
            let message = Shortlist::new(&bytes, vocabularies)
                .err()
                .unwrap_or_default();
            assert!(
                message.contains(expected),
                "{message} does not say: {expected}"
            );
        }
    }
}
