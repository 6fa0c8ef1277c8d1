//! Errors: ours in OpenAI's shape, and theirs in whatever shape they came.
//!
//! `decode` finds the innermost message and the codes; `classify` turns them into a `Fault`, by text
//! first and by status where no text is known. What means something at one provider only is not here.

mod classify;
mod redact;
mod shape;

use bytes::Bytes;
use omniroute_domain::{Fault, FaultKind};

use crate::json::{Fields, Object, object};

pub use classify::{classify, classify_event};

/// What a provider said when it declined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejection {
    /// The innermost text, at most 500 characters, secrets taken out.
    pub message: String,
    /// Its `type`.
    pub kind_hint: Option<String>,
    /// Its `code`; a number is kept as text.
    pub code: Option<String>,
    /// The request field it names.
    pub param: Option<String>,
}

/// The body of an error answer.
pub fn encode(fault: &Fault, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(160 + fault.message.len());
    object(&mut out, |body| {
        object(body.value("error"), |error| fields(error, fault, request_id));
    });
    out
}

/// What ends a stream that broke: the error, and the mark without which some clients wait for ever.
pub fn encode_event(fault: &Fault, request_id: &str) -> Bytes {
    let mut out = b"data: ".to_vec();
    out.extend_from_slice(&encode(fault, request_id));
    out.extend_from_slice(b"\n\ndata: [DONE]\n\n");
    out.into()
}

/// Reads the body of a provider's error answer.
pub fn decode(status: u16, body: &[u8]) -> Rejection {
    shape::read(&String::from_utf8_lossy(body)).unwrap_or_else(|| Rejection {
        message: format!("the provider answered with status {status}"),
        ..Rejection::default()
    })
}

/// The error inside an event or an answer that came with status 200; `None` where there is none.
pub(super) fn in_answer(answer: &Fields<'_>) -> Option<Rejection> {
    shape::in_answer(answer)
}

/// An event named `error`, whatever its data.
pub(super) fn of_error_event(data: &str) -> Rejection {
    shape::read(data).unwrap_or_else(|| Rejection {
        message: "the provider ended the stream with an error".into(),
        ..Rejection::default()
    })
}

fn fields(error: &mut Object<'_>, fault: &Fault, request_id: &str) {
    error.text("message", &fault.message);
    error.text("type", type_of(fault.kind));
    match &fault.param {
        Some(param) => error.text("param", param),
        None => error.literal("param", "null"),
    }
    error.text("code", &fault.code);
    error.text("request_id", request_id);
}

/// OpenAI's word for a kind of failure.
fn type_of(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BadRequest
        | FaultKind::ContextLength
        | FaultKind::TooLarge
        | FaultKind::NotFound
        | FaultKind::Misdirected
        | FaultKind::MethodNotAllowed
        | FaultKind::MediaType
        | FaultKind::SlowClient
        | FaultKind::Unsupported => "invalid_request_error",
        FaultKind::ClientAuth => "authentication_error",
        FaultKind::UpstreamAuth => "upstream_auth",
        FaultKind::Billing => "insufficient_quota",
        FaultKind::Permission | FaultKind::Forbidden => "permission_error",
        FaultKind::RateLimit => "rate_limit_error",
        FaultKind::Overloaded
        | FaultKind::Upstream
        | FaultKind::Timeout
        | FaultKind::BrokenStream
        | FaultKind::ClientClosed
        | FaultKind::ShuttingDown
        | FaultKind::Internal => "server_error",
    }
}

#[cfg(test)]
mod tests;
