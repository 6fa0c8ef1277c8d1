//! Table `keys`: the client keys we issued. Only their hashes are here; a key can't be shown again.

use omniroute_domain::KeyId;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::core_db::{Reader, Writer};
use crate::error::StoreError;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE keys (
        id         TEXT NOT NULL PRIMARY KEY,
        name       TEXT NOT NULL,
        hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
        prefix     TEXT NOT NULL,
        last4      TEXT NOT NULL,
        scopes     TEXT NOT NULL,
        is_active  INTEGER NOT NULL CHECK (is_active IN (0, 1)),
        created_at INTEGER NOT NULL,
        rotated_at INTEGER,
        expires_at INTEGER
    ) STRICT, WITHOUT ROWID;
";

/// A client key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// A UUID.
    pub id: KeyId,
    /// What the person calls it.
    pub name: String,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// The key's beginning, for display.
    pub prefix: String,
    /// The key's end, for display.
    pub last4: String,
    /// What it may do, comma between: `chat`, `manage`, `read`.
    pub scopes: String,
    /// Whether it is accepted.
    pub is_active: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// When it last got a new secret, unix milliseconds.
    pub rotated_at: Option<i64>,
    /// From when on it is refused, unix milliseconds.
    pub expires_at: Option<i64>,
}

/// One key.
pub fn get(from: &Reader<'_>, id: &KeyId) -> Result<Option<Key>, StoreError> {
    let sql = "SELECT id, name, hash, prefix, last4, scopes, is_active, created_at, rotated_at, expires_at
               FROM keys WHERE id = ?1";
    Ok(from.connection.prepare_cached(sql)?.query_row([id.as_str()], read).optional()?)
}

/// All keys, oldest first.
pub fn list(from: &Reader<'_>) -> Result<Vec<Key>, StoreError> {
    let sql = "SELECT id, name, hash, prefix, last4, scopes, is_active, created_at, rotated_at, expires_at
               FROM keys ORDER BY created_at, id";
    let mut query = from.connection.prepare_cached(sql)?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds a key.
pub fn insert(to: &Writer<'_>, key: &Key) -> Result<(), StoreError> {
    let sql = "INSERT INTO keys
               (id, name, hash, prefix, last4, scopes, is_active, created_at, rotated_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    to.connection.prepare_cached(sql)?.execute(params![
        key.id.as_str(),
        key.name,
        key.hash,
        key.prefix,
        key.last4,
        key.scopes,
        key.is_active,
        key.created_at,
        key.rotated_at,
        key.expires_at,
    ])?;
    Ok(())
}

/// Writes all of a key but its id and the time it was made; a rotation is an update too.
pub fn update(to: &Writer<'_>, key: &Key) -> Result<(), StoreError> {
    let sql = "UPDATE keys SET name = ?2, hash = ?3, prefix = ?4, last4 = ?5, scopes = ?6, is_active = ?7,
               rotated_at = ?8, expires_at = ?9 WHERE id = ?1";
    let changed = to.connection.prepare_cached(sql)?.execute(params![
        key.id.as_str(),
        key.name,
        key.hash,
        key.prefix,
        key.last4,
        key.scopes,
        key.is_active,
        key.rotated_at,
        key.expires_at,
    ])?;
    if changed == 0 {
        return Err(StoreError::NotFound { table: "keys", id: key.id.to_string() });
    }
    Ok(())
}

/// Removes a key. Returns whether there was one.
pub fn delete(to: &Writer<'_>, id: &KeyId) -> Result<bool, StoreError> {
    Ok(to.connection.prepare_cached("DELETE FROM keys WHERE id = ?1")?.execute([id.as_str()])? > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key {
        id: KeyId::from(row.get::<_, String>(0)?),
        name: row.get(1)?,
        hash: row.get(2)?,
        prefix: row.get(3)?,
        last4: row.get(4)?,
        scopes: row.get(5)?,
        is_active: row.get(6)?,
        created_at: row.get(7)?,
        rotated_at: row.get(8)?,
        expires_at: row.get(9)?,
    })
}
