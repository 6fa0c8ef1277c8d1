//! Client keys: shown once, in force and out of force at once.

use http::Method;
use serde_json::json;

use crate::test_house::House;

#[tokio::test]
async fn a_key_is_shown_once_and_listed_without_itself() {
    let house = House::new();
    let (id, key) = house.key(&["manage", "chat", "chat"]).await;
    let listed = house.get("/api/keys").await;
    assert!(!listed.text.contains(&key), "the list shows no key");
    let shown = &listed.json()["keys"][0];
    assert_eq!(shown["id"], json!(id));
    assert_eq!(shown["scopes"], json!(["chat", "manage"]), "each once, in order");
    assert_eq!(shown["last4"], json!(&key[key.len() - 4..]));
    assert!(key.starts_with(shown["prefix"].as_str().expect("a prefix")));
    assert_eq!((&shown["isActive"], &shown["lastUsedAt"]), (&json!(true), &json!(null)));
}

#[tokio::test]
async fn a_change_is_in_force_when_it_is_answered() {
    let house = House::new();
    let (id, key) = house.key(&["chat"]).await;
    let path = format!("/api/keys/{id}");
    let status = async |key: &str| house.tcp(Method::GET, "/v1/models", Some(key), None).await.status;
    assert_eq!(status(&key).await, 200);

    let change = async |body| house.local(Method::PATCH, &path, Some(body)).await;
    assert_eq!(change(json!({"isActive": false})).await.status, 200);
    assert_eq!(status(&key).await, 401, "switched off");
    assert_eq!(change(json!({"isActive": true, "scopes": ["manage"]})).await.status, 200);
    assert_eq!(status(&key).await, 403, "without the scope");
    let put = house.local(Method::PUT, &path, Some(json!({"scopes": ["chat"], "name": "new"}))).await;
    assert_eq!(put.json()["key"]["name"], "new");
    assert_eq!(status(&key).await, 200);

    let rotated = house.local(Method::POST, &format!("{path}/rotate"), None).await.json();
    let fresh = rotated["key"].as_str().expect("a key");
    assert_eq!((status(&key).await, status(fresh).await), (401, 200), "the old one is out, the new one in");
    assert_eq!(house.local(Method::DELETE, &path, None).await.status, 200);
    assert_eq!(status(fresh).await, 401, "removed");
    assert_eq!(house.local(Method::DELETE, &path, None).await.status, 404);
}

#[tokio::test]
async fn a_key_ends_when_it_was_told_to() {
    let house = House::new();
    let past = house.post("/api/keys", json!({"name": "a", "expiresAt": "2020-01-01T00:00:00Z"})).await;
    assert_eq!((past.status, past.json()["error"]["details"]["field"].clone()), (400, json!("expiresAt")));
    let made = house.post("/api/keys", json!({"name": "a", "expiresAt": "2199-01-01T00:00:00Z"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(house.get("/api/keys").await.json()["keys"][0]["expiresAt"], "2199-01-01T00:00:00.000Z");
    let cleared = house.local(Method::PATCH, &format!("/api/keys/{id}"), Some(json!({"expiresAt": null}))).await;
    assert_eq!(cleared.json()["key"]["expiresAt"], json!(null));
    let nothing = house.local(Method::PATCH, &format!("/api/keys/{id}"), Some(json!({}))).await;
    assert_eq!((nothing.status, nothing.code().as_str()), (400, "no_changes"));
}

#[tokio::test]
async fn every_change_is_written_down_with_who_made_it() {
    let house = House::new();
    let (manager, manage) = house.key(&["manage"]).await;
    let made = house.tcp(Method::POST, "/api/keys", Some(&manage), Some(json!({"name": "a"}))).await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    house.tcp(Method::DELETE, &format!("/api/keys/{id}"), Some(&manage), None).await;
    house.flush();
    let audit = house.instance.log().audit(None, 10).expect("the log");
    let rows: Vec<(String, String, String)> =
        audit.into_iter().map(|(_, row)| (row.actor, row.action, row.subject)).collect();
    let by = format!("key:{manager}");
    assert_eq!(rows[0], (by.clone(), "key.delete".into(), id.clone()));
    assert_eq!(rows[1], (by, "key.create".into(), id));
    assert_eq!(rows[2], ("local".into(), "key.create".into(), manager));
}
