//! How the shells call the router: in the running instance over its socket, or in this process. No
//! port is opened and no key is needed either way.

#[cfg(unix)]
mod wire;

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use omniroute_store::StoreError;
use tower::ServiceExt;

use crate::env::Environment;
use crate::error::StartError;
use crate::instance::{Instance, Options, VaultChoice};
use crate::router;

/// How long a folder may be locked by an instance that does not answer yet, or no more.
const PATIENCE: Duration = Duration::from_secs(3);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// A way to the management routes of one data folder.
pub struct Caller {
    way: Way,
}

enum Way {
    /// To the instance that runs on the folder.
    #[cfg(unix)]
    Running(wire::Address),
    /// Within this process.
    Here(Here),
}

/// An instance in this process. It closes when it goes, so what was changed is in the audit log even if
/// the caller forgets to close.
struct Here {
    router: Router,
}

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

impl Method {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
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
    Lost(#[source] io::Error),
    /// The path is none.
    #[error("`{0}` is no path of the management interface")]
    Path(String),
}

impl CallError {
    /// The stable code a script can branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lost(_) => "instance_lost",
            Self::Path(_) => "path_invalid",
        }
    }
}

impl Caller {
    /// Finds the running instance of a data folder, or opens the folder in this process.
    pub async fn open(
        data_dir: &Path,
        vault: Option<VaultChoice>,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            #[cfg(unix)]
            if let Some(running) = wire::find(data_dir).await {
                return Ok(Self { way: Way::Running(running) });
            }
            let options = Options { data_dir: data_dir.to_owned(), vault, environment: environment.clone() };
            match open_here(options).await {
                // An instance that is about to answer, or has stopped answering and not ended yet.
                Err(StartError::Store(StoreError::Locked { .. })) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether a running instance answers (else it is this process).
    pub fn is_remote(&self) -> bool {
        match &self.way {
            #[cfg(unix)]
            Way::Running(_) => true,
            Way::Here(_) => false,
        }
    }

    /// Sends a request; `path` may have a query, `body` is JSON. An error status is a `Reply` too.
    pub async fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Reply, CallError> {
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CallError::Path(path.to_owned()));
        }
        match &self.way {
            #[cfg(unix)]
            Way::Running(address) => address.send(method, path, body).await.map_err(CallError::Lost),
            Way::Here(here) => here.send(method, path, body).await,
        }
    }

    /// Ends it: what is still to be written to the log is written.
    pub async fn close(self) {
        let closed = tokio::task::spawn_blocking(move || drop(self)).await;
        if let Err(why) = closed {
            tracing::error!(cause = %why, "The log could not be closed.");
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.is_remote() { "Caller(running)" } else { "Caller(here)" })
    }
}

async fn open_here(options: Options) -> Result<Caller, StartError> {
    let opened = tokio::task::spawn_blocking(move || Instance::open(options)).await;
    let instance = opened.map_err(|_| StartError::Defect("opening the data folder ended by a panic"))??;
    let router = router::for_local_ui(&instance);
    Ok(Caller { way: Way::Here(Here { router }) })
}

impl Here {
    async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Reply, CallError> {
        let request = Request::builder().method(method.as_str()).uri(path);
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body)),
            None => request.body(Body::empty()),
        };
        let request = request.map_err(|_| CallError::Path(path.to_owned()))?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|why| CallError::Lost(io::Error::other(why)))?;
        Ok(Reply { status, body: body.to_bytes().to_vec() })
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
