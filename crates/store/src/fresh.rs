//! Making a new database file.
//!
//! Invariant: the file gets its name only when it is whole, checked in and on disk; one that is half
//! made has another name and is written over by the next start.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::connection::create;
use crate::data_dir::{owner_only, sync_folder};
use crate::error::StoreError;
use crate::integrity::APPLICATION_ID;

/// The database itself and what SQLite keeps beside it.
const SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Makes the database `name` in `folder`; `fill` gives it its tables.
pub(crate) fn make(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let doing = |cause| StoreError::file("making the database", cause);
    let unfinished = folder.join([name, ".new"].concat());
    // SQLite would give the file the permissions of its time; here it has ours from the first byte.
    owner_only().write(true).create(true).truncate(true).open(&unfinished).map_err(doing)?;
    let mut connection = create(&unfinished)?;
    // No journal on disk: a half-made file is thrown away, never rolled back.
    connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    fill(&mut connection)?;
    connection.close().map_err(|(_, cause)| cause)?;
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(doing)?;
    fs::rename(&unfinished, folder.join(name)).map_err(doing)?;
    sync_folder(folder).map_err(doing)
}

/// Gives a database with its log another name that nothing has: `<name>.<word>-<now>`, or a later number.
/// The database goes first: a start after a crash in between finds none, rather than one that lacks its
/// latest writes.
pub(crate) fn set_aside(folder: &Path, name: &str, word: &str, now: i64) -> io::Result<String> {
    let named = |number: i64| [name, ".", word, "-", &number.to_string()].concat();
    let is_free = |aside: &String| SUFFIXES.iter().all(|suffix| !folder.join([aside, *suffix].concat()).exists());
    let aside = (now..).map(named).find(is_free).unwrap_or_else(|| named(now));
    for suffix in SUFFIXES {
        let from = folder.join([name, suffix].concat());
        let to = folder.join([&aside, suffix].concat());
        match fs::rename(from, to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}
