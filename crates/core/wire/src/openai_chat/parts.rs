//! Content parts: the elements of a message's `content` array, read and written.
//!
//! Blocks of Anthropic's format that clients leave in (`image`, `document`, `thinking`, `tool_use`,
//! `tool_result`) are read as what they mean. A part that is not understood stays
//! whole, as an unknown block.

mod leaked;

use omniroute_domain::block::CacheMark;
use omniroute_domain::block::{Audio, Block, BlockBody, Document, Image, Source, Text};
use omniroute_domain::{Extra, Raw, Severity};

use super::ledger::Ledger;
use super::source::{as_url, of_file_data, of_url};
use crate::json::{Fields, Object, elements, object, text};

/// Parts hold parts (a tool result's content); deeper than this they stay as they are.
const MAX_NESTING: u8 = 4;

/// Reads a `content` value: a text, an array of parts, or a single part.
pub(super) fn read_content(content: &str) -> Option<Vec<Block>> {
    read_nested(content, 0)
}

fn read_nested(content: &str, nesting: u8) -> Option<Vec<Block>> {
    if let Some(text) = text(content) {
        return Some(if text.is_empty() { Vec::new() } else { vec![Block::text(text)] });
    }
    if let Some(parts) = elements(content) {
        return Some(parts.into_iter().filter_map(|part| read_part(part, nesting)).collect());
    }
    content.starts_with('{').then(|| read_part(content, nesting).into_iter().collect())
}

/// Reads one part. A bare text is one; `null` is none.
fn read_part(part: &str, nesting: u8) -> Option<Block> {
    if let Some(text) = text(part) {
        return Some(Block::text(text));
    }
    let understood = Fields::read(part).and_then(|mut fields| {
        let body = body(&mut fields, nesting)?;
        let cache = take_cache(&mut fields);
        Some(Block { body, cache, extra: fields.rest() })
    });
    understood.or_else(|| Some(Block::new(BlockBody::Unknown(Raw::parse(part.to_owned()).filter(|_| part != "null")?))))
}

fn body(fields: &mut Fields<'_>, nesting: u8) -> Option<BlockBody> {
    let kind = fields.take_text("type")?;
    match kind.as_str() {
        "text" => Some(BlockBody::Text(Text { text: fields.take_text("text")?, ..Text::default() })),
        "refusal" => fields.take_text("refusal").map(BlockBody::Refusal),
        "image_url" => image_url(fields),
        "input_audio" => input_audio(fields),
        "file" => file(fields),
        "video_url" => url_of(fields, "video_url").map(|url| BlockBody::Video(of_url(url))),
        other => {
            if nesting < MAX_NESTING {
                leaked::body(other, fields, nesting)
            } else {
                None
            }
        }
    }
}

fn image_url(fields: &mut Fields<'_>) -> Option<BlockBody> {
    let detail = fields.get("image_url").and_then(Fields::read).and_then(|image| image.text("detail").map(Into::into));
    let source = of_url(url_of(fields, "image_url")?);
    Some(BlockBody::Image(Image { source, detail, state: None }))
}

/// The address in a field that is an object with a `url`, or, as some clients write it, the address.
fn url_of(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let Some(mut object) = fields.take_as::<Fields<'_>>(key) else { return fields.take_text(key) };
    let url = object.take_text("url")?;
    object.take_text("detail");
    fields.keep(key, object);
    Some(url)
}

fn input_audio(fields: &mut Fields<'_>) -> Option<BlockBody> {
    let mut audio: Fields<'_> = fields.take_as("input_audio")?;
    let source = Source::Base64 { mime: String::new(), data: audio.take_text("data")? };
    let format = audio.take_text("format");
    fields.keep("input_audio", audio);
    Some(BlockBody::Audio(Audio { format, source, transcript: None }))
}

fn file(fields: &mut Fields<'_>) -> Option<BlockBody> {
    let mut file: Fields<'_> = fields.take_as("file")?;
    let source = match file.take_text("file_data") {
        Some(data) => of_file_data(data),
        None => Source::FileId(file.take_text("file_id")?),
    };
    let filename = file.take_text("filename");
    fields.keep("file", file);
    Some(BlockBody::Document(Document { source, title: None, context: None, citations: None, filename }))
}

/// Takes a cache mark: OpenAI's own, or the one OpenRouter and LiteLLM took over from Anthropic.
pub(super) fn take_cache(fields: &mut Fields<'_>) -> Option<CacheMark> {
    let key = ["prompt_cache_breakpoint", "cache_control"]
        .into_iter()
        .find(|key| fields.get(key).is_some_and(|mark| mark.starts_with('{')))?;
    let raw = fields.take_raw(key)?;
    let ttl = Fields::read(raw.get()).and_then(|mark| mark.text("ttl").map(Into::into));
    Some(CacheMark { ttl, raw: Some(raw) })
}

/// Writes a cache mark under the name it came with; another format's is left out, since most providers
/// of this format refuse it.
pub(super) fn write_cache(object: &mut Object<'_>, cache: Option<&CacheMark>, path: &str, ledger: &mut Ledger) {
    match cache.and_then(|mark| mark.raw.as_ref()) {
        Some(raw) if ledger.is_ours() => {
            let is_openais = Fields::read(raw.get()).is_some_and(|mark| mark.get("mode").is_some());
            object.literal(if is_openais { "prompt_cache_breakpoint" } else { "cache_control" }, raw.get());
        }
        Some(_) | None => ledger.lose_if(cache, path, "cache mark"),
    }
}

/// A block as a part; `None`, with an entry in the ledger, where this format has none for it.
pub(super) fn write_part(block: &Block, path: &str, ledger: &mut Ledger) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if let BlockBody::Unknown(raw) = &block.body {
        if ledger.is_ours() {
            return Some(raw.get().as_bytes().to_vec());
        }
        ledger.lose(path, "unknown block", Severity::Minor);
        return None;
    }
    let mut written = false;
    object(&mut out, |part| {
        let extra = ledger.extra(path, &block.extra);
        written = write_body(part, &block.body, extra);
        write_cache(part, block.cache.as_ref(), path, ledger);
        part.rest(extra);
    });
    if !written {
        let (what, severity) = missing(&block.body);
        ledger.lose(path, what, severity);
    }
    written.then_some(out)
}

/// Writes what makes the part what it is; false where it can't be one.
fn write_body(part: &mut Object<'_>, body: &BlockBody, extra: &Extra) -> bool {
    match body {
        BlockBody::Text(content) => {
            part.text("type", "text");
            part.text("text", &content.text);
            true
        }
        BlockBody::Refusal(words) => {
            part.text("type", "refusal");
            part.text("refusal", words);
            true
        }
        BlockBody::Image(image) => write_image(part, image, extra),
        BlockBody::Audio(audio) => write_audio(part, audio, extra),
        BlockBody::Document(document) => write_document(part, document, extra),
        BlockBody::Video(source) => as_url(source).is_some_and(|url| {
            part.text("type", "video_url");
            part.object("video_url", extra, |video| video.text("url", &url));
            true
        }),
        BlockBody::Thinking(_)
        | BlockBody::ToolCall(_)
        | BlockBody::ToolResult(_)
        | BlockBody::ServerToolCall(_)
        | BlockBody::ServerToolResult(_)
        | BlockBody::Compaction(_)
        | BlockBody::StateOnly(_)
        | BlockBody::Unknown(_) => false,
    }
}

/// A picture part, also the element of OpenRouter's `images`.
pub(super) fn write_image(part: &mut Object<'_>, image: &Image, extra: &Extra) -> bool {
    let Some(url) = as_url(&image.source) else { return false };
    part.text("type", "image_url");
    part.object("image_url", extra, |inner| {
        inner.text("url", &url);
        if let Some(detail) = &image.detail {
            inner.text("detail", detail);
        }
    });
    true
}

fn write_audio(part: &mut Object<'_>, audio: &Audio, extra: &Extra) -> bool {
    let Source::Base64 { mime, data } = &audio.source else { return false };
    let format = audio.format.as_deref().or_else(|| mime.split_once('/').map(|(_, subtype)| subtype));
    part.text("type", "input_audio");
    part.object("input_audio", extra, |inner| {
        inner.text("data", data);
        if let Some(format) = format {
            inner.text("format", format);
        }
    });
    true
}

fn write_document(part: &mut Object<'_>, document: &Document, extra: &Extra) -> bool {
    let name = document.filename.as_ref().or(document.title.as_ref());
    let (key, value) = match &document.source {
        Source::Base64 { mime, data } if mime.is_empty() => ("file_data", data.clone()),
        Source::Base64 { mime, data } => ("file_data", format!("data:{mime};base64,{data}")),
        Source::FileId(id) => ("file_id", id.clone()),
        Source::Text(text) => {
            let header = name.map(|name| format!("[{name}]\n")).unwrap_or_default();
            part.text("type", "text");
            part.text("text", &format!("{header}{text}"));
            return true;
        }
        // A document by its address has to be fetched first, and blocks are no file.
        Source::Url(_) | Source::Blocks(_) => return false,
    };
    part.text("type", "file");
    part.object("file", extra, |file| {
        if let Some(name) = name {
            file.text("filename", name);
        }
        file.text(key, &value);
    });
    true
}

/// What is lost where a block can't be a part, and whether the request still means the same.
fn missing(body: &BlockBody) -> (&'static str, Severity) {
    match body {
        BlockBody::Image(_) => ("image", Severity::Fatal),
        BlockBody::Audio(_) => ("audio", Severity::Fatal),
        BlockBody::Video(_) => ("video", Severity::Fatal),
        BlockBody::Document(_) => ("document", Severity::Fatal),
        BlockBody::ServerToolCall(_) => ("server tool call", Severity::Minor),
        BlockBody::ServerToolResult(_) => ("server tool result", Severity::Minor),
        BlockBody::Compaction(_) => ("compaction", Severity::Minor),
        BlockBody::StateOnly(_) => ("state", Severity::Minor),
        BlockBody::Text(_) => ("text", Severity::Minor),
        BlockBody::Refusal(_) => ("refusal", Severity::Minor),
        BlockBody::Thinking(_) => ("thinking", Severity::Minor),
        BlockBody::ToolCall(_) => ("tool call", Severity::Minor),
        BlockBody::ToolResult(_) => ("tool result", Severity::Minor),
        BlockBody::Unknown(_) => ("unknown block", Severity::Minor),
    }
}
