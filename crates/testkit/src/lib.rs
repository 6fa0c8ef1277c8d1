//! Providers that follow a script, a client that says exactly what it is told to, and a runner for
//! the built binary: what end-to-end tests stand on.
//!
//! Everything here speaks over real loopback sockets and is written from the wire reference, never
//! from our own codecs, so that a mistake in those can't hide. Tests decide by gates when the next
//! byte goes out. Failures panic with a sentence: this crate is for tests only.

pub mod chat;
pub mod client;
pub mod command;
pub mod failure;
pub mod gate;
pub mod gateway;
mod http;
mod play;
mod process;
pub mod provider;
pub mod request;
pub mod script;
pub mod sse;
pub mod vision;
pub mod wait;

pub use chat::Exchange;
pub use client::{Answer, Call, Connection, Streaming};
pub use command::CliOutput;
pub use gate::Gate;
pub use gateway::{Gateway, Setup};
pub use provider::{Provider, When};
pub use request::Request;
pub use script::{Ending, Pace, Script};
