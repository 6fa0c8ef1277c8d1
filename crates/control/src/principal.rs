//! Who asks the management routes, and the one layer that decides whether they may.
//!
//! The layer stands around the whole router, unknown routes included, and lets nothing through
//! without a principal, except what `PUBLIC` names to the letter. A handler that changes something
//! takes the principal as an argument, so a route outside the layer could not do anything either.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode};
use omniroute_domain::KeyId;
use omniroute_gateway::{Scope, check_key};

use crate::instance::Instance;
use crate::problem::Problem;

/// What is answered to anybody: nothing in it is worth protecting.
/// HEAD is answered where GET is.
pub(crate) const PUBLIC: &[&str] = &["/", "/api/health"];

/// Who asks. It travels as a request extension, which no byte on a TCP connection can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The person at this machine: the local socket, the command line, the app's own window.
    LocalUi,
    /// A client key with the scope `manage`.
    Key(KeyId),
}

impl Principal {
    /// Who, as the audit log writes it.
    pub(crate) fn actor(&self) -> String {
        match self {
            Self::LocalUi => "local".to_owned(),
            Self::Key(id) => format!("key:{id}"),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Problem> {
        head.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "missing_api_key", "this needs a key with the scope `manage`")
        })
    }
}

/// Lets a request through or refuses it.
pub(crate) async fn admit(State(instance): State<Instance>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let is_public = matches!(head.method, Method::GET | Method::HEAD) && PUBLIC.contains(&head.uri.path());
    if !is_public && !matches!(head.extensions.get(), Some(Principal::LocalUi)) {
        match find_key(&instance, &mut head) {
            Ok(key) => drop(head.extensions.insert(Principal::Key(key))),
            Err(problem) => return problem.into_response(),
        }
    }
    next.run(Request::from_parts(head, body)).await
}

/// The key of a request, which must stand in its head: addresses stay in histories and logs, so a key
/// that may change everything is not taken from there.
fn find_key(instance: &Instance, head: &mut Parts) -> Result<KeyId, Problem> {
    let uri = std::mem::take(&mut head.uri);
    let found = check_key(&instance.live(), head, Scope::Manage);
    head.uri = uri;
    found.map(|key| key.id.clone()).map_err(|fault| match &*fault.code {
        "scope_missing" => {
            let text = "this key lacks the scope `manage`; use one that has it, e.g. from `omniroute keys add --name NAME --scope manage`, or use the command line, which needs no key";
            Problem::new(StatusCode::FORBIDDEN, "scope_missing", text)
        }
        _ => fault.into(),
    })
}
