//! Accounts: tested on their way in, saved sealed, and never shown.

use http::Method;
use omniroute_testkit::{Provider, Script, When};
use serde_json::{Value, json};

use crate::test_house::{Answer, House};

const KEY: &str = "sk-test-5f1c0a9be24d7713";

/// An endpoint of the person's own, on loopback.
fn own(provider: &Provider) -> Value {
    json!({"provider": "openai-compatible", "prefix": "mk", "baseUrl": provider.base_url(), "local": true, "apiKey": KEY})
}

fn with(mut base: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        base[name] = value.clone();
    }
    base
}

#[track_caller]
fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
}

async fn chat(house: &House, key: &str, model: &str) -> Answer {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    house.tcp(Method::POST, "/v1/chat/completions", Some(key), Some(body)).await
}

#[tokio::test]
async fn an_endpoint_and_its_account_come_together_and_answer_at_once() {
    let (house, provider) = (House::new(), Provider::start().await);
    let (_, key) = house.key(&["chat"]).await;
    let made = house.post("/api/providers", own(&provider)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let connection = &made.json()["connection"];
    assert_eq!((&connection["provider"], &connection["prefix"]), (&json!("openai-compatible"), &json!("mk")));
    assert_eq!((&connection["testStatus"], &connection["keyHint"]), (&json!("ok"), &json!("7713")));
    assert_eq!((&connection["name"], &connection["priority"]), (&json!("mk"), &json!(1)));
    assert_eq!(made.json()["test"]["valid"], true);
    assert_eq!(chat(&house, &key, "mk/anything").await.status, 200);
    assert_eq!(provider.only_chat().bearer(), Some(KEY));

    let nodes = house.get("/api/provider-nodes").await.json();
    assert_eq!(nodes["nodes"][0]["id"], connection["nodeId"]);
    assert_eq!(nodes["nodes"][0]["baseUrl"], json!(provider.base_url()));
    let listed = house.get("/api/models?search=mk/").await.json();
    assert_ne!(listed["models"], json!([]), "what was seen at the address can be picked");
}

#[tokio::test]
async fn a_second_account_joins_the_endpoint_and_another_address_may_not_take_its_prefix() {
    let (house, first, second) = (House::new(), Provider::start().await, Provider::start().await);
    assert_eq!(house.post("/api/providers", own(&first)).await.status, 201);
    let joined = house.post("/api/providers", own(&first)).await.json();
    assert_eq!((&joined["connection"]["name"], &joined["connection"]["priority"]), (&json!("mk 2"), &json!(2)));
    let by_prefix = house.post("/api/providers", json!({"provider": "mk", "apiKey": KEY, "name": "third"})).await;
    assert_eq!(by_prefix.status, 201, "{}", by_prefix.text);
    assert_eq!(by_prefix.json()["connection"]["nodeId"], joined["connection"]["nodeId"]);
    check(&house.post("/api/providers", own(&second)).await, 409, "prefix_taken");

    // Once it has no accounts, the endpoint moves with the next one.
    for connection in house.get("/api/providers").await.json()["connections"].as_array().expect("a list") {
        let path = format!("/api/providers/{}", connection["id"].as_str().expect("an id"));
        assert_eq!(house.local(Method::DELETE, &path, None).await.status, 200);
    }
    assert_eq!(house.post("/api/providers", own(&second)).await.status, 201);
    let nodes = house.get("/api/provider-nodes").await.json();
    assert_eq!(nodes["nodes"].as_array().map(Vec::len), Some(1));
    assert_eq!(nodes["nodes"][0]["baseUrl"], json!(second.base_url()));
}

#[tokio::test]
async fn a_failed_test_refuses_an_account_unless_the_person_insists() {
    let (house, provider) = (House::new(), Provider::start().await);
    let refusal = format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY}","code":"invalid_api_key"}}}}"#);
    provider.always_when(When::Path("/models".into()), Script::error(401, refusal));
    let refused = house.post("/api/providers", own(&provider)).await;
    check(&refused, 422, "test_failed");
    let test = refused.json()["error"]["details"]["test"].clone();
    assert_eq!((&test["valid"], &test["outcome"]), (&json!(false), &json!("key-refused")));
    assert!(!refused.text.contains(KEY), "what the provider says is cleared of the key: {}", refused.text);
    assert_eq!(house.get("/api/providers").await.json()["connections"], json!([]));

    let insisted = house.post("/api/providers", with(own(&provider), json!({"saveAnyway": true}))).await;
    assert_eq!((insisted.status, &insisted.json()["connection"]["testStatus"]), (201, &json!("failed")));
    assert!(insisted.json()["warning"].is_string());
    let untested = with(own(&provider), json!({"noTest": true}));
    let untested = house.post("/api/providers", untested).await;
    assert_eq!((untested.status, &untested.json()["connection"]["testStatus"]), (201, &json!("unknown")));
    assert_eq!(untested.json().get("test"), None);
}

#[tokio::test]
async fn what_can_not_work_is_refused_with_its_reason() {
    let house = House::new();
    let post = async |body: Value| house.post("/api/providers", body).await;
    let named = |extra: Value| with(json!({"provider": "openai-compatible", "prefix": "mk", "noTest": true}), extra);
    check(&post(json!({"provider": "opnai", "apiKey": KEY})).await, 422, "provider_unknown");
    check(&post(json!({"provider": "openai", "noTest": true})).await, 422, "api_key_missing");
    check(&post(json!({"provider": "openai", "apiKey": "a\nb", "noTest": true})).await, 422, "invalid_api_key_format");
    check(&post(json!({"provider": "cursor", "apiKey": KEY})).await, 422, "provider_not_ready");
    check(&post(json!({"provider": "demo"})).await, 409, "always_connected");
    check(&post(json!({"provider": "openai", "apiKey": KEY, "prefix": "x"})).await, 400, "prefix_not_allowed");
    check(&post(json!({"provider": "openai", "apiKey": KEY, "priority": 0})).await, 400, "invalid_field");
    check(
        &post(json!({"provider": "openai-compatible", "baseUrl": "https://a.example/v1"})).await,
        422,
        "prefix_missing",
    );
    check(&post(named(json!({}))).await, 422, "base_url_missing");
    check(&post(named(json!({"baseUrl": "https://a.example/v1", "prefix": "openai"}))).await, 409, "prefix_taken");
    check(&post(named(json!({"baseUrl": "https://a.example/v1", "prefix": "A B"}))).await, 400, "invalid_prefix");
    check(&post(named(json!({"baseUrl": "ftp://a.example"}))).await, 422, "invalid_base_url");
    check(&post(named(json!({"baseUrl": "http://a.example/v1"}))).await, 422, "insecure_base_url");
    check(&post(named(json!({"baseUrl": "https://u:p@a.example/v1"}))).await, 422, "invalid_base_url");
    assert_eq!(house.get("/api/providers").await.json()["connections"], json!([]), "nothing was saved");
    assert_eq!(house.get("/api/provider-nodes").await.json()["nodes"], json!([]));
}

#[tokio::test]
async fn addresses_inside_are_guarded_and_the_refusal_is_written_down() {
    let house = House::new();
    let inside = ["https://10.0.0.1/v1", "https://[::1]/v1", "https://169.254.169.254/latest", "https://localhost/v1"];
    for address in inside {
        let body = json!({"provider": "openai-compatible", "prefix": "mk", "baseUrl": address, "noTest": true});
        check(&house.post("/api/providers", body).await, 422, "URL_GUARD_BLOCKED");
        check(
            &house.post("/api/provider-nodes", json!({"prefix": "mk", "baseUrl": address})).await,
            422,
            "URL_GUARD_BLOCKED",
        );
        let trial = json!({"provider": "openai", "apiKey": KEY, "baseUrl": address});
        check(&house.post("/api/providers/validate", trial).await, 422, "URL_GUARD_BLOCKED");
    }
    let metadata = json!({"prefix": "mk", "baseUrl": "http://169.254.169.254/v1", "local": true});
    check(&house.post("/api/provider-nodes", metadata).await, 422, "URL_GUARD_BLOCKED");
    house.flush();
    let audit = house.instance.log().audit(None, 50).expect("the log");
    assert_eq!(audit.iter().filter(|(_, row)| row.action == "url_guard.blocked").count(), 3 * inside.len() + 1);
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_clears_what_is_null() {
    let (house, provider) = (House::new(), Provider::start().await);
    let (_, key) = house.key(&["chat"]).await;
    let made = house.post("/api/providers", with(own(&provider), json!({"defaultModel": "m-1"}))).await.json();
    let path = format!("/api/providers/{}", made["connection"]["id"].as_str().expect("an id"));
    let put = async |body: Value| house.local(Method::PUT, &path, Some(body)).await;

    let renamed = put(json!({"name": "work", "priority": 7})).await.json();
    assert_eq!(
        (&renamed["connection"]["name"], &renamed["connection"]["defaultModel"]),
        (&json!("work"), &json!("m-1"))
    );
    assert_eq!(put(json!({"defaultModel": null})).await.json()["connection"]["defaultModel"], json!(null));
    check(&put(json!({})).await, 400, "no_changes");
    check(&put(json!({"provider": "openai"})).await, 400, "invalid_field");

    assert_eq!(put(json!({"isActive": false})).await.status, 200);
    assert_eq!(chat(&house, &key, "mk/m").await.status, 404, "an inactive account is not asked");
    assert_eq!(put(json!({"isActive": true})).await.status, 200);

    let fresh = "sk-test-another-key-9d0e";
    assert_eq!(put(json!({"apiKey": fresh})).await.json()["connection"]["keyHint"], json!("9d0e"));
    assert_eq!(chat(&house, &key, "mk/m").await.status, 200);
    assert_eq!(provider.only_chat().bearer(), Some(fresh), "the new key is in force");
    provider.always_when(When::Path("/models".into()), Script::error(401, "{}"));
    check(&put(json!({"apiKey": KEY})).await, 422, "test_failed");
    chat(&house, &key, "mk/m").await;
    assert_eq!(provider.chats()[1].bearer(), Some(fresh), "a refused key changes nothing");
    check(&house.local(Method::PUT, "/api/providers/none", Some(json!({"name": "a"}))).await, 404, "not_found");
}

#[tokio::test]
async fn an_account_can_be_tested_and_asked_for_its_models_later() {
    let (house, provider) = (House::new(), Provider::start().await);
    let made = house.post("/api/providers", with(own(&provider), json!({"noTest": true}))).await.json();
    let id = made["connection"]["id"].as_str().expect("an id").to_owned();
    let test = house.local(Method::POST, &format!("/api/providers/{id}/test"), None).await.json();
    assert_eq!((&test["valid"], &test["outcome"]), (&json!(true), &json!("works")));
    assert!(test["latencyMs"].is_u64() && test["testedAt"].is_string());
    let shown = house.get(&format!("/api/providers/{id}")).await.json();
    assert_eq!(shown["connection"]["testStatus"], json!("ok"));
    let models = house.get(&format!("/api/providers/{id}/models")).await.json();
    assert_eq!((&models["connectionId"], models.get("warning")), (&json!(id), None));
    assert_ne!(models["models"], json!([]));
    check(&house.local(Method::POST, "/api/providers/none/test", None).await, 404, "not_found");
}

#[tokio::test]
async fn an_address_can_be_tried_without_saving_anything() {
    let (house, provider) = (House::new(), Provider::start().await);
    let trial = json!({"baseUrl": provider.base_url(), "apiKey": KEY, "local": true});
    let node = house.post("/api/provider-nodes/validate", trial.clone()).await;
    assert_eq!((node.status, &node.json()["valid"]), (200, &json!(true)), "{}", node.text);
    provider.always_when(When::Path("/models".into()), Script::error(404, "{}"));
    let asking = json!({"provider": "openai-compatible", "validationModelId": "tiny"});
    let asked = house.post("/api/providers/validate", with(trial, asking)).await;
    assert_eq!(asked.json()["outcome"], "works", "{}", asked.text);
    assert_eq!(provider.only_chat().model().as_deref(), Some("tiny"));
    assert_eq!(house.get("/api/provider-nodes").await.json()["nodes"], json!([]));
}

#[tokio::test]
async fn an_endpoint_goes_with_its_accounts_and_models() {
    let (house, provider) = (House::new(), Provider::start().await);
    let made = house.post("/api/providers", own(&provider)).await.json();
    let node = made["connection"]["nodeId"].as_str().expect("an id").to_owned();
    let added = house.post("/api/provider-models", json!({"provider": "mk", "modelId": "extra"})).await;
    assert_eq!(added.status, 200, "{}", added.text);
    let moved = house.local(Method::PUT, &format!("/api/provider-nodes/{node}"), Some(json!({"prefix": "own"}))).await;
    assert_eq!(moved.json()["node"]["prefix"], "own");
    assert_ne!(house.get("/api/models?search=own/extra").await.json()["models"], json!([]));
    let stricter =
        house.local(Method::PUT, &format!("/api/provider-nodes/{node}"), Some(json!({"local": false}))).await;
    check(&stricter, 422, "URL_GUARD_BLOCKED");
    let path = format!("/api/provider-nodes/{node}");
    assert_eq!(house.local(Method::DELETE, &path, None).await.json(), json!({"success": true}));
    assert_eq!(house.get("/api/providers").await.json()["connections"], json!([]));
    assert_eq!(house.get("/api/provider-models").await.json()["models"], json!([]));
    check(&house.local(Method::DELETE, &path, None).await, 404, "not_found");
}

#[tokio::test]
async fn no_answer_and_no_file_holds_a_secret() {
    let (house, provider) = (House::new(), Provider::start().await);
    let (_, client) = house.key(&["chat", "manage"]).await;
    let echo = format!(r#"{{"error":{{"message":"bad key {KEY}"}}}}"#);
    let made = house.post("/api/providers", own(&provider)).await.json();
    let id = made["connection"]["id"].as_str().expect("an id").to_owned();
    provider.always_when(When::Path("/models".into()), Script::error(401, echo));
    house.local(Method::POST, &format!("/api/providers/{id}/test"), None).await;
    house.flush();
    let paths =
        ["providers", "providers/available", "provider-nodes", "provider-models", "keys", "models", "usage/logs"];
    for path in paths.map(|path| format!("/api/{path}")).into_iter().chain([format!("/api/providers/{id}")]) {
        let answer = house.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(!answer.text.contains(KEY) && !answer.text.contains(&client), "{path}");
    }
    let report = house.get("/api/doctor?secrets=true").await.json();
    assert_eq!((&report["ok"], &report["secrets"]["findings"]), (&json!(true), &json!([])), "{report}");
    assert_eq!(report["secrets"]["secrets"], 2);

    std::fs::write(house.instance.data_dir().join("notes.txt"), format!("{KEY} {client}")).expect("written");
    let leaked = house.get("/api/doctor?secrets=true").await;
    assert_eq!(leaked.json()["ok"], json!(false));
    assert_eq!(leaked.json()["secrets"]["findings"].as_array().map(Vec::len), Some(2), "{}", leaked.text);
    assert!(!leaked.text.contains(KEY) && !leaked.text.contains(&client), "the report itself shows none");
}

#[tokio::test]
async fn a_change_says_what_it_leaves_in_doubt_and_whose_it_was() {
    let (house, provider) = (House::new(), Provider::start().await);
    let made = house.post("/api/providers", own(&provider)).await.json();
    let id = made["connection"]["id"].as_str().expect("an id").to_owned();
    let put = async |body: Value| house.local(Method::PUT, &format!("/api/providers/{id}"), Some(body)).await;
    let follows = put(json!({"local": false})).await;
    check(&follows, 422, "local_is_the_endpoints");
    assert!(follows.text.contains("`mk`"), "{}", follows.text);
    let model = put(json!({"defaultModel": "a b"})).await;
    assert_eq!(model.json()["error"]["details"]["field"], "defaultModel", "{}", model.text);

    provider.always_when(When::Path("/models".into()), Script::error(401, "{}"));
    let insisted = put(json!({"apiKey": "sk-test-another-key-9d0e", "saveAnyway": true})).await;
    assert_eq!(insisted.status, 200, "{}", insisted.text);
    assert!(insisted.json()["warning"].is_string(), "{}", insisted.text);

    check(&put(json!({"baseUrl": "http://169.254.169.254/v1", "apiKey": KEY})).await, 422, "URL_GUARD_BLOCKED");
    house.flush();
    let audit = house.instance.log().audit(None, 50).expect("the log");
    let blocked = audit.iter().find(|(_, row)| row.action == "url_guard.blocked").expect("it is written down");
    assert_eq!(blocked.1.subject, id);
}
