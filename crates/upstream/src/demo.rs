//! The demo provider: answers made here, in the gateway, so that a newcomer can try everything
//! without an account. It goes through the same path as every provider, only without a socket, and
//! it says of itself what it is. Its models misbehave on purpose; each name says how.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use omniroute_domain::block::BlockBody;
use omniroute_domain::event::BlockKind;
use omniroute_domain::request::Role;
use omniroute_domain::response::Choice;
use omniroute_domain::{Block, ChatRequest, ChatResponse, Fault, FaultKind, Stop, StopReason, StreamEvent, Usage};
use omniroute_wire::openai_chat::stream::{Encoder, EncoderOptions};
use omniroute_wire::openai_chat::{ask, error as wire_error, reply};
use omniroute_wire::splice::Segments;
use tokio::time::{Instant, Sleep};

use crate::answer::{self, Answer, AnswerBody};
use crate::limits::Limits;
use crate::retry_after;

/// The most pieces an answer is streamed in, however long it is.
const PIECES: usize = 64;

/// Answers a request.
pub(crate) async fn answer(body: &Segments, limits: &Limits) -> Result<Answer, Fault> {
    let request = ask::decode(&body.to_bytes())
        .map_err(|why| Fault::new(FaultKind::BadRequest, "invalid_request", why.to_string()))?;
    let said = Said::from(&request);
    match request.model.as_str() {
        "rate-limited" => Err(refusal(429, "demo/rate-limited always answers that you asked too often", Some("20"))),
        "down" => Err(refusal(503, "demo/down is always down", None)),
        "hang" => hang(limits.first_byte).await,
        "slow" => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(speak(&request, &said, Pace { gap: Duration::from_millis(200), end: End::Whole }, limits))
        }
        "broken-stream" => {
            Ok(speak(&request, &said, Pace { gap: Duration::from_millis(20), end: End::Broken }, limits))
        }
        _ => Ok(speak(&request, &said, Pace { gap: Duration::from_millis(8), end: End::Whole }, limits)),
    }
}

/// What the demo answers: the last thing the user said, and its length in words as token counts.
struct Said {
    text: String,
    usage: Usage,
}

impl From<&ChatRequest> for Said {
    fn from(request: &ChatRequest) -> Self {
        let of_user = |blocks: &[Block]| {
            blocks.iter().filter_map(Block::as_text).map(str::to_owned).collect::<Vec<_>>().join("\n")
        };
        let last = request.turns.iter().rev().find(|turn| turn.role == Role::User && has_text(&turn.blocks));
        let text = last.map(|turn| of_user(&turn.blocks)).unwrap_or_default();
        let words = |text: &str| text.split_whitespace().count() as u64;
        let asked: u64 = request
            .turns
            .iter()
            .flat_map(|turn| &turn.blocks)
            .chain(request.system.iter().map(|system| &system.block))
            .filter_map(Block::as_text)
            .map(words)
            .sum();
        let usage = Usage { input_total: Some(asked), output_total: Some(words(&text)), ..Usage::default() };
        Self { text, usage }
    }
}

fn has_text(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| matches!(&block.body, BlockBody::Text(text) if !text.text.is_empty()))
}

/// The steps up to the first piece of text: the role, a wait, the piece.
const SPOKEN: usize = 3;

/// How an answer is spoken.
#[derive(Clone, Copy)]
struct Pace {
    gap: Duration,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Broken,
}

fn speak(request: &ChatRequest, said: &Said, pace: Pace, limits: &Limits) -> Answer {
    let id = "chatcmpl-demo".to_owned();
    let (media_type, steps) = if request.stream {
        ("text/event-stream; charset=utf-8", streamed(request, said, pace, id))
    } else {
        ("application/json", whole(request, said, pace.end, id))
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Answer { status: 200, headers, body: AnswerBody::demo(Script { steps, timer: None }, limits.idle) }
}

fn whole(request: &ChatRequest, said: &Said, end: End, id: String) -> VecDeque<Step> {
    let choice = Choice {
        blocks: vec![Block::text(said.text.clone())],
        stop: Stop::new(StopReason::EndTurn),
        logprobs: None,
        extra: Vec::new(),
    };
    let response = ChatResponse {
        id,
        model: request.model.clone(),
        created: 0,
        choices: vec![choice],
        usage: said.usage.clone(),
        extra: Vec::new(),
    };
    let bytes = Bytes::from(reply::encode(&response).0);
    match end {
        End::Whole => VecDeque::from([Step::Send(bytes)]),
        End::Broken => VecDeque::from([Step::Send(bytes.slice(..bytes.len() / 2)), Step::Break]),
    }
}

fn streamed(request: &ChatRequest, said: &Said, pace: Pace, id: String) -> VecDeque<Step> {
    let options = EncoderOptions { id, model: request.model.clone(), created: 0, include_usage: request.stream_usage };
    let mut encoder = Encoder::new(options);
    let mut steps = VecDeque::new();
    let mut send = |encoder: &mut Encoder, event: StreamEvent| {
        let mut out = BytesMut::new();
        encoder.push(&event, &mut out);
        if !out.is_empty() {
            steps.push_back(Step::Send(out.freeze()));
            steps.push_back(Step::Wait(pace.gap));
        }
    };
    send(&mut encoder, StreamEvent::Start { id: String::new(), model: String::new(), created: 0 });
    send(&mut encoder, StreamEvent::BlockStart { block: 0, choice: 0, kind: BlockKind::Text });
    for piece in pieces(&said.text) {
        send(&mut encoder, StreamEvent::Text { block: 0, text: piece.to_owned() });
    }
    if pace.end == End::Broken {
        // After something was said: before that, a stream that breaks is no answer yet but an error.
        steps.truncate((steps.len() / 2).max(SPOKEN));
        steps.push_back(Step::Break);
        return steps;
    }
    send(&mut encoder, StreamEvent::BlockStop { block: 0 });
    send(&mut encoder, StreamEvent::Usage(said.usage.clone()));
    send(&mut encoder, StreamEvent::Finish { choice: 0, stop: Stop::new(StopReason::EndTurn) });
    send(&mut encoder, StreamEvent::End);
    let mut rest = BytesMut::new();
    encoder.finish(&mut rest);
    steps.push_back(Step::Send(rest.freeze()));
    steps
}

/// A text in at most so many pieces, cut before words.
fn pieces(text: &str) -> Vec<&str> {
    let least = text.len().div_ceil(PIECES);
    let mut cuts = vec![0];
    for (at, _) in text.match_indices(char::is_whitespace) {
        if at - cuts.last().copied().unwrap_or(0) >= least.max(1) {
            cuts.push(at);
        }
    }
    cuts.push(text.len());
    cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).filter(|piece| !piece.is_empty()).collect()
}

fn refusal(status: u16, message: &str, wait: Option<&'static str>) -> Fault {
    let mut headers = HeaderMap::new();
    if let Some(wait) = wait {
        headers.insert(RETRY_AFTER, HeaderValue::from_static(wait));
    }
    let body = format!(r#"{{"error":{{"message":"{message}"}}}}"#);
    let rejection = wire_error::decode(status, body.as_bytes());
    wire_error::classify(status, &rejection, retry_after::read(&headers))
}

async fn hang(limit: Duration) -> Result<Answer, Fault> {
    tokio::time::sleep(limit).await;
    let text = format!("the provider did not begin to answer within {} seconds", limit.as_secs_f64());
    Err(Fault::new(FaultKind::Timeout, "upstream_first_byte_timeout", text))
}

/// A body acted out step by step.
pub(crate) struct Script {
    steps: VecDeque<Step>,
    timer: Option<Pin<Box<Sleep>>>,
}

enum Step {
    Send(Bytes),
    Wait(Duration),
    Break,
}

impl Script {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            if let Some(timer) = &mut self.timer {
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.timer = None;
            }
            match self.steps.pop_front() {
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Step::Wait(gap)) => {
                    self.timer = Some(Box::pin(tokio::time::sleep_until(Instant::now() + gap)));
                }
                Some(Step::Break) => {
                    let why = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                    return Poll::Ready(Some(Err(answer::lost(why))));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}
