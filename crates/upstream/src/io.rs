//! A connection to a provider that knows whether an answer has begun.
//!
//! HTTP/1.1 without pipelining alternates: we write a request, then read its answer. So the first
//! write after an answer's head begins the next request, and what is read since belongs to its answer.
//! That tells apart "died without a byte of an answer" from every other way to die.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What is known of a connection; shared with the request that uses it.
#[derive(Clone, Default)]
pub(crate) struct Track(Arc<State>);

#[derive(Default)]
struct State {
    /// Heads of answers that came over it.
    answers: AtomicU32,
    /// As many when the request now on it began.
    before: AtomicU32,
    /// Whether anything was read since that request began.
    heard: AtomicBool,
}

impl Track {
    /// Whether the request now on the connection is not its first one, and no byte of its answer came.
    pub(crate) fn died_in_silence_on_reuse(&self) -> bool {
        self.0.answers.load(Ordering::Acquire) > 0 && !self.0.heard.load(Ordering::Acquire)
    }

    /// The head of an answer came.
    pub(crate) fn answered(&self) {
        self.0.answers.fetch_add(1, Ordering::AcqRel);
    }

    /// The first write after an answer begins the next request.
    fn wrote(&self) {
        let answers = self.0.answers.load(Ordering::Acquire);
        if self.0.before.swap(answers, Ordering::AcqRel) != answers {
            self.0.heard.store(false, Ordering::Release);
        }
    }

    fn read(&self) {
        self.0.heard.store(true, Ordering::Release);
    }
}

/// The two kinds of connection.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A tracked connection.
pub(crate) struct Io {
    stream: Stream,
    track: Track,
}

impl Io {
    /// An unencrypted connection.
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), track: Track::default() }
    }

    /// An encrypted connection, its handshake done.
    pub(crate) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), track: Track::default() }
    }
}

impl Connection for Io {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.track.clone())
    }
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        if buf.filled().len() > before {
            self.track.read();
        }
        outcome
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.track.wrote();
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.track.wrote();
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, pieces),
            Stream::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(tcp) => tcp.is_write_vectored(),
            Stream::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
