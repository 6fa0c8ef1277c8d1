//! The tool calls of one streamed choice: which delta belongs to which call, and when a call may start.
//!
//! A call starts when its id and its name are known and every call before it has started; until then
//! its arguments wait.

use omniroute_domain::StreamEvent;
use omniroute_domain::event::{BlockIndex, BlockKind};

use super::arguments::Arguments;
use crate::json::Fields;
use crate::openai_chat::message::{Naming, argument_text};
use crate::openai_chat::stop;

/// More calls than any answer has.
const MAX_CALLS: usize = 1024;

/// More argument text than any answer has.
const MAX_ARGUMENT_BYTES: usize = 32 << 20;

/// A choice's calls, in the order of their indexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    slots: Vec<Slot>,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    index: Option<u64>,
    id: String,
    name: String,
    freeform: bool,
    arguments: Arguments,
    block: Option<BlockIndex>,
}

/// There is more than any answer has.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMuch;

/// One entry of a delta's `tool_calls`.
#[derive(Debug, Default)]
pub(super) struct CallDelta {
    index: Option<u64>,
    id: String,
    name: String,
    freeform: bool,
    fragment: String,
}

impl CallDelta {
    /// Reads an entry. An id or a name that is no text, or empty, says nothing.
    pub(super) fn read(call: &str) -> Option<Self> {
        let call = Fields::read(call)?;
        let freeform = call.get("custom").is_some();
        let inner = call.get(if freeform { "custom" } else { "function" }).and_then(Fields::read).unwrap_or_default();
        Some(Self {
            index: call.get("index").and_then(crate::json::count),
            id: call.text("id").unwrap_or_default().into_owned(),
            name: inner.text("name").unwrap_or_default().into_owned(),
            freeform,
            fragment: inner.get(if freeform { "input" } else { "arguments" }).map(argument_text).unwrap_or_default(),
        })
    }

    /// The old form: the one call there is.
    pub(super) fn read_legacy(function: &str) -> Option<Self> {
        let call = Self::read(&format!("{{\"function\":{function}}}"))?;
        Some(Self { index: Some(0), ..call })
    }
}

impl Calls {
    /// Takes one entry of a delta. Blocks that start get the next number.
    pub(super) fn push(
        &mut self,
        delta: CallDelta,
        choice: u32,
        next: &mut BlockIndex,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), TooMuch> {
        self.bytes += delta.fragment.len();
        let place = self.place(&delta);
        if self.slots.len() > MAX_CALLS || self.bytes > MAX_ARGUMENT_BYTES {
            return Err(TooMuch);
        }
        let slot = &mut self.slots[place];
        keep_first(&mut slot.id, delta.id);
        if slot.name.is_empty() {
            slot.freeform = delta.freeform;
        }
        keep_first(&mut slot.name, delta.name);
        slot.arguments.push(&delta.fragment);
        if let Some(block) = slot.block
            && !delta.fragment.is_empty()
        {
            out.push(StreamEvent::ToolInput { block, fragment: delta.fragment });
        }
        self.start_ready(choice, next, out);
        Ok(())
    }

    /// The answer has ended: calls without a name are dropped, missing ids are made.
    pub(super) fn settle(
        &mut self,
        choice: u32,
        naming: Naming<'_>,
        next: &mut BlockIndex,
        out: &mut Vec<StreamEvent>,
    ) {
        self.slots.retain(|slot| !slot.name.is_empty());
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if slot.id.is_empty() {
                slot.id = naming.id(number, &slot.name);
            }
        }
        self.start_ready(choice, next, out);
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The blocks of the calls that have started.
    pub(super) fn blocks(&self) -> impl Iterator<Item = BlockIndex> {
        self.slots.iter().filter_map(|slot| slot.block)
    }

    /// How whole each call is.
    pub(super) fn states(&self) -> Vec<stop::Arguments> {
        let state = |slot: &Slot| {
            if slot.freeform { stop::Arguments::Whole } else { stop::arguments(slot.arguments.text()) }
        };
        self.slots.iter().map(state).collect()
    }

    /// The name of a call.
    pub(super) fn name(&self, number: usize) -> &str {
        self.slots.get(number).map_or("", |slot| &slot.name)
    }

    /// The slot a delta belongs to, made where there is none.
    fn place(&mut self, delta: &CallDelta) -> usize {
        let found = match delta.index {
            Some(index) => self.slots.iter().rposition(|slot| slot.index == Some(index)),
            None if !delta.id.is_empty() => self.slots.iter().rposition(|slot| slot.id == delta.id),
            None => self.slots.len().checked_sub(1),
        };
        match found {
            Some(place) if !self.slots[place].is_over_for(delta) => place,
            Some(place) => self.insert(place + 1, delta.index),
            None => {
                let after = |slot: &Slot| slot.index > delta.index && delta.index.is_some();
                let place = self.slots.iter().position(after).unwrap_or(self.slots.len());
                self.insert(place, delta.index)
            }
        }
    }

    fn insert(&mut self, place: usize, index: Option<u64>) -> usize {
        self.slots.insert(place, Slot { index, ..Slot::default() });
        place
    }

    /// Starts the calls that can be, in order.
    fn start_ready(&mut self, choice: u32, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) {
        for slot in self.slots.iter_mut().filter(|slot| slot.block.is_none()) {
            if slot.id.is_empty() || slot.name.is_empty() {
                return;
            }
            let block = *next;
            *next += 1;
            slot.block = Some(block);
            let kind = BlockKind::ToolCall { id: slot.id.clone(), name: slot.name.clone(), freeform: slot.freeform };
            out.push(StreamEvent::BlockStart { block, choice, kind });
            let waiting = slot.arguments.text();
            if !waiting.is_empty() {
                out.push(StreamEvent::ToolInput { block, fragment: waiting.to_owned() });
            }
        }
    }
}

impl Slot {
    /// Whether a delta for this slot begins another call: it names a tool, and this call's arguments
    /// are closed. Some gateways in front of Gemini give every parallel call the index 0 (each with its
    /// own id; su-kaka/gcli2api pull request 406, 2026-08-28), some give none at all.
    fn is_over_for(&self, delta: &CallDelta) -> bool {
        let another_id = !delta.id.is_empty() && !self.id.is_empty() && delta.id != self.id;
        let no_mark = delta.index.is_none() && delta.id.is_empty();
        !delta.name.is_empty() && !self.name.is_empty() && self.arguments.is_closed() && (another_id || no_mark)
    }
}

/// The first value that says something stays.
fn keep_first(value: &mut String, next: String) {
    if value.is_empty() {
        *value = next;
    }
}
