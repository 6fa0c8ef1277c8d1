//! Table `requests`: one row per request. Its number is the key and the only index.

use std::collections::BTreeMap;

use omniroute_domain::{AccountId, FaultKind, Format, KeyId, Mark, MicroUsd, ModelId, ProviderId, Usage};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, named_params, params};
use serde::{Deserialize, Serialize};

use crate::column::{Word, count, int};
use crate::error::StoreError;
use crate::log::record::{Outcome, RequestId, RequestRecord, cut};
use crate::log::usage_hours::Totals;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE requests (
        id             INTEGER PRIMARY KEY,
        key            TEXT,
        format         TEXT NOT NULL,
        endpoint       TEXT NOT NULL,
        asked_model    TEXT NOT NULL,
        provider       TEXT,
        account        TEXT,
        model          TEXT,
        stream         INTEGER NOT NULL,
        status         INTEGER NOT NULL,
        outcome        TEXT NOT NULL,
        fault_kind     TEXT,
        fault_code     TEXT,
        message        TEXT,
        ttfb_ms        INTEGER,
        duration_ms    INTEGER NOT NULL,
        input          INTEGER,
        cache_read     INTEGER,
        cache_write_5m INTEGER,
        cache_write_1h INTEGER,
        output         INTEGER,
        reasoning      INTEGER,
        usage_rest     TEXT,
        usage_mark     TEXT,
        cost_micro     INTEGER NOT NULL,
        cost_mark      TEXT NOT NULL,
        price_checked  TEXT,
        bytes_in       INTEGER NOT NULL,
        bytes_out      INTEGER NOT NULL,
        client_id      TEXT
    ) STRICT;
";

const LONGEST_MODEL: usize = 200;
pub(crate) const LONGEST_MESSAGE: usize = 300;
/// The most rows of one page.
const LARGEST_PAGE: u32 = 1000;

/// Which requests to list. Fields that are `None` let everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// From this time on, unix milliseconds.
    pub since: Option<i64>,
    /// Before this time, unix milliseconds.
    pub until: Option<i64>,
    /// Answered by this provider.
    pub provider: Option<ProviderId>,
    /// Answered by this model.
    pub model: Option<ModelId>,
    /// Answered with this account.
    pub account: Option<AccountId>,
    /// Asked with this client key.
    pub key: Option<KeyId>,
    /// Answered with this HTTP status.
    pub status: Option<u16>,
    /// Ended so.
    pub outcome: Option<Outcome>,
}

/// A page of requests, newest first, without their attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The requests.
    pub items: Vec<RequestRecord>,
    /// Where the next page begins, where there may be one.
    pub next: Option<RequestId>,
}

/// Token counts that few answers have, kept as one JSON text.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Rest {
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_prompt: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    server_tools: Vec<(String, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<MicroUsd>,
}

pub(crate) fn prepare_insert(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(
        "INSERT OR IGNORE INTO requests
         (id, key, format, endpoint, asked_model, provider, account, model, stream, status, outcome, fault_kind,
          fault_code, message, ttfb_ms, duration_ms, input, cache_read, cache_write_5m, cache_write_1h, output,
          reasoning, usage_rest, usage_mark, cost_micro, cost_mark, price_checked, bytes_in, bytes_out,
          client_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                 ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)",
    )
}

/// Writes a row. Returns whether its number was still free.
pub(crate) fn insert(statement: &mut CachedStatement<'_>, record: &RequestRecord) -> rusqlite::Result<bool> {
    let usage = &record.usage;
    let changed = statement.execute(params![
        record.id.number(),
        record.key.as_ref().map(KeyId::as_str),
        record.format.as_str(),
        record.endpoint,
        cut(&record.asked_model, LONGEST_MODEL),
        record.provider.as_ref().map(ProviderId::as_str),
        record.account.as_ref().map(AccountId::as_str),
        record.model.as_ref().map(ModelId::as_str),
        record.stream,
        record.status,
        record.outcome.as_str(),
        record.fault_kind.map(|kind| kind.as_str()),
        record.fault_code,
        record.message.as_deref().map(|message| cut(message, LONGEST_MESSAGE)),
        record.ttfb_ms.map(int),
        int(record.duration_ms),
        usage.input_total.map(int),
        usage.cache_read.map(int),
        usage.cache_write_5m.map(int),
        usage.cache_write_1h.map(int),
        usage.output_total.map(int),
        usage.reasoning.map(int),
        rest_of(usage),
        record.usage_mark.map(Mark::as_str),
        record.cost.0,
        record.cost_mark.as_str(),
        record.price_checked,
        int(record.bytes_in),
        int(record.bytes_out),
        record.client_id,
    ])?;
    Ok(changed > 0)
}

/// One request, without its attempts.
pub(crate) fn get(connection: &Connection, id: RequestId) -> Result<Option<RequestRecord>, StoreError> {
    let mut query = connection.prepare("SELECT * FROM requests WHERE id = ?1")?;
    Ok(query.query_row([id.number()], read).optional()?)
}

/// A page of requests, newest first.
pub(crate) fn list(
    connection: &Connection,
    filter: &HistoryFilter,
    before: Option<RequestId>,
    limit: u32,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, LARGEST_PAGE);
    let sql = "SELECT * FROM requests
               WHERE id >= :since AND id < :until AND (:provider IS NULL OR provider = :provider)
               AND (:model IS NULL OR model = :model) AND (:account IS NULL OR account = :account)
               AND (:key IS NULL OR key = :key) AND (:status IS NULL OR status = :status)
               AND (:outcome IS NULL OR outcome = :outcome)
               ORDER BY id DESC LIMIT :limit";
    let until = filter.until.map_or(i64::MAX, |until| RequestId::first_at(until).number());
    let mut query = connection.prepare(sql)?;
    let rows = query.query_map(
        named_params! {
            ":since": filter.since.map_or(0, |since| RequestId::first_at(since).number()),
            ":until": before.map_or(until, |before| before.number().min(until)),
            ":provider": filter.provider.as_ref().map(ProviderId::as_str),
            ":model": filter.model.as_ref().map(ModelId::as_str),
            ":account": filter.account.as_ref().map(AccountId::as_str),
            ":key": filter.key.as_ref().map(KeyId::as_str),
            ":status": filter.status,
            ":outcome": filter.outcome.map(Outcome::as_str),
            ":limit": limit,
        },
        read,
    )?;
    let items: Vec<RequestRecord> = rows.collect::<Result<_, _>>()?;
    let next = items.last().filter(|_| items.len() == limit as usize).map(|last| last.id);
    Ok(Page { items, next })
}

/// How many requests a filter lets through.
pub(crate) fn count_matching(connection: &Connection, filter: &HistoryFilter) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM requests
               WHERE id >= :since AND id < :until AND (:provider IS NULL OR provider = :provider)
               AND (:model IS NULL OR model = :model) AND (:account IS NULL OR account = :account)
               AND (:key IS NULL OR key = :key) AND (:status IS NULL OR status = :status)
               AND (:outcome IS NULL OR outcome = :outcome)";
    let found: i64 = connection.query_row(
        sql,
        named_params! {
            ":since": filter.since.map_or(0, |since| RequestId::first_at(since).number()),
            ":until": filter.until.map_or(i64::MAX, |until| RequestId::first_at(until).number()),
            ":provider": filter.provider.as_ref().map(ProviderId::as_str),
            ":model": filter.model.as_ref().map(ModelId::as_str),
            ":account": filter.account.as_ref().map(AccountId::as_str),
            ":key": filter.key.as_ref().map(KeyId::as_str),
            ":status": filter.status,
            ":outcome": filter.outcome.map(Outcome::as_str),
        },
        |row| row.get(0),
    )?;
    Ok(count(found))
}

/// Sums per minute since a time, by the minute's first unix millisecond.
pub(crate) fn by_minute(connection: &Connection, since: i64) -> Result<BTreeMap<i64, Totals>, StoreError> {
    // A number holds its time above its last 20 bits.
    let mut query = connection.prepare(
        "SELECT (id >> 20) / 60000 * 60000 AS minute, count(*), sum(outcome = 'error'), sum(ifnull(input, 0)),
                sum(ifnull(cache_read, 0)), sum(ifnull(cache_write_5m, 0) + ifnull(cache_write_1h, 0)),
                sum(ifnull(output, 0)), sum(ifnull(reasoning, 0)), sum(cost_micro), sum(cost_mark = 'unpriced'),
                sum(ifnull(usage_mark = 'estimated', 0)), sum(duration_ms), sum(ifnull(ttfb_ms, 0)), count(ttfb_ms)
         FROM requests WHERE id >= ?1 GROUP BY minute ORDER BY minute",
    )?;
    let rows =
        query.query_map([RequestId::first_at(since).number()], |row| Ok((row.get(0)?, Totals::read(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn rest_of(usage: &Usage) -> Option<String> {
    let rest = Rest {
        audio_in: usage.audio_in,
        audio_out: usage.audio_out,
        image: usage.image,
        tool_prompt: usage.tool_prompt,
        server_tools: usage.server_tools.clone(),
        tier: usage.tier.clone(),
        cost: usage.cost,
    };
    if rest == Rest::default() {
        return None;
    }
    // Numbers and texts only: there is nothing in it that JSON can't say.
    serde_json::to_string(&rest).ok()
}

fn read(row: &Row<'_>) -> rusqlite::Result<RequestRecord> {
    Ok(RequestRecord {
        id: RequestId::from_number(row.get("id")?),
        key: row.get::<_, Option<String>>("key")?.map(KeyId::from),
        format: row.get::<_, Word<Format>>("format")?.0,
        endpoint: row.get::<_, String>("endpoint")?.into(),
        asked_model: row.get("asked_model")?,
        provider: row.get::<_, Option<String>>("provider")?.map(ProviderId::from),
        account: row.get::<_, Option<String>>("account")?.map(AccountId::from),
        model: row.get::<_, Option<String>>("model")?.map(ModelId::from),
        stream: row.get("stream")?,
        status: row.get("status")?,
        outcome: row.get::<_, Word<Outcome>>("outcome")?.0,
        fault_kind: row.get::<_, Option<Word<FaultKind>>>("fault_kind")?.map(|word| word.0),
        fault_code: row.get::<_, Option<String>>("fault_code")?.map(Into::into),
        message: row.get("message")?,
        ttfb_ms: row.get::<_, Option<i64>>("ttfb_ms")?.map(count),
        duration_ms: count(row.get("duration_ms")?),
        usage: read_usage(row)?,
        usage_mark: row.get::<_, Option<Word<Mark>>>("usage_mark")?.map(|word| word.0),
        cost: MicroUsd(row.get("cost_micro")?),
        cost_mark: row.get::<_, Word<Mark>>("cost_mark")?.0,
        price_checked: row.get("price_checked")?,
        bytes_in: count(row.get("bytes_in")?),
        bytes_out: count(row.get("bytes_out")?),
        client_id: row.get("client_id")?,
        attempts: Vec::new(),
    })
}

fn read_usage(row: &Row<'_>) -> rusqlite::Result<Usage> {
    let tokens = |column: &str| row.get::<_, Option<i64>>(column).map(|stored| stored.map(count));
    let rest: Option<String> = row.get("usage_rest")?;
    let rest: Rest = rest.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    Ok(Usage {
        input_total: tokens("input")?,
        cache_read: tokens("cache_read")?,
        cache_write_5m: tokens("cache_write_5m")?,
        cache_write_1h: tokens("cache_write_1h")?,
        output_total: tokens("output")?,
        reasoning: tokens("reasoning")?,
        audio_in: rest.audio_in,
        audio_out: rest.audio_out,
        image: rest.image,
        tool_prompt: rest.tool_prompt,
        server_tools: rest.server_tools,
        tier: rest.tier,
        cost: rest.cost,
    })
}
