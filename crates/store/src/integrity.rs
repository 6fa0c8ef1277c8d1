//! Is this file a sound database of ours? Asked before anything writes to it.
//!
//! Invariant: looking changes nothing. An empty, short, foreign or torn file is damaged, never fresh.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use crate::connection::{open_reader, schema_version};
use crate::error::{StoreError, is_damage};

/// Written into the header of our files: `OmRt`.
pub(crate) const APPLICATION_ID: i32 = 0x4f6d_5274;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How thoroughly to look.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Depth {
    /// The header and the schema.
    Header,
    /// Every page and row.
    Quick,
    /// Every page, row and index entry.
    Whole,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A sound database with this schema.
    Sound {
        /// Its schema number.
        version: i64,
    },
    /// Not a sound database of ours.
    Damaged {
        /// What is wrong, to be read after the file's name.
        why: String,
    },
}

/// Looks at a file that exists. An error means that it could not be looked at, not that it is damaged.
pub(crate) fn examine(path: &Path, depth: Depth) -> Result<Finding, StoreError> {
    if let Some(why) = header_fault(path).map_err(|cause| StoreError::file("reading the database", cause))? {
        return Ok(Finding::Damaged { why: why.to_owned() });
    }
    match look(path, depth) {
        Ok(finding) => Ok(finding),
        Err(cause) if is_damage(&cause) => Ok(Finding::Damaged { why: "is damaged".to_owned() }),
        Err(cause) => Err(cause.into()),
    }
}

fn header_fault(path: &Path) -> io::Result<Option<&'static str>> {
    let mut magic = [0; MAGIC.len()];
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(Some("is empty"));
    }
    match file.read_exact(&mut magic) {
        Ok(()) if &magic == MAGIC => Ok(None),
        Ok(()) => Ok(Some("is no database")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Some("is cut short")),
        Err(error) => Err(error),
    }
}

fn look(path: &Path, depth: Depth) -> rusqlite::Result<Finding> {
    let connection = open_reader(path)?;
    let version = schema_version(&connection)?;
    if let Some(problem) = first_problem(&connection, depth)? {
        return Ok(Finding::Damaged { why: ["is damaged (", problem.trim(), ")"].concat() });
    }
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id != APPLICATION_ID || version < 1 {
        return Ok(Finding::Damaged { why: "is not a database of this program, or lost its header".to_owned() });
    }
    Ok(Finding::Sound { version })
}

fn first_problem(connection: &Connection, depth: Depth) -> rusqlite::Result<Option<String>> {
    let query = match depth {
        Depth::Header => "SELECT 'ok' FROM sqlite_schema LIMIT 1",
        Depth::Quick => "PRAGMA quick_check(1)",
        Depth::Whole => "PRAGMA integrity_check(1)",
    };
    let answer: Option<String> = connection.query_row(query, [], |row| row.get(0)).optional()?;
    let answer = answer.unwrap_or_else(|| "no tables".to_owned());
    Ok((answer != "ok").then_some(answer))
}
