//! The control plane: every management use case, written once, behind one router under `/api`.
//!
//! Invariants: nothing under `/api` answers without a principal, and every change is in the database,
//! in the snapshot that requests read and in the audit log before its answer leaves. The shells
//! (command line, desktop) carry requests to the router and know nothing of it.

pub mod doctor;
pub mod env;
mod error;
pub mod instance;
pub mod local;
pub mod paths;
pub mod serve;

pub use env::{Environment, Settings};
pub use error::StartError;
pub use instance::{Instance, Options, VaultChoice};
pub use local::{CallError, Caller, Method, Reply};
pub use serve::{Ready, ServeOptions, serve};
