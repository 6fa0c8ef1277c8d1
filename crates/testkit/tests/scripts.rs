//! Every script does on the socket what its name says, seen through the raw client.

use std::time::Duration;

use omniroute_testkit::client::{Answer, Call, Connection, Streaming};
use omniroute_testkit::provider::{Provider, Unreachable, When};
use omniroute_testkit::{Ending, Gate, Pace, Script, chat, failure, vision};

const PATH: &str = "/v1/chat/completions";
const ASK: &str = r#"{"model":"m","messages":[]}"#;
const ASK_STREAM: &str = r#"{"model":"m","stream":true,"messages":[]}"#;

fn ask(provider: &Provider) -> Call {
    Call::post(&provider.origin(), PATH, ASK)
}

async fn answer_to(script: Script) -> std::io::Result<Answer> {
    let provider = Provider::start().await;
    provider.script(script);
    let mut connection = Connection::open(&provider.origin()).await;
    ask(&provider).put_on(&mut connection).await;
    connection.try_answer().await
}

async fn stream_of(provider: &Provider, script: Script) -> Streaming {
    provider.script(script);
    Call::post(&provider.origin(), PATH, ASK_STREAM).stream().await
}

#[tokio::test]
async fn behaves_without_a_script() {
    let provider = Provider::start().await;
    let whole = ask(&provider).send().await;
    assert_eq!((whole.status, whole.text()), (200, chat::greeting().reply));
    let mut stream = Call::post(&provider.origin(), PATH, ASK_STREAM).stream().await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let data: Vec<_> = stream.rest().await.iter().map(|event| event.text().to_owned()).collect();
    assert_eq!((data, stream.cut()), (chat::greeting().stream(), None));
    let models = Call::get(&provider.origin(), "/v1/models").send().await;
    assert_eq!(models.json()["data"][0]["id"], "m");
    assert_eq!(Call::get(&provider.origin(), "/nowhere").send().await.status, 404);
}

#[tokio::test]
async fn sends_usage_in_a_stream_only_to_those_who_ask() {
    let provider = Provider::start().await;
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
    let mut stream = Call::post(&provider.origin(), PATH, body).stream().await;
    let events = stream.rest().await;
    assert_eq!(events[events.len() - 2].json()["usage"]["total_tokens"], 12);
}

#[tokio::test]
async fn records_the_exact_bytes_of_a_request() {
    let provider = Provider::start().await;
    let body = "{ \"model\" : \"m\",\t\"n\":12345678901234567890 , \"x\":\"\\u00e9 é\"}";
    let call = Call::post(&provider.origin(), &format!("{PATH}?a=%2e"), body).key("k").also("X-Odd", " spaced ");
    call.send().await;
    let seen = provider.only_chat();
    assert_eq!(seen.head_bytes(), call.head_bytes());
    assert_eq!(&seen.body[..], body.as_bytes());
    assert_eq!((seen.target.as_str(), seen.path(), seen.bearer()), (&*format!("{PATH}?a=%2e"), PATH, Some("k")));
    assert_eq!((seen.model().as_deref(), seen.header("x-odd")), (Some("m"), Some("spaced")));
}

#[tokio::test]
async fn reads_chunked_requests_and_heads_sent_byte_by_byte() {
    let provider = Provider::start().await;
    let call = ask(&provider)
        .header("transfer-encoding", "chunked")
        .body("5\r\n{\"mod\r\n9\r\nel\":\"two\"\r\n1\r\n}\r\n0\r\n\r\n");
    let mut connection = Connection::open(&provider.origin()).await;
    connection.send_byte_by_byte(&call.head_bytes()).await;
    connection.send_byte_by_byte(b"5\r\n{\"mod\r\n9\r\nel\":\"two\"\r\n1\r\n}\r\n0\r\n\r\n").await;
    assert_eq!(connection.answer().await.status, 200);
    assert_eq!(provider.only_chat().json()["model"], "two");
}

#[tokio::test]
async fn uses_scripts_in_order_and_picks_them_by_model_key_and_path() {
    let provider = Provider::start().await;
    provider.always(Script::json("\"always\""));
    provider.always_when(When::Model("m2".into()), Script::json("\"model\""));
    provider.script_when(When::Key("k2".into()), Script::json("\"key\""));
    provider.always_when(When::Path("/models".into()), Script::json("\"path\""));
    provider.script(Script::json("\"first\""));
    provider.script(Script::json("\"second\""));
    let say = |call: Call| async move { call.send().await.text() };
    assert_eq!(say(ask(&provider)).await, "\"first\"");
    assert_eq!(say(ask(&provider).key("k2")).await, "\"key\"");
    assert_eq!(say(ask(&provider).key("k2")).await, "\"second\"");
    assert_eq!(say(ask(&provider)).await, "\"always\"");
    assert_eq!(say(ask(&provider).body(r#"{"model":"m2"}"#)).await, "\"model\"");
    assert_eq!(say(Call::get(&provider.origin(), "/v1/models")).await, "\"path\"");
    assert_eq!(provider.scripts_left(), 0);
}

#[tokio::test]
async fn a_gate_decides_when_the_next_event_goes_out() {
    let provider = Provider::start().await;
    let gate = Gate::shut();
    let mut stream = stream_of(&provider, Script::sse(["1", "2", "[DONE]"]).gated(&gate)).await;
    for expected in ["1", "2", "[DONE]"] {
        assert_eq!(provider.counts().finished, 0, "the play is not over before {expected}");
        gate.open(1);
        assert_eq!(stream.expect_event().await.text(), expected);
    }
    assert!(stream.next().await.is_none() && stream.cut().is_none(), "then it ends properly");
}

#[tokio::test]
async fn a_client_that_leaves_counts_as_aborted() {
    let provider = Provider::start().await;
    let gate = Gate::shut();
    let mut stream = stream_of(&provider, Script::sse(["1", "2"]).gated(&gate)).await;
    gate.open(1);
    stream.expect_event().await;
    assert_eq!((provider.open_connections(), provider.aborted()), (1, 0));
    drop(stream);
    let counts = provider.until("the abort", |counts| counts.aborted == 1).await;
    assert_eq!((counts.answered, counts.finished), (1, 0));
    provider.until("the close", |counts| counts.open == 0).await;
}

#[tokio::test]
async fn endings_look_on_the_wire_as_they_are_named() {
    let words = |result: std::io::Result<Answer>| match result {
        Ok(answer) => format!("{} {:?} {}", answer.status, answer.text(), answer.cut.unwrap_or_else(|| "whole".into())),
        Err(why) => format!("{:?}", why.kind()),
    };
    let cases = [
        (Script::close_before_head(), "UnexpectedEof"),
        (Script::reset_before_head(), "ConnectionReset"),
        (Script::json("{}").reset_after(0), "ConnectionReset"),
        (Script::json("{}").close_after(10), "UnexpectedEof"),
        (Script::json("{}").until_close(), "200 \"{}\" whole"),
        (Script::json("{}").lying_length(9), "200 \"{}\" the connection ended inside a body"),
        (Script::json("{}").lying_length(1), "200 \"{\" whole"),
        (
            Script::sse(["1", "2"]).broken_after(1, Ending::Close),
            "200 \"data: 1\\n\\n\" the connection ended inside a chunked body",
        ),
        (
            Script::sse(["1"]).half_chunk("data: 2", Ending::Close),
            "200 \"data: 1\\n\\ndata: 2\" the connection ended inside a body",
        ),
        (Script::json("{}").pace(Pace::Bytes), "200 \"{}\" whole"),
        (Script::json("{}").pace(Pace::Slow(Duration::from_micros(1))), "200 \"{}\" whole"),
        (Script::verbatim("HTTP/1.1 299 Odd\r\n\r\nx"), "299 \"x\" whole"),
    ];
    for (script, expected) in cases {
        let name = format!("{script:?}");
        assert_eq!(words(answer_to(script).await), expected, "{name}");
    }
}

#[tokio::test]
async fn a_reset_after_some_bytes_delivers_those_at_most() {
    let provider = Provider::start().await;
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n".len();
    let frame = "7\r\ndata: 1\r\n".len();
    let gate = Gate::shut();
    let mut stream = stream_of(&provider, Script::sse(["1", "2"]).reset_after(head + frame + 4).gated(&gate)).await;
    gate.open(1);
    assert_eq!(stream.expect_event().await.text(), "1");
    gate.open(1);
    assert!(stream.next().await.is_none(), "the second event never gets whole");
    assert!(stream.cut().is_some(), "and the end is no proper one");
}

#[tokio::test]
async fn stalls_hold_until_the_other_side_leaves() {
    for (script, events) in [(Script::stall_before_head(), None), (Script::sse(["1", "2"]).stall_after(1), Some(1))] {
        let provider = Provider::start().await;
        provider.script(script);
        let mut connection = Connection::open(&provider.origin()).await;
        ask(&provider).put_on(&mut connection).await;
        provider.until("the request", |counts| counts.requests == 1).await;
        assert!(!connection.closes_within(Duration::from_millis(20)).await, "nothing is closed");
        assert_eq!(provider.counts().answered, events.unwrap_or(0));
        drop(connection);
        provider.until("the abort", |counts| counts.aborted == 1).await;
    }
}

#[tokio::test]
async fn a_refused_reuse_drops_the_second_request_and_keeps_the_script() {
    for ending in [Ending::Close, Ending::Reset] {
        let provider = Provider::start().await;
        provider.script(Script::json("1").refuse_reuse(ending));
        provider.script(Script::json("2").refuse_reuse(ending));
        let mut connection = Connection::open(&provider.origin()).await;
        assert_eq!(ask(&provider).send_on(&mut connection).await.text(), "1");
        ask(&provider).put_on(&mut connection).await;
        assert!(connection.try_answer().await.is_err(), "not a byte comes");
        assert_eq!((provider.counts().refused, provider.scripts_left()), (1, 1));
        assert_eq!(ask(&provider).send().await.text(), "2", "a new connection gets the answer");
        let counts = provider.counts();
        assert_eq!((counts.requests, counts.answered, counts.accepted), (3, 2, 2));
    }
}

#[tokio::test]
async fn a_big_line_is_one_line_and_as_big_as_asked() {
    let provider = Provider::start().await;
    let mut stream = stream_of(&provider, Script::big_line(1 << 20)).await;
    let event = stream.expect_event().await;
    assert!(event.text().len() > 1 << 20 && !event.text().contains('\n'), "one line of more than 1 MiB");
    let text = event.json()["choices"][0]["delta"]["content"].as_str().map(str::len);
    assert_eq!(text, Some(1 << 20));
    assert_eq!(stream.rest().await.len(), 2, "the reason and the end mark");
}

#[tokio::test]
async fn failures_answer_as_vendors_do() {
    let cases = [
        (failure::bad_key(), 401, "invalid_api_key"),
        (failure::no_balance(), 402, "Insufficient Balance"),
        (failure::forbidden(), 403, "permission_error"),
        (failure::no_model(), 404, "model_not_found"),
        (failure::request_timeout(), 408, "timeout"),
        (failure::too_large(), 413, "too large"),
        (failure::no_quota(), 429, "insufficient_quota"),
        (failure::rate_limited(7), 429, "rate_limit_exceeded"),
        (failure::server_error(), 500, "server_error"),
        (failure::bad_gateway_page(), 502, "<title>502"),
        (failure::overloaded(), 503, "overloaded"),
        (failure::bad_request(), 400, "temperature"),
        (failure::context_length(), 400, "context_length_exceeded"),
        (failure::error_in_200(), 200, "provider_down"),
        (Script::html_200(), 200, "<title>Sign in"),
    ];
    for (script, status, words) in cases {
        let answer = answer_to(script).await.unwrap();
        assert_eq!(answer.status, status, "{words}");
        assert!(answer.text().contains(words), "{words} in {}", answer.text());
        let is_json = answer.header("content-type") == Some("application/json");
        assert!(!is_json || answer.json().is_object(), "{words}: JSON is JSON");
    }
    let limited = answer_to(failure::rate_limited(7)).await.unwrap();
    assert_eq!(limited.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn the_inspector_of_pictures_tells_what_it_got_in_both_forms() {
    let provider = Provider::start().await;
    provider.always(vision::inspector());
    let part = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,TWFu"}}"#;
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{part}]}}]}}"#);
    let answer = ask(&provider).body(body.clone()).send().await.json();
    let told = answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(told.contains(r#""bytes":3"#) && told.contains("image/png"), "{told}");
    let streamed = body.replacen('{', r#"{"stream":true,"#, 1);
    let mut stream = ask(&provider).body(streamed).stream().await;
    let streamed = stream.rest().await[1].json();
    let again = streamed["choices"][0]["delta"]["content"].as_str().unwrap();
    assert_eq!(again.replace(r#"{"stream":true}"#, "{}"), told, "but for the field that asks for a stream");
}

#[tokio::test]
async fn an_unreachable_address_refuses_connections() {
    let nobody = Unreachable::reserve();
    let address = nobody.base_url().replace("http://", "").replace("/v1", "");
    let refused = tokio::net::TcpStream::connect(address).await;
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn what_is_no_http_counts_as_broken() {
    let provider = Provider::start().await;
    let mut connection = Connection::open(&provider.origin()).await;
    connection.send(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf").await;
    connection.finish_sending().await;
    provider.until("the break", |counts| counts.broken == 1 && counts.open == 0).await;
    assert!(provider.requests().is_empty(), "half a request is none");
}
