//! The product as it is built and shipped: its binary, its command line, its management API.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use omniroute_testkit::{Call, Gateway, Setup};
use serde_json::{Value, json};

use crate::contestant::Place;
use crate::exchange::PREFIX;
use crate::process::on_core;

/// A running instance on a data folder of its own, with its accounts connected.
#[derive(Debug)]
pub(crate) struct Ours {
    gateway: Gateway,
    manage_key: String,
}

impl Ours {
    /// Starts one and connects so many accounts of the provider.
    pub(crate) async fn start(place: Place, accounts: usize) -> Result<Self> {
        let wrapper = on_core(place.core);
        let words: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        let gateway = Setup::new().wrapped(&words).start().await;
        let made = gateway.cli(&["keys", "add", "--name", "bench", "--scope", "manage"]).await.json();
        let manage_key = made["key"].as_str().context("a new key is shown")?.to_owned();
        let ours = Self { gateway, manage_key };
        ours.connect(place, accounts).await?;
        Ok(ours)
    }

    /// Starts it again on its data folder.
    pub(crate) async fn restart(self) -> Self {
        Self { gateway: self.gateway.restart().await, manage_key: self.manage_key }
    }

    /// The first account makes the prefix, by the command line as a person would; the rest follow by
    /// the API, which is quick enough for a thousand.
    async fn connect(&self, place: Place, accounts: usize) -> Result<()> {
        let base_url = format!("http://{}/v1", place.provider);
        let first = ["providers", "add", "openai-compatible", "--prefix", PREFIX, "--base-url", &base_url];
        let rest = ["--local", "--api-key", "x", "--no-test", "--name", "a1"];
        let said = self.gateway.cli(&[&first[..], &rest[..]].concat()).await;
        ensure!(said.ok(), "{said}");
        for n in 2..=accounts {
            let name = format!("a{n}");
            let asked = json!({ "provider": PREFIX, "apiKey": "x", "name": name, "priority": 50, "noTest": true });
            let answer = self.call("POST", "/api/providers", Some(asked)).await;
            ensure!(answer.status == 201, "adding account {n}: {} {}", answer.status, answer.text());
        }
        let found = self.connections().await?.len();
        ensure!(found == accounts, "{found} accounts instead of {accounts}");
        Ok(())
    }

    async fn connections(&self) -> Result<Vec<Value>> {
        let answer = self.call("GET", "/api/providers", None).await;
        let mut listed: Value = serde_json::from_str(&answer.text()).context("the list of accounts is JSON")?;
        match listed["connections"].take() {
            Value::Array(connections) => Ok(connections),
            other => anyhow::bail!("no list of accounts but `{other}`"),
        }
    }

    /// The requests it has on record, once it had the time to write them.
    pub(crate) async fn recorded(&self) -> Result<u64> {
        let answer = self.call("GET", "/api/usage/stats", None).await;
        let stats: Value = serde_json::from_str(&answer.text()).context("the usage is JSON")?;
        stats["totalRequests"].as_u64().with_context(|| format!("no `totalRequests` in {stats}"))
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> omniroute_testkit::Answer {
        let call = match body {
            Some(body) => Call::post(self.gateway.url(), path, body.to_string()),
            None => Call::new(method, self.gateway.url(), path),
        };
        call.key(&self.manage_key).send().await
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        self.gateway.url()
    }

    /// The key of its clients.
    pub(crate) fn key(&self) -> &str {
        self.gateway.key()
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.gateway.pid()
    }

    /// From its start to its ready line.
    pub(crate) fn start_took(&self) -> Duration {
        self.gateway.start_took()
    }
}
