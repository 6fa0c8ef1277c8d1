//! What each command does: asks the management routes and says what they answered.
//!
//! Each command ends in one `Answer`; `serve`, which runs on, is the exception.

pub(crate) mod serve;
