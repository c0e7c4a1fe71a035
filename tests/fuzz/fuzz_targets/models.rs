//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz --features libfuzzer models`
//!
//! The first byte of an input says which file of which model the others are; `--len_control` aside,
//! `src/main.rs` with `seeds models DIR` writes inputs to begin with.
#![no_main]

#[path = "../src/models.rs"]
mod models;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Some((&first, bytes)) = input.split_first() {
        let parts = models::parts();
        let (model, file) = &parts[usize::from(first) % parts.len()];
        models::run(model, &[(file, bytes)]);
    }
});
