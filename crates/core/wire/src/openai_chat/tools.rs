//! Tools and how they may be called.

mod choice;

use omniroute_domain::request::{Tool, ToolBody};
use omniroute_domain::{Raw, Severity};

use super::ledger::Ledger;
use super::parts::{take_cache, write_cache};
use crate::json::{Fields, Object, elements, object};

pub(super) use choice::{read_choice, write_choice};

/// Reads `tools`, and `functions`, the old form; `None` for either that is no array of objects.
pub(super) fn take_tools(request: &mut Fields<'_>) -> Vec<Tool> {
    let mut tools = Vec::new();
    for (key, read) in [("tools", tool as fn(&str) -> Option<Tool>), ("functions", bare_function)] {
        let list = request.get(key).and_then(elements);
        if let Some(found) = list.and_then(|list| list.into_iter().map(read).collect::<Option<Vec<Tool>>>()) {
            request.take(key);
            tools.extend(found);
        }
    }
    tools
}

/// One entry of `tools`. Clients also leave the flat form of OpenAI's Responses API in, and
/// Anthropic's, which has no `type` and an `input_schema`. Any other kind is run by the provider.
fn tool(entry: &str) -> Option<Tool> {
    let mut fields = Fields::read(entry)?;
    let kind = fields.text("type").map(Into::<String>::into);
    let body = match kind.as_deref() {
        Some("function") | None => function(&mut fields),
        Some("custom") => custom(&mut fields),
        Some(_) => None,
    };
    let body = match body {
        Some(body) => body,
        None => {
            let raw = Raw::parse(entry.to_owned())?;
            let body = ToolBody::Hosted { kind: kind.unwrap_or_default(), raw };
            return Some(Tool { body, cache: None, extra: Vec::new() });
        }
    };
    fields.take("type");
    let cache = take_cache(&mut fields);
    Some(Tool { body, cache, extra: fields.rest() })
}

/// One entry of `functions`.
fn bare_function(entry: &str) -> Option<Tool> {
    let mut fields = Fields::read(entry)?;
    let body = function_of(&mut fields)?;
    Some(Tool { body, cache: None, extra: fields.rest() })
}

fn function(fields: &mut Fields<'_>) -> Option<ToolBody> {
    let Some(mut inner) = fields.take_as::<Fields<'_>>("function") else { return function_of(fields) };
    let body = function_of(&mut inner)?;
    fields.keep("function", inner);
    Some(body)
}

fn function_of(fields: &mut Fields<'_>) -> Option<ToolBody> {
    Some(ToolBody::Function {
        name: fields.take_text("name")?,
        namespace: None,
        description: fields.take_text("description"),
        schema: fields.take_raw("parameters").or_else(|| fields.take_raw("input_schema")),
        strict: fields.take_as("strict"),
        defer: None,
    })
}

fn custom(fields: &mut Fields<'_>) -> Option<ToolBody> {
    let mut inner: Fields<'_> = fields.take_as("custom")?;
    let body = ToolBody::Freeform {
        name: inner.take_text("name")?,
        namespace: None,
        description: inner.take_text("description"),
        format: inner.take_raw("format"),
    };
    fields.keep("custom", inner);
    Some(body)
}

/// Writes `tools`; gives whether there were any to write.
pub(super) fn write_tools(request: &mut Object<'_>, tools: &[Tool], ledger: &mut Ledger) -> bool {
    let entries = tools.iter().enumerate();
    let entries: Vec<Vec<u8>> = entries.filter_map(|(n, tool)| entry(tool, &format!("tools[{n}]"), ledger)).collect();
    if entries.is_empty() {
        return false;
    }
    let out = request.value("tools");
    crate::json::array(out, entries, |out, entry| out.extend_from_slice(&entry));
    true
}

fn entry(tool: &Tool, path: &str, ledger: &mut Ledger) -> Option<Vec<u8>> {
    if let ToolBody::Hosted { kind, raw } = &tool.body {
        if ledger.is_ours() {
            return Some(raw.get().as_bytes().to_vec());
        }
        ledger.lose(path, kind, Severity::Minor);
        return None;
    }
    let mut out = Vec::new();
    object(&mut out, |written| {
        let extra = ledger.extra(path, &tool.extra);
        match &tool.body {
            ToolBody::Function { name, namespace, description, schema, strict, defer } => {
                written.text("type", "function");
                written.object("function", extra, |function| {
                    described(function, name, namespace.as_deref(), description.as_deref());
                    if let Some(schema) = schema {
                        function.literal("parameters", schema.get());
                    }
                    if let Some(strict) = strict {
                        function.plain("strict", strict);
                    }
                });
                ledger.lose_if(defer.filter(|defer| *defer).as_ref(), path, "defer");
            }
            ToolBody::Freeform { name, namespace, description, format } => {
                written.text("type", "custom");
                written.object("custom", extra, |custom| {
                    described(custom, name, namespace.as_deref(), description.as_deref());
                    if let Some(format) = format {
                        custom.literal("format", format.get());
                    }
                });
            }
            ToolBody::Hosted { .. } => {}
        }
        write_cache(written, tool.cache.as_ref(), path, ledger);
        written.rest(extra);
    });
    Some(out)
}

fn described(tool: &mut Object<'_>, name: &str, namespace: Option<&str>, description: Option<&str>) {
    match namespace {
        Some(namespace) => tool.text("name", &format!("{namespace}__{name}")),
        None => tool.text("name", name),
    }
    if let Some(description) = description {
        tool.text("description", description);
    }
}
