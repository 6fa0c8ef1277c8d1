//! The one thread that writes the log.
//!
//! Invariants: a batch is one transaction, with its sums; a batch that can't be written is dropped and
//! counted, then the thread rests before it tries the next; nothing that happens here reaches those
//! who record.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::data_dir::DataDir;
use crate::error::{StoreError, is_damage};
use crate::integrity::Depth;
use crate::log::audit::{self, AuditRecord};
use crate::log::opening;
use crate::log::queue::{BATCH, Entry, LogState, LogStatus, Next, Queue};
use crate::log::record::RequestRecord;
use crate::log::retention::{Keeper, Retention};
use crate::log::{attempts, key_use, requests, usage_hours};

const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Where rows go in; clones share the queue.
#[derive(Clone)]
pub struct LogWriter {
    queue: Arc<Queue>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl LogWriter {
    /// Records a request. Never blocks on the disk: with a full queue the row is dropped and counted.
    pub fn record(&self, record: RequestRecord) {
        self.queue.put(Entry::Request(Box::new(record)));
    }

    /// Records a change somebody made.
    pub fn audit(&self, record: AuditRecord) {
        self.queue.put(Entry::Audit(Box::new(record)));
    }

    /// What the log is doing, and what it lost.
    pub fn status(&self) -> LogStatus {
        self.queue.status()
    }

    /// Waits until everything recorded before this call is written or given up. Blocks; returns
    /// whether it came to that in time.
    pub fn flush(&self, patience: Duration) -> bool {
        self.queue.flush(patience)
    }

    /// Writes what waits and closes the file. Blocks. What is recorded after is counted as dropped.
    pub fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            tracing::error!("The log writer ended by a panic.");
        }
    }

    #[cfg(test)]
    pub(crate) fn probe(&self, probe: impl Fn(&Connection) + Send + 'static) {
        self.queue.put(Entry::Probe(Box::new(probe)));
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LogWriter({:?})", self.status())
    }
}

/// Starts the thread. Where the system has no thread to give, everything recorded is dropped and
/// counted.
pub(crate) fn start(dir: &DataDir, queue: Arc<Queue>, retention: Retention, now: i64) -> LogWriter {
    let sink = Sink {
        dir: dir.clone(),
        queue: Arc::clone(&queue),
        depth: opening::depth_for(dir),
        connection: None,
        keeper: Keeper::new(retention),
        now,
        rest: FIRST_REST,
    };
    let thread = match thread::Builder::new().name("log-writer".into()).spawn(move || sink.run()) {
        Ok(thread) => Some(thread),
        Err(error) => {
            tracing::error!(%error, "The log writer could not be started; nothing is recorded.");
            queue.close();
            queue.set_state(LogState::Closed, None);
            None
        }
    };
    LogWriter { queue, thread: Arc::new(Mutex::new(thread)) }
}

/// The writer's end.
struct Sink {
    dir: DataDir,
    queue: Arc<Queue>,
    /// How thoroughly to look when the file is opened next.
    depth: Depth,
    connection: Option<Connection>,
    keeper: Keeper,
    /// The latest time seen, unix milliseconds; it comes with the records.
    now: i64,
    rest: Duration,
}

impl Sink {
    fn run(mut self) {
        if let Err(error) = self.open() {
            self.queue.set_state(LogState::Paused(error.code()), None);
            tracing::warn!(code = error.code(), cause = ?error, "The request log can't be opened yet.");
        }
        while let Next::Write(entries) = self.queue.next() {
            let mut entries = entries.into_iter();
            loop {
                let batch: Vec<Entry> = entries.by_ref().take(BATCH).collect();
                if batch.is_empty() {
                    break;
                }
                self.take(batch);
            }
        }
        // The last connection to go folds the WAL into the file.
        self.connection = None;
        self.queue.set_state(LogState::Closed, None);
    }

    fn open(&mut self) -> Result<(), StoreError> {
        let (connection, notice) = opening::open(&self.dir, self.depth, self.now)?;
        self.keeper.forget();
        self.depth = Depth::Header;
        self.connection = Some(connection);
        self.queue.set_state(LogState::Ready, notice);
        Ok(())
    }

    fn take(&mut self, batch: Vec<Entry>) {
        if self.queue.is_suspect() {
            self.connection = None;
            self.depth = Depth::Quick;
        }
        let size = batch.len();
        match self.write(&batch) {
            Ok(written) => {
                self.rest = FIRST_REST;
                self.queue.settle(size, written, LogState::Ready);
            }
            Err(error) => self.give_up(size, &error),
        }
    }

    fn give_up(&mut self, size: usize, error: &StoreError) {
        tracing::warn!(code = error.code(), lost = size, cause = ?error, "Records could not be written.");
        if let StoreError::Sqlite { cause } = error {
            self.connection = None;
            self.depth = if is_damage(cause) { Depth::Quick } else { Depth::Header };
        }
        self.queue.settle(size, 0, LogState::Paused(error.code()));
        self.queue.pause(self.rest);
        self.rest = self.rest.saturating_mul(2).min(LONGEST_REST);
    }

    /// Writes a batch in one transaction; returns how many entries of it are new rows.
    fn write(&mut self, entries: &[Entry]) -> Result<usize, StoreError> {
        if self.connection.is_none() {
            self.open()?;
        }
        let Some(connection) = self.connection.as_mut() else { return Err(StoreError::LogNotReady) };
        #[cfg(test)]
        run_probes(entries, connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = write_all(&transaction, entries)?;
        transaction.commit()?;
        self.now = latest(entries).map_or(self.now, |at| at.max(self.now));
        if let Err(error) = self.keeper.keep(connection, written.requests, self.now) {
            tracing::warn!(%error, "Old log rows could not be removed.");
        }
        Ok(written.requests + written.others)
    }
}

/// How many entries of a batch are new rows.
struct Written {
    requests: usize,
    others: usize,
}

/// Writes entries with their sums. A request whose number is taken is left out of everything, so that
/// the sums stay equal to the rows.
fn write_all(transaction: &Transaction<'_>, entries: &[Entry]) -> rusqlite::Result<Written> {
    let mut request_row = requests::prepare_insert(transaction)?;
    let mut attempt_row = attempts::prepare_insert(transaction)?;
    let mut new_requests: Vec<&RequestRecord> = Vec::with_capacity(entries.len());
    let mut others = 0;
    for entry in entries {
        match entry {
            Entry::Request(record) => {
                if requests::insert(&mut request_row, record)? {
                    attempts::insert(&mut attempt_row, record)?;
                    new_requests.push(record);
                }
            }
            Entry::Audit(record) => {
                audit::insert(transaction, record)?;
                others += 1;
            }
            #[cfg(test)]
            Entry::Probe(_) => others += 1,
        }
    }
    usage_hours::add(transaction, &new_requests)?;
    key_use::add(transaction, &new_requests)?;
    Ok(Written { requests: new_requests.len(), others })
}

/// The latest time in a batch, unix milliseconds.
fn latest(entries: &[Entry]) -> Option<i64> {
    let at = |entry: &Entry| match entry {
        Entry::Request(record) => Some(record.at_ms()),
        Entry::Audit(record) => Some(record.at),
        #[cfg(test)]
        Entry::Probe(_) => None,
    };
    entries.iter().filter_map(at).max()
}

#[cfg(test)]
fn run_probes(entries: &[Entry], connection: &Connection) {
    for entry in entries {
        if let Entry::Probe(probe) = entry {
            probe(connection);
        }
    }
}
