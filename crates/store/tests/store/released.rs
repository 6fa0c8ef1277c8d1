//! Databases of every released schema open with all their rows.
//!
//! A fixture is the dump of a database that version wrote. It is never edited; a new version adds one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use omniroute_domain::{AccountId, KeyId};
use omniroute_store::log::{HistoryFilter, RequestId};
use omniroute_store::{CoreDb, DataDir, accounts, custom_models, keys, log, meta, nodes, settings};
use rusqlite::Connection;

use crate::folders::open;
use crate::rows::{NOW, request};

fn build(path: &Path, dump: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(dump).unwrap();
    connection.close().unwrap();
}

/// The statements that made a database, in one order.
fn schema_of(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut query = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn core_v1_opens_with_all_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    build(&folder.path().join("core.db"), include_str!("../fixtures/core-v1.sql"));
    let dir = DataDir::open(folder.path()).unwrap();
    let core = CoreDb::open(&dir, NOW).unwrap();
    core.read(|from| {
        let rows = accounts::list(from)?;
        assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["account-1", "account-2"]);
        assert_eq!(accounts::get(from, &AccountId::from("account-2"))?.unwrap().node.unwrap().as_str(), "node-1");
        assert_eq!(nodes::list(from)?[0].prefix, "mk");
        assert_eq!(keys::get(from, &KeyId::from("key-1"))?.unwrap().hash, [7; 32]);
        assert_eq!(custom_models::list(from)?.len(), 1);
        assert_eq!(settings::get(from, "retry")?.as_deref(), Some("{\"attempts\":3}"));
        assert_eq!(meta::get(from, "vault_kid")?.as_deref(), Some("0011aabb"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn log_v1_opens_with_all_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    build(&folder.path().join("log.db"), include_str!("../fixtures/log-v1.sql"));
    let dir = DataDir::open(folder.path()).unwrap();
    let log = log::open(&dir, NOW);
    let page = log.reader.history(&HistoryFilter::default(), None, 10).unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(log.reader.request(RequestId::new(NOW, 1)).unwrap(), Some(request(1)));
    assert_eq!(log.reader.stats(0).unwrap().total.requests, 1);
    assert_eq!(log.reader.last_used().unwrap()[&KeyId::from("key-1")], NOW);
    assert_eq!(log.reader.audit(None, 10).unwrap().len(), 1);
    assert_eq!(log.writer.status().notice, None, "it was not taken for a damaged one");
    log.writer.close();
}

/// While the newest fixture has the newest schema, the two must be made by the same statements: a
/// released version's text never changes.
#[test]
fn released_statements_are_unchanged() {
    let (_folder, dir, core) = open();
    drop(core);
    let log = log::open(&dir, NOW);
    assert!(log.writer.flush(Duration::from_secs(60)));
    log.reader.stats(0).unwrap();
    log.writer.close();
    let old = tempfile::tempdir().unwrap();
    build(&old.path().join("core.db"), include_str!("../fixtures/core-v1.sql"));
    build(&old.path().join("log.db"), include_str!("../fixtures/log-v1.sql"));
    for name in ["core.db", "log.db"] {
        assert_eq!(schema_of(&old.path().join(name)), schema_of(&dir.path().join(name)), "{name}");
        assert!(fs::metadata(dir.path().join(name)).unwrap().len() > 0);
    }
}
