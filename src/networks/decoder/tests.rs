//! Every family, on every device under test: against transformers, and batches against their rows.

use std::ops::ControlFlow;
use std::path::PathBuf;

use candle_core::DType;

use super::*;
use crate::decode::{Batch, Limits, TokenId, greedy};
use crate::device::{Place, under_test};

#[derive(serde::Deserialize)]
struct Reference {
    prompts: Vec<Vec<TokenId>>,
    variants: std::collections::BTreeMap<String, Vec<Row>>,
}

#[derive(serde::Deserialize)]
struct Row {
    logits: Vec<f32>,
    greedy: Vec<TokenId>,
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn reference(family: &str) -> Reference {
    let text = std::fs::read_to_string(fixture(&format!("{family}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A network on each device under test; on other devices than the processor's kernels also with
/// weights that are made floats of this type, unless it is `None`.
fn models(family: &str, variant: &str, dtype: Option<DType>) -> Vec<(Place, Box<dyn Model>)> {
    let open = |place: Place| {
        let path = fixture(&format!("{family}-{variant}.gguf"));
        let mut gguf = Gguf::open(&path).unwrap();
        let loaded = match &place {
            Place::Kernels => load(&mut gguf, &mut |_, _| {}),
            Place::Tensors(device) => {
                let form = Form {
                    device: device.clone(),
                    dtype: dtype.unwrap_or(DType::F32),
                };
                load_on(&mut gguf, form, dtype.is_none(), &mut |_, _| {})
            }
        };
        (place, loaded.unwrap().model)
    };
    under_test().into_iter().map(open).collect()
}

fn layers(family: &str) -> usize {
    let gguf = Gguf::open(&fixture(&format!("{family}-f32.gguf"))).unwrap();
    plan(&gguf).unwrap().layers
}

fn first_logits(model: &dyn Model, rows: &[Vec<TokenId>]) -> Result<Vec<Vec<f32>>> {
    let mut state = model.start(&Batch::new(rows))?;
    let first = state.first.clone();
    Ok(model.step(&mut state, &first)?.logits.to_vec2()?)
}

fn continued(model: &dyn Model, rows: &[Vec<TokenId>], steps: usize) -> Vec<Vec<TokenId>> {
    let limits = Limits {
        max_new: vec![steps; rows.len()],
        ..Limits::default()
    };
    let go_on = &mut |_| ControlFlow::Continue(());
    let found = greedy(model, &Batch::new(rows), &limits, go_on).unwrap();
    let tokens = found.into_iter().map(|hypothesis| hypothesis.tokens);
    tokens.collect()
}

#[test]
fn scores_and_greedy_ids_are_those_of_transformers() {
    for (family, _) in FAMILIES {
        let reference = reference(family);
        let rows = &reference.variants["f32"];
        let as_stored = models(family, "f32", None);
        let as_floats = models(family, "f32", Some(DType::F32));
        for (place, model) in as_stored.into_iter().chain(as_floats) {
            let model = model.as_ref();
            let found = first_logits(model, &reference.prompts).unwrap();
            for (found, row) in found.iter().zip(rows) {
                for (found, expected) in found.iter().zip(&row.logits) {
                    let near = (found - expected).abs() <= place.tolerance();
                    assert!(near, "{family} {place:?}: {found} {expected}");
                }
            }
            let expected: Vec<_> = rows.iter().map(|row| row.greedy.clone()).collect();
            let found = continued(model, &reference.prompts, 64);
            assert_eq!(found, expected, "{family} {place:?}");
        }
    }
}

#[test]
fn quantized_scores_are_close_to_those_of_the_same_weights_as_floats() {
    for (family, _) in FAMILIES {
        let reference = reference(family);
        let as_stored = models(family, "q8_0", None);
        let half = models(family, "q8_0", Some(DType::BF16));
        for (place, model) in as_stored.into_iter().chain(half) {
            let found = first_logits(model.as_ref(), &reference.prompts).unwrap();
            for (found, row) in found.iter().zip(&reference.variants["q8_0"]) {
                let power =
                    |values: &mut dyn Iterator<Item = f32>| values.map(|x| x * x).sum::<f32>();
                let error = power(&mut found.iter().zip(&row.logits).map(|(a, b)| a - b));
                let ratio = (error / power(&mut row.logits.iter().copied())).sqrt();
                // The activations have eight bits, and errors add up from layer to layer.
                let bound = 0.02 * (layers(family) + 1) as f32;
                assert!(ratio <= bound, "{family} {place:?}: relative error {ratio}");
            }
        }
    }
}

/// Whether a continuation is the expected one. On a card it may part from it where two tokens are
/// about as likely as each other: products of a few rows are rounded by a kernel of their own.
fn is_as_expected(
    (place, model): (&Place, &dyn Model),
    prompt: &[TokenId],
    found: &[TokenId],
    expected: &[TokenId],
) -> bool {
    let mut pairs = found.iter().zip(expected);
    let parts = pairs.position(|(found, expected)| found != expected);
    let is_card = matches!(place, Place::Tensors(device) if !device.is_cpu());
    let Some(parts) = parts.filter(|_| is_card) else {
        return found == expected;
    };
    let prompt = [prompt, &expected[..parts]].concat();
    let logits = first_logits(model, &[prompt]).unwrap().remove(0);
    let score = |tokens: &[TokenId]| logits[tokens[parts] as usize];
    let largest = logits.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    (score(found) - score(expected)).abs() <= 0.02 * largest
}

#[test]
fn a_batch_equals_its_rows_in_any_order() {
    for (family, _) in FAMILIES {
        let prompts = reference(family).prompts;
        let networks = [models(family, "f32", None), models(family, "q8_0", None)];
        for (place, model) in networks.into_iter().flatten() {
            let model = model.as_ref();
            let alone = |prompt| continued(model, std::slice::from_ref(prompt), 24).remove(0);
            let alone: Vec<_> = prompts.iter().map(alone).collect();
            for order in [
                vec![0, 1, 2, 3, 4, 5, 6, 7],
                vec![7, 3, 0, 5, 1],
                vec![2, 4, 2],
                vec![5, 6, 7],
            ] {
                let rows: Vec<_> = order.iter().map(|&row| prompts[row].clone()).collect();
                let found = continued(model, &rows, 24);
                assert_eq!(found.len(), order.len());
                for (found, &row) in found.iter().zip(&order) {
                    let (prompt, expected) = (&prompts[row], &alone[row]);
                    assert!(
                        is_as_expected((&place, model), prompt, found, expected),
                        "{family} {place:?} {order:?}: row {row}: {found:?} {expected:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn one_network_serves_threads() {
    let reference = reference("qwen2");
    for (place, model) in models("qwen2", "q8_0", None) {
        let model = model.as_ref();
        let expected = continued(model, &reference.prompts, 24);
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| continued(model, &reference.prompts, 24)))
                .collect();
            for run in runs {
                assert_eq!(run.join().unwrap(), expected, "{place:?}");
            }
        });
    }
}

#[test]
fn a_token_beyond_the_vocabulary_is_the_same_error_on_every_device() {
    for (place, model) in models("qwen2", "q8_0", None) {
        for rows in [vec![9999], vec![9999, 1]] {
            let error = first_logits(model.as_ref(), &[rows]).unwrap_err();
            assert_eq!(error.kind(), "tokenizer", "{place:?}: {error}");
        }
    }
}

/// A file of the fixtures in which bytes are replaced: each so many places after the end of a text.
fn changed(name: &str, places: &[(&str, usize, &[u8])]) -> tempfile::NamedTempFile {
    let mut bytes = std::fs::read(fixture(name)).unwrap();
    for (text, after, with) in places {
        let text = text.as_bytes();
        let at = bytes.windows(text.len()).position(|part| part == text);
        let at = at.unwrap() + text.len() + after;
        bytes[at..at + with.len()].copy_from_slice(with);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// As [`changed`], with a text replaced by another that is as long.
fn renamed(name: &str, from: &str, to: &str) -> tempfile::NamedTempFile {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(fixture(name)).unwrap();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|&at| bytes[at..].starts_with(from.as_bytes()))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// What loading a file says, the same on both runtimes.
fn refusal(file: &tempfile::NamedTempFile) -> (&'static str, String) {
    let open = || Gguf::open(file.path());
    let kernels = open().and_then(|mut gguf| load(&mut gguf, &mut |_, _| {}));
    let tensors = open().and_then(|mut gguf| load_on(&mut gguf, Form::cpu(), true, &mut |_, _| {}));
    let said = |found: Result<Loaded>| {
        let error = found.err().unwrap();
        (error.kind(), error.to_string())
    };
    let (kernels, tensors) = (said(kernels), said(tensors));
    assert_eq!(kernels, tensors);
    kernels
}

#[test]
fn sizes_that_a_file_does_not_hold_are_refused() {
    // A value comes after its type, and dimensions, the inputs first, after their number.
    let (value, first, second) = (4, 4, 12);
    let layers = ("qwen2.block_count", value, &u32::MAX.to_le_bytes()[..]);
    let nothing = &0u64.to_le_bytes()[..];
    let empty = [
        ("qwen2.feed_forward_length", value, &0u32.to_le_bytes()[..]),
        ("blk.0.ffn_gate.weight", second, nothing),
        ("blk.0.ffn_up.weight", second, nothing),
        ("blk.0.ffn_down.weight", first, nothing),
        ("blk.1.ffn_gate.weight", second, nothing),
        ("blk.1.ffn_up.weight", second, nothing),
        ("blk.1.ffn_down.weight", first, nothing),
    ];
    let heads = ("attention.head_count", value, &7u32.to_le_bytes()[..]);
    for (places, kind, expected) in [
        (&[layers][..], "corrupt_model", "is missing"),
        (
            &empty,
            "corrupt_model",
            "`blk.0.ffn_gate.weight` holds nothing",
        ),
        (&[heads], "corrupt_model", "7 query heads do not divide 32"),
    ] {
        let (found, message) = refusal(&changed("qwen2-f32.gguf", places));
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn what_a_file_says_and_its_family_does_not_have_is_refused_by_name() {
    let [eight, nothing] = [8u32, 0].map(u32::to_le_bytes);
    let (unsupported, corrupt) = ("unsupported_model", "corrupt_model");
    // Another architecture, a key and a scaling that no plan has, tensors too many and too few.
    for (file, kind, expected) in [
        (
            renamed("qwen2-f32.gguf", "qwen2", "mamba"),
            unsupported,
            "`mamba`",
        ),
        (
            renamed(
                "qwen3-f32.gguf",
                "qwen3.rope.freq_base",
                "qwen3.rope.freq_blur",
            ),
            unsupported,
            "`qwen3.rope.freq_blur`",
        ),
        (
            renamed("gemma3-f32.gguf", "linear", "yarn-2"),
            unsupported,
            "`gemma3.rope.scaling.type` = `yarn-2`",
        ),
        (
            renamed("llama-f32.gguf", "rope_freqs.weight", "rope_frogs.weight"),
            unsupported,
            "tensor `rope_frogs.weight` has no place",
        ),
        (
            renamed("qwen3-f32.gguf", "blk.1.attn_q_norm", "blk.1.attn_q_worm"),
            corrupt,
            "tensor `blk.1.attn_q_norm.weight` is missing",
        ),
        (
            changed("qwen3-f32.gguf", &[("attention.value_length", 4, &eight)]),
            unsupported,
            "`qwen3.attention.value_length` = 8",
        ),
        (
            changed(
                "gemma3-f32.gguf",
                &[("attention.sliding_window", 4, &nothing)],
            ),
            corrupt,
            "`gemma3.attention.sliding_window` is 0",
        ),
    ] {
        let (found, message) = refusal(&file);
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let whole = std::fs::read(fixture("qwen2-q8_0.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let cases: [(&str, Vec<u8>); 4] = [
        ("ends before", whole[..whole.len() - 2000].to_vec()),
        ("header is damaged", whole[..300].to_vec()),
        ("begins with `GGUF`", b"PK\x03\x04 a zip".to_vec()),
        ("begins with `GGUF`", Vec::new()),
    ];
    for (expected, bytes) in cases {
        std::fs::write(&path, bytes).unwrap();
        let error = Gguf::open(&path).err().unwrap();
        assert_eq!(error.kind(), "corrupt_model");
        assert!(error.to_string().contains(expected), "{error}");
    }
}
