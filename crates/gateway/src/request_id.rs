//! The name a request goes by, towards clients and in the log.

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The field that names a request, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the client's own where it is usable, else ours.
pub(crate) fn request_id(headers: &HeaderMap, ours: impl FnOnce() -> String) -> HeaderValue {
    let usable =
        |value: &&HeaderValue| (1..=128).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic);
    headers
        .get(REQUEST_ID)
        .filter(usable)
        .cloned()
        .unwrap_or_else(|| HeaderValue::try_from(ours()).unwrap_or_else(|_| HeaderValue::from_static("req_unnamed")))
}

/// The same for a request that is not recorded.
pub fn some_request_id(headers: &HeaderMap) -> HeaderValue {
    request_id(headers, || format!("req_{}", Uuid::now_v7().simple()))
}
