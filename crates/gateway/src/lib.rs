//! The data plane: from a client's bytes to a provider's answer and back.
//!
//! `pipeline` names the steps of a request in order; each step is a file. Nothing here reads a
//! database or takes a lock that other requests share: a request loads one immutable snapshot of the
//! configuration and works with that.

mod admit;
mod attempt;
mod call;
mod drain;
mod gateway;
mod guard;
mod ingress;
pub mod limits;
mod listen;
mod models;
mod pipeline;
mod record;
mod reject;
mod relay;
mod request_id;
mod server;
mod shape;
pub mod snapshot;
mod stream_options;

pub use admit::check as check_key;
pub use drain::Drain;
pub use gateway::Gateway;
pub use limits::Limits;
pub use listen::{ListenError, Listener};
pub use reject::fault_response;
pub use request_id::some_request_id;
pub use server::router;
pub use snapshot::{ClientKey, Scope, Snapshot};
