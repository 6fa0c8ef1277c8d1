//! `/api/provider-models`: models people add to a provider, or hide from lists.

use axum::Json;
use axum::extract::State;
use omniroute_catalog::Catalog;
use omniroute_domain::{ModelId, ProviderId};
use omniroute_store::custom_models::{self, CustomModel};
use omniroute_store::nodes::Node;
use omniroute_store::{Reader, StoreError, Writer, nodes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::instance::Instance;
use crate::nodes::SuccessReply;
use crate::principal::Principal;
use crate::problem::{ErrorBody, Problem};
use crate::strict::{Asked, Body};
use crate::{connect, rules};

/// The APIs a model can be asked with; the first is the usual one.
const FORMATS: [&str; 5] =
    ["chat-completions", "embeddings", "audio-transcriptions", "audio-speech", "images-generations"];

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(list, create, change, remove))
}

/// Whose models to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// A provider's id, or a custom endpoint's prefix or id.
    provider: Option<String>,
}

/// Which model to remove.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    provider: String,
    model: String,
}

/// Models people added or hid.
#[derive(Debug, Serialize, ToSchema)]
struct CustomList {
    models: Vec<OwnModel>,
}

/// A model a person added or hid.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnModel {
    /// The provider's id, or the custom endpoint's prefix.
    provider: String,
    /// What the provider calls it.
    id: String,
    name: String,
    api_format: String,
    supported_endpoints: Vec<String>,
    /// Whether lists leave it out.
    hidden: bool,
}

/// One model.
#[derive(Debug, Serialize, ToSchema)]
struct ModelReply {
    success: bool,
    model: OwnModel,
}

/// A model to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewModel {
    /// A provider's id, or a custom endpoint's prefix or id.
    provider: String,
    /// 1 to 240 characters, as the provider names it.
    model_id: String,
    model_name: Option<String>,
    /// `chat-completions` where absent.
    api_format: Option<String>,
    supported_endpoints: Option<Vec<String>>,
}

/// Changes to a model: what is absent stays, null clears. A model of the catalog can be hidden.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ModelChange {
    provider: String,
    model_id: String,
    #[serde(default, deserialize_with = "crate::strict::patch")]
    #[schema(value_type = Option<String>)]
    model_name: Option<Option<String>>,
    hidden: Option<bool>,
}

/// Models people added or hid.
#[utoipa::path(get, operation_id = "list_own_models", path = "/api/provider-models", tag = "models", params(Whose),
    responses((status = 200, body = CustomList)))]
async fn list(
    State(instance): State<Instance>,
    _by: Principal,
    Asked(whose): Asked<Whose>,
) -> Result<Json<CustomList>, Problem> {
    blocking(move || {
        let (rows, nodes) = instance.core().read(|from| Ok((custom_models::list(from)?, nodes::list(from)?)))?;
        let wanted = whose.provider.map(|typed| owner(&typed, &nodes, instance.catalog())).transpose()?;
        let rows = rows.iter().filter(|row| wanted.as_ref().is_none_or(|wanted| row.provider == *wanted));
        Ok(Json(CustomList { models: rows.map(|row| show(row, &nodes)).collect() }))
    })
    .await
}

/// Adds a model to a provider.
#[utoipa::path(post, operation_id = "add_model", path = "/api/provider-models", tag = "models", request_body = NewModel,
    responses((status = 200, body = ModelReply), (status = 422, body = ErrorBody)))]
async fn create(
    State(instance): State<Instance>,
    by: Principal,
    Body(ask): Body<NewModel>,
) -> Result<Json<ModelReply>, Problem> {
    let model_id = ModelId::from(rules::model_id(&ask.model_id, "modelId")?);
    let name = ask.model_name.as_deref().map(rules::name).transpose()?;
    let format = format(ask.api_format)?;
    let endpoints = ask.supported_endpoints.unwrap_or_else(|| vec![format.clone()]);
    if endpoints.len() > 16 || endpoints.iter().any(|word| word.len() > 40) {
        let text = "`supportedEndpoints` may hold at most 16 words";
        return Err(Problem::invalid("invalid_field", text).field("supportedEndpoints"));
    }
    blocking(move || {
        let nodes = instance.core().read(nodes::list)?;
        let row = CustomModel {
            provider: owner(&ask.provider, &nodes, instance.catalog())?,
            model_id,
            name,
            api_format: Some(format),
            // A list of texts always serialises.
            endpoints: serde_json::to_string(&endpoints).unwrap_or_else(|_| "[]".to_owned()),
            hidden: false,
            created_at: now_ms(),
        };
        instance.write(|to| Ok(store(to, &row)?))?;
        note(&instance, &by, &row, "model.create");
        Ok(Json(ModelReply { success: true, model: show(&row, &nodes) }))
    })
    .await
}

/// Hides a model, shows it again, or renames it.
#[utoipa::path(patch, operation_id = "change_model", path = "/api/provider-models", tag = "models", request_body = ModelChange,
    responses((status = 200, body = ModelReply), (status = 404, body = ErrorBody)))]
async fn change(
    State(instance): State<Instance>,
    by: Principal,
    Body(ask): Body<ModelChange>,
) -> Result<Json<ModelReply>, Problem> {
    let model_id = ModelId::from(rules::model_id(&ask.model_id, "modelId")?);
    if ask.model_name.is_none() && ask.hidden.is_none() {
        return Err(Problem::invalid("no_changes", "the request changes nothing; name at least one field"));
    }
    blocking(move || {
        let nodes = instance.core().read(nodes::list)?;
        let provider = owner(&ask.provider, &nodes, instance.catalog())?;
        let name = ask.model_name.map(|name| name.as_deref().map(rules::name).transpose()).transpose()?;
        let row = instance.write(|to| {
            let mut row = find_or_begin((to, &instance), (provider, &nodes), model_id)?;
            row.name = name.unwrap_or(row.name);
            row.hidden = ask.hidden.unwrap_or(row.hidden);
            store(to, &row)?;
            Ok(row)
        })?;
        note(&instance, &by, &row, "model.update");
        Ok(Json(ModelReply { success: true, model: show(&row, &nodes) }))
    })
    .await
}

/// Takes back what was added or hidden.
#[utoipa::path(delete, operation_id = "remove_model", path = "/api/provider-models", tag = "models", params(Which),
    responses((status = 200, body = SuccessReply), (status = 404, body = ErrorBody)))]
async fn remove(
    State(instance): State<Instance>,
    by: Principal,
    Asked(which): Asked<Which>,
) -> Result<Json<SuccessReply>, Problem> {
    blocking(move || {
        let nodes = instance.core().read(nodes::list)?;
        let provider = owner(&which.provider, &nodes, instance.catalog())?;
        let model = ModelId::from(which.model.as_str());
        instance.write(|to| match custom_models::delete(to, &provider, &model)? {
            true => Ok(()),
            false => Err(Problem::missing("added or hidden model", &which.model)),
        })?;
        instance.audit(&by, "model.delete", &format!("{provider}/{model}"), None);
        Ok(Json(SuccessReply { success: true }))
    })
    .await
}

fn store(to: &Writer<'_>, row: &CustomModel) -> Result<(), StoreError> {
    // A model of the catalog that is neither hidden nor renamed any more needs no row.
    let says_nothing = !row.hidden && row.name.is_none() && row.api_format.is_none();
    match says_nothing {
        true => custom_models::delete(to, &row.provider, &row.model_id).map(drop),
        false => custom_models::put(to, row),
    }
}

fn note(instance: &Instance, by: &Principal, row: &CustomModel, action: &str) {
    let detail = row.hidden.then(|| "hidden".to_owned());
    instance.audit(by, action, &format!("{}/{}", row.provider, row.model_id), detail);
}

/// The row of a model, or the beginning of one for a model that is known without a row.
fn find_or_begin(
    (from, instance): (&Reader<'_>, &Instance),
    (provider, nodes): (ProviderId, &[Node]),
    model: ModelId,
) -> Result<CustomModel, Problem> {
    if let Some(row) = custom_models::get(from, &provider, &model)? {
        return Ok(row);
    }
    let in_catalog =
        instance.catalog().provider(provider.as_str()).is_some_and(|row| row.model(model.as_str()).is_some());
    let node = nodes.iter().find(|node| node.id.as_str() == provider.as_str());
    let routed = node.map_or_else(|| provider.clone(), |node| connect::provider_id(node, instance.catalog()));
    let is_listed = || {
        let listed = instance.live().directory.models();
        listed.iter().any(|listed| listed.provider == routed && listed.model == model)
    };
    if !in_catalog && !is_listed() {
        return Err(Problem::missing("model", model.as_str()));
    }
    let endpoints = "[]".to_owned();
    Ok(CustomModel {
        provider,
        model_id: model,
        name: None,
        api_format: None,
        endpoints,
        hidden: false,
        created_at: now_ms(),
    })
}

/// Whom a model is stored under: a provider's id, or a custom endpoint's.
fn owner(typed: &str, nodes: &[Node], catalog: &Catalog) -> Result<ProviderId, Problem> {
    let typed = typed.trim();
    if let Some(node) = nodes.iter().find(|node| node.prefix == typed || node.id.as_str() == typed) {
        return Ok(ProviderId::from(node.id.as_str()));
    }
    let found = catalog.by_prefix(typed).map(|(row, _)| row.id.clone());
    found.ok_or_else(|| {
        let typed: String = typed.chars().take(60).collect();
        Problem::unprocessable("provider_unknown", format!("there is no provider `{typed}`")).field("provider")
    })
}

fn format(asked: Option<String>) -> Result<String, Problem> {
    let Some(word) = asked else { return Ok(FORMATS[0].to_owned()) };
    if FORMATS.contains(&word.as_str()) {
        return Ok(word);
    }
    let text = format!("`apiFormat` must be one of: {}", FORMATS.join(", "));
    Err(Problem::unprocessable("api_format_not_ready", text).field("apiFormat"))
}

fn show(row: &CustomModel, nodes: &[Node]) -> OwnModel {
    let node = nodes.iter().find(|node| node.id.as_str() == row.provider.as_str());
    OwnModel {
        provider: node.map_or_else(|| row.provider.to_string(), |node| node.prefix.clone()),
        id: row.model_id.to_string(),
        name: row.name.clone().unwrap_or_else(|| row.model_id.to_string()),
        api_format: row.api_format.clone().unwrap_or_else(|| FORMATS[0].to_owned()),
        supported_endpoints: serde_json::from_str(&row.endpoints).unwrap_or_default(),
        hidden: row.hidden,
    }
}
