//! One try at one target, up to the provider's first useful event.
//!
//! What comes in: a chat request and a target. What goes out: a `First`, the commit point: an answer
//! that has begun, of which the client has received nothing yet. What can refuse: everything between us
//! and the provider, and an answer that says 200 and is none.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use omniroute_domain::{Fault, FaultKind, Retry, StreamEvent};
use omniroute_upstream::{Account, Answer, AnswerBody, Call};
use omniroute_wire::openai_chat::stream::{Decoder, Encoder, EncoderOptions};
use omniroute_wire::openai_chat::tap::{self, ReplyFacts, StreamTap};
use omniroute_wire::openai_chat::{error as wire_error, fold, reply, unfold};
use omniroute_wire::sse::{self, Cutter};

use crate::call::{Ask, UsageEvent};
use crate::gateway::Gateway;
use crate::shape::{self, Target};

/// An answer that has begun. From here on there is no other target.
pub(crate) enum First {
    /// A stream: what has been read of it, and the rest.
    Stream(Box<Opened>),
    /// A whole answer.
    Whole(Box<Whole>),
}

impl First {
    /// Whether the provider may not say how many tokens the request had.
    pub(crate) fn needs_estimate(&self) -> bool {
        match self {
            Self::Stream(_) => true,
            Self::Whole(whole) => !whole.facts.usage.is_reported(),
        }
    }
}

/// A stream whose first useful event is here.
pub(crate) struct Opened {
    pub(crate) body: AnswerBody,
    pub(crate) cutter: Cutter,
    pub(crate) tap: StreamTap,
    /// Whole events not yet sent to the client.
    pub(crate) ready: VecDeque<Bytes>,
    /// What the provider reported in place of the rest.
    pub(crate) failure: Option<Fault>,
    account: Arc<Account>,
    pub(crate) usage_event: UsageEvent,
    pub(crate) headers: HeaderMap,
}

/// A complete answer, and what was read of it on the side.
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    pub(crate) facts: ReplyFacts,
    pub(crate) headers: HeaderMap,
}

/// What one try is about.
#[derive(Clone, Copy)]
struct Try<'a> {
    gateway: &'a Gateway,
    target: &'a Target,
    ask: &'a Ask,
}

/// Tries a target. What the provider says about a failure is freed of the account's key.
pub(crate) async fn run(gateway: &Gateway, target: &Target, ask: &Ask, client: &HeaderMap) -> Result<First, Fault> {
    try_once(gateway, target, ask, client).await.map_err(|fault| target.account.redacted(fault))
}

async fn try_once(gateway: &Gateway, target: &Target, ask: &Ask, client: &HeaderMap) -> Result<First, Fault> {
    let body = shape::body_for(ask, target);
    let call = Call { account: &target.account, base: target.base(), body: &body, stream: ask.stream, client };
    let answer = gateway.upstream.chat(call).await?;
    if ask.stream {
        let limit = gateway.upstream.limits.first_event;
        let opening = open(Try { gateway, target, ask }, answer);
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(nothing_useful(limit.as_secs_f64())))
    } else {
        let limit = gateway.upstream.limits.whole_answer;
        let whole = tokio::time::timeout(limit, whole(gateway, answer)).await.unwrap_or_else(|_| Err(endless(limit)));
        whole.map(Box::new).map(First::Whole)
    }
}

/// The most that is held of a stream before its first useful event.
const PREAMBLE: usize = 256 * 1024;

/// How long the rest of a web page is read for its title.
const PAGE: Duration = Duration::from_secs(5);

/// What an answer's body is, whatever its head says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Events,
    Json,
    Page,
}

/// Tells the form by the first byte, since some heads say what was asked for rather than what came; where
/// that says nothing by the media type.
fn form(media_type: &str, first: &[u8]) -> Form {
    match first.trim_ascii_start().first() {
        Some(b'{' | b'[') => Form::Json,
        Some(b'<') => Form::Page,
        _ if media_type == "application/json" => Form::Json,
        _ if media_type == "text/html" => Form::Page,
        _ => Form::Events,
    }
}

/// Reads a stream up to its first useful event.
async fn open(this: Try<'_>, mut answer: Answer) -> Result<First, Fault> {
    let Some(first) = answer.body.chunk().await else { return Err(empty()) };
    let first = first?;
    match form(&answer.media_type(), &first) {
        Form::Events => {}
        Form::Json => return from_whole(this, answer, first).await,
        Form::Page => return Err(page(answer, first, this.gateway).await),
    }
    let mut opened = Opened::new(this, answer);
    let mut next = Some(Ok(first));
    while let Some(chunk) = next {
        let whole = opened.cutter.push(chunk?).map_err(|why| too_long(&why))?;
        if opened.take_in_first(whole)? {
            return Ok(First::Stream(Box::new(opened)));
        }
        next = opened.body.chunk().await;
    }
    if opened.take_in_rest() { Ok(First::Stream(Box::new(opened))) } else { Err(opened.failure.unwrap_or_else(empty)) }
}

impl Opened {
    fn new(this: Try<'_>, answer: Answer) -> Self {
        let Try { gateway, target, ask } = this;
        Self {
            body: answer.body,
            cutter: Cutter::new(gateway.upstream.limits.event_bytes),
            tap: StreamTap::expecting(ask.choices),
            ready: VecDeque::new(),
            usage_event: ask.usage_event,
            headers: answer.headers,
            failure: None,
            account: Arc::clone(&target.account),
        }
    }

    /// Takes in whole events; what the client gets of them is in `ready` afterwards, an error the
    /// provider reports in `failure`. Says whether one of them was useful.
    pub(crate) fn take_in(&mut self, whole: Bytes) -> bool {
        if whole.is_empty() {
            return false;
        }
        let seen = self.tap.see(&whole);
        let end = seen.done.unwrap_or(whole.len()).min(seen.error_at.unwrap_or(whole.len()));
        match seen.usage_only.filter(|at| self.usage_event == UsageEvent::Hidden && at.end <= end) {
            Some(hidden) => {
                self.queue(whole.slice(..hidden.start));
                self.queue(whole.slice(hidden.end..end));
            }
            None => self.queue(whole.slice(..end)),
        }
        self.failure = seen.error.map(|fault| self.account.redacted(fault));
        seen.useful
    }

    /// Takes in what comes before the first useful event. Keep-alives are dropped: the client was promised
    /// nothing yet. The rest has a limit.
    fn take_in_first(&mut self, whole: Bytes) -> Result<bool, Fault> {
        if sse::events(&whole).all(|event| event.data.is_empty()) {
            return Ok(false);
        }
        if self.take_in(whole) {
            return Ok(true);
        }
        if let Some(fault) = self.failure.take() {
            return Err(fault);
        }
        let held: usize = self.ready.iter().map(Bytes::len).sum();
        if self.tap.done() || held > PREAMBLE { Err(empty()) } else { Ok(false) }
    }

    /// Takes in what is left at the provider's end: an event without its closing blank line.
    pub(crate) fn take_in_rest(&mut self) -> bool {
        let rest = self.cutter.finish();
        if !is_whole(&rest) {
            return false;
        }
        let useful = self.take_in(rest);
        self.queue(Bytes::from_static(b"\n\n"));
        useful
    }

    /// Has the client get some bytes.
    pub(crate) fn queue(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ready.push_back(bytes);
        }
    }
}

/// Whether what is left of a stream is an event that lacks only its closing blank line. One that was cut
/// within its data must not reach the client.
fn is_whole(rest: &[u8]) -> bool {
    let complete = |data: &[u8]| data == b"[DONE]" || serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok();
    let mut events = sse::events(rest).filter(|event| !event.data.is_empty()).peekable();
    events.peek().is_some() && events.all(|event| complete(event.data.trim_ascii()))
}

/// A stream was asked for and a whole answer came: the stream is made from it.
async fn from_whole(this: Try<'_>, mut answer: Answer, first: Bytes) -> Result<First, Fault> {
    let bytes = rest_of(&mut answer, first, this.gateway.upstream.limits.reply_bytes).await?;
    read_facts(&bytes)?;
    let response = reply::decode(&bytes).map_err(|why| no_answer(&why.to_string()))?;
    let id = response.id.clone();
    let model = response.model.clone();
    let mut encoder = Encoder::new(EncoderOptions { id, model, created: response.created, include_usage: true });
    let mut events = BytesMut::new();
    for event in unfold::events(&response) {
        encoder.push(&event, &mut events);
    }
    encoder.finish(&mut events);
    let mut opened = Opened::new(this, answer);
    opened.take_in(events.freeze());
    if let Some(fault) = opened.failure.take() {
        return Err(fault);
    }
    Ok(First::Stream(Box::new(opened)))
}

/// Reads an answer that is not to be streamed.
async fn whole(gateway: &Gateway, mut answer: Answer) -> Result<Whole, Fault> {
    let Some(first) = answer.body.chunk().await else { return Err(empty()) };
    let first = first?;
    match form(&answer.media_type(), &first) {
        Form::Json => {
            let bytes = rest_of(&mut answer, first, gateway.upstream.limits.reply_bytes).await?;
            let facts = read_facts(&bytes)?;
            Ok(Whole { bytes, facts, headers: answer.headers })
        }
        Form::Events => from_stream(gateway, answer, first).await,
        Form::Page => Err(page(answer, first, gateway).await),
    }
}

/// A whole answer was asked for and a stream came: the answer is put together from it.
async fn from_stream(gateway: &Gateway, mut answer: Answer, first: Bytes) -> Result<Whole, Fault> {
    let mut cutter = Cutter::new(gateway.upstream.limits.event_bytes);
    let mut decoder = Decoder::new();
    let mut events: Vec<StreamEvent> = Vec::new();
    let mut size = 0;
    let mut next = Some(Ok(first));
    while let Some(chunk) = next {
        let chunk = chunk?;
        size += chunk.len();
        if size > gateway.upstream.limits.reply_bytes {
            return Err(Fault::new(
                FaultKind::BrokenStream,
                "upstream_too_large",
                "the provider's answer is too large",
            ));
        }
        decode_into(&mut decoder, &cutter.push(chunk).map_err(|why| too_long(&why))?, &mut events);
        next = answer.body.chunk().await;
    }
    decode_into(&mut decoder, &cutter.finish(), &mut events);
    events.extend(decoder.finish());
    let bytes = Bytes::from(reply::encode(&fold::fold(events)?).0);
    let facts = read_facts(&bytes)?;
    Ok(Whole { bytes, facts, headers: answer.headers })
}

fn decode_into(decoder: &mut Decoder, whole: &[u8], events: &mut Vec<StreamEvent>) {
    for event in sse::events(whole) {
        decoder.push_event(&event, events);
    }
}

async fn rest_of(answer: &mut Answer, first: Bytes, limit: usize) -> Result<Bytes, Fault> {
    let rest = answer.body.collect(limit.saturating_sub(first.len())).await?;
    if rest.is_empty() {
        return Ok(first);
    }
    let mut bytes = BytesMut::with_capacity(first.len() + rest.len());
    bytes.extend_from_slice(&first);
    bytes.extend_from_slice(&rest);
    Ok(bytes.freeze())
}

/// Reads usage and error of a whole answer; what is no answer is a fault.
fn read_facts(bytes: &[u8]) -> Result<ReplyFacts, Fault> {
    let mut facts = tap::read_reply(bytes)?;
    match facts.error.take() {
        Some(fault) => Err(fault),
        None if facts.is_completion => Ok(facts),
        None => Err(no_answer("it has no `choices`")),
    }
}

/// A web page where an answer should be: said with its title, never with its text.
async fn page(mut answer: Answer, first: Bytes, gateway: &Gateway) -> Fault {
    let limit = gateway.upstream.limits.error_bytes;
    let reading = tokio::time::timeout(PAGE, rest_of(&mut answer, first.clone(), limit));
    let text = reading.await.ok().and_then(Result::ok).unwrap_or(first);
    let rejection = wire_error::decode(answer.status, &text);
    let message = format!("the provider answered with a web page instead of an answer: {}", rejection.message);
    let mut fault = Fault::new(FaultKind::Upstream, "upstream_not_json", message);
    fault.upstream_status = Some(answer.status);
    fault
}

fn no_answer(why: &str) -> Fault {
    Fault::new(FaultKind::Upstream, "upstream_bad_answer", format!("the provider's answer can't be read: {why}"))
}

fn empty() -> Fault {
    Fault::new(FaultKind::Upstream, "upstream_empty", "the provider answered with nothing")
}

fn endless(limit: Duration) -> Fault {
    let text = format!("the provider's answer was not complete within {} seconds", limit.as_secs_f64());
    Fault::new(FaultKind::Timeout, "upstream_whole_answer_timeout", text)
}

fn nothing_useful(seconds: f64) -> Fault {
    let text = format!("the provider kept the line open for {seconds} seconds without an answer");
    Fault::new(FaultKind::Timeout, "upstream_first_event_timeout", text)
}

/// Asking another account would buy the same again.
pub(crate) fn too_long(why: &sse::TooLong) -> Fault {
    let text = format!("the provider's stream can't be read: {why}");
    let mut fault = Fault::new(FaultKind::BrokenStream, "upstream_event_too_large", text);
    fault.retry = Retry::Never;
    fault
}
