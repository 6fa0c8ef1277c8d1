//! The canonical stream: what a decoder gives and an encoder takes.
//!
//! Contract: one `Start`; every `BlockStart` has its `BlockStop`; at most one `Finish`, after which a
//! `Usage` may still come; then `End` exactly once, or `Error` exactly once in its place. Block
//! numbers are unique and grow in order of first appearance; blocks may be open side by side.

use serde::{Deserialize, Serialize};

use crate::block::Citation;
use crate::fault::Fault;
use crate::opaque::Opaque;
use crate::raw::Raw;
use crate::response::Stop;
use crate::usage::Usage;

/// The number of a block within an answer.
pub type BlockIndex = u32;

/// One event of a streamed answer.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    /// The answer begins.
    Start {
        /// The provider's id of the answer; empty where it gave none.
        id: String,
        /// The model that answers; empty where it gave none.
        model: String,
        /// Unix seconds; 0 where it gave none.
        created: u64,
    },
    /// A block begins.
    BlockStart {
        /// Its number.
        block: BlockIndex,
        /// Which answer it belongs to, where `n` asked for several.
        choice: u32,
        /// What it is.
        kind: BlockKind,
    },
    /// More text of a text or refusal block.
    Text {
        /// The block.
        block: BlockIndex,
        /// The piece.
        text: String,
    },
    /// More reasoning.
    Thinking {
        /// The block.
        block: BlockIndex,
        /// The piece.
        text: String,
    },
    /// The state of a reasoning block.
    State {
        /// The block.
        block: BlockIndex,
        /// The state.
        state: Opaque,
    },
    /// More of a tool call's input, raw as the model wrote it.
    ToolInput {
        /// The block.
        block: BlockIndex,
        /// The piece.
        fragment: String,
    },
    /// A citation for a text block.
    Citation {
        /// The block.
        block: BlockIndex,
        /// The citation.
        citation: Citation,
    },
    /// A block is complete.
    BlockStop {
        /// Its number.
        block: BlockIndex,
    },
    /// Token counts so far: cumulative, the last report wins.
    Usage(Usage),
    /// Why an answer ended.
    Finish {
        /// Which answer, where `n` asked for several.
        choice: u32,
        /// Why.
        stop: Stop,
    },
    /// The stream is complete.
    End,
    /// The stream broke; nothing follows.
    Error(Fault),
    /// The provider is still there.
    KeepAlive,
    /// Something no decoder knows, as it came.
    Unknown(Raw),
}

/// What a streamed block is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    /// Text.
    Text,
    /// Reasoning.
    Thinking,
    /// A refusal in words.
    Refusal,
    /// A call of a client-side tool.
    ToolCall {
        /// Ties the result to the call.
        id: String,
        /// The tool.
        name: String,
        /// Whether its input is free text.
        freeform: bool,
    },
}
