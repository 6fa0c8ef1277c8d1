//! SQLite: `core.db` for what must never be lost, `log.db` for what is counted.
//!
//! Invariants: one process per data folder; ids, times and texts come from the caller and are written
//! as they are; a full or broken log never hurts an account, and never makes anybody wait.
//! Deliberately absent: secrets in the clear (`vault` seals them first) and SQL outside this crate.

mod column;
mod connection;
mod data_dir;
mod error;
mod fresh;
mod integrity;
mod wal;

mod core_db;
mod schema;
pub mod snapshot;

pub mod accounts;
pub mod custom_models;
pub mod keys;
pub mod meta;
pub mod nodes;
pub mod settings;

pub mod log;

pub use core_db::{CoreDb, Reader, Writer};
pub use data_dir::{DataDir, socket_in};
pub use error::StoreError;
pub use snapshot::{Reason, Snapshot};
