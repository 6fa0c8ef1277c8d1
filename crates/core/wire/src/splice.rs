//! Editing a body in place: a few ranges replaced, everything else untouched. A field is added by
//! replacing an empty range (`Outline::addition`).
//!
//! The result is a list of slices of the original body and the small edits between them, so a
//! megabyte prompt is not copied to change its model name.

use std::ops::Range;
use std::slice;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// Edits to be made to a body.
#[derive(Clone, Debug)]
pub struct Splice {
    body: Bytes,
    edits: Vec<Edit>,
}

#[derive(Clone, Debug)]
struct Edit {
    span: Range<usize>,
    with: Bytes,
}

impl Splice {
    /// No edits yet.
    pub fn new(body: Bytes) -> Self {
        Self { body, edits: Vec::new() }
    }

    /// Puts `with` in the place of a range, e.g. of a `Field::span`. Ranges must lie in the body and
    /// must not overlap; one that does is left out, the earlier one stands.
    #[must_use]
    pub fn replace(mut self, span: Range<usize>, with: impl Into<Bytes>) -> Self {
        let fits = span.start <= span.end && span.end <= self.body.len();
        let free = self.edits.iter().all(|edit| span.end <= edit.span.start || edit.span.end <= span.start);
        debug_assert!(fits && free, "an edit at {span:?} does not fit");
        if fits && free {
            self.edits.push(Edit { span, with: with.into() });
        }
        self
    }

    /// The edited body.
    pub fn finish(mut self) -> Segments {
        // A stable sort: insertions at one place keep the order they were made in.
        self.edits.sort_by_key(|edit| edit.span.start);
        let mut segments = Vec::with_capacity(self.edits.len() * 2 + 1);
        let mut done = 0;
        for edit in self.edits {
            push(&mut segments, self.body.slice(done..edit.span.start.max(done)));
            push(&mut segments, edit.with);
            done = edit.span.end.max(done);
        }
        push(&mut segments, self.body.slice(done..));
        Segments { parts: segments.into() }
    }
}

fn push(segments: &mut Vec<Bytes>, part: Bytes) {
    if !part.is_empty() {
        segments.push(part);
    }
}

/// A body in pieces, to be sent one after the other. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Segments {
    parts: Arc<[Bytes]>,
}

impl Segments {
    /// Bytes in all.
    pub fn len(&self) -> u64 {
        self.parts.iter().map(|part| part.len() as u64).sum()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The pieces in order.
    pub fn iter(&self) -> slice::Iter<'_, Bytes> {
        self.parts.iter()
    }

    /// All pieces in one. Copies, unless there is only one.
    pub fn to_bytes(&self) -> Bytes {
        if let [only] = &*self.parts {
            return only.clone();
        }
        let mut whole = BytesMut::with_capacity(self.parts.iter().map(Bytes::len).sum());
        for part in self {
            whole.extend_from_slice(part);
        }
        whole.freeze()
    }
}

impl From<Bytes> for Segments {
    fn from(body: Bytes) -> Self {
        Splice::new(body).finish()
    }
}

impl<'a> IntoIterator for &'a Segments {
    type Item = &'a Bytes;
    type IntoIter = slice::Iter<'a, Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Segments, Splice};
    use crate::outline::outline;

    #[track_caller]
    fn check(body: &'static str, edit: impl FnOnce(Splice) -> Splice, expected: &str) {
        let segments = edit(Splice::new(Bytes::from_static(body.as_bytes()))).finish();
        assert_eq!(segments.to_bytes(), expected.as_bytes());
        assert_eq!(segments.len(), expected.len() as u64);
    }

    #[track_caller]
    fn added(body: &'static str, expected: &str) {
        let (place, text) = outline(body.as_bytes(), 9).expect("an object").addition(r#""n":1"#);
        check(body, |splice| splice.replace(place, text), expected);
    }

    #[test]
    fn edits_apply_in_place_whatever_their_order() {
        check("abcdef", |splice| splice.replace(4..5, "E").replace(0..2, "-"), "-cdEf");
        check("abc", |splice| splice, "abc");
        check("abc", |splice| splice.replace(0..3, ""), "");
    }

    #[test]
    fn a_field_is_added_with_a_comma_only_where_one_is_needed() {
        added("{}", r#"{"n":1}"#);
        added("{\"a\":0\n}\n", "{\"a\":0\n,\"n\":1}\n");
    }

    #[test]
    fn untouched_parts_are_slices_of_the_body() {
        let body = Bytes::from_static(b"{\"model\":\"x\",\"messages\":[]}");
        let segments = Splice::new(body.clone()).replace(9..12, "\"y\"").finish();
        let parts: Vec<&Bytes> = segments.iter().collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[2].as_ptr(), body[12..].as_ptr(), "the tail is not copied");
        assert!(Segments::default().is_empty() && Segments::from(Bytes::new()).is_empty());
    }
}
