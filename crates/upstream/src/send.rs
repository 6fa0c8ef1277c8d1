//! One exchange with one account.
//!
//! What comes in: an account and a body. What goes out: a successful answer whose body is still to
//! come, or a classified fault. A request that dies on a reused connection before a byte of its
//! answer came is sent once more, on a fresh connection; nothing else is repeated here.

use std::error::Error;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use omniroute_domain::{Fault, FaultKind};
use omniroute_wire::openai_chat::error as wire_error;
use omniroute_wire::splice::Segments;

use crate::account::{Account, Credential, HttpRoute, Route};
use crate::answer::{self, Answer, AnswerBody};
use crate::connect::Trouble;
use crate::io::Track;
use crate::limits::Limits;
use crate::pool::{Http, Pool, Pools, SegmentBody};
use crate::{demo, retry_after};

/// Fields of the client's request that go on to the provider. Everything else stays here: a field that
/// is not on this list can't leak a key, a cookie or the client's identity.
const FORWARDED: [HeaderName; 2] = [HeaderName::from_static("idempotency-key"), HeaderName::from_static("openai-beta")];

const OUR_NAME: HeaderValue = HeaderValue::from_static(concat!("OmniRoute/", env!("CARGO_PKG_VERSION")));

/// How long the text of a refusal is waited for.
const REFUSAL: Duration = Duration::from_secs(5);

/// One request to one account.
pub struct Call<'a> {
    /// Who answers.
    pub account: &'a Account,
    /// The base address the model's prefix leads to, where it is not the provider's usual one.
    pub base: Option<&'a str>,
    /// What is asked.
    pub body: &'a Segments,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The head of the client's request.
    pub client: &'a HeaderMap,
}

/// The way to all providers.
pub struct Upstream {
    pools: Pools,
    /// The limits in force.
    pub limits: Limits,
}

impl Upstream {
    /// Opens no connection yet.
    pub fn new(limits: Limits) -> Self {
        Self { pools: Pools::new(&limits), limits }
    }

    /// Asks an account's chat endpoint.
    pub async fn chat(&self, call: Call<'_>) -> Result<Answer, Fault> {
        match &call.account.route {
            Route::Demo => demo::answer(call.body, &self.limits).await,
            Route::Http(route) => {
                let head = self.first_byte(&call);
                let uri = route.chat_at(call.base)?;
                let request = || chat_request(route, &uri, &call);
                let response = self.exchange(route, request, head).await?;
                self.judge(response).await
            }
        }
    }

    /// Gets one of an account's own pages, such as its list of models.
    pub(crate) async fn get(&self, route: &HttpRoute, uri: &Uri) -> Result<Answer, Fault> {
        let request = || {
            let mut request = Request::new(SegmentBody::from(&Segments::default()));
            *request.uri_mut() = uri.clone();
            dress(route, request.headers_mut());
            Ok(request)
        };
        let response = self.exchange(route, request, self.limits.first_byte).await?;
        self.judge(response).await
    }

    fn first_byte(&self, call: &Call<'_>) -> Duration {
        if call.stream { self.limits.first_byte } else { self.limits.whole_answer }
    }

    async fn exchange(
        &self,
        route: &HttpRoute,
        request: impl Fn() -> Result<Request<SegmentBody>, Fault>,
        limit: Duration,
    ) -> Result<Response<Incoming>, Fault> {
        let Pool { pooled, fresh } = self.pools.of(route.reach);
        let both = async {
            let first = request()?;
            route.check_origin(first.uri())?;
            match once(pooled, first).await {
                Err(failure) if failure.silent_on_reuse => once(fresh, request()?).await,
                outcome => outcome,
            }
            .map_err(|failure| unreachable(failure.error))
        };
        tokio::time::timeout(limit, both).await.unwrap_or_else(|_| Err(slow(limit)))
    }

    /// An answer of success goes on; any other is read as far as needed and classified.
    async fn judge(&self, response: Response<Incoming>) -> Result<Answer, Fault> {
        let (head, body) = response.into_parts();
        let body = AnswerBody::http(body, self.limits.idle);
        let status = head.status.as_u16();
        let readable = head.headers.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
        if head.status.is_success() {
            let text = "the provider compressed its answer although it was asked not to";
            let compressed = || Fault::new(FaultKind::Upstream, "upstream_encoding", text);
            return readable.then_some(Answer { status, headers: head.headers, body }).ok_or_else(compressed);
        }
        if head.status.is_redirection() {
            let text = "the provider answered with a redirect, which is not followed; check the base address";
            let mut fault = Fault::new(FaultKind::Upstream, "upstream_redirect", text);
            fault.upstream_status = Some(status);
            return Err(fault);
        }
        let text = if readable { read_error(body, self.limits.error_bytes).await } else { Vec::new() };
        let rejection = wire_error::decode(status, &text);
        Err(wire_error::classify(status, &rejection, retry_after::read(&head.headers)))
    }
}

/// What went wrong with one sending, and whether it may be repeated on a fresh connection.
struct Failure {
    error: hyper_util::client::legacy::Error,
    silent_on_reuse: bool,
}

async fn once(client: &Http, mut request: Request<SegmentBody>) -> Result<Response<Incoming>, Failure> {
    let captured = capture_connection(&mut request);
    let outcome = client.request(request).await;
    let track = track(&captured);
    match outcome {
        Ok(response) => {
            track.inspect(Track::answered);
            Ok(response)
        }
        Err(error) => {
            let silent_on_reuse = track.is_some_and(|track| track.died_in_silence_on_reuse());
            Err(Failure { error, silent_on_reuse })
        }
    }
}

fn track(captured: &CaptureConnection) -> Option<Track> {
    let mut extras = Extensions::new();
    captured.connection_metadata().as_ref()?.get_extras(&mut extras);
    extras.get::<Track>().cloned()
}

fn chat_request(route: &HttpRoute, uri: &Uri, call: &Call<'_>) -> Result<Request<SegmentBody>, Fault> {
    let mut request = Request::new(SegmentBody::from(call.body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    let headers = request.headers_mut();
    headers.reserve(12);
    for name in FORWARDED {
        if let Some(value) = call.client.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let accept = if call.stream { "text/event-stream" } else { "application/json" };
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    dress(route, headers);
    Ok(request)
}

/// Sets what every request of an account carries: our name, the provider's own fields, the credential.
fn dress(route: &HttpRoute, headers: &mut HeaderMap) {
    headers.insert(USER_AGENT, OUR_NAME);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in &route.headers {
        headers.insert(name.clone(), value.clone());
    }
    if let Some(Credential { name, value, .. }) = &route.credential {
        headers.insert(name.clone(), value.clone());
    } else {
        headers.remove(AUTHORIZATION);
    }
}

/// What a provider says about its refusal, as far as it comes in time: the next account waits for it.
async fn read_error(mut body: AnswerBody, limit: usize) -> Vec<u8> {
    let deadline = tokio::time::Instant::now() + REFUSAL;
    let mut text = Vec::new();
    while let Ok(Some(Ok(chunk))) = tokio::time::timeout_at(deadline, body.chunk()).await {
        text.extend_from_slice(&chunk[..chunk.len().min(limit - text.len())]);
        if text.len() == limit {
            break;
        }
    }
    text
}

fn slow(limit: Duration) -> Fault {
    let text = format!("the provider did not begin to answer within {} seconds", limit.as_secs_f64());
    Fault::new(FaultKind::Timeout, "upstream_first_byte_timeout", text)
}

/// Says why no answer's head came.
fn unreachable(error: hyper_util::client::legacy::Error) -> Fault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(here) = cause {
        if let Some(trouble) = here.downcast_ref::<Trouble>() {
            let (kind, code) = name(trouble);
            let text = format!("the provider can't be reached: {}", reason(trouble));
            return Fault::new(kind, code, text).because(error);
        }
        if here.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            let text = "the provider's answer is no valid HTTP, or its head is too large";
            return Fault::new(FaultKind::Upstream, "upstream_bad_http", text).because(error);
        }
        cause = here.source();
    }
    answer::lost(error)
}

/// The sentence, with the cause where it is the cause that says what to do: an unknown authority, an expired
/// certificate, another name.
fn reason(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Tls(_, why) => format!("{trouble} ({why})"),
        Trouble::Resolve(..)
        | Trouble::Blocked(_)
        | Trouble::Connect(..)
        | Trouble::Slow(..)
        | Trouble::Roots(_)
        | Trouble::Proxy(..) => trouble.to_string(),
    }
}

fn name(trouble: &Trouble) -> (FaultKind, &'static str) {
    match trouble {
        Trouble::Resolve(..) => (FaultKind::Upstream, "upstream_dns"),
        Trouble::Blocked(_) => (FaultKind::Upstream, "URL_GUARD_BLOCKED"),
        Trouble::Connect(..) => (FaultKind::Upstream, "upstream_connect"),
        Trouble::Slow(..) => (FaultKind::Timeout, "upstream_connect_timeout"),
        Trouble::Tls(..) | Trouble::Roots(_) => (FaultKind::Upstream, "upstream_tls"),
        Trouble::Proxy(..) => (FaultKind::Upstream, "upstream_proxy"),
    }
}
