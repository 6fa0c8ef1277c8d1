//! kill -9 at any moment: what was acknowledged is there, and both databases are sound.
//!
//! The parent starts this test binary again as a child that writes and says what is safe, one line
//! each, and kills it after a number of lines the dice choose. Nothing is timed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use omniroute_store::log::HistoryFilter;
use omniroute_store::{CoreDb, DataDir, Reason, accounts, keys, log};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::rows::{Dice, NOW, account, key, request};

const FOLDER: &str = "OMNIROUTE_TEST_KILL_FOLDER";
const CYCLES: u32 = 50;
const FIRST_STARTS: usize = 20;

/// What the child said was safe.
#[derive(Default)]
struct Acknowledged {
    accounts: BTreeSet<String>,
    keys: BTreeSet<String>,
    requests: u64,
}

#[test]
fn fifty_kills_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(0xdead);
    let mut safe = Acknowledged::default();
    for cycle in 0..CYCLES {
        run_and_kill(folder.path(), 1 + dice.roll(60), &mut safe);
        check(folder.path(), &safe, cycle);
    }
    assert!(safe.accounts.len() > 200 && !safe.keys.is_empty() && safe.requests > 500, "the children did work");
}

#[test]
fn a_kill_during_the_first_start_leaves_a_folder_that_starts() {
    let mut dice = Dice(0xf00d);
    for cycle in 0..FIRST_STARTS {
        let folder: TempDir = tempfile::tempdir().unwrap();
        let mut safe = Acknowledged::default();
        run_and_kill(folder.path(), dice.roll(3), &mut safe);
        check(folder.path(), &safe, cycle as u32);
    }
}

fn run_and_kill(folder: &Path, lines: usize, safe: &mut Acknowledged) {
    let mut child = start(folder);
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in said.take(lines) {
        note(&line.unwrap(), safe);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What the pipe still holds when the child dies is not read: fewer rows are known to be safe then,
/// and more are there.
fn note(line: &str, safe: &mut Acknowledged) {
    // The test harness writes lines of its own.
    match line.split_once(' ') {
        Some(("account", id)) => drop(safe.accounts.insert(id.to_owned())),
        Some(("key", id)) => drop(safe.keys.insert(id.to_owned())),
        Some(("requests", count)) => safe.requests += count.parse::<u64>().unwrap(),
        Some(_) | None => {}
    }
}

#[track_caller]
fn check(folder: &Path, safe: &Acknowledged, cycle: u32) {
    let dir = DataDir::open(folder).expect("the lock went with the process");
    let core = CoreDb::open(&dir, NOW).unwrap();
    let rows = core.read(|from| Ok((accounts::list(from)?, keys::list(from)?))).unwrap();
    let there: BTreeSet<String> = rows.0.into_iter().map(|row| row.id.to_string()).collect();
    let lost: Vec<_> = safe.accounts.difference(&there).collect();
    assert!(lost.is_empty(), "cycle {cycle}: acknowledged accounts are gone: {lost:?}");
    let there: BTreeSet<String> = rows.1.into_iter().map(|row| row.id.to_string()).collect();
    assert!(safe.keys.is_subset(&there), "cycle {cycle}: acknowledged keys are gone");
    assert_eq!(core.notice(), None, "cycle {cycle}: a torn end is not damage");

    let log = log::open(&dir, NOW);
    let written = log.reader.count(&HistoryFilter::default()).unwrap();
    assert!(written >= safe.requests, "cycle {cycle}: {written} of {} flushed requests", safe.requests);
    assert_eq!(log.reader.stats(0).unwrap().total.requests, written, "cycle {cycle}: sums and rows agree");
    assert_eq!(log.writer.status().notice, None, "cycle {cycle}: the log was not taken for a damaged one");
    log.writer.close();
    drop(core);
    for path in [dir.core(), dir.log()] {
        let connection = Connection::open(path).unwrap();
        let answer: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(answer, "ok", "cycle {cycle}");
    }
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The child; without a folder, as in an ordinary run, it has nothing to do.
#[test]
#[expect(clippy::disallowed_methods, reason = "a child is told its folder where its siblings are not")]
fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        write_until_killed(Path::new(&folder));
    }
}

fn write_until_killed(folder: &Path) {
    say("opening", "");
    let dir = DataDir::open(folder).unwrap();
    let core = CoreDb::open(&dir, NOW).unwrap();
    let log = log::open(&dir, NOW);
    let begun = core.read(|from| Ok((accounts::list(from)?.len(), keys::list(from)?.len()))).unwrap();
    let recorded = log.reader.count(&HistoryFilter::default()).unwrap() as u32;
    for step in 0..10_000_u32 {
        let id = format!("account-{}", begun.0 + step as usize);
        core.write(|tx| accounts::insert(tx, &account(&id))).unwrap();
        say("account", &id);
        (0..20).for_each(|n| log.writer.record(request(recorded + step * 20 + n)));
        if step % 3 == 0 {
            assert!(log.writer.flush(Duration::from_secs(60)));
            let since_last = if step == 0 { 20 } else { 60 };
            say("requests", &since_last.to_string());
        }
        if step % 7 == 3 {
            let number = begun.1 + step as usize;
            let mut row = key(&format!("key-{number}"), 0);
            row.hash[..8].copy_from_slice(&number.to_le_bytes());
            core.write(|tx| keys::insert(tx, &row)).unwrap();
            say("key", row.id.as_str());
        }
        if step % 10 == 9 {
            core.snapshot(Reason::Manual, NOW).unwrap();
        }
    }
}

fn say(what: &str, which: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what} {which}").unwrap();
    out.flush().unwrap();
}
