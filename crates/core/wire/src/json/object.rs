//! Writing objects.

use omniroute_domain::{Extra, Raw};
use serde::Serialize;

/// An object being written. Remembers its keys, so that kept fields never repeat one.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    keys: Vec<&'static str>,
    empty: bool,
}

/// Writes an object.
pub(crate) fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, keys: Vec::new(), empty: true });
    out.push(b'}');
}

/// Writes an array, one element per item.
pub(crate) fn array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut element: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        element(out, item);
    }
    out.push(b']');
}

/// Writes a string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    match serde_json::to_writer(out, text) {
        // Writing a string to memory has no way to fail.
        Ok(()) | Err(_) => {}
    }
}

/// An object of kept fields.
pub(crate) fn object_of(fields: &Extra) -> Option<Raw> {
    let mut out = Vec::new();
    object(&mut out, |object| object.rest(fields));
    Raw::parse(String::from_utf8(out).ok()?)
}

impl Object<'_> {
    /// Starts a field and gives the place for its value, which the caller has to write.
    pub(crate) fn value(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.keys.push(key);
        self.key(key);
        self.out
    }

    pub(crate) fn text(&mut self, key: &'static str, text: &str) {
        string(self.value(key), text);
    }

    /// A number, a truth value or null.
    pub(crate) fn plain(&mut self, key: &'static str, value: impl Serialize) {
        match serde_json::to_writer(self.value(key), &value) {
            // Writing a plain value to memory has no way to fail.
            Ok(()) | Err(_) => {}
        }
    }

    /// A value that is JSON already.
    pub(crate) fn literal(&mut self, key: &'static str, json: &str) {
        self.value(key).extend_from_slice(json.as_bytes());
    }

    /// A nested object; what `extra` keeps under the same key goes into it.
    pub(crate) fn object(&mut self, key: &'static str, extra: &Extra, fill: impl FnOnce(&mut Object<'_>)) {
        let kept = nested(extra, key);
        object(self.value(key), |inner| {
            fill(inner);
            inner.rest(&kept);
        });
    }

    /// A nested object where it would hold anything.
    pub(crate) fn object_if_any(&mut self, key: &'static str, extra: &Extra, fill: impl FnOnce(&mut Object<'_>)) {
        let mut value = Vec::new();
        let kept = nested(extra, key);
        object(&mut value, |inner| {
            fill(inner);
            inner.rest(&kept);
        });
        if value != b"{}" {
            self.value(key).extend_from_slice(&value);
        }
    }

    /// Kept fields, except those that were written.
    pub(crate) fn rest(&mut self, extra: &Extra) {
        for (key, value) in extra {
            if !self.keys.contains(&key.as_str()) {
                self.key(key);
                self.out.extend_from_slice(value.get().as_bytes());
            }
        }
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        string(self.out, key);
        self.out.push(b':');
    }
}

/// The fields kept under a key.
pub(crate) fn nested(extra: &Extra, key: &str) -> Extra {
    let kept = extra.iter().find(|(name, _)| name == key);
    kept.and_then(|(_, raw)| super::Fields::read(raw.get())).map(super::Fields::rest).unwrap_or_default()
}
