//! Reasoning as other vendors add it: `reasoning_content`, `reasoning`, and OpenRouter's list of
//! `reasoning_details`, which also carries signatures and encrypted reasoning.

use omniroute_domain::block::{Block, BlockBody, Thinking};
use omniroute_domain::opaque::{Family, Opaque, OpaqueKind};
use omniroute_domain::{Extra, Severity};

use super::ledger::Ledger;
use super::message::Place;
use crate::json::{Fields, Object, array, elements, object, text};

/// The fields that hold reasoning as plain text, the usual one first.
pub(super) const PLAIN: [&str; 2] = ["reasoning_content", "reasoning"];

/// How OpenRouter names the families (its `reasoning_details[].format`).
const FORMATS: [(&str, Family); 4] = [
    ("anthropic-claude-v1", Family::Anthropic),
    ("google-gemini-v1", Family::Gemini),
    ("openai-responses-v1", Family::OpenAi),
    ("xai-responses-v1", Family::Xai),
];

/// One entry of `reasoning_details`.
#[derive(Debug, Default)]
pub(super) struct Detail {
    pub(super) text: String,
    pub(super) state: Option<Opaque>,
}

/// Takes the reasoning out of a message, as blocks. The same text may stand there twice, in different
/// fields; it is taken once.
pub(super) fn take(message: &mut Fields<'_>) -> Vec<Block> {
    let plain = PLAIN.map(|key| message.take_text(key)).into_iter().flatten().find(|text| !text.is_empty());
    let mut blocks: Vec<Block> = Vec::new();
    if let Some(details) = message.get("reasoning_details").and_then(elements) {
        let read: Option<Vec<Block>> = details.iter().map(|detail| block(detail)).collect();
        if let Some(read) = read {
            message.take("reasoning_details");
            blocks = read;
        }
    }
    let told =
        blocks.iter().any(|block| matches!(&block.body, BlockBody::Thinking(thinking) if !thinking.text.is_empty()));
    if let Some(text) = plain.filter(|_| !told) {
        blocks.insert(0, Block::new(BlockBody::Thinking(Thinking { text, ..Thinking::default() })));
    }
    blocks
}

/// What a streamed entry adds.
pub(super) fn detail(json: &str) -> Option<Detail> {
    let mut fields = Fields::read(json)?;
    let (thinking, _) = thinking(&mut fields)?;
    Some(Detail { text: thinking.text, state: thinking.state })
}

/// Writes the reasoning of an assistant's blocks. An answer has it as plain text too, for clients that
/// know no details; in a history it stands once.
pub(super) fn write(message: &mut Object<'_>, blocks: &[Block], place: Place, ledger: &mut Ledger) {
    let all = blocks.iter().filter_map(|block| {
        let BlockBody::Thinking(thinking) = &block.body else { return None };
        Some((block, thinking))
    });
    let listed = |block: &Block, thinking: &Thinking| is_detail(block) || thinking.state.is_some() && ledger.is_ours();
    let plain = all.clone().filter(|(block, thinking)| place == Place::Answer || !listed(block, thinking));
    let text: String = plain.map(|(_, thinking)| thinking.text.as_str()).collect();
    if !text.is_empty() {
        message.text(PLAIN[0], &text);
    }
    let details: Vec<_> = all.filter(|(block, thinking)| is_detail(block) || thinking.state.is_some()).collect();
    if details.is_empty() {
        return;
    }
    if !ledger.is_ours() {
        ledger.lose("reasoning_details", "state", Severity::Minor);
        return;
    }
    array(message.value("reasoning_details"), details, |out, (block, thinking)| {
        object(out, |detail| write_detail(detail, thinking, &block.extra));
    });
}

/// One entry of `reasoning_details`; its kind follows from what there is to say.
pub(super) fn write_detail(detail: &mut Object<'_>, thinking: &Thinking, extra: &Extra) {
    let state = thinking.state.as_ref();
    let signature = state.filter(|state| state.kind == OpaqueKind::Signature);
    let hidden = state.filter(|state| state.kind != OpaqueKind::Signature);
    let kind = if hidden.is_some() {
        "reasoning.encrypted"
    } else if thinking.summary.is_empty() {
        "reasoning.text"
    } else {
        "reasoning.summary"
    };
    detail.text("type", kind);
    match kind {
        "reasoning.summary" => detail.text("summary", &thinking.summary.concat()),
        "reasoning.text" if !thinking.text.is_empty() => detail.text("text", &thinking.text),
        _ => {}
    }
    if let Some(state) = hidden {
        detail.text("data", &state.data);
    }
    if let Some(state) = signature {
        detail.text("signature", &state.data);
    }
    if let Some(id) = &thinking.item_id {
        detail.text("id", id);
    }
    if !extra.iter().any(|(key, _)| key == "format")
        && let Some(state) = state
    {
        detail.text("format", format_of(state.family));
    }
    detail.rest(extra);
}

/// Blocks that were an entry keep its `type`.
pub(super) fn is_detail(block: &Block) -> bool {
    block.extra.iter().any(|(key, value)| key == "type" && value.get().starts_with("\"reasoning."))
}

fn block(json: &str) -> Option<Block> {
    let mut fields = Fields::read(json)?;
    let (thinking, kind) = thinking(&mut fields)?;
    let mut extra = fields.rest();
    extra.push(("type".to_owned(), omniroute_domain::Raw::parse(format!("\"{kind}\""))?));
    Some(Block { extra, ..Block::new(BlockBody::Thinking(thinking)) })
}

fn thinking(fields: &mut Fields<'_>) -> Option<(Thinking, &'static str)> {
    let family = fields.get("format").and_then(text).map_or(Family::Unknown, |format| family_of(&format));
    let state = |kind, data: Option<String>| {
        data.filter(|data| !data.is_empty()).map(|data| Opaque { family, model: None, kind, data })
    };
    let kind = fields.take_text("type")?;
    let mut thinking = Thinking::default();
    let kind = match kind.as_str() {
        "reasoning.text" => {
            thinking.text = fields.take_text("text").unwrap_or_default();
            thinking.state = state(OpaqueKind::Signature, fields.take_text("signature"));
            "reasoning.text"
        }
        "reasoning.summary" => {
            thinking.text = fields.take_text("summary").unwrap_or_default();
            thinking.summary = vec![thinking.text.clone()];
            "reasoning.summary"
        }
        "reasoning.encrypted" => {
            thinking.state = state(OpaqueKind::Encrypted, fields.take_text("data"));
            thinking.redacted = true;
            "reasoning.encrypted"
        }
        _ => return None,
    };
    thinking.item_id = fields.take_text("id");
    Some((thinking, kind))
}

fn family_of(format: &str) -> Family {
    let known = FORMATS.iter().find(|(name, _)| format.ends_with(name));
    known.map_or(Family::Unknown, |(_, family)| *family)
}

fn format_of(family: Family) -> &'static str {
    FORMATS.iter().find(|(_, known)| *known == family).map_or("unknown", |(name, _)| name)
}
