//! Bad input from the client's side: each gets the documented status and code in OpenAI's shape, in
//! bounded time and memory, and a row in the log; and a broken log or a full disk stops no answer.

use std::time::{Duration, Instant};

use omniroute_testkit::client::Connection;
use omniroute_testkit::{Answer, Call, Gateway, Setup, chat};
use omniroute_tests::log;
use omniroute_tests::scene::{ask, connect};
use omniroute_tests::verdict::refused;
use omniroute_tests::{Row, Scene};

/// The body cap when nothing else is said.
const CAP: usize = 32 << 20;
/// A refusal takes less, on a busy machine too.
const AT_ONCE: Duration = Duration::from_secs(3);
/// What one refused request may cost at its worst, beyond an idle gateway.
const MEMORY_KIB: u64 = 200 << 10;

/// Checks that the log has a row for this answer that says the same.
async fn is_logged(gateway: &Gateway, answer: &Answer) -> Row {
    let id = answer.header("x-request-id").expect("every answer names its request");
    let row = log::row_of(gateway, id).await;
    let code = answer.json()["error"]["code"].as_str().map(str::to_owned);
    assert_eq!(
        (row.status(), row.code(), row.outcome().as_deref()),
        (Some(answer.status.into()), code, Some("error")),
        "{row:?}"
    );
    row
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_400() {
    let scene = Scene::start().await;
    let bodies: [&[u8]; 13] = [
        b"",
        b"   ",
        b"{\"model\":\"mk/m\",",
        b"{\"model\":\"mk/m\",\"messages\":[]} x",
        b"{\"model\":\"mk/m\",\"messages\":[]}{}",
        b"{\"model\":\"mk/m\",\"messages\":[1,]}",
        b"{'model':'mk/m'}",
        b"{\"model\":\"mk/m\",\"n\":01}",
        b"{\"model\":\"mk/m\",\"n\":NaN}",
        b"{\"model\":\"mk/m\",\"x\":\"\x01\"}",
        b"{\"model\":\"mk/m\",\"x\":\"\xff\xfe\"}",
        b"[{\"model\":\"mk/m\"}]",
        b"\"mk/m\"",
    ];
    for body in bodies {
        let answer = scene.gateway.chat(body.to_vec()).send().await;
        refused(&answer, 400, "invalid_json");
        is_logged(&scene.gateway, &answer).await;
    }
    assert!(scene.provider.requests().is_empty(), "none of it reaches a provider");
}

#[tokio::test]
async fn fields_that_matter_are_checked_by_name() {
    let scene = Scene::start().await;
    let cases = [
        (r#"{"messages":[]}"#, "missing_model", "model"),
        (r#"{"model":null,"messages":[]}"#, "missing_model", "model"),
        (r#"{"model":7,"messages":[]}"#, "invalid_model", "model"),
        (r#"{"model":["mk/m"],"messages":[]}"#, "invalid_model", "model"),
        (r#"{"model":"mk/m"}"#, "missing_messages", "messages"),
        (r#"{"model":"mk/m","messages":"Hi"}"#, "missing_messages", "messages"),
        (r#"{"model":"mk/m","messages":[],"stream":"yes"}"#, "invalid_stream", "stream"),
        (
            r#"{"model":"mk/m","messages":[],"stream":true,"stream_options":[]}"#,
            "invalid_stream_options",
            "stream_options",
        ),
        (r#"{"model":"mk/m","messages":[],"model":"mk/n"}"#, "duplicate_field", "model"),
    ];
    for (body, code, param) in cases {
        let answer = scene.chat(body).send().await;
        refused(&answer, 400, code);
        assert_eq!(answer.json()["error"]["param"], param, "{body}");
        is_logged(&scene.gateway, &answer).await;
    }
    assert!(scene.provider.requests().is_empty(), "none of it reaches a provider");
}

#[tokio::test]
async fn a_content_type_that_is_not_json_is_415() {
    let scene = Scene::start().await;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""]
    {
        let answer = scene.chat(ask("mk/m")).header("content-type", kind).send().await;
        refused(&answer, 415, "unsupported_media_type");
        is_logged(&scene.gateway, &answer).await;
    }
    refused(&scene.chat(ask("mk/m")).without("content-type").send().await, 415, "unsupported_media_type");
    refused(
        &scene.chat(ask("mk/m")).header("content-encoding", "gzip").send().await,
        415,
        "unsupported_content_encoding",
    );
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"] {
        assert_eq!(scene.chat(ask("mk/m")).header("content-type", kind).send().await.status, 200, "{kind}");
    }
}

#[tokio::test]
async fn a_model_that_leads_nowhere_says_what_to_do() {
    let scene = Scene::start().await;
    connect(&scene.gateway, "mk2", &scene.provider.base_url(), "k2").await;
    let cases = [
        ("nowhere/m", 404, "unknown_provider", "nowhere"),
        ("openai/gpt-4o", 404, "no_account", "omniroute providers add openai"),
        ("no-such-model-at-all", 404, "model_not_found", "no-such-model-at-all"),
        ("", 400, "model_required", "model"),
    ];
    for (model, status, code, words) in cases {
        let answer = scene.chat(ask(model)).send().await;
        let message = refused(&answer, status, code);
        assert!(message.contains(words), "`{words}` is in: {message}");
        assert_eq!(answer.json()["error"]["param"], "model");
        is_logged(&scene.gateway, &answer).await;
    }
    let elsewhere = Call::post(scene.gateway.url(), "/v1/providers/mk2/chat/completions", ask("mk/m"));
    refused(&elsewhere.key(scene.gateway.key()).send().await, 400, "wrong_provider");
}

#[tokio::test]
async fn a_key_that_is_missing_wrong_or_revoked_is_401_and_logged() {
    let scene = Scene::start().await;
    let made = scene.gateway.cli(&["keys", "add", "--name", "short-lived"]).await.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let call = scene.chat(ask("mk/m")).key(key);
    assert_eq!(call.send().await.status, 200, "a fresh key works");
    assert!(scene.gateway.cli(&["keys", "remove", id]).await.ok(), "a key can be removed");
    for (call, code) in [
        (call, "invalid_api_key"),
        (scene.chat(ask("mk/m")).key("sk-omni-wrong"), "invalid_api_key"),
        (scene.chat(ask("mk/m")).without("authorization"), "missing_api_key"),
    ] {
        let answer = call.send().await;
        refused(&answer, 401, code);
        is_logged(&scene.gateway, &answer).await;
    }
    assert_eq!(scene.provider.chats().len(), 1, "only the first went through");
}

#[tokio::test]
async fn a_body_over_the_cap_is_413_before_it_is_read() {
    let scene = Scene::start().await;
    let begun = Instant::now();
    for announced in [CAP + 1, 100 << 20, usize::MAX >> 1] {
        let call = scene.chat("").header("content-length", &announced.to_string());
        let mut connection = Connection::open(scene.gateway.url()).await;
        call.put_on(&mut connection).await;
        let answer = connection.answer().await;
        refused(&answer, 413, "request_too_large");
        is_logged(&scene.gateway, &answer).await;
    }
    assert!(begun.elapsed() < AT_ONCE, "the announced length is enough: {:?}", begun.elapsed());
}

#[tokio::test]
async fn the_cap_holds_for_chunked_bodies_and_can_be_set() {
    let setup = Setup::new().env("MAX_BODY_SIZE_BYTES", "100000");
    let scene = Scene::with(setup).await;
    let full = ask("mk/m").replacen("Hi", &"x".repeat(100_000 - ask("mk/m").len() + 2), 1);
    assert_eq!(full.len(), 100_000);
    assert_eq!(scene.chat(full.clone()).send().await.status, 200, "a body of just the cap passes");
    let chunk = format!("{:x}\r\n{full}\r\n1\r\n \r\n0\r\n\r\n", full.len());
    let answer = scene.chat(chunk).header("transfer-encoding", "chunked").send().await;
    refused(&answer, 413, "request_too_large");
    is_logged(&scene.gateway, &answer).await;
}

#[tokio::test]
async fn a_hundred_megabytes_cost_neither_time_nor_memory() {
    let scene = Scene::start().await;
    let idle = scene.gateway.peak_kib();
    let body = format!(r#"{{"model":"mk/m","messages":[{{"role":"user","content":"{}"}}]}}"#, "x".repeat(100 << 20));
    let begun = Instant::now();
    let mut connection = Connection::open(scene.gateway.url()).await;
    scene.chat(body).put_on(&mut connection).await;
    let took = begun.elapsed();
    if let Ok(answer) = connection.try_answer().await {
        refused(&answer, 413, "request_too_large");
    }
    assert!(took < AT_ONCE, "{took:?}");
    memory_is_bounded(&scene.gateway, idle);
    assert_eq!(scene.ask().await.status, 200, "and the gateway goes on");
}

#[tokio::test]
async fn a_million_levels_of_nesting_are_refused_at_once() {
    let scene = Scene::start().await;
    let idle = scene.gateway.peak_kib();
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000));
        let body = format!(r#"{{"model":"mk/m","messages":[],"x":{deep}}}"#);
        let begun = Instant::now();
        let answer = scene.chat(body).send().await;
        refused(&answer, 400, "json_too_deep");
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
        is_logged(&scene.gateway, &answer).await;
    }
    memory_is_bounded(&scene.gateway, idle);
}

#[tokio::test]
async fn a_million_keys_are_refused_and_ten_thousand_messages_pass_in_bounds() {
    let scene = Scene::start().await;
    let idle = scene.gateway.peak_kib();
    let keys: String = (0..1_000_000).map(|number| format!(r#","k{number}":0"#)).collect();
    let message = r#"{"role":"user","content":"Hi"}"#;
    let messages = vec![message; 10_000].join(",");
    let begun = Instant::now();
    let answer = scene.chat(format!(r#"{{"model":"mk/m","messages":[]{keys}}}"#)).send().await;
    refused(&answer, 400, "json_too_many_fields");
    let within = format!(r#"{{"model":"mk/m","messages":[],"x":{{"k":0{keys}}}}}"#);
    for body in [within, format!(r#"{{"model":"mk/m","messages":[{messages}]}}"#)] {
        scene.provider.script(chat::greeting().whole());
        let answer = scene.chat(body.clone()).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = scene.provider.chats().pop().expect("the request arrived");
        assert_eq!(seen.body.len(), body.len() - "mk/".len(), "whole");
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    memory_is_bounded(&scene.gateway, idle);
}

#[tokio::test]
async fn a_request_that_breaks_off_is_logged_and_reaches_nobody() {
    let scene = Scene::start().await;
    let mut connection = Connection::open(scene.gateway.url()).await;
    let call = scene.chat(r#"{"model":"#).header("content-length", "500");
    call.put_on(&mut connection).await;
    drop(connection);
    let row = scene.only_row().await;
    assert_ne!(row.outcome().as_deref(), Some("ok"), "{row:?}");
    assert!(scene.provider.requests().is_empty(), "half a request is none");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_in_the_same_shape() {
    let gateway = Gateway::start().await;
    let key = gateway.key();
    refused(&Call::get(gateway.url(), "/v1/no-such-route").key(key).send().await, 404, "unknown_route");
    refused(&Call::get(gateway.url(), "/v1/chat/completions").key(key).send().await, 405, "method_not_allowed");
    refused(&Call::new("DELETE", gateway.url(), "/v1/models").key(key).send().await, 405, "method_not_allowed");
}

#[tokio::test]
async fn a_broken_log_is_set_aside_and_stops_no_answer() {
    let scene = Scene::start().await;
    assert_eq!(scene.ask().await.status, 200);
    let Scene { mut gateway, provider, .. } = scene;
    gateway.kill9();
    let log = gateway.data_dir().join("log.db");
    for ending in ["-wal", "-shm"] {
        let _absent = std::fs::remove_file(gateway.data_dir().join(format!("log.db{ending}")));
    }
    std::fs::write(&log, b"SQLite format 3\0 and then nothing of the kind".repeat(400)).unwrap();
    let gateway = gateway.restart().await;
    let answer = gateway.chat(ask("mk/m")).send().await;
    assert_eq!((answer.status, answer.text()), (200, chat::greeting().reply));
    assert_eq!(provider.chats().len(), 2, "the account is still there");
    let names: Vec<String> = std::fs::read_dir(gateway.data_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().any(|name| name.starts_with("log.db.damaged-")), "the damaged file is kept: {names:?}");
    let id = answer.header("x-request-id").unwrap();
    log::row_of(&gateway, id).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_stops_no_answer() {
    const REQUESTS: u64 = 2500;
    // No file may grow beyond 768 KiB (blocks of 512 bytes), which the log soon wants to. A write beyond
    // that fails as on a full disk, since the signal that goes with it is ignored.
    let limits = ["sh", "-c", "trap '' XFSZ; ulimit -f 1536; exec \"$@\"", "sh"];
    let scene = Scene::with(Setup::new().wrapped(&limits)).await;
    let long_name = format!("mk/{}", "long-name-".repeat(20));
    let mut connection = Connection::open(scene.gateway.url()).await;
    for _ in 0..REQUESTS {
        let answer = scene.chat(ask(&long_name)).send_on(&mut connection).await;
        assert_eq!(answer.status, 200, "{} stderr: {}", answer.text(), scene.gateway.stderr());
    }
    let listed = scene.gateway.cli(&["keys", "list"]).await;
    assert!(listed.ok(), "what is known can still be read: {listed}");
    let logged = scene.gateway.cli(&["usage"]).await.json()["totalRequests"].as_u64().expect("a number of requests");
    assert!(logged < REQUESTS, "the disk was full, or this shows nothing: {logged} rows");
}

#[track_caller]
fn memory_is_bounded(gateway: &Gateway, idle: Option<u64>) {
    if let (Some(idle), Some(peak)) = (idle, gateway.peak_kib()) {
        assert!(peak < idle + MEMORY_KIB, "{peak} KiB at the most, {idle} KiB before");
    }
}
