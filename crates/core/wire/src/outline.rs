//! One pass over a JSON body: is it valid, how deep is it, and where are its top-level values?
//!
//! The request path needs three fields of a body that may hold megabytes of text, so nothing is
//! parsed or copied; values are found as byte ranges that `splice` can replace. Strict RFC 8259, no
//! recursion. Deliberately absent: a tree. What needs more than the top level decodes the body.

mod walk;

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;

/// More top-level fields than any request has; a bound on the memory an outline can take.
pub const MAX_FIELDS: usize = 4096;

/// Where the top-level fields of a JSON object are.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    text: &'a str,
    entries: Vec<Entry<'a>>,
    close: usize,
}

#[derive(Clone, Debug)]
struct Entry<'a> {
    key: Cow<'a, str>,
    value: Range<usize>,
}

/// One top-level value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Where the value is in the body.
    pub span: Range<usize>,
    /// Its JSON text.
    pub raw: &'a str,
}

/// Why a body has no outline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutlineError {
    /// Not JSON.
    #[error("the body is not valid JSON: unexpected input at byte {at}")]
    Syntax {
        /// Where.
        at: usize,
    },
    /// Nested too deep.
    #[error("the body is nested more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// Not UTF-8.
    #[error("the body is not valid UTF-8 at byte {at}")]
    NotUtf8 {
        /// Where.
        at: usize,
    },
    /// More fields than anything real has.
    #[error("the body has more than {limit} top-level fields")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
}

/// Checks a body and finds its top-level fields. `max_depth` counts open objects and arrays, the
/// outermost included.
pub fn outline(body: &[u8], max_depth: usize) -> Result<Outline<'_>, OutlineError> {
    let text = std::str::from_utf8(body).map_err(|error| OutlineError::NotUtf8 { at: error.valid_up_to() })?;
    let mut found = Outline { text, entries: Vec::with_capacity(16), close: 0 };
    found.close = walk::walk(text, max_depth, &mut found.entries)?;
    Ok(found)
}

impl<'a> Outline<'a> {
    /// A field by its key. Of a repeated key the last one counts, as it does for JSON parsers.
    pub fn get(&self, key: &str) -> Option<Field<'a>> {
        let entry = self.entries.iter().rev().find(|entry| entry.key == key)?;
        Some(self.field(entry))
    }

    /// Whether a key occurs more than once. Parsers disagree on which one counts, so a key that is
    /// edited or decided by must not be repeated.
    pub fn is_repeated(&self, key: &str) -> bool {
        self.entries.iter().filter(|entry| entry.key == key).nth(1).is_some()
    }

    /// All fields in the order they stand.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Field<'a>)> {
        self.entries.iter().map(|entry| (&*entry.key, self.field(entry)))
    }

    /// The edit that adds a field, a fragment like `"n":1`: where, and the text with the comma it needs.
    pub fn addition(&self, fragment: &str) -> (Range<usize>, String) {
        let comma = if self.entries.is_empty() { "" } else { "," };
        (self.close..self.close, format!("{comma}{fragment}"))
    }

    fn field(&self, entry: &Entry<'a>) -> Field<'a> {
        let span = entry.value.clone();
        Field { raw: self.text.get(span.clone()).unwrap_or_default(), span }
    }
}

impl<'a> Field<'a> {
    /// The text, where the value is a string.
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        let inner = self.raw.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') { self.read().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
    }

    /// The truth value, where the value is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.raw {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.raw == "null"
    }

    /// Reads the value into a type; `None` where it does not fit.
    pub fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_str(self.raw).ok()
    }
}

#[cfg(test)]
mod tests;
