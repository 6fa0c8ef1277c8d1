//! Snapshots are whole, few, and can be gone back to.

use std::fs;

use omniroute_store::{CoreDb, DataDir, Reason, Snapshot, StoreError, accounts, snapshot};

use crate::folders::open;
use crate::rows::{NOW, account};

fn count(core: &CoreDb) -> usize {
    core.read(accounts::list).unwrap().len()
}

#[test]
fn a_snapshot_says_when_and_why_in_its_name() {
    let (_folder, dir, core) = open();
    let taken = core.snapshot(Reason::Daily, 1_795_000_123_456).unwrap();
    assert_eq!(taken.file, "core-20261118T110843456Z-v1-daily.db");
    assert!(taken.bytes > 0);
    assert_eq!(snapshot::list(&dir).unwrap(), [taken], "the list reads the same out of the name");
}

#[test]
fn the_newest_seven_are_kept_and_other_files_are_not_touched() {
    let (_folder, dir, core) = open();
    fs::write(dir.backups().join("core-mine.db"), "a person's own copy").unwrap();
    let taken: Vec<Snapshot> = (0..10).map(|day| core.snapshot(Reason::Daily, NOW + day).unwrap()).collect();
    let newest: Vec<Snapshot> = taken.into_iter().rev().take(snapshot::KEPT).collect();
    assert_eq!(snapshot::list(&dir).unwrap(), newest);
    assert!(dir.backups().join("core-mine.db").exists());
}

#[test]
fn two_snapshots_of_one_instant_are_two() {
    let (_folder, dir, core) = open();
    let [first, second] = [core.snapshot(Reason::Manual, NOW).unwrap(), core.snapshot(Reason::Manual, NOW).unwrap()];
    assert_ne!(first.file, second.file);
    assert_eq!(snapshot::list(&dir).unwrap(), [second, first]);
}

#[test]
fn restoring_brings_back_the_state_and_keeps_the_present_one() {
    let (_folder, dir, core) = open();
    core.write(|tx| accounts::insert(tx, &account("then"))).unwrap();
    let taken = core.snapshot(Reason::Manual, NOW).unwrap();
    core.write(|tx| accounts::insert(tx, &account("later"))).unwrap();
    drop(core);
    CoreDb::restore(&dir, &taken, NOW + 1).unwrap();
    let core = CoreDb::open(&dir, NOW + 2).unwrap();
    assert_eq!(count(&core), 1);
    core.write(|tx| accounts::insert(tx, &account("after"))).unwrap();
    drop((core, dir.clone()));

    let replaced = dir.path().join(format!("core.db.replaced-{}", NOW + 1));
    let kept = tempfile::tempdir().unwrap();
    fs::copy(replaced, kept.path().join("core.db")).unwrap();
    let kept = CoreDb::open(&DataDir::open(kept.path()).unwrap(), NOW).unwrap();
    assert_eq!(count(&kept), 2, "the replaced database is whole");
}

#[test]
fn a_damaged_snapshot_is_neither_offered_nor_restored() {
    let (_folder, dir, core) = open();
    let good = core.snapshot(Reason::Manual, NOW).unwrap();
    let bad = core.snapshot(Reason::Manual, NOW + 1).unwrap();
    fs::write(dir.backups().join(&bad.file), vec![0_u8; 5000]).unwrap();
    drop(core);
    assert_eq!(CoreDb::restore(&dir, &bad, NOW).unwrap_err().code(), "snapshot_bad");
    assert!(CoreDb::open(&dir, NOW).is_ok(), "the database is still in its place");

    fs::write(dir.core(), b"").unwrap();
    match CoreDb::open(&dir, NOW).unwrap_err() {
        StoreError::Damaged { newest_snapshot, .. } => assert_eq!(newest_snapshot, Some(good)),
        other => panic!("{other}"),
    }
}

#[test]
fn a_restore_that_was_cut_off_is_noticed_and_can_be_repeated() {
    let (_folder, dir, core) = open();
    core.write(|tx| accounts::insert(tx, &account("a"))).unwrap();
    let taken = core.snapshot(Reason::Manual, NOW).unwrap();
    drop(core);
    fs::rename(dir.core(), dir.path().join("core.db.replaced-1")).unwrap();
    let missing = CoreDb::open(&dir, NOW).unwrap_err();
    assert_eq!((missing.code(), dir.core().exists()), ("database_damaged", false), "no fresh one is made");
    CoreDb::restore(&dir, &taken, NOW).unwrap();
    assert_eq!(count(&CoreDb::open(&dir, NOW).unwrap()), 1);
}
