//! Talking to providers: accounts and their credentials, connections, requests and answers.
//!
//! Invariants: a credential is sent to the origin it was given for and nowhere else; the address that
//! was checked is the address that is connected; redirects are not followed; every wait and every
//! buffer has a limit (see `limits`). HTTP/1.1 only, one exchange per connection at a time, so that a
//! connection that dies takes one exchange with it.

pub mod account;
pub mod address;
pub mod answer;
mod connect;
mod demo;
mod io;
pub mod limits;
mod pool;
pub mod probe;
mod retry_after;
mod send;

pub use account::{Account, AccountSpec, ConnectError};
pub use answer::{Answer, AnswerBody};
pub use limits::Limits;
pub use send::{Call, Upstream};
