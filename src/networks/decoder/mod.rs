//! Decoder-only networks from GGUF files.

pub(crate) mod gguf;
pub(crate) mod qwen;
