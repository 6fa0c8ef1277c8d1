//! Requests that change one thing at the same time: none loses what another did, and no key goes where
//! it was not given for.

use http::Method;
use omniroute_testkit::{Gate, Provider, Script, When};
use serde_json::{Value, json};

use crate::test_house::{Answer, House};

const KEY: &str = "sk-test-5f1c0a9be24d7713";
const ROUNDS: usize = 20;

async fn put(house: &House, path: &str, body: Value) -> Answer {
    house.local(Method::PUT, path, Some(body)).await
}

/// An endpoint at the provider's address with one account; the paths of both.
async fn own(house: &House, provider: &Provider) -> (String, String) {
    let body = json!({"provider": "openai-compatible", "prefix": "mk", "baseUrl": provider.base_url(), "local": true,
                      "apiKey": KEY});
    let made = house.post("/api/providers", body).await.json()["connection"].clone();
    let id = |name: &str| made[name].as_str().expect("an id").to_owned();
    (format!("/api/providers/{}", id("id")), format!("/api/provider-nodes/{}", id("nodeId")))
}

#[tokio::test]
async fn a_rotation_beside_changes_keeps_the_new_key_and_the_changes() {
    let house = House::new();
    for round in 0..ROUNDS {
        let (id, _) = house.key(&["chat"]).await;
        let path = format!("/api/keys/{id}");
        let patch = async |body: Value| house.local(Method::PATCH, &path, Some(body)).await.status;
        let rotate = format!("{path}/rotate");
        let (rotated, name, active, scopes, end) = tokio::join!(
            house.local(Method::POST, &rotate, None),
            patch(json!({"name": "new"})),
            patch(json!({"isActive": true})),
            patch(json!({"scopes": ["chat", "manage"]})),
            patch(json!({"expiresAt": "2199-01-01T00:00:00Z"})),
        );
        assert_eq!([name, active, scopes, end], [200; 4]);
        let fresh = rotated.json()["key"].as_str().expect("a key").to_owned();
        let listed = house.tcp(Method::GET, "/api/keys", Some(&fresh), None).await;
        assert_eq!(listed.status, 200, "round {round}: the key that was shown is in force");
        let keys = listed.json()["keys"].as_array().expect("a list").clone();
        let key = keys.iter().find(|key| key["id"] == json!(id)).expect("the key");
        assert_eq!((&key["name"], &key["scopes"]), (&json!("new"), &json!(["chat", "manage"])), "round {round}");
        assert_eq!(key["expiresAt"], "2199-01-01T00:00:00.000Z", "round {round}");
    }
}

#[tokio::test]
async fn what_changes_while_a_key_is_tested_is_kept() {
    let (house, provider, gate) = (House::new(), Provider::start().await, Gate::shut());
    let (path, _) = own(&house, &provider).await;
    let asked = provider.requests().len();
    provider.script_when(When::Path("/models".into()), Script::json(r#"{"data":[]}"#).gated_head(&gate));
    let tested = put(&house, &path, json!({"apiKey": "sk-test-another-key-9d0e"}));
    let meanwhile = async {
        while provider.requests().len() == asked {
            tokio::task::yield_now().await;
        }
        let renamed = put(&house, &path, json!({"name": "work", "isActive": false})).await;
        gate.open_for_good();
        renamed.status
    };
    let (tested, renamed) = tokio::join!(tested, meanwhile);
    assert_eq!((tested.status, renamed), (200, 200), "{}", tested.text);
    let account = house.get(&path).await.json()["connection"].clone();
    assert_eq!((&account["name"], &account["isActive"]), (&json!("work"), &json!(false)));
    assert_eq!(account["keyHint"], "9d0e");
}

#[tokio::test]
async fn a_key_that_was_tested_for_another_address_is_not_saved() {
    let (house, provider, gate) = (House::new(), Provider::start().await, Gate::shut());
    let (path, _) = own(&house, &provider).await;
    let asked = provider.requests().len();
    provider.script_when(When::Path("/models".into()), Script::json(r#"{"data":[]}"#).gated_head(&gate));
    let tested = put(&house, &path, json!({"apiKey": "sk-test-another-key-9d0e"}));
    let meanwhile = async {
        while provider.requests().len() == asked {
            tokio::task::yield_now().await;
        }
        let elsewhere = format!("{}/other", provider.base_url());
        let moved = put(&house, &path, json!({"baseUrl": elsewhere, "noTest": true})).await;
        gate.open_for_good();
        moved.status
    };
    let (tested, moved) = tokio::join!(tested, meanwhile);
    assert_eq!((tested.status, tested.code().as_str(), moved), (409, "changed_meanwhile", 200), "{}", tested.text);
    assert_eq!(house.get(&path).await.json()["connection"]["keyHint"], "7713");
}

#[tokio::test]
async fn changes_of_an_endpoint_at_once_are_all_kept() {
    let (house, provider) = (House::new(), Provider::start().await);
    let (_, path) = own(&house, &provider).await;
    for round in 0..ROUNDS {
        let (name, chat) = (format!("n{round}"), format!("/chat{round}"));
        let (named, moved) =
            tokio::join!(put(&house, &path, json!({"name": name})), put(&house, &path, json!({"chatPath": chat})));
        assert_eq!((named.status, moved.status), (200, 200), "{} {}", named.text, moved.text);
        let node = house.get("/api/provider-nodes").await.json()["nodes"][0].clone();
        assert_eq!((&node["name"], &node["chatPath"]), (&json!(name), &json!(chat)));
    }
}

#[tokio::test]
async fn two_endpoints_that_begin_at_once_under_one_prefix_end_as_one_after_the_other_would() {
    for _ in 0..ROUNDS {
        let house = House::new();
        let add = async |address: &str| {
            let body = json!({"provider": "openai-compatible", "prefix": "mk", "baseUrl": address, "noTest": true,
                              "local": true});
            house.post("/api/providers", body).await
        };
        let (a, b) = ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1");
        let (first, second, same) = tokio::join!(add(a), add(b), add(a));
        let mut refused: Vec<&Answer> = [&first, &second, &same].into_iter().filter(|one| one.status != 201).collect();
        let refusal = refused.pop().expect("one prefix, one address");
        assert_eq!((refusal.status, refusal.code().as_str()), (409, "prefix_taken"), "{}", refusal.text);
        assert!(refusal.text.contains("belongs to the endpoint at"), "{}", refusal.text);
        house.flush();
        let audit = house.instance.log().audit(None, 50).expect("the log");
        let made: Vec<_> = audit.iter().filter(|(_, row)| row.action == "node.create").collect();
        let node = house.get("/api/provider-nodes").await.json()["nodes"][0].clone();
        assert_eq!(made.len(), 1, "an endpoint that came with its account is written down");
        assert_eq!(node["id"], json!(made[0].1.subject));
    }
}

#[tokio::test]
async fn a_stored_key_does_not_follow_to_another_origin() {
    let (house, provider, other) = (House::new(), Provider::start().await, Provider::start().await);
    let (account, node) = own(&house, &provider).await;
    let refused = async |path: &str, body: Value| {
        let answer = put(&house, path, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "key_needed_for_new_address"), "{}", answer.text);
    };
    refused(&account, json!({"baseUrl": other.base_url(), "noTest": true})).await;
    refused(&account, json!({"providerSpecificData": {"baseUrl": other.base_url()}, "saveAnyway": true})).await;
    refused(&account, json!({"baseUrl": provider.base_url().replace("127.0.0.1", "localhost")})).await;
    refused(&node, json!({"baseUrl": other.base_url()})).await;
    let path_only = format!("{}/v2", provider.base_url());
    assert_eq!(put(&house, &account, json!({"baseUrl": path_only, "noTest": true})).await.status, 200);
    assert_eq!(put(&house, &account, json!({"baseUrl": null, "noTest": true})).await.status, 200);
    assert_eq!(put(&house, &node, json!({"baseUrl": path_only})).await.status, 200);
    assert!(other.requests().is_empty(), "nothing was sent there");

    let moved =
        put(&house, &account, json!({"baseUrl": other.base_url(), "apiKey": "sk-test-for-the-other-0b1c"})).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(put(&house, &node, json!({"baseUrl": other.base_url()})).await.status, 200, "no key goes along");
    assert!(other.requests().iter().all(|asked| asked.bearer() != Some(KEY)));
}

#[tokio::test]
async fn a_providers_key_stays_with_the_provider() {
    let house = House::new();
    let body = json!({"provider": "openai", "apiKey": KEY, "noTest": true});
    let made = house.post("/api/providers", body).await.json();
    let path = format!("/api/providers/{}", made["connection"]["id"].as_str().expect("an id"));
    let elsewhere = put(&house, &path, json!({"baseUrl": "https://api.example.com/v1", "noTest": true})).await;
    assert_eq!(elsewhere.code(), "key_needed_for_new_address", "{}", elsewhere.text);
    let there = put(&house, &path, json!({"baseUrl": "https://API.openai.com:443/v2", "noTest": true})).await;
    assert_eq!(there.status, 200, "{}", there.text);
}

#[tokio::test]
async fn a_result_for_an_old_key_is_not_kept_as_the_new_ones() {
    let (house, provider, gate) = (House::new(), Provider::start().await, Gate::shut());
    let (path, _) = own(&house, &provider).await;
    let asked = provider.requests().len();
    provider.script_when(When::Path("/models".into()), Script::error(401, "{}").gated_head(&gate));
    let test = format!("{path}/test");
    let meanwhile = async {
        while provider.requests().len() == asked {
            tokio::task::yield_now().await;
        }
        let renewed = put(&house, &path, json!({"apiKey": "sk-test-another-key-9d0e"})).await;
        gate.open_for_good();
        renewed.status
    };
    let (tested, renewed) = tokio::join!(house.local(Method::POST, &test, None), meanwhile);
    assert_eq!((&tested.json()["valid"], renewed), (&json!(false), 200), "{}", tested.text);
    assert_eq!(house.get(&path).await.json()["connection"]["testStatus"], "ok");
}

#[tokio::test]
async fn a_model_that_is_hidden_and_renamed_at_once_is_both() {
    let house = House::new();
    let path = "/api/provider-models";
    for round in 0..ROUNDS {
        let model = format!("m{round}");
        assert_eq!(house.post(path, json!({"provider": "openai", "modelId": model})).await.status, 200);
        let patch = async |what: &str, value: Value| {
            let mut body = json!({"provider": "openai", "modelId": model});
            body[what] = value;
            house.local(Method::PATCH, path, Some(body)).await.status
        };
        assert_eq!(tokio::join!(patch("hidden", json!(true)), patch("modelName", json!("Mine"))), (200, 200));
        let models = house.get(path).await.json()["models"].as_array().expect("a list").clone();
        let row = models.iter().find(|row| row["id"] == json!(model)).expect("the model");
        assert_eq!((&row["hidden"], &row["name"]), (&json!(true), &json!("Mine")), "round {round}");
    }
}
