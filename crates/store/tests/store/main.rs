//! The store as its callers see it: real files, real locks, real crashes.
//!
//! `cfg(test)` is always on here; clippy reads it as "this is test code".

#[cfg(test)]
mod folders;
#[cfg(test)]
mod rows;

#[cfg(test)]
mod damage;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod released;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tables;
