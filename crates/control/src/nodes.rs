//! `/api/provider-nodes`: custom endpoints, each under a prefix of its own.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use omniroute_catalog::{Catalog, Provider};
use omniroute_domain::{NodeId, ProviderId};
use omniroute_store::nodes::{Node, NodeKind};
use omniroute_store::{Reader, accounts, custom_models, nodes};
use omniroute_upstream::address::read_base;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::blocking::blocking;
use crate::clock::{iso, new_id, now_ms};
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::{ErrorBody, Problem, not_ready};
use crate::strict::{Body, Id};
use crate::{connect, rules, seen_models, url_guard};

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(change, remove))
}

/// A custom endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProviderNode {
    id: String,
    name: String,
    /// Its models are `prefix/model`.
    prefix: String,
    /// `openai-compatible` or `anthropic-compatible`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: &'static str,
    api_type: String,
    base_url: String,
    chat_path: Option<String>,
    models_path: Option<String>,
    /// Whether it may be on this machine or in the local network.
    local: bool,
    created_at: String,
    updated_at: String,
}

/// All custom endpoints.
#[derive(Debug, Serialize, ToSchema)]
struct NodeList {
    nodes: Vec<ProviderNode>,
}

/// One custom endpoint.
#[derive(Debug, Serialize, ToSchema)]
struct NodeReply {
    node: ProviderNode,
}

/// It was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuccessReply {
    pub(crate) success: bool,
}

/// A custom endpoint to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewNode {
    /// 1 to 200 characters; the prefix where absent.
    name: Option<String>,
    prefix: String,
    /// `openai-compatible` where absent.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// `chat`, the only one so far.
    api_type: Option<String>,
    base_url: String,
    chat_path: Option<String>,
    models_path: Option<String>,
    /// Whether it may be on this machine or in the local network.
    local: Option<bool>,
}

/// Changes to a custom endpoint: what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NodeChange {
    name: Option<String>,
    prefix: Option<String>,
    base_url: Option<String>,
    #[serde(default, deserialize_with = "crate::strict::patch")]
    #[schema(value_type = Option<String>)]
    chat_path: Option<Option<String>>,
    #[serde(default, deserialize_with = "crate::strict::patch")]
    #[schema(value_type = Option<String>)]
    models_path: Option<Option<String>>,
    local: Option<bool>,
}

/// All custom endpoints.
#[utoipa::path(get, operation_id = "list_nodes", path = "/api/provider-nodes", tag = "provider nodes", responses((status = 200, body = NodeList)))]
async fn list(State(instance): State<Instance>, _by: Principal) -> Result<Json<NodeList>, Problem> {
    blocking(move || {
        let nodes = instance.core().read(nodes::list)?;
        Ok(Json(NodeList { nodes: nodes.iter().map(show).collect() }))
    })
    .await
}

/// Makes a custom endpoint. Accounts for it are made at `/api/providers`.
#[utoipa::path(post, operation_id = "create_node", path = "/api/provider-nodes", tag = "provider nodes", request_body = NewNode, responses(
    (status = 201, body = NodeReply),
    (status = 409, body = ErrorBody, description = "the prefix is taken"),
    (status = 422, body = ErrorBody, description = "the address or the type is no use")
))]
async fn create(
    State(instance): State<Instance>,
    by: Principal,
    Body(ask): Body<NewNode>,
) -> Result<(StatusCode, Json<NodeReply>), Problem> {
    let made = make(&ask, instance.catalog());
    let node = made.map_err(|problem| url_guard::note(&instance, &by, "node", problem))?;
    let guarded = url_guard::check(Some(&node.base_url), url_guard::reach(Some(node.local))).await;
    guarded.map_err(|problem| url_guard::note(&instance, &by, "node", problem))?;
    blocking(move || {
        instance.write(|to| nodes::insert(to, &node).map_err(|why| in_use(why.into(), &node.prefix)))?;
        instance.audit(&by, "node.create", node.id.as_str(), Some(node.prefix.clone()));
        Ok((StatusCode::CREATED, Json(NodeReply { node: show(&node) })))
    })
    .await
}

/// Changes a custom endpoint. While accounts hold keys for it, it stays at its origin: scheme, host and
/// port.
#[utoipa::path(put, operation_id = "change_node", path = "/api/provider-nodes/{id}", tag = "provider nodes", params(("id" = String, Path)),
    request_body = NodeChange, responses((status = 200, body = NodeReply), (status = 404, body = ErrorBody),
    (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change(
    State(instance): State<Instance>,
    by: Principal,
    Id(id): Id,
    Body(ask): Body<NodeChange>,
) -> Result<Json<NodeReply>, Problem> {
    let (here, subject) = (instance.clone(), id.clone());
    let planned = blocking(move || {
        let node = here.core().read(|from| Ok(find(from, &id)))??;
        Ok((apply(node, &ask, here.catalog())?, ask))
    });
    let (planned, ask) = planned.await.map_err(|problem| url_guard::note(&instance, &by, &subject, problem))?;
    let guarded = url_guard::check(Some(&planned.base_url), url_guard::reach(Some(planned.local))).await;
    guarded.map_err(|problem| url_guard::note(&instance, &by, &subject, problem))?;
    blocking(move || {
        let node = instance.write(|to| {
            let before = find(to, &subject)?;
            let node = apply(before.clone(), &ask, instance.catalog())?;
            if (&node.base_url, node.local) != (&planned.base_url, planned.local) {
                return Err(Problem::overtaken("custom endpoint"));
            }
            keep_keys_home(to, &before, &node)?;
            nodes::update(to, &node).map_err(|why| in_use(why.into(), &node.prefix))?;
            Ok(node)
        })?;
        instance.audit(&by, "node.update", node.id.as_str(), Some(node.prefix.clone()));
        Ok(Json(NodeReply { node: show(&node) }))
    })
    .await
}

/// Removes a custom endpoint with its accounts, their credentials and its models.
#[utoipa::path(delete, operation_id = "remove_node", path = "/api/provider-nodes/{id}", tag = "provider nodes", params(("id" = String, Path)),
    responses((status = 200, body = SuccessReply), (status = 404, body = ErrorBody)))]
async fn remove(State(instance): State<Instance>, by: Principal, Id(id): Id) -> Result<Json<SuccessReply>, Problem> {
    blocking(move || {
        let node = NodeId::from(id.as_str());
        instance.write(|to| {
            for account in accounts::list(to)?.iter().filter(|account| account.node.as_ref() == Some(&node)) {
                seen_models::forget(to, &account.id)?;
            }
            accounts::delete_of_node(to, &node)?;
            custom_models::delete_of_provider(to, &ProviderId::from(node.as_str()))?;
            match nodes::delete(to, &node)? {
                true => Ok(()),
                false => Err(Problem::missing("custom endpoint", &id)),
            }
        })?;
        instance.audit(&by, "node.delete", &id, None);
        Ok(Json(SuccessReply { success: true }))
    })
    .await
}

/// The catalog row that says how an endpoint is talked to.
pub(crate) fn row(node: &Node, catalog: &Catalog) -> Result<Arc<Provider>, Problem> {
    catalog.provider(node.kind.as_str()).cloned().ok_or_else(Problem::defect)
}

/// Refuses a prefix that leads to a provider already.
pub(crate) fn check_free(prefix: &str, catalog: &Catalog) -> Result<(), Problem> {
    let Some((row, _)) = catalog.by_prefix(prefix) else { return Ok(()) };
    let text = format!("the prefix `{prefix}` belongs to {}; choose another", row.name);
    Err(Problem::conflict("prefix_taken", text).field("prefix"))
}

/// A prefix that another endpoint with accounts has.
pub(crate) fn taken(prefix: &str, base_url: &str) -> Problem {
    let text = format!(
        "the prefix `{prefix}` belongs to the endpoint at `{base_url}`; choose another, or remove that endpoint's accounts first"
    );
    Problem::conflict("prefix_taken", text).field("prefix")
}

/// Refuses another origin while accounts hold keys that would go there.
fn keep_keys_home(from: &Reader<'_>, before: &Node, after: &Node) -> Result<(), Problem> {
    if connect::same_origin(&before.base_url, &after.base_url) {
        return Ok(());
    }
    let goes_along = |account: &&accounts::Account| {
        account.node.as_ref() == Some(&before.id) && account.base_url.is_none() && account.sealed.is_some()
    };
    let names: Vec<String> =
        accounts::list(from)?.iter().filter(goes_along).map(|account| account.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = format!(
        "a key is sent only to the origin it was given for, and this address has another one; remove these accounts and add them again at the new address, or give each the new address together with its key: {}",
        names.join(", ")
    );
    Err(Problem::unprocessable("key_needed_for_new_address", text).field("baseUrl"))
}

/// Words for a prefix that somebody else took in the meantime.
fn in_use(problem: Problem, prefix: &str) -> Problem {
    if problem.code() != "taken" {
        return problem;
    }
    let text = format!("the prefix `{prefix}` belongs to another endpoint; choose another");
    Problem::conflict("prefix_taken", text).field("prefix")
}

fn make(ask: &NewNode, catalog: &Catalog) -> Result<Node, Problem> {
    let prefix = rules::prefix(&ask.prefix)?;
    check_free(&prefix, catalog)?;
    let now = now_ms();
    Ok(Node {
        id: NodeId::from(new_id()),
        name: ask.name.as_deref().map(rules::name).transpose()?.unwrap_or_else(|| prefix.clone()),
        prefix,
        kind: kind(ask.kind.as_deref(), catalog)?,
        api_type: api_type(ask.api_type.as_deref())?,
        base_url: read_base(&ask.base_url, url_guard::reach(ask.local))?,
        chat_path: ask.chat_path.as_deref().map(|path| rules::path(path, "chatPath")).transpose()?,
        models_path: ask.models_path.as_deref().map(|path| rules::path(path, "modelsPath")).transpose()?,
        local: ask.local == Some(true),
        created_at: now,
        updated_at: now,
    })
}

fn apply(mut node: Node, ask: &NodeChange, catalog: &Catalog) -> Result<Node, Problem> {
    let nothing = ask.name.is_none() && ask.prefix.is_none() && ask.base_url.is_none() && ask.local.is_none();
    if nothing && ask.chat_path.is_none() && ask.models_path.is_none() {
        return Err(Problem::invalid("no_changes", "the request changes nothing; name at least one field"));
    }
    if let Some(name) = &ask.name {
        node.name = rules::name(name)?;
    }
    if let Some(prefix) = &ask.prefix {
        node.prefix = rules::prefix(prefix)?;
        check_free(&node.prefix, catalog)?;
    }
    node.local = ask.local.unwrap_or(node.local);
    // Also where only `local` changes: what was allowed before may not be any more.
    node.base_url = read_base(ask.base_url.as_ref().unwrap_or(&node.base_url), url_guard::reach(Some(node.local)))?;
    if let Some(path) = &ask.chat_path {
        node.chat_path = path.as_deref().map(|path| rules::path(path, "chatPath")).transpose()?;
    }
    if let Some(path) = &ask.models_path {
        node.models_path = path.as_deref().map(|path| rules::path(path, "modelsPath")).transpose()?;
    }
    node.updated_at = now_ms();
    Ok(node)
}

fn kind(asked: Option<&str>, catalog: &Catalog) -> Result<NodeKind, Problem> {
    let word = asked.unwrap_or(NodeKind::OpenAiCompatible.as_str());
    let kind = kind_of(word).ok_or_else(|| {
        let text = "`type` must be `openai-compatible` or `anthropic-compatible`";
        Problem::invalid("invalid_field", text).field("type")
    })?;
    let row = catalog.provider(kind.as_str()).ok_or_else(Problem::defect)?;
    match row.readiness().can_connect() {
        true => Ok(kind),
        false => Err(not_ready(word, &row.readiness()).field("type")),
    }
}

/// The kind of an endpoint whose accounts are listed under this provider.
pub(crate) fn kind_of(provider: &str) -> Option<NodeKind> {
    let kinds = [NodeKind::OpenAiCompatible, NodeKind::AnthropicCompatible];
    kinds.into_iter().find(|kind| kind.as_str() == provider)
}

fn api_type(asked: Option<&str>) -> Result<Option<String>, Problem> {
    match asked {
        None | Some("chat") => Ok(None),
        Some(_) => {
            let text = "`apiType` can only be `chat` so far; the other APIs come later";
            Err(Problem::unprocessable("api_type_not_ready", text).field("apiType"))
        }
    }
}

fn find(from: &Reader<'_>, id: &str) -> Result<Node, Problem> {
    let found = nodes::get(from, &NodeId::from(id))?;
    found.ok_or_else(|| Problem::missing("custom endpoint", id))
}

fn show(node: &Node) -> ProviderNode {
    ProviderNode {
        id: node.id.to_string(),
        name: node.name.clone(),
        prefix: node.prefix.clone(),
        kind: node.kind.as_str(),
        api_type: node.api_type.clone().unwrap_or_else(|| "chat".to_owned()),
        base_url: node.base_url.clone(),
        chat_path: node.chat_path.clone(),
        models_path: node.models_path.clone(),
        local: node.local,
        created_at: iso(node.created_at),
        updated_at: iso(node.updated_at),
    }
}
