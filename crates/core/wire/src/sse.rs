//! Server-sent events: cutting a byte stream at event borders, and reading events.
//!
//! `Cutter` finds borders and copies nothing unless an event is split over two chunks; `events` reads
//! whole events. Both accept LF, CRLF and CR, and give the same events for every way of cutting the
//! bytes. Decoding of UTF-8 is left to whoever reads an event's data, which is never half an event.

mod cutter;
mod events;

pub use cutter::{Cutter, TooLong};
pub use events::{Event, Events, events};

#[cfg(test)]
mod tests;
