//! The canonical answer, whole.

use serde::{Deserialize, Serialize};

use crate::block::Block;
use crate::raw::{Extra, Raw};
use crate::usage::Usage;

/// What a provider answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatResponse {
    /// The provider's id of the answer.
    pub id: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// Unix seconds, as the provider gave them; 0 where it gave none.
    pub created: u64,
    /// The answers: one, or as many as `n` asked for.
    pub choices: Vec<Choice>,
    /// Token counts.
    pub usage: Usage,
    /// Fields with no place here.
    pub extra: Extra,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its content in order.
    pub blocks: Vec<Block>,
    /// Why it ended.
    pub stop: Stop,
    /// Token log-probabilities, as the vendor wrote them.
    pub logprobs: Option<Raw>,
    /// Fields with no place here.
    pub extra: Extra,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The reason in our words.
    pub reason: StopReason,
    /// The provider's word, where it is not the usual one for the reason.
    pub raw: Option<String>,
    /// The stop sequence that was hit.
    pub sequence: Option<String>,
    /// More about it, as the provider wrote it.
    pub details: Option<Raw>,
}

impl Stop {
    /// A reason and nothing more.
    pub fn new(reason: StopReason) -> Self {
        Self { reason, raw: None, sequence: None, details: None }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model was done.
    EndTurn,
    /// A stop sequence was hit.
    StopSequence,
    /// The output limit was reached.
    MaxTokens,
    /// The model waits for tool results.
    ToolUse,
    /// A filter stopped it.
    ContentFilter,
    /// The model declined.
    Refusal,
    /// The provider paused a long turn; it goes on when asked again.
    PauseTurn,
    /// The context window was full.
    ContextWindow,
    /// The provider gave up.
    Error,
    /// A word no decoder knows; see `Stop::raw`.
    Other,
}
