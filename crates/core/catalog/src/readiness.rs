//! Whether a provider can be used by this gateway as it is, and what is missing where it can't.

use std::fmt;

use omniroute_domain::{Format, ProviderId};

use crate::date::Date;
use crate::provider::{AuthKind, Provider, State, Tier};

/// Whether a provider can be connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// With a key, or with none where it needs none.
    Ready,
    /// With a key and the person's own base address, which the row can't know.
    NeedsBaseUrl {
        /// The address with its holes, e.g. `https://{resource}.openai.azure.com/openai/v1`.
        template: String,
    },
    /// Not yet.
    Later {
        /// What is missing, as part of a sentence: `needs a browser login, which comes later`.
        why: String,
    },
    /// Not any more.
    Retired {
        /// Since when.
        since: Option<Date>,
        /// The provider to use in its place.
        instead: Option<ProviderId>,
    },
}

impl Readiness {
    /// Whether it can be connected, given a base address where one is needed.
    pub fn can_connect(&self) -> bool {
        match self {
            Self::Ready | Self::NeedsBaseUrl { .. } => true,
            Self::Later { .. } | Self::Retired { .. } => false,
        }
    }

    /// The readiness as it stands in answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NeedsBaseUrl { .. } => "needs-base-url",
            Self::Later { .. } => "later",
            Self::Retired { .. } => "retired",
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => out.write_str("ready"),
            Self::NeedsBaseUrl { template } => write!(out, "ready with its own base address, e.g. `{template}`"),
            Self::Later { why } => out.write_str(why),
            Self::Retired { since, instead } => {
                out.write_str("retired")?;
                if let Some(since) = since {
                    write!(out, " since {since}")?;
                }
                if let Some(instead) = instead {
                    write!(out, ", use `{instead}`")?;
                }
                Ok(())
            }
        }
    }
}

impl Provider {
    /// Whether it can be connected as the gateway is today.
    pub fn readiness(&self) -> Readiness {
        if self.status.state == State::Dead {
            return Readiness::Retired { since: self.status.since, instead: self.status.instead.clone() };
        }
        if self.tier == Tier::Demo {
            return Readiness::Ready;
        }
        let Some(chat) = &self.chat else { return Readiness::Later { why: self.no_chat() } };
        let speaks = chat.wire.as_ref().map_or("a way of its own", |wire| wire.as_str());
        let known = chat.wire.as_ref().and_then(|wire| wire.format()) == Some(Format::OpenAiChat);
        match (self.missing_login(), known) {
            (None, true) if chat.needs_base_url() => {
                Readiness::NeedsBaseUrl { template: chat.base().unwrap_or_default().to_owned() }
            }
            (None, true) => Readiness::Ready,
            (None, false) => Readiness::Later { why: format!("speaks `{speaks}`, which comes later") },
            (Some(login), true) => Readiness::Later { why: format!("needs {login}, which comes later") },
            (Some(login), false) => {
                Readiness::Later { why: format!("needs {login} and speaks `{speaks}`; both come later") }
            }
        }
    }

    /// The login that is missing, in words; `None` where a key or nothing suffices.
    fn missing_login(&self) -> Option<&'static str> {
        let suffices = self.auth.iter().any(|kind| matches!(kind, AuthKind::ApiKey | AuthKind::None));
        if suffices { None } else { self.auth.first().map(|kind| kind.in_words()).or(Some("a login")) }
    }

    fn no_chat(&self) -> String {
        const OFFERS: [&str; 5] = ["embeddings", "rerank", "images", "speech", "transcriptions"];
        let offers: Vec<&str> = OFFERS.into_iter().filter(|name| self.endpoint(name).is_some()).collect();
        match offers.as_slice() {
            [] => "has no chat endpoint".to_owned(),
            offers => format!("has no chat; {} come later", offers.join(" and ")),
        }
    }
}
