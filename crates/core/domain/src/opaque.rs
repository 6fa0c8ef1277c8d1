//! A provider's opaque state: thinking signatures, thought signatures, encrypted reasoning.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose state it is. State goes back only to the family it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Claude models, whoever serves them.
    Anthropic,
    /// Gemini models.
    Gemini,
    /// OpenAI models.
    OpenAi,
    /// Grok models.
    Xai,
    /// Kimi models.
    Kimi,
    /// Where it came from is not known; it is never sent on.
    Unknown,
}

/// What kind of state it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpaqueKind {
    /// Proves that visible reasoning is the model's own.
    Signature,
    /// Reasoning the vendor hides.
    Redacted,
    /// Reasoning the vendor encrypts for replay.
    Encrypted,
}

/// A piece of provider state with its provenance. Never made up, never sent to another family.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opaque {
    /// Whose it is.
    pub family: Family,
    /// The model it came from, where known.
    pub model: Option<String>,
    /// What it is.
    pub kind: OpaqueKind,
    /// The state as the provider wrote it (base64 or base64url, not decoded).
    pub data: String,
}

impl fmt::Debug for Opaque {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head: String = self.data.chars().take(8).collect();
        write!(out, "Opaque({:?} {:?} {head}… {} bytes)", self.family, self.kind, self.data.len())
    }
}
