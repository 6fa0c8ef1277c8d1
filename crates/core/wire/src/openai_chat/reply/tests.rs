use omniroute_domain::block::{Block, BlockBody};
use omniroute_domain::response::Choice;
use omniroute_domain::{ChatResponse, Stop, StopReason, Usage};
use serde_json::{Value, json};

use super::{decode, encode};
use crate::openai_chat::types::DecodeError;

fn read(body: &Value) -> ChatResponse {
    decode(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn answer(message: &Value, word: &str) -> Value {
    let mut message = message.clone();
    message["role"] = json!("assistant");
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": word});
    json!({"id": "c", "object": "chat.completion", "created": 7, "model": "m", "choices": [choice]})
}

/// An answer that comes out as it went in.
#[track_caller]
fn keeps(body: &Value) {
    let written: Value = serde_json::from_slice(&encode(&read(body)).0).expect("valid JSON");
    assert_eq!(written, *body);
}

fn reason(message: &Value, word: &str) -> StopReason {
    read(&answer(message, word)).choices[0].stop.reason
}

#[test]
fn answers_come_back_whole() {
    keeps(&answer(&json!({"content": "x", "refusal": null}), "stop"));
    keeps(&answer(&json!({"content": null, "refusal": "no"}), "stop"));
    keeps(&answer(&json!({"content": "x", "refusal": null, "reasoning_content": "t", "vendor": {"a": [1]}}), "length"));
    keeps(&answer(
        &json!({"content": "see", "refusal": null, "annotations": [
            {"type": "url_citation", "url_citation": {"url": "https://x.example", "title": "t", "start_index": 0, "end_index": 3}},
            {"type": "file_citation", "file_citation": {"file_id": "f"}}]}),
        "stop",
    ));
    keeps(&answer(
        &json!({"content": null, "refusal": null, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1.0}"}},
            {"id": "b", "type": "custom", "custom": {"name": "g", "input": "free"}}]}),
        "tool_calls",
    ));
    keeps(&answer(
        &json!({"content": null, "refusal": null, "audio": {"id": "au_1", "data": "AA==", "expires_at": 9, "transcript": "hi"}}),
        "stop",
    ));
    keeps(&answer(
        &json!({"content": "x", "refusal": null, "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}),
        "stop",
    ));
}

#[test]
fn choices_logprobs_and_unknown_fields_come_back() {
    let mut body = answer(&json!({"content": "x", "refusal": null}), "stop");
    body["choices"][0]["logprobs"] =
        json!({"content": [{"token": "x", "logprob": -0.1, "bytes": null, "top_logprobs": []}]});
    body["choices"][0]["native_finish_reason"] = json!("STOP");
    let mut second = body["choices"][0].clone();
    second["index"] = json!(1);
    body["choices"].as_array_mut().expect("array").push(second);
    body["system_fingerprint"] = json!("fp");
    body["service_tier"] = json!("default");
    body["usage"] = json!({
        "prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70, "cost": 0.25, "vendor": 1,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 0, "text_tokens": 50},
        "completion_tokens_details": {"reasoning_tokens": 5, "accepted_prediction_tokens": 0},
    });
    keeps(&body);
    let usage = read(&body).usage;
    assert_eq!((usage.input_total, usage.cache_read, usage.cache_write_5m), (Some(50), Some(10), Some(0)));
    assert_eq!((usage.output_total, usage.reasoning, usage.tier.as_deref()), (Some(20), Some(5), Some("default")));
}

#[test]
fn the_reason_is_settled_by_what_was_said() {
    let call = |arguments: &str| json!({"content": null, "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": arguments}}]});
    assert_eq!(reason(&call("{}"), "stop"), StopReason::ToolUse);
    assert_eq!(reason(&call("{\"a\""), "length"), StopReason::MaxTokens);
    assert_eq!(reason(&json!({"content": "x"}), "tool_calls"), StopReason::EndTurn);
    assert_eq!(reason(&json!({"content": null, "refusal": "no"}), "stop"), StopReason::Refusal);
    let broken = decode(answer(&call("{a}"), "tool_calls").to_string().as_bytes());
    assert_eq!(broken.map(|_| ()), Err(DecodeError::BrokenCall { name: "f".into() }));
}

#[test]
fn what_is_no_answer_says_why() {
    let error = |body: &str| decode(body.as_bytes()).map(|_| ()).expect_err("no answer").to_string();
    assert_eq!(error("<html>"), "the body is not a JSON object");
    assert_eq!(error("{}"), "`choices` is missing");
    assert_eq!(error(r#"{"choices":{}}"#), "`choices` is not an array");
    assert_eq!(error(r#"{"choices":[{}]}"#), "`choices[0].message` is not an object");
}

#[test]
fn vendors_spellings_become_ours() {
    let old = json!({"content": null, "function_call": {"name": "f", "arguments": "{}"}});
    let read = read(&answer(&old, "function_call"));
    let id = crate::openai_chat::ids::call_id(["c", "0", "0", "f"]);
    assert!(matches!(&read.choices[0].blocks[0].body, BlockBody::ToolCall(call) if call.id == id));
    let written: Value = serde_json::from_slice(&encode(&read).0).expect("valid JSON");
    assert_eq!(written["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn every_reason_has_a_word_and_half_an_answer_never_says_stop() {
    for (reason, word) in [
        (StopReason::EndTurn, "stop"),
        (StopReason::StopSequence, "stop"),
        (StopReason::MaxTokens, "length"),
        (StopReason::ContextWindow, "length"),
        (StopReason::ToolUse, "tool_calls"),
        (StopReason::ContentFilter, "content_filter"),
        (StopReason::Refusal, "content_filter"),
        (StopReason::PauseTurn, "stop"),
        (StopReason::Other, "stop"),
        (StopReason::Error, "error"),
    ] {
        let choice = Choice { blocks: vec![Block::text("x")], stop: Stop::new(reason), logprobs: None, extra: vec![] };
        let response = ChatResponse {
            id: "c".into(),
            model: "m".into(),
            created: 0,
            choices: vec![choice],
            usage: Usage::default(),
            extra: vec![],
        };
        let (body, losses) = encode(&response);
        let body: Value = serde_json::from_slice(&body).expect("valid JSON");
        assert_eq!(body["choices"][0]["finish_reason"], word, "{reason:?}");
        assert_eq!(losses.len(), usize::from(reason == StopReason::PauseTurn));
        assert!(body.get("usage").is_none(), "a figure is never made up");
    }
}
