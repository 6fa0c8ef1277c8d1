//! Turns into messages.
//!
//! A tool result is a message of its own, before the rest of its turn. Pictures in results of another
//! format follow in a user's message, after the last result of the run, since no message may come
//! between the answers to one turn's calls.

use omniroute_domain::block::{Block, BlockBody, ToolResult};
use omniroute_domain::request::{Priority, Role, SystemBlock, Turn};
use omniroute_domain::{ChatRequest, Severity};

use crate::json::{Object, array, object, string};
use crate::openai_chat::ledger::Ledger;
use crate::openai_chat::message::{Place, content, write_blocks};
use crate::openai_chat::parts::write_part;

/// Writes the `messages` array.
pub(super) fn write(out: &mut Vec<u8>, request: &ChatRequest, ledger: &mut Ledger) {
    let mut messages = Messages { written: Vec::new(), pictures: Vec::new() };
    messages.system(&request.system, ledger);
    for (number, turn) in request.turns.iter().enumerate() {
        messages.turn(turn, &format!("turns[{number}]"), ledger);
    }
    messages.flush_pictures();
    array(out, messages.written, |out, message| out.extend_from_slice(&message));
}

struct Messages {
    written: Vec<Vec<u8>>,
    /// Parts taken out of tool results, to follow them.
    pictures: Vec<Vec<u8>>,
}

impl Messages {
    fn push(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        let mut message = Vec::new();
        object(&mut message, fill);
        self.written.push(message);
    }

    /// Leading system text: blocks that shared a message share one again.
    fn system(&mut self, system: &[SystemBlock], ledger: &mut Ledger) {
        let same =
            |left: &SystemBlock, right: &SystemBlock| (left.message, left.priority) == (right.message, right.priority);
        for group in system.chunk_by(same) {
            let blocks: Vec<&Block> = group.iter().map(|system| &system.block).collect();
            self.push(|message| {
                message.text("role", word(group[0].priority));
                write_instruction(message, &blocks, "system", ledger);
            });
        }
    }

    fn turn(&mut self, turn: &Turn, path: &str, ledger: &mut Ledger) {
        ledger.lose_if(turn.id.as_ref(), path, "id");
        ledger.lose_if(turn.status.as_ref(), path, "status");
        ledger.lose_if(turn.phase.as_ref(), path, "phase");
        if turn.role == Role::User && !has_odd_content(turn, ledger) {
            return self.user(turn, path, ledger);
        }
        self.flush_pictures();
        self.push(|message| {
            message.text("role", role(turn.role));
            match turn.role {
                _ if has_odd_content(turn, ledger) => {}
                Role::System(_) => write_instruction(message, &turn.blocks.iter().collect::<Vec<_>>(), path, ledger),
                Role::User | Role::Assistant => write_blocks(message, &turn.blocks, Place::History, path, ledger),
            }
            finish(message, turn, path, ledger);
        });
    }

    fn user(&mut self, turn: &Turn, path: &str, ledger: &mut Ledger) {
        let mut rest = Vec::new();
        for block in &turn.blocks {
            if let BlockBody::ToolResult(result) = &block.body {
                self.result(block, result, path, ledger);
            } else {
                rest.push(block);
            }
        }
        if rest.is_empty() && !turn.blocks.is_empty() {
            // No message is left that could carry them.
            turn.extra.iter().for_each(|(key, _)| ledger.lose(path, key, Severity::Minor));
            return ledger.lose_if(turn.name.as_ref(), path, "name");
        }
        self.flush_pictures();
        self.push(|message| {
            message.text("role", "user");
            content(message.value("content"), &rest, path, ledger);
            finish(message, turn, path, ledger);
        });
    }

    fn result(&mut self, block: &Block, result: &ToolResult, path: &str, ledger: &mut Ledger) {
        if result.is_error == Some(true) {
            ledger.lose(path, "is_error", Severity::Note);
        }
        ledger.lose_if(block.cache.as_ref(), path, "cache mark");
        let (text, media): (Vec<&Block>, Vec<&Block>) =
            result.blocks.iter().partition(|block| ledger.is_ours() || block.as_text().is_some());
        let parts: Vec<Vec<u8>> = media.iter().filter_map(|block| write_part(block, path, ledger)).collect();
        if !parts.is_empty() {
            let mut marker = Vec::new();
            object(&mut marker, |part| {
                part.text("type", "text");
                part.text("text", &format!("[tool result image for {}]", result.call_id));
            });
            self.pictures.push(marker);
            self.pictures.extend(parts);
        }
        self.push(|message| {
            message.text("role", "tool");
            message.text("tool_call_id", &result.call_id);
            match &result.name {
                Some(name) if ledger.is_ours() => message.text("name", name),
                Some(_) | None => {}
            }
            write_instruction(message, &text, path, ledger);
            message.rest(ledger.extra(path, &block.extra));
        });
    }

    fn flush_pictures(&mut self) {
        let pictures = std::mem::take(&mut self.pictures);
        if pictures.is_empty() {
            return;
        }
        self.push(|message| {
            message.text("role", "user");
            array(message.value("content"), pictures, |out, part| out.extend_from_slice(&part));
        });
    }
}

fn finish(message: &mut Object<'_>, turn: &Turn, path: &str, ledger: &mut Ledger) {
    match &turn.name {
        Some(name) if ledger.is_ours() => message.text("name", name),
        name => ledger.lose_if(name.as_ref(), path, "name"),
    }
    message.rest(ledger.extra(path, &turn.extra));
}

/// Content of a system or tool message. Many providers take only a text there, so blocks of another
/// format are joined line by line; our own stay parts.
fn write_instruction(message: &mut Object<'_>, blocks: &[&Block], path: &str, ledger: &mut Ledger) {
    let texts: Vec<&str> = blocks.iter().filter_map(|block| block.as_text()).collect();
    if ledger.is_ours() || texts.len() < blocks.len() {
        return content(message.value("content"), blocks, path, ledger);
    }
    for block in blocks {
        ledger.lose_if(block.cache.as_ref(), path, "cache mark");
        ledger.extra(path, &block.extra);
    }
    string(message.value("content"), &texts.join("\n"));
}

/// Whether the content was of no kind we know, so that it is among the kept fields.
fn has_odd_content(turn: &Turn, ledger: &Ledger) -> bool {
    turn.blocks.is_empty() && ledger.is_ours() && turn.extra.iter().any(|(key, _)| key == "content")
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System(priority) => word(priority),
    }
}

fn word(priority: Priority) -> &'static str {
    match priority {
        Priority::System => "system",
        Priority::Developer => "developer",
    }
}
