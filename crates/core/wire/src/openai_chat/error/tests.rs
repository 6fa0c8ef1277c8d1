use std::time::Duration;

use omniroute_domain::{Blame, Fault, FaultKind, Retry};

use super::{Rejection, classify, classify_event, decode, encode, encode_event};

#[track_caller]
fn message(body: &str, expected: &str) {
    assert_eq!(decode(500, body.as_bytes()).message, expected, "{body}");
}

#[track_caller]
fn check(status: u16, body: &str, kind: FaultKind, code: &str) {
    let fault = classify(status, &decode(status, body.as_bytes()), None);
    assert_eq!((fault.kind, &*fault.code), (kind, code), "{status} {body}");
    assert_eq!(fault.upstream_status, Some(status));
}

#[test]
fn ours_has_openais_shape() {
    let fault = Fault::new(FaultKind::NotFound, "model_not_found", "no `x`").param("model");
    let body = encode(&fault, "req_1");
    let expected = r#"{"error":{"message":"no `x`","type":"invalid_request_error","param":"model","code":"model_not_found","request_id":"req_1"}}"#;
    assert_eq!(String::from_utf8_lossy(&body), expected);
    let event = encode_event(&Fault::new(FaultKind::BrokenStream, "cut", "cut\noff"), "r");
    let expected = "data: {\"error\":{\"message\":\"cut\\noff\",\"type\":\"server_error\",\"param\":null,\"code\":\"cut\",\"request_id\":\"r\"}}\n\ndata: [DONE]\n\n";
    assert_eq!(event, expected);
}

#[test]
fn the_innermost_text_is_the_message() {
    message(r#"{"error":{"message":"m","type":"t","code":"c"}}"#, "m");
    message(r#"{"error":"m","code":7}"#, "m");
    message(r#"{"detail":"m"}"#, "m");
    message(r#"{"detail":[{"loc":["body"],"msg":"m","type":"missing"}]}"#, "m");
    message(r#"{"message":"m"}"#, "m");
    message(r#"[{"error":{"message":"m","status":"INVALID_ARGUMENT"}}]"#, "m");
    message(r#"{"data":{"error":{"message":"m"}}}"#, "m");
    message(r#"{"base_resp":{"status_code":2013,"status_msg":"m"}}"#, "m");
    message(r#"{"error":{"message":"{\"error\":{\"message\":\"m\",\"code\":\"inner\"}}"}}"#, "m");
    message(r#"{"error":{"message":"Provider returned error","metadata":{"raw":"{\"error\":\"m\"}"}}}"#, "m");
    message("\"m\"", "m");
    message("  m\n n ", "m n");
    message("<html><head><TITLE>502 Bad\nGateway</TITLE></head>", "502 Bad Gateway");
    message("<html>", "the provider answered with an HTML page");
    message("", "the provider answered with status 500");
    message(r#"{"error":{"code":"x_y"}}"#, "the provider reported `x_y`");
}

#[test]
fn nesting_is_unwrapped_three_times_and_no_more() {
    let nest = |times: usize| {
        (0..times).fold("m".to_owned(), |inner, _| serde_json::json!({"error": {"message": inner}}).to_string())
    };
    message(&nest(4), "m");
    message(&nest(5), r#"{"error":{"message":"m"}}"#);
}

#[test]
fn the_codes_of_the_innermost_count_and_the_outer_fill_in() {
    let found = decode(
        400,
        br#"{"error":{"message":"{\"error\":{\"message\":\"m\",\"code\":\"in\"}}","type":"t","code":400,"param":"p"}}"#,
    );
    let expected = Rejection {
        message: "m".into(),
        kind_hint: Some("t".into()),
        code: Some("in".into()),
        param: Some("p".into()),
    };
    assert_eq!(found, expected);
}

#[test]
fn messages_are_short_and_hold_no_secret() {
    let long = decode(400, format!(r#"{{"error":"{}"}}"#, "é".repeat(9000)).as_bytes());
    assert_eq!(long.message.chars().count(), 500);
    message(
        r#"{"error":{"message":"Incorrect API key provided: sk-proj-abcdef0123456789"}}"#,
        "Incorrect API key provided: [redacted]",
    );
}

#[test]
fn statuses_have_their_kinds() {
    check(400, "x", FaultKind::BadRequest, "bad_request");
    check(422, r#"{"error":{"message":"x","code":"unsupported_value"}}"#, FaultKind::BadRequest, "unsupported_value");
    check(400, r#"{"error":{"message":"x","code":400}}"#, FaultKind::BadRequest, "bad_request");
    check(401, "x", FaultKind::UpstreamAuth, "upstream_auth");
    check(402, "x", FaultKind::Billing, "insufficient_quota");
    check(403, "x", FaultKind::Permission, "permission_denied");
    check(404, "x", FaultKind::NotFound, "not_found");
    check(408, "x", FaultKind::Timeout, "gateway_timeout");
    check(413, "x", FaultKind::TooLarge, "request_too_large");
    check(429, "x", FaultKind::RateLimit, "rate_limit_exceeded");
    check(500, "x", FaultKind::Upstream, "bad_gateway");
    check(503, "x", FaultKind::Overloaded, "overloaded");
    check(504, "x", FaultKind::Timeout, "gateway_timeout");
    check(529, "x", FaultKind::Overloaded, "overloaded");
    check(307, "x", FaultKind::Upstream, "bad_gateway");
    check(418, "x", FaultKind::Upstream, "bad_gateway");
}

#[test]
fn known_texts_say_more_than_the_status() {
    let body = |code: &str, message: &str| format!(r#"{{"error":{{"message":"{message}","code":"{code}"}}}}"#);
    check(400, &body("context_length_exceeded", "x"), FaultKind::ContextLength, "context_length_exceeded");
    check(413, &body("", "Prompt is too long: 9 > 8"), FaultKind::ContextLength, "context_length_exceeded");
    check(429, &body("insufficient_quota", "x"), FaultKind::Billing, "insufficient_quota");
    check(429, &body("1113", "x"), FaultKind::Billing, "insufficient_quota");
    check(400, &body("", "Insufficient Balance"), FaultKind::Billing, "insufficient_quota");
    check(429, &body("usage_limit_reached", "x"), FaultKind::RateLimit, "quota_exhausted");
    check(400, &body("model_not_found", "x"), FaultKind::NotFound, "model_not_found");
    check(403, &body("", "Not found for account"), FaultKind::NotFound, "model_not_found");
    check(500, &body("", "the engine is overloaded"), FaultKind::Overloaded, "overloaded");
}

#[test]
fn only_a_request_that_fails_everywhere_is_never_tried_again() {
    let retry = |status: u16, body: &str| classify(status, &decode(status, body.as_bytes()), None).retry;
    for (status, body) in [(400, "x"), (422, "x"), (413, "x"), (400, "maximum context length is 8")] {
        assert_eq!(retry(status, body), Retry::Never, "{status} {body}");
    }
    for status in [401, 402, 403, 404, 408, 429, 500, 502, 503, 504, 529, 302] {
        assert_eq!(retry(status, "x"), Retry::NextTarget, "{status}");
    }
}

#[test]
fn a_provider_that_refuses_our_account_is_not_the_clients_doing() {
    let fault = classify(401, &decode(401, b"x"), Some(Duration::from_secs(3)));
    assert_eq!((fault.status(), fault.blame, fault.retry_after), (502, Blame::Provider, Some(Duration::from_secs(3))));
}

#[test]
fn an_error_inside_an_answer_is_classed_by_what_it_says() {
    let kind = |body: &str| classify_event(&decode(200, body.as_bytes())).kind;
    assert_eq!(kind(r#"{"error":{"message":"x","code":503}}"#), FaultKind::Overloaded);
    assert_eq!(kind(r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#), FaultKind::RateLimit);
    assert_eq!(kind(r#"{"error":{"message":"x","type":"invalid_request_error"}}"#), FaultKind::BadRequest);
    assert_eq!(kind(r#"{"error":{"message":"x","type":"insufficient_quota"}}"#), FaultKind::Billing);
    assert_eq!(kind(r#"{"error":{"message":"x","code":200}}"#), FaultKind::Upstream);
}
