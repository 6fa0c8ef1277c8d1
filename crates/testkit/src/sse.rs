//! A reader of server-sent events, written from the framing rules for clients alone (WHATWG HTML,
//! "event stream interpretation") and kept apart from our own codec, which it is used to judge.
//!
//! Comments are kept, since tests ask for them; `id` and `retry` are not.

/// One event, or one comment between events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The value of the `event` field.
    pub name: Option<String>,
    /// The `data` lines, joined by line feeds; `None` for an event without any.
    pub data: Option<String>,
    /// The comment lines of the block, without their colon.
    pub comments: Vec<String>,
    /// The bytes of the block as they came, final empty line included.
    pub raw: Vec<u8>,
}

impl Event {
    /// The data, or the empty text.
    pub fn text(&self) -> &str {
        self.data.as_deref().unwrap_or_default()
    }

    /// Whether this is the end mark of an OpenAI chat stream.
    pub fn is_done(&self) -> bool {
        self.text().trim() == "[DONE]"
    }

    /// The data as JSON; panics where it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(self.text()) {
            Ok(value) => value,
            Err(why) => panic!("event data is no JSON ({why}): {:?}", self.text()),
        }
    }
}

/// Takes bytes as they come and gives the blocks that are whole.
#[derive(Debug, Default)]
pub struct Reader {
    pending: Vec<u8>,
    begun: bool,
}

impl Reader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes; gives the blocks that they completed.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.pending.extend_from_slice(bytes);
        if !self.begun && self.pending.len() >= 3 {
            self.begun = true;
            if self.pending.starts_with(b"\xEF\xBB\xBF") {
                self.pending.drain(..3);
            }
        }
        let mut events = Vec::new();
        while let Some(end) = block_end(&self.pending) {
            let raw: Vec<u8> = self.pending.drain(..end).collect();
            events.extend(read_block(raw));
        }
        events
    }

    /// What is left without its final empty line. A well-formed stream leaves nothing.
    pub fn rest(&self) -> &[u8] {
        &self.pending
    }
}

/// Reads a whole stream; panics when it does not end with an empty line.
#[track_caller]
pub fn read_all(stream: &[u8]) -> Vec<Event> {
    let mut reader = Reader::new();
    let events = reader.push(stream);
    assert!(reader.rest().is_empty(), "the stream ends inside an event: {:?}", String::from_utf8_lossy(reader.rest()));
    events
}

/// Where the first block ends: just past its empty line. A final CR is held back, since a line feed
/// may follow.
fn block_end(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let next = match bytes[at] {
            b'\n' => at + 1,
            b'\r' if at + 1 == bytes.len() => return None,
            b'\r' if bytes[at + 1] == b'\n' => at + 2,
            b'\r' => at + 1,
            _ => {
                at += 1;
                continue;
            }
        };
        if at == line_start {
            return Some(next);
        }
        line_start = next;
        at = next;
    }
    None
}

fn read_block(raw: Vec<u8>) -> Option<Event> {
    let text = String::from_utf8(raw.clone())
        .unwrap_or_else(|_| panic!("an event is not UTF-8: {:?}", String::from_utf8_lossy(&raw)));
    let mut event = Event { raw, ..Event::default() };
    for line in text.replace("\r\n", "\n").split(['\n', '\r']).filter(|line| !line.is_empty()) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => event.comments.push(value.to_owned()),
            "event" => event.name = Some(value.to_owned()),
            "data" => match &mut event.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => event.data = Some(value.to_owned()),
            },
            _ => {}
        }
    }
    (event.data.is_some() || event.name.is_some() || !event.comments.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::{Reader, read_all};

    const STREAM: &str =
        ": hello\n\nevent: a\ndata: {\"x\":\ndata:1}\r\n\r\ndata:  two spaces\r\rdata: \u{1F600}\n\ndata: [DONE]\n\n";

    #[test]
    fn reads_every_line_end_joins_data_and_strips_one_space() {
        let events = read_all(STREAM.as_bytes());
        let texts: Vec<_> = events.iter().map(|event| event.text().to_owned()).collect();
        assert_eq!(texts, ["", "{\"x\":\n1}", " two spaces", "\u{1F600}", "[DONE]"]);
        assert_eq!(events[0].comments, ["hello"]);
        assert_eq!(events[1].name.as_deref(), Some("a"));
        assert!(events[4].is_done() && !events[3].is_done(), "only the last is the end mark");
    }

    #[test]
    fn gives_the_same_events_however_the_bytes_are_cut() {
        let whole = read_all(STREAM.as_bytes());
        for size in 1..STREAM.len() {
            let mut reader = Reader::new();
            let cut: Vec<_> = STREAM.as_bytes().chunks(size).flat_map(|piece| reader.push(piece)).collect();
            assert_eq!(cut, whole, "cut every {size} bytes");
        }
    }

    #[test]
    fn raw_bytes_add_up_to_the_stream() {
        let raw: Vec<u8> = read_all(STREAM.as_bytes()).into_iter().flat_map(|event| event.raw).collect();
        assert_eq!(raw, STREAM.as_bytes());
    }

    #[test]
    fn an_event_without_its_empty_line_is_not_given() {
        let mut reader = Reader::new();
        assert!(reader.push(b"data: 1\n").is_empty(), "the block is not over");
        assert_eq!(reader.rest(), b"data: 1\n");
    }
}
