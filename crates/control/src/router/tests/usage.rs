//! Usage: what was asked is counted, listed page by page and told in detail.

use http::Method;
use omniroute_testkit::Provider;
use serde_json::{Value, json};

use crate::test_house::{Answer, House};

async fn ask(house: &House, key: &str, model: &str) -> Answer {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "one two three"}]});
    house.tcp(Method::POST, "/v1/chat/completions", Some(key), Some(body)).await
}

async fn used() -> (House, String) {
    let house = House::new();
    let (id, key) = house.key(&["chat"]).await;
    assert_eq!(ask(&house, &key, "demo/echo").await.status, 200);
    assert_eq!(ask(&house, &key, "demo/echo").await.status, 200);
    assert_eq!(ask(&house, &key, "demo/down").await.status, 503);
    house.flush();
    (house, id)
}

#[tokio::test]
async fn requests_are_summed_up_by_who_took_part() {
    let (house, key) = used().await;
    let stats = house.get("/api/usage/stats?since=24h").await.json();
    assert_eq!((&stats["totalRequests"], &stats["totalErrors"]), (&json!(3), &json!(1)), "{stats}");
    assert_eq!(stats["byApiKey"][&key]["requests"], json!(3));
    assert_eq!(stats["byApiKey"][&key]["name"], json!("test"));
    assert_eq!(stats["byModel"]["demo/echo"]["requests"], json!(2));
    assert_eq!(stats["byProvider"]["demo"]["requests"], json!(3));
    assert!(stats["totalPromptTokens"].as_u64() > Some(0) && stats["totalCompletionTokens"].as_u64() > Some(0));
    let minutes = stats["last10Minutes"].as_array().expect("minutes");
    assert_eq!(minutes.len(), 10);
    assert_eq!(minutes.iter().filter_map(|minute| minute["requests"].as_u64()).sum::<u64>(), 3);
    assert_eq!(house.get("/api/usage/history").await.json()["totalRequests"], json!(3));
    let later = house.get("/api/usage/stats?since=2199-01-01T00:00:00Z").await.json();
    assert_eq!(later["totalRequests"], json!(0));
}

#[tokio::test]
async fn requests_that_no_provider_was_chosen_for_are_in_the_sums_too() {
    let house = House::new();
    let (_, key) = house.key(&["chat"]).await;
    assert_eq!(ask(&house, &key, "demo/echo").await.status, 200);
    assert_eq!(ask(&house, &key, "nobody/model").await.status, 404);
    house.flush();
    let stats = house.get("/api/usage/stats").await.json();
    assert_eq!((&stats["byProvider"]["-"]["requests"], &stats["byProvider"]["-"]["errors"]), (&json!(1), &json!(1)));
    let by_provider = stats["byProvider"].as_object().expect("sums");
    let sum: u64 = by_provider.values().filter_map(|sums| sums["requests"].as_u64()).sum();
    assert_eq!(Some(sum), stats["totalRequests"].as_u64(), "{stats}");
}

#[tokio::test]
async fn requests_are_listed_page_by_page_and_filtered() {
    let (house, key) = used().await;
    let first = house.get("/api/usage/logs?limit=2").await.json();
    assert_eq!((first["items"].as_array().map(Vec::len), &first["total"]), (Some(2), &json!(3)));
    let cursor = first["nextCursor"].as_str().expect("another page");
    let second = house.get(&format!("/api/usage/logs?limit=2&cursor={cursor}")).await.json();
    assert_eq!((second["items"].as_array().map(Vec::len), &second["nextCursor"]), (Some(1), &json!(null)));
    let ids: std::collections::HashSet<&Value> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["items"].as_array().expect("a list"))
        .map(|row| &row["id"])
        .collect();
    assert_eq!(ids.len(), 3, "no request twice, none left out");

    let count = async |filter: &str| house.get(&format!("/api/usage/logs?{filter}")).await.json()["total"].clone();
    assert_eq!(count("outcome=error").await, json!(1));
    assert_eq!(count("status=200&model=echo").await, json!(2));
    assert_eq!(count("provider=openai").await, json!(0));
    assert_eq!(count(&format!("apiKey={key}")).await, json!(3));
    for bad in ["limit=0", "limit=1001", "cursor=x", "outcome=fine", "since=soon"] {
        assert_eq!(house.get(&format!("/api/usage/logs?{bad}")).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_request_is_told_with_every_attempt() {
    let (house, _) = used().await;
    let failed = house.get("/api/usage/logs?outcome=error").await.json()["items"][0].clone();
    let path = format!("/api/usage/request/{}", failed["id"].as_str().expect("an id"));
    let request = house.get(&path).await.json()["request"].clone();
    assert_eq!((&request["status"], &request["askedModel"]), (&json!(503), &json!("demo/down")));
    assert!(request["error"]["code"].is_string(), "{request}");
    let attempts = request["attempts"].as_array().expect("attempts");
    assert_eq!((attempts.len(), &attempts[0]["n"], &attempts[0]["provider"]), (1, &json!(1), &json!("demo")));
    for missing in ["/api/usage/request/req_0000000000000", "/api/usage/request/x"] {
        assert_eq!(house.get(missing).await.status, 404);
    }
}

#[tokio::test]
async fn an_unknown_price_is_no_price_of_zero() {
    let (house, provider) = (House::new(), Provider::start().await);
    let (_, key) = house.key(&["chat"]).await;
    let own = json!({"provider": "openai-compatible", "prefix": "mk", "baseUrl": provider.base_url(), "local": true});
    assert_eq!(house.post("/api/providers", own).await.status, 201);
    assert_eq!(ask(&house, &key, "mk/unheard-of").await.status, 200);
    assert_eq!(ask(&house, &key, "demo/echo").await.status, 200);
    house.flush();
    let row = async |model: &str| house.get(&format!("/api/usage/logs?model={model}")).await.json()["items"][0].clone();
    let free = row("echo").await;
    assert_eq!(
        (&free["cost"], &free["costMark"], &free["tokensMark"]),
        (&json!(0.0), &json!("estimated"), &json!("reported"))
    );
    let unknown = row("unheard-of").await;
    assert_eq!((&unknown["cost"], &unknown["costMark"]), (&json!(null), &json!("unpriced")));
    let stats = house.get("/api/usage/stats").await.json();
    assert_eq!((&stats["unpricedRequests"], &stats["byProvider"]["mk"]["requests"]), (&json!(1), &json!(1)));
}
