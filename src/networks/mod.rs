//! Networks: families of architectures, and the ways to run them.
//!
//! A decoder-only family is a plan read from the file's metadata ([`decoder`]); encoder–decoders
//! share one network ([`encoder_decoder`]); Firefox models are their own ([`firefox`]). All of them
//! are given to decoding as a [`Model`](crate::decode::Model). What runs them is in [`runtime`].

pub(crate) mod decoder;
pub(crate) mod encoder_decoder;
pub(crate) mod firefox;
pub(crate) mod runtime;
