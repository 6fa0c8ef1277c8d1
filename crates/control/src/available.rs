//! `/api/providers/available`: every provider of the catalog, what it takes to connect it, and what
//! its terms say.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use omniroute_catalog::{Provider, Readiness, Tier};
use omniroute_domain::ProviderId;
use omniroute_store::accounts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::blocking::blocking;
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(list))
}

/// All providers.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderList {
    providers: Vec<AvailableProvider>,
}

/// A provider of the catalog.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AvailableProvider {
    id: String,
    name: String,
    /// What can stand before the slash of its models' names, the preferred one first.
    prefixes: Vec<String>,
    /// `demo`, `free`, `cheap`, `api-key`, `subscription`, `local` or `custom`.
    #[schema(value_type = String)]
    tier: &'static str,
    /// `ready`, `needs-base-url`, `later` or `retired`.
    #[schema(value_type = String)]
    readiness: &'static str,
    /// The same in words: what is missing, or since when it is gone.
    readiness_text: String,
    /// The address to fill in, where one is needed.
    base_url_template: Option<String>,
    /// The ways to log in, the preferred one first.
    #[schema(value_type = Vec<String>)]
    auth: Vec<&'static str>,
    terms: ProviderTerms,
    /// `active`, `paid-only`, `fragile` or `dead`.
    #[schema(value_type = String)]
    state: &'static str,
    state_note: Option<String>,
    /// What is free of charge.
    free: Option<String>,
    /// Where a key is to be had.
    signup: Option<String>,
    /// Whether it runs on the own machine.
    local: bool,
    model_count: usize,
    /// How many accounts are connected.
    account_count: usize,
    /// When its row was last checked.
    checked: String,
}

/// What a provider's terms mean for the account.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderTerms {
    /// `none`, `low`, `medium` or `high`.
    #[schema(value_type = String)]
    risk: &'static str,
    /// A warning to read before the account is connected.
    note: Option<String>,
}

/// Every provider, in display order.
#[utoipa::path(get, operation_id = "list_providers", path = "/api/providers/available", tag = "providers", responses((status = 200, body = ProviderList)))]
async fn list(State(instance): State<Instance>, _by: Principal) -> Result<Json<ProviderList>, Problem> {
    blocking(move || {
        let mut counts: HashMap<ProviderId, usize> = HashMap::new();
        for account in instance.core().read(accounts::list)? {
            *counts.entry(account.provider).or_default() += 1;
        }
        let count = |row: &Provider| counts.get(&row.id).copied().unwrap_or(usize::from(row.tier == Tier::Demo));
        let providers = instance.catalog().providers().map(|row| show(row, count(row))).collect();
        Ok(Json(ProviderList { providers }))
    })
    .await
}

fn show(row: &Provider, account_count: usize) -> AvailableProvider {
    let readiness = row.readiness();
    let preferred = row.prefix();
    let others = row.all_prefixes().filter(|prefix| *prefix != preferred);
    AvailableProvider {
        id: row.id.to_string(),
        name: row.name.to_string(),
        prefixes: std::iter::once(preferred).chain(others).map(str::to_owned).collect(),
        tier: row.tier.as_str(),
        readiness: readiness.as_str(),
        readiness_text: readiness.to_string(),
        base_url_template: match readiness {
            Readiness::NeedsBaseUrl { template } => Some(template),
            Readiness::Ready | Readiness::Later { .. } | Readiness::Retired { .. } => None,
        },
        auth: row.auth.iter().map(|kind| kind.as_str()).collect(),
        terms: ProviderTerms { risk: row.terms.risk.as_str(), note: row.terms.note.as_deref().map(str::to_owned) },
        state: row.status.state.as_str(),
        state_note: row.status.note.as_deref().map(str::to_owned),
        free: row.free.as_deref().map(str::to_owned),
        signup: row.signup.as_deref().map(str::to_owned),
        local: row.local,
        model_count: row.models.len(),
        account_count,
        checked: row.checked.to_string(),
    }
}
