//! Requests.

mod conversation;
mod messages;
mod read;
mod write;

pub use read::decode;
pub use write::encode;

#[cfg(test)]
mod tests;
