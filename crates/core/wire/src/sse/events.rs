//! Reading whole events. An event without its final blank line, at the end of the input, is read too.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Where it stands, its blank line included.
    pub raw: Range<usize>,
    /// Its `event:` field.
    pub name: Option<&'a [u8]>,
    /// Its data, lines joined with a line feed; empty for a comment.
    pub data: Cow<'a, [u8]>,
}

/// Iterates over events.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    whole: &'a [u8],
    at: usize,
}

/// The events in some bytes. Blank lines between events are no events of their own.
pub fn events(whole: &[u8]) -> Events<'_> {
    Events { whole, at: 0 }
}

impl<'a> Events<'a> {
    /// The next line without its terminator.
    fn line(&mut self) -> &'a [u8] {
        let rest = &self.whole[self.at..];
        let Some(length) = memchr2(b'\n', b'\r', rest) else {
            self.at = self.whole.len();
            return rest;
        };
        let both = rest[length] == b'\r' && rest.get(length + 1) == Some(&b'\n');
        self.at += length + 1 + usize::from(both);
        &rest[..length]
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let start = self.at;
        let mut name = None;
        let mut data: Option<Cow<'a, [u8]>> = None;
        let mut seen = false;
        while self.at < self.whole.len() {
            let line = self.line();
            if line.is_empty() {
                if seen {
                    break;
                }
                continue;
            }
            seen = true;
            match field(line) {
                (b"data", value) => match &mut data {
                    None => data = Some(Cow::Borrowed(value)),
                    Some(lines) => {
                        lines.to_mut().push(b'\n');
                        lines.to_mut().extend_from_slice(value);
                    }
                },
                (b"event", value) => name = Some(value),
                _ => {}
            }
        }
        seen.then(|| Event { raw: start..self.at, name, data: data.unwrap_or_default() })
    }
}

/// A line's field name and value. A comment has an empty name.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    // The common line first: searching it for a colon would find the one after `data` anyway.
    if let Some(value) = line.strip_prefix(b"data:") {
        return (b"data", value.strip_prefix(b" ").unwrap_or(value));
    }
    match memchr::memchr(b':', line) {
        Some(colon) => {
            let value = &line[colon + 1..];
            (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
        }
        None => (line, b""),
    }
}
