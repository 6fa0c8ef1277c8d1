//! Table `meta`: facts about this database itself, e.g. which vault key its secrets are sealed with.

use rusqlite::OptionalExtension as _;

use crate::core_db::{Reader, Writer};
use crate::error::StoreError;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE meta (
        key   TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// A fact.
pub fn get(from: &Reader<'_>, key: &str) -> Result<Option<String>, StoreError> {
    let mut query = from.connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(query.query_row([key], |row| row.get(0)).optional()?)
}

/// Sets a fact.
pub fn set(to: &Writer<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    to.connection.prepare_cached(sql)?.execute([key, value])?;
    Ok(())
}
