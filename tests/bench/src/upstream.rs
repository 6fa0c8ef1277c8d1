//! The provider: plays the answer that the model's name asks for, each event in a write of its own.
//!
//! Invariant: a request that is not to the byte what a client would have sent it directly is refused,
//! so a gateway that alters, cuts or doubles one can't pass. It must cost little: everything it sends
//! and compares is made once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::time::{Interval, interval};

use crate::exchange::{self, Play};
use crate::listen;

/// The longest a held stream is held.
const HOLD: Duration = Duration::from_secs(120);

/// What the provider has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// Requests answered as asked.
    pub(crate) answered: u64,
    /// Requests that were not what a client would have sent.
    pub(crate) refused: u64,
    /// Streams that have begun and not ended.
    pub(crate) open: u64,
}

/// Runs the provider as a process.
pub(crate) async fn run() -> Result<()> {
    let (listener, address) = listen::bind().await?;
    listen::tell_ready(address);
    tokio::select! {
        () = serve(listener) => {}
        () = listen::orphaned() => {}
    }
    Ok(())
}

/// Serves the provider on a listener.
pub(crate) async fn serve(listener: TcpListener) {
    let provider = Arc::new(Provider::default());
    let service = service_fn(move |request| {
        let provider = Arc::clone(&provider);
        async move { Ok::<_, Infallible>(provider.answer(request).await) }
    });
    listen::serve(listener, service).await;
}

/// Asks a running provider what it has seen.
pub(crate) async fn stats(address: SocketAddr) -> Stats {
    let answer = omniroute_testkit::Call::get(&format!("http://{address}"), "/stats").send().await;
    serde_json::from_slice(&answer.body).expect("the provider tells its figures as JSON")
}

type Answer = Response<Either<Full<Bytes>, Events>>;

#[derive(Default)]
struct Provider {
    scripts: Mutex<HashMap<(String, usize), Arc<Script>>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    refused: AtomicU64,
    open: AtomicU64,
}

/// A request as it must be, and its answer.
struct Script {
    ask: Vec<u8>,
    play: Play,
    events: Vec<Bytes>,
}

impl Provider {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if request.method() == Method::GET && request.uri().path() == "/stats" {
            return json(StatusCode::OK, self.stats());
        }
        let Ok(body) = request.into_body().collect().await else {
            return self.refuse("the body was cut");
        };
        let body = body.to_bytes();
        let Some(script) = self.script(&body) else {
            return self.refuse("the request names no model of this provider");
        };
        if body != script.ask {
            return self.refuse("the request is not what the client sent");
        }
        self.counts.answered.fetch_add(1, Ordering::Relaxed);
        match script.play {
            Play::Whole => json(StatusCode::OK, script.events[0].clone()),
            Play::Stream { .. } | Play::Hold => streamed(Events::new(script, Arc::clone(&self.counts))),
        }
    }

    fn script(&self, body: &[u8]) -> Option<Arc<Script>> {
        let model = exchange::asked_model(body)?;
        let key = (model.to_owned(), body.len());
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(script) = scripts.get(&key) {
            return Some(Arc::clone(script));
        }
        let play = Play::parse(model)?;
        let ask = exchange::ask_of_length(model, body.len())?;
        let script = Arc::new(Script { ask, play, events: play.events(model) });
        scripts.insert(key, Arc::clone(&script));
        Some(script)
    }

    fn refuse(&self, why: &str) -> Answer {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        let error = serde_json::json!({ "error": { "message": why, "type": "invalid_request_error" } });
        json(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
    }

    fn stats(&self) -> Vec<u8> {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.counts;
        let stats =
            Stats { answered: read(&counts.answered), refused: read(&counts.refused), open: read(&counts.open) };
        serde_json::to_vec(&stats).expect("numbers are JSON")
    }
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body.into())));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", "application/json".parse().expect("a header value"));
    answer
}

fn streamed(events: Events) -> Answer {
    let mut answer = Response::new(Either::Right(events));
    let headers = answer.headers_mut();
    headers.insert("content-type", "text/event-stream".parse().expect("a header value"));
    headers.insert("cache-control", "no-cache".parse().expect("a header value"));
    answer
}

/// The body of a streamed answer.
struct Events {
    script: Arc<Script>,
    next: usize,
    /// Whether the last event is still on its way out.
    sending: bool,
    pace: Option<Interval>,
    counts: Arc<Counts>,
}

impl Events {
    fn new(script: Arc<Script>, counts: Arc<Counts>) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        let pace = match script.play {
            Play::Hold => Some(interval(HOLD)),
            Play::Stream { gap, .. } if !gap.is_zero() => Some(interval(gap)),
            Play::Stream { .. } | Play::Whole => None,
        };
        Self { script, next: 0, sending: false, pace, counts }
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(pace) = &mut self.pace {
            return pace.poll_tick(context).map(drop);
        }
        if !self.sending {
            return Poll::Ready(());
        }
        // Hyper writes what it has when a body has nothing more for now: one write per event.
        self.sending = false;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        std::task::ready!(self.poll_turn(context));
        let event = self.script.events[self.next].clone();
        self.next += 1;
        self.sending = true;
        Poll::Ready(Some(Ok(Frame::data(event))))
    }

    fn is_end_stream(&self) -> bool {
        self.next == self.script.events.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
