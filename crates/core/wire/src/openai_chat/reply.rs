//! Whole answers.

use omniroute_domain::block::{Block, BlockBody, ToolInput};
use omniroute_domain::response::Choice;
use omniroute_domain::{ChatResponse, Format, Loss, Severity, Stop, StopReason, Usage};

use super::ledger::Ledger;
use super::message::{Naming, Place, read_blocks, write_blocks};
use super::stop::{self, Held};
use super::types::DecodeError;
use super::usage;
use crate::json::{Fields, array, elements, nested, object};

/// Reads an answer. One that carries an error has no choices, or none that is whole; `tap::read_reply`
/// tells it first.
pub fn decode(body: &[u8]) -> Result<ChatResponse, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|_| DecodeError::NotAnObject)?;
    let mut fields = Fields::read(text).ok_or(DecodeError::NotAnObject)?;
    let id = fields.take_text("id").unwrap_or_default();
    let usage = take_usage(&mut fields);
    let wrong = || DecodeError::Wrong { path: "choices".to_owned(), expected: "an array" };
    let list = fields.take("choices").ok_or(DecodeError::Missing { path: "choices" })?;
    let list = elements(list).ok_or_else(wrong)?;
    let choices: Result<Vec<Choice>, DecodeError> =
        list.iter().enumerate().map(|(number, choice)| read_choice(choice, number, &id)).collect();
    fields.take("object");
    Ok(ChatResponse {
        id,
        model: fields.take_text("model").unwrap_or_default(),
        created: fields.take_count("created").unwrap_or_default(),
        choices: choices?,
        usage,
        extra: fields.rest(),
    })
}

/// Writes an answer, and says what had no place in it.
pub fn encode(response: &ChatResponse) -> (Vec<u8>, Vec<Loss>) {
    // An answer does not say where it came from; kept fields are written as they are.
    let mut ledger = Ledger::new(Format::OpenAiChat);
    let mut out = Vec::with_capacity(1024);
    object(&mut out, |body| {
        body.text("id", &response.id);
        body.text("object", "chat.completion");
        body.plain("created", response.created);
        body.text("model", &response.model);
        array(body.value("choices"), response.choices.iter().enumerate(), |out, (number, choice)| {
            write_choice(out, number, choice, &mut ledger);
        });
        if response.usage.is_reported() {
            usage::write(body.value("usage"), &response.usage, &nested(&response.extra, "usage"));
        }
        if let Some(tier) = &response.usage.tier {
            body.text("service_tier", tier);
        }
        body.rest(&response.extra);
    });
    (out, ledger.into_losses())
}

/// The usage of an answer. Figures of the usual place are taken out; others are read where they stand.
fn take_usage(fields: &mut Fields<'_>) -> Usage {
    let elsewhere = usage::of_answer(fields).unwrap_or_default();
    let Some(mut own) = fields.take_as::<Fields<'_>>("usage") else { return elsewhere };
    let mut usage = usage::take(&mut own);
    fields.keep("usage", own);
    usage.tier = fields.take_text("service_tier");
    if usage.is_reported() { usage } else { elsewhere }
}

fn read_choice(choice: &str, number: usize, answer: &str) -> Result<Choice, DecodeError> {
    let path = |field: &str| format!("choices[{number}]{field}");
    let wrong = |field: &str| DecodeError::Wrong { path: path(field), expected: "an object" };
    let mut fields = Fields::read(choice).ok_or_else(|| wrong(""))?;
    let mut message: Fields<'_> = fields.take_as("message").ok_or_else(|| wrong(".message"))?;
    let index = fields.take_count("index").unwrap_or(number as u64).to_string();
    let blocks = read_blocks(&mut message, Naming { scope: answer, choice: &index });
    message.take("role");
    fields.keep("message", message);
    let word = fields.take_text("finish_reason");
    let stop = stop_of(word.as_deref(), &blocks)?;
    let logprobs = fields.take_raw("logprobs");
    Ok(Choice { blocks, stop, logprobs, extra: fields.rest() })
}

/// Why an answer ended, by its word and its blocks.
fn stop_of(word: Option<&str>, blocks: &[Block]) -> Result<Stop, DecodeError> {
    let calls = blocks.iter().filter_map(|block| {
        let BlockBody::ToolCall(call) = &block.body else { return None };
        Some(call)
    });
    let states: Vec<stop::Arguments> = calls
        .clone()
        .map(|call| match &call.input {
            ToolInput::Json(text) => stop::arguments(text),
            ToolInput::Freeform(_) => stop::Arguments::Whole,
        })
        .collect();
    let refusal = blocks.iter().any(|block| matches!(block.body, BlockBody::Refusal(_)));
    let broken = |stop::BrokenCall(number)| DecodeError::BrokenCall {
        name: calls.clone().nth(number).map(|call| call.name.clone()).unwrap_or_default(),
    };
    stop::stop(word, Held { calls: &states, refusal }).map_err(broken)
}

fn write_choice(out: &mut Vec<u8>, number: usize, choice: &Choice, ledger: &mut Ledger) {
    let path = format!("choices[{number}]");
    if choice.stop.reason == StopReason::PauseTurn {
        ledger.lose(&path, "pause", Severity::Note);
    }
    object(out, |written| {
        written.plain("index", number);
        written.object("message", &choice.extra, |message| {
            message.text("role", "assistant");
            write_blocks(message, &choice.blocks, Place::Answer, &path, ledger);
        });
        match &choice.logprobs {
            Some(logprobs) => written.literal("logprobs", logprobs.get()),
            None => written.literal("logprobs", "null"),
        }
        written.text("finish_reason", stop::word(&choice.stop));
        written.rest(&choice.extra);
    });
}

#[cfg(test)]
mod tests;
