//! `/api/usage`: what was asked, what it used and what it cost.
//!
//! Sums come from hourly rows, so they cost the same with a thousand requests and with a million, and
//! a time is rounded down to its hour. Every cost says how many requests have no known price.

mod requests;
mod stats;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use omniroute_domain::{AccountId, KeyId, ProviderId};
use omniroute_store::log::{HistoryFilter, Outcome, RequestId};
use omniroute_store::{StoreError, accounts, keys};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::blocking::blocking;
use crate::clock::{now_ms, parse_moment};
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::{ErrorBody, Problem};
use crate::strict::{Asked, Id};
use crate::usage::requests::{RequestPage, RequestReply};
use crate::usage::stats::UsageStats;

/// Rows of a page where the request does not say.
const USUAL_PAGE: u32 = 50;

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(history)).routes(routes!(stats)).routes(routes!(logs)).routes(routes!(request))
}

/// Which time to sum up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Span {
    /// From when on: `24h`, a time, or unix milliseconds; everything that is kept where absent.
    since: Option<String>,
}

/// Which requests to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// From when on: `24h`, a time, or unix milliseconds.
    since: Option<String>,
    /// Until when.
    until: Option<String>,
    provider: Option<String>,
    /// The model as its provider names it.
    model: Option<String>,
    /// The account's id.
    account: Option<String>,
    /// The client key's id.
    api_key: Option<String>,
    /// The HTTP status the client got.
    status: Option<u16>,
    /// `ok`, `error` or `client_closed`.
    outcome: Option<String>,
    /// 1 to 1000; 50 where absent.
    limit: Option<u32>,
    /// The page before's `nextCursor`.
    cursor: Option<String>,
}

/// Names of what rows only have the ids of.
#[derive(Default)]
struct Names {
    accounts: HashMap<AccountId, String>,
    keys: HashMap<KeyId, String>,
}

/// Sums over what is kept.
#[utoipa::path(get, operation_id = "get_usage_history", path = "/api/usage/history", tag = "usage", params(Span), responses((status = 200, body = UsageStats)))]
async fn history(
    State(instance): State<Instance>,
    _by: Principal,
    Asked(span): Asked<Span>,
) -> Result<Json<UsageStats>, Problem> {
    sum_up(instance, span).await
}

/// Sums over a time.
#[utoipa::path(get, operation_id = "get_usage_stats", path = "/api/usage/stats", tag = "usage", params(Span), responses((status = 200, body = UsageStats)))]
async fn stats(
    State(instance): State<Instance>,
    _by: Principal,
    Asked(span): Asked<Span>,
) -> Result<Json<UsageStats>, Problem> {
    sum_up(instance, span).await
}

async fn sum_up(instance: Instance, span: Span) -> Result<Json<UsageStats>, Problem> {
    let now = now_ms();
    let since = span.since.map_or(Ok(0), |text| moment(&text, now, "since"))?;
    blocking(move || {
        let log = instance.whole_log();
        let sums = log.stats(since)?;
        let latest = stats::last_10_minutes(log, now)?;
        Ok(Json(stats::show(&sums, &names(&instance)?, latest)))
    })
    .await
}

/// Requests, newest first, a page at a time.
#[utoipa::path(get, operation_id = "list_requests", path = "/api/usage/logs", tag = "usage", params(Filter), responses(
    (status = 200, body = RequestPage), (status = 400, body = ErrorBody)
))]
async fn logs(
    State(instance): State<Instance>,
    _by: Principal,
    Asked(ask): Asked<Filter>,
) -> Result<Json<RequestPage>, Problem> {
    let limit = ask.limit.unwrap_or(USUAL_PAGE);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::invalid("invalid_query", "`limit` must be 1 to 1000").field("limit"));
    }
    let before = ask.cursor.as_deref().map(cursor).transpose()?;
    let filter = filter(ask)?;
    blocking(move || {
        let log = instance.whole_log();
        let page = log.history(&filter, before, limit)?;
        let total = log.count(&filter)?;
        let names = names(&instance)?;
        Ok(Json(requests::page(&page, total, &names)))
    })
    .await
}

/// One request with every attempt.
#[utoipa::path(get, operation_id = "get_request", path = "/api/usage/request/{id}", tag = "usage", params(("id" = String, Path)), responses(
    (status = 200, body = RequestReply), (status = 404, body = ErrorBody)
))]
async fn request(State(instance): State<Instance>, _by: Principal, Id(id): Id) -> Result<Json<RequestReply>, Problem> {
    let number: RequestId = id.parse().map_err(|_| Problem::missing("request", &id))?;
    blocking(move || {
        let found = instance.whole_log().request(number)?.ok_or_else(|| Problem::missing("request", &id))?;
        Ok(Json(RequestReply { request: requests::detail(&found, &names(&instance)?) }))
    })
    .await
}

fn filter(ask: Filter) -> Result<HistoryFilter, Problem> {
    let now = now_ms();
    Ok(HistoryFilter {
        since: ask.since.map(|text| moment(&text, now, "since")).transpose()?,
        until: ask.until.map(|text| moment(&text, now, "until")).transpose()?,
        provider: ask.provider.map(ProviderId::from),
        model: ask.model.map(Into::into),
        account: ask.account.map(AccountId::from),
        key: ask.api_key.map(KeyId::from),
        status: ask.status,
        outcome: ask.outcome.as_deref().map(outcome).transpose()?,
    })
}

fn outcome(word: &str) -> Result<Outcome, Problem> {
    let all = [Outcome::Ok, Outcome::Error, Outcome::ClientClosed];
    all.into_iter().find(|outcome| outcome.as_str() == word).ok_or_else(|| {
        let text = "`outcome` must be `ok`, `error` or `client_closed`";
        Problem::invalid("invalid_query", text).field("outcome")
    })
}

fn cursor(text: &str) -> Result<RequestId, Problem> {
    text.parse().map_err(|_| {
        Problem::invalid("invalid_cursor", "`cursor` must be the `nextCursor` of another page").field("cursor")
    })
}

fn moment(text: &str, now: i64, field: &'static str) -> Result<i64, Problem> {
    parse_moment(text, now).ok_or_else(|| {
        let text = format!("`{field}` must be a span such as `24h`, a time, or unix milliseconds");
        Problem::invalid("invalid_query", text).field(field)
    })
}

fn names(instance: &Instance) -> Result<Names, StoreError> {
    instance.core().read(|from| {
        let accounts = accounts::list(from)?.into_iter().map(|account| (account.id, account.name)).collect();
        let keys = keys::list(from)?.into_iter().map(|key| (key.id, key.name)).collect();
        Ok(Names { accounts, keys })
    })
}
