//! From the provider to the client, after the commit point.
//!
//! What comes in: a `First`. What goes out: the provider's own bytes, whole events only, so that a
//! stream that breaks is never cut within an event. What can go wrong: the provider breaks off, stalls
//! or reports an error, the gateway stops. Then the client gets the format's own error event and a
//! terminal mark, never a clean stop that was not one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use omniroute_domain::{Fault, FaultKind};
use omniroute_wire::openai_chat::error as wire_error;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::attempt::{self, First, Opened, Whole};
use crate::drain;
use crate::gateway::Gateway;
use crate::record::Draft;
use crate::request_id::REQUEST_ID;

const DONE: &[u8] = b"data: [DONE]\n\n";
const PULSE: &[u8] = b": keep-alive\n\n";

/// How long a finished stream may take to close.
const ASIDE: Duration = Duration::from_secs(1);

/// Sends an answer on its way.
pub(crate) fn begin(gateway: &Arc<Gateway>, first: First, mut draft: Draft, request_id: HeaderValue) -> Response {
    let mut fields = HeaderMap::with_capacity(16);
    let body = match first {
        First::Whole(whole) => {
            let Whole { bytes, facts, headers } = *whole;
            pass_on(&headers, &mut fields);
            fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            draft.answered_whole(&facts, bytes.len());
            draft.tell_client(&mut fields);
            draft.done();
            Body::from(bytes)
        }
        First::Stream(mut opened) => {
            pass_on(&std::mem::take(&mut opened.headers), &mut fields);
            fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            draft.tell_client(&mut fields);
            Body::new(Relay::new(gateway, *opened, draft, &request_id))
        }
    };
    fields.insert(REQUEST_ID, request_id);
    let mut response = Response::new(body);
    *response.headers_mut() = fields;
    response
}

/// Fields of the provider's answer that a client can use; all others stay here.
fn pass_on(from: &HeaderMap, to: &mut HeaderMap) {
    const PREFIXES: [&str; 3] = ["x-ratelimit-", "anthropic-ratelimit-", "x-codex-"];
    const NAMES: [&str; 2] = ["openai-processing-ms", "retry-after"];
    for (name, value) in from {
        let text = name.as_str();
        if NAMES.contains(&text) || PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            to.insert(name.clone(), value.clone());
        }
    }
    if let Some(id) = from.get(REQUEST_ID) {
        to.insert(HeaderName::from_static("x-upstream-request-id"), id.clone());
    }
}

/// The body of a streamed answer.
struct Relay {
    opened: Opened,
    draft: Option<Draft>,
    gateway: Arc<Gateway>,
    request_id: HeaderValue,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    pulse: Pulse,
}

impl Relay {
    fn new(gateway: &Arc<Gateway>, opened: Opened, draft: Draft, request_id: &HeaderValue) -> Self {
        let mut relay = Self {
            opened,
            draft: Some(draft),
            gateway: Arc::clone(gateway),
            request_id: request_id.clone(),
            cut: Box::pin(gateway.drain.cut_token().cancelled_owned()),
            pulse: Pulse { every: gateway.limits.pulse, last: Instant::now(), timer: None },
        };
        if let Some(draft) = &mut relay.draft {
            draft.first_byte();
        }
        relay
    }

    /// Takes one step: something to send, or the end, is there afterwards.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(fault) = self.opened.failure.take() {
            // In place of the provider's own error event, which may be no event at all but a finish word.
            self.break_off(&fault);
            return Poll::Ready(());
        }
        if self.opened.tap.done() {
            self.terminate();
            return Poll::Ready(());
        }
        if self.cut.as_mut().poll(cx).is_ready() {
            self.break_off(&drain::stopping());
            return Poll::Ready(());
        }
        match self.opened.body.poll_chunk(cx) {
            Poll::Ready(Some(Ok(chunk))) => match self.opened.cutter.push(chunk) {
                Ok(whole) => {
                    self.opened.take_in(whole);
                }
                Err(why) => self.break_off(&attempt::too_long(&why)),
            },
            Poll::Ready(Some(Err(fault))) => self.run_out(&fault),
            Poll::Ready(None) => {
                let text = "the provider's stream ended before the answer was complete";
                self.run_out(&Fault::new(FaultKind::BrokenStream, "upstream_truncated", text));
            }
            Poll::Pending if self.pulse.is_due(cx) => self.opened.queue(Bytes::from_static(PULSE)),
            Poll::Pending => return Poll::Pending,
        }
        Poll::Ready(())
    }

    /// The provider says no more, in good order or not. An answer that has its finish reason is whole, only
    /// its terminal mark is missing; any other is broken by the fault.
    fn run_out(&mut self, fault: &Fault) {
        self.opened.take_in_rest();
        let opened = &self.opened;
        if opened.failure.is_some() || opened.tap.done() {
            return;
        }
        if opened.tap.finished() { self.terminate() } else { self.break_off(fault) }
    }

    /// Ends the stream with an error the client understands.
    fn break_off(&mut self, fault: &Fault) {
        let id = self.request_id.to_str().unwrap_or_default();
        self.opened.queue(wire_error::encode_event(fault, id));
        self.close(Some(fault));
    }

    /// Ends the stream with its terminal mark, where the provider left it out.
    fn terminate(&mut self) {
        if !self.opened.tap.done() {
            self.opened.queue(Bytes::from_static(DONE));
        }
        self.close(None);
    }

    /// Nothing more will come: the exchange is recorded.
    fn close(&mut self, fault: Option<&Fault>) {
        if let Some(mut draft) = self.draft.take() {
            draft.sent(self.opened.ready.iter().map(Bytes::len).sum());
            draft.streamed(&self.opened.tap, fault);
        }
    }

    fn next(&mut self) -> Option<Bytes> {
        let next = self.opened.ready.pop_front();
        if let Some(bytes) = &next {
            self.pulse.last = Instant::now();
            if let Some(draft) = &mut self.draft {
                draft.sent(bytes.len());
            }
        }
        next
    }
}

impl http_body::Body for Relay {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        loop {
            if let Some(bytes) = self.next() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if self.draft.is_none() {
                return Poll::Ready(None);
            }
            if self.step(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        match self.draft.take() {
            Some(draft) => draft.left(&self.opened.tap),
            // The provider may still close its side properly; then the connection can be used again.
            None => {
                if let Some(rest) = self.opened.body.unfinished() {
                    self.gateway.drain.spawn(async move { rest.run_dry(ASIDE).await });
                }
            }
        }
    }
}

/// Keeps a silent line open.
struct Pulse {
    every: Duration,
    last: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pulse {
    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        let due = self.last + self.every;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= due {
                self.last = now;
                timer.as_mut().reset(now + self.every);
                return true;
            }
            timer.as_mut().reset(due);
        }
        false
    }
}
