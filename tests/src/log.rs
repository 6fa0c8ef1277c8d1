//! Rows of the request log as the management API shows them. The one place that knows their names.

use omniroute_testkit::wait::eventually;
use omniroute_testkit::{Call, Gateway};
use serde_json::Value;

use crate::fields::at;
use crate::scene::manage_key;

/// One request in the log.
#[derive(Clone, Debug)]
pub struct Row(pub Value);

impl Row {
    fn text(&self, path: &str) -> Option<String> {
        at(&self.0, path).and_then(Value::as_str).map(str::to_owned)
    }

    fn number(&self, path: &str) -> Option<u64> {
        at(&self.0, path).and_then(Value::as_u64)
    }

    /// The id that the answer named.
    pub fn request_id(&self) -> Option<String> {
        self.text("requestId")
    }

    /// The HTTP status that the client got.
    pub fn status(&self) -> Option<u64> {
        self.number("status")
    }

    /// `ok`, `error` or `client_closed`.
    pub fn outcome(&self) -> Option<String> {
        self.text("outcome")
    }

    /// The stable code of the failure.
    pub fn code(&self) -> Option<String> {
        self.text("error.code")
    }

    /// Input and output tokens.
    pub fn tokens(&self) -> (Option<u64>, Option<u64>) {
        (self.number("tokens.input"), self.number("tokens.output"))
    }

    /// Tokens read from a cache, and tokens of reasoning.
    pub fn details(&self) -> (Option<u64>, Option<u64>) {
        (self.number("tokens.cacheRead"), self.number("tokens.reasoning"))
    }

    /// `reported`, `estimated` or nothing.
    pub fn usage_mark(&self) -> Option<String> {
        self.text("tokensMark")
    }

    /// Whether the price was known: `reported`, `estimated` or `unpriced`.
    pub fn cost_mark(&self) -> Option<String> {
        self.text("costMark")
    }

    /// Each try: the status that the provider answered with, where it did, and the code of its failure.
    pub fn attempts(&self) -> Vec<(Option<u64>, Option<String>)> {
        let attempts = at(&self.0, "attempts").and_then(Value::as_array).cloned().unwrap_or_default();
        let code = |attempt: &Value| at(attempt, "error.code").and_then(Value::as_str).map(str::to_owned);
        attempts.iter().map(|attempt| (at(attempt, "status").and_then(Value::as_u64), code(attempt))).collect()
    }
}

/// The newest rows, once there are at least so many.
pub async fn rows(gateway: &Gateway, at_least: usize) -> Vec<Row> {
    let key = manage_key(gateway).await;
    eventually(&format!("a log of {at_least} rows"), async || {
        let items = listed(gateway, &key).await;
        (items.len() >= at_least).then_some(items)
    })
    .await
}

/// The row of one request, once it is there, with its attempts.
pub async fn row_of(gateway: &Gateway, request_id: &str) -> Row {
    let key = manage_key(gateway).await;
    let row = eventually(&format!("a row for {request_id}"), async || {
        listed(gateway, &key).await.into_iter().find(|row| row.request_id().as_deref() == Some(request_id))
    })
    .await;
    let id = row.text("id").expect("a row has its number");
    let detail = Call::get(gateway.url(), &format!("/api/usage/request/{id}")).key(&key).send().await;
    assert_eq!(detail.status, 200, "{}", detail.text());
    Row(detail.json()["request"].clone())
}

async fn listed(gateway: &Gateway, key: &str) -> Vec<Row> {
    let answer = Call::get(gateway.url(), "/api/usage/logs?limit=200").key(key).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"].as_array().expect("a list of items").iter().cloned().map(Row).collect()
}
