//! The schemas, version by version. Each table's part stands in the table's own file.
//!
//! Invariant: versions are only added. A released version's text never changes.

use std::path::Path;

use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};

use crate::connection::open_reader;
use crate::error::StoreError;
use crate::log::{attempts, audit, key_use, requests, usage_hours};
use crate::{accounts, custom_models, keys, meta, nodes, settings};

/// A version: what it adds, table by table; references come after what they refer to.
pub(crate) type Version = &'static [Part];

/// A table's name and the text that makes or changes it.
pub(crate) type Part = (&'static str, &'static str);

/// `core.db` as this version of the program writes it.
pub(crate) const CORE: Schema = Schema {
    versions: &[&[
        ("meta", meta::V1),
        ("settings", settings::V1),
        ("nodes", nodes::V1),
        ("accounts", accounts::V1),
        ("keys", keys::V1),
        ("custom_models", custom_models::V1),
    ]],
};

/// `log.db` as this version of the program writes it.
pub(crate) const LOG: Schema = Schema {
    versions: &[&[
        ("requests", requests::V1),
        ("attempts", attempts::V1),
        ("usage_hours", usage_hours::V1),
        ("key_use", key_use::V1),
        ("audit", audit::V1),
    ]],
};

/// A schema with its history, first version to last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema {
    pub(crate) versions: &'static [Version],
}

impl Schema {
    /// The number of its last version.
    pub(crate) fn version(self) -> i64 {
        self.versions.len() as i64
    }

    /// Brings a database up to date: all of it, or nothing.
    pub(crate) fn migrate(self, connection: &mut Connection) -> Result<(), StoreError> {
        self.migrations().to_latest(connection).map_err(failed)
    }

    /// The first table that a database of a version should have and has not.
    pub(crate) fn missing_table(self, path: &Path, version: i64) -> Result<Option<&'static str>, StoreError> {
        let connection = open_reader(path)?;
        let mut query = connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
        for (table, _) in self.versions.iter().take(usize::try_from(version).unwrap_or(0)).copied().flatten() {
            if !query.exists([table])? {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    fn migrations(self) -> Migrations<'static> {
        let step = |parts: Version| {
            let apply = move |transaction: &Transaction<'_>| {
                Ok(parts.iter().try_for_each(|(_, sql)| transaction.execute_batch(sql))?)
            };
            M::up_with_hook("", apply).foreign_key_check()
        };
        Migrations::new(self.versions.iter().copied().map(step).collect())
    }
}

/// A failed migration; a full disk and the like keep their own names.
fn failed(cause: rusqlite_migration::Error) -> StoreError {
    match cause {
        rusqlite_migration::Error::RusqliteError { err, query } => match StoreError::from(err) {
            StoreError::Sqlite { cause: err } => {
                StoreError::Migration { cause: rusqlite_migration::Error::RusqliteError { query, err } }
            }
            known => known,
        },
        cause => StoreError::Migration { cause },
    }
}

#[cfg(test)]
mod tests {
    use super::{CORE, LOG};

    #[test]
    fn every_version_applies_to_an_empty_database() {
        CORE.migrations().validate().unwrap();
        LOG.migrations().validate().unwrap();
    }
}
