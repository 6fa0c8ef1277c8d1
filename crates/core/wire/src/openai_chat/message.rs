//! An assistant's message, in a request's history and in an answer: read into blocks, and written.
//!
//! This format has one text and one list of calls, so what stands between text and calls can't be
//! written; the ledger says where an order was lost.

mod calls;
mod read;
mod write;

pub(super) use calls::{Naming, argument_text, write_call_start};
pub(super) use read::{citation, read_blocks};
pub(super) use write::{Place, content, write_blocks, write_citation};
