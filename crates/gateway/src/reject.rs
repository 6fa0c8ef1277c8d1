//! From a fault to an answer: status, body in the client's own error shape, stable code, request id.
//!
//! What comes in: a classified fault. What goes out: an HTTP answer. A wait the provider named goes
//! along; an answer that invites another try always names one.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use omniroute_domain::{Fault, FaultKind};
use omniroute_wire::openai_chat::error as wire_error;

use crate::record::Draft;
use crate::request_id::REQUEST_ID;

/// The wait named where the provider named none.
const SOME_WAIT: Duration = Duration::from_secs(5);

/// Answers a request that failed before the client received anything, and records it.
pub(crate) fn finish(fault: &Fault, draft: Draft, request_id: &HeaderValue) -> Response {
    draft.failed(fault);
    fault_response(fault, request_id)
}

/// The answer for a fault, in OpenAI's error shape.
pub fn fault_response(fault: &Fault, request_id: &HeaderValue) -> Response {
    let body = wire_error::encode(fault, request_id.to_str().unwrap_or_default());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(REQUEST_ID, request_id.clone());
    if let Some(wait) = wait(fault) {
        fields.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil() as u64));
    }
    match fault.kind {
        FaultKind::ClientAuth => {
            fields.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The body was not read to its end: the connection can't carry another request.
        FaultKind::TooLarge | FaultKind::SlowClient => {
            fields.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        FaultKind::BadRequest
        | FaultKind::ContextLength
        | FaultKind::Forbidden
        | FaultKind::Misdirected
        | FaultKind::MethodNotAllowed
        | FaultKind::MediaType
        | FaultKind::UpstreamAuth
        | FaultKind::Billing
        | FaultKind::Permission
        | FaultKind::NotFound
        | FaultKind::RateLimit
        | FaultKind::Overloaded
        | FaultKind::Upstream
        | FaultKind::Timeout
        | FaultKind::BrokenStream
        | FaultKind::Unsupported
        | FaultKind::ClientClosed
        | FaultKind::ShuttingDown
        | FaultKind::Internal => {}
    }
    response
}

fn wait(fault: &Fault) -> Option<Duration> {
    let invites = matches!(fault.status(), 429 | 503);
    fault.retry_after.or_else(|| invites.then_some(SOME_WAIT))
}
