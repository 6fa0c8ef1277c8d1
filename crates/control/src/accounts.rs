//! `/api/providers`: accounts at providers, which the HTTP API calls connections.
//!
//! An account is tested on its way in, and saved despite a failed test only if the person says so.
//! Credentials go in and never come out.

mod change;
mod draft;
mod save;
mod shape;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use omniroute_domain::{AccountId, NodeId, Secret};
use omniroute_store::accounts::Account;
use omniroute_store::nodes::Node;
use omniroute_store::{Reader, StoreError, accounts, nodes};
use omniroute_upstream::probe::SeenModel;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::draft::Draft;
pub(crate) use crate::accounts::shape::MessageReply;
use crate::accounts::shape::{
    AccountChange, Connection, ConnectionList, ConnectionModels, ConnectionReply, NewAccount, NodeTrial, Surroundings,
    Trial, show,
};
use crate::blocking::blocking;
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::{ErrorBody, Problem};
use crate::strict::{Body, Id};
use crate::verdict::{AccountModel, Examined, TestReply, examine, list_models};
use crate::{connect, seen_models, url_guard};

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(validate))
        .routes(routes!(validate_node))
        .routes(routes!(get, change, remove))
        .routes(routes!(test))
        .routes(routes!(models))
}

/// All accounts, in the order requests try them.
#[utoipa::path(get, operation_id = "list_accounts", path = "/api/providers", tag = "providers", responses((status = 200, body = ConnectionList)))]
async fn list(State(instance): State<Instance>, _by: Principal) -> Result<Json<ConnectionList>, Problem> {
    blocking(move || {
        let (rows, nodes) = instance.core().read(|from| Ok((accounts::list(from)?, nodes_by_id(from)?)))?;
        let around = Surroundings { catalog: instance.catalog(), nodes: &nodes, unusable: &instance.unusable() };
        Ok(Json(ConnectionList { connections: rows.iter().map(|row| show(row, &around)).collect() }))
    })
    .await
}

/// Connects an account. It is tested first, unless `noTest`; a failed test refuses it, unless
/// `saveAnyway`.
#[utoipa::path(post, operation_id = "connect_account", path = "/api/providers", tag = "providers", request_body = NewAccount, responses(
    (status = 201, body = ConnectionReply),
    (status = 409, body = ErrorBody, description = "the prefix is taken"),
    (status = 422, body = ErrorBody, description = "the provider, the address or the key is no use, or the test failed")
))]
async fn create(
    State(instance): State<Instance>,
    by: Principal,
    Body(ask): Body<NewAccount>,
) -> Result<(StatusCode, Json<ConnectionReply>), Problem> {
    let wishes = Wishes { no_test: ask.no_test == Some(true), save_anyway: ask.save_anyway == Some(true) };
    let what = ask.provider.clone();
    let here = instance.clone();
    let drafted = blocking(move || here.core().read(|from| Ok(Draft::make(ask, from, here.catalog())))?).await;
    let draft = drafted.map_err(|problem| url_guard::note(&instance, &by, &what, problem))?;
    let node = draft.node.as_ref().map(|(node, _)| node);
    let trial = Tried { account: &draft.account, node, row: &draft.row, key: draft.key.as_ref() };
    let tried = try_out(&instance, trial, wishes).await;
    let (test, seen) = tried.map_err(|problem| url_guard::note(&instance, &by, &what, problem))?;
    let connection =
        blocking(move || save::save(&instance, &by, draft, (test.as_ref(), &seen)).map(|saved| (saved, test)));
    let (connection, test) = connection.await?;
    let warning = warning(test.as_ref());
    Ok((StatusCode::CREATED, Json(ConnectionReply { connection, test, warning })))
}

/// What to say of an account that was saved as the person insisted.
fn warning(test: Option<&TestReply>) -> Option<String> {
    let failed = test.filter(|test| !test.valid);
    failed.map(|test| format!("saved although the test failed: {}", test.message))
}

/// What the person said about testing.
#[derive(Clone, Copy)]
struct Wishes {
    no_test: bool,
    save_anyway: bool,
}

/// An account to be tried, saved or not.
struct Tried<'a> {
    account: &'a Account,
    node: Option<&'a Node>,
    row: &'a omniroute_catalog::Provider,
    key: Option<&'a Secret>,
}

/// Connects and tests an account before it is saved; also learns its models where that is worth it.
async fn try_out(
    instance: &Instance,
    tried: Tried<'_>,
    wishes: Wishes,
) -> Result<(Option<TestReply>, Vec<SeenModel>), Problem> {
    let Tried { account, node, row, key } = tried;
    let ready = connect::unsaved(account, node, row, key)?;
    let base_url = account.base_url.as_deref().or(node.map(|node| node.base_url.as_str()));
    url_guard::check(base_url, connect::reach(account, node, row)).await?;
    if wishes.no_test {
        return Ok((None, Vec::new()));
    }
    let test = examine(instance, Examined { account: &ready, row, model: account.default_model.as_ref() }).await;
    if !test.valid && !wishes.save_anyway {
        let text = format!("the account was not saved because its test failed: {}", test.message);
        return Err(Problem::unprocessable("test_failed", text).test(test));
    }
    let seen = see_models(instance, &test, Examined { account: &ready, row, model: None }).await;
    Ok((Some(test), seen))
}

/// The models of an account that works, where only asking tells them; none where that is not so.
async fn see_models(instance: &Instance, test: &TestReply, examined: Examined<'_>) -> Vec<SeenModel> {
    if !test.valid || !seen_models::are_worth_it(examined.row) {
        return Vec::new();
    }
    list_models(instance, examined.account).await.unwrap_or_default()
}

/// What a test of an account rests on.
fn proof(account: &Account) -> (Option<&str>, Option<&str>, bool) {
    (account.sealed.as_deref(), account.base_url.as_deref(), account.local)
}

/// Keeps what a test found with its account.
fn record(account: &mut Account, test: Option<&TestReply>) {
    if let Some(tested) = test.map(TestReply::tested) {
        account.test_status = tested.status;
        account.test_error = tested.error;
        account.tested_at = Some(tested.at);
    }
}

fn seal(instance: &Instance, account: &mut Account, key: &Secret) -> Result<(), Problem> {
    let sealed = instance.vault().seal(connect::place(account), key)?;
    account.sealed = Some(sealed.into_text());
    account.key_hint = Some(omniroute_vault::hint(key)).filter(|hint| !hint.is_empty());
    "api-key".clone_into(&mut account.auth_kind);
    Ok(())
}

/// One account.
#[utoipa::path(get, operation_id = "get_account", path = "/api/providers/{id}", tag = "providers", params(("id" = String, Path)), responses(
    (status = 200, body = ConnectionReply), (status = 404, body = ErrorBody)
))]
async fn get(State(instance): State<Instance>, _by: Principal, Id(id): Id) -> Result<Json<ConnectionReply>, Problem> {
    blocking(move || {
        let account = instance.core().read(|from| Ok(find(from, &id)))??;
        Ok(Json(ConnectionReply { connection: shown(&instance, &account)?, test: None, warning: None }))
    })
    .await
}

/// Changes an account: what is absent stays. A changed key or address is tested like a new account's.
#[utoipa::path(put, operation_id = "change_account", path = "/api/providers/{id}", tag = "providers", params(("id" = String, Path)),
    request_body = AccountChange, responses(
        (status = 200, body = ConnectionReply),
        (status = 404, body = ErrorBody),
        (status = 422, body = ErrorBody, description = "the address or the key is no use, or the test failed")
))]
async fn change(
    State(instance): State<Instance>,
    by: Principal,
    Id(id): Id,
    Body(ask): Body<AccountChange>,
) -> Result<Json<ConnectionReply>, Problem> {
    let wishes = Wishes { no_test: ask.no_test == Some(true), save_anyway: ask.save_anyway == Some(true) };
    let (here, subject) = (instance.clone(), id.clone());
    let planned = blocking(move || change::Plan::make(&here, &id, ask)).await;
    let plan = planned.map_err(|problem| url_guard::note(&instance, &by, &subject, problem))?;
    let (test, seen) = match plan.needs_test {
        true => {
            let row = connect::row_of(&plan.account, instance.catalog())?;
            let (account, node, key) = (&plan.account, plan.node.as_ref(), plan.key.as_ref());
            let tried = try_out(&instance, Tried { account, node, row, key }, wishes).await;
            tried.map_err(|problem| url_guard::note(&instance, &by, &subject, problem))?
        }
        false => (None, Vec::new()),
    };
    blocking(move || {
        let connection = change::save(&instance, &by, &plan, (test.as_ref(), &seen))?;
        let warning = warning(test.as_ref());
        Ok(Json(ConnectionReply { connection, test, warning }))
    })
    .await
}

/// Removes an account with its credential.
#[utoipa::path(delete, operation_id = "remove_account", path = "/api/providers/{id}", tag = "providers", params(("id" = String, Path)), responses(
    (status = 200, body = MessageReply), (status = 404, body = ErrorBody)
))]
async fn remove(State(instance): State<Instance>, by: Principal, Id(id): Id) -> Result<Json<MessageReply>, Problem> {
    blocking(move || {
        let account = AccountId::from(id.as_str());
        instance.write(|to| {
            seen_models::forget(to, &account)?;
            match accounts::delete(to, &account)? {
                true => Ok(()),
                false => Err(Problem::missing("account", &id)),
            }
        })?;
        instance.audit(&by, "account.delete", &id, None);
        Ok(Json(MessageReply { message: "the account and its credential are removed".to_owned() }))
    })
    .await
}

/// Asks an account's provider whether it accepts the account.
#[utoipa::path(post, operation_id = "test_account", path = "/api/providers/{id}/test", tag = "providers", params(("id" = String, Path)), responses(
    (status = 200, body = TestReply), (status = 404, body = ErrorBody)
))]
async fn test(State(instance): State<Instance>, by: Principal, Id(id): Id) -> Result<Json<TestReply>, Problem> {
    let saved = load(&instance, id).await?;
    let row = connect::row_of(&saved.account, instance.catalog())?;
    let ready = connect::unsaved(&saved.account, saved.node.as_ref(), row, saved.key.as_ref())?;
    let model = saved.account.default_model.as_ref();
    let test = examine(&instance, Examined { account: &ready, row, model }).await;
    let seen = see_models(&instance, &test, Examined { account: &ready, row, model }).await;
    blocking(move || {
        let (id, tested) = (&saved.account.id, test.tested());
        instance.write(|to| {
            // A result says nothing about a key or an address that came since.
            if proof(&find(to, id.as_str())?) == proof(&saved.account) {
                accounts::set_tested(to, id, &tested)?;
                seen_models::remember(to, id, &seen, tested.at)?;
            }
            Ok(())
        })?;
        instance.audit(&by, "account.test", id.as_str(), Some(test.outcome.to_owned()));
        Ok(Json(test))
    })
    .await
}

/// The models an account has, as its provider lists them now.
#[utoipa::path(get, operation_id = "list_account_models", path = "/api/providers/{id}/models", tag = "providers", params(("id" = String, Path)), responses(
    (status = 200, body = ConnectionModels), (status = 404, body = ErrorBody)
))]
async fn models(
    State(instance): State<Instance>,
    _by: Principal,
    Id(id): Id,
) -> Result<Json<ConnectionModels>, Problem> {
    let saved = load(&instance, id).await?;
    let row = connect::row_of(&saved.account, instance.catalog())?;
    let ready = connect::unsaved(&saved.account, saved.node.as_ref(), row, saved.key.as_ref())?;
    let listed = list_models(&instance, &ready).await;
    let known =
        || row.models.iter().map(|model| AccountModel { id: model.id.to_string(), name: model.label().to_owned() });
    let provider = saved.account.provider.to_string();
    let connection_id = saved.account.id.to_string();
    let (models, warning) = match listed {
        Ok(seen) => (seen.iter().map(account_model).collect(), None),
        Err(why) => (known().collect(), Some(format!("these are the catalog's: {why}"))),
    };
    Ok(Json(ConnectionModels { provider, connection_id, models, warning }))
}

fn account_model(seen: &SeenModel) -> AccountModel {
    AccountModel { id: seen.id.clone(), name: seen.name.clone().unwrap_or_else(|| seen.id.clone()) }
}

/// Tries an address of one's own without saving anything.
#[utoipa::path(post, operation_id = "try_node", path = "/api/provider-nodes/validate", tag = "provider nodes", request_body = NodeTrial,
    responses((status = 200, body = TestReply), (status = 422, body = ErrorBody)))]
async fn validate_node(
    State(instance): State<Instance>,
    by: Principal,
    Body(ask): Body<NodeTrial>,
) -> Result<Json<TestReply>, Problem> {
    try_unsaved(&instance, &by, ask.into()).await.map(Json)
}

/// Tries a credential without saving anything.
#[utoipa::path(post, operation_id = "try_account", path = "/api/providers/validate", tag = "providers", request_body = Trial, responses(
    (status = 200, body = TestReply), (status = 422, body = ErrorBody)
))]
async fn validate(
    State(instance): State<Instance>,
    by: Principal,
    Body(ask): Body<Trial>,
) -> Result<Json<TestReply>, Problem> {
    try_unsaved(&instance, &by, ask).await.map(Json)
}

async fn try_unsaved(instance: &Instance, by: &Principal, ask: Trial) -> Result<TestReply, Problem> {
    let what = ask.provider.clone();
    let tried = draft::trial(ask, instance.catalog());
    let (account, node, row, key) = tried.map_err(|problem| url_guard::note(instance, by, &what, problem))?;
    let ready = connect::unsaved(&account, node.as_ref(), &row, key.as_ref())?;
    let reach = connect::reach(&account, node.as_ref(), &row);
    let base_url = account.base_url.as_deref().or(node.as_ref().map(|node| node.base_url.as_str()));
    let guarded = url_guard::check(base_url, reach).await;
    guarded.map_err(|problem| url_guard::note(instance, by, &what, problem))?;
    let model = account.default_model.as_ref();
    Ok(examine(instance, Examined { account: &ready, row: &row, model }).await)
}

/// A saved account with its credential opened.
struct Saved {
    account: Account,
    node: Option<Node>,
    key: Option<Secret>,
}

async fn load(instance: &Instance, id: String) -> Result<Saved, Problem> {
    let instance = instance.clone();
    blocking(move || {
        let (account, node) = instance.core().read(|from| Ok(find_with_node(from, &id)))??;
        let key = connect::open_key(&account, instance.vault())?;
        Ok(Saved { account, node, key })
    })
    .await
}

fn find(from: &Reader<'_>, id: &str) -> Result<Account, Problem> {
    let found = accounts::get(from, &AccountId::from(id))?;
    found.ok_or_else(|| Problem::missing("account", id))
}

fn find_with_node(from: &Reader<'_>, id: &str) -> Result<(Account, Option<Node>), Problem> {
    let account = find(from, id)?;
    let node = node_of(from, &account)?;
    Ok((account, node))
}

fn node_of(from: &Reader<'_>, account: &Account) -> Result<Option<Node>, StoreError> {
    let Some(id) = &account.node else { return Ok(None) };
    nodes::get(from, id)
}

fn nodes_by_id(from: &Reader<'_>) -> Result<HashMap<NodeId, Node>, StoreError> {
    Ok(nodes::list(from)?.into_iter().map(|node| (node.id.clone(), node)).collect())
}

fn shown(instance: &Instance, account: &Account) -> Result<Connection, Problem> {
    let nodes = instance.core().read(nodes_by_id)?;
    let around = Surroundings { catalog: instance.catalog(), nodes: &nodes, unusable: &instance.unusable() };
    Ok(show(account, &around))
}
