//! One choice of a streamed answer: which blocks are open, and what a delta adds to them.

use omniroute_domain::block::Citation;
use omniroute_domain::event::{BlockIndex, BlockKind};
use omniroute_domain::opaque::Opaque;
use omniroute_domain::{Stop, StreamEvent};

use super::calls::{CallDelta, Calls, TooMuch};
use crate::json::{Fields, elements, text};
use crate::openai_chat::message::{Naming, citation};
use crate::openai_chat::reasoning::{PLAIN, detail};
use crate::openai_chat::stop::{self, BrokenCall, Held};

/// The state of a choice.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    index: u32,
    text: Option<BlockIndex>,
    thinking: Option<BlockIndex>,
    refusal: Option<BlockIndex>,
    calls: Calls,
    finish: Option<String>,
    said: bool,
    refused: bool,
}

impl Choice {
    pub(super) fn new(index: u32) -> Self {
        Self { index, ..Self::default() }
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// The finish word, once it has come.
    pub(super) fn finish(&self) -> Option<&str> {
        self.finish.as_deref()
    }

    /// Whether anything of the answer came.
    pub(super) fn has_output(&self) -> bool {
        self.said || !self.calls.is_empty()
    }

    /// Takes one entry of a chunk's `choices`.
    pub(super) fn push(
        &mut self,
        choice: &Fields<'_>,
        next: &mut BlockIndex,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), TooMuch> {
        // A whole message stands for the deltas, unless deltas came before: MiniMax repeats the answer in
        // its last chunk.
        let whole = || choice.get("message").filter(|_| !self.has_output());
        if let Some(delta) = choice.get("delta").or_else(whole).and_then(Fields::read) {
            self.reason(&delta, next, out);
            self.speak(&delta, next, out);
            self.cite(&delta, out);
            self.call(&delta, next, out)?;
        }
        // Only the first finish word counts; an empty one is none.
        let word = choice.text("finish_reason").filter(|word| !word.is_empty());
        self.finish = self.finish.take().or(word.map(Into::into));
        Ok(())
    }

    /// Starts the calls that still wait. What is open afterwards has to be stopped.
    pub(super) fn settle(
        &mut self,
        answer: &str,
        next: &mut BlockIndex,
        out: &mut Vec<StreamEvent>,
    ) -> Vec<BlockIndex> {
        let choice = self.index.to_string();
        self.close_thinking(out);
        self.calls.settle(self.index, Naming { scope: answer, choice: &choice }, next, out);
        let open = [self.text.take(), self.refusal.take()];
        open.into_iter().flatten().chain(self.calls.blocks()).collect()
    }

    /// Why it ended; or the name of a call whose arguments are of no use.
    pub(super) fn stop(&self) -> Result<Stop, &str> {
        let calls = self.calls.states();
        let held = Held { calls: &calls, refusal: self.refused };
        stop::stop(self.finish(), held).map_err(|BrokenCall(number)| self.calls.name(number))
    }

    fn reason(&mut self, delta: &Fields<'_>, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) {
        let plain = PLAIN.iter().chain(["thinking"].iter()).find_map(|key| joined_text(delta.get(key)?));
        if let Some(text) = &plain {
            self.think(text, next, out);
        }
        for entry in delta.get("reasoning_details").and_then(elements).unwrap_or_default() {
            let Some(found) = detail(entry) else { continue };
            // The same text, where the plain field has it.
            if plain.is_none() && !found.text.is_empty() {
                self.think(&found.text, next, out);
            }
            if let Some(state) = found.state {
                self.seal(state, next, out);
            }
        }
    }

    fn speak(&mut self, delta: &Fields<'_>, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) {
        if let Some(content) = delta.get("content") {
            match text(content) {
                Some(words) => self.say(&words, next, out),
                None => self.parts(content, next, out),
            }
        }
        let Some(words) = delta.text("refusal").filter(|words| !words.is_empty()) else { return };
        self.close_thinking(out);
        self.said = true;
        self.refused = true;
        let block = open(&mut self.refusal, BlockKind::Refusal, self.index, next, out);
        out.push(StreamEvent::Text { block, text: words.into_owned() });
    }

    /// Content in parts, as Mistral streams it.
    fn parts(&mut self, content: &str, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) {
        for part in elements(content).unwrap_or_default() {
            let Some(part) = Fields::read(part) else { continue };
            if let Some(text) = part.get("thinking").and_then(joined_text) {
                self.think(&text, next, out);
            } else if let Some(words) = part.text("text") {
                self.say(&words, next, out);
            }
        }
    }

    fn cite(&mut self, delta: &Fields<'_>, out: &mut Vec<StreamEvent>) {
        let Some(block) = self.text else { return };
        let found = delta.get("annotations").and_then(elements).unwrap_or_default();
        let citations = found.into_iter().filter_map(citation);
        out.extend(citations.map(|citation: Citation| StreamEvent::Citation { block, citation }));
    }

    fn call(&mut self, delta: &Fields<'_>, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) -> Result<(), TooMuch> {
        let listed = delta.get("tool_calls").and_then(elements).unwrap_or_default();
        let calls = listed.into_iter().filter_map(CallDelta::read);
        for call in calls.chain(delta.get("function_call").and_then(CallDelta::read_legacy)) {
            self.close_thinking(out);
            self.calls.push(call, self.index, next, out)?;
        }
        Ok(())
    }

    fn say(&mut self, words: &str, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) {
        if words.is_empty() {
            return;
        }
        self.close_thinking(out);
        self.said = true;
        let block = open(&mut self.text, BlockKind::Text, self.index, next, out);
        out.push(StreamEvent::Text { block, text: words.to_owned() });
    }

    fn think(&mut self, text: &str, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) {
        let block = self.open_thinking(next, out);
        out.push(StreamEvent::Thinking { block, text: text.to_owned() });
    }

    /// A state ends its block; what comes after it belongs to another.
    fn seal(&mut self, state: Opaque, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) {
        let block = self.open_thinking(next, out);
        out.push(StreamEvent::State { block, state });
        self.close_thinking(out);
    }

    fn open_thinking(&mut self, next: &mut BlockIndex, out: &mut Vec<StreamEvent>) -> BlockIndex {
        self.said = true;
        close(&mut self.text, out);
        close(&mut self.refusal, out);
        open(&mut self.thinking, BlockKind::Thinking, self.index, next, out)
    }

    fn close_thinking(&mut self, out: &mut Vec<StreamEvent>) {
        close(&mut self.thinking, out);
    }
}

fn open(
    slot: &mut Option<BlockIndex>,
    kind: BlockKind,
    choice: u32,
    next: &mut BlockIndex,
    out: &mut Vec<StreamEvent>,
) -> BlockIndex {
    *slot.get_or_insert_with(|| {
        let block = *next;
        *next += 1;
        out.push(StreamEvent::BlockStart { block, choice, kind });
        block
    })
}

fn close(slot: &mut Option<BlockIndex>, out: &mut Vec<StreamEvent>) {
    if let Some(block) = slot.take() {
        out.push(StreamEvent::BlockStop { block });
    }
}

/// A text, or an array of parts with texts; `None` where it is empty.
fn joined_text(value: &str) -> Option<String> {
    let joined = match text(value) {
        Some(text) => text.into_owned(),
        None => {
            elements(value)?.iter().filter_map(|part| Some(Fields::read(part)?.text("text")?.into_owned())).collect()
        }
    };
    (!joined.is_empty()).then_some(joined)
}
