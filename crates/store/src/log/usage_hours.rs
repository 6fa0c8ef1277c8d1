//! Table `usage_hours`: sums per hour, provider, model, account and client key, kept in step with
//! `requests` by the same transaction. All statistics come from here, so that they cost the same with
//! a thousand requests and with a million, and outlive the rows they count.
//!
//! A name that a request has not (nobody answered it, no key) is the empty text.

use std::collections::{BTreeMap, HashMap};

use omniroute_domain::{AccountId, KeyId, Mark, MicroUsd, ModelId, ProviderId};
use rusqlite::{Connection, Row, params};

use crate::column::{count, int};
use crate::error::StoreError;
use crate::log::record::{Outcome, RequestRecord};

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE usage_hours (
        hour               INTEGER NOT NULL,
        provider           TEXT NOT NULL,
        model              TEXT NOT NULL,
        account            TEXT NOT NULL,
        key                TEXT NOT NULL,
        requests           INTEGER NOT NULL,
        errors             INTEGER NOT NULL,
        input              INTEGER NOT NULL,
        cache_read         INTEGER NOT NULL,
        cache_write        INTEGER NOT NULL,
        output             INTEGER NOT NULL,
        reasoning          INTEGER NOT NULL,
        cost_micro         INTEGER NOT NULL,
        unpriced_requests  INTEGER NOT NULL,
        estimated_requests INTEGER NOT NULL,
        duration_ms_sum    INTEGER NOT NULL,
        ttfb_ms_sum        INTEGER NOT NULL,
        ttfb_requests      INTEGER NOT NULL,
        PRIMARY KEY (hour, provider, model, account, key)
    ) STRICT, WITHOUT ROWID;
";

/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000;

/// Sums over requests. Token counts that were not reported count as nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub requests: u64,
    /// How many ended in an error; a client that went away is none.
    pub errors: u64,
    /// Input tokens, cached ones included.
    pub input: u64,
    /// Input tokens from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache.
    pub cache_write: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
    /// What it cost, as far as prices are known.
    pub cost: MicroUsd,
    /// How many have no known price; their cost is not in the sum.
    pub unpriced_requests: u64,
    /// How many have token counts that we estimated.
    pub estimated_requests: u64,
    /// Time from arrival to end, added up.
    pub duration_ms_sum: u64,
    /// Time to the first byte, added up.
    pub ttfb_ms_sum: u64,
    /// How many had a first byte.
    pub ttfb_requests: u64,
}

impl Totals {
    fn of(record: &RequestRecord) -> Self {
        let usage = &record.usage;
        Self {
            requests: 1,
            errors: u64::from(record.outcome == Outcome::Error),
            input: usage.input_total.unwrap_or(0),
            cache_read: usage.cache_read.unwrap_or(0),
            cache_write: usage.cache_write(),
            output: usage.output_total.unwrap_or(0),
            reasoning: usage.reasoning.unwrap_or(0),
            cost: record.cost,
            unpriced_requests: u64::from(record.cost_mark == Mark::Unpriced),
            estimated_requests: u64::from(record.usage_mark == Some(Mark::Estimated)),
            duration_ms_sum: record.duration_ms,
            ttfb_ms_sum: record.ttfb_ms.unwrap_or(0),
            ttfb_requests: u64::from(record.ttfb_ms.is_some()),
        }
    }

    /// Reads sums from a row whose columns from `first` on are in the order of the fields.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let sum = |place: usize| row.get::<_, i64>(first + place).map(count);
        Ok(Self {
            requests: sum(0)?,
            errors: sum(1)?,
            input: sum(2)?,
            cache_read: sum(3)?,
            cache_write: sum(4)?,
            output: sum(5)?,
            reasoning: sum(6)?,
            cost: MicroUsd(row.get(first + 7)?),
            unpriced_requests: sum(8)?,
            estimated_requests: sum(9)?,
            duration_ms_sum: sum(10)?,
            ttfb_ms_sum: sum(11)?,
            ttfb_requests: sum(12)?,
        })
    }

    pub(crate) fn add(&mut self, more: &Self) {
        let sums = [
            (&mut self.requests, more.requests),
            (&mut self.errors, more.errors),
            (&mut self.input, more.input),
            (&mut self.cache_read, more.cache_read),
            (&mut self.cache_write, more.cache_write),
            (&mut self.output, more.output),
            (&mut self.reasoning, more.reasoning),
            (&mut self.unpriced_requests, more.unpriced_requests),
            (&mut self.estimated_requests, more.estimated_requests),
            (&mut self.duration_ms_sum, more.duration_ms_sum),
            (&mut self.ttfb_ms_sum, more.ttfb_ms_sum),
            (&mut self.ttfb_requests, more.ttfb_requests),
        ];
        for (sum, more) in sums {
            *sum = sum.saturating_add(more);
        }
        self.cost.0 = self.cost.0.saturating_add(more.cost.0);
    }
}

/// Sums since a time, in all and by who took part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Everything.
    pub total: Totals,
    /// By who answered.
    pub by_provider: BTreeMap<ProviderId, Totals>,
    /// By model, with its provider.
    pub by_model: BTreeMap<(ProviderId, ModelId), Totals>,
    /// By account.
    pub by_account: BTreeMap<AccountId, Totals>,
    /// By client key.
    pub by_key: BTreeMap<KeyId, Totals>,
    /// By hour (its first unix millisecond), oldest first; hours without requests are left out.
    pub by_hour: BTreeMap<i64, Totals>,
}

type Names<'a> = (i64, &'a str, &'a str, &'a str, &'a str);

/// Adds a batch: one row is touched per combination, however many requests share it.
pub(crate) fn add(connection: &Connection, records: &[&RequestRecord]) -> rusqlite::Result<()> {
    let mut sums: HashMap<Names<'_>, Totals> = HashMap::new();
    for record in records {
        sums.entry(names(record)).or_default().add(&Totals::of(record));
    }
    let mut upsert = connection.prepare_cached(UPSERT)?;
    for ((hour, provider, model, account, key), sum) in sums {
        upsert.execute(params![
            hour,
            provider,
            model,
            account,
            key,
            int(sum.requests),
            int(sum.errors),
            int(sum.input),
            int(sum.cache_read),
            int(sum.cache_write),
            int(sum.output),
            int(sum.reasoning),
            sum.cost.0,
            int(sum.unpriced_requests),
            int(sum.estimated_requests),
            int(sum.duration_ms_sum),
            int(sum.ttfb_ms_sum),
            int(sum.ttfb_requests),
        ])?;
    }
    Ok(())
}

const UPSERT: &str = "
    INSERT INTO usage_hours
    (hour, provider, model, account, key, requests, errors, input, cache_read, cache_write, output, reasoning,
     cost_micro, unpriced_requests, estimated_requests, duration_ms_sum, ttfb_ms_sum, ttfb_requests)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT (hour, provider, model, account, key) DO UPDATE SET
        requests = requests + excluded.requests,
        errors = errors + excluded.errors,
        input = input + excluded.input,
        cache_read = cache_read + excluded.cache_read,
        cache_write = cache_write + excluded.cache_write,
        output = output + excluded.output,
        reasoning = reasoning + excluded.reasoning,
        cost_micro = cost_micro + excluded.cost_micro,
        unpriced_requests = unpriced_requests + excluded.unpriced_requests,
        estimated_requests = estimated_requests + excluded.estimated_requests,
        duration_ms_sum = duration_ms_sum + excluded.duration_ms_sum,
        ttfb_ms_sum = ttfb_ms_sum + excluded.ttfb_ms_sum,
        ttfb_requests = ttfb_requests + excluded.ttfb_requests";

/// Sums of the hours from the one that `since` is in; unix milliseconds.
pub(crate) fn stats(connection: &Connection, since: i64) -> Result<Stats, StoreError> {
    let mut query = connection.prepare(
        "SELECT hour, provider, model, account, key, requests, errors, input, cache_read, cache_write, output,
         reasoning, cost_micro, unpriced_requests, estimated_requests, duration_ms_sum, ttfb_ms_sum, ttfb_requests
         FROM usage_hours WHERE hour >= ?1 ORDER BY hour, provider, model, account, key",
    )?;
    let mut rows = query.query([since.div_euclid(HOUR)])?;
    let mut stats = Stats::default();
    while let Some(row) = rows.next()? {
        count_in(&mut stats, row)?;
    }
    Ok(stats)
}

fn count_in(stats: &mut Stats, row: &Row<'_>) -> rusqlite::Result<()> {
    let sum = Totals::read(row, 5)?;
    let name = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
    let (provider, model, account, key) = (name(1)?, name(2)?, name(3)?, name(4)?);
    stats.total.add(&sum);
    stats.by_hour.entry(row.get::<_, i64>(0)? * HOUR).or_default().add(&sum);
    if !provider.is_empty() {
        add_to(&mut stats.by_provider, provider, &sum);
    }
    if !model.is_empty() {
        let names = (ProviderId::from(provider), ModelId::from(model));
        stats.by_model.entry(names).or_default().add(&sum);
    }
    if !account.is_empty() {
        add_to(&mut stats.by_account, account, &sum);
    }
    if !key.is_empty() {
        add_to(&mut stats.by_key, key, &sum);
    }
    Ok(())
}

/// Adds under a name, which is copied only the first time it turns up.
fn add_to<Id>(sums: &mut BTreeMap<Id, Totals>, name: &str, sum: &Totals)
where
    Id: Ord + std::borrow::Borrow<str> + for<'a> From<&'a str>,
{
    match sums.get_mut(name) {
        Some(known) => known.add(sum),
        None => drop(sums.insert(Id::from(name), *sum)),
    }
}

/// Removes the hours before a time, unix milliseconds.
pub(crate) fn delete_before(connection: &Connection, time: i64) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM usage_hours WHERE hour < ?1")?.execute([time.div_euclid(HOUR)])
}

fn names(record: &RequestRecord) -> Names<'_> {
    (
        record.at_ms().div_euclid(HOUR),
        record.provider.as_ref().map_or("", ProviderId::as_str),
        record.model.as_ref().map_or("", ModelId::as_str),
        record.account.as_ref().map_or("", AccountId::as_str),
        record.key.as_ref().map_or("", KeyId::as_str),
    )
}
