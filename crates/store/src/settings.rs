//! Table `settings`: what a person set, one JSON text per key. Defaults are not stored.

use rusqlite::{OptionalExtension as _, params};

use crate::core_db::{Reader, Writer};
use crate::error::StoreError;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE settings (
        key        TEXT NOT NULL PRIMARY KEY,
        value      TEXT NOT NULL CHECK (json_valid(value)),
        updated_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// A setting's JSON text; `None` where the default holds.
pub fn get(from: &Reader<'_>, key: &str) -> Result<Option<String>, StoreError> {
    let mut query = from.connection.prepare_cached("SELECT value FROM settings WHERE key = ?1")?;
    Ok(query.query_row([key], |row| row.get(0)).optional()?)
}

/// All settings as key and JSON text, by key.
pub fn list(from: &Reader<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let mut query = from.connection.prepare_cached("SELECT key, value FROM settings ORDER BY key")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Sets a setting to a JSON text.
pub fn set(to: &Writer<'_>, key: &str, json: &str, now: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
    to.connection.prepare_cached(sql)?.execute(params![key, json, now])?;
    Ok(())
}

/// Goes back to the default. Returns whether there was a setting.
pub fn delete(to: &Writer<'_>, key: &str) -> Result<bool, StoreError> {
    Ok(to.connection.prepare_cached("DELETE FROM settings WHERE key = ?1")?.execute([key])? > 0)
}
