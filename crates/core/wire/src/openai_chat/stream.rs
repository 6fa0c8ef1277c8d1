//! Streams: chunks into events and events into chunks.

mod arguments;
mod calls;
mod choice;
mod decoder;
mod encoder;

pub use decoder::Decoder;
pub(super) use decoder::truncated;
pub use encoder::{Encoder, EncoderOptions};

#[cfg(test)]
mod tests;
