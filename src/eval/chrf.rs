//! chrF (Popović, 2015) and chrF++ (Popović, 2017) of a corpus, as sacreBLEU 2 computes them with
//! its defaults: character n-grams up to 6 without white space, β = 2.

use std::collections::HashMap;

use super::words;
use super::{Case, Counter, Parts};

/// Characters of the longest n-gram.
const CHARACTER_ORDERS: usize = 6;
/// The square of β: how much more recall counts than precision.
const FACTOR: f64 = 4.0;

/// Counts: for each order of characters, then of words, the n-grams of the output, of the reference,
/// and those that match; of several references, those of the best.
pub(super) struct Chrf {
    pub(super) word_order: usize,
    pub(super) case: Case,
}

type Grams = HashMap<String, usize>;

/// Means over the orders that both sides have, from 0 to 1.
struct Means {
    precision: f64,
    recall: f64,
}

impl Means {
    fn of(counts: &[f64]) -> Self {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for order in counts.chunks_exact(3) {
            let &[hypothesis, reference, matches] = order else {
                continue;
            };
            if hypothesis > 0.0 && reference > 0.0 {
                precision += matches / hypothesis;
                recall += matches / reference;
                orders += 1.0;
            }
        }
        if orders > 0.0 {
            precision /= orders;
            recall /= orders;
        }
        Self { precision, recall }
    }

    fn score(&self) -> f64 {
        let Self { precision, recall } = self;
        if precision + recall > 0.0 {
            100.0 * ((1.0 + FACTOR) * precision * recall) / (FACTOR * precision + recall)
        } else {
            0.0
        }
    }
}

impl Chrf {
    fn grams(&self, text: &str) -> Vec<Grams> {
        let text = self.case.apply(text);
        let characters: Vec<char> = text.chars().filter(|&c| !words::is_space(c)).collect();
        let mut orders: Vec<Grams> = (1..=CHARACTER_ORDERS)
            .map(|order| count(characters.windows(order).map(|gram| gram.iter().collect())))
            .collect();
        let words = words_and_marks(&text);
        orders.extend(
            (1..=self.word_order)
                .map(|order| count(words.windows(order).map(|gram| gram.join(" ")))),
        );
        orders
    }
}

impl Counter for Chrf {
    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let hypothesis = self.grams(hypothesis);
        let mut best: Option<(f64, Vec<f64>)> = None;
        for reference in references {
            let reference = self.grams(reference);
            let counts: Vec<f64> = hypothesis
                .iter()
                .zip(&reference)
                .flat_map(|(hypothesis, reference)| compare(hypothesis, reference))
                .collect();
            let score = Means::of(&counts).score();
            if best.as_ref().is_none_or(|(best, _)| score > *best) {
                best = Some((score, counts));
            }
        }
        best.map(|(_, counts)| counts).unwrap_or_default()
    }

    fn value(&self, sums: &[f64]) -> f64 {
        Means::of(sums).score()
    }

    fn parts(&self, sums: &[f64]) -> Parts {
        let Means { precision, recall } = Means::of(sums);
        Parts::Chrf {
            precision: 100.0 * precision,
            recall: 100.0 * recall,
        }
    }

    fn signature(&self) -> String {
        let (case, words) = (self.case.name(), self.word_order);
        format!("case:{case}|eff:yes|nc:{CHARACTER_ORDERS}|nw:{words}|space:no")
    }
}

fn count(grams: impl Iterator<Item = String>) -> Grams {
    let mut counts = Grams::new();
    for gram in grams {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

fn compare(hypothesis: &Grams, reference: &Grams) -> [f64; 3] {
    let matches: usize = hypothesis
        .iter()
        .map(|(gram, &count)| count.min(reference.get(gram).copied().unwrap_or(0)))
        .sum();
    let all = |grams: &Grams| grams.values().sum::<usize>() as f64;
    // Where the reference has no n-gram of this order, the order does not count.
    let hypothesis = if reference.is_empty() {
        0.0
    } else {
        all(hypothesis)
    };
    [hypothesis, all(reference), matches as f64]
}

/// Words, with one mark of ASCII punctuation parted from the end, else from the beginning.
fn words_and_marks(text: &str) -> Vec<&str> {
    let is_mark = |c: char| c.is_ascii_punctuation();
    let mut parted = Vec::new();
    for word in words::split(text) {
        let is_one = word.chars().nth(1).is_none();
        if !is_one && word.ends_with(is_mark) {
            let (word, mark) = word.split_at(word.len() - 1);
            parted.extend([word, mark]);
        } else if !is_one && word.starts_with(is_mark) {
            let (mark, word) = word.split_at(1);
            parted.extend([mark, word]);
        } else {
            parted.push(word);
        }
    }
    parted
}
