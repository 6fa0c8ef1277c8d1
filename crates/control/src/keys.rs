//! `/api/keys`: the keys that tools show to the gateway.
//!
//! A key is shown once, by the answer that made it; only its hash is kept. A change is in force when
//! it is answered.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use omniroute_domain::KeyId;
use omniroute_gateway::Scope;
use omniroute_store::keys::{self, Key};
use omniroute_vault::client_key;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::MessageReply;
use crate::blocking::blocking;
use crate::clock::{iso, new_id, now_ms, parse_moment};
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::{ErrorBody, Problem};
use crate::rules;
use crate::strict::{Body, Id};

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(patch, put, remove)).routes(routes!(rotate))
}

/// A client key, without the key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ClientKey {
    id: String,
    name: String,
    /// Its first characters.
    prefix: String,
    /// Its last four.
    last4: String,
    /// What it may do: `chat`, `manage`.
    scopes: Vec<String>,
    is_active: bool,
    created_at: String,
    rotated_at: Option<String>,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    permissions: KeyPermissions,
}

/// Limits within the scopes; none exist yet.
#[derive(Debug, Default, Serialize, ToSchema)]
struct KeyPermissions {}

/// All client keys.
#[derive(Debug, Serialize, ToSchema)]
struct KeyList {
    keys: Vec<ClientKey>,
}

/// One client key.
#[derive(Debug, Serialize, ToSchema)]
struct KeyReply {
    key: ClientKey,
}

/// A client key, the only time it is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct IssuedKey {
    id: String,
    name: String,
    /// The key itself. It can't be shown again.
    key: String,
    scopes: Vec<String>,
    /// Always null: keys are not bound to a machine.
    machine_id: Option<String>,
}

/// A client key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewKey {
    /// 1 to 200 characters.
    name: String,
    /// `chat`, `manage` or both; `chat` where absent.
    scopes: Option<Vec<String>>,
    /// From when on it is refused: a time, or unix milliseconds as a text.
    expires_at: Option<String>,
}

/// Changes to a client key: what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyChange {
    name: Option<String>,
    scopes: Option<Vec<String>>,
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "crate::strict::patch")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<Option<String>>,
}

/// All client keys, oldest first.
#[utoipa::path(get, operation_id = "list_keys", path = "/api/keys", tag = "keys", responses((status = 200, body = KeyList)))]
async fn list(State(instance): State<Instance>, _by: Principal) -> Result<Json<KeyList>, Problem> {
    blocking(move || {
        let rows = instance.core().read(keys::list)?;
        // A broken log hides when keys were used, not the keys.
        let used = instance.log().last_used().unwrap_or_default();
        Ok(Json(KeyList { keys: rows.iter().map(|row| show(row, &used)).collect() }))
    })
    .await
}

/// Makes a client key and shows it, this once.
#[utoipa::path(post, operation_id = "create_key", path = "/api/keys", tag = "keys", request_body = NewKey,
    responses((status = 201, body = IssuedKey), (status = 400, body = ErrorBody)))]
async fn create(
    State(instance): State<Instance>,
    by: Principal,
    Body(ask): Body<NewKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Problem> {
    let name = rules::name(&ask.name)?;
    let scopes = scopes(ask.scopes.unwrap_or_else(|| vec![Scope::Chat.as_str().to_owned()]))?;
    let expires_at = ask.expires_at.as_deref().map(end).transpose()?;
    blocking(move || {
        let made = client_key::issue()?;
        let row = Key {
            id: KeyId::from(new_id()),
            name,
            hash: made.hash,
            prefix: made.prefix.clone(),
            last4: made.last4.clone(),
            scopes,
            is_active: true,
            created_at: now_ms(),
            rotated_at: None,
            expires_at,
        };
        instance.write(|to| Ok(keys::insert(to, &row)?))?;
        instance.audit(&by, "key.create", row.id.as_str(), Some(row.scopes.clone()));
        Ok((StatusCode::CREATED, Json(issued(row, made.show_once()))))
    })
    .await
}

/// Changes a client key.
#[utoipa::path(patch, operation_id = "change_key", path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)), request_body = KeyChange,
    responses((status = 200, body = KeyReply), (status = 404, body = ErrorBody)))]
async fn patch(
    State(instance): State<Instance>,
    by: Principal,
    Id(id): Id,
    Body(ask): Body<KeyChange>,
) -> Result<Json<KeyReply>, Problem> {
    blocking(move || change(&instance, &by, &id, ask).map(Json)).await
}

/// Changes a client key, like PATCH.
#[utoipa::path(put, operation_id = "put_key", path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)), request_body = KeyChange,
    responses((status = 200, body = KeyReply), (status = 404, body = ErrorBody)))]
async fn put(
    State(instance): State<Instance>,
    by: Principal,
    Id(id): Id,
    Body(ask): Body<KeyChange>,
) -> Result<Json<KeyReply>, Problem> {
    blocking(move || change(&instance, &by, &id, ask).map(Json)).await
}

/// Removes a client key: whoever uses it is refused from then on.
#[utoipa::path(delete, operation_id = "remove_key", path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = MessageReply), (status = 404, body = ErrorBody)))]
async fn remove(State(instance): State<Instance>, by: Principal, Id(id): Id) -> Result<Json<MessageReply>, Problem> {
    blocking(move || {
        instance.write(|to| match keys::delete(to, &KeyId::from(id.as_str()))? {
            true => Ok(()),
            false => Err(Problem::missing("key", &id)),
        })?;
        instance.audit(&by, "key.delete", &id, None);
        Ok(Json(MessageReply { message: "the key is removed; tools that use it are refused".to_owned() }))
    })
    .await
}

/// Replaces a client key by a new one with the same name and scopes, shown this once. The old one is
/// refused from then on.
#[utoipa::path(post, operation_id = "rotate_key", path = "/api/keys/{id}/rotate", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = IssuedKey), (status = 404, body = ErrorBody)))]
async fn rotate(State(instance): State<Instance>, by: Principal, Id(id): Id) -> Result<Json<IssuedKey>, Problem> {
    blocking(move || {
        let made = client_key::issue()?;
        let (row, ()) = alter(&instance, &id, |row| {
            row.hash = made.hash;
            row.prefix.clone_from(&made.prefix);
            row.last4.clone_from(&made.last4);
            row.rotated_at = Some(now_ms());
            Ok(())
        })?;
        instance.audit(&by, "key.rotate", &id, None);
        Ok(Json(issued(row, made.show_once())))
    })
    .await
}

fn change(instance: &Instance, by: &Principal, id: &str, ask: KeyChange) -> Result<KeyReply, Problem> {
    let (row, changed) = alter(instance, id, |row| apply(row, ask))?;
    instance.audit(by, "key.update", id, Some(changed.join(", ")));
    let used = instance.log().last_used().unwrap_or_default();
    Ok(KeyReply { key: show(&row, &used) })
}

/// Reads, changes and writes a key in one transaction, so that no other change is lost.
fn alter<T>(
    instance: &Instance,
    id: &str,
    change: impl FnOnce(&mut Key) -> Result<T, Problem>,
) -> Result<(Key, T), Problem> {
    instance.write(|to| {
        let found = keys::get(to, &KeyId::from(id))?;
        let mut row = found.ok_or_else(|| Problem::missing("key", id))?;
        let outcome = change(&mut row)?;
        keys::update(to, &row)?;
        Ok((row, outcome))
    })
}

/// Changes what a request names, and returns the names.
fn apply(row: &mut Key, ask: KeyChange) -> Result<Vec<&'static str>, Problem> {
    let mut changed = Vec::new();
    if let Some(name) = &ask.name {
        row.name = rules::name(name)?;
        changed.push("name");
    }
    if let Some(wanted) = ask.scopes {
        row.scopes = scopes(wanted)?;
        changed.push("scopes");
    }
    if let Some(is_active) = ask.is_active {
        row.is_active = is_active;
        changed.push("isActive");
    }
    if let Some(expires_at) = ask.expires_at {
        row.expires_at = expires_at.as_deref().map(end).transpose()?;
        changed.push("expiresAt");
    }
    if changed.is_empty() {
        return Err(Problem::invalid("no_changes", "the request changes nothing; name at least one field"));
    }
    Ok(changed)
}

/// Scopes as they are stored, each once.
fn scopes(wanted: Vec<String>) -> Result<String, Problem> {
    let bad = || Problem::invalid("invalid_scope", "`scopes` must be `chat`, `manage` or both").field("scopes");
    let wanted = wanted.iter().map(|word| Scope::parse(word).ok_or_else(bad)).collect::<Result<Vec<_>, _>>()?;
    let kept: Vec<&str> =
        [Scope::Chat, Scope::Manage].into_iter().filter(|scope| wanted.contains(scope)).map(Scope::as_str).collect();
    if kept.is_empty() {
        return Err(bad());
    }
    Ok(kept.join(","))
}

fn end(text: &str) -> Result<i64, Problem> {
    let now = now_ms();
    parse_moment(text, now).filter(|end| *end > now).ok_or_else(|| {
        let message = "`expiresAt` must be a time to come, e.g. `2027-01-31T00:00:00Z`";
        Problem::invalid("invalid_field", message).field("expiresAt")
    })
}

fn issued(row: Key, key: String) -> IssuedKey {
    IssuedKey { id: row.id.to_string(), scopes: words(&row), name: row.name, key, machine_id: None }
}

fn words(row: &Key) -> Vec<String> {
    row.scopes.split(',').map(str::to_owned).collect()
}

fn show(row: &Key, used: &HashMap<KeyId, i64>) -> ClientKey {
    ClientKey {
        id: row.id.to_string(),
        name: row.name.clone(),
        prefix: row.prefix.clone(),
        last4: row.last4.clone(),
        scopes: words(row),
        is_active: row.is_active,
        created_at: iso(row.created_at),
        rotated_at: row.rotated_at.map(iso),
        expires_at: row.expires_at.map(iso),
        last_used_at: used.get(&row.id).copied().map(iso),
        permissions: KeyPermissions::default(),
    }
}
