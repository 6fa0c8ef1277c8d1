//! Testing an account, and asking which models it has.
//!
//! The rule: 401 and 403 mean the key is refused; an answer that complains about anything else (the
//! model, the quota, the request) proves that the key is known. A missing model list proves nothing,
//! so a one-token chat decides then, where a model is known to ask.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use omniroute_catalog::{OutputLimit, Provider, TestRule};
use omniroute_domain::{Fault, FaultKind};
use omniroute_wire::splice::Splice;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::account::{Account, HttpRoute, Route};
use crate::send::{Call, Upstream};

/// What a test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// In a word.
    pub outcome: Outcome,
    /// In a sentence.
    pub message: String,
    /// The stable code of what went wrong, where something did.
    pub code: Option<String>,
    /// How long the provider took.
    pub latency: Duration,
}

/// What a test found, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider answered and knows the key.
    Works,
    /// The provider answered, but whether it knows the key can't be told.
    Reachable,
    /// The provider does not accept the key.
    KeyRefused,
    /// The provider can't be reached or does not answer as it should.
    Broken,
}

impl Outcome {
    /// Whether requests can be expected to succeed.
    pub fn is_valid(self) -> bool {
        matches!(self, Self::Works | Self::Reachable)
    }
}

/// A model an account has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SeenModel {
    /// What the provider calls it.
    pub id: String,
    /// What it is shown as, where the provider says.
    #[serde(default, alias = "display_name")]
    pub name: Option<String>,
}

/// Tests an account.
pub async fn probe(upstream: &Upstream, account: &Account, row: &Provider) -> Verdict {
    let begun = Instant::now();
    let Found { outcome, message, code } = match (&account.route, &row.test) {
        (Route::Demo, _) | (_, TestRule::Nothing) => Found::good("needs no test"),
        (Route::Http(route), TestRule::Get { or_chat, .. }) => match ask(upstream, route).await {
            Ok(said) => Found::good(said),
            Err(fault) if lacks_page(&fault) => match or_chat {
                Some(model) => chat(upstream, account, model.as_str(), row.output_limit).await,
                None => untold(),
            },
            Err(fault) => judge(account.redacted(fault)),
        },
        (Route::Http(_), TestRule::Chat { model: Some(model) }) => {
            chat(upstream, account, model.as_str(), row.output_limit).await
        }
        (Route::Http(route), TestRule::Chat { model: None }) => match seen(upstream, route).await {
            Ok(_) => untold(),
            Err(fault) => judge(account.redacted(fault)),
        },
    };
    Verdict { outcome, message, code, latency: begun.elapsed() }
}

/// Asks the page that only a good key opens.
async fn ask(upstream: &Upstream, route: &HttpRoute) -> Result<String, Fault> {
    if route.test == route.models {
        let models = seen(upstream, route).await?;
        return Ok(format!("the key works; {} models listed", models.len()));
    }
    let Some(uri) = &route.test else { return Err(no_page()) };
    upstream.get(route, uri).await.map(|_| "the key works".to_owned())
}

/// A verdict without its time.
struct Found {
    outcome: Outcome,
    message: String,
    code: Option<String>,
}

impl Found {
    fn good(message: impl Into<String>) -> Self {
        Self { outcome: Outcome::Works, message: message.into(), code: None }
    }
}

fn untold() -> Found {
    let message = "the address answers, but says nothing about the key; the first request will tell".into();
    Found { outcome: Outcome::Reachable, message, code: None }
}

/// The models an account has, as the provider lists them.
pub async fn models(upstream: &Upstream, account: &Account) -> Result<Vec<SeenModel>, Fault> {
    match &account.route {
        Route::Demo => Ok(Vec::new()),
        Route::Http(route) => seen(upstream, route).await.map_err(|fault| account.redacted(fault)),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Listing {
    Data { data: Vec<SeenModel> },
    Models { models: Vec<SeenModel> },
    Bare(Vec<SeenModel>),
}

async fn seen(upstream: &Upstream, route: &HttpRoute) -> Result<Vec<SeenModel>, Fault> {
    let Some(uri) = &route.models else { return Err(no_page()) };
    let mut answer = upstream.get(route, uri).await?;
    let text = answer.body.collect(upstream.limits.reply_bytes).await?;
    match serde_json::from_slice(&text) {
        Ok(Listing::Data { data: models } | Listing::Models { models } | Listing::Bare(models)) => Ok(models),
        Err(why) => {
            let text = "the address answers, but not with a list of models; does it have to end in `/v1`?";
            Err(Fault::new(FaultKind::Upstream, "upstream_not_json", text).because(why))
        }
    }
}

fn no_page() -> Fault {
    let mut fault = Fault::new(FaultKind::NotFound, "no_model_list", "the provider has no list of models");
    fault.upstream_status = Some(404);
    fault
}

fn lacks_page(fault: &Fault) -> bool {
    matches!(fault.upstream_status, Some(404 | 405))
}

#[derive(Serialize)]
struct Ping<'a> {
    model: &'a str,
    messages: [PingMessage; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
}

#[derive(Serialize)]
struct PingMessage {
    role: &'static str,
    content: &'static str,
}

async fn chat(upstream: &Upstream, account: &Account, model: &str, limit: OutputLimit) -> Found {
    let one = |wanted| (limit == wanted).then_some(1);
    let ping = Ping {
        model,
        messages: [PingMessage { role: "user", content: "hi" }],
        max_tokens: one(OutputLimit::MaxTokens),
        max_completion_tokens: one(OutputLimit::MaxCompletionTokens),
    };
    let body = Splice::new(Bytes::from(serde_json::to_vec(&ping).unwrap_or_default())).finish();
    let call = Call { account, base: None, body: &body, stream: false, client: &HeaderMap::new() };
    match upstream.chat(call).await {
        Ok(mut answer) => match answer.body.collect(upstream.limits.reply_bytes).await {
            Ok(_) => Found::good(format!("the key works; `{model}` answered")),
            Err(fault) => judge(account.redacted(fault)),
        },
        Err(fault) => judge(account.redacted(fault)),
    }
}

/// What a refusal says about the key.
fn judge(fault: Fault) -> Found {
    let complains_of_key =
        fault.kind == FaultKind::BadRequest && fault.message.to_ascii_lowercase().contains("api key");
    let (outcome, message) = match fault.upstream_status {
        Some(401 | 403) => (Outcome::KeyRefused, format!("the provider refused the key: {}", fault.message)),
        _ if complains_of_key => (Outcome::KeyRefused, format!("the provider refused the key: {}", fault.message)),
        Some(400 | 402 | 404 | 422 | 429) => {
            return Found::good(format!("the key is known; the provider said: {}", fault.message));
        }
        _ => (Outcome::Broken, fault.message),
    };
    Found { outcome, message, code: Some(fault.code.into_owned()) }
}
