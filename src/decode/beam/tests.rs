use super::*;
use crate::decode::Cache;
use crate::decode::greedy::tests::FakeModel;

/// A model whose scores follow from the last token by a table, the same for every row.
struct Table(Vec<Vec<f32>>);

struct Rows(usize);

impl Cache for Rows {
    fn keep(&mut self, rows: &[usize]) -> Result<()> {
        assert!(
            rows.iter().all(|&row| row < self.0),
            "a row that is not there"
        );
        self.0 = rows.len();
        Ok(())
    }
    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

impl Model for Table {
    fn start(&self, batch: &Batch) -> Result<State> {
        Ok(State {
            first: vec![0; batch.rows()],
            cache: Box::new(Rows(batch.rows())),
        })
    }

    fn step(&self, state: &mut State, last: &[TokenId]) -> Result<Scores> {
        assert_eq!(state.cache::<Rows>().0, last.len());
        let scores: Vec<f32> = last
            .iter()
            .flat_map(|&token| self.0[token as usize].clone())
            .collect();
        let shape = (last.len(), self.0.len());
        let logits = candle_core::Tensor::from_vec(scores, shape, &candle_core::Device::Cpu)?;
        Ok(Scores {
            logits,
            shortlist: None,
        })
    }
}

/// From 0: token 2 is likelier than 3, but what follows 3 is certain. Token 1 ends.
fn garden_path() -> Table {
    let ln = |p: f32| p.max(1e-9).ln();
    let row = |p: [f32; 5]| p.map(ln).to_vec();
    Table(vec![
        row([0.0, 0.0, 0.6, 0.4, 0.0]),
        row([0.2, 0.2, 0.2, 0.2, 0.2]),
        row([0.0, 0.3, 0.35, 0.0, 0.35]),
        row([0.0, 1.0, 0.0, 0.0, 0.0]),
        row([0.0, 0.5, 0.0, 0.0, 0.5]),
    ])
}

fn run(model: &dyn Model, rows: usize, how: &Search) -> Vec<Vec<Scored>> {
    let batch = Batch::new(&(0..rows as u32).map(|row| vec![row]).collect::<Vec<_>>());
    search(model, &batch, how, &vec![how.max_new; rows], &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap()
}

#[test]
fn beams_see_past_a_likely_first_token() {
    let greedy = Search {
        end: vec![1],
        max_new: 6,
        length_penalty: 0.0,
        ..Search::default()
    };
    assert_eq!(run(&garden_path(), 1, &greedy)[0][0].tokens[0], 2);
    let beams = Search {
        beams: 2,
        best: 2,
        ..greedy
    };
    let found = run(&garden_path(), 2, &beams);
    assert_eq!(found[0], found[1]);
    assert_eq!(
        (&found[0][0].tokens, found[0][0].finish),
        (&vec![3], Finish::Stop)
    );
    assert!((found[0][0].score - 0.4f32.ln()).abs() < 1e-4);
    assert!(found[0][1].score < found[0][0].score);
}

#[test]
fn rows_end_each_at_its_own_length_and_keep_their_places() {
    let model = FakeModel {
        scripts: vec![vec![5, 6, 7, 1], vec![8, 9, 8, 9], vec![1], vec![3]],
        vocabulary: 20,
    };
    let how = Search {
        end: vec![1],
        ..Search::default()
    };
    let batch = Batch::new(&[[0], [1], [2], [3]]);
    let found = search(&model, &batch, &how, &[9, 2, 9, 0], &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let ends: Vec<_> = found
        .iter()
        .map(|best| (best[0].tokens.clone(), best[0].finish))
        .collect();
    assert_eq!(
        ends,
        [
            (vec![5, 6, 7], Finish::Stop),
            (vec![8, 9], Finish::Length),
            (vec![], Finish::Stop),
            (vec![], Finish::Length),
        ]
    );
}

#[test]
fn constraints_that_leave_nothing_to_say_end_the_row() {
    for beams in [1, 3] {
        let bad_words = (0..5).map(|token| vec![token]).collect();
        let constraints = Constraints {
            bad_words,
            ..Constraints::default()
        };
        let how = Search {
            beams,
            constraints,
            max_new: 4,
            ..Search::default()
        };
        assert!(
            run(&garden_path(), 1, &how)[0][0].tokens.is_empty(),
            "{beams} beams"
        );
    }
}

#[test]
fn an_end_that_the_limit_forces_is_no_end() {
    let how = |beams, max_new| Search {
        beams,
        max_new,
        end: vec![1],
        constraints: Constraints {
            forced_last: Some(1),
            ..Constraints::default()
        },
        ..Search::default()
    };
    // What says token 2 for ever.
    let endless = Table(vec![vec![0.0, -9.0, 9.0]; 3]);
    for (model, beams, max_new, tokens, finish) in [
        (&endless, 1, 4, vec![2, 2, 2], Finish::Length),
        (&endless, 2, 4, vec![2, 2, 2], Finish::Length),
        (&endless, 2, 1, vec![], Finish::Length),
        (&garden_path(), 2, 4, vec![3], Finish::Stop),
    ] {
        let found = run(model, 1, &how(beams, max_new));
        let best = &found[0][0];
        assert_eq!((&best.tokens, best.finish), (&tokens, finish), "{beams}");
    }
}

#[test]
fn what_banned_tokens_leave_is_normalized_however_little_it_is() {
    // Token 2 holds nearly all, and more of it from case to case.
    for above in [1.0f32, 10.0, 16.0, 40.0, 300.0] {
        let logits = vec![0.5, -1.0, above, 0.25, -2.0];
        let model = Table(vec![logits.clone(); 5]);
        for (penalty, bad_words) in [(1.0, vec![vec![2]]), (1.5, vec![vec![2], vec![3]])] {
            let how = Search {
                beams: 3,
                best: 3,
                max_new: 1,
                renormalize: true,
                constraints: Constraints {
                    bad_words: bad_words.clone(),
                    repetition_penalty: penalty,
                    ..Constraints::default()
                },
                ..Search::default()
            };
            // By the definition: normalize, change, normalize again. Token 0 was said.
            let normal = |scores: &[f64]| {
                let high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum = scores.iter().map(|score| (score - high).exp()).sum::<f64>();
                let of = |score: &f64| score - high - sum.ln();
                scores.iter().map(of).collect::<Vec<_>>()
            };
            let wide: Vec<f64> = logits.iter().copied().map(f64::from).collect();
            let mut scores = normal(&wide);
            scores[0] *= f64::from(penalty);
            for word in &bad_words {
                scores[word[0] as usize] = f64::NEG_INFINITY;
            }
            let mut exact: Vec<(usize, f64)> = normal(&scores).into_iter().enumerate().collect();
            exact.sort_by(|a, b| b.1.total_cmp(&a.1));
            let found = run(&model, 1, &how);
            for (found, (token, exact)) in found[0].iter().zip(exact) {
                let what = format!("{above} {penalty}: {found:?}, not {token} {exact}");
                assert_eq!(found.tokens, [token as TokenId], "{what}");
                assert!((f64::from(found.score) - exact).abs() < 1e-4, "{what}");
            }
        }
    }
}

#[test]
fn more_beams_than_there_is_room_for_are_refused() {
    let how = Search {
        beams: usize::MAX,
        max_new: 2,
        ..Search::default()
    };
    let refused = search(&garden_path(), &Batch::new(&[[0]]), &how, &[2], &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(refused, Err(Error::Usage { .. })));
}

#[test]
fn phrases_are_said_before_the_end() {
    for (phrases, beams) in [
        (vec![vec![3]], 2),
        (vec![vec![4, 2]], 3),
        (vec![vec![3], vec![4, 2]], 4),
    ] {
        let how = Search {
            beams,
            end: vec![1],
            max_new: 8,
            phrases: vec![phrases.clone()],
            ..Search::default()
        };
        let found = run(&garden_path(), 1, &how);
        let best = &found[0][0].tokens;
        assert!(phrases::all_said(&phrases, best), "{phrases:?} in {best:?}");
    }
}

#[test]
fn the_caller_can_stop_it() {
    let batch = Batch::new(&[[0]]);
    let how = Search {
        max_new: 50,
        ..Search::default()
    };
    let stopped = search(&garden_path(), &batch, &how, &[50], &mut |_| {
        ControlFlow::Break(())
    });
    assert!(matches!(stopped, Err(Error::Cancelled)));
}

#[test]
fn another_first_token_can_be_given() {
    let how = Search {
        end: vec![1],
        max_new: 3,
        ..Search::default()
    };
    let model = garden_path();
    let model = StartingWith {
        model: &model,
        first: 3,
    };
    assert!(run(&model, 1, &how)[0][0].tokens.is_empty());
}
