//! Why a management request is refused, and the one shape in which that is said.
//!
//! `code` is one of a short list that follows from the status; what a script branches on stands in
//! `details.code`. Details for the log hang on nothing here: they are logged where they are known.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use omniroute_catalog::Readiness;
use omniroute_domain::{Fault, FaultKind};
use omniroute_store::StoreError;
use omniroute_upstream::ConnectError;
use omniroute_upstream::address::AddressError;
use omniroute_vault::VaultError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::connect::Unusable;
use crate::verdict::TestReply;

/// A refused management request.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    message: String,
    details: Box<Details>,
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorObject,
}

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorObject {
    /// The class of the refusal, which follows from the status.
    #[schema(example = "VALIDATION_ERROR")]
    code: &'static str,
    /// One sentence: what happened and what to do.
    message: String,
    details: Details,
}

/// What a program may want to know about a refusal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Details {
    /// The stable code to branch on.
    #[schema(value_type = String, example = "URL_GUARD_BLOCKED")]
    code: Cow<'static, str>,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What a test of the account found.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<TestReply>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let details = Box::new(Details { code: code.into(), field: None, test: None });
        Self { status, message: message.into(), details }
    }

    /// The request is not as it should be.
    pub(crate) fn invalid(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The request is well formed, but can't be done as it is.
    pub(crate) fn unprocessable(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// There is no such thing.
    pub(crate) fn missing(what: &str, id: &str) -> Self {
        let id: String = id.chars().take(100).collect();
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what} `{id}`"))
    }

    /// Something else is in the way.
    pub(crate) fn conflict(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// Another request changed the same thing while this one was examined.
    pub(crate) fn overtaken(what: &str) -> Self {
        let text =
            format!("the {what} was changed by another request meanwhile; look at it again and repeat the change");
        Self::conflict("changed_meanwhile", text)
    }

    /// A defect of ours.
    pub(crate) fn defect() -> Self {
        let text = "the gateway could not do this because of a defect of its own; its log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text)
    }

    /// Names the field that is wrong.
    pub(crate) fn field(mut self, name: impl Into<String>) -> Self {
        self.details.field = Some(name.into());
        self
    }

    /// Adds what a test of the account found.
    pub(crate) fn test(mut self, test: TestReply) -> Self {
        self.details.test = Some(test);
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.details.code
    }

    /// The sentence.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The class that goes with a status.
    fn class(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "UNAUTHORIZED",
            403 => "FORBIDDEN",
            404 => "RESOURCE_NOT_FOUND",
            409 => "CONFLICT",
            429 => "RATE_LIMITED",
            503 => "SERVICE_UNAVAILABLE",
            500..=599 => "INTERNAL_ERROR",
            _ => "VALIDATION_ERROR",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let error = ErrorObject { code: self.class(), message: self.message, details: *self.details };
        let mut response = (status, Json(ErrorBody { error })).into_response();
        let fields = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => drop(fields.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => drop(fields.insert(RETRY_AFTER, HeaderValue::from_static("5"))),
            // The body was not read to its end: the connection can't carry another request.
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
                fields.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

/// Failures of the key check, which the data plane words.
impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let status = match fault.kind {
            FaultKind::ClientAuth => StatusCode::UNAUTHORIZED,
            _ => StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::FORBIDDEN),
        };
        Self::new(status, fault.code.clone(), fault.message)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::NotFound { .. } => StatusCode::NOT_FOUND,
            StoreError::Taken { .. } | StoreError::Reference => StatusCode::CONFLICT,
            StoreError::Full | StoreError::ReadOnly | StoreError::Busy | StoreError::LogNotReady => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            StoreError::Folder { .. }
            | StoreError::Locked { .. }
            | StoreError::Damaged { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Open
            | StoreError::BadSnapshot { .. }
            | StoreError::File { .. }
            | StoreError::Sqlite { .. }
            | StoreError::Migration { .. } => {
                tracing::error!(code = error.code(), cause = ?error, "The database could not be used.");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        tracing::warn!(code = error.code(), cause = ?error, "A secret could not be sealed or opened.");
        match &error {
            // Waiting does not help: the secret has to be entered again.
            VaultError::KeyLost { .. } | VaultError::SealedUnreadable { .. } => {
                Self::unprocessable(error.code(), error.to_string()).field("apiKey")
            }
            _ => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), error.to_string()),
        }
    }
}

impl From<AddressError> for Problem {
    fn from(error: AddressError) -> Self {
        Self::unprocessable(error.code(), error.to_string()).field("baseUrl")
    }
}

impl From<ConnectError> for Problem {
    fn from(error: ConnectError) -> Self {
        let field = match &error {
            ConnectError::Address(_) | ConnectError::NoAddress(_) => "baseUrl",
            ConnectError::BadKey | ConnectError::NoKey(_) => "apiKey",
            ConnectError::Later(..) => "provider",
        };
        Self::unprocessable(error.code(), error.to_string()).field(field)
    }
}

impl From<Unusable> for Problem {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::NoProvider(_) => Self::unprocessable("provider_unknown", error.to_string()).field("provider"),
            Unusable::Vault(why) => why.into(),
            Unusable::Connect(why) => why.into(),
        }
    }
}

/// A provider that can't be connected as the gateway is.
pub(crate) fn not_ready(provider: &str, readiness: &Readiness) -> Problem {
    let code = match readiness {
        Readiness::Retired { .. } => "provider_retired",
        Readiness::Ready | Readiness::NeedsBaseUrl { .. } | Readiness::Later { .. } => "provider_not_ready",
    };
    Problem::unprocessable(code, format!("`{provider}` can't be connected: {readiness}")).field("provider")
}
