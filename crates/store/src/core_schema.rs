//! The schema of `core.db`, version by version. Each table's part stands in the table's own file.
//!
//! Invariant: versions are only added. A released version's text never changes.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::connection::open_reader;
use crate::error::StoreError;
use crate::{accounts, custom_models, keys, meta, nodes, settings};

/// What each version adds, first to last. References come after what they refer to.
const VERSIONS: &[&[&str]] = &[&[meta::V1, settings::V1, nodes::V1, accounts::V1, keys::V1, custom_models::V1]];

/// The tables each version adds.
const TABLES: &[&[&str]] = &[&["meta", "settings", "nodes", "accounts", "keys", "custom_models"]];

/// The schema this version of the program writes.
pub(crate) fn version() -> i64 {
    VERSIONS.len() as i64
}

/// Brings a database up to date, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrations(VERSIONS).to_latest(connection).map_err(failed)
}

/// The first table that a database of this schema should have and has not.
pub(crate) fn missing_table(path: &Path, version: i64) -> Result<Option<&'static str>, StoreError> {
    let connection = open_reader(path)?;
    let mut query = connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
    let expected = TABLES.iter().take(usize::try_from(version).unwrap_or(0)).flat_map(|tables| tables.iter());
    for table in expected {
        if !query.exists([table])? {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

/// One migration per version, made of several tables' parts.
pub(crate) fn migrations(versions: &'static [&'static [&'static str]]) -> Migrations<'static> {
    let step = |parts: &&'static [&'static str]| {
        let parts = *parts;
        M::up_with_hook("", move |transaction: &rusqlite::Transaction<'_>| {
            parts.iter().try_for_each(|sql| transaction.execute_batch(sql))?;
            Ok(())
        })
        .foreign_key_check()
    };
    Migrations::new(versions.iter().map(step).collect())
}

/// A failed migration; a full disk and the like keep their own names.
pub(crate) fn failed(cause: rusqlite_migration::Error) -> StoreError {
    match cause {
        rusqlite_migration::Error::RusqliteError { err, .. } => match StoreError::from(err) {
            StoreError::Sqlite { cause } => StoreError::Migration { cause: rusqlite_migration::Error::from(cause) },
            known => known,
        },
        cause => StoreError::Migration { cause },
    }
}

#[cfg(test)]
mod tests {
    use super::{TABLES, VERSIONS, migrations};

    #[test]
    fn every_version_applies_to_an_empty_database() {
        migrations(VERSIONS).validate().unwrap();
        assert_eq!(VERSIONS.len(), TABLES.len());
    }
}
