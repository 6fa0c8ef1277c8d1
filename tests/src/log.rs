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
        self.text("faultCode")
    }

    /// Input and output tokens.
    pub fn tokens(&self) -> (Option<u64>, Option<u64>) {
        (self.number("promptTokens"), self.number("completionTokens"))
    }

    /// Tokens read from a cache, and tokens of reasoning.
    pub fn details(&self) -> (Option<u64>, Option<u64>) {
        (self.number("cachedTokens"), self.number("reasoningTokens"))
    }

    /// `reported`, `estimated` or nothing.
    pub fn usage_mark(&self) -> Option<String> {
        self.text("usageMark")
    }

    /// Whether the price was known: `reported`, `estimated` or `unpriced`.
    pub fn cost_mark(&self) -> Option<String> {
        self.text("costMark")
    }

    /// Each try: the status that the provider answered with, where it did, and the code of its failure.
    pub fn attempts(&self) -> Vec<(Option<u64>, Option<String>)> {
        let attempts = at(&self.0, "attempts").and_then(Value::as_array).cloned().unwrap_or_default();
        let code = |attempt: &Value| at(attempt, "faultCode").and_then(Value::as_str).map(str::to_owned);
        attempts.iter().map(|attempt| (at(attempt, "status").and_then(Value::as_u64), code(attempt))).collect()
    }
}

/// The newest rows, once there are at least so many.
pub async fn rows(gateway: &Gateway, at_least: usize) -> Vec<Row> {
    let key = manage_key(gateway).await;
    let call = Call::get(gateway.url(), "/api/usage/logs?limit=200").key(&key);
    eventually(&format!("a log of {at_least} rows"), || async {
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let items = answer.json()["items"].as_array().cloned().expect("a list of items");
        (items.len() >= at_least).then(|| items.into_iter().map(Row).collect())
    })
    .await
}

/// The row of one request, once it is there, with its attempts.
pub async fn row_of(gateway: &Gateway, request_id: &str) -> Row {
    let key = manage_key(gateway).await;
    let call = Call::get(gateway.url(), "/api/usage/logs?limit=200").key(&key);
    eventually(&format!("a row for {request_id}"), || async {
        let items = call.send().await.json()["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().map(Row).find(|row| row.request_id().as_deref() == Some(request_id))
    })
    .await
}
