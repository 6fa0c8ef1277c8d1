//! Cutting a byte stream at event borders.

use bytes::{Bytes, BytesMut};
use memchr::{memchr2, memrchr2};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// An event is over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit} bytes")]
pub struct TooLong {
    /// The limit in bytes.
    pub limit: usize,
}

/// Cuts a stream at event borders and keeps what is incomplete. Holds at most one event.
#[derive(Debug)]
pub struct Cutter {
    tail: BytesMut,
    max: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A byte-order mark may still come.
    Start,
    Running,
    /// An event was over the limit; nothing more comes out.
    Overrun,
}

impl Cutter {
    /// A cutter for streams whose events have at most so many bytes.
    pub fn new(max_event_bytes: usize) -> Self {
        Self { tail: BytesMut::new(), max: max_event_bytes, state: State::Start }
    }

    /// Takes a chunk; gives the events that are complete now, in one piece, which is the chunk itself
    /// where nothing was pending and it ends at a border. Once an event was over the limit this is an
    /// error for good.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, TooLong> {
        let chunk = match self.state {
            State::Running => chunk,
            State::Overrun => return Err(self.too_long()),
            State::Start => match self.begin(chunk) {
                Some(chunk) => chunk,
                None => return Ok(Bytes::new()),
            },
        };
        if self.tail.len() + chunk.len() > self.max {
            return self.push_measured(&chunk);
        }
        Ok(if self.tail.is_empty() { self.cut(chunk) } else { self.join(&chunk) })
    }

    /// What is left at the end of the stream: an event without its final blank line, or nothing.
    pub fn finish(&mut self) -> Bytes {
        self.state = State::Running;
        self.tail.split().freeze()
    }

    /// Bytes of the incomplete event.
    pub fn pending(&self) -> usize {
        self.tail.len()
    }

    /// Strips the byte-order mark; `None` while it can't be told yet whether there is one.
    fn begin(&mut self, mut chunk: Bytes) -> Option<Bytes> {
        if !self.tail.is_empty() || chunk.len() < BOM.len() {
            self.tail.extend_from_slice(&chunk);
            if self.tail.len() < BOM.len() && BOM.starts_with(&self.tail) {
                return None;
            }
            chunk = self.tail.split().freeze();
        }
        self.state = State::Running;
        if chunk.starts_with(BOM) {
            chunk = chunk.slice(BOM.len()..);
        }
        Some(chunk)
    }

    /// Nothing is pending: the complete part of the chunk goes out as it is.
    fn cut(&mut self, mut chunk: Bytes) -> Bytes {
        let border = if chunk.ends_with(b"\n\n") { chunk.len() } else { last_border(&chunk, 0) };
        if border < chunk.len() {
            self.tail.extend_from_slice(&chunk[border..]);
            chunk.truncate(border);
        }
        chunk
    }

    /// Something is pending: the chunk is appended to it.
    fn join(&mut self, chunk: &[u8]) -> Bytes {
        // A border that the chunk completes ends at its first byte at the earliest, or just before it
        // where a lone CR was held back because a LF could have followed.
        let from = self.tail.len().saturating_sub(1);
        self.tail.extend_from_slice(chunk);
        let border = last_border(&self.tail, from);
        self.tail.split_to(border).freeze()
    }

    /// The pending event may be over the limit now, so each event is measured, for the same verdict
    /// however the bytes were cut.
    fn push_measured(&mut self, chunk: &[u8]) -> Result<Bytes, TooLong> {
        let tail_length = self.tail.len();
        self.tail.extend_from_slice(chunk);
        let end = last_border(&self.tail, tail_length.saturating_sub(1));
        let mut start = 0;
        while start < self.tail.len() {
            let length = if start < end { first_event(&self.tail[start..end]) } else { self.tail.len() - start };
            if length > self.max {
                self.state = State::Overrun;
                let whole = self.tail.split_to(start).freeze();
                self.tail = BytesMut::new();
                return if whole.is_empty() { Err(self.too_long()) } else { Ok(whole) };
            }
            start += length;
        }
        Ok(self.tail.split_to(end).freeze())
    }

    fn too_long(&self) -> TooLong {
        TooLong { limit: self.max }
    }
}

/// One past the last event border, looking only for blank lines that end after `from`; 0 where there
/// is none. A lone CR at the very end is no border unless a CR stands before it: the LF that belongs
/// to it may come with the next chunk.
fn last_border(bytes: &[u8], from: usize) -> usize {
    let mut high = bytes.len();
    while let Some(found) = memrchr2(b'\n', b'\r', &bytes[from..high]) {
        let at = from + found;
        if is_border(bytes, at) {
            return at + 1;
        }
        high = at;
    }
    0
}

/// Whether the line end at `at` ends a blank line.
fn is_border(bytes: &[u8], at: usize) -> bool {
    let back = |steps: usize| at.checked_sub(steps).map(|place| bytes[place]);
    if bytes[at] == b'\n' {
        match back(1) {
            Some(b'\n') => true,
            Some(b'\r') => matches!(back(2), Some(b'\n' | b'\r')),
            Some(_) | None => false,
        }
    } else {
        match (back(1), bytes.get(at + 1)) {
            (Some(b'\r'), _) => true,
            (Some(b'\n'), Some(after)) => *after != b'\n',
            (Some(_) | None, _) => false,
        }
    }
}

/// The length of the first event of some whole events.
fn first_event(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'\n', b'\r', &bytes[at..]) {
        at += found;
        if is_border(bytes, at) {
            return at + 1;
        }
        at += 1;
    }
    bytes.len()
}
