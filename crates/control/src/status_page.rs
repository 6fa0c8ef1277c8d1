//! The status page at `/`, until the dashboard takes its place: one document, nothing fetched from
//! elsewhere. It shows nothing worth protecting; with a key pasted in it asks the management routes.
//!
//! The policy in its header allows exactly this style and this script, by their hashes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::instance::Instance;

const HTML: &str = include_str!("status_page/page.html");
const CSS: &str = include_str!("status_page/page.css");
const JS: &str = include_str!("status_page/page.js");

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(crate) fn routes() -> Router<Instance> {
    let policy = HeaderValue::try_from(policy()).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    let page: Arc<str> =
        HTML.replace("{{css}}", CSS).replace("{{js}}", JS).replace("{{version}}", env!("CARGO_PKG_VERSION")).into();
    let answer =
        async move |State(instance): State<Instance>, headers: HeaderMap| show(&instance, &headers, (&page, &policy));
    Router::new().route("/", get(answer))
}

fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        hash(CSS),
        hash(JS)
    )
}

fn show(instance: &Instance, headers: &HeaderMap, (page, policy): (&str, &HeaderValue)) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| is_plain(host));
    let usual = format!("127.0.0.1:{}", instance.settings().port);
    let mut response = Html(page.replace("{{host}}", host.unwrap_or(&usual))).into_response();
    let fields = response.headers_mut();
    fields.insert(CONTENT_SECURITY_POLICY, policy.clone());
    fields.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    fields.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    fields.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// Whether a host can stand in a page as it is. The listener lets only its own names through; this
/// does not rely on it.
fn is_plain(host: &str) -> bool {
    host.len() <= 100
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use http::Method;
    use sha2::Digest as _;

    use crate::router;
    use crate::test_house::{House, request, send};

    #[tokio::test]
    async fn the_page_says_where_to_point_a_tool_and_nothing_of_the_user() {
        let house = House::new();
        let (_, key) = house.key(&["manage"]).await;
        let mut asked = request(Method::GET, "/", None, None);
        asked.headers_mut().insert("host", "127.0.0.1:4711".parse().unwrap());
        let page = send(&router::everything(&house.instance), asked).await;
        assert_eq!(page.status, 200);
        for part in ["http://127.0.0.1:4711/v1", "demo/echo", env!("CARGO_PKG_VERSION"), "YOUR_KEY"] {
            assert!(page.text.contains(part), "`{part}` is missing");
        }
        let folder = house.instance.data_dir().display().to_string();
        assert!(!page.text.contains("{{") && !page.text.contains(&folder) && !page.text.contains(&key));
    }

    #[tokio::test]
    async fn a_host_that_is_no_host_does_not_get_into_the_page() {
        let house = House::new();
        let mut asked = request(Method::GET, "/", None, None);
        asked.headers_mut().insert("host", "a<script>alert(1)</script>".parse().unwrap());
        let page = send(&router::everything(&house.instance), asked).await;
        assert!(page.text.contains("http://127.0.0.1:20128/v1") && !page.text.contains("alert(1)"));
    }

    #[tokio::test]
    async fn the_policy_allows_this_script_and_style_and_nothing_else() {
        let page = House::new().tcp(Method::GET, "/", None, None).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        for (open, close, directive) in [("<script>", "</script>", "script-src"), ("<style>", "</style>", "style-src")]
        {
            let inline = page.text.split_once(open).unwrap().1.split_once(close).unwrap().0;
            let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(inline));
            assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{directive} in {policy}");
            assert_eq!(page.text.matches(open.trim_end_matches('>')).count(), 1, "one {open}");
        }
        for word in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(word), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        let rest = page.text.replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1:20128", "");
        assert!(
            !rest.contains("http:")
                && !rest.contains("https:")
                && !rest.contains(" style=")
                && !rest.contains(" onclick")
        );
        assert!(!rest.contains("innerHTML") && !rest.contains("localStorage"), "text only, and nothing is kept");
    }
}
