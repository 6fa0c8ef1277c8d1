//! Searching chunks for the keys that count, without parsing them.

use memchr::memchr2;
use memchr::memmem::Finder;

/// Prepared searches.
#[derive(Clone, Debug)]
pub(super) struct Search {
    error: Finder<'static>,
    base_resp: Finder<'static>,
    usage: Finder<'static>,
    reason: Finder<'static>,
    done: Finder<'static>,
    name: Finder<'static>,
    text: [Finder<'static>; 4],
}

impl Search {
    pub(super) fn new() -> Self {
        Self {
            error: Finder::new("\"error\""),
            // MiniMax reports failures under this key.
            base_resp: Finder::new("\"base_resp\""),
            usage: Finder::new("\"usage\""),
            reason: Finder::new("\"finish_reason\""),
            done: Finder::new("[DONE]"),
            name: Finder::new("event:"),
            // `content` finds `reasoning_content` too.
            text: [
                Finder::new("content\""),
                Finder::new("reasoning\""),
                Finder::new("arguments\""),
                Finder::new("refusal\""),
            ],
        }
    }

    /// Whether something in the bytes has to be read properly. Errs on the side of yes.
    pub(super) fn needs_parsing(&self, bytes: &[u8]) -> bool {
        let key = |finder: &Finder<'static>, counts: fn(&[u8]) -> bool| {
            let length = finder.needle().len();
            finder.find_iter(bytes).any(|at| value_after(&bytes[at + length..]).is_some_and(counts))
        };
        let not_null = |value: &[u8]| value.first() != Some(&b'n');
        let a_reason = |value: &[u8]| value.first() != Some(&b'n') && !value.starts_with(b"\"\"");
        key(&self.reason, a_reason)
            || key(&self.usage, not_null)
            || key(&self.error, not_null)
            || key(&self.base_resp, not_null)
            || self.done.find(bytes).is_some()
            || self.name.find_iter(bytes).any(|at| is_error_name(&bytes[at + self.name.needle().len()..]))
    }

    /// Bytes of answer text in some events, escapes counted as what they stand for.
    pub(super) fn text_bytes(&self, bytes: &[u8]) -> u64 {
        let per_key = self.text.iter().map(|finder| {
            let length = finder.needle().len();
            let values = finder.find_iter(bytes).filter_map(|at| value_after(&bytes[at + length..]));
            values.map(value_length).sum::<u64>()
        });
        per_key.sum()
    }
}

/// Whether an `event:` line names an error.
fn is_error_name(value: &[u8]) -> bool {
    value.strip_prefix(b" ").unwrap_or(value).starts_with(b"error")
}

/// What follows a key's colon; `None` where no colon follows, so that it was no key.
fn value_after(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b':', value @ ..] if !value.first().is_some_and(u8::is_ascii_whitespace) => Some(value),
        _ => rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start),
    }
}

/// The length of a text value; of an array of parts, the sum of its texts.
fn value_length(value: &[u8]) -> u64 {
    match value.first() {
        Some(b'"') => string_length(&value[1..]),
        Some(b'[') => parts_length(value),
        Some(_) | None => 0,
    }
}

/// Mistral streams content as parts: the rest of the event is searched.
fn parts_length(value: &[u8]) -> u64 {
    let end = memchr2(b'\n', b'\r', value).unwrap_or(value.len());
    let event = &value[..end];
    let values = memchr::memmem::find_iter(event, "\"text\"").filter_map(|at| value_after(&event[at + 6..]));
    values.filter(|value| value.first() == Some(&b'"')).map(|value| string_length(&value[1..])).sum()
}

/// The length of a JSON string once decoded, from after its opening quote.
fn string_length(mut rest: &[u8]) -> u64 {
    let mut length = 0;
    while let Some(run) = memchr2(b'"', b'\\', rest) {
        length += run as u64;
        if rest[run] == b'"' {
            return length;
        }
        let (bytes, skip) = escape_length(&rest[run + 1..]);
        length += bytes;
        rest = rest.get(run + 1 + skip..).unwrap_or_default();
    }
    length + rest.len() as u64
}

/// Bytes of UTF-8 an escape stands for, and its own length after the backslash.
fn escape_length(escape: &[u8]) -> (u64, usize) {
    match escape {
        [b'u', b'0', b'0', b'0'..=b'7', ..] => (1, 5),
        [b'u', b'0', b'0'..=b'7', ..] => (2, 5),
        // Each half of a pair that together makes four bytes.
        [b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => (2, 5),
        [b'u', ..] => (3, 5),
        _ => (1, 1),
    }
}
