//! The loss ledger: what an encoder could not carry into another format.

use serde::{Deserialize, Serialize};

/// How much a loss matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The answer can't differ: a hint, a label, an order nobody reads.
    Note,
    /// The answer may differ a little.
    Minor,
    /// The request means something else without it; refused before the provider is called.
    Fatal,
}

/// One thing left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Where it stood, e.g. `messages[3].content[1]`.
    pub path: String,
    /// What it was, e.g. `cache_control`.
    pub what: String,
    /// How much it matters.
    pub severity: Severity,
}
