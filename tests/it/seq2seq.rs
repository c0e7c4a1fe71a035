//! Encoder–decoder directories given to the program: text in, text out, through their own tokenizers.
//!
//! The networks are random and tiny, and say nothing that means anything; what is checked is what
//! does not depend on that: batches, files that are kept, options, errors.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fake_hub::FakeHub;
use crate::tool::Tool;

const ARTICLES: [(&str, &str); 3] = [
    (
        "a.txt",
        "The ministers met in the capital on Monday. The talks will go on for three days.\n",
    ),
    ("b.txt", "The price of oil fell in May.\n"),
    (
        "c.txt",
        "The price of bread rose by 12 percent in May; the price of oil fell. The talks go on.\n\nThe ministers met.\n",
    ),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Float32 tensors in a safetensors file, with numbers from a fixed sequence.
fn weights(shapes: &[(String, Vec<usize>)]) -> Vec<u8> {
    let mut state = 7u64;
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in shapes {
        let begin = data.len();
        let is_norm = name.contains("norm") && name.ends_with("weight");
        let scale = 1.2 / (*shape.last().unwrap() as f32).sqrt();
        for _ in 0..shape.iter().product::<usize>() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let random = (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
            let value = if is_norm { 1.0 } else { 2.0 * random * scale };
            data.extend_from_slice(&value.to_le_bytes());
        }
        header.insert(
            name.clone(),
            json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]}),
        );
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&data);
    file
}

fn copy_tokenizer(name: &str, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for entry in fixture("tokenizers").join(name).read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "expected.json" {
            std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// A Marian network of two layers a side for the tokenizer of the fixtures.
pub(crate) fn write_marian(folder: &Path) {
    copy_tokenizer("marian", folder);
    let vocabulary: HashMap<String, u32> =
        serde_json::from_slice(&std::fs::read(folder.join("vocab.json")).unwrap()).unwrap();
    let (size, width, wide) = (vocabulary.len(), 16, 32);
    let config = json!({
        "model_type": "marian", "vocab_size": size, "d_model": width, "encoder_layers": 2,
        "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
        "encoder_ffn_dim": wide, "decoder_ffn_dim": wide, "activation_function": "swish",
        "scale_embedding": true, "max_position_embeddings": 128, "pad_token_id": vocabulary["<pad>"],
        "decoder_start_token_id": vocabulary["<pad>"], "eos_token_id": 0, "forced_eos_token_id": 0,
        "num_beams": 2, "max_length": 100, "bad_words_ids": [[vocabulary["<pad>"]]],
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut shapes = vec![
        ("model.shared.weight".to_owned(), vec![size, width]),
        ("final_logits_bias".to_owned(), vec![1, size]),
    ];
    for side in ["encoder", "decoder"] {
        for layer in 0..2 {
            let prefix = format!("model.{side}.layers.{layer}.");
            let mut add = |name: &str, outputs: usize, inputs: usize| {
                shapes.push((format!("{prefix}{name}.weight"), vec![outputs, inputs]));
                shapes.push((format!("{prefix}{name}.bias"), vec![outputs]));
            };
            let attentions: &[&str] = match side {
                "encoder" => &["self_attn"],
                _ => &["self_attn", "encoder_attn"],
            };
            for attention in attentions {
                for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                    add(&format!("{attention}.{part}"), width, width);
                }
            }
            add("fc1", wide, width);
            add("fc2", width, wide);
            let norms = attentions
                .iter()
                .map(|attention| format!("{attention}_layer_norm"))
                .chain(["final_layer_norm".to_owned()]);
            for norm in norms {
                shapes.push((format!("{prefix}{norm}.weight"), vec![width]));
                shapes.push((format!("{prefix}{norm}.bias"), vec![width]));
            }
        }
    }
    std::fs::write(folder.join("model.safetensors"), weights(&shapes)).unwrap();
}

/// Makes a Marian network end each text by itself after so many tokens: the bias of the end is
/// higher than any score, and only a least length holds it back.
fn end_after(folder: &Path, tokens: usize) {
    let config = folder.join("config.json");
    let mut settings: Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    settings["min_length"] = json!(tokens + 1);
    std::fs::write(&config, settings.to_string()).unwrap();
    let file = folder.join("model.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let header = 8 + usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let tensors: Value = serde_json::from_slice(&bytes[8..header]).unwrap();
    let start = tensors["final_logits_bias"]["data_offsets"][0]
        .as_u64()
        .unwrap();
    let at = header + usize::try_from(start).unwrap();
    bytes[at..at + 4].copy_from_slice(&1000_f32.to_le_bytes());
    std::fs::write(&file, bytes).unwrap();
}

/// An mT5 network of two layers a side for the tokenizer of the fixtures, which is told the
/// language of its summaries.
fn write_t5(folder: &Path) {
    copy_tokenizer("t5", folder);
    // Pieces of the SentencePiece model; a few lines more do no harm.
    let (size, width, wide) = (256, 16, 32);
    let config = json!({
        "model_type": "mt5", "vocab_size": size, "d_model": width, "d_kv": 8, "d_ff": wide,
        "num_layers": 2, "num_heads": 2, "relative_attention_num_buckets": 8,
        "feed_forward_proj": "gated-gelu", "decoder_start_token_id": 0, "pad_token_id": 0,
        "eos_token_id": 1, "task_specific_params": {
            "langid_map": {"russian": [64, "▁<extra_id_64>"]},
            "summarization": {"num_beams": 2, "max_length": 40, "no_repeat_ngram_size": 2},
        },
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut shapes = vec![("shared.weight".to_owned(), vec![size, width])];
    for side in ["encoder", "decoder"] {
        for block in 0..2 {
            let blocks: &[&str] = match side {
                "encoder" => &["SelfAttention", "DenseReluDense"],
                _ => &["SelfAttention", "EncDecAttention", "DenseReluDense"],
            };
            for (layer, kind) in blocks.iter().enumerate() {
                let prefix = format!("{side}.block.{block}.layer.{layer}.");
                shapes.push((format!("{prefix}layer_norm.weight"), vec![width]));
                let parts: &[(&str, usize, usize)] = match *kind {
                    "DenseReluDense" => &[
                        ("wi_0", wide, width),
                        ("wi_1", wide, width),
                        ("wo", width, wide),
                    ],
                    _ => &[
                        ("q", width, width),
                        ("k", width, width),
                        ("v", width, width),
                        ("o", width, width),
                    ],
                };
                for (part, outputs, inputs) in parts {
                    let name = format!("{prefix}{kind}.{part}.weight");
                    shapes.push((name, vec![*outputs, *inputs]));
                }
            }
        }
        let bias = format!("{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        shapes.push((bias, vec![8, 2]));
        shapes.push((format!("{side}.final_layer_norm.weight"), vec![width]));
    }
    std::fs::write(folder.join("model.safetensors"), weights(&shapes)).unwrap();
}

fn tool() -> Tool {
    ARTICLES
        .iter()
        .fold(Tool::new(), |tool, (name, text)| tool.file(name, text))
}

/// The texts that a command prints with `--json`.
fn texts(tool: &Tool, arguments: &[&str]) -> Vec<String> {
    let ran = tool.run(arguments);
    assert_eq!(ran.status, 0, "{arguments:?}\n{}", ran.err);
    let lines = ran.out.lines();
    lines
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            value["text"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn a_directory_translates_alike_alone_and_in_a_batch() {
    let tool = tool();
    write_marian(&tool.path("model"));
    for options in [
        &["--lang", "ru"][..],
        &[],
        &["--lang", "ru", "--beams", "3"],
        &["--lang", "ru", "--precision", "f32"],
        &["--lang", "ru", "--precision", "q8", "--batch-tokens", "40"],
    ] {
        let all = |files: &[&str]| {
            let mut arguments = vec!["translate", "--json", "--model", "model"];
            arguments.extend_from_slice(options);
            arguments.extend_from_slice(files);
            texts(&tool, &arguments)
        };
        let together = all(&["a.txt", "b.txt", "c.txt"]);
        let alone: Vec<String> = ["a.txt", "b.txt", "c.txt"]
            .iter()
            .flat_map(|file| all(&[file]))
            .collect();
        assert_eq!(together, alone, "{options:?}");
        assert!(
            together.iter().any(|text| !text.trim().is_empty()),
            "{options:?}"
        );
    }
    // The language is told by a token before the text, which changes what comes out.
    let with = texts(
        &tool,
        &[
            "translate",
            "--json",
            "--model",
            "model",
            "--lang",
            "ru",
            "a.txt",
        ],
    );
    let without = texts(&tool, &["translate", "--json", "--model", "model", "a.txt"]);
    assert_ne!(with, without);
}

#[test]
fn quantized_weights_are_kept_and_made_anew_when_they_must_be() {
    let tool = tool();
    write_marian(&tool.path("one/model"));
    write_marian(&tool.path("two/model"));
    let translate = |model: &str| {
        let arguments = [
            "translate",
            "--json",
            "--lang",
            "ru",
            "--model",
            model,
            "a.txt",
        ];
        texts(&tool, &arguments)
    };
    let prepared = || tool.names("cache/newsml/prepared");
    let first = translate("one/model");
    let [name] = prepared().try_into().unwrap();
    let path = tool.path("cache/newsml/prepared").join(&name);
    let made = std::fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(translate("one/model"), first);
    assert_eq!(translate("./one/../one/model"), first);
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), made);
    assert_eq!(translate("two/model"), first);
    assert_eq!(prepared().len(), 2);

    // Damaged, or cut off: made again, and no one is bothered.
    let whole = std::fs::read(&path).unwrap();
    for bytes in [b"damaged".as_slice(), &whole[..whole.len() / 2]] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(translate("one/model"), first);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
    // Another configuration is another model.
    let config = std::fs::read_to_string(tool.path("one/model/config.json")).unwrap();
    let config = config.replace("\"swish\"", "\"relu\"");
    std::fs::write(tool.path("one/model/config.json"), config).unwrap();
    translate("one/model");
    assert_ne!(std::fs::read(&path).unwrap(), whole);

    // A folder that cannot be written to costs time and nothing else.
    std::fs::remove_dir_all(tool.path("cache/newsml")).unwrap();
    std::fs::write(tool.path("cache/newsml"), b"in the way").unwrap();
    assert_eq!(translate("two/model"), first);
}

#[test]
fn a_directory_summarizes_long_articles_whole_and_in_the_language_asked_for() {
    let sentence = "The ministers met in the capital on Monday. The price of oil fell in May. ";
    let tool = tool().file("long.txt", sentence.repeat(40));
    write_t5(&tool.path("model"));
    let summarize = |options: &[&str]| {
        let mut arguments = vec!["summarize", "--json", "--model", "model"];
        arguments.extend_from_slice(options);
        let ran = tool.run(&arguments);
        assert_eq!(ran.status, 0, "{options:?}\n{}", ran.err);
        let lines = ran.out.lines();
        lines
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect::<Vec<_>>()
    };
    let long = summarize(&["long.txt"]).remove(0);
    let kinds: Vec<_> = long["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["kind"].clone())
        .collect();
    assert!(kinds.contains(&json!("parts")), "{long}");
    for length in ["headline", "short", "medium"] {
        let of = |files: &[&str]| {
            let mut options = vec!["--length", length];
            options.extend_from_slice(files);
            summarize(&options)
                .iter()
                .map(|summary| summary["text"].clone())
                .collect::<Vec<_>>()
        };
        let together = of(&["a.txt", "long.txt", "c.txt"]);
        let alone = [of(&["a.txt"]), of(&["long.txt"]), of(&["c.txt"])].concat();
        assert_eq!(together, alone, "{length}");
    }
    // The decoder begins with the token of the language; no second model translates.
    let russian = summarize(&["--lang", "ru", "a.txt"]).remove(0);
    assert_eq!(russian["language"], "ru");
    assert_eq!(russian["source_language"], "en");
    assert_ne!(russian["text"], summarize(&["a.txt"])[0]["text"]);
}

#[test]
fn what_cannot_be_run_is_told() {
    let tool = tool();
    write_marian(&tool.path("good"));
    let config = std::fs::read_to_string(tool.path("good/config.json")).unwrap();
    let weights = std::fs::read(tool.path("good/model.safetensors")).unwrap();
    let changed = |from: &str, to: &str| config.replace(from, to).into_bytes();
    let cases: [(&str, Vec<u8>, &[&str]); 7] = [
        (
            "config.json",
            changed("\"marian\"", "\"bart\""),
            &["`bart`", "`marian`, `m2m_100`, `t5` and `mt5`"],
        ),
        (
            "config.json",
            changed("\"swish\"", "\"mish\""),
            &["`activation_function`", "`mish`"],
        ),
        (
            "config.json",
            changed(
                "\"d_model\":16",
                "\"d_model\":16,\"normalize_embedding\":true",
            ),
            &["`normalize_embedding`", "true"],
        ),
        (
            "config.json",
            changed(
                "\"d_model\":16",
                "\"d_model\":16,\"static_position_embeddings\":false",
            ),
            &["`static_position_embeddings`", "false"],
        ),
        (
            "generation_config.json",
            b"{\"num_beam_groups\": 4}".to_vec(),
            &["`num_beam_groups`", "`4`"],
        ),
        (
            "model.safetensors",
            weights[..weights.len() / 2].to_vec(),
            &["beyond its end"],
        ),
        ("vocab.json", b"{}".to_vec(), &["`<unk>`"]),
    ];
    for (number, (file, content, expected)) in cases.into_iter().enumerate() {
        let folder = format!("bad{number}");
        write_marian(&tool.path(&folder));
        std::fs::write(tool.path(&folder).join(file), content).unwrap();
        let ran = tool.run(&[
            "translate",
            "--lang",
            "ru",
            "--model",
            &folder,
            "a.txt",
            "b.txt",
        ]);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (2, ""),
            "{file}\n{}",
            ran.err
        );
        for part in expected {
            assert!(ran.err.contains(part), "{part}, not in\n{}", ran.err);
        }
        // Both documents are told the same.
        assert!(!ran.err.contains("could not be used"), "{}", ran.err);
    }
}

/// Two models one after the other, which say nothing that means anything: a term is in what they
/// write only where they were made to say it.
#[test]
fn terms_hold_by_way_of_english() {
    let hub = FakeHub::start();
    let tool = Tool::new().variable("HF_ENDPOINT", hub.url());
    write_marian(&tool.path("model"));
    let names = tool.names("model");
    for name in &names {
        let content = std::fs::read(tool.path("model").join(name)).unwrap();
        hub.small_file(&format!("o/m/{name}"), &content);
    }
    let files = serde_json::to_string(&names).unwrap();
    let mut registry = "[defaults.translate]\nru-en = [\"ru-en\"]\nen-ar = [\"en-ar\"]\nru-ar = [\"through-english\"]\n".to_owned();
    for (pair, target) in [
        ("ru-en", ""),
        ("en-ar", "target_tokens = { ar = \">>ara<<\" }\n"),
    ] {
        registry += &format!(
            "[[model]]\nid = \"{pair}\"\nfamily = \"marian\"\ntasks = [\"translate\"]\n\
             pairs = [\"{pair}\"]\nlicence = \"MIT\"\nsize = 1\n{target}\
             [[model.sources]]\nkind = \"hub\"\nrepository = \"o/m\"\nfiles = {files}\n"
        );
    }
    tool.write("models.toml", registry);
    // Outputs end after four tokens and their end, since a model with random weights goes on within the word.
    // The last term has a letter that the vocabulary has not, so that no model can write it.
    tool.write("terms.tsv", "нефть\tزيت\nхлеб\tخبز\tto=ar\nмай\tغاز\n");
    tool.write(
        "a.txt",
        "Цены на нефть росли. Цены на хлеб падали. Был тёплый май.\n",
    );
    let arguments = "translate --json --segments --registry models.toml --from ru --lang ar --max-tokens 5 --glossary terms.tsv a.txt";
    let ran = tool.run(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!(ran.status, 0, "{}", ran.err);
    let record: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(record["model"], "ru-en + en-ar");
    let segments = record["segments"].as_array().unwrap();
    let missed = |segment: &Value| segment["warnings"].to_string().contains("glossary_missed");
    let found: Vec<(bool, bool)> = segments
        .iter()
        .zip(["زيت", "خبز", "غاز"])
        .map(|(segment, term)| {
            let target = segment["target"].as_str().unwrap();
            (target.contains(term), missed(segment))
        })
        .collect();
    assert_eq!(
        found,
        [(true, false), (true, false), (false, true)],
        "{record:#}"
    );
    assert!(
        ran.err.contains("terms: 2 held, 1 missed"),
        "the closing line counts them: {}",
        ran.err
    );
}

/// A disk without room for more of the memory costs no translation, and the memory nothing.
#[cfg(unix)]
#[test]
fn a_full_disk_costs_no_translation() {
    let tool = Tool::new();
    write_marian(&tool.path("model"));
    end_after(&tool.path("model"), 4);
    // What is kept is kept in the order of the alphabet: new segments go to many pages of the file.
    let unit = |text: &str| {
        format!(
            "<tu><tuv lang='en'><seg>{text}</seg></tuv><tuv lang='ru'><seg>{text}</seg></tuv></tu>\n"
        )
    };
    let letters: Vec<char> = ('a'..='z').collect();
    let known = letters.iter().flat_map(|letter| {
        (0..60).map(move |number| format!("{letter} {number} {}", "bread ".repeat(9)))
    });
    let units: String = known.map(|text| unit(&text)).collect();
    tool.write("a.tmx", format!("<tmx><body>{units}</body></tmx>"));
    let paragraphs: Vec<String> = letters
        .iter()
        .map(|letter| format!("{letter}{letter} oil and bread"))
        .collect();
    tool.write("a.txt", paragraphs.join("\n\n"));
    let import = ["memory", "import", "a.memory", "--tmx", "a.tmx"];
    let imported = tool.run(&import);
    // In both directions: the file does not say which was the source.
    assert_eq!(
        (imported.status, imported.err.as_str()),
        (0, "note: 3120 segments imported\n")
    );
    let stats = |name: &str| tool.run(&["memory", "stats", name]).out;
    let before = stats("a.memory");
    assert_eq!(
        before.matches("1560  en    ru   imported").count(),
        1,
        "{before}"
    );
    let translate = [
        "translate",
        "--raw",
        "--model",
        "model",
        "a.txt",
        "--memory",
    ];
    let expected = tool.run(&[&translate[..], &["other.memory"]].concat());
    assert_eq!(expected.status, 0, "{}", expected.err);
    assert!(
        stats("other.memory").lines().count() == 2,
        "nothing was good enough to be kept"
    );

    // Enough for what processes share, too few for the log.
    let limited = |arguments: &[&str]| tool.run_limited(64, arguments);
    let found = limited(&[&translate[..], &["a.memory"]].concat());
    assert_eq!(
        (found.status, &found.out),
        (0, &expected.out),
        "{}",
        found.err
    );
    let told = "warning: `a.txt`: from here on no translations are kept in the memory: ";
    assert_eq!(found.err.matches(told).count(), 1, "{}", found.err);
    // Nothing is half imported either.
    tool.write("b.tmx", tool.read("a.tmx").replace("bread", "oil"));
    let refused = limited(&["memory", "import", "a.memory", "--tmx", "b.tmx"]);
    assert_eq!(refused.status, 2, "{}", refused.err);
    assert_eq!(stats("a.memory"), before);
    // With room again it goes on.
    let again = tool.run(&[&translate[..], &["a.memory"]].concat());
    assert_eq!(
        (again.status, &again.out),
        (0, &expected.out),
        "{}",
        again.err
    );
    assert!(
        !again.err.contains("no translations are kept"),
        "{}",
        again.err
    );
    assert_ne!(stats("a.memory"), before);
}
