use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use omniroute_store::snapshot;
use omniroute_testkit::Call;
use omniroute_testkit::wait::within;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::{Ready, ServeOptions, daily, loopback, serve};
use crate::error::StartError;
use crate::instance::Instance;
use crate::local::{Caller, Method};
use crate::test_house::options;

/// A gateway that serves until it is told to stop.
struct Serving {
    ready: Ready,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), StartError>>,
}

async fn start(folder: &TempDir) -> Serving {
    let (options, free) = (options(folder), ServeOptions { host: None, port: Some(0) });
    let instance =
        tokio::task::spawn_blocking(move || Instance::open(options)).await.expect("no panic").expect("it works");
    let (stop, stopped) = oneshot::channel();
    let (said, ready) = oneshot::channel();
    let shutdown = async {
        let _asked_or_dropped = stopped.await;
    };
    let task = TaskTracker::new().spawn(serve(instance, free, shutdown, |ready| drop(said.send(ready))));
    Serving { ready: within("readiness", ready).await.expect("it comes"), stop, task }
}

impl Serving {
    async fn stop(self) {
        self.stop.send(()).expect("it serves");
        within("the drain", self.task).await.expect("no panic").expect("it works");
    }
}

#[tokio::test]
async fn requests_are_answered_once_it_is_ready_and_on_both_loopback_addresses() {
    let folder = TempDir::new().unwrap();
    let serving = start(&folder).await;
    let url = serving.ready.url.clone();
    let key = serving.ready.client_key.clone().expect("the first start makes a key");
    assert_eq!(Call::get(&url, "/api/health").send().await.json(), json!({"ok": true}));
    assert_eq!(Call::get(&url, "/v1/models").key(&key).send().await.status, 200);
    assert_eq!(Call::get(&url, "/api/keys").key(&key).send().await.status, 403);
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        let second = url.replace("127.0.0.1", "[::1]");
        assert_eq!(Call::get(&second, "/api/health").send().await.status, 200);
    }
    serving.stop().await;
    let again = start(&folder).await;
    assert_eq!(again.ready.client_key, None, "the key is shown on the start that made it");
    again.stop().await;
}

#[tokio::test]
async fn commands_reach_the_running_instance_over_its_socket() {
    let folder = TempDir::new().unwrap();
    let serving = start(&folder).await;
    let data = options(&folder).data_dir;
    let mode = std::fs::metadata(data.join("omniroute.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let caller = Caller::open(&data, None, &crate::Environment::default()).await.unwrap();
    assert!(caller.is_remote());
    let body = json!({"name": "made by a command"}).to_string().into_bytes();
    let made = caller.call(Method::Post, "/api/keys", Some(body)).await.unwrap();
    assert_eq!(made.status, 201);
    let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
    let key = made["key"].as_str().unwrap();
    assert_eq!(Call::get(&serving.ready.url, "/v1/models").key(key).send().await.status, 200);
    assert_eq!(caller.call(Method::Get, "/api/nothing", None).await.unwrap().status, 404);
    serving.stop().await;
    assert!(!data.join("omniroute.sock").exists(), "the socket goes with the instance");
    assert!(caller.call(Method::Get, "/api/keys", None).await.is_err());
}

#[tokio::test]
async fn the_socket_of_a_dead_instance_is_replaced_and_a_deep_folder_has_one_too() {
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("d".repeat(120));
    std::fs::create_dir_all(&deep).unwrap();
    let mut options = options(&folder);
    options.data_dir = deep.clone();
    let instance = tokio::task::spawn_blocking(move || Instance::open(options)).await.unwrap().unwrap();
    let left = super::socket::open(instance.data_dir());
    if cfg!(target_os = "linux") {
        std::mem::forget(left.unwrap());
        assert!(deep.join("omniroute.sock").exists());
        drop(super::socket::open(instance.data_dir()).expect("a stale one is in nobody's way"));
    } else {
        assert!(left.is_err());
    }
    std::fs::write(deep.join("omniroute.sock"), "not a socket").unwrap();
    assert!(super::socket::open(instance.data_dir()).is_err(), "a file of somebody else's is not removed");
}

#[tokio::test]
async fn a_taken_port_is_said_to_be_taken() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let serving = start(&first).await;
    let port = serving.ready.url.rsplit(':').next().unwrap().parse().unwrap();
    let options = options(&second);
    let instance = tokio::task::spawn_blocking(move || Instance::open(options)).await.unwrap().unwrap();
    let wanted = ServeOptions { host: Some("127.0.0.1".into()), port: Some(port) };
    let refused = within("a refusal", serve(instance, wanted, std::future::pending(), |_| ())).await;
    assert_eq!(refused.unwrap_err().code(), "port_taken");
    serving.stop().await;
}

#[test]
fn only_this_machine_is_listened_to() {
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]", "127.0.0.2"] {
        assert!(loopback(host).is_ok(), "{host}");
    }
    for host in ["0.0.0.0", "::", "192.168.1.5", "8.8.8.8"] {
        let refused = loopback(host).unwrap_err();
        assert_eq!(refused.code(), "host_not_loopback", "{host}");
        assert!(refused.to_string().contains("password"), "{refused}");
    }
    for host in ["", "example.com", "127.1", "localhost.evil.example"] {
        assert_eq!(loopback(host).unwrap_err().code(), "host_invalid", "{host}");
    }
}

#[test]
fn a_snapshot_is_taken_once_a_day() {
    let folder = TempDir::new().unwrap();
    let instance = Instance::open(options(&folder)).unwrap();
    let day = i64::try_from(Duration::from_secs(24 * 60 * 60).as_millis()).unwrap();
    let now = crate::clock::now_ms();
    let count = || snapshot::list(instance.dir()).unwrap().len();
    let before = count();
    daily::take_if_due(&instance, now).unwrap();
    assert_eq!(count(), before + 1);
    daily::take_if_due(&instance, now + day - 1).unwrap();
    assert_eq!(count(), before + 1, "the newest is not a day old");
    daily::take_if_due(&instance, now + day).unwrap();
    assert_eq!(count(), before + 2);
}
