//! What a refusal must look like, in one place: OpenAI's error shape with a stable code and the
//! request's id.

use omniroute_testkit::Answer;
use omniroute_testkit::sse::Event;
use serde_json::Value;

/// Checks that an answer refuses with this status and this code, in the documented shape; gives the
/// message.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!((answer.status, code_of(answer).as_str()), (status, code), "{}", answer.text());
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/json"), "an error is JSON, not `{kind}`");
    assert!(answer.cut.is_none(), "an error comes whole");
    let error = &answer.json()["error"];
    let id = answer.header("x-request-id").expect("every answer names its request");
    assert_eq!(error["request_id"], id, "body and head name the same request");
    shape(error)
}

/// The code of an error answer; empty where there is none.
pub fn code_of(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    body["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// The stable code of a refused management request; its shape is `{"error":{"code","message","details"}}`
/// with the code to branch on in the details.
#[track_caller]
pub fn managed_code(answer: &Answer) -> String {
    let error = &answer.json()["error"];
    assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
    error["details"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Checks that a stream ended with an error of this code and then `[DONE]`, and never with a reason
/// to stop; gives the message.
#[track_caller]
pub fn broken_off(events: &[Event], code: &str) -> String {
    let [before @ .., error, done] = events else { panic!("two events at least, not {events:?}") };
    assert!(done.is_done(), "the end mark comes last: {events:?}");
    let error = &error.json()["error"];
    assert_eq!(error["code"], code, "{error}");
    no_reason(before);
    shape(error)
}

/// Checks that a stream came to its proper end: a reason, then `[DONE]`, and no error.
#[track_caller]
pub fn completed(events: &[Event]) {
    let (done, before) = events.split_last().expect("a stream of something");
    assert!(done.is_done(), "the end mark comes last: {events:?}");
    assert!(!before.iter().any(Event::is_done), "and once: {events:?}");
    let chunks: Vec<Value> = before.iter().filter(|event| event.data.is_some()).map(Event::json).collect();
    assert!(chunks.iter().all(|chunk| chunk.get("error").is_none()), "no error: {events:?}");
    let reasons = chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"].is_string()).count();
    assert_eq!(reasons, 1, "one reason to stop: {events:?}");
}

/// The text that the chunks of a stream say together.
pub fn said(events: &[Event]) -> String {
    let chunks = events.iter().filter_map(|event| serde_json::from_str::<Value>(event.text()).ok());
    chunks.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
}

fn no_reason(events: &[Event]) {
    for chunk in events.iter().filter(|event| event.data.is_some()).map(Event::json) {
        assert!(
            !chunk["choices"][0]["finish_reason"].is_string(),
            "an answer that broke has no reason to stop: {chunk}"
        );
    }
}

#[track_caller]
fn shape(error: &Value) -> String {
    let names: Vec<&str> = error.as_object().expect("an error is an object").keys().map(String::as_str).collect();
    for name in ["message", "type", "param", "code", "request_id"] {
        assert!(names.contains(&name), "`{name}` belongs into {error}");
    }
    assert!(error["type"].is_string() && error["code"].is_string(), "{error}");
    assert!(error["param"].is_string() || error["param"].is_null(), "{error}");
    let message = error["message"].as_str().expect("a message is a text");
    assert!(!message.is_empty() && message.len() <= 1000, "a sentence, not a page: {message}");
    assert!(!message.contains('<') && !message.contains("panicked"), "no markup and no innards: {message}");
    message.to_owned()
}
