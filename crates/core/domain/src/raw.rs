//! JSON carried as it came: byte for byte, numbers and key order included.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value, kept as its text. Used only for subtrees we carry and do not read:
/// tool schemas, vendor extras, unknown blocks.
#[derive(Clone)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// Takes over a JSON text; `None` where it is not one JSON value.
    pub fn parse(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(Self)
    }

    /// The JSON text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Reads the value into a type; `None` where it does not fit.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Raw {}

impl fmt::Debug for Raw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.get())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(target)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(source).map(Self)
    }
}

/// Fields of an object that have no place in the canonical form, in the order they came.
/// They go back out into the format they came from, and are named as lost in any other.
pub type Extra = Vec<(String, Raw)>;
