//! Table `key_use`: when each client key was last used. It outlives the request rows.

use std::collections::HashMap;

use omniroute_domain::KeyId;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::log::record::RequestRecord;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE key_use (
        key     TEXT NOT NULL PRIMARY KEY,
        last_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Takes over the times of a batch.
pub(crate) fn add(connection: &Connection, records: &[&RequestRecord]) -> rusqlite::Result<()> {
    let mut latest: HashMap<&str, i64> = HashMap::new();
    for record in records {
        let Some(key) = &record.key else { continue };
        let seen = latest.entry(key.as_str()).or_insert(i64::MIN);
        *seen = (*seen).max(record.at_ms());
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO key_use (key, last_ms) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)",
    )?;
    latest.into_iter().try_for_each(|used| upsert.execute(used).map(drop))
}

/// When each key was last used, unix milliseconds.
pub(crate) fn list(connection: &Connection) -> Result<HashMap<KeyId, i64>, StoreError> {
    let mut query = connection.prepare("SELECT key, last_ms FROM key_use")?;
    let rows = query.query_map([], |row| Ok((KeyId::from(row.get::<_, String>(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
