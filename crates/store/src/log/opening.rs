//! Opening `log.db`, whatever state it is in.
//!
//! Invariant: a file that is damaged, foreign or newer is renamed with its log, never deleted and
//! never written to; a new one takes its place.

use std::path::Path;

use rusqlite::Connection;

use crate::connection::{Durability, open_writer};
use crate::data_dir::{DataDir, LOG};
use crate::error::StoreError;
use crate::fresh;
use crate::integrity::{Depth, Finding, examine};
use crate::schema;

/// How thoroughly to look before the first write. A log that was closed cleanly leaves no WAL.
pub(crate) fn depth_for(dir: &DataDir) -> Depth {
    let ended_cleanly = !dir.path().join("log.db-wal").exists();
    if ended_cleanly { Depth::Header } else { Depth::Quick }
}

/// Opens the log, with a new file where the old one can't be used. The text says what a person should
/// know about that.
pub(crate) fn open(dir: &DataDir, depth: Depth, now: i64) -> Result<(Connection, Option<String>), StoreError> {
    let path = dir.log();
    let notice = match fault(&path, depth)? {
        Some((why, word)) => Some(replace(dir, &why, word, now)?),
        None => None,
    };
    if !path.exists() {
        fresh::make(dir.path(), LOG, |connection| schema::LOG.migrate(connection))?;
    }
    let mut connection = open_writer(&path, Durability::Normal)?;
    schema::LOG.migrate(&mut connection)?;
    Ok((connection, notice))
}

/// Why the file can't be used, and the word its name gets.
fn fault(path: &Path, depth: Depth) -> Result<Option<(String, &'static str)>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    match examine(path, depth)? {
        Finding::Damaged { why } => Ok(Some((why, "damaged"))),
        Finding::Sound { version } if version > schema::LOG.version() => {
            Ok(Some(("was written by a newer version".to_owned(), "newer")))
        }
        Finding::Sound { .. } => Ok(None),
    }
}

fn replace(dir: &DataDir, why: &str, word: &str, now: i64) -> Result<String, StoreError> {
    let aside = fresh::set_aside(dir.path(), LOG, word, now)
        .map_err(|cause| StoreError::file("moving the damaged log aside", cause))?;
    tracing::warn!(why, moved_to = aside, "The request log could not be used; a new one was begun.");
    Ok(["`log.db` ", why, "; it was kept as `", &aside, "` and a new one was begun"].concat())
}
