//! What newsml does with the files of a model: loads them, and has the model work for a moment.

use std::fs;
use std::path::{Path, PathBuf};

use newsml::{
    Checkpoint, Decoding, Device, Language, Length, LoadOptions, Network, Seq2Seq, Seq2SeqOptions,
    StoreOptions, Summarizer, Translator,
};

const TEXT: &str = "The minister said on Monday that 1,250 people had left the city.";
/// Tokens that a model writes.
const TOKENS: usize = 2;

/// The models: a name, and the files with the paths under `tests/fixtures` that they come from.
const MODELS: &[(&str, &[(&str, &str)])] = &[
    ("qwen2", &[("model.gguf", "qwen2-q8_0.gguf")]),
    ("llama", &[("model.gguf", "chat/llama-bpe.gguf")]),
    ("sentence", &[("model.gguf", "chat/sentence-plain.gguf")]),
    (
        "nllb",
        &[
            ("config.json", "directories/nllb/config.json"),
            (
                "generation_config.json",
                "directories/nllb/generation_config.json",
            ),
            ("tokenizer.json", "directories/nllb/json/tokenizer.json"),
            ("model.safetensors", "directories/nllb/model.safetensors"),
        ],
    ),
    (
        "madlad",
        &[
            ("config.json", "directories/madlad/config.json"),
            (
                "generation_config.json",
                "directories/madlad/generation_config.json",
            ),
            ("tokenizer.json", "directories/madlad/json/tokenizer.json"),
            ("model.safetensors", "directories/madlad/model.safetensors"),
        ],
    ),
    (
        "m2m100",
        &[
            ("config.json", "directories/m2m100/config.json"),
            (
                "generation_config.json",
                "directories/m2m100/generation_config.json",
            ),
            (
                "sentencepiece.bpe.model",
                "directories/m2m100/sentencepiece.bpe.model",
            ),
            (
                "special_tokens_map.json",
                "directories/m2m100/special_tokens_map.json",
            ),
            ("vocab.json", "directories/m2m100/vocab.json"),
            ("model.safetensors", "directories/m2m100/model.safetensors"),
        ],
    ),
    (
        "crosssum",
        &[
            ("config.json", "directories/crosssum/config.json"),
            ("spiece.model", "directories/crosssum/spiece.model"),
            (
                "model.safetensors",
                "directories/crosssum/model.safetensors",
            ),
        ],
    ),
    (
        "marian",
        &[
            ("config.json", "marian-tied/config.json"),
            ("source.spm", "tokenizers/marian/source.spm"),
            ("target.spm", "tokenizers/marian/target.spm"),
            ("vocab.json", "tokenizers/marian/vocab.json"),
            ("pytorch_model.bin", "marian-tied/zip/pytorch_model.bin"),
        ],
    ),
    (
        "mt5",
        &[
            ("config.json", "mt5/config.json"),
            ("pytorch_model.bin", "mt5/legacy/pytorch_model.bin"),
        ],
    ),
    (
        "shards",
        &[
            ("config.json", "m2m100/config.json"),
            (
                "model.safetensors.index.json",
                "m2m100/shards/model.safetensors.index.json",
            ),
            (
                "model-00001-of-00002.safetensors",
                "m2m100/shards/model-00001-of-00002.safetensors",
            ),
            (
                "model-00002-of-00002.safetensors",
                "m2m100/shards/model-00002-of-00002.safetensors",
            ),
        ],
    ),
    (
        "firefox",
        &[
            (
                "model.enru.intgemm.alphas.bin",
                "firefox/model.enru.intgemm.alphas.bin",
            ),
            ("lex.50.50.enru.s2t.bin", "firefox/lex.50.50.enru.s2t.bin"),
            ("vocab.enru.spm", "sentencepiece/unigram.model"),
            ("config.enru.yml", "firefox/config.enru.yml"),
        ],
    ),
];

/// The models that have a vocabulary and a template, but no weights.
pub(crate) const VOCABULARIES: [&str; 2] = ["llama", "sentence"];

fn fixture(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The crate of the tests, or that of the fuzzing inside it.
    let fixtures = root.join("tests/fixtures");
    if fixtures.is_dir() {
        fixtures.join(path)
    } else {
        root.join("../fixtures").join(path)
    }
}

/// Every file of every model.
pub(crate) fn parts() -> Vec<(&'static str, &'static str)> {
    MODELS
        .iter()
        .flat_map(|(model, files)| files.iter().map(move |(file, _)| (*model, *file)))
        .collect()
}

/// A file of a model as it should be.
pub(crate) fn original(model: &str, file: &str) -> Vec<u8> {
    let files = MODELS.iter().find(|known| known.0 == model);
    let path = files.and_then(|(_, files)| files.iter().find(|known| known.0 == file));
    let mut bytes = path
        .and_then(|(_, path)| fs::read(fixture(path)).ok())
        .unwrap_or_default();
    if VOCABULARIES.contains(&model) {
        // The vocabulary is read of an architecture that can be run.
        let name = b"llama";
        if let Some(at) = bytes.windows(name.len()).position(|window| window == name) {
            bytes[at..at + name.len()].copy_from_slice(b"qwen2");
        }
    }
    bytes
}

/// Loads a model with some of its files changed, and has it work; whether it does.
///
/// # Panics
/// Where no temporary folder can be written to.
pub(crate) fn run(model: &str, changed: &[(&str, &[u8])]) -> bool {
    let Some((_, files)) = MODELS.iter().find(|known| known.0 == model) else {
        return false;
    };
    let Ok(folder) = tempfile::tempdir() else {
        panic!("no temporary folder");
    };
    for (file, source) in *files {
        let to = folder.path().join(file);
        let written = match changed.iter().find(|(name, _)| name == file) {
            Some((_, bytes)) => fs::write(&to, bytes),
            None => fs::copy(fixture(source), &to).map(|_| ()),
        };
        assert!(written.is_ok(), "cannot write `{file}`");
    }
    let path = match *files {
        [(file, _)] => folder.path().join(file),
        _ => folder.path().to_path_buf(),
    };
    work(model, &path, folder.path())
}

fn work(model: &str, path: &Path, folder: &Path) -> bool {
    if matches!(model, "marian" | "mt5" | "shards") {
        // They have no tokenizer, or one of another vocabulary.
        let options = Seq2SeqOptions {
            device: Device::Cpu,
            ..Seq2SeqOptions::default()
        };
        let model = Seq2Seq::load(path, &options);
        return model.is_ok_and(|model| {
            let _ = model.encode(TEXT, None, None);
            model.decode_ids(&[vec![5, 6, 1]], 1, TOKENS).is_ok()
        });
    }
    let mut store = StoreOptions::new(folder.join("cache"));
    store.network = Network::Offline;
    let load = LoadOptions {
        model: Some(path.display().to_string()),
        store,
        device: Device::Cpu,
        ..LoadOptions::default()
    };
    let decoding = Decoding {
        max_tokens: (model != "firefox").then_some(TOKENS),
        ..Decoding::default()
    };
    if path.is_file()
        && let Ok(checkpoint) = Checkpoint::load(path, &mut |_, _| {})
    {
        let _ = checkpoint
            .encode(TEXT)
            .and_then(|ids| checkpoint.decode(&ids));
    }
    if model == "crosssum" {
        let builder = Summarizer::builder(Length::Headline).language(Language::Russian);
        let summarizer = builder.load(load).decoding(decoding).build();
        return summarizer.is_ok_and(|summarizer| summarizer.summarize(TEXT).is_ok());
    }
    let builder = Translator::builder(Language::Russian).from(Language::English);
    let translator = builder.load(load).decoding(decoding).build();
    translator.is_ok_and(|translator| translator.translate(TEXT).is_ok())
}
