//! The ways to run a network: unpadded rows on newsml's own kernels ([`spans`]), and padded
//! rectangles of candle tensors ([`padded`]), which a graphics card needs.

pub(crate) mod matrix;
pub(crate) mod padded;
pub(crate) mod spans;
pub(crate) mod tensors;
