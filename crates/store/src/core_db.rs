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
use crate::data_dir::{CORE, CoreClaim, DataDir, LOG, owner_only, sync_folder};
use crate::error::StoreError;
use crate::fresh;
use crate::integrity::{Depth, Finding, examine};
use crate::schema::{self, Schema};
use crate::snapshot::{self, Reason, Snapshot};
use crate::wal;

const WAL: &str = "core.db-wal";
const RESTORED: &str = "core.db.restored";
/// What is made in a folder only after `core.db` has its name and is on disk: where one of these is, a
/// missing `core.db` was there and is lost, also where the first start was killed halfway.
const MADE_LATER: [&str; 3] = [WAL, LOG, "vault.key"];
/// How long the write-ahead log may grow. Short, so that a copy of `core.db` alone lacks little.
const CHECKPOINT_PAGES: i64 = 100;

/// The open database; clones share it.
#[derive(Clone)]
pub struct CoreDb {
    shared: Arc<Shared>,
}

struct Shared {
    reader: Mutex<Connection>,
    /// Dropped after the reader: the last connection to close folds the write-ahead log into the file,
    /// and a reader can't.
    writer: Mutex<Connection>,
    notice: Option<String>,
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
        Self::open_as(dir, schema::CORE, now)
    }

    pub(crate) fn open_as(dir: &DataDir, schema: Schema, now: i64) -> Result<Self, StoreError> {
        let claim = dir.claim_core()?;
        let mut notice = None;
        match existing(dir, schema)? {
            None => fresh::make(dir.path(), CORE, |connection| schema.migrate(connection))?,
            Some(version) => {
                notice = keep_damaged_wal(dir, now)?;
                migrate(dir, schema, version, now)?;
            }
        }
        let writer = open_writer(&dir.core(), Durability::Full)?;
        writer.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        writer.pragma_update(None, "secure_delete", true)?;
        let reader = open_reader(&dir.core())?;
        let shared = Shared { writer: Mutex::new(writer), reader: Mutex::new(reader), notice, claim };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What a person should know about the opening: a damaged write-ahead log was kept.
    pub fn notice(&self) -> Option<&str> {
        self.shared.notice.as_deref()
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
        snapshot::check(dir, snapshot, schema::CORE.version())?;
        let doing = |cause| StoreError::file("restoring a snapshot", cause);
        let copied = copy_synced(&dir.backups().join(&snapshot.file), &dir.path().join(RESTORED));
        if copied.is_err() {
            // Half a copy has no use and may fill the disk.
            let _gone_or_not = fs::remove_file(dir.path().join(RESTORED));
        }
        copied.map_err(doing)?;
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
fn existing(dir: &DataDir, schema: Schema) -> Result<Option<i64>, StoreError> {
    let damaged = |why| {
        let newest_snapshot = snapshot::newest_good(dir, schema.version());
        Err(StoreError::Damaged { file: CORE, why, newest_snapshot })
    };
    if !dir.core().exists() {
        return if was_used(dir)? { damaged("is missing".to_owned()) } else { Ok(None) };
    }
    match examine(&dir.core(), Depth::Quick)? {
        Finding::Damaged { why } => damaged(why),
        Finding::Sound { version } if version > schema.version() => {
            Err(StoreError::NewerSchema { found: version, known: schema.version() })
        }
        Finding::Sound { version } => match schema.missing_table(&dir.core(), version)? {
            Some(table) => damaged(["has lost its table `", table, "`"].concat()),
            None => Ok(Some(version)),
        },
    }
}

/// Whether a database was here before: what is only made after it remains.
fn was_used(dir: &DataDir) -> Result<bool, StoreError> {
    Ok(MADE_LATER.iter().any(|name| dir.path().join(name).exists()) || !snapshot::list(dir)?.is_empty())
}

/// Keeps a copy of a log that SQLite would read only in part and then write over.
fn keep_damaged_wal(dir: &DataDir, now: i64) -> Result<Option<String>, StoreError> {
    let doing = |cause| StoreError::file("keeping the damaged write-ahead log", cause);
    if !wal::hides_changes(&dir.path().join(WAL)).map_err(doing)? {
        return Ok(None);
    }
    let kept = [WAL, ".damaged-", &now.to_string()].concat();
    copy_synced(&dir.path().join(WAL), &dir.path().join(&kept)).map_err(doing)?;
    tracing::warn!(kept, "The write-ahead log of the database is damaged; its latest changes may be missing.");
    let told =
        ["the latest changes to `core.db` were damaged and may be missing; the damaged log was kept as `", &kept, "`"];
    Ok(Some(told.concat()))
}

fn migrate(dir: &DataDir, schema: Schema, version: i64, now: i64) -> Result<(), StoreError> {
    if version == schema.version() {
        return Ok(());
    }
    let kept = snapshot::take(dir, Reason::Migration, now)?;
    tracing::info!(from = version, to = schema.version(), snapshot = kept.file, "Migrating the database.");
    schema.migrate(&mut open_writer(&dir.core(), Durability::Full)?)
}

fn copy_synced(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = owner_only().write(true).create(true).truncate(true).open(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

#[cfg(test)]
mod tests;
