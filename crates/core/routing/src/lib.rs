//! From a model name to the accounts that can answer for it.
//!
//! `Directory` is the immutable view of what is connected, built when accounts change; `plan` asks it
//! once per request, at a cost that does not depend on how many accounts there are. Deliberately
//! absent: health, cooldowns and strategies (they choose among a plan's targets), clocks, I/O.

mod directory;
mod listing;
mod name;
mod nearest;
mod place;
mod plan;
mod reasons;
mod refusal;

pub use directory::{CustomModel, Directory, Entry};
pub use listing::ListedModel;
pub use plan::{Plan, plan};
pub use refusal::Refusal;
