//! The canonical chat request.

use serde::{Deserialize, Serialize};

use crate::block::{Block, CacheMark};
use crate::format::Format;
use crate::raw::{Extra, Raw};

/// What a client asks, whatever dialect it asked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The model as the client named it.
    pub model: String,
    /// Leading system text, block by block.
    pub system: Vec<SystemBlock>,
    /// The conversation.
    pub turns: Vec<Turn>,
    /// Tools the model may call.
    pub tools: Vec<Tool>,
    /// How it may call them.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once.
    pub parallel_tools: Option<bool>,
    /// Sampling.
    pub sampling: Sampling,
    /// The most output tokens, and which spelling of the field said so.
    pub max_output: Option<MaxOutput>,
    /// Reasoning.
    pub reasoning: Reasoning,
    /// How long-winded the answer may be: `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    /// The form the answer must have.
    pub output_format: OutputFormat,
    /// Output modalities, e.g. `text`, `audio`.
    pub modalities: Vec<String>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether the client asked for a usage event in the stream.
    pub stream_usage: bool,
    /// Prompt caching.
    pub cache: CacheHints,
    /// Who asks, and what it continues.
    pub session: SessionHints,
    /// The service tier asked for.
    pub service_tier: Option<String>,
    /// Labels the vendor keeps with the request.
    pub metadata: Option<Raw>,
    /// Fields with no place here, in the order they came.
    pub extra: Extra,
    /// The dialect it came in.
    pub origin: Format,
}

impl ChatRequest {
    /// An empty request for a model, to be filled in.
    pub fn new(model: impl Into<String>, origin: Format) -> Self {
        Self {
            model: model.into(),
            system: Vec::new(),
            turns: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tools: None,
            sampling: Sampling::default(),
            max_output: None,
            reasoning: Reasoning::default(),
            verbosity: None,
            output_format: OutputFormat::Text,
            modalities: Vec::new(),
            stream: false,
            stream_usage: false,
            cache: CacheHints::default(),
            session: SessionHints::default(),
            service_tier: None,
            metadata: None,
            extra: Extra::new(),
            origin,
        }
    }
}

/// One block of leading system text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemBlock {
    /// Which of the two names the client used.
    pub priority: Priority,
    /// The text block.
    pub block: Block,
    /// The message the block stood in: blocks with the same number share one message.
    pub message: usize,
}

/// The two kinds of instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// `system`.
    System,
    /// `developer`.
    Developer,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person or their tool.
    User,
    /// The model.
    Assistant,
    /// An instruction in the middle of the conversation.
    System(Priority),
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub blocks: Vec<Block>,
    /// The speaker's name.
    pub name: Option<String>,
    /// The vendor's id of the item.
    pub id: Option<String>,
    /// How far the item is.
    pub status: Option<String>,
    /// Commentary or final answer, where the format tells them apart.
    pub phase: Option<String>,
    /// Fields with no place here.
    pub extra: Extra,
}

impl Turn {
    /// A turn of blocks, nothing else set.
    pub fn new(role: Role, blocks: Vec<Block>) -> Self {
        Self { role, blocks, name: None, id: None, status: None, phase: None, extra: Extra::new() }
    }
}

/// A tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// What it is.
    pub body: ToolBody,
    /// A prompt-cache mark set on it.
    pub cache: Option<CacheMark>,
    /// Fields with no place here.
    pub extra: Extra,
}

/// The kinds of tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToolBody {
    /// A function with JSON arguments.
    Function {
        /// Its name.
        name: String,
        /// The group it is in.
        namespace: Option<String>,
        /// What it does.
        description: Option<String>,
        /// JSON schema of its arguments.
        schema: Option<Raw>,
        /// Whether arguments must fit the schema exactly.
        strict: Option<bool>,
        /// Whether it is loaded only when searched for.
        defer: Option<bool>,
    },
    /// A tool with free text input.
    Freeform {
        /// Its name.
        name: String,
        /// The group it is in.
        namespace: Option<String>,
        /// What it does.
        description: Option<String>,
        /// The grammar of its input, as the vendor writes it.
        format: Option<Raw>,
    },
    /// A tool the provider runs, as it came.
    Hosted {
        /// Its type, e.g. `web_search`.
        kind: String,
        /// The whole entry.
        raw: Raw,
    },
}

/// How tools may be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToolChoice {
    /// Not at all.
    None,
    /// As the model likes.
    Auto,
    /// At least one.
    Required,
    /// This one.
    Tool {
        /// Its name.
        name: String,
        /// Whether it is a freeform tool.
        freeform: bool,
    },
    /// Some of them.
    Allowed {
        /// Whether one of them must be called.
        required: bool,
        /// The tools, as the vendor writes them.
        tools: Raw,
    },
    /// A vendor's own way, as it came.
    Other(Raw),
}

/// Sampling. Numbers are kept as the text the client wrote, so that none changes its value on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// Temperature.
    pub temperature: Option<Raw>,
    /// Nucleus.
    pub top_p: Option<Raw>,
    /// The k likeliest.
    pub top_k: Option<Raw>,
    /// Seed.
    pub seed: Option<Raw>,
    /// Frequency penalty.
    pub frequency_penalty: Option<Raw>,
    /// Presence penalty.
    pub presence_penalty: Option<Raw>,
    /// Stop sequences.
    pub stop: Vec<String>,
    /// How many answers.
    pub n: Option<u64>,
    /// Whether log-probabilities are wanted.
    pub logprobs: Option<bool>,
    /// How many of the likeliest tokens to list.
    pub top_logprobs: Option<u64>,
    /// Biases by token.
    pub logit_bias: Option<Raw>,
}

/// The most output tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxOutput {
    /// How many.
    pub tokens: u64,
    /// Whether the client used the older `max_tokens` spelling, where a format has two.
    pub legacy_field: bool,
}

/// Reasoning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasoning {
    /// How much.
    pub mode: ReasoningMode,
    /// Whether the client wants to see it.
    pub display: Option<String>,
    /// The vendor's own object, as it came.
    pub raw: Option<Raw>,
}

/// How much to reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReasoningMode {
    /// The client did not say.
    #[default]
    Unset,
    /// Not at all.
    Off,
    /// As the model likes.
    Auto,
    /// `minimal`, `low`, `medium`, `high`, `xhigh`, `max` or a vendor's own word.
    Level(String),
    /// At most this many tokens.
    Budget(u64),
}

/// The form the answer must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputFormat {
    /// The client did not ask for any, or asked for text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// The schema's name.
        name: Option<String>,
        /// What it describes.
        description: Option<String>,
        /// The schema.
        schema: Option<Raw>,
        /// Whether it must fit exactly.
        strict: Option<bool>,
    },
    /// A vendor's own form, as it came.
    Other(Raw),
}

/// Prompt caching for the whole request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheHints {
    /// Requests with the same key are likely to share a prefix.
    pub key: Option<String>,
    /// How long to keep it.
    pub retention: Option<String>,
}

/// Who asks, and what it continues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHints {
    /// The end user's id.
    pub user: Option<String>,
    /// The end user's id for abuse checks.
    pub safety_identifier: Option<String>,
    /// The conversation.
    pub conversation_id: Option<String>,
    /// The response this one follows.
    pub previous_response_id: Option<String>,
    /// Whether the vendor may keep the answer.
    pub store: Option<bool>,
}
