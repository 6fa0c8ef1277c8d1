//! The codecs as their callers see them: recorded exchanges and laws.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]
#![expect(clippy::disallowed_methods, reason = "the fixtures are files")]

mod fixtures;
mod golden;
mod grammar;
mod laws;
mod strategies;
