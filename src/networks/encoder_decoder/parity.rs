//! Tiny random checkpoints give here what they give in transformers.
//!
//! The checkpoints and the expectations are in `tests/fixtures`, with the script that made them.
//! What does not concern weights of eight bits is tried on every device under test.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::EncoderDecoder;
use super::directory;
use super::loader::Precision;
use super::settings::Settings;
use super::tensors;
use crate::decode::beam::Scored;
use crate::decode::{Batch, Constraints, EarlyStopping, Finish, Model, Search, TokenId, search};
use crate::device::{Place, under_test};
use crate::error::Result;
use crate::options;
use crate::registry::Family;
use crate::weights::Weights;

const MODELS: [&str; 8] = [
    "marian-tied",
    "marian-untied",
    "marian-positions",
    "marian-leftover",
    "marian-head",
    "m2m100",
    "t5",
    "mt5",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A copy of a checkpoint whose weights are in one of the forms: `safetensors`, or a folder of the
/// fixture.
fn in_form(name: &str, form: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = |file: &Path| {
        std::fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
    };
    copy(&fixture(name).join("config.json"));
    if form == "safetensors" {
        copy(&fixture(name).join("model.safetensors"));
    } else {
        for entry in fixture(name).join(form).read_dir().unwrap() {
            copy(&entry.unwrap().path());
        }
    }
    folder
}

/// The forms in which a checkpoint is there.
fn forms(name: &str) -> &'static [&'static str] {
    match name {
        "m2m100" => &["safetensors", "zip", "legacy", "shards", "shards-bin"],
        _ => &["safetensors", "zip", "legacy"],
    }
}

struct Expected {
    rows: Vec<Vec<TokenId>>,
    cases: serde_json::Map<String, Value>,
    tensors: Weights,
}

fn expected(name: &str) -> Expected {
    let text = std::fs::read(fixture(name).join("expected.json")).unwrap();
    let value: Value = serde_json::from_slice(&text).unwrap();
    Expected {
        rows: serde_json::from_value(value["rows"].clone()).unwrap(),
        cases: value["cases"].as_object().unwrap().clone(),
        tensors: Weights::open_files(vec![fixture(name).join("expected.safetensors")]).unwrap(),
    }
}

fn open(folder: &Path, precision: Precision, prepared: Option<&Path>) -> Result<EncoderDecoder> {
    let (family, config) = directory::describe(folder)?;
    directory::load(folder, (family, &config), precision, prepared)
}

/// A checkpoint by newsml's own kernels.
fn load(name: &str, precision: Precision) -> (Box<dyn Model>, Search) {
    let folder = in_form(name, "safetensors");
    let network = open(folder.path(), precision, None).unwrap();
    (Box::new(network), decoding(folder.path()))
}

/// A checkpoint on a device.
fn load_on(name: &str, place: &Place) -> (Network, Search) {
    let folder = in_form(name, "safetensors");
    let network = Network::open(folder.path(), place, options::Precision::F32);
    (network, decoding(folder.path()))
}

fn decoding(folder: &Path) -> Search {
    let (_, config) = directory::describe(folder).unwrap();
    let settings = Settings::read(folder, &config).unwrap();
    settings.search(None).unwrap()
}

/// A network of one of the two kinds.
enum Network {
    Kernels(EncoderDecoder),
    Tensors(tensors::EncoderDecoder),
}

impl Network {
    fn open(folder: &Path, place: &Place, precision: options::Precision) -> Self {
        let (family, config) = directory::describe(folder).unwrap();
        match place {
            Place::Kernels => Self::Kernels(open(folder, Precision::F32, None).unwrap()),
            Place::Tensors(device) => Self::Tensors(
                directory::load_on(folder, (family, &config), precision, device).unwrap(),
            ),
        }
    }

    fn model(&self) -> &dyn Model {
        match self {
            Self::Kernels(network) => network,
            Self::Tensors(network) => network,
        }
    }

    /// The encoder's states of each row, without padding.
    fn states(&self, batch: &Batch) -> Vec<Vec<f32>> {
        let (states, lines): (Vec<f32>, Vec<usize>) = match self {
            Self::Kernels(network) => (network.encode(batch).unwrap(), batch.lengths.clone()),
            Self::Tensors(network) => {
                let states = network.encode(batch).unwrap();
                let states = states.flatten_all().unwrap().to_vec1().unwrap();
                (states, vec![batch.width; batch.rows()])
            }
        };
        let features = states.len() / lines.iter().sum::<usize>();
        let mut rest = states.as_slice();
        lines
            .iter()
            .zip(&batch.lengths)
            .map(|(lines, length)| {
                let (row, others) = rest.split_at(lines * features);
                rest = others;
                row[..length * features].to_vec()
            })
            .collect()
    }
}

/// A case's options as a [`Search`].
fn options(case: &Value, end: &[TokenId]) -> Search {
    let options = &case["options"];
    let number = |key: &str| options[key].as_u64().map(|n| n as usize);
    let token = |key: &str| number(key).map(|n| n as TokenId);
    Search {
        beams: number("num_beams").unwrap_or(1),
        best: number("num_return_sequences").unwrap_or(1),
        length_penalty: options["length_penalty"].as_f64().unwrap_or(1.0) as f32,
        early_stopping: match &options["early_stopping"] {
            Value::Bool(true) => EarlyStopping::Yes,
            Value::String(_) => EarlyStopping::Never,
            _ => EarlyStopping::No,
        },
        max_new: number("max_length").unwrap() - 1,
        end: end.to_vec(),
        renormalize: options["renormalize_logits"].as_bool().unwrap_or(false),
        constraints: Constraints {
            repetition_penalty: options["repetition_penalty"].as_f64().unwrap_or(1.0) as f32,
            no_repeat_ngram: number("no_repeat_ngram_size").unwrap_or(0),
            bad_words: serde_json::from_value(options["bad_words_ids"].clone()).unwrap_or_default(),
            min_new: number("min_length").map_or(0, |n| n - 1),
            forced_first: token("forced_bos_token_id"),
            forced_last: token("forced_eos_token_id"),
        },
        phrases: Vec::new(),
    }
}

fn run(model: &dyn Model, rows: &[Vec<TokenId>], options: &Search) -> Result<Vec<Vec<Scored>>> {
    let max_new = vec![options.max_new; rows.len()];
    search(model, &Batch::new(rows), options, &max_new, &mut |_| {
        ControlFlow::Continue(())
    })
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |worst, (a, b)| {
        if (a - b).is_nan() {
            f32::INFINITY
        } else {
            worst.max((a - b).abs())
        }
    })
}

/// Every checkpoint on every device under test.
fn cases() -> Vec<(&'static str, Place)> {
    let places = under_test();
    let with = |name| places.iter().map(move |place| (name, place.clone()));
    MODELS.into_iter().flat_map(with).collect()
}

#[test]
fn encoder_states_and_logits_are_those_of_transformers_from_every_form() {
    let mut failures = Vec::new();
    for (name, place) in cases() {
        let expected = expected(name);
        for form in forms(name) {
            let folder = in_form(name, form);
            let network = Network::open(folder.path(), &place, options::Precision::F32);
            let model = network.model();
            let states = network.states(&Batch::new(&expected.rows));
            for (number, found) in states.iter().enumerate() {
                let key = format!("encoder.{number}");
                let shape = expected.tensors.shape(&key).unwrap().to_vec();
                let exact = expected.tensors.floats(&key, &shape).unwrap();
                let worst = difference(found, &exact);
                if worst > place.tolerance() {
                    failures.push(format!(
                        "{name} {form} {place:?} encoder row {number}: {worst}"
                    ));
                }
            }
            for number in [0, 2] {
                let tokens = &expected.cases["minimum-1"]["sequences"][number][0];
                let tokens: Vec<TokenId> = serde_json::from_value(tokens.clone()).unwrap();
                let key = format!("logits.{number}");
                let shape = expected.tensors.shape(&key).unwrap().to_vec();
                let exact = expected.tensors.floats(&key, &shape).unwrap();
                let mut state = model
                    .start(&Batch::new(&expected.rows[number..=number]))
                    .unwrap();
                let mut last = state.first.clone();
                for (step, exact) in exact.chunks(shape[1]).enumerate() {
                    let logits = model.step(&mut state, &last).unwrap().logits;
                    let worst =
                        difference(&logits.flatten_all().unwrap().to_vec1().unwrap(), exact);
                    if worst > place.tolerance() {
                        failures.push(format!(
                            "{name} {form} {place:?} logits row {number} step {step}: {worst}"
                        ));
                    }
                    last = vec![tokens[step]];
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The functions of feed-forward blocks that no checkpoint here is configured with: with the
/// weights of one that has another.
#[test]
fn every_function_of_feed_forward_blocks_is_that_of_transformers() {
    let mut failures = Vec::new();
    let mut compared = 0;
    for (name, key, functions) in [
        ("marian-tied", "activation_function", &["gelu_new"][..]),
        ("t5", "feed_forward_proj", &["gelu", "gelu_new"]),
        ("mt5", "feed_forward_proj", &["gated-relu", "gated-silu"]),
    ] {
        let path = fixture(name).join("functions.safetensors");
        let tensors = Weights::open_files(vec![path]).unwrap();
        let expected = expected(name);
        let row = &expected.rows[..1];
        let tokens = &expected.cases["minimum-1"]["sequences"][0][0];
        let tokens: Vec<TokenId> = serde_json::from_value(tokens.clone()).unwrap();
        for (function, place) in functions
            .iter()
            .flat_map(|function| under_test().into_iter().map(move |place| (function, place)))
        {
            let folder = in_form(name, "safetensors");
            let (_, mut config) = directory::describe(folder.path()).unwrap();
            config[key] = Value::from(*function);
            std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
            let network = Network::open(folder.path(), &place, options::Precision::F32);
            let exact = |part: &str| {
                let key = format!("{function}.{part}");
                let shape = tensors.shape(&key).unwrap().to_vec();
                (tensors.floats(&key, &shape).unwrap(), shape)
            };
            let mut worst = vec![difference(
                &network.states(&Batch::new(row))[0],
                &exact("encoder").0,
            )];
            let (exact, shape) = exact("logits");
            let mut state = network.model().start(&Batch::new(row)).unwrap();
            let mut last = state.first.clone();
            for (step, exact) in exact.chunks(shape[1]).enumerate() {
                let logits = network.model().step(&mut state, &last).unwrap().logits;
                let logits = logits.flatten_all().unwrap().to_vec1().unwrap();
                worst.push(difference(&logits, exact));
                last = vec![tokens[step]];
            }
            compared += worst.len();
            if worst.iter().any(|&worst| worst > place.tolerance()) {
                failures.push(format!("{name} {function} {place:?}: {worst:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    // The encoder and 21 steps for each of five functions.
    assert_eq!(compared, under_test().len() * 5 * 22);
}

#[test]
fn half_precision_is_too_small_for_t5() {
    for name in MODELS {
        let folder = in_form(name, "safetensors");
        let (family, config) = directory::describe(folder.path()).unwrap();
        let device = candle_core::Device::Cpu;
        let precision = options::Precision::F16;
        let loaded = directory::load_on(folder.path(), (family, &config), precision, &device);
        let error = loaded
            .err()
            .map(|error| (error.to_string(), error.hint().unwrap_or_default()));
        let refused = (
            "`--precision f16` is too small for the states of a T5 model".to_owned(),
            "use `auto`, `bf16` or `f32`".to_owned(),
        );
        let expected = (family == Family::T5).then_some(refused);
        assert_eq!(error, expected, "{name}");
    }
}

#[test]
fn greedy_and_beam_search_give_what_transformers_gives() {
    let mut failures = Vec::new();
    for (name, place) in cases() {
        let (network, defaults) = load_on(name, &place);
        let expected = expected(name);
        assert_eq!(expected.cases.len(), 40);
        for (case, value) in &expected.cases {
            let options = options(value, &defaults.end);
            let found = run(network.model(), &expected.rows, &options).unwrap();
            for (row, found) in found.iter().enumerate() {
                let sequences: Vec<Vec<TokenId>> =
                    serde_json::from_value(value["sequences"][row].clone()).unwrap();
                for (rank, sequence) in sequences.iter().enumerate() {
                    let Some(scored) = found.get(rank) else {
                        failures.push(format!(
                            "{name} {place:?} {case} row {row}: no hypothesis {rank}"
                        ));
                        continue;
                    };
                    let mut tokens = scored.tokens.clone();
                    if scored.finish == Finish::Stop {
                        tokens.push(defaults.end[0]);
                    }
                    // Two hypotheses whose scores are the same but for the rounding of float32:
                    // transformers itself prefers the other one where it computes in float64.
                    let exact = value["double"][row][rank].as_array();
                    let is_exact = exact.is_some_and(|exact| tokens.iter().eq(exact));
                    if tokens != *sequence && !is_exact {
                        failures.push(format!(
                            "{name} {place:?} {case} row {row} rank {rank}:\n  {tokens:?}\n  {sequence:?}"
                        ));
                    }
                    if let Some(score) = value["scores"][row][rank].as_f64()
                        && (f64::from(scored.score) - score).abs() > 2e-4
                    {
                        failures.push(format!(
                            "{name} {place:?} {case} row {row} rank {rank}: score {} not {score}",
                            scored.score
                        ));
                    }
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn a_ragged_batch_equals_each_row_alone_in_any_order() {
    for name in MODELS {
        let mut networks: Vec<_> = under_test()
            .iter()
            .map(|place| {
                let (network, defaults) = load_on(name, place);
                let model: Box<dyn Model> = match network {
                    Network::Kernels(network) => Box::new(network),
                    Network::Tensors(network) => Box::new(network),
                };
                (format!("{place:?}"), model, defaults)
            })
            .collect();
        let (model, defaults) = load(name, Precision::Q8);
        networks.push(("eight bits".to_owned(), model, defaults));
        for (kind, model, defaults) in networks {
            let model = model.as_ref();
            let expected = expected(name);
            for case in ["minimum-1", "plain-4", "all-6"] {
                let options = options(&expected.cases[case], &defaults.end);
                let together = run(model, &expected.rows, &options).unwrap();
                let mut reversed = expected.rows.clone();
                reversed.reverse();
                reversed.push(expected.rows[0].clone());
                let mut backwards = run(model, &reversed, &options).unwrap();
                let again = backwards.pop().unwrap();
                backwards.reverse();
                let tokens =
                    |found: &[Scored]| found.iter().map(|s| s.tokens.clone()).collect::<Vec<_>>();
                for (row, source) in expected.rows.iter().enumerate() {
                    let alone = run(model, std::slice::from_ref(source), &options)
                        .unwrap()
                        .remove(0);
                    assert_eq!(
                        tokens(&together[row]),
                        tokens(&alone),
                        "{name} {kind} {case} {row}"
                    );
                    assert_eq!(
                        tokens(&backwards[row]),
                        tokens(&alone),
                        "{name} {kind} {case} {row}"
                    );
                }
                assert_eq!(tokens(&again), tokens(&together[0]));
            }
        }
    }
}

#[test]
fn a_banned_token_that_has_nearly_all_probability_leaves_what_transformers_says() {
    // `generate` of transformers 5.24.0 for the first two rows, with this much more on the score of
    // the padding: num_beams=4, max_length=12, bad_words_ids=[[89]], renormalize_logits=True. It is
    // the same whatever that token has.
    let expected: [&[(&[TokenId], f32)]; 2] = [
        &[
            (&[58, 40, 0], -1.145202),
            (&[33, 54, 58, 40, 0], -1.158702),
            (&[33, 0], -1.163673),
            (&[33, 54, 13, 0], -1.350822),
        ],
        &[
            (&[1, 40, 54, 84, 22, 84, 22, 84, 22, 84, 22], -1.631996),
            (&[1, 40, 54, 84, 22, 84, 22, 84, 22, 40, 54], -1.65656),
            (&[1, 40, 54, 84, 22, 84, 22, 40, 54, 84, 22], -1.657488),
            (&[1, 40, 22, 84, 22, 84, 22, 40, 54, 84, 22], -1.675771),
        ],
    ];
    let rows = self::expected("marian-tied").rows;
    let mut quantized: Vec<Vec<Scored>> = Vec::new();
    for above in [0.0f32, 30.0, 60.0] {
        let folder = in_form("marian-tied", "safetensors");
        let path = folder.path().join("model.safetensors");
        let mut tensors = candle_core::safetensors::load(&path, &candle_core::Device::Cpu).unwrap();
        let bias = tensors.get_mut("final_logits_bias").unwrap();
        let mut values: Vec<f32> = bias.flatten_all().unwrap().to_vec1().unwrap();
        values[89] += above;
        *bias = candle_core::Tensor::from_vec(values, (1, 90), &candle_core::Device::Cpu).unwrap();
        candle_core::safetensors::save(&tensors, &path).unwrap();
        let options = Search {
            beams: 4,
            best: 4,
            max_new: 11,
            end: vec![0],
            renormalize: true,
            constraints: Constraints {
                bad_words: vec![vec![89]],
                ..Constraints::default()
            },
            ..Search::default()
        };
        for place in under_test() {
            let network = Network::open(folder.path(), &place, options::Precision::F32);
            let found = run(network.model(), &rows[..2], &options).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                for (found, (tokens, score)) in found.iter().zip(expected) {
                    let mut said = found.tokens.clone();
                    said.extend((found.finish == Finish::Stop).then_some(0));
                    assert_eq!(said, *tokens, "{above} {place:?}");
                    let off = (found.score - score).abs();
                    assert!(off < 2e-4, "{above} {place:?}: {} not {score}", found.score);
                }
            }
        }
        // With weights of eight bits scores are looked through while they are computed.
        let network = open(folder.path(), Precision::Q8, None).unwrap();
        quantized.push(run(&network, &rows[..2], &options).unwrap().concat());
    }
    for found in &quantized[1..] {
        for (found, expected) in found.iter().zip(&quantized[0]) {
            assert_eq!(found.tokens, expected.tokens);
            assert!((found.score - expected.score).abs() < 2e-4, "{found:?}");
        }
    }
}

#[test]
fn greedy_under_no_constraints_is_plain_greedy() {
    for (name, place) in cases() {
        let (network, defaults) = load_on(name, &place);
        let model = network.model();
        let expected = expected(name);
        let batch = Batch::new(&expected.rows);
        let limits = crate::decode::Limits {
            max_new: vec![30; expected.rows.len()],
            stop: defaults.end.clone(),
            ..crate::decode::Limits::default()
        };
        let plain =
            crate::decode::greedy(model, &batch, &limits, &mut |_| ControlFlow::Continue(()))
                .unwrap();
        let options = Search {
            max_new: 30,
            end: defaults.end,
            ..Search::default()
        };
        let found = run(model, &expected.rows, &options).unwrap();
        for (plain, found) in plain.iter().zip(found) {
            assert_eq!(
                (&plain.tokens, plain.finish),
                (&found[0].tokens, found[0].finish),
                "{name} {place:?}"
            );
        }
    }
}

#[test]
fn a_prepared_file_gives_the_same_network_and_is_made_anew_when_the_weights_change() {
    for name in ["marian-untied", "mt5"] {
        let folder = in_form(name, "safetensors");
        let path = folder.path().join("prepared/int8.safetensors");
        let rows = expected(name).rows;
        let batch = Batch::new(&rows);
        let made = open(folder.path(), Precision::Q8, Some(&path)).unwrap();
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        let read = open(folder.path(), Precision::Q8, Some(&path)).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().modified().unwrap(),
            before
        );
        assert_eq!(made.encode(&batch).unwrap(), read.encode(&batch).unwrap());
        let options = Search {
            max_new: 20,
            ..Search::default()
        };
        assert_eq!(
            run(&made, &rows, &options).unwrap()[0][0].tokens,
            run(&read, &rows, &options).unwrap()[0][0].tokens
        );

        // Other weights of the same shapes under the same name.
        let weights = folder.path().join("model.safetensors");
        let mut bytes = std::fs::read(&weights).unwrap();
        let end = bytes.len() - 400;
        bytes[end..].rotate_left(2);
        std::fs::write(&weights, bytes).unwrap();
        std::fs::File::open(&weights)
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        open(folder.path(), Precision::Q8, Some(&path)).unwrap();
        assert_ne!(
            std::fs::metadata(&path).unwrap().modified().unwrap(),
            before
        );
        // A damaged prepared file is no obstacle.
        std::fs::write(&path, b"damaged").unwrap();
        open(folder.path(), Precision::Q8, Some(&path)).unwrap();
    }
}

#[test]
fn quantized_weights_mostly_choose_the_same_token() {
    let quantized = |name: &str| Some(load(name, Precision::Q8).0);
    agreement("eight bits", &quantized);
}

#[test]
fn half_precision_mostly_chooses_the_same_token() {
    let places = under_test();
    for place in places
        .iter()
        .filter(|place| !matches!(place, Place::Kernels))
    {
        for precision in [options::Precision::Bf16, options::Precision::F16] {
            let half = |name: &str| -> Option<Box<dyn Model>> {
                let folder = in_form(name, "safetensors");
                let (family, _) = directory::describe(folder.path()).unwrap();
                if family == Family::T5 && precision == options::Precision::F16 {
                    return None;
                }
                match Network::open(folder.path(), place, precision) {
                    Network::Tensors(network) => Some(Box::new(network)),
                    Network::Kernels(_) => None,
                }
            };
            agreement(&format!("{precision:?} on {place:?}"), &half);
        }
    }
}

/// Compares the likeliest tokens of networks with those of the same weights as float32, where what
/// stands before is the same.
fn agreement(what: &str, load_other: &dyn Fn(&str) -> Option<Box<dyn Model>>) {
    let (mut equal, mut all) = (0, 0);
    for name in MODELS {
        let (exact, defaults) = load(name, Precision::F32);
        let exact = exact.as_ref();
        let Some(quantized) = load_other(name) else {
            continue;
        };
        let rows = expected(name).rows;
        let options = Search {
            max_new: 30,
            end: defaults.end,
            ..Search::default()
        };
        for (row, found) in rows.iter().zip(run(exact, &rows, &options).unwrap()) {
            let batch = Batch::new(std::slice::from_ref(row));
            let mut state = quantized.start(&batch).unwrap();
            let mut last = state.first.clone();
            for &token in &found[0].tokens {
                let logits: Vec<f32> = quantized
                    .step(&mut state, &last)
                    .unwrap()
                    .logits
                    .flatten_all()
                    .unwrap()
                    .to_vec1()
                    .unwrap();
                let best = (0..logits.len())
                    .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
                    .unwrap();
                equal += usize::from(best == token as usize);
                all += 1;
                last = vec![token];
            }
        }
    }
    // Sixteen features leave little to average over; networks of real width agree in 97 of 100.
    assert!(equal * 10 >= all * 8, "{what}: {equal} of {all}");
}
