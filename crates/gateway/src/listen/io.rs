//! A client's connection, watched: a head that dribbles in, a line on which nothing is asked and a
//! reader that takes nothing each have a limit. One timer a connection, armed at the first wait and
//! moved on only when it fires, so that a request costs none.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::limits::Limits;

/// Whose move it is: ours from a complete head to the end of the answer, else the client's.
#[derive(Clone)]
pub(super) struct Turn(Arc<AtomicBool>);

impl Turn {
    /// The head is complete.
    pub(super) fn ours(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The answer is complete.
    pub(super) fn theirs(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn is_ours(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the client does with its move.
#[derive(Clone, Copy)]
enum Phase {
    /// Nothing yet.
    Idle { since: Instant },
    /// A head is coming in.
    Head { since: Instant },
    /// It is our move.
    Waiting,
}

/// The limits of one connection.
#[derive(Clone, Copy)]
struct Waits {
    head: Duration,
    keep_alive: Duration,
    write_stall: Duration,
}

/// A watched connection.
pub(super) struct Watched {
    tcp: TcpStream,
    turn: Turn,
    phase: Phase,
    blocked: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    waits: Waits,
}

/// Puts a connection under watch.
pub(super) fn watch(tcp: TcpStream, limits: &Limits) -> (Watched, Turn) {
    let turn = Turn(Arc::new(AtomicBool::new(false)));
    let waits = Waits { head: limits.head, keep_alive: limits.keep_alive, write_stall: limits.write_stall };
    let phase = Phase::Idle { since: Instant::now() };
    (Watched { tcp, turn: turn.clone(), phase, blocked: None, timer: None, waits }, turn)
}

impl Watched {
    /// Follows the turn: when it has come back to the client, its waiting begins now.
    fn follow(&mut self) {
        match (self.turn.is_ours(), self.phase) {
            (true, _) => self.phase = Phase::Waiting,
            (false, Phase::Waiting) => self.phase = Phase::Idle { since: Instant::now() },
            (false, Phase::Idle { .. } | Phase::Head { .. }) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(since) = self.blocked {
            return Some(since + self.waits.write_stall);
        }
        match self.phase {
            Phase::Idle { since } => Some(since + self.waits.keep_alive),
            Phase::Head { since } => Some(since + self.waits.head),
            Phase::Waiting => None,
        }
    }

    /// Whether the wait that now begins or goes on is over its limit.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline() else { return false };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
        false
    }

    fn wrote(&mut self, polled: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if polled.is_ready() {
            self.blocked = None;
            return polled;
        }
        self.blocked.get_or_insert_with(Instant::now);
        if self.is_overdue(cx) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.follow();
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if polled.is_pending() {
            let overdue = self.is_overdue(cx);
            return if overdue { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending };
        }
        if let (true, Phase::Idle { .. }) = (buf.filled().len() > before, self.phase) {
            self.phase = Phase::Head { since: Instant::now() };
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.wrote(polled, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write_vectored(cx, pieces);
        self.wrote(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
