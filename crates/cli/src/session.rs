//! Calls to the management routes, wherever they are served: the running instance or this process.
//!
//! Invariant: an error answer becomes a `Failure` with the route's own code and words; an answer in
//! an unknown shape is said to be one, since the running instance may be of another version.

use omniroute_control::{CallError, Caller, Method, Reply};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::failure::Failure;

/// A way to the management routes of one data folder.
#[derive(Debug)]
pub(crate) struct Session {
    caller: Caller,
}

/// No body.
pub(crate) const NOTHING: Option<&()> = None;

impl Session {
    /// Finds the running instance of a data folder, or opens the folder here; one that was never used
    /// is refused.
    pub(crate) async fn open(context: &Context) -> Result<Self, Failure> {
        context.used_data_dir()?;
        Self::open_or_begin(context).await
    }

    /// The same for what a person may begin with: a new folder is made.
    pub(crate) async fn open_or_begin(context: &Context) -> Result<Self, Failure> {
        let opened = Caller::open(&context.data_dir()?, context.vault(), &context.environment).await;
        let caller = opened.map_err(|why| context.not_opened(why))?;
        tracing::debug!(running = caller.is_remote(), "Opened the data folder.");
        Ok(Self { caller })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::Get, path, NOTHING).await
    }

    /// Sends a request; what the route answers with success.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Value, Failure> {
        let body = body.map(serde_json::to_vec).transpose();
        let body = body.map_err(|why| Failure::new("request", format!("the request can't be written: {why}")))?;
        read(self.caller.call(method, path, body).await?)
    }

    /// Ends it: what is still to be written is written.
    pub(crate) async fn close(self) {
        self.caller.close().await;
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        tracing::debug!(?error, "A call had no answer.");
        Self::new(error.code(), error.to_string())
    }
}

/// The answer as the type that a command needs of it.
pub(crate) fn view<T: DeserializeOwned>(document: &Value) -> Result<T, Failure> {
    T::deserialize(document).map_err(|why| odd_answer(&why.to_string()))
}

/// A text as one piece of a path or a value of a query.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

#[derive(Deserialize)]
struct Refused {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
    details: Details,
}

#[derive(Deserialize)]
struct Details {
    code: String,
}

fn read(reply: Reply) -> Result<Value, Failure> {
    if (200..300).contains(&reply.status) {
        return serde_json::from_slice(&reply.body).map_err(|why| odd_answer(&why.to_string()));
    }
    let Ok(Refused { error }) = serde_json::from_slice(&reply.body) else {
        return Err(odd_answer(&format!("status {} without a reason", reply.status)));
    };
    Err(Failure::new(error.details.code, error.message))
}

fn odd_answer(why: &str) -> Failure {
    Failure::new("unexpected_answer", format!("the management interface answered in an unknown shape: {why}"))
        .hint("if an instance of another version runs on this data folder, restart it")
}

#[cfg(test)]
mod tests {
    use omniroute_control::Reply;
    use serde_json::json;

    use super::{encode, read};

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn an_answer_is_carried_unchanged() {
        assert_eq!(read(reply(201, r#"{"b":1,"a":[null]}"#)).unwrap(), json!({"b": 1, "a": [null]}));
    }

    #[test]
    fn a_refusal_keeps_its_code_and_words() {
        let body =
            r#"{"error":{"code":"CONFLICT","message":"`mk` is taken","details":{"code":"taken","field":"prefix"}}}"#;
        let failure = read(reply(409, body)).unwrap_err();
        assert_eq!(failure.json(), "{\"error\":{\"code\":\"taken\",\"message\":\"`mk` is taken\"}}\n");
    }

    #[test]
    fn an_unknown_shape_is_said_to_be_one() {
        for odd in [reply(200, "<html>"), reply(502, "<html>"), reply(500, "")] {
            assert!(read(odd).unwrap_err().json().starts_with(r#"{"error":{"code":"unexpected_answer""#));
        }
    }

    #[test]
    fn what_is_not_plain_is_encoded() {
        assert_eq!(encode("a-b_c.d~9"), "a-b_c.d~9");
        assert_eq!(encode("a/b?c&ä%"), "a%2Fb%3Fc%26%C3%A4%25");
    }
}
