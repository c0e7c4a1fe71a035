//! Scores that are on a device, reduced there: what moves is a few numbers a row, not vocabularies.
//!
//! Gives what the same decoding gives on scores that are here, up to the rounding of sums.

use std::borrow::Cow;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::repetition::Said;
use crate::decode::TokenId;
use crate::error::Result;
use crate::kernels::Row;

/// The tokens that rows may not say, on a device.
pub(super) struct Bans {
    /// For each kind of row what is added to its scores: 0 or −∞.
    kinds: Tensor,
    /// The kind of each row.
    kind_of: Vec<u32>,
}

impl Bans {
    /// `banned` has an entry a row; `None` where no row has any.
    pub(super) fn new(
        banned: &[Option<Arc<[bool]>>],
        columns: usize,
        device: &Device,
    ) -> Result<Option<Self>> {
        if banned.iter().all(Option::is_none) {
            return Ok(None);
        }
        // Rows mostly share a list; the first kind is that of rows without one.
        let mut known: Vec<&Arc<[bool]>> = Vec::new();
        let kind_of = banned
            .iter()
            .map(|list| {
                let Some(list) = list else { return 0 };
                let found = known.iter().position(|known| Arc::ptr_eq(known, list));
                let place = found.unwrap_or_else(|| {
                    known.push(list);
                    known.len() - 1
                });
                place as u32 + 1
            })
            .collect();
        let mut values = vec![0.0; columns * (known.len() + 1)];
        for (line, list) in values.chunks_exact_mut(columns).skip(1).zip(known) {
            for (value, _) in line
                .iter_mut()
                .zip(list.iter())
                .filter(|(_, banned)| **banned)
            {
                *value = f32::NEG_INFINITY;
            }
        }
        let kinds = values.len() / columns;
        Ok(Some(Self {
            kinds: Tensor::from_vec(values, (kinds, columns), device)?,
            kind_of,
        }))
    }

    fn apply(&self, logits: &Tensor, rows: &[usize]) -> Result<Tensor> {
        let kind = |row: &usize| self.kind_of.get(*row).copied().unwrap_or(0);
        let kinds: Vec<u32> = rows.iter().map(kind).collect();
        Ok(match kinds.first() {
            Some(&first) if kinds.iter().all(|&kind| kind == first) => {
                logits.broadcast_add(&self.kinds.narrow(0, first as usize, 1)?)?
            }
            _ => {
                let kinds = Tensor::from_slice(&kinds, kinds.len(), logits.device())?;
                (logits + self.kinds.index_select(&kinds, 0)?)?
            }
        })
    }
}

/// The likeliest token of each row that is not banned for it. Among equals it is the lowest id on the
/// processor and any of them on a card, where threads compare as they come to it.
pub(super) fn likeliest(
    logits: &Tensor,
    rows: &[usize],
    bans: Option<&Bans>,
    said: Option<&Said>,
) -> Result<Vec<TokenId>> {
    let mut logits = Cow::Borrowed(logits);
    if let Some(said) = said {
        logits = Cow::Owned(penalized(&logits, rows, said)?);
    }
    if let Some(bans) = bans {
        logits = Cow::Owned(bans.apply(&logits, rows)?);
    }
    Ok(logits.argmax(1)?.to_vec1()?)
}

/// Scores with the penalties of their rows on what these said.
fn penalized(logits: &Tensor, rows: &[usize], said: &Said) -> Result<Tensor> {
    let (count, columns) = logits.dims2()?;
    let lines: Vec<&[TokenId]> = rows
        .iter()
        .map(|&row| {
            let tokens = said.row(row).map_or(&[][..], |row| &row.tokens);
            let end = tokens.partition_point(|&token| (token as usize) < columns);
            &tokens[..end]
        })
        .collect();
    let most = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    if most == 0 {
        return Ok(logits.clone());
    }
    // Rows that said less say their last token again, which then gets the same score twice; those
    // without a penalty have one that changes nothing.
    let ids: Vec<u32> = lines
        .iter()
        .flat_map(|line| {
            let filler = line.last().copied().unwrap_or(0);
            let fill = std::iter::repeat_n(filler, most - line.len());
            line.iter().copied().chain(fill)
        })
        .collect();
    let device = logits.device();
    let ids = Tensor::from_vec(ids, (count, most), device)?;
    let penalties: Vec<f32> = rows
        .iter()
        .map(|&row| said.row(row).map_or(1.0, |row| row.penalty))
        .collect();
    let penalties = Tensor::from_vec(penalties, (count, 1), device)?;
    // This must not touch the scores of anyone else.
    let changed = logits.copy()?;
    let scores = changed.gather(&ids, 1)?;
    let above = scores.relu()?;
    let below = (&scores - &above)?;
    let scores = (above.broadcast_div(&penalties)? + below.broadcast_mul(&penalties)?)?;
    changed.scatter_set(&ids, &scores, 1)?;
    Ok(changed)
}

/// What beam search needs to know of the scores of a row.
pub(super) struct Reduced {
    columns: usize,
    log_sum_exp: f32,
    /// The same without the tokens that were to be taken out.
    log_sum_exp_left: f32,
    /// Best first, without the tokens that were to be taken out.
    top: Vec<(usize, f32)>,
    /// Tokens that were asked for, ascending, with their scores.
    asked: Vec<(TokenId, f32)>,
}

impl Row for Reduced {
    fn columns(&self) -> usize {
        self.columns
    }

    /// −∞ for what was not asked for.
    fn score(&self, column: usize) -> f32 {
        let token = column as TokenId;
        let place = self.asked.binary_search_by_key(&token, |&(asked, _)| asked);
        place.map_or(f32::NEG_INFINITY, |place| self.asked[place].1)
    }

    fn log_sum_exp(&self) -> f32 {
        self.log_sum_exp
    }

    /// Without what was to be taken out when the scores were reduced.
    fn log_sum_exp_without(&self, _except: &[usize]) -> f32 {
        self.log_sum_exp_left
    }

    /// What was asked for when the scores were reduced.
    fn top(&self, _count: usize, _except: &[usize]) -> Vec<(usize, f32)> {
        self.top.clone()
    }
}

/// For each row the logarithm of the sum of the exponentials of all scores, the scores of the
/// tokens that are asked for, and the `count` best of all others.
///
/// `asked` has for each row tokens in ascending order; those that are true are not among the best.
pub(super) fn rows(
    logits: &Tensor,
    asked: &[Vec<(TokenId, bool)>],
    count: usize,
) -> Result<Vec<Reduced>> {
    let (rows, columns) = logits.dims2()?;
    let device = logits.device();
    let most = asked.iter().map(Vec::len).max().unwrap_or(0);
    // Tokens are taken out as they are found: this must not touch the scores of anyone else.
    let left = logits.copy()?;
    let none = Tensor::full(f32::NEG_INFINITY, (rows, 1), device)?;
    let mut asked_scores = vec![Vec::new(); rows];
    if most > 0 {
        // A row that asks for fewer asks for one of them again, or for token 0, which stays.
        let filled: Vec<(TokenId, bool)> = asked
            .iter()
            .flat_map(|asked| {
                let filler = asked.last().copied().unwrap_or((0, false));
                let fill = std::iter::repeat_n(filler, most - asked.len());
                asked.iter().copied().chain(fill)
            })
            .collect();
        let ids: Vec<u32> = filled.iter().map(|&(token, _)| token).collect();
        let ids = Tensor::from_vec(ids, (rows, most), device)?;
        asked_scores = left.gather(&ids, 1)?.to_vec2::<f32>()?;
        let replaced = filled.iter().zip(asked_scores.iter().flatten());
        let replaced: Vec<f32> = replaced
            .map(|(&(_, out), &score)| if out { f32::NEG_INFINITY } else { score })
            .collect();
        let replaced = Tensor::from_vec(replaced, (rows, most), device)?;
        left.scatter_set(&ids, &replaced, 1)?;
    }
    // The sum of all is this one and what was taken out; the other way round, little would be left
    // where a token that is taken out has nearly all.
    let sums = left.log_sum_exp(1)?;
    let (mut ids, mut scores) = (Vec::with_capacity(count), vec![sums.unsqueeze(1)?]);
    for _ in 0..count.min(columns) {
        let best = left.argmax_keepdim(1)?;
        scores.push(left.gather(&best, 1)?);
        left.scatter_set(&best, &none, 1)?;
        ids.push(best);
    }
    let ids = Tensor::cat(&ids, 1)?.to_vec2::<u32>()?;
    let scores = Tensor::cat(&scores, 1)?.to_vec2::<f32>()?;
    let lines = asked
        .iter()
        .zip(asked_scores)
        .zip(ids.into_iter().zip(scores));
    let reduced = lines.map(|((asked, asked_scores), (ids, scores))| {
        let sum = scores[0];
        let top: Vec<(usize, f32)> = ids
            .into_iter()
            .zip(scores.into_iter().skip(1))
            .filter(|&(_, score)| score > f32::NEG_INFINITY)
            .map(|(id, score)| (id as usize, score))
            .collect();
        // Of scores that are all −∞ the sum is no number.
        let left = if top.is_empty() {
            f32::NEG_INFINITY
        } else {
            sum
        };
        let out = asked.iter().zip(&asked_scores);
        let out = out.filter(|((_, out), _)| *out).map(|(_, &score)| score);
        Reduced {
            columns,
            log_sum_exp: out.fold(left, log_add),
            log_sum_exp_left: left,
            top,
            asked: asked
                .iter()
                .map(|&(token, _)| token)
                .zip(asked_scores)
                .collect(),
        }
    });
    Ok(reduced.collect())
}

/// The logarithm of the sum of two exponentials.
fn log_add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f32::NEG_INFINITY {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_reduced_to_its_sum_its_best_and_what_was_asked_for() {
        let logits = [
            [1.0f32, 5.0, 3.0, 4.0],
            [2.0, 2.0, 2.0, 1.0],
            [0.0, 9.0, 8.0, 7.0],
        ];
        let tensor = Tensor::new(&logits, &Device::Cpu).unwrap();
        let asked = [
            vec![(1, true), (2, true)],
            vec![],
            vec![(1, false), (3, true)],
        ];
        let found = rows(&tensor, &asked, 2).unwrap();
        assert_eq!(found[0].top, [(3, 4.0), (0, 1.0)]);
        assert_eq!((found[0].score(1), found[0].score(2)), (5.0, 3.0));
        assert_eq!(found[1].top, [(0, 2.0), (1, 2.0)]);
        assert_eq!(found[2].top, [(1, 9.0), (2, 8.0)]);
        assert_eq!((found[2].score(1), found[2].score(3)), (9.0, 7.0));
        for (found, logits) in found.iter().zip(logits) {
            let sum = logits.iter().map(|x| x.exp()).sum::<f32>().ln();
            assert!((found.log_sum_exp - sum).abs() < 1e-5);
        }
        for (found, left) in
            found
                .iter()
                .zip([[1.0f32, 4.0].as_slice(), &logits[1], &[0.0, 9.0, 8.0]])
        {
            let sum = left.iter().map(|x| x.exp()).sum::<f32>().ln();
            assert!((found.log_sum_exp_left - sum).abs() < 1e-5);
        }
        // The scores themselves stay as they were.
        assert_eq!(tensor.to_vec2::<f32>().unwrap(), logits);
    }

    #[test]
    fn sums_hold_where_one_token_has_nearly_all_or_all_is_taken_out() {
        let logits = Tensor::new(&[[60.0f32, 1.0, 2.0]], &Device::Cpu).unwrap();
        let found = rows(&logits, &[vec![(0, true)]], 2).unwrap();
        let left = (1f32.exp() + 2f32.exp()).ln();
        assert!((found[0].log_sum_exp_left - left).abs() < 1e-5);
        assert_eq!(found[0].log_sum_exp, 60.0);
        let all = vec![(0, true), (1, true), (2, true)];
        let found = rows(&logits, &[all], 2).unwrap();
        assert_eq!(found[0].log_sum_exp_left, f32::NEG_INFINITY);
        assert_eq!(found[0].log_sum_exp, 60.0);
    }

    #[test]
    fn the_likeliest_token_is_one_that_is_allowed() {
        let logits = Tensor::new(
            &[[1.0f32, 5.0, 3.0], [7.0, 7.0, 0.0], [1.0, 2.0, 3.0]],
            &Device::Cpu,
        );
        let logits = logits.unwrap();
        let first: Arc<[bool]> = Arc::from([false, true]);
        let all: Arc<[bool]> = Arc::from([true; 9]);
        let banned = [Some(first.clone()), None, Some(all), Some(first)];
        let bans = Bans::new(&banned, 3, &Device::Cpu).unwrap();
        assert_eq!(
            likeliest(&logits, &[0, 1, 2], bans.as_ref(), None).unwrap(),
            [2, 0, 0]
        );
        assert_eq!(
            likeliest(&logits, &[1, 3, 0], bans.as_ref(), None).unwrap(),
            [1, 0, 2]
        );
        assert!(Bans::new(&[None, None], 3, &Device::Cpu).unwrap().is_none());
    }

    #[test]
    fn penalties_on_a_device_are_those_on_the_processor() {
        use crate::decode::Batch;
        let values = [
            [1.0f32, -5.0, 3.0, 0.0, 2.5],
            [-7.0, 7.0, 0.0, 6.9, -0.5],
            [1.0, 2.0, 3.0, 2.9, -4.0],
        ];
        let logits = Tensor::new(&values, &Device::Cpu).unwrap();
        let batch = Batch::new(&[vec![2, 1, 2, 9], vec![1, 0], vec![2]]);
        let mut said = Said::new(&batch, &[1.3, 1.1]).unwrap();
        said.say(1, 4);
        let found = penalized(&logits, &[1, 2, 0], &said).unwrap();
        let found = found.to_vec2::<f32>().unwrap();
        for ((found, line), row) in found.iter().zip(values).zip([1, 2, 0]) {
            let mut expected = line;
            if let Some(row) = said.row(row) {
                row.apply(&mut expected, None);
            }
            assert_eq!(*found, expected.to_vec(), "row {row}");
        }
        assert_eq!(logits.to_vec2::<f32>().unwrap(), values, "they stay");
    }
}
