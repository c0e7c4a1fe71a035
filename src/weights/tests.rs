//! What the readers make of whole, sharded, cut off and damaged files.

use std::path::Path;

use proptest::prelude::*;

use super::*;

type TestResult = std::result::Result<(), Box<dyn std::error::Error>>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

const FORMS: [&str; 3] = [
    "model.safetensors",
    "zip/pytorch_model.bin",
    "legacy/pytorch_model.bin",
];

#[test]
fn all_forms_hold_the_same_numbers() -> TestResult {
    for model in ["marian-tied", "marian-untied", "mt5"] {
        let open = |form: &str| Weights::open_files(vec![fixture(model).join(form)]);
        let first = open(FORMS[0])?;
        for form in &FORMS[1..] {
            let other = open(form)?;
            for (name, entry) in &first.entries {
                let shape = &entry.shape;
                assert_eq!(
                    first.floats(name, shape)?,
                    other.floats(name, shape)?,
                    "{model} {form} {name}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn tied_matrices_are_one_place_in_a_pytorch_file() -> TestResult {
    for form in &FORMS[1..] {
        let weights = Weights::open_files(vec![fixture("marian-tied").join(form)])?;
        assert!(
            weights.is_same("lm_head.weight", "model.shared.weight"),
            "{form}"
        );
        assert!(weights.holds_equal("lm_head.weight", "model.shared.weight")?);
        let weights = Weights::open_files(vec![fixture("marian-head").join(form)])?;
        assert!(
            !weights.is_same("lm_head.weight", "model.shared.weight"),
            "{form}"
        );
        assert!(!weights.holds_equal("lm_head.weight", "model.shared.weight")?);
    }
    Ok(())
}

#[test]
fn shards_are_found_by_their_index() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut map = serde_json::Map::new();
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        let file = format!("model-{number}.safetensors");
        let mut tensors = Tensors::default();
        tensors.floats(name.to_owned(), vec![2, 2], &[number as f32; 4]);
        tensors.write(&folder.path().join(&file), &[])?;
        map.insert(name.to_owned(), file.into());
    }
    let index = folder.path().join("model.safetensors.index.json");
    std::fs::write(
        &index,
        serde_json::json!({"metadata": {}, "weight_map": map}).to_string(),
    )?;
    let weights = Weights::open(folder.path())?;
    assert_eq!(weights.floats("c", &[2, 2])?, [2.0; 4]);
    assert!(weights.floats("c", &[4]).is_err());
    assert!(weights.floats("d", &[1]).is_err());

    // An index cannot reach out of its folder.
    let text = serde_json::json!({"weight_map": {"a": "../model-0.safetensors"}}).to_string();
    std::fs::write(&index, text)?;
    let message = Weights::open(folder.path())
        .err()
        .map(|error| error.to_string());
    assert!(message.is_some_and(|message| message.contains("not a file beside it")));
    Ok(())
}

#[test]
fn strided_tensors_are_put_in_order() {
    // The transpose of [[1, 2, 3], [4, 5, 6]].
    assert_eq!(
        gather(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[3, 2], &[1, 3]),
        [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
    );
}

#[test]
fn what_is_no_checkpoint_is_told() -> TestResult {
    let folder = tempfile::tempdir()?;
    let missing = Weights::open(folder.path())
        .err()
        .map(|error| error.to_string());
    assert!(missing.is_some_and(|message| message.contains("no `model.safetensors`")));
    let path = folder.path().join("model.safetensors");
    for (bytes, expected) in [
        (
            &b"version https://git-lfs.github.com/spec/v1\n"[..],
            "Git LFS",
        ),
        (b"", "neither safetensors nor"),
        (
            b"<html>404 not found, so sorry</html>",
            "neither safetensors nor",
        ),
        (b"\xff\x00\x00\x00\x00\x00\x00\x00{}", "cut off"),
        (b"PK\x03\x04 and so on", "cannot be loaded"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "cut off"),
    ] {
        std::fs::write(&path, bytes)?;
        let message = Weights::open(folder.path())
            .err()
            .map_or(String::new(), |error| error.to_string());
        assert!(message.contains(expected), "{message}, not {expected}");
    }
    Ok(())
}

/// Opens a file of these bytes and reads all of it.
fn read_all(bytes: &[u8]) -> Result<usize> {
    let file = tempfile::NamedTempFile::new().map_err(Error::io("create", "temporary"))?;
    std::fs::write(file.path(), bytes).map_err(Error::io("write", file.path()))?;
    let weights = Weights::open_files(vec![file.path().to_path_buf()])?;
    let mut read = 0;
    for (name, entry) in &weights.entries {
        read += weights
            .floats(name, &entry.shape)
            .map_or(0, |values| values.len());
    }
    Ok(read)
}

#[test]
fn a_file_that_is_cut_off_is_an_error_at_any_length() -> TestResult {
    for form in FORMS {
        let bytes = std::fs::read(fixture("mt5").join(form))?;
        assert!(read_all(&bytes)? > 1000, "{form}");
        for step in 0..60 {
            let length = bytes.len() * step / 60;
            assert!(
                read_all(&bytes[..length]).is_err(),
                "{form} cut to {length}"
            );
        }
    }
    Ok(())
}

/// A tensor of one number in the storage `0`, as an item of the dictionary below it on the stack.
const TENSOR: &[u8] = b"X\x01\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage\
ctorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01NtQK\0K\x01\x85K\x01\x85\x89\
ccollections\nOrderedDict\n)RtRs";

/// A file of the form before zip files, whose dictionary these instructions fill.
fn legacy(instructions: &[u8]) -> Vec<u8> {
    let head =
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}q\0";
    let keys = b".\x80\x02]X\x01\0\0\x000a.";
    let storage = [&1u64.to_le_bytes()[..], &1.5f32.to_le_bytes()].concat();
    [head, instructions, keys, &storage].concat()
}

/// A zip file of these instructions and the storage that [`legacy`] has.
fn zipped(instructions: &[u8], method: zip::CompressionMethod) -> std::io::Result<Vec<u8>> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    out.start_file("archive/data.pkl", options)?;
    std::io::Write::write_all(&mut out, &[b"\x80\x02}q\0", instructions, b"."].concat())?;
    let stored = options.compression_method(zip::CompressionMethod::Stored);
    out.start_file("archive/data/0", stored)?;
    std::io::Write::write_all(&mut out, &1.5f32.to_le_bytes())?;
    Ok(out.finish()?.into_inner())
}

#[test]
fn pickles_that_nest_without_end_hold_nothing_but_their_tensors() -> TestResult {
    // In the memo: 0 the outermost dictionary, 1 what is nested, 2 what it is nested in.
    let call = b"X\x01\0\0\0acf\nf\n".as_slice();
    let cases = [
        ("values", b"}q\x02Nh\x01\x85sh\x02q\x01".to_vec(), 150_000),
        ("keys", b"}q\x02h\x01Nsh\x02q\x01".to_vec(), 150_000),
        (
            "calls",
            [b"}q\x02", call, b"h\x01\x85Rsh\x02q\x01"].concat(),
            150_000,
        ),
        ("a ring", b"h\0Nh\0\x85s".to_vec(), 1),
        ("a ring by a call", [b"h\0", call, b"h\0\x85Rs"].concat(), 1),
        // Sixty levels, each of which is there twice in the next.
        (
            "a net",
            [
                &b"h\x01h\x01\x86q\x01".repeat(60),
                &b"h\0"[..],
                call,
                b"h\x01Rs",
            ]
            .concat(),
            1,
        ),
    ];
    for (name, part, times) in cases {
        let instructions = [b"N\x85q\x01", &*part.repeat(times), b"h\0", TENSOR].concat();
        for bytes in [
            legacy(&instructions),
            zipped(&instructions, zip::CompressionMethod::Stored)?,
        ] {
            assert_eq!(read_all(&bytes)?, 1, "{name}");
        }
    }
    Ok(())
}

#[test]
fn a_pickle_that_is_compressed_is_refused() -> TestResult {
    use zip::CompressionMethod::{Deflated, Stored};
    assert_eq!(read_all(&zipped(TENSOR, Stored)?)?, 1);
    let refused = read_all(&zipped(TENSOR, Deflated)?).err();
    assert!(refused.is_some_and(|error| error.to_string().contains("`data.pkl` is compressed")));
    Ok(())
}

#[test]
fn a_pickle_without_end_is_an_error() {
    /// The same bytes over and over.
    struct Endless(Vec<u8>, usize);
    impl std::io::Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            for byte in &mut *out {
                *byte = self.0[self.1];
                self.1 = (self.1 + 1) % self.0.len();
            }
            Ok(out.len())
        }
    }
    let text = [&b"X\0\0\x10\0"[..], &[b'a'; 1 << 20]].concat();
    for bytes in [b"N".to_vec(), b"Nq\0".to_vec(), b"}".to_vec(), text] {
        let mut input = std::io::BufReader::new(Endless(bytes, 0));
        let error = pickle::read(&mut input).err();
        assert_eq!(error.as_deref(), Some("its pickle is too large"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn a_damaged_file_never_panics(
        form in 0usize..3,
        changes in prop::collection::vec((0usize..9000, any::<u8>()), 1..6),
        at_end in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(fixture("mt5").join(FORMS[form])).unwrap_or_default();
        for (place, value) in changes {
            // Headers are at the start, the directory of a zip file at the end.
            let length = bytes.len();
            let place = if at_end { length - 1 - place % length } else { place % length };
            bytes[place] = value;
        }
        let _ = read_all(&bytes);
    }
}
