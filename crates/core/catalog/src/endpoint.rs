//! Where a provider takes requests, and how a credential is shown there.

use std::fmt;
use std::sync::Arc;

use omniroute_domain::Format;
use serde::{Deserialize, Serialize};

/// The dialect of an endpoint: a format the gateway knows by type, or a vendor's own by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wire(Box<str>);

impl Wire {
    /// The name as rows write it, e.g. `openai-chat`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The chat format of that name; `None` for embeddings, images and vendors' own dialects.
    pub fn format(&self) -> Option<Format> {
        [Format::OpenAiChat, Format::OpenAiResponses, Format::Anthropic, Format::Gemini, Format::Ollama]
            .into_iter()
            .find(|format| format.as_str() == self.as_str())
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The HTTP method of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

impl Method {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// How a credential goes into a header: `{key}` stands for the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderTemplate {
    /// The header.
    pub name: Box<str>,
    /// Its value, with `{key}` in it once.
    pub value: Box<str>,
}

impl HeaderTemplate {
    /// What stands before and after the key.
    pub fn around(&self) -> (&str, &str) {
        self.value.split_once("{key}").unwrap_or((&self.value, ""))
    }
}

/// One endpoint of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What it is for: `chat`, `messages`, `responses`, `models`, `embeddings`, `usage`, …
    pub name: Box<str>,
    /// How it is called.
    pub method: Method,
    /// What it speaks; `None` where rows do not say (account and quota endpoints).
    pub wire: Option<Wire>,
    /// Its own way to show the key, where it differs from the provider's.
    pub auth_header: Option<HeaderTemplate>,
    /// Whether it stands here from general knowledge and was not checked against a source.
    pub unconfirmed: bool,
    pub(crate) address: Address,
}

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Below a base address, which an account or a prefix may replace.
    Below {
        /// The usual base address, without a slash at its end.
        base: Arc<str>,
        /// The path, with a slash at its start.
        path: Box<str>,
    },
    /// At one address only, wherever the account's base address is.
    Fixed(Box<str>),
}

impl Endpoint {
    /// The usual address. It may hold placeholders: `{region}`, `{account_id}`, `{m}` for the model.
    pub fn url(&self) -> String {
        match &self.address {
            Address::Below { base, path } => format!("{base}{path}"),
            Address::Fixed(url) => url.to_string(),
        }
    }

    /// The address below another base address; `None` where the endpoint can't move with it.
    pub fn url_at(&self, base: &str) -> Option<String> {
        match &self.address {
            Address::Below { base: _, path } => Some(format!("{}{path}", base.trim_end_matches('/'))),
            Address::Fixed(_) => None,
        }
    }

    /// The usual base address; `None` where the endpoint has a fixed address.
    pub fn base(&self) -> Option<&str> {
        match &self.address {
            Address::Below { base, path: _ } => Some(base),
            Address::Fixed(_) => None,
        }
    }

    /// Whether the usual address has holes only the account can fill.
    pub fn needs_base_url(&self) -> bool {
        match &self.address {
            Address::Below { base, path: _ } => has_holes(base),
            Address::Fixed(url) => has_holes(url),
        }
    }
}

/// Whether an address has placeholders other than the model's.
pub(crate) fn has_holes(address: &str) -> bool {
    address.split('{').skip(1).any(|rest| !rest.starts_with("m}") && !rest.starts_with("model}"))
}
