//! The `newsml` program: hands its arguments to the command line module.

fn main() {}
