//! A client's request as the pipeline gets it, and what was read of its body.

use std::ops::Range;
use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderValue;
use http::request::Parts;
use omniroute_store::log::RequestId;

/// A request as it came in.
pub(crate) struct ClientCall {
    pub(crate) head: Parts,
    pub(crate) body: Body,
    /// The provider named by the route, where it names one.
    pub(crate) provider: Option<String>,
    /// The number it is recorded under.
    pub(crate) id: RequestId,
    /// The id the client gets back: its own, else the number.
    pub(crate) request_id: HeaderValue,
    pub(crate) started: Instant,
}

/// A chat request, read as far as the way to a provider needs: the bytes, and where the few fields
/// stand that may be edited.
pub(crate) struct Ask {
    pub(crate) body: Bytes,
    pub(crate) model: String,
    pub(crate) model_at: Range<usize>,
    pub(crate) stream: bool,
    pub(crate) usage_event: UsageEvent,
    /// How many answers are asked for.
    pub(crate) choices: usize,
    /// The edit that makes the provider report usage in a stream; none where the client asked itself.
    pub(crate) usage_edit: Option<Edit>,
}

/// New text for a place in the body.
#[derive(Clone)]
pub(crate) struct Edit {
    pub(crate) at: Range<usize>,
    pub(crate) text: Bytes,
}

/// What becomes of a stream's usage event: clients that did not ask for it must not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsageEvent {
    /// The client asked for it.
    Shown,
    /// Only we asked for it.
    Hidden,
}
