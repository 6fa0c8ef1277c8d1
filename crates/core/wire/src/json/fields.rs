//! An object as the ordered list of its fields.

use std::borrow::Cow;
use std::fmt;

use omniroute_domain::{Extra, Raw};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of one object that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    open: Vec<(Cow<'a, str>, &'a str)>,
    kept: Extra,
}

impl<'a> Fields<'a> {
    /// Reads an object; `None` where the JSON text is something else.
    pub(crate) fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// A field's JSON text, left in place. Of a repeated key the last one counts.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.open.iter().rev().find(|(name, _)| name == key)?;
        (*value != "null").then_some(*value)
    }

    /// Takes a field out, whatever it holds.
    pub(crate) fn take(&mut self, key: &str) -> Option<&'a str> {
        let value = self.get(key);
        self.open.retain(|(name, _)| name != key);
        value
    }

    /// Takes a field out where it fits the type.
    pub(crate) fn take_as<T: Deserialize<'a>>(&mut self, key: &str) -> Option<T> {
        let value = serde_json::from_str(self.get(key)?).ok()?;
        self.take(key);
        Some(value)
    }

    /// Takes a text out.
    pub(crate) fn take_text(&mut self, key: &str) -> Option<String> {
        let found = self.text(key)?.into_owned();
        self.take(key);
        Some(found)
    }

    /// Takes a count out.
    pub(crate) fn take_count(&mut self, key: &str) -> Option<u64> {
        let found = count(self.get(key)?)?;
        self.take(key);
        Some(found)
    }

    /// Takes any value out as it stands.
    pub(crate) fn take_raw(&mut self, key: &str) -> Option<Raw> {
        self.take(key).and_then(raw)
    }

    /// A text, left in place.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key).and_then(text)
    }

    /// Keeps what is left of an object that stood under `key`, so that it goes back there.
    pub(crate) fn keep(&mut self, key: &str, left: Fields<'_>) {
        let left = left.rest();
        if !left.is_empty()
            && let Some(object) = crate::json::object_of(&left)
        {
            self.kept.push((key.to_owned(), object));
        }
    }

    /// What nobody took.
    pub(crate) fn rest(self) -> Extra {
        let open = self.open.into_iter().filter(|(_, value)| *value != "null");
        open.filter_map(|(key, value)| Some((key.into_owned(), raw(value)?))).chain(self.kept).collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut open = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            open.push((key, value.get()));
        }
        Ok(Fields { open, kept: Extra::new() })
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The text, where the JSON text is a string. Half a surrogate pair, which JavaScript clients send where
/// they cut a text inside an emoji, becomes U+FFFD.
pub(crate) fn text(json: &str) -> Option<Cow<'_, str>> {
    if !json.starts_with('"') {
        return None;
    }
    match serde_json::from_str(json) {
        Ok(Text(text)) => Some(text),
        Err(_) => serde_json::from_str(&without_half_pairs(json)).ok().map(Cow::Owned),
    }
}

/// A JSON string whose escaped surrogates all come in pairs.
fn without_half_pairs(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (half(escape, 0), half(escape, 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(_), _) => {
                out.push_str("\\ufffd");
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            (None, _) => 2,
        };
        out.push_str(escape.get(..length).unwrap_or(escape));
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The surrogate that is escaped at a place.
fn half(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

/// The elements, where the JSON text is an array.
pub(crate) fn elements(json: &str) -> Option<Vec<&str>> {
    let values: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(values.into_iter().map(RawValue::get).collect())
}

/// The object an event holds, or the objects: some providers put several into one event, each on a line
/// of its own. `None` where any of it is something else.
pub(crate) fn objects(data: &str) -> Option<Vec<Fields<'_>>> {
    let data = data.trim();
    if let Some(only) = Fields::read(data) {
        return Some(vec![only]);
    }
    let lines: Vec<&str> = data.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.len() > 1 { lines.into_iter().map(Fields::read).collect() } else { None }
}

/// The number, where the JSON text is a whole one that is not negative. `12.0` is one.
pub(crate) fn count(json: &str) -> Option<u64> {
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..9e15).contains(number);
    json.parse().ok().or_else(|| json.parse::<f64>().ok().filter(whole).map(|number| number as u64))
}

fn raw(json: &str) -> Option<Raw> {
    Raw::parse(json.to_owned())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Fields, count, elements, text};

    #[test]
    fn what_nobody_takes_is_left_byte_for_byte() {
        let mut fields = Fields::read(r#"{"a": 1, "b":"x\u0041", "c" : 1.50e1 , "d":null}"#).expect("an object");
        assert_eq!(fields.take_text("b").as_deref(), Some("xA"));
        assert_eq!(fields.take_text("a"), None, "a number is no text, so it stays");
        let left: Vec<(String, String)> = fields.rest().iter().map(|(k, v)| (k.clone(), v.get().to_owned())).collect();
        assert_eq!(left, [("a".to_owned(), "1".to_owned()), ("c".to_owned(), "1.50e1".to_owned())]);
    }

    #[test]
    fn of_a_repeated_key_the_last_counts() {
        let mut fields = Fields::read(r#"{"a":1,"a":2}"#).expect("an object");
        assert_eq!(fields.take_count("a"), Some(2));
        assert!(fields.rest().is_empty());
    }

    #[test]
    fn counts_are_whole_and_never_negative() {
        let counts = ["7", "7.0", "-1", "1.5", "\"7\"", "null", "1e400", "18446744073709551615"].map(count);
        assert_eq!(counts, [Some(7), Some(7), None, None, None, None, None, Some(u64::MAX)]);
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        let read = |json| text(json).map(Cow::into_owned);
        assert_eq!(read(r#""a\ud83c\udf89\ud83c""#).as_deref(), Some("a\u{1f389}\u{fffd}"));
        assert_eq!(read(r#""\udf89\ud83cx\\ud83c\n""#).as_deref(), Some("\u{fffd}\u{fffd}x\\ud83c\n"));
        assert_eq!(read(r#""\ud83"#), None);
    }

    #[test]
    fn values_of_another_kind_are_none() {
        assert!(Fields::read("[]").is_none() && elements("{}").is_none() && text("1").is_none());
        assert_eq!(elements(" [1, {\"a\":[]}]"), Some(vec!["1", "{\"a\":[]}"]));
    }
}
