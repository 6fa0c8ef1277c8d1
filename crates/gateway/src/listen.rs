//! The listener: accepts connections, watches them, and lets them finish when told to stop.
//!
//! Our own loop instead of the web framework's, because that one sets no limit on heads, idle time,
//! stalled writers or the number of connections, and leaves Nagle's algorithm on.

mod io;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::drain::Drain;
use crate::guard::Guard;
use crate::limits::Limits;
use crate::{reject, request_id};

/// Header lines that hyper takes unless told otherwise.
const HEAD_LINES_OF_HYPER: usize = 100;

/// Why no port could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has it.
    #[error("port {0} is taken by another program; stop it, or choose a port with `--port`")]
    Taken(u16),
    /// The system does not allow it.
    #[error("port {0} needs more rights; choose one above 1023 with `--port`")]
    Forbidden(u16),
    /// Anything else.
    #[error("`{0}` can't be listened on")]
    Other(SocketAddr, #[source] std::io::Error),
}

/// An open port.
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Opens a port; port 0 takes a free one.
    pub async fn open(address: SocketAddr) -> Result<Self, ListenError> {
        let tcp = TcpListener::bind(address).await.map_err(|why| match why.kind() {
            std::io::ErrorKind::AddrInUse => ListenError::Taken(address.port()),
            std::io::ErrorKind::PermissionDenied => ListenError::Forbidden(address.port()),
            _ => ListenError::Other(address, why),
        })?;
        let address = tcp.local_addr().map_err(|why| ListenError::Other(address, why))?;
        Ok(Self { tcp, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves a router until the drain begins, then waits for open connections.
    pub async fn serve(self, router: Router, limits: Limits, drain: Drain) {
        let seats = Arc::new(Semaphore::new(limits.connections));
        let serving = Arc::new(Serving { router, guard: Guard::new(self.address), limits, drain: drain.clone() });
        while let Some(tcp) = self.next(&drain).await {
            let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
                // Over the limit: closing at once tells the client more than a queue would.
                drop(tcp);
                continue;
            };
            let serving = Arc::clone(&serving);
            drain.spawn(async move {
                serving.attend(tcp).await;
                drop(seat);
            });
        }
        drop(self.tcp);
        drain.wait().await;
    }

    /// The next connection, or `None` when the drain begins.
    async fn next(&self, drain: &Drain) -> Option<TcpStream> {
        loop {
            let accepted = tokio::select! {
                () = drain.begun() => return None,
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((tcp, _)) => return Some(tcp),
                Err(why) => {
                    // Out of file descriptors, or a peer that left in the queue. Waiting keeps a lasting
                    // shortage from becoming a busy loop.
                    tracing::warn!(error = %why, "A connection could not be accepted.");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// What every connection needs.
struct Serving {
    router: Router,
    guard: Guard,
    limits: Limits,
    drain: Drain,
}

impl Serving {
    async fn attend(self: Arc<Self>, tcp: TcpStream) {
        // Without this a chunk waits for the client's delayed acknowledgement: 40 ms each.
        if let Err(why) = tcp.set_nodelay(true) {
            tracing::debug!(error = %why, "A connection ended before it began.");
            return;
        }
        let (watched, turn) = io::watch(tcp, &self.limits);
        let serving = Arc::clone(&self);
        let service = service_fn(move |request| {
            turn.ours();
            let (serving, turn) = (Arc::clone(&serving), turn.clone());
            async move { serving.answer(request).await.map(|response| response.map(|body| Told { body, turn })) }
        });
        let mut http = http1::Builder::new();
        http.max_header_size(self.limits.head_bytes);
        // Set only where it differs: any set value makes hyper allocate for each head.
        if self.limits.head_lines != HEAD_LINES_OF_HYPER {
            http.max_headers(self.limits.head_lines);
        }
        let connection = http.serve_connection(TokioIo::new(watched), service);
        let mut connection = std::pin::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = self.drain.begun() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(why) = outcome {
            tracing::debug!(error = %why, "A connection ended early.");
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        match self.guard.check(request.uri(), request.headers()) {
            Ok(()) => self.router.clone().oneshot(request.map(Body::new)).await,
            Err(fault) => Ok(reject::fault_response(&fault, &request_id::some_request_id(request.headers()))),
        }
    }
}

/// An answer's body that hands the turn back to the client when it is done or dropped.
struct Told {
    body: Body,
    turn: io::Turn,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.turn.theirs();
    }
}

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
