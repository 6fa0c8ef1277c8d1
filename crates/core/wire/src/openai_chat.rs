//! OpenAI Chat Completions, as OpenAI documents it and as its many imitators write it.

pub mod error;
pub mod tap;
mod usage;
