//! The least gateway one would write on axum and reqwest: check the key, parse the request, take the
//! prefix off the model, read the usage from the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::exchange::PREFIX;
use crate::listen;

/// The key it lets in.
pub(crate) const KEY: &str = "sk-bench-0123456789";

/// Runs it as a process in front of a provider.
pub(crate) async fn run(provider: SocketAddr) -> Result<()> {
    let (listener, address) = listen::bind().await?;
    listen::tell_ready(address);
    tokio::select! {
        served = serve(listener, provider) => served,
        () = listen::orphaned() => Ok(()),
    }
}

/// Serves it on a listener.
pub(crate) async fn serve(listener: TcpListener, provider: SocketAddr) -> Result<()> {
    let client = reqwest::Client::builder()
        .tcp_nodelay(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("building the client")?;
    let url = format!("http://{provider}/v1/chat/completions");
    let state = Arc::new(Mini { client, url, tokens: AtomicU64::new(0) });
    let app =
        Router::new().route("/v1/chat/completions", post(chat)).layer(DefaultBodyLimit::disable()).with_state(state);
    let listener = listener.tap_io(|socket| {
        // Without it a burst of chunks waits 40 ms for an acknowledgement.
        let _closed_already = socket.set_nodelay(true);
    });
    axum::serve(listener, app).await.context("serving")
}

struct Mini {
    client: reqwest::Client,
    url: String,
    tokens: AtomicU64,
}

async fn chat(State(mini): State<Arc<Mini>>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if key.and_then(|value| value.strip_prefix("Bearer ")) != Some(KEY) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match relay(mini, &body).await {
        Ok(answer) => answer,
        Err(why) => (StatusCode::BAD_GATEWAY, format!("{why:#}")).into_response(),
    }
}

async fn relay(mini: Arc<Mini>, body: &[u8]) -> Result<Response> {
    let mut ask: Value = serde_json::from_slice(body).context("reading the request")?;
    let model = ask["model"].as_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_prefix('/'));
    ask["model"] = Value::from(model.context("no model under the prefix")?);
    let json = [(header::CONTENT_TYPE, "application/json")];
    let request = mini.client.post(&mini.url).bearer_auth("x").header(json[0].0.clone(), json[0].1);
    let answer = request.body(serde_json::to_vec(&ask)?).send().await.context("asking the provider")?;
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    if kind.as_ref().is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        let events = answer.bytes_stream().inspect_ok(move |chunk| mini.read_chunk(chunk));
        return Ok((status, [(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response());
    }
    let whole = answer.bytes().await.context("reading the answer")?;
    if let Ok(reply) = serde_json::from_slice::<Value>(&whole) {
        mini.count(&reply["usage"]);
    }
    Ok((status, json, whole).into_response())
}

impl Mini {
    fn read_chunk(&self, chunk: &[u8]) {
        let Some(at) = memchr::memmem::find(chunk, b"\"usage\":{") else { return };
        let start = memchr::memmem::rfind(&chunk[..at], b"data: ").map_or(0, |start| start + 6);
        let end = memchr::memchr(b'\n', &chunk[at..]).map_or(chunk.len(), |end| at + end);
        if let Ok(event) = serde_json::from_slice::<Value>(&chunk[start..end]) {
            self.count(&event["usage"]);
        }
    }

    fn count(&self, usage: &Value) {
        self.tokens.fetch_add(usage["total_tokens"].as_u64().unwrap_or(0), Ordering::Relaxed);
    }
}
