//! What a turn is made of.

use serde::{Deserialize, Serialize};

use crate::opaque::Opaque;
use crate::raw::{Extra, Raw};

/// One block of a turn or of an answer. Order is meaning: thinking, text and tool calls stay where
/// the model put them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub body: BlockBody,
    /// A prompt-cache mark set on it.
    pub cache: Option<CacheMark>,
    /// Fields of the source object that have no place here.
    pub extra: Extra,
}

impl Block {
    /// A block with neither mark nor extras.
    pub fn new(body: BlockBody) -> Self {
        Self { body, cache: None, extra: Extra::new() }
    }

    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(BlockBody::Text(Text { text: text.into(), ..Text::default() }))
    }

    /// The text, where it is a text block.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            BlockBody::Text(text) => Some(&text.text),
            BlockBody::Image(_)
            | BlockBody::Document(_)
            | BlockBody::Audio(_)
            | BlockBody::Video(_)
            | BlockBody::Thinking(_)
            | BlockBody::ToolCall(_)
            | BlockBody::ToolResult(_)
            | BlockBody::ServerToolCall(_)
            | BlockBody::ServerToolResult(_)
            | BlockBody::Refusal(_)
            | BlockBody::Compaction(_)
            | BlockBody::StateOnly(_)
            | BlockBody::Unknown(_) => None,
        }
    }
}

/// A prompt-cache mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheMark {
    /// How long, e.g. `5m`, `1h`.
    pub ttl: Option<String>,
    /// The mark as it came.
    pub raw: Option<Raw>,
}

/// The kinds of block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockBody {
    /// Text, with its citations.
    Text(Text),
    /// A picture.
    Image(Image),
    /// A document.
    Document(Document),
    /// Sound.
    Audio(Audio),
    /// A film.
    Video(Source),
    /// The model's reasoning.
    Thinking(Thinking),
    /// The model asks the client to run a tool.
    ToolCall(ToolCall),
    /// The client answers a tool call.
    ToolResult(ToolResult),
    /// The provider ran a tool of its own.
    ServerToolCall(ServerToolCall),
    /// What the provider's own tool found.
    ServerToolResult(ServerToolResult),
    /// The model declined, in words.
    Refusal(String),
    /// A vendor's compacted history.
    Compaction(Opaque),
    /// State that stands alone or hangs on a neighbour.
    StateOnly(StateOnly),
    /// A block no decoder knows, as it came.
    Unknown(Raw),
}

/// Text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Where it says it has it from.
    pub citations: Vec<Citation>,
    /// Token log-probabilities, as the vendor wrote them.
    pub logprobs: Option<Raw>,
    /// State that hangs on this text.
    pub state: Option<Opaque>,
}

/// A place a text refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Citation {
    /// A web page. Offsets are characters of the text the citation hangs on.
    Url {
        /// Address of the page.
        url: String,
        /// Its title.
        title: Option<String>,
        /// First character.
        start: Option<u64>,
        /// One past the last character.
        end: Option<u64>,
    },
    /// A vendor's own kind, as it came.
    Raw(Raw),
}

/// Where bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// In the request, base64.
    Base64 {
        /// Media type, e.g. `image/png`; empty where the client gave none.
        mime: String,
        /// The base64 text.
        data: String,
    },
    /// At an address.
    Url(String),
    /// Uploaded earlier, by the vendor's id.
    FileId(String),
    /// As plain text.
    Text(String),
    /// As blocks.
    Blocks(Vec<Block>),
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its bytes.
    pub source: Source,
    /// `auto`, `low`, `high` or `original`.
    pub detail: Option<String>,
    /// State that hangs on this picture.
    pub state: Option<Opaque>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its bytes.
    pub source: Source,
    /// Its title.
    pub title: Option<String>,
    /// What it is about.
    pub context: Option<String>,
    /// Whether the model should cite it.
    pub citations: Option<bool>,
    /// Its file name.
    pub filename: Option<String>,
}

/// Sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// `wav`, `mp3`, …
    pub format: Option<String>,
    /// The sound, base64; or the id of an earlier answer's sound.
    pub source: Source,
    /// What is said in it.
    pub transcript: Option<String>,
}

/// Reasoning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinking {
    /// The reasoning, or its summary, as text.
    pub text: String,
    /// The parts of a summary, where the vendor splits it.
    pub summary: Vec<String>,
    /// The proof or the hidden rest.
    pub state: Option<Opaque>,
    /// Whether the vendor hides it altogether.
    pub redacted: bool,
    /// The vendor's id of the item.
    pub item_id: Option<String>,
}

/// A call of a client-side tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The group the tool is in, where the format has groups.
    pub namespace: Option<String>,
    /// What it is called with.
    pub input: ToolInput,
    /// State that hangs on this call.
    pub state: Option<Opaque>,
    /// The vendor's id of the item.
    pub item_id: Option<String>,
}

/// The input of a tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToolInput {
    /// JSON arguments: exactly the text the model wrote, which may be no valid JSON.
    Json(String),
    /// Free text, for tools with a grammar instead of a schema.
    Freeform(String),
}

/// The answer to a tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call it answers.
    pub call_id: String,
    /// The tool, where the format names it.
    pub name: Option<String>,
    /// What came out: text, pictures, documents.
    pub blocks: Vec<Block>,
    /// Whether the tool failed; `None` where the format has no such flag.
    pub is_error: Option<bool>,
}

/// A call of a tool the provider runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// `web_search`, `code_execution`, …
    pub kind: String,
    /// What it was called with.
    pub input: Option<Raw>,
    /// How far it is.
    pub status: Option<String>,
}

/// What a tool of the provider found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerToolResult {
    /// The call it answers.
    pub call_id: String,
    /// The kind of tool.
    pub kind: String,
    /// The result as it came.
    pub raw: Raw,
    /// Why it failed, where it did.
    pub error: Option<String>,
}

/// State without a visible block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateOnly {
    /// The state.
    pub state: Opaque,
    /// Which neighbour it belongs to.
    pub attach: Attach,
}

/// Which neighbour a lone state belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attach {
    /// The block before.
    Previous,
    /// The block after.
    Next,
    /// None.
    Standalone,
}
