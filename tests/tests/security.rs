//! Who may ask: nobody without a key, nobody through a web page, nobody by an address that is not
//! ours, and no key beyond its scope, however the path is written.

use std::time::{Duration, Instant};

use omniroute_testkit::client::Connection;
use omniroute_testkit::{Answer, Call, Gateway, Setup};
use omniroute_tests::Scene;
use omniroute_tests::scene::{ask, manage_key};
use omniroute_tests::verdict::{managed_code, refused};
use serde_json::Value;

/// Refused, and nothing of ours in the answer.
#[track_caller]
fn is_refused(answer: &Answer, statuses: &[u16], what: &str) {
    assert!(statuses.contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    assert!(!answer.text().contains("\"data\"") && !answer.text().contains("sk-omni-"), "{what}: {}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), None, "{what}: no page may read this");
}

/// Every route of the description with a method, placeholders filled.
async fn routes(gateway: &Gateway, key: &str) -> Vec<(String, String)> {
    let described = Call::get(gateway.url(), "/api/openapi.json").key(key).send().await;
    assert_eq!(described.status, 200, "{}", described.text());
    let described = described.json();
    let mut routes = Vec::new();
    for (path, methods) in described["paths"].as_object().expect("paths") {
        let parts: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "some-id" } else { part }).collect();
        for method in methods.as_object().expect("methods").keys() {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                routes.push((method.to_uppercase(), parts.join("/")));
            }
        }
    }
    assert!(routes.len() >= 15, "the description names the management routes: {routes:?}");
    routes
}

fn call(gateway: &Gateway, method: &str, path: &str) -> Call {
    let call = Call::new(method, gateway.url(), path);
    if method == "GET" { call } else { call.header("content-type", "application/json").body("{}") }
}

/// What a probe may see without a key: that somebody lives here, and nothing else.
const OPEN: [&str; 2] = ["/", "/api/health"];

#[tokio::test]
async fn every_management_route_refuses_everyone_without_a_managing_key() {
    let gateway = Gateway::start().await;
    let manage = manage_key(&gateway).await;
    let chat_only = gateway.cli(&["keys", "add", "--name", "tool", "--scope", "chat"]).await.json();
    let chat_only = chat_only["key"].as_str().unwrap();
    let revoked = gateway.cli(&["keys", "add", "--name", "gone", "--scope", "manage"]).await.json();
    assert!(gateway.cli(&["keys", "remove", revoked["id"].as_str().unwrap()]).await.ok());
    for (method, path) in routes(&gateway, &manage).await {
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        let what = format!("{method} {path}");
        let call = call(&gateway, &method, &path);
        is_refused(&call.send().await, &[401], &what);
        is_refused(&call.clone().key("sk-omni-wrong").send().await, &[401], &what);
        is_refused(&call.clone().key(revoked["key"].as_str().unwrap()).send().await, &[401], &what);
        if !path.starts_with("/api/v1/") {
            is_refused(&call.clone().key(chat_only).send().await, &[403], &what);
        }
    }
    let left = gateway.cli(&["keys", "list"]).await;
    assert!(left.ok() && left.stdout.contains("tool"), "nothing was changed by any of it: {left}");
}

#[tokio::test]
async fn inference_routes_refuse_everyone_without_a_chat_key() {
    let scene = Scene::start().await;
    let manage_only = scene.gateway.cli(&["keys", "add", "--name", "admin", "--scope", "manage"]).await.json();
    let manage_only = manage_only["key"].as_str().unwrap();
    let url = scene.gateway.url();
    let calls = [
        Call::get(url, "/v1/models"),
        Call::get(url, "/models"),
        Call::get(url, "/v1/models/demo/echo"),
        Call::post(url, "/v1/chat/completions", ask("mk/m")),
        Call::post(url, "/chat/completions", ask("mk/m")),
        Call::post(url, "/v1/providers/mk/chat/completions", ask("m")),
        Call::post(url, "/v1/chat/completions", ask("demo/echo")),
    ];
    for call in calls {
        refused(&call.send().await, 401, "missing_api_key");
        for wrong in ["x", "sk-omni-", &scene.gateway.key()[..20], &scene.gateway.key().to_uppercase()] {
            refused(&call.clone().key(wrong).send().await, 401, "invalid_api_key");
        }
        refused(&call.clone().header("authorization", "Basic eDp5").send().await, 401, "missing_api_key");
        refused(&call.clone().key(manage_only).send().await, 403, "scope_missing");
    }
    assert!(scene.provider.requests().is_empty(), "none of it reaches a provider");
}

#[tokio::test]
async fn other_spellings_of_a_path_open_nothing() {
    let gateway = Gateway::start().await;
    let paths = [
        "/API/keys",
        "/api//keys",
        "//api/keys",
        "/api/keys/",
        "/api/%6beys",
        "/api/keys%2f",
        "/api/./keys",
        "/api/%2e/keys",
        "/api/health/../keys",
        "/api/health/%2e%2e/keys",
        "/api/health/..%2fkeys",
        "/api;x/keys",
        "/api/keys;x",
        "/api/keys%00",
        "/api\\keys",
        "/v1/../api/keys",
        "/V1/models",
        "/v1//models",
        "/v1/%6dodels",
        "/v1/models%2f",
        "http://127.0.0.1/api/keys",
    ];
    for path in paths {
        let answer = Call::get(gateway.url(), path).send().await;
        is_refused(&answer, &[400, 401, 404, 421], path);
        let override_method = Call::post(gateway.url(), path, "{}").header("x-http-method-override", "GET");
        is_refused(&override_method.send().await, &[400, 401, 404, 405, 421], path);
    }
}

#[tokio::test]
async fn only_our_own_names_are_answered() {
    let scene = Scene::start().await;
    let url = scene.gateway.url();
    let port = url.rsplit(':').next().unwrap();
    let strangers = [
        format!("evil.example:{port}"),
        "evil.example".to_owned(),
        format!("127.0.0.1.nip.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.1:{port}"),
        format!("0x7f000001:{port}"),
        format!("0177.0.0.1:{port}"),
        format!("2130706433:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("localhost.:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}@evil.example"),
        format!("0.0.0.0:{port}"),
        "127.0.0.1:1".to_owned(),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        String::new(),
    ];
    for path in ["/v1/models", "/api/keys", "/", "/api/health"] {
        for host in &strangers {
            let answer = Call::get(url, path).key(scene.gateway.key()).header("host", host).send().await;
            assert!(matches!(answer.status, 400 | 421), "{host:?} on {path}: {} {}", answer.status, answer.text());
            if answer.status == 421 {
                refused(&answer, 421, "host_not_allowed");
            }
        }
        for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("LocalHost:{port}")] {
            let answer = Call::get(url, path).key(scene.gateway.key()).header("host", &host).send().await;
            assert_ne!(answer.status, 421, "{host} is ours");
        }
    }
    let twice = Call::get(url, "/v1/models").key(scene.gateway.key()).also("host", "evil.example").send().await;
    assert!(matches!(twice.status, 400 | 421), "{}", twice.text());
    let absolute = Call::get(url, &format!("http://evil.example:{port}/v1/models")).key(scene.gateway.key());
    refused(&absolute.send().await, 421, "host_not_allowed");
    let none = Call::get(url, "/v1/models").key(scene.gateway.key()).without("host").send().await;
    assert!(matches!(none.status, 400 | 421), "{}", none.text());
}

#[tokio::test]
async fn no_web_page_gets_through() {
    let scene = Scene::start().await;
    let url = scene.gateway.url();
    let port = url.rsplit(':').next().unwrap();
    let key = manage_key(&scene.gateway).await;
    let origins = [
        "http://evil.example",
        "https://evil.example",
        "null",
        "file://",
        "http://localhost:3000",
        &format!("https://127.0.0.1:{port}"),
    ]
    .map(str::to_owned);
    for path in ["/v1/models", "/api/keys", "/api/health", "/"] {
        let call = Call::get(url, path).key(&key);
        for origin in &origins {
            let answer = call.clone().header("origin", origin).send().await;
            refused(&answer, 403, "origin_not_allowed");
            is_refused(&answer, &[403], origin);
        }
        for site in ["cross-site", "same-site"] {
            refused(&call.clone().header("sec-fetch-site", site).send().await, 403, "origin_not_allowed");
        }
        let own = call.header("origin", &format!("http://127.0.0.1:{port}")).header("sec-fetch-site", "same-origin");
        assert_ne!(own.send().await.status, 403, "our own page may ask");
    }
    let preflight = Call::new("OPTIONS", url, "/v1/chat/completions")
        .header("origin", "http://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-private-network", "true");
    is_refused(&preflight.send().await, &[403], "a preflight");
    let form = scene.chat(ask("mk/m")).header("content-type", "text/plain").send().await;
    refused(&form, 415, "unsupported_media_type");
    assert!(scene.provider.requests().is_empty(), "none of it reaches a provider");
}

#[tokio::test]
async fn management_takes_json_only() {
    let gateway = Gateway::start().await;
    let key = manage_key(&gateway).await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let call = Call::post(gateway.url(), "/api/keys", r#"{"name":"x"}"#).key(&key).header("content-type", kind);
        let answer = call.send().await;
        assert_eq!((answer.status, managed_code(&answer).as_str()), (415, "unsupported_media_type"), "{kind}");
    }
    let listed = Call::get(gateway.url(), "/api/keys").key(&key).send().await.json();
    let names: Vec<&Value> = listed["keys"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert!(!names.contains(&&Value::from("x")), "{names:?}");
}

#[tokio::test]
async fn a_client_does_not_choose_where_a_request_goes() {
    let scene = Scene::start().await;
    let stranger = omniroute_testkit::Provider::start().await;
    let address = stranger.base_url();
    let body = format!(
        r#"{{"model":"mk/m","messages":[],"api_base":"{address}","base_url":"{address}","api_key":"x","extra_headers":{{"host":"evil"}}}}"#
    );
    let call = scene
        .chat(body)
        .header("x-base-url", &address)
        .header("x-relay-host", &address)
        .header("x-forwarded-host", "evil.example");
    assert_eq!(call.send().await.status, 200);
    for model in [format!("{address}/m"), format!("mk/../../{address}"), "mk/m?x=http://evil.example".to_owned()] {
        scene.chat(ask(&model)).send().await;
    }
    assert_eq!(stranger.counts().accepted, 0, "nobody called the stranger");
    assert!(scene.provider.requests().iter().all(|seen| seen.target == "/v1/chat/completions"), "nor another path");
}

#[tokio::test]
async fn a_head_that_dribbles_in_is_cut_off() {
    let gateway = Setup::new().env("OMNIROUTE_HEADER_TIMEOUT_MS", "500").start().await;
    let begun = Instant::now();
    let mut slow = Connection::open(gateway.url()).await;
    slow.send(b"GET /v1/models HTTP/1.1\r\nhost: ").await;
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let dribble = async {
        loop {
            tick.tick().await;
            if slow.try_send(b"a").await.is_err() || slow.closes_within(Duration::from_millis(1)).await {
                break;
            }
        }
    };
    omniroute_testkit::wait::within("the cut", dribble).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let answer = Call::get(gateway.url(), "/v1/models").key(gateway.key()).send().await;
    assert_eq!(answer.status, 200, "others are served");
}

#[tokio::test]
async fn a_head_sent_byte_by_byte_in_time_is_served() {
    let gateway = Gateway::start().await;
    let call = Call::get(gateway.url(), "/v1/models").key(gateway.key());
    let mut connection = Connection::open(gateway.url()).await;
    connection.send_byte_by_byte(&call.head_bytes()).await;
    assert_eq!(connection.answer().await.status, 200);
}

#[tokio::test]
async fn many_slow_heads_keep_nobody_waiting() {
    let gateway = Gateway::start().await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut connection = Connection::open(gateway.url()).await;
        connection.send(b"GET /v1/models HTTP/1.1\r\nx: ").await;
        slow.push(connection);
    }
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(Call::get(gateway.url(), "/v1/models").key(gateway.key()).send().await.status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn heads_that_break_the_grammar_are_refused_and_smuggle_nothing() {
    let scene = Scene::start().await;
    let key = scene.gateway.key();
    let host = scene.gateway.url().strip_prefix("http://").unwrap();
    let start = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    );
    let body = ask("mk/m");
    let heads = [
        format!("{start}content-length: 5\r\ncontent-length: 6\r\n\r\n{body}"),
        format!("{start}content-length: -1\r\n\r\n{body}"),
        format!("{start}content-length : {}\r\n\r\n{body}", body.len()),
        format!("{start}transfer-encoding: xchunked\r\n\r\n{body}"),
        format!("{start}x: a\0b\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        "NONSENSE\r\n\r\n".to_owned(),
        "GET /v1/models HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /v1/models HTTP/1.1\r\nhost: {host}\r\n{}\r\n", "x-filler: 0123456789\r\n".repeat(20_000)),
    ];
    for head in heads {
        let name: String = head.chars().take(260).collect();
        let mut connection = Connection::open(scene.gateway.url()).await;
        let _refused_early = connection.try_send(head.as_bytes()).await;
        if let Ok(answer) = omniroute_testkit::wait::within("an answer or a close", connection.try_answer()).await {
            assert!((400..500).contains(&answer.status), "{name}: {}", answer.status);
        }
    }
    assert!(scene.provider.requests().is_empty(), "none of it reaches a provider");
}
