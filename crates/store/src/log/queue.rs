//! The queue between everybody who records and the one thread that writes.
//!
//! Invariants: putting something in never waits for the disk; the queue holds at most 8,192 entries
//! and counts what it had to drop. The writer is woken by the first entry and by a full batch, not by
//! each one: waking a thread costs more than writing its row.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::log::audit::AuditRecord;
use crate::log::record::RequestRecord;

/// The most entries that wait at a time; beyond it they are dropped and counted.
pub(crate) const CAPACITY: usize = 8192;
/// The most entries of one transaction.
pub(crate) const BATCH: usize = 200;
/// How long an entry waits for others to share its transaction.
const LINGER: Duration = Duration::from_millis(250);

/// Something to write.
pub(crate) enum Entry {
    Request(Box<RequestRecord>),
    Audit(Box<AuditRecord>),
    /// Runs on the writer's thread, so that a test can hold it or break its database.
    #[cfg(test)]
    Probe(Box<dyn Fn(&rusqlite::Connection) + Send>),
}

/// What the log is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogState {
    /// The file is being opened or checked; records wait.
    Opening,
    /// Records are written.
    Ready,
    /// Writing failed with this code (`StoreError::code`); it is tried again later.
    Paused(&'static str),
    /// The log was closed.
    Closed,
}

/// The state of the log, for the health page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStatus {
    /// What it is doing.
    pub state: LogState,
    /// Entries written since the start.
    pub written: u64,
    /// Entries lost since the start: the queue was full, or a batch could not be written.
    pub dropped: u64,
    /// What a person should know: a damaged log was moved aside.
    pub notice: Option<String>,
}

/// The queue and what is known of its other end.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// The writer waits here.
    wake: Condvar,
    /// Those who flush and those who wait for the file wait here.
    progress: Condvar,
    dropped: AtomicU64,
    is_suspect: AtomicBool,
}

struct Waiting {
    entries: Vec<Entry>,
    is_closing: bool,
    /// Whether somebody waits for the entries, so that they should not linger.
    is_urgent: bool,
    /// Entries ever taken in.
    accepted: u64,
    /// Entries ever dealt with: written or given up.
    settled: u64,
    written: u64,
    state: LogState,
    notice: Option<String>,
}

/// What the writer is to do next.
pub(crate) enum Next {
    /// Write these.
    Write(Vec<Entry>),
    /// Nothing comes any more.
    End,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let waiting = Waiting {
            entries: Vec::new(),
            is_closing: false,
            is_urgent: false,
            accepted: 0,
            settled: 0,
            written: 0,
            state: LogState::Opening,
            notice: None,
        };
        Self {
            waiting: Mutex::new(waiting),
            wake: Condvar::new(),
            progress: Condvar::new(),
            dropped: AtomicU64::new(0),
            is_suspect: AtomicBool::new(false),
        }
    }

    /// Takes an entry in, or drops it where there is no room.
    pub(crate) fn put(&self, entry: Entry) {
        let length = {
            let mut waiting = self.lock();
            if waiting.is_closing || waiting.entries.len() >= CAPACITY {
                drop(waiting);
                self.count_dropped(1);
                return;
            }
            waiting.entries.push(entry);
            waiting.accepted += 1;
            waiting.entries.len()
        };
        if length == 1 || length == BATCH {
            self.wake.notify_one();
        }
    }

    /// Waits for entries, then a little longer for more of them. Sleeps without waking while there
    /// is nothing to do.
    pub(crate) fn next(&self) -> Next {
        let mut waiting = self.lock();
        while waiting.entries.is_empty() && !waiting.is_closing {
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let until = Instant::now() + LINGER;
        while waiting.entries.len() < BATCH && !waiting.is_closing && !waiting.is_urgent {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting = self.wake.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if waiting.entries.is_empty() {
            return Next::End;
        }
        Next::Write(std::mem::take(&mut waiting.entries))
    }

    /// Sleeps after a failure. Returns early when the log closes.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut waiting = self.lock();
        while !waiting.is_closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            waiting = self.wake.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reports a batch: `written` of `settled` entries are in the database.
    pub(crate) fn settle(&self, settled: usize, written: usize, state: LogState) {
        self.count_dropped(settled.saturating_sub(written) as u64);
        let mut waiting = self.lock();
        waiting.settled += settled as u64;
        waiting.written += written as u64;
        waiting.state = state;
        waiting.is_urgent &= waiting.settled < waiting.accepted;
        drop(waiting);
        self.progress.notify_all();
    }

    /// Reports that the file is open, or why it is not.
    pub(crate) fn set_state(&self, state: LogState, notice: Option<String>) {
        let mut waiting = self.lock();
        waiting.state = state;
        waiting.notice = notice.or(waiting.notice.take());
        drop(waiting);
        self.progress.notify_all();
    }

    /// Asks for everything that was put in until now, and waits until it is dealt with. Returns
    /// whether it was, in time.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let mut waiting = self.lock();
        let goal = waiting.accepted;
        waiting.is_urgent = waiting.settled < goal;
        self.wake.notify_one();
        let until = Instant::now() + patience;
        while waiting.settled < goal {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            waiting = self.progress.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Takes nothing in any more and tells the writer to finish.
    pub(crate) fn close(&self) {
        self.lock().is_closing = true;
        self.wake.notify_all();
    }

    /// A reader met damage; the writer looks at the whole file before it goes on.
    pub(crate) fn suspect(&self) {
        self.is_suspect.store(true, Ordering::Release);
    }

    /// Whether somebody met damage since the last time this was asked.
    pub(crate) fn is_suspect(&self) -> bool {
        self.is_suspect.swap(false, Ordering::AcqRel)
    }

    /// Waits until the file is no longer being opened. Returns whether it can be read.
    pub(crate) fn wait_until_open(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut waiting = self.lock();
        while waiting.state == LogState::Opening {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            waiting = self.progress.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub(crate) fn status(&self) -> LogStatus {
        let waiting = self.lock();
        LogStatus {
            state: waiting.state,
            written: waiting.written,
            dropped: self.dropped.load(Ordering::Relaxed),
            notice: waiting.notice.clone(),
        }
    }

    fn count_dropped(&self, entries: u64) {
        self.dropped.fetch_add(entries, Ordering::Relaxed);
    }

    /// Nothing that runs under the lock can panic, so a poisoned lock guards sound data.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
