//! Testing an account, and how the outcome is said.

use std::borrow::Cow;
use std::time::Duration;

use omniroute_catalog::{Provider, TestRule};
use omniroute_domain::ModelId;
use omniroute_store::accounts::{TestStatus, Tested};
use omniroute_upstream::Account;
use omniroute_upstream::probe::{self, Outcome, SeenModel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::{iso, now_ms};
use crate::instance::Instance;

/// How long a test may take in all.
const PATIENCE: Duration = Duration::from_secs(30);
/// As much of a provider's words as is kept.
const LONGEST: usize = 300;

/// What a test of an account found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestReply {
    /// Whether requests can be expected to succeed.
    pub(crate) valid: bool,
    /// In a word: `works`, `reachable` (the key could not be tested), `key-refused` or `broken`.
    #[schema(value_type = String, example = "works")]
    pub(crate) outcome: &'static str,
    /// In a sentence.
    pub(crate) message: String,
    /// The same sentence, where the account is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The stable code of what went wrong, e.g. `URL_GUARD_BLOCKED` or `upstream_connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// How long the provider took.
    pub(crate) latency_ms: u64,
    /// When.
    pub(crate) tested_at: String,
    #[serde(skip)]
    at: i64,
}

impl TestReply {
    /// What of it is kept with the account.
    pub(crate) fn tested(&self) -> Tested {
        let status = if self.valid { TestStatus::Ok } else { TestStatus::Failed };
        Tested { status, error: self.error.clone(), at: self.at }
    }
}

/// How an account is tested.
pub(crate) struct Examined<'a> {
    pub(crate) account: &'a Account,
    pub(crate) row: &'a Provider,
    /// The account's own model to ask, where it has one.
    pub(crate) model: Option<&'a ModelId>,
}

/// Tests an account. What the provider says comes without the key: `probe` takes it out.
pub(crate) async fn examine(instance: &Instance, examined: Examined<'_>) -> TestReply {
    let Examined { account, row, model } = examined;
    let row = asking(row, model);
    let probe = Box::pin(probe::probe(&instance.gateway().upstream, account, &row));
    let (outcome, message, code, latency) = match tokio::time::timeout(PATIENCE, probe).await {
        Ok(verdict) => (verdict.outcome, verdict.message, verdict.code, verdict.latency),
        Err(_) => {
            let text = format!("the provider did not answer within {} seconds", PATIENCE.as_secs());
            (Outcome::Broken, text, Some("test_timeout".to_owned()), PATIENCE)
        }
    };
    let message: String = message.chars().take(LONGEST).collect();
    let at = now_ms();
    TestReply {
        valid: outcome.is_valid(),
        outcome: word(outcome),
        error: (!outcome.is_valid()).then(|| message.clone()),
        message,
        code,
        latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
        tested_at: iso(at),
        at,
    }
}

/// The row, with the account's own model as the one to ask.
fn asking<'a>(row: &'a Provider, model: Option<&ModelId>) -> Cow<'a, Provider> {
    let Some(model) = model.cloned() else { return Cow::Borrowed(row) };
    let test = match &row.test {
        TestRule::Get { endpoint, or_chat: _ } => TestRule::Get { endpoint: endpoint.clone(), or_chat: Some(model) },
        TestRule::Chat { model: _ } => TestRule::Chat { model: Some(model) },
        TestRule::Nothing => TestRule::Nothing,
    };
    let mut asking = row.clone();
    asking.test = test;
    Cow::Owned(asking)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Works => "works",
        Outcome::Reachable => "reachable",
        Outcome::KeyRefused => "key-refused",
        Outcome::Broken => "broken",
    }
}

/// A model an account has.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AccountModel {
    /// What the provider calls it.
    pub(crate) id: String,
    /// What it is shown as.
    pub(crate) name: String,
}

/// The models an account has, or the sentence that says why they can't be listed.
pub(crate) async fn list_models(instance: &Instance, account: &Account) -> Result<Vec<SeenModel>, String> {
    let models = Box::pin(probe::models(&instance.gateway().upstream, account));
    match tokio::time::timeout(PATIENCE, models).await {
        Ok(Ok(models)) => Ok(models),
        Ok(Err(fault)) => Err(fault.message),
        Err(_) => Err(format!("the provider did not answer within {} seconds", PATIENCE.as_secs())),
    }
}
