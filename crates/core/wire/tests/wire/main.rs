//! The codecs as their callers see them: recorded exchanges and laws.

mod fixtures;
mod golden;
mod grammar;
mod laws;
mod strategies;
