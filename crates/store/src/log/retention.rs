//! How much of the log is kept.
//!
//! Invariant: one call removes at most a few thousand rows, in small transactions, so that it never
//! holds up what is being recorded; what is left over goes with the next call. Freed pages go back to
//! the system.

use std::time::Duration;

use rusqlite::{Connection, params};

use crate::log::record::RequestId;
use crate::log::usage_hours;

/// Limits; the oldest rows beyond any of them go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The most request rows.
    pub rows: u64,
    /// How long a request row is kept.
    pub age: Duration,
    /// The most bytes of the file's contents.
    pub bytes: u64,
    /// How long the hourly sums are kept.
    pub hours_age: Duration,
    /// The most audit entries.
    pub audit_rows: u64,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for Retention {
    fn default() -> Self {
        Self {
            rows: 100_000,
            age: DAY.saturating_mul(7),
            bytes: 256 << 20,
            hours_age: DAY.saturating_mul(400),
            audit_rows: 100_000,
        }
    }
}

/// New rows between two looks.
const EVERY: u64 = 1000;
/// Rows of one transaction.
const SLICE: i64 = 1000;
/// Transactions of one call: more than comes in between two calls.
const SLICES: usize = 4;
/// Pages given back per call.
const PAGES_BACK: i64 = 2048;

/// Keeps the limits. Remembers how many rows there are, so that they are counted once.
pub(crate) struct Keeper {
    limits: Retention,
    rows: Option<u64>,
    new_rows: u64,
    is_behind: bool,
}

impl Keeper {
    pub(crate) fn new(limits: Retention) -> Self {
        Self { limits, rows: None, new_rows: 0, is_behind: true }
    }

    /// Another file: nothing is known of it.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Counts new rows and, every so often, removes old ones. `now` in unix milliseconds.
    pub(crate) fn keep(&mut self, connection: &Connection, new_rows: usize, now: i64) -> rusqlite::Result<()> {
        let new_rows = new_rows as u64;
        self.new_rows += new_rows;
        self.rows = self.rows.map(|rows| rows + new_rows);
        if self.new_rows < EVERY.min(self.limits.rows) && !self.is_behind {
            return Ok(());
        }
        self.new_rows = 0;
        self.is_behind = self.remove_requests(connection, now)?;
        usage_hours::delete_before(connection, now - millis(self.limits.hours_age))?;
        remove_audit(connection, self.limits.audit_rows)?;
        give_back_pages(connection)
    }

    /// Returns whether there is more to remove.
    fn remove_requests(&mut self, connection: &Connection, now: i64) -> rusqlite::Result<bool> {
        let mut rows = match self.rows {
            Some(rows) => rows,
            None => count_rows(connection)?,
        };
        let oldest_kept = RequestId::first_at(now - millis(self.limits.age)).number();
        for _ in 0..SLICES {
            let surplus = i64::try_from(rows.saturating_sub(self.limits.rows)).unwrap_or(SLICE);
            let is_too_large = bytes_used(connection)? > self.limits.bytes;
            let (before, most) = match (is_too_large, surplus) {
                (true, _) => (i64::MAX, SLICE),
                (false, 1..) => (i64::MAX, surplus.min(SLICE)),
                (false, _) => (oldest_kept, SLICE),
            };
            let removed = remove_oldest(connection, before, most)?;
            rows = rows.saturating_sub(removed);
            self.rows = Some(rows);
            if removed == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn remove_oldest(connection: &Connection, before: i64, most: i64) -> rusqlite::Result<u64> {
    let transaction = connection.unchecked_transaction()?;
    let removed = transaction
        .prepare_cached(
            "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE id < ?1 ORDER BY id LIMIT ?2)",
        )?
        .execute(params![before, most])?;
    if removed > 0 {
        transaction
            .prepare_cached(
                "DELETE FROM attempts
                 WHERE request < (SELECT coalesce(min(id), 9223372036854775807) FROM requests)",
            )?
            .execute([])?;
    }
    transaction.commit()?;
    Ok(removed as u64)
}

fn remove_audit(connection: &Connection, most: u64) -> rusqlite::Result<()> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection
        .prepare_cached("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1")?
        .execute([most])
        .map(drop)
}

/// Each step of the statement frees one page, so it has to be run to its end.
fn give_back_pages(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma(None, "incremental_vacuum", PAGES_BACK, |_| Ok(()))
}

fn count_rows(connection: &Connection) -> rusqlite::Result<u64> {
    let rows: i64 = connection.query_row("SELECT count(*) FROM requests", [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}

/// What the file holds; pages that were freed and not yet given back do not count.
fn bytes_used(connection: &Connection) -> rusqlite::Result<u64> {
    let figure = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = figure("page_count")? - figure("freelist_count")?;
    Ok(pages.unsigned_abs().saturating_mul(figure("page_size")?.unsigned_abs()))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
