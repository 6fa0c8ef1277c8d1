//! The vocabulary every other crate speaks: the canonical chat request and answer, stream events,
//! usage, money, faults, ids and secrets.
//!
//! Nothing here knows a vendor's JSON, a clock, a file or a socket. The canonical form is a typed
//! conversation of turns made of blocks; it is deliberately not any one API's request, so that what
//! one format can say and another can't is carried, or named in the loss ledger, never dropped in
//! silence.

pub mod block;
pub mod event;
pub mod fault;
pub mod format;
pub mod ids;
pub mod loss;
pub mod money;
pub mod opaque;
pub mod price;
pub mod raw;
pub mod request;
pub mod response;
pub mod secret;
pub mod usage;

pub use block::Block;
pub use event::StreamEvent;
pub use fault::{Blame, Fault, FaultKind, Retry};
pub use format::Format;
pub use ids::{AccountId, KeyId, ModelId, NodeId, ProviderId};
pub use loss::{Loss, Severity};
pub use money::{Mark, MicroUsd};
pub use price::Price;
pub use raw::{Extra, Raw};
pub use request::{ChatRequest, Turn};
pub use response::{ChatResponse, Stop, StopReason};
pub use secret::Secret;
pub use usage::Usage;
