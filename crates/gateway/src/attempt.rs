//! One try at one target, up to the provider's first useful event.
//!
//! What comes in: a chat request and a target. What goes out: a `First`, the commit point: an answer
//! that has begun, of which the client has received nothing yet. What can refuse: everything between us
//! and the provider, and an answer that says 200 and is none.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use omniroute_domain::{Fault, FaultKind, StreamEvent};
use omniroute_upstream::{Answer, AnswerBody, Call};
use omniroute_wire::openai_chat::stream::{Decoder, Encoder, EncoderOptions};
use omniroute_wire::openai_chat::tap::{self, ReplyFacts, StreamTap};
use omniroute_wire::openai_chat::{error as wire_error, fold, reply, unfold};
use omniroute_wire::sse::{self, Cutter};

use crate::call::{Ask, UsageEvent};
use crate::server::Gateway;
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
    pub(crate) fn needs_estimate(&self, target: &Target) -> bool {
        match self {
            Self::Stream(_) => !target.account.stream_usage,
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
    /// An error event of the provider; what the client gets of it is in `ready`.
    pub(crate) failure: Option<Fault>,
    pub(crate) usage_event: UsageEvent,
    pub(crate) headers: HeaderMap,
}

/// A complete answer, and what was read of it on the side.
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    pub(crate) facts: ReplyFacts,
    pub(crate) headers: HeaderMap,
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
        let opening = open(gateway, answer, ask.usage_event);
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(nothing_useful(limit.as_secs_f64())))
    } else {
        whole(gateway, answer).await.map(Box::new).map(First::Whole)
    }
}

/// What an answer's body is, whatever its head says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Events,
    Json,
    Page,
}

/// Tells the form by the media type, and where that says nothing by the first byte.
fn form(media_type: &str, first: &[u8]) -> Form {
    if media_type == "text/event-stream" {
        return Form::Events;
    }
    match first.trim_ascii_start().first() {
        Some(b'{' | b'[') => Form::Json,
        Some(b'<') => Form::Page,
        _ if media_type == "application/json" => Form::Json,
        _ if media_type == "text/html" => Form::Page,
        _ => Form::Events,
    }
}

/// Reads a stream up to its first useful event.
async fn open(gateway: &Gateway, mut answer: Answer, usage_event: UsageEvent) -> Result<First, Fault> {
    let Some(first) = answer.body.chunk().await else { return Err(empty()) };
    let first = first?;
    match form(&answer.media_type(), &first) {
        Form::Events => {}
        Form::Json => return from_whole(gateway, answer, first, usage_event).await,
        Form::Page => return Err(page(answer, first, gateway).await),
    }
    let mut opened = Opened::new(gateway, answer.body, answer.headers, usage_event);
    let mut next = Some(Ok(first));
    while let Some(chunk) = next {
        let whole = opened.cutter.push(chunk?).map_err(|why| too_long(&why))?;
        if opened.take_in(whole) {
            return Ok(First::Stream(Box::new(opened)));
        }
        if let Some(fault) = opened.failure.take() {
            return Err(fault);
        }
        next = opened.body.chunk().await;
    }
    if opened.take_in_rest() { Ok(First::Stream(Box::new(opened))) } else { Err(opened.failure.unwrap_or_else(empty)) }
}

impl Opened {
    fn new(gateway: &Gateway, body: AnswerBody, headers: HeaderMap, usage_event: UsageEvent) -> Self {
        let cutter = Cutter::new(gateway.upstream.limits.event_bytes);
        Self { body, cutter, tap: StreamTap::new(), ready: VecDeque::new(), failure: None, usage_event, headers }
    }

    /// Takes in whole events; what the client gets of them is in `ready` afterwards, an error the
    /// provider reports in `failure`. Says whether one of them was useful.
    pub(crate) fn take_in(&mut self, whole: Bytes) -> bool {
        if whole.is_empty() {
            return false;
        }
        let seen = self.tap.see(&whole);
        let end = seen.done.unwrap_or(whole.len());
        match seen.usage_only.filter(|at| self.usage_event == UsageEvent::Hidden && at.end <= end) {
            Some(hidden) => {
                self.queue(whole.slice(..hidden.start));
                self.queue(whole.slice(hidden.end..end));
            }
            None => self.queue(whole.slice(..end)),
        }
        self.failure = seen.error;
        seen.useful
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
async fn from_whole(
    gateway: &Gateway,
    mut answer: Answer,
    first: Bytes,
    usage_event: UsageEvent,
) -> Result<First, Fault> {
    let bytes = rest_of(&mut answer, first, gateway.upstream.limits.reply_bytes).await?;
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
    let mut opened = Opened::new(gateway, answer.body, answer.headers, usage_event);
    opened.take_in(events.freeze());
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
        events.extend(decoder.push(&event.data));
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
    let text = rest_of(&mut answer, first, gateway.upstream.limits.error_bytes).await.unwrap_or_default();
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

fn nothing_useful(seconds: f64) -> Fault {
    let text = format!("the provider kept the line open for {seconds} seconds without an answer");
    Fault::new(FaultKind::Timeout, "upstream_first_event_timeout", text)
}

pub(crate) fn too_long(why: &sse::TooLong) -> Fault {
    Fault::new(
        FaultKind::BrokenStream,
        "upstream_event_too_large",
        format!("the provider's stream can't be read: {why}"),
    )
}
