//! API formats to and from the canonical form, and the bytes they travel in.
//!
//! Every decoder accepts arbitrary bytes without panicking and gives the same result however the
//! bytes were cut. A stream that was cut off never decodes to one that ended. There is no clock, no
//! socket and no provider name here: what one vendor does differently is read leniently, or is a row
//! in the catalog.

mod json;

pub mod openai_chat;
pub mod outline;
pub mod splice;
pub mod sse;

pub use outline::{Outline, OutlineError, outline};
pub use splice::{Segments, Splice};
