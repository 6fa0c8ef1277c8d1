//! What needs a schema of its own, or the database's inside: migrations and a full disk.

use omniroute_domain::KeyId;
use tempfile::TempDir;

use super::{CoreDb, lock};
use crate::connection::schema_version;
use crate::data_dir::DataDir;
use crate::error::StoreError;
use crate::schema::{CORE, Part, Schema, Version};
use crate::{keys, settings, snapshot};

const NOW: i64 = 1_795_000_000_000;

const NOTES: &[Part] = &[("notes", "CREATE TABLE notes (text TEXT) STRICT;")];
const BROKEN: &[Part] = &[("notes", "CREATE TABLE notes (text TEXT) STRICT; INSERT INTO nowhere VALUES (1);")];

/// The present schema with one more version.
fn with_version(more: Version) -> Schema {
    let versions: Vec<Version> = CORE.versions.iter().copied().chain([more]).collect();
    Schema { versions: versions.leak() }
}

fn used_folder() -> (TempDir, DataDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    let core = CoreDb::open(&dir, NOW).unwrap();
    core.write(|tx| settings::set(tx, "a", "1", NOW)).unwrap();
    (folder, dir)
}

fn version_of(core: &CoreDb) -> i64 {
    schema_version(&lock(&core.shared.reader)).unwrap()
}

#[test]
fn a_migration_comes_after_a_snapshot_and_keeps_every_row() {
    let (_folder, dir) = used_folder();
    let newer = with_version(NOTES);
    let core = CoreDb::open_as(&dir, newer, NOW + 1).unwrap();
    assert_eq!(version_of(&core), newer.version());
    assert_eq!(core.read(|from| settings::get(from, "a")).unwrap().as_deref(), Some("1"));
    let kept = snapshot::list(&dir).unwrap();
    assert_eq!((kept.len(), kept[0].version, kept[0].reason.as_str()), (1, CORE.version(), "migration"));

    drop(core);
    CoreDb::open_as(&dir, newer, NOW + 2).unwrap();
    assert_eq!(snapshot::list(&dir).unwrap().len(), 1, "no migration, no snapshot");
}

#[test]
fn an_older_version_refuses_what_a_newer_one_wrote_and_can_restore_the_snapshot() {
    let (_folder, dir) = used_folder();
    drop(CoreDb::open_as(&dir, with_version(NOTES), NOW + 1).unwrap());
    let bytes = std::fs::read(dir.core()).unwrap();
    let refused = CoreDb::open(&dir, NOW + 2).unwrap_err();
    assert!(matches!(refused, StoreError::NewerSchema { found: 2, known: 1 }), "{refused}");
    assert_eq!(std::fs::read(dir.core()).unwrap(), bytes, "a refused database is not touched");

    let before = snapshot::list(&dir).unwrap().remove(0);
    CoreDb::restore(&dir, &before, NOW + 3).unwrap();
    let core = CoreDb::open(&dir, NOW + 4).unwrap();
    assert_eq!(core.read(|from| settings::get(from, "a")).unwrap().as_deref(), Some("1"));
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let (_folder, dir) = used_folder();
    let failed = CoreDb::open_as(&dir, with_version(BROKEN), NOW + 1).unwrap_err();
    assert_eq!(failed.code(), "migration_failed");
    let core = CoreDb::open(&dir, NOW + 2).unwrap();
    assert_eq!(version_of(&core), CORE.version());
    assert_eq!(snapshot::list(&dir).unwrap().len(), 1, "the snapshot before it stays");
}

#[test]
fn a_full_disk_refuses_the_whole_transaction_and_passes() {
    let (_folder, dir) = used_folder();
    let core = CoreDb::open(&dir, NOW).unwrap();
    lock(&core.shared.writer).pragma_update(None, "max_page_count", 1).unwrap();
    let big = serde_json::to_string(&"x".repeat(100_000)).unwrap();
    let refused = core.write(|tx| {
        settings::set(tx, "small", "2", NOW)?;
        settings::set(tx, "big", &big, NOW)
    });
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the disk with the data folder is full; nothing was saved, free some space and try again"
    );
    assert_eq!(core.read(settings::list).unwrap(), [("a".to_owned(), "1".to_owned())]);

    lock(&core.shared.writer).pragma_update(None, "max_page_count", 1_000_000).unwrap();
    core.write(|tx| settings::set(tx, "big", &big, NOW)).unwrap();
    assert!(core.read(|from| keys::get(from, &KeyId::from("none"))).unwrap().is_none());
}

#[test]
fn a_snapshot_that_does_not_fit_leaves_no_part_of_it() {
    let (_folder, dir) = used_folder();
    let core = CoreDb::open(&dir, NOW).unwrap();
    // A folder in the way of the unfinished file stands for any failure to write it.
    std::fs::create_dir(dir.backups().join("core.db.part")).unwrap();
    assert!(core.snapshot(crate::Reason::Manual, NOW).is_err());
    assert!(snapshot::list(&dir).unwrap().is_empty());
    std::fs::remove_dir(dir.backups().join("core.db.part")).unwrap();
    core.snapshot(crate::Reason::Manual, NOW).unwrap();
    assert_eq!(snapshot::list(&dir).unwrap().len(), 1);
}
