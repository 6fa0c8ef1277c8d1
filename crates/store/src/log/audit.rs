//! Table `audit`: who changed what. No secrets; the caller leaves them out of the detail.

use rusqlite::{Connection, Row, params};

use crate::error::StoreError;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE audit (
        id      INTEGER PRIMARY KEY,
        at      INTEGER NOT NULL,
        actor   TEXT NOT NULL,
        action  TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail  TEXT
    ) STRICT;
";

/// One change, or one attempt at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When, unix milliseconds.
    pub at: i64,
    /// Who: a client key's id, `local`, …
    pub actor: String,
    /// What was done, e.g. `account.create`.
    pub action: String,
    /// To what: an id.
    pub subject: String,
    /// More about it.
    pub detail: Option<String>,
}

pub(crate) fn insert(connection: &Connection, record: &AuditRecord) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![record.at, record.actor, record.action, record.subject, record.detail];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// The newest entries before a number, newest first, each with its number.
pub(crate) fn list(
    connection: &Connection,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
    let sql = "SELECT id, at, actor, action, subject, detail FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
    let mut query = connection.prepare(sql)?;
    let rows = query.query_map(params![before.unwrap_or(i64::MAX), limit.clamp(1, 1000)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, AuditRecord)> {
    let record = AuditRecord {
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
    };
    Ok((row.get(0)?, record))
}
