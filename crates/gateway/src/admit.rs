//! Who asks, and whether they may.
//!
//! What comes in: a request's head. What goes out: the client key in force. What can refuse: no key, a
//! key nobody knows (revoked ones are not known), a key that has ended, a key without the scope. The
//! body has not been read yet, so a stranger costs us nothing.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::AUTHORIZATION;
use http::request::Parts;
use omniroute_domain::{Fault, FaultKind};
use omniroute_vault::client_key;

use crate::snapshot::{ClientKey, Scope, Snapshot};

/// Lets a tool ask models.
pub(crate) fn admit(snapshot: &Snapshot, head: &Parts) -> Result<Arc<ClientKey>, Fault> {
    check(snapshot, head, Scope::Chat)
}

/// Finds the key of a request and checks that it has a scope.
pub fn check(snapshot: &Snapshot, head: &Parts, scope: Scope) -> Result<Arc<ClientKey>, Fault> {
    let Some(presented) = presented(head) else {
        let text = "no API key was sent; send one in the field `Authorization`, after the word `Bearer`";
        return Err(Fault::new(FaultKind::ClientAuth, "missing_api_key", text));
    };
    let key = snapshot.keys.get(&client_key::hash(presented)).filter(|key| !has_ended(key));
    let Some(key) = key else {
        let text = "this API key is not known here; it may have been revoked or replaced";
        return Err(Fault::new(FaultKind::ClientAuth, "invalid_api_key", text));
    };
    if !key.scopes.contains(&scope) {
        let text = format!("this API key lacks the scope `{}`", scope.as_str());
        return Err(Fault::new(FaultKind::Forbidden, "scope_missing", text));
    }
    Ok(Arc::clone(key))
}

fn has_ended(key: &ClientKey) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    key.expires_at.is_some_and(|end| i128::from(end) <= now.as_millis() as i128)
}

/// The key in any form a tool may send it; the one place that knows them all.
fn presented(head: &Parts) -> Option<&[u8]> {
    let field = |name: &str| head.headers.get(name).map(|value| value.as_bytes().trim_ascii());
    let bearer = head.headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
    bearer.or_else(|| field("x-api-key")).or_else(|| field("x-goog-api-key")).or_else(|| in_query(head.uri.query()?))
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

fn in_query(query: &str) -> Option<&[u8]> {
    const NAMES: [&str; 4] = ["key", "api_key", "apiKey", "token"];
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| NAMES.contains(name))
        .map(|(_, key)| key.as_bytes())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::presented;

    #[track_caller]
    fn check(request: http::request::Builder, key: Option<&str>) {
        let (head, ()) = request.body(()).expect("a request").into_parts();
        assert_eq!(presented(&head), key.map(str::as_bytes));
    }

    #[test]
    fn a_key_is_found_in_every_form() {
        check(Request::get("/v1/models").header("authorization", "Bearer k1"), Some("k1"));
        check(Request::get("/v1/models").header("authorization", "bearer  k1 "), Some("k1"));
        check(Request::get("/v1/models").header("x-api-key", "k2"), Some("k2"));
        check(Request::get("/v1/models").header("x-goog-api-key", "k3"), Some("k3"));
        check(Request::get("/v1/models?alt=sse&key=k4"), Some("k4"));
        check(Request::get("/v1/models").header("authorization", "Basic eDp5"), None);
        check(Request::get("/v1/models?monkey=k"), None);
    }
}
