//! `log.db`: one row per request and per attempt, hourly usage, the audit trail.
//!
//! Invariants: recording never blocks and never fails for the caller; one thread writes, in batches;
//! a killed process loses at most the last 250 ms. A broken file is moved aside, never deleted, and
//! the gateway goes on with a new one. Deliberately absent: bodies of requests and answers.

pub(crate) mod attempts;
pub mod audit;
pub(crate) mod key_use;
mod opening;
mod queue;
mod reader;
mod record;
pub(crate) mod requests;
mod retention;
pub(crate) mod usage_hours;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use audit::AuditRecord;
pub use queue::{LogState, LogStatus};
pub use reader::LogReader;
pub use record::{AttemptRecord, Outcome, RequestId, RequestIds, RequestRecord};
pub use requests::{HistoryFilter, Page};
pub use retention::Retention;
pub use usage_hours::{Stats, Totals};
pub use writer::LogWriter;

use crate::data_dir::DataDir;

/// The two ends of the log.
#[derive(Clone, Debug)]
pub struct Log {
    /// Where rows go in.
    pub writer: LogWriter,
    /// Where they are read.
    pub reader: LogReader,
}

/// Starts the log of a data folder, with the usual limits. Returns at once: the file is opened, and
/// checked where the last run did not end cleanly, on the writer's thread.
pub fn open(dir: &DataDir, now: i64) -> Log {
    open_with(dir, now, Retention::default())
}

/// Starts the log with given limits.
pub fn open_with(dir: &DataDir, now: i64, retention: Retention) -> Log {
    let queue = Arc::new(queue::Queue::new());
    let writer = writer::start(dir, Arc::clone(&queue), retention, now);
    Log { writer, reader: LogReader::new(dir.log(), queue) }
}
