//! All integration tests, in one binary, since linking is slow. A module a subject.

mod choice;
mod cli;
mod directories;
mod eval;
mod fake_hub;
mod formats;
mod fuzz;
mod hostile;
mod house;
mod injection;
mod instruct;
mod jobs;
mod pull;
mod python;
mod real_weights;
mod registry;
mod safety;
mod seq2seq;
mod stopping;
mod store;
mod tool;
mod wheels;
