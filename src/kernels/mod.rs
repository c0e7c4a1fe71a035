//! Inner loops for the processor at hand.

pub(crate) mod float;
pub(crate) mod int8;
