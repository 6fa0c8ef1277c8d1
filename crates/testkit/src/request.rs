//! A request as a scripted provider received it: the exact bytes of its head and its body.

use bytes::Bytes;
use serde_json::Value;

use crate::http::Head;

/// One request on record.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which connection it came on, counted from 1.
    pub connection: u64,
    /// Which request of its connection it was, counted from 1.
    pub nth: u32,
    /// The method, e.g. `POST`.
    pub method: String,
    /// The path with its query, as sent.
    pub target: String,
    /// The body after transfer coding: the bytes the provider's JSON reader would get.
    pub body: Bytes,
    pub(crate) head: Head,
}

impl Request {
    pub(crate) fn new(connection: u64, nth: u32, head: Head, body: Vec<u8>) -> Self {
        let mut words = head.first_line.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        Self { connection, nth, method: word(), target: word(), body: body.into(), head }
    }

    /// The exact bytes of the head, with its final empty line.
    pub fn head_bytes(&self) -> &[u8] {
        &self.head.raw
    }

    /// The headers in the order sent, names as sent.
    pub fn headers(&self) -> &[(String, String)] {
        &self.head.headers
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name)
    }

    /// Every header of this name.
    pub fn header_all(&self, name: &str) -> Vec<&str> {
        self.head.all(name).collect()
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The bearer credential.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The body as JSON, where it is JSON.
    pub fn try_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as JSON; panics where it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(why) => panic!("the body is no JSON ({why}): {}", self.body_text()),
        }
    }

    /// The body as text.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `model` of the body.
    pub fn model(&self) -> Option<String> {
        Some(self.try_json()?.get("model")?.as_str()?.to_owned())
    }

    /// Whether the body asks for a stream.
    pub fn wants_stream(&self) -> bool {
        self.try_json().and_then(|body| body.get("stream")?.as_bool()).unwrap_or(false)
    }

    /// Whether the body asks for usage in the stream.
    pub fn wants_stream_usage(&self) -> bool {
        let asks = |body: Value| body.get("stream_options")?.get("include_usage")?.as_bool();
        self.try_json().and_then(asks).unwrap_or(false)
    }

    /// Whether this is a chat completion.
    pub fn is_chat(&self) -> bool {
        self.method == "POST" && self.path().ends_with("/chat/completions")
    }
}
