//! A client that sends exactly the bytes it is told to and reads an answer as it comes in: whole, or
//! event by event.
//!
//! It follows no redirect, adds no header beyond what `Call` shows, repeats nothing and hides nothing.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::yield_now;

use crate::http::{Body, Head, Inbound};
use crate::sse::{Event, Reader};
use crate::wait::within;

/// A connection to talk over by hand.
#[derive(Debug)]
pub struct Connection {
    inbound: Inbound<OwnedReadHalf>,
    outbound: OwnedWriteHalf,
}

impl Connection {
    /// Connects to an origin, e.g. `http://127.0.0.1:20128`; a path is ignored.
    pub async fn open(origin: &str) -> Self {
        let address = authority(origin);
        let stream = within(&format!("connecting to {address}"), TcpStream::connect(address.clone())).await;
        let stream = stream.unwrap_or_else(|why| panic!("no connection to {address}: {why}"));
        stream.set_nodelay(true).expect("a connected socket takes options");
        let (read, outbound) = stream.into_split();
        Self { inbound: Inbound::new(read), outbound }
    }

    /// Sends these bytes.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.unwrap_or_else(|why| panic!("the other side took no more bytes: {why}"));
    }

    /// Sends these bytes as far as the other side takes them.
    pub async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        within("sending", self.outbound.write_all(bytes)).await
    }

    /// Sends byte by byte, each in a segment of its own.
    pub async fn send_byte_by_byte(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send(&[*byte]).await;
            yield_now().await;
        }
    }

    /// Closes the sending side.
    pub async fn finish_sending(&mut self) {
        self.outbound.shutdown().await.expect("the connection is open");
    }

    /// Reads a whole answer; panics when none comes.
    pub async fn answer(&mut self) -> Answer {
        let answer = within("an answer", self.try_answer()).await;
        answer.unwrap_or_else(|why| panic!("no answer: {why}"))
    }

    /// Reads a whole answer, or tells why none came.
    pub async fn try_answer(&mut self) -> io::Result<Answer> {
        let Some(head) = self.inbound.head().await? else {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
        };
        let mut framing = framing(&head)?;
        let mut body = Vec::new();
        let cut = loop {
            match self.inbound.piece(&mut framing).await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break None,
                Err(why) => break Some(why.to_string()),
            }
        };
        Ok(Answer { status: status(&head), head, body: body.into(), cut })
    }

    /// Waits until the other side closes or resets the connection, for at most `limit`; `false` when
    /// it did not. What comes meanwhile is read and dropped.
    pub async fn closes_within(&mut self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.inbound.gone()).await.is_ok()
    }

    async fn begin(mut self) -> Streaming {
        let head = within("the head of an answer", self.inbound.head()).await;
        let head = head.unwrap_or_else(|why| panic!("no answer: {why}")).expect("an answer comes before the close");
        let framing = framing(&head).expect("a length that is a number");
        Streaming {
            status: status(&head),
            head,
            connection: self,
            framing,
            reader: Reader::new(),
            ready: Vec::new().into_iter(),
            raw: Vec::new(),
            cut: None,
        }
    }
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    origin: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
}

impl Call {
    /// A request to `origin` for `target`, a path with its query. The target is sent as it is.
    pub fn new(method: &str, origin: &str, target: &str) -> Self {
        let headers =
            vec![("host".to_owned(), authority(origin)), ("user-agent".to_owned(), "omniroute-testkit".to_owned())];
        Self { origin: origin.to_owned(), method: method.to_owned(), target: target.to_owned(), headers, body: None }
    }

    /// A GET.
    pub fn get(origin: &str, target: &str) -> Self {
        Self::new("GET", origin, target)
    }

    /// A POST with a JSON body of exactly these bytes.
    pub fn post(origin: &str, target: &str, body: impl Into<Bytes>) -> Self {
        Self::new("POST", origin, target).header("content-type", "application/json").body(body)
    }

    /// Signs with a bearer key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// Sets a header; an earlier one of the same name goes.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.without(name).also(name, value)
    }

    /// Adds a header beside others of the same name.
    #[must_use]
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the body; `content-length` follows from it unless it is set by hand.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The bytes that go out ahead of the body.
    pub fn head_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let says_length = |(name, _): &&(String, String)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        };
        if let Some(body) = self.body.as_ref().filter(|_| self.headers.iter().find(says_length).is_none()) {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Sends on a connection of its own and reads the whole answer.
    pub async fn send(&self) -> Answer {
        self.send_on(&mut Connection::open(&self.origin).await).await
    }

    /// Sends on a connection that is open and reads the whole answer.
    pub async fn send_on(&self, connection: &mut Connection) -> Answer {
        self.put_on(connection).await;
        connection.answer().await
    }

    /// Sends on a connection that is open and reads the whole answer, or tells why there is none.
    pub async fn try_on(&self, connection: &mut Connection) -> io::Result<Answer> {
        connection.try_send(&self.head_bytes()).await?;
        connection.try_send(self.body.as_deref().unwrap_or_default()).await?;
        within("an answer", connection.try_answer()).await
    }

    /// Sends on a connection of its own; gives the answer back once its head is there.
    pub async fn stream(&self) -> Streaming {
        let mut connection = Connection::open(&self.origin).await;
        self.put_on(&mut connection).await;
        connection.begin().await
    }

    /// Sends and waits for nothing. A body that the other side refuses to read to its end is no
    /// failure: the answer tells.
    pub async fn put_on(&self, connection: &mut Connection) {
        connection.send(&self.head_bytes()).await;
        if let Some(body) = &self.body {
            let _refused = connection.try_send(body).await;
        }
    }
}

/// An answer in full.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body after transfer coding.
    pub body: Bytes,
    /// Why the body is not whole, where it is not.
    pub cut: Option<String>,
    head: Head,
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name)
    }

    /// The headers in the order sent.
    pub fn headers(&self) -> &[(String, String)] {
        &self.head.headers
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics where it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(why) => panic!("the body of a {} is no JSON ({why}): {}", self.status, self.text()),
        }
    }
}

/// An answer that is still coming in. Dropping it closes the connection.
#[derive(Debug)]
pub struct Streaming {
    /// The HTTP status.
    pub status: u16,
    head: Head,
    connection: Connection,
    framing: Body,
    reader: Reader,
    ready: std::vec::IntoIter<Event>,
    raw: Vec<u8>,
    cut: Option<String>,
}

impl Streaming {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name)
    }

    /// The bytes of the body so far.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Why the body is not whole, where it broke off.
    pub fn cut(&self) -> Option<&str> {
        self.cut.as_deref()
    }

    /// The next event; `None` at the end, proper or not.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some(event);
            }
            let piece = self.piece().await?;
            self.ready = self.reader.push(&piece).into_iter();
        }
    }

    /// The next event; panics where there is none.
    pub async fn expect_event(&mut self) -> Event {
        match self.next().await {
            Some(event) => event,
            None => panic!("the stream ended (cut: {:?}) after: {}", self.cut, String::from_utf8_lossy(&self.raw)),
        }
    }

    /// The next piece of the body as it comes off the socket.
    pub async fn piece(&mut self) -> Option<Bytes> {
        match within("the next bytes of a stream", self.connection.inbound.piece(&mut self.framing)).await {
            Ok(piece) => {
                self.raw.extend_from_slice(piece.as_deref().unwrap_or_default());
                piece
            }
            Err(why) => {
                self.cut = Some(why.to_string());
                self.framing = Body::Over;
                None
            }
        }
    }

    /// All events still to come. Panics when the stream ends inside one.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        let left = String::from_utf8_lossy(self.reader.rest());
        assert!(left.is_empty(), "the stream ends inside an event: {left:?}");
        events
    }
}

fn authority(origin: &str) -> String {
    let rest = origin.strip_prefix("http://").unwrap_or(origin);
    rest.split('/').next().unwrap_or_default().to_owned()
}

fn status(head: &Head) -> u16 {
    let word = head.first_line.split(' ').nth(1).unwrap_or_default();
    word.parse().unwrap_or_else(|_| panic!("`{}` is no status line", head.first_line))
}

fn framing(head: &Head) -> io::Result<Body> {
    let status = status(head);
    if status == 204 || status == 304 || status < 200 {
        return Ok(Body::Over);
    }
    Ok(match head.length()? {
        _ if head.is_chunked() => Body::Chunked(0),
        Some(length) => Body::Left(length),
        None => Body::UntilClose,
    })
}
