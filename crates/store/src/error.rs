//! Why a folder, a database or a row is refused.
//!
//! Every error has a stable code and says what to do. SQLite's own words hang on the source chain;
//! none of the sentences holds a path, except where the data folder itself is the matter.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi;
use thiserror::Error;

use crate::snapshot::Snapshot;

/// What went wrong, with the way out in the same sentence.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The data folder can't be made or used.
    #[error("the data folder `{}` can't be used: {why}; choose another with `--data-dir`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: &'static str,
        /// What the system said.
        #[source]
        cause: Option<io::Error>,
    },
    /// Another process holds this data folder.
    #[error("another omniroute holds this data folder{}: an instance that runs, or a command at work; stop it or let it end, or choose another folder with `--data-dir`", named(*.pid))]
    Locked {
        /// Its process id, where the lock file tells.
        pid: Option<u32>,
    },
    /// A database file is damaged or missing. Nothing was changed or deleted.
    #[error("`{file}` {why}; nothing was changed. {}", way_out(.newest_snapshot.as_ref()))]
    Damaged {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        why: String,
        /// The newest snapshot that passes its checks.
        newest_snapshot: Option<Snapshot>,
    },
    /// The database was written by a newer version.
    #[error(
        "`core.db` has schema {found}, this version knows {known}; start the newer version again, or restore a snapshot from before it"
    )]
    NewerSchema {
        /// The schema of the file.
        found: i64,
        /// The newest one this version knows.
        known: i64,
    },
    /// The database of this data folder is already open in this process.
    #[error("`core.db` is open; close it first")]
    Open,
    /// No room left.
    #[error("the disk with the data folder is full; nothing was saved, free some space and try again")]
    Full,
    /// The database can't be written.
    #[error("the data folder can't be written; check its owner and permissions")]
    ReadOnly,
    /// Somebody else holds the database.
    #[error("the database is busy; try again in a moment")]
    Busy,
    /// The log is still being opened or checked.
    #[error("the request log is still being checked; try again in a moment")]
    LogNotReady,
    /// A value that must be unique is taken.
    #[error("`{column}` is taken; choose another value")]
    Taken {
        /// The column as `table.column`.
        column: String,
    },
    /// The row refers to one that does not exist, or others refer to it.
    #[error("the row refers to one that does not exist, or others still refer to it; remove those first")]
    Reference,
    /// There is no such row.
    #[error("no `{table}` row has the id `{id}`")]
    NotFound {
        /// The table.
        table: &'static str,
        /// The id.
        id: String,
    },
    /// A snapshot can't be used.
    #[error("the snapshot `{file}` {why}; choose another")]
    BadSnapshot {
        /// Its file name.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file operation failed.
    #[error("{doing} did not work; see the cause in the log")]
    File {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// SQLite failed in a way that has no remedy of its own.
    #[error("the database refused the operation; see the cause in the log")]
    Sqlite {
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// The migration did not apply; it was rolled back whole.
    #[error("the schema can't be brought up to date; the database is as it was, report this with the log")]
    Migration {
        /// What the migration said.
        #[source]
        cause: rusqlite_migration::Error,
    },
}

impl StoreError {
    /// The stable code a script or a screen can branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "data_dir_unusable",
            Self::Locked { .. } => "data_dir_locked",
            Self::Damaged { .. } => "database_damaged",
            Self::NewerSchema { .. } => "schema_newer",
            Self::Open => "database_open",
            Self::Full => "disk_full",
            Self::ReadOnly => "read_only",
            Self::Busy => "database_busy",
            Self::LogNotReady => "log_not_ready",
            Self::Taken { .. } => "taken",
            Self::Reference => "reference",
            Self::NotFound { .. } => "not_found",
            Self::BadSnapshot { .. } => "snapshot_bad",
            Self::File { .. } => "file_error",
            Self::Sqlite { .. } => "database_error",
            Self::Migration { .. } => "migration_failed",
        }
    }

    /// The snapshot that can take the place of a damaged `core.db`.
    pub fn newest_snapshot(&self) -> Option<&Snapshot> {
        match self {
            Self::Damaged { newest_snapshot, .. } => newest_snapshot.as_ref(),
            Self::Folder { .. }
            | Self::Locked { .. }
            | Self::NewerSchema { .. }
            | Self::Open
            | Self::Full
            | Self::ReadOnly
            | Self::Busy
            | Self::LogNotReady
            | Self::Taken { .. }
            | Self::Reference
            | Self::NotFound { .. }
            | Self::BadSnapshot { .. }
            | Self::File { .. }
            | Self::Sqlite { .. }
            | Self::Migration { .. } => None,
        }
    }

    pub(crate) fn folder(folder: &Path, why: &'static str, cause: Option<io::Error>) -> Self {
        Self::Folder { folder: folder.to_owned(), why, cause }
    }

    /// A failed file operation, with a full disk and a read-only one told apart.
    pub(crate) fn file(doing: &'static str, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::File { doing, cause },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(cause: rusqlite::Error) -> Self {
        let Some(code) = cause.sqlite_error() else { return Self::Sqlite { cause } };
        match code.extended_code & 0xff {
            ffi::SQLITE_FULL => Self::Full,
            // The shared-memory index of the WAL can't grow: the same full disk in other words.
            ffi::SQLITE_IOERR if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            ffi::SQLITE_READONLY | ffi::SQLITE_PERM => Self::ReadOnly,
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Self::Busy,
            ffi::SQLITE_CONSTRAINT => constraint(code.extended_code, cause),
            _ => Self::Sqlite { cause },
        }
    }
}

fn constraint(extended: i32, cause: rusqlite::Error) -> StoreError {
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            StoreError::Taken { column: column_of(&cause) }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Reference,
        _ => StoreError::Sqlite { cause },
    }
}

/// SQLite names the columns at the end: `UNIQUE constraint failed: nodes.prefix`.
fn column_of(cause: &rusqlite::Error) -> String {
    let text = cause.to_string();
    text.rsplit(": ").next().unwrap_or_default().to_owned()
}

/// Whether SQLite says that the file is no sound database.
pub(crate) fn is_damage(cause: &rusqlite::Error) -> bool {
    let Some(code) = cause.sqlite_error() else { return false };
    let primary = code.extended_code & 0xff;
    primary == ffi::SQLITE_CORRUPT
        || primary == ffi::SQLITE_NOTADB
        || code.extended_code == ffi::SQLITE_IOERR_SHORT_READ
}

fn named(pid: Option<u32>) -> String {
    pid.map(|pid| [" (process ", &pid.to_string(), ")"].concat()).unwrap_or_default()
}

fn way_out(snapshot: Option<&Snapshot>) -> String {
    match snapshot {
        Some(snapshot) => ["the newest good snapshot is `", &snapshot.file, "`: restore it, or put the file back from a backup of yours"].concat(),
        None => "there is no good snapshot: put the file back from a backup of yours, or move the data folder away to start afresh".into(),
    }
}
