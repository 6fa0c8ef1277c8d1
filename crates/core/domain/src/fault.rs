//! Failures, classified once by the code that saw them.
//!
//! `kind` says what went wrong in the terms the pipeline decides by, `blame` whose doing it was, and
//! `retry` what may help. Nobody downstream reads messages to decide.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request can't be understood or can't be served as it is.
    BadRequest,
    /// The conversation does not fit the model.
    ContextLength,
    /// The client key is missing, unknown or revoked.
    ClientAuth,
    /// The client key, or where the request comes from, does not allow this.
    Forbidden,
    /// The request was meant for another host.
    Misdirected,
    /// The route exists, but not for this method.
    MethodNotAllowed,
    /// The body is in no form we read.
    MediaType,
    /// The client took too long to send its request.
    SlowClient,
    /// The provider does not accept the account's credential.
    UpstreamAuth,
    /// The account has no credit or quota left.
    Billing,
    /// The provider does not let the account do this.
    Permission,
    /// No such model, route or thing.
    NotFound,
    /// The body is over the limit.
    TooLarge,
    /// Too many requests.
    RateLimit,
    /// The provider is overloaded or away for now.
    Overloaded,
    /// The provider failed, or could not be reached.
    Upstream,
    /// The provider took too long.
    Timeout,
    /// The provider's stream broke off or was no valid stream.
    BrokenStream,
    /// A feature the target can't carry.
    Unsupported,
    /// The client went away.
    ClientClosed,
    /// The gateway is going down.
    ShuttingDown,
    /// A defect of the gateway itself.
    Internal,
}

impl FaultKind {
    /// The HTTP status a client gets for it.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::ContextLength | Self::Unsupported => 400,
            Self::ClientAuth => 401,
            Self::Billing => 402,
            Self::Permission | Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::SlowClient => 408,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::Misdirected => 421,
            Self::RateLimit => 429,
            Self::ClientClosed => 499,
            Self::Internal => 500,
            Self::UpstreamAuth | Self::Upstream | Self::BrokenStream => 502,
            Self::Overloaded | Self::ShuttingDown => 503,
            Self::Timeout => 504,
        }
    }

    /// The kind as it stands in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::ContextLength => "context_length",
            Self::ClientAuth => "client_auth",
            Self::Forbidden => "forbidden",
            Self::Misdirected => "misdirected",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MediaType => "media_type",
            Self::SlowClient => "slow_client",
            Self::UpstreamAuth => "upstream_auth",
            Self::Billing => "billing",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Upstream => "upstream",
            Self::Timeout => "timeout",
            Self::BrokenStream => "broken_stream",
            Self::Unsupported => "unsupported",
            Self::ClientClosed => "client_closed",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal",
        }
    }
}

/// Whose doing it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// What the client sent.
    Client,
    /// The gateway or its configuration.
    Gateway,
    /// The provider or the way to it.
    Provider,
}

/// What may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Nothing: the same request fails everywhere.
    Never,
    /// Another account or model.
    NextTarget,
}

/// A classified failure. `Display` is one sentence for the client: no secrets, no addresses with
/// keys, no local paths. Details for the log hang on the `source` chain.
#[derive(Clone)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// Whose doing it was.
    pub blame: Blame,
    /// What may help.
    pub retry: Retry,
    /// The stable code a script can branch on, e.g. `model_not_found`.
    pub code: Cow<'static, str>,
    /// One sentence: what happened and, where there is something to do, what to do.
    pub message: String,
    /// The field of the request that is wrong.
    pub param: Option<String>,
    /// How long to wait before trying again.
    pub retry_after: Option<Duration>,
    /// The HTTP status the provider answered with, where it answered.
    pub upstream_status: Option<u16>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A failure of a kind, with a stable code and a sentence. Blame and retry follow from the kind;
    /// both can be set after.
    pub fn new(kind: FaultKind, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let (blame, retry) = usual(kind);
        Self {
            kind,
            blame,
            retry,
            code: code.into(),
            message: message.into(),
            param: None,
            retry_after: None,
            upstream_status: None,
            source: None,
        }
    }

    /// Names the field of the request that is wrong.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>) -> Self {
        self.param = Some(name.into());
        self
    }

    /// Says how long to wait.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Hangs on the cause, for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(cause));
        self
    }

    /// The HTTP status a client gets.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }
}

/// Whose doing a kind usually is, and what usually helps.
fn usual(kind: FaultKind) -> (Blame, Retry) {
    match kind {
        FaultKind::BadRequest
        | FaultKind::ContextLength
        | FaultKind::ClientAuth
        | FaultKind::Forbidden
        | FaultKind::Misdirected
        | FaultKind::MethodNotAllowed
        | FaultKind::MediaType
        | FaultKind::SlowClient
        | FaultKind::TooLarge
        | FaultKind::NotFound
        | FaultKind::Unsupported
        | FaultKind::ClientClosed => (Blame::Client, Retry::Never),
        FaultKind::Internal | FaultKind::ShuttingDown => (Blame::Gateway, Retry::Never),
        FaultKind::UpstreamAuth
        | FaultKind::Billing
        | FaultKind::Permission
        | FaultKind::RateLimit
        | FaultKind::Overloaded
        | FaultKind::Upstream
        | FaultKind::Timeout
        | FaultKind::BrokenStream => (Blame::Provider, Retry::NextTarget),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Fault({} {}: {}", self.kind.as_str(), self.code, self.message)?;
        if let Some(source) = &self.source {
            write!(out, ", because {source}")?;
        }
        out.write_str(")")
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
