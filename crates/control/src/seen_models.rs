//! Which models an account was seen to have, for providers whose models the catalog can't know: a
//! person's own endpoints and programs on the own machine. Kept as settings, one per account.

use std::collections::HashMap;

use omniroute_catalog::Provider;
use omniroute_domain::{AccountId, ModelId};
use omniroute_store::{Reader, StoreError, Writer, settings};
use omniroute_upstream::probe::SeenModel;

const PREFIX: &str = "seen_models/";
/// More are not remembered: the list is read at every change.
const MOST: usize = 2000;

/// Whether a provider's models are known only by asking.
pub(crate) fn are_worth_it(row: &Provider) -> bool {
    row.template || row.local || row.models.is_empty()
}

/// Keeps what was seen; where nothing was, what was kept before stays.
pub(crate) fn remember(to: &Writer<'_>, account: &AccountId, models: &[SeenModel], now: i64) -> Result<(), StoreError> {
    if models.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).filter(|id| is_sound(id)).take(MOST).collect();
    // A list of texts always serialises.
    let json = serde_json::to_string(&ids).unwrap_or_else(|_| "[]".to_owned());
    settings::set(to, &key(account), &json, now)
}

/// Forgets an account's.
pub(crate) fn forget(to: &Writer<'_>, account: &AccountId) -> Result<(), StoreError> {
    settings::delete(to, &key(account)).map(drop)
}

/// What was seen, by account.
pub(crate) fn all(from: &Reader<'_>) -> Result<HashMap<AccountId, Vec<ModelId>>, StoreError> {
    let mut seen = HashMap::new();
    for (key, json) in settings::list(from)? {
        let Some(account) = key.strip_prefix(PREFIX) else { continue };
        let ids: Vec<ModelId> = serde_json::from_str(&json).unwrap_or_default();
        seen.insert(AccountId::from(account), ids);
    }
    Ok(seen)
}

fn key(account: &AccountId) -> String {
    format!("{PREFIX}{account}")
}

/// What a provider says is not to be trusted: an id that could not be asked for is left out.
fn is_sound(id: &str) -> bool {
    (1..=200).contains(&id.len()) && !id.chars().any(|c| c.is_control() || c.is_whitespace())
}
