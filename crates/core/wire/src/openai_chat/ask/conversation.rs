//! Messages into turns.
//!
//! Leading system messages become the system text; one that carries more than content, or comes later,
//! stays a turn in its place. A tool's answer is a user's turn with one result.

use std::collections::VecDeque;

use omniroute_domain::block::{Block, BlockBody, ToolResult};
use omniroute_domain::request::{Priority, Role, SystemBlock, Turn};
use omniroute_domain::{ChatRequest, Extra};

use crate::json::Fields;
use crate::openai_chat::message::{Naming, read_blocks};
use crate::openai_chat::parts::read_content;
use crate::openai_chat::types::DecodeError;

/// Reads all messages into a request.
pub(super) fn read(messages: &[&str], request: &mut ChatRequest) -> Result<(), DecodeError> {
    let mut open = Unanswered::default();
    for (number, message) in messages.iter().enumerate() {
        let wrong = || DecodeError::Wrong { path: format!("messages[{number}]"), expected: "an object" };
        let mut fields = Fields::read(message).ok_or_else(wrong)?;
        let turn = match fields.text("role").as_deref() {
            Some("system") => system(&mut fields, Priority::System),
            Some("developer") => system(&mut fields, Priority::Developer),
            Some("assistant" | "model") => assistant(&mut fields, number, &mut open),
            Some("tool" | "function") => {
                request.turns.push(result(fields, &mut open));
                continue;
            }
            Some("user") => user(&mut fields),
            // No role, or one nobody knows, which stays among the kept fields.
            Some(_) | None => {
                let turn = user(&mut fields);
                request.turns.push(Turn { name: fields.take_text("name"), extra: fields.rest(), ..turn });
                continue;
            }
        };
        fields.take("role");
        add(Turn { name: fields.take_text("name"), extra: fields.rest(), ..turn }, number, request);
    }
    Ok(())
}

/// Adds a turn, or, at the beginning, its system text.
fn add(turn: Turn, message: usize, request: &mut ChatRequest) {
    match turn.role {
        Role::System(priority) if request.turns.is_empty() && turn.name.is_none() && turn.extra.is_empty() => {
            let blocks = turn.blocks.into_iter().map(|block| SystemBlock { priority, block, message });
            request.system.extend(blocks);
        }
        Role::System(_) | Role::User | Role::Assistant => request.turns.push(turn),
    }
}

fn system(fields: &mut Fields<'_>, priority: Priority) -> Turn {
    Turn::new(Role::System(priority), take_content(fields))
}

fn user(fields: &mut Fields<'_>) -> Turn {
    Turn::new(Role::User, take_content(fields))
}

fn assistant(fields: &mut Fields<'_>, number: usize, open: &mut Unanswered) -> Turn {
    let scope = number.to_string();
    let blocks = read_blocks(fields, Naming { scope: &scope, choice: "" });
    open.called(&blocks);
    Turn::new(Role::Assistant, blocks)
}

/// A tool's answer. One without an id answers the oldest open call, of the same tool if it names one
///.
fn result(mut fields: Fields<'_>, open: &mut Unanswered) -> Turn {
    let name = fields.take_text("name");
    let given = fields.take_text("tool_call_id").filter(|id| !id.is_empty());
    let call_id = open.answered(given, name.as_deref());
    let blocks = take_output(&mut fields);
    fields.take("role");
    let body = BlockBody::ToolResult(ToolResult { call_id, name, blocks, is_error: None });
    let extra: Extra = fields.rest();
    Turn::new(Role::User, vec![Block { extra, ..Block::new(body) }])
}

/// A tool's output. Some clients send its JSON as it is; it is text to the model.
fn take_output(fields: &mut Fields<'_>) -> Vec<Block> {
    match fields.get("content") {
        Some(json) if !json.starts_with(['"', '[']) => {
            fields.take("content");
            vec![Block::text(json)]
        }
        Some(_) | None => take_content(fields),
    }
}

/// Takes the content of a message; what is no content stays.
fn take_content(fields: &mut Fields<'_>) -> Vec<Block> {
    let blocks = fields.get("content").and_then(read_content);
    if blocks.is_some() {
        fields.take("content");
    }
    blocks.unwrap_or_default()
}

/// The calls of the latest assistant's turn that have no answer yet: id and name.
#[derive(Debug, Default)]
struct Unanswered(VecDeque<(String, String)>);

impl Unanswered {
    fn called(&mut self, blocks: &[Block]) {
        let calls = blocks.iter().filter_map(|block| {
            let BlockBody::ToolCall(call) = &block.body else { return None };
            Some((call.id.clone(), call.name.clone()))
        });
        self.0 = calls.collect();
    }

    /// The id that is answered; empty where nothing is open.
    fn answered(&mut self, id: Option<String>, name: Option<&str>) -> String {
        let by_id = |id: &String| self.0.iter().position(|(open, _)| open == id);
        let by_name = || self.0.iter().position(|(_, open)| Some(open.as_str()) == name);
        let place = match &id {
            Some(id) => by_id(id),
            None => by_name().or((!self.0.is_empty()).then_some(0)),
        };
        let open = place.and_then(|place| self.0.remove(place)).map(|(id, _)| id);
        id.or(open).unwrap_or_default()
    }
}
