//! A request's fields, written.

use omniroute_domain::request::{MaxOutput, OutputFormat, Reasoning, ReasoningMode, Sampling};
use omniroute_domain::{ChatRequest, Extra, Loss, Raw, Severity};

use super::messages;
use super::read::vendor_mode;
use crate::json::{Fields, Object, array, nested, object, string};
use crate::openai_chat::ledger::Ledger;
use crate::openai_chat::tools::{write_choice, write_tools};

/// The name of a schema that came without one; this format needs one.
const SCHEMA_NAME: &str = "response";

/// Writes a request body, and says what had no place in it.
pub fn encode(request: &ChatRequest) -> (Vec<u8>, Vec<Loss>) {
    let mut ledger = Ledger::new(request.origin);
    let kept = ledger.extra("", &request.extra);
    let mut out = Vec::with_capacity(1024);
    object(&mut out, |body| {
        body.text("model", &request.model);
        messages::write(body.value("messages"), request, &mut ledger);
        write_tooling(body, request, &mut ledger);
        write_sampling(body, &request.sampling);
        write_output(body, request);
        write_format(body, &request.output_format, kept, &mut ledger);
        write_reasoning(body, &request.reasoning, kept, &mut ledger);
        write_session(body, request, &mut ledger);
        write_stream(body, request, kept);
        body.rest(kept);
    });
    (out, ledger.into_losses())
}

fn write_tooling(body: &mut Object<'_>, request: &ChatRequest, ledger: &mut Ledger) {
    let any = write_tools(body, &request.tools, ledger);
    if !any {
        // Without tools both are refused.
        ledger.lose_if(request.tool_choice.as_ref(), "tool_choice", "choice without tools");
        ledger.lose_if(request.parallel_tools.as_ref(), "parallel_tool_calls", "choice without tools");
        return;
    }
    if let Some(choice) = &request.tool_choice {
        write_choice(body, choice, ledger);
    }
    if let Some(parallel) = request.parallel_tools {
        body.plain("parallel_tool_calls", parallel);
    }
}

fn write_sampling(body: &mut Object<'_>, sampling: &Sampling) {
    let raw: [(&'static str, &Option<Raw>); 7] = [
        ("temperature", &sampling.temperature),
        ("top_p", &sampling.top_p),
        ("top_k", &sampling.top_k),
        ("seed", &sampling.seed),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
        ("logit_bias", &sampling.logit_bias),
    ];
    for (key, value) in raw {
        if let Some(value) = value {
            body.literal(key, value.get());
        }
    }
    match &sampling.stop[..] {
        [] => {}
        [one] => body.text("stop", one),
        many => array(body.value("stop"), many, |out, stop| string(out, stop)),
    }
    if let Some(n) = sampling.n {
        body.plain("n", n);
    }
    if let Some(logprobs) = sampling.logprobs {
        body.plain("logprobs", logprobs);
    }
    if let Some(top) = sampling.top_logprobs {
        body.plain("top_logprobs", top);
    }
}

fn write_output(body: &mut Object<'_>, request: &ChatRequest) {
    if let Some(MaxOutput { tokens, legacy_field }) = request.max_output {
        body.plain(if legacy_field { "max_tokens" } else { "max_completion_tokens" }, tokens);
    }
    if !request.modalities.is_empty() {
        array(body.value("modalities"), &request.modalities, |out, modality| string(out, modality));
    }
    if let Some(verbosity) = &request.verbosity {
        body.text("verbosity", verbosity);
    }
}

fn write_format(body: &mut Object<'_>, format: &OutputFormat, kept: &Extra, ledger: &mut Ledger) {
    const KEY: &str = "response_format";
    match format {
        OutputFormat::Text => {}
        // A schema format without a schema asks for JSON and nothing more.
        OutputFormat::JsonObject | OutputFormat::JsonSchema { schema: None, .. } => {
            body.object(KEY, kept, |format| format.text("type", "json_object"));
        }
        OutputFormat::JsonSchema { name, description, schema: Some(schema), strict } => {
            let inner = nested(kept, KEY);
            body.object(KEY, kept, |format| {
                format.text("type", "json_schema");
                format.object("json_schema", &inner, |wanted| {
                    wanted.text("name", name.as_deref().unwrap_or(SCHEMA_NAME));
                    if let Some(description) = description {
                        wanted.text("description", description);
                    }
                    wanted.literal("schema", schema.get());
                    if let Some(strict) = strict {
                        wanted.plain("strict", strict);
                    }
                });
            });
        }
        OutputFormat::Other(raw) if ledger.is_ours() => body.literal(KEY, raw.get()),
        OutputFormat::Other(_) => ledger.lose(KEY, "vendor's own format", Severity::Minor),
    }
}

fn write_reasoning(body: &mut Object<'_>, reasoning: &Reasoning, kept: &Extra, ledger: &mut Ledger) {
    let said_elsewhere = ledger.is_ours() && {
        let own = reasoning.raw.as_ref().and_then(|raw| Fields::read(raw.get()));
        let vendor = |key: &str| kept.iter().find(|(name, _)| name == key).map(|(_, value)| value.get());
        vendor_mode(own.as_ref(), vendor) == reasoning.mode
    };
    if !said_elsewhere && let Some(effort) = effort(&reasoning.mode) {
        body.text("reasoning_effort", effort);
    }
    match &reasoning.raw {
        Some(raw) if ledger.is_ours() => body.literal("reasoning", raw.get()),
        Some(_) | None => {}
    }
    if !ledger.is_ours() {
        ledger.lose_if(reasoning.display.as_ref(), "reasoning", "display");
    }
}

/// The level for a mode; budgets by the table all formats share.
fn effort(mode: &ReasoningMode) -> Option<&str> {
    match mode {
        ReasoningMode::Unset | ReasoningMode::Auto => None,
        ReasoningMode::Off | ReasoningMode::Budget(0) => Some("none"),
        ReasoningMode::Level(level) => Some(level),
        ReasoningMode::Budget(..=512) => Some("minimal"),
        ReasoningMode::Budget(..=1024) => Some("low"),
        ReasoningMode::Budget(..=8192) => Some("medium"),
        ReasoningMode::Budget(..=24576) => Some("high"),
        ReasoningMode::Budget(_) => Some("xhigh"),
    }
}

fn write_session(body: &mut Object<'_>, request: &ChatRequest, ledger: &mut Ledger) {
    let session = &request.session;
    let texts = [
        ("user", &session.user),
        ("safety_identifier", &session.safety_identifier),
        ("prompt_cache_key", &request.cache.key),
        ("prompt_cache_retention", &request.cache.retention),
        ("service_tier", &request.service_tier),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            body.text(key, value);
        }
    }
    if let Some(store) = session.store {
        body.plain("store", store);
    }
    if let Some(metadata) = &request.metadata {
        body.literal("metadata", metadata.get());
    }
    ledger.lose_if(session.conversation_id.as_ref(), "conversation", "conversation");
    if session.previous_response_id.is_some() {
        // What came before is not in the request, so the answer would be to something else.
        ledger.lose("previous_response_id", "previous response", Severity::Fatal);
    }
}

fn write_stream(body: &mut Object<'_>, request: &ChatRequest, kept: &Extra) {
    if request.stream {
        body.plain("stream", true);
    }
    body.object_if_any("stream_options", kept, |options| {
        if request.stream && request.stream_usage {
            options.plain("include_usage", true);
        }
    });
}
