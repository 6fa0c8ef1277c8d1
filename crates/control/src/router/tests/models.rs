//! What can be asked for, what the catalog knows, and what people add and hide.

use http::Method;
use serde_json::{Value, json};

use crate::test_house::House;

async fn listed(house: &House, search: &str) -> Vec<String> {
    let answer = house.get(&format!("/api/models?search={search}")).await.json();
    let models = answer["models"].as_array().expect("a list").iter();
    models.map(|model| model["id"].as_str().expect("an id").to_owned()).collect()
}

async fn connect(house: &House, provider: &str) {
    let body = json!({"provider": provider, "apiKey": "sk-0123456789abcdef", "noTest": true});
    let made = house.post("/api/providers", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

#[tokio::test]
async fn the_demo_is_there_from_the_start() {
    let house = House::new();
    assert!(listed(&house, "demo/echo").await.contains(&"demo/echo".to_owned()));
    assert!(listed(&house, "openai/").await.is_empty(), "nothing else is connected");
    let catalog = house.get("/api/models/catalog").await.json();
    assert_eq!(catalog["providers"]["demo"]["connected"], json!(true));
    assert_eq!(catalog["providers"]["openai"]["connected"], json!(false));
    assert_ne!(catalog["providers"]["openai"]["models"], json!([]), "the catalog knows them all the same");
}

#[tokio::test]
async fn a_model_can_be_added_hidden_and_shown_again() {
    let house = House::new();
    connect(&house, "openai").await;
    let model = listed(&house, "openai/").await.first().cloned().expect("a model");
    let id = model.strip_prefix("openai/").expect("a prefix");
    let patch = async |hidden: bool| {
        let body = json!({"provider": "openai", "modelId": id, "hidden": hidden});
        house.local(Method::PATCH, "/api/provider-models", Some(body)).await
    };
    assert_eq!(patch(true).await.json()["model"]["hidden"], json!(true));
    assert!(!listed(&house, "openai/").await.contains(&model));
    assert_eq!(patch(false).await.status, 200);
    assert!(listed(&house, "openai/").await.contains(&model));
    assert_eq!(house.get("/api/provider-models").await.json()["models"], json!([]), "it is the catalog's again");

    let new = json!({"provider": "openai", "modelId": "ft:mine", "modelName": "Mine"});
    assert_eq!(house.post("/api/provider-models", new).await.json()["success"], json!(true));
    let answer = house.get("/api/models?search=ft:mine").await.json();
    assert_eq!((&answer["models"][0]["custom"], &answer["models"][0]["name"]), (&json!(true), &json!("Mine")));
    let one = house.get("/api/provider-models?provider=openai").await.json();
    assert_eq!(one["models"][0]["id"], json!("ft:mine"));
    let path = "/api/provider-models?provider=openai&model=ft:mine";
    assert_eq!(house.local(Method::DELETE, path, None).await.json(), json!({"success": true}));
    assert_eq!(house.local(Method::DELETE, path, None).await.status, 404);
}

#[tokio::test]
async fn what_is_no_model_can_not_be_changed() {
    let house = House::new();
    let patch = async |body: Value| house.local(Method::PATCH, "/api/provider-models", Some(body)).await;
    let unknown = patch(json!({"provider": "openai", "modelId": "no-such", "hidden": true})).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "not_found"));
    let nobody = patch(json!({"provider": "nobody", "modelId": "m", "hidden": true})).await;
    assert_eq!((nobody.status, nobody.code().as_str()), (422, "provider_unknown"));
    let format = json!({"provider": "openai", "modelId": "m", "apiFormat": "responses"});
    assert_eq!(house.post("/api/provider-models", format).await.code(), "api_format_not_ready");
}

#[tokio::test]
async fn every_provider_says_whether_it_can_be_connected_and_what_its_terms_are() {
    let house = House::new();
    connect(&house, "openai").await;
    let answer = house.get("/api/providers/available").await.json();
    let find = |id: &str| {
        let rows = answer["providers"].as_array().expect("a list");
        rows.iter().find(|row| row["id"] == id).cloned().unwrap_or_else(|| panic!("no `{id}`"))
    };
    let openai = find("openai");
    assert_eq!((&openai["readiness"], &openai["accountCount"]), (&json!("ready"), &json!(1)));
    assert_eq!(find("cursor")["readiness"], json!("later"));
    assert_ne!(find("cursor")["readinessText"], json!(""));
    assert!(find("claude")["terms"]["risk"].is_string());
    assert_eq!(answer["providers"].as_array().map(Vec::len), Some(house.instance.catalog().providers().len()));
}

#[tokio::test]
async fn a_variants_prefix_connects_to_the_variants_address() {
    let house = House::new();
    connect(&house, "byteplus").await;
    let shown = house.get("/api/providers").await.json()["connections"][0].clone();
    assert_eq!((&shown["provider"], &shown["prefix"]), (&json!("volcengine"), &json!("byteplus")));
    let address = shown["providerSpecificData"]["baseUrl"].as_str().expect("an address");
    assert!(address.contains("bytepluses"), "{address}");
}

#[tokio::test]
async fn a_search_finds_the_models_of_a_provider_by_its_name() {
    let house = House::new();
    connect(&house, "byteplus").await;
    let all = listed(&house, "byteplus/").await;
    assert!(!all.is_empty());
    for word in ["volcengine", "VOLC"] {
        assert_eq!(listed(&house, word).await, all, "{word}");
    }
}

#[tokio::test]
async fn a_model_of_another_provider_can_not_be_hidden() {
    let house = House::new();
    let path = "/api/provider-models";
    let elsewhere = json!({"provider": "openai", "modelId": "echo", "hidden": true});
    let answer = house.local(Method::PATCH, path, Some(elsewhere)).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "the demo has it, openai does not");
}
