//! (being written: the signatures below are final)
//! How the shells call the router: in the running instance over its socket, or in this process.

use std::path::Path;

use crate::env::Environment;
use crate::error::StartError;
use crate::instance::VaultChoice;

/// A way to the management routes of one data folder.
#[derive(Debug)]
pub struct Caller {}

/// A request's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes, or does something.
    Post,
    /// Changes.
    Put,
    /// Changes some of it.
    Patch,
    /// Removes.
    Delete,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The running instance went away, or does not answer as it should.
    #[error("the running instance did not answer; see whether it is stopping, and try again")]
    Lost(#[source] std::io::Error),
    /// The path is none.
    #[error("`{0}` is no path of the management interface")]
    Path(String),
}

impl Caller {
    /// Finds the running instance of a data folder, or opens the folder in this process.
    pub async fn open(
        data_dir: &Path,
        vault: Option<VaultChoice>,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        let _ = (data_dir, vault, environment);
        Err(StartError::Defect("not written yet"))
    }

    /// Whether a running instance answers (else it is this process).
    pub fn is_remote(&self) -> bool {
        false
    }

    /// Sends a request; `path` may have a query, `body` is JSON. An error status is a `Reply` too.
    pub async fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Reply, CallError> {
        let _ = (method, path, body);
        Ok(Reply { status: 500, body: Vec::new() })
    }

    /// Ends it: what is still to be written to the log is written.
    pub async fn close(self) {}
}
