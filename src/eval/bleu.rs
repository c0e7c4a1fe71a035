//! BLEU (Papineni et al., 2002) of a corpus, as sacreBLEU 2 computes it with its defaults.

use std::collections::HashMap;

use super::words::{self, BleuTokenizer};
use super::{Case, Counter, Parts};

/// Words of the longest n-gram.
const ORDERS: usize = 4;
/// The logarithm of a precision of nothing, in sacreBLEU.
const LOG_OF_NOTHING: f64 = -9_999_999_999.0;

/// Counts: words of the output, words of the nearest reference, then for each order the n-grams that
/// match, then for each order all n-grams.
pub(super) struct Bleu {
    pub(super) tokenizer: BleuTokenizer,
    pub(super) case: Case,
}

struct Precisions {
    percent: [f64; ORDERS],
    brevity_penalty: f64,
}

impl Bleu {
    fn part(&self, text: &str) -> String {
        let text = self.case.apply(text);
        self.tokenizer.part(text.trim_end_matches(words::is_space))
    }

    fn precisions(sums: &[f64]) -> Precisions {
        let [hypothesis, reference, counts @ ..] = sums else {
            return Precisions {
                percent: [0.0; ORDERS],
                brevity_penalty: 0.0,
            };
        };
        let (matches, totals) = counts.split_at(counts.len().min(ORDERS));
        let brevity_penalty = if hypothesis >= reference {
            1.0
        } else if *hypothesis > 0.0 {
            (1.0 - reference / hypothesis).exp()
        } else {
            0.0
        };
        let mut percent = [0.0; ORDERS];
        if matches.iter().any(|&count| count > 0.0) {
            let mut smoothing = 1.0;
            for ((precision, &matches), &total) in percent.iter_mut().zip(matches).zip(totals) {
                if total == 0.0 {
                    break;
                }
                *precision = if matches == 0.0 {
                    smoothing *= 2.0;
                    100.0 / (smoothing * total)
                } else {
                    100.0 * matches / total
                };
            }
        }
        Precisions {
            percent,
            brevity_penalty,
        }
    }
}

impl Counter for Bleu {
    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let hypothesis = self.part(hypothesis);
        let hypothesis: Vec<&str> = words::split(&hypothesis).collect();
        let references: Vec<String> = references.iter().map(|text| self.part(text)).collect();
        let references: Vec<Vec<&str>> = references
            .iter()
            .map(|text| words::split(text).collect())
            .collect();
        let nearest = references
            .iter()
            .map(Vec::len)
            .min_by_key(|&length| (length.abs_diff(hypothesis.len()), length));
        let mut counts = vec![hypothesis.len() as f64, nearest.unwrap_or(0) as f64];
        let mut totals = Vec::with_capacity(ORDERS);
        for order in 1..=ORDERS {
            // An n-gram may match as often as in the reference that has it most often.
            let mut allowed: HashMap<&[&str], usize> = HashMap::new();
            for reference in &references {
                for (gram, count) in grams(reference, order) {
                    let most = allowed.entry(gram).or_default();
                    *most = count.max(*most);
                }
            }
            let matches: usize = grams(&hypothesis, order)
                .into_iter()
                .map(|(gram, count)| count.min(allowed.get(gram).copied().unwrap_or(0)))
                .sum();
            counts.push(matches as f64);
            totals.push((hypothesis.len() + 1).saturating_sub(order) as f64);
        }
        counts.extend(totals);
        counts
    }

    fn value(&self, sums: &[f64]) -> f64 {
        let Precisions {
            percent,
            brevity_penalty,
        } = Self::precisions(sums);
        if percent.iter().all(|&precision| precision == 0.0) {
            return 0.0;
        }
        let log = |precision: f64| {
            if precision == 0.0 {
                LOG_OF_NOTHING
            } else {
                precision.ln()
            }
        };
        let mean = percent.into_iter().map(log).sum::<f64>() / ORDERS as f64;
        brevity_penalty * mean.exp()
    }

    fn parts(&self, sums: &[f64]) -> Parts {
        let Precisions {
            percent,
            brevity_penalty,
        } = Self::precisions(sums);
        let length = |at: usize| sums.get(at).map_or(0, |&length| length as u64);
        Parts::Bleu {
            precisions: percent,
            brevity_penalty,
            hypothesis_length: length(0),
            reference_length: length(1),
        }
    }

    fn signature(&self) -> String {
        let (case, tokenizer) = (self.case.name(), self.tokenizer);
        format!("case:{case}|eff:no|tok:{tokenizer}|smooth:exp")
    }
}

fn grams<'a, 'b>(words: &'b [&'a str], order: usize) -> HashMap<&'b [&'a str], usize> {
    let mut counts = HashMap::new();
    for gram in words.windows(order) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}
