//! OpenAI Chat Completions, as OpenAI documents it and as its many imitators write it.
//!
//! Reading is lenient and keeps what it does not know; writing is strict. `tap` reads along with bytes
//! that pass through unchanged and shares no state with the decoders. Deliberately absent: what one
//! model or provider wants differently (capability rows decide that, before `encode` or after).

pub mod ask;
pub mod error;
pub mod fold;
pub mod reply;
pub mod stream;
pub mod tap;
pub mod types;
pub mod unfold;

mod ids;
mod ledger;
mod message;
mod parts;
mod reasoning;
mod source;
mod stop;
mod tools;
mod usage;
