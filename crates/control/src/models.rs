//! `/api/models`: what can be asked for right now, and everything the catalog knows.

use std::collections::{BTreeMap, HashSet};

use axum::Json;
use axum::extract::State;
use omniroute_catalog::{Kind, Provider};
use omniroute_domain::ProviderId;
use omniroute_gateway::Snapshot;
use omniroute_routing::ListedModel;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::clock::{date, now_ms};
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::strict::Asked;

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(catalog))
}

/// Which models to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Only models whose name, or whose provider's id, name or prefix holds this.
    search: Option<String>,
    /// Only models of this provider.
    provider: Option<String>,
}

/// Models that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
struct ModelList {
    models: Vec<UsableModel>,
}

/// A model that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsableModel {
    /// What to ask for: `prefix/model`.
    id: String,
    provider: String,
    /// What the provider calls it.
    model: String,
    name: String,
    /// `chat`, `embedding`, `image`, …
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: &'static str,
    /// Whether a person added it.
    custom: bool,
    context: Option<u32>,
    max_output: Option<u32>,
    price: Option<ModelPrice>,
}

/// List price in dollars per million tokens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ModelPrice {
    input: f64,
    output: f64,
    /// Input read from a cache; the input price where null.
    cache_read: Option<f64>,
    /// Input written to a cache; the input price where null.
    cache_write: Option<f64>,
    /// The day it was checked.
    checked: String,
}

/// The models of the catalog and of the own endpoints, by provider.
#[derive(Debug, Serialize, ToSchema)]
struct ModelCatalog {
    providers: BTreeMap<String, CatalogProvider>,
}

/// A provider and its models.
#[derive(Debug, Serialize, ToSchema)]
struct CatalogProvider {
    name: String,
    /// Whether an account is connected.
    connected: bool,
    models: Vec<CatalogModel>,
}

/// A model of the catalog.
#[derive(Debug, Serialize, ToSchema)]
struct CatalogModel {
    /// What the provider calls it.
    id: String,
    name: String,
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: &'static str,
    /// Whether a person added it.
    custom: bool,
}

/// The models that can be asked for with what is connected.
#[utoipa::path(get, operation_id = "list_models", path = "/api/models", tag = "models", params(Search), responses((status = 200, body = ModelList)))]
async fn list(
    State(instance): State<Instance>,
    _by: Principal,
    Asked(search): Asked<Search>,
) -> Result<Json<ModelList>, Problem> {
    let live = instance.live();
    let today = date(now_ms());
    let text = search.search.unwrap_or_default().to_lowercase();
    let found: HashSet<&ProviderId> =
        instance.catalog().providers().filter(|row| goes_by(row, &text)).map(|row| &row.id).collect();
    let of_found = |provider: &ProviderId| found.contains(provider) || provider.as_str().contains(&text);
    let is_wanted = |model: &ListedModel| {
        let name = model.name.as_deref().unwrap_or_default().to_lowercase();
        let has_ended = model.shutdown.is_some_and(|end| today.is_some_and(|today| end <= today));
        let of_provider = search.provider.as_ref().is_none_or(|wanted| model.provider.as_str() == wanted);
        let fits = model.id.to_lowercase().contains(&text) || name.contains(&text);
        (fits || of_found(&model.provider)) && of_provider && !has_ended
    };
    let models = live.directory.models().into_iter().filter(is_wanted).map(|model| show(model, &live)).collect();
    Ok(Json(ModelList { models }))
}

/// Whether a provider's id, name or one of its prefixes holds a text in small letters.
fn goes_by(row: &Provider, text: &str) -> bool {
    let prefixes = row.prefixes.iter().map(|prefix| prefix.to_lowercase());
    prefixes.chain([row.id.as_str().to_lowercase(), row.name.to_lowercase()]).any(|name| name.contains(text))
}

fn show(model: ListedModel, live: &Snapshot) -> UsableModel {
    let dollars = |micro: i64| micro as f64 / 1e6;
    let price = live.price(model.provider.as_str(), model.model.as_str()).map(|dated| ModelPrice {
        input: dollars(dated.price.input),
        output: dollars(dated.price.output),
        cache_read: dated.price.cache_read.map(dollars),
        cache_write: dated.price.cache_write.map(dollars),
        checked: dated.checked.to_string(),
    });
    UsableModel {
        name: model.name.unwrap_or_else(|| model.model.to_string()),
        id: model.id,
        provider: model.provider.to_string(),
        model: model.model.to_string(),
        kind: model.kind.as_str(),
        custom: model.custom,
        context: model.context,
        max_output: model.max_output,
        price,
    }
}

/// Everything the catalog knows and people added, connected or not.
#[utoipa::path(get, operation_id = "get_model_catalog", path = "/api/models/catalog", tag = "models", responses((status = 200, body = ModelCatalog)))]
async fn catalog(State(instance): State<Instance>, _by: Principal) -> Result<Json<ModelCatalog>, Problem> {
    let live = instance.live();
    let connected: HashSet<&ProviderId> = live.accounts.iter().map(|account| &account.provider).collect();
    let row = |row: &Provider| CatalogProvider {
        name: row.name.to_string(),
        connected: connected.contains(&row.id),
        models: row.models.iter().map(|model| entry(model.id.as_str(), model.label(), model.kind)).collect(),
    };
    let rows = instance.catalog().providers().filter(|row| !row.template);
    let mut providers: BTreeMap<String, CatalogProvider> = rows.map(|each| (each.id.to_string(), row(each))).collect();
    // What was seen at accounts or added by hand is not in the rows.
    for model in live.directory.models() {
        let of_provider = providers.entry(model.provider.to_string()).or_insert_with(|| CatalogProvider {
            name: model.provider.to_string(),
            connected: true,
            models: Vec::new(),
        });
        let id = model.model.as_str();
        match of_provider.models.iter_mut().find(|known| known.id == id) {
            Some(known) => known.custom = model.custom,
            None => {
                let name = model.name.as_deref().unwrap_or(id);
                of_provider.models.push(CatalogModel { custom: model.custom, ..entry(id, name, model.kind) });
            }
        }
    }
    Ok(Json(ModelCatalog { providers }))
}

fn entry(id: &str, name: &str, kind: Kind) -> CatalogModel {
    CatalogModel { id: id.to_owned(), name: name.to_owned(), kind: kind.as_str(), custom: false }
}
