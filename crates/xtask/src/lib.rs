//! The repository's own rules and generators: what `cargo xtask` runs and `cargo test` enforces.
//!
//! Every rule is a function from a tree of files to the problems it finds, so each is tested on a
//! made-up tree as well as run on the real one. Sources are scanned as masked text rather than parsed:
//! what stands inside a macro call counts too, and a syntax tree would hide it.

pub mod generated;
pub mod masked;
mod package;
pub mod problem;
mod rules;
pub mod tidy;
pub mod tree;
