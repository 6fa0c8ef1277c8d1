//! Events into chunks, in OpenAI's order: the role first, one finish per choice, usage only for a client
//! that asked, `[DONE]` last; or an error in the place of the finish, and `[DONE]`.
//!
//! Whatever the events are, the output has that form. A stream that ends without `End` ends as an error.

use bytes::BytesMut;
use omniroute_domain::block::{Thinking, ToolInput};
use omniroute_domain::event::{BlockIndex, BlockKind};
use omniroute_domain::opaque::Opaque;
use omniroute_domain::{Extra, Fault, FaultKind, Stop, StopReason, StreamEvent, Usage};

use super::decoder::truncated;
use crate::json::{Object, array, object};
use crate::openai_chat::error::encode_event;
use crate::openai_chat::ids::call_id;
use crate::openai_chat::message::{write_call_start, write_citation};
use crate::openai_chat::reasoning::{PLAIN, write_detail};
use crate::openai_chat::{stop, usage};

/// What the client's chunks say besides the answer. An empty id or model, or a time of 0, is taken from
/// the stream's start.
#[derive(Clone, Debug, Default)]
pub struct EncoderOptions {
    /// The answer's id.
    pub id: String,
    /// The model.
    pub model: String,
    /// Unix seconds.
    pub created: u64,
    /// Whether the client asked for a usage chunk.
    pub include_usage: bool,
}

/// Writes one stream.
#[derive(Clone, Debug)]
pub struct Encoder {
    options: EncoderOptions,
    request_id: String,
    phase: Phase,
    /// A chunk from `data: {"id"` up to its choices.
    head: Vec<u8>,
    line: Vec<u8>,
    choices: Vec<Choice>,
    blocks: Vec<Open>,
    usage: Usage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Running,
    Ended,
}

#[derive(Clone, Debug)]
struct Choice {
    number: u32,
    calls: u32,
    stop: Option<Stop>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    block: BlockIndex,
    choice: u32,
    channel: Channel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Text,
    Thinking,
    Refusal,
    Function(u32),
    Custom(u32),
}

impl Encoder {
    /// An encoder for a stream that has not begun.
    pub fn new(options: EncoderOptions) -> Self {
        Self {
            options,
            request_id: String::new(),
            phase: Phase::Waiting,
            head: Vec::new(),
            line: Vec::new(),
            choices: Vec::new(),
            blocks: Vec::new(),
            usage: Usage::default(),
        }
    }

    /// Names the request in errors.
    #[must_use]
    pub fn for_request(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = request_id.into();
        self
    }

    /// Takes an event; adds the chunks for it to `out`.
    pub fn push(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        if self.phase == Phase::Ended {
            return;
        }
        match event {
            StreamEvent::Start { id, model, created } => self.start(id, model, *created, out),
            StreamEvent::BlockStart { block, choice, kind } => self.open(*block, *choice, kind, out),
            StreamEvent::Text { block, text } => self.text(*block, text, out),
            StreamEvent::Thinking { block, text } => self.thinking(*block, text, out),
            StreamEvent::State { block, state } => self.state(*block, state, out),
            StreamEvent::ToolInput { block, fragment } => self.input(*block, fragment, out),
            StreamEvent::Citation { block, citation } => {
                let Some(open) = self.find(*block) else { return };
                self.delta(open.choice, out, |delta| {
                    array(delta.value("annotations"), [citation], write_citation);
                });
            }
            StreamEvent::BlockStop { .. } | StreamEvent::Unknown(_) => {}
            StreamEvent::Usage(usage) => self.usage.update(usage.clone()),
            StreamEvent::Finish { choice, stop } => self.finished(*choice, stop, out),
            StreamEvent::End => self.end(out),
            StreamEvent::Error(fault) => self.fail(fault, out),
            StreamEvent::KeepAlive => out.extend_from_slice(b": keep-alive\n\n"),
        }
    }

    /// The events have ended. A stream that was not ended by one of them is ended with an error.
    pub fn finish(&mut self, out: &mut BytesMut) {
        if self.phase != Phase::Ended {
            self.fail(&truncated(), out);
        }
    }

    fn start(&mut self, id: &str, model: &str, created: u64, out: &mut BytesMut) {
        if self.phase != Phase::Waiting {
            return;
        }
        self.phase = Phase::Running;
        let or = |own: &String, given: &str| if own.is_empty() { given.to_owned() } else { own.clone() };
        let created = if self.options.created == 0 { created } else { self.options.created };
        let mut head = Vec::new();
        object(&mut head, |chunk| {
            chunk.text("id", &or(&self.options.id, id));
            chunk.text("object", "chat.completion.chunk");
            chunk.plain("created", created);
            chunk.text("model", &or(&self.options.model, model));
        });
        head.pop();
        self.head = head;
        self.choice(0, out);
    }

    /// The place of a choice; its first mention writes its role.
    fn choice(&mut self, number: u32, out: &mut BytesMut) -> usize {
        if self.phase == Phase::Waiting {
            self.start("", "", 0, out);
        }
        if let Some(place) = self.choices.iter().position(|choice| choice.number == number) {
            return place;
        }
        self.choices.push(Choice { number, calls: 0, stop: None });
        self.delta(number, out, |delta| {
            delta.text("role", "assistant");
            delta.text("content", "");
        });
        self.choices.len() - 1
    }

    fn open(&mut self, block: BlockIndex, number: u32, kind: &BlockKind, out: &mut BytesMut) {
        if self.find(block).is_some() {
            return;
        }
        let place = self.choice(number, out);
        let channel = match kind {
            BlockKind::Text => Channel::Text,
            BlockKind::Thinking => Channel::Thinking,
            BlockKind::Refusal => Channel::Refusal,
            BlockKind::ToolCall { freeform, .. } => {
                let call = self.choices[place].calls;
                self.choices[place].calls += 1;
                if *freeform { Channel::Custom(call) } else { Channel::Function(call) }
            }
        };
        let open = Open { block, choice: number, channel };
        self.blocks.push(open);
        if let BlockKind::ToolCall { id, name, .. } = kind {
            self.open_call(open, id, name, out);
        }
    }

    fn open_call(&mut self, open: Open, id: &str, name: &str, out: &mut BytesMut) {
        let (number, input) = match open.channel {
            Channel::Custom(number) => (number, ToolInput::Freeform(String::new())),
            Channel::Function(number) => (number, ToolInput::Json(String::new())),
            Channel::Text | Channel::Thinking | Channel::Refusal => return,
        };
        let made;
        let id = if id.is_empty() {
            made = call_id([&*self.options.id, &open.choice.to_string(), &number.to_string(), name]);
            &made
        } else {
            id
        };
        self.call(open.choice, number, out, |call| {
            write_call_start(call, id, &input);
            let (kind, field) =
                if matches!(input, ToolInput::Json(_)) { ("function", "arguments") } else { ("custom", "input") };
            object(call.value(kind), |inner| {
                inner.text("name", name);
                inner.text(field, "");
            });
        });
    }

    fn text(&mut self, block: BlockIndex, text: &str, out: &mut BytesMut) {
        let Some(open) = self.find(block).filter(|_| !text.is_empty()) else { return };
        let key = if open.channel == Channel::Refusal { "refusal" } else { "content" };
        self.delta(open.choice, out, |delta| delta.text(key, text));
    }

    fn thinking(&mut self, block: BlockIndex, text: &str, out: &mut BytesMut) {
        let Some(open) = self.find(block).filter(|_| !text.is_empty()) else { return };
        self.delta(open.choice, out, |delta| delta.text(PLAIN[0], text));
    }

    fn state(&mut self, block: BlockIndex, state: &Opaque, out: &mut BytesMut) {
        let Some(open) = self.find(block) else { return };
        let thinking = Thinking { state: Some(state.clone()), ..Thinking::default() };
        self.delta(open.choice, out, |delta| {
            array(delta.value("reasoning_details"), [&thinking], |out, thinking| {
                object(out, |detail| write_detail(detail, thinking, &Extra::new()));
            });
        });
    }

    fn input(&mut self, block: BlockIndex, fragment: &str, out: &mut BytesMut) {
        let Some(open) = self.find(block).filter(|_| !fragment.is_empty()) else { return };
        let (number, kind, field) = match open.channel {
            Channel::Function(number) => (number, "function", "arguments"),
            Channel::Custom(number) => (number, "custom", "input"),
            Channel::Text | Channel::Thinking | Channel::Refusal => return,
        };
        self.call(open.choice, number, out, |call| {
            object(call.value(kind), |inner| inner.text(field, fragment));
        });
    }

    fn finished(&mut self, number: u32, stop: &Stop, out: &mut BytesMut) {
        if stop.reason == StopReason::Error {
            let fault = Fault::new(FaultKind::Upstream, "upstream_stopped", "the provider broke the answer off");
            return self.fail(&fault, out);
        }
        let place = self.choice(number, out);
        self.choices[place].stop.get_or_insert_with(|| stop.clone());
    }

    fn end(&mut self, out: &mut BytesMut) {
        self.choice(0, out);
        for choice in std::mem::take(&mut self.choices) {
            let usual = if choice.calls > 0 { StopReason::ToolUse } else { StopReason::EndTurn };
            let stop = choice.stop.unwrap_or_else(|| Stop::new(usual));
            self.chunk(out, |chunk| {
                array(chunk.value("choices"), [choice.number], |out, number| {
                    object(out, |entry| {
                        entry.plain("index", number);
                        entry.literal("delta", "{}");
                        entry.text("finish_reason", stop::word(&stop));
                    });
                });
            });
        }
        if self.options.include_usage && self.usage.is_reported() {
            let counted = std::mem::take(&mut self.usage);
            self.chunk(out, |chunk| {
                chunk.literal("choices", "[]");
                usage::write(chunk.value("usage"), &counted, &Extra::new());
            });
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.phase = Phase::Ended;
    }

    fn fail(&mut self, fault: &Fault, out: &mut BytesMut) {
        out.extend_from_slice(&encode_event(fault, &self.request_id));
        self.phase = Phase::Ended;
    }

    fn find(&self, block: BlockIndex) -> Option<Open> {
        self.blocks.iter().rev().find(|open| open.block == block).copied()
    }

    /// A chunk with a piece of one call.
    fn call(&mut self, choice: u32, number: u32, out: &mut BytesMut, fill: impl FnOnce(&mut Object<'_>)) {
        let mut call = Vec::new();
        object(&mut call, |written| {
            written.plain("index", number);
            fill(written);
        });
        self.delta(choice, out, |delta| {
            array(delta.value("tool_calls"), [call], |out, call| out.extend_from_slice(&call));
        });
    }

    /// A chunk with one choice and its delta.
    fn delta(&mut self, choice: u32, out: &mut BytesMut, fill: impl FnOnce(&mut Object<'_>)) {
        let mut delta = Vec::new();
        object(&mut delta, fill);
        self.chunk(out, |chunk| {
            array(chunk.value("choices"), [delta], |out, delta| {
                object(out, |entry| {
                    entry.plain("index", choice);
                    entry.value("delta").extend_from_slice(&delta);
                    entry.literal("finish_reason", "null");
                });
            });
        });
    }

    /// A whole event: what all chunks share, and the rest.
    fn chunk(&mut self, out: &mut BytesMut, fill: impl FnOnce(&mut Object<'_>)) {
        self.line.clear();
        object(&mut self.line, fill);
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",");
        out.extend_from_slice(&self.line[1..]);
        out.extend_from_slice(b"\n\n");
    }
}
