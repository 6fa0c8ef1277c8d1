//! Sums as answers write them.

use std::collections::BTreeMap;

use omniroute_domain::MicroUsd;
use omniroute_store::StoreError;
use omniroute_store::log::{HistoryFilter, LogReader, Stats, Totals};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::iso;
use crate::usage::Names;

/// Where requests stand that no provider was chosen for.
const NO_PROVIDER: &str = "-";
const MINUTE: i64 = 60_000;
const MINUTES: i64 = 10;
/// Rows read at a time for the last minutes.
const PAGE: u32 = 1000;

/// Sums, in all and by who took part.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageStats {
    total_requests: u64,
    /// Requests that ended in an error; a client that went away is none.
    total_errors: u64,
    /// Input tokens, cached ones included.
    total_prompt_tokens: u64,
    /// Output tokens, reasoning included.
    total_completion_tokens: u64,
    total_cache_read_tokens: u64,
    total_cache_write_tokens: u64,
    total_reasoning_tokens: u64,
    /// Dollars, without the requests whose price is not known.
    total_cost: f64,
    /// The same in micro-dollars, exact.
    total_cost_micro_usd: i64,
    /// How many requests have no known price; their cost is not in the sum.
    unpriced_requests: u64,
    /// How many requests have token counts that were estimated.
    estimated_requests: u64,
    /// Requests that were refused before a provider was chosen stand under `-`.
    by_provider: BTreeMap<String, Sums>,
    /// By `provider/model`.
    by_model: BTreeMap<String, Sums>,
    /// By the account's id.
    by_account: BTreeMap<String, Sums>,
    /// By the client key's id.
    by_api_key: BTreeMap<String, Sums>,
    /// By hour, oldest first; hours without requests are left out.
    by_hour: Vec<HourSums>,
    /// The last ten minutes, oldest first.
    last10_minutes: Vec<MinuteSums>,
}

/// Sums of one of them.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Sums {
    /// What a person calls it, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    requests: u64,
    errors: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    reasoning_tokens: u64,
    cost: f64,
    cost_micro_usd: i64,
    unpriced_requests: u64,
    estimated_requests: u64,
    /// From arrival to end, on average.
    avg_duration_ms: Option<u64>,
    /// To the first byte, on average.
    avg_ttfb_ms: Option<u64>,
}

/// Sums of an hour.
#[derive(Debug, Serialize, ToSchema)]
struct HourSums {
    /// Its beginning.
    hour: String,
    #[serde(flatten)]
    sums: Sums,
}

/// Sums of a minute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MinuteSums {
    /// Its beginning.
    minute: String,
    requests: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    cost: f64,
}

pub(super) fn show(stats: &Stats, names: &Names, last10_minutes: Vec<MinuteSums>) -> UsageStats {
    let total = &stats.total;
    UsageStats {
        total_requests: total.requests,
        total_errors: total.errors,
        total_prompt_tokens: total.input,
        total_completion_tokens: total.output,
        total_cache_read_tokens: total.cache_read,
        total_cache_write_tokens: total.cache_write,
        total_reasoning_tokens: total.reasoning,
        total_cost: total.cost.dollars(),
        total_cost_micro_usd: total.cost.0,
        unpriced_requests: total.unpriced_requests,
        estimated_requests: total.estimated_requests,
        by_provider: by_provider(stats),
        by_model: stats
            .by_model
            .iter()
            .map(|((provider, model), sum)| (format!("{provider}/{model}"), sums(sum, None)))
            .collect(),
        by_account: stats
            .by_account
            .iter()
            .map(|(id, sum)| (id.to_string(), sums(sum, names.accounts.get(id).cloned())))
            .collect(),
        by_api_key: stats
            .by_key
            .iter()
            .map(|(id, sum)| (id.to_string(), sums(sum, names.keys.get(id).cloned())))
            .collect(),
        by_hour: stats.by_hour.iter().map(|(at, sum)| HourSums { hour: iso(*at), sums: sums(sum, None) }).collect(),
        last10_minutes,
    }
}

/// By provider, so that the sums agree with the total.
fn by_provider(stats: &Stats) -> BTreeMap<String, Sums> {
    let mut shown: BTreeMap<String, Sums> =
        stats.by_provider.iter().map(|(id, sum)| (id.to_string(), sums(sum, None))).collect();
    let nobodys = without(&stats.total, stats.by_provider.values());
    if nobodys.requests > 0 {
        shown.insert(NO_PROVIDER.to_owned(), sums(&nobodys, None));
    }
    shown
}

/// What is left of a total without its parts.
fn without<'a>(total: &Totals, parts: impl Iterator<Item = &'a Totals>) -> Totals {
    parts.fold(*total, |left, part| Totals {
        requests: left.requests.saturating_sub(part.requests),
        errors: left.errors.saturating_sub(part.errors),
        input: left.input.saturating_sub(part.input),
        cache_read: left.cache_read.saturating_sub(part.cache_read),
        cache_write: left.cache_write.saturating_sub(part.cache_write),
        output: left.output.saturating_sub(part.output),
        reasoning: left.reasoning.saturating_sub(part.reasoning),
        cost: MicroUsd(left.cost.0 - part.cost.0),
        unpriced_requests: left.unpriced_requests.saturating_sub(part.unpriced_requests),
        estimated_requests: left.estimated_requests.saturating_sub(part.estimated_requests),
        duration_ms_sum: left.duration_ms_sum.saturating_sub(part.duration_ms_sum),
        ttfb_ms_sum: left.ttfb_ms_sum.saturating_sub(part.ttfb_ms_sum),
        ttfb_requests: left.ttfb_requests.saturating_sub(part.ttfb_requests),
    })
}

fn sums(total: &Totals, name: Option<String>) -> Sums {
    Sums {
        name,
        requests: total.requests,
        errors: total.errors,
        prompt_tokens: total.input,
        completion_tokens: total.output,
        cache_read_tokens: total.cache_read,
        cache_write_tokens: total.cache_write,
        reasoning_tokens: total.reasoning,
        cost: total.cost.dollars(),
        cost_micro_usd: total.cost.0,
        unpriced_requests: total.unpriced_requests,
        estimated_requests: total.estimated_requests,
        avg_duration_ms: total.duration_ms_sum.checked_div(total.requests),
        avg_ttfb_ms: total.ttfb_ms_sum.checked_div(total.ttfb_requests),
    }
}

/// The last ten minutes, request by request; sums per hour are too coarse for them.
pub(super) fn last_10_minutes(log: &LogReader, now: i64) -> Result<Vec<MinuteSums>, StoreError> {
    let first = now.div_euclid(MINUTE) - (MINUTES - 1);
    let mut minutes: BTreeMap<i64, (u64, u64, u64, i64)> =
        (first..first + MINUTES).map(|minute| (minute, (0, 0, 0, 0))).collect();
    let filter = HistoryFilter { since: Some(first * MINUTE), ..HistoryFilter::default() };
    let mut before = None;
    loop {
        let page = log.history(&filter, before, PAGE)?;
        for request in &page.items {
            // A request of the next minute came in while this was read.
            let Some(sum) = minutes.get_mut(&request.at_ms().div_euclid(MINUTE)) else { continue };
            sum.0 += 1;
            sum.1 += request.usage.input_total.unwrap_or(0);
            sum.2 += request.usage.output_total.unwrap_or(0);
            sum.3 += request.cost.0;
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let shown =
        |(minute, (requests, prompt_tokens, completion_tokens, cost)): (i64, (u64, u64, u64, i64))| MinuteSums {
            minute: iso(minute * MINUTE),
            requests,
            prompt_tokens,
            completion_tokens,
            cost: MicroUsd(cost).dollars(),
        };
    Ok(minutes.into_iter().map(shown).collect())
}
