//! A provider: the checked form of one catalog row.

use std::fmt;
use std::sync::Arc;

use omniroute_domain::{Format, ModelId, ProviderId};
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::endpoint::{Endpoint, HeaderTemplate, Wire};
use crate::model::Model;

/// A vendor of models. Built from a row only, so that what a row must hold always holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id, which is also one of its prefixes.
    pub id: ProviderId,
    /// What people call it.
    pub name: Box<str>,
    /// Prefixes of model names besides the id, the preferred one first.
    pub prefixes: Box<[Box<str>]>,
    /// What it costs, roughly.
    pub tier: Tier,
    /// Whether it can be used at all.
    pub status: Status,
    /// What it accepts as a login, the preferred one first.
    pub auth: Box<[AuthKind]>,
    /// How the key is shown to it; `None` where there is none to show.
    pub auth_header: Option<HeaderTemplate>,
    /// Headers it wants besides.
    pub headers: Box<[Header]>,
    /// Its base addresses, the usual one first.
    pub base_urls: Box<[BaseUrl]>,
    /// Prefixes that lead to another base address of it.
    pub variants: Box<[Variant]>,
    /// All endpoints that are known.
    pub endpoints: Box<[Endpoint]>,
    /// The endpoint that chat goes to; `None` where it has no chat.
    pub chat: Option<Endpoint>,
    /// Its models in the order of the row.
    pub models: Box<[Model]>,
    /// Models and offers that are gone.
    pub retired: Box<[Retired]>,
    /// Whether it stands in for a person's own endpoint, which has its own model list.
    pub template: bool,
    /// Whether unknown model names are refused without asking it.
    pub closed: bool,
    /// What its terms mean for the account.
    pub terms: Terms,
    /// How a key is tested.
    pub test: TestRule,
    /// Whether a stream may be asked for its usage with `stream_options.include_usage`.
    pub stream_usage: bool,
    /// Which field limits the output.
    pub output_limit: OutputLimit,
    /// Whether prices are what the same models cost by API key, not what is paid here.
    pub notional_prices: bool,
    /// Whether it runs on the person's own machine, so that a private address is right.
    pub local: bool,
    /// Where a key is to be had.
    pub signup: Option<Box<str>>,
    /// What is free of charge, in a few words.
    pub free: Option<Box<str>>,
    /// When the row was last checked.
    pub checked: Date,
    /// What kind of evidence the row rests on.
    pub source: Arc<str>,
    /// Positions in `models`, ordered by id.
    pub(crate) by_id: Box<[u16]>,
}

impl Provider {
    /// The model of that id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        let at = |&position: &u16| self.models.get(usize::from(position));
        let found = self.by_id.binary_search_by(|position| at(position).map(|model| model.id.as_str()).cmp(&Some(id)));
        found.ok().and_then(|index| self.by_id.get(index)).and_then(at)
    }

    /// The endpoint of that name, e.g. `models`.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| &*endpoint.name == name)
    }

    /// The prefix to show model names with.
    pub fn prefix(&self) -> &str {
        self.prefixes.first().map_or(self.id.as_str(), |prefix| prefix)
    }

    /// Everything that leads to it in a model name: its id, its prefixes, those of its variants.
    pub fn all_prefixes(&self) -> impl Iterator<Item = &str> {
        let others = self.prefixes.iter().map(|prefix| &**prefix).filter(|prefix| *prefix != self.id.as_str());
        std::iter::once(self.id.as_str()).chain(others).chain(self.variants.iter().map(|variant| &*variant.prefix))
    }

    /// The variant of that prefix.
    pub fn variant(&self, prefix: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| &*variant.prefix == prefix)
    }

    /// The variant whose base address this is.
    pub fn variant_at(&self, base_url: &str) -> Option<&Variant> {
        let wanted = base_url.trim_end_matches('/');
        self.variants.iter().find(|variant| &*variant.base_url == wanted)
    }

    /// How the key is shown at an endpoint.
    pub fn auth_header_at<'a>(&'a self, endpoint: &'a Endpoint) -> Option<&'a HeaderTemplate> {
        endpoint.auth_header.as_ref().or(self.auth_header.as_ref())
    }

    /// The fixed headers for a format.
    pub fn headers_for(&self, format: Format) -> impl Iterator<Item = &Header> {
        self.headers.iter().filter(move |header| match &header.wire {
            None => true,
            Some(wire) => wire.format() == Some(format),
        })
    }

    /// Whether an API key is one way in.
    pub fn takes_key(&self) -> bool {
        self.auth.contains(&AuthKind::ApiKey)
    }

    /// Whether it can be used without any credential.
    pub fn works_without_key(&self) -> bool {
        self.auth.contains(&AuthKind::None)
    }
}

/// What a provider costs, roughly. The order is the one it is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// In the gateway itself, to try things out.
    Demo,
    /// Something is free of charge.
    Free,
    /// Little money.
    Cheap,
    /// Pay by use.
    ApiKey,
    /// A plan with a monthly price.
    Subscription,
    /// On the person's own machine.
    Local,
    /// An address of the person's choice.
    Custom,
}

impl Tier {
    /// The tier as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Free => "free",
            Self::Cheap => "cheap",
            Self::ApiKey => "api-key",
            Self::Subscription => "subscription",
            Self::Local => "local",
            Self::Custom => "custom",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Whether a provider can be used at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// In a word.
    pub state: State,
    /// Since when.
    pub since: Option<Date>,
    /// More about it, in a sentence.
    pub note: Option<Box<str>>,
    /// The provider to use in its place.
    pub instead: Option<ProviderId>,
}

/// Whether a provider can be used at all, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It works.
    Active,
    /// The free offer ended.
    PaidOnly,
    /// It works by a private or changing way.
    Fragile,
    /// It is gone.
    Dead,
}

impl State {
    /// The state as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::PaidOnly => "paid-only",
            Self::Fragile => "fragile",
            Self::Dead => "dead",
        }
    }
}

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthKind {
    /// A key the person pastes.
    ApiKey,
    /// Nothing at all.
    None,
    /// A login in the browser.
    Oauth,
    /// A code typed in on the vendor's page.
    DeviceCode,
    /// The login of another tool, taken over.
    Import,
    /// A long-lived token that buys short-lived ones.
    Exchange,
    /// A personal token handed to the vendor's own tool.
    Token,
    /// Requests signed with AWS keys.
    AwsSignature,
    /// A Google service account.
    ServiceAccount,
}

impl AuthKind {
    /// The kind as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::None => "none",
            Self::Oauth => "oauth",
            Self::DeviceCode => "device-code",
            Self::Import => "import",
            Self::Exchange => "exchange",
            Self::Token => "token",
            Self::AwsSignature => "aws-signature",
            Self::ServiceAccount => "service-account",
        }
    }

    /// The kind in words, for sentences.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::ApiKey => "an API key",
            Self::None => "no credential",
            Self::Oauth => "a browser login",
            Self::DeviceCode => "a device-code login",
            Self::Import => "the login of the vendor's own tool",
            Self::Exchange => "a token exchange",
            Self::Token => "a personal token for the vendor's own tool",
            Self::AwsSignature => "AWS request signing",
            Self::ServiceAccount => "a Google service account",
        }
    }
}

/// A header a provider wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The header.
    pub name: Box<str>,
    /// Its value.
    pub value: Box<str>,
    /// The only format it goes with; with all where absent.
    pub wire: Option<Wire>,
}

/// A base address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseUrl {
    /// The address, without a slash at its end.
    pub url: Arc<str>,
    /// When it is the right one.
    pub when: Box<str>,
}

/// A prefix that leads to another base address of the same provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The prefix.
    pub prefix: Box<str>,
    /// The base address, without a slash at its end.
    pub base_url: Arc<str>,
    /// What it is for.
    pub when: Box<str>,
}

/// A model or an offer that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// The model, or the offer in a few words.
    pub what: Box<str>,
    /// Since when.
    pub since: Date,
    /// What takes its place.
    pub instead: Option<Box<str>>,
}

/// What a provider's terms mean for the person's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How likely use through a gateway harms the account.
    pub risk: Risk,
    /// A warning to show before the account is connected.
    pub note: Option<Box<str>>,
}

/// A level of risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// None known.
    None,
    /// Tolerated.
    Low,
    /// Restrictions have been seen.
    Medium,
    /// The terms forbid it; accounts were lost.
    High,
}

impl Risk {
    /// The level as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How a credential is tested. A public model list proves nothing, so each row says what does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestRule {
    /// Ask an endpoint that answers good keys only (or, for a local server, that shows it is up).
    /// Where it is missing (404, 405), or can't move with an account's own base address, a one-token
    /// chat with the model decides.
    Get {
        /// The endpoint.
        endpoint: Box<Endpoint>,
        /// The cheapest chat model, where one is known.
        or_chat: Option<ModelId>,
    },
    /// A one-token chat with the cheapest model.
    Chat {
        /// The model; `None` where only the person knows one.
        model: Option<ModelId>,
    },
    /// No test is known, or none is needed.
    Nothing,
}

/// The field that limits the output in chat completions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputLimit {
    /// `max_tokens`.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

impl OutputLimit {
    /// The field's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}
