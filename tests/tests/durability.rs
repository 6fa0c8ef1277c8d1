//! kill -9 under load, again and again: both databases stay whole, and what was acknowledged stays.
//!
//! `OMNIROUTE_KILL_CYCLES` says how often; `make test` asks for 200.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use omniroute_testkit::client::Connection;
use omniroute_testkit::wait::eventually;
use omniroute_testkit::{Call, Gateway, Provider};
use omniroute_tests::scene::{ask, ask_stream, connect, manage_key};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Cycles when nobody says how many: enough to fail on a plain mistake.
const SOME_CYCLES: usize = 25;

fn cycles() -> usize {
    let said = std::env::var("OMNIROUTE_KILL_CYCLES").ok();
    said.map_or(SOME_CYCLES, |said| said.parse().expect("OMNIROUTE_KILL_CYCLES is a number"))
}

/// What the gateway said was done.
#[derive(Debug, Default)]
struct Acknowledged {
    keys: BTreeSet<String>,
    accounts: BTreeSet<String>,
    /// One key in full, to be tried.
    newest_key: Option<String>,
}

/// Tools that ask and people that change things, all at once, until the gateway is gone.
struct Load {
    tasks: JoinSet<()>,
    writes: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
}

impl Load {
    fn on(gateway: &Gateway, manage: &str, done: &Arc<Mutex<Acknowledged>>) -> Self {
        let (writes, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        let url = gateway.url();
        for body in [ask("mk/m"), ask_stream("mk/m"), ask("mk/m")] {
            let call = Call::post(url, "/v1/chat/completions", body).key(gateway.key());
            tasks.spawn(chat(url.to_owned(), call, Arc::clone(&answers)));
        }
        for what in [Write::Key, Write::Account] {
            let call = what.call(url).key(manage);
            tasks.spawn(write(url.to_owned(), call, what, Arc::clone(done), Arc::clone(&writes)));
        }
        Self { tasks, writes, answers }
    }
}

#[derive(Clone, Copy)]
enum Write {
    Key,
    Account,
}

impl Write {
    fn call(self, url: &str) -> Call {
        match self {
            Self::Key => Call::post(url, "/api/keys", r#"{"name":"acknowledged"}"#),
            Self::Account => Call::post(
                url,
                "/api/providers",
                r#"{"provider":"groq","apiKey":"gsk-durable","name":"acknowledged","noTest":true}"#,
            ),
        }
    }
}

async fn chat(url: String, call: Call, answers: Arc<AtomicUsize>) {
    let mut connection = Connection::open(&url).await;
    while call.try_on(&mut connection).await.is_ok_and(|answer| answer.cut.is_none()) {
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

async fn write(url: String, call: Call, what: Write, done: Arc<Mutex<Acknowledged>>, writes: Arc<AtomicUsize>) {
    let mut connection = Connection::open(&url).await;
    while let Ok(answer) = call.try_on(&mut connection).await {
        if answer.cut.is_some() {
            return;
        }
        assert_eq!(answer.status, 201, "{}", answer.text());
        let said = answer.json();
        let mut done = done.lock().await;
        match what {
            Write::Key => {
                done.keys.insert(text(&said["id"]));
                done.newest_key = Some(text(&said["key"]));
            }
            Write::Account => {
                done.accounts.insert(text(&said["connection"]["id"]));
            }
        }
        writes.fetch_add(1, Ordering::Relaxed);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("`{value}` is no text")).to_owned()
}

/// Both databases pass SQLite's own check, on a copy, so that nothing is mended on the way.
fn databases_are_whole(data_dir: &Path) {
    let copy = data_dir.with_file_name("copy");
    let _absent = std::fs::remove_dir_all(&copy);
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(data_dir).unwrap().flatten() {
        if entry.file_name().to_string_lossy().contains(".db") && entry.path().is_file() {
            std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
    }
    for database in ["core.db", "log.db"] {
        let checked = Command::new("sqlite3")
            .arg(copy.join(database))
            .arg("PRAGMA integrity_check; PRAGMA foreign_key_check;")
            .output()
            .expect("sqlite3 runs");
        let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
        assert_eq!(said.trim(), "ok", "{database}");
    }
}

async fn listed(gateway: &Gateway, manage: &str, path: &str, list: &str) -> BTreeSet<String> {
    let answer = Call::get(gateway.url(), path).key(manage).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()[list].as_array().expect("a list").iter().map(|item| text(&item["id"])).collect()
}

/// What was acknowledged is there, and the newest key opens.
async fn all_is_there(gateway: &Gateway, manage: &str, done: &Acknowledged) {
    let keys = listed(gateway, manage, "/api/keys", "keys").await;
    let lost: Vec<_> = done.keys.difference(&keys).collect();
    assert!(lost.is_empty(), "keys are lost: {lost:?}");
    let accounts = listed(gateway, manage, "/api/providers", "connections").await;
    let lost: Vec<_> = done.accounts.difference(&accounts).collect();
    assert!(lost.is_empty(), "accounts are lost: {lost:?}");
    if let Some(key) = &done.newest_key {
        let answer = Call::get(gateway.url(), "/v1/models").key(key).send().await;
        assert_eq!(answer.status, 200, "an acknowledged key opens: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_however_often_the_gateway_is_killed() {
    let has_sqlite = Command::new("sqlite3").arg("--version").output().is_ok_and(|said| said.status.success());
    let provider = Provider::start().await;
    let mut gateway = Gateway::start().await;
    connect(&gateway, "mk", &provider.base_url(), "k").await;
    let manage = manage_key(&gateway).await;
    let done = Arc::new(Mutex::new(Acknowledged::default()));
    let mut writes_in_all = 0;
    for cycle in 0..cycles() {
        let mut load = Load::on(&gateway, &manage, &done);
        // The point of the kill wanders: after so many writes, and now and then after more answers.
        let (writes, answers) = (1 + cycle * 7 % 5, cycle * 13 % 17);
        eventually("the load to run", || {
            let enough =
                load.writes.load(Ordering::Relaxed) >= writes && load.answers.load(Ordering::Relaxed) >= answers;
            async move { enough.then_some(()) }
        })
        .await;
        gateway.kill9();
        while let Some(ended) = load.tasks.join_next().await {
            ended.expect("no task of the load panics");
        }
        writes_in_all += load.writes.load(Ordering::Relaxed);
        if has_sqlite {
            databases_are_whole(gateway.data_dir());
        } else {
            let doctor = gateway.cli(&["doctor"]).await;
            assert!(doctor.ok(), "cycle {cycle}: {doctor}");
        }
        gateway = gateway.restart().await;
        assert_eq!(gateway.ready()["client_key"], Value::Null, "cycle {cycle}: the first key is not made again");
        all_is_there(&gateway, &manage, &*done.lock().await).await;
    }
    assert!(writes_in_all >= cycles(), "every cycle acknowledged something");
    assert_eq!(gateway.chat(ask("mk/m")).send().await.status, 200, "and the account still answers");
    let doctor = gateway.cli(&["doctor"]).await;
    assert!(doctor.ok(), "{doctor}");
}

#[tokio::test]
async fn a_damaged_core_database_is_never_taken_for_a_new_one() {
    let gateway = Gateway::start().await;
    gateway.terminate();
    let (setup, _) = gateway.ended(std::time::Duration::from_secs(10)).await;
    let core = setup.data_dir().join("core.db");
    let mut bytes = std::fs::read(&core).unwrap();
    let (from, to) = (bytes.len() / 4, bytes.len() / 4 * 3);
    bytes[from..to].fill(0x5a);
    std::fs::write(&core, &bytes).unwrap();
    let refused = setup.clone().try_start().await.expect_err("a damaged database does not start");
    assert!(refused.stderr.contains("core.db"), "{refused}");
    assert_eq!(std::fs::read(&core).unwrap(), bytes, "and is left as it was");
    let doctor = setup.cli(&["doctor"]).await;
    assert!(!doctor.ok(), "the doctor sees it: {doctor}");
}
