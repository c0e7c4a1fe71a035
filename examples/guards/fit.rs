//! Fits the weights by which the signs of missing parts are weighed, and measures them on documents
//! that they were not fitted to.
//!
//! A translation has several stories of what may be missing, each with a score; the logarithm of the
//! sum of their exponentials is what decides. The weights are those of a logistic regression on that,
//! by gradient descent; then each direction is shifted so that few whole translations raise an alarm.

use newsml::fitting::{SIGNS, Signs, WEIGHTS, group, signs};
use newsml::{Language, WarningKind, check_translation};

use crate::faults::{Case, Dice, FAULTS};
use crate::sets::Set;

const FOLDS: usize = 5;
/// How many times as much a whole translation weighs as one with a fault.
const WHOLE: f64 = 3.0;
const ROUNDS: usize = 200;
const RATE: f64 = 0.08;
/// How strongly weights are drawn to nothing.
const DECAY: f64 = 1e-4;
/// The share of whole translations that may be suspected, by the weights alone.
const ALARMS: f64 = 0.0025;
/// Where the signs of the direction are.
const DIRECTION: std::ops::Range<usize> = 24..30;
/// The faults that are fitted to.
const FITTED: [&str; 2] = ["half cut off", "one of two sentences dropped"];

/// A translation, whole or with a fault.
struct Sample {
    set: usize,
    direction: usize,
    fold: usize,
    /// The fault by its place in [`FAULTS`]; `None` for a whole translation.
    fault: Option<usize>,
    /// Whether another guard sees something.
    is_seen: bool,
    /// The signs of each story, by place; none where it is seen anyway.
    stories: Vec<Vec<(usize, f64)>>,
}

impl Sample {
    fn score(&self, weights: &Signs) -> f64 {
        let scores = self.stories.iter().map(|story| score(story, weights));
        scores.map(f64::exp).sum::<f64>().max(1e-30).ln()
    }

    fn is_fitted(&self) -> bool {
        !self.is_seen
            && self
                .fault
                .is_none_or(|fault| FITTED.contains(&FAULTS[fault].0))
    }
}

fn score(story: &[(usize, f64)], weights: &Signs) -> f64 {
    story.iter().map(|(at, sign)| weights[*at] * sign).sum()
}

/// Fits and measures.
pub(crate) fn run(sets: &[(String, Set)]) {
    let samples = samples(sets);
    let mut weights = Vec::new();
    for fold in 0..FOLDS {
        weights.push(fitted_by_group(&samples, |sample| sample.fold != fold));
    }
    println!("on folds that were not fitted:");
    report(sets, &samples, |sample| {
        &weights[sample.fold][group(sample.direction)]
    });
    let all = fitted_by_group(&samples, |_| true);
    println!("fitted to all:");
    report(sets, &samples, |sample| &all[group(sample.direction)]);
    println!("as built in:");
    report(sets, &samples, |sample| &WEIGHTS[group(sample.direction)]);
    for weights in all {
        let weights: Vec<String> = weights
            .iter()
            .map(|weight| {
                if weight.abs() < 0.005 {
                    "0.0".to_owned()
                } else {
                    format!("{weight:.3}")
                }
            })
            .collect();
        println!("weights: [{}],", weights.join(", "));
    }
}

/// Every translation of the sets, whole and with each fault.
fn samples(sets: &[(String, Set)]) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (number, (_, set)) in sets.iter().enumerate() {
        let pairs = (0..3).flat_map(|a| (0..3).map(move |b| (a, b)));
        for (direction, (a, b)) in pairs.filter(|(a, b)| a != b).enumerate() {
            let (sources, targets) = (&set.lines[a], &set.lines[b]);
            let languages = (Language::ALL[a], Language::ALL[b]);
            let mut dice = Dice(7);
            for (at, (source, target)) in sources.iter().zip(targets).enumerate() {
                let before = at
                    .checked_sub(1)
                    .map_or(("", ""), |at| (&*sources[at], &*targets[at]));
                let case = Case {
                    source,
                    target,
                    before,
                    to: languages.1,
                    others: &[],
                };
                let mut push = |fault, (source, target): (&str, &str)| {
                    samples.push(Sample {
                        set: number,
                        direction,
                        fold: set.documents[at] % FOLDS,
                        fault,
                        ..sample(source, target, languages)
                    });
                };
                push(None, (source, target));
                for (fault, (_, inject)) in FAULTS.iter().enumerate() {
                    if let Some((source, target)) = inject(&case, &mut dice) {
                        push(Some(fault), (&source, &target));
                    }
                }
            }
        }
    }
    samples
}

fn sample(source: &str, target: &str, (from, to): (Language, Language)) -> Sample {
    let faults = check_translation(source, target, Some(from), Some(to));
    let is_other = |kind| !matches!(kind, WarningKind::TooShort | WarningKind::SentenceDropped);
    let is_seen = faults.iter().any(|fault| is_other(fault.kind));
    let stories = if is_seen {
        Vec::new()
    } else {
        signs(source, from, target, to)
            .into_iter()
            .map(|signs| {
                let signs = signs.into_iter().enumerate();
                signs.filter(|(_, sign)| *sign != 0.0).collect()
            })
            .collect()
    };
    Sample {
        set: 0,
        direction: 0,
        fold: 0,
        fault: None,
        is_seen,
        stories,
    }
}

/// Weights for each group of directions.
fn fitted_by_group(samples: &[Sample], takes: impl Fn(&Sample) -> bool) -> [Signs; 2] {
    [0, 1].map(|number| {
        let mine = samples
            .iter()
            .filter(|sample| group(sample.direction) == number);
        fitted(mine.filter(|sample| takes(sample)))
    })
}

/// The weights that part whole translations from those with a fault.
fn fitted<'a>(samples: impl Iterator<Item = &'a Sample>) -> Signs {
    let samples: Vec<&Sample> = samples.filter(|sample| sample.is_fitted()).collect();
    let mut weights = [0.0; SIGNS];
    weights[DIRECTION].fill(-4.0);
    let (mut mean, mut square) = ([0.0; SIGNS], [0.0; SIGNS]);
    for round in 1..=ROUNDS {
        let slope = slope(&samples, &weights);
        let rate = RATE * (1.0 - 0.9 * round as f64 / ROUNDS as f64);
        for at in 0..SIGNS {
            let slope = slope[at] + DECAY * weights[at];
            mean[at] = 0.9 * mean[at] + 0.1 * slope;
            square[at] = 0.99 * square[at] + 0.01 * slope * slope;
            let (mean, square) = (
                mean[at] / (1.0 - 0.9_f64.powi(round as i32)),
                square[at] / (1.0 - 0.99_f64.powi(round as i32)),
            );
            weights[at] -= rate * mean / (square.sqrt() + 1e-8);
        }
    }
    shift(&samples, &mut weights);
    weights
}

/// The slope of the mean loss.
fn slope(samples: &[&Sample], weights: &Signs) -> Signs {
    let mut slope = [0.0; SIGNS];
    let mut total = 0.0;
    for sample in samples {
        let scores = sample.stories.iter().map(|story| score(story, weights));
        let odds: Vec<f64> = scores.map(|score| score.clamp(-30.0, 30.0).exp()).collect();
        let sum: f64 = odds.iter().sum();
        let suspected = sum / (1.0 + sum);
        let (weight, error) = match sample.fault {
            None => (WHOLE, suspected),
            Some(_) => (1.0, suspected - 1.0),
        };
        total += weight;
        for (story, odds) in sample.stories.iter().zip(&odds) {
            let share = weight * error * odds / sum;
            for (at, sign) in story {
                slope[*at] += share * sign;
            }
        }
    }
    slope.map(|slope| slope / total)
}

/// Moves each direction to where few whole translations are suspected.
fn shift(samples: &[&Sample], weights: &mut Signs) {
    for direction in 0..DIRECTION.len() {
        let whole = samples
            .iter()
            .filter(|sample| sample.direction == direction && sample.fault.is_none());
        let mut scores: Vec<f64> = whole.map(|sample| sample.score(weights)).collect();
        if scores.is_empty() {
            continue;
        }
        scores.sort_by(|a, b| b.total_cmp(a));
        let place = (scores.len() as f64 * ALARMS) as usize;
        // The mean of neighbours is steadier than one score.
        let near = &scores[place.saturating_sub(2)..(place + 3).min(scores.len())];
        weights[DIRECTION.start + direction] -= near.iter().sum::<f64>() / near.len() as f64;
    }
}

fn report<'a>(sets: &[(String, Set)], samples: &[Sample], weights: impl Fn(&Sample) -> &'a Signs) {
    for (number, (name, _)) in sets.iter().enumerate() {
        for direction in 0..DIRECTION.len() {
            let mut counts = vec![(0, 0); FAULTS.len() + 1];
            let mut missing = 0;
            for sample in samples {
                if sample.set != number || sample.direction != direction {
                    continue;
                }
                let is_suspected = !sample.is_seen && sample.score(weights(sample)) > 0.0;
                missing += usize::from(sample.fault.is_none() && is_suspected);
                let count = &mut counts[sample.fault.map_or(FAULTS.len(), |fault| fault)];
                count.0 += usize::from(sample.is_seen || is_suspected);
                count.1 += 1;
            }
            let percent = |(part, all): (usize, usize)| 100.0 * part as f64 / all.max(1) as f64;
            let all = counts[..FAULTS.len()]
                .iter()
                .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
            let of = |wanted: &str| {
                let place = FAULTS.iter().position(|(name, _)| *name == wanted);
                place.map_or(0.0, |place| percent(counts[place]))
            };
            let name = name.rsplit('/').next().unwrap_or(name);
            println!(
                "{name:>18} {} alarms {:.2} % (missing parts {:.2} %), caught {:.2} %, half {:.2} %, dropped {:.2} %",
                name_of(direction),
                percent(counts[FAULTS.len()]),
                percent((missing, counts[FAULTS.len()].1)),
                percent(all),
                of(FITTED[0]),
                of(FITTED[1]),
            );
        }
    }
}

fn name_of(direction: usize) -> String {
    let pairs = (0..3).flat_map(|a| (0..3).map(move |b| (a, b)));
    let names = pairs.filter(|(a, b)| a != b).nth(direction);
    names.map_or_else(String::new, |(a, b)| {
        format!("{}-{}", Language::ALL[a], Language::ALL[b])
    })
}
