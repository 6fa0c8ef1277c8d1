//! Bad answers from the provider's side, before a byte went to the client: each becomes an honest
//! error in OpenAI's shape, within its limit, with a row in the log. Half an answer is never one.

use std::time::{Duration, Instant};

use omniroute_testkit::{Answer, Ending, Pace, Script, Setup, chat, failure};
use omniroute_tests::Scene;
use omniroute_tests::scene::ask;
use omniroute_tests::verdict::{completed, refused, said};

/// A limit on waiting that a test can afford.
const SHORT: &str = "400";
/// A refusal on a busy machine takes less beyond its limit.
const SLACK: Duration = Duration::from_secs(5);

async fn asked_both_ways(scene: &Scene, script: Script) -> [Answer; 2] {
    scene.provider.script(script.clone());
    let whole = scene.ask().await;
    scene.provider.script(script);
    [whole, scene.ask_stream().send().await]
}

/// Plays a script for a whole answer and for a stream, and checks status, code, words and log of both.
async fn check(scene: &Scene, script: Script, (status, code): (u16, &str), words: &str) {
    let name = format!("{script:?} {words}");
    for answer in asked_both_ways(scene, script).await {
        let message = refused(&answer, status, code);
        assert!(message.contains(words), "{name}: `{words}` is in: {message}");
        assert!(!message.contains("127.0.0.1"), "no address in: {message}");
        let row = scene.row_of(answer.header("x-request-id").unwrap()).await;
        assert_eq!(
            (row.status(), row.code().as_deref(), row.outcome().as_deref()),
            (Some(status.into()), Some(code), Some("error")),
            "{name}"
        );
        assert_eq!(row.attempts().len(), 1, "{name}: {row:?}");
    }
    assert_eq!(scene.provider.scripts_left(), 0, "{name}: asked once each");
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_502_with_its_title() {
    let scene = Scene::start().await;
    check(&scene, Script::html_200(), (502, "upstream_not_json"), "Sign in to continue").await;
    check(&scene, failure::bad_gateway_page(), (502, "bad_gateway"), "502 Bad Gateway").await;
}

#[tokio::test]
async fn an_error_object_with_status_200_is_an_error() {
    let scene = Scene::start().await;
    check(&scene, failure::error_in_200(), (502, "bad_gateway"), "Upstream provider is down.").await;
    let limited = Script::json(failure::body("Slow down, please.", "rate_limit_error", "rate_limit_exceeded"));
    check(&scene, limited, (429, "rate_limit_exceeded"), "Slow down, please.").await;
}

#[tokio::test]
async fn an_error_ahead_of_the_first_word_of_a_stream_is_an_http_error() {
    let scene = Scene::start().await;
    for script in [failure::error_first_in_stream(), failure::error_before_output()] {
        scene.provider.script(script);
        let answer = scene.ask_stream().send().await;
        let message = refused(&answer, 502, "bad_gateway");
        assert!(message.contains("disconnected unexpectedly"), "{message}");
        let row = scene.row_of(answer.header("x-request-id").unwrap()).await;
        assert_eq!(row.outcome().as_deref(), Some("error"));
    }
}

#[tokio::test]
async fn error_bodies_of_any_shape_reach_the_client_with_their_words() {
    let scene = Scene::start().await;
    for (body, words) in failure::odd_shapes() {
        check(&scene, Script::error(503, body), (503, "overloaded"), words).await;
    }
    check(&scene, Script::status(500, ""), (502, "bad_gateway"), "500").await;
}

#[tokio::test]
async fn nonsense_that_claims_to_be_an_answer_is_502() {
    let scene = Scene::start().await;
    check(&scene, Script::json("{}"), (502, "upstream_bad_answer"), "choices").await;
    check(&scene, Script::json("{\"choices\":"), (502, "upstream_bad_answer"), "").await;
    check(&scene, Script::json("[]"), (502, "upstream_bad_answer"), "").await;
    check(&scene, Script::json(""), (502, "upstream_empty"), "nothing").await;
    check(&scene, failure::empty_stream(), (502, "upstream_empty"), "nothing").await;
    check(&scene, Script::verbatim("SSH-2.0-OpenSSH_9.9\r\n"), (502, "upstream_bad_http"), "HTTP").await;
    let endless_head = format!("HTTP/1.1 200 OK\r\n{}", "x-filler: 0123456789\r\n".repeat(20_000));
    check(&scene, Script::verbatim(endless_head), (502, "upstream_bad_http"), "head").await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let scene = Scene::start().await;
    let elsewhere = format!("{}/v1/elsewhere", scene.provider.origin());
    for status in [301, 302, 307, 308] {
        let script = Script::status(status, "").header("location", &elsewhere);
        check(&scene, script, (502, "upstream_redirect"), "redirect").await;
    }
    assert!(scene.provider.requests().iter().all(|request| !request.target.contains("elsewhere")), "nobody went there");
}

#[tokio::test]
async fn a_compressed_answer_nobody_asked_for_is_an_error_not_garbage() {
    let scene = Scene::start().await;
    let script = Script::json(&b"\x1f\x8b\x08\x00garbage"[..]).header("content-encoding", "gzip");
    check(&scene, script, (502, "upstream_encoding"), "compressed").await;
}

#[tokio::test]
async fn a_connection_lost_before_the_first_word_is_502() {
    let scene = Scene::start().await;
    let lost = (502, "upstream_connection_lost");
    check(&scene, Script::close_before_head(), lost, "").await;
    check(&scene, Script::reset_before_head(), lost, "").await;
    check(&scene, chat::greeting().whole().lying_length(5000), lost, "").await;
    for bytes in [1, 30, 90] {
        check(&scene, chat::greeting().whole().reset_after(bytes), lost, "").await;
    }
    check(&scene, Script::sse([chat::role()]).broken_after(1, Ending::Close), lost, "").await;
    check(&scene, Script::sse([chat::role()]).half_chunk("data: {\"id\"", Ending::Reset), lost, "").await;
}

#[tokio::test]
async fn a_body_longer_than_its_announced_length_is_not_an_answer() {
    let scene = Scene::start().await;
    for answer in asked_both_ways(&scene, chat::greeting().whole().lying_length(40)).await {
        assert_eq!(answer.status, 502, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_line_of_twenty_megabytes_ends_in_an_error_within_bounds() {
    let scene = Scene::start().await;
    let idle = scene.gateway.peak_kib();
    for answer in asked_both_ways(&scene, Script::big_line(20 << 20)).await {
        refused(&answer, 502, "upstream_event_too_large");
    }
    if let (Some(idle), Some(peak)) = (idle, scene.gateway.peak_kib()) {
        assert!(peak < idle + (100 << 10), "{peak} KiB at the most, {idle} KiB before");
    }
    scene.provider.script(Script::big_line(5 << 20));
    let mut stream = scene.ask_stream().stream().await;
    let events = stream.rest().await;
    assert_eq!((said(&events).len(), stream.status), (5 << 20, 200), "a picture of 5 MB in a line passes");
    completed(&events);
}

#[tokio::test]
async fn a_provider_that_does_not_begin_is_504_and_let_go() {
    let setup = Setup::new().env("OMNIROUTE_FIRST_BYTE_TIMEOUT_MS", SHORT);
    let scene = Scene::with(setup).await;
    scene.provider.script(Script::stall_before_head());
    let begun = Instant::now();
    let answer = scene.ask_stream().send().await;
    refused(&answer, 504, "upstream_first_byte_timeout");
    assert!(begun.elapsed() < SLACK, "{:?}", begun.elapsed());
    scene.provider.until("the connection is let go", |counts| counts.aborted == 1).await;
    let row = scene.row_of(answer.header("x-request-id").unwrap()).await;
    assert_eq!((row.status(), row.outcome().as_deref()), (Some(504), Some("error")));
}

#[tokio::test]
async fn a_provider_that_stops_before_its_first_word_is_504_and_let_go() {
    let setup = Setup::new().env("STREAM_IDLE_TIMEOUT_MS", SHORT);
    let scene = Scene::with(setup).await;
    let half = Script::json("{\"choices\":[").lying_length(4000).ending(Ending::Stall);
    let silent = Script::sse([chat::role()]).stall_after(1);
    for (let_go, (script, call)) in (1..).zip([(half, scene.chat(ask("mk/m"))), (silent, scene.ask_stream())]) {
        scene.provider.script(script);
        refused(&call.send().await, 504, "upstream_idle_timeout");
        scene.provider.until("the connection is let go", |counts| counts.aborted == let_go).await;
    }
}

#[tokio::test]
async fn an_answer_in_single_bytes_is_an_answer_all_the_same() {
    let scene = Scene::start().await;
    scene.provider.script(chat::weather().whole().pace(Pace::Bytes));
    assert_eq!(scene.ask().await.text(), chat::weather().reply);
    scene.provider.script(Script::sse(chat::weather().stream()).pace(Pace::Bytes));
    let mut stream = scene.ask_stream().stream().await;
    completed(&stream.rest().await);
    assert_eq!(stream.raw(), chat::stream_bytes(&chat::weather().stream()));
}

#[tokio::test]
async fn a_whole_answer_to_a_stream_and_a_stream_to_a_whole_answer_are_turned_round() {
    let scene = Scene::start().await;
    scene.provider.script(chat::weather().whole());
    let events = scene.ask_stream().stream().await.rest().await;
    completed(&events);
    assert_eq!(said(&events), "Checking.");
    scene.provider.script(Script::sse(chat::weather().stream_with_usage()));
    let answer = scene.ask().await.json();
    let message = &answer["choices"][0]["message"];
    assert_eq!(
        (&message["content"], &message["reasoning_content"]),
        (&"Checking.".into(), &"Need tool.".into()),
        "{answer}"
    );
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], "{\"city\":\"Paris\"}");
    assert_eq!(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 5);
}
