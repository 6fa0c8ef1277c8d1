//! The client of the load: one connection, one request at a time, every answer compared to the byte.
//!
//! It is written by hand because it shares a core with the provider: the cheaper the load, the nearer
//! a gateway comes to its limit. It understands just the two framings that HTTP/1.1 servers use.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest a head may be, and a chunk's length line.
const HEAD_LIMIT: usize = 16 << 10;
const LENGTH_LINE_LIMIT: usize = 64;

/// A request, ready to be written, and the answer it must get.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Head and body.
    pub(crate) bytes: Bytes,
    /// The body of the answer.
    pub(crate) expected: Bytes,
}

impl Question {
    /// A chat completion.
    pub(crate) fn chat(address: SocketAddr, key: &str, body: &[u8], expected: Bytes) -> Self {
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\naccept: */*\r\nuser-agent: omniroute-bench\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self { bytes: [head.as_bytes(), body].concat().into(), expected }
    }
}

/// How long an answer took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// To the first byte of the body.
    pub(crate) first: Duration,
    /// To its end.
    pub(crate) whole: Duration,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    unread: BytesMut,
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        socket.set_nodelay(true).context("a connected socket takes options")?;
        Ok(Self { socket, unread: BytesMut::with_capacity(8 << 10) })
    }

    /// Asks and reads the answer to its end; an answer that differs is an error.
    pub(crate) async fn ask(&mut self, question: &Question) -> Result<Timing> {
        let begin = Instant::now();
        self.socket.write_all(&question.bytes).await.context("sending the request")?;
        let framing = self.head().await?;
        let mut left = &question.expected[..];
        let first = match framing {
            Framing::Length(length) => self.read_length(length, &mut left).await?,
            Framing::Chunked => self.read_chunks(&mut left).await?,
        };
        ensure!(left.is_empty(), "the answer ends {} bytes early", left.len());
        Ok(Timing { first: first - begin, whole: begin.elapsed() })
    }

    /// Asks and reads no further than to the end of what is expected, which is not the end of the answer.
    pub(crate) async fn ask_and_hold(&mut self, question: &Question) -> Result<()> {
        self.socket.write_all(&question.bytes).await.context("sending the request")?;
        let Framing::Chunked = self.head().await? else { bail!("a held stream has no length") };
        let mut left = &question.expected[..];
        while !left.is_empty() {
            let length = self.chunk_length().await?;
            ensure!(length > 0, "a held stream ended");
            self.read_piece(length, &mut left).await?;
            self.line_end().await?;
        }
        Ok(())
    }

    async fn read_length(&mut self, length: usize, left: &mut &[u8]) -> Result<Instant> {
        if self.unread.is_empty() && length > 0 {
            self.fill().await?;
        }
        let first = Instant::now();
        self.read_piece(length, left).await?;
        Ok(first)
    }

    async fn read_chunks(&mut self, left: &mut &[u8]) -> Result<Instant> {
        let mut length = self.chunk_length().await?;
        let first = Instant::now();
        while length > 0 {
            self.read_piece(length, left).await?;
            self.line_end().await?;
            length = self.chunk_length().await?;
        }
        self.line_end().await?;
        Ok(first)
    }

    /// Reads so many bytes, comparing them with what is left of the expected answer.
    async fn read_piece(&mut self, mut length: usize, left: &mut &[u8]) -> Result<()> {
        while length > 0 {
            if self.unread.is_empty() {
                self.fill().await?;
            }
            let piece = &self.unread[..length.min(self.unread.len())];
            let Some(rest) = left.strip_prefix(piece) else { bail!(difference(left, piece)) };
            *left = rest;
            length -= piece.len();
            let read = piece.len();
            self.unread.advance(read);
        }
        Ok(())
    }

    async fn line_end(&mut self) -> Result<()> {
        while self.unread.len() < 2 {
            self.fill().await?;
        }
        ensure!(self.unread.starts_with(b"\r\n"), "a chunk does not end where it says");
        self.unread.advance(2);
        Ok(())
    }

    async fn chunk_length(&mut self) -> Result<usize> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.unread) {
                let line = std::str::from_utf8(&self.unread[..end]).context("a chunk's length is text")?;
                let digits = line.trim_end().split(';').next().unwrap_or_default();
                let length =
                    usize::from_str_radix(digits, 16).with_context(|| format!("a chunk of length `{line}`"))?;
                self.unread.advance(end + 1);
                return Ok(length);
            }
            ensure!(self.unread.len() < LENGTH_LINE_LIMIT, "a chunk's length has no end");
            self.fill().await?;
        }
    }

    async fn head(&mut self) -> Result<Framing> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.unread, b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(self.unread.len() < HEAD_LIMIT, "the head of the answer has no end");
            self.fill().await?;
        };
        let head = self.unread.split_to(end);
        let head = std::str::from_utf8(&head).context("the head of the answer is text")?;
        if !head.starts_with("HTTP/1.1 200 ") {
            // What came with the head is enough to see why.
            bail!("`{}` {}", head.lines().next().unwrap_or_default(), String::from_utf8_lossy(&self.unread));
        }
        framing(head).with_context(|| format!("no framing in {head}"))
    }

    async fn fill(&mut self) -> Result<()> {
        self.unread.reserve(4 << 10);
        let read = self.socket.read_buf(&mut self.unread).await.context("reading the answer")?;
        ensure!(read > 0, "the connection was closed in the middle of an answer");
        Ok(())
    }
}

fn framing(head: &str) -> Option<Framing> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            value.trim().parse().ok().map(Framing::Length)
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            value.trim().eq_ignore_ascii_case("chunked").then_some(Framing::Chunked)
        } else {
            None
        }
    })
}

fn difference(expected: &[u8], found: &[u8]) -> String {
    let same = expected.iter().zip(found).take_while(|(one, other)| one == other).count();
    let shown = |bytes: &[u8]| String::from_utf8_lossy(&bytes[same..bytes.len().min(same + 80)]).into_owned();
    format!("the answer differs: `{}` instead of `{}`", shown(found), shown(expected))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::{Connection, Question};
    use crate::listen;

    /// What a client says to an answer of these bytes when it expects `hello world`, fed in pieces.
    async fn told(answer: &'static [u8], piece: usize) -> Result<(), String> {
        let (listener, address) = listen::bind().await.unwrap();
        let serve = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"{}") {
                socket.read_buf(&mut request).await.unwrap();
            }
            for piece in answer.chunks(piece) {
                // A client that has seen enough leaves.
                if socket.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let question = Question::chat(address, "k", b"{}", Bytes::from_static(b"hello world"));
        let mut connection = Connection::open(address).await.unwrap();
        let (asked, ()) = tokio::join!(connection.ask(&question), serve);
        asked.map(drop).map_err(|why| why.to_string())
    }

    #[tokio::test]
    async fn an_answer_as_expected_is_fine_however_it_is_framed_and_cut() {
        for piece in [1, 7, 1000] {
            told(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", piece).await.unwrap();
            let chunked =
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\n\r\n";
            told(chunked, piece).await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_answer_that_differs_is_noticed() {
        let cases: [(&[u8], &str); 6] = [
            (b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello_world", "`_world` instead of ` world`"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nhello world!", "differs"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello worl", "1 bytes early"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello", "closed in the middle"),
            (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloworld", "does not end where it says"),
            (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\ngone", "502 Bad Gateway"),
        ];
        for (answer, expected) in cases {
            let said = told(answer, 1000).await.unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }
}
