//! Table `custom_models`: models people add to a provider, or hide.

use omniroute_domain::{ModelId, ProviderId};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::core_db::{Reader, Writer};
use crate::error::StoreError;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE custom_models (
        provider   TEXT NOT NULL,
        model_id   TEXT NOT NULL,
        name       TEXT,
        api_format TEXT,
        endpoints  TEXT NOT NULL CHECK (json_valid(endpoints)),
        hidden     INTEGER NOT NULL CHECK (hidden IN (0, 1)),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (provider, model_id)
    ) STRICT, WITHOUT ROWID;
";

/// A model a person added, or a catalog model with a person's changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomModel {
    /// The catalog row, or the node's id.
    pub provider: ProviderId,
    /// The model as the provider names it.
    pub model_id: ModelId,
    /// What the person calls it.
    pub name: Option<String>,
    /// The dialect it is asked in, where it is not the provider's usual one.
    pub api_format: Option<String>,
    /// Which endpoints it answers, a JSON list of words.
    pub endpoints: String,
    /// Whether lists leave it out.
    pub hidden: bool,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// One model.
pub fn get(from: &Reader<'_>, provider: &ProviderId, model: &ModelId) -> Result<Option<CustomModel>, StoreError> {
    let sql = "SELECT provider, model_id, name, api_format, endpoints, hidden, created_at
               FROM custom_models WHERE provider = ?1 AND model_id = ?2";
    let mut query = from.connection.prepare_cached(sql)?;
    Ok(query.query_row([provider.as_str(), model.as_str()], read).optional()?)
}

/// All of them, by provider and model.
pub fn list(from: &Reader<'_>) -> Result<Vec<CustomModel>, StoreError> {
    let sql = "SELECT provider, model_id, name, api_format, endpoints, hidden, created_at
               FROM custom_models ORDER BY provider, model_id";
    let mut query = from.connection.prepare_cached(sql)?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds a model, or replaces the one of this name; the time it was made stays.
pub fn put(to: &Writer<'_>, model: &CustomModel) -> Result<(), StoreError> {
    let sql = "INSERT INTO custom_models (provider, model_id, name, api_format, endpoints, hidden, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (provider, model_id) DO UPDATE SET name = excluded.name,
               api_format = excluded.api_format, endpoints = excluded.endpoints, hidden = excluded.hidden";
    to.connection.prepare_cached(sql)?.execute(params![
        model.provider.as_str(),
        model.model_id.as_str(),
        model.name,
        model.api_format,
        model.endpoints,
        model.hidden,
        model.created_at,
    ])?;
    Ok(())
}

/// Removes a model. Returns whether there was one.
pub fn delete(to: &Writer<'_>, provider: &ProviderId, model: &ModelId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM custom_models WHERE provider = ?1 AND model_id = ?2";
    Ok(to.connection.prepare_cached(sql)?.execute([provider.as_str(), model.as_str()])? > 0)
}

/// Removes all models of a provider or node. Returns how many there were.
pub fn delete_of_provider(to: &Writer<'_>, provider: &ProviderId) -> Result<usize, StoreError> {
    let sql = "DELETE FROM custom_models WHERE provider = ?1";
    Ok(to.connection.prepare_cached(sql)?.execute([provider.as_str()])?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<CustomModel> {
    Ok(CustomModel {
        provider: ProviderId::from(row.get::<_, String>(0)?),
        model_id: ModelId::from(row.get::<_, String>(1)?),
        name: row.get(2)?,
        api_format: row.get(3)?,
        endpoints: row.get(4)?,
        hidden: row.get(5)?,
        created_at: row.get(6)?,
    })
}
