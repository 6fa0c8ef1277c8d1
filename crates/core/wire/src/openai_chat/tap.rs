//! The passthrough's side reader: what a stream says about itself while its bytes go by unchanged.
//!
//! It is on the path of every chunk, so most chunks are only searched for a few keys; one that holds
//! something that counts (an end, figures, an error) is parsed. A key inside a JSON string has its
//! quotes escaped, so an unescaped hit is a key or a whole string. Nothing is believed unless the
//! event it stands in is valid JSON: a stream cut in the middle of its last event has not finished.

mod look;
mod reply;
mod search;

use std::ops::Range;

use omniroute_domain::{Fault, Usage};

use crate::sse::{Event, events};
use look::{Look, look, look_at_error};
use search::Search;

pub use reply::{ReplyFacts, read_reply};

/// Reads along with one stream.
#[derive(Clone, Debug)]
pub struct StreamTap {
    search: Search,
    usage: Usage,
    text_bytes: u64,
    choices: usize,
    finished: Vec<u64>,
    useful: bool,
    failed: bool,
    done: bool,
}

/// What was in some events.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Some event carries a part of the answer: content, reasoning, a refusal, a tool call, a finish
    /// reason.
    pub useful: bool,
    /// The provider reports a failure. Nothing after it counts.
    pub error: Option<Fault>,
    /// Where the event with the failure begins; what stands before it is sound.
    pub error_at: Option<usize>,
    /// An event that holds nothing but usage, which a client that did not ask for it must not see.
    pub usage_only: Option<Range<usize>>,
    /// Just past the `[DONE]` event. Nothing after it counts.
    pub done: Option<usize>,
}

impl Default for StreamTap {
    fn default() -> Self {
        Self::new()
    }
}

impl StreamTap {
    /// A tap on a stream that has not begun.
    pub fn new() -> Self {
        Self::expecting(1)
    }

    /// A tap on a stream of several answers, as many as the request's `n` asked for: it has finished
    /// when all of them have.
    pub fn expecting(choices: usize) -> Self {
        Self {
            search: Search::new(),
            usage: Usage::default(),
            text_bytes: 0,
            choices,
            finished: Vec::new(),
            useful: false,
            failed: false,
            done: false,
        }
    }

    /// Reads whole events, as `sse::Cutter` gives them.
    pub fn see(&mut self, whole_events: &[u8]) -> Seen {
        if self.done || self.failed || whole_events.is_empty() {
            return Seen::default();
        }
        if self.useful && !self.search.needs_parsing(whole_events) {
            let text = self.search.text_bytes(whole_events);
            self.text_bytes += text;
            return Seen { useful: text > 0, ..Seen::default() };
        }
        self.parse(whole_events)
    }

    /// The token counts reported so far; the last report counts, field by field.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Whether every answer has a finish reason. A stream without and without `[DONE]` was cut off.
    pub fn finished(&self) -> bool {
        !self.finished.is_empty() && self.finished.len() >= self.choices
    }

    /// Whether `[DONE]` was seen.
    pub fn done(&self) -> bool {
        self.done
    }

    /// Whether the provider reported a failure.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Bytes of content, reasoning and arguments seen: for an estimate where no usage is reported.
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    fn parse(&mut self, whole_events: &[u8]) -> Seen {
        let mut seen = Seen::default();
        let mut end = whole_events.len();
        for event in events(whole_events) {
            if event.data.trim_ascii() == b"[DONE]" {
                self.done = true;
                seen.done = Some(event.raw.end);
                end = event.raw.end;
                break;
            }
            let Some(look) = self.look_at(&event) else { continue };
            self.take(look, event.raw, &mut seen);
            if self.failed {
                break;
            }
        }
        self.text_bytes += self.search.text_bytes(&whole_events[..end]);
        self.useful |= seen.useful;
        seen
    }

    /// An event in detail, where it may hold something that counts.
    fn look_at(&self, event: &Event<'_>) -> Option<Look> {
        if event.name == Some(b"error") {
            return Some(look_at_error(&String::from_utf8_lossy(&event.data)));
        }
        let counts = !self.useful || self.search.needs_parsing(&event.data);
        if counts { look(&String::from_utf8_lossy(&event.data)) } else { None }
    }

    fn take(&mut self, look: Look, raw: Range<usize>, seen: &mut Seen) {
        let start = raw.start;
        seen.useful |= look.useful;
        for choice in look.finished {
            if !self.finished.contains(&choice) && self.finished.len() < self.choices {
                self.finished.push(choice);
            }
        }
        if let Some(usage) = look.usage {
            self.usage.update(usage);
            if look.empty && look.error.is_none() {
                seen.usage_only = Some(joined(seen.usage_only.take(), raw));
            }
        }
        if let Some(fault) = look.error {
            self.failed = true;
            seen.error = Some(fault);
            seen.error_at = Some(start);
        }
    }
}

/// Two usage events in a row are hidden together. Of two apart only the first is: a later one will
/// come with the next chunk or stay, which does no harm.
fn joined(first: Option<Range<usize>>, next: Range<usize>) -> Range<usize> {
    match first {
        Some(first) if first.end == next.start => first.start..next.end,
        Some(first) => first,
        None => next,
    }
}

#[cfg(test)]
mod tests;
