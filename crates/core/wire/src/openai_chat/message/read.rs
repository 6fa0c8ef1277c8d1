//! Reading an assistant's message.

use omniroute_domain::Raw;
use omniroute_domain::block::{Audio, Block, BlockBody, Citation, Source};

use super::calls::{Naming, take_call};
use crate::json::{Fields, elements};
use crate::openai_chat::{parts, reasoning};

/// Takes the content out of a message: reasoning, then content, refusal, sound, pictures and calls. What
/// is not understood stays in the message.
pub(in crate::openai_chat) fn read_blocks(message: &mut Fields<'_>, naming: Naming<'_>) -> Vec<Block> {
    let mut blocks = reasoning::take(message);
    if let Some(content) = message.get("content").and_then(parts::read_content) {
        message.take("content");
        blocks.extend(content);
    }
    if let Some(words) = message.take_text("refusal").filter(|words| !words.is_empty()) {
        blocks.push(Block::new(BlockBody::Refusal(words)));
    }
    blocks.extend(take_audio(message));
    blocks.extend(take_images(message));
    take_annotations(message, &mut blocks);
    blocks.extend(take_calls(message, naming));
    blocks
}

fn take_audio(message: &mut Fields<'_>) -> Option<Block> {
    let mut audio = Fields::read(message.get("audio")?)?;
    let id = audio.take_text("id")?;
    message.take("audio");
    let transcript = audio.take_text("transcript");
    let body = BlockBody::Audio(Audio { format: None, source: Source::FileId(id), transcript });
    Some(Block { extra: audio.rest(), ..Block::new(body) })
}

/// Pictures beside the content, as OpenRouter gives them.
fn take_images(message: &mut Fields<'_>) -> Vec<Block> {
    let Some(images) = message.get("images").and_then(parts::read_content) else { return Vec::new() };
    if !images.iter().all(|block| matches!(block.body, BlockBody::Image(_))) {
        return Vec::new();
    }
    message.take("images");
    images
}

/// Citations hang on the text; without one they stay in the message.
fn take_annotations(message: &mut Fields<'_>, blocks: &mut [Block]) {
    let Some(list) = message.get("annotations").and_then(elements) else { return };
    let text = blocks.iter_mut().find_map(|block| match &mut block.body {
        BlockBody::Text(text) => Some(text),
        _ => None,
    });
    let Some(text) = text else { return };
    text.citations = list.iter().filter_map(|annotation| citation(annotation)).collect();
    message.take("annotations");
}

/// One annotation.
pub(in crate::openai_chat) fn citation(annotation: &str) -> Option<Citation> {
    let page = || {
        let mut outer = Fields::read(annotation)?;
        let mut inner: Fields<'_> = outer.take_as("url_citation")?;
        let citation = Citation::Url {
            url: inner.take_text("url")?,
            title: inner.take_text("title"),
            start: inner.take_count("start_index"),
            end: inner.take_count("end_index"),
        };
        outer.take("type");
        // One that says more stays as it came.
        (outer.rest().is_empty() && inner.rest().is_empty()).then_some(citation)
    };
    page().or_else(|| Raw::parse(annotation.to_owned()).map(Citation::Raw))
}

fn take_calls(message: &mut Fields<'_>, naming: Naming<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(list) = message.get("tool_calls").and_then(elements) {
        let calls: Option<Vec<Block>> =
            list.iter().enumerate().map(|(number, call)| take_call(Fields::read(call)?, naming, number)).collect();
        if let Some(calls) = calls {
            message.take("tool_calls");
            blocks = calls;
        }
    }
    // The old form: one call, without an id.
    if blocks.is_empty()
        && let Some(call) = message.get("function_call")
        && let Some(block) =
            Fields::read(&format!("{{\"function\":{call}}}")).and_then(|call| take_call(call, naming, 0))
    {
        message.take("function_call");
        blocks.push(block);
    }
    blocks
}
