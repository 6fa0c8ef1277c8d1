//! The vault on real keychains.
//!
//! `cfg(test)` is always on here; clippy reads it as "this is test code".
#![cfg(all(unix, not(target_os = "macos")))]

#[cfg(test)]
mod cases;
