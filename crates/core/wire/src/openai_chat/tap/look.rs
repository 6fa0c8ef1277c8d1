//! One event, parsed.

use omniroute_domain::{Fault, Usage};

use crate::json::{Fields, count, elements, objects, text};
use crate::openai_chat::error::{classify_event, in_answer, of_error_event};
use crate::openai_chat::{stop, usage};

/// What one event holds.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) error: Option<Fault>,
    pub(super) usage: Option<Usage>,
    pub(super) useful: bool,
    /// The choices that have a finish reason.
    pub(super) finished: Vec<u64>,
    /// It has no choices.
    pub(super) empty: bool,
}

/// Parses the data of an event that is named `error`.
pub(super) fn look_at_error(data: &str) -> Look {
    Look { error: Some(classify_event(&of_error_event(data))), ..Look::default() }
}

/// Parses the data of an event; `None` where it is no JSON object.
pub(super) fn look(data: &str) -> Option<Look> {
    let chunks = objects(data)?;
    let mut found = Look { empty: true, ..Look::default() };
    for chunk in &chunks {
        look_at_chunk(chunk, &mut found);
        if found.error.is_some() {
            break;
        }
    }
    Some(found)
}

fn look_at_chunk(chunk: &Fields<'_>, found: &mut Look) {
    found.error = in_answer(chunk).map(|rejection| classify_event(&rejection));
    if let Some(usage) = usage::of_answer(chunk) {
        found.usage.get_or_insert_default().update(usage);
    }
    for choice in chunk.get("choices").and_then(elements).unwrap_or_default() {
        found.empty = false;
        look_at_choice(choice, found);
    }
}

fn look_at_choice(choice: &str, found: &mut Look) {
    let Some(choice) = Fields::read(choice) else { return };
    if let Some(word) = choice.text("finish_reason").filter(|word| !word.is_empty()) {
        match stop::broke_off(&word) {
            // A word for a failure is no part of an answer.
            Some(fault) => found.error = found.error.take().or(Some(fault)),
            None => {
                found.useful = true;
                found.finished.push(choice.get("index").and_then(count).unwrap_or(0));
            }
        }
    }
    let said = choice.get("delta").or_else(|| choice.get("message")).and_then(Fields::read);
    found.useful |= said.is_some_and(|said| PARTS.iter().any(|key| said.get(key).is_some_and(is_something)));
}

/// The fields of a delta that carry a part of the answer.
const PARTS: [&str; 11] = [
    "content",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "thinking",
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "images",
    "annotations",
];

fn is_something(value: &str) -> bool {
    match value.as_bytes().first() {
        Some(b'"') => text(value).is_some_and(|text| !text.is_empty()),
        Some(b'[') => elements(value).is_some_and(|items| !items.is_empty()),
        Some(b'{') => value != "{}",
        Some(_) | None => false,
    }
}
