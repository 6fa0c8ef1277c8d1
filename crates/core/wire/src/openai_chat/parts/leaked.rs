//! Anthropic's blocks, and the AI SDK's pictures, inside Chat Completions content. Clients such as
//! Cursor send them; they are written back as this format's own parts.

use omniroute_domain::block::{BlockBody, Document, Image, Source, Thinking, ToolCall, ToolInput, ToolResult};
use omniroute_domain::opaque::{Family, Opaque, OpaqueKind};

use super::read_nested;
use crate::json::{Fields, elements};
use crate::openai_chat::source::of_url;

pub(super) fn body(kind: &str, fields: &mut Fields<'_>, nesting: u8) -> Option<BlockBody> {
    match kind {
        "image" => image(fields),
        "document" => document(fields, nesting),
        "thinking" => thinking(fields),
        "redacted_thinking" => redacted(fields),
        "tool_use" => tool_use(fields),
        "tool_result" => tool_result(fields, nesting),
        _ => None,
    }
}

fn image(fields: &mut Fields<'_>) -> Option<BlockBody> {
    let source = match fields.take_as::<Fields<'_>>("source") {
        Some(source) => source_of(source, 0)?,
        None => {
            let image = fields.take_text("image")?;
            let mime = fields.take_text("mediaType").or_else(|| fields.take_text("mimeType"));
            let mime = mime.map(|mime| mime.to_ascii_lowercase());
            match (of_url(image), mime) {
                (Source::Url(data), Some(mime)) if !data.contains("://") => Source::Base64 { mime, data },
                (source, _) => source,
            }
        }
    };
    Some(BlockBody::Image(Image { source, detail: None, state: None }))
}

fn document(fields: &mut Fields<'_>, nesting: u8) -> Option<BlockBody> {
    let source = source_of(fields.take_as("source")?, nesting)?;
    let title = fields.take_text("title");
    let context = fields.take_text("context");
    let citations = fields.take_as::<Fields<'_>>("citations").and_then(|mut wanted| wanted.take_as("enabled"));
    Some(BlockBody::Document(Document { source, title, context, citations, filename: None }))
}

fn source_of(mut source: Fields<'_>, nesting: u8) -> Option<Source> {
    let kind = source.take_text("type")?;
    match kind.as_str() {
        "base64" => {
            let mime = source.take_text("media_type").unwrap_or_default().to_ascii_lowercase();
            Some(Source::Base64 { mime, data: source.take_text("data")? })
        }
        "url" => source.take_text("url").map(of_url),
        "file" => source.take_text("file_id").map(Source::FileId),
        "text" => source.take_text("data").map(Source::Text),
        "content" => read_nested(source.take("content")?, nesting + 1).map(Source::Blocks),
        _ => None,
    }
}

/// Anthropic's thinking, or Mistral's, whose text is an array of text parts.
fn thinking(fields: &mut Fields<'_>) -> Option<BlockBody> {
    let text = match fields.take_text("thinking") {
        Some(text) => text,
        None => {
            let parts = elements(fields.take("thinking")?)?;
            parts.iter().filter_map(|part| Some(Fields::read(part)?.text("text")?.into_owned())).collect()
        }
    };
    let state = fields.take_text("signature").filter(|data| !data.is_empty());
    let state = state.map(|data| opaque(OpaqueKind::Signature, data));
    Some(BlockBody::Thinking(Thinking { text, state, ..Thinking::default() }))
}

fn redacted(fields: &mut Fields<'_>) -> Option<BlockBody> {
    let state = Some(opaque(OpaqueKind::Redacted, fields.take_text("data")?));
    Some(BlockBody::Thinking(Thinking { state, redacted: true, ..Thinking::default() }))
}

/// A state in Anthropic's block. Whose it is, is told by its shape and not by the block it is in: other
/// routers put other families' states there.
fn opaque(kind: OpaqueKind, data: String) -> Opaque {
    let family = if data.starts_with(['E', 'R', 'C']) { Family::Anthropic } else { Family::Unknown };
    Opaque { family, model: None, kind, data }
}

fn tool_use(fields: &mut Fields<'_>) -> Option<BlockBody> {
    let id = fields.take_text("id")?;
    let name = fields.take_text("name")?;
    let input = ToolInput::Json(fields.take("input").unwrap_or("{}").to_owned());
    Some(BlockBody::ToolCall(ToolCall { id, name, namespace: None, input, state: None, item_id: None }))
}

fn tool_result(fields: &mut Fields<'_>, nesting: u8) -> Option<BlockBody> {
    let call_id = fields.take_text("tool_use_id")?;
    let blocks = fields.take("content").and_then(|content| read_nested(content, nesting + 1)).unwrap_or_default();
    let is_error = fields.take_as("is_error");
    Some(BlockBody::ToolResult(ToolResult { call_id, name: None, blocks, is_error }))
}
