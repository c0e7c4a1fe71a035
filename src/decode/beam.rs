//! Beam search, and greedy search under constraints, as `transformers` does them.
//!
//! Follows `_beam_search` and `_sample` of transformers 5, so that a checkpoint gives here what it
//! gives there. Sources never influence each other; a source that is finished leaves the batch.

use std::ops::ControlFlow;

use super::constraints::{Changes, Constraints, Place};
use super::{Finish, Step, phrases, reduced};
use crate::decode::{Batch, Model, Ranked, Scores, State, TokenId, with_values};
use crate::error::{Error, Result};
use crate::kernels::{Row, Scanned, Sums, map_parallel};

/// When a source is done although unfinished hypotheses are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EarlyStopping {
    /// When no unfinished hypothesis is likely to come in among the best.
    No,
    /// As soon as there are as many finished hypotheses as beams.
    Yes,
    /// When no unfinished hypothesis can come in among the best, however long it gets.
    Never,
}

/// How hypotheses are searched for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    /// Hypotheses that are followed side by side; 1 for greedy.
    pub(crate) beams: usize,
    /// Hypotheses that are returned for each row, at most as many as beams.
    pub(crate) best: usize,
    /// Exponent of the length that the score of a hypothesis is divided by.
    pub(crate) length_penalty: f32,
    /// When to stop.
    pub(crate) early_stopping: EarlyStopping,
    /// Most new tokens of a row for which no limit of its own is given.
    pub(crate) max_new: usize,
    /// Tokens that end a hypothesis; they are not part of what is returned.
    pub(crate) end: Vec<TokenId>,
    /// Whether scores are normalized again after the constraints.
    pub(crate) renormalize: bool,
    /// What may not, or must, be said.
    pub(crate) constraints: Constraints,
    /// For each row the phrases that must be said, where the limit leaves room for them; rows
    /// beyond the end have none. Takes more than one beam.
    pub(crate) phrases: Vec<Vec<Vec<TokenId>>>,
}

impl Search {
    fn phrases(&self, row: usize) -> &[Vec<TokenId>] {
        match self.phrases.get(row) {
            Some(phrases) if self.beams > 1 => phrases,
            _ => &[],
        }
    }
}

impl Default for Search {
    fn default() -> Self {
        Self {
            beams: 1,
            best: 1,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::No,
            max_new: 511,
            end: Vec::new(),
            renormalize: false,
            constraints: Constraints::default(),
            phrases: Vec::new(),
        }
    }
}

/// Most hypotheses that can be followed side by side: room is made for all of them.
pub(crate) const MOST_BEAMS: usize = 1024;

/// What a hypothesis loses that does not say all phrases: more than any score.
const UNSAID: f32 = 1e6;

/// A hypothesis with its score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scored {
    /// The new tokens, without the one that ended them.
    pub(crate) tokens: Vec<TokenId>,
    /// The sum of the logarithms of the probabilities, divided by the length to the power of the
    /// length penalty; not a number for greedy search, which has no use for it.
    pub(crate) score: f32,
    /// Why there are no more.
    pub(crate) finish: Finish,
}

/// An unfinished hypothesis.
#[derive(Clone)]
struct Beam {
    /// What was said, after the token that the decoder starts with.
    history: Vec<TokenId>,
    score: f32,
}

/// One source with its hypotheses.
struct Group {
    /// Which row of the batch it is.
    row: usize,
    max_new: usize,
    beams: Vec<Beam>,
    /// Best first, at most as many as beams.
    finished: Vec<Scored>,
    improvable: bool,
}

/// A hypothesis one token longer.
struct Candidate {
    beam: usize,
    token: TokenId,
    score: f32,
}

/// Decodes every row of a batch; the i-th list answers the i-th row, best first.
///
/// `max_new` has the most new tokens of each row.
///
/// # Errors
///
/// [`Error::Cancelled`] where `progress` breaks; [`Error::Usage`] for a model that restricts its
/// output to a shortlist, and for more than [`MOST_BEAMS`] beams; what the model returns.
pub(crate) fn search(
    model: &dyn Model,
    batch: &Batch,
    search: &Search,
    max_new: &[usize],
    progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Vec<Vec<Scored>>> {
    if search.beams > MOST_BEAMS {
        return Err(Error::Usage {
            message: format!("{} beams cannot be followed", search.beams),
            hint: Some(format!("use at most {MOST_BEAMS}; 4 to 6 are usual")),
        });
    }
    let mut answers: Vec<Vec<Scored>> = vec![Vec::new(); batch.rows()];
    let mut state = model.start(batch)?;
    let mut groups = Vec::with_capacity(batch.rows());
    for (row, (&first, &max_new)) in state.first.iter().zip(max_new).enumerate() {
        let beam = Beam {
            history: vec![first],
            score: 0.0,
        };
        groups.push(Group {
            row,
            max_new,
            beams: vec![beam],
            finished: Vec::new(),
            improvable: true,
        });
    }
    let mut lines: Vec<usize> = (0..groups.len()).collect();
    let silent = |group: &Group| group.max_new == 0;
    if groups.iter().any(silent) {
        for group in groups.iter().filter(|group| silent(group)) {
            answers[group.row] = vec![Scored {
                tokens: Vec::new(),
                score: 0.0,
                finish: Finish::Length,
            }];
        }
        lines.retain(|&line| !silent(&groups[line]));
        groups.retain(|group| !silent(group));
        state.keep(&lines)?;
    }
    let mut tokens = 0;
    while !groups.is_empty() {
        let last: Vec<TokenId> = groups
            .iter()
            .flat_map(|group| &group.beams)
            .filter_map(|beam| beam.history.last().copied())
            .collect();
        let sums = match search.beams {
            1 => Sums::Unwanted,
            _ => Sums::Wanted,
        };
        let scores = model.step_ranked(&mut state, &last, sums)?;
        let candidates = candidates(&groups, &scores, search, model.reduces_scores())?;
        let mut kept = Vec::with_capacity(last.len());
        let mut line = 0;
        let mut live = Vec::with_capacity(groups.len());
        for (mut group, candidates) in groups.into_iter().zip(candidates) {
            let first = line;
            line += group.beams.len();
            tokens += 1;
            let origins = if search.beams == 1 {
                group.follow(&candidates, search)
            } else {
                group.advance(candidates, search)
            };
            if origins.is_empty() {
                let mut finished = group.finished;
                finished.truncate(search.best.max(1));
                answers[group.row] = finished;
            } else {
                kept.extend(origins.into_iter().map(|beam| first + beam));
                live.push(group);
            }
        }
        groups = live;
        let unchanged = kept.iter().copied().eq(0..line);
        if !groups.is_empty() && !unchanged {
            state.keep(&kept)?;
        }
        if progress(Step {
            live: groups.len(),
            tokens,
        })
        .is_break()
        {
            return Err(Error::Cancelled);
        }
    }
    Ok(answers)
}

/// The best continuations of each group, best first; `reduce` where the scores are on a device.
fn candidates(
    groups: &[Group],
    scores: &Ranked<'_>,
    search: &Search,
    reduce: bool,
) -> Result<Vec<Vec<Candidate>>> {
    if let Ranked::Kept(scores) = scores
        && scores.shortlist.is_some()
    {
        return Err(Error::Usage {
            message:
                "this model restricts its output to a shortlist and cannot be decoded with beams"
                    .to_owned(),
            hint: Some("leave out `--beams`".to_owned()),
        });
    }
    let beams: Vec<(&Group, &Beam)> = groups
        .iter()
        .flat_map(|group| group.beams.iter().map(move |beam| (group, beam)))
        .collect();
    // Twice as many as beams, so that enough are left when all of the best ones end.
    let count = if search.beams == 1 {
        1
    } else {
        search.beams * (1 + search.end.len()).max(2)
    };
    let found = match scores {
        Ranked::Kept(scores) if reduce => {
            let columns = scores.logits.dim(1)?;
            let asked = beams.iter().map(|(group, beam)| {
                // Which tokens the constraints change does not depend on their scores.
                let place = group.place(beam, search);
                let changes = search.constraints.changes(place, columns, |_| 0.0);
                let changed = changes.scores.into_iter().map(|(token, _)| (token, true));
                let wanted = phrases::wanted(search.phrases(group.row), &beam.history[1..]);
                let wanted = wanted
                    .into_iter()
                    .filter(|&token| (token as usize) < columns);
                let mut asked: Vec<_> = changed.chain(wanted.map(|token| (token, false))).collect();
                asked.sort_by_key(|&(token, changes)| (token, !changes));
                asked.dedup_by_key(|&mut (token, _)| token);
                asked
            });
            let reduced = reduced::rows(&scores.logits, &asked.collect::<Vec<_>>(), count)?;
            let rows = beams.iter().zip(&reduced);
            rows.map(|(&beam, scores)| continuations(beam, scores, search, count))
                .collect()
        }
        Ranked::Kept(scores) => {
            let (rows, columns) = scores.logits.dims2()?;
            debug_assert_eq!(rows, beams.len(), "one row of scores a beam");
            with_values(&scores.logits, |values| {
                map_parallel(rows, columns, |row| {
                    let scores = Scanned::new(&values[row * columns..(row + 1) * columns]);
                    continuations(beams[row], &scores, search, count)
                })
            })?
        }
        Ranked::Tiled(scores) => {
            debug_assert_eq!(scores.rows(), beams.len(), "one row of scores a beam");
            map_parallel(scores.rows(), scores.tiles(), |row| {
                continuations(beams[row], &scores.row(row), search, count)
            })
        }
    };
    let mut found = found.into_iter();
    let merged = groups.iter().map(|group| {
        let mut all: Vec<Candidate> = Vec::new();
        for beam in 0..group.beams.len() {
            let continuations = found.next().unwrap_or_default();
            all.extend(continuations.into_iter().map(|(token, score)| Candidate {
                beam,
                token,
                score,
            }));
        }
        // Stable: among equals the lower beam and token come first.
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        if search.phrases(group.row).is_empty() {
            all.truncate(count);
            all
        } else {
            group.dealt(all, search, count)
        }
    });
    Ok(merged.collect())
}

/// The best continuations of one beam with their scores.
fn continuations(
    (group, beam): (&Group, &Beam),
    scores: &impl Row,
    search: &Search,
    count: usize,
) -> Vec<(TokenId, f32)> {
    // Greedy search applies constraints to raw scores, beam search to logarithms of probabilities.
    let norm = if search.beams == 1 {
        0.0
    } else {
        scores.log_sum_exp()
    };
    let score = |token: TokenId| scores.score(token as usize) - norm;
    let Changes {
        only,
        scores: changed,
    } = search
        .constraints
        .changes(group.place(beam, search), scores.columns(), score);
    if let Some(token) = only {
        return vec![(token, beam.score)];
    }
    let except: Vec<usize> = changed.iter().map(|&(token, _)| token as usize).collect();
    let mut shift = norm;
    if search.renormalize && search.beams > 1 {
        shift += log_left(scores, norm, &changed, &except);
    }
    let mut best: Vec<(TokenId, f32)> = scores
        .top(count, &except)
        .into_iter()
        .map(|(column, score)| (column as TokenId, beam.score + (score - shift)))
        .collect();
    best.extend(
        changed
            .into_iter()
            .filter(|&(_, score)| score > f32::NEG_INFINITY)
            .map(|(token, score)| (token, beam.score + (score - (shift - norm)))),
    );
    best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    best.truncate(count);
    for token in phrases::wanted(search.phrases(group.row), &beam.history[1..]) {
        let is_token = (token as usize) < scores.columns();
        if is_token && !best.iter().any(|(known, _)| *known == token) {
            best.push((token, beam.score + (scores.score(token as usize) - shift)));
        }
    }
    best
}

/// The logarithm of what the probabilities of a row sum to after changes; `norm` is that of the
/// sum of its exponentials before, `except` the columns that change.
fn log_left(scores: &impl Row, norm: f32, changed: &[(TokenId, f32)], except: &[usize]) -> f32 {
    let before = |token: TokenId| (scores.score(token as usize) - norm).exp();
    let more = changed
        .iter()
        .map(|&(token, new)| new.exp() - before(token));
    let left = 1.0 + more.sum::<f32>();
    if left > 0.1 {
        return left.ln();
    }
    // Taken from 1 so little is left that it is mostly rounding, and may be 0 or less: what is left
    // is added up instead.
    let rest = scores.log_sum_exp_without(except) - norm;
    let parts = || std::iter::once(rest).chain(changed.iter().map(|&(_, new)| new));
    let largest = parts().fold(f32::NEG_INFINITY, f32::max);
    if largest == f32::NEG_INFINITY {
        // Nothing may be said, so that nothing is to be normalized.
        return 0.0;
    }
    largest + parts().map(|part| (part - largest).exp()).sum::<f32>().ln()
}

impl Group {
    /// Where one of its hypotheses stands.
    fn place<'a>(&self, beam: &'a Beam, search: &'a Search) -> Place<'a> {
        Place {
            history: &beam.history,
            max_new: self.max_new,
            end: &search.end,
        }
    }

    fn said(&self) -> usize {
        self.beams.first().map_or(0, |beam| beam.history.len() - 1)
    }

    /// Whether an end that comes next is one that the limit forces: it says nothing of whether the
    /// hypothesis is whole.
    fn is_end_forced(&self, search: &Search) -> bool {
        search.constraints.forced_last.is_some() && self.said() + 1 >= self.max_new
    }

    /// Candidates in the order in which they take places, where phrases must be said: those that
    /// end before all is said are left out, unless the limit is reached.
    fn dealt(&self, candidates: Vec<Candidate>, search: &Search, count: usize) -> Vec<Candidate> {
        let phrases = search.phrases(self.row);
        let at_limit = self.said() + 1 >= self.max_new;
        let banked = candidates.into_iter().filter_map(|candidate| {
            let mut tokens = self.beams[candidate.beam].history[1..].to_vec();
            if search.end.contains(&candidate.token) {
                let may_end = at_limit || phrases::all_said(phrases, &tokens);
                return may_end.then(|| (phrases::said(phrases, &tokens), candidate));
            }
            tokens.push(candidate.token);
            Some((phrases::said(phrases, &tokens), candidate))
        });
        phrases::deal(banked.collect(), count)
    }

    /// Greedy search: takes the best continuation. Returns whether the beam goes on, as the lines
    /// that are kept.
    fn follow(&mut self, candidates: &[Candidate], search: &Search) -> Vec<usize> {
        let is_end_forced = self.is_end_forced(search);
        let Some(beam) = self.beams.first_mut() else {
            return Vec::new();
        };
        let finish = match candidates.first() {
            // Every token is forbidden.
            None => Some(Finish::Length),
            Some(best) if search.end.contains(&best.token) => Some(if is_end_forced {
                Finish::Length
            } else {
                Finish::Stop
            }),
            Some(best) => {
                beam.history.push(best.token);
                (beam.history.len() > self.max_new).then_some(Finish::Length)
            }
        };
        match finish {
            None => vec![0],
            Some(finish) => {
                let tokens = beam.history.split_off(1);
                self.finished = vec![Scored {
                    tokens,
                    score: f32::NAN,
                    finish,
                }];
                Vec::new()
            }
        }
    }

    /// Beam search: sorts the best continuations into finished and unfinished ones. Returns from
    /// which beam each of the new beams came; none when the source is done.
    fn advance(&mut self, candidates: Vec<Candidate>, search: &Search) -> Vec<usize> {
        let length = self.said() + 1;
        let at_limit = length >= self.max_new;
        let is_end_forced = self.is_end_forced(search);
        let was_full = self.finished.len() == search.beams;
        let may_add = self.improvable && !(was_full && search.early_stopping == EarlyStopping::Yes);
        let power = |length: usize| (length as f64).powf(f64::from(search.length_penalty)) as f32;

        let mut beams = Vec::with_capacity(search.beams);
        let mut origins = Vec::with_capacity(search.beams);
        for (rank, candidate) in candidates.into_iter().enumerate() {
            let ends = search.end.contains(&candidate.token);
            let history = &self.beams[candidate.beam].history;
            if !ends && !at_limit {
                if beams.len() < search.beams {
                    let mut history = history.clone();
                    history.push(candidate.token);
                    beams.push(Beam {
                        history,
                        score: candidate.score,
                    });
                    origins.push(candidate.beam);
                }
            } else if rank < search.beams && may_add {
                let mut tokens = history[1..].to_vec();
                if !ends {
                    tokens.push(candidate.token);
                }
                let finish = if ends && !is_end_forced {
                    Finish::Stop
                } else {
                    Finish::Length
                };
                // One that the limit ended before all phrases were said comes after all others.
                let is_whole = phrases::all_said(search.phrases(self.row), &tokens);
                let unsaid = if is_whole { 0.0 } else { UNSAID };
                self.finished.push(Scored {
                    tokens,
                    score: candidate.score / power(length) - unsaid,
                    finish,
                });
            }
        }
        self.finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.finished.truncate(search.beams);
        let full = self.finished.len() == search.beams;
        if full && let (Some(best), Some(worst)) = (beams.first(), self.finished.last()) {
            let longest =
                search.early_stopping == EarlyStopping::Never && search.length_penalty > 0.0;
            let hypothetical = best.score / power(if longest { self.max_new } else { length });
            self.improvable &= hypothetical > worst.score;
        }
        let done =
            at_limit || !self.improvable || (full && search.early_stopping == EarlyStopping::Yes);
        if done || beams.is_empty() {
            // Where the constraints left nothing to say, what was said so far is the answer.
            if self.finished.is_empty() {
                let finish = Finish::Length;
                self.finished = self
                    .beams
                    .iter()
                    .map(|beam| Scored {
                        tokens: beam.history[1..].to_vec(),
                        score: beam.score,
                        finish,
                    })
                    .collect();
            }
            return Vec::new();
        }
        self.beams = beams;
        origins
    }
}

/// Decodes with another first token for the decoder than the model's own; what some checkpoints
/// choose the target language by.
pub(crate) struct StartingWith<'a> {
    /// The model.
    pub(crate) model: &'a dyn Model,
    /// What the decoder reads first.
    pub(crate) first: TokenId,
}

impl Model for StartingWith<'_> {
    fn start(&self, batch: &Batch) -> Result<State> {
        let mut state = self.model.start(batch)?;
        state.first.fill(self.first);
        Ok(state)
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        self.model.step(state, last)
    }

    fn step_ranked<'b>(
        &'b self,
        state: &mut State,
        last: &[TokenId],
        sums: Sums,
    ) -> Result<Ranked<'b>> {
        self.model.step_ranked(state, last, sums)
    }

    fn reduces_scores(&self) -> bool {
        self.model.reduces_scores()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
