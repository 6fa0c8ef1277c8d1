//! Chunks into events: a state machine.
//!
//! An answer ends well only when the provider said so, by a finish reason for every choice or by
//! `[DONE]`. Everything else is an error in the place of the end; blocks that are open then stay open,
//! for a half call must not look complete.

use omniroute_domain::event::BlockIndex;
use omniroute_domain::{Fault, FaultKind, StreamEvent, Usage};

use super::choice::Choice;
use crate::json::{Fields, count, elements, objects};
use crate::openai_chat::error::{classify_event, in_answer, of_error_event};
use crate::openai_chat::{stop, usage};
use crate::sse::Event;

/// More choices than anyone asks for.
const MAX_CHOICES: u64 = 128;

/// Reads one stream.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    phase: Phase,
    id: String,
    model: String,
    created: u64,
    choices: Vec<Choice>,
    next: BlockIndex,
    usage: Option<Usage>,
    unreadable: u32,
    skipped: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing of the answer came.
    #[default]
    Waiting,
    Running,
    Ended,
}

impl Decoder {
    /// A decoder for a stream that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the data of one event.
    pub fn push(&mut self, data: &[u8]) -> Vec<StreamEvent> {
        let mut out = Vec::new();
        self.push_into(data, &mut out);
        out
    }

    /// Takes the data of one event; adds to a list that is used again.
    pub fn push_into(&mut self, data: &[u8], out: &mut Vec<StreamEvent>) {
        let text = String::from_utf8_lossy(data);
        let text = text.trim_ascii();
        match text {
            _ if self.phase == Phase::Ended => {}
            "" | "null" => {}
            "[DONE]" => self.end_done(out),
            _ => self.read(text, out),
        }
    }

    /// Takes an event; one that is named `error` is one, whatever its data.
    pub fn push_event(&mut self, event: &Event<'_>, out: &mut Vec<StreamEvent>) {
        if event.name != Some(b"error") {
            self.push_into(&event.data, out);
        } else if self.phase != Phase::Ended {
            let rejection = of_error_event(&String::from_utf8_lossy(&event.data));
            self.fail(classify_event(&rejection), out);
        }
    }

    /// The bytes have ended. Gives the end, where `[DONE]` did not give it before, or the error in its
    /// place.
    pub fn finish(&mut self) -> Vec<StreamEvent> {
        let mut out = Vec::new();
        if self.phase == Phase::Ended {
            return out;
        }
        let finished = !self.choices.is_empty() && self.choices.iter().all(|choice| choice.finish().is_some());
        if finished {
            self.end(&mut out);
        } else {
            self.fail(truncated(), &mut out);
        }
        out
    }

    /// Events that could not be read and were passed over, since what followed could be.
    pub fn skipped(&self) -> u32 {
        self.skipped
    }

    fn read(&mut self, text: &str, out: &mut Vec<StreamEvent>) {
        let Some(chunks) = objects(text) else { return self.unreadable(out) };
        self.unreadable = 0;
        for chunk in &chunks {
            self.chunk(chunk, out);
        }
    }

    /// One unreadable event may be an accident; two in a row are a stream that is none.
    fn unreadable(&mut self, out: &mut Vec<StreamEvent>) {
        self.unreadable += 1;
        self.skipped += 1;
        if self.unreadable > 1 {
            self.fail(broken("unreadable_stream", "the provider's stream is not valid JSON".to_owned()), out);
        }
    }

    fn chunk(&mut self, chunk: &Fields<'_>, out: &mut Vec<StreamEvent>) {
        if self.phase == Phase::Ended {
            return;
        }
        if let Some(rejection) = in_answer(chunk) {
            return self.fail(classify_event(&rejection), out);
        }
        // Of objects of another kind only the figures are read.
        let kind = chunk.text("object").unwrap_or_default();
        let is_chunk = matches!(&*kind, "" | "chat.completion.chunk" | "chat.completion");
        if is_chunk {
            self.identify(chunk);
        }
        let entries = chunk.get("choices").filter(|_| is_chunk).and_then(elements).unwrap_or_default();
        if !entries.is_empty() && self.phase == Phase::Waiting {
            self.start(out);
        }
        if let Some(usage) = usage::of_answer(chunk) {
            self.count(usage, out);
        }
        for entry in entries {
            self.choice(entry, out);
        }
    }

    /// The first id, model and time that say something.
    fn identify(&mut self, chunk: &Fields<'_>) {
        if self.phase != Phase::Waiting {
            return;
        }
        if self.id.is_empty() {
            self.id = chunk.text("id").unwrap_or_default().into_owned();
        }
        if self.model.is_empty() {
            self.model = chunk.text("model").unwrap_or_default().into_owned();
        }
        if self.created == 0 {
            self.created = chunk.get("created").and_then(count).unwrap_or(0);
        }
    }

    fn start(&mut self, out: &mut Vec<StreamEvent>) {
        self.phase = Phase::Running;
        out.push(StreamEvent::Start { id: self.id.clone(), model: self.model.clone(), created: self.created });
        out.extend(self.usage.take().map(StreamEvent::Usage));
    }

    /// Usage before the first choice waits for the start.
    fn count(&mut self, usage: Usage, out: &mut Vec<StreamEvent>) {
        match self.phase {
            Phase::Waiting => self.usage.get_or_insert_default().update(usage),
            Phase::Running => out.push(StreamEvent::Usage(usage)),
            Phase::Ended => {}
        }
    }

    fn choice(&mut self, entry: &str, out: &mut Vec<StreamEvent>) {
        let Some(entry) = Fields::read(entry).filter(|_| self.phase == Phase::Running) else { return };
        let index = entry.get("index").and_then(count).unwrap_or(0);
        let Some(index) = u32::try_from(index).ok().filter(|_| index < MAX_CHOICES) else { return };
        let place = self.choices.iter().position(|choice| choice.index() == index);
        let place = place.unwrap_or_else(|| {
            self.choices.push(Choice::new(index));
            self.choices.len() - 1
        });
        let choice = &mut self.choices[place];
        let taken = choice.push(&entry, &mut self.next, out);
        let broke_off = choice.finish().and_then(stop::broke_off);
        match (taken, broke_off) {
            (Err(_), _) => {
                self.fail(
                    broken("tool_calls_too_long", "the provider's tool calls are over the limit".to_owned()),
                    out,
                );
            }
            (Ok(()), Some(fault)) => self.fail(fault, out),
            (Ok(()), None) => {}
        }
    }

    /// `[DONE]`: the provider says it is done, though it may have said no finish reason.
    fn end_done(&mut self, out: &mut Vec<StreamEvent>) {
        let any = self.choices.iter().any(|choice| choice.has_output() || choice.finish().is_some());
        if any {
            self.end(out);
        } else {
            self.fail(broken("empty_answer", "the provider's answer is empty".to_owned()), out);
        }
    }

    fn end(&mut self, out: &mut Vec<StreamEvent>) {
        let had_output = self.choices.iter().any(Choice::has_output);
        let mut open: Vec<BlockIndex> = Vec::new();
        for choice in &mut self.choices {
            open.extend(choice.settle(&self.id, &mut self.next, out));
        }
        if had_output && !self.choices.iter().any(Choice::has_output) {
            return self
                .fail(broken("nameless_tool_call", "the provider called a tool without naming it".to_owned()), out);
        }
        let stops: Result<Vec<_>, &str> =
            self.choices.iter().map(|choice| Ok((choice.index(), choice.stop()?))).collect();
        let stops = match stops {
            Ok(stops) => stops,
            Err(name) => {
                let message = format!("the provider's arguments for tool `{name}` are not valid JSON");
                return self.fail(Fault::new(FaultKind::Upstream, "broken_tool_call", message), out);
            }
        };
        open.sort_unstable();
        out.extend(open.into_iter().map(|block| StreamEvent::BlockStop { block }));
        out.extend(stops.into_iter().map(|(choice, stop)| StreamEvent::Finish { choice, stop }));
        out.push(StreamEvent::End);
        self.phase = Phase::Ended;
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<StreamEvent>) {
        self.phase = Phase::Ended;
        out.push(StreamEvent::Error(fault));
    }
}

fn broken(code: &'static str, message: String) -> Fault {
    Fault::new(FaultKind::BrokenStream, code, message)
}

/// The stream ended before the answer did.
pub(in crate::openai_chat) fn truncated() -> Fault {
    broken("truncated", "the provider's stream ended before the answer was complete".to_owned())
}
