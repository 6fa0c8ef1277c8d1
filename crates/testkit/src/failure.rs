//! How providers say no: statuses and bodies in the shapes that vendors use (wire reference §3.5,
//! provider reference §10), and the ways they hide an error in an answer that looks fine.

use crate::chat;
use crate::script::Script;

/// An error object in OpenAI's shape. `code` may be empty for `null`.
pub fn body(message: &str, kind: &str, code: &str) -> String {
    let code = if code.is_empty() { "null".to_owned() } else { format!("\"{code}\"") };
    format!(r#"{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":{code}}}}}"#)
}

/// 401: the account's key is not accepted.
pub fn bad_key() -> Script {
    Script::error(401, body("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"))
}

/// 402: the account is empty (DeepSeek's words).
pub fn no_balance() -> Script {
    Script::error(402, body("Insufficient Balance", "unknown_error", "invalid_request_error"))
}

/// 429 that is really an empty account.
pub fn no_quota() -> Script {
    let text = "You exceeded your current quota, please check your plan and billing details.";
    Script::error(429, body(text, "insufficient_quota", "insufficient_quota"))
}

/// 403: the account may not do this.
pub fn forbidden() -> Script {
    Script::error(403, body("Your account is not allowed to use this.", "permission_error", ""))
}

/// 404: the provider does not have the model.
pub fn no_model() -> Script {
    let text = "The model `m` does not exist or you do not have access to it.";
    Script::error(404, body(text, "invalid_request_error", "model_not_found"))
}

/// 408: the provider waited too long.
pub fn request_timeout() -> Script {
    Script::error(408, body("Request timed out.", "timeout", ""))
}

/// 413: the request is too large for the provider.
pub fn too_large() -> Script {
    Script::error(413, body("Request too large.", "invalid_request_error", ""))
}

/// 429 with a wait of so many seconds.
pub fn rate_limited(seconds: u64) -> Script {
    Script::error(429, body("Rate limit reached.", "rate_limit_error", "rate_limit_exceeded"))
        .header("retry-after", &seconds.to_string())
}

/// 400: a field is wrong.
pub fn bad_request() -> Script {
    let text = r#"{"error":{"message":"Invalid value for 'temperature'.","type":"invalid_request_error","param":"temperature","code":"invalid_value"}}"#;
    Script::error(400, text)
}

/// 400: the conversation does not fit.
pub fn context_length() -> Script {
    let text = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.";
    Script::error(400, body(text, "invalid_request_error", "context_length_exceeded"))
}

/// 500 from inside.
pub fn server_error() -> Script {
    Script::error(500, body("The server had an error.", "server_error", ""))
}

/// 503: overloaded.
pub fn overloaded() -> Script {
    Script::error(503, body("The engine is currently overloaded.", "server_error", ""))
}

/// 502 with a page of a proxy in between.
pub fn bad_gateway_page() -> Script {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>";
    Script::status(502, page).header("content-type", "text/html")
}

/// Error bodies in other shapes than OpenAI's, each with the sentence that must reach the client.
pub fn odd_shapes() -> Vec<(&'static str, &'static str)> {
    vec![
        (r#"{"error":"model is loading"}"#, "model is loading"),
        (r#"{"detail":"Not authenticated here"}"#, "Not authenticated here"),
        (r#"{"message":"quota is being counted"}"#, "quota is being counted"),
        (r#"[{"error":{"code":503,"message":"array of one","status":"UNAVAILABLE"}}]"#, "array of one"),
        (r#"{"error":{"message":"{\"error\":{\"message\":\"nested text\"}}","code":500}}"#, "nested text"),
        ("plain words", "plain words"),
    ]
}

/// 200 with an error object instead of a completion.
pub fn error_in_200() -> Script {
    Script::json(body("Upstream provider is down.", "server_error", "provider_down"))
}

/// The data of an error event.
pub fn event() -> String {
    body("Provider disconnected unexpectedly.", "server_error", "provider_disconnected")
}

/// A 200 stream whose first event is an error.
pub fn error_first_in_stream() -> Script {
    Script::sse([event()])
}

/// A 200 stream that opens with the role, says nothing, and reports an error.
pub fn error_before_output() -> Script {
    Script::sse([chat::role(), event()])
}

/// A 200 stream that says something and then reports an error.
pub fn error_after_output() -> Script {
    Script::sse([chat::role(), chat::text("Half an"), event()])
}

/// A stream that ends in good order, but without reason and end mark.
pub fn truncated() -> Script {
    Script::sse([chat::role(), chat::text("Half an")])
}

/// A stream with a reason but no end mark.
pub fn no_done() -> Script {
    Script::sse(chat::greeting().events)
}

/// A 200 stream of nothing.
pub fn empty_stream() -> Script {
    Script::sse(std::iter::empty::<&str>())
}
