//! The routes tools call, and nothing else.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use omniroute_domain::{Fault, FaultKind};

use crate::call::ClientCall;
use crate::gateway::Gateway;
use crate::{models, pipeline, record, reject, request_id};

/// The routes of the data plane. Every one of them asks for a client key with the scope `chat`, except
/// the two that say only that the gateway is alive.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let mut router = Router::new();
    for prefix in ["/v1", "/api/v1", ""] {
        let path = |rest: &str| format!("{prefix}{rest}");
        router = router
            .route(&path("/chat/completions"), post(chat))
            .route(&path("/models"), get(models::list))
            .route(&path("/models/{*id}"), get(models::one));
    }
    router
        .route("/v1/providers/{provider}/chat/completions", post(chat_at))
        .route("/api/v1/providers/{provider}/chat/completions", post(chat_at))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(gateway)
}

async fn chat(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let call = open(&gateway, request, None);
    pipeline::answer(gateway, call).await
}

async fn chat_at(State(gateway): State<Arc<Gateway>>, Path(provider): Path<String>, request: Request) -> Response {
    let call = open(&gateway, request, Some(provider));
    pipeline::answer(gateway, call).await
}

fn open(gateway: &Gateway, request: Request, provider: Option<String>) -> ClientCall {
    let (head, body) = request.into_parts();
    let id = gateway.ids.next(record::now_ms());
    let request_id = request_id::request_id(&head.headers, || id.to_string());
    ClientCall { head, body, provider, id, request_id, started: Instant::now() }
}

async fn unknown_route(request: Request) -> Response {
    let text =
        format!("there is no `{}` here; tools use `/v1/chat/completions` and `/v1/models`", request.uri().path());
    let fault = Fault::new(FaultKind::NotFound, "unknown_route", text);
    reject::fault_response(&fault, &request_id::some_request_id(request.headers()))
}

async fn wrong_method(request: Request) -> Response {
    let text = format!("`{}` does not answer to {}", request.uri().path(), request.method());
    let fault = Fault::new(FaultKind::MethodNotAllowed, "method_not_allowed", text);
    reject::fault_response(&fault, &request_id::some_request_id(request.headers()))
}
