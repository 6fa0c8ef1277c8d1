//! Requests as answers write them.

use omniroute_domain::Mark;
use omniroute_store::log::{AttemptRecord, Page, RequestRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::iso;
use crate::usage::Names;

/// A page of requests, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestPage {
    items: Vec<LoggedRequest>,
    /// How many the filter lets through in all.
    total: u64,
    /// Where the next page begins, where there may be one.
    next_cursor: Option<String>,
}

/// One request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequestReply {
    pub(super) request: RequestDetail,
}

/// A request. What was said is never kept.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoggedRequest {
    /// The number it is recorded under.
    id: String,
    /// What the client got as `x-request-id`: its own id where it sent one, else the number.
    request_id: String,
    at: String,
    api_key_id: Option<String>,
    api_key_name: Option<String>,
    /// The dialect it was asked in.
    #[schema(value_type = String)]
    format: &'static str,
    endpoint: String,
    /// The model as the client named it.
    asked_model: String,
    provider: Option<String>,
    account_id: Option<String>,
    account_name: Option<String>,
    /// The model as the provider names it.
    model: Option<String>,
    stream: bool,
    /// The HTTP status the client got.
    status: u16,
    /// `ok`, `error` or `client_closed`.
    #[schema(value_type = String)]
    outcome: &'static str,
    error: Option<LoggedFault>,
    ttfb_ms: Option<u64>,
    duration_ms: u64,
    tokens: LoggedTokens,
    /// `reported` or `estimated`; null where nothing was counted.
    #[schema(value_type = Option<String>)]
    tokens_mark: Option<&'static str>,
    /// Dollars; null where the price is not known.
    cost: Option<f64>,
    /// The same in micro-dollars, exact.
    cost_micro_usd: Option<i64>,
    /// `reported`, `estimated` or `unpriced`.
    #[schema(value_type = String)]
    cost_mark: &'static str,
    /// The day the price was checked.
    price_checked: Option<String>,
    bytes_in: u64,
    bytes_out: u64,
}

/// A request with every attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequestDetail {
    #[serde(flatten)]
    request: LoggedRequest,
    attempts: Vec<LoggedAttempt>,
}

/// LoggedTokens; what was not reported is null, which is not zero.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoggedTokens {
    /// Cached ones included.
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    /// Reasoning included.
    output: Option<u64>,
    reasoning: Option<u64>,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct LoggedFault {
    #[schema(value_type = Option<String>)]
    kind: Option<&'static str>,
    /// The stable code.
    code: Option<String>,
    message: Option<String>,
}

/// One try at one account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoggedAttempt {
    /// Its place among the tries, from 1.
    n: u32,
    at: String,
    provider: String,
    account_id: String,
    account_name: Option<String>,
    model: String,
    duration_ms: u64,
    /// The HTTP status the provider answered with.
    status: Option<u16>,
    error: Option<LoggedFault>,
}

pub(super) fn page(page: &Page, total: u64, names: &Names) -> RequestPage {
    RequestPage {
        items: page.items.iter().map(|record| request(record, names)).collect(),
        total,
        next_cursor: page.next.map(|next| next.to_string()),
    }
}

pub(super) fn detail(record: &RequestRecord, names: &Names) -> RequestDetail {
    let attempts = record.attempts.iter().map(|tried| attempt(tried, names)).collect();
    RequestDetail { request: request(record, names), attempts }
}

fn request(record: &RequestRecord, names: &Names) -> LoggedRequest {
    let usage = &record.usage;
    let written = usage.cache_write_5m.is_some() || usage.cache_write_1h.is_some();
    let is_priced = record.cost_mark != Mark::Unpriced;
    let error =
        fault(record.fault_kind.map(|kind| kind.as_str()), record.fault_code.as_deref(), record.message.as_ref());
    LoggedRequest {
        id: record.id.to_string(),
        request_id: record.client_id.clone().unwrap_or_else(|| record.id.to_string()),
        at: iso(record.at_ms()),
        api_key_id: record.key.as_ref().map(ToString::to_string),
        api_key_name: record.key.as_ref().and_then(|id| names.keys.get(id).cloned()),
        format: record.format.as_str(),
        endpoint: record.endpoint.to_string(),
        asked_model: record.asked_model.clone(),
        provider: record.provider.as_ref().map(ToString::to_string),
        account_id: record.account.as_ref().map(ToString::to_string),
        account_name: record.account.as_ref().and_then(|id| names.accounts.get(id).cloned()),
        model: record.model.as_ref().map(ToString::to_string),
        stream: record.stream,
        status: record.status,
        outcome: record.outcome.as_str(),
        error,
        ttfb_ms: record.ttfb_ms,
        duration_ms: record.duration_ms,
        tokens: LoggedTokens {
            input: usage.input_total,
            cache_read: usage.cache_read,
            cache_write: written.then(|| usage.cache_write()),
            output: usage.output_total,
            reasoning: usage.reasoning,
        },
        tokens_mark: record.usage_mark.map(Mark::as_str),
        cost: is_priced.then(|| record.cost.dollars()),
        cost_micro_usd: is_priced.then_some(record.cost.0),
        cost_mark: record.cost_mark.as_str(),
        price_checked: record.price_checked.as_ref().map(ToString::to_string),
        bytes_in: record.bytes_in,
        bytes_out: record.bytes_out,
    }
}

fn attempt(record: &AttemptRecord, names: &Names) -> LoggedAttempt {
    LoggedAttempt {
        n: record.n,
        at: iso(record.at_ms),
        provider: record.provider.to_string(),
        account_id: record.account.to_string(),
        account_name: names.accounts.get(&record.account).cloned(),
        model: record.model.to_string(),
        duration_ms: record.duration_ms,
        status: record.status,
        error: fault(
            record.fault_kind.map(|kind| kind.as_str()),
            record.fault_code.as_deref(),
            record.message.as_ref(),
        ),
    }
}

fn fault(kind: Option<&'static str>, code: Option<&str>, message: Option<&String>) -> Option<LoggedFault> {
    let happened = kind.is_some() || code.is_some() || message.is_some();
    happened.then(|| LoggedFault { kind, code: code.map(str::to_owned), message: message.cloned() })
}
