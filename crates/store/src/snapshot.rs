//! Snapshots of `core.db`: whole, checked copies in `backups/`.
//!
//! Invariant: a file with a snapshot's name passed every check when it got that name; it is written
//! under another name first. The newest seven are kept. File names are read from the folder only, so
//! no caller's text becomes a path.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::connection::{open_reader, schema_version};
use crate::data_dir::{DataDir, owner_only, sync_folder};
use crate::error::StoreError;
use crate::integrity::{Depth, Finding, examine};

/// How many snapshots are kept.
pub const KEPT: usize = 7;

const UNFINISHED: &str = "core.db.part";
const TIME: &str = "%Y%m%dT%H%M%S%3f";

/// Why a snapshot is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The schema is about to change.
    Migration,
    /// A day has passed.
    Daily,
    /// Somebody asked.
    Manual,
    /// The database is about to be replaced.
    Restore,
}

impl Reason {
    /// The reason as it stands in file names and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Migration => "migration",
            Self::Daily => "daily",
            Self::Manual => "manual",
            Self::Restore => "restore",
        }
    }
}

/// A snapshot in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its file name: `core-<utc>Z-v<schema>-<reason>.db`.
    pub file: String,
    /// When it was taken, unix milliseconds.
    pub taken_at: i64,
    /// The schema it holds.
    pub version: i64,
    /// Why it was taken.
    pub reason: String,
    /// Its size.
    pub bytes: u64,
}

/// All snapshots, newest first.
pub fn list(dir: &DataDir) -> Result<Vec<Snapshot>, StoreError> {
    let cannot = |cause| StoreError::file("listing the snapshots", cause);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir.backups()).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
        found.extend(parse_name(name, metadata.len()));
    }
    found.sort_by(|a, b| b.taken_at.cmp(&a.taken_at).then_with(|| b.file.cmp(&a.file)));
    Ok(found)
}

/// The newest snapshot that passes its checks and that this version can read.
pub(crate) fn newest_good(dir: &DataDir, known: i64) -> Option<Snapshot> {
    let snapshots = list(dir).ok()?;
    snapshots.into_iter().find(|snapshot| check(dir, snapshot, known).is_ok())
}

/// Checks a snapshot in the folder.
pub(crate) fn check(dir: &DataDir, snapshot: &Snapshot, known: i64) -> Result<(), StoreError> {
    let bad = |why| StoreError::BadSnapshot { file: snapshot.file.clone(), why };
    match examine(&dir.backups().join(&snapshot.file), Depth::Whole)? {
        Finding::Sound { version } if version <= known => Ok(()),
        Finding::Sound { .. } => Err(bad("was made by a newer version".to_owned())),
        Finding::Damaged { why } => Err(bad(why)),
    }
}

/// Copies the committed state of `core.db` into a new snapshot.
pub(crate) fn take(dir: &DataDir, reason: Reason, now: i64) -> Result<Snapshot, StoreError> {
    let unfinished = dir.backups().join(UNFINISHED);
    let taken = copy_and_check(dir, &unfinished).and_then(|version| publish(dir, &unfinished, version, (reason, now)));
    if taken.is_err() {
        // What is left of the attempt has no use and may fill the disk.
        let _gone_or_not = fs::remove_file(&unfinished);
    }
    let snapshot = taken?;
    // The snapshot is good whether or not an old one could be removed.
    if let Err(error) = prune(dir) {
        tracing::warn!(%error, "Could not remove an old snapshot.");
    }
    Ok(snapshot)
}

fn copy_and_check(dir: &DataDir, unfinished: &Path) -> Result<i64, StoreError> {
    let doing = |cause| StoreError::file("writing a snapshot", cause);
    // An empty file with the right permissions; SQLite writes into it but would not narrow them.
    owner_only().write(true).create(true).truncate(true).open(unfinished).map_err(doing)?;
    let source = open_reader(&dir.core())?;
    let version = schema_version(&source)?;
    source.execute("VACUUM INTO ?1", [path_text(unfinished)?])?;
    File::open(unfinished).and_then(|file| file.sync_all()).map_err(doing)?;
    match examine(unfinished, Depth::Whole)? {
        Finding::Sound { version: copied } if copied == version => Ok(version),
        Finding::Sound { .. } => {
            Err(StoreError::BadSnapshot { file: UNFINISHED.into(), why: "has another schema".into() })
        }
        Finding::Damaged { why } => Err(StoreError::BadSnapshot { file: UNFINISHED.into(), why }),
    }
}

fn publish(
    dir: &DataDir,
    unfinished: &Path,
    version: i64,
    (reason, now): (Reason, i64),
) -> Result<Snapshot, StoreError> {
    let doing = |cause| StoreError::file("keeping a snapshot", cause);
    let bytes = fs::metadata(unfinished).map_err(doing)?.len();
    // Two snapshots of one millisecond: the later one is dated one later, so that none is replaced.
    let mut taken_at = now;
    let mut file = name(taken_at, version, reason)?;
    while dir.backups().join(&file).exists() {
        taken_at += 1;
        file = name(taken_at, version, reason)?;
    }
    fs::rename(unfinished, dir.backups().join(&file)).map_err(doing)?;
    sync_folder(&dir.backups()).map_err(doing)?;
    Ok(Snapshot { file, taken_at, version, reason: reason.as_str().to_owned(), bytes })
}

fn prune(dir: &DataDir) -> Result<(), StoreError> {
    for old in list(dir)?.into_iter().skip(KEPT) {
        match fs::remove_file(dir.backups().join(&old.file)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::file("removing an old snapshot", cause));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn path_text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::folder(path, "its name is not valid UTF-8", None))
}

fn name(taken_at: i64, version: i64, reason: Reason) -> Result<String, StoreError> {
    let when = Timestamp::from_millisecond(taken_at).map_err(|error| {
        StoreError::file("naming a snapshot", io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))
    })?;
    let when = when.strftime(TIME).to_string();
    Ok(["core-", &when, "Z-v", &version.to_string(), "-", reason.as_str(), ".db"].concat())
}

fn parse_name(file: String, bytes: u64) -> Option<Snapshot> {
    let (when, rest) = file.strip_prefix("core-")?.strip_suffix(".db")?.split_once("Z-v")?;
    let (version, reason) = rest.split_once('-')?;
    let when = civil::DateTime::strptime(TIME, when).ok()?;
    let taken_at = when.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(Snapshot { taken_at, version: version.parse().ok()?, reason: reason.to_owned(), bytes, file })
}
