//! A running gateway with one scripted provider behind it.

use omniroute_testkit::{Answer, Call, Gateway, Provider, Setup};
use serde_json::Value;

use crate::fields::field;
use crate::log::{self, Row};

/// The prefix of the scripted provider.
pub const PREFIX: &str = "mk";
/// The key of the scripted provider's account.
pub const PROVIDER_KEY: &str = "pk-canary-4d1f0c7be2a94c55";

/// A gateway and a provider, connected as `mk`.
#[derive(Debug)]
pub struct Scene {
    /// The gateway.
    pub gateway: Gateway,
    /// The provider.
    pub provider: Provider,
    /// The provider's account.
    pub account: String,
}

impl Scene {
    /// Sets the stage.
    pub async fn start() -> Self {
        Self::with(Setup::new()).await
    }

    /// Sets the stage with limits of one's own, so that no test waits long.
    pub async fn with(setup: Setup) -> Self {
        let gateway = setup.start().await;
        let provider = Provider::start().await;
        let account = connect(&gateway, PREFIX, &provider.base_url(), PROVIDER_KEY).await;
        Self { gateway, provider, account }
    }

    /// A chat completion with these bytes.
    pub fn chat(&self, body: impl Into<String>) -> Call {
        self.gateway.chat(body.into())
    }

    /// Asks `mk/m` for a whole answer.
    pub async fn ask(&self) -> Answer {
        self.chat(ask("mk/m")).send().await
    }

    /// Asks `mk/m` for a stream.
    pub fn ask_stream(&self) -> Call {
        self.chat(ask_stream("mk/m"))
    }

    /// The row of the log for an answer, once it is there.
    pub async fn row_of(&self, request_id: &str) -> Row {
        log::row_of(&self.gateway, request_id).await
    }

    /// The only row of the log, once there is one.
    pub async fn only_row(&self) -> Row {
        let mut rows = log::rows(&self.gateway, 1).await;
        assert_eq!(rows.len(), 1, "one request, one row: {rows:?}");
        rows.remove(0)
    }
}

/// The least body that asks a model for a whole answer.
pub fn ask(model: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hi"}}]}}"#)
}

/// The least body that asks a model for a stream.
pub fn ask_stream(model: &str) -> String {
    format!(r#"{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"Hi"}}]}}"#)
}

/// The same, with usage.
pub fn ask_counted_stream(model: &str) -> String {
    let options = r#""stream":true,"stream_options":{"include_usage":true}"#;
    format!(r#"{{"model":"{model}",{options},"messages":[{{"role":"user","content":"Hi"}}]}}"#)
}

/// Connects an OpenAI-compatible address under a prefix; gives the account's id.
pub async fn connect(gateway: &Gateway, prefix: &str, base_url: &str, key: &str) -> String {
    let arguments = [
        "providers",
        "add",
        "openai-compatible",
        "--prefix",
        prefix,
        "--base-url",
        base_url,
        "--local",
        "--api-key",
        key,
        "--no-test",
    ];
    account_id(&gateway.cli(&arguments).await.json())
}

/// Connects one more account of a catalog provider, at an address of its own; gives its id.
pub async fn connect_catalog(gateway: &Gateway, provider: &str, base_url: &str, key: &str) -> String {
    let name = format!("at {base_url}");
    let arguments = [
        "providers",
        "add",
        provider,
        "--base-url",
        base_url,
        "--local",
        "--api-key",
        key,
        "--no-test",
        "--name",
        &name,
    ];
    account_id(&gateway.cli(&arguments).await.json())
}

/// The id in what `providers add --json` says.
#[track_caller]
pub fn account_id(said: &Value) -> String {
    field(said, &["id", "connection.id", "account.id"]).as_str().map(str::to_owned).expect("an id is a text")
}

/// A key that may manage, made by the command line.
pub async fn manage_key(gateway: &Gateway) -> String {
    let made = gateway.cli(&["keys", "add", "--name", "managing", "--scope", "chat,manage"]).await.json();
    made["key"].as_str().map(str::to_owned).expect("a new key is shown")
}
