//! Table `nodes`: custom endpoints people add, each under a prefix of its own.

use omniroute_domain::NodeId;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use crate::column::Word;
use crate::core_db::{Reader, Writer};
use crate::error::StoreError;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE nodes (
        id          TEXT NOT NULL PRIMARY KEY,
        name        TEXT NOT NULL,
        prefix      TEXT NOT NULL UNIQUE COLLATE NOCASE,
        kind        TEXT NOT NULL CHECK (kind IN ('openai-compatible', 'anthropic-compatible')),
        api_type    TEXT,
        base_url    TEXT NOT NULL,
        chat_path   TEXT,
        models_path TEXT,
        local       INTEGER NOT NULL CHECK (local IN (0, 1)),
        created_at  INTEGER NOT NULL,
        updated_at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// The dialect a custom endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeKind {
    /// OpenAI's.
    #[serde(rename = "openai-compatible")]
    OpenAiCompatible,
    /// Anthropic's.
    #[serde(rename = "anthropic-compatible")]
    AnthropicCompatible,
}

impl NodeKind {
    /// The kind as it stands in rows and answers; also the provider id its accounts are listed under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiCompatible => "openai-compatible",
            Self::AnthropicCompatible => "anthropic-compatible",
        }
    }
}

/// A custom endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// A UUID.
    pub id: NodeId,
    /// What the person calls it.
    pub name: String,
    /// Its models are `prefix/model`. Unique, whatever the case.
    pub prefix: String,
    /// The dialect.
    pub kind: NodeKind,
    /// Which of the dialect's APIs, e.g. `chat` or `responses`; the dialect's usual one where absent.
    pub api_type: Option<String>,
    /// Where it is.
    pub base_url: String,
    /// The path of its chat endpoint, where it is not the usual one.
    pub chat_path: Option<String>,
    /// The path of its model list, where it is not the usual one.
    pub models_path: Option<String>,
    /// Whether the person said that it may be at a private address.
    pub local: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
}

/// One node.
pub fn get(from: &Reader<'_>, id: &NodeId) -> Result<Option<Node>, StoreError> {
    let sql = "SELECT id, name, prefix, kind, api_type, base_url, chat_path, models_path, local, created_at, updated_at
               FROM nodes WHERE id = ?1";
    Ok(from.connection.prepare_cached(sql)?.query_row([id.as_str()], read).optional()?)
}

/// All nodes, oldest first.
pub fn list(from: &Reader<'_>) -> Result<Vec<Node>, StoreError> {
    let sql = "SELECT id, name, prefix, kind, api_type, base_url, chat_path, models_path, local, created_at, updated_at
               FROM nodes ORDER BY created_at, id";
    let mut query = from.connection.prepare_cached(sql)?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds a node. A taken prefix is `StoreError::Taken`.
pub fn insert(to: &Writer<'_>, node: &Node) -> Result<(), StoreError> {
    let sql = "INSERT INTO nodes
               (id, name, prefix, kind, api_type, base_url, chat_path, models_path, local, created_at, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    to.connection.prepare_cached(sql)?.execute(params![
        node.id.as_str(),
        node.name,
        node.prefix,
        node.kind.as_str(),
        node.api_type,
        node.base_url,
        node.chat_path,
        node.models_path,
        node.local,
        node.created_at,
        node.updated_at,
    ])?;
    Ok(())
}

/// Writes all of a node but its id and the time it was made.
pub fn update(to: &Writer<'_>, node: &Node) -> Result<(), StoreError> {
    let sql = "UPDATE nodes SET name = ?2, prefix = ?3, kind = ?4, api_type = ?5, base_url = ?6, chat_path = ?7,
               models_path = ?8, local = ?9, updated_at = ?10 WHERE id = ?1";
    let changed = to.connection.prepare_cached(sql)?.execute(params![
        node.id.as_str(),
        node.name,
        node.prefix,
        node.kind.as_str(),
        node.api_type,
        node.base_url,
        node.chat_path,
        node.models_path,
        node.local,
        node.updated_at,
    ])?;
    if changed == 0 {
        return Err(StoreError::NotFound { table: "nodes", id: node.id.to_string() });
    }
    Ok(())
}

/// Removes a node; its accounts must be gone. Returns whether there was one.
pub fn delete(to: &Writer<'_>, id: &NodeId) -> Result<bool, StoreError> {
    Ok(to.connection.prepare_cached("DELETE FROM nodes WHERE id = ?1")?.execute([id.as_str()])? > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Node> {
    Ok(Node {
        id: NodeId::from(row.get::<_, String>(0)?),
        name: row.get(1)?,
        prefix: row.get(2)?,
        kind: row.get::<_, Word<NodeKind>>(3)?.0,
        api_type: row.get(4)?,
        base_url: row.get(5)?,
        chat_path: row.get(6)?,
        models_path: row.get(7)?,
        local: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}
