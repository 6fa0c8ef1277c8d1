//! What a scripted provider does with one request: what it answers, in which pieces, when, and how
//! it misbehaves. A script is data; `play` acts it out.
//!
//! Start from `json`, `status`, `sse`, … and bend the result with `gated`, `reset_after`, ….

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::gate::Gate;
use crate::request::Request;

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Properly; the connection takes the next request.
    KeepAlive,
    /// The sending side is closed in good order (FIN).
    Close,
    /// The connection is torn down (RST).
    Reset,
    /// Nothing more is sent and nothing is closed, until the other side goes.
    Stall,
}

/// How the bytes of an answer are sent.
#[derive(Clone, Debug)]
pub enum Pace {
    /// Piece by piece, each in one write.
    Pieces,
    /// Byte by byte, each in a write of its own, as fast as it goes.
    Bytes,
    /// Byte by byte, so long apart. The gap is the fault that is played, not a way to synchronise.
    Slow(Duration),
    /// Byte by byte, each through the gate.
    Gated(Gate),
}

/// How the length of the body is told.
#[derive(Clone, Debug)]
pub(crate) enum Framing {
    Length,
    /// `content-length` says this, whatever the body is.
    Lying(u64),
    Chunked,
    UntilClose,
    /// The pieces are all there is: no head is added.
    Verbatim,
}

/// A part of a body.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Bytes(Bytes),
    /// So many times the same bytes, for bodies too big to hold.
    Repeated(Bytes, usize),
    /// A chunk that announces more than it holds.
    HalfChunk(Bytes),
    Gate(Gate),
}

/// What happens before the first byte.
#[derive(Clone, Debug)]
pub(crate) enum Opening {
    AtOnce,
    Gate(Gate),
    Never(Ending),
}

type Inspect = Arc<dyn Fn(&Request) -> Script + Send + Sync>;

/// An answer, or the lack of one.
#[derive(Clone)]
pub struct Script {
    pub(crate) inspect: Option<Inspect>,
    pub(crate) opening: Opening,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) framing: Framing,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) ending: Ending,
    pub(crate) cut: Option<(usize, Ending)>,
    pub(crate) pace: Pace,
    pub(crate) refuses_reuse: Option<Ending>,
}

impl Script {
    fn new(status: u16, framing: Framing, pieces: Vec<Piece>) -> Self {
        Self {
            inspect: None,
            opening: Opening::AtOnce,
            status,
            headers: Vec::new(),
            framing,
            pieces,
            ending: Ending::KeepAlive,
            cut: None,
            pace: Pace::Pieces,
            refuses_reuse: None,
        }
    }

    /// 200 with a JSON body.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::status(200, body).header("content-type", "application/json")
    }

    /// Any status with any body and no content type.
    pub fn status(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, Framing::Length, vec![Piece::Bytes(body.into())])
    }

    /// An error status with a JSON body.
    pub fn error(status: u16, body: impl Into<Bytes>) -> Self {
        Self::status(status, body).header("content-type", "application/json")
    }

    /// 200 with a page instead of an answer, as captive portals and proxies send it.
    pub fn html_200() -> Self {
        let page =
            "<!DOCTYPE html>\n<html><head><title>Sign in to continue</title></head><body><h1>Portal</h1></body></html>";
        Self::status(200, page).header("content-type", "text/html; charset=utf-8")
    }

    /// A chunked event stream; each text becomes `data: <text>` and an empty line, one write each.
    pub fn sse<T: AsRef<str>>(data: impl IntoIterator<Item = T>) -> Self {
        Self::sse_raw(data.into_iter().map(|text| format!("data: {}\n\n", text.as_ref())))
    }

    /// A chunked event stream of these very bytes, one write each: for odd line ends, comments,
    /// missing final lines and frames that cut an event or a character in two.
    pub fn sse_raw<T: Into<Bytes>>(frames: impl IntoIterator<Item = T>) -> Self {
        let pieces = frames.into_iter().map(|frame| Piece::Bytes(frame.into())).collect();
        Self::new(200, Framing::Chunked, pieces).header("content-type", "text/event-stream; charset=utf-8")
    }

    /// These bytes on the socket and nothing else, then a close.
    pub fn verbatim(bytes: impl Into<Bytes>) -> Self {
        Self::new(0, Framing::Verbatim, vec![Piece::Bytes(bytes.into())]).ending(Ending::Close)
    }

    /// A stream with one event line of about `size` bytes in it, then `[DONE]`.
    pub fn big_line(size: usize) -> Self {
        let block = 64 * 1024;
        let open = r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""#;
        let mut script = Self::sse_raw([open]);
        script.pieces.push(Piece::Repeated(vec![b'x'; block].into(), size.div_ceil(block)));
        let close = "\"},\"finish_reason\":null}]}\n\n";
        let end = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        script.pieces.extend([close, end].map(|text| Piece::Bytes(text.into())));
        script
    }

    /// Reads the request and never says a word.
    pub fn stall_before_head() -> Self {
        Self::new(0, Framing::Verbatim, Vec::new()).opening(Opening::Never(Ending::Stall))
    }

    /// Reads the request and closes without a word.
    pub fn close_before_head() -> Self {
        Self::new(0, Framing::Verbatim, Vec::new()).opening(Opening::Never(Ending::Close))
    }

    /// Reads the request and resets the connection without a word.
    pub fn reset_before_head() -> Self {
        Self::new(0, Framing::Verbatim, Vec::new()).opening(Opening::Never(Ending::Reset))
    }

    /// Looks at the request first and answers by it.
    pub fn inspect(answer: impl Fn(&Request) -> Script + Send + Sync + 'static) -> Self {
        let mut script = Self::status(500, "");
        script.inspect = Some(Arc::new(answer));
        script
    }

    /// Adds a header, or replaces the one of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Answers with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Ends in another way: a chunked body then lacks its last chunk unless it is kept alive.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Stands before the gate ahead of every piece of the body. The head goes out at once, the end
    /// right after the last piece.
    #[must_use]
    pub fn gated(mut self, gate: &Gate) -> Self {
        let pieces = std::mem::take(&mut self.pieces);
        self.pieces = pieces.into_iter().flat_map(|piece| [Piece::Gate(gate.clone()), piece]).collect();
        self
    }

    /// Stands before the gate ahead of the head.
    #[must_use]
    pub fn gated_head(self, gate: &Gate) -> Self {
        self.opening(Opening::Gate(gate.clone()))
    }

    /// Sends the head and `pieces` pieces of the body, then nothing more and no end.
    #[must_use]
    pub fn stall_after(self, pieces: usize) -> Self {
        self.broken_after(pieces, Ending::Stall)
    }

    /// Sends the head and `pieces` pieces of the body, then ends so, without a last chunk.
    #[must_use]
    pub fn broken_after(mut self, pieces: usize, ending: Ending) -> Self {
        assert!(ending != Ending::KeepAlive, "a broken answer can't be kept alive");
        self.pieces.truncate(pieces);
        self.ending = ending;
        self
    }

    /// Sends the first `bytes` bytes of the answer, head included, then resets the connection.
    #[must_use]
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Reset));
        self
    }

    /// Sends the first `bytes` bytes of the answer, head included, then closes in good order.
    #[must_use]
    pub fn close_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Close));
        self
    }

    /// Says this length, whatever the body holds, and closes after the body.
    #[must_use]
    pub fn lying_length(mut self, length: u64) -> Self {
        self.framing = Framing::Lying(length);
        self.ending(Ending::Close)
    }

    /// Sends the body without length or chunks, ended by the close of the connection.
    #[must_use]
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self.ending(Ending::Close)
    }

    /// Adds a chunk that announces more bytes than it holds, then ends so.
    #[must_use]
    pub fn half_chunk(mut self, bytes: impl Into<Bytes>, ending: Ending) -> Self {
        self.pieces.push(Piece::HalfChunk(bytes.into()));
        self.ending(ending)
    }

    /// Sends at another pace.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Answers only the first request of a connection; a later one ends the connection so, before a
    /// byte of an answer, and does not use the script up. That is the race of a kept-alive
    /// connection that the server gives up just as the next request comes in.
    #[must_use]
    pub fn refuse_reuse(mut self, ending: Ending) -> Self {
        self.refuses_reuse = Some(ending);
        self
    }

    fn opening(mut self, opening: Opening) -> Self {
        self.opening = opening;
        self
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Script(status {}, {} pieces, then {:?})", self.status, self.pieces.len(), self.ending)
    }
}
