//! Who gets in where: every route that is described, and paths that are none.

use axum::Router;
use axum::routing::get;
use http::Method;
use serde_json::{Value, json};

use crate::principal::PUBLIC;
use crate::router::{openapi_json, wrap};
use crate::test_house::{House, request, send};

/// Every described route, with something in the place of ids.
fn described() -> Vec<(Method, String, bool)> {
    let document: Value = serde_json::from_str(&openapi_json()).expect("a description");
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let is_public = operation["security"] == json!([{}]);
            found.push((method, path.replace("{id}", "nothing"), is_public));
        }
    }
    assert!(found.len() > 25, "the description lost its routes");
    found
}

#[tokio::test]
async fn every_route_asks_for_a_key_with_the_scope_manage() {
    let house = House::new();
    let (_, chat) = house.key(&["chat"]).await;
    let (_, manage) = house.key(&["manage"]).await;
    let (id, revoked) = house.key(&["manage"]).await;
    assert_eq!(house.local(Method::DELETE, &format!("/api/keys/{id}"), None).await.status, 200);
    let foreign = format!("sk-omni-{}", "A".repeat(43));
    for (method, path, is_public) in described() {
        if is_public {
            continue;
        }
        let strangers =
            [(None, 401), (Some(foreign.as_str()), 401), (Some(revoked.as_str()), 401), (Some(chat.as_str()), 403)];
        for (key, expected) in strangers {
            let answer = house.tcp(method.clone(), &path, key, None).await;
            assert_eq!(answer.status, expected, "{method} {path} with {key:?}: {}", answer.text);
            let class = answer.json()["error"]["code"].clone();
            assert_eq!(class, if expected == 401 { "UNAUTHORIZED" } else { "FORBIDDEN" });
        }
        let answer = house.tcp(method.clone(), &path, Some(&manage), None).await;
        assert!(!matches!(answer.status, 401 | 403), "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn only_what_is_on_the_list_is_answered_to_anybody() {
    let house = House::new();
    let mut open: Vec<(Method, String)> =
        described().into_iter().filter(|route| route.2).map(|route| (route.0, route.1)).collect();
    // The page is no management route, so it is not described.
    open.push((Method::GET, "/".to_owned()));
    assert_eq!(open.len(), PUBLIC.len());
    for path in PUBLIC {
        assert!(open.contains(&(Method::GET, (*path).to_owned())), "{path} is described as open");
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(house.tcp(method.clone(), path, None, None).await.status, 200, "{method} {path}");
        }
        assert_eq!(house.tcp(Method::DELETE, path, None, None).await.status, 401, "{path}");
    }
    assert_eq!(house.tcp(Method::GET, "/api/health", None, None).await.json(), json!({"ok": true}));
}

#[tokio::test]
async fn no_spelling_of_a_path_gets_past_the_check() {
    let house = House::new();
    let spellings = [
        "/api",
        "/api/",
        "/api/keys/",
        "/api//keys",
        "//api/keys",
        "/API/keys",
        "/api/KEYS",
        "/api/%6beys",
        "/%61pi/keys",
        "/api/keys%2f",
        "/api/./keys",
        "/api/v1/../keys",
        "/api/health/",
        "/api/health/../keys",
        "/api/Health",
        "/api/nothing",
        "/api/keys?x=/api/health",
        "/api/v1/nothing",
    ];
    for path in spellings {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS, Method::HEAD] {
            let answer = house.tcp(method.clone(), path, None, None).await;
            assert!(matches!(answer.status, 401 | 404), "{method} {path}: {} {}", answer.status, answer.text);
        }
    }
    for (method, path, is_public) in described() {
        let twisted = [
            path.to_uppercase(),
            path.replacen('/', "//", 2),
            format!("{path}/"),
            format!("/.{path}"),
            path.replace("/api/", "/api/%2e/"),
            path.replace("/api", "/%2fapi"),
        ];
        for spelling in twisted {
            let answer = house.tcp(method.clone(), &spelling, None, None).await;
            assert!(matches!(answer.status, 401 | 404), "{method} {spelling} ({is_public}): {}", answer.status);
        }
    }
    let overridden =
        [("x-http-method-override", "GET"), ("x-original-url", "/api/health"), ("x-forwarded-for", "127.0.0.1")];
    for (name, value) in overridden {
        let mut request = request(Method::GET, "/api/keys", None, None);
        request.headers_mut().insert(name, value.parse().expect("a value"));
        assert_eq!(send(&super::super::everything(&house.instance), request).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn a_route_that_nobody_gave_a_policy_is_not_served() {
    let house = House::new();
    let rogue = Router::new().route("/api/rogue", get(async || "here")).route("/rogue", get(async || "here"));
    let wrapped = wrap(rogue, &house.instance);
    for path in ["/api/rogue", "/rogue"] {
        assert_eq!(send(&wrapped, request(Method::GET, path, None, None)).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_said_to_be_that() {
    let house = House::new();
    let (_, manage) = house.key(&["manage"]).await;
    let ask = async |method: Method, path: &str| house.tcp(method, path, Some(&manage), None).await;
    let unknown = ask(Method::GET, "/api/nothing").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "unknown_route"));
    assert_eq!(unknown.json()["error"]["code"], "RESOURCE_NOT_FOUND");
    let wrong = ask(Method::DELETE, "/api/version").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(ask(Method::POST, "/api/health").await.status, 405);
}

#[tokio::test]
async fn a_key_counts_in_the_head_only_and_head_is_answered_as_get_is() {
    let house = House::new();
    let (_, manage) = house.key(&["manage"]).await;
    for name in ["key", "api_key", "apiKey", "token"] {
        let answer = house.tcp(Method::GET, &format!("/api/keys?{name}={manage}"), None, None).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "missing_api_key"), "{name}");
    }
    assert_eq!(house.tcp(Method::HEAD, "/api/keys", Some(&manage), None).await.status, 200);
    assert_eq!(house.tcp(Method::HEAD, "/api/keys", None, None).await.status, 401);
}

#[tokio::test]
async fn a_key_without_the_scope_learns_the_way_out() {
    let house = House::new();
    let (_, chat) = house.key(&["chat"]).await;
    let refused = house.tcp(Method::GET, "/api/keys", Some(&chat), None).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "scope_missing"));
    assert!(refused.text.contains("--scope manage"), "{}", refused.text);
}

#[tokio::test]
async fn an_id_that_is_no_text_is_refused_like_everything_else() {
    let house = House::new();
    for path in ["/api/providers/%FF", "/api/usage/request/%FF"] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_path"), "{}", answer.text);
    }
    assert_eq!(house.local(Method::DELETE, "/api/keys/%FF", None).await.code(), "invalid_path");
}

#[tokio::test]
async fn every_answer_names_its_request_and_forbids_keeping_it() {
    let house = House::new();
    let mut named = request(Method::GET, "/api/keys", None, None);
    named.headers_mut().insert("x-request-id", "abc-1".parse().expect("a value"));
    let answer = send(&super::super::everything(&house.instance), named).await;
    assert_eq!(answer.headers["x-request-id"], "abc-1");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    let own = house.get("/api/version").await;
    assert!(own.headers["x-request-id"].to_str().expect("a text").starts_with("req_"));
    assert_eq!(own.json()["currentVersion"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn bodies_are_held_to_their_shape() {
    let house = House::new();
    let router = crate::router::for_local_ui(&house.instance);
    let post = async |body: String| send(&router, request(Method::POST, "/api/keys", Some(body), None)).await;
    let check = async |body: &str, code: &str, field: Option<&str>| {
        let answer = post(body.to_owned()).await;
        let details = answer.json()["error"]["details"].clone();
        assert_eq!((answer.status, &details["code"]), (400, &json!(code)), "{}", answer.text);
        assert_eq!(details.get("field").cloned(), field.map(|name| json!(name)), "{}", answer.text);
    };
    check(r#"{"name":"a","scope":["chat"]}"#, "invalid_field", Some("scope")).await;
    check(&format!(r#"{{"scopes":{}"#, "[".repeat(100_000)), "invalid_field", Some("scopes[0]")).await;
    check(r#"{"scopes":["chat"]}"#, "invalid_field", Some("name")).await;
    check(r#"{"name":"a","name":"b"}"#, "invalid_field", Some("name")).await;
    check(r#"{"name":7}"#, "invalid_field", Some("name")).await;
    check(r#"{"name":"a","scopes":["chat",7]}"#, "invalid_field", Some("scopes[1]")).await;
    check(r#"{"name":"a"} x"#, "invalid_json", None).await;
    check(r#"{"name":"a","scopes":["root"]}"#, "invalid_scope", Some("scopes")).await;
    check(r#"{"name":"  "}"#, "invalid_field", Some("name")).await;
    check("{\"name\":", "invalid_json", None).await;
    check("", "invalid_json", None).await;
    check(r#"["a"]"#, "invalid_json", None).await;
    check(&"{\"a\":".repeat(100_000), "invalid_field", Some("a")).await;
    let large = post(format!(r#"{{"name":"{}"}}"#, "a".repeat(1 << 20))).await;
    assert_eq!((large.status, large.code().as_str()), (413, "request_too_large"));
    let mut form = request(Method::POST, "/api/keys", Some("name=a".into()), None);
    form.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
    assert_eq!(send(&router, form).await.status, 415);
    let query = house.get("/api/usage/logs?limt=5").await;
    assert_eq!((query.status, query.json()["error"]["details"]["field"].clone()), (400, json!("limt")));
}
