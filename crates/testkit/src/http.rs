//! Just enough HTTP/1.1 to read what the other side sends, byte for byte: heads as they came, bodies
//! by length, in chunks or until the end.
//!
//! It keeps everything and mends nothing; what breaks the grammar is an error with words.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// No head of a test is longer.
const MAX_HEAD: usize = 1 << 20;

/// The first line and the headers of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) raw: Bytes,
    pub(crate) first_line: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.all("transfer-encoding").any(|value| value.to_ascii_lowercase().contains("chunked"))
    }

    pub(crate) fn length(&self) -> io::Result<Option<u64>> {
        let Some(value) = self.get("content-length") else { return Ok(None) };
        value.parse().map(Some).map_err(|_| broken(format!("content-length `{value}` is no number")))
    }

    fn parse(raw: Bytes) -> io::Result<Self> {
        let text = std::str::from_utf8(&raw).map_err(|_| broken("a head that is not UTF-8"))?;
        let mut lines = text.trim_end().split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| broken(format!("header line `{line}`")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Self { first_line, headers, raw: raw.clone() })
    }
}

/// How much of a body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// So many bytes.
    Left(u64),
    /// Chunks, and the present one has so many bytes left.
    Chunked(u64),
    /// Whatever comes until the connection ends.
    UntilClose,
    /// Nothing more.
    Over,
}

/// The receiving side of a connection, with what was read too far.
#[derive(Debug)]
pub(crate) struct Inbound<R> {
    io: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Inbound<R> {
    pub(crate) fn new(io: R) -> Self {
        Self { io, buffer: BytesMut::new() }
    }

    /// The next head; `None` when the connection ended between messages.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return Head::parse(self.buffer.split_to(end + 4).freeze()).map(Some);
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(broken("a head without end"));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(cut("inside a head")) };
            }
        }
    }

    /// The next piece of a body as it arrives; `None` at its proper end.
    pub(crate) async fn piece(&mut self, body: &mut Body) -> io::Result<Option<Bytes>> {
        loop {
            match *body {
                Body::Over | Body::Left(0) => {
                    *body = Body::Over;
                    return Ok(None);
                }
                Body::UntilClose => {
                    if self.buffer.is_empty() && !self.fill().await? {
                        *body = Body::Over;
                        return Ok(None);
                    }
                    return Ok(Some(self.buffer.split().freeze()));
                }
                Body::Left(left) => {
                    let piece = self.at_most(left).await?;
                    *body = Body::Left(left - piece.len() as u64);
                    return Ok(Some(piece));
                }
                Body::Chunked(0) => {
                    let size = self.chunk_size().await?;
                    if size == 0 {
                        while !self.line().await?.is_empty() {}
                        *body = Body::Over;
                        return Ok(None);
                    }
                    *body = Body::Chunked(size);
                }
                Body::Chunked(left) => {
                    let piece = self.at_most(left).await?;
                    let left = left - piece.len() as u64;
                    if left == 0 && !self.line().await?.is_empty() {
                        return Err(broken("bytes past the end of a chunk"));
                    }
                    *body = Body::Chunked(left);
                    return Ok(Some(piece));
                }
            }
        }
    }

    /// The whole body.
    pub(crate) async fn whole(&mut self, mut body: Body) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece(&mut body).await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Waits until the other side has gone. What it still sends is kept.
    pub(crate) async fn gone(&mut self) {
        while matches!(self.fill().await, Ok(true)) {}
    }

    async fn at_most(&mut self, limit: u64) -> io::Result<Bytes> {
        if self.buffer.is_empty() && !self.fill().await? {
            return Err(cut("inside a body"));
        }
        let take = self.buffer.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(self.buffer.split_to(take).freeze())
    }

    async fn chunk_size(&mut self) -> io::Result<u64> {
        let line = self.line().await?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        u64::from_str_radix(digits, 16).map_err(|_| broken(format!("chunk size `{line}`")))
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.advance(end + 2);
                return Ok(line);
            }
            if !self.fill().await? {
                return Err(cut("inside a chunked body"));
            }
        }
    }

    async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(64 * 1024);
        Ok(self.io.read_buf(&mut self.buffer).await? > 0)
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

fn broken(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

fn cut(place: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the connection ended {place}"))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Body, Inbound};

    #[tokio::test]
    async fn reads_a_head_and_keeps_its_bytes() {
        let sent = b"GET /a HTTP/1.1\r\nHost: x\r\nX-Two:  1 \r\nx-two: 2\r\n\r\nrest";
        let mut inbound = Inbound::new(&sent[..]);
        let head = inbound.head().await.unwrap().unwrap();
        assert_eq!(&head.raw[..], &sent[..sent.len() - 4]);
        assert_eq!(head.all("x-two").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(inbound.whole(Body::Left(4)).await.unwrap(), b"rest");
    }

    #[tokio::test]
    async fn reads_chunks_with_extensions_and_trailers() {
        let mut inbound = Inbound::new(&b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n"[..]);
        assert_eq!(inbound.whole(Body::Chunked(0)).await.unwrap(), b"abcde");
    }

    #[tokio::test]
    async fn tells_a_cut_body_from_a_whole_one() {
        for (sent, body) in
            [(&b"5\r\nab"[..], Body::Chunked(0)), (b"2\r\nab\r\n", Body::Chunked(0)), (b"ab", Body::Left(3))]
        {
            let error = Inbound::new(sent).whole(body).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{:?}", String::from_utf8_lossy(sent));
        }
        assert_eq!(Inbound::new(&b"ab"[..]).whole(Body::UntilClose).await.unwrap(), b"ab");
    }

    #[tokio::test]
    async fn an_ended_connection_is_no_head_and_half_a_head_is_an_error() {
        assert!(Inbound::new(&b""[..]).head().await.unwrap().is_none());
        assert!(Inbound::new(&b"GET / HT"[..]).head().await.is_err());
    }
}
