//! A disk that is really full: a file system of one megabyte in a mount namespace of its own.
//!
//! Needs `unshare` and the right to mount; where the machine has neither, the test says so and the unit
//! tests, which limit the database instead of the disk, are what is left.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use omniroute_domain::AccountId;
use omniroute_store::log::{HistoryFilter, LogState};
use omniroute_store::{CoreDb, DataDir, StoreError, accounts, log};

use crate::rows::{NOW, account, request};

const FOLDER: &str = "OMNIROUTE_TEST_FULL_DISK";
const PATIENCE: Duration = Duration::from_secs(60);
/// Mounts the small file system and goes on as the program given.
const SCRIPT: &str = r#"mount -t tmpfs -o size=1m,mode=700 tmpfs "$1" && shift && exec "$@""#;

#[test]
fn a_full_disk_is_said_loses_nothing_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    if !can_mount(folder.path()) {
        say_not_run();
        return;
    }
    let child = in_small_disk(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(["full_disk::child", "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "the child ran");
}

fn say_not_run() {
    let mut err = std::io::stderr();
    let _unheard = writeln!(err, "not run: this machine lets nobody mount a file system for a test");
}

fn can_mount(folder: &Path) -> bool {
    in_small_disk(folder).arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn in_small_disk(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"]).arg(folder);
    command
}

/// The child; without a folder, as in an ordinary run, it has nothing to do.
#[test]
#[expect(clippy::disallowed_methods, reason = "a child is told its folder where its siblings are not")]
fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        fill_and_free(Path::new(&folder));
    }
}

fn fill_and_free(folder: &Path) {
    let dir = DataDir::open(folder).unwrap();
    let core = CoreDb::open(&dir, NOW).unwrap();
    let log = log::open(&dir, NOW);
    log.writer.record(request(1));
    assert!(log.writer.flush(PATIENCE));
    let ballast = folder.join("ballast");
    fill_disk(&ballast);

    let kept = accounts_until_full(&core);
    // The batch is larger than what the log's file may still have in hand.
    (2..190).for_each(|n| log.writer.record(request(n)));
    assert!(log.writer.flush(PATIENCE), "a full disk holds nobody up");
    assert_eq!(log.writer.status().state, LogState::Paused("disk_full"));
    assert_eq!(core.read(accounts::list).unwrap().len(), kept, "what was saved can be read");
    assert!(core.snapshot(omniroute_store::Reason::Manual, NOW).is_err());

    fs::remove_file(&ballast).unwrap();
    core.write(|tx| accounts::insert(tx, &account("after"))).unwrap();
    log.writer.record(request(500));
    assert!(log.writer.flush(PATIENCE));
    assert_eq!(log.writer.status().state, LogState::Ready, "it goes on by itself");
    let there = log.reader.count(&HistoryFilter::default()).unwrap();
    let status = log.writer.status();
    assert_eq!((there, there + status.dropped), (status.written, 190), "every record is there or counted");
    log.writer.close();
    drop(core);

    let core = CoreDb::open(&dir, NOW).unwrap();
    assert_eq!(core.read(accounts::list).unwrap().len(), kept + 1);
    assert!(core.read(|from| accounts::get(from, &AccountId::from("after"))).unwrap().is_some());
}

fn fill_disk(ballast: &Path) {
    let mut file = fs::File::create(ballast).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}

/// Adds accounts until the disk is full; returns how many were saved.
fn accounts_until_full(core: &CoreDb) -> usize {
    for n in 0..10_000 {
        match core.write(|tx| accounts::insert(tx, &account(&format!("account-{n}")))) {
            Ok(()) => {}
            Err(StoreError::Full) => return n,
            Err(other) => panic!("{other}: {other:?}"),
        }
    }
    panic!("the disk never filled");
}
