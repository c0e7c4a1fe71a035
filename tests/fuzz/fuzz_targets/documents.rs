//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz --features libfuzzer documents`
//!
//! The first byte of an input says how the others are read.
#![no_main]

#[path = "../src/documents.rs"]
mod documents;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Some((&first, bytes)) = input.split_first() {
        let way = usize::from(first) % documents::ways().len();
        documents::run(documents::ways()[way], bytes);
    }
});
