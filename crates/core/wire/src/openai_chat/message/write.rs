//! Writing an assistant's message, and the content of any message.

use omniroute_domain::block::{Block, BlockBody, Citation, Source, ToolCall, ToolInput};
use omniroute_domain::{Extra, Severity};

use super::calls::write_call_start;
use crate::json::{Object, array, object, string};
use crate::openai_chat::ledger::Ledger;
use crate::openai_chat::{parts, reasoning};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::openai_chat) enum Place {
    /// In the history of a request.
    History,
    /// In an answer.
    Answer,
}

/// Writes the blocks of an assistant's turn.
pub(in crate::openai_chat) fn write_blocks(
    message: &mut Object<'_>,
    blocks: &[Block],
    place: Place,
    path: &str,
    ledger: &mut Ledger,
) {
    write_text(message, blocks, place, path, ledger);
    reasoning::write(message, blocks, place, ledger);
    write_media(message, blocks, path, ledger);
    write_calls(message, blocks, path, ledger);
    for (number, block) in blocks.iter().enumerate() {
        lose_the_rest(block, &format!("{path}.blocks[{number}]"), ledger);
    }
}

/// Writes a `content` value: a text where a text says it all, else parts.
pub(in crate::openai_chat) fn content(out: &mut Vec<u8>, blocks: &[&Block], path: &str, ledger: &mut Ledger) {
    if let [only] = blocks
        && is_plain(only)
    {
        return string(out, only.as_text().unwrap_or_default());
    }
    let part = |(number, block)| {
        let written = parts::write_part(block, &format!("{path}.blocks[{number}]"), ledger)?;
        Some((block, written))
    };
    let parts: Vec<(&Block, Vec<u8>)> = blocks.iter().copied().enumerate().filter_map(part).collect();
    match &parts[..] {
        [] => string(out, ""),
        // The others had no place here.
        [(only, _)] if is_plain(only) => string(out, only.as_text().unwrap_or_default()),
        _ => array(out, parts, |out, (_, part)| out.extend_from_slice(&part)),
    }
}

/// Whether a block is text and nothing else.
fn is_plain(block: &Block) -> bool {
    block.as_text().is_some() && block.cache.is_none() && block.extra.is_empty()
}

fn write_text(message: &mut Object<'_>, blocks: &[Block], place: Place, path: &str, ledger: &mut Ledger) {
    let spoken: Vec<&Block> = blocks.iter().filter(|block| is_spoken(block, place)).collect();
    let refusal = refusal(blocks);
    match spoken[..] {
        [] if has_other_content(blocks) => message.literal("content", "null"),
        [_, _, ..] if ledger.is_ours() && place == Place::History => {
            content(message.value("content"), &spoken, path, ledger)
        }
        [only] if ledger.is_ours() && place == Place::History && !is_plain(only) => {
            content(message.value("content"), &spoken, path, ledger);
        }
        _ => message.text("content", &joined(blocks, path, ledger)),
    }
    if !refusal.is_empty() {
        message.text("refusal", &refusal);
    } else if place == Place::Answer {
        message.literal("refusal", "null");
    }
    if place == Place::Answer {
        write_annotations(message, blocks);
    }
}

/// Whether a block goes into `content`.
fn is_spoken(block: &Block, place: Place) -> bool {
    let unknown = matches!(block.body, BlockBody::Unknown(_)) && place == Place::History;
    block.as_text().is_some() || unknown
}

fn has_other_content(blocks: &[Block]) -> bool {
    blocks
        .iter()
        .any(|block| matches!(block.body, BlockBody::ToolCall(_) | BlockBody::Refusal(_) | BlockBody::Audio(_)))
}

fn refusal(blocks: &[Block]) -> String {
    let words = blocks.iter().filter_map(|block| {
        let BlockBody::Refusal(words) = &block.body else { return None };
        Some(words.as_str())
    });
    words.collect()
}

/// All text as one. Neighbours join as they are; text on the other side of a call starts a new line.
fn joined(blocks: &[Block], path: &str, ledger: &mut Ledger) -> String {
    let mut text = String::new();
    let mut called = false;
    for block in blocks {
        if let Some(more) = block.as_text() {
            if called && !text.is_empty() {
                text.push('\n');
                ledger.lose(path, "order of text and tool calls", Severity::Note);
            }
            called = false;
            text.push_str(more);
        }
        called |= matches!(block.body, BlockBody::ToolCall(_));
    }
    text
}

fn write_annotations(message: &mut Object<'_>, blocks: &[Block]) {
    let texts = blocks.iter().filter_map(|block| {
        let BlockBody::Text(text) = &block.body else { return None };
        Some(&text.citations)
    });
    let citations: Vec<&Citation> = texts.flatten().collect();
    if !citations.is_empty() {
        array(message.value("annotations"), citations, write_citation);
    }
}

/// One annotation.
pub(in crate::openai_chat) fn write_citation(out: &mut Vec<u8>, citation: &Citation) {
    let (url, title, start, end) = match citation {
        Citation::Raw(raw) => return out.extend_from_slice(raw.get().as_bytes()),
        Citation::Url { url, title, start, end } => (url, title, start, end),
    };
    object(out, |annotation| {
        annotation.text("type", "url_citation");
        annotation.object("url_citation", &Extra::new(), |page| {
            page.text("url", url);
            if let Some(title) = title {
                page.text("title", title);
            }
            if let Some(start) = start {
                page.plain("start_index", start);
            }
            if let Some(end) = end {
                page.plain("end_index", end);
            }
        });
    });
}

fn write_media(message: &mut Object<'_>, blocks: &[Block], path: &str, ledger: &mut Ledger) {
    let sound = blocks.iter().find_map(|block| {
        let BlockBody::Audio(audio) = &block.body else { return None };
        let Source::FileId(id) = &audio.source else { return None };
        Some((id, audio, &block.extra))
    });
    if let Some((id, audio, extra)) = sound {
        object(message.value("audio"), |inner| {
            inner.text("id", id);
            if let Some(transcript) = &audio.transcript {
                inner.text("transcript", transcript);
            }
            inner.rest(ledger.extra(path, extra));
        });
    }
    let images = blocks.iter().filter(|block| matches!(block.body, BlockBody::Image(_)));
    let images: Vec<Vec<u8>> = images.filter_map(|block| parts::write_part(block, path, ledger)).collect();
    if !images.is_empty() {
        array(message.value("images"), images, |out, image| out.extend_from_slice(&image));
    }
}

fn write_calls(message: &mut Object<'_>, blocks: &[Block], path: &str, ledger: &mut Ledger) {
    let calls: Vec<(&Block, &ToolCall)> = blocks
        .iter()
        .filter_map(|block| {
            let BlockBody::ToolCall(call) = &block.body else { return None };
            Some((block, call))
        })
        .collect();
    if calls.is_empty() {
        return;
    }
    array(message.value("tool_calls"), calls, |out, (block, call)| {
        let extra = ledger.extra(path, &block.extra);
        object(out, |written| {
            write_call_start(written, &call.id, &call.input);
            write_input(written, call, extra);
            if let Some(state) = call.state.as_ref().filter(|_| !extra.iter().any(|(key, _)| key == "extra_content")) {
                super::calls::write_state(written, state);
            }
            written.rest(extra);
        });
    });
}

fn write_input(call: &mut Object<'_>, of: &ToolCall, extra: &Extra) {
    let name = full_name(of);
    match &of.input {
        ToolInput::Json(arguments) => call.object("function", extra, |function| {
            function.text("name", &name);
            function.text("arguments", arguments);
        }),
        ToolInput::Freeform(input) => call.object("custom", extra, |custom| {
            custom.text("name", &name);
            custom.text("input", input);
        }),
    }
}

/// This format has no groups of tools; the group goes into the name.
fn full_name(call: &ToolCall) -> String {
    match &call.namespace {
        Some(namespace) => format!("{namespace}__{}", call.name),
        None => call.name.clone(),
    }
}

/// Names what an assistant's message has no place for.
fn lose_the_rest(block: &Block, path: &str, ledger: &mut Ledger) {
    match &block.body {
        BlockBody::Text(text) if !ledger.is_ours() => {
            ledger.lose_if(block.cache.as_ref(), path, "cache mark");
            ledger.lose_if(text.citations.first(), path, "citations");
            ledger.extra(path, &block.extra);
        }
        BlockBody::Thinking(_) if !reasoning::is_detail(block) => {
            ledger.lose_if(block.cache.as_ref(), path, "cache mark");
            block.extra.iter().for_each(|(key, _)| ledger.lose(path, key, Severity::Note));
        }
        BlockBody::ToolCall(_) => ledger.lose_if(block.cache.as_ref(), path, "cache mark"),
        BlockBody::Text(_) | BlockBody::Refusal(_) | BlockBody::Thinking(_) | BlockBody::Image(_) => {}
        BlockBody::Audio(audio) if matches!(audio.source, Source::FileId(_)) => {}
        BlockBody::Unknown(_) if ledger.is_ours() => {}
        BlockBody::Audio(_)
        | BlockBody::Unknown(_)
        | BlockBody::Document(_)
        | BlockBody::Video(_)
        | BlockBody::ToolResult(_)
        | BlockBody::ServerToolCall(_)
        | BlockBody::ServerToolResult(_)
        | BlockBody::Compaction(_)
        | BlockBody::StateOnly(_) => ledger.lose(path, "block", Severity::Minor),
    }
}
