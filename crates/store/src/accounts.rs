//! Table `accounts`: logins and keys at providers. The credential is a sealed text, in the same row
//! and transaction as the account it belongs to.

use omniroute_domain::{AccountId, ModelId, NodeId, ProviderId};
use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use crate::column::Word;
use crate::core_db::{Reader, Writer};
use crate::error::StoreError;

/// 2026-11-20.
pub(crate) const V1: &str = "
    CREATE TABLE accounts (
        id            TEXT NOT NULL PRIMARY KEY,
        provider      TEXT NOT NULL,
        node          TEXT REFERENCES nodes (id),
        name          TEXT NOT NULL,
        auth_kind     TEXT NOT NULL,
        sealed        TEXT,
        key_hint      TEXT,
        base_url      TEXT,
        local         INTEGER NOT NULL CHECK (local IN (0, 1)),
        priority      INTEGER NOT NULL,
        is_active     INTEGER NOT NULL CHECK (is_active IN (0, 1)),
        default_model TEXT,
        test_status   TEXT NOT NULL CHECK (test_status IN ('unknown', 'ok', 'failed')),
        test_error    TEXT,
        tested_at     INTEGER,
        created_at    INTEGER NOT NULL,
        updated_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX accounts_by_node ON accounts (node) WHERE node IS NOT NULL;
";

/// How the last test of an account went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestStatus {
    /// It was never tested.
    #[default]
    Unknown,
    /// The provider accepted it.
    Ok,
    /// It did not work.
    Failed,
}

impl TestStatus {
    /// The status as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}

/// A login or key at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// A UUID.
    pub id: AccountId,
    /// The catalog row, or the node's kind.
    pub provider: ProviderId,
    /// The custom endpoint it is for.
    pub node: Option<NodeId>,
    /// What the person calls it.
    pub name: String,
    /// `api-key`, `none`, `oauth`, …
    pub auth_kind: String,
    /// The sealed credential (`vault`), where it has one.
    pub sealed: Option<String>,
    /// The end of the key, for display.
    pub key_hint: Option<String>,
    /// An address for this account alone.
    pub base_url: Option<String>,
    /// Whether the person said that the address may be a private one.
    pub local: bool,
    /// Lower comes first.
    pub priority: u32,
    /// Whether requests may use it.
    pub is_active: bool,
    /// The model to test it with.
    pub default_model: Option<ModelId>,
    /// How its last test went.
    pub test_status: TestStatus,
    /// What its last test complained about.
    pub test_error: Option<String>,
    /// When it was last tested, unix milliseconds.
    pub tested_at: Option<i64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
}

/// The outcome of a test of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// How it went.
    pub status: TestStatus,
    /// What it complained about.
    pub error: Option<String>,
    /// When, unix milliseconds.
    pub at: i64,
}

/// One account.
pub fn get(from: &Reader<'_>, id: &AccountId) -> Result<Option<Account>, StoreError> {
    let sql = "SELECT id, provider, node, name, auth_kind, sealed, key_hint, base_url, local, priority, is_active,
               default_model, test_status, test_error, tested_at, created_at, updated_at
               FROM accounts WHERE id = ?1";
    Ok(from.connection.prepare_cached(sql)?.query_row([id.as_str()], read).optional()?)
}

/// All accounts in the order requests try them: priority, then age.
pub fn list(from: &Reader<'_>) -> Result<Vec<Account>, StoreError> {
    let sql = "SELECT id, provider, node, name, auth_kind, sealed, key_hint, base_url, local, priority, is_active,
               default_model, test_status, test_error, tested_at, created_at, updated_at
               FROM accounts ORDER BY priority, created_at, id";
    let mut query = from.connection.prepare_cached(sql)?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds an account. An unknown node is `StoreError::Reference`.
pub fn insert(to: &Writer<'_>, account: &Account) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts
               (id, provider, node, name, auth_kind, sealed, key_hint, base_url, local, priority, is_active,
                default_model, test_status, test_error, tested_at, created_at, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    to.connection.prepare_cached(sql)?.execute(params![
        account.id.as_str(),
        account.provider.as_str(),
        account.node.as_ref().map(NodeId::as_str),
        account.name,
        account.auth_kind,
        account.sealed,
        account.key_hint,
        account.base_url,
        account.local,
        account.priority,
        account.is_active,
        account.default_model.as_ref().map(ModelId::as_str),
        account.test_status.as_str(),
        account.test_error,
        account.tested_at,
        account.created_at,
        account.updated_at,
    ])?;
    Ok(())
}

/// Writes all of an account but its id, its provider, its node and the time it was made.
pub fn update(to: &Writer<'_>, account: &Account) -> Result<(), StoreError> {
    let sql = "UPDATE accounts SET name = ?2, auth_kind = ?3, sealed = ?4, key_hint = ?5, base_url = ?6, local = ?7,
               priority = ?8, is_active = ?9, default_model = ?10, test_status = ?11, test_error = ?12,
               tested_at = ?13, updated_at = ?14 WHERE id = ?1";
    let changed = to.connection.prepare_cached(sql)?.execute(params![
        account.id.as_str(),
        account.name,
        account.auth_kind,
        account.sealed,
        account.key_hint,
        account.base_url,
        account.local,
        account.priority,
        account.is_active,
        account.default_model.as_ref().map(ModelId::as_str),
        account.test_status.as_str(),
        account.test_error,
        account.tested_at,
        account.updated_at,
    ])?;
    found(changed, &account.id)
}

/// Writes the outcome of a test and nothing else.
pub fn set_tested(to: &Writer<'_>, id: &AccountId, tested: &Tested) -> Result<(), StoreError> {
    let sql = "UPDATE accounts SET test_status = ?2, test_error = ?3, tested_at = ?4 WHERE id = ?1";
    let values = params![id.as_str(), tested.status.as_str(), tested.error, tested.at];
    let changed = to.connection.prepare_cached(sql)?.execute(values)?;
    found(changed, id)
}

/// Removes an account with its credential. Returns whether there was one.
pub fn delete(to: &Writer<'_>, id: &AccountId) -> Result<bool, StoreError> {
    Ok(to.connection.prepare_cached("DELETE FROM accounts WHERE id = ?1")?.execute([id.as_str()])? > 0)
}

/// Removes all accounts of a node. Returns how many there were.
pub fn delete_of_node(to: &Writer<'_>, node: &NodeId) -> Result<usize, StoreError> {
    Ok(to.connection.prepare_cached("DELETE FROM accounts WHERE node = ?1")?.execute([node.as_str()])?)
}

fn found(changed: usize, id: &AccountId) -> Result<(), StoreError> {
    if changed == 0 {
        return Err(StoreError::NotFound { table: "accounts", id: id.to_string() });
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: AccountId::from(row.get::<_, String>(0)?),
        provider: ProviderId::from(row.get::<_, String>(1)?),
        node: row.get::<_, Option<String>>(2)?.map(NodeId::from),
        name: row.get(3)?,
        auth_kind: row.get(4)?,
        sealed: row.get(5)?,
        key_hint: row.get(6)?,
        base_url: row.get(7)?,
        local: row.get(8)?,
        priority: row.get(9)?,
        is_active: row.get(10)?,
        default_model: row.get::<_, Option<String>>(11)?.map(ModelId::from),
        test_status: row.get::<_, Word<TestStatus>>(12)?.0,
        test_error: row.get(13)?,
        tested_at: row.get(14)?,
        created_at: row.get(15)?,
        updated_at: row.get(16)?,
    })
}
