//! ROUGE-N, ROUGE-L and ROUGE-Lsum (Lin, 2004), as the package `rouge-score` computes them without
//! stemming, on words of any script.
//!
//! `rouge-score`'s own words are ASCII only, which leaves nothing of Arabic and Russian; it takes a
//! tokenizer in their place, and the one meant here is `words::rouge_words`. Of several references,
//! the one with the best F-measure counts; the score of a corpus is the mean over its segments.

use std::collections::{BTreeSet, HashMap};

use super::words::rouge_words;
use super::{Counter, Parts};

/// Counts: precision, recall, F-measure, and one for the segment itself.
pub(super) enum Rouge {
    /// Runs of so many words.
    Words(usize),
    /// The longest common subsequence.
    Sequence,
    /// The same, line by line.
    Lines,
}

#[derive(Clone, Copy)]
struct Measure {
    precision: f64,
    recall: f64,
    f: f64,
}

impl Measure {
    fn new(hits: usize, reference: usize, hypothesis: usize) -> Self {
        let share = |all: usize| hits as f64 / all.max(1) as f64;
        let (precision, recall) = (share(hypothesis), share(reference));
        let f = if precision + recall > 0.0 {
            2.0 * precision * recall / (precision + recall)
        } else {
            0.0
        };
        Self {
            precision,
            recall,
            f,
        }
    }
}

impl Rouge {
    fn measure(&self, reference: &str, hypothesis: &str) -> Measure {
        match *self {
            Self::Words(order) => {
                let (reference, hypothesis) = (rouge_words(reference), rouge_words(hypothesis));
                let (reference, hypothesis) = (grams(&reference, order), grams(&hypothesis, order));
                let hits = reference
                    .iter()
                    .map(|(gram, &count)| count.min(hypothesis.get(gram).copied().unwrap_or(0)))
                    .sum();
                Measure::new(hits, reference.values().sum(), hypothesis.values().sum())
            }
            Self::Sequence => {
                let (reference, hypothesis) = (rouge_words(reference), rouge_words(hypothesis));
                let hits = Table::new(&reference, &hypothesis).longest();
                Measure::new(hits, reference.len(), hypothesis.len())
            }
            Self::Lines => by_lines(reference, hypothesis),
        }
    }
}

impl Counter for Rouge {
    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let mut best: Option<Measure> = None;
        for reference in references {
            let measure = self.measure(reference, hypothesis);
            if best.is_none_or(|best| measure.f > best.f) {
                best = Some(measure);
            }
        }
        match best {
            Some(Measure {
                precision,
                recall,
                f,
            }) => vec![precision, recall, f, 1.0],
            None => vec![0.0, 0.0, 0.0, 1.0],
        }
    }

    fn value(&self, sums: &[f64]) -> f64 {
        mean(sums, 2)
    }

    fn parts(&self, sums: &[f64]) -> Parts {
        Parts::Rouge {
            precision: mean(sums, 0),
            recall: mean(sums, 1),
        }
    }

    fn signature(&self) -> String {
        "case:lc|words:unicode|stemmer:no".to_owned()
    }
}

/// The mean of the i-th count, in percent.
fn mean(sums: &[f64], i: usize) -> f64 {
    match (sums.get(i), sums.get(3)) {
        (Some(sum), Some(segments)) if *segments > 0.0 => 100.0 * sum / segments,
        _ => 0.0,
    }
}

fn grams(words: &[String], order: usize) -> HashMap<&[String], usize> {
    let mut counts = HashMap::new();
    for gram in words.windows(order) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

/// ROUGE-L of summaries (section 3.2 of the paper), with what version 1.5.5 does against counting a
/// word twice.
fn by_lines(reference: &str, hypothesis: &str) -> Measure {
    let lines = |text: &str| -> Vec<Vec<String>> {
        let lines = text.split('\n').filter(|line| !line.is_empty());
        lines.map(rouge_words).collect()
    };
    let (reference, hypothesis) = (lines(reference), lines(hypothesis));
    let count = |lines: &[Vec<String>]| -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for word in lines.iter().flatten() {
            *counts.entry(word.clone()).or_default() += 1;
        }
        counts
    };
    let (mut of_reference, mut of_hypothesis) = (count(&reference), count(&hypothesis));
    let mut hits = 0;
    for line in &reference {
        let mut union = BTreeSet::new();
        for other in &hypothesis {
            union.extend(Table::new(line, other).places());
        }
        for word in union.into_iter().filter_map(|place| line.get(place)) {
            if let (Some(a @ 1..), Some(b @ 1..)) =
                (of_reference.get_mut(word), of_hypothesis.get_mut(word))
            {
                *a -= 1;
                *b -= 1;
                hits += 1;
            }
        }
    }
    let words = |lines: &[Vec<String>]| lines.iter().map(Vec::len).sum();
    Measure::new(hits, words(&reference), words(&hypothesis))
}

/// Lengths of the longest common subsequences of all beginnings of two texts.
struct Table<'a> {
    reference: &'a [String],
    hypothesis: &'a [String],
    /// (reference + 1, hypothesis + 1)
    lengths: Vec<u32>,
}

impl<'a> Table<'a> {
    fn new(reference: &'a [String], hypothesis: &'a [String]) -> Self {
        let width = hypothesis.len() + 1;
        let mut lengths = vec![0; (reference.len() + 1) * width];
        for (i, word) in reference.iter().enumerate() {
            for (j, other) in hypothesis.iter().enumerate() {
                let (above, here) = (i * width + j, (i + 1) * width + j);
                lengths[here + 1] = if word == other {
                    lengths[above] + 1
                } else {
                    lengths[above + 1].max(lengths[here])
                };
            }
        }
        Self {
            reference,
            hypothesis,
            lengths,
        }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lengths[i * (self.hypothesis.len() + 1) + j]
    }

    fn longest(&self) -> usize {
        self.at(self.reference.len(), self.hypothesis.len()) as usize
    }

    /// The places in the reference of one longest subsequence; of several, the one that
    /// `rouge-score` walks back to.
    fn places(&self) -> Vec<usize> {
        let (mut i, mut j) = (self.reference.len(), self.hypothesis.len());
        let mut places = Vec::new();
        while i > 0 && j > 0 {
            if self.reference[i - 1] == self.hypothesis[j - 1] {
                places.push(i - 1);
                (i, j) = (i - 1, j - 1);
            } else if self.at(i, j - 1) > self.at(i - 1, j) {
                j -= 1;
            } else {
                i -= 1;
            }
        }
        places
    }
}
