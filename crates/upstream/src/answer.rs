//! A provider's answer: its head, and its body chunk by chunk with a limit on silence.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;
use hyper::body::Incoming;
use omniroute_domain::{Fault, FaultKind, Retry};
use tokio::time::{Instant, Sleep};

use crate::demo::Script;

/// A successful answer whose body is still to come.
pub struct Answer {
    /// The head's status, 200 to 299.
    pub status: u16,
    /// The head's fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: AnswerBody,
}

impl Answer {
    /// The media type without its parameters, in lower case; empty where the provider gave none.
    pub fn media_type(&self) -> String {
        let value = self.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// The body of an answer. Dropping it ends the exchange with the provider.
pub struct AnswerBody {
    source: Source,
    idle: Duration,
    last: Instant,
    // Armed at the first silence and moved on only when it fires, so that a chunk costs no timer.
    timer: Option<Pin<Box<Sleep>>>,
}

enum Source {
    Http(Incoming),
    Demo(Script),
    Spent,
}

impl AnswerBody {
    pub(crate) fn http(body: Incoming, idle: Duration) -> Self {
        Self { source: Source::Http(body), idle, last: Instant::now(), timer: None }
    }

    pub(crate) fn demo(script: Script, idle: Duration) -> Self {
        Self { source: Source::Demo(script), idle, last: Instant::now(), timer: None }
    }

    /// The next chunk; `None` at the end. After an error or the end there is nothing more.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Fault>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Everything that is left, up to a limit.
    pub async fn collect(&mut self, limit: usize) -> Result<Bytes, Fault> {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(chunk) = self.chunk().await {
            let chunk = chunk?;
            if first.len() + rest.len() + chunk.len() > limit {
                return Err(Self::oversized(limit));
            }
            if first.is_empty() {
                first = chunk;
            } else {
                if rest.is_empty() {
                    rest.reserve(first.len() + chunk.len());
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&chunk);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    /// Said of an answer over its limit. Asking another account would buy the same again.
    pub fn oversized(limit: usize) -> Fault {
        let text = format!("the provider's answer is larger than {limit} bytes");
        let mut fault = Fault::new(FaultKind::BrokenStream, "upstream_too_large", text);
        fault.retry = Retry::Never;
        fault
    }

    /// Hands the body over where its end has not been seen yet.
    pub fn unfinished(&mut self) -> Option<Self> {
        let source = std::mem::replace(&mut self.source, Source::Spent);
        let ended = match &source {
            Source::Http(body) => body.is_end_stream(),
            Source::Demo(_) | Source::Spent => true,
        };
        (!ended).then(|| Self { source, idle: self.idle, last: self.last, timer: None })
    }

    /// Reads what is left and drops it, so that the connection can be used again; gives up when it takes
    /// too long or is more than a tail.
    pub async fn run_dry(mut self, limit: Duration) {
        const TAIL: usize = 64 * 1024;
        // Either way the exchange is over; there is nobody to tell.
        let _ = tokio::time::timeout(limit, self.collect(TAIL)).await;
    }

    /// As `chunk`, for callers that poll.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let polled = match &mut self.source {
            Source::Http(body) => poll_data(body, cx),
            Source::Demo(script) => script.poll(cx),
            Source::Spent => Poll::Ready(None),
        };
        match polled {
            Poll::Ready(Some(Ok(chunk))) => {
                self.last = Instant::now();
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(end) => {
                self.source = Source::Spent;
                Poll::Ready(end)
            }
            Poll::Pending if self.is_silent_too_long(cx) => {
                self.source = Source::Spent;
                Poll::Ready(Some(Err(silent(self.idle))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_silent_too_long(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.last + self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        loop {
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            if Instant::now() >= deadline {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
    }
}

fn poll_data(body: &mut Incoming, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
    loop {
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(why))) => return Poll::Ready(Some(Err(lost(why)))),
            Poll::Ready(Some(Ok(frame))) => {
                // Trailers carry nothing we use.
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Some(Ok(data)));
                }
            }
        }
    }
}

pub(crate) fn lost(why: impl std::error::Error + Send + Sync + 'static) -> Fault {
    let text = "the provider closed the connection before its answer was complete";
    Fault::new(FaultKind::BrokenStream, "upstream_connection_lost", text).because(why)
}

fn silent(idle: Duration) -> Fault {
    let text = format!("the provider sent nothing for {} seconds", idle.as_secs_f64());
    Fault::new(FaultKind::Timeout, "upstream_idle_timeout", text)
}
