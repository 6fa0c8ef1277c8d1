//! The control plane: every management use case, written once, behind one router under `/api`.
//!
//! Invariants: nothing under `/api` answers without a principal, and every change is in the database
//! and in the snapshot that requests read before its answer leaves. The shells (command line, desktop)
//! carry requests to the router and know nothing of it.

pub mod env;
mod error;
pub mod instance;
pub mod local;
pub mod paths;
pub mod serve;
#[cfg(unix)]
mod socket_path;

mod principal;
mod problem;
mod router;
mod strict;

mod about;
mod accounts;
mod available;
pub mod doctor;
mod keys;
mod models;
mod nodes;
mod provider_models;
mod status_page;
mod usage;

mod blocking;
mod clock;
mod connect;
mod dumps;
mod rules;
mod seen_models;
mod url_guard;
mod verdict;

#[cfg(test)]
mod test_house;

pub use env::{Environment, Settings};
pub use error::StartError;
pub use instance::{Instance, Options, VaultChoice};
pub use local::{CallError, Caller, Method, Reply};
pub use router::openapi_json;
pub use serve::{Ready, ServeOptions, serve};
