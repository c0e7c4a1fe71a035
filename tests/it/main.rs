//! All integration tests, in one binary, since linking is slow. A module a subject.

mod cli;
mod fake_hub;
mod instruct;
mod pull;
mod python;
mod real_weights;
mod registry;
mod seq2seq;
mod store;
mod tool;
mod wheels;
