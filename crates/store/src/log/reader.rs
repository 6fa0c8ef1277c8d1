//! Reading the log. Every call opens a read-only connection of its own: opening costs a fraction of a
//! millisecond, and nothing is held while nobody looks. Blocks; call it from a blocking thread.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use omniroute_domain::KeyId;
use rusqlite::Connection;

use crate::connection::open_reader;
use crate::error::{StoreError, is_damage};
use crate::log::audit::{self, AuditRecord};
use crate::log::queue::Queue;
use crate::log::record::{RequestId, RequestRecord};
use crate::log::requests::{self, HistoryFilter, Page};
use crate::log::usage_hours::{self, Stats, Totals};
use crate::log::{attempts, key_use};

/// How long a reader waits while the file is still being checked.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where rows are read; clones are the same.
#[derive(Clone)]
pub struct LogReader {
    path: PathBuf,
    queue: Arc<Queue>,
}

impl LogReader {
    pub(crate) fn new(path: PathBuf, queue: Arc<Queue>) -> Self {
        Self { path, queue }
    }

    /// A page of requests, newest first: those before `before`, at most 1,000.
    pub fn history(&self, filter: &HistoryFilter, before: Option<RequestId>, limit: u32) -> Result<Page, StoreError> {
        self.read(|connection| requests::list(connection, filter, before, limit))
    }

    /// How many requests a filter lets through.
    pub fn count(&self, filter: &HistoryFilter) -> Result<u64, StoreError> {
        self.read(|connection| requests::count_matching(connection, filter))
    }

    /// One request with its attempts.
    pub fn request(&self, id: RequestId) -> Result<Option<RequestRecord>, StoreError> {
        self.read(|connection| {
            let Some(mut record) = requests::get(connection, id)? else { return Ok(None) };
            record.attempts = attempts::of_request(connection, id)?;
            Ok(Some(record))
        })
    }

    /// Sums since the hour that `since` is in, unix milliseconds.
    pub fn stats(&self, since: i64) -> Result<Stats, StoreError> {
        self.read(|connection| usage_hours::stats(connection, since))
    }

    /// Sums per minute (its first unix millisecond) since a time, oldest first; minutes without requests
    /// are left out. Read from the request rows, so for minutes, not for days.
    pub fn minutes(&self, since: i64) -> Result<BTreeMap<i64, Totals>, StoreError> {
        self.read(|connection| requests::by_minute(connection, since))
    }

    /// When each client key was last used, unix milliseconds.
    pub fn last_used(&self) -> Result<HashMap<KeyId, i64>, StoreError> {
        self.read(key_use::list)
    }

    /// Changes before an entry's number, newest first, at most 1,000, each with its number.
    pub fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        self.read(|connection| audit::list(connection, before, limit))
    }

    /// All of one reading sees one state of the log.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if !self.queue.wait_until_open(PATIENCE) || !self.path.exists() {
            return Err(StoreError::LogNotReady);
        }
        let outcome = open_reader(&self.path).map_err(StoreError::from).and_then(|mut connection| {
            let transaction = connection.transaction()?;
            work(&transaction)
        });
        if let Err(StoreError::Sqlite { cause }) = &outcome
            && is_damage(cause)
        {
            self.queue.suspect();
        }
        outcome
    }
}

impl fmt::Debug for LogReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LogReader")
    }
}
