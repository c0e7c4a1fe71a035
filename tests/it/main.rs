//! All integration tests, in one binary, since linking is slow. A module a subject.

mod fake_hub;
mod python;
mod store;
mod wheels;
