//! Connection pools: one for public addresses, one for local ones, each keyed by origin (and so by
//! proxy, since the origin decides the proxy), and beside each a way to send on a fresh connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use omniroute_wire::splice::Segments;

use crate::address::Reach;
use crate::connect::{Connector, Tls};
use crate::limits::Limits;

/// A client whose connections come from our connector.
pub(crate) type Http = Client<Connector, SegmentBody>;

/// The two ways to send within one reach.
pub(crate) struct Pool {
    /// Reuses idle connections.
    pub(crate) pooled: Http,
    /// Opens a connection for each request.
    pub(crate) fresh: Http,
}

/// All pools of the gateway.
pub(crate) struct Pools {
    public: Pool,
    local: Pool,
}

impl Pools {
    pub(crate) fn new(limits: &Limits) -> Self {
        let tls = Arc::new(Tls::default());
        let proxies = Arc::new(Matcher::from_env());
        let pool = |reach| {
            let connector =
                Connector { reach, limit: limits.connect, tls: Arc::clone(&tls), proxies: Arc::clone(&proxies) };
            Pool { pooled: client(&connector, limits, usize::MAX), fresh: client(&connector, limits, 0) }
        };
        Self { public: pool(Reach::Public), local: pool(Reach::Local) }
    }

    pub(crate) fn of(&self, reach: Reach) -> &Pool {
        match reach {
            Reach::Public => &self.public,
            Reach::Local => &self.local,
        }
    }
}

/// Header lines that hyper takes unless told otherwise.
const HEAD_LINES_OF_HYPER: usize = 100;

fn client(connector: &Connector, limits: &Limits, idle_per_origin: usize) -> Http {
    let mut builder = Client::builder(TokioExecutor::new());
    // Set only where it differs: any set value makes hyper allocate for each head.
    if limits.head_lines != HEAD_LINES_OF_HYPER {
        builder.http1_max_headers(limits.head_lines);
    }
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(limits.pool_idle)
        .pool_max_idle_per_host(idle_per_origin)
        .http1_max_buf_size(limits.head_bytes)
        .build(connector.clone())
}

/// A request body made of pieces: the client's own bytes with our few edits between them.
pub(crate) struct SegmentBody {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl From<&Segments> for SegmentBody {
    fn from(body: &Segments) -> Self {
        let pieces: Vec<Bytes> = body.iter().cloned().collect();
        Self { pieces: pieces.into_iter(), left: body.len() }
    }
}

impl Body for SegmentBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.pieces.next();
        if let Some(piece) = &next {
            self.left -= piece.len() as u64;
        }
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
