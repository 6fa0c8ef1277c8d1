//! `core.db`: accounts, client keys, custom models, settings. Small, and never to be lost.
//!
//! Invariant: what `write` returned from is on disk and survives kill -9 and a power cut. A file that
//! is there is examined before anything writes to it, is migrated only after a snapshot, and is never
//! replaced except by `restore`, which keeps it under another name.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::connection::{Durability, open_reader, open_writer};
use crate::core_schema;
use crate::data_dir::{CORE, CoreClaim, DataDir, owner_only, sync_folder};
use crate::error::StoreError;
use crate::fresh;
use crate::integrity::{Depth, Finding, examine};
use crate::snapshot::{self, Reason, Snapshot};

const RESTORED: &str = "core.db.restored";

/// The open database; clones share it.
#[derive(Clone)]
pub struct CoreDb {
    shared: Arc<Shared>,
}

struct Shared {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    claim: CoreClaim,
}

/// A view to read from: one state of the database, whatever is written meanwhile.
pub struct Reader<'a> {
    pub(crate) connection: &'a Connection,
}

/// A transaction to write in; it reads what it has written.
pub struct Writer<'a> {
    reader: Reader<'a>,
}

impl<'a> Deref for Writer<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl CoreDb {
    /// Opens the database of a data folder, or makes it where the folder has none.
    pub fn open(dir: &DataDir, now: i64) -> Result<Self, StoreError> {
        let claim = dir.claim_core()?;
        let path = dir.core();
        match existing(dir)? {
            None => fresh::make(dir.path(), CORE, core_schema::migrate)?,
            Some(version) => migrate_existing(dir, version, now)?,
        }
        let writer = open_writer(&path, Durability::Full)?;
        writer.pragma_update_and_check(None, "wal_autocheckpoint", 100, |_| Ok(()))?;
        writer.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        let reader = open_reader(&path)?;
        Ok(Self { shared: Arc::new(Shared { writer: Mutex::new(writer), reader: Mutex::new(reader), claim }) })
    }

    /// Runs one transaction: all of it is on disk when this returns, or none of it happened.
    pub fn write<T>(&self, work: impl FnOnce(&Writer<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut connection = lock(&self.shared.writer);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = work(&Writer { reader: Reader { connection: &transaction } })?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Reads one state of the database.
    pub fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut connection = lock(&self.shared.reader);
        let transaction: Transaction<'_> = connection.transaction()?;
        work(&Reader { connection: &transaction })
    }

    /// Copies the database into a checked snapshot and removes the oldest beyond the seventh.
    pub fn snapshot(&self, reason: Reason, now: i64) -> Result<Snapshot, StoreError> {
        snapshot::take(&self.shared.claim.dir, reason, now)
    }

    /// Puts a snapshot in the place of `core.db`, which must not be open. The present file is kept
    /// as `core.db.replaced-<now>`.
    pub fn restore(dir: &DataDir, snapshot: &Snapshot, now: i64) -> Result<(), StoreError> {
        let _claim = dir.claim_core()?;
        snapshot::check(dir, snapshot, core_schema::version())?;
        let doing = |cause| StoreError::file("restoring a snapshot", cause);
        copy_synced(&dir.backups().join(&snapshot.file), &dir.path().join(RESTORED)).map_err(doing)?;
        fresh::set_aside(dir.path(), CORE, "replaced", now).map_err(doing)?;
        fs::rename(dir.path().join(RESTORED), dir.core()).map_err(doing)?;
        sync_folder(dir.path()).map_err(doing)
    }
}

impl fmt::Debug for CoreDb {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CoreDb")
    }
}

/// The lock, whatever happened to an earlier holder: a transaction that panicked was rolled back.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The schema of the database that is there; `None` where there was never one. The check comes before
/// any write.
fn existing(dir: &DataDir) -> Result<Option<i64>, StoreError> {
    if !dir.core().exists() {
        return if was_used(dir)? { Err(damaged(dir, "is missing".to_owned())) } else { Ok(None) };
    }
    match examine(&dir.core(), Depth::Quick)? {
        Finding::Damaged { why } => Err(damaged(dir, why)),
        Finding::Sound { version } if version > core_schema::version() => {
            Err(StoreError::NewerSchema { found: version, known: core_schema::version() })
        }
        Finding::Sound { version } => match core_schema::missing_table(&dir.core(), version)? {
            Some(table) => Err(damaged(dir, ["has lost its table `", table, "`"].concat())),
            None => Ok(Some(version)),
        },
    }
}

/// Whether a database was here before: its log or its snapshots remain.
fn was_used(dir: &DataDir) -> Result<bool, StoreError> {
    Ok(dir.path().join("core.db-wal").exists() || !snapshot::list(dir)?.is_empty())
}

fn damaged(dir: &DataDir, why: String) -> StoreError {
    let newest_snapshot = snapshot::newest_good(dir, core_schema::version());
    StoreError::Damaged { file: CORE, why, newest_snapshot }
}

fn migrate_existing(dir: &DataDir, version: i64, now: i64) -> Result<(), StoreError> {
    if version == core_schema::version() {
        return Ok(());
    }
    let kept = snapshot::take(dir, Reason::Migration, now)?;
    tracing::info!(from = version, to = core_schema::version(), snapshot = kept.file, "Migrating the database.");
    core_schema::migrate(&mut open_writer(&dir.core(), Durability::Full)?)
}

fn copy_synced(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = owner_only().write(true).create(true).truncate(true).open(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}
