use serde_json::{Value, json};
use tempfile::TempDir;

use super::{CallError, Caller, Method};
use crate::env::Environment;
use crate::error::StartError;
use crate::instance::{Instance, VaultChoice};
use crate::test_house::options;

async fn open(folder: &TempDir) -> Caller {
    Caller::open(&options(folder).data_dir, Some(VaultChoice::File), &Environment::default()).await.expect("it opens")
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

#[tokio::test]
async fn without_an_instance_the_folder_is_opened_here() {
    let folder = TempDir::new().unwrap();
    let caller = open(&folder).await;
    assert!(!caller.is_remote());
    let body = json!({"name": "a"}).to_string().into_bytes();
    assert_eq!(caller.call(Method::Post, "/api/keys", Some(body)).await.unwrap().status, 201);
    caller.close().await;

    let caller = open(&folder).await;
    let keys = caller.call(Method::Get, "/api/keys", None).await.unwrap();
    assert_eq!(read(&keys.body)["keys"][0]["name"], "a", "it was kept");
    let refused = caller.call(Method::Get, "/api/usage/logs?limit=x", None).await.unwrap();
    assert_eq!(refused.status, 400, "a refusal is an answer");
}

#[tokio::test]
async fn what_was_changed_is_written_down_even_if_nobody_closes() {
    let folder = TempDir::new().unwrap();
    let caller = open(&folder).await;
    let body = json!({"name": "a"}).to_string().into_bytes();
    caller.call(Method::Post, "/api/keys", Some(body)).await.unwrap();
    drop(caller);
    let instance = Instance::open(options(&folder)).unwrap();
    let audit = instance.log().audit(None, 10).unwrap();
    assert_eq!(audit.iter().map(|(_, row)| row.action.as_str()).collect::<Vec<_>>(), ["key.create"]);
}

#[tokio::test]
async fn what_is_no_path_is_not_sent() {
    let folder = TempDir::new().unwrap();
    let caller = open(&folder).await;
    for path in ["", "api/keys", "/api/keys x", "/api/\r\nx: y", "/api/é", "http://a.example/"] {
        let refused = caller.call(Method::Get, path, None).await;
        assert!(matches!(refused, Err(CallError::Path(_))), "{path:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_locked_and_silent_is_said_to_be_locked() {
    let folder = TempDir::new().unwrap();
    let instance = Instance::open(options(&folder)).unwrap();
    let refused = Caller::open(instance.data_dir(), None, &Environment::default()).await;
    assert!(matches!(refused, Err(StartError::Store(omniroute_store::StoreError::Locked { .. }))));
}
