//! The store when its process or its disk fails.
//!
//! A binary of its own: it starts processes, and between its fork and its exec a child holds copies of
//! every lock its parent has.

#[cfg(test)]
#[path = "../store/rows.rs"]
mod rows;

#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod kill;
