//! The schema of `log.db`, version by version. Each table's part stands in the table's own file.
//!
//! Invariant: versions are only added. A released version's text never changes.

use rusqlite::Connection;

use crate::core_schema::{failed, migrations};
use crate::error::StoreError;
use crate::log::{attempts, audit, key_use, requests, usage_hours};

/// What each version adds, first to last.
const VERSIONS: &[&[&str]] = &[&[requests::V1, attempts::V1, usage_hours::V1, key_use::V1, audit::V1]];

/// The schema this version of the program writes.
pub(crate) fn version() -> i64 {
    VERSIONS.len() as i64
}

/// Brings a database up to date, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrations(VERSIONS).to_latest(connection).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{VERSIONS, migrations};

    #[test]
    fn every_version_applies_to_an_empty_database() {
        migrations(VERSIONS).validate().unwrap();
    }
}
