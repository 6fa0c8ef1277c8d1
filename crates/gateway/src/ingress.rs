//! From a client's bytes to a chat request.
//!
//! What comes in: a body still on the wire. What goes out: the bytes, whole, with the places of the few
//! fields that matter on the way. What can refuse: a content type we do not read, a body over the limit
//! or too slow, broken or too deeply nested JSON, a request without model or messages.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use omniroute_domain::{Fault, FaultKind};
use omniroute_wire::outline::{self, Outline, OutlineError};

use crate::call::Ask;
use crate::limits::Limits;
use crate::stream_options;

/// More answers to one request than any provider gives.
const MOST_CHOICES: usize = 128;

/// How long the rest of a body that is too large is read, so that the refusal reaches its sender.
const PARTING: Duration = Duration::from_secs(1);

/// The most memory that is set aside for a body on its mere announcement.
const RESERVED: usize = 4 << 20;

/// Reads a chat request.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Ask, Fault> {
    check_form(headers)?;
    let body = collect(headers, body, limits).await?;
    ask(body, limits.depth)
}

fn check_form(headers: &HeaderMap) -> Result<(), Fault> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok()).unwrap_or_default();
    let media_type = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    let is_json = media_type.eq_ignore_ascii_case("application/json")
        || (media_type.len() > 5 && media_type[media_type.len() - 5..].eq_ignore_ascii_case("+json"));
    if !is_json {
        let message = "the body must be JSON; send it with `Content-Type: application/json`";
        return Err(Fault::new(FaultKind::MediaType, "unsupported_media_type", message));
    }
    if !matches!(text(CONTENT_ENCODING), "" | "identity") {
        let message = "compressed bodies are not read; send the body without `Content-Encoding`";
        return Err(Fault::new(FaultKind::MediaType, "unsupported_content_encoding", message));
    }
    Ok(())
}

/// The whole body in one piece, within the limits of size and silence.
async fn collect(headers: &HeaderMap, mut body: Body, limits: &Limits) -> Result<Bytes, Fault> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes) {
        discard(body).await;
        return Err(too_large(limits.body_bytes));
    }
    let mut whole = BytesMut::with_capacity(announced.unwrap_or(0).min(RESERVED));
    while let Some(frame) = next(&mut body, limits.body_idle).await? {
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limits.body_bytes {
            discard(body).await;
            return Err(too_large(limits.body_bytes));
        }
        if whole.is_empty() && announced == Some(data.len()) {
            return Ok(data);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// Reads on without keeping anything. A connection that is closed on unread data is torn down, and the
/// refusal with it.
async fn discard(mut body: Body) {
    const PAUSE: Duration = Duration::from_millis(50);
    let reading = async { while let Ok(Some(_)) = next(&mut body, PAUSE).await {} };
    // Either way the refusal goes out now.
    let _ = tokio::time::timeout(PARTING, reading).await;
}

async fn next(body: &mut Body, limit: Duration) -> Result<Option<http_body::Frame<Bytes>>, Fault> {
    match tokio::time::timeout(limit, body.frame()).await {
        Ok(Some(Ok(frame))) => Ok(Some(frame)),
        Ok(None) => Ok(None),
        Ok(Some(Err(why))) => {
            let message = "the request ended before its body was complete";
            Err(Fault::new(FaultKind::ClientClosed, "incomplete_body", message).because(why))
        }
        Err(_) => {
            let message = format!("nothing of the body arrived for {} seconds", limit.as_secs_f64());
            Err(Fault::new(FaultKind::SlowClient, "body_timeout", message))
        }
    }
}

fn too_large(limit: usize) -> Fault {
    let message = format!("the body is larger than {limit} bytes; `MAX_BODY_SIZE_BYTES` sets the limit");
    Fault::new(FaultKind::TooLarge, "request_too_large", message)
}

fn ask(body: Bytes, depth: usize) -> Result<Ask, Fault> {
    let outline = outline::outline(&body, depth).map_err(|why| unreadable(&why))?;
    for key in ["model", "stream", "stream_options"] {
        if outline.is_repeated(key) {
            return Err(invalid("duplicate_field", format!("`{key}` stands more than once in the body"), key));
        }
    }
    let Some(model) = outline.get("model").filter(|field| !field.is_null()) else {
        return Err(invalid("missing_model", "the request names no `model`", "model"));
    };
    let Some(name) = model.as_str() else {
        return Err(invalid("invalid_model", "`model` must be a text", "model"));
    };
    if outline.get("messages").is_none_or(|field| !field.raw.starts_with('[')) {
        return Err(invalid("missing_messages", "the request has no list of `messages`", "messages"));
    }
    let stream = wants_stream(&outline)?;
    let usage = stream_options::usage_wish(&outline)?;
    Ok(Ask {
        model: name.into_owned(),
        model_at: model.span,
        stream,
        usage_event: usage.event,
        choices: outline.get("n").and_then(|field| field.raw.parse().ok()).unwrap_or(1).clamp(1, MOST_CHOICES),
        usage_edit: usage.edit,
        body: body.clone(),
    })
}

fn wants_stream(outline: &Outline<'_>) -> Result<bool, Fault> {
    match outline.get("stream") {
        None => Ok(false),
        Some(field) if field.is_null() => Ok(false),
        Some(field) => {
            field.as_bool().ok_or_else(|| invalid("invalid_stream", "`stream` must be true or false", "stream"))
        }
    }
}

fn invalid(code: &'static str, message: impl Into<String>, param: &str) -> Fault {
    Fault::new(FaultKind::BadRequest, code, message).param(param)
}

fn unreadable(why: &OutlineError) -> Fault {
    let code = match why {
        OutlineError::TooDeep { .. } => "json_too_deep",
        OutlineError::TooManyFields { .. } => "json_too_many_fields",
        OutlineError::Syntax { .. } | OutlineError::NotAnObject | OutlineError::NotUtf8 { .. } => "invalid_json",
    };
    Fault::new(FaultKind::BadRequest, code, why.to_string())
}
