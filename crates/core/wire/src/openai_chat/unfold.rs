//! A whole answer as the events it would have been streamed by: for a client that asked for a stream of
//! a provider that gave none.
//!
//! What has no event (pictures, sound, log-probabilities, kept fields) is left out.

use omniroute_domain::block::{Block, BlockBody, ToolInput};
use omniroute_domain::event::{BlockIndex, BlockKind};
use omniroute_domain::{ChatResponse, Fault, FaultKind, StopReason, StreamEvent};

/// The events of an answer, from its start to its end; to an error, where the provider broke it off.
pub fn events(response: &ChatResponse) -> Vec<StreamEvent> {
    let start =
        StreamEvent::Start { id: response.id.clone(), model: response.model.clone(), created: response.created };
    let mut out = vec![start];
    let mut next: BlockIndex = 0;
    for (choice, number) in response.choices.iter().zip(0..) {
        for block in &choice.blocks {
            let Some(kind) = kind(block) else { continue };
            out.push(StreamEvent::BlockStart { block: next, choice: number, kind });
            content(block, next, &mut out);
            out.push(StreamEvent::BlockStop { block: next });
            next += 1;
        }
    }
    if response.choices.iter().any(|choice| choice.stop.reason == StopReason::Error) {
        let message = "the provider broke the answer off";
        out.push(StreamEvent::Error(Fault::new(FaultKind::Upstream, "upstream_stopped", message)));
        return out;
    }
    let stops = response.choices.iter().zip(0..);
    out.extend(stops.map(|(choice, number)| StreamEvent::Finish { choice: number, stop: choice.stop.clone() }));
    if response.usage.is_reported() {
        out.push(StreamEvent::Usage(response.usage.clone()));
    }
    out.push(StreamEvent::End);
    out
}

/// What a block is in a stream; `None` where a stream has no such thing.
fn kind(block: &Block) -> Option<BlockKind> {
    match &block.body {
        BlockBody::Text(_) => Some(BlockKind::Text),
        BlockBody::Thinking(_) => Some(BlockKind::Thinking),
        BlockBody::Refusal(_) => Some(BlockKind::Refusal),
        BlockBody::ToolCall(call) => Some(BlockKind::ToolCall {
            id: call.id.clone(),
            name: call.name.clone(),
            freeform: matches!(call.input, ToolInput::Freeform(_)),
        }),
        BlockBody::Image(_)
        | BlockBody::Document(_)
        | BlockBody::Audio(_)
        | BlockBody::Video(_)
        | BlockBody::ToolResult(_)
        | BlockBody::ServerToolCall(_)
        | BlockBody::ServerToolResult(_)
        | BlockBody::Compaction(_)
        | BlockBody::StateOnly(_)
        | BlockBody::Unknown(_) => None,
    }
}

fn content(block: &Block, number: BlockIndex, out: &mut Vec<StreamEvent>) {
    match &block.body {
        BlockBody::Text(text) => {
            out.push(StreamEvent::Text { block: number, text: text.text.clone() });
            let cited = text.citations.iter().cloned();
            out.extend(cited.map(|citation| StreamEvent::Citation { block: number, citation }));
        }
        BlockBody::Thinking(thinking) => {
            if !thinking.text.is_empty() {
                out.push(StreamEvent::Thinking { block: number, text: thinking.text.clone() });
            }
            out.extend(thinking.state.clone().map(|state| StreamEvent::State { block: number, state }));
        }
        BlockBody::Refusal(words) => out.push(StreamEvent::Text { block: number, text: words.clone() }),
        BlockBody::ToolCall(call) => {
            let (ToolInput::Json(input) | ToolInput::Freeform(input)) = &call.input;
            out.push(StreamEvent::ToolInput { block: number, fragment: input.clone() });
        }
        BlockBody::Image(_)
        | BlockBody::Document(_)
        | BlockBody::Audio(_)
        | BlockBody::Video(_)
        | BlockBody::ToolResult(_)
        | BlockBody::ServerToolCall(_)
        | BlockBody::ServerToolResult(_)
        | BlockBody::Compaction(_)
        | BlockBody::StateOnly(_)
        | BlockBody::Unknown(_) => {}
    }
}
