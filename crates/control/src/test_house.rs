//! A data folder of its own for each test, and ways to call its routers.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::env::Environment;
use crate::instance::{Instance, Options, VaultChoice};
use crate::router;

/// A data folder that goes with its test.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) instance: Instance,
    /// The control plane for the person at this machine.
    local: Router,
    /// What a TCP listener serves.
    tcp: Router,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why} in: {}", self.text))
    }

    /// The stable code of a refusal.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["details"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn options(folder: &TempDir) -> Options {
    Options {
        data_dir: folder.path().join("data"),
        vault: Some(VaultChoice::File),
        environment: Environment::default(),
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::in_folder(TempDir::new().expect("a folder"))
    }

    pub(crate) fn in_folder(folder: TempDir) -> Self {
        let instance = Instance::open(options(&folder)).expect("the folder opens");
        let (local, tcp) = (router::for_local_ui(&instance), router::everything(&instance));
        Self { folder, instance, local, tcp }
    }

    /// Ends this instance; the folder stays.
    pub(crate) fn leave(self) -> TempDir {
        self.instance.close();
        self.folder
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.local(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.local(Method::POST, path, Some(body)).await
    }

    /// As the person at this machine.
    pub(crate) async fn local(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        send(&self.local, request(method, path, body.map(|body| body.to_string()), None)).await
    }

    /// As a tool on the network would, with a key or without.
    pub(crate) async fn tcp(&self, method: Method, path: &str, key: Option<&str>, body: Option<Value>) -> Answer {
        send(&self.tcp, request(method, path, body.map(|body| body.to_string()), key)).await
    }

    /// A client key with these scopes.
    pub(crate) async fn key(&self, scopes: &[&str]) -> (String, String) {
        let answer = self.post("/api/keys", json!({"name": "test", "scopes": scopes})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let made = answer.json();
        let text = |field: &str| made[field].as_str().expect("a text").to_owned();
        (text("id"), text("key"))
    }

    /// Everything recorded so far is in the log.
    pub(crate) fn flush(&self) {
        assert!(self.instance.gateway().log.flush(std::time::Duration::from_secs(10)), "the log is written");
    }
}

pub(crate) fn request(method: Method, path: &str, body: Option<String>, key: Option<&str>) -> Request {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body)),
        None => request.body(Body::empty()),
    };
    request.expect("a request")
}

pub(crate) async fn send(router: &Router, request: Request) -> Answer {
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.expect("a whole body").to_bytes();
    Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
}
