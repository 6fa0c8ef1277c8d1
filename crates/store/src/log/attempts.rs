//! Table `attempts`: one row per try. Provider, account and model are `NULL` where they are those of
//! the request, as with the last try of most requests: that halves the table.

use omniroute_domain::{AccountId, FaultKind, ModelId, ProviderId};
use rusqlite::{CachedStatement, Connection, Row, params};

use crate::column::{Word, count, int};
use crate::error::StoreError;
use crate::log::record::{AttemptRecord, RequestId, RequestRecord, cut};
use crate::log::requests::LONGEST_MESSAGE;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE attempts (
        request     INTEGER NOT NULL,
        n           INTEGER NOT NULL,
        provider    TEXT,
        account     TEXT,
        model       TEXT,
        at_ms       INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL,
        status      INTEGER,
        fault_kind  TEXT,
        fault_code  TEXT,
        message     TEXT,
        PRIMARY KEY (request, n)
    ) STRICT, WITHOUT ROWID;
";

pub(crate) fn prepare_insert(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(
        "INSERT OR IGNORE INTO attempts
         (request, n, provider, account, model, at_ms, duration_ms, status, fault_kind, fault_code, message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )
}

/// Writes the tries of a request.
pub(crate) fn insert(statement: &mut CachedStatement<'_>, request: &RequestRecord) -> rusqlite::Result<()> {
    for attempt in &request.attempts {
        statement.execute(params![
            request.id.number(),
            attempt.n,
            Some(&attempt.provider).filter(|own| Some(*own) != request.provider.as_ref()).map(ProviderId::as_str),
            Some(&attempt.account).filter(|own| Some(*own) != request.account.as_ref()).map(AccountId::as_str),
            Some(&attempt.model).filter(|own| Some(*own) != request.model.as_ref()).map(ModelId::as_str),
            attempt.at_ms,
            int(attempt.duration_ms),
            attempt.status,
            attempt.fault_kind.map(|kind| kind.as_str()),
            attempt.fault_code,
            attempt.message.as_deref().map(|message| cut(message, LONGEST_MESSAGE)),
        ])?;
    }
    Ok(())
}

/// The tries of a request, in order.
pub(crate) fn of_request(connection: &Connection, id: RequestId) -> Result<Vec<AttemptRecord>, StoreError> {
    let mut query = connection.prepare(
        "SELECT n, coalesce(a.provider, r.provider, ''), coalesce(a.account, r.account, ''),
                coalesce(a.model, r.model, ''), at_ms, a.duration_ms, a.status, a.fault_kind, a.fault_code, a.message
         FROM attempts a JOIN requests r ON r.id = a.request WHERE a.request = ?1 ORDER BY n",
    )?;
    let rows = query.query_map([id.number()], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<AttemptRecord> {
    Ok(AttemptRecord {
        n: row.get(0)?,
        provider: ProviderId::from(row.get::<_, String>(1)?),
        account: AccountId::from(row.get::<_, String>(2)?),
        model: ModelId::from(row.get::<_, String>(3)?),
        at_ms: row.get(4)?,
        duration_ms: count(row.get(5)?),
        status: row.get(6)?,
        fault_kind: row.get::<_, Option<Word<FaultKind>>>(7)?.map(|word| word.0),
        fault_code: row.get::<_, Option<String>>(8)?.map(Into::into),
        message: row.get(9)?,
    })
}
