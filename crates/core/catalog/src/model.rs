//! Models of a provider, with their prices and what they can do.

use std::sync::Arc;

use omniroute_domain::{ModelId, Price};
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::endpoint::Wire;

/// One model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// What the provider calls it.
    pub id: ModelId,
    /// What people call it, where that differs from the id.
    pub name: Option<Box<str>>,
    /// What it is for.
    pub kind: Kind,
    /// What it speaks, where that is not what the provider's chat endpoint speaks.
    pub wire: Option<Wire>,
    /// Tokens of input and output together (or of input, as the vendor counts).
    pub context: Option<u32>,
    /// The most output tokens.
    pub max_output: Option<u32>,
    /// List price; `None` is unknown, not free.
    pub price: Option<Price>,
    /// What it can do; `None` is unknown.
    pub features: Option<Features>,
    /// How its reasoning is steered, where that is known.
    pub thinking: Option<Box<Thinking>>,
    /// When it came out.
    pub released: Option<Date>,
    /// When it ends, or ended.
    pub shutdown: Option<Date>,
    /// What else to know, in a few words.
    pub about: Option<Box<str>>,
    /// Whether its id was not found in any list of the provider's.
    pub unconfirmed: bool,
    /// Whether it is left out of model lists.
    pub hidden: bool,
    /// What kind of evidence these facts rest on.
    pub source: Arc<str>,
    /// When they were last checked.
    pub checked: Date,
}

impl Model {
    /// The name to show.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }
}

/// What a model is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Conversation.
    #[default]
    Chat,
    /// Vectors for texts.
    Embedding,
    /// Pictures.
    Image,
    /// Films.
    Video,
    /// Text to sound.
    Speech,
    /// Sound to text.
    Transcription,
    /// Judging content.
    Moderation,
    /// Ordering documents by relevance.
    Rerank,
    /// Something else.
    Other,
}

impl Kind {
    /// The kind as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Image => "image",
            Self::Video => "video",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Moderation => "moderation",
            Self::Rerank => "rerank",
            Self::Other => "other",
        }
    }
}

/// What a model can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Features(u8);

/// One thing a model can do, as rows write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Feature {
    Tools,
    Reasoning,
    Vision,
    JsonSchema,
    NoTemperature,
}

impl Features {
    pub(crate) fn new(features: &[Feature]) -> Self {
        Self(features.iter().fold(0, |bits, feature| bits | 1 << *feature as u8))
    }

    fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }

    /// It can call tools.
    pub fn tools(self) -> bool {
        self.has(Feature::Tools)
    }

    /// It reasons before it answers.
    pub fn reasoning(self) -> bool {
        self.has(Feature::Reasoning)
    }

    /// It sees pictures.
    pub fn vision(self) -> bool {
        self.has(Feature::Vision)
    }

    /// It can be held to a JSON schema.
    pub fn json_schema(self) -> bool {
        self.has(Feature::JsonSchema)
    }

    /// It takes a temperature.
    pub fn temperature(self) -> bool {
        !self.has(Feature::NoTemperature)
    }
}

/// How a model's reasoning is steered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Thinking {
    /// By one of these words, weakest first.
    Levels(Box<[Box<str>]>),
    /// By a number of tokens between these two.
    Budget(u32, u32),
}
