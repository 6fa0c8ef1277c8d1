//! A stream's events, put together to a whole answer.

use std::collections::BTreeMap;

use omniroute_domain::block::{Block, BlockBody, Text, Thinking, ToolCall, ToolInput};
use omniroute_domain::event::{BlockIndex, BlockKind};
use omniroute_domain::response::Choice;
use omniroute_domain::{ChatResponse, Fault, Stop, StopReason, StreamEvent, Usage};

use super::stream::truncated;

/// Puts a whole answer together. An error among the events is the result; so is the lack of an end.
pub fn fold(events: impl IntoIterator<Item = StreamEvent>) -> Result<ChatResponse, Fault> {
    let mut parts = Parts::default();
    for event in events {
        match event {
            StreamEvent::Start { id, model, created } => parts.head = (id, model, created),
            StreamEvent::BlockStart { block, choice, kind } => parts.open(block, choice, kind),
            StreamEvent::Text { block, text } | StreamEvent::Thinking { block, text } => parts.append(block, &text),
            StreamEvent::ToolInput { block, fragment } => parts.append(block, &fragment),
            StreamEvent::State { block, state } => {
                if let Some(BlockBody::Thinking(thinking)) = parts.body(block) {
                    thinking.redacted = thinking.text.is_empty();
                    thinking.state = Some(state);
                }
            }
            StreamEvent::Citation { block, citation } => {
                if let Some(BlockBody::Text(text)) = parts.body(block) {
                    text.citations.push(citation);
                }
            }
            StreamEvent::Usage(usage) => parts.usage.update(usage),
            StreamEvent::Finish { choice, stop } => {
                parts.choices.entry(choice).or_default().1.get_or_insert(stop);
            }
            StreamEvent::End => return Ok(parts.whole()),
            StreamEvent::Error(fault) => return Err(fault),
            StreamEvent::BlockStop { .. } | StreamEvent::KeepAlive | StreamEvent::Unknown(_) => {}
        }
    }
    Err(truncated())
}

/// A choice's blocks in order, and why it ended.
type Gathered = (BTreeMap<BlockIndex, BlockBody>, Option<Stop>);

#[derive(Debug, Default)]
struct Parts {
    head: (String, String, u64),
    choices: BTreeMap<u32, Gathered>,
    owner: BTreeMap<BlockIndex, u32>,
    usage: Usage,
}

impl Parts {
    fn open(&mut self, block: BlockIndex, choice: u32, kind: BlockKind) {
        let body = match kind {
            BlockKind::Text => BlockBody::Text(Text::default()),
            BlockKind::Thinking => BlockBody::Thinking(Thinking::default()),
            BlockKind::Refusal => BlockBody::Refusal(String::new()),
            BlockKind::ToolCall { id, name, freeform } => {
                let input = if freeform { ToolInput::Freeform(String::new()) } else { ToolInput::Json(String::new()) };
                BlockBody::ToolCall(ToolCall { id, name, namespace: None, input, state: None, item_id: None })
            }
        };
        self.owner.insert(block, choice);
        self.choices.entry(choice).or_default().0.insert(block, body);
    }

    fn body(&mut self, block: BlockIndex) -> Option<&mut BlockBody> {
        self.choices.get_mut(self.owner.get(&block)?)?.0.get_mut(&block)
    }

    fn append(&mut self, block: BlockIndex, more: &str) {
        let text = match self.body(block) {
            Some(BlockBody::Text(text)) => &mut text.text,
            Some(BlockBody::Thinking(thinking)) => &mut thinking.text,
            Some(BlockBody::Refusal(words)) => words,
            Some(BlockBody::ToolCall(ToolCall {
                input: ToolInput::Json(text) | ToolInput::Freeform(text), ..
            })) => text,
            // `open` makes no other blocks.
            Some(_) | None => return,
        };
        text.push_str(more);
    }

    fn whole(self) -> ChatResponse {
        let (id, model, created) = self.head;
        let choices = self.choices.into_values().map(|(blocks, stop)| Choice {
            blocks: blocks.into_values().map(Block::new).collect(),
            stop: stop.unwrap_or_else(|| Stop::new(StopReason::EndTurn)),
            logprobs: None,
            extra: Vec::new(),
        });
        ChatResponse { id, model, created, choices: choices.collect(), usage: self.usage, extra: Vec::new() }
    }
}
