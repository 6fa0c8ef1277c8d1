//! A damaged file is recognised, left as it is, and never taken for a new one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use omniroute_store::{CoreDb, DataDir, Reason, StoreError, accounts, keys};
use tempfile::TempDir;

use crate::folders::open;
use crate::rows::{Dice, NOW, account, key};

const ACCOUNTS: usize = 60;

/// A database with rows, closed, with a snapshot beside it.
fn filled() -> (TempDir, Vec<u8>) {
    let (folder, dir, core) = open();
    core.write(|tx| (0..ACCOUNTS).try_for_each(|n| accounts::insert(tx, &account(&format!("account-{n}"))))).unwrap();
    core.write(|tx| (0..20).try_for_each(|n| keys::insert(tx, &key(&format!("key-{n}"), n)))).unwrap();
    core.snapshot(Reason::Manual, NOW).unwrap();
    drop(core);
    let bytes = fs::read(dir.core()).unwrap();
    (folder, bytes)
}

/// Damage of one of four kinds at a place the dice choose.
fn damaged(sound: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    let at = dice.roll(bytes.len());
    match dice.roll(4) {
        0 => bytes.truncate(at),
        1 => bytes[at / 4096 * 4096..].iter_mut().take(4096).for_each(|byte| *byte = 0),
        2 => bytes[at] ^= 1 << dice.roll(8),
        _ => (0..=dice.roll(64)).for_each(|_| {
            let at = dice.roll(sound.len());
            bytes[at] = bytes[at].wrapping_add(1 + dice.roll(255) as u8);
        }),
    }
    bytes
}

/// Every file of the folder but the snapshots and what SQLite keeps beside an open database.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let named = files.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    named.filter(|(name, _)| !name.ends_with("-wal") && !name.ends_with("-shm") && !name.ends_with(".lock")).collect()
}

#[test]
fn random_damage_is_refused_or_harmless_and_nothing_is_ever_deleted() {
    let (folder, sound) = filled();
    let mut dice = Dice(0x5eed);
    let mut refused = 0;
    let dir = DataDir::open(folder.path()).unwrap();
    for round in 0..100 {
        fs::write(dir.core(), damaged(&sound, &mut dice)).unwrap();
        let before = contents(folder.path());
        match CoreDb::open(&dir, NOW) {
            Err(StoreError::Damaged { newest_snapshot, .. }) => {
                refused += 1;
                assert_eq!(contents(folder.path()), before, "round {round}: a damaged file is left as it is");
                let snapshot = newest_snapshot.expect("the snapshot is good");
                CoreDb::restore(&dir, &snapshot, NOW + round).unwrap();
                let restored = CoreDb::open(&dir, NOW).unwrap();
                assert_eq!(restored.read(accounts::list).unwrap().len(), ACCOUNTS);
                assert!(dir.path().join(format!("core.db.replaced-{}", NOW + round)).exists());
            }
            Err(StoreError::NewerSchema { .. }) => assert_eq!(contents(folder.path()), before, "round {round}"),
            Err(other) => panic!("round {round}: {other}"),
            Ok(core) => use_database(&core, round),
        }
    }
    assert!(refused > 50, "most damage is found: {refused}");
}

/// Damage inside a value can't be seen; everything still answers, and no row is gone.
fn use_database(core: &CoreDb, round: i64) {
    if let Ok(rows) = core.read(accounts::list) {
        assert_eq!(rows.len(), ACCOUNTS, "round {round}: a database with its rows gone was taken for a good one");
    }
    let _answers = core.read(keys::list);
    let _answers = core.write(|tx| accounts::insert(tx, &account("one-more")));
}

#[track_caller]
fn check_refused(bytes: &[u8], why: &str) {
    let (folder, _) = filled();
    let dir = DataDir::open(folder.path()).unwrap();
    fs::write(dir.core(), bytes).unwrap();
    let refused = CoreDb::open(&dir, NOW).unwrap_err();
    assert_eq!(refused.code(), "database_damaged");
    let text = refused.to_string();
    assert!(text.starts_with(&format!("`core.db` {why}; nothing was changed. ")), "{text}");
    assert!(text.contains("the newest good snapshot is `core-"), "{text}");
    assert_eq!(fs::read(dir.core()).unwrap(), bytes);
}

#[test]
fn files_that_sqlite_would_take_for_new_ones_are_refused() {
    check_refused(b"", "is empty");
    check_refused(b"SQLite", "is cut short");
    check_refused(&[0; 8192], "is no database");
    check_refused(b"SQLite format 3\0", "is damaged");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let other = tempfile::NamedTempFile::new().unwrap();
    let connection = rusqlite::Connection::open(other.path()).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x); PRAGMA user_version = 1;").unwrap();
    connection.close().unwrap();
    let bytes = fs::read(other.path()).unwrap();
    check_refused(&bytes, "is not a database of this program, or lost its header");
}

#[test]
fn a_database_that_lost_a_table_is_refused() {
    let (folder, _) = filled();
    let path = folder.path().join("core.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("DROP TABLE keys").unwrap();
    connection.close().unwrap();
    let refused = CoreDb::open(&DataDir::open(folder.path()).unwrap(), NOW).unwrap_err();
    assert!(refused.to_string().starts_with("`core.db` has lost its table `keys`"), "{refused}");
}

#[test]
fn without_a_snapshot_the_text_says_what_is_left_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    fs::write(dir.core(), b"").unwrap();
    let refused = CoreDb::open(&dir, NOW).unwrap_err().to_string();
    assert!(refused.contains("there is no good snapshot: put the file back from a backup of yours"), "{refused}");
}

#[test]
fn a_folder_that_lost_its_database_is_not_a_fresh_one() {
    for left in ["core.db-wal", "log.db", "vault.key"] {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::open(folder.path()).unwrap();
        fs::write(dir.path().join(left), b"something").unwrap();
        let refused = CoreDb::open(&dir, NOW).unwrap_err();
        assert_eq!((refused.code(), refused.newest_snapshot()), ("database_damaged", None), "{left}");
        assert!(refused.to_string().contains("put the file back from a backup of yours"), "{left}: {refused}");
        assert!(!dir.core().exists(), "{left}: no fresh one is made");
    }
}

#[test]
fn a_first_start_that_was_killed_before_it_had_a_database_is_a_fresh_start() {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    fs::write(dir.path().join("core.db.new"), b"half a database").unwrap();
    CoreDb::open(&dir, NOW).unwrap();
}

#[test]
fn changes_lost_with_a_damaged_log_are_said_and_the_log_is_kept() {
    let (_folder, dir, core) = open();
    for n in 0..5 {
        core.write(|tx| accounts::insert(tx, &account(&format!("account-{n}")))).unwrap();
    }
    // What a killed process leaves: the database, and its log with everything in it.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["core.db", "core.db-wal"] {
        fs::copy(dir.path().join(name), crashed.path().join(name)).unwrap();
    }
    let wal = crashed.path().join("core.db-wal");
    let mut bytes = fs::read(&wal).unwrap();
    bytes[32 + 24 + 10] ^= 1;
    fs::write(&wal, &bytes).unwrap();

    let dir = DataDir::open(crashed.path()).unwrap();
    let core = CoreDb::open(&dir, NOW).unwrap();
    assert!(core.read(accounts::list).unwrap().len() < 5, "SQLite stops at the damage");
    let kept = format!("core.db-wal.damaged-{NOW}");
    assert!(core.notice().unwrap().contains(&kept), "{:?}", core.notice());
    assert_eq!(fs::read(dir.path().join(kept)).unwrap(), bytes);
}
